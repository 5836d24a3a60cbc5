"""Orders and goals as plans see them: which count, with which priority, where; and what deserves a warning."""

from __future__ import annotations

from typing import Any

import pytest

from planning.models import Customer, CustomerOrder, Goal, Period, Plant, Product
from planning.snapshot import Problem, Snapshot, take_snapshot
from tests.factories import make_furniture

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant() -> Plant:
    plant = make_furniture()
    for number in (1, 2, 3):
        Period.objects.create(plant=plant, name=f"Week {number}", sequence=number)
    return plant


def make_order(plant: Plant, reference: str, product: str = "Chair", week: int = 1, **fields: Any) -> CustomerOrder:
    tier = fields.pop("tier", "BRONZE")
    return CustomerOrder.objects.create(
        plant=plant,
        reference=reference,
        customer=Customer.objects.get_or_create(plant=plant, name=f"{tier} customer", tier=tier)[0],
        product=Product.objects.get(plant=plant, name=product),
        period=Period.objects.get(plant=plant, name=f"Week {week}"),
        **{"target_quantity": 5, **fields},
    )


def make_goal(plant: Plant, name: str, measure: str, target_name: str = "", **fields: Any) -> Goal:
    given: dict[str, Any] = {"sense": "at_least", "target": 10, **fields}
    return Goal.objects.create(plant=plant, name=name, measure=measure, target_name=target_name, **given)


def snapshot_of(plant: Plant) -> Snapshot:
    return take_snapshot(plant.pk, "Baseline")


def warnings_of(plant: Plant) -> list[Problem]:
    return list(snapshot_of(plant).warnings)


class TestOrders:
    def test_the_tier_gives_a_priority_where_the_order_has_none(self, plant: Plant) -> None:
        for tier in ("GOLD", "SILVER", "BRONZE"):
            make_order(plant, tier, tier=tier)
        make_order(plant, "own", tier="GOLD", priority=7)
        table = snapshot_of(plant)["counted_orders"]
        assert dict(zip(table.columns["reference"].tolist(), table.columns["priority"].tolist(), strict=True)) == {
            "GOLD": 1,
            "SILVER": 2,
            "BRONZE": 3,
            "own": 7,
        }

    def test_one_with_a_late_cost_may_come_in_every_later_period(self, plant: Plant) -> None:
        make_order(plant, "sharp", week=2)
        make_order(plant, "late", week=2, late_cost_per_unit=3)
        make_order(plant, "last", week=3, late_cost_per_unit=0)
        grid = snapshot_of(plant)["order_grid"]
        found = [(r.order.reference, r.period.name, r.periods_late, r.late_cost) for r in grid.rows]
        assert found == [
            ("sharp", "Week 2", 0, 0.0),
            ("late", "Week 2", 0, 0.0),
            ("late", "Week 3", 1, 3.0),
            ("last", "Week 3", 0, 0.0),
        ]
        assert all(r.product_period.product.name == "Chair" for r in grid.rows)
        assert [r.product_period.period.name for r in grid.rows] == [name for _, name, _, _ in found]

    def test_one_that_is_not_active_does_not_count(self, plant: Plant) -> None:
        make_order(plant, "off", active=False)
        assert snapshot_of(plant)["counted_orders"].size == 0
        assert warnings_of(plant) == []

    def test_one_on_a_product_that_is_not_active_is_left_out_with_a_warning(self, plant: Plant) -> None:
        Product.objects.filter(name="Chair").update(active=False)
        make_order(plant, "lost")
        (warning,) = warnings_of(plant)
        assert (warning.table, warning.row, warning.column) == ("customer_orders", "lost", "product")
        assert 'for "Chair", which is not active' in warning.text
        assert snapshot_of(plant)["counted_orders"].size == 0

    def test_orders_above_max_demand_warn_once_for_a_product_and_period(self, plant: Plant) -> None:
        Product.objects.filter(name="Chair").update(min_demand=0, max_demand=8)
        make_order(plant, "A")
        make_order(plant, "B")
        make_order(plant, "C", week=2)
        (warning,) = warnings_of(plant)
        assert (warning.table, warning.row, warning.column) == ("customer_orders", "A", "target_quantity")
        assert 'Orders for "Chair" in period Week 1 add up to 10 (A, B), and its max_demand is 8' in warning.text


class TestGoals:
    def test_each_measure_leads_to_what_it_counts(self, plant: Plant) -> None:
        make_goal(plant, "hours", "machine_hours", "Cutting Machine")
        make_goal(plant, "wood", "material_quantity", "Wood")
        make_goal(plant, "made", "production", "Chair")
        make_goal(plant, "sold", "sales", "Desk")
        snapshot = snapshot_of(plant)
        of_hours = [r for r in snapshot["goal_makes"].rows if r.goal.name == "hours"]
        recipes = [r for r in snapshot["production_recipes"].rows if r.machine.name == "Cutting Machine"]
        assert sorted({(r.row.product.name, r.amount) for r in of_hours}) == sorted(
            (r.product.name, r.hours_required) for r in recipes
        )
        assert {r.row.period.name for r in of_hours} == {"Week 1", "Week 2", "Week 3"}
        made = [(r.row.product.name, r.amount) for r in snapshot["goal_makes"].rows if r.goal.name == "made"]
        assert made == [("Chair", 1.0)] * 3
        assert [r.row.product.name for r in snapshot["goal_sales"].rows] == ["Desk"] * 3

    @pytest.mark.parametrize(
        ("sense", "weights"), [("at_least", (2.0, 0.0)), ("at_most", (0.0, 3.0)), ("exactly", (2.0, 3.0))]
    )
    def test_the_sense_says_which_side_counts(self, plant: Plant, sense: str, weights: tuple[float, float]) -> None:
        make_goal(plant, "g", "profit", sense=sense, weight_under=2, weight_over=3)
        (goal,) = snapshot_of(plant)["counted_goals"].rows
        assert (goal.weight_under, goal.weight_over) == weights

    def test_one_on_a_product_that_is_not_active_measures_nothing_and_warns(self, plant: Plant) -> None:
        Product.objects.filter(name="Chair").update(active=False)
        make_goal(plant, "chairs", "production", "Chair")
        (warning,) = warnings_of(plant)
        assert (warning.table, warning.row) == ("goals", "chairs")
        assert snapshot_of(plant)["goal_makes"].size == 0

    def test_one_that_is_not_active_does_not_count(self, plant: Plant) -> None:
        make_goal(plant, "rest", "profit", active=False)
        assert snapshot_of(plant)["counted_goals"].size == 0

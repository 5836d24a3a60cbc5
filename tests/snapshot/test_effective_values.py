"""What holds in each period: the parent's values, those that a period gives in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planning.models import BASELINE, Period, Product
from planning.snapshot import Snapshot, take_snapshot
from tests.factories import make_plant
from tests.formulation.small_plants import bring, snapshot_of, weeks

pytestmark = pytest.mark.django_db


def column(snapshot: Snapshot, grid: str, field: str) -> list[Any]:
    """Return a field of a grid, None where it is blank."""
    held = snapshot[grid].columns[field]
    return [None if blank else value for value, blank in zip(held.tolist(), held.is_null.tolist(), strict=True)]


class TestPeriods:
    def test_a_plant_without_period_rows_has_one_named_1(self, tmp_path: Path) -> None:
        snapshot = snapshot_of(bring(tmp_path, products=[{"name": "Chair"}]))
        assert snapshot["periods"].columns["name"].tolist() == ["1"]
        assert snapshot.period_count == 1

    def test_they_follow_their_sequence_which_may_have_gaps(self) -> None:
        plant = make_plant()
        for sequence, name in ((30, "Late"), (7, "Early"), (12, "Middle")):
            Period.objects.create(plant=plant, sequence=sequence, name=name)
        chair = Product.objects.create(plant=plant, name="Chair", holding_cost_per_unit=0, final_inventory=4)
        chair.product_periods.create(period=plant.periods.get(name="Early"), profit_per_unit=1)
        chair.product_periods.create(period=plant.periods.get(name="Late"), profit_per_unit=3)
        snapshot = take_snapshot(plant.pk, BASELINE)
        assert snapshot["periods"].columns["name"].tolist() == ["Early", "Middle", "Late"]
        assert column(snapshot, "product_grid", "profit_per_unit") == [1, 0, 3]
        assert column(snapshot, "product_grid", "required_stock") == [0, 0, 4]

    def test_their_names_may_be_numbers_in_another_order(self, tmp_path: Path) -> None:
        periods = [{"sequence": 1, "name": "2"}, {"sequence": 2, "name": "1"}]
        overrides = [{"product": "Chair", "period": "1", "max_demand": 5}]
        plant = bring(tmp_path, periods=periods, products=[{"name": "Chair"}], product_periods=overrides)
        assert column(snapshot_of(plant), "product_grid", "max_demand") == [None, 5]


class TestValues:
    def test_a_blank_cell_keeps_the_parents_value_and_0_replaces_it(self, tmp_path: Path) -> None:
        snapshot = snapshot_of(
            bring(
                tmp_path,
                periods=weeks(3),
                products=[{"name": "Chair", "profit_per_unit": 10, "max_demand": 8, "purchase_cost_per_unit": 4}],
                product_periods=[
                    {"product": "Chair", "period": "2", "max_demand": 0, "purchase_cost_per_unit": 0},
                    {"product": "Chair", "period": "3", "profit_per_unit": 0},
                ],
            )
        )
        assert column(snapshot, "product_grid", "profit_per_unit") == [10, 10, 0]
        assert column(snapshot, "product_grid", "max_demand") == [8, 0, 8]
        assert column(snapshot, "product_grid", "purchase_cost_per_unit") == [4, 0, 4]

    def test_a_period_may_give_what_the_parent_leaves_blank(self, tmp_path: Path) -> None:
        snapshot = snapshot_of(
            bring(
                tmp_path,
                periods=weeks(2),
                products=[{"name": "Chair"}],
                product_periods=[{"product": "Chair", "period": "2", "holding_cost_per_unit": 0, "max_purchase": 3}],
            )
        )
        assert column(snapshot, "product_grid", "holding_cost_per_unit") == [None, 0]
        assert column(snapshot, "product_grid", "is_storable") == [False, True]
        assert column(snapshot, "product_grid", "max_purchase") == [None, 3]

    def test_a_machine_without_hours_has_no_limit_and_no_overtime(self, tmp_path: Path) -> None:
        snapshot = snapshot_of(
            bring(
                tmp_path,
                periods=weeks(2),
                products=[{"name": "Chair"}],
                machines=[{"name": "Saw", "units": 3, "overtime_cost_per_hour": 1}],
                machine_periods=[{"machine": "Saw", "period": "2", "available_hours": 8, "units_down": 1}],
            )
        )
        assert column(snapshot, "machine_grid", "limit") == [None, 16]
        assert column(snapshot, "machine_grid", "has_overtime") == [False, True]
        assert column(snapshot, "machine_grid", "units_down") == [0, 1]

    def test_materials_and_routes_have_values_per_period(self, tmp_path: Path) -> None:
        snapshot = snapshot_of(
            bring(
                tmp_path,
                periods=weeks(2),
                products=[{"name": "Chair", "max_batch_size": 9, "min_batch_size": 2}],
                raw_materials=[{"name": "Wood", "cost_per_unit": 3, "available_quantity": 7}],
                raw_material_periods=[{"material": "Wood", "period": "1", "cost_per_unit": 0}],
                routes=[{"product": "Chair", "name": "Fast", "cost_per_unit": 5, "min_batch_size": 4}],
                route_periods=[{"product": "Chair", "route": "Fast", "period": "2", "min_batch_size": 1}],
            )
        )
        assert column(snapshot, "material_grid", "cost_per_unit") == [0, 3]
        assert column(snapshot, "material_grid", "available_quantity") == [7, 7]
        assert column(snapshot, "way_grid", "route_cost_per_unit") == [5, 5]
        assert column(snapshot, "way_grid", "min_batch_size") == [4, 2]
        assert column(snapshot, "way_grid", "max_batch_size") == [9, 9]

    def test_the_larger_of_least_and_final_stock_is_required_at_the_end(self, tmp_path: Path) -> None:
        stock = {"holding_cost_per_unit": 0, "min_inventory": 3, "final_inventory": 2}
        snapshot = snapshot_of(
            bring(
                tmp_path,
                periods=weeks(2),
                products=[{"name": "Chair", **stock}, {"name": "Desk", **stock, "final_inventory": 5}],
            )
        )
        assert column(snapshot, "product_grid", "required_stock") == [3, 3, 3, 5]


class TestWays:
    def ways(self, snapshot: Snapshot) -> list[tuple[str, str]]:
        table = snapshot["ways"]
        return [(way.product.name, way.route_name) for way in map(table.record, range(table.size))]

    def uses(self, snapshot: Snapshot, item: str, field: str) -> dict[tuple[str, str, str], float]:
        table = snapshot[f"{item}_uses"]
        rows = map(table.record, range(table.size))
        return {
            (use.way.product.name, use.way.route_name, getattr(use, item).name): getattr(use, field) for use in rows
        }

    def test_a_product_is_made_when_any_table_says_how(self, tmp_path: Path) -> None:
        plant = bring(
            tmp_path,
            products=[{"name": name} for name in ("Bought", "Sawn", "Poured", "Joined", "Routed", "Yielded")],
            machines=[{"name": "Saw"}],
            raw_materials=[{"name": "Wax"}],
            routes=[{"product": "Routed", "name": "Fast"}],
            production_recipes=[{"product": "Sawn", "machine": "Saw"}],
            material_requirements=[{"product": "Poured", "material": "Wax", "quantity_required": 1}],
            component_requirements=[{"product": "Joined", "component": "Sawn", "quantity_required": 1}],
            by_products=[{"product": "Sawn", "by_product": "Yielded", "quantity_produced": 1}],
        )
        assert self.ways(snapshot_of(plant)) == [("Sawn", ""), ("Poured", ""), ("Joined", ""), ("Routed", "Fast")]

    def test_rows_with_a_blank_route_and_with_a_route_add_up(self, tmp_path: Path) -> None:
        snapshot = snapshot_of(
            bring(
                tmp_path,
                products=[{"name": "Chair"}, {"name": "Leg"}],
                machines=[{"name": "Saw"}],
                routes=[{"product": "Chair", "name": "Fast", "setup_cost": 5}, {"product": "Chair", "name": "Slow"}],
                production_recipes=[
                    {"product": "Chair", "machine": "Saw", "hours_required": 1, "setup_hours": 2, "setup_cost": 3},
                    {"product": "Chair", "machine": "Saw", "route": "Fast", "hours_required": 10, "setup_cost": 4},
                ],
                component_requirements=[
                    {"product": "Chair", "component": "Leg", "quantity_required": 4},
                    {"product": "Chair", "component": "Leg", "route": "Slow", "quantity_required": 1},
                ],
            )
        )
        assert self.uses(snapshot, "machine", "hours_required") == {
            ("Chair", "Fast", "Saw"): 11,
            ("Chair", "Slow", "Saw"): 1,
        }
        assert self.uses(snapshot, "component", "quantity_required") == {
            ("Chair", "Fast", "Leg"): 4,
            ("Chair", "Slow", "Leg"): 5,
        }
        assert column(snapshot, "way_grid", "setup_cost") == [12, 3]
        assert column(snapshot, "way_grid", "has_setup") == [True, True]


class TestNotActive:
    def test_a_product_has_no_rows_and_no_ways(self, tmp_path: Path) -> None:
        snapshot = snapshot_of(
            bring(
                tmp_path,
                products=[{"name": "Chair"}, {"name": "Desk", "active": False}],
                machines=[{"name": "Saw"}],
                production_recipes=[{"product": name, "machine": "Saw"} for name in ("Chair", "Desk")],
                by_products=[{"product": "Chair", "by_product": "Desk", "quantity_produced": 1}],
            )
        )
        assert [snapshot["product_grid"].record(0).product.name, snapshot["product_grid"].size] == ["Chair", 1]
        assert snapshot["ways"].size == 1
        assert snapshot["by_product_uses"].size == 0

    def test_what_needs_it_as_a_component_is_blocked(self, tmp_path: Path) -> None:
        snapshot = snapshot_of(
            bring(
                tmp_path,
                products=[{"name": "Chair"}, {"name": "Leg", "active": False}],
                machines=[{"name": "Saw"}],
                routes=[{"product": "Chair", "name": "Own"}, {"product": "Chair", "name": "Bought"}],
                component_requirements=[
                    {"product": "Chair", "component": "Leg", "route": "Own", "quantity_required": 4}
                ],
            )
        )
        assert column(snapshot, "way_grid", "is_blocked") == [True, False]

    def test_a_requirement_of_nothing_blocks_nothing(self, tmp_path: Path) -> None:
        snapshot = snapshot_of(
            bring(
                tmp_path,
                products=[{"name": "Chair"}, {"name": "Leg", "active": False}],
                component_requirements=[{"product": "Chair", "component": "Leg", "quantity_required": 0}],
            )
        )
        assert column(snapshot, "way_grid", "is_blocked") == [False]

    def test_a_route_is_not_used_and_gives_no_unnamed_way(self, tmp_path: Path) -> None:
        snapshot = snapshot_of(
            bring(
                tmp_path,
                products=[{"name": "Chair"}],
                machines=[{"name": "Saw"}],
                routes=[{"product": "Chair", "name": "Fast", "active": False}],
                production_recipes=[{"product": "Chair", "machine": "Saw", "hours_required": 1}],
            )
        )
        assert snapshot["ways"].size == 0

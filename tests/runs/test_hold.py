"""Holding on to an earlier plan: its first periods stay, what moved is told, and moving can cost something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planning.models import Machine, OrderResult, Period, Plant, Product, ProductBalance, Production, Run
from planning.runs import execute, run_as_json, start_run, start_variations
from planning.runs.copies import load_copy, read_copy
from planning.runs.plan_check import PlanRefused, check_plan
from planning.snapshot import DataProblems, Hold, Snapshot
from tests.formulation.small_plants import baseline, bring, weeks
from tests.runs.rich_plant import make_rich

pytestmark = pytest.mark.django_db


def planned(plant: Plant, hold: Hold | None = None) -> Run:
    """Return a run of the plant's Baseline, executed here."""
    run = start_run(baseline(plant), here=True, hold=hold)
    return execute(run.pk, run.attempt)


def make_shop(folder: Path, **product: Any) -> Plant:
    """Return a plant with chairs and tables on one saw, in three weeks."""
    return bring(
        folder,
        periods=weeks(3),
        products=[
            {"name": "Chair", "profit_per_unit": 10, "max_demand": 6, "holding_cost_per_unit": 1, **product},
            {"name": "Table", "profit_per_unit": 12, "max_demand": 4},
        ],
        machines=[{"name": "Saw", "available_hours": 10}],
        production_recipes=[
            {"product": "Chair", "machine": "Saw", "hours_required": 1},
            {"product": "Table", "machine": "Saw", "hours_required": 2},
        ],
    )


def made(run: Run) -> dict[tuple[str, str], float]:
    rows = Production.objects.filter(run=run).values_list("product", "period", "quantity")
    return {(product, period): round(quantity, 6) for product, period, quantity in rows}


def dearer_tables(plant: Plant) -> None:
    """Let tables earn so much that a free plan makes no chair where it can make a table."""
    Product.objects.filter(plant=plant, name="Table").update(profit_per_unit=50)


class TestProductionHeld:
    def test_the_first_periods_stay_and_the_others_follow_the_data(self, tmp_path: Path) -> None:
        plant = make_shop(tmp_path)
        first = planned(plant)
        assert [made(first)["Chair", week] for week in "123"] == [6, 6, 6]
        dearer_tables(plant)
        free = planned(plant)
        assert [made(free)["Table", week] for week in "123"] == [4, 4, 4]
        held = planned(plant, Hold(first.pk, periods=2))
        assert [made(held)["Chair", week] for week in "123"] == [6, 6, 2]
        assert [made(held)["Table", week] for week in "123"] == [2, 2, 4]
        assert held.plan_checked
        assert held.follows == first

    def test_a_plan_that_is_held_to_its_end_is_the_same_plan(self, tmp_path: Path) -> None:
        plant = make_rich(tmp_path)
        first = planned(plant)
        again = planned(plant, Hold(first.pk, periods=3, whole=True))
        assert again.state == Run.State.SOLVED, again.reason
        assert again.objective == pytest.approx(first.objective, rel=1e-5)
        assert made(again) == made(first)
        assert again.moved == {
            "run": first.pk,
            "periods": 3,
            "whole": True,
            "hours": pytest.approx(0.0, abs=1e-6),
            "units": pytest.approx(0.0, abs=1e-6),
            "orders": 0,
            "cost_per_hour": 0.0,
        }

    def test_what_is_held_may_be_more_than_anybody_takes_now(self, tmp_path: Path) -> None:
        plant = make_shop(tmp_path, min_batch_size=5)
        first = planned(plant)
        Product.objects.filter(plant=plant, name="Chair").update(max_demand=1)
        held = planned(plant, Hold(first.pk, periods=1))
        assert held.state == Run.State.SOLVED, held.reason
        assert made(held)["Chair", "1"] == made(first)["Chair", "1"] > 1

    def test_a_way_that_is_new_makes_nothing_in_what_is_held(self, tmp_path: Path) -> None:
        plant = make_shop(tmp_path)
        first = planned(plant)
        Product.objects.create(plant=plant, name="Gold", profit_per_unit=1000, max_demand=1).production_recipes.create(
            machine=Machine.objects.get(plant=plant), hours_required=1
        )
        held = planned(plant, Hold(first.pk, periods=1))
        assert [made(held)["Gold", week] for week in "123"] == [0, 1, 1]

    def test_a_horizon_that_rolled_on_is_held_by_the_names_of_its_periods(self, tmp_path: Path) -> None:
        plant = make_shop(tmp_path)
        first = planned(plant)
        Period.objects.get(plant=plant, name="1").delete()
        Period.objects.create(plant=plant, name="4", sequence=4)
        dearer_tables(plant)
        held = planned(plant, Hold(first.pk, periods=1))
        assert [made(held)["Chair", week] for week in "234"] == [6, 2, 2]

    def test_the_plan_check_sees_what_was_not_held(self, tmp_path: Path) -> None:
        plant = make_shop(tmp_path)
        first = planned(plant)
        free = planned(plant, Hold(first.pk))
        snapshot = Snapshot(load_copy(read_copy(free)).tables)
        check_plan(free, snapshot)
        plant_row = snapshot["plant"]
        plant_row.columns["held_periods"].values[:] = 1
        check_plan(free, snapshot)
        values = snapshot["held"].columns["value"].values
        values[:] = values + 0.5
        with pytest.raises(PlanRefused, match=r"held production\[Chair,1\] is 6, and the data give 6.5"):
            check_plan(free, snapshot)


class TestWholePlanHeld:
    def test_sales_stay_too(self, tmp_path: Path) -> None:
        plant = make_shop(tmp_path)
        first = planned(plant)
        Product.objects.filter(plant=plant, name="Chair").update(max_demand=20, profit_per_unit=0.1)
        sold = ProductBalance.objects.filter(product="Chair", period="1")
        held = planned(plant, Hold(first.pk, periods=1, whole=True))
        assert sold.get(run=held).sold == pytest.approx(sold.get(run=first).sold, rel=1e-5)


class TestWhatCantBeHeld:
    def test_is_said_with_what_could_be_made_at_most(self, tmp_path: Path) -> None:
        plant = make_shop(tmp_path)
        first = planned(plant)
        Machine.objects.filter(plant=plant).update(available_hours=4)
        run = planned(plant, Hold(first.pk, periods=1))
        assert run.state == Run.State.INFEASIBLE
        assert f"The first period of run {first.pk} can't be held with these data" in run.reason
        assert "was made, now it can be at most" in run.reason

    def test_a_way_that_is_gone_is_a_data_error(self, tmp_path: Path) -> None:
        plant = make_shop(tmp_path)
        first = planned(plant)
        Product.objects.filter(plant=plant, name="Chair").update(active=False)
        with pytest.raises(DataProblems) as caught:
            planned(plant, Hold(first.pk, periods=1))
        (error,) = caught.value.errors
        assert (error.table, error.row) == ("products", "Chair")
        assert f"Run {first.pk} makes 6 of Chair in period 1" in error.text

    def test_a_period_that_the_earlier_run_has_not_is_a_data_error(self, tmp_path: Path) -> None:
        plant = make_shop(tmp_path)
        first = planned(plant)
        Period.objects.filter(plant=plant, name="1").update(name="Monday")
        with pytest.raises(DataProblems) as caught:
            planned(plant, Hold(first.pk, periods=1))
        assert 'has no period "Monday"' in caught.value.errors[0].text

    def test_more_periods_than_there_are_is_a_data_error(self, tmp_path: Path) -> None:
        plant = make_shop(tmp_path)
        first = planned(plant)
        with pytest.raises(DataProblems, match="The plan has 3 periods, and 4 are to be held"):
            planned(plant, Hold(first.pk, periods=4))

    def test_a_run_of_another_plant_or_without_a_plan_is_refused(self, tmp_path: Path) -> None:
        plant = make_shop(tmp_path)
        other = planned(make_rich(tmp_path))
        with pytest.raises(DataProblems, match=f"no run {other.pk} of this plant"):
            planned(plant, Hold(other.pk, periods=1))
        with pytest.raises(DataProblems, match="no run 999999"):
            planned(plant, Hold(999999, periods=1))


class TestMoves:
    def test_hours_units_and_orders_are_counted(self, tmp_path: Path) -> None:
        plant = make_shop(tmp_path)
        first = planned(plant)
        dearer_tables(plant)
        run = planned(plant, Hold(first.pk))
        assert run.moved is not None
        # in each week 4 chairs fewer (4 h) and 2 tables more (4 h)
        assert run.moved["hours"] == pytest.approx(24.0)
        assert run.moved["units"] == pytest.approx(18.0)
        assert run_as_json(run)["moved"] == run.moved

    def test_a_cost_of_moving_keeps_what_hardly_pays(self, tmp_path: Path) -> None:
        plant = make_shop(tmp_path)
        first = planned(plant)
        dearer_tables(plant)  # a table brings 50 for 2 chairs that bring 20, and moves 4 hours
        stay = planned(plant, Hold(first.pk, cost_per_hour=8.0))
        assert made(stay) == made(first)
        go = planned(plant, Hold(first.pk, cost_per_hour=7.0))
        assert [made(go)["Table", week] for week in "123"] == [4, 4, 4]

    def test_the_cost_of_moving_is_no_part_of_the_profit(self, tmp_path: Path) -> None:
        plant = make_shop(tmp_path)
        first = planned(plant)
        dearer_tables(plant)
        free = planned(plant)
        go = planned(plant, Hold(first.pk, cost_per_hour=7.0))
        assert go.objective == pytest.approx(free.objective)
        assert go.bound is None
        assert go.plan_checked

    def test_an_order_that_gets_less_counts(self, tmp_path: Path) -> None:
        plant = make_rich(tmp_path)
        first = planned(plant)
        before = OrderResult.objects.get(run=first, reference="O3").delivered
        plant.customer_orders.filter(reference="O3").update(target_quantity=before / 2)
        run = planned(plant, Hold(first.pk))
        assert run.moved is not None
        assert run.moved["orders"] == 1


def test_a_run_that_another_follows_is_not_deleted(tmp_path: Path) -> None:
    plant = make_shop(tmp_path)
    first = planned(plant)
    planned(plant, Hold(first.pk))
    with pytest.raises(Exception, match="follows"):
        first.delete()
    plant.delete()
    assert Run.objects.count() == 0


def test_variations_hold_what_their_base_holds(tmp_path: Path) -> None:
    plant = make_shop(tmp_path)
    first = planned(plant)
    dearer_tables(plant)
    change = {"table": "machines", "row": "Saw", "field": "available_hours", "operation": "set", "value": 12}
    started = start_variations(
        scenario=baseline(plant), variations=[[change]], here=True, hold=Hold(first.pk, periods=1)
    )
    (run,) = started.runs
    run = execute(run.pk, run.attempt)
    assert [made(run)["Chair", week] for week in "123"] == [6, 4, 4]

"""Runs side by side: inputs first, then figures, resources, plan, orders and goals."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from planning.insight import CannotCompare, Comparison, Figure, InputDifference, compare, only_differences
from planning.models import (
    GoalResult,
    Machine,
    OrderResult,
    Plant,
    Product,
    ProductBalance,
    Production,
    ProductPeriod,
    Run,
    RunCopy,
    Scenario,
    ScenarioChange,
    Utilization,
)
from planning.runs import RunOptions, execute, start_run, start_variations
from planning.snapshot import Hold
from tests.factories import make_furniture, make_run, make_solved_run
from tests.formulation.small_plants import baseline, bring, weeks
from tests.reference.commands import bring_in

pytestmark = pytest.mark.django_db

PLANT = "lumix_step5_scenarios"


def solved(plant: Plant, scenario: str = "Baseline", **options: Any) -> Run:
    run = start_run(plant.scenarios.get(name=scenario), RunOptions(**options), here=True)
    return execute(run.pk, run.attempt)


def scenario_of(plant: Plant, name: str, *changes: tuple[Any, ...]) -> Scenario:
    """Make a scenario of changes (table, row, field, operation, value)."""
    scenario = Scenario.objects.create(plant=plant, name=name)
    for table, row, field, operation, value in changes:
        ScenarioChange.objects.create(
            scenario=scenario, table=table, row=row, field=field, operation=operation, value=value
        )
    return scenario


def compared(*runs: Run) -> Comparison:
    return compare([run.pk for run in runs])


def figure(comparison: Comparison, key: str) -> Figure:
    return next(one for one in comparison.figures if one.key == key)


def verdicts(comparison: Comparison, key: str) -> list[str]:
    amounts = figure(comparison, key).amounts
    return [amounts.verdict(place) for place in range(len(comparison.runs))]


def keys(differences: Sequence[InputDifference]) -> list[tuple[str, str, str, str]]:
    return [(one.table, one.row, one.period, one.field) for one in differences]


class TestFiveScenarios:
    """One plant, one test: its five solves take seconds."""

    def test_the_published_scenarios_side_by_side(self, plants_dir: Path) -> None:
        expected = json.loads((plants_dir / PLANT / "expected.json").read_text())["scenarios"]
        bring_in(plants_dir / PLANT)
        plant = Plant.objects.get()
        comparison = compared(*(solved(plant, name) for name in expected))

        assert [run.scenario for run in comparison.runs] == list(expected)
        assert figure(comparison, "profit").amounts.values == pytest.approx(
            [one["objective"] for one in expected.values()], rel=1e-6
        )
        for priority in (1, 2, 3):
            levels = [one["levels"][priority - 1]["deviation"] for one in expected.values()]
            assert figure(comparison, f"level_{priority}").amounts.values == pytest.approx(levels, rel=1e-5)
        for part in ("sales", "holding", "setup"):
            amounts = [one["profit"][part] for one in expected.values()]
            assert figure(comparison, part).amounts.values == pytest.approx(amounts, rel=1e-4)
        assert verdicts(comparison, "profit") == ["", "worse", "worse", "better", "worse"]
        assert verdicts(comparison, "holding") == ["", "worse", "better", "better", "better"]
        assert verdicts(comparison, "level_1") == ["", "worse", "worse", "worse", "better"]

        inputs = comparison.inputs
        assert inputs.warnings == ()
        assert Counter((one.table, one.field) for one in inputs.differences) == {
            ("products", "profit_per_unit"): 9,
            ("products", "holding_cost_per_unit"): 9,
            ("machines", "available_hours"): 6,
            ("raw_materials", "available_quantity"): 9,
            ("raw_materials", "cost_per_unit"): 9,
            ("production_recipes", "setup_cost"): 18,
            ("customer_orders", "target_quantity"): 15,
        }
        assert {cause for one in inputs.differences for cause in one.causes} == {"", "scenario"}
        order = next(one for one in inputs.differences if (one.table, one.row) == ("customer_orders", "SO-001"))
        assert order.values == pytest.approx((20, 26, 20, 24, 14))
        assert order.explained_by == ((), ("High Demand 1",), (), ("Expansion 3",), ("Economic Downturn 1",))

        met = figure(comparison, "orders_met").amounts.values
        for place in range(1, 5):
            won, lost = comparison.won_and_lost(place)
            assert met[place] - met[0] == won - lost
        assert comparison.periods == ("Week 1", "Week 2", "Week 3", "Week 4")
        assert len(comparison.plan) == 9
        assert len(comparison.resources) == (6 + 9) * 4
        stored = Utilization.objects.get(run=comparison.runs[2].number, resource="Wood", period="Week 2")
        wood = next(one for one in comparison.resources if (one.resource, one.period) == ("Wood", "Week 2"))
        assert (wood.used.values[2], wood.shadow_price.values[2]) == (stored.used, stored.shadow_price)


class TestInputs:
    def test_nothing_differs_between_two_runs_of_the_same(self) -> None:
        plant = make_furniture()
        comparison = compared(solved(plant), solved(plant))
        assert comparison.inputs.differences == ()
        assert comparison.inputs.warnings == ()

    def test_edited_base_data_are_named_and_warned_of(self) -> None:
        plant = make_furniture()
        before = solved(plant)
        plant.products.filter(name="Chair").update(profit_per_unit=50, max_demand=None, unit="piece")
        Machine.objects.create(plant=plant, name="Lathe")
        plant.products.get(name="Table").delete()
        comparison = compared(before, solved(plant))
        found = {(one.table, one.row, one.field): one for one in comparison.inputs.differences}
        assert found["products", "Chair", "profit_per_unit"].values == (45, 50)
        assert found["products", "Chair", "max_demand"].values == (100, None)
        assert found["products", "Chair", "unit"].values == ("unit", "piece")
        assert found["machines", "Lathe", ""].kind(1) == "added"
        assert found["products", "Table", ""].kind(1) == "removed"
        assert found["production_recipes", "Table / Cutting Machine", ""].kind(1) == "removed"
        assert {one.causes for one in found.values()} == {("", "data")}
        assert len(found) == 3 + 1 + 1 + 2 + 2
        (warning,) = comparison.inputs.warnings
        assert "9 differences are not made by their scenarios" in warning

    def test_a_value_of_one_period_names_it_and_one_of_all_names_none(self, tmp_path: Path) -> None:
        plant = bring(
            tmp_path,
            periods=weeks(3),
            products=[{"name": "Chair", "profit_per_unit": 10, "max_demand": 6, "purchase_cost_per_unit": 1}],
        )
        before = solved(plant)
        chair = plant.products.get()
        ProductPeriod.objects.create(product=chair, period=plant.periods.get(name="2"), max_demand=4)
        Product.objects.filter(pk=chair.pk).update(profit_per_unit=12)
        differences = compared(before, solved(plant)).inputs.differences
        assert keys(differences) == [
            ("products", "Chair", "", "profit_per_unit"),
            ("products", "Chair", "2", "max_demand"),
        ]
        assert differences[1].values == (6, 4)

    def test_a_period_that_only_one_run_has_is_a_row(self, tmp_path: Path) -> None:
        plant = bring(
            tmp_path,
            periods=weeks(2),
            products=[{"name": "Chair", "profit_per_unit": 10, "max_demand": 6, "purchase_cost_per_unit": 1}],
        )
        before = solved(plant)
        plant.periods.create(sequence=3, name="3")
        (difference,) = compared(before, solved(plant)).inputs.differences
        assert (difference.table, difference.row, difference.kind(1)) == ("periods", "3", "added")

    def test_a_scenario_explains_what_its_changes_make_and_nothing_else(self) -> None:
        plant = make_furniture()
        scenario_of(
            plant,
            "Dearer",
            ("products", "*", "profit_per_unit", "multiply", 2),
            ("products", "Desk", "max_demand", "set", 20),
        )
        before = solved(plant)
        plant.products.filter(name="Chair").update(profit_per_unit=46)
        plant.products.filter(name="Desk").update(max_demand=25)
        comparison = compared(before, solved(plant, "Dearer"))
        causes = {(one.row, one.field): (one.causes[1], one.explained_by[1]) for one in comparison.inputs.differences}
        assert causes == {
            ("Chair", "profit_per_unit"): ("data", ()),  # 92 is not twice 45
            ("Table", "profit_per_unit"): ("scenario", ("Dearer 1",)),
            ("Desk", "profit_per_unit"): ("scenario", ("Dearer 1",)),
            ("Desk", "max_demand"): ("scenario", ("Dearer 2",)),  # set: whatever was there before
        }
        assert "1 difference is not made by their scenarios" in comparison.inputs.warnings[0]

    def test_two_scenarios_that_change_the_same_value_are_measured_by_one_base(self) -> None:
        plant = make_furniture()
        scenario_of(plant, "Up", ("machines", "*", "available_hours", "add", 10))
        scenario_of(plant, "Down", ("machines", "*", "available_hours", "multiply", 0.9))
        comparison = compared(solved(plant, "Up"), solved(plant, "Down"))
        (first, second) = comparison.inputs.differences
        assert first.values == pytest.approx((90, 72))
        assert first.explained_by[1] == second.explained_by[1] == ("Up 1", "Down 1")
        assert comparison.inputs.warnings == ()

    def test_a_scenario_that_was_edited_between_its_runs_is_named(self) -> None:
        plant = make_furniture()
        scenario = scenario_of(plant, "Dearer", ("products", "Chair", "profit_per_unit", "multiply", 2))
        before = solved(plant, "Dearer")
        ScenarioChange.objects.filter(scenario=scenario).update(value=3)
        comparison = compared(before, solved(plant, "Dearer"))
        (difference,) = comparison.inputs.differences
        assert (difference.values, difference.causes) == ((90, 135), ("", "scenario"))
        (warning,) = comparison.inputs.warnings
        assert 'The changes of scenario "Dearer" are others' in warning

    def test_variations_of_one_copy_are_explained_by_their_changes(self) -> None:
        plant = make_furniture()
        wood = {"table": "raw_materials", "row": "Wood", "field": "available_quantity"}
        started = start_variations(
            scenario=baseline(plant), variations=[[], [wood | {"value": 600}], [wood | {"value": 700}]], here=True
        )
        comparison = compared(*(execute(run.pk, run.attempt) for run in started.runs))
        (difference,) = comparison.inputs.differences
        assert difference.values == (500, 600, 700)
        assert difference.explained_by == ((), ("variation 1",), ("variation 1",))
        assert verdicts(comparison, "profit") == ["", "better", "better"]
        assert comparison.runs[1].variation[0]["value"] == 600

    def test_changes_of_single_periods_explain_those_periods_alone(self, tmp_path: Path) -> None:
        plant = bring(
            tmp_path,
            periods=weeks(3),
            products=[{"name": "Chair", "profit_per_unit": 10, "max_demand": 6}],
            machines=[{"name": "Saw", "available_hours": 8, "units": 3}],
            production_recipes=[{"product": "Chair", "machine": "Saw", "hours_required": 1}],
        )
        scenario = scenario_of(plant, "Repair", ("machine_periods", "Saw", "units_down", "add", 1))
        ScenarioChange.objects.filter(scenario=scenario).update(period="2")
        before = solved(plant)
        plant.machines.get().machine_periods.create(period=plant.periods.get(name="3"), units_down=2)
        found = compared(before, solved(plant, "Repair")).inputs.differences
        assert [(one.period, one.field, one.values, one.causes[1]) for one in found] == [
            ("2", "units_down", (0, 1), "scenario"),
            ("3", "units_down", (0, 2), "data"),
        ]

    def test_what_of_an_earlier_plan_is_held_is_an_input(self, tmp_path: Path) -> None:
        plant = bring(
            tmp_path,
            periods=weeks(2),
            products=[{"name": "Chair", "profit_per_unit": 10, "max_demand": 6, "purchase_cost_per_unit": 1}],
        )
        before = solved(plant)
        run = start_run(baseline(plant), here=True, hold=Hold(before.pk, periods=1, whole=True))
        comparison = compared(before, execute(run.pk, run.attempt))
        assert {(one.field, one.values[1]) for one in comparison.inputs.differences} == {
            ("held_run", before.pk),
            ("held_periods", 1),
            ("held_whole", True),
        }
        assert {one.causes for one in comparison.inputs.differences} == {("", "options")}

    def test_what_was_asked_of_the_runs_is_an_input(self) -> None:
        plant = make_furniture()
        comparison = compared(solved(plant, gap=1e-4), solved(plant, gap=0.01))
        (difference,) = comparison.inputs.differences
        assert (difference.table, difference.field, difference.values) == ("run", "gap", (1e-4, 0.01))
        assert difference.causes == ("", "options")
        assert comparison.inputs.warnings == ()

    def test_runs_whose_copy_is_gone_are_named_and_their_plans_compared(self) -> None:
        plant = make_furniture()
        base, other, third = solved(plant), solved(plant), solved(plant)
        RunCopy.objects.filter(run=other).delete()
        comparison = compared(base, other, third)
        assert comparison.inputs.differences == ()
        ((number, reason),) = comparison.inputs.unreadable
        assert (number, "no stored copy" in reason) == (other.pk, True)
        assert verdicts(comparison, "profit") == ["", "same", "same"]
        RunCopy.objects.filter(run=base).delete()
        assert len(compared(base, third).inputs.unreadable) == 1

    def test_another_currency_is_warned_of(self) -> None:
        plant = make_furniture()
        comparison = compared(make_solved_run(plant), make_solved_run(plant, currency="EUR"))
        assert any("counts in EUR" in warning for warning in comparison.inputs.warnings)


class TestFigures:
    def test_more_profit_is_better_and_more_cost_is_worse(self) -> None:
        plant = make_furniture()
        parts = {"sales": 1000.0, "setup": 100.0, "holding": 30.0}
        base = make_solved_run(plant, objective=870.0, profit_parts=parts)
        other = make_solved_run(plant, objective=860.0, profit_parts={**parts, "sales": 1010.0, "setup": 120.0})
        comparison = compared(base, other)
        assert verdicts(comparison, "profit") == ["", "worse"]
        assert verdicts(comparison, "sales") == ["", "better"]
        assert verdicts(comparison, "setup") == ["", "worse"]
        assert verdicts(comparison, "holding") == ["", "same"]
        assert figure(comparison, "setup").amounts.difference(1) == pytest.approx(20)
        assert "backlog" not in [one.key for one in comparison.figures]

    def test_a_bound_is_neither_good_nor_bad_and_rounding_is_no_difference(self) -> None:
        plant = make_furniture()
        base = make_solved_run(plant, bound=3000.0)
        comparison = compared(base, make_solved_run(plant, bound=3100.0, objective=base.objective + 1e-4))
        assert verdicts(comparison, "bound") == ["", "other"]
        assert verdicts(comparison, "profit") == ["", "same"]

    def test_what_is_short_late_and_set_up_is_counted(self) -> None:
        plant = make_furniture()
        base, other = make_solved_run(plant), make_solved_run(plant)
        ProductBalance.objects.filter(run=other, product="Chair").update(short=4, backlog=2)
        Utilization.objects.filter(run=other, resource="Cutting Machine").update(overtime=3)
        Production.objects.filter(run=other, product="Desk").update(setup=True)
        comparison = compared(base, other)
        for key, values in (("short", (0, 4)), ("backlog", (0, 2)), ("overtime_hours", (0, 3)), ("setups", (0, 1))):
            assert figure(comparison, key).amounts.values == values
            assert verdicts(comparison, key) == ["", "worse"], key

    def test_a_run_without_a_plan_has_its_status_and_no_numbers(self) -> None:
        plant = make_furniture()
        base = make_solved_run(plant)
        nothing = make_run(plant, state="infeasible", reason="Too little wood.")
        going_on = make_run(plant, state="running")
        comparison = compared(base, nothing, going_on)
        assert [run.status for run in comparison.runs] == ["optimal", "infeasible", "no_plan"]
        assert [run.has_plan for run in comparison.runs] == [True, False, False]
        assert comparison.runs[1].reason == "Too little wood."
        for one in comparison.figures:
            assert one.amounts.values[1:] == (None, None)
            assert not one.amounts.differs
        assert only_differences(comparison).plan == ()
        first = compared(nothing, base)
        assert figure(first, "profit").amounts.difference(1) is None


class TestOrdersAndGoals:
    def order(self, run: Run, reference: str, *, target: float = 10, late: float = 0, shortfall: float = 0) -> None:
        OrderResult.objects.create(
            run=run,
            reference=reference,
            product="Chair",
            period="1",
            target=target,
            delivered=target - shortfall,
            late=late,
            shortfall=shortfall,
        )

    def test_orders_are_won_lost_better_worse_new_and_gone(self) -> None:
        plant = make_furniture()
        base, other = make_solved_run(plant), make_solved_run(plant)
        for reference, before, after in (
            ("won", {"shortfall": 3}, {}),
            ("lost", {}, {"late": 2}),
            ("better", {"shortfall": 5}, {"shortfall": 4}),
            ("worse", {"late": 1, "shortfall": 1}, {"late": 2, "shortfall": 1}),
            ("same", {}, {"target": 20}),
            ("new", None, {}),
            ("gone", {}, None),
        ):
            if before is not None:
                self.order(base, reference, **before)
            if after is not None:
                self.order(other, reference, **after)
        comparison = compared(base, other)
        assert {order.reference: order.change(1) for order in comparison.orders} == {
            word: word for word in ("won", "lost", "better", "worse", "same", "new", "gone")
        }
        assert comparison.won_and_lost(1) == (1, 1)
        assert figure(comparison, "orders_met").amounts.values == (3, 3)
        assert {order.reference for order in only_differences(comparison).orders} == {
            order.reference for order in comparison.orders
        }  # "same" has another target

    def test_goals_stand_side_by_side(self) -> None:
        plant = make_furniture()
        base, other = make_solved_run(plant), make_solved_run(plant)
        for run, over in ((base, 2.5), (other, 0.0)):
            GoalResult.objects.create(
                run=run, priority=1, name="Saw below 40 h", sense="at_most", target=40, under=0, over=over
            )
            Run.objects.filter(pk=run.pk).update(levels=[{"priority": 1, "deviation": over}])
        comparison = compared(base, other)
        (goal,) = comparison.goals
        assert (goal.over.values, goal.over.verdict(1)) == ((2.5, 0.0), "other")
        assert verdicts(comparison, "level_1") == ["", "better"]


class TestPlan:
    def test_routes_are_added_up_and_only_differences_leaves_the_rest_out(self) -> None:
        plant = make_furniture()
        base, other = make_solved_run(plant), make_solved_run(plant)
        for run, quantity in ((base, 4.0), (other, 6.0)):
            Production.objects.create(
                run=run, product="Chair", route="Fast", period="1", quantity=quantity, setup=False
            )
        comparison = compared(base, other)
        assert [line.product for line in comparison.plan] == ["Chair", "Table", "Desk"]
        assert comparison.plan[0].total.values == (14.0, 16.0)
        short = only_differences(comparison)
        assert [line.product for line in short.plan] == ["Chair"]
        assert [one.key for one in short.figures] == ["profit"]
        assert short.resources == ()


class TestRefused:
    def test_too_few_too_many_twice_and_unknown_ones(self) -> None:
        plant = make_furniture()
        runs = [make_solved_run(plant).pk for _ in range(7)]
        for numbers, words in (
            ([], "2 to 6 runs can be compared, and 0 were named"),
            (runs[:1], "1 was named"),
            (runs, "7 were named"),
            ([runs[0], runs[0]], "named twice"),
            ([runs[0], 999], "no run 999"),
            ([runs[0], 10**30], "no run 1000"),
            ([runs[0], -1], "no run -1"),
        ):
            with pytest.raises(CannotCompare, match=words):
                compare(numbers)
        assert len(compare(runs[:6]).runs) == 6

    def test_runs_of_other_plants(self) -> None:
        runs = [make_solved_run(make_furniture(name)) for name in ("Here", "There")]
        with pytest.raises(CannotCompare, match=f"run {runs[1].pk} is one of There"):
            compared(*runs)


def test_the_number_of_queries_is_fixed() -> None:
    plant = make_furniture()
    small = [solved(plant) for _ in range(2)]
    Product.objects.bulk_create(Product(plant=plant, name=f"Product {i}") for i in range(300))
    large = [solved(plant) for _ in range(2)]
    counts = []
    for runs in (small, large):
        with CaptureQueriesContext(connection) as queries:
            compared(*runs)
        counts.append(len(queries))
    assert counts[0] == counts[1] == 6 + 2
    with CaptureQueriesContext(connection) as queries:
        compared(*small, *large)
    assert len(queries) == 6 + 4

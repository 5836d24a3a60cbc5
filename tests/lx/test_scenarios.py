"""Scenarios: lists of changes that hold together, each tried from the model as it is."""

from __future__ import annotations

import math
import pickle
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from planning.lx import LXChange, LXModel, LXModelError, LXOptimizer, LXScenario, LXScenarioAnalyzer
from tests.lx.changed_models import PARTS, bakery, rebuilt
from tests.lx.test_what_if import SOLVERS, wyndor

more_glass: LXScenario[Any] = (
    LXScenario("more glass")
    .modify_constraint_rhs("hours", by=6, key="plant2")
    .modify_cost("make", multiply=2, key="door")
    .describe("Plant 2 works a second shift, and doors sell well")
)
short: LXScenario[Any] = LXScenario("short").modify_constraint_rhs("hours", percent=-50)
impossible: LXScenario[Any] = LXScenario("impossible").modify_variable_bound("make", lower=50, upper=60)


def analyzer_of(model: LXModel, solver: str = "highs", *scenarios: LXScenario[Any]) -> LXScenarioAnalyzer[Any]:
    return LXScenarioAnalyzer(model, LXOptimizer().use_solver(solver)).add_scenarios(*scenarios)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("whole", [False, True])
def test_several_changes_hold_together(solver: str, whole: bool) -> None:
    analyzer = analyzer_of(wyndor(whole=whole), solver, more_glass)
    solution = analyzer.run_scenario("more glass")
    assert solution.objective_value == pytest.approx(45)  # 9 windows
    assert solution.compiled.cost.tolist() == [6.0, 5.0]
    assert solution.compiled.row_upper.tolist() == [4.0, 18.0, 18.0, 100.0]
    assert analyzer.baseline.objective_value == pytest.approx(36)


def test_later_changes_see_the_earlier_ones() -> None:
    scenario: LXScenario[Any] = (
        LXScenario("twice")
        .modify_constraint_rhs("hours", to=10, key="plant2")
        .modify_constraint_rhs("hours", percent=20, key="plant2")
        .modify_constraint_rhs("hours", multiply=0.5)
    )
    solution = analyzer_of(wyndor(), "highs", scenario).run_scenario("twice")
    assert solution.compiled.row_upper[:3].tolist() == [2.0, 6.0, 9.0]


def test_every_kind_of_change_is_taken() -> None:
    scenario: LXScenario[Any] = (
        LXScenario("all")
        .modify_lower_bound("bake", by=1, key="rye")
        .modify_upper_bound("bake", percent=-10, key="rye")
        .modify_variable_bound("bake", upper=6, key="wheat")
        .modify_cost("bake", by=0.5)
        .modify_coefficient("hours", "bake", multiply=2, key="old", variable_key="rye")
        .modify_coefficient("total", "spare", to=0.1, variable_key="new")
        .add_change(LXChange.relax("promised", by=1), LXChange.tighten("total", by=1))
    )
    solution = analyzer_of(bakery(), "highs", scenario).run_scenario("all")
    expected = rebuilt(
        bakery(),
        [*scenario.changes[:-2], LXChange.rhs("promised", by=-1), LXChange.rhs("total", by=-1)],
    )
    for part in PARTS:
        assert np.array_equal(getattr(solution.compiled, part), getattr(expected, part)), part
    assert solution.objective_value == pytest.approx(LXOptimizer().solve(expected).objective_value)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("whole", [False, True])
def test_a_scenario_without_a_change_is_the_model_as_it_is_bit_for_bit(solver: str, whole: bool) -> None:
    nothing: LXScenario[Any] = LXScenario("nothing")
    and_back: LXScenario[Any] = (
        LXScenario("and back").modify_constraint_rhs("hours", by=6).modify_constraint_rhs("hours", by=-6)
    )
    analyzer = analyzer_of(wyndor(whole=whole), solver, short, nothing, and_back)
    solutions = analyzer.run_all_scenarios()
    alone = LXOptimizer().use_solver(solver).solve(wyndor(whole=whole))
    for name in ("nothing", "and back", "baseline"):
        assert solutions[name].objective_value == alone.objective_value
        assert np.array_equal(solutions[name].values, alone.values)


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_order_in_which_scenarios_run_changes_nothing(solver: str) -> None:
    scenarios = [more_glass, impossible, short]
    found = [
        analyzer_of(wyndor(), solver, *listed).run_all_scenarios(include_baseline=False)
        for listed in (scenarios, scenarios[::-1])
    ]
    for name in found[0]:
        assert found[0][name].termination == found[1][name].termination
        if found[0][name].has_plan:
            assert found[0][name].values == pytest.approx(found[1][name].values, abs=1e-9)


def test_solutions_are_independent_of_what_runs_after_them() -> None:
    analyzer = analyzer_of(wyndor(), "highs", more_glass, short, impossible)
    first = analyzer.run_scenario("more glass")
    values, upper = first.values.copy(), first.compiled.row_upper.copy()
    analyzer.run_all_scenarios()
    assert np.array_equal(first.values, values)
    assert np.array_equal(first.compiled.row_upper, upper)
    assert upper.tolist() == [4.0, 18.0, 18.0, 100.0]
    assert analyzer.compiled.row_upper.tolist() == [4.0, 12.0, 18.0, 100.0]


class TestComparing:
    @pytest.mark.parametrize("minimize", [False, True])
    @pytest.mark.parametrize("solver", SOLVERS)
    def test_gives_rows_best_first_and_those_without_a_plan_last(self, minimize: bool, solver: str) -> None:
        more: LXScenario[Any] = LXScenario("more").modify_constraint_rhs("hours", percent=50)
        analyzer = analyzer_of(wyndor(minimize=minimize), solver, impossible, short, more)
        rows = analyzer.compare_scenarios()
        assert [row.name for row in rows] == ["more", "baseline", "short", "impossible"]
        assert [row.termination for row in rows] == ["optimal", "optimal", "optimal", "infeasible"]
        sign = -1 if minimize else 1
        assert [row.difference for row in rows] == pytest.approx([sign * 18, 0, sign * -18, math.nan], nan_ok=True)
        assert [row.percentage for row in rows] == pytest.approx([sign * 50, 0, sign * -50, math.nan], nan_ok=True)
        assert rows[0].objective == pytest.approx(sign * 54)
        assert rows[-1].objective is None
        assert analyzer.get_best_scenario() == "more"

    def test_takes_the_scenarios_named(self) -> None:
        analyzer = analyzer_of(wyndor(), "highs", more_glass, short, impossible)
        assert [row.name for row in analyzer.compare_scenarios(["short"], include_baseline=False)] == ["short"]
        assert [row.name for row in analyzer.compare_scenarios(["short", "baseline"], include_baseline=False)] == [
            "baseline",
            "short",
        ]
        assert analyzer.compare_scenarios(["more glass"])[0].description == more_glass.description

    def test_runs_what_did_not_run_yet_and_what_was_changed_since(self) -> None:
        growing: LXScenario[Any] = LXScenario("growing").modify_constraint_rhs("hours", by=6, key="plant2")
        analyzer = analyzer_of(wyndor(), "highs", growing)
        assert analyzer.get_result("growing") is None
        assert analyzer.compare_scenarios()[0].objective == pytest.approx(45)
        assert analyzer.get_result("growing") is analyzer.compare_scenarios()[0].solution
        growing.modify_cost("make", by=1, key="window")
        assert analyzer.get_result("growing") is None
        assert analyzer.compare_scenarios()[0].objective == pytest.approx(54)


class TestTheBestScenario:
    def test_has_a_plan(self) -> None:
        analyzer = analyzer_of(wyndor(minimize=True), "highs", impossible, short)
        assert analyzer.get_best_scenario(include_baseline=False) == "short"
        assert analyzer.get_best_scenario() == "baseline"

    def test_is_none_where_none_has_a_plan(self) -> None:
        assert analyzer_of(wyndor(), "highs", impossible).get_best_scenario(include_baseline=False) is None

    def test_is_the_one_added_first_of_those_that_are_as_good(self) -> None:
        slack: LXScenario[Any] = LXScenario("slack").modify_constraint_rhs("total", by=1)
        slacker: LXScenario[Any] = LXScenario("slacker").modify_constraint_rhs("total", by=2)
        analyzer = LXScenarioAnalyzer[Any](wyndor(), include_baseline=False).add_scenarios(slacker, slack)
        assert analyzer.get_best_scenario() == "slacker"
        assert list(analyzer.run_all_scenarios()) == ["slacker", "slack"]


class TestAParameter:
    @pytest.mark.parametrize("solver", SOLVERS)
    def test_takes_a_series_of_values(self, solver: str) -> None:
        analyzer = analyzer_of(wyndor(), solver)
        found = analyzer.sensitivity_to_parameter("hours", [-1, 0.5, 1, 1.5])
        assert list(found) == [-1, 0.5, 1, 1.5]
        assert [solution.termination for solution in found.values()] == ["infeasible", *["optimal"] * 3]
        assert [found[value].objective_value for value in (0.5, 1, 1.5)] == pytest.approx([18, 36, 54])

    def test_is_a_bound_or_a_cost_too_of_one_member_and_within_a_scenario(self) -> None:
        analyzer = analyzer_of(wyndor(), "highs", more_glass)
        costs = analyzer.sensitivity_to_parameter("make", [3, 5], of="cost", how="to", key="door")
        assert [solution.objective_value for solution in costs.values()] == pytest.approx([36, 40])
        within = analyzer.sensitivity_to_parameter("hours", [0, 6], how="by", key="plant3", scenario="more glass")
        assert within[0].objective_value == pytest.approx(analyzer.run_scenario("more glass").objective_value)
        assert within[6].objective_value > within[0].objective_value

    def test_is_refused_where_it_makes_no_sense(self) -> None:
        analyzer = analyzer_of(wyndor())
        with pytest.raises(LXModelError, match=r"'times' is unknown\. Give one of to, by, percent, multiply"):
            analyzer.sensitivity_to_parameter("hours", [1], how="times")
        with pytest.raises(LXModelError, match="no 'hour'"):
            analyzer.sensitivity_to_parameter("hour", [1])
        with pytest.raises(LXModelError, match=r"no scenario 'crisis'\. There are: none"):
            analyzer.sensitivity_to_parameter("hours", [1], scenario="crisis")


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        (LXScenario("s").modify_constraint_rhs("hour", by=1), "Scenario s: Model wyndor has no 'hour'. It has: hours"),
        (LXScenario("s").modify_cost("make", by=1, key="roof"), "Scenario s: Variable make has no key 'roof'"),
        (LXScenario("s").modify_constraint_rhs("hours", multiply=1), "Scenario s: .*this changes nothing"),
        (LXScenario("s").modify_variable_bound("make", lower=9, upper=1), r"make\[door\]: the lower bound 9 would"),
        (LXScenario("s").modify_upper_bound("make", by=1), r"make\[door\]: it has no upper bound"),
        (LXScenario("baseline"), "'baseline' already"),
        (LXScenario("short"), "'short' already"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_added(scenario: LXScenario[Any], message: str) -> None:
    analyzer = analyzer_of(wyndor(), "highs", short)
    with pytest.raises(LXModelError, match=message):
        analyzer.add_scenario(scenario)
    assert list(analyzer.scenarios) == ["short"]


def test_a_change_that_makes_no_sense_later_is_refused_before_any_scenario_is_solved() -> None:
    growing: LXScenario[Any] = LXScenario("growing").modify_constraint_rhs("hours", by=6)
    analyzer = analyzer_of(wyndor(), "highs", short, growing)
    growing.modify_cost("sell", by=1)
    with pytest.raises(LXModelError, match=r"Scenario growing: .* no 'sell'"):
        analyzer.run_all_scenarios()
    assert analyzer.get_result("short") is None


def test_scenarios_that_are_not_there_and_bounds_that_are_none_are_refused() -> None:
    with pytest.raises(LXModelError, match=r"no scenario 'long'\. There are: short"):
        analyzer_of(wyndor(), "highs", short).run_scenario("long")
    with pytest.raises(LXModelError, match="by lower= or upper="):
        LXScenario[Any]("s").modify_variable_bound("make")
    with pytest.raises(LXModelError, match="one of by=, to=, multiply=, percent="):
        LXScenario[Any]("s").modify_constraint_rhs("hours", by=1, to=2)


def test_scenarios_travel() -> None:
    for copied in (deepcopy(more_glass), pickle.loads(pickle.dumps(more_glass))):
        assert (copied.name, copied.changes, copied.description) == (
            more_glass.name,
            more_glass.changes,
            more_glass.description,
        )
    model = pickle.loads(pickle.dumps(wyndor()))
    found = [analyzer_of(m, "highs", more_glass).run_scenario("more glass") for m in (model, wyndor())]
    assert found[0].objective_value == found[1].objective_value
    assert repr(more_glass) == "<LXScenario more glass: 2 changes>"

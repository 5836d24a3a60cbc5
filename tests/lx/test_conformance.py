"""One suite for every solver: the same models, the same answers, the same words for how a solve ended."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.lx import (
    ERROR,
    INFEASIBLE,
    OPTIMAL,
    TIME_LIMIT,
    UNBOUNDED,
    LXLinearExpression,
    LXModel,
    LXOptimizer,
    LXVariable,
    compile_model,
)
from tests.lx.small_models import dense_model, furniture_model, knapsack, letters
from tests.lx.solution_checks import solve

INF = np.inf
SOLVERS = ["highs", "pulp:CBC", "pulp:HiGHS"]
solvers = pytest.mark.parametrize("solver", SOLVERS)


# --- linear models --------------------------------------------------------------------------

WYNDOR = [([1.0, 0.0], "<=", 4.0), ([0.0, 2.0], "<=", 12.0), ([3.0, 2.0], "<=", 18.0)]


@solvers
class TestLinearModels:
    def test_have_their_published_optimum(self, solver: str) -> None:
        solution = solve(solver, dense_model([3.0, 5.0], WYNDOR))
        assert solution.termination == OPTIMAL
        assert solution.is_optimal
        assert solution.objective_value == pytest.approx(36.0)
        assert solution.values == pytest.approx([2.0, 6.0])
        assert solution.bound == pytest.approx(36.0)
        assert solution.gap == pytest.approx(0.0, abs=1e-9)

    @pytest.mark.parametrize("offset", [0.0, 1000.0, -36.0])
    def test_count_the_objectives_constant(self, solver: str, offset: float) -> None:
        most = solve(solver, dense_model([3.0, 5.0], WYNDOR, offset=offset))
        assert most.objective_value == pytest.approx(36.0 + offset)
        rows = [([1.0, 1.0], ">=", 4.0), ([1.0, 3.0], ">=", 6.0)]
        least = solve(solver, dense_model([2.0, 3.0], rows, sense="minimize", offset=offset))
        assert least.objective_value == pytest.approx(9.0 + offset)
        assert least.values == pytest.approx([3.0, 1.0])

    def test_may_have_free_and_negative_variables(self, solver: str) -> None:
        rows = [([1.0, 1.0], ">=", -7.5), ([1.0, -1.0], "<=", 2.0), ([1.0, -1.0], ">=", -2.0)]
        solution = solve(solver, dense_model([1.0, 1.0], rows, lower=None, sense="minimize"))
        assert solution.objective_value == pytest.approx(-7.5)
        bounded = solve(solver, dense_model([1.0, 2.0], [], lower=[-5.0, -3.0], upper=[-1.0, -2.0]))
        assert bounded.values == pytest.approx([-1.0, -2.0])

    def test_keep_equalities(self, solver: str) -> None:
        rows = [([1.0, 1.0, 1.0], "==", 10.0), ([1.0, -1.0, 0.0], "==", 1.0)]
        solution = solve(solver, dense_model([1.0, 2.0, 4.0], rows, sense="minimize"))
        assert solution.values == pytest.approx([5.5, 4.5, 0.0])

    def test_may_have_fixed_variables(self, solver: str) -> None:
        solution = solve(solver, dense_model([1.0, 1.0], [([1.0, 1.0], "<=", 5.0)], lower=[2.0, 0.0], upper=[2.0, 9.0]))
        assert solution.values == pytest.approx([2.0, 3.0])

    def test_without_an_objective_give_any_plan(self, solver: str) -> None:
        solution = solve(solver, dense_model([0.0, 0.0], [([1.0, 1.0], ">=", 3.0)]))
        assert solution.is_optimal
        assert solution.objective_value == 0.0

    @pytest.mark.parametrize("sense", ["maximize", "minimize"])
    @pytest.mark.parametrize("whole", [False, True])
    def test_without_a_plan_are_infeasible(self, solver: str, sense: str, whole: bool) -> None:
        rows = [([1.0, 1.0], ">=", 5.0), ([1.0, 2.0], "<=", 4.0)]
        solution = solve(solver, dense_model([1.0, 1.0], rows, whole=whole, sense=sense))
        assert solution.termination == INFEASIBLE

    @pytest.mark.parametrize("sense", ["maximize", "minimize"])
    @pytest.mark.parametrize("whole", [False, True])
    def test_without_an_end_are_unbounded(self, solver: str, sense: str, whole: bool) -> None:
        sign = 1.0 if sense == "maximize" else -1.0
        for rows in (
            [([1.0, -1.0], "<=", 3.0)],
            [([1.0, -1.0], "<=", 3.0), ([1.0, 1.0], ">=", 2.0)],
            [([1.0, -1.0], "==", 0.0)],
            [],
        ):
            solution = solve(solver, dense_model([sign, sign], rows, whole=whole, sense=sense))
            assert solution.termination == UNBOUNDED

    @pytest.mark.parametrize("whole", [False, True])
    def test_infeasible_with_an_unbounded_direction_are_infeasible(self, solver: str, whole: bool) -> None:
        rows = [([1.0, 1.0, 0.0], ">=", 5.0), ([1.0, 1.0, 0.0], "<=", 4.0)]
        solution = solve(solver, dense_model([0.0, 0.0, 1.0], rows, whole=whole))
        assert solution.termination == INFEASIBLE

    def test_unbounded_ones_are_not_called_infeasible(self, solver: str) -> None:
        # HiGHS 1.15's presolve says infeasible; (3, 1, 0) is a plan.
        rows = [([-1.0, 2.0, 2.0], ">=", -1.0), ([-2.0, 1.0, 2.0], "<=", 0.0), ([2.0, 2.0, -1.0], ">=", 5.0)]
        solution = solve(solver, dense_model([-1.0, -2.0, -2.0], rows, sense="minimize"))
        assert solution.termination == UNBOUNDED

    @pytest.mark.parametrize("whole", [False, True])
    def test_may_have_variables_that_stand_in_no_row(self, solver: str, whole: bool) -> None:
        # CBC calls a free one optimal at 0, or dies.
        rows = [([0.0, -2.0, 0.0], ">=", 4.0)]
        for cost, upper, expected in (
            ([1.0, 0.0, 0.0], None, None),
            ([0.0, 1.0, 0.0], None, -2.0),
            ([1.0, 1.0, 0.0], 3.0, 1.0),
            ([1.0, 1.0, -1.0], 3.0, None),
        ):
            solution = solve(solver, dense_model(cost, rows, lower=None, upper=upper, whole=whole))
            assert solution.termination == (UNBOUNDED if expected is None else OPTIMAL)
            assert solution.objective_value == (None if expected is None else pytest.approx(expected))
        infeasible = [*rows, ([0.0, -2.0, 0.0], "<=", 2.0)]
        solution = solve(solver, dense_model([1.0, 0.0, 0.0], infeasible, lower=None))
        assert solution.termination == INFEASIBLE

    def test_with_a_huge_but_finite_optimum_are_optimal(self, solver: str) -> None:
        for whole in (False, True):
            solution = solve(solver, dense_model([1e6, 1.0], [([1.0, 1.0], "<=", 1e9)], whole=whole))
            assert solution.termination == OPTIMAL
            assert solution.objective_value == pytest.approx(1e15)

    def test_may_be_unbounded_where_nothing_is_to_be_won(self, solver: str) -> None:
        solution = solve(solver, dense_model([0.0, -1.0], [([1.0, -1.0], ">=", 3.0)]))
        assert solution.is_optimal
        assert solution.objective_value == pytest.approx(0.0)


# --- small and empty ------------------------------------------------------------------------


@solvers
class TestEmptyModels:
    def test_are_optimal(self, solver: str) -> None:
        solution = solve(solver, LXModel("nothing").maximize(LXLinearExpression().add_constant(4.0)))
        assert solution.is_optimal
        assert solution.objective_value == 4.0
        assert solution.variables == {}

    @pytest.mark.parametrize("whole", [False, True])
    def test_without_rows_go_to_their_bounds(self, solver: str, whole: bool) -> None:
        solution = solve(solver, dense_model([3.0, -1.0], [], lower=-2.0, upper=7.0, whole=whole))
        assert solution.values == pytest.approx([7.0, -2.0])

    @pytest.mark.parametrize("whole", [False, True])
    @pytest.mark.parametrize(("relation", "right", "holds"), [("<=", 0.0, True), ("<=", 1.0, True), ("<=", -1.0, False),
        (">=", -1.0, True), (">=", 1.0, False), ("==", 0.0, True), ("==", 2.0, False)])  # fmt: skip
    def test_rows_hold_or_do_not(self, solver: str, whole: bool, relation: str, right: float, holds: bool) -> None:
        rows = [([0.0, 0.0], relation, right), ([1.0, 1.0], "<=", 5.0)]
        solution = solve(solver, dense_model([1.0, 2.0], rows, whole=whole))
        assert solution.termination == (OPTIMAL if holds else INFEASIBLE)
        assert solution.objective_value == (pytest.approx(10.0) if holds else None)
        alone = solve(solver, dense_model([], [([], relation, right)]))
        assert alone.termination == (OPTIMAL if holds else INFEASIBLE)


# --- whole numbers --------------------------------------------------------------------------


@solvers
class TestWholeNumbers:
    @pytest.mark.parametrize("offset", [0.0, 100.0, -100.0])
    @pytest.mark.parametrize("sense", ["maximize", "minimize"])
    def test_have_their_optimum(self, solver: str, sense: str, offset: float) -> None:
        sign = 1.0 if sense == "maximize" else -1.0
        rows = [([6.0, 4.0], "<=", 24.0), ([1.0, 2.0], "<=", 6.0)]
        cost = [5.0 * sign, 4.0 * sign]
        solution = solve(solver, dense_model(cost, rows, whole=True, sense=sense, offset=offset), gap=0.0)
        assert solution.is_optimal
        assert solution.objective_value == pytest.approx(sign * 20.0 + offset)
        assert solution.values == pytest.approx([4.0, 0.0])
        assert solution.gap is None or solution.gap <= 1e-6

    def test_mix_with_others(self, solver: str) -> None:
        a = LXVariable[Any, float]("a").indexed_by(lambda r: r.name).from_data(letters(1)).bounds(upper=2.5)
        b = LXVariable[Any, int]("b").integer().indexed_by(lambda r: r.name).from_data(letters(1)).bounds(upper=2.5)
        c = LXVariable[Any, int]("c").binary().indexed_by(lambda r: r.name).from_data(letters(1))
        objective = LXLinearExpression()
        for x in (a, b, c):
            objective.add_term(x)
        solution = solve(solver, LXModel("m").add_variable(a, b, c).maximize(objective))
        assert [values["a"] for values in solution.variables.values()] == pytest.approx([2.5, 2.0, 1.0])

    @pytest.mark.parametrize("offset", [0.0, -5000.0])
    @pytest.mark.parametrize("sense", ["maximize", "minimize"])
    def test_may_stop_at_a_gap_with_a_bound_on_the_right_side(self, solver: str, sense: str, offset: float) -> None:
        model = knapsack(18, sense, offset)
        best = solve("highs", model, gap=0.0).objective_value
        solution = solve(solver, model, gap=0.05)
        assert solution.is_optimal
        assert best is not None
        assert solution.objective_value == pytest.approx(best, rel=0.06)
        if solution.bound is not None:
            assert solution.gap is not None
            assert solution.gap <= 0.05 + 1e-6
            assert (solution.bound - best) * (1 if sense == "maximize" else -1) >= -1e-6 * abs(best)

    def test_of_a_negative_objective_have_the_bound_on_the_right_side(self, solver: str) -> None:
        model = dense_model([-7.0, -9.0, -4.0], [([3.0, 4.0, 2.0], ">=", 17.0)], whole=True)
        solution = solve(solver, model, gap=0.0)
        assert solution.objective_value == pytest.approx(-35.0)
        loose = solve(solver, model, gap=0.5)
        assert loose.objective_value is not None
        assert loose.objective_value <= -35.0 + 1e-6
        assert loose.bound is None or loose.bound >= -35.0 - 1e-6

    def test_infeasible_only_as_whole_numbers_are_infeasible(self, solver: str) -> None:
        rows = [([2.0, 2.0], "==", 3.0)]
        assert solve(solver, dense_model([1.0, 1.0], rows, upper=5.0, whole=True)).termination == INFEASIBLE
        assert solve(solver, dense_model([1.0, 1.0], rows, whole=True)).termination == INFEASIBLE


# --- limits, stops, options -----------------------------------------------------------------


@solvers
class TestLimits:
    def test_a_time_limit_ends_a_long_solve(self, solver: str) -> None:
        started = time.monotonic()
        solution = solve(solver, knapsack(60), time_limit=1.5, gap=0.0)
        assert solution.termination == TIME_LIMIT
        assert not solution.is_optimal
        assert time.monotonic() - started < 15.0
        assert solution.has_plan
        if solution.bound is not None:
            assert solution.gap is not None
            assert solution.gap > 0.0

    def test_a_time_limit_of_nothing_is_a_time_limit(self, solver: str) -> None:
        solution = solve(solver, knapsack(60), time_limit=0.0, gap=0.0)
        assert solution.termination == TIME_LIMIT

    def test_a_generous_time_limit_changes_nothing(self, solver: str) -> None:
        assert solve(solver, furniture_model(), time_limit=1000.0).is_optimal
        assert solve(solver, knapsack(12), time_limit=1000.0).is_optimal

    def test_options_are_taken(self, solver: str) -> None:
        assert solve(solver, knapsack(12), threads=1, seed=3, integrality=1e-7, gap=0.0).is_optimal

    def test_solving_changes_nothing_in_the_model(self, solver: str) -> None:
        model = furniture_model()
        first, second = solve(solver, model), solve(solver, model)
        assert first.objective_value == second.objective_value
        compiled = compile_model(model)
        before = {name: value.copy() for name, value in vars(compiled).items() if isinstance(value, np.ndarray)}
        LXOptimizer().use_solver(solver).solve(compiled)
        assert all((getattr(compiled, name) == value).all() for name, value in before.items())


# --- duals ----------------------------------------------------------------------------------


def test_duals_of_a_linear_model_are_what_one_more_unit_adds() -> None:
    model = dense_model([3.0, 5.0], WYNDOR)
    solution = solve("highs", model)
    assert [solution.duals[f"r{i}"][None] for i in range(3)] == pytest.approx([0.0, 1.5, 1.0])
    for i in range(3):
        rows = [(c, r, b + (0.5 if k == i else 0.0)) for k, (c, r, b) in enumerate(WYNDOR)]
        moved = solve("highs", dense_model([3.0, 5.0], rows)).objective_value
        assert moved is not None
        assert solution.objective_value is not None
        assert moved - solution.objective_value == pytest.approx(0.5 * solution.duals[f"r{i}"][None])


def test_duals_of_a_minimum_and_of_other_relations_have_the_same_meaning() -> None:
    rows = [([1.0, 1.0], ">=", 4.0), ([1.0, 3.0], "==", 6.0), ([1.0, 0.0], "<=", 2.0)]
    for sense, sign in (("minimize", 1.0), ("maximize", -1.0)):
        cost = [2.0 * sign, 3.0 * sign]
        base = solve("highs", dense_model(cost, rows[1:], sense=sense))
        for i, (coefficients, relation, right) in enumerate(rows[1:]):
            moved = [*rows[1:]]
            moved[i] = (coefficients, relation, right + 0.25)
            again = solve("highs", dense_model(cost, moved, sense=sense))
            assert again.objective_value is not None
            assert base.objective_value is not None
            assert again.objective_value - base.objective_value == pytest.approx(0.25 * base.duals[f"r{i}"][None])


def test_duals_belong_to_linear_models() -> None:
    solution = solve("highs", dense_model([3.0, 5.0], WYNDOR, whole=True))
    assert solution.row_duals is None


# --- a second opinion -----------------------------------------------------------------------


@st.composite
def models(draw: st.DrawFn) -> LXModel:
    """Draw a small model of any kind: feasible or not, bounded or not, whole or not."""
    columns = draw(st.integers(1, 4))

    def numbers(low: int, high: int) -> list[float]:
        return [float(draw(st.integers(low, high))) for _ in range(columns)]

    relations = st.sampled_from(["<=", "<=", ">=", "=="])
    rows = [(numbers(-3, 4), draw(relations), float(draw(st.integers(-6, 12)))) for _ in range(draw(st.integers(0, 4)))]
    return dense_model(
        numbers(-4, 4),
        rows,
        lower=draw(st.sampled_from([0.0, 0.0, -2.5, None])),
        upper=draw(st.sampled_from([None, 3.5])),
        whole=draw(st.booleans()),
        sense=draw(st.sampled_from(["maximize", "minimize"])),
        offset=float(draw(st.integers(-5, 5))),
    )


@given(models())
@settings(deadline=None, max_examples=60, derandomize=True)
def test_both_solvers_agree_on_random_models(model: LXModel) -> None:
    first, second = (solve(solver, model, gap=0.0) for solver in SOLVERS[:2])
    if second.termination == ERROR:  # CBC dies on some infeasible whole-number models: an error, not a wrong answer
        assert first.compiled.is_mip
        assert first.termination == INFEASIBLE
        return
    assert first.termination == second.termination
    if first.objective_value is not None:
        assert second.objective_value == pytest.approx(first.objective_value, abs=1e-5)

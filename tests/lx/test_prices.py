"""What one more unit of a limit is worth, and between which limits: each answer is tried by solving again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.lx import (
    CompiledModel,
    LimitPrices,
    LimitSides,
    LXOptimizer,
    SolverOptions,
    WarmHighs,
    compile_model,
    price_limits,
    price_sides,
)
from tests.lx.small_models import dense_model

NONE = float("nan")
Row = tuple[list[float], str, float]


def best(compiled: CompiledModel, row: int | None = None, limit: float = 0.0) -> float:
    """Return the best objective, with another limit of a row; worse than everything where there is no plan."""
    upper = compiled.row_upper.copy()
    if row is not None:
        upper[row] = limit
    solution = LXOptimizer().solve(replace(compiled, row_upper=upper))
    worst = -np.inf if compiled.sense == "maximize" else np.inf
    return worst if solution.objective_value is None else solution.objective_value


def limits_of(compiled: CompiledModel) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the `<=` rows."""
    return np.flatnonzero(np.isneginf(compiled.row_lower))


def prices(compiled: CompiledModel, rows: list[int] | None = None) -> LimitPrices:
    chosen = limits_of(compiled) if rows is None else np.array(rows, dtype=np.int64)
    found = price_limits(LXOptimizer().solve(compiled), chosen)
    assert found is not None
    return found


def sides_of(compiled: CompiledModel, rows: list[int]) -> LimitSides:
    solution, chosen = LXOptimizer().solve(compiled), np.array(rows, dtype=np.int64)
    found = price_limits(solution, chosen)
    assert found is not None
    return price_sides(solution, chosen, found)


def assert_side_is_true(compiled: CompiledModel, row: int, slope: float, until: float, direction: float) -> None:
    """On the line of that side up to its end; beyond the end of what can be less there is no plan."""
    sign = 1.0 if compiled.sense == "maximize" else -1.0
    limit, base = float(compiled.row_upper[row]), best(compiled)
    if np.isnan(slope):
        assert (direction, until) == (-1.0, limit)
        assert not np.isfinite(best(compiled, row, limit - 0.01))
        return
    far = limit + direction * 50.0 if np.isnan(until) else until
    assert direction * (far - limit) > 1e-6
    for moved in (far, limit + (far - limit) / 100):
        assert sign * (best(compiled, row, moved) - base) == pytest.approx(slope * (moved - limit), abs=1e-5), row


def assert_true(compiled: CompiledModel, row: int, price: float, low: float, high: float) -> None:
    """On the line at both ends and between; off the line beyond them. The objective rises with a limit by its price."""
    sign = 1.0 if compiled.sense == "maximize" else -1.0
    limit, base = float(compiled.row_upper[row]), best(compiled)
    assert price >= 0.0
    assert not low > limit
    assert not high < limit

    def off_the_line(moved: float) -> float:
        return float(sign * (best(compiled, row, moved) - base) - price * (moved - limit))

    for end, direction in ((low, -1.0), (high, 1.0)):
        far = limit + direction * 50.0 if np.isnan(end) else end
        for moved in (far, (far + limit) / 2):
            assert off_the_line(moved) == pytest.approx(0.0, abs=1e-5), (row, moved)
        if not np.isnan(end):
            assert off_the_line(end + direction * 0.01) < -1e-7, (row, end)


def assert_all_true(compiled: CompiledModel) -> None:
    rows = limits_of(compiled).tolist()
    found, sides = prices(compiled, rows), sides_of(compiled, rows)
    for row, price, low, high in zip(rows, found.price, found.low, found.high, strict=True):
        assert_true(compiled, row, float(price), float(low), float(high))
    for i, row in enumerate(rows):
        assert_side_is_true(compiled, row, float(sides.more[i]), float(sides.more_until[i]), 1.0)
        assert_side_is_true(compiled, row, float(sides.less[i]), float(sides.less_until[i]), -1.0)


WYNDOR: list[Row] = [([1.0, 0.0], "<=", 4.0), ([0.0, 2.0], "<=", 12.0), ([3.0, 2.0], "<=", 18.0)]


def test_of_the_wyndor_plants_are_the_published_ones() -> None:
    compiled = compile_model(dense_model([3.0, 5.0], WYNDOR))
    found = prices(compiled)
    assert found.price == pytest.approx([0.0, 1.5, 1.0])
    assert found.low == pytest.approx([2.0, 6.0, 12.0])
    assert found.high == pytest.approx([NONE, 18.0, 24.0], nan_ok=True)
    assert_all_true(compiled)


def test_come_in_the_order_asked_for() -> None:
    compiled = compile_model(dense_model([3.0, 5.0], WYNDOR))
    assert prices(compiled, [2, 0]).price == pytest.approx([1.0, 0.0])
    assert len(prices(compiled, []).price) == 0


def test_of_a_minimum_say_what_is_saved() -> None:
    rows: list[Row] = [([1.0, 1.0], ">=", 10.0), ([1.0, 0.0], "<=", 4.0), ([0.0, 1.0], "<=", 50.0)]
    compiled = compile_model(dense_model([2.0, 5.0], rows, sense="minimize"))
    found = prices(compiled, [1, 2])
    assert found.price == pytest.approx([3.0, 0.0])
    assert found.low == pytest.approx([0.0, 6.0])
    assert found.high == pytest.approx([10.0, NONE], nan_ok=True)
    assert_all_true(compiled)


@pytest.mark.parametrize(
    "rows",
    [
        [([1.0], "<=", 5.0), ([2.0], "<=", 10.0)],  # two limits at the same place: one more unit is worth nothing
        [([1.0, 0.0], "<=", 4.0), ([0.0, 2.0], "<=", 12.0), ([3.0, 2.0], "<=", 24.0)],
        [([1.0, 1.0], "<=", 4.0), ([1.0, 0.0], "<=", 4.0), ([1.0, 2.0], "<=", 4.0)],
        [([1.0, 1.0], "<=", 0.0)],
    ],
)
def test_at_a_kink_are_one_of_the_two_slopes(rows: list[Row]) -> None:
    compiled = compile_model(dense_model([3.0, 5.0][: len(rows[0][0])], rows))
    found, base, step = prices(compiled), best(compiled), 1e-3
    for row, (price, limit) in enumerate(zip(found.price, compiled.row_upper, strict=True)):
        more = (best(compiled, row, limit + step) - base) / step
        less = (base - best(compiled, row, limit - step)) / step
        assert price == pytest.approx(more, abs=1e-6) or price == pytest.approx(less, abs=1e-6)
    assert_all_true(compiled)


def test_at_a_kink_one_more_and_one_less_differ() -> None:
    rows: list[Row] = [([1.0, 0.0], "<=", 4.0), ([0.0, 2.0], "<=", 12.0), ([3.0, 2.0], "<=", 24.0)]
    compiled = compile_model(dense_model([3.0, 5.0], rows))
    sides = sides_of(compiled, [0, 1, 2])
    assert sides.more == pytest.approx([0.0, 1.5, 0.0])
    assert sides.less == pytest.approx([3.0, 2.5, 1.0])
    assert sides.less_until == pytest.approx([0.0, 0.0, 12.0])


def test_sides_that_there_is_no_time_for_are_not_known() -> None:
    compiled = compile_model(dense_model([1.0], [([1.0], "<=", 5.0), ([2.0], "<=", 10.0)]))
    solution, rows = LXOptimizer().solve(compiled), np.array([0, 1])
    found = price_limits(solution, rows)
    assert found is not None
    sides = price_sides(solution, rows, found, seconds=-1.0)
    assert np.isnan(sides.less).any()


def test_a_model_near_another_begins_at_its_basis_and_has_the_answer_of_a_fresh_solve() -> None:
    compiled, warm = compile_model(dense_model([3.0, 5.0], WYNDOR)), WarmHighs()
    for limit in (12.0, 13.0, 2.0, 12.0):
        upper = compiled.row_upper.copy()
        upper[1] = limit
        asked = replace(compiled, row_upper=upper)
        found = warm.solve(asked, SolverOptions())
        assert found.objective_value == pytest.approx(best(asked))
    nowhere = replace(compiled, row_upper=np.array([4.0, -1.0, 18.0]))
    assert warm.solve(nowhere, SolverOptions()).termination == "infeasible"


def test_where_several_plans_are_best_reach_to_the_least_limit_with_the_same_objective() -> None:
    rows: list[Row] = [([1.0, 1.0], "<=", 10.0), ([1.0, 0.0], "<=", 8.0), ([0.0, 1.0], "<=", 8.0)]
    compiled = compile_model(dense_model([1.0, 1.0], rows))
    found = prices(compiled)
    assert found.price == pytest.approx([1.0, 0.0, 0.0])
    assert found.low == pytest.approx([0.0, 2.0, 2.0])
    assert found.high == pytest.approx([16.0, NONE, NONE], nan_ok=True)
    assert_all_true(compiled)


def test_count_the_objectives_constant_out() -> None:
    for offset in (0.0, 1e4):
        assert_all_true(compile_model(dense_model([3.0, 5.0], WYNDOR, offset=offset)))


def test_belong_to_linear_models_that_highs_solved() -> None:
    whole = LXOptimizer().solve(dense_model([3.0, 5.0], WYNDOR, whole=True))
    other = LXOptimizer().use_solver("pulp:CBC").solve(dense_model([3.0, 5.0], WYNDOR))
    none = LXOptimizer().solve(dense_model([3.0], [([1.0], "<=", -1.0)]))
    for solution in (whole, other, none):
        assert price_limits(solution, np.array([0])) is None


@st.composite
def models(draw: st.DrawFn) -> Any:
    columns, count = draw(st.integers(1, 4)), draw(st.integers(1, 4))

    def numbers(low: int, high: int) -> list[float]:
        return [float(draw(st.integers(low, high))) for _ in range(columns)]

    rows = [(numbers(0, 4), "<=", float(draw(st.integers(0, 12)))) for _ in range(count)]
    if draw(st.booleans()):
        rows.append((numbers(0, 3), ">=", float(draw(st.integers(0, 3)))))
    if draw(st.booleans()):
        rows.append((numbers(-2, 2), "==", 0.0))
    sense = draw(st.sampled_from(["maximize", "minimize"]))
    return dense_model(numbers(-3, 6), rows, upper=numbers(0, 9), sense=sense)


@given(models())
@settings(deadline=None, max_examples=150, derandomize=True)
def test_of_random_models_are_true(model: Any) -> None:
    compiled = compile_model(model)
    if LXOptimizer().solve(compiled).is_optimal:
        assert_all_true(compiled)

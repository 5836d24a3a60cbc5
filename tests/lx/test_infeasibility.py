"""Why a model has no solution: every conflict is proven by solving with scipy."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import milp

from planning.lx import (
    INFEASIBLE,
    CompiledModel,
    Limits,
    LXConflict,
    LXOptimizer,
    compile_model,
    endless_direction,
    find_conflict,
    least_change,
    least_changes,
)
from planning.lx.analysis.limits import every_limit
from tests.lx.small_models import furniture_model

COEFFICIENTS = st.sampled_from([-2.0, -1.0, 0.0, 0.0, 1.0, 1.0, 3.0])
SIDES = st.sampled_from([None, None, -4.0, -1.0, 0.0, 2.0, 5.0])


def has_solution(compiled: CompiledModel) -> bool:
    """Return whether scipy finds values for the model."""
    matrix = np.zeros((compiled.row_count, compiled.column_count))
    rows = np.repeat(np.arange(compiled.row_count), np.diff(compiled.starts))
    matrix[rows, compiled.columns] = compiled.values
    found = milp(
        np.zeros(compiled.column_count),
        integrality=compiled.integer.astype(int),
        bounds=(  # HiGHS fails on some whole variables without bounds
            np.where(compiled.integer, np.maximum(compiled.lower, -1e6), compiled.lower),
            np.where(compiled.integer, np.minimum(compiled.upper, 1e6), compiled.upper),
        ),
        constraints=(matrix, compiled.row_lower, compiled.row_upper) if compiled.row_count else (),
    )
    assert found.status in (0, 2), found.message
    return bool(found.status == 0)


@st.composite
def models(draw: Any, whole: bool) -> CompiledModel:
    """Return a small model whose sides are drawn; rows and bounds may cross."""
    columns, rows = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    matrix = np.array([[draw(COEFFICIENTS) for _ in range(columns)] for _ in range(rows)])
    sides = [[draw(SIDES) for _ in range(size)] for size in (rows, rows, columns, columns)]
    row_low, row_high, low, high = (
        np.array([end if side is None else side for side in given])
        for given, end in zip(sides, (-np.inf, np.inf, -np.inf, np.inf), strict=True)
    )
    same = np.array([draw(st.booleans()) and np.isfinite(side) for side in row_low])
    row_high = np.where(same, row_low, row_high)
    filled = [np.flatnonzero(row) for row in matrix]
    base = compile_model(furniture_model())
    return replace(
        base,
        cost=np.zeros(columns),
        lower=np.minimum(low, high),  # a solver refuses bounds that cross
        upper=np.maximum(low, high),
        integer=np.array([whole and draw(st.booleans()) for _ in range(columns)]),
        row_lower=np.minimum(row_low, row_high),
        row_upper=np.maximum(row_low, row_high),
        starts=np.cumsum([0, *(len(places) for places in filled)]).astype(np.int32),
        columns=np.concatenate(filled).astype(np.int32),
        values=matrix[matrix != 0],
    )


def assert_irreducible(limits: Limits, conflict: LXConflict) -> None:
    """The limits named allow no solution; without any one of them there is one."""
    standing = np.zeros(limits.count, dtype=np.bool_)
    standing[conflict.limits] = True
    assert conflict.is_minimal
    assert not has_solution(limits.compiled(standing))
    for limit in conflict.limits.tolist():
        fewer = standing.copy()
        fewer[limit] = False
        assert has_solution(limits.compiled(fewer)), limit


def assert_explained(compiled: CompiledModel) -> None:
    limits = every_limit(compiled)
    conflict = find_conflict(limits, seconds=60)
    assert (conflict is None) == has_solution(compiled)
    if conflict is not None:
        assert_irreducible(limits, conflict)


@settings(deadline=None, max_examples=150)
@given(models(whole=False))
def test_a_conflict_of_a_linear_model_is_one_and_none_of_it_can_go(compiled: CompiledModel) -> None:
    assert_explained(compiled)


@settings(deadline=None, max_examples=100)
@given(models(whole=True))
def test_a_conflict_of_a_whole_number_model_is_one_and_none_of_it_can_go(compiled: CompiledModel) -> None:
    assert_explained(compiled)


@settings(deadline=None, max_examples=60)
@given(models(whole=False))
def test_limits_that_give_way_as_told_leave_a_solution(compiled: CompiledModel) -> None:
    limits = every_limit(compiled)
    conflict = find_conflict(limits)
    if conflict is None:
        return
    changes = least_changes(limits)
    assert changes is not None
    assert changes.amounts
    assert changes.is_least
    standing = np.array([limit not in changes.amounts for limit in range(limits.count)])
    assert has_solution(limits.compiled(standing))
    for limit in conflict.limits.tolist():
        amount = least_change(limits, limit)
        standing = np.arange(limits.count) != limit
        if amount is None:
            assert not has_solution(limits.compiled(standing))
            continue
        assert has_solution(limits.compiled(standing))
        assert amount > 1e-7
        alone = least_changes(limits, giving=~standing)
        assert alone is not None
        assert alone.amounts == pytest.approx({limit: amount}, rel=1e-6)
        assert changes.total <= alone.total * (1 + 1e-9) + 1e-9


def too_much() -> CompiledModel:
    """Return the furniture workshop with more asked for than assembly can do: hours of 1, 2.5 and 3.5 each."""
    compiled = compile_model(furniture_model())
    compiled.lower[:] = [60.0, 10.0, 20.0]
    return compiled


def test_a_conflict_is_named_in_the_words_of_the_model() -> None:
    conflict = find_conflict(too_much())
    assert conflict is not None
    assert conflict.names == (
        "hours[Assembly] <= 100",
        "make[Chair] >= 60",
        "make[Table] >= 10",
        "make[Desk] >= 20",
    )


def test_a_model_that_has_a_solution_has_no_conflict() -> None:
    assert find_conflict(furniture_model()) is None


def test_the_model_is_left_as_it_was() -> None:
    compiled = too_much()
    find_conflict(compiled)
    assert compiled.lower.tolist() == [60.0, 10.0, 20.0]
    assert compiled.row_upper.tolist() == [80.0, 100.0]
    assert LXOptimizer[Any]().solve(compiled).termination == INFEASIBLE


@pytest.mark.parametrize("whole", [False, True])
def test_a_search_that_is_cut_short_says_that_its_conflict_may_be_smaller(whole: bool) -> None:
    compiled = too_much()
    compiled.integer[:] = whole
    limits = every_limit(compiled)
    said = []
    for patience in range(40):
        asked = count()
        conflict = find_conflict(limits, stop=lambda asked=asked, patience=patience: next(asked) >= patience)
        said.append(None if conflict is None else conflict.is_minimal)
        if conflict is not None:
            standing = np.isin(np.arange(limits.count), conflict.limits)
            assert not has_solution(limits.compiled(standing))
    assert list(dict.fromkeys(said)) == [None, False, True]


def test_without_time_nothing_is_claimed() -> None:
    compiled = too_much()
    compiled.integer[:] = True
    compiled.lower[:], compiled.row_lower[0], compiled.row_upper[0] = 0.0, 10.1, 10.2  # halves only
    assert not has_solution(compiled)
    assert find_conflict(compiled, stop=lambda: True) is None
    assert find_conflict(compiled) is not None


def test_groups_are_lifted_together_first() -> None:
    compiled = too_much()
    compiled.integer[:] = True
    compiled.lower[:], compiled.row_lower[0], compiled.row_upper[0] = 0.0, 10.1, 10.2
    limits = every_limit(compiled)
    for groups in ([np.zeros(limits.count, dtype=np.int64)], [np.arange(limits.count) // 3]):
        conflict = find_conflict(limits, groups=groups)
        assert conflict is not None
        assert_irreducible(limits, conflict)


def test_a_limit_beside_another_one_holds_while_both_stand() -> None:
    compiled = compile_model(furniture_model())
    limits = Limits(compiled)
    hours, fewer, demand = limits.add(3).reshape(3, 1)
    row, column = np.array([0]), np.array([0])
    limits.rows_at_most(hours, row, np.array([80.0]))
    limits.rows_at_most(hours, row, np.array([10.0]), beside=fewer)
    limits.columns_at_least(demand, column, np.array([40.0]))  # half an hour each
    conflict = find_conflict(limits)
    assert conflict is not None
    assert conflict.limits.tolist() == [0, 1, 2]
    assert_irreducible(limits, conflict)
    assert least_change(limits, 0) == pytest.approx(10.0)
    assert least_change(limits, 2) == pytest.approx(20.0)


def test_what_grows_without_end_is_found_and_nothing_else() -> None:
    compiled = compile_model(furniture_model())
    assert endless_direction(compiled) is None
    compiled.row_upper[:] = np.inf
    direction = endless_direction(compiled)
    assert direction is not None
    assert np.flatnonzero(direction).tolist() == [1]  # chairs and desks have a bound


def test_a_model_is_not_called_a_contradiction_on_the_word_of_presolve() -> None:
    """Of this model 0 is a solution; HiGHS 1.15 calls it infeasible unless presolve is off."""
    base = compile_model(furniture_model())
    rows = [[1, 1, 0, -1, 0, 0], [0, 0, 0, 1, -1, -1], [0, 0, 0, 0, 1, 0]]
    rows += [[1, 0, -33767.85714, 0, 0, 0], [1, 0, -6.5, 0, 0, 0]]
    matrix = np.array(rows, dtype=float)
    lumpy = replace(
        base,
        cost=np.zeros(6),
        lower=np.zeros(6),
        upper=np.array([24.5, 0.0, 1.0, np.inf, np.inf, 1.0]),
        integer=np.array([True, True, True, False, False, False]),
        row_lower=np.array([0.0, 0.0, 0.0, -np.inf, 0.0]),
        row_upper=np.array([0.0, 0.0, 3.5, 0.0, np.inf]),
        starts=np.cumsum([0, *(matrix != 0).sum(axis=1)]).astype(np.int32),
        columns=np.concatenate([np.flatnonzero(row) for row in matrix]).astype(np.int32),
        values=matrix[matrix != 0],
    )
    assert find_conflict(lumpy) is None
    assert LXOptimizer[Any]().solve(lumpy).is_optimal
    too_much = replace(lumpy, row_lower=np.array([0.0, 0.0, 0.0, -np.inf, 30.0]))
    assert LXOptimizer[Any]().solve(too_much).termination == INFEASIBLE

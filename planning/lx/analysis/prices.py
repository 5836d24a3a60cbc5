"""What one more unit of a limit is worth, and between which limits that holds.

A price is the slope of the best objective as a function of one right side. It holds on the whole
stretch on which the optimal duals stay optimal. The ranging of one basis gives that stretch where
no other plan is as good; where there are several, each end is found by a linear model of its own:
how far can the limit move while some plan still goes with the same duals?
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from ..columns import Booleans, Floats, Positions
from ..compile import CompiledModel
from ..model import MAXIMIZE
from ..solution import LXSolution
from ..solvers.base import SolverOptions
from ..solvers.highs import HighsSolver, new_highs, set_option

_ZERO = 1e-9  # relative to the largest cost: a reduced cost or dual this small is none
_PRIMAL_SIMPLEX = 4
_INFINITE = 1e20


@dataclass
class LimitPrices:
    """Prices of some `<=` rows, in the order asked for; nan in low or high means no end."""

    price: Floats
    low: Floats
    high: Floats


def price_limits(solution: LXSolution, rows: Positions, *, seconds: float = 5.0) -> LimitPrices | None:
    """Return the prices of the `<=` rows of a linear model that HiGHS solved, and where they hold.

    `low` and `high` are right sides. A row that does not bind has price 0, down to the least right
    side with the same objective. After `seconds` the ends are those of the optimal basis, which may
    be nearer than the true ones. None where the model has no duals.
    """
    if solution.row_duals is None or solution.values is None or solution.live is None:
        return None
    duals = _Duals.of(solution)
    found = _from_basis(solution, duals, rows)
    if not len(rows):
        return found
    at_kink = (found.price > 0) & (found.high - found.low < smallest_step(found.high))
    if not (duals.several_plans or at_kink.any()):
        return found
    deadline = time.monotonic() + seconds
    finder = _RangeFinder(solution, duals)
    for i in np.flatnonzero(at_kink | duals.several_plans).tolist():
        if time.monotonic() > deadline:
            break
        finder.refine(found, i, int(rows[i]), deadline)
    return found


def solve_linear(compiled: CompiledModel, options: SolverOptions) -> LXSolution:
    """Return HiGHS' solution of a linear model, with duals."""
    return HighsSolver().solve(compiled, options)


def smallest_step(limit: Any) -> Any:
    """Return the smallest move of a limit that counts as one."""
    return 1e-6 * np.maximum(1.0, np.abs(limit))


@dataclass
class _Duals:
    """The optimal duals: reduced costs of columns and duals of rows, and what they leave free to move."""

    column: Floats
    row: Floats
    free_columns: Booleans  # a reduced cost of zero: the variable may take any value within its bounds
    free_rows: Booleans  # a dual of zero: the row need not be tight
    several_plans: bool  # something outside the basis may move without changing the objective
    sign: float

    @classmethod
    def of(cls, solution: LXSolution) -> _Duals:
        compiled, highs = solution.compiled, solution.live
        found, basis = highs.getSolution(), highs.getBasis()
        column, row = np.array(found.col_dual), np.array(found.row_dual)
        small = _ZERO * max(1.0, float(np.abs(compiled.cost).max(initial=0.0)))
        free_columns, free_rows = np.abs(column) <= small, np.abs(row) <= small
        basic = highspy.HighsBasisStatus.kBasic
        column_out = np.array([status != basic for status in basis.col_status], dtype=np.bool_)
        row_out = np.array([status != basic for status in basis.row_status], dtype=np.bool_)
        movable_columns = column_out & free_columns & (compiled.lower < compiled.upper)
        movable_rows = row_out & free_rows & (compiled.row_lower < compiled.row_upper)
        several = bool(movable_columns.any() or movable_rows.any())
        sign = 1.0 if compiled.sense == MAXIMIZE else -1.0
        return cls(column, row, free_columns, free_rows, several, sign)


def _from_basis(solution: LXSolution, duals: _Duals, rows: Positions) -> LimitPrices:
    """Return prices and the ranges of the optimal basis."""
    limits = solution.compiled.row_upper[rows]
    price = np.maximum(duals.sign * duals.row[rows], 0.0)
    price[duals.free_rows[rows]] = 0.0
    activity = np.array(solution.live.getSolution().row_value)[rows]
    binds = price > 0
    status, ranging = solution.live.getRanging()
    if status != highspy.HighsStatus.kOk:  # HiGHS ranges no model without entries, for one
        return LimitPrices(
            price, np.where(binds, limits, np.minimum(activity, limits)), np.where(binds, limits, np.nan)
        )
    low = np.array(ranging.row_bound_dn.value_)[rows]
    high = np.array(ranging.row_bound_up.value_)[rows]
    low = np.where(binds, np.minimum(low, limits), np.minimum(activity, limits))
    high = np.where(binds, np.maximum(high, limits), np.nan)
    low[np.abs(low) >= _INFINITE] = np.nan
    high[np.abs(high) >= _INFINITE] = np.nan
    return LimitPrices(price, low, high)


def least_of_the_best(solution: LXSolution, weights: Floats) -> Floats | None:
    """Return, of all plans that are equally good, the values of one with the least weighted sum.

    None where the linear model has no duals, or the question no answer.
    """
    if solution.row_duals is None or solution.values is None or solution.live is None:
        return None
    highs = _equally_good(solution, _Duals.of(solution), weights)
    highs.changeObjectiveSense(highspy.ObjSense.kMinimize)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.array(highs.getSolution().col_value)


def _equally_good(solution: LXSolution, duals: _Duals, cost: Floats) -> Any:
    """Return a HiGHS whose plans are those that are as good as the solution, with other costs.

    What has a reduced cost is held at its value, and a row with a dual at its limit.
    """
    compiled = solution.compiled
    assert solution.values is not None
    highs = new_highs(compiled, SolverOptions())
    set_option(highs, "simplex_strategy", _PRIMAL_SIMPLEX)
    columns = np.flatnonzero(~duals.free_columns).astype(np.int32)
    values = solution.values[columns]
    highs.changeColsBounds(len(columns), columns, values, values)
    activity = np.array(solution.live.getSolution().row_value)
    at_upper = np.abs(activity - compiled.row_upper) <= np.abs(activity - compiled.row_lower)
    rows = np.flatnonzero(~duals.free_rows).astype(np.int32)
    tight = np.where(at_upper, compiled.row_upper, compiled.row_lower)[rows]
    highs.changeRowsBounds(len(rows), rows, tight, tight)
    count = compiled.column_count
    highs.changeColsCost(count, np.arange(count, dtype=np.int32), cost)
    highs.changeObjectiveOffset(0.0)
    highs.setBasis(solution.live.getBasis())
    return highs


class _RangeFinder:
    """Finds the ends of ranges: a linear model in which only what the duals leave free can move.

    One more column shifts the limit in question; it is held at 0 between the questions.
    """

    def __init__(self, solution: LXSolution, duals: _Duals) -> None:
        self.solution, self.compiled, self.sign = solution, solution.compiled, duals.sign
        self.highs = highs = _equally_good(solution, duals, np.zeros(solution.compiled.column_count))
        highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        self.shift = solution.compiled.column_count
        highs.addCol(1.0, 0.0, 0.0, 0, np.zeros(0, np.int32), np.zeros(0))

    def refine(self, found: LimitPrices, i: int, row: int, deadline: float) -> None:
        """Put the true ends of row `i`'s range in place; the price of one more unit where there is a kink."""
        limit = float(self.compiled.row_upper[row])
        price = float(found.price[i])
        down = self._move(row, -1.0, deadline)
        up = np.inf if price == 0.0 else self._move(row, 1.0, deadline)
        if down is None or up is None:
            return
        if down < smallest_step(limit) and up < smallest_step(limit):
            self._beyond(found, i, row, limit)
            return
        found.low[i] = np.nan if np.isinf(down) else limit - down
        found.high[i] = np.nan if np.isinf(up) else limit + up

    def _move(self, row: int, direction: float, deadline: float) -> float | None:
        """Return how far the limit can move in a direction; None: unknown."""
        highs = self.highs
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        set_option(highs, "time_limit", left)
        highs.changeCoeff(row, self.shift, -direction)
        highs.changeColBounds(self.shift, 0.0, highspy.kHighsInf)
        highs.run()
        status, found = highs.getModelStatus(), float(highs.getInfo().objective_function_value)
        highs.changeColBounds(self.shift, 0.0, 0.0)
        highs.changeCoeff(row, self.shift, 0.0)
        if status == highspy.HighsModelStatus.kOptimal:
            return max(found, 0.0)
        if status in (highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return float("inf")
        return None

    def _beyond(self, found: LimitPrices, i: int, row: int, limit: float) -> None:
        """At a kink the price of the basis may lie between the two true ones: take that of one more unit."""
        moved = new_highs(self.compiled, SolverOptions())
        beyond = limit + 1e-5 * max(1.0, abs(limit))
        moved.changeRowBounds(row, self.compiled.row_lower[row], beyond)
        moved.run()
        if moved.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return
        price = max(self.sign * float(moved.getSolution().row_dual[row]), 0.0)
        status, ranging = moved.getRanging()
        high = float(ranging.row_bound_up.value_[row]) if status == highspy.HighsStatus.kOk else beyond
        found.price[i] = price if price > _ZERO else 0.0
        found.low[i] = limit
        found.high[i] = np.nan if found.price[i] == 0.0 or abs(high) >= _INFINITE else high

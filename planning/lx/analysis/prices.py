"""What one more unit of a limit is worth, and between which limits that holds.

A price is the slope of the best objective as a function of one right side. The range is the whole
stretch on which the slope holds: at a degenerate optimum the range of a single basis may be
shorter, so each end is found by a linear model of its own (how far can the limit move with the
objective still on the line?) while there is time, and is the basis' range after that.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from ..compile import CompiledModel
from ..model import MAXIMIZE
from ..records import Floats, Positions
from ..solution import OPTIMAL, LXSolution
from ..solvers.base import SolverOptions
from ..solvers.highs import HighsSolver, new_highs



@dataclass
class LimitPrices:
    """Prices of some `<=` rows, in the order asked for; nan in low or high means no end."""

    price: Floats
    low: Floats
    high: Floats


def price_limits(solution: LXSolution, rows: Positions, *, seconds: float = 5.0) -> LimitPrices | None:
    """Return the prices of the `<=` rows of a solved linear model, and where they hold.

    `low` and `high` are right sides. A row that does not bind has price 0, down to the least right
    side with the same objective. None where the model has no duals.
    """
    compiled = solution.compiled
    if solution.row_duals is None or solution.values is None or solution.objective_value is None:
        return None
    sign = 1.0 if compiled.sense == MAXIMIZE else -1.0
    count = len(rows)
    if not count:
        return LimitPrices(np.zeros(0), np.zeros(0), np.zeros(0))
    highs = new_highs(compiled, SolverOptions())
    if solution.basis is not None:
        highs.setBasis(solution.basis)
    highs.run()
    price, low, high = _from_basis(highs, compiled, rows, sign)
    finder = _RangeFinder(compiled, solution, sign)
    deadline = time.monotonic() + seconds
    for i in range(count):
        if time.monotonic() > deadline:
            break
        price[i], low[i], high[i] = finder.find(int(rows[i]), float(price[i]), float(low[i]), float(high[i]))
    return LimitPrices(price, low, high)


def _from_basis(
    highs: Any, compiled: CompiledModel, rows: Positions, sign: float
) -> tuple[Floats, Floats, Floats]:
    """Return prices and the ranges of the optimal basis."""
    found = highs.getSolution()
    limits = compiled.row_upper[rows]
    price = np.maximum(sign * np.array(found.row_dual)[rows], 0.0)
    price[price < 1e-11] = 0.0
    activity = np.array(found.row_value)[rows]
    status, ranging = highs.getRanging()
    if status != highspy.HighsStatus.kOk:
        return price, limits.copy(), limits.copy()
    low = np.array(ranging.row_bound_dn.value_)[rows]
    high = np.array(ranging.row_bound_up.value_)[rows]
    binds = price > 0
    low = np.where(binds, np.minimum(low, limits), np.minimum(activity, limits))
    high = np.where(binds, np.maximum(high, limits), np.nan)
    low[np.abs(low) >= 1e20] = np.nan
    high[np.abs(high) >= 1e20] = np.nan
    return price, low, high


class _RangeFinder:
    """Finds the ends of a price's range: one column for the shift of the limit, one row for the objective."""

    def __init__(self, compiled: CompiledModel, solution: LXSolution, sign: float) -> None:
        assert solution.objective_value is not None
        self.compiled = compiled
        self.sign = sign
        self.objective = solution.objective_value - compiled.offset
        self.highs = new_highs(compiled, SolverOptions())
        count = compiled.column_count
        if solution.basis is not None:
            self.highs.setBasis(solution.basis)
        self.highs.run()
        used = np.flatnonzero(compiled.cost)
        slack = 1e-12 * abs(self.objective)
        # sign * (cost x) - price * shift >= sign * objective
        self.highs.addRow(
            self.sign * self.objective - slack,
            highspy.kHighsInf,
            len(used),
            used.astype(np.int32),
            self.sign * compiled.cost[used],
        )
        self.highs.addCol(0.0, 0.0, 0.0, 0, np.zeros(0, np.int32), np.zeros(0))
        self.shift, self.line = count, compiled.row_count
        self.highs.changeColsCost(count, np.arange(count, dtype=np.int32), np.zeros(count))
        self.highs.changeObjectiveSense(highspy.ObjSense.kMaximize)

    def find(self, row: int, price: float, low: float, high: float) -> tuple[float, float, float]:
        """Return price, low and high; a price between the two of a kink is replaced by that of one more unit."""
        limit = float(self.compiled.row_upper[row])
        step = 1e-6 * max(1.0, abs(limit))
        down = self._shift(row, price, -1.0)
        up = np.inf if price == 0.0 else self._shift(row, price, 1.0)
        if down is None or up is None:
            return price, low, high
        if down < step and up < step:
            better = self._price_beyond(row, limit)
            if better is None:
                return price, low, high
            price = better
            down = self._shift(row, price, -1.0)
            up = np.inf if price == 0.0 else self._shift(row, price, 1.0)
            if down is None or up is None:
                return price, low, high
        return price, (np.nan if np.isinf(down) else limit - down), (np.nan if np.isinf(up) else limit + up)

    def _shift(self, row: int, price: float, direction: float) -> float | None:
        """Return how far the limit can move in a direction while the objective stays on the line; None: unknown."""
        highs = self.highs
        highs.changeCoeff(row, self.shift, -direction)
        highs.changeCoeff(self.line, self.shift, -price * direction)
        highs.changeColBounds(self.shift, 0.0, highspy.kHighsInf)
        highs.changeColCost(self.shift, 1.0)
        highs.run()
        status = highs.getModelStatus()
        found = float(highs.getInfo().objective_function_value)
        highs.changeColBounds(self.shift, 0.0, 0.0)
        highs.changeCoeff(row, self.shift, 0.0)
        highs.changeCoeff(self.line, self.shift, 0.0)
        if status == highspy.HighsModelStatus.kOptimal:
            return max(found, 0.0)
        if status in (highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return float("inf")
        return None

    def _price_beyond(self, row: int, limit: float) -> float | None:
        """Return the price just above the limit: that of one more unit."""
        moved = new_highs(self.compiled, SolverOptions())
        moved.changeRowBounds(row, self.compiled.row_lower[row], limit + 1e-5 * max(1.0, abs(limit)))
        moved.run()
        if moved.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        price = self.sign * float(moved.getSolution().row_dual[row])
        return 0.0 if price < 1e-11 else price


def solve_linear(compiled: CompiledModel, options: SolverOptions) -> LXSolution:
    """Return HiGHS' solution of a linear model, with duals and a basis."""
    solution = HighsSolver().solve(compiled, options)
    if solution.termination == OPTIMAL and solution.row_duals is None:
        solution.row_duals = np.zeros(compiled.row_count)
    return solution




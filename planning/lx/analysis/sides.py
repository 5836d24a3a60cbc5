"""What one more unit of a limit brings and what one less costs, and up to which limit each holds.

Between the ends of a price's range both are the price. Where the limit stands at an end, at a kink of the best
objective, the two differ, and the other side is found by solving again, warm, a little beyond the limit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from ..columns import Floats, Positions
from ..solution import INFEASIBLE, LXSolution
from ..solvers.base import SolverOptions
from ..solvers.warm import WarmHighs
from .prices import LimitPrices, price_limits, smallest_step

_WELL_BEYOND = 1e-3  # relative: how far beyond the end of a range it is looked at what limits there
_BEYOND = 1e-5  # relative: how far beyond a kink its other side is looked at


@dataclass
class LimitSides:
    """Slopes of the best objective on both sides of `<=` rows, in the order asked for; all at least 0.

    `more` is what one more unit of the right side brings, up to `more_until`; `less` what one less costs, down to
    `less_until`. nan: not known; in an `until` beside a slope that is known, there is no end. Where `less_until` is the
    right side itself and `less` is nan, there is no plan with any less.
    """

    more: Floats
    more_until: Floats
    less: Floats
    less_until: Floats


def price_sides(solution: LXSolution, rows: Positions, prices: LimitPrices, *, seconds: float = 5.0) -> LimitSides:
    """Return both sides of limits whose prices `price_limits` found for the solution.

    After `seconds` no more is solved, and sides that are not known by then are nan.
    """
    limits = solution.compiled.row_upper[rows]
    step = smallest_step(limits)
    holds_above = np.isnan(prices.high) | (prices.high - limits >= step)
    holds_below = np.isnan(prices.low) | (limits - prices.low >= step)
    found = LimitSides(
        more=np.where(holds_above, prices.price, np.nan),
        more_until=np.where(holds_above, prices.high, np.nan),
        less=np.where(holds_below, prices.price, np.nan),
        less_until=np.where(holds_below, prices.low, np.nan),
    )
    deadline = time.monotonic() + seconds
    for i in np.argsort(-prices.price, kind="stable").tolist():
        for direction, known in ((1.0, holds_above[i]), (-1.0, holds_below[i])):
            if not known and time.monotonic() < deadline:
                _look_beyond(solution, found, i, int(rows[i]), direction, deadline)
    return found


def _look_beyond(solution: LXSolution, found: LimitSides, i: int, row: int, direction: float, deadline: float) -> None:
    """Put in place what holds on one side of a kink, with the model solved a little beyond it."""
    compiled = solution.compiled
    limit = float(compiled.row_upper[row])
    upper = compiled.row_upper.copy()
    upper[row] = limit + direction * _BEYOND * max(1.0, abs(limit))
    if upper[row] < compiled.row_lower[row]:
        return
    solver = WarmHighs()
    solver.begin_at(solution)
    left = max(deadline - time.monotonic(), 0.01)
    moved = solver.solve(replace(compiled, row_upper=upper), SolverOptions(time_limit=left))
    if direction < 0 and moved.termination == INFEASIBLE:
        found.less_until[i] = limit
        return
    there = price_limits(moved, np.array([row]), seconds=max(deadline - time.monotonic(), 0.0))
    if not moved.is_optimal or there is None:
        return
    if direction > 0:
        found.more[i], found.more_until[i] = there.price[0], there.high[0]
    else:
        found.less[i], found.less_until[i] = there.price[0], there.low[0]


def limits_beyond(
    solution: LXSolution,
    rows: Positions,
    prices: LimitPrices,
    sides: LimitSides,
    *,
    most: int = 8,
    seconds: float = 5.0,
) -> dict[int, Positions]:
    """Return what limits the objective once a limit has grown to where its price ends: by its place in `rows`.

    Those of the same rows that have a higher price there; asked of the `most` limits that bring most until then. What
    is not known within the time is left out, and none are named where no row of these limits.
    """
    compiled, limits = solution.compiled, solution.compiled.row_upper[rows]
    gains = np.nan_to_num(sides.more * (sides.more_until - limits), nan=0.0)
    noise = _BEYOND * max(1.0, float(prices.price.max(initial=0.0)))
    deadline, found = time.monotonic() + seconds, {}
    solver = WarmHighs()
    solver.begin_at(solution)
    for i in np.argsort(-gains, kind="stable")[:most].tolist():
        left = deadline - time.monotonic()
        if gains[i] <= 0 or left <= 0:
            break
        upper = compiled.row_upper.copy()
        upper[rows[i]] = sides.more_until[i] + _WELL_BEYOND * max(1.0, abs(float(sides.more_until[i])))
        moved = solver.solve(replace(compiled, row_upper=upper), SolverOptions(time_limit=left))
        if moved.is_optimal and moved.row_duals is not None:
            found[i] = np.flatnonzero(np.abs(moved.row_duals[rows]) > prices.price + noise)
    return found

"""A model whose limits may give way at a cost: how far they have to, and which of them it hangs on.

A first proof that there is no solution comes from the dual ray of the simplex method. Then each entry of a limit
becomes a row of its own with a slack, so that the model always has a solution: the least sum of slack is 0 where the
limits agree, and where it is not, the duals name limits that can't stand together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import highspy
import numpy as np

from ..columns import Booleans, Positions
from ..compile import CompiledModel, relaxed
from ..model import MINIMIZE
from ..solution import ERROR, INFEASIBLE, OPTIMAL
from ..solvers.base import Callbacks, SolverOptions
from ..solvers.highs import HighsSession, new_highs, set_option
from ..solvers.watch import Watch
from .limits import LOWER, ROW_LOWER, ROW_UPPER, SIDES, Entries, Limits

NONE_MISSING = 1e-7  # relative to the limits' sizes: slack below is none
_ZERO = 1e-9


def with_slack(model: CompiledModel, entries: Entries, slack: Positions) -> CompiledModel:
    """Return the model with each entry as a row that slack number `slack` of each may loosen, all from 0 on."""
    count, size = int(slack.max(initial=-1)) + 1, len(entries.owner)
    of_row = (entries.side == ROW_LOWER) | (entries.side == ROW_UPPER)
    lengths = np.where(of_row, np.diff(model.starts)[np.where(of_row, entries.place, 0)], 1) if size else of_row
    columns, values = [], []
    for is_row, place in zip(of_row.tolist(), entries.place.tolist(), strict=True):
        span = slice(model.starts[place], model.starts[place + 1]) if is_row else slice(0)
        columns.append(model.columns[span] if is_row else np.array([place], dtype=np.int32))
        values.append(model.values[span] if is_row else np.ones(1))
    at_least = np.isin(entries.side, (ROW_LOWER, LOWER))
    columns.append((model.column_count + slack).astype(np.int32))
    values.append(np.where(at_least, 1.0, -1.0))
    rows = np.concatenate([np.repeat(np.arange(size), lengths), np.arange(size)])
    order = np.argsort(rows, kind="stable")
    ends = model.starts[-1] + np.cumsum(lengths.astype(np.int64) + 1)
    zeros = np.zeros(count)
    return replace(
        model,
        cost=np.concatenate([np.zeros(model.column_count), zeros + 1.0]),
        offset=0.0,
        sense=MINIMIZE,
        levels=(),
        lower=np.concatenate([model.lower, zeros]),
        upper=np.concatenate([model.upper, zeros + np.inf]),
        integer=np.concatenate([model.integer, zeros > 0]),
        row_lower=np.concatenate([model.row_lower, np.where(at_least, entries.bound, -np.inf)]),
        row_upper=np.concatenate([model.row_upper, np.where(at_least, np.inf, entries.bound)]),
        starts=np.concatenate([model.starts, ends.astype(np.int32)]),
        columns=np.concatenate([model.columns, np.concatenate(columns)[order]]),
        values=np.concatenate([model.values, np.concatenate(values)[order]]),
    )


def ray_of(limits: Limits, seconds: float, stop: Callable[[], bool]) -> tuple[str, Booleans | None]:
    """Return how the linear relaxation with all limits ended, and where it has no solution, limits that a proof names.

    The proof is the dual ray of the simplex method: what it names is few, and contradicts itself together with rows
    and bounds that are no limits. None where HiGHS gives no ray.
    """
    every = np.ones(limits.count, dtype=np.bool_)
    compiled = relaxed(limits.compiled(every))
    highs = new_highs(compiled, SolverOptions(time_limit=seconds))
    set_option(highs, "presolve", "off")  # what presolve finds out has no ray
    set_option(highs, "solver", "simplex")
    Watch(Callbacks(stop=stop)).run(highs)
    status = highs.getModelStatus()
    if status != highspy.HighsModelStatus.kInfeasible:
        return (OPTIMAL if status == highspy.HighsModelStatus.kOptimal else ERROR), None
    _, has_ray, ray = highs.getDualRay()
    if not has_ray:
        return INFEASIBLE, None
    of_rows = np.array(ray)
    rows = np.repeat(np.arange(compiled.row_count), np.diff(compiled.starts))
    of_columns = np.bincount(compiled.columns, weights=of_rows[rows] * compiled.values, minlength=compiled.column_count)
    entries = limits.entries
    used = np.zeros(len(entries.owner), dtype=np.bool_)
    for side, name in enumerate(SIDES):
        weights = of_rows if side in (ROW_LOWER, ROW_UPPER) else of_columns
        at = entries.side == side
        tightest = getattr(compiled, name)[entries.place[at]] == entries.bound[at]
        used[at] = tightest & (np.abs(weights[entries.place[at]]) > _ZERO)
    return INFEASIBLE, _owners(limits, entries, used)


def _owners(limits: Limits, entries: Entries, used: Booleans) -> Booleans:
    """Return the limits that some of the entries need."""
    named = np.zeros(limits.count, dtype=np.bool_)
    named[entries.owner[used]] = True
    named[entries.beside[used & (entries.beside >= 0)]] = True
    return named


class Elastic:
    """The linear relaxation of a model with some of its limits, one slack an entry, weighted by 1 / max(1, |bound|).

    It stays in HiGHS: asking about fewer limits is a warm re-solve.
    """

    def __init__(self, limits: Limits, asked: Booleans, seconds: float, stop: Callable[[], bool]) -> None:
        self._limits, self._entries = limits, limits.entries.take(limits.entries.standing(asked))
        size = len(self._entries.owner)
        self._weights = 1.0 / np.maximum(1.0, np.abs(self._entries.bound))
        model = with_slack(relaxed(limits.model), self._entries, np.arange(size))
        self._slack = np.arange(model.column_count - size, model.column_count)
        self._rows = np.arange(model.row_count - size, model.row_count)
        weighted = replace(model, cost=np.concatenate([model.cost[: model.column_count - size], self._weights]))
        self._session = HighsSession(weighted, SolverOptions(time_limit=seconds), Callbacks(stop=stop))
        self._duals = np.zeros(size)

    def missing(self, standing: Booleans) -> float | None:
        """Return how far these limits are from standing together, weighted; None where the time passed."""
        held = self._entries.standing(standing)
        self._session.set_costs(self._slack, np.where(held, self._weights, 0.0))
        found = self._session.solve()
        if found.termination != OPTIMAL or found.values is None or found.row_duals is None:
            return None
        self._duals = found.row_duals[self._rows]
        return float(self._weights[held] @ found.values[self._slack][held])

    def certificate(self) -> Booleans:
        """Return limits of the last question that can't stand together, where something was missing."""
        size = np.abs(self._duals)
        return _owners(self._limits, self._entries, size > _ZERO * size.max(initial=0.0))

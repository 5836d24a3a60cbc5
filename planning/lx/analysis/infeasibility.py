"""Why a model has no solution: limits that can't stand together, and how far they would have to give.

Linear models, and whole-number models that contradict themselves without the whole numbers, are asked through their
elastic relaxation. Its duals name a few limits; these are lifted one by one, and stay lifted where the rest still
contradicts itself. Where whole numbers are what makes a contradiction, limits are lifted in groups, then one by one,
and the model is solved each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..columns import Booleans, Floats, Positions
from ..compile import CompiledModel, compile_model, relaxed
from ..model import LXModel
from ..solution import INFEASIBLE, OPTIMAL, LXSolution
from ..solvers.base import Callbacks, SolverOptions
from ..solvers.highs import HighsSolver
from .elastic import NONE_MISSING, Elastic, ray_of, with_slack
from .limits import Limits, every_limit

_INTEGRALITY = 1e-9
_LEAST_SECONDS = 0.05


@dataclass(frozen=True)
class LXConflict:
    """Limits that can't stand together, by their numbers, ascending.

    `names` says each in the model's words, such as `hours[Saw] <= 40`; empty where `Limits` were given.

    Where `is_minimal`, the model has a solution as soon as any one of them is lifted and no other limit stands. Else
    the time passed first, and some of them may not be needed.
    """

    limits: Positions
    is_minimal: bool
    names: tuple[str, ...]
    seconds: float


def find_conflict(
    model: LXModel | CompiledModel | Limits,
    *,
    seconds: float = 10.0,
    groups: Sequence[Positions] = (),
    stop: Callable[[], bool] | None = None,
) -> LXConflict | None:
    """Return limits of a model that can't stand together: as few as it takes, where the time suffices.

    Of a model without `Limits`, every row and bound is one. `groups` number the limits from coarse to fine, for
    whole-number models: what has the same number is lifted together first. None where the model has a solution, or
    the time passed before that was known.
    """
    limits = _limits(model)
    found = _Search(limits, seconds, stop).conflict(groups)
    if found is None or limits is model:
        return found
    return replace(found, names=tuple(limits.name(limit) for limit in found.limits.tolist()))


def least_change(
    limits: Limits, limit: int, *, seconds: float = 10.0, stop: Callable[[], bool] | None = None
) -> float | None:
    """Return how far one limit has to give so that there is a solution while all others stand.

    None where it alone is not enough, or the time passed.
    """
    every = np.ones(limits.count, dtype=np.bool_)
    chosen = limits.entries.owner == limit
    others = every.copy()
    others[limit] = False
    own = limits.entries.take(chosen)
    model = with_slack(limits.compiled(others), own, np.zeros(len(own.owner), dtype=np.int64))
    found = _solved(model, seconds, stop)
    if found.termination != OPTIMAL or found.values is None:
        return None
    return float(found.values[-1])


@dataclass(frozen=True)
class LXLeastChanges:
    """How far limits have to give together so that there is a solution, by their numbers.

    `total` is the sum of amount / max(1, |bound|). Where `is_least`, no other changes of the same limits that allow a
    solution have a smaller one; else the time passed before that was known.
    """

    amounts: dict[int, float]
    total: float
    is_least: bool


def least_changes(
    limits: Limits,
    *,
    giving: Booleans | None = None,
    seconds: float = 10.0,
    stop: Callable[[], bool] | None = None,
) -> LXLeastChanges | None:
    """Return how far limits have to give together, least in sum of amount / max(1, |bound|).

    `giving` says which limits may give; all, unless given. None where these alone are not enough, or the time passed
    before any changes were found.
    """
    some = np.ones(limits.count, dtype=np.bool_) if giving is None else giving
    entries = limits.entries.take(some[limits.entries.owner])
    numbers, slack = np.unique(entries.owner, return_inverse=True)
    model = with_slack(limits.compiled(~some), entries, slack)
    weights = np.zeros(len(numbers))
    np.maximum.at(weights, slack, 1.0 / np.maximum(1.0, np.abs(entries.bound)))
    cost = model.cost.copy()
    cost[len(cost) - len(weights) :] = weights
    found, is_least = _least_of(replace(model, cost=cost), seconds, stop)
    if found is None or found.values is None:
        return None
    amounts = found.values[len(cost) - len(weights) :]
    needed = {
        int(limit): float(amount)
        for limit, amount, weight in zip(numbers, amounts, weights, strict=True)
        if amount * weight > NONE_MISSING
    }
    return LXLeastChanges(needed, float(weights @ amounts), is_least)


def _least_of(model: CompiledModel, seconds: float, stop: Callable[[], bool] | None) -> tuple[LXSolution | None, bool]:
    """Return the best solution that is found in the time, and whether it is proven to be the best.

    Of a whole-number model the relaxation is soon solved. Its 0-1 decisions, rounded up and held, leave a smaller
    model: a solution that does not cost more is the best, and any is better than none.
    """
    deadline = time.monotonic() + seconds
    if not model.is_mip:
        found = _solved(model, seconds, stop)
        return (found, found.is_optimal) if found.has_plan else (None, False)
    rough = _solved(relaxed(model), seconds, stop)
    if not rough.is_optimal or rough.values is None:
        return None, False
    choices = model.integer & (model.lower >= 0) & (model.upper <= 1)
    held = np.ceil(rough.values - _INTEGRALITY)
    lower, upper = (np.where(choices, held, side) for side in (model.lower, model.upper))
    rounded = _solved(replace(model, lower=lower, upper=upper), (deadline - time.monotonic()) / 2, stop)
    if rounded.has_plan and _costs(rounded) <= _costs(rough) * (1 + _INTEGRALITY) + _INTEGRALITY:
        return rounded, True
    exact = _solved(model, deadline - time.monotonic(), stop)
    plans = [one for one in (exact, rounded) if one.has_plan]
    return min(plans, key=_costs, default=None), exact.is_optimal


def _costs(found: LXSolution) -> float:
    return np.inf if found.objective_value is None else found.objective_value


def _limits(model: LXModel | CompiledModel | Limits) -> Limits:
    if isinstance(model, Limits):
        return model
    return every_limit(compile_model(model) if isinstance(model, LXModel) else model)


def _solved(compiled: CompiledModel, seconds: float, stop: Callable[[], bool] | None) -> LXSolution:
    """Return HiGHS' solution."""
    options = SolverOptions(time_limit=max(seconds, _LEAST_SECONDS))
    if compiled.is_mip:
        options = replace(options, integrality=_INTEGRALITY)
    return HighsSolver().solve(compiled, options, Callbacks(stop=stop))


class _Search:
    """One search for a conflict, within its time."""

    def __init__(self, limits: Limits, seconds: float, stop: Callable[[], bool] | None) -> None:
        self.limits = limits
        self._started = time.monotonic()
        self._seconds, self._stop = seconds, stop
        self._cut_short = False

    def conflict(self, groups: Sequence[Positions]) -> LXConflict | None:
        """Return the conflict; None where there is none, or nothing is known of it."""
        found = self._without_whole_numbers()
        if self.limits.model.is_mip and not self._over():
            known = found is not None
            if found is None:
                found = np.ones(self.limits.count, dtype=np.bool_)
            found = self._filtered(found, [] if known else groups, known=known)
        if found is None:
            return None
        numbers = np.flatnonzero(found)
        return LXConflict(numbers, not self._cut_short, (), time.monotonic() - self._started)

    def _left(self) -> float:
        return self._seconds - (time.monotonic() - self._started)

    def _over(self) -> bool:
        """Whether the search has to end; then what it has is not proven."""
        if not self._cut_short:
            self._cut_short = self._left() <= 0 or (self._stop is not None and self._stop())
        return self._cut_short

    # --- by the linear relaxation -------------------------------------------------------------

    def _without_whole_numbers(self) -> Booleans | None:
        """Return limits that contradict each other in the relaxation, each of them needed; None where none do."""
        if not len(self.limits.entries.owner):
            return None
        ended, kept = ray_of(self.limits, max(self._left(), _LEAST_SECONDS), self._over)
        if ended == OPTIMAL or self._over():
            return None
        for asked in (kept, np.ones(self.limits.count, dtype=np.bool_)):
            if asked is not None:
                elastic = Elastic(self.limits, asked, max(self._left(), _LEAST_SECONDS), self._over)
                if _contradict(elastic.missing(asked)):
                    return self._without_needless(elastic, self._named(elastic, asked))
        return None

    def _without_needless(self, elastic: Elastic, kept: Booleans) -> Booleans:
        """Return limits that still contradict each other, each of them needed."""
        for limit in np.flatnonzero(kept).tolist():
            if not kept[limit]:
                continue
            trial = kept.copy()
            trial[limit] = False
            missing = None if self._over() else elastic.missing(trial)
            if missing is None:
                self._cut_short = True
                break
            if _contradict(missing):
                kept = self._named(elastic, trial)
        return kept

    def _named(self, elastic: Elastic, asked: Booleans) -> Booleans:
        """Return the limits that the duals name, where they are enough; all that were asked about where not."""
        named = elastic.certificate() & asked
        return named if _contradict(elastic.missing(named)) else asked

    # --- with whole numbers -------------------------------------------------------------------

    def _filtered(self, kept: Booleans, groups: Sequence[Positions], *, known: bool) -> Booleans | None:
        """Return limits that contradict each other, each of them needed; None where it is not known that they do."""
        if not known and self._has_solution(kept) is not False:
            self._cut_short = True
            return None
        for labels in (*groups, np.arange(self.limits.count)):
            for label in np.unique(labels[kept]).tolist():
                if self._over():
                    return kept
                trial = kept & (labels != label)
                has_solution = self._has_solution(trial)
                if has_solution is None:
                    self._cut_short = True
                elif not has_solution:
                    kept = trial
        return kept

    def _has_solution(self, standing: Booleans) -> bool | None:
        """Return whether these limits can stand together; None where the time passed."""
        found = _solved(self.limits.compiled(standing), self._left(), self._over)
        if found.has_plan:
            return True
        return False if found.termination == INFEASIBLE else None


def _contradict(missing: float | None) -> bool:
    return missing is not None and missing > NONE_MISSING


def endless_direction(compiled: CompiledModel) -> Floats | None:
    """Return a direction in which the objective gets better without end, as few variables as it takes.

    One number for each variable, the sizes adding up to at most 1; None where there is none. Whole numbers don't
    count, and no goal is missed by more.
    """
    counted = np.zeros(compiled.column_count, dtype=np.bool_)
    for level in compiled.levels:
        counted |= level.weights > 0
    endless = np.isinf(compiled.upper) | np.isinf(compiled.lower)
    falling = np.isinf(compiled.lower)
    size = compiled.column_count
    starts = np.append(compiled.starts, compiled.starts[-1] + size).astype(np.int32)
    cone = replace(
        compiled,
        lower=np.where(falling, -1.0, 0.0),
        upper=np.where(np.isinf(compiled.upper) & ~counted, 1.0, 0.0),
        integer=np.zeros(size, dtype=np.bool_),
        row_lower=np.append(np.where(np.isfinite(compiled.row_lower), 0.0, -np.inf), -np.inf),
        row_upper=np.append(np.where(np.isfinite(compiled.row_upper), 0.0, np.inf), 1.0),
        starts=starts,
        columns=np.concatenate([compiled.columns, np.arange(size, dtype=np.int32)]),
        values=np.concatenate([compiled.values, np.where(falling, 0.0, endless.astype(np.float64))]),
        offset=0.0,
        levels=(),
    )
    found = HighsSolver().solve(cone, SolverOptions(time_limit=10.0))
    if not found.is_optimal or found.values is None or abs(found.objective_value or 0.0) <= _INTEGRALITY:
        return None
    return np.where(np.abs(found.values) > _INTEGRALITY, found.values, 0.0)

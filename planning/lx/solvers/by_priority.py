"""Solving models with goals: level by level before the objective, or all in one solve.

Both ways end alike: the solution's `compiled` is the model of the objective with every level held at
what was reached, so that its duals are those of the objective, and never those of a penalty.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from ..columns import Floats
from ..compile import CompiledModel, relaxed, with_whole_decisions_held
from ..goals import LEXICOGRAPHIC, WEIGHTED, Level
from ..model import MAXIMIZE, MINIMIZE
from ..solution import ERROR, INFEASIBLE, INTERRUPTED, TIME_LIMIT, LXSolution
from .base import DEFAULT_GAP, NO_CALLBACKS, Callbacks, LXSolver, Progress, SolverOptions
from .highs import HighsSolver

HOLD = 1e-7  # relative: how far a level may slip once it is held
_ROOMS = (0.0, HOLD, 2e-7, 5e-7, 1e-6)  # the wider ones where a solver's own tolerance finds no plan
LEVEL_GAP = 1e-6
_INTEGRALITY = 1e-9  # with the usual 1e-6 HiGHS has called plans proven that were not the best, beside held levels
_LEAST_SECONDS = 0.1
_LEAST_GAP = 1e-9  # relative, of solvers that take no absolute one
_MOST_TRIES = 4
_STOPPED = (TIME_LIMIT, INTERRUPTED)


def solve_by_priority(
    solver: LXSolver, compiled: CompiledModel, options: SolverOptions, callbacks: Callbacks = NO_CALLBACKS
) -> LXSolution:
    """Return the solution of a model with levels.

    Its objective value, and for lexicographic goals its bound, are those of the objective alone. Where the
    time passes or a stop comes before the last solve, the best plan of the level is kept, without a bound.
    """
    solve = _Priorities(solver, compiled, options, callbacks)
    found = solve.weighted() if compiled.goal_mode == WEIGHTED else solve.lexicographic()
    found.seconds, found.log = solve.seconds, "".join(solve.logs)
    return found


def with_levels_held(compiled: CompiledModel, values: Floats) -> CompiledModel:
    """Return the model in which no level may be missed by more than in a plan; a model without levels, as it is."""
    if not compiled.levels:
        return compiled
    return _held(compiled, [max(level.deviation(values), 0.0) for level in compiled.levels], 0.0)


def with_levels_loosened(compiled: CompiledModel) -> CompiledModel:
    """Return the model with held levels in which each may slip by 1e-7 * max(1, what was reached)."""
    upper = compiled.row_upper.copy()
    first = sum(block.size for block in compiled.constraints.values())
    upper[first:] += HOLD * np.maximum(1.0, upper[first:])
    return replace(compiled, row_upper=upper)


def _held(compiled: CompiledModel, reached: list[float], room: float) -> CompiledModel:
    """Return the model with a row for each of its first levels, which holds the sum of weight * deviation."""
    levels = compiled.levels[: len(reached)]
    columns = [np.flatnonzero(level.weights).astype(np.int32) for level in levels]
    values = [level.weights[places] for level, places in zip(levels, columns, strict=True)]
    ends = compiled.starts[-1] + np.cumsum([len(places) for places in columns], dtype=np.int32)
    limits = np.array([deviation + room * max(1.0, deviation) for deviation in reached])
    return replace(
        compiled,
        row_lower=np.concatenate([compiled.row_lower, np.full(len(reached), -np.inf)]),
        row_upper=np.concatenate([compiled.row_upper, limits]),
        starts=np.concatenate([compiled.starts, ends.astype(np.int32)]),
        columns=np.concatenate([compiled.columns, *columns]),
        values=np.concatenate([compiled.values, *values]),
    )


def _asking(question: CompiledModel, level: Level) -> CompiledModel:
    """Return the model with a level in place of the objective."""
    return replace(question, cost=level.weights, offset=0.0, sense=MINIMIZE)


class _Priorities:
    """One solve of a model with levels."""

    def __init__(self, solver: LXSolver, compiled: CompiledModel, options: SolverOptions, callbacks: Callbacks) -> None:
        self.solver, self.options, self.callbacks = solver, options, callbacks
        self.compiled = compiled
        self.levels = compiled.levels
        self.reached: list[float] = []  # by the levels solved so far
        self.plan: Floats | None = None  # that reaches them
        self.room = 0.0
        self.logs: list[str] = []
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the solve began."""
        return time.monotonic() - self._started

    # --- level by level -----------------------------------------------------------------------

    def lexicographic(self) -> LXSolution:
        """Miss the goals of each priority as little as possible, hold that, and then optimise the objective."""
        for level in self.levels:
            found = self._step(level)
            if not found.is_optimal:
                return self._ended_early(found)
            self._reach(level, found)
        found = self._step(None)
        if found.termination in _STOPPED and not found.has_plan:
            return self._ended_early(found)
        if self.compiled.is_mip and found.values is not None:
            decided = self._decided(found.values)
            if decided is not None:
                found.compiled = with_levels_held(self.compiled, decided)
        return found

    def _step(self, level: Level | None) -> LXSolution:
        """Solve for a level, or for the objective, with the levels before it held.

        They are held exactly where the solver can: else one level would buy a little of the next with its slack,
        and plans that differ by about the solver's tolerance would come and go.
        """
        for room in _ROOMS:
            if room < self.room:
                continue
            question = _held(self.compiled, self.reached, room)
            if level is None:
                found = self._ask(question, self.options.gap)
            else:
                found = self._ask(_asking(question, level), LEVEL_GAP, quiet=True)
                found.compiled = question
            if found.termination != INFEASIBLE or not self.reached:
                return found
            self.room = room
        found.termination = ERROR
        found.message = "The solver finds no plan that holds the goals reached so far, and there is one."
        return found

    def _reach(self, level: Level, found: LXSolution) -> None:
        """Take what a level reached: with whole decisions rounded, so that the plan that reaches it is a true one."""
        values = found.values
        assert values is not None
        decided = self._decided(values) if self.compiled.is_mip else None
        values = values if decided is None else decided
        self.plan = values
        before = [done.deviation(values) for done in self.levels[: len(self.reached)]]
        self.reached = [max(*pair) for pair in zip(self.reached, before, strict=True)]
        self.reached.append(max(level.deviation(values), 0.0))

    def _decided(self, values: Floats) -> Floats | None:
        """Return the best plan, by all levels, with the whole decisions rounded and held; None where there is none."""
        decided = replace(with_whole_decisions_held(self.compiled, values), goal_mode=LEXICOGRAPHIC)
        linear = _Priorities(HighsSolver(), decided, SolverOptions(), NO_CALLBACKS)
        for level in self.levels[: len(self.reached) + 1]:
            found = linear._step(level)
            if not found.is_optimal:
                return None
            linear._reach(level, found)
        return linear.plan

    def _ended_early(self, found: LXSolution) -> LXSolution:
        """Return a level's best plan, or that of the level before, as what the whole solve found."""
        values = found.values if found.has_plan else self.plan
        if values is None or found.termination not in _STOPPED:
            found.hold(None, None)
            found.objective_value = found.bound = None
            return found
        return self._as_plan(found, values)

    def _as_plan(self, found: LXSolution, values: Floats) -> LXSolution:
        """Return a plan with its objective, and the levels held at what it reaches; its bound is not known."""
        if self.compiled.is_mip:
            values = self._rounded_plan(values)
        held = with_levels_held(self.compiled, values)
        profit = float(held.cost @ values) + held.offset
        return LXSolution(
            held, found.solver, found.termination, values=values, objective_value=profit, message=found.message
        )

    def _rounded_plan(self, values: Floats) -> Floats:
        """Return the best plan with the whole decisions of a plan rounded and held; the plan itself where none is."""
        decided = with_whole_decisions_held(self.compiled, values)
        found = solve_by_priority(HighsSolver(), decided, SolverOptions(), NO_CALLBACKS)
        return values if found.values is None else found.values

    # --- all in one ---------------------------------------------------------------------------

    def weighted(self) -> LXSolution:
        """Optimise the objective less 10^(7 - priority) * weight * deviation, to an absolute gap in the objective.

        Penalties are large: a relative gap of theirs would be worth more than the objective. So is a whole
        decision that is not quite whole.
        """
        penalty = sum(10.0 ** (7 - level.priority) * level.weights for level in self.levels)
        sign = 1.0 if self.compiled.sense == MAXIMIZE else -1.0
        asked = replace(self.compiled, cost=self.compiled.cost - sign * penalty)
        if not asked.is_mip:
            return self._finished(self._ask(asked, None, quiet=True))
        relative = DEFAULT_GAP if self.options.gap is None else self.options.gap
        linear = HighsSolver().solve(relaxed(asked), SolverOptions(time_limit=self._left))
        absolute = self._wanted_gap(relative, linear.values)
        size = max(1.0, abs(linear.objective_value or 0.0))
        for _ in range(_MOST_TRIES):
            gap = 0.0 if "absolute_gap" in self.solver.features else max(absolute / size, _LEAST_GAP)
            found = self._ask(asked, gap, quiet=True, absolute_gap=absolute)
            if not found.is_optimal or found.values is None:
                break
            wanted = self._wanted_gap(relative, found.values)
            open_gap = absolute if found.bound is None else abs(found.bound - (found.objective_value or 0.0))
            if open_gap <= wanted:
                break
            absolute, self.plan = wanted, found.values
        return self._finished(found)

    def _wanted_gap(self, relative: float, values: Floats | None) -> float:
        profit = 0.0 if values is None else float(self.compiled.cost @ values) + self.compiled.offset
        return relative * max(1.0, abs(profit))

    def _finished(self, found: LXSolution) -> LXSolution:
        if found.has_plan and found.values is not None:
            return self._as_plan(found, found.values)
        found.objective_value = found.bound = None
        found.compiled = self.compiled
        return found

    # --- one solve ----------------------------------------------------------------------------

    @property
    def _left(self) -> float | None:
        """Seconds that are left; None without a limit."""
        limit = self.options.time_limit
        return None if limit is None else max(limit - self.seconds, 0.0)

    def _ask(self, question: CompiledModel, gap: float | None, *, quiet: bool = False, **more: Any) -> LXSolution:
        """Ask the solver one question, in the time that is left; beginning with the plan that there is."""
        left = self._left
        asked: dict[str, Any] = {"gap": gap, "start": self.plan, **more}
        if question.is_mip and self.options.integrality is None:
            asked["integrality"] = _INTEGRALITY
        known = {name: value for name, value in asked.items() if name in self.solver.features}
        limit = None if left is None else max(left, _LEAST_SECONDS)
        options = replace(self.options, time_limit=limit, **known)
        found = self.solver.solve(question, options, self._callbacks(quiet))
        self.logs.append(found.log)
        return found

    def _callbacks(self, quiet: bool) -> Callbacks:
        """Return the callbacks, with the seconds of the whole solve; a level's numbers are no objective."""
        report = self.callbacks.progress
        if report is None:
            return self.callbacks
        before = self.seconds

        def shown(progress: Progress) -> None:
            numbers: dict[str, Any] = {"objective": None, "bound": None} if quiet else {}
            report(replace(progress, seconds=before + progress.seconds, **numbers))

        return replace(self.callbacks, progress=shown)

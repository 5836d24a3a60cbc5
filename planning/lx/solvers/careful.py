"""Solvers whose words are not trusted: what they call infeasible or unbounded is looked at again."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np

from ..compile import CompiledModel, without_objective
from ..solution import ERROR, INFEASIBLE, INTERRUPTED, OPTIMAL, TIME_LIMIT, UNBOUNDED, LXSolution
from .base import NO_CALLBACKS, Callbacks, SolverOptions, best_alone, solve_without_entries

_BOXES = (1e8, 1e10)  # where bounds are put that a model does not have, to see whether it needs them


class CarefulSolver(ABC):
    """Asks a solver, and asks again in other words where its answer may be wrong."""

    features: frozenset[str]

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def answer(self, compiled: CompiledModel, options: SolverOptions, callbacks: Callbacks) -> LXSolution:
        """Return the solver's own answer. Every variable that stands in no row is fixed and not whole."""

    def solve(self, compiled: CompiledModel, options: SolverOptions, callbacks: Callbacks = NO_CALLBACKS) -> LXSolution:
        """Return what the solver finds."""
        if not len(compiled.values):  # CBC fails on free variables without any entry
            return solve_without_entries(compiled, self.name)
        started = time.monotonic()
        asked = _without_loose_columns(compiled)
        solution = self.answer(asked, options, callbacks)
        if solution.termination in (INFEASIBLE, UNBOUNDED, ERROR):
            solution = self._second_look(solution, options, callbacks, started)
        solution.compiled, solution.seconds = compiled, time.monotonic() - started
        gone = (compiled.cost != asked.cost).any()  # a variable without an end to what it brings
        if gone and solution.has_plan:
            return LXSolution(compiled, self.name, UNBOUNDED, seconds=solution.seconds, log=solution.log)
        return solution

    def _second_look(
        self, claimed: LXSolution, options: SolverOptions, callbacks: Callbacks, started: float
    ) -> LXSolution:
        """Return what is true of a model that the solver calls infeasible or unbounded.

        Is there any plan at all? Then, with every missing bound far away: does the best plan go there?
        """
        compiled = claimed.compiled
        questions = [(None, without_objective(compiled)), *((box, _boxed(compiled, box)) for box in _BOXES)]
        for box, question in questions:
            left = None if options.time_limit is None else options.time_limit - (time.monotonic() - started)
            if left is not None and left <= 0:
                return LXSolution(compiled, self.name, TIME_LIMIT, log=claimed.log)
            answer = self.answer(question, replace(options, time_limit=left), callbacks)
            if answer.termination in (TIME_LIMIT, INTERRUPTED):
                return LXSolution(compiled, self.name, answer.termination, log=answer.log)
            if box is None and answer.termination != OPTIMAL:
                claimed.termination = INFEASIBLE if answer.termination == INFEASIBLE else ERROR
                return claimed
            if box is not None and answer.values is not None and np.abs(answer.values).max() < box * 0.999:
                return answer
        claimed.termination = UNBOUNDED if answer.termination == OPTIMAL else ERROR
        return claimed


def _without_loose_columns(compiled: CompiledModel) -> CompiledModel:
    """Return the model with each variable that stands in no row held where it is best.

    CBC fails on free ones, or calls them optimal at 0, and refuses whole ones. One that is best without
    end gets cost 0.
    """
    loose = np.bincount(compiled.columns, minlength=compiled.column_count) == 0
    if not loose.any():
        return compiled
    best = best_alone(compiled)
    endless = loose & ~np.isfinite(best)
    held = np.where(endless, np.clip(0.0, compiled.lower, compiled.upper), best)
    return replace(
        compiled,
        cost=np.where(endless, 0.0, compiled.cost),
        lower=np.where(loose, held, compiled.lower),
        upper=np.where(loose, held, compiled.upper),
        integer=compiled.integer & ~loose,
    )


def _boxed(compiled: CompiledModel, box: float) -> CompiledModel:
    """Return the model with every missing bound at +-box."""
    lower = np.where(np.isinf(compiled.lower), -box, compiled.lower)
    return replace(compiled, lower=lower, upper=np.where(np.isinf(compiled.upper), box, compiled.upper))

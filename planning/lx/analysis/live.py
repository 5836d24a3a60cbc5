"""A solved model that trials are made on: on a live HiGHS where that can be, by a full solve elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..compile import empty_rows_that_fail
from ..model import LXModel
from ..optimizer import LXOptimizer
from ..solution import INFEASIBLE, LXSolution
from ..solvers.highs import HighsSession
from .trial import COLUMNS, COSTS, ROWS, Base, Delta, Trial


class LiveModel:
    """A model, compiled and solved once. A trial of a linear model costs a warm re-solve by HiGHS.

    Its changes stand until the next trial, which takes back what it does not set itself. Whole-number models,
    models with goals and other solvers solve the changed model from nothing.
    """

    def __init__(self, model: LXModel, optimizer: LXOptimizer[Any]) -> None:
        self.base = Base(model)
        self._optimizer = optimizer
        self._session: HighsSession | None = None
        self._baseline: LXSolution | None = None
        self._standing: list[Delta] = []  # what the live model has beyond the base

    @property
    def baseline(self) -> LXSolution:
        """The solution of the model as it is."""
        if self._baseline is None:
            self._baseline = self._first_solution()
        return self._baseline

    def solve(self, trial: Trial) -> LXSolution:
        """Return the solution of the base with the trial's changes in it, whatever was tried before."""
        baseline = self.baseline
        if trial.is_base:
            return baseline
        if self._session is None:
            return self._optimizer.solve(trial.compiled())
        self.take_back(trial.deltas)
        self._standing += trial.deltas
        for delta in trial.deltas:
            _tell(self._session, delta)
        return _explained(self._session.solve(trial.compiled))

    def take_back(self, but: Sequence[Delta] = ()) -> None:
        """Make the live model the base again, but for the places that are going to be set."""
        if self._session is not None:
            for delta in self._standing:
                if not any(delta.is_at(other) for other in but):
                    _tell(self._session, self.base.before(delta))
        self._standing = []

    def _first_solution(self) -> LXSolution:
        compiled, optimizer = self.base.compiled, self._optimizer
        if optimizer.solver != "highs" or compiled.is_mip or compiled.levels or not compiled.column_count:
            return optimizer.solve(compiled)
        self._session = HighsSession(compiled, optimizer.options, optimizer.callbacks)
        return _explained(self._session.solve())


def _tell(session: HighsSession, delta: Delta) -> None:
    """Make a change to the live model."""
    values = delta.values
    if delta.kind == ROWS:
        session.set_rows(delta.positions, values["row_lower"], values["row_upper"])
    elif delta.kind == COLUMNS:
        session.set_columns(delta.positions, values["lower"], values["upper"])
    elif delta.kind == COSTS:
        session.set_costs(delta.positions, values["cost"])
    else:
        session.set_entry(*delta.place, float(values["values"][0]))


def _explained(solution: LXSolution) -> LXSolution:
    """Return the solution; where a row without variables allows no plan, it says so."""
    if solution.termination == INFEASIBLE:
        solution.message = empty_rows_that_fail(solution.compiled) or solution.message
    return solution

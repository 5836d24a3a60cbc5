"""HiGHS for neighbours: linear models of the same rows and columns with other numbers."""

from __future__ import annotations

from typing import Any

from ..compile import CompiledModel
from ..solution import LXSolution
from .base import FEATURES, NO_CALLBACKS, Callbacks, SolverOptions
from .highs import ANSWERS, NAME, HighsSolver, new_highs, read_solution, set_option, suits_interior_point
from .watch import Watch

_FEWEST_STEPS, _STEPS = 200, 20  # of the simplex method, per so many rows; then interior point is faster from nothing


class WarmHighs:
    """Begins each linear model at the optimal basis of the first one of its shape, so that it is near its end.

    The first one, not the last one: the same model has the same answer, whatever was solved in between. A model
    with goals is several models, each of a shape of its own, and each has its own basis. A large model that is not
    near after all is solved from nothing.
    """

    name = NAME
    features = FEATURES

    def __init__(self) -> None:
        self._bases: dict[tuple[int, int], Any] = {}
        self._cold = HighsSolver()

    def begin_at(self, solution: LXSolution) -> None:
        """Begin models of the solution's shape at its basis, where HiGHS still has it."""
        if solution.live is not None:
            self._bases.setdefault(_shape(solution.compiled), solution.live.getBasis())

    def solve(self, compiled: CompiledModel, options: SolverOptions, callbacks: Callbacks = NO_CALLBACKS) -> LXSolution:
        """Return what HiGHS finds."""
        basis = None if compiled.is_mip else self._bases.get(_shape(compiled))
        if basis is None:
            found = self._cold.solve(compiled, options, callbacks)
            if found.is_optimal:
                self.begin_at(found)
            return found
        watch = Watch(callbacks)
        highs = new_highs(compiled, options)
        highs.setBasis(basis)
        if suits_interior_point(compiled):
            set_option(highs, "simplex_iteration_limit", max(_FEWEST_STEPS, compiled.row_count // _STEPS))
        watch.run(highs)
        if highs.getModelStatus() not in ANSWERS and not watch.stopped:
            return self._cold.solve(compiled, options, callbacks)
        solution = read_solution(highs, compiled, options, watch)
        solution.log = watch.log
        return solution


def _shape(compiled: CompiledModel) -> tuple[int, int]:
    return compiled.row_count, compiled.column_count

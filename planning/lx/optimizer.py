"""The door to the solvers."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Generic, TypeVar

from .compile import CompiledModel, compile_model
from .errors import LXSolverError
from .model import LXModel
from .solution import LXSolution
from .solvers import SolverOptions, make_solver
from .solvers.base import ProgressCallback, StopCallback

T = TypeVar("T")  # the row, for readers: `LXOptimizer[Product]()`


class LXOptimizer(Generic[T]):
    """Solves models: `LXOptimizer().use_solver("highs", time_limit=60).solve(model)`."""

    def __init__(self) -> None:
        self.solver = "highs"
        self.options = SolverOptions()

    def use_solver(self, name: str, **options: Any) -> LXOptimizer[T]:
        """Choose a solver, "highs" or "pulp:" and a name that PuLP knows, and options as in `SolverOptions`.

        Raises LXSolverError for a solver that is not there and an option that is unknown.
        """
        known = [field.name for field in fields(SolverOptions)]
        unknown = sorted(set(options) - set(known))
        if unknown:
            raise LXSolverError(f"Unknown option {unknown[0]!r}. Options are: {', '.join(known)}.")
        make_solver(name)
        self.solver, self.options = name, SolverOptions(**options)
        return self

    def solve(
        self,
        model: LXModel | CompiledModel,
        *,
        progress: ProgressCallback | None = None,
        stop: StopCallback | None = None,
    ) -> LXSolution:
        """Return the solution; infeasible, unbounded and time limit are results, not exceptions.

        `progress` is called now and then with a `Progress`; `stop` is asked, and True ends the solve
        with the best plan so far. Raises LXModelError for what is no model.
        """
        compiled = compile_model(model) if isinstance(model, LXModel) else model
        return make_solver(self.solver).solve(compiled, self.options, progress, stop)

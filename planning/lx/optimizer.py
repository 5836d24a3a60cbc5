"""The door to the solvers."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from typing import Any, Generic, TypeVar

from .compile import CompiledModel, compile_model, empty_rows_that_fail
from .errors import LXSolverError
from .model import LXModel
from .solution import INFEASIBLE, LXSolution
from .solvers import SolverOptions, make_solver
from .solvers.base import Callbacks, LogCallback, ProgressCallback, StopCallback
from .solvers.by_priority import solve_by_priority
from .solvers.registry import require

T = TypeVar("T")  # the row, for readers: `LXOptimizer[Product]()`


class LXOptimizer(Generic[T]):
    """Solves models, with HiGHS unless another solver is chosen.

        LXOptimizer().use_solver("highs").time_limit(60).gap(0.01).on_progress(show).solve(model)

    `use_solver` takes the options by name too: `use_solver("pulp:CBC", time_limit=60)`. What is set
    stays when another solver is chosen. A feature that the solver lacks raises LXUnsupportedError
    as soon as both are known.
    """

    def __init__(self) -> None:
        self.solver = "highs"
        self.options = SolverOptions()
        self.callbacks = Callbacks()
        self._backend = make_solver(self.solver)

    def use_solver(self, name: str, **options: Any) -> LXOptimizer[T]:
        """Choose a solver, "highs" or "pulp:" and a name that PuLP knows, and options as in `SolverOptions`.

        Raises LXSolverError for a solver that is not there and an option that is unknown or makes no
        sense, LXNotNowError for a solver that is not installed, LXUnsupportedError for what it lacks.
        """
        known = [field.name for field in fields(SolverOptions)]
        unknown = sorted(set(options) - set(known))
        if unknown:
            raise LXSolverError(f"Unknown option {unknown[0]!r}. Options are: {', '.join(known)}.")
        backend, asked = make_solver(name), replace(self.options, **options)
        require(backend, [*_given(asked), *_given(self.callbacks)])
        self.solver, self._backend, self.options = name, backend, asked
        return self

    def supports(self, feature: str) -> bool:
        """Whether the solver has a feature: an option, `progress`, `stop` or `log`."""
        return feature in self._backend.features

    def time_limit(self, seconds: float | None) -> LXOptimizer[T]:
        """End the solve after so many seconds of clock time, with the best plan so far."""
        return self._with(time_limit=seconds)

    def gap(self, relative: float | None) -> LXOptimizer[T]:
        """Call a plan optimal once it is proven to be this close to the best one: 0.01 is 1 %. Default 1e-4."""
        return self._with(gap=relative)

    def threads(self, count: int | None) -> LXOptimizer[T]:
        """Solve with so many threads."""
        return self._with(threads=count)

    def seed(self, seed: int | None) -> LXOptimizer[T]:
        """Set the seed of the solver's random choices: another one often takes another time."""
        return self._with(seed=seed)

    def log(self, write: LogCallback | None) -> LXOptimizer[T]:
        """Give the solver's own words to a function such as `sys.stdout.write`, line ends included.

        They come while it solves; `solution.log` holds all of them afterwards.
        """
        return self._calling(log=write)

    def on_progress(self, report: ProgressCallback | None) -> LXOptimizer[T]:
        """Call a function with a Progress now and then, at each better plan too.

        `progress.stop()` ends the solve and keeps the best plan. What the function raises, `solve` raises.
        """
        return self._calling(progress=report)

    def solve(
        self,
        model: LXModel | CompiledModel,
        *,
        progress: ProgressCallback | None = None,
        stop: StopCallback | None = None,
    ) -> LXSolution:
        """Return the solution; infeasible, unbounded and time limit are results, not exceptions.

        `stop` is asked now and then; True ends the solve as `progress.stop()` does. Raises LXModelError
        for what is no model.
        """
        if progress is not None and self.callbacks.progress is not None:
            raise LXSolverError("There are two progress callbacks: on_progress has one already. Give one of them.")
        callbacks = replace(self.callbacks, progress=progress or self.callbacks.progress, stop=stop)
        require(self._backend, _given(callbacks))
        compiled = compile_model(model) if isinstance(model, LXModel) else model
        solve = partial(solve_by_priority, self._backend) if compiled.levels else self._backend.solve
        solution = solve(compiled, self.options, callbacks)
        if solution.termination == INFEASIBLE:
            solution.message = empty_rows_that_fail(compiled) or solution.message
        return solution

    def _with(self, **option: Any) -> LXOptimizer[T]:
        asked = replace(self.options, **option)
        require(self._backend, _given(asked))
        self.options = asked
        return self

    def _calling(self, **callback: Any) -> LXOptimizer[T]:
        asked = replace(self.callbacks, **callback)
        require(self._backend, _given(asked))
        self.callbacks = asked
        return self


def _given(asked: SolverOptions | Callbacks) -> list[str]:
    """Return the names of what is asked for."""
    return [field.name for field in fields(asked) if getattr(asked, field.name) is not None]

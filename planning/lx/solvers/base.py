"""What every solver is given and gives back."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, Protocol

import numpy as np

from ..columns import Floats
from ..compile import CompiledModel
from ..errors import LXSolverError
from ..model import MAXIMIZE
from ..solution import INFEASIBLE, OPTIMAL, UNBOUNDED, LXSolution

DEFAULT_GAP = 1e-4
LARGEST_SEED = 2**31 - 1
FEATURES = frozenset(
    {"time_limit", "gap", "absolute_gap", "threads", "seed", "integrality", "start", "progress", "stop", "log"}
)


@dataclass(frozen=True)
class SolverOptions:
    """What a solver can be asked for. None leaves it to the solver; what it lacks is refused when it is asked for."""

    time_limit: float | None = None  # seconds
    gap: float | None = None  # relative, 1e-4 unless given; 0 asks for a full proof
    absolute_gap: float | None = None  # in the objective's unit; whichever gap is reached first ends the solve
    threads: int | None = None
    seed: int | None = None
    integrality: float | None = None  # how far a whole variable may be from a whole number
    start: Floats | None = field(default=None, repr=False, compare=False)  # values of a plan to begin with

    def __post_init__(self) -> None:
        _check("time_limit", self.time_limit, "a number of seconds from 0 on", Real, 0)
        _check("gap", self.gap, "a relative gap from 0 on, such as 0.01 for 1 %", Real, 0)
        _check("absolute_gap", self.absolute_gap, "a gap from 0 on, in the unit of the objective", Real, 0)
        _check("threads", self.threads, "a whole number from 1 on", Integral, 1)
        _check("seed", self.seed, f"a whole number from 0 to {LARGEST_SEED}", Integral, 0, LARGEST_SEED)
        _check("integrality", self.integrality, "a number from 1e-10 to 0.1", Real, 1e-10, 0.1)


def _check(name: str, value: Any, wanted: str, kind: type, low: float, high: float = sys.float_info.max) -> None:
    """Refuse an option that makes no sense, by its name."""
    number = isinstance(value, kind) and not isinstance(value, bool)
    if value is not None and not (number and low <= float(value) <= high):
        raise LXSolverError(f"{name} = {value!r} makes no sense. Give {wanted}, or None to leave it to the solver.")


@dataclass(frozen=True)
class Progress:
    """Where a solve stands: seconds since its start, the best plan so far and the bound, if there are any.

    `values` are those of a plan that was found just now (one per variable, in the compiled model's order), from
    solvers that tell; None in every other report.
    """

    seconds: float
    objective: float | None = None
    bound: float | None = None
    values: Floats | None = field(default=None, repr=False, compare=False)
    _stops: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)

    @property
    def gap(self) -> float | None:
        """|bound - objective| / max(1, |objective|); None without a plan or a bound."""
        if self.bound is None or self.objective is None:
            return None
        return abs(self.bound - self.objective) / max(1.0, abs(self.objective))

    def stop(self) -> None:
        """End the solve at the solver's next callback and keep the best plan so far.

        On large models that can be seconds away. A linear model that is stopped has no plan.
        """
        self._stops.set()


ProgressCallback = Callable[[Progress], object]
StopCallback = Callable[[], bool]
LogCallback = Callable[[str], object]


@dataclass(frozen=True)
class Callbacks:
    """What a solver calls while it solves. What one of them raises ends the solve and is raised by it."""

    progress: ProgressCallback | None = None
    stop: StopCallback | None = None  # asked now and then; True ends the solve with the best plan so far
    log: LogCallback | None = None  # gets the solver's own words, as they come


NO_CALLBACKS = Callbacks()


class LXSolver(Protocol):
    """A solver. `features` are the options and callbacks that it takes, by name."""

    name: str
    features: frozenset[str]

    def solve(self, compiled: CompiledModel, options: SolverOptions, callbacks: Callbacks) -> LXSolution:
        """Return what the solver finds."""
        ...


def solve_without_entries(compiled: CompiledModel, solver: str) -> LXSolution:
    """Return the solution of a model whose matrix is empty.

    Its rows hold or they don't, and every variable goes to the bound that its cost asks for.
    """
    if not (np.all(compiled.row_lower <= 1e-9) and np.all(compiled.row_upper >= -1e-9)):
        return LXSolution(compiled, solver, INFEASIBLE)
    values = best_alone(compiled)
    if not np.isfinite(values).all():
        return LXSolution(compiled, solver, UNBOUNDED)
    best = float(compiled.cost @ values) + compiled.offset
    duals = None if compiled.is_mip else np.zeros(compiled.row_count)
    return LXSolution(compiled, solver, OPTIMAL, values=values, objective_value=best, bound=best, row_duals=duals)


def best_alone(compiled: CompiledModel) -> Floats:
    """Return the value that is best for each variable where no row binds it; infinite where there is no end."""
    gain = compiled.cost if compiled.sense == MAXIMIZE else -compiled.cost
    nearest = np.clip(0.0, compiled.lower, compiled.upper)
    best: Floats = np.where(gain > 0, compiled.upper, np.where(gain < 0, compiled.lower, nearest))
    return best

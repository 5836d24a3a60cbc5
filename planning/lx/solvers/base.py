"""What every solver is given and gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ..columns import Floats
from ..compile import CompiledModel
from ..model import MAXIMIZE
from ..solution import INFEASIBLE, OPTIMAL, UNBOUNDED, LXSolution


@dataclass(frozen=True)
class SolverOptions:
    """Options that every solver knows. None leaves a choice to the solver (a time limit: none)."""

    time_limit: float | None = None  # seconds
    gap: float = 1e-4  # relative; 0 asks for a full proof
    threads: int | None = None
    seed: int | None = None
    integrality: float | None = None  # how far a whole variable may be from a whole number


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


ProgressCallback = Callable[[Progress], None]
StopCallback = Callable[[], bool]


class LXSolver(Protocol):
    """A solver: `stop` is asked now and then, and ends the solve with the best plan so far."""

    def solve(
        self,
        compiled: CompiledModel,
        options: SolverOptions,
        progress: ProgressCallback | None = None,
        stop: StopCallback | None = None,
    ) -> LXSolution:
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

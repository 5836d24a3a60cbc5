"""Solvers by name: `highs`, or `pulp:` and a name that PuLP knows; and which of them can do what."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import LXSolverError, LXUnsupportedError
from .base import LXSolver


def make_solver(name: str) -> LXSolver:
    """Return the solver of that name.

    Raises LXSolverError for one that is not there, LXNotNowError for one that is not installed.
    """
    if name == "highs":
        from .highs import HighsSolver

        return HighsSolver()
    kind, _, inner = name.partition(":")
    if kind == "pulp" and inner:
        from .cbc import CbcSolver
        from .pulp import PulpSolver, class_of

        solver = class_of(inner)
        return CbcSolver(name, solver) if CbcSolver.runs(solver) else PulpSolver(name, solver)
    raise LXSolverError(f'There is no solver "{name}". Use "highs", or "pulp:CBC" or another name that PuLP knows.')


def require(solver: LXSolver, features: Iterable[str]) -> None:
    """Raise LXUnsupportedError for a feature that the solver lacks, and name the installed solvers that have it."""
    for feature in features:
        if feature not in solver.features:
            having = ", ".join(_solvers_with(feature))
            raise LXUnsupportedError(
                f"{solver.name} does not support {feature}. Of the solvers installed here, these do: {having}."
            )


def _solvers_with(feature: str) -> list[str]:
    from .pulp import installed

    names = ["highs", "pulp:CBC", *(f"pulp:{name}" for name in installed())]
    return [name for name in names if feature in make_solver(name).features]

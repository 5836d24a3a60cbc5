"""Solvers by name: `highs`, or `pulp:` and a name that PuLP knows."""

from __future__ import annotations

from ..errors import LXSolverError
from .base import LXSolver


def make_solver(name: str) -> LXSolver:
    """Return the solver of that name; raises LXSolverError for one that is not there."""
    if name == "highs":
        from .highs import HighsSolver

        return HighsSolver()
    kind, _, inner = name.partition(":")
    if kind == "pulp" and inner:
        from .pulp import PulpSolver

        return PulpSolver(inner)
    raise LXSolverError(f'There is no solver "{name}". Use "highs", or "pulp:CBC" or another name that PuLP knows.')

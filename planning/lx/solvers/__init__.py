"""Solvers behind one small interface: HiGHS directly, and every solver that PuLP reaches."""

from .base import LogCallback, LXSolver, Progress, ProgressCallback, SolverOptions, StopCallback
from .registry import make_solver

__all__ = ["LXSolver", "LogCallback", "Progress", "ProgressCallback", "SolverOptions", "StopCallback", "make_solver"]

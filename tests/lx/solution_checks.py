"""What must be true of every solution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from planning.lx import INFEASIBLE, UNBOUNDED, LXModel, LXOptimizer, LXSolution


def solve(solver: str, model: LXModel, **options: Any) -> LXSolution:
    """Solve, and hold what must be true of every solution."""
    solution = LXOptimizer().use_solver(solver, **options).solve(model)
    check(solution)
    return solution


def check(solution: LXSolution) -> None:
    """A plan keeps every bound, row and whole number; its objective is its own; the bound is on the right side."""
    assert solution.has_plan or solution.objective_value is None
    if solution.termination in (INFEASIBLE, UNBOUNDED):
        assert not solution.has_plan
        assert solution.bound is None
        assert solution.gap is None
    if solution.values is None:
        assert not solution.is_optimal
        return
    compiled, values = solution.compiled, solution.values
    assert np.all(values >= compiled.lower - 1e-6)
    assert np.all(values <= compiled.upper + 1e-6)
    whole = values[compiled.integer]
    assert np.allclose(whole, np.rint(whole), rtol=0.0, atol=1e-5)
    rows = np.repeat(np.arange(compiled.row_count), np.diff(compiled.starts))
    activity = np.bincount(rows, compiled.values * values[compiled.columns], minlength=compiled.row_count)
    assert np.all(activity >= compiled.row_lower - 1e-5)
    assert np.all(activity <= compiled.row_upper + 1e-5)
    objective = float(compiled.cost @ values) + compiled.offset
    assert solution.objective_value == pytest.approx(objective, rel=1e-6, abs=1e-6)
    if solution.bound is not None:
        room = solution.bound - objective if compiled.sense == "maximize" else objective - solution.bound
        assert room >= -1e-6 * max(1.0, abs(objective))
        assert solution.gap == pytest.approx(abs(solution.bound - objective) / max(1.0, abs(objective)), abs=1e-9)

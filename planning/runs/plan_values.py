"""Which of equally good solutions a plan is read from."""

from __future__ import annotations

from typing import Any

from planning.formulation import waste
from planning.lx import LXSolution, least_of_the_best


def without_waste(linear: LXSolution) -> Any:
    """Return the values of an equally good plan that makes no more than it needs, where the one found does."""
    assert linear.values is not None
    weights = waste(linear.compiled, linear.values)
    leaner = None if weights is None else least_of_the_best(linear, weights)
    if (
        leaner is None
        or abs(float(linear.compiled.cost @ (leaner - linear.values)))
        > 1e-9 * abs(linear.objective_value or 0.0) + 1e-9
    ):
        return linear.values
    return leaner

"""Goals: constraints that may be missed, and what missing them costs, before the objective.

A goal gets deviation variables: `under` is missing on the left side, `over` is too much of it. They
are made when the model is compiled; the model itself stays as it was written.

    left side + under - over  (<=, >=, ==)  right side
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .columns import Floats
from .constraint import GE, LE, LXConstraint
from .errors import LXModelError
from .evaluate import numbers
from .index import named
from .variable import LXVariable

LEXICOGRAPHIC, WEIGHTED = "lexicographic", "weighted"
GOAL_MODES = {LEXICOGRAPHIC: LEXICOGRAPHIC, WEIGHTED: WEIGHTED, "sequential": LEXICOGRAPHIC}
UNDER, OVER = "under", "over"
_SIGNS = {UNDER: 1.0, OVER: -1.0}
_LARGEST_PRIORITY = 1_000_000


@dataclass(frozen=True, eq=False)
class Level:
    """The goals of one priority: the weight of each column of the compiled model, 0 for what is no deviation."""

    priority: int
    weights: Floats

    def deviation(self, values: Floats) -> float:
        """Return the sum of weight * deviation in the values of a solution."""
        return float(self.weights @ values)


@dataclass(frozen=True)
class Deviations:
    """One side's deviation variables of a goal, one for each of its constraints, and what they cost."""

    constraint: LXConstraint[Any]
    variable: LXVariable[Any, Any]
    sign: float  # of its entries in the constraint's rows
    priorities: npt.NDArray[np.int64]
    weights: Floats


def deviation_name(constraint: str, side: str) -> str:
    """Return the name of the deviation variables of a goal."""
    return f"{constraint}_{side}"


def deviations_of(constraints: list[LXConstraint[Any]]) -> list[Deviations]:
    """Return the deviations of every goal. Raises LXModelError for a priority or weight that makes no sense."""
    found = []
    for constraint in constraints:
        if constraint.goal_priority is None:
            continue
        priorities = goal_priorities(constraint)
        for side in _sides(constraint):
            variable: LXVariable[Any, Any] = LXVariable(deviation_name(constraint.name, side))
            if constraint.rows is None:
                variable.indexed_by(_no_key).from_data([None])
            else:
                assert constraint.index_function is not None
                variable.restore(constraint.rows, constraint.index_function)
            weights = goal_weights(constraint, side)
            found.append(Deviations(constraint, variable, _SIGNS[side], priorities, weights))
    return found


def _no_key(row: Any) -> None:
    """Return the key of a single constraint's deviation."""


def _sides(constraint: LXConstraint[Any]) -> list[str]:
    if constraint.sense == GE:
        return [UNDER]
    return [OVER] if constraint.sense == LE else [UNDER, OVER]


def goal_priorities(constraint: LXConstraint[Any]) -> npt.NDArray[np.int64]:
    """Return the priority of each constraint of a goal; 1 comes first."""
    values = _of_rows(constraint, constraint.goal_priority, "priority")
    bad = (values != np.rint(values)) | (values < 1) | (values > _LARGEST_PRIORITY)
    if bad.any():
        _refuse(constraint, int(np.flatnonzero(bad)[0]), "priority", values, "a whole number from 1 on")
    return values.astype(np.int64)


def goal_weights(constraint: LXConstraint[Any], side: str) -> Floats:
    """Return the weight of one unit of deviation on one side, for each constraint of a goal."""
    given = constraint.goal_weight_over if side == OVER else None
    values = _of_rows(constraint, constraint.goal_weight if given is None else given, "weight")
    if (values < 0).any():
        _refuse(constraint, int(np.flatnonzero(values < 0)[0]), "weight", values, "a number from 0 on")
    return values


def _of_rows(constraint: LXConstraint[Any], given: Any, what: str) -> Floats:
    if isinstance(given, np.ndarray):
        if given.shape != (len(constraint),):
            raise LXModelError(f"The {what} of {constraint.name} needs {len(constraint)} numbers; it has {given.size}.")
        return given
    if constraint.rows is None and callable(given):
        raise LXModelError(f"Constraint {constraint.name} is a single row: its {what} must be a number.")
    return numbers(
        given, [None] if constraint.rows is None else constraint.rows, what=f"The {what} of {constraint.name}"
    )


def _refuse(constraint: LXConstraint[Any], row: int, what: str, values: Floats, wanted: str) -> None:
    name = named(constraint.name, constraint.keys[row])
    raise LXModelError(f"Goal {name} has the {what} {values[row]:g}. Give {wanted}.")


def levels_of(deviations: list[Deviations], starts: list[int], column_count: int) -> tuple[Level, ...]:
    """Return the levels, the first priority first; `starts` are the deviations' first columns."""
    every = sorted({int(p) for found in deviations for p in np.unique(found.priorities)})
    levels = []
    for priority in every:
        weights = np.zeros(column_count)
        for found, start in zip(deviations, starts, strict=True):
            weights[start : start + len(found.weights)] = np.where(found.priorities == priority, found.weights, 0.0)
        levels.append(Level(priority, weights))
    return tuple(levels)

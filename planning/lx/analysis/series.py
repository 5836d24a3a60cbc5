"""A number of the model as a series of values, and what each leads to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import LXModelError
from ..index import EVERY
from .changes import NUMBERS, LXChange, change_of
from .live import LiveModel
from .results import LXPoint
from .trial import Trial

_STEPS = ("to", "by", "percent", "multiply")


def points(
    live: LiveModel,
    name: str,
    values: Iterable[float],
    *,
    of: str,
    how: str,
    key: Any = EVERY,
    after: Sequence[LXChange] = (),
) -> list[LXPoint]:
    """Return what each value of a right side, bound or cost leads to, `after` other changes.

    A value may leave the model as it is. Raises LXModelError before anything is solved.
    """
    for given, known in ((of, tuple(NUMBERS)), (how, _STEPS)):
        if given not in known:
            raise LXModelError(f"{name}: {given!r} is unknown. Give one of {', '.join(known)}.")
    changes = [change_of(NUMBERS[of], name, {how: value}, key=key) for value in values]
    if not changes:
        raise LXModelError(f"{name}: the series has no values.")
    trials = [Trial(live.base, [*after, change], may_stay=True) for change in changes]
    found = [(change.amount, live.solve(trial)) for change, trial in zip(changes, trials, strict=True)]
    return [
        LXPoint(value, math.nan if solution.objective_value is None else solution.objective_value, solution)
        for value, solution in found
    ]


def evenly_spaced(low: float, high: float, count: int) -> list[float]:
    """Return so many values from the least to the largest, both included."""
    if count < 2 or not low < high:
        raise LXModelError(f"A series from {low:g} to {high:g} in {count} points: give two points or more, upwards.")
    return [float(value) for value in np.linspace(low, high, count)]

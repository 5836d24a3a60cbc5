"""What changes bring: differences, and who comes first in the model's sense."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from ..index import named
from ..model import MAXIMIZE
from ..solution import UNBOUNDED, LXSolution
from .changes import LXChange


@dataclass(frozen=True)
class LXWhatIfResult:
    """Changes and what they bring. Differences to or from a case without a plan are nan; as text it says why."""

    description: str
    original: LXSolution
    new: LXSolution
    changes: tuple[LXChange, ...] = ()

    @property
    def delta_objective(self) -> float:
        """The new objective minus the original one."""
        return difference(self.original, self.new)

    @property
    def delta_percentage(self) -> float:
        """The difference in percent of the original objective's size; nan where that is 0."""
        return percentage(self.original, self.new)

    @property
    def improvement(self) -> float:
        """The difference in the model's sense: above 0 is better, also when minimising; inf where plans have no end."""
        if self.original.has_plan and self.new.termination == UNBOUNDED:
            return math.inf
        return sign_of(self.original) * self.delta_objective + 0.0  # no -0.0

    def __str__(self) -> str:
        ends = [
            f"{which} case ended as {solution.termination}"
            for which, solution in (("the original", self.original), ("the changed", self.new))
            if not solution.has_plan
        ]
        if ends:
            return f"{self.description}: no difference, because {' and '.join(ends)}"
        change = self.improvement
        word = "better" if change > 0 else "worse" if change < 0 else "as good"
        return f"{self.description}: {_amount(self.delta_objective)} ({word})"


@dataclass(frozen=True)
class LXBottleneck:
    """A constraint whose looser right side brings something."""

    name: str
    key: Hashable  # None for a single constraint
    relief: float  # what each unit brings in the model's sense: above 0, also in a minimisation
    result: LXWhatIfResult

    def __str__(self) -> str:
        return f"{named(self.name, self.key)}: {_amount(self.relief)} a unit"


class LXPoint(NamedTuple):
    """A value of a series and what it leads to; the objective is nan where there is no plan."""

    value: float
    objective: float
    solution: LXSolution


def sign_of(solution: LXSolution) -> float:
    """Return 1 where more is better, -1 where less is."""
    return 1.0 if solution.compiled.sense == MAXIMIZE else -1.0


def difference(original: LXSolution, new: LXSolution) -> float:
    """Return the new objective minus the original one; nan where one of them has no plan."""
    before, after = original.objective_value, new.objective_value
    return math.nan if before is None or after is None else after - before


def percentage(original: LXSolution, new: LXSolution) -> float:
    """Return the difference in percent of the original objective's size; nan where that is 0 or not there."""
    before = original.objective_value
    return math.nan if not before else 100.0 * difference(original, new) / abs(before)


def rank(solution: LXSolution, sign: float) -> tuple[int, float]:
    """Return what sorts the best solution to the front: without end, then by objective, then without a plan.

    `sign` is 1 where more is better, -1 where less is.
    """
    if solution.objective_value is None:
        return (0 if solution.termination == UNBOUNDED else 2), 0.0
    return 1, -sign * solution.objective_value


def _amount(number: float) -> str:
    """Return a difference with its sign, to be read by people."""
    return f"{number:+.2f}" if abs(number) >= 1 else f"{number:+.3g}"

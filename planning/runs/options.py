"""What can be asked of a run."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.conf import settings

from planning.lx import LXSolverError, make_solver

BY_HAND = "by_hand"  # in place of a solver: rules that a planner could follow
FOUND_NONE = "No plan was found by hand."  # begins the reason of a run in which they fail


class BadOptions(ValueError):
    """An option that no run can have, in words."""


@dataclass(frozen=True)
class RunOptions:
    """Time limit in seconds, relative gap, and the solver: `highs`, or `pulp:` and a name that PuLP knows.

    With `by_hand` no solver is asked: the plan is made by rules (`planning.by_hand`), to measure others against.
    """

    time_limit: float = float(settings.PLANNING["DEFAULT_TIME_LIMIT"])
    gap: float = float(settings.PLANNING["DEFAULT_GAP"])
    solver: str = "highs"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.time_limit) and self.time_limit > 0):
            raise BadOptions(f"The time limit is {self.time_limit:g} s. Give a number of seconds above 0.")
        if not 0 <= self.gap < 1:
            raise BadOptions(f"The gap is {self.gap:g}. Give a fraction from 0 to below 1, such as 0.0001 for 0.01 %.")
        if self.solver == BY_HAND:
            return
        try:
            make_solver(self.solver)
        except LXSolverError as error:
            raise BadOptions(str(error)) from error

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> RunOptions:
        """Return the options that are stored with a run. Raises BadOptions for those of another version."""
        unknown = stored.keys() - {field.name for field in fields(cls)}
        if unknown:
            names = ", ".join(sorted(unknown))
            raise BadOptions(f"This version of the program does not know the options {names}. Run the scenario again.")
        return cls(**stored)

    def as_dict(self) -> dict[str, Any]:
        """Return the options as they are stored with the run."""
        return asdict(self)

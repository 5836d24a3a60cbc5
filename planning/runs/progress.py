"""How far a run is: its stage, the best plan and the bound, and both over time, small enough to keep on the run."""

from __future__ import annotations

from typing import Any

RUNNING, WRITING = "running", "writing"
_MOST_POINTS = 160


class Trail:
    """Best plan and bound over the seconds of a run. When it grows long, every second of its older points goes."""

    def __init__(self) -> None:
        self.stage = RUNNING
        self.best: float | None = None
        self.bound: float | None = None
        self.points: list[list[float | None]] = []
        self.changed = True  # since it was last written

    def add(self, seconds: float, best: float | None, bound: float | None) -> None:
        """Take what a solver said; a blank says nothing new."""
        best, bound = (self.best if best is None else best), (self.bound if bound is None else bound)
        if (best, bound) == (self.best, self.bound):
            return
        self.best, self.bound, self.changed = best, bound, True
        self.points.append([round(seconds, 2), best, bound])
        if len(self.points) > _MOST_POINTS:
            self.points = [*self.points[:-1:2], self.points[-1]]

    def enter(self, stage: str) -> None:
        """Begin the next stage."""
        self.stage, self.changed = stage, True

    def as_dict(self, seconds: float) -> dict[str, Any]:
        """Return what is kept on the run; `seconds` have passed by the clock of the process that watches."""
        return {
            "stage": self.stage,
            "seconds": round(seconds, 2),
            "best": self.best,
            "bound": self.bound,
            "trail": self.points,
        }

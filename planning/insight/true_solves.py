"""What-ifs that were solved truly: runs of their own, whole decisions free, and what is certain of their difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from planning.models import Run, RunSet
from planning.runs import StartedSet, start_variations_of

from .levers import Lever
from .words import number

TRUE = "true_solve"  # the kind of a set's subject
_SETS_SHOWN = 5


@dataclass(frozen=True)
class TrueSolve:
    """One value that was solved, against the run that it started from."""

    base: Run
    run: Run
    sentence: str

    @property
    def effect(self) -> str:
        """What it brings, in words; between which bounds the true difference lies where a gap is left."""
        run, base = self.run, self.base
        if run.is_open:
            return "is being solved"
        if run.objective is None or base.objective is None:
            return f"finds no plan: {run.reason or run.get_state_display()}"
        said = _money(run.objective - base.objective, run.currency)
        if run.bound is None or base.bound is None:
            return f"{said} (true re-solve; how near the best plans these two are is not known)"
        low, high = run.objective - base.bound, run.bound - base.objective
        if high - low <= 1e-6 * max(1.0, abs(base.objective)):
            return f"{said} (true re-solve)"
        return f"{said} (true re-solve; by the gaps between {number(low)} and {number(high)})"


def _money(gained: float, currency: str) -> str:
    if abs(gained) < 0.005:
        return "the same profit"
    return f"{number(abs(gained))} {currency} {'more' if gained > 0 else 'less'} profit"


@dataclass(frozen=True)
class TrueSolves:
    """Values of one number that were solved together."""

    run_set: RunSet
    sentence: str
    solves: tuple[TrueSolve, ...]

    @property
    def is_open(self) -> bool:
        """Whether one has still to end."""
        return any(one.run.is_open for one in self.solves)


def solve_truly(run: Run, lever: Lever, values: Sequence[float], *, user: Any = None, here: bool = False) -> StartedSet:
    """Start a run of each value of the lever, from the data that the run was solved with.

    Raises BadVariations for values that the data do not allow, and what `start_variations_of` does.
    """
    now = lever.in_words(lever.now)
    return start_variations_of(
        run=run,
        variations=[[lever.change(value)] for value in values],
        name=f"True re-solves of run {run.pk}: {lever.row}",
        about=f"{lever.name}: " + ", ".join(map(lever.in_words, values)) + f" instead of {now}",
        subject={
            "kind": TRUE,
            "row": lever.row,
            "period": lever.period,
            "sentence": f"{lever.name}, {now} in this run",
            "values": [lever.in_words(value) for value in values],
        },
        user=user,
        here=here,
    )


def true_solves(run: Run) -> list[TrueSolves]:
    """Return what was solved truly for a run, the latest first."""
    found = []
    for run_set in run.tried_sets.filter(subject__kind=TRUE).order_by("-id")[:_SETS_SHOWN]:
        about: dict[str, Any] = run_set.subject or {}
        runs = run_set.runs.order_by("id")
        solves = tuple(TrueSolve(run, one, str(words)) for one, words in zip(runs, about["values"], strict=False))
        found.append(TrueSolves(run_set, str(about["sentence"]), solves))
    return found

"""Why something is short, late or not made: what a plan leaves undone, each with what stands in its way."""

from __future__ import annotations

from dataclasses import dataclass

from planning.models import Run

from .explain import Explainer
from .needs import Needs
from .reasons import Reason
from .solved_plan import solved_plan
from .subjects import Subject, subjects


@dataclass(frozen=True)
class Shortfall:
    """One thing that is undone, with its reasons."""

    subject: Subject
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Shortfalls:
    """What a plan leaves undone: those that are explained, and how many there are in all."""

    explained: tuple[Shortfall, ...]
    total: int


def shortfalls(run: Run, most: int | None = None) -> Shortfalls:
    """Return what a run's plan leaves undone and why, the first `most` of it explained.

    Read from the run's copy and its stored rows, with a number of queries that does not grow. Raises
    NoSolvedData where the run has no plan or its copy is gone.
    """
    plan = solved_plan(run)
    found = subjects(run, plan)
    if not found:
        return Shortfalls((), 0)
    explainer = Explainer(Needs(run, plan), run.currency, run.units, proven=run.proven)
    explained = tuple(Shortfall(subject, tuple(explainer.reasons(subject))) for subject in found[:most])
    return Shortfalls(explained, len(found))

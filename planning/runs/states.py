"""The life of a run. Nothing else writes a run's state.

    queued -> running -> solved | infeasible | unbounded | no_plan | stopped | failed
    queued -> stopped | failed

Each move is a compare-and-set on (state, attempt): two processes can't make the same move.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from planning.models import Run

State = Run.State
_MOVES: dict[str, frozenset[str]] = {
    State.QUEUED: frozenset({State.RUNNING, State.STOPPED, State.FAILED}),
    State.RUNNING: frozenset(
        {State.SOLVED, State.INFEASIBLE, State.UNBOUNDED, State.NO_PLAN, State.STOPPED, State.FAILED, State.STOPPING}
    ),
    State.STOPPING: frozenset(
        {State.SOLVED, State.INFEASIBLE, State.UNBOUNDED, State.NO_PLAN, State.STOPPED, State.FAILED}
    ),
}


class LostRun(Exception):
    """The run is no longer this attempt's: it has moved on, and nothing was written."""


def move(run_id: int, attempt: int, sources: tuple[str, ...], target: str, **values: Any) -> None:
    """Move a run from one of `sources` to `target`, writing `values` with it. Raises LostRun if it is elsewhere."""
    for source in sources:
        if target not in _MOVES.get(source, frozenset()):
            raise ValueError(f"A run can't move from {source} to {target}.")
    if target == State.RUNNING:
        values.setdefault("started_at", timezone.now())
    elif target != State.STOPPING:
        values.setdefault("finished_at", timezone.now())
    moved = Run.objects.filter(pk=run_id, attempt=attempt, state__in=sources).update(state=target, **values)
    if moved != 1:
        raise LostRun(f"Run {run_id} is not {' or '.join(sources)} in attempt {attempt} any more.")

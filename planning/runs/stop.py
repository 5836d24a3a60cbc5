"""Stopping a run: once keeps the best plan found so far, twice aborts. A run that waits ends at once."""

from __future__ import annotations

from planning.models import Run

from .runners import look_after
from .states import LostRun, State, ask_to_stop, move


def stop_run(run: Run, who: str) -> Run:
    """Ask for a stop in the name of `who` and return the run as it stands then; an ended one is left alone."""
    for _ in range(5):  # it may move while it is looked at
        run.refresh_from_db()
        try:
            if run.state == State.QUEUED:
                reason = f"Stopped by {who} before it began."
                move(run.pk, run.attempt, (State.QUEUED,), State.STOPPED, who=who, reason=reason)
            elif run.is_open and run.stop_requests < 2:
                ask_to_stop(run.pk, run.attempt, run.stop_requests + 1, who)
            break
        except LostRun:
            continue
    run.refresh_from_db()
    return look_after(run)


def queue_position(run: Run) -> int:
    """Return the place of a queued run in its queue, 1 for the next; 0 where it does not wait."""
    if run.state != State.QUEUED:
        return 0
    return Run.objects.filter(state=State.QUEUED, pk__lte=run.pk).count()

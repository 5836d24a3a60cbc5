"""Stopping a run or a set: once keeps the best plan found so far, twice aborts. A run that waits ends at once."""

from __future__ import annotations

from django.db.models import Q

from planning.models import Run, RunSet

from .runners import look_after
from .states import LostRun, State, ask_to_stop, move, stop_waiting


def stop_run(run: Run, who: str) -> Run:
    """Ask for a stop in the name of `who` and return the run as it stands then; an ended one is left alone."""
    _ask(run, who)
    return look_after(run)


def stop_set(*, run_set: RunSet, who: str) -> None:
    """Stop every run of a set that has not ended: those that wait end at once, the others are asked as by `stop_run`.

    Those that wait go first, so that no process takes one of them instead of the run that it was asked to stop.
    """
    stop_waiting(run_set.pk, who)
    for run in Run.objects.filter(run_set=run_set, state__in=Run.OPEN_STATES).order_by("id"):
        _ask(run, who)
        look_after(run)


def _ask(run: Run, who: str) -> None:
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


def queue_position(run: Run) -> int:
    """Return the place of a queued run in its queue, 1 for the next; 0 where it does not wait."""
    if run.state != State.QUEUED:
        return 0
    waiting = Run.objects.filter(state=State.QUEUED)
    ahead = Q(run_set__isnull=True) if run.run_set_id is not None else Q(pk__in=[])
    mine = Q(run_set__isnull=run.run_set_id is None, pk__lte=run.pk)
    return waiting.filter(ahead | mine).count()

"""Who executes runs: child processes of this machine, or the workers of the queue. Either is told of numbers only."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from redis.exceptions import RedisError

from planning.models import Run

from . import local
from .states import SILENCE, UNDER_WAY, LostRun, State, lost, move, note, recent, silent, this_process

logger = logging.getLogger("planning.runs")
GONE = f"gave no sign of life for {SILENCE:.0f} s"
UNREACHABLE = "The queue can't be reached, so no worker knows of the run yet. It is sent as soon as the queue answers."


def launch(run_id: int) -> None:
    """Give a queued run to the runner of this site and return at once; where that fails, the run says so and waits."""
    if settings.PLANNING["RUNNER"] == "rq":
        send_waiting(run_id)
    else:
        local.start_waiting()


def launch_waiting() -> None:
    """Give every queued run that no process knows of to the runner of this site."""
    if settings.PLANNING["RUNNER"] == "rq":
        send_waiting()
    else:
        local.start_waiting()


def send_waiting(run_id: int | None = None) -> None:
    """Put runs into the queue that were not sent or whose job is gone: all, or one.

    Of a set no more are sent than there are workers: who executes one goes on with those that were not sent.
    """
    from .queue import known_jobs, send  # without a queue nothing of it is loaded

    waiting = Run.objects.filter(state=State.QUEUED).order_by("id")
    waiting = waiting.filter(pk=run_id) if run_id is not None else waiting.exclude(recent("sent_at"))
    runs = list(waiting.only("id", "attempt", "options", "sent_at", "run_set"))
    try:
        known = known_jobs() if any(run.sent_at for run in runs) else set()
        unknown = [run for run in runs if (run.pk, run.attempt) not in known]
        for run in _without_the_rest_of_sets(unknown):
            send(run)
            Run.objects.filter(pk=run.pk, attempt=run.attempt, state=State.QUEUED).update(sent_at=Now(), reason="")
    except RedisError as error:
        logger.error("The queue can't be reached; %s runs wait for it: %s", len(runs), error)
        for run in runs:
            if run.sent_at is None:
                note(run.pk, run.attempt, UNREACHABLE)


def _without_the_rest_of_sets(runs: list[Run]) -> list[Run]:
    """Return the runs to send now: of each set as many as there are workers beyond those that have one of it."""
    from .queue import worker_count

    sets = {run.run_set_id for run in runs if run.run_set_id is not None}
    if not sets:
        return runs
    workers = max(worker_count(), 1)
    chosen, numbers = [], {run.pk for run in runs}
    taken = Q(state__in=UNDER_WAY) | Q(state=State.QUEUED, sent_at__isnull=False)
    sent = Run.objects.filter(taken, run_set__in=sets).exclude(pk__in=numbers)
    room: Counter[int | None] = Counter(dict.fromkeys(sets, workers))
    room.subtract(sent.values_list("run_set", flat=True))
    for run in runs:
        if run.run_set_id is None or room[run.run_set_id] > 0:
            chosen.append(run)
            room[run.run_set_id] -= 1
        elif run.sent_at is not None:  # its job is gone: it is free for who works on the set
            Run.objects.filter(pk=run.pk, attempt=run.attempt, state=State.QUEUED).update(sent_at=None)
    return chosen


def take_next(run_set_id: int, at_once: int | None = None) -> tuple[int, int] | None:
    """Claim a run of the set that waits and that nobody was sent, for this process; return (run, attempt).

    Child processes of this machine are `at_once` at most, by default as the setting says.
    """
    if settings.PLANNING["RUNNER"] == "local":
        return local.take_next(run_set_id, at_once)
    waiting = Run.objects.filter(run_set=run_set_id, state=State.QUEUED, sent_at__isnull=True).order_by("id")
    while (first := waiting.values_list("id", "attempt").first()) is not None:
        try:
            move(*first, (State.QUEUED,), State.RUNNING, worker=this_process())
        except LostRun:
            continue  # another process was faster
        return first
    return None


def hands() -> int:
    """Return how many runs this site executes at once: 0 where a queue has no worker, or can't be reached."""
    if settings.PLANNING["RUNNER"] == "local":
        return int(settings.PLANNING["LOCAL_RUNS"])
    from .queue import worker_count

    try:
        return worker_count()
    except RedisError as error:
        logger.error("The queue can't be reached: %s", error)
        return 0


def reconcile() -> list[int]:
    """Find runs whose process is gone and runs that no runner knows of, and set both going again; return the former.

    Each move is made once, however many processes reconcile at the same time.
    """
    gone = list(Run.objects.filter(silent()).values_list("id", "attempt"))
    for run_id, attempt in gone:
        lost(run_id, attempt, GONE)
    launch_waiting()
    return [run_id for run_id, _ in gone]


def look_after(run: Run) -> Run:
    """Return the run as it stands: where its process was silent for long, nobody who looks waits for a timer.

    Without a queue there may be no timer at all, so a run that waits for long is looked after too.
    """
    forgotten = Q(state=State.QUEUED, created_at__lt=Now() - timedelta(seconds=SILENCE)) & ~recent("sent_at")
    local_runner = settings.PLANNING["RUNNER"] == "local"
    if Run.objects.filter(silent() | forgotten if local_runner else silent(), pk=run.pk).exists():
        if run.state != State.QUEUED:
            lost(run.pk, run.attempt, GONE)
        launch_waiting()
        run.refresh_from_db()
    return run

"""The life of a run. Nothing else writes a run's state.

    queued -> running -> solved | infeasible | unbounded | no_plan | stopped | failed
    running -> stopping -> any of these ends
    queued -> stopped | failed
    running -> queued, in the next attempt: its process is gone, or was asked to end
    queued -> queued, in the next attempt: its process died before it began

Each move is a compare-and-set on (state, attempt): two processes can't make the same move. What moved,
when, by whom and why is kept beside the run, in the same transaction.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from planning.models import Run, RunMove

logger = logging.getLogger("planning.runs")
State = Run.State
UNDER_WAY = (State.RUNNING, State.STOPPING)
SILENCE = 60.0  # seconds without a sign of life after which a process counts as gone
_ENDS = frozenset({State.SOLVED, State.INFEASIBLE, State.UNBOUNDED, State.NO_PLAN, State.STOPPED, State.FAILED})
_MOVES: dict[str, frozenset[str]] = {
    State.QUEUED: frozenset({State.RUNNING, State.STOPPED, State.FAILED, State.QUEUED}),
    State.RUNNING: _ENDS | {State.STOPPING, State.QUEUED},
    State.STOPPING: _ENDS,
}


class LostRun(Exception):
    """The run is no longer this attempt's: it has moved on, and nothing was written."""


def process_name(pid: int) -> str:
    """Return the name of a process of this host among all hosts: host:pid."""
    return f"{socket.gethostname()}:{pid}"


def this_process() -> str:
    """Return the name of this process among all hosts."""
    return process_name(os.getpid())


def move(
    run_id: int, attempt: int, sources: tuple[str, ...], target: str, *, who: str | None = None, **values: Any
) -> None:
    """Move a run from one of `sources` to `target`, writing `values` with it. Raises LostRun if it is elsewhere.

    A move back to queued begins the next attempt.
    """
    for source in sources:
        if target not in _MOVES.get(source, frozenset()):
            raise ValueError(f"A run can't move from {source} to {target}.")
    values |= _dates(target, values)
    with transaction.atomic():
        open_run = Run.objects.filter(pk=run_id, attempt=attempt, state__in=sources)
        if open_run.update(state=target, **values) != 1:
            raise LostRun(f"Run {run_id} is not {' or '.join(sources)} in attempt {attempt} any more.")
        record(run_id, target, attempt + (target == State.QUEUED), who, str(values.get("reason", "")))


def record(run_id: int, state: str, attempt: int, who: str | None, reason: str) -> None:
    """Keep a move beside the run."""
    who = who or this_process()
    RunMove.objects.create(run_id=run_id, state=state, attempt=attempt, who=who, reason=reason)
    said = f": {reason}" if reason else ""
    facts = {"run": run_id, "attempt": attempt}
    logger.info("run %s: %s (attempt %s, %s)%s", run_id, state, attempt, who, said, extra=facts)


def record_queued(runs: Sequence[Run], who: str | None) -> None:
    """Keep beside each of many new runs that it was queued."""
    who = who or this_process()
    RunMove.objects.bulk_create(RunMove(run=run, state=State.QUEUED, attempt=run.attempt, who=who) for run in runs)
    logger.info("%s runs: queued (%s)", len(runs), who)


def stop_waiting(run_set_id: int, who: str) -> int:
    """Stop every run of a set that waits, at once; return how many there were."""
    reason = f"Stopped by {who} before it began."
    with transaction.atomic():
        waiting = Run.objects.select_for_update().filter(run_set=run_set_id, state=State.QUEUED)
        runs = dict(waiting.order_by("id").values_list("id", "attempt"))
        values = {"state": State.STOPPED, "reason": reason} | _dates(State.STOPPED, {})
        Run.objects.filter(pk__in=runs, state=State.QUEUED).update(**values)
        RunMove.objects.bulk_create(
            RunMove(run_id=run_id, state=State.STOPPED, attempt=attempt, who=who, reason=reason)
            for run_id, attempt in runs.items()
        )
    logger.info("set %s: %s waiting runs stopped (%s)", run_set_id, len(runs), who)
    return len(runs)


def _dates(target: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return what each move writes with it."""
    if target == State.RUNNING:
        return {"started_at": Now(), "heartbeat_at": Now()}
    if target == State.QUEUED:
        fresh: dict[str, Any] = {
            "started_at": None,
            "heartbeat_at": None,
            "sent_at": None,
            "progress": {},
            "worker": "",
        }
        return fresh | {"attempt": F("attempt") + 1}
    if target in _ENDS:
        return {"finished_at": values.get("finished_at", Now())}
    return {}


def beat(run_id: int, attempt: int, progress: dict[str, Any]) -> int:
    """Write a sign of life with the progress; return how often a stop was asked for. Raises LostRun."""
    mine = Run.objects.filter(pk=run_id, attempt=attempt, state__in=UNDER_WAY)
    if mine.update(heartbeat_at=Now(), progress=progress) != 1:
        raise LostRun(f"Run {run_id} is not attempt {attempt}'s any more.")
    return stop_requests(run_id, attempt)


def stop_requests(run_id: int, attempt: int) -> int:
    """Return how often a stop was asked for. Raises LostRun where the run is not this attempt's any more."""
    mine = Run.objects.filter(pk=run_id, attempt=attempt, state__in=UNDER_WAY)
    asked: int | None = mine.values_list("stop_requests", flat=True).first()
    if asked is None:
        raise LostRun(f"Run {run_id} is not attempt {attempt}'s any more.")
    return asked


def ask_to_stop(run_id: int, attempt: int, times: int, who: str) -> None:
    """Ask a run under way to stop: once keeps its best plan, twice aborts. Raises LostRun."""
    with transaction.atomic():
        mine = Run.objects.filter(pk=run_id, attempt=attempt, state__in=UNDER_WAY, stop_requests__lt=times)
        if mine.update(state=State.STOPPING, stop_requests=times) != 1:
            raise LostRun(f"Run {run_id} is not under way in attempt {attempt} any more, or was asked before.")
        reason = "Asked to stop with the best plan found." if times == 1 else "Asked to abort without a plan."
        record(run_id, State.STOPPING, attempt, who, reason)


def note(run_id: int, attempt: int, reason: str) -> None:
    """Say why a queued run waits; it counts as not sent."""
    Run.objects.filter(pk=run_id, attempt=attempt, state=State.QUEUED).update(reason=reason, sent_at=None)


def recent(field: str) -> Q:
    """Whether a time of the run lies less than SILENCE back. One ahead does not: the clock was set back since."""
    span = timedelta(seconds=SILENCE)
    return Q((f"{field}__gte", Now() - span), (f"{field}__lte", Now() + span))


def silent() -> Q:
    """Whether a run is under way and its process gave no sign of life for too long."""
    return Q(state__in=UNDER_WAY) & ~recent("heartbeat_at")


def lost(run_id: int, attempt: int, how: str, worker: str | None = None) -> None:
    """Give an open run whose process is gone to the next attempt, or end it with the reason.

    A run that has ended is left alone, and so is one that another process than `worker` has claimed. `how`
    says what became of the process: "was killed by signal 9".
    """
    run = Run.objects.filter(pk=run_id, attempt=attempt, state__in=Run.OPEN_STATES).first()
    if run is None or (worker is not None and run.worker not in ("", worker)):
        return
    most = settings.PLANNING["MAX_ATTEMPTS"]
    died = run.deaths + 1  # attempts that were handed back for another process are not counted
    what = f"Its process{f' ({run.worker})' if run.worker else ''} {how}"
    try:
        if run.state == State.STOPPING:
            move(run_id, attempt, (State.STOPPING,), State.STOPPED, reason=f"{what} after it was asked to stop.")
        elif died >= most:
            reason = f"{what}, in attempt {died} of {most}."
            move(run_id, attempt, (run.state,), State.FAILED, reason=reason, deaths=died)
        elif run.state == State.RUNNING:
            reason = f"{what}, in attempt {died} of {most}. The run waits for another process."
            move(run_id, attempt, (State.RUNNING,), State.QUEUED, reason=reason, deaths=died)
        else:
            reason = f"{what} before it began, in attempt {died} of {most}. The run waits for another process."
            move(run_id, attempt, (State.QUEUED,), State.QUEUED, reason=reason, deaths=died)
    except LostRun as error:
        logger.info("%s", error)  # somebody was faster


def lost_with(worker: str, how: str) -> None:
    """Give the runs that a process was executing when it died to their next attempts."""
    for run_id, attempt in Run.objects.filter(worker=worker, state__in=UNDER_WAY).values_list("id", "attempt"):
        lost(run_id, attempt, how, worker)

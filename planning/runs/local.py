"""The local runner: child processes of this machine, a bounded number at once, and no queue but the database."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from planning.logs import saying
from planning.models import Run

from .patience import until_the_database_answers
from .solver_process import start_python
from .states import UNDER_WAY, State, lost, lost_with, move, note, process_name, recent, this_process

logger = logging.getLogger("planning.runs")


def start_waiting() -> list[int]:
    """Start a child process for each waiting run that there is room for, the oldest first; return their numbers."""
    chosen = _choose()
    for run_id, attempt in chosen:
        try:
            options = (f"--watched-by={os.getpid()}", f"--at-once={settings.PLANNING['LOCAL_RUNS']}")
            command = ("execute_run", str(run_id), str(attempt), *options)
            child = start_python(*command, stdin=subprocess.DEVNULL)
        except OSError as error:
            logger.error("run %s: no process could be started: %s", run_id, error)
            note(run_id, attempt, f"No process could be started for it: {error.strerror}. It is tried again later.")
            continue
        arguments = (child, run_id, attempt)
        threading.Thread(target=_watch, args=arguments, daemon=True, name=f"run {run_id}").start()
    return [run_id for run_id, _ in chosen]


IN_TURN = (F("run_set").asc(nulls_first=True), "id")  # a run by itself does not wait behind a set


def take_next(run_set_id: int, at_once: int | None) -> tuple[int, int] | None:
    """Claim the next waiting run of a set for this process, where there is room for it; return (run, attempt).

    The room is asked for again: between two runs of this process another one may have been started.
    """
    with transaction.atomic():
        for run_id, attempt in _choose(at_once, most=1, run_set=run_set_id):
            move(run_id, attempt, (State.QUEUED,), State.RUNNING, worker=this_process())
            return run_id, attempt
    return None


def _choose(at_once: int | None = None, *, most: int | None = None, **which: Any) -> list[tuple[int, int]]:
    """Return (run, attempt) of those to start, marked as sent, so that nobody else starts them."""
    with transaction.atomic():
        waiting = Run.objects.select_for_update().filter(state=State.QUEUED).order_by(*IN_TURN)
        busy = Q(state__in=UNDER_WAY) & recent("heartbeat_at") | Q(state=State.QUEUED) & recent("sent_at")
        ready = list(waiting.filter(**which).exclude(recent("sent_at")).values_list("id", "attempt")[:most])
        room = (settings.PLANNING["LOCAL_RUNS"] if at_once is None else at_once) - Run.objects.filter(busy).count()
        chosen = ready[: max(room, 0)]
        Run.objects.filter(pk__in=[run_id for run_id, _ in chosen]).update(sent_at=Now(), reason="")
    return chosen


def _watch(child: subprocess.Popen[bytes], run_id: int, attempt: int) -> None:
    """Wait for the child; where it died with its run, the run goes on elsewhere. Then start who waited for room."""
    code = child.wait()
    try:
        if code:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            name = process_name(child.pid)
            with saying(run=run_id, attempt=attempt):
                until_the_database_answers(lambda: lost(run_id, attempt, how, name))
            until_the_database_answers(lambda: lost_with(name, how))  # it may have gone on with others of its set
        start_waiting()
    except Exception:  # a thread has nobody to tell; reconciling does the same later
        logger.exception("run %s: its end could not be followed up", run_id, extra={"run": run_id, "attempt": attempt})
    finally:
        connection.close()

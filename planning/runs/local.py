"""The local runner: child processes of this machine, a bounded number at once, and no queue but the database."""

from __future__ import annotations

import logging
import os
import subprocess
import threading

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from planning.logs import saying
from planning.models import Run

from .patience import until_the_database_answers
from .solver_process import start_python
from .states import UNDER_WAY, State, lost, note, process_name, recent

logger = logging.getLogger("planning.runs")


def start_waiting() -> list[int]:
    """Start a child process for each waiting run that there is room for, the oldest first; return their numbers."""
    chosen = _choose()
    for run_id, attempt in chosen:
        try:
            command = ("execute_run", str(run_id), str(attempt), f"--watched-by={os.getpid()}")
            child = start_python(*command, stdin=subprocess.DEVNULL)
        except OSError as error:
            logger.error("run %s: no process could be started: %s", run_id, error)
            note(run_id, attempt, f"No process could be started for it: {error.strerror}. It is tried again later.")
            continue
        arguments = (child, run_id, attempt)
        threading.Thread(target=_watch, args=arguments, daemon=True, name=f"run {run_id}").start()
    return [run_id for run_id, _ in chosen]


def _choose() -> list[tuple[int, int]]:
    """Return (run, attempt) of those to start, marked as sent, so that nobody else starts them."""
    with transaction.atomic():
        waiting = Run.objects.select_for_update().filter(state=State.QUEUED).order_by("id")
        busy = Q(state__in=UNDER_WAY) & recent("heartbeat_at") | Q(state=State.QUEUED) & recent("sent_at")
        ready = list(waiting.exclude(recent("sent_at")).values_list("id", "attempt"))
        room = settings.PLANNING["LOCAL_RUNS"] - Run.objects.filter(busy).count()
        chosen = ready[: max(room, 0)]
        Run.objects.filter(pk__in=[run_id for run_id, _ in chosen]).update(sent_at=Now(), reason="")
    return chosen


def _watch(child: subprocess.Popen[bytes], run_id: int, attempt: int) -> None:
    """Wait for the child; where it died with its run, the run goes on elsewhere. Then start who waited for room."""
    code = child.wait()
    try:
        if code:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            with saying(run=run_id, attempt=attempt):
                until_the_database_answers(lambda: lost(run_id, attempt, how, process_name(child.pid)))
        start_waiting()
    except Exception:  # a thread has nobody to tell; reconciling does the same later
        logger.exception("run %s: its end could not be followed up", run_id, extra={"run": run_id, "attempt": attempt})
    finally:
        connection.close()

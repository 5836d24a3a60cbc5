"""What-ifs that users ask about runs: questions and answers in the database, and which processes answer.

A session is a user with a run. A process that has it claimed keeps the run's plan ready, answers the last question, and
leaves when nobody has asked for a while, when its place is needed, or when the session is no longer its own. There are
so many processes at once as the setting says.
"""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from redis.exceptions import RedisError

from planning.models import Run, WhatIfSession
from planning.snapshot import Change

from .patience import until_the_database_answers
from .solver_process import start_python
from .states import process_name, this_process
from .variations import as_stored

logger = logging.getLogger("planning.runs")
SILENCE = 60.0  # seconds without a sign of life after which the process counts as gone; longer than any answer takes
START_SECONDS = 20.0  # within which a process that was asked for must have claimed its session
IDLE_SECONDS = 5.0  # without a question, after which a process makes room for somebody else's
LONGEST_SECONDS = 900.0  # of one process; then another one goes on
WANTED_SECONDS = 10.0  # for which a plan is got ready that nobody has asked about yet
Sessions = Any


@dataclass(frozen=True)
class Asked:
    """What a process has to answer: the number of the question, the changes, and the limit whose price is wanted."""

    number: int
    changes: list[dict[str, Any]]
    limit: list[str] | None  # resource type, resource, period


def get_ready(*, run: Run, user: Any) -> WhatIfSession:
    """Return the user's session with the run; a process gets the plan ready after commit."""
    session, _ = WhatIfSession.objects.get_or_create(run=run, user=user)
    WhatIfSession.objects.filter(pk=session.pk).update(asked_at=Now())
    transaction.on_commit(start_sessions)
    return session


def ask(*, run: Run, user: Any, changes: Sequence[Change], limit: Sequence[str] | None = None) -> int:
    """Ask what changes would make of the run's plan; return the question's number. It takes the place of earlier ones.

    `limit` (resource type, resource, period) names one whose price is wanted too.
    """
    session, _ = WhatIfSession.objects.get_or_create(run=run, user=user)
    question = {"changes": as_stored(changes), "limit": None if limit is None else list(limit)}
    with transaction.atomic():
        mine = WhatIfSession.objects.filter(pk=session.pk)
        mine.update(asked=F("asked") + 1, question=question, asked_at=Now())
        number: int = mine.values_list("asked", flat=True).get()
        transaction.on_commit(start_sessions)
    return number


def answer_of(*, run: Run, user: Any) -> WhatIfSession | None:
    """Return the user's session with the run, with its last question and answer; None where nothing was asked."""
    return WhatIfSession.objects.filter(run=run, user=user, asked__gt=0).first()


def has_process(session: WhatIfSession) -> bool:
    """Whether a process has the session's plan ready, or is at it. Where none has, one is asked for again."""
    if WhatIfSession.objects.filter(_alive(), pk=session.pk).exists():
        return True
    transaction.on_commit(start_sessions)
    return False


# --- processes ------------------------------------------------------------------------------


def start_sessions() -> list[int]:
    """Ask for a process for each session that wants one and has none, where there is room; return their numbers.

    Where there is none, idle processes are told to make room: those first that were asked least lately.
    """
    with transaction.atomic():
        known = WhatIfSession.objects.select_for_update()
        wanting = list(known.filter(_wanting()).order_by("asked_at").values_list("pk", flat=True))
        if not wanting:
            return []
        coming = Q(worker="", sent_at__gte=_ago(START_SECONDS))
        room = settings.PLANNING["WHAT_IFS"] - known.filter(_alive() | coming).count()
        if room < len(wanting):
            idle = known.filter(_alive(), answered=F("asked"), asked_at__lt=_ago(IDLE_SECONDS)).order_by("asked_at")
            going = list(idle.values_list("pk", flat=True)[: len(wanting) - max(room, 0)])
            WhatIfSession.objects.filter(pk__in=going).update(worker="", heartbeat_at=None, sent_at=None)
            room += len(going)
        chosen = wanting[: max(room, 0)]
        WhatIfSession.objects.filter(pk__in=chosen).update(sent_at=Now(), worker="")
    for number in chosen:
        _launch(number)
    return chosen


def _ago(seconds: float) -> Any:
    return Now() - timedelta(seconds=seconds)


def _alive() -> Q:
    return ~Q(worker="") & Q(heartbeat_at__gte=_ago(SILENCE))


def _wanting() -> Q:
    unanswered = Q(asked__gt=F("answered")) & Q(asked_at__gte=_ago(SILENCE))
    is_sent = Q(worker="", sent_at__gte=_ago(START_SECONDS))
    return (unanswered | Q(asked_at__gte=_ago(WANTED_SECONDS))) & ~_alive() & ~is_sent


def _launch(number: int) -> None:
    """Have a process answer the session, by the runner of this site; where that fails it is tried again later."""
    try:
        if settings.PLANNING["RUNNER"] == "rq":
            from .queue import send_session  # without a queue nothing of it is loaded

            asked = WhatIfSession.objects.values_list("asked", flat=True).get(pk=number)
            send_session(number, asked + 1)
            return
        child = start_python("answer_what_ifs", str(number), stdin=subprocess.DEVNULL)
    except (OSError, RedisError) as error:
        logger.error("what-ifs %s: no process could be started: %s", number, error)
        WhatIfSession.objects.filter(pk=number, worker="").update(sent_at=None)
        return
    threading.Thread(target=_watch, args=(child, number), daemon=True, name=f"what-ifs {number}").start()


def _watch(child: subprocess.Popen[bytes], number: int) -> None:
    """Wait for the child, then let who waits have its place."""
    code = child.wait()
    try:
        if code:
            until_the_database_answers(lambda: bury(number, process_name(child.pid), code))
        until_the_database_answers(start_sessions)
    except Exception:  # a thread has nobody to tell; the next question does the same
        logger.exception("what-ifs %s: their end could not be followed up", number)
    finally:
        connection.close()


def waits(number: int) -> bool:
    """Whether a process was asked for that has not come yet."""
    return WhatIfSession.objects.filter(~_alive(), pk=number, sent_at__isnull=False).exists()


def bury(number: int, worker: str, code: int) -> None:
    """Answer the last question of a session whose process died, so that it does not bring down the next one."""
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    logger.error("what-ifs %s: their process %s", number, how)
    left = WhatIfSession.objects.filter(pk=number, worker=worker)
    words = f"The process that had the plan ready {how}. Its machine may be short of memory. Try again."
    left.filter(asked__gt=F("answered")).update(answered=F("asked"), answer={"words": words})
    left.update(worker="", heartbeat_at=None)


# --- what a process does --------------------------------------------------------------------


def claim(number: int) -> WhatIfSession | None:
    """Make the session this process's own and return it; None where another process has it, or it is gone."""
    free = WhatIfSession.objects.filter(~_alive(), pk=number)
    if not free.update(worker=this_process(), heartbeat_at=Now(), sent_at=None):
        return None
    return WhatIfSession.objects.select_related("run").get(pk=number)


def next_question(number: int) -> tuple[bool, Asked | None]:
    """Return whether the session is still this process's own, and its question that has no answer yet."""
    mine = WhatIfSession.objects.filter(pk=number, worker=this_process())
    found = mine.values_list("asked", "answered", "question").first()
    if found is None:
        return False, None
    asked, answered, question = found
    if asked <= answered or not isinstance(question, dict):
        return True, None
    return True, Asked(asked, question.get("changes") or [], question.get("limit"))


def record(number: int, question: int, answer: dict[str, Any]) -> None:
    """Write the answer to a question, unless the session is another process's by now."""
    mine = WhatIfSession.objects.filter(pk=number, worker=this_process())
    mine.update(answered=question, answer=answer, heartbeat_at=Now())


def live_on(number: int) -> None:
    """Give a sign of life."""
    WhatIfSession.objects.filter(pk=number, worker=this_process()).update(heartbeat_at=Now())


def release(number: int) -> None:
    """Leave the session."""
    WhatIfSession.objects.filter(pk=number, worker=this_process()).update(worker="", heartbeat_at=None)

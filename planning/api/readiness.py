"""One look at all that a run needs. It hangs nobody, whatever does not answer."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from redis.exceptions import RedisError

from planning.runs.condition import Workload, workers, workload

logger = logging.getLogger("planning.api")
PATIENCE_SECONDS = 3.0  # after that, a part that was not heard of does not answer
FRESH_SECONDS = 1.0  # so old an answer may be: strangers can't keep the database busy
_STUCK_SECONDS = 30.0  # a look that hangs longer is given up, and another one tries
LONG_WAIT_SECONDS = 300.0


@dataclass(frozen=True)
class Part:
    """What a run needs: whether it is there, in words, with figures for those who may see them."""

    ready: bool
    words: str
    figures: dict[str, Any] = field(default_factory=dict)


_UNHEARD = Part(False, "It did not answer in time.")


class Look:
    """One look at all parts, in a thread of its own: no timeout of a driver covers each way to hang."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.ended = threading.Event()
        self.found: dict[str, Part] = {}
        threading.Thread(target=self._run, daemon=True, name="readiness").start()

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.began

    def parts(self) -> dict[str, Part]:
        """Return each part's state, once all were heard of or the time is over."""
        self.ended.wait(max(PATIENCE_SECONDS - self.age, 0.0))
        found = dict(self.found)
        return {name: found.get(name, _UNHEARD) for name in part_names()}

    def _run(self) -> None:
        try:
            self.found |= _look_at_the_database()
            self.found |= _look_at_the_queue() if uses_queue() else _look_at_this_machine()
        except Exception:  # a thread has nobody to tell; what it did not find is not ready
            logger.exception("the site's condition could not be found out")
        finally:
            connection.close()
            self.ended.set()


_lock = threading.Lock()
_last: Look | None = None


def look_around() -> dict[str, Part]:
    """Return each part's state, not older than a second."""
    global _last  # noqa: PLW0603 - one for the process
    with _lock:
        given_up = _STUCK_SECONDS if _last is None or not _last.ended.is_set() else FRESH_SECONDS
        if _last is None or _last.age > given_up:
            _last = Look()
        look = _last
    return look.parts()


def uses_queue() -> bool:
    """Whether runs go through a queue to workers."""
    return bool(settings.PLANNING["RUNNER"] == "rq")


def part_names() -> tuple[str, ...]:
    """Return what a run needs on this site."""
    return ("database", "queue", "workers", "runs") if uses_queue() else ("database", "workers", "runs")


def _look_at_the_database() -> dict[str, Part]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return {"database": _fault("It does not answer.", error), "runs": Part(False, "Nobody knows of them.")}
    try:
        load = workload()
    except DatabaseError as error:
        words = "It answers, and has not the tables of this version. Run manage.py migrate."
        return {"database": _fault(words, error), "runs": Part(False, "Nobody knows of them.")}
    return {"database": Part(True, "It answers."), "runs": Part(True, _in_words(load), asdict(load))}


def _in_words(load: Workload) -> str:
    waiting = sum(load.waiting.values())
    said = f"{waiting} wait." if waiting else "None waits."
    if load.oldest_waiting_seconds > LONG_WAIT_SECONDS:
        said += (
            f" The oldest has waited for {load.oldest_waiting_seconds:.0f} s: more workers would help, or none works."
        )
    if load.silent:
        said += f" {load.silent} under way gave no sign of life; reconcile_runs takes them back."
    return said


def _look_at_the_queue() -> dict[str, Part]:
    try:
        alive = workers()
    except (RedisError, OSError) as error:
        words = "Nobody knows of them while the queue does not answer."
        return {"queue": _fault("It does not answer. Runs wait.", error), "workers": Part(False, words)}
    number = alive.idle + alive.busy
    words = f"{number} live, {alive.busy} are busy." if number else "None gives a sign of life. Runs wait."
    return {"queue": Part(True, "It answers."), "workers": Part(number > 0, words, asdict(alive))}


def _look_at_this_machine() -> dict[str, Part]:
    most = settings.PLANNING["LOCAL_RUNS"]
    return {"workers": Part(True, f"Runs are child processes of this machine, at most {most} at once.", {"most": most})}


def _fault(words: str, error: Exception) -> Part:
    """Return a part that is not ready; the kind of error goes with it, its text (with names of hosts) to the log."""
    logger.warning("%s %s", words, error)
    return Part(False, words, {"error": type(error).__name__})

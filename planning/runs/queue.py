"""Runs through a queue: any number of workers, on any number of hosts.

A job says which run and which attempt, and is signed. It is named after them, so a job under another
name is none of ours, and the database decides whether the attempt still waits: a job that comes twice,
or is played back, does nothing.
"""

from __future__ import annotations

import contextlib
import zlib
from datetime import datetime
from typing import Any

import django_rq
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue, Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.utils import utcparse
from rq.worker_registration import get_keys

from planning.models import Run

from .messages import LARGEST, SignedJSON
from .turns import TURN_SECONDS
from .what_if_sessions import LONGEST_SECONDS

SHORT, LONG = "short", "long"
FUNCTION = "planning.runs.worker.execute_job"
SESSION_FUNCTION = "planning.runs.worker.answer_job"  # what-ifs of a session
_NAMES = {FUNCTION: "run", SESSION_FUNCTION: "what_ifs"}  # what the names of their jobs begin with
_MARGIN = 600.0  # seconds beside the solver's time limit: waiting for the database, prices, writing
_CONNECT_SECONDS, _ANSWER_SECONDS = 2.0, 5.0  # a planner waits for this when Redis is gone
_KNOWN_FIELDS = frozenset(
    [
        "data",
        "created_at",
        "origin",
        "description",
        "enqueued_at",
        "started_at",
        "ended_at",
        "last_heartbeat",
        "status",
        "worker_name",
        "timeout",
        "result_ttl",
        "failure_ttl",
        "ttl",
        "meta",
        "success_callback_timeout",
        "failure_callback_timeout",
        "stopped_callback_timeout",
        "enqueue_at_front",
    ]
)


def _too_large(data: bytes) -> bool:
    """Whether data have more bytes than ours, before or after they are decompressed."""
    reader = zlib.decompressobj()
    try:
        reader.decompress(data, LARGEST)
    except zlib.error:  # they need not be compressed
        return len(data) > LARGEST
    return len(data) > LARGEST or bool(reader.unconsumed_tail)


class PlannerJob(Job):
    """A job of ours. What Redis says beyond that is not taken, and makes the job foreign."""

    foreign: tuple[str, ...] = ()

    def restore(self, raw_data: Any) -> Any:
        """Take what Redis holds of the job. Raises NoSuchJobError where that is nothing."""
        held = {
            name.decode(errors="replace") if isinstance(name, bytes) else name: value
            for name, value in dict(raw_data).items()
        }
        foreign = sorted(name for name, value in held.items() if value and name not in _KNOWN_FIELDS)
        if _too_large(held.get("data", b"")):
            foreign.append("more data than any job of ours")
            held["data"] = b""
        try:
            super().restore({name: value for name, value in held.items() if name in _KNOWN_FIELDS - {"meta"}})
        except NoSuchJobError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever somebody wrote there must not end a worker
            foreign.append(f"what can't be read ({type(error).__name__}: {error})")
            super().restore({"data": b"", "origin": held.get("origin", b"")})
        self.foreign = tuple(foreign)

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None


class PlannerQueue(Queue):
    """A queue of our jobs and our messages, whatever asks for it."""

    job_class = PlannerJob

    def __init__(self, *args: Any, **options: Any) -> None:
        known = {name: value for name, value in options.items() if name not in ("autocommit", "commit_mode")}
        super().__init__(*args, **known | {"serializer": SignedJSON, "job_class": PlannerJob})


def queue_of(run: Run) -> str:
    """Return the queue of a run: short ones do not wait behind long ones."""
    return SHORT if float(run.options["time_limit"]) <= settings.PLANNING["SHORT_RUN_SECONDS"] else LONG


def job_id(number: int, attempt: int, function: str = FUNCTION) -> str:
    """Return the name of a job: of a run and its attempt, or of a session of what-ifs and its question."""
    return f"{_NAMES[function]}-{number}-{attempt}"


def worker_count() -> int:
    """Return how many workers are there. Raises redis.exceptions.RedisError."""
    return int(Worker.count(connection=connection()))


def send(run: Run) -> None:
    """Put the run into its queue. Raises redis.exceptions.RedisError where it can't be reached."""
    turn = TURN_SECONDS if run.run_set_id is not None else 0.0
    seconds = int(turn + 1.5 * float(run.options["time_limit"]) + _MARGIN)
    PlannerQueue(queue_of(run), connection=connection()).enqueue(
        FUNCTION,
        args=(run.pk, run.attempt, seconds),
        job_id=job_id(run.pk, run.attempt),
        job_timeout=seconds,
        result_ttl=600,
        failure_ttl=86_400,
    )


def send_session(number: int, question: int) -> None:
    """Put a session of what-ifs into the short queue; `question` counts from 1. Raises redis.exceptions.RedisError."""
    seconds = int(LONGEST_SECONDS + _MARGIN)
    PlannerQueue(SHORT, connection=connection()).enqueue(
        SESSION_FUNCTION,
        args=(number, question, seconds),
        job_id=job_id(number, question, SESSION_FUNCTION),
        job_timeout=seconds,
        result_ttl=600,
        failure_ttl=86_400,
        at_front=True,  # somebody looks at the page
    )


def connection(connect_seconds: float = _CONNECT_SECONDS, answer_seconds: float = _ANSWER_SECONDS) -> Redis:
    """Return a connection for sending, which does not wait long for a Redis that is gone."""
    url = django_rq.settings.QUEUES[SHORT]["URL"]
    return Redis.from_url(
        url,
        socket_connect_timeout=connect_seconds,
        socket_timeout=answer_seconds,
        retry=Retry(NoBackoff(), 0),
    )


def signs_of_life() -> list[tuple[datetime, bool]]:
    """Return the last sign of life of each worker, and whether it executes a run. Raises RedisError.

    Waits a second for Redis, not longer: monitors ask for this.
    """
    with contextlib.closing(connection(1.0, 1.0)) as redis, redis.pipeline(transaction=False) as pipeline:
        for key in sorted(get_keys(connection=redis)):
            pipeline.hmget(key, "last_heartbeat", "state")
        found = pipeline.execute()
    signs = []
    for at, state in found:
        with contextlib.suppress(ValueError, AttributeError):  # gone since, or none of RQ's making
            signs.append((utcparse(at.decode()), state == b"busy"))
    return signs


def known_jobs() -> set[tuple[int, int]]:
    """Return (run, attempt) of the jobs that wait or are being executed. Raises redis.exceptions.RedisError."""
    redis = connection()
    names: list[str] = []
    for name in (SHORT, LONG):
        queue = PlannerQueue(name, connection=redis)
        names += queue.get_job_ids()
        names += StartedJobRegistry(queue=queue).get_job_ids(cleanup=False)
    found = (name.split("-") for name in names)
    ours = [parts for parts in found if len(parts) == 3 and parts[0] == _NAMES[FUNCTION]]
    return {(int(parts[1]), int(parts[2])) for parts in ours if all(map(str.isdigit, parts[1:]))}


def refusal(job: Job) -> str | None:
    """Return why a job is none of ours, or None."""
    if not isinstance(job, PlannerJob) or job.foreign:
        return f"it carries {', '.join(getattr(job, 'foreign', ['what no job of ours has']))}"
    try:
        function, args, options = job.func_name, job.args, job.kwargs
    except Exception as error:  # noqa: BLE001 - whatever a forged payload makes of itself, the job is refused
        return f"its message can't be read ({type(error).__name__}: {error})"
    if function not in _NAMES or job.instance is not None:
        return f"it asks for {function!r}"
    numbers = list(args)
    if options or len(numbers) != 3 or not all(type(number) is int and number > 0 for number in numbers):
        return "it does not name a run and an attempt"
    name = job_id(numbers[0], numbers[1], function)
    if job.id != name:
        return f"its name is not that of its message, {name}"
    return None

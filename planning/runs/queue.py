"""Runs through a queue: any number of workers, on any number of hosts.

A job says which run and which attempt, as JSON. The worker executes nothing else: no other function,
no callback, no pickle, whatever somebody puts into Redis.
"""

from __future__ import annotations

from typing import Any

import django_rq
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from planning.models import Run

from .execute import execute

QUEUE = "default"
_FUNCTION = "planning.runs.queue.execute_job"
_MARGIN = 600  # seconds that reading, pricing and writing may take beside the solver's time limit


def execute_job(run_id: int, attempt: int) -> None:
    """Execute the run; what became of it stands in the run itself."""
    execute(run_id, attempt)


def send(run: Run) -> None:
    """Put the run into the queue. Raises redis.exceptions.RedisError where it can't be reached."""
    queue: Queue = django_rq.get_queue(QUEUE)
    queue.enqueue(
        _FUNCTION,
        args=(run.pk, run.attempt),
        job_id=f"run-{run.pk}-{run.attempt}",
        job_timeout=int(run.options["time_limit"]) + _MARGIN,
        result_ttl=600,
    )


class PlannerJob(Job):
    """A job without callbacks: one that is named in Redis is not ours."""

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None


class PlannerWorker(Worker):
    """A worker that reads JSON only and executes runs only."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options["serializer"] = JSONSerializer
        options["job_class"] = PlannerJob
        super().__init__(*args, **options)

    def perform_job(self, job: Job, queue: Queue) -> bool:
        """Execute the job, or refuse it as failed."""
        fault = refusal(job)
        if fault is None:
            return bool(super().perform_job(job, queue))
        self.log.error("Job %s was refused: %s", job.id, fault)
        self.handle_job_failure(job, queue, exc_string=f"Refused: {fault}")
        return False


def refusal(job: Job) -> str | None:
    """Return why a job is none of ours, or None."""
    try:
        function, args, options = job.func_name, job.args, job.kwargs
    except Exception as error:  # noqa: BLE001 - whatever a forged payload makes of itself, the job is refused
        return f"its payload can't be read ({type(error).__name__})"
    if function != _FUNCTION or job.instance is not None:
        return f"it asks for {function!r}"
    numbers = list(args)
    if options or len(numbers) != 2 or not all(type(number) is int for number in numbers):
        return "its arguments are not a run and an attempt"
    return None

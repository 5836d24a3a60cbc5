"""The worker: it takes our jobs from the queue and executes runs, and nothing else, whatever lies in Redis.

Each job is executed in a process of its own (a work-horse), forked or spawned by setting. The worker
itself never solves: it watches, gives signs of life, and reconciles runs with processes on a timer.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connections
from rq import Queue, Worker
from rq.job import Job

from planning.logs import saying
from planning.models import Run

from .messages import SignedJSON
from .patience import until_the_database_answers
from .queue import FUNCTION, PlannerJob, PlannerQueue, refusal
from .runners import launch_waiting, reconcile
from .states import State, lost, lost_with, process_name
from .turns import execute_in_turn
from .what_if_process import answer_what_ifs
from .what_if_sessions import bury, start_sessions
from .what_if_sessions import waits as session_waits

logger = logging.getLogger("planning.runs")
WORKER_TTL, LOOK_SECONDS, RECONCILE_SECONDS, MONITOR_SECONDS = 60, 15, 20, 5


def execute_job(run_id: int, attempt: int, seconds: int) -> None:
    """Execute the run, and for a while others of its set; what became of them stands in the runs themselves.

    SIGTERM hands a run back to the queue.
    """
    leaving = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: leaving.set())
    run = execute_in_turn(run_id, attempt, leave=leaving.is_set)
    if run.attempt > attempt or run.run_set_id is not None:
        launch_waiting()


def answer_job(session: int, question: int, seconds: int) -> None:
    """Answer the what-ifs of a session until nobody asks any more, or its worker has other things to do."""
    leaving = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: leaving.set())
    answer_what_ifs(session, leave=leaving.is_set)
    start_sessions()  # those that waited for its place


def _facts(job: Job) -> dict[str, int]:
    """Return which run and attempt a job of ours names, for the lines that are logged about it."""
    return {"run": job.args[0], "attempt": job.args[1]} if _is_of_a_run(job) else {}


def _is_of_a_run(job: Job) -> bool:
    """Whether it is a job of ours, and a run's."""
    return refusal(job) is None and job.func_name == FUNCTION


def _not_waiting(job: Job) -> str | None:
    """Return why a job of ours comes too late, or None: it came before, or was played back."""
    run_id, attempt = job.args[:2]
    if not _is_of_a_run(job):
        return None if session_waits(run_id) else f"what-ifs {run_id} do not wait for a process"
    waits = Run.objects.filter(pk=run_id, attempt=attempt, state=State.QUEUED).exists()
    return None if waits else f"run {run_id} does not wait in attempt {attempt}"


class PlannerWorker(Worker):
    """A worker for our queues: signed messages only, no callback, no scheduler."""

    max_connection_wait_time = 5.0

    def __init__(self, queues: Any, *args: Any, **options: Any) -> None:
        listed = queues if isinstance(queues, list | tuple) else [queues]
        names = [queue if isinstance(queue, str) else queue.name for queue in listed]
        connection = options.get("connection") or listed[0].connection
        options |= {
            "connection": connection,
            "serializer": SignedJSON,
            "job_class": PlannerJob,
            "queue_class": PlannerQueue,
            "worker_ttl": WORKER_TTL,
            "maintenance_interval": RECONCILE_SECONDS,
            "job_monitoring_interval": MONITOR_SECONDS,
        }
        super().__init__([PlannerQueue(name, connection=connection) for name in names], *args, **options)

    @property
    def dequeue_timeout(self) -> int:
        """Seconds to wait for a job before the timer is looked at again."""
        return LOOK_SECONDS

    def _start_scheduler(self, *args: Any, **options: Any) -> None:
        """Start nothing: no job of ours is scheduled."""

    def run_maintenance_tasks(self) -> None:
        """Clean up the queue's registries, and bring runs and processes together."""
        super().run_maintenance_tasks()
        self._with_database(reconcile)

    def maintain_heartbeats(self, job: Job) -> None:
        """Give a sign of life while a job is executed; the timer goes on."""
        super().maintain_heartbeats(job)
        if self.should_run_maintenance_tasks:
            self.run_maintenance_tasks()

    def handle_work_horse_killed(self, job: Job, retpid: Any, ret_val: Any, rusage: Any) -> None:
        """Let the run of a work-horse that died go on elsewhere, at once."""
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)
        if refusal(job) is not None:
            return
        code = os.waitstatus_to_exitcode(ret_val) if ret_val is not None else 0
        if _is_of_a_run(job):
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            self._with_database(lambda: self._go_on_elsewhere(job, how, retpid))
        else:
            self._with_database(lambda: bury(job.args[0], process_name(retpid), code))

    def _go_on_elsewhere(self, job: Job, how: str, pid: int) -> None:
        lost(job.args[0], job.args[1], how, process_name(pid))
        lost_with(process_name(pid), how)  # it may have gone on with others of its set
        launch_waiting()

    def _with_database(self, work: Any) -> None:
        """Do something with the database, and leave no connection that a work-horse would share."""
        try:
            work()
        except DatabaseFault as error:
            logger.warning("The database does not answer: %s", error)
        finally:
            connections.close_all()

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Let a work-horse execute the job; each line of both says which run it is about."""
        with saying(**_facts(job)):
            super().execute_job(job, queue)

    def perform_job(self, job: Job, queue: Queue) -> bool:
        """Execute the job, or refuse it as failed."""
        fault = refusal(job) or until_the_database_answers(lambda: _not_waiting(job))
        if fault is None:
            job.timeout = job.args[2]  # the signed one
            return bool(super().perform_job(job, queue))
        logger.error("Job %s was refused: %s", job.id, fault)
        self.handle_job_failure(job, queue, exc_string=f"Refused: {fault}")
        return False

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Start the process that executes the job, as the setting says."""
        if settings.PLANNING["START_METHOD"] == "fork":
            super().fork_work_horse(job, queue)
            return
        assert self.execution is not None
        arguments = (self.name, job.id, queue.name, self.execution.id)
        code = f"import django; django.setup(); from planning.runs.worker import ride; ride(*{arguments!r})"
        self._horse_pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-c", code])


def ride(worker_name: str, job_name: str, queue_name: str, execution_id: str) -> None:
    """Be the work-horse that a worker spawned."""
    import django_rq
    from rq.executions import Execution

    os.setpgrp()
    connection = django_rq.get_connection(queue_name)
    worker = PlannerWorker([queue_name], name=worker_name, connection=connection)
    job = PlannerJob.fetch(job_name, connection=connection, serializer=SignedJSON)
    worker.execution = Execution.fetch(execution_id, job_name, connection=connection)
    with saying(**_facts(job)):
        worker.main_work_horse(job, worker.queues[0])

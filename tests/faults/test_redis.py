"""The queue's server is gone, silent, emptied or started anew: runs wait for it, and none is forgotten."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from planning.models import Plant, Run
from planning.runs import reconcile, start_run, stop_run
from tests.faults.nursery import Nursery, Process, until
from tests.faults.truth import assert_a_new_run_works, assert_best, assert_ended, assert_whole, let_time_pass, states
from tests.formulation.small_plants import baseline
from tests.private_redis import PrivateRedis

SECONDS_UNTIL_THE_PLANNER_KNOWS = 7.0  # that the queue does not answer


def work(nursery: Nursery) -> Process:
    """Return a worker that emptied the queue."""
    worker = nursery.start("rqworker", "short", "long", "--burst")
    assert worker.wait() == 0, worker.log
    return worker


@contextmanager
def silent_server(port: int) -> Iterator[None]:
    """Take connections and never answer."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        yield


def assert_waits_for_the_queue(run: Run) -> None:
    run.refresh_from_db()
    assert (run.state, states(run), run.sent_at) == ("queued", ["queued 1"], None)
    assert "The queue can't be reached" in run.reason
    assert_whole(run)


def test_it_refuses_connections(furniture: Plant, redis: PrivateRedis, nursery: Nursery) -> None:
    run = start_run(baseline(furniture))
    assert_waits_for_the_queue(run)
    reconcile()
    assert_waits_for_the_queue(run)
    redis.start()
    reconcile()
    run.refresh_from_db()
    assert (run.state, run.reason) == ("queued", "")
    work(nursery)
    assert_best(run)
    assert_a_new_run_works(furniture)


def test_it_takes_connections_and_never_answers(furniture: Plant, redis: PrivateRedis, nursery: Nursery) -> None:
    with silent_server(redis.port):
        began = time.monotonic()
        run = start_run(baseline(furniture))
        assert time.monotonic() - began < SECONDS_UNTIL_THE_PLANNER_KNOWS
    assert_waits_for_the_queue(run)
    redis.start()
    reconcile()
    work(nursery)
    assert_best(run)
    assert_a_new_run_works(furniture)


def test_a_run_that_waits_for_it_can_be_stopped(furniture: Plant, redis: PrivateRedis) -> None:
    run = start_run(baseline(furniture))
    stop_run(run, "anna")
    assert_ended(run, "stopped", "Stopped by anna before it began.")
    assert_a_new_run_works(furniture)


@pytest.mark.parametrize("how", ["emptied", "started anew"])
def test_it_forgets_the_jobs(how: str, sent: Run, queue: PrivateRedis, furniture: Plant, nursery: Nursery) -> None:
    if how == "emptied":
        queue.client().flushall()
    else:
        queue.kill()
        queue.start()
    work(nursery)
    assert states(sent) == ["queued 1"]
    let_time_pass(sent)
    reconcile()
    work(nursery)
    assert_best(sent)
    assert states(sent) == ["queued 1", "running 1", "solved 1"]
    assert_a_new_run_works(furniture)


def test_it_forgets_a_job_but_not_its_name(sent: Run, queue: PrivateRedis, furniture: Plant, nursery: Nursery) -> None:
    """A server short of memory drops single keys."""
    assert queue.client().delete(f"rq:job:run-{sent.pk}-1") == 1
    work(nursery)
    let_time_pass(sent)
    reconcile()
    work(nursery)
    assert_best(sent)
    assert_a_new_run_works(furniture)


def test_a_job_that_waits_long_is_not_sent_again(sent: Run, queue: PrivateRedis) -> None:
    let_time_pass(sent)
    reconcile()
    assert queue.client().llen("rq:queue:short") == 1


def test_the_web_process_dies_before_it_sends(furniture: Plant, queue: PrivateRedis, nursery: Nursery) -> None:
    process = nursery.start("tests.faults.steps:press_run", deaths=[("planning.runs.queue:send", "before", 1, "kill")])
    assert process.wait() == -9
    run = Run.objects.get()
    assert_whole(run)
    work(nursery)  # a worker reconciles when it starts
    assert_best(run)
    assert_a_new_run_works(furniture)


def test_the_web_process_dies_after_it_sent_and_before_it_said_so(
    furniture: Plant, queue: PrivateRedis, nursery: Nursery
) -> None:
    process = nursery.start("tests.faults.steps:press_run", deaths=[("planning.runs.queue:send", "after", 1, "kill")])
    assert process.wait() == -9
    work(nursery)
    run = Run.objects.get()
    assert_best(run)
    assert states(run) == ["queued 1", "running 1", "solved 1"]
    assert_a_new_run_works(furniture)


def test_it_dies_while_a_run_is_solved(sent: Run, queue: PrivateRedis, furniture: Plant, nursery: Nursery) -> None:
    worker = nursery.start(
        "rqworker", "short", "long", deaths=[("planning.runs.execute:write_back", "before", 1, "pause")]
    )
    until(worker.reached, "the plan")
    (horse,) = worker.children()
    queue.kill()
    nursery.send(horse, signal.SIGCONT)
    until(lambda: refreshed(sent).state == "solved", "the end of the run")
    assert_best(sent)
    nursery.clear()
    queue.start()
    let_time_pass(sent)
    work(nursery)
    assert_best(sent)
    assert states(sent) == ["queued 1", "running 1", "solved 1"]
    assert_a_new_run_works(furniture)


def refreshed(run: Run) -> Run:
    run.refresh_from_db()
    return run

"""Runs through a real queue: only runs are executed, whatever lies in Redis."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django_rq
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from redis import Redis
from redis.exceptions import ConnectionError as RedisRefused
from rq import Queue
from rq.serializers import DefaultSerializer

from planning.exchange import import_plan
from planning.models import Run, Scenario, WhatIfSession
from planning.runs import reconcile, start_run
from planning.runs.queue import FUNCTION, LONG, SESSION_FUNCTION, PlannerQueue, job_id, known_jobs, send
from planning.runs.worker import PlannerWorker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def redis_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def queue_settings(redis_port: int, settings: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    from django_rq import settings as rq_settings

    for name in ("short", "long"):
        queue = {**rq_settings.QUEUES[name], "URL": f"redis://127.0.0.1:{redis_port}/0"}
        monkeypatch.setitem(rq_settings.QUEUES, name, queue)
    settings.PLANNING = {**settings.PLANNING, "RUNNER": "rq"}


@contextmanager
def served(port: int, folder: Path) -> Iterator[Redis]:
    """Run a Redis server of our own."""
    program = shutil.which("redis-server")
    assert program, "redis-server is not installed"
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL)
    client = Redis(port=port)
    for _ in range(100):
        try:
            client.ping()
            break
        except RedisRefused:
            time.sleep(0.05)
    yield client
    client.close()
    server.terminate()
    server.wait()


@pytest.fixture
def redis_server(redis_port: int, queue_settings: None, tmp_path: Path) -> Iterator[Redis]:
    with served(redis_port, tmp_path) as client:
        yield client


@pytest.fixture
def scenario(plants_dir: Path) -> Scenario:
    plant = import_plan(plants_dir / "wyndor").plant
    return Scenario.objects.get(plant=plant, name="Baseline")


def work() -> None:
    """Let a worker empty the queues."""
    connections.close_all()
    PlannerWorker(["short", "long"], connection=django_rq.get_connection("short")).work(burst=True)


def test_a_worker_solves_a_queued_run(redis_server: Redis, scenario: Scenario) -> None:
    run = start_run(scenario)
    assert run.state == Run.State.QUEUED
    work()
    run.refresh_from_db()
    assert (run.state, run.objective) == (Run.State.SOLVED, pytest.approx(36))


def test_a_job_that_arrives_twice_is_executed_once(redis_server: Redis, scenario: Scenario) -> None:
    run = start_run(scenario)
    work()
    run.refresh_from_db()
    ended = run.finished_at
    send(run)
    work()
    run.refresh_from_db()
    assert run.finished_at == ended


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("os.system", ("touch {0}",)),
        (FUNCTION, ("touch {0}", 1, 1)),
        (FUNCTION, (1, 1)),
        (FUNCTION, (1, 1, 1)),
        (SESSION_FUNCTION, (1, 1, 1)),
        ("builtins.eval", ("__import__('os').system('touch {0}')",)),
    ],
)
def test_a_foreign_job_is_refused(redis_server: Redis, tmp_path: Path, function: str, args: tuple[object, ...]) -> None:
    mark = tmp_path / "mark"
    filled = tuple(arg.format(mark) if isinstance(arg, str) else arg for arg in args)
    job = PlannerQueue(LONG, connection=redis_server).enqueue(function, args=filled)
    work()
    assert not mark.exists()
    assert job.get_status(refresh=True) == "failed"


def test_a_job_for_what_ifs_that_wait_for_no_process_is_refused(redis_server: Redis, scenario: Scenario) -> None:
    run = start_run(scenario, here=True)
    session = WhatIfSession.objects.create(run=run, user=User.objects.create_user("planner"), asked=1)
    name = job_id(session.pk, 1, SESSION_FUNCTION)
    job = PlannerQueue(LONG, connection=redis_server).enqueue(SESSION_FUNCTION, args=(session.pk, 1, 60), job_id=name)
    work()
    assert job.get_status(refresh=True) == "failed"
    assert (WhatIfSession.objects.get().answered, known_jobs()) == (0, set())


def test_a_pickled_job_is_never_unpickled(redis_server: Redis, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    queue = Queue(LONG, connection=redis_server, serializer=DefaultSerializer)
    job = queue.enqueue("os.system", f"touch {mark}")
    work()
    assert not mark.exists()
    assert job.get_status(refresh=True) == "failed"


def test_a_callback_named_in_redis_is_not_called(redis_server: Redis, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    job = PlannerQueue(LONG, connection=redis_server).enqueue("os.system", args=("true",))
    redis_server.hset(job.key, "failure_callback_name", "os.system")
    work()
    assert not mark.exists()
    assert job.get_status(refresh=True) == "failed"


def test_without_redis_the_run_says_so_and_is_sent_later(
    queue_settings: None, scenario: Scenario, redis_port: int, tmp_path: Path
) -> None:
    run = start_run(scenario)
    run.refresh_from_db()
    assert run.state == Run.State.QUEUED
    assert "queue can't be reached" in run.reason
    with served(redis_port, tmp_path):
        reconcile()
        run.refresh_from_db()
        assert (run.state, run.reason) == (Run.State.QUEUED, "")
        work()
    run.refresh_from_db()
    assert run.state == Run.State.SOLVED


def test_the_worker_of_the_site_is_ours() -> None:
    assert settings.RQ["WORKER_CLASS"] == "planning.runs.worker.PlannerWorker"
    assert {queue["SERIALIZER"] for queue in settings.RQ_QUEUES.values()} == {"planning.runs.messages.SignedJSON"}

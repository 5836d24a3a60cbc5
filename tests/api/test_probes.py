"""`/livez` and `/readyz`: what they say, to whom, and that nothing which is gone can hang them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from rq.utils import utcformat

from planning.api import readiness
from planning.models import Run
from planning.runs.worker import PlannerWorker
from tests.factories import make_plant, make_run
from tests.faults.own_database import own_database
from tests.faults.test_redis import silent_server
from tests.private_postgresql import new_cluster, serving
from tests.private_redis import PrivateRedis

READY, NOT_READY = "ready", "not ready"


def ask(headers: dict[str, str] | None = None, query: str = "") -> tuple[int, dict[str, Any]]:
    """Return the status and the parts that /readyz answers."""
    response = Client().get(f"/readyz{query}", headers=headers or {})
    assert response["Cache-Control"] == "no-store"
    shown = response.json()
    assert shown["ready"] == (response.status_code == 200)
    return response.status_code, shown["parts"]


def register_worker(server: PrivateRedis, *, state: str = "idle", age: float = 0) -> None:
    """Let a worker stand in the queue as one does that gave its last sign of life so many seconds ago."""
    client = server.client()
    worker = PlannerWorker(["short", "long"], connection=client, name=f"worker-{state}-{age:.0f}")
    worker.register_birth()
    worker.set_state(state)
    client.hset(worker.key, "last_heartbeat", utcformat(timezone.now() - timedelta(seconds=age)))
    client.close()


class TestLivez:
    """Without a mark for the database: a query would fail these tests."""

    def test_the_process_answers(self) -> None:
        response = Client().get("/livez")
        assert (response.status_code, response.content) == (200, b"alive\n")
        assert response["Cache-Control"] == "no-store"

    def test_whoever_asks_by_number_and_without_https(self, settings: Any) -> None:
        settings.SECURE_SSL_REDIRECT = True
        assert Client().get("/livez", headers={"host": "10.0.0.7:8000"}).status_code == 200

    def test_nothing_can_be_sent_to_it(self) -> None:
        assert Client().post("/livez").status_code == 405
        assert Client().head("/livez").status_code == 200


@pytest.mark.django_db(transaction=True)
class TestReadyz:
    def test_a_site_without_a_queue(self) -> None:
        assert ask() == (200, {"database": READY, "workers": READY, "runs": READY})

    def test_strangers_read_nothing_but_which_parts_are_ready(self, queue: PrivateRedis) -> None:
        status, parts = ask()
        assert status == 503
        assert parts == {"database": READY, "queue": READY, "workers": NOT_READY, "runs": READY}

    def test_a_wrong_token_reads_no_more(self, token: dict[str, str]) -> None:
        assert ask({"Authorization": "Bearer 0123456789"})[1]["database"] == READY
        assert ask({"Authorization": "Bearer "})[1]["database"] == READY

    def test_a_blank_token_is_nobodys(self, settings: Any) -> None:
        settings.MONITORING_TOKEN = ""
        assert ask({"Authorization": "Bearer "})[1]["database"] == READY

    def test_with_the_token_each_part_says_how_it_is(self, token: dict[str, str], queue: PrivateRedis) -> None:
        register_worker(queue)
        register_worker(queue, state="busy")
        register_worker(queue, age=90)
        plant = make_plant()
        long_ago = timezone.now() - timedelta(seconds=1000)
        make_run(plant, options={"time_limit": 600.0})
        make_run(plant, options={"time_limit": 10.0})
        Run.objects.update(created_at=long_ago)
        silent = make_run(plant, state="running")
        Run.objects.filter(pk=silent.pk).update(heartbeat_at=long_ago)
        status, parts = ask(token)
        assert status == 200
        assert parts["workers"] == {"ready": True, "state": "2 live, 1 are busy.", "idle": 1, "busy": 1}
        assert parts["runs"]["waiting"] == {"short": 1, "long": 1}
        assert parts["runs"]["silent"] == 1
        assert 1000 <= parts["runs"]["oldest_waiting_seconds"] < 1100
        assert "2 wait. The oldest has waited for 100" in parts["runs"]["state"]
        assert "1 under way gave no sign of life" in parts["runs"]["state"]

    def test_one_part_can_be_asked_for(self, redis: PrivateRedis) -> None:
        assert ask()[0] == 503
        assert ask(query="?part=database") == (200, {"database": READY})
        assert Client().get("/readyz?part=secrets").status_code == 404

    def test_a_queue_that_is_not_there(self, redis: PrivateRedis, token: dict[str, str]) -> None:
        assert ask()[1] == {"database": READY, "queue": NOT_READY, "workers": NOT_READY, "runs": READY}
        assert ask(token)[1]["queue"] == {
            "ready": False,
            "state": "It does not answer. Runs wait.",
            "error": "ConnectionError",
        }

    def test_a_queue_that_takes_connections_and_never_answers(self, redis: PrivateRedis) -> None:
        with silent_server(redis.port):
            assert ask()[1]["queue"] == NOT_READY

    def test_a_key_that_is_none_of_a_workers(self, queue: PrivateRedis) -> None:
        client = queue.client()
        client.sadd("rq:workers", "rq:worker:gone", "rq:worker:odd")
        client.hset("rq:worker:odd", "last_heartbeat", "yesterday")
        client.close()
        assert ask()[1]["workers"] == NOT_READY

    def test_a_database_without_the_tables_of_this_version(self, token: dict[str, str]) -> None:
        with renamed("planning_run"):
            status, parts = ask(token)
        assert (status, parts["runs"]["ready"]) == (503, False)
        assert "manage.py migrate" in parts["database"]["state"]
        assert ask()[0] == 200

    def test_many_who_ask_at_once_cause_one_look(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(readiness, "FRESH_SECONDS", 60.0)
        ask()
        with renamed("planning_run"):
            assert ask()[0] == 200


@contextmanager
def renamed(table: str) -> Iterator[None]:
    """Let a table be missing."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO missing_{table}")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE missing_{table} RENAME TO {table}")


def test_a_database_that_stands_still(django_db_blocker: Any, django_db_setup: None) -> None:
    """Its server takes connections, as one behind a lost network seems to, and answers again later."""
    with new_cluster() as folder, serving(folder) as server:  # noqa: SIM117 - one line would be too long
        with django_db_blocker.unblock(), own_database(server.create("planner")):
            assert ask()[0] == 200
            postmaster = int(Path(folder, "data/postmaster.pid").read_text().split()[0])
            os.kill(postmaster, signal.SIGSTOP)
            try:
                assert ask() == (503, {"database": NOT_READY, "workers": NOT_READY, "runs": NOT_READY})
                assert ask()[0] == 503  # at once: the look that hangs is not waited for again
            finally:
                os.kill(postmaster, signal.SIGCONT)
            last = readiness._last
            assert last is not None
            assert last.ended.wait(30)
            assert ask()[0] == 200

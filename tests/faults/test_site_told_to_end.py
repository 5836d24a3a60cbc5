"""A site's services are told to end (SIGTERM), as a service manager does it: nothing is lost, and nobody waits long."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.dying import family
from tests.management.conftest import Shell, databases, migrated  # noqa: F401 - fixtures
from tests.private_redis import PrivateRedis
from tests.site_databases import Database, Databases
from tests.site_processes import Browser, Running, Site, running_site, until

HARD = """
from django.contrib.auth.models import User
from tests.runs.rich_plant import make_hard
make_hard()
User.objects.create_superuser('anna', password='secret')
"""


@pytest.fixture
def database(databases: Databases, migrated: Database) -> Database:  # noqa: F811
    """Return a database with a plant that keeps a solver busy, and a planner."""
    own = databases.new(copy_of=migrated)
    assert Shell(own).run("shell", "--no-imports", "-c", HARD).returncode == 0
    return own


@pytest.fixture
def queue() -> Iterator[PrivateRedis]:
    server = PrivateRedis()
    with server.running():
        yield server


def pressed(site: Site) -> Browser:
    """Return anna's browser after she pressed Run scenario."""
    browser = Browser(site)
    browser.log_in("anna", "secret")
    press(site, browser)
    return browser


def press(site: Site, browser: Browser) -> str:
    (scenario,) = site.database.rows("SELECT id FROM planning_scenario WHERE name = 'Baseline'")
    options = {"time_limit": "100", "gap": "0", "solver": "highs"}
    return browser.send(f"/admin/planning/scenario/run/?scenario={scenario[0]}", options)


def runs(site: Site) -> list[tuple[str, int]]:
    return [(state, attempt) for state, attempt in site.database.rows("SELECT state, attempt FROM planning_run")]


def end_all(service: Running) -> None:
    """Tell a service and all that it started to end, at once: `KillMode=control-group`, systemd's default."""
    for pid in [service.process.pid, *(pid for pid, _, _ in family(service.process.pid))]:
        os.kill(pid, signal.SIGTERM)
    service.process.wait(60)


def test_a_web_service_without_a_queue_hands_its_runs_back_and_goes_on_when_it_starts(
    database: Database, tmp_path: Path
) -> None:
    with running_site(database, tmp_path) as site:
        web = site.serve()
        pressed(site)
        until(lambda: runs(site) == [("running", 1)], "the run")
        end_all(web)
        until(lambda: runs(site) == [("queued", 2)], "the hand-back")
        again = site.serve()
        until(lambda: runs(site) == [("running", 2)], "the second attempt")
        end_all(again)
        until(lambda: runs(site) == [("queued", 3)], "the hand-back")


def test_a_web_process_told_alone_leaves_its_runs_going(database: Database, tmp_path: Path) -> None:
    """`KillMode=process`, or somebody's `kill`."""
    with running_site(database, tmp_path) as site:
        web = site.serve()
        browser = pressed(site)
        until(lambda: runs(site) == [("running", 1)], "the run")
        children = [pid for pid, _, _ in family(web.process.pid)]
        assert web.told_to_end() == 0
        site.serve()
        assert runs(site) == [("running", 1)]
        (run,) = site.database.rows("SELECT id FROM planning_run")
        token = next(cookie.value for cookie in browser.cookies if cookie.name == "csrftoken")
        browser.get(f"/admin/planning/run/{run[0]}/stop/", b"", X_CSRFToken=str(token))
        until(lambda: runs(site)[0][0] == "stopped", "the plan")
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), "the end of all")


def test_a_request_under_way_is_answered(database: Database, queue: PrivateRedis, tmp_path: Path) -> None:
    """The queue stands still while a run is sent to it; meanwhile the web service is told to end."""
    with running_site(database, tmp_path, REDIS_URL=queue.url) as site:
        web = site.serve()
        browser = Browser(site, follows=False)  # there is nobody who could show the next page
        browser.log_in("anna", "secret")
        server = int(queue.client().info("server")["process_id"])
        os.kill(server, signal.SIGSTOP)
        answers: list[str] = []
        clicking = threading.Thread(target=lambda: answers.append(press(site, browser)))
        clicking.start()
        until(lambda: runs(site) == [("queued", 1)], "the run")
        web.process.send_signal(signal.SIGTERM)
        os.kill(server, signal.SIGCONT)
        assert web.process.wait(60) == 0
        clicking.join(10)
        assert queue.client().llen("rq:queue:long") == 1
        assert [answer.startswith("/admin/planning/run/") for answer in answers] == [True], web.said


@pytest.mark.parametrize("how", ["alone", "with all it started"])
def test_a_pool_of_workers(how: str, database: Database, queue: PrivateRedis, tmp_path: Path) -> None:
    """Its workers hear of the end twice, from the pool and from the service manager: that does not kill their runs."""
    with running_site(database, tmp_path, REDIS_URL=queue.url) as site:
        site.serve()
        pressed(site)
        pool = site.manage("rqworker-pool", "short", "long", "--num-workers", "2")
        until(lambda: runs(site) == [("running", 1)], "the run")
        if how == "alone":  # it waits for its run, which is stopped for the sake of the test
            pool.process.send_signal(signal.SIGTERM)
            (run,) = site.database.rows("SELECT id FROM planning_run")
            until(lambda: "Waiting for workers to shutdown" in pool.said, "the pool")
            assert runs(site) == [("running", 1)]
            subprocess.run(Shell(database).command("stop_run", str(run[0])), env=site.variables, check=True)
            assert pool.process.wait(60) == 0
            assert runs(site) == [("stopped", 1)]
        else:
            end_all(pool)
            assert runs(site) == [("queued", 2)]
            assert queue.client().lrange("rq:queue:long", 0, -1)[-1].endswith(b"-2")

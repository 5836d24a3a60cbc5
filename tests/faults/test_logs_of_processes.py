"""A run can be followed through the logs of all processes, from the click to the write-back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planning.models import Plant, Run
from tests.faults.nursery import Nursery
from tests.management.conftest import Shell, databases, migrated  # noqa: F401 - fixtures
from tests.private_redis import PrivateRedis
from tests.site_databases import Database, Databases
from tests.site_processes import Browser, Running, Site, running_site, until

SAMPLE = Path(__file__).parents[1] / "plants" / "lumix_step2_furniture"
CLICK = "proxy-4711"
ANNA = "from django.contrib.auth.models import User; User.objects.create_superuser('anna', password='secret')"


@pytest.fixture
def database(databases: Databases, migrated: Database) -> Database:  # noqa: F811
    """Return a database with the furniture plant and a planner."""
    own = databases.new(copy_of=migrated)
    assert Shell(own).run("import_plan", str(SAMPLE)).returncode == 0
    assert Shell(own).run("shell", "--no-imports", "-c", ANNA).returncode == 0
    return own


@pytest.fixture
def redis() -> Iterator[PrivateRedis]:
    server = PrivateRedis()
    with server.running():
        yield server


def press_run(site: Site) -> None:
    """Press Run scenario as anna, in a request that the proxy has named."""
    browser = Browser(site)
    browser.log_in("anna", "secret")
    (scenario,) = site.database.rows("SELECT id FROM planning_scenario WHERE name = 'Baseline'")
    options = {"time_limit": "60", "gap": "0.01", "solver": "highs"}
    browser.send(f"/admin/planning/scenario/run/?scenario={scenario[0]}", options, X_Request_ID=CLICK)


def solved(site: Site) -> bool:
    return bool(site.database.rows("SELECT state FROM planning_run") == [("solved",)])


def lines_of_the_run(*logs: Running) -> list[dict[str, Any]]:
    lines = [line for log in logs for line in log.lines if "run" in line]
    assert len({line["run"] for line in lines}) == 1
    return lines


def assert_followed(lines: list[dict[str, Any]], processes: int) -> None:
    """Assert that the click, the claim, the solver and the end name run, user and request, in so many processes."""
    for message in ("queued (attempt 1, anna)", "running (attempt 1", "the solver highs starts", "solved (attempt 1"):
        (line,) = [line for line in lines if message in line["message"]]
        assert (line["user"], line["request"]) == ("anna", CLICK)
        assert line["level"] == "INFO"
    assert {line["attempt"] for line in lines} == {1}
    assert len({line["process"] for line in lines}) == processes


def test_through_a_queue(database: Database, redis: PrivateRedis, tmp_path: Path) -> None:
    with running_site(database, tmp_path, REDIS_URL=redis.url, LOG_FORMAT="json") as site:
        web = site.serve()
        press_run(site)
        worker = site.manage("rqworker", "short", "long", "--burst")
        assert worker.process.wait(60) == 0, worker.said
        assert solved(site)
        assert web.told_to_end() == 0
        assert_followed(lines_of_the_run(web, worker), processes=3)  # web, work-horse, solver
        named = {line["logger"] for log in (web, worker) for line in log.lines}
        assert {"planning.runs", "rq.worker", "gunicorn.error"} <= named


def test_without_a_queue(database: Database, tmp_path: Path) -> None:
    with running_site(database, tmp_path, LOG_FORMAT="json") as site:
        web = site.serve()
        press_run(site)
        until(lambda: solved(site), "the plan")
        until(lambda: "solved (attempt 1" in web.said, "the last line")
        assert web.told_to_end() == 0
        assert_followed(lines_of_the_run(web), processes=3)  # web, the run's, solver


def test_people_read_lines(database: Database, tmp_path: Path) -> None:
    with running_site(database, tmp_path) as site:
        web = site.serve()
        press_run(site)
        until(lambda: "solved (attempt 1" in web.said, "the last line")
        (line,) = [line for line in web.said.splitlines() if "solved (attempt 1" in line]
        assert f"user=anna request={CLICK}]" in line


def test_a_spawned_solver_knows_its_run(run: Run, nursery: Nursery) -> None:
    Run.objects.update(request_id=CLICK)
    process = nursery.start("execute_run", run.pk, 1, PLANNING__START_METHOD="spawn")
    assert process.wait() == 0, process.log
    (line,) = [line for line in process.log.splitlines() if "the solver highs starts" in line]
    assert line.endswith(f"[run={run.pk} attempt=1 request={CLICK}]")


def test_a_command_for_people_shows_no_log_of_a_spawned_solver(furniture: Plant, nursery: Nursery) -> None:
    process = nursery.start("solve_plan", PLANNING__START_METHOD="spawn")
    assert process.wait() == 0
    assert "the solver" not in process.log

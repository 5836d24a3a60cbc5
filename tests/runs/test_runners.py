"""The local runner: a child process executes the run, and whoever started it waits for nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import environ
import pytest
from django.conf import settings as site_settings
from django.db import connection, transaction

from planning.models import RESULT_TABLES, Run
from planning.runs import reconcile, start_run, stop_run
from planning.runs.solver_process import database_url
from tests.factories import BEST_PROFIT, make_furniture
from tests.formulation.small_plants import baseline
from tests.runs.rich_plant import make_hard

pytestmark = pytest.mark.django_db(transaction=True)


def wait_for(run: Run, *states: str, seconds: float = 60) -> Run:
    """Return the run once it is in one of the states, or ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        run.refresh_from_db()
        if run.state in states or (not states and not run.is_open):
            return run
        time.sleep(0.1)
    raise AssertionError(f"The run is still {run.state}.")


class TestChild:
    def test_it_executes_the_run(self) -> None:
        run = start_run(baseline(make_furniture()))
        assert run.state == "queued"
        wait_for(run)
        assert run.state == "solved", run.reason
        assert run.objective == pytest.approx(BEST_PROFIT, rel=1e-9)
        assert run.worker.split(":")[-1] != str(os.getpid())
        assert sum(table.objects.filter(run=run).count() for table in RESULT_TABLES) == 3 + 3 + 5 + 3

    def test_it_starts_after_the_commit(self) -> None:
        with transaction.atomic():
            run = start_run(baseline(make_furniture()))
            time.sleep(0.2)
            run.refresh_from_db()
            assert run.state == "queued"
        assert wait_for(run).state == "solved"

    def test_nothing_starts_where_nothing_is_committed(self) -> None:
        plant = make_furniture()
        with transaction.atomic():
            start_run(baseline(plant))
            transaction.set_rollback(True)
        assert not Run.objects.exists()

    def test_a_run_whose_child_is_killed_goes_on_in_another(self) -> None:
        run = start_run(baseline(make_hard()))
        wait_for(run, "running")
        os.kill(int(run.worker.split(":")[-1]), signal.SIGKILL)
        deadline = time.monotonic() + 30
        while run.attempt == 1 or run.state != "running":
            assert time.monotonic() < deadline, run.reason
            time.sleep(0.1)
            run.refresh_from_db()
        assert "killed by signal 9" in run.moves.filter(state="queued").last().reason
        stop_run(run, "test")
        assert wait_for(run).state == "stopped"

    def test_a_run_fails_once_its_last_child_is_killed(self, settings: Any) -> None:
        settings.PLANNING = {**settings.PLANNING, "MAX_ATTEMPTS": 1}
        run = start_run(baseline(make_hard()))
        wait_for(run, "running")
        os.kill(int(run.worker.split(":")[-1]), signal.SIGKILL)
        wait_for(run)
        assert run.state == "failed"
        assert "killed by signal 9, in attempt 1 of 1" in run.reason

    def test_one_that_can_not_be_started_waits_and_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", "/there/is/no/python")
        run = start_run(baseline(make_furniture()))
        run.refresh_from_db()
        assert run.state == "queued"
        assert "No process could be started" in run.reason
        monkeypatch.undo()
        reconcile()
        assert wait_for(run).state == "solved"

    def test_a_run_that_was_executed_here_is_not_started(self) -> None:
        run = start_run(baseline(make_furniture()), here=True)
        time.sleep(0.3)
        run.refresh_from_db()
        assert run.state == "queued"


class TestDatabaseUrl:
    """The child must find the same database, wherever it starts."""

    @pytest.mark.parametrize(
        "name", ["plain.sqlite3", "with space.sqlite3", "100%.sqlite3", "a+b.sqlite3", "what?.sqlite3", "no#1.sqlite3"]
    )
    def test_a_file_of_any_name_is_found_again(self, name: str, tmp_path: Path) -> None:
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / name)}
        assert environ.Env.db_url_config(database_url(database))["NAME"] == str(tmp_path / name)

    def test_a_relative_file_is_found_from_another_folder(self, tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.chdir(tmp_path)
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": "planner.sqlite3"}
        assert environ.Env.db_url_config(database_url(database))["NAME"] == str(tmp_path / "planner.sqlite3")

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"PASSWORD": "p@ss:w/rd#1?%"},
            {"PORT": ""},
            {"HOST": "/var/run/postgresql", "PORT": ""},
            {"HOST": "", "USER": "", "PASSWORD": "", "PORT": ""},
            {"HOST": "::1"},
            {"NAME": "planner db"},
            {"OPTIONS": {"sslmode": "require", "connect_timeout": 5}},
        ],
    )
    def test_a_server_is_found_again(self, changes: dict[str, Any]) -> None:
        login = {"USER": "planner", "PASSWORD": "secret", "HOST": "db.example.org", "PORT": 5432, "NAME": "planner"}
        database = {"ENGINE": "django.db.backends.postgresql", **login, **changes}
        found = environ.Env.db_url_config(database_url(database))
        names = {*login, *changes}
        assert {name: found.get(name) or "" for name in names} == {name: database[name] for name in names}

    def test_the_child_asks_the_test_database(self) -> None:
        url = database_url(site_settings.DATABASES["default"])
        make_furniture("Only Here")
        found = subprocess.run(
            [
                sys.executable,
                "manage.py",
                "shell",
                "--no-imports",
                "-c",
                "from planning.models import *; print(Plant.objects.get())",
            ],
            env=os.environ | {"DATABASE_URL": url},
            cwd=site_settings.BASE_DIR,
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout.strip() == "Only Here"
        assert connection.vendor in url.replace("postgres:", "postgresql:")

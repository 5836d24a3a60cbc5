"""PostgreSQL is restarted, or crashes, while a run is under way: its process waits for it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from planning.models import Plant, Run
from planning.runs import RunOptions, start_run
from tests.factories import make_furniture
from tests.faults.nursery import Death, Nursery, Process, until
from tests.faults.own_database import own_database
from tests.faults.truth import assert_a_new_run_works, assert_best, assert_whole, executed_again, states, taken_back
from tests.formulation.small_plants import baseline
from tests.private_postgresql import PostgreSQL, new_cluster, serving

EXECUTE, WATCH = "planning.runs.execute", "planning.runs.watch"
POINTS: dict[str, Death] = {
    "before the claim": (f"{EXECUTE}:move", "before", 1, "pause"),
    "after the claim": (f"{EXECUTE}:read_copy", "before", 1, "pause"),
    "while it solves": (f"{WATCH}:Watch._hear", "after", 1, "pause"),
    "before it writes": (f"{EXECUTE}:write_back", "before", 1, "pause"),
    "before the first result rows": (f"{EXECUTE}:write_rows", "before", 1, "pause"),
    "in the middle of the result rows": (f"{EXECUTE}:write_rows", "after", 2, "pause"),
    "before the plan check": (f"{EXECUTE}:check_plan", "before", 1, "pause"),
    "before the commit": (f"{EXECUTE}:move", "after", 2, "pause"),
}


class Server:
    """A PostgreSQL server that can be ended and started again."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._running = ExitStack()

    def start(self) -> PostgreSQL:
        return self._running.enter_context(serving(self.folder, once=False))

    def stop(self) -> None:
        """End it as an administrator does: open connections are cut."""
        connection.close()
        self._running.close()

    def crash(self) -> None:
        """End it as a power cut does."""
        os.kill(int(Path(self.folder, "data/postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        self.stop()


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    """Return a running server with the site's tables."""
    with new_cluster() as folder:
        server = Server(folder)
        running = server.start()
        url = running.create("planner")
        with running.connect() as administrator:  # a commit that was answered outlives a crash, as on any real server
            administrator.execute("ALTER DATABASE planner SET synchronous_commit = on")
        try:
            with django_db_blocker.unblock(), own_database(url):
                yield server
        finally:
            server.stop()


@pytest.fixture
def run(server: Server, nursery: Nursery, django_db_blocker: Any) -> Iterator[Run]:
    """Return a queued run in that database."""
    with django_db_blocker.unblock():
        plant = make_furniture()
        yield start_run(baseline(plant), RunOptions(time_limit=60), here=True)
        nursery.clear()
        Plant.objects.all().delete()


def paused(nursery: Nursery, run: Run, point: Death, **values: Any) -> Process:
    """Return the run's process, which stands still at the point."""
    process = nursery.start("execute_run", run.pk, run.attempt, deaths=[point], **values)
    until(process.paused, "the point")
    return process


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_it_is_restarted(point: Death, run: Run, server: Server, nursery: Nursery) -> None:
    process = paused(nursery, run, point)
    server.stop()
    process.signal(signal.SIGCONT)
    until(lambda: "database does not answer" in process.log, "the first try")
    server.start()
    assert process.wait() == 0, process.log
    assert_best(run)
    assert states(run) == ["queued 1", "running 1", "solved 1"]
    assert_a_new_run_works(run.plant)


def test_it_crashes_in_the_middle_of_the_result_rows(run: Run, server: Server, nursery: Nursery) -> None:
    process = paused(nursery, run, POINTS["in the middle of the result rows"])
    server.crash()
    server.start()
    process.signal(signal.SIGCONT)
    assert process.wait() == 0, process.log
    assert_best(run)
    assert states(run) == ["queued 1", "running 1", "solved 1"]
    assert_a_new_run_works(run.plant)


def test_it_stays_away_longer_than_a_run_waits(run: Run, server: Server, nursery: Nursery) -> None:
    process = paused(nursery, run, POINTS["before it writes"], patience__PATIENCE_SECONDS=0.5)
    server.stop()
    process.signal(signal.SIGCONT)
    assert process.wait() == 1
    server.start()
    run.refresh_from_db()
    assert (run.state, states(run)) == ("running", ["queued 1", "running 1"])
    assert_whole(run)
    taken_back(run)
    assert_best(executed_again(run))
    assert_a_new_run_works(run.plant)


def test_the_commit_was_heard_and_its_answer_was_not(run: Run, server: Server, nursery: Nursery) -> None:
    """Tried again, writing back finds the run solved, and leaves it so."""
    point: Death = (f"{EXECUTE}:write_back", "after", 1, "cut")
    process = nursery.start("execute_run", run.pk, 1, deaths=[point])
    assert process.wait() == 0, process.log
    assert process.reached()
    assert_best(run)
    assert states(run) == ["queued 1", "running 1", "solved 1"]


def test_a_killed_process_leaves_no_lock(run: Run, server: Server, nursery: Nursery) -> None:
    process = paused(nursery, run, POINTS["before the commit"])
    process.kill_tree()
    taken_back(run)
    assert_best(executed_again(run))
    assert_a_new_run_works(run.plant)

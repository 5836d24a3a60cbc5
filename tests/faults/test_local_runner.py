"""A site without a queue: web processes and the children that they start die, and no timer looks after them."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse

from planning.models import Plant, Run
from planning.runs import start_run
from planning.runs.states import process_name
from tests.factories import make_viewer
from tests.faults.nursery import Death, Nursery, Process, until
from tests.faults.truth import (
    LONG,
    assert_a_new_run_works,
    assert_best,
    assert_ended,
    assert_whole,
    let_time_pass,
    states,
    taken_back,
)
from tests.formulation.small_plants import baseline

PRESS, SERVE = "tests.faults.steps:press_run", "tests.faults.steps:serve"
KILL = ("before", 1, "kill")


def only_run() -> Run:
    return Run.objects.get()


def child_for(run: Run, process: Process) -> int | None:
    """Return the child of the process that was started for the run."""
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in process.children()}
    return next((pid for pid, command in commands.items() if f"\0execute_run\0{run.pk}\0" in command), None)


def ended(run: Run) -> bool:
    run.refresh_from_db()
    return not run.is_open


def poll(run: Run, viewer: Client) -> None:
    """Ask what an open page of the run asks."""
    assert viewer.get(reverse("admin:planning_run_state", args=[run.pk])).status_code == 200


@pytest.fixture
def viewer(client: Client, furniture: Plant, settings: pytest.FixtureRequest) -> Client:
    """Return the browser of somebody who looks at a run, on a site that starts one run at a time."""
    client.force_login(make_viewer())
    settings.PLANNING = settings.PLANNING | {"LOCAL_RUNS": 1}
    return client


class TestWebProcess:
    def test_it_dies_before_the_commit(self, furniture: Plant, nursery: Nursery) -> None:
        process = nursery.start(PRESS, deaths=[("planning.runs.start:record", *KILL)])
        assert process.wait() == -9
        assert not Run.objects.exists()
        assert_a_new_run_works(furniture)

    @pytest.mark.parametrize(
        "point",
        ["planning.runs.start:launch", "planning.runs.local:start_python"],
        ids=["after the commit", "after it said that it starts the child"],
    )
    def test_it_dies_before_the_child_starts(
        self, point: str, furniture: Plant, nursery: Nursery, viewer: Client
    ) -> None:
        process = nursery.start(PRESS, deaths=[(point, *KILL)], PLANNING__LOCAL_RUNS=1)
        assert process.wait() == -9
        run = only_run()
        assert (run.state, states(run)) == ("queued", ["queued 1"])
        assert_whole(run)
        let_time_pass(run)
        Run.objects.update(created_at=F("created_at") - LONG)
        poll(run, viewer)
        until(lambda: ended(run), "the end of the run")
        assert_best(run)
        assert_a_new_run_works(furniture)

    def test_it_dies_while_its_child_executes(self, furniture: Plant, nursery: Nursery) -> None:
        """The child goes on, and starts who waits: nobody else would."""
        process = nursery.start(SERVE, "0.0001", "0.001", "0.01", PLANNING__LOCAL_RUNS=1)
        until(lambda: Run.objects.count() == 3 and process.children(), "the child")
        process.signal(signal.SIGKILL)
        runs = list(Run.objects.order_by("id"))
        for run in runs:
            until(lambda: ended(run), "the end of the run")  # noqa: B023 - used at once
            assert_best(run)
            assert states(run) == ["queued 1", "running 1", "solved 1"]
        assert_a_new_run_works(furniture)


class TestChild:
    def test_each_that_follows_is_watched_too(self, furniture: Plant, nursery: Nursery) -> None:
        """The second run waits for room; it is the web process that starts it, and sees its child die."""
        process = nursery.start(SERVE, "0.0001", "0.001", PLANNING__LOCAL_RUNS=1)
        until(lambda: Run.objects.count() == 2, "the runs")
        first, second = Run.objects.order_by("id")
        until(lambda: ended(first), "the end of the first")
        child = until(lambda: child_for(second, process), "the second child")
        nursery.send(child, signal.SIGKILL)
        until(lambda: ended(second), "the end of the second")
        assert_best(second)
        assert second.attempt == 2
        assert "was killed by signal 9" in second.moves.get(state="queued", attempt=2).reason
        process.kill_tree()
        assert_a_new_run_works(furniture)

    def test_one_that_always_dies_before_its_claim_is_not_started_for_ever(
        self, furniture: Plant, nursery: Nursery, settings: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.PLANNING = settings.PLANNING | {"LOCAL_RUNS": 1}
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "there_is_no_such_module")
        run = start_run(baseline(furniture))
        until(lambda: ended(run), "the end of the run")
        assert_ended(run, "failed", "ended with exit code 1, in attempt 3 of 3")
        assert states(run) == ["queued 1", "queued 2", "queued 3", "failed 3"]
        monkeypatch.undo()
        assert_a_new_run_works(furniture)

    def test_one_that_dies_beside_the_one_that_claimed_the_run_takes_nothing_from_it(
        self, run: Run, nursery: Nursery
    ) -> None:
        point: Death = ("planning.runs.execute:write_back", "before", 1, "pause")
        owner = nursery.start("execute_run", run.pk, 1, deaths=[point])
        until(owner.paused, "the plan")
        follow_up = "planning.runs.states:lost"
        nursery.start(follow_up, run.pk, 1, "was killed by signal 9", process_name(os.getpid())).wait()
        assert states(run) == ["queued 1", "running 1"]
        owner.signal(signal.SIGCONT)
        assert owner.wait() == 0
        assert_best(run)


def test_whoever_looks_at_a_silent_run_sets_it_going(
    run: Run, furniture: Plant, nursery: Nursery, viewer: Client
) -> None:
    hear: Death = ("planning.runs.watch:Watch._hear", "after", 1, "kill_tree")
    nursery.start("execute_run", run.pk, 1, deaths=[hear]).wait()
    poll(run, viewer)
    assert states(run) == ["queued 1", "running 1"]
    let_time_pass(run, timedelta(seconds=61))
    poll(run, viewer)
    assert states(run)[:3] == ["queued 1", "running 1", "queued 2"]
    until(lambda: ended(run), "the end of the run")
    assert_best(run)
    assert_a_new_run_works(furniture)


def test_a_command_that_solves_in_its_own_process_is_killed(furniture: Plant, nursery: Nursery) -> None:
    solving: Death = ("planning.runs.watch:Watch._hear", "after", 1, "kill")
    assert nursery.start("solve_plan", deaths=[solving]).wait() == -9
    run = only_run()
    assert run.state == "running"
    until(nursery.empty, "the end of the solver", seconds=10)
    taken_back(run)
    assert nursery.start("reconcile_runs", PLANNING__LOCAL_RUNS=1).wait() == 0
    until(lambda: ended(run), "the end of the run")
    assert_best(run)
    assert_a_new_run_works(furniture)

"""Somebody asks a run to stop, in each of its states and at awkward moments."""

from __future__ import annotations

import signal

import pytest

from planning.models import Plant, Run
from planning.runs import run_as_json, start_run, stop_run
from planning.runs.states import UNDER_WAY
from tests.faults.nursery import Nursery, until
from tests.faults.truth import (
    assert_a_new_run_works,
    assert_best,
    assert_ended,
    let_time_pass,
    result_count,
    states,
)
from tests.formulation.small_plants import baseline
from tests.runs.rich_plant import make_hard

EXECUTE, WATCH = "planning.runs.execute", "planning.runs.watch"


@pytest.fixture
def hard(nursery: Nursery, transactional_db: None) -> Run:
    """Return a queued run that would take minutes."""
    return start_run(baseline(make_hard(products=30, machines=6, periods=4)), here=True)


def has_plan(run: Run) -> bool:
    """Whether the run says that a plan was found."""
    run.refresh_from_db()
    return run.progress.get("best") is not None


class TestQueued:
    def test_it_ends_at_once(self, run: Run, furniture: Plant, nursery: Nursery) -> None:
        stop_run(run, "anna")
        assert_ended(run, "stopped", "Stopped by anna before it began.")
        assert states(run) == ["queued 1", "stopped 1"]
        assert nursery.start("execute_run", run.pk, 1).wait() == 0
        assert states(run) == ["queued 1", "stopped 1"]
        assert_a_new_run_works(furniture)

    def test_a_process_that_was_about_to_claim_it_does_nothing(self, run: Run, nursery: Nursery) -> None:
        process = nursery.start("execute_run", run.pk, 1, deaths=[(f"{EXECUTE}:move", "before", 1, "pause")])
        until(process.paused, "the claim")
        stop_run(run, "anna")
        process.signal(signal.SIGCONT)
        assert process.wait() == 0
        assert_ended(run, "stopped", "before it began")


class TestRunning:
    def test_one_that_has_just_been_claimed(self, hard: Run, nursery: Nursery) -> None:
        process = nursery.start("execute_run", hard.pk, 1, deaths=[(f"{EXECUTE}:read_copy", "before", 1, "pause")])
        until(process.paused, "the claim")
        stop_run(hard, "anna")
        process.signal(signal.SIGCONT)
        assert process.wait() == 0
        assert_ended(hard, "stopped", "The run was stopped.")

    def test_one_that_has_a_plan_keeps_it(self, hard: Run, nursery: Nursery) -> None:
        process = nursery.start("execute_run", hard.pk, 1)
        until(lambda: has_plan(hard), "a plan")
        stop_run(hard, "anna")
        assert process.wait() == 0
        assert_ended(hard, "stopped", "The best plan so far was kept.")
        assert result_count(hard) > 0
        assert hard.moves.get(state="stopping").who == "anna"

    def test_asked_twice_it_keeps_none(self, hard: Run, nursery: Nursery) -> None:
        process = nursery.start("execute_run", hard.pk, 1)
        until(lambda: has_plan(hard), "a plan")
        stop_run(hard, "anna")
        stop_run(hard, "bob")
        if hard.is_open:  # it may have been faster
            assert process.wait() == 0
            hard.refresh_from_db()
        assert hard.state == "stopped"
        if hard.stop_requests == 2:
            assert result_count(hard) == 0 or "The best plan so far was kept" in hard.reason
        process.wait()

    def test_one_that_is_writing_its_plan_is_faster(self, run: Run, nursery: Nursery) -> None:
        process = nursery.start("execute_run", run.pk, 1, deaths=[(f"{EXECUTE}:write_back", "before", 1, "pause")])
        until(process.paused, "the plan")
        stop_run(run, "anna")
        assert run.state == "stopping"
        process.signal(signal.SIGCONT)
        assert process.wait() == 0
        assert_best(run)
        assert states(run) == ["queued 1", "running 1", "stopping 1", "solved 1"]


class TestGone:
    """The process that would have to answer is not there any more."""

    def test_one_that_was_asked_before_its_process_died(self, run: Run, furniture: Plant, nursery: Nursery) -> None:
        process = nursery.start("execute_run", run.pk, 1, deaths=[(f"{WATCH}:Watch._hear", "after", 1, "pause")])
        until(process.paused, "the solver")
        stop_run(run, "anna")
        process.kill_tree()
        let_time_pass(run)
        nursery_reconciles(nursery)
        assert_ended(run, "stopped", "gave no sign of life for 60 s after it was asked to stop")
        assert_a_new_run_works(furniture)

    def test_one_whose_process_died_long_ago_ends_when_it_is_asked(
        self, run: Run, furniture: Plant, nursery: Nursery
    ) -> None:
        """Nobody has to wait for the next timer, on a site that has none."""
        nursery.start("execute_run", run.pk, 1, deaths=[(f"{WATCH}:Watch._hear", "after", 1, "kill_tree")]).wait()
        let_time_pass(run)
        stop_run(run, "anna")
        assert_ended(run, "stopped", "gave no sign of life")
        assert_a_new_run_works(furniture)


@pytest.mark.parametrize("state", [state for state in Run.State.values if state not in Run.OPEN_STATES])
def test_one_that_has_ended_stays_as_it_is(state: str, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state=state, reason="It ended.", finished_at="2026-01-01T00:00:00Z")
    run.refresh_from_db()
    before = run_as_json(run), states(run)
    stop_run(run, "anna")
    assert (run_as_json(run), states(run)) == before
    assert run.state == state not in UNDER_WAY


def nursery_reconciles(nursery: Nursery) -> None:
    assert nursery.start("reconcile_runs").wait() == 0

"""What holds of a run after any death, and how tests let time pass."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from planning.models import RESULT_TABLES, Plant, Run
from planning.runs import execute, reconcile, start_run
from tests.factories import BEST_PROFIT
from tests.formulation.small_plants import baseline

FURNITURE_ROWS = 3 + 3 + 5 + 3
LONG = timedelta(minutes=2)


def result_count(run: Run) -> int:
    """Return the number of the run's result rows."""
    return sum(table._default_manager.filter(run=run).count() for table in RESULT_TABLES)


def let_time_pass(run: Run, time: timedelta = LONG) -> None:
    """Make the run's last signs older than a living process would let them grow."""
    Run.objects.filter(pk=run.pk).update(heartbeat_at=F("heartbeat_at") - time, sent_at=F("sent_at") - time)


def states(run: Run) -> list[str]:
    """Return the states that the run went through, with the attempt where it changed."""
    return [f"{state} {attempt}" for state, attempt in run.moves.values_list("state", "attempt")]


def assert_whole(run: Run) -> None:
    """Assert that nothing is half written: what the run says, its rows and its story agree."""
    run.refresh_from_db()
    last = run.moves.last()
    assert last is not None
    assert (last.state, last.attempt) == (run.state, run.attempt)
    has_plan = run.objective is not None
    assert run.plan_checked == has_plan
    assert (result_count(run) > 0) == has_plan
    if has_plan:
        assert run.state in ("solved", "stopped")
        assert run.profit_parts
    assert (run.finished_at is None) == run.is_open
    if not run.is_open:
        assert run.reason == last.reason != ""


def assert_ended(run: Run, state: str, *words: str) -> None:
    """Assert that the run ended so, in words, and whole."""
    run.refresh_from_db()
    assert run.state == state, (run.state, run.reason)
    for word in words:
        assert word in run.reason
    assert_whole(run)


def assert_best(run: Run) -> None:
    """Assert that the run has the furniture workshop's whole plan, once."""
    assert_ended(run, "solved", "proven best")
    assert run.objective == pytest.approx(BEST_PROFIT, rel=1e-9)
    assert result_count(run) == FURNITURE_ROWS


def taken_back(run: Run) -> Run:
    """Return the run after its silence was noticed."""
    let_time_pass(run)
    assert reconcile() == [run.pk]
    run.refresh_from_db()
    return run


def executed_again(run: Run) -> Run:
    """Return the run after another process executed its present attempt."""
    run.refresh_from_db()
    return execute(run.pk, run.attempt)


def assert_a_new_run_works(plant: Plant) -> None:
    """Assert that the same scenario can be run again."""
    assert plant.runs.filter(state__in=Run.OPEN_STATES).count() == 0
    run = start_run(baseline(plant), here=True)
    assert execute(run.pk, 1).state == "solved"
    assert_whole(run)

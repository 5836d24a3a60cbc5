"""The database's clock jumps: a run may lose an attempt, but neither its result nor its turn."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest
from django.db.models import F

from planning.models import Plant, Run
from planning.runs import reconcile
from tests.faults.nursery import Nursery, until
from tests.faults.truth import assert_a_new_run_works, assert_best, executed_again, states

JUMPS = pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(days=1)], ids=["forward", "back"])


def shift(run: Run, time: timedelta) -> None:
    """Let the run's signs look older, as after a jump forward, or lie in the future."""
    Run.objects.filter(pk=run.pk).update(
        heartbeat_at=F("heartbeat_at") + time, sent_at=F("sent_at") + time, started_at=F("started_at") + time
    )


@JUMPS
def test_a_run_that_is_looked_at_before_its_next_sign_of_life(
    jump: timedelta, run: Run, furniture: Plant, nursery: Nursery
) -> None:
    process = nursery.start(
        "execute_run", run.pk, 1, deaths=[("planning.runs.execute:write_back", "before", 1, "pause")]
    )
    until(process.paused, "the plan")
    shift(run, jump)
    assert reconcile() == [run.pk]
    process.signal(signal.SIGCONT)
    assert process.wait() == 0
    assert_best(executed_again(run))
    assert states(run) == ["queued 1", "running 1", "queued 2", "running 2", "solved 2"]
    assert_a_new_run_works(furniture)


@JUMPS
def test_a_run_that_gives_a_sign_of_life_first_goes_on(jump: timedelta, run: Run, nursery: Nursery) -> None:
    process = nursery.start(
        "execute_run", run.pk, 1, deaths=[("planning.runs.watch:Watch.enter", "before", 1, "pause")]
    )
    until(process.paused, "the plan")
    shift(run, jump)
    process.signal(signal.SIGCONT)
    assert process.wait() == 0
    assert reconcile() == []
    assert_best(run)
    assert states(run) == ["queued 1", "running 1", "solved 1"]


@JUMPS
def test_a_run_that_waits_is_started(jump: timedelta, run: Run, furniture: Plant, nursery: Nursery) -> None:
    """It counted as given to a process just now, for as long as the clock had jumped."""
    shift(run, jump)
    assert nursery.start("reconcile_runs", PLANNING__LOCAL_RUNS=1).wait() == 0
    until(lambda: not refreshed(run).is_open, "the end of the run")
    assert_best(run)
    assert_a_new_run_works(furniture)


def refreshed(run: Run) -> Run:
    run.refresh_from_db()
    return run

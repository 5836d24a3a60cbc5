"""A run is asked for more than once: by a job that comes twice, or by two who start it."""

from __future__ import annotations

import signal

import pytest

from planning.models import Plant, Run
from planning.runs import run_as_json
from tests.faults.nursery import Death, Nursery, until
from tests.faults.truth import assert_a_new_run_works, assert_best, states

CLAIM: Death = ("planning.runs.execute:move", "before", 1, "pause")


def test_of_four_at_once_one_executes_it(run: Run, furniture: Plant, nursery: Nursery) -> None:
    processes = [nursery.start("execute_run", run.pk, 1, deaths=[CLAIM]) for _ in range(4)]
    for process in processes:
        until(process.paused, "the claim")
    for process in processes:
        process.signal(signal.SIGCONT)
    assert [process.wait() for process in processes] == [0] * 4
    assert_best(run)
    assert states(run) == ["queued 1", "running 1", "solved 1"]
    assert run.worker.split(":")[-1] in [str(process.pid) for process in processes]
    assert sum("is not queued in attempt 1 any more" in process.log for process in processes) == 3
    assert_a_new_run_works(furniture)


@pytest.mark.parametrize("attempt", [1, 2])
def test_one_that_comes_late_changes_nothing(attempt: int, run: Run, nursery: Nursery) -> None:
    assert nursery.start("execute_run", run.pk, 1).wait() == 0
    run.refresh_from_db()
    before = run_as_json(run), states(run), run.finished_at
    late = nursery.start("execute_run", run.pk, attempt)
    assert late.wait() == 0
    run.refresh_from_db()
    assert (run_as_json(run), states(run), run.finished_at) == before
    assert_best(run)

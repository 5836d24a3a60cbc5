"""A process that was taken for dead comes back: the run is not its own any more, and its result is dropped."""

from __future__ import annotations

import signal

import pytest

from planning.models import Plant, Run, RunCopy
from planning.runs import run_as_json
from tests.faults.nursery import Death, Nursery, Process, until
from tests.faults.truth import (
    assert_a_new_run_works,
    assert_best,
    assert_whole,
    executed_again,
    states,
    taken_back,
)

EXECUTE, WATCH = "planning.runs.execute", "planning.runs.watch"
POINTS: dict[str, Death] = {
    "after the claim": (f"{EXECUTE}:read_copy", "before", 1, "pause"),
    "while it solves": (f"{WATCH}:Watch._hear", "before", 1, "pause"),
    "before it says that it writes": (f"{WATCH}:Watch.enter", "before", 1, "pause"),
    "before it writes": (f"{EXECUTE}:write_back", "before", 1, "pause"),
}
STORY = ["queued 1", "running 1", "queued 2", "running 2", "solved 2"]


def paused(nursery: Nursery, run: Run, point: Death) -> Process:
    """Return the run's first process, which stands still and was taken for dead."""
    process = nursery.start("execute_run", run.pk, 1, deaths=[point])
    until(process.paused, "the point")
    taken_back(run)
    return process


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_it_comes_back_when_another_has_solved_the_run(
    point: Death, run: Run, furniture: Plant, nursery: Nursery
) -> None:
    orphan = paused(nursery, run, point)
    solved = executed_again(run)
    assert_best(solved)
    before = run_as_json(solved)
    orphan.signal(signal.SIGCONT)
    assert orphan.wait() == 0, orphan.log
    assert "Its result was dropped." in orphan.log
    assert_best(run)
    assert (run_as_json(run), states(run)) == (before, STORY)
    assert_a_new_run_works(furniture)


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_it_comes_back_while_another_is_at_it(point: Death, run: Run, nursery: Nursery) -> None:
    orphan = paused(nursery, run, point)
    second = nursery.start("execute_run", run.pk, 2, deaths=[(f"{EXECUTE}:write_back", "before", 1, "pause")])
    until(second.paused, "the second attempt")
    orphan.signal(signal.SIGCONT)
    assert orphan.wait() == 0, orphan.log
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("running", 2)
    assert_whole(run)
    second.signal(signal.SIGCONT)
    assert second.wait() == 0
    assert_best(run)
    assert states(run) == STORY


def test_it_comes_back_before_another_has_begun(run: Run, nursery: Nursery) -> None:
    orphan = paused(nursery, run, POINTS["before it writes"])
    orphan.signal(signal.SIGCONT)
    assert orphan.wait() == 0
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("queued", 2)
    assert_whole(run)
    assert_best(executed_again(run))


def test_its_own_fault_does_not_end_the_run(run: Run, nursery: Nursery) -> None:
    orphan = paused(nursery, run, POINTS["after the claim"])
    assert_best(executed_again(run))
    RunCopy.objects.filter(run=run).update(content=b"no copy")
    orphan.signal(signal.SIGCONT)
    assert orphan.wait() == 0
    assert "The stored copy was altered" not in run.reason
    assert_best(run)
    assert states(run) == STORY

"""A run's process is told to end (SIGTERM), alone or with its whole service: the run waits for another process."""

from __future__ import annotations

import signal

import pytest

from planning.models import Plant, Run
from planning.runs import RunOptions, start_run, stop_run
from tests.faults.nursery import Death, Nursery, Process, until
from tests.faults.truth import (
    assert_a_new_run_works,
    assert_best,
    assert_ended,
    assert_whole,
    executed_again,
    states,
)
from tests.formulation.small_plants import baseline
from tests.runs.rich_plant import make_hard

EXECUTE = "planning.runs.execute"
SOLVING: Death = ("planning.runs.watch:Watch._hear", "after", 1, "pause")


def told_to_end(nursery: Nursery, run: Run, point: Death) -> Process:
    """Return the run's process, which was told to end when it was at the point, after its end."""
    process = nursery.start("execute_run", run.pk, run.attempt, deaths=[point])
    until(process.paused, "the point")
    process.signal(signal.SIGTERM)
    process.signal(signal.SIGCONT)
    assert process.wait() == 0, process.log
    return process


def assert_handed_back(run: Run) -> None:
    run.refresh_from_db()
    assert run.state == "queued"
    assert "asked to end, and the run waits for another" in run.reason
    assert_whole(run)


def hard_run(solver: str = "highs") -> Run:
    plant = make_hard(products=30, machines=6, periods=4)
    return start_run(baseline(plant), RunOptions(solver=solver), here=True)


@pytest.mark.parametrize("point", [(f"{EXECUTE}:read_copy", "before", 1, "pause"), SOLVING], ids=["claimed", "solving"])
def test_before_there_is_an_outcome_the_run_is_handed_back(
    point: Death, nursery: Nursery, transactional_db: None
) -> None:
    run = hard_run()
    told_to_end(nursery, run, point)
    assert nursery.empty()
    assert_handed_back(run)
    assert states(run) == ["queued 1", "running 1", "queued 2"]


def test_another_process_finishes_what_was_handed_back(run: Run, furniture: Plant, nursery: Nursery) -> None:
    for attempt in range(1, 5):  # more often than a process may die
        told_to_end(nursery, run, (f"{EXECUTE}:read_copy", "before", 1, "pause"))
        assert_handed_back(run)
        assert run.attempt == attempt + 1
    assert_best(executed_again(run))
    assert_a_new_run_works(furniture)


def test_with_the_outcome_at_hand_the_run_is_written(run: Run, nursery: Nursery) -> None:
    told_to_end(nursery, run, (f"{EXECUTE}:write_back", "before", 1, "pause"))
    assert_best(run)


@pytest.mark.parametrize("solver", ["highs", "pulp:CBC"])
def test_a_solver_that_was_told_too_is_no_fault(solver: str, nursery: Nursery, transactional_db: None) -> None:
    """A service manager tells all processes of a service at once."""
    run = hard_run(solver)
    process = nursery.start("execute_run", run.pk, 1)
    solvers = 1 if solver == "highs" else 2
    until(lambda: len(nursery.family()) == 1 + solvers and "running" in states(run)[-1], "the solver")
    for pid, _, _ in reversed(nursery.family()):
        nursery.send(pid, signal.SIGTERM)
    assert process.wait() == 0
    assert_handed_back(run)


def test_a_solver_told_alone_goes_on(run: Run, nursery: Nursery) -> None:
    process = nursery.start(
        "execute_run", run.pk, 1, deaths=[("planning.runs.solver_child:solve_copy", "before", 1, "pause")]
    )
    (solver,) = until(process.children, "the solver")
    until(process.reached, "the point")
    nursery.send(solver, signal.SIGTERM)
    nursery.send(solver, signal.SIGCONT)
    assert process.wait() == 0
    assert_best(run)


def test_one_that_was_stopped_meanwhile_does_not_wait_for_another(run: Run, furniture: Plant, nursery: Nursery) -> None:
    process = nursery.start("execute_run", run.pk, 1, deaths=[(f"{EXECUTE}:_hand_back", "before", 1, "pause"), SOLVING])
    until(process.paused, "the solver")
    process.signal(signal.SIGTERM)
    process.mark.unlink()
    process.signal(signal.SIGCONT)
    until(process.paused, "the hand-back")
    stop_run(run, "anna")
    assert run.state == "stopping"
    process.signal(signal.SIGCONT)
    assert process.wait() == 0
    assert_ended(run, "stopped", "was asked to end")
    assert_a_new_run_works(furniture)

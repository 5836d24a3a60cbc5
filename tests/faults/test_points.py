"""A run's process dies at each point of its way: killed, alone or with its solver."""

from __future__ import annotations

import pytest

from planning.models import Plant, Run
from tests.faults.nursery import Death, Nursery, until
from tests.faults.truth import (
    assert_a_new_run_works,
    assert_best,
    assert_whole,
    executed_again,
    result_count,
    states,
    taken_back,
)

EXECUTE, WATCH, STATES = "planning.runs.execute", "planning.runs.watch", "planning.runs.states"

BEFORE_THE_CLAIM: dict[str, Death] = {
    "before the claim": (f"{EXECUTE}:move", "before", 1, "kill"),
    "in the claim, before its story is written": (f"{STATES}:record", "before", 1, "kill"),
    "in the claim, before its commit": (f"{STATES}:record", "after", 1, "kill"),
}
BEFORE_THE_COMMIT: dict[str, Death] = {
    "after the claim": (f"{EXECUTE}:move", "after", 1, "kill"),
    "after reading the copy": (f"{EXECUTE}:read_copy", "after", 1, "kill"),
    "while preparing the solver's folder": (f"{WATCH}:prepare", "after", 1, "kill"),
    "when the solver has started": (f"{WATCH}:SolverProcess", "after", 1, "kill"),
    "when the solver has started, with it": (f"{WATCH}:SolverProcess", "after", 1, "kill_tree"),
    "before a sign of life": (f"{WATCH}:beat", "before", 1, "kill"),
    "after a sign of life": (f"{WATCH}:beat", "after", 1, "kill"),
    "before the outcome is read": (f"{WATCH}:read_outcome", "before", 1, "kill"),
    "after the outcome": (f"{WATCH}:read_outcome", "after", 1, "kill"),
    "before writing back": (f"{EXECUTE}:write_back", "before", 1, "kill"),
    "before the first result rows": (f"{EXECUTE}:write_rows", "before", 1, "kill"),
    "in the middle of the result rows": (f"{EXECUTE}:write_rows", "after", 2, "kill"),
    "before the plan check": (f"{EXECUTE}:check_plan", "before", 1, "kill"),
    "after the plan check": (f"{EXECUTE}:check_plan", "after", 1, "kill"),
    "before the commit": (f"{EXECUTE}:move", "after", 2, "kill"),
}


@pytest.mark.parametrize("death", BEFORE_THE_CLAIM.values(), ids=BEFORE_THE_CLAIM)
def test_before_the_claim_the_run_still_waits(death: Death, run: Run, furniture: Plant, nursery: Nursery) -> None:
    process = nursery.start("execute_run", run.pk, 1, deaths=[death])
    assert process.wait() == -9
    assert process.reached()
    assert_whole(run)
    assert states(run) == ["queued 1"]
    assert_best(executed_again(run))
    assert_a_new_run_works(furniture)


@pytest.mark.parametrize("death", BEFORE_THE_COMMIT.values(), ids=BEFORE_THE_COMMIT)
def test_before_the_commit_the_run_goes_to_its_next_attempt(
    death: Death, run: Run, furniture: Plant, nursery: Nursery
) -> None:
    process = nursery.start("execute_run", run.pk, 1, deaths=[death])
    assert process.wait() == -9
    assert process.reached()
    until(nursery.empty, "the end of the solver", seconds=10)
    run.refresh_from_db()
    assert (run.state, run.attempt, result_count(run)) == ("running", 1, 0)
    assert_whole(run)
    taken_back(run)
    assert (run.state, run.attempt) == ("queued", 2)
    assert "gave no sign of life for 60 s, in attempt 1 of 3" in run.reason
    assert_whole(run)
    assert_best(executed_again(run))
    assert states(run) == ["queued 1", "running 1", "queued 2", "running 2", "solved 2"]
    assert_a_new_run_works(furniture)


def test_after_the_commit_the_run_has_its_plan(run: Run, furniture: Plant, nursery: Nursery) -> None:
    process = nursery.start("execute_run", run.pk, 1, deaths=[(f"{EXECUTE}:write_back", "after", 1, "kill")])
    assert process.wait() == -9
    assert_best(run)
    assert states(run) == ["queued 1", "running 1", "solved 1"]
    assert_a_new_run_works(furniture)

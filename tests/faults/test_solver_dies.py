"""The solver's process dies, hangs, or takes more than it may; the run's process lives to tell."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from planning.models import Plant, Run
from planning.runs import RunOptions, start_run, stop_run
from tests.faults.nursery import Death, Nursery, Process, until
from tests.faults.truth import assert_a_new_run_works, assert_best, assert_ended, result_count, states, taken_back
from tests.formulation.small_plants import baseline
from tests.runs.rich_plant import make_hard

CHILD = "planning.runs.solver_child"
KILLED: Death = ("planning.runs.watch:Watch._hear", "after", 1, "kill")


def executed(nursery: Nursery, run: Run, *deaths: Death, **values: Any) -> Process:
    """Return the ended process of the run, in which the solver died."""
    process = nursery.start("execute_run", run.pk, run.attempt, deaths=list(deaths), **values)
    assert process.wait() == 0, process.log
    assert process.reached()
    return process


@pytest.mark.parametrize(
    ("point", "when", "what", "words"),
    [
        ("load_copy", "before", "kill", "The solver's process was killed by SIGKILL."),
        ("solve_copy", "before", "crash", "The solver's process was killed by SIGSEGV."),
        ("solve_copy", "after", "kill", "The solver's process was killed by SIGKILL."),
        ("write_outcome", "before", "no_room", "File too large"),
        ("solve_copy", "before", "waste_memory", "needs more memory than a run may take"),
    ],
)
def test_it_dies(point: str, when: str, what: str, words: str, run: Run, furniture: Plant, nursery: Nursery) -> None:
    executed(nursery, run, (f"{CHILD}:{point}", when, 1, what), PLANNING__MAX_SOLVER_BYTES=2 << 30)
    assert_ended(run, "failed", words)
    assert states(run) == ["queued 1", "running 1", "failed 1"]
    assert result_count(run) == 0
    assert_a_new_run_works(furniture)


def test_an_outcome_that_is_half_written_is_not_read(run: Run, furniture: Plant, nursery: Nursery) -> None:
    executed(nursery, run, ("planning.runs.outcome_file:os.replace", "before", 1, "kill"))
    assert_ended(run, "failed", "killed by SIGKILL")
    assert_a_new_run_works(furniture)


def test_an_outcome_that_is_whole_counts(run: Run, furniture: Plant, nursery: Nursery) -> None:
    executed(nursery, run, (f"{CHILD}:write_outcome", "after", 1, "forget_time"), watch__LATE_SECONDS=-89)
    assert_best(run)


class TestProgramOfASolver:
    """CBC is a program that the solver's process started."""

    @pytest.fixture
    def run(self, nursery: Nursery, transactional_db: None) -> Run:
        options = RunOptions(solver="pulp:CBC", time_limit=50)
        return start_run(baseline(make_hard(products=30, periods=4)), options, here=True)

    def started(self, nursery: Nursery, run: Run) -> tuple[Process, int, int]:
        """Return the run's process, the solver's, and the program that it started."""
        process = nursery.start("execute_run", run.pk, 1)

        def line() -> tuple[int, int] | None:
            members = nursery.family()
            solvers = [pid for pid, parent, _ in members if parent == process.pid]
            return next(((parent, pid) for pid, parent, _ in members if parent in solvers), None)

        return process, *until(line, "CBC")

    def test_it_goes_with_the_solver(self, run: Run, nursery: Nursery) -> None:
        process, solver, _ = self.started(nursery, run)
        nursery.send(solver, signal.SIGKILL)
        process.wait()
        assert_ended(run, "failed", "killed by SIGKILL")
        assert nursery.empty()

    def test_it_goes_with_the_run(self, run: Run, nursery: Nursery) -> None:
        process, _, _ = self.started(nursery, run)
        process.signal(signal.SIGKILL)
        until(nursery.empty, "the end of CBC", seconds=10)


class TestSilent:
    """It found a plan and then says nothing more, to nobody."""

    @pytest.fixture
    def hard(self, nursery: Nursery, transactional_db: None) -> Plant:
        return make_hard(products=30, machines=6, periods=4)

    FOUND = (f"{CHILD}:write_values", "after", 1, "pause")

    def started(self, nursery: Nursery, run: Run, **values: Any) -> Process:
        process = nursery.start("execute_run", run.pk, 1, deaths=[self.FOUND], **values)
        until(process.reached, "a plan")
        return process

    def test_when_it_is_stopped_its_last_plan_is_taken(self, hard: Plant, nursery: Nursery) -> None:
        run = start_run(baseline(hard), here=True)
        process = self.started(nursery, run)
        stop_run(run, "anna")
        assert run.state == "stopping"
        assert process.wait() == 0
        assert_ended(run, "stopped", "did not answer in time", "The best plan so far was kept")
        assert result_count(run) > 0
        assert run.shadow_price_basis == "fixed_mip"
        assert run.bound is None or run.bound >= run.objective
        assert states(run) == ["queued 1", "running 1", "stopping 1", "stopped 1"]

    def test_after_its_time_its_last_plan_is_taken(self, hard: Plant, nursery: Nursery) -> None:
        run = start_run(baseline(hard), RunOptions(time_limit=1), here=True)
        process = self.started(nursery, run, watch__LATE_SECONDS=1)
        assert process.wait() == 0
        assert_ended(run, "solved", "The time limit passed", "did not answer in time", "best plan so far was kept")
        assert not run.proven
        assert result_count(run) > 0

    def test_when_it_is_aborted_no_plan_is_taken(self, hard: Plant, nursery: Nursery) -> None:
        run = start_run(baseline(hard), here=True)
        process = self.started(nursery, run)
        stop_run(run, "anna")
        stop_run(run, "anna")
        assert process.wait() == 0
        assert_ended(run, "stopped", "aborted")
        assert result_count(run) == 0


def test_one_that_ignores_its_time_without_a_plan(run: Run, furniture: Plant, nursery: Nursery) -> None:
    deaths: list[Death] = [(f"{CHILD}:solve_copy", "before", 1, "forget_time")]
    Run.objects.update(options=run.options | {"time_limit": 0.5})
    executed(nursery, run, *deaths, watch__LATE_SECONDS=0)
    assert_ended(run, "no_plan", "The time limit passed", "did not answer in time", "No plan was found")
    assert_a_new_run_works(furniture)


class TestFolders:
    def abandoned(self, nursery: Nursery, run: Run, folder: Path) -> Path:
        """Return the folder that a killed run left."""
        nursery.start("execute_run", run.pk, 1, deaths=[KILLED], temporary=folder).wait()
        until(nursery.empty, "the end of the solver", seconds=10)
        (left,) = folder.iterdir()
        return left

    def test_what_a_killed_run_left_goes_with_a_later_one(self, run: Run, nursery: Nursery, tmp_path: Path) -> None:
        left = self.abandoned(nursery, run, tmp_path)
        os.utime(left, (0, 0))
        taken_back(run)
        assert nursery.start("execute_run", run.pk, 2, temporary=tmp_path).wait() == 0
        assert_best(run)
        assert list(tmp_path.iterdir()) == []

    def test_what_is_young_or_in_use_stays(self, run: Run, nursery: Nursery, tmp_path: Path) -> None:
        left = self.abandoned(nursery, run, tmp_path)
        taken_back(run)
        deaths: list[Death] = [("planning.runs.watch:Watch._hear", "after", 1, "pause")]
        second = nursery.start("execute_run", run.pk, 2, temporary=tmp_path, deaths=deaths)
        until(second.paused, "the second attempt")
        (used,) = set(tmp_path.iterdir()) - {left}
        os.utime(used, (0, 0))
        other = start_run(baseline(run.plant), here=True)
        assert nursery.start("execute_run", other.pk, 1, temporary=tmp_path).wait() == 0
        assert set(tmp_path.iterdir()) == {left, used}
        second.signal(signal.SIGCONT)
        second.wait()
        assert_best(run)

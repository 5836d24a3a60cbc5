"""A process dies in the middle of a set: each run of it still ends in one true state, and no other is held."""

from __future__ import annotations

import re
import signal

import pytest

from planning.models import Plant, Run, RunSet
from planning.runs import gather, reconcile, set_progress, start_variations, stop_run, stop_set
from tests.faults.nursery import Death, Nursery, Process, until
from tests.faults.truth import assert_a_new_run_works, assert_whole, let_time_pass, states
from tests.formulation.small_plants import baseline
from tests.private_redis import PrivateRedis

EXECUTE = "planning.runs.execute"
PRESS, SERVE = "tests.faults.steps:press_set", "tests.faults.steps:serve_set"
AMOUNTS = (500, 490, 480, 470, 460)
WRITING_THE_THIRD: Death = (f"{EXECUTE}:write_back", "before", 3, "kill_tree")
POINTS: dict[str, Death] = {
    "after it took the second": ("planning.runs.turns:take_next", "after", 1, "kill"),
    "while it solves the third": (f"{EXECUTE}:_solve_and_write", "before", 3, "kill"),
    "when the third is solved": (f"{EXECUTE}:write_back", "before", 3, "kill"),
    "in the middle of the third's rows": (f"{EXECUTE}:write_rows", "after", 10, "kill"),
    "when the third is written": (f"{EXECUTE}:write_back", "after", 3, "kill"),
}


def new_set(plant: Plant, *, here: bool = False) -> RunSet:
    wood = {"table": "raw_materials", "row": "Wood", "field": "available_quantity"}
    variations = [[wood | {"value": amount}] for amount in AMOUNTS]
    found = start_variations(scenario=baseline(plant), variations=variations, here=here).run_set
    assert found is not None
    return found


@pytest.fixture
def waiting(furniture: Plant) -> RunSet:
    """Return a set of the furniture workshop whose runs wait, and of which no runner was told."""
    found = new_set(furniture, here=True)
    Run.objects.update(sent_at=None)
    return found


@pytest.fixture
def sent(queue: PrivateRedis, furniture: Plant) -> RunSet:
    """Return a set of the furniture workshop that waits in the queue."""
    return new_set(furniture)


def turn(nursery: Nursery, run: Run, *deaths: Death) -> Process:
    """Return a process that executes the run and goes on with its set."""
    return nursery.start("execute_run", run.pk, run.attempt, deaths=list(deaths), PLANNING__LOCAL_RUNS=1)


def work(nursery: Nursery, *deaths: Death) -> Process:
    """Return a worker that emptied the queue."""
    worker = nursery.start("rqworker", "short", "long", "--burst", deaths=list(deaths))
    assert worker.wait() == 0, worker.log
    return worker


def state_of_each(run_set: RunSet) -> list[str]:
    return [run.state for run in gather(run_set=run_set)]


def attempts(run_set: RunSet) -> list[int]:
    return [run.attempt for run in gather(run_set=run_set)]


def assert_all_solved(run_set: RunSet) -> None:
    """Assert that each run has its plan, once, and that less wood never earns more."""
    runs = gather(run_set=run_set)
    assert [run.state for run in runs] == ["solved"] * len(AMOUNTS), [run.reason for run in runs]
    for run in runs:
        assert_whole(run)
        assert states(run).count(f"solved {run.attempt}") == 1
    profits = [run.objective or 0.0 for run in runs]
    assert profits == sorted(profits, reverse=True)
    assert not set_progress(run_set=run_set).is_open


class TestChildOfThisMachine:
    @pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
    def test_it_is_killed(self, point: Death, waiting: RunSet, furniture: Plant, nursery: Nursery) -> None:
        first = gather(run_set=waiting)[0]
        process = turn(nursery, first, point)
        assert process.wait() == -9
        until(nursery.empty, "the end of the solver", seconds=10)
        found = state_of_each(waiting)
        assert found.count("running") <= 1
        assert found.count("queued") >= 2
        for run in gather(run_set=waiting):
            assert_whole(run)
            let_time_pass(run)
        assert len(reconcile()) == found.count("running")
        assert turn(nursery, next(run for run in gather(run_set=waiting) if run.is_open)).wait() == 0
        assert_all_solved(waiting)
        assert sorted(attempts(waiting))[-1] == 1 + found.count("running")
        assert_a_new_run_works(furniture)

    def test_it_is_killed_while_whoever_started_it_lives(self, furniture: Plant, nursery: Nursery) -> None:
        """Noticed at once, though it was started for another run than the one that it was executing."""
        process = nursery.start(SERVE, *AMOUNTS, PLANNING__LOCAL_RUNS=1)
        until(lambda: Run.objects.filter(state="solved").exists(), "the first run")
        (run_set,) = RunSet.objects.all()
        child = until(process.children, "the child")[0]
        nursery.send(child, signal.SIGKILL)
        until(lambda: not set_progress(run_set=run_set).is_open, "the end of the set")
        assert_all_solved(run_set)
        process.kill_tree()
        assert_a_new_run_works(furniture)

    def test_told_to_end_it_hands_its_run_back_and_takes_no_other(self, waiting: RunSet, nursery: Nursery) -> None:
        reading: Death = (f"{EXECUTE}:read_copy", "before", 2, "pause")
        process = turn(nursery, gather(run_set=waiting)[0], reading)
        until(process.paused, "the second run")
        process.signal(signal.SIGTERM)
        process.signal(signal.SIGCONT)
        assert process.wait() == 0
        assert state_of_each(waiting) == ["solved", "queued", "queued", "queued", "queued"]
        assert attempts(waiting) == [1, 2, 1, 1, 1]
        assert turn(nursery, gather(run_set=waiting)[1]).wait() == 0
        assert_all_solved(waiting)


class TestSolver:
    @pytest.mark.parametrize(
        ("what", "words"), [("kill", "killed by SIGKILL"), ("crash", "killed by SIGSEGV")], ids=["killed", "crashed"]
    )
    def test_it_fails_its_own_run_alone(self, what: str, words: str, waiting: RunSet, nursery: Nursery) -> None:
        death: Death = ("planning.runs.solver_child:solve_copy", "before", 1, what)
        assert turn(nursery, gather(run_set=waiting)[0], death).wait() == 0
        first, *others = gather(run_set=waiting)
        assert (first.state, [run.state for run in others]) == ("failed", ["solved"] * 4)
        assert words in first.reason

    def test_it_dies_after_it_solved_others(self, waiting: RunSet, nursery: Nursery) -> None:
        death: Death = ("planning.runs.solver_child:solve_copy", "before", 3, "kill")
        assert turn(nursery, gather(run_set=waiting)[0], death).wait() == 0
        assert state_of_each(waiting) == ["solved", "solved", "failed", "solved", "solved"]

    def test_one_that_can_not_write_is_not_given_the_next_run(self, waiting: RunSet, nursery: Nursery) -> None:
        death: Death = ("planning.runs.solver_child:write_outcome", "before", 2, "no_room")
        assert turn(nursery, gather(run_set=waiting)[0], death).wait() == 0
        assert state_of_each(waiting) == ["solved", "failed", "solved", "solved", "solved"]
        assert "File too large" in gather(run_set=waiting)[1].reason

    def test_one_that_was_asked_to_stop_is_not_given_the_next_run(self, waiting: RunSet, nursery: Nursery) -> None:
        first = gather(run_set=waiting)[0]
        process = turn(nursery, first, ("planning.runs.watch:Watch._hear", "after", 1, "pause"))
        until(process.paused, "the solver")
        stop_run(first, "anna")
        process.signal(signal.SIGCONT)
        assert process.wait() == 0
        first, *others = gather(run_set=waiting)
        assert first.state in ("stopped", "solved")
        assert [run.state for run in others] == ["solved"] * 4
        assert not any("stopped" in run.reason for run in others)

    def test_one_does_all_while_nothing_goes_wrong(self, waiting: RunSet, nursery: Nursery) -> None:
        process = turn(nursery, gather(run_set=waiting)[0])
        assert process.wait() == 0
        assert_all_solved(waiting)
        assert len(set(re.findall(r"the solver highs starts, process (\d+)", process.log))) == 1
        assert nursery.empty()

    def test_a_spawned_one_does_all_too(self, waiting: RunSet, nursery: Nursery) -> None:
        first = gather(run_set=waiting)[0]
        spawned = {"PLANNING__LOCAL_RUNS": 1, "PLANNING__START_METHOD": "spawn"}
        process = nursery.start("execute_run", first.pk, 1, **spawned)
        assert process.wait() == 0
        assert_all_solved(waiting)
        assert len(set(re.findall(r"the solver highs starts, process (\d+)", process.log))) == 1

    def test_it_has_no_database(self, waiting: RunSet, nursery: Nursery) -> None:
        """Also where it applies the changes and builds the model."""
        asking: Death = ("planning.runs.solver_child:build_model", "before", 1, "ask_the_database")
        assert turn(nursery, gather(run_set=waiting)[0], asking).wait() == 0
        first, *others = gather(run_set=waiting)
        assert (first.state, [run.state for run in others]) == ("failed", ["solved"] * 4)
        assert "The database was asked for something while a plan was being solved." in first.reason


class TestWorker:
    @pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
    def test_its_work_horse_is_killed(self, point: Death, sent: RunSet, furniture: Plant, nursery: Nursery) -> None:
        """The worker sees it, and the set goes on at once."""
        worker = work(nursery, point)
        assert worker.reached()
        assert_all_solved(sent)
        assert sum(attempts(sent)) <= len(AMOUNTS) + 1
        assert_a_new_run_works(furniture)

    def test_it_is_killed_with_all_its_processes(self, sent: RunSet, furniture: Plant, nursery: Nursery) -> None:
        worker = nursery.start("rqworker", "short", "long", deaths=[(f"{EXECUTE}:write_back", "before", 3, "pause")])
        until(worker.reached, "the third run")
        worker.kill_tree()
        assert state_of_each(sent) == ["solved", "solved", "running", "queued", "queued"]
        for run in gather(run_set=sent):
            let_time_pass(run)
        work(nursery)
        assert_all_solved(sent)
        assert attempts(sent) == [1, 1, 2, 1, 1]
        assert_a_new_run_works(furniture)

    def test_two_of_them_share_a_set_and_execute_each_run_once(
        self, queue: PrivateRedis, furniture: Plant, nursery: Nursery
    ) -> None:
        workers = [nursery.start("rqworker", "short", "long") for _ in range(2)]
        until(lambda: queue.client().scard("rq:workers") == 2, "the workers")
        run_set = new_set(furniture)
        until(lambda: not set_progress(run_set=run_set).is_open, "the end of the set")
        assert_all_solved(run_set)
        assert attempts(run_set) == [1] * len(AMOUNTS)
        for worker in workers:
            worker.signal(signal.SIGTERM)
            assert worker.wait() == 0

    def test_no_more_jobs_than_workers_are_sent(self, sent: RunSet, queue: PrivateRedis) -> None:
        """Who executes one goes on with the others."""
        redis = queue.client()
        assert redis.llen("rq:queue:long") == 1
        reconcile()
        assert redis.llen("rq:queue:long") == 1


class TestQueue:
    def test_it_forgets_its_jobs(self, sent: RunSet, queue: PrivateRedis, nursery: Nursery) -> None:
        queue.client().flushall()
        for run in gather(run_set=sent):
            let_time_pass(run)
        work(nursery)
        assert_all_solved(sent)

    def test_it_can_not_be_reached(self, redis: PrivateRedis, furniture: Plant, nursery: Nursery) -> None:
        run_set = new_set(furniture)
        for run in gather(run_set=run_set):
            assert (run.state, run.sent_at) == ("queued", None)
            assert "The queue can't be reached" in run.reason
        redis.start()
        work(nursery)
        assert_all_solved(run_set)

    def test_the_web_process_dies_before_it_sends(
        self, queue: PrivateRedis, furniture: Plant, nursery: Nursery
    ) -> None:
        process = nursery.start(PRESS, *AMOUNTS, deaths=[("planning.runs.queue:send", "before", 1, "kill")])
        assert process.wait() == -9
        (run_set,) = RunSet.objects.all()
        work(nursery)
        assert_all_solved(run_set)

    def test_the_web_process_dies_before_the_commit(
        self, queue: PrivateRedis, furniture: Plant, nursery: Nursery
    ) -> None:
        death: Death = ("planning.runs.run_sets:store_shared_copy", "after", 1, "kill")
        assert nursery.start(PRESS, *AMOUNTS, deaths=[death]).wait() == -9
        assert not RunSet.objects.exists()
        assert not Run.objects.exists()
        assert_a_new_run_works(furniture)


class TestStop:
    def test_the_run_under_way_is_asked_and_the_others_end(self, waiting: RunSet, nursery: Nursery) -> None:
        process = turn(nursery, gather(run_set=waiting)[0], ("planning.runs.watch:Watch._hear", "after", 1, "pause"))
        until(process.paused, "the solver")
        stop_set(run_set=waiting, who="anna")
        assert state_of_each(waiting) == ["stopping", *["stopped"] * 4]
        process.signal(signal.SIGCONT)
        assert process.wait() == 0
        first, *others = gather(run_set=waiting)
        assert first.state in ("stopped", "solved")
        assert {run.reason for run in others} == {"Stopped by anna before it began."}
        for run in (first, *others):
            assert_whole(run)

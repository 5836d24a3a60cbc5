"""Workers of the queue and their work-horses die: the run goes on at once, or with another worker."""

from __future__ import annotations

import signal

import pytest

from planning.models import Plant, Run
from planning.runs import RunOptions, reconcile, start_run, stop_run
from planning.runs.queue import send
from tests.faults.nursery import Death, Nursery, Process, until
from tests.faults.truth import (
    assert_a_new_run_works,
    assert_best,
    assert_ended,
    assert_whole,
    let_time_pass,
    states,
)
from tests.formulation.small_plants import baseline
from tests.private_redis import PrivateRedis
from tests.runs.rich_plant import make_hard

EXECUTE = "planning.runs.execute"
BURST = ("rqworker", "short", "long", "--burst")
HEAR: Death = ("planning.runs.watch:Watch._hear", "after", 1, "pause")
WRITING: Death = (f"{EXECUTE}:write_back", "before", 1, "pause")
HELD: Death = (f"{EXECUTE}:write_back", "before", 1, "hold")
POINTS: dict[str, Death] = {
    "before the claim": (f"{EXECUTE}:move", "before", 1, "kill"),
    "after the claim": (f"{EXECUTE}:move", "after", 1, "kill"),
    "while it solves": ("planning.runs.watch:Watch._hear", "after", 1, "kill"),
    "in the middle of the result rows": (f"{EXECUTE}:write_rows", "after", 2, "kill"),
}


def work(nursery: Nursery) -> Process:
    """Return a worker that emptied the queue."""
    worker = nursery.start(*BURST)
    assert worker.wait() == 0, worker.log
    return worker


def at_work(nursery: Nursery, point: Death, *options: str) -> tuple[Process, int]:
    """Return a worker and its work-horse, which stands still at the point."""
    worker = nursery.start("rqworker", "short", "long", *options, deaths=[point])
    until(worker.reached, "the point")
    (horse,) = worker.children()
    return worker, horse


def refreshed(run: Run) -> Run:
    run.refresh_from_db()
    return run


class TestWorkHorse:
    @pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
    def test_the_run_goes_on_at_once(self, point: Death, sent: Run, furniture: Plant, nursery: Nursery) -> None:
        worker = nursery.start(*BURST, deaths=[point])
        assert worker.wait() == 0, worker.log
        assert worker.reached()
        assert_best(sent)
        assert states(sent)[-3:] == ["queued 2", "running 2", "solved 2"]
        assert "was killed by signal 9" in sent.moves.get(state="queued", attempt=2).reason
        assert_a_new_run_works(furniture)

    def test_a_run_that_is_written_stays_so(self, sent: Run, furniture: Plant, nursery: Nursery) -> None:
        worker = nursery.start(*BURST, deaths=[(f"{EXECUTE}:write_back", "after", 1, "kill")])
        assert worker.wait() == 0, worker.log
        assert_best(sent)
        assert states(sent) == ["queued 1", "running 1", "solved 1"]
        assert_a_new_run_works(furniture)

    def test_one_that_dies_each_time_ends_the_run(
        self, queue: PrivateRedis, nursery: Nursery, furniture: Plant
    ) -> None:
        run = start_run(baseline(furniture))
        for attempt in (1, 2, 3):
            worker = nursery.start(
                "rqworker", "short", "long", "--burst", "--max-jobs", "1", deaths=[POINTS["while it solves"]]
            )
            assert worker.wait() == 0, worker.log
            assert refreshed(run).attempt == min(attempt + 1, 3)
        assert_ended(run, "failed", "was killed by signal 9, in attempt 3 of 3")
        assert_a_new_run_works(furniture)

    def test_one_that_a_worker_spawned(self, queue: PrivateRedis, nursery: Nursery, transactional_db: None) -> None:
        run = start_run(baseline(make_hard(products=30, machines=6, periods=4)))
        worker = nursery.start(*BURST, PLANNING__START_METHOD="spawn")
        until(lambda: refreshed(run).state == "running", "the first attempt")
        (horse,) = worker.children()
        assert run.worker.endswith(f":{horse}")
        nursery.send(horse, signal.SIGKILL)
        until(lambda: (refreshed(run).state, run.attempt) == ("running", 2), "the second attempt")
        stop_run(run, "anna")
        assert worker.wait() == 0, worker.log
        assert_ended(run, "stopped")

    def test_told_to_end_it_hands_its_run_to_another(self, sent: Run, furniture: Plant, nursery: Nursery) -> None:
        worker, horse = at_work(nursery, (f"{EXECUTE}:read_copy", "before", 1, "pause"), "--burst")
        nursery.send(horse, signal.SIGTERM)
        nursery.send(horse, signal.SIGCONT)
        assert worker.wait() == 0, worker.log
        assert_best(sent)
        assert states(sent) == ["queued 1", "running 1", "queued 2", "running 2", "solved 2"]
        assert_a_new_run_works(furniture)

    def test_one_that_dies_beside_the_one_that_claimed_the_run_takes_nothing_from_it(
        self, sent: Run, nursery: Nursery
    ) -> None:
        worker, horse = at_work(nursery, (f"{EXECUTE}:move", "before", 1, "pause"), "--burst")
        owner = nursery.start("execute_run", sent.pk, 1, deaths=[WRITING])
        until(owner.paused, "the plan")
        nursery.send(horse, signal.SIGKILL)
        assert worker.wait() == 0, worker.log
        assert states(sent) == ["queued 1", "running 1"]
        owner.signal(signal.SIGCONT)
        assert owner.wait() == 0
        assert_best(sent)


class TestWorker:
    def test_with_all_its_processes_killed_another_takes_the_run(
        self, sent: Run, furniture: Plant, nursery: Nursery
    ) -> None:
        worker, _ = at_work(nursery, HEAR)
        worker.kill_tree()
        until(nursery.empty, "the end of the solver", seconds=10)
        assert_whole(sent)
        let_time_pass(sent)
        work(nursery)
        assert_best(sent)
        assert states(sent) == ["queued 1", "running 1", "queued 2", "running 2", "solved 2"]
        assert_a_new_run_works(furniture)

    def test_killed_between_taking_a_job_and_its_claim(
        self, sent: Run, queue: PrivateRedis, furniture: Plant, nursery: Nursery
    ) -> None:
        """The queue takes the job for one that is executed, until its sign of life is too old."""
        worker, _ = at_work(nursery, (f"{EXECUTE}:move", "before", 1, "pause"))
        worker.kill_tree()
        assert states(sent) == ["queued 1"]
        let_time_pass(sent)
        queue.client().delete("rq:wip:short")  # as old as it would be by then
        work(nursery)
        assert_best(sent)
        assert_a_new_run_works(furniture)

    def test_killed_alone_its_work_horse_goes_on(self, sent: Run, furniture: Plant, nursery: Nursery) -> None:
        worker, _ = at_work(nursery, HELD)
        worker.signal(signal.SIGKILL)
        worker.wait()
        worker.mark.unlink()
        until(lambda: not refreshed(sent).is_open, "the end of the run")
        assert_best(sent)
        assert states(sent) == ["queued 1", "running 1", "solved 1"]
        assert_a_new_run_works(furniture)

    def test_its_orphan_that_was_taken_for_dead_changes_nothing(self, sent: Run, nursery: Nursery) -> None:
        worker, _ = at_work(nursery, HELD)
        worker.signal(signal.SIGKILL)
        worker.wait()
        let_time_pass(sent)
        work(nursery)
        assert_best(sent)
        assert sent.attempt == 2
        worker.mark.unlink()
        until(nursery.empty, "the end of the orphan")
        assert "Its result was dropped." in worker.log
        assert_best(sent)
        assert states(sent) == ["queued 1", "running 1", "queued 2", "running 2", "solved 2"]

    def test_told_to_end_it_finishes_its_run(self, sent: Run, furniture: Plant, nursery: Nursery) -> None:
        worker, horse = at_work(nursery, WRITING)
        worker.signal(signal.SIGTERM)
        nursery.send(horse, signal.SIGCONT)
        assert worker.wait() == 0, worker.log
        assert_best(sent)
        assert_a_new_run_works(furniture)

    def test_told_to_end_with_all_its_processes_another_takes_the_run(
        self, queue: PrivateRedis, nursery: Nursery, transactional_db: None
    ) -> None:
        run = start_run(baseline(make_hard(products=30, machines=6, periods=4)))
        worker = nursery.start("rqworker", "short", "long")
        until(lambda: len(nursery.family()) == 3 and refreshed(run).state == "running", "the solver")
        for pid, _, _ in nursery.family():
            nursery.send(pid, signal.SIGTERM)
        assert worker.wait() == 0, worker.log
        assert refreshed(run).state == "queued"
        assert "asked to end" in run.moves.last().reason
        assert queue.client().lrange("rq:queue:long", 0, -1) == [f"run-{run.pk}-2".encode()]

    def test_two_that_reconcile_at_once_move_a_run_once(self, sent: Run, furniture: Plant, nursery: Nursery) -> None:
        worker, _ = at_work(nursery, HEAR)
        worker.kill_tree()
        let_time_pass(sent)
        workers = [nursery.start(*BURST) for _ in range(3)]
        assert [worker.wait() for worker in workers] == [0, 0, 0]
        assert_best(sent)
        assert states(sent) == ["queued 1", "running 1", "queued 2", "running 2", "solved 2"]
        assert_a_new_run_works(furniture)


def test_a_job_that_comes_twice_is_executed_once(sent: Run, furniture: Plant, nursery: Nursery) -> None:
    worker, horse = at_work(nursery, WRITING)
    send(sent)
    second = work(nursery)
    assert f"run {sent.pk} does not wait in attempt 1" in second.log
    assert states(sent) == ["queued 1", "running 1"]
    nursery.send(horse, signal.SIGCONT)
    until(lambda: not refreshed(sent).is_open, "the end of the run")
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert_best(sent)
    assert reconcile() == []
    assert_a_new_run_works(furniture)


def test_short_runs_do_not_wait_behind_long_ones(sent: Run, furniture: Plant, nursery: Nursery) -> None:
    long = start_run(baseline(furniture), RunOptions(time_limit=600))
    work(nursery)
    assert_best(sent)
    assert_best(long)
    assert sent.started_at is not None
    assert long.started_at is not None
    assert sent.started_at < long.started_at

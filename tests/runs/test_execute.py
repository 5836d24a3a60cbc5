"""Each run ends in one true state with a reason, and executing it again changes nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from planning.lx import Progress
from planning.models import RESULT_TABLES, Machine, Plant, Product, Run
from planning.runs import RunOptions, execute, run_as_json, start_run
from planning.runs.copies import load_copy, read_copy
from planning.runs.database_block import DatabaseBlocked, database_blocked
from planning.runs.execute import write_back
from planning.runs.solve import Outcome, solve_copy
from planning.runs.states import LostRun, State, lost, move
from planning.runs.write_rows import RowsRefused
from planning.snapshot import Snapshot
from tests.factories import BEST_PROFIT, make_furniture, make_run
from tests.formulation.small_plants import baseline, bring
from tests.reference.commands import bring_in
from tests.runs.rich_plant import make_hard

pytestmark = pytest.mark.django_db


def started(plant: Plant, **options: Any) -> Run:
    """Return a queued run of the plant's Baseline."""
    return start_run(baseline(plant), RunOptions(**options), here=True)


def executed(plant: Plant, **options: Any) -> Run:
    """Return an ended run of the plant's Baseline."""
    run = started(plant, **options)
    return execute(run.pk, run.attempt)


def result_count(run: Run) -> int:
    return sum(table.objects.filter(run=run).count() for table in RESULT_TABLES)


class TestEnds:
    def test_optimal(self) -> None:
        run = executed(make_furniture())
        assert (run.state, run.status, run.proven, run.plan_checked) == ("solved", "optimal", True, True)
        assert run.objective == pytest.approx(BEST_PROFIT, rel=1e-9)
        assert run.bound == pytest.approx(BEST_PROFIT, rel=1e-9)
        assert "proven best" in run.reason
        assert run.started_at is not None
        assert run.finished_at is not None
        assert run.started_at <= run.finished_at
        assert set(run.seconds) == {"read", "build", "solve", "write"}
        assert run.worker

    def test_infeasible(self) -> None:
        plant = make_furniture()
        Machine.objects.update(available_hours=1)
        run = executed(plant)
        assert (run.state, run.status) == ("infeasible", "infeasible")
        assert "contradict each other" in run.reason
        assert {(row["table"], row["field"]) for row in run.conflict} == {
            ("machines", "available_hours"),
            ("products", "min_demand"),
        }
        assert all(set(row) == {"table", "row", "period", "field", "text"} for row in run.conflict)
        self.assert_no_plan(run)

    def test_unbounded(self, tmp_path: Path) -> None:
        plant = bring(
            tmp_path,
            products=[{"name": "Chair", "profit_per_unit": 5}],
            routes=[{"product": "Chair", "name": "Any"}],
        )
        run = executed(plant)
        assert (run.state, run.status) == ("unbounded", "unbounded")
        assert "max_demand of Chair" in run.reason
        assert run.conflict == []
        self.assert_no_plan(run)

    def test_no_plan_in_time(self) -> None:
        run = executed(make_hard(), time_limit=0.01)
        assert (run.state, run.status) == ("no_plan", "no_plan")
        assert "No plan was found" in run.reason
        self.assert_no_plan(run)

    def test_the_best_plan_in_time(self) -> None:
        run = executed(make_hard(products=40, periods=6), time_limit=2)
        assert (run.state, run.status, run.proven) == ("solved", "feasible", False)
        assert "best plan so far" in run.reason
        assert run.gap is not None
        assert run.gap > 1e-4

    def test_a_plan_that_is_not_proven_is_not_called_so(self, tmp_path: Path) -> None:
        """A setup that is a little on, within the solver's tolerance, lets a whole lot past where M is huge."""
        chair = {"max_demand": 10, "profit_per_unit": 5, "production_cost_per_unit": 1, "max_batch_size": 1e10}
        pays = {"name": "Pays", "production_cost_per_unit": -1, "max_batch_size": 1}
        plant = bring(
            tmp_path,
            products=[{"name": "Chair", **chair}, {"name": "Desk", **chair}, pays],
            routes=[{"product": name, "name": "Any", "setup_cost": 30} for name in ("Chair", "Desk", "Pays")],
        )
        run = executed(plant, solver="pulp:CBC")
        assert run.objective is not None
        assert run.proven == (run.objective > 19)
        assert ("proven best" in run.reason) == run.proven

    def test_nothing_is_made_to_lapse_where_making_costs_nothing(self, tmp_path: Path) -> None:
        plant = bring(
            tmp_path,
            products=[
                {"name": "Chair", "profit_per_unit": 5, "max_demand": 10, "max_batch_size": 48},
                {"name": "Desk", "profit_per_unit": 0, "max_demand": 10, "max_batch_size": 48},
            ],
            routes=[{"product": "Chair", "name": "Any"}, {"product": "Desk", "name": "Any"}],
        )
        run = executed(plant)
        assert run.objective == pytest.approx(50)
        made = dict(run.production_rows.values_list("product", "quantity"))
        lapsed = dict(run.productbalance_rows.values_list("product", "lapsed"))
        assert made["Chair"] == pytest.approx(10)
        assert lapsed == {"Chair": 0.0, "Desk": 0.0}

    def test_an_ended_run_is_not_open(self) -> None:
        run = executed(make_furniture())
        assert not run.is_open

    @staticmethod
    def assert_no_plan(run: Run) -> None:
        assert (run.objective, run.bound, run.gap, run.plan_checked) == (None, None, None, False)
        assert result_count(run) == 0
        assert run.finished_at is not None


class TestStopping:
    def test_a_linear_model_that_is_aborted_has_no_plan(self) -> None:
        run = started(make_furniture())
        Run.objects.filter(pk=run.pk).update(stop_requests=2)
        run = execute(run.pk, run.attempt)
        if run.state == "stopped":  # else the plan was there before the request was seen
            assert "aborted" in run.reason
            assert result_count(run) == 0

    def test_the_best_plan_is_kept(self) -> None:
        has_plan = threading.Event()

        def watch(progress: Progress) -> None:
            if progress.objective is not None:
                has_plan.set()

        run = started(make_hard())
        run = execute(run.pk, run.attempt, progress=watch, stop=has_plan.is_set)
        assert (run.state, run.status, run.proven, run.plan_checked) == ("stopped", "feasible", False, True)
        assert run.objective is not None
        assert run.objective > 0
        assert result_count(run) > 0
        assert "best plan so far was kept" in run.reason

    def test_a_run_that_is_asked_to_stop_still_writes_its_result(self) -> None:
        run = started(make_furniture())
        move(run.pk, 1, (State.QUEUED,), State.RUNNING)
        move(run.pk, 1, (State.RUNNING,), State.STOPPING)
        model = load_copy(read_copy(run))
        write_back(run, 1, solve_copy(model, RunOptions()), Snapshot(model.tables))
        run.refresh_from_db()
        assert run.state == "solved"


class TestWriting:
    @pytest.fixture
    def run(self) -> Run:
        run = started(make_furniture())
        move(run.pk, 1, (State.QUEUED,), State.RUNNING)
        return run

    def test_a_number_that_is_none_is_refused_by_name_and_nothing_is_written(self, run: Run) -> None:
        model = load_copy(read_copy(run))
        outcome = solve_copy(model, RunOptions())
        assert outcome.plan is not None
        outcome.plan.material_stock[1] = float("nan")
        with pytest.raises(RowsRefused, match=r"MaterialBalance row 2 \(.+\): stock is nan"):
            write_back(run, 1, outcome, Snapshot(model.tables))
        run.refresh_from_db()
        assert (run.state, result_count(run)) == ("running", 0)

    def test_each_result_table_is_written_with_one_statement(self, run: Run) -> None:
        model = load_copy(read_copy(run))
        outcome = solve_copy(model, RunOptions())
        with CaptureQueriesContext(connection) as queries:
            write_back(run, 1, outcome, Snapshot(model.tables))
        starts = ("INSERT", "COPY")
        wrote = [q["sql"] for q in queries if q["sql"].startswith(starts) and "runmove" not in q["sql"]]
        assert len(wrote) == 4


class TestTwice:
    def test_the_second_time_does_nothing(self) -> None:
        run = executed(make_furniture())
        shown, count = run_as_json(run), result_count(run)
        again = execute(run.pk, run.attempt)
        assert (run_as_json(again), result_count(again)) == (shown, count)
        assert again.finished_at == run.finished_at

    def test_another_attempt_is_left_alone(self) -> None:
        run = started(make_furniture())
        assert execute(run.pk, 2).state == "queued"

    @pytest.mark.parametrize("state", [state for state in Run.State.values if state != "queued"])
    def test_only_a_queued_run_is_executed(self, state: str) -> None:
        run = started(make_furniture())
        Run.objects.filter(pk=run.pk).update(state=state)
        assert execute(run.pk, 1).state == state
        assert result_count(run) == 0


class TestTwoAttempts:
    """A worker that was taken for dead comes back with its result."""

    @pytest.fixture
    def run(self) -> Run:
        run = started(make_furniture())
        move(run.pk, 1, (State.QUEUED,), State.RUNNING)
        return run

    def late(self, run: Run) -> tuple[Outcome, Snapshot]:
        model = load_copy(read_copy(run))
        return solve_copy(model, RunOptions()), Snapshot(model.tables)

    def take_over(self, run: Run) -> None:
        Run.objects.filter(pk=run.pk).update(attempt=2, state="queued")

    def test_its_result_is_dropped(self, run: Run) -> None:
        outcome, snapshot = self.late(run)
        self.take_over(run)
        with pytest.raises(LostRun):
            write_back(run, 1, outcome, snapshot)
        run.refresh_from_db()
        assert (run.state, run.attempt, run.objective, result_count(run)) == ("queued", 2, None, 0)

    def test_the_other_one_keeps_its_result(self, run: Run) -> None:
        outcome, snapshot = self.late(run)
        self.take_over(run)
        other = execute(run.pk, 2)
        shown = run_as_json(other)
        with pytest.raises(LostRun):
            write_back(run, 1, outcome, snapshot)
        assert run_as_json(Run.objects.get(pk=run.pk)) == shown
        assert other.state == "solved"

    def test_an_end_without_a_plan_changes_nothing_either(self, run: Run) -> None:
        _, snapshot = self.late(run)
        self.take_over(run)
        execute(run.pk, 2)
        with pytest.raises(LostRun):
            write_back(run, 1, Outcome("infeasible", "No plan."), snapshot)
        run.refresh_from_db()
        assert (run.state, run.reason) == ("solved", "The plan is proven best within the gap asked for.")

    def test_a_move_that_no_run_makes_is_a_fault(self, run: Run) -> None:
        with pytest.raises(ValueError, match="can't move from solved to running"):
            move(run.pk, 1, (State.SOLVED,), State.RUNNING)


class TestDatabaseBlocked:
    @pytest.fixture
    def asking_solver(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the solver process ask the database, from a thread of its own."""

        def ask(*_: Any, **__: Any) -> Outcome:
            refused: list[str] = []

            def count() -> None:
                try:
                    Run.objects.count()
                except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at
                    refused.append(type(error).__name__)

            for thread in [threading.Thread(target=count) for _ in range(2)]:
                thread.start()
                thread.join()
            count()
            raise RuntimeError(" ".join(refused))

        monkeypatch.setattr("planning.runs.solver_child.solve_copy", ask)

    def test_every_thread_of_the_solver_process_is_refused(self, asking_solver: None) -> None:
        run = executed(make_furniture())
        assert (run.state, run.reason) == ("failed", "RuntimeError: " + " ".join(["DatabaseBlocked"] * 3))
        assert Run.objects.count() == 1

    def test_a_raw_cursor_is_refused(self) -> None:
        with database_blocked(), pytest.raises(DatabaseBlocked), connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def test_it_is_open_again_after_a_failure(self) -> None:
        with pytest.raises(KeyError), database_blocked():
            raise KeyError
        assert Run.objects.count() == 0

    def test_it_stays_blocked_until_the_last_solve_has_ended(self) -> None:
        first, second = database_blocked(), database_blocked()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        with pytest.raises(DatabaseBlocked):
            Run.objects.count()
        second.__exit__(None, None, None)
        assert Run.objects.count() == 0


class TestDataChangeLater:
    def test_a_queued_run_is_solved_with_the_data_of_its_start(self) -> None:
        plant = make_furniture()
        run = started(plant)
        Machine.objects.update(available_hours=1)
        Product.objects.filter(name="Desk").delete()
        assert execute(run.pk, 1).objective == pytest.approx(BEST_PROFIT, rel=1e-9)

    def test_a_solved_run_stays_as_it_is(self) -> None:
        plant = make_furniture()
        run = executed(plant)
        shown = run_as_json(run)
        Product.objects.filter(name="Desk").update(name="Bureau", profit_per_unit=1, unit="pair")
        Machine.objects.all().delete()
        Plant.objects.update(currency="EUR", charge_materials=True)
        after = Run.objects.get(pk=run.pk)
        assert run_as_json(after) == shown
        assert after.currency == "USD"

    def test_an_import_that_replaces_the_plant_keeps_its_runs(self, tmp_path: Path) -> None:
        tables = {
            "products": [{"name": "Chair", "profit_per_unit": 5, "max_demand": 3, "initial_inventory": 3}],
        }
        run = executed(bring(tmp_path, **tables))
        shown = run_as_json(run)
        file = tmp_path / "plant0" / "products.csv"
        file.write_text("name,profit_per_unit\nDesk,9\n")
        bring_in(file.parent, "--replace")
        assert [product.name for product in Product.objects.all()] == ["Desk"]
        assert run_as_json(Run.objects.get(pk=run.pk)) == shown
        assert Run.objects.get(pk=run.pk).plant == Plant.objects.get()


class TestDeathsAreCounted:
    def test_handing_a_run_back_uses_up_no_attempt(self) -> None:
        run = make_run(make_furniture(), state=Run.State.RUNNING)
        for attempt in (1, 2, 3, 4):
            move(run.pk, attempt, (Run.State.RUNNING,), Run.State.QUEUED, reason="Its process was asked to end.")
            move(run.pk, attempt + 1, (Run.State.QUEUED,), Run.State.RUNNING)
        lost(run.pk, 5, "was killed by SIGKILL")
        run.refresh_from_db()
        assert (run.state, run.attempt, run.deaths) == (Run.State.QUEUED, 6, 1)
        assert "in attempt 1 of 3" in run.reason

    def test_the_third_death_fails_the_run(self) -> None:
        run = make_run(make_furniture(), state=Run.State.QUEUED)
        for attempt in (1, 2, 3):
            move(run.pk, attempt, (Run.State.QUEUED,), Run.State.RUNNING)
            lost(run.pk, attempt, "was killed by SIGKILL")
        run.refresh_from_db()
        assert (run.state, run.deaths) == (Run.State.FAILED, 3)
        assert "in attempt 3 of 3" in run.reason

"""The door to the solvers: options, callbacks, what a solver lacks, and stops that keep the best plan."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

from planning.lx import (
    INTERRUPTED,
    OPTIMAL,
    LXModelError,
    LXNotNowError,
    LXOptimizer,
    LXSolverError,
    LXUnsupportedError,
    Progress,
    SolverOptions,
    compile_model,
)
from tests.lx.small_models import dense_model, furniture_model, knapsack, lot_sizing
from tests.lx.solution_checks import check

STOPPABLE = pytest.mark.parametrize("solver", ["highs", "pulp:CBC"])
EVERY = pytest.mark.parametrize("solver", ["highs", "pulp:CBC", "pulp:HiGHS"])


def optimizer(solver: str = "highs") -> LXOptimizer[Any]:
    return LXOptimizer[Any]().use_solver(solver)


# --- options --------------------------------------------------------------------------------


class TestOptions:
    def test_are_set_one_by_one_or_with_the_solver(self) -> None:
        one_by_one = optimizer("pulp:CBC").time_limit(60).gap(0.01).threads(2).seed(7)
        assert one_by_one.options == SolverOptions(time_limit=60, gap=0.01, threads=2, seed=7)
        assert LXOptimizer[Any]().use_solver("pulp:CBC", time_limit=60, gap=0.01, threads=2, seed=7).options == (
            one_by_one.options
        )

    def test_stay_when_another_solver_is_chosen(self) -> None:
        assert LXOptimizer[Any]().time_limit(5).use_solver("pulp:CBC", gap=0.5).options == SolverOptions(5, 0.5)

    @EVERY
    def test_are_taken(self, solver: str) -> None:
        for threads in (1, 2, None):
            solution = optimizer(solver).threads(threads).seed(3).gap(0.0).time_limit(100).solve(knapsack(12))
            assert solution.termination == OPTIMAL

    @pytest.mark.parametrize(
        ("name", "value"),
        [("time_limit", -1), ("time_limit", math.nan), ("time_limit", math.inf), ("time_limit", "60"), ("gap", -0.1),
         ("gap", math.nan), ("gap", True), ("threads", 0), ("threads", 1.5), ("threads", True), ("seed", -1),
         ("seed", 2**31), ("seed", 0.5), ("integrality", 0.0), ("integrality", 0.5)],
    )  # fmt: skip
    def test_that_make_no_sense_are_refused_by_name(self, name: str, value: Any) -> None:
        with pytest.raises(LXSolverError, match=rf"{name} = .* makes no sense. Give a "):
            LXOptimizer[Any]().use_solver("highs", **{name: value})
        if name != "integrality":
            with pytest.raises(LXSolverError, match=rf"{name} = .* makes no sense"):
                getattr(LXOptimizer[Any](), name)(value)

    def test_of_numpy_are_numbers_too(self) -> None:
        chosen = optimizer().time_limit(np.float64(20)).threads(np.int64(1)).seed(np.int32(5))
        assert chosen.solve(knapsack(8)).is_optimal

    def test_that_are_unknown_are_refused(self) -> None:
        with pytest.raises(LXSolverError, match=r"Unknown option 'timelimit'. Options are: time_limit"):
            LXOptimizer[Any]().use_solver("highs", timelimit=3)

    def test_are_as_they_were_after_a_refusal(self) -> None:
        chosen = optimizer("pulp:CBC").time_limit(5)
        for wrong in (
            lambda: chosen.use_solver("pulp:HiGHS", gap=-1),
            lambda: chosen.use_solver("pulp:NOTHING"),
            lambda: chosen.on_progress(print),
            lambda: chosen.threads(0),
        ):
            with pytest.raises(LXSolverError):
                wrong()
        assert (chosen.solver, chosen.options) == ("pulp:CBC", SolverOptions(time_limit=5))
        assert chosen.solve(furniture_model()).solver == "pulp:CBC"

    def test_another_number_of_threads_waits_for_the_solve_that_is_under_way(self) -> None:
        refused: list[LXNotNowError] = []

        def solve_meanwhile(progress: Progress) -> None:
            with pytest.raises(
                LXNotNowError, match="can't take 2 threads now: another solve of this process"
            ) as raised:
                optimizer().threads(2).solve(furniture_model())
            refused.append(raised.value)
            progress.stop()

        optimizer().threads(1).gap(0.0).on_progress(solve_meanwhile).solve(lot_sizing(8, 8))
        assert refused
        assert optimizer().threads(2).solve(furniture_model()).is_optimal


# --- what a solver lacks --------------------------------------------------------------------


class TestFeatures:
    @pytest.mark.parametrize(
        ("ask", "message"),
        [
            (lambda: optimizer("pulp:CBC").on_progress(print), r"pulp:CBC does not support progress\. .*: highs\."),
            (
                lambda: optimizer("pulp:CBC").solve(furniture_model(), progress=print),
                r"pulp:CBC does not support progress\. Of the solvers installed here, these do: highs\.",
            ),
            (
                lambda: optimizer("pulp:HiGHS").solve(furniture_model(), stop=lambda: False),
                "pulp:HiGHS does not support stop.*these do: highs, pulp:CBC",
            ),
            (lambda: optimizer("pulp:HiGHS").log(print), "pulp:HiGHS does not support log.*these do: highs, pulp:CBC"),
            (
                lambda: LXOptimizer[Any]().on_progress(print).use_solver("pulp:CBC"),
                "pulp:CBC does not support progress",
            ),
        ],
    )
    def test_that_a_solver_lacks_are_named_with_the_solvers_that_have_them(self, ask: Any, message: str) -> None:
        with pytest.raises(LXUnsupportedError, match=message):
            ask()

    def test_can_be_asked_for(self) -> None:
        assert optimizer("highs").supports("progress")
        assert not optimizer("pulp:CBC").supports("progress")

    def test_duals_are_not_supported_or_not_there_now(self) -> None:
        linear = dense_model([3.0, 5.0], [([1.0, 2.0], "<=", 4.0)])
        whole = dense_model([3.0, 5.0], [([1.0, 2.0], "<=", 4.0)], whole=True)
        unbounded = dense_model([3.0, 5.0], [([1.0, -2.0], "<=", 4.0)])
        with pytest.raises(LXUnsupportedError, match=r"pulp:CBC gives no duals\. Solvers that do: highs"):
            _ = optimizer("pulp:CBC").solve(linear).duals
        for solver in ("highs", "pulp:CBC"):
            with pytest.raises(LXNotNowError, match="they belong to linear models"):
                _ = optimizer(solver).solve(whole).duals
            with pytest.raises(LXNotNowError, match="There are no duals: the solve ended as unbounded"):
                _ = optimizer(solver).solve(unbounded).duals
            with pytest.raises(LXNotNowError, match="There is no plan: the solve ended as unbounded"):
                _ = optimizer(solver).solve(unbounded).variables

    @pytest.mark.parametrize("name", ["gurobi", "", "pulp:", "pulp", "HiGHS", "pulp:NOTHING", "pulp:cbc;rm"])
    def test_a_solver_that_is_not_there_is_refused_in_words(self, name: str) -> None:
        with pytest.raises(LXSolverError, match=r"(There is no solver|PuLP knows no solver) "):
            LXOptimizer[Any]().use_solver(name)

    def test_a_solver_that_is_not_installed_is_another_error(self) -> None:
        with pytest.raises(LXNotNowError, match='"MOSEK" is not installed here'):
            LXOptimizer[Any]().use_solver("pulp:MOSEK")


# --- progress -------------------------------------------------------------------------------


class TestProgress:
    def test_is_reported_with_the_best_plan_and_the_bound(self) -> None:
        seen: list[Progress] = []
        solution = optimizer().gap(0.0).time_limit(1.0).on_progress(seen.append).solve(knapsack(60))
        assert solution.objective_value is not None
        assert [p.seconds for p in seen] == sorted(p.seconds for p in seen)
        assert seen[-1].objective == pytest.approx(solution.objective_value)
        for progress in seen:
            assert progress.objective is None or progress.objective <= solution.objective_value + 1e-6
            assert progress.bound is None or progress.bound >= solution.objective_value - 1e-6
            assert (progress.gap is None) == (progress.objective is None or progress.bound is None)

    def test_can_stop_a_solve_that_keeps_its_plan(self) -> None:
        seen: list[Progress] = []

        def stop_at_the_first_plan(progress: Progress) -> None:
            seen.append(progress)
            if progress.objective is not None:
                progress.stop()

        solution = optimizer().gap(0.0).time_limit(120).on_progress(stop_at_the_first_plan).solve(lot_sizing(12, 12))
        check(solution)
        assert solution.termination == INTERRUPTED
        assert not solution.is_optimal
        assert solution.objective_value is not None
        assert solution.objective_value <= min(p.objective for p in seen if p.objective is not None) + 1e-6
        assert solution.seconds < 60

    def test_can_stop_at_a_gap(self) -> None:
        def stop_at_one_percent(progress: Progress) -> None:
            if progress.gap is not None and progress.gap < 0.01:
                progress.stop()

        solution = optimizer().gap(0.0).time_limit(120).on_progress(stop_at_one_percent).solve(lot_sizing(12, 12))
        check(solution)
        assert solution.termination == INTERRUPTED
        assert solution.gap is not None
        assert solution.gap < 0.01

    def test_can_stop_from_another_thread(self) -> None:
        def stop_later(progress: Progress) -> None:
            if progress.objective is not None:
                threading.Thread(target=progress.stop).start()

        solution = optimizer().gap(0.0).time_limit(120).on_progress(stop_later).solve(lot_sizing(12, 12))
        check(solution)
        assert solution.termination == INTERRUPTED

    def test_a_linear_model_that_is_stopped_has_no_plan(self) -> None:
        random = np.random.default_rng(1)
        rows = [(random.uniform(0, 1, 60).tolist(), "<=", 10.0) for _ in range(60)]
        model = dense_model(random.uniform(1, 2, 60).tolist(), rows)
        solution = optimizer().on_progress(lambda progress: progress.stop()).solve(model)
        assert solution.termination in (INTERRUPTED, OPTIMAL)  # it may be done before the first look
        assert solution.has_plan == solution.is_optimal

    def test_an_old_stop_does_not_end_another_solve(self) -> None:
        old: list[Progress] = []
        optimizer().on_progress(old.append).solve(knapsack(30))
        old[-1].stop()
        assert optimizer().on_progress(old.append).solve(knapsack(20)).is_optimal

    def test_callbacks_that_contradict_are_refused(self) -> None:
        with pytest.raises(LXSolverError, match="There are two progress callbacks"):
            optimizer().on_progress(print).solve(furniture_model(), progress=print)


# --- errors in callbacks --------------------------------------------------------------------


class Trouble(Exception):
    pass


def fail(*_: Any) -> bool:
    raise Trouble("in a callback")


class TestErrorsInCallbacks:
    def test_of_progress_end_the_solve_and_reach_the_caller(self) -> None:
        calls = []

        def fail_once(progress: Progress) -> None:
            calls.append(progress)
            raise Trouble("in a callback")

        with pytest.raises(Trouble, match="in a callback"):
            optimizer().gap(0.0).on_progress(fail_once).solve(lot_sizing(12, 12))
        assert len(calls) == 1
        assert optimizer().gap(0.0).solve(knapsack(12)).is_optimal  # and HiGHS goes on as if nothing had been

    @STOPPABLE
    @pytest.mark.parametrize("error", [Trouble, KeyboardInterrupt, SystemExit])
    def test_of_stop_end_the_solve_and_reach_the_caller(self, solver: str, error: type[BaseException]) -> None:
        def raise_it() -> bool:
            raise error("in a callback")

        started = time.monotonic()
        with pytest.raises(error, match="in a callback"):
            optimizer(solver).gap(0.0).time_limit(100).solve(lot_sizing(12, 12), stop=raise_it)
        assert time.monotonic() - started < 50

    @STOPPABLE
    def test_of_log_end_the_solve_and_reach_the_caller(self, solver: str) -> None:
        started = time.monotonic()
        with pytest.raises(Trouble):
            optimizer(solver).gap(0.0).time_limit(100).log(fail).solve(lot_sizing(12, 12))
        assert time.monotonic() - started < 50

    def test_leave_the_what_ifs_after_them_right(self) -> None:
        from planning.lx import LXWhatIfAnalyzer

        failing: list[bool] = []

        def log(_: str) -> None:
            if failing:
                raise Trouble("in a callback")

        analyzer = LXWhatIfAnalyzer(furniture_model(), optimizer().log(log))
        before = analyzer.increase_constraint_rhs("hours", by=1, key="Assembly").delta_objective
        failing.append(True)
        with pytest.raises(Trouble):
            analyzer.increase_constraint_rhs("hours", by=50, key="Cutting")
        failing.clear()
        after = analyzer.increase_constraint_rhs("hours", by=1, key="Assembly").delta_objective
        assert after == pytest.approx(before)


# --- stops ----------------------------------------------------------------------------------


class TestStops:
    @STOPPABLE
    def test_end_a_long_solve_and_keep_its_plan(self, solver: str) -> None:
        started = time.monotonic()
        solution = optimizer(solver).gap(0.0).time_limit(60).solve(
            knapsack(60), stop=lambda: time.monotonic() - started > 1.0
        )  # fmt: skip
        check(solution)
        assert solution.termination == INTERRUPTED
        assert time.monotonic() - started < 20.0
        assert solution.has_plan
        assert solution.gap is not None

    @STOPPABLE
    def test_that_are_never_asked_for_change_nothing(self, solver: str) -> None:
        assert optimizer(solver).solve(furniture_model(), stop=lambda: False).is_optimal

    def test_of_cbc_hit_no_other_child(self) -> None:
        waiting = "import signal, sys; signal.signal(signal.SIGINT, lambda *_: sys.exit(3)); print(flush=True); input()"
        with subprocess.Popen(
            [sys.executable, "-c", waiting], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as innocent:
            assert innocent.stdout is not None
            innocent.stdout.readline()
            started = time.monotonic()
            solution = optimizer("pulp:CBC").gap(0.0).time_limit(60).solve(
                knapsack(60), stop=lambda: time.monotonic() - started > 0.5
            )  # fmt: skip
            assert solution.termination == INTERRUPTED
            out, _ = innocent.communicate("\n")
            assert (innocent.returncode, out) == (0, "")

    def test_of_one_cbc_leave_another_alone(self) -> None:
        started = time.monotonic()
        ended: dict[str, str] = {}

        def solve(name: str, seconds: float) -> None:
            solution = optimizer("pulp:CBC").gap(0.0).time_limit(3.0).solve(
                knapsack(60), stop=lambda: time.monotonic() - started > seconds
            )  # fmt: skip
            ended[name] = solution.termination

        threads = [threading.Thread(target=solve, args=each) for each in (("stopped", 0.5), ("left", 1000.0))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ended == {"stopped": "interrupted", "left": "time_limit"}


# --- logs and answers -----------------------------------------------------------------------


class TestLogs:
    @STOPPABLE
    def test_come_line_by_line_and_are_kept(self, solver: str) -> None:
        heard: list[str] = []
        solution = optimizer(solver).log(heard.append).solve(knapsack(20))
        assert "".join(heard) == solution.log
        assert solution.log.count("\n") > 3

    def test_of_cbc_come_while_it_solves(self) -> None:
        heard: list[float] = []
        optimizer("pulp:CBC").gap(0.0).time_limit(1.5).log(lambda _: heard.append(time.monotonic())).solve(knapsack(60))
        assert heard[-1] - heard[0] > 0.3


class TestSolutions:
    @EVERY
    def test_have_every_digit(self, solver: str) -> None:
        rows = [([1.0, 0.0], "<=", 123456789.123456), ([0.3, 1.0], "<=", 98765432.1987654)]
        solution = optimizer(solver).solve(dense_model([1.0, 1.0], rows))
        assert solution.values is not None
        assert solution.values.tolist() == pytest.approx([123456789.123456, 61728395.4617286], rel=1e-14)
        assert np.all(solution.values[:1] <= 123456789.123456)

    @EVERY
    def test_do_not_depend_on_the_alphabet_of_a_models_name(self, solver: str) -> None:
        model = furniture_model()
        model.name = "Töpferei 💡\n1"
        assert optimizer(solver).solve(model).is_optimal

    def test_of_a_live_model_do_not_change_with_it(self) -> None:
        from planning.lx import LXWhatIfAnalyzer

        analyzer = LXWhatIfAnalyzer(furniture_model())
        results = [analyzer.set_cost("make", to=cost, key="Chair").new for cost in (0.0, 1000.0, 44.0)]
        for result in results:
            assert result.objective_value == pytest.approx(float(result.compiled.cost @ result.values))
        assert results[1].variables["make"]["Chair"] > results[0].variables["make"]["Chair"]

    def test_a_model_that_is_none_is_refused(self) -> None:
        from planning.lx import LXConstraint, LXLinearExpression

        model = furniture_model()
        model.add_constraint(LXConstraint("broken").expression(LXLinearExpression()).le().rhs(math.nan))
        with pytest.raises(LXModelError, match="broken"):
            optimizer().solve(model)
        assert compile_model(furniture_model()).column_count == 3

"""Executing a run: claim it, solve its copy without the database, write the plan back, check it."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from planning.formulation import moved
from planning.logs import saying
from planning.lx import INFEASIBLE, INTERRUPTED, UNBOUNDED, ProgressCallback, StopCallback
from planning.models import Run
from planning.snapshot import Snapshot

from .copies import AlteredCopy, OutdatedCopy, read_copy, snapshot_in
from .options import BadOptions, RunOptions
from .patience import until_the_database_answers
from .plan_check import PlanRefused, check_plan
from .progress import WRITING
from .result_rows import levels_reached, result_rows
from .solve import Outcome
from .states import UNDER_WAY, LostRun, State, move, this_process
from .watch import HandedBack, KeptSolver, SolverFailed, Watch
from .write_rows import write_rows

logger = logging.getLogger("planning.runs")


def execute(
    run_id: int,
    attempt: int,
    progress: ProgressCallback | None = None,
    stop: StopCallback | None = None,
    leave: Callable[[], bool] | None = None,
    kept: KeptSolver | None = None,
) -> Run:
    """Execute a queued run and return it. A run that is not queued in this attempt is left alone.

    `stop` asks for the best plan found so far; `leave` hands the run back to the queue, for another process.
    `kept` holds the solver process between the runs of a turn.
    """
    with saying(run=run_id, attempt=attempt, **_origin(run_id)):
        try:
            until_the_database_answers(lambda: _claim(run_id, attempt))
        except LostRun as error:
            logger.info("%s", error)
            return Run.objects.get(pk=run_id)
        return _execute(run_id, attempt, lambda run: Watch(run, attempt, progress, stop, leave, kept))


def execute_claimed(run_id: int, attempt: int, leave: Callable[[], bool], kept: KeptSolver) -> Run:
    """Execute a run that this process has claimed, as `execute` does, and return it."""
    with saying(run=run_id, attempt=attempt, **_origin(run_id)):
        return _execute(run_id, attempt, lambda run: Watch(run, attempt, leave=leave, kept=kept))


def _origin(run_id: int) -> dict[str, str]:
    """Return who started the run, and in which request."""
    found = Run.objects.filter(pk=run_id).values_list("user__username", "request_id")
    user, request = until_the_database_answers(found.first) or ("", "")
    return {"user": user, "request": request}


def _claim(run_id: int, attempt: int) -> None:
    """Make a queued run this process's own. Raises LostRun where somebody was faster."""
    move(run_id, attempt, (State.QUEUED,), State.RUNNING, worker=this_process())


def _execute(run_id: int, attempt: int, watch: Callable[[Run], Watch]) -> Run:
    """Execute a claimed run; what becomes of it is written into it."""
    run = until_the_database_answers(lambda: Run.objects.get(pk=run_id))
    try:
        _solve_and_write(run, watch(run))
    except AlteredCopy as error:
        logger.error("run %s: the stored copy was altered: %s", run_id, error)
        _end(run, attempt, State.FAILED, f"The stored copy was altered. {error}")
    except (OutdatedCopy, BadOptions) as error:
        _end(run, attempt, State.FAILED, str(error))
    except SolverFailed as error:
        logger.error("run %s: %s", run_id, error)
        _end(run, attempt, State.FAILED, str(error))
    except PlanRefused as error:
        logger.error("run %s: the plan check refused the plan: %s", run_id, error)
        _end(run, attempt, State.FAILED, f"The plan check refused the plan:\n{error}")
    except LostRun as error:
        logger.warning("run %s: %s Its result was dropped.", run_id, error)
    except HandedBack:
        _hand_back(run, attempt)
    except KeyboardInterrupt:
        _end(run, attempt, State.STOPPED, "The run was interrupted before it had a plan.")
    except Exception as error:
        logger.exception("run %s failed", run_id)
        _end(run, attempt, State.FAILED, f"The program failed: {type(error).__name__}: {error}")
    run.refresh_from_db()
    return run


def _solve_and_write(run: Run, watch: Watch) -> None:
    options = RunOptions.from_dict(run.options)
    copy = until_the_database_answers(lambda: read_copy(run))
    outcome = watch.solve(copy, options)
    until_the_database_answers(lambda: watch.enter(WRITING))
    snapshot = snapshot_in(copy, run)
    until_the_database_answers(lambda: write_back(run, watch.attempt, outcome, snapshot))


def write_back(run: Run, attempt: int, outcome: Outcome, snapshot: Snapshot) -> None:
    """Write the outcome and the final state together, check the plan, and let all of it stand or none.

    Raises LostRun where the run is not this attempt's any more, PlanRefused where the plan is not true.
    """
    started = time.perf_counter()
    values: dict[str, Any] = {"reason": outcome.reason, "log": outcome.log[-20_000:]}
    run.seconds = run.seconds | {"solve": outcome.seconds}
    run.sizes = run.sizes | outcome.sizes
    plan = outcome.plan
    if plan is None:
        move(
            run.pk,
            attempt,
            UNDER_WAY,
            _state_without_plan(outcome),
            conflict=outcome.conflict,
            relief=outcome.relief,
            seconds=run.seconds,
            sizes=run.sizes,
            **values,
        )
        return
    run.profit_parts, run.objective, run.bound = plan.profit, plan.objective, outcome.bound
    run.gap, run.proven, run.levels = outcome.gap, outcome.proven, levels_reached(snapshot, outcome)
    with transaction.atomic(), _no_garbage_collection():
        if not Run.objects.select_for_update().filter(pk=run.pk, attempt=attempt, state__in=UNDER_WAY).exists():
            raise LostRun(f"Run {run.pk} is not this attempt's any more.")
        for table, columns in result_rows(run, snapshot, outcome).items():
            write_rows(table, columns)
        check_plan(run, snapshot)
        run.seconds["write"] = time.perf_counter() - started
        move(
            run.pk,
            attempt,
            UNDER_WAY,
            State.STOPPED if outcome.termination == INTERRUPTED else State.SOLVED,
            plan_checked=True,
            proven=run.proven,
            objective=run.objective,
            bound=run.bound,
            gap=run.gap,
            shadow_price_basis=outcome.shadow_price_basis,
            profit_parts=run.profit_parts,
            levels=run.levels,
            then_limits=outcome.then_limits,
            moved=moved(snapshot, plan),
            seconds=run.seconds,
            sizes=run.sizes,
            **values,
        )


def _state_without_plan(outcome: Outcome) -> str:
    return {
        INFEASIBLE: State.INFEASIBLE,
        UNBOUNDED: State.UNBOUNDED,
        INTERRUPTED: State.STOPPED,
        "error": State.FAILED,
    }.get(outcome.termination, State.NO_PLAN)


def _end(run: Run, attempt: int, state: str, reason: str, **values: Any) -> None:
    """End the run without a plan; a run that was lost meanwhile is left alone."""
    try:
        until_the_database_answers(lambda: move(run.pk, attempt, UNDER_WAY, state, reason=reason, **values))
    except LostRun as error:
        logger.warning("run %s: %s", run.pk, error)


def _hand_back(run: Run, attempt: int) -> None:
    """Queue the run again, for another process."""
    reason = "Its process was asked to end, and the run waits for another."
    try:
        until_the_database_answers(lambda: move(run.pk, attempt, (State.RUNNING,), State.QUEUED, reason=reason))
    except LostRun:
        reason = "Its process was asked to end, after the run was asked to stop; no plan was kept."
        _end(run, attempt, State.STOPPED, reason)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Pause the collector: it would walk all the rows again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()

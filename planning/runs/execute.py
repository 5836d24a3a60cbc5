"""Executing a run: claim it, solve its copy without the database, write the plan back, check it."""

from __future__ import annotations

import gc
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from planning.lx import INFEASIBLE, INTERRUPTED, UNBOUNDED, Progress, ProgressCallback, StopCallback
from planning.models import Run
from planning.snapshot import Snapshot

from .copies import AlteredCopy, load_copy, read_copy
from .database_block import database_blocked
from .options import RunOptions
from .plan_check import PlanRefused, check_plan
from .result_rows import result_rows
from .solve import Outcome, solve_copy
from .states import LostRun, State, move
from .write_rows import write_rows

logger = logging.getLogger("planning.runs")
_OPEN = (State.RUNNING, State.STOPPING)
_GRACE = 10.0  # seconds that a solver has to end after it was asked to stop


def execute(
    run_id: int, attempt: int, progress: ProgressCallback | None = None, stop: StopCallback | None = None
) -> Run:
    """Execute a queued run and return it ended. A run that is not queued in this attempt is left alone."""
    try:
        move(run_id, attempt, (State.QUEUED,), State.RUNNING, worker=f"{socket.gethostname()}:{os.getpid()}")
    except LostRun as error:
        logger.info("%s", error)
        return Run.objects.get(pk=run_id)
    run = Run.objects.get(pk=run_id)
    try:
        _solve_and_write(run, attempt, progress, stop)
    except AlteredCopy as error:
        logger.error("run %s: %s", run_id, error)
        _fail(run, attempt, f"The stored copy was altered. {error}")
    except PlanRefused as error:
        logger.error("run %s: the plan check refused the plan: %s", run_id, error)
        _fail(run, attempt, f"The plan check refused the plan:\n{error}")
    except LostRun as error:
        logger.warning("run %s: %s Its result was dropped.", run_id, error)
    except KeyboardInterrupt:
        _end(run, attempt, State.STOPPED, reason="The run was interrupted before it had a plan.")
    except Exception as error:
        logger.exception("run %s failed", run_id)
        _fail(run, attempt, f"The program failed: {type(error).__name__}: {error}")
    run.refresh_from_db()
    return run


def _solve_and_write(run: Run, attempt: int, progress: ProgressCallback | None, stop: StopCallback | None) -> None:
    model = load_copy(read_copy(run))
    options = RunOptions(**run.options)
    with database_blocked():
        outcome = _interruptible(lambda report, halt: solve_copy(model, options, report, halt), progress, stop)
    write_back(run, attempt, outcome, Snapshot(model.tables))


def _interruptible(
    solve: Callable[[ProgressCallback, StopCallback], Outcome],
    progress: ProgressCallback | None,
    stop: StopCallback | None,
) -> Outcome:
    """Solve in a thread of its own, so that Ctrl-C reaches this one: it asks the solver for its best plan.

    Raises KeyboardInterrupt where the solver does not answer, or at a second Ctrl-C.
    """
    interrupted, done = threading.Event(), threading.Event()
    results: list[Outcome] = []
    failures: list[BaseException] = []
    latest: list[Progress] = []

    def work() -> None:
        try:
            results.append(solve(latest.append, lambda: interrupted.is_set() or (stop is not None and stop())))
        except BaseException as error:  # noqa: BLE001 - carried over to the waiting thread and raised there
            failures.append(error)
        finally:
            done.set()

    worker = threading.Thread(target=work, daemon=True, name="solve")
    worker.start()
    deadline: float | None = None
    while not done.is_set():
        try:
            done.wait(0.05)  # not join(): an interrupted one takes the thread for ended
            if progress is not None and latest:
                progress(latest[-1])
                latest.clear()
        except KeyboardInterrupt:
            if interrupted.is_set():
                raise
            interrupted.set()
            deadline = time.monotonic() + _GRACE
        except Exception:  # of the progress callback: leave no solver behind
            interrupted.set()
            done.wait(_GRACE)
            raise
        if deadline is not None and time.monotonic() > deadline:
            raise KeyboardInterrupt
    if failures:
        raise failures[0]
    return results[0]


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
        _end(run, attempt, _state_without_plan(outcome), seconds=run.seconds, sizes=run.sizes, **values)
        return
    run.profit_parts, run.objective, run.bound = plan.profit, plan.objective, outcome.bound
    run.gap, run.proven = outcome.gap, outcome.proven
    with transaction.atomic(), _no_garbage_collection():
        if not Run.objects.select_for_update().filter(pk=run.pk, attempt=attempt, state__in=_OPEN).exists():
            raise LostRun(f"Run {run.pk} is not this attempt's any more.")
        for table, columns in result_rows(run, snapshot, outcome).items():
            write_rows(table, columns)
        check_plan(run, snapshot)
        run.seconds["write"] = time.perf_counter() - started
        move(
            run.pk,
            attempt,
            _OPEN,
            State.STOPPED if outcome.termination == INTERRUPTED else State.SOLVED,
            plan_checked=True,
            proven=run.proven,
            objective=run.objective,
            bound=run.bound,
            gap=run.gap,
            shadow_price_basis=outcome.shadow_price_basis,
            profit_parts=run.profit_parts,
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


def _fail(run: Run, attempt: int, reason: str) -> None:
    _end(run, attempt, State.FAILED, reason=reason)


def _end(run: Run, attempt: int, state: str, **values: Any) -> None:
    """End the run without a plan; a run that was lost meanwhile is left alone."""
    try:
        move(run.pk, attempt, _OPEN, state, **values)
    except LostRun as error:
        logger.warning("run %s: %s", run.pk, error)


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

"""HiGHS, given the arrays directly."""

from __future__ import annotations

import time
from typing import Any

import highspy
import numpy as np

from ..columns import Floats, Positions
from ..compile import CompiledModel, relaxed, without_objective
from ..errors import LXSolverError
from ..model import MAXIMIZE
from ..solution import ERROR, INFEASIBLE, INTERRUPTED, OPTIMAL, TIME_LIMIT, UNBOUNDED, LXSolution
from .base import Progress, ProgressCallback, SolverOptions, StopCallback, solve_without_entries

NAME = "highs"
LARGE_LP_COLUMNS = 5_000  # from here on the interior point method with crossover beats the simplex method
RETRY_SECONDS = 60.0  # of a second try where no time limit was asked for: without presolve HiGHS can hang
SUSPICIOUS_OBJECTIVE = 1e13  # an "optimum" this large is checked for being unbounded
_STATUS = highspy.HighsModelStatus
_TERMINATIONS = {
    _STATUS.kOptimal: OPTIMAL,
    _STATUS.kInfeasible: INFEASIBLE,
    _STATUS.kUnbounded: UNBOUNDED,
    _STATUS.kTimeLimit: TIME_LIMIT,
    _STATUS.kInterrupt: INTERRUPTED,
}
_ANSWERS = {*_TERMINATIONS, _STATUS.kUnboundedOrInfeasible, _STATUS.kSolutionLimit}


def set_option(highs: Any, name: str, value: Any) -> None:
    """Set an option; one that HiGHS does not take raises instead of being passed over."""
    if highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
        raise LXSolverError(f"HiGHS does not take {name} = {value!r}.")


def pass_model(highs: Any, compiled: CompiledModel) -> None:
    """Give the model to HiGHS, as arrays: setting them on a HighsLp takes five times as long."""
    status = highs.passModel(
        compiled.column_count,
        compiled.row_count,
        len(compiled.values),
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMaximize if compiled.sense == MAXIMIZE else highspy.ObjSense.kMinimize),
        compiled.offset,
        compiled.cost,
        compiled.lower,
        compiled.upper,
        compiled.row_lower,
        compiled.row_upper,
        compiled.starts,
        compiled.columns,
        compiled.values,
        compiled.integer.astype(np.int32),
    )
    if status == highspy.HighsStatus.kError:
        raise LXSolverError("HiGHS refused the model.")


def new_highs(compiled: CompiledModel, options: SolverOptions) -> Any:
    """Return a silent HiGHS that holds the model and the options."""
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    set_option(highs, "log_to_console", False)
    set_option(highs, "mip_rel_gap", float(options.gap))
    if options.time_limit is not None:
        set_option(highs, "time_limit", max(float(options.time_limit), 0.0))
    if options.threads is not None:
        set_option(highs, "threads", int(options.threads))
    if options.seed is not None:
        set_option(highs, "random_seed", int(options.seed))
    if options.integrality is not None:
        set_option(highs, "mip_feasibility_tolerance", options.integrality)
    pass_model(highs, compiled)
    return highs


class HighsSolver:
    """Solves with HiGHS: simplex, interior point with crossover for large LPs, branch and cut."""

    def solve(
        self,
        compiled: CompiledModel,
        options: SolverOptions,
        progress: ProgressCallback | None = None,
        stop: StopCallback | None = None,
    ) -> LXSolution:
        """Return what HiGHS finds; a plan that it had when it was stopped is kept for whole-number models."""
        if not compiled.column_count:
            return solve_without_entries(compiled, NAME)
        started = time.monotonic()
        highs = new_highs(compiled, options)
        log = _collect_log(highs)
        _watch(highs, started, progress, stop)
        interior = not compiled.is_mip and compiled.column_count >= LARGE_LP_COLUMNS
        if interior:
            set_option(highs, "solver", "ipx")
        highs.run()
        if highs.getModelStatus() not in _ANSWERS and not (stop is not None and stop()):
            set_option(highs, "solver", "simplex" if not compiled.is_mip else "choose")
            set_option(highs, "presolve", "off")  # what gave no answer with all means may give one with fewer
            left = RETRY_SECONDS if options.time_limit is None else options.time_limit - (time.monotonic() - started)
            set_option(highs, "time_limit", max(left, 0.1))  # which counts from each run's start
            highs.run()
        solution = read_solution(highs, compiled, options, started)
        solution.log = "".join(log)
        return solution


def read_solution(highs: Any, compiled: CompiledModel, options: SolverOptions, started: float) -> LXSolution:
    """Return what HiGHS holds after a run."""
    status = highs.getModelStatus()
    info = highs.getInfo()
    termination = _TERMINATIONS.get(status, ERROR)
    left = None if options.time_limit is None else max(options.time_limit - (time.monotonic() - started), 0.1)
    rest = SolverOptions(time_limit=left, threads=options.threads)
    if status in (_STATUS.kUnboundedOrInfeasible, _STATUS.kUnbounded):
        termination = unbounded_or_infeasible(compiled, rest)
    elif status == _STATUS.kInfeasible and not compiled.is_mip:
        termination = _infeasible_after_all(compiled, rest)
    elif compiled.is_mip and termination == OPTIMAL and abs(info.objective_function_value) > SUSPICIOUS_OBJECTIVE:
        termination = _unbounded_after_all(compiled, rest)
    solution = LXSolution(compiled, NAME, termination, seconds=time.monotonic() - started)
    solution.message = highs.modelStatusToString(status)
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    keeps = termination == OPTIMAL or (compiled.is_mip and termination in (TIME_LIMIT, INTERRUPTED, ERROR))
    if feasible and keeps:
        found = highs.getSolution()
        solution.values = np.array(found.col_value)
        solution.objective_value = float(info.objective_function_value)
        solution.bound = solution.objective_value
        if compiled.is_mip:
            bound = float(info.mip_dual_bound)
            solution.bound = bound if np.isfinite(bound) and abs(bound) < 1e20 else None
        else:
            solution.row_duals = np.array(found.row_dual)
            solution.live = highs
    return solution


class HighsSession:
    """A linear model that stays in HiGHS: change it, solve it again from where it stands."""

    def __init__(self, compiled: CompiledModel, options: SolverOptions) -> None:
        self._highs = new_highs(compiled, options)
        self._options = options
        if compiled.column_count >= LARGE_LP_COLUMNS:
            set_option(self._highs, "solver", "ipx")

    def apply(self, kind: str, positions: Positions, lower: Floats, upper: Floats) -> None:
        """Set limits of rows, bounds of columns, or costs (which stand in `lower`)."""
        count, at = len(positions), positions.astype(np.int32)
        if kind == "rows":
            self._highs.changeRowsBounds(count, at, lower, upper)
        elif kind == "columns":
            self._highs.changeColsBounds(count, at, lower, upper)
        else:
            self._highs.changeColsCost(count, at, lower)

    def solve(self, compiled: CompiledModel) -> LXSolution:
        """Return the solution of the model as it stands now, which `compiled` describes."""
        started = time.monotonic()
        self._highs.run()
        if self._highs.getModelStatus() not in _ANSWERS:
            self._highs.clearSolver()
            set_option(self._highs, "solver", "simplex")
            self._highs.run()
        solution = read_solution(self._highs, compiled, self._options, started)
        solution.live = None  # the model in HiGHS goes on changing
        set_option(self._highs, "solver", "simplex")  # from here on from the last basis
        return solution


def unbounded_or_infeasible(compiled: CompiledModel, options: SolverOptions) -> str:
    """Return which of the two a model is, or how the question ended: solved again without an objective."""
    highs = new_highs(without_objective(compiled), options)
    highs.run()
    termination = _TERMINATIONS.get(highs.getModelStatus(), ERROR)
    return UNBOUNDED if termination == OPTIMAL else termination


def _infeasible_after_all(compiled: CompiledModel, options: SolverOptions) -> str:
    """Return INFEASIBLE unless there is a plan: presolve calls some unbounded linear models infeasible."""
    if unbounded_or_infeasible(compiled, options) != UNBOUNDED:
        return INFEASIBLE
    highs = new_highs(compiled, options)
    set_option(highs, "presolve", "off")
    highs.run()
    return UNBOUNDED if highs.getModelStatus() == _STATUS.kUnbounded else ERROR


def _unbounded_after_all(compiled: CompiledModel, options: SolverOptions) -> str:
    """Return UNBOUNDED if a feasible whole-number model with a huge optimum has an unbounded relaxation."""
    highs = new_highs(relaxed(compiled), options)
    highs.run()
    unbounded = highs.getModelStatus() in (_STATUS.kUnbounded, _STATUS.kUnboundedOrInfeasible)
    return UNBOUNDED if unbounded else OPTIMAL


def _collect_log(highs: Any) -> list[str]:
    """Return the list that HiGHS' messages go to."""
    lines: list[str] = []
    highs.cbLogging += lambda event: lines.append(event.message)
    return lines


def _watch(highs: Any, started: float, progress: ProgressCallback | None, stop: StopCallback | None) -> None:
    """Report progress and ask for a stop at HiGHS' callbacks, about ten times a second at most."""
    if progress is None and stop is None:
        return
    last = 0.0

    def look(event: Any) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < 0.1:
            return
        last = now
        if stop is not None and stop():
            event.interrupt()
        if progress is not None:
            out = event.data_out
            best, bound = float(out.mip_primal_bound), float(out.mip_dual_bound)
            progress(Progress(now - started, _finite(best), _finite(bound)))

    def look_simplex(event: Any) -> None:
        if stop is not None and stop():
            event.interrupt()
        if progress is not None:
            nonlocal last
            now = time.monotonic()
            if now - last >= 0.1:
                last = now
                progress(Progress(now - started))

    def improve(event: Any) -> None:
        if progress is not None:
            out = event.data_out
            values = np.array(out.mip_solution, dtype=np.float64)
            seconds, best = time.monotonic() - started, float(out.objective_function_value)
            progress(Progress(seconds, best, _finite(float(out.mip_dual_bound)), values))

    highs.cbMipImprovingSolution += improve
    highs.cbMipInterrupt += look
    highs.cbSimplexInterrupt += look_simplex
    highs.cbIpmInterrupt += look_simplex


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) and abs(value) < 1e20 else None

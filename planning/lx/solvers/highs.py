"""HiGHS, given the arrays directly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import highspy
import numpy as np

from ..columns import Floats, Positions
from ..compile import CompiledModel, relaxed, without_objective
from ..errors import LXSolverError
from ..model import MAXIMIZE
from ..solution import ERROR, INFEASIBLE, INTERRUPTED, OPTIMAL, TIME_LIMIT, UNBOUNDED, LXSolution
from .base import DEFAULT_GAP, FEATURES, NO_CALLBACKS, Callbacks, SolverOptions, solve_without_entries
from .pool import run
from .watch import Watch

NAME = "highs"
LARGE_LP_COLUMNS = 2_000  # measured by benchmarks/simplex_or_ipx.py
NETWORK_ENTRIES = 2  # entries a variable, on average: with no more, the simplex method stays ahead at any size
RETRY_SECONDS = 60.0  # of a second try where no time limit was asked for: without presolve HiGHS can hang
LOOK_AGAIN_SECONDS = 1.0  # at least, for a whole-number model that presolve calls infeasible
LARGEST_WHOLE = 1e6  # of a whole variable without a bound, in a search without presolve
SUSPICIOUS_OBJECTIVE = 1e13  # an "optimum" this large is checked for being unbounded
_STATUS = highspy.HighsModelStatus
_TERMINATIONS = {
    _STATUS.kOptimal: OPTIMAL,
    _STATUS.kInfeasible: INFEASIBLE,
    _STATUS.kUnbounded: UNBOUNDED,
    _STATUS.kTimeLimit: TIME_LIMIT,
    _STATUS.kInterrupt: INTERRUPTED,
}
ANSWERS = {*_TERMINATIONS, _STATUS.kUnboundedOrInfeasible, _STATUS.kSolutionLimit}


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
    set_option(highs, "mip_rel_gap", DEFAULT_GAP if options.gap is None else float(options.gap))
    if options.time_limit is not None:
        set_option(highs, "time_limit", float(options.time_limit))
    if options.absolute_gap is not None:
        set_option(highs, "mip_abs_gap", float(options.absolute_gap))
    if options.threads is not None:
        set_option(highs, "threads", int(options.threads))
    if options.seed is not None:
        set_option(highs, "random_seed", int(options.seed))
    if options.integrality is not None:
        set_option(highs, "mip_feasibility_tolerance", float(options.integrality))
    pass_model(highs, compiled)
    if options.start is not None and compiled.is_mip:
        plan = highspy.HighsSolution()
        plan.col_value = list(options.start)
        highs.setSolution(plan)
    return highs


def suits_interior_point(compiled: CompiledModel) -> bool:
    """Whether the interior point method with crossover beats the simplex method on a model from scratch."""
    if compiled.is_mip or compiled.column_count < LARGE_LP_COLUMNS:
        return False
    return len(compiled.values) > NETWORK_ENTRIES * compiled.column_count


class HighsSolver:
    """Solves with HiGHS: simplex, interior point with crossover for large LPs, branch and cut."""

    name = NAME
    features = FEATURES

    def solve(self, compiled: CompiledModel, options: SolverOptions, callbacks: Callbacks = NO_CALLBACKS) -> LXSolution:
        """Return what HiGHS finds; a plan that it had when it was stopped is kept for whole-number models."""
        if not compiled.column_count:
            return solve_without_entries(compiled, NAME)
        watch = Watch(callbacks)
        highs = new_highs(compiled, options)
        if suits_interior_point(compiled):
            set_option(highs, "solver", "ipx")
        watch.run(highs)
        if highs.getModelStatus() not in ANSWERS and not watch.stopped:
            set_option(highs, "solver", "simplex" if not compiled.is_mip else "choose")
            set_option(highs, "presolve", "off")  # what gave no answer with all means may give one with fewer
            left = RETRY_SECONDS if options.time_limit is None else options.time_limit - watch.seconds
            set_option(highs, "time_limit", max(left, 0.1))  # which counts from each run's start
            watch.run(highs)
        if highs.getModelStatus() == _STATUS.kInfeasible and compiled.is_mip and not watch.stopped:
            highs = self._looked_at_again(compiled, options, watch) or highs
        solution = read_solution(highs, compiled, options, watch)
        solution.log = watch.log
        return solution

    def _looked_at_again(self, compiled: CompiledModel, options: SolverOptions, watch: Watch) -> Any:
        """Return a HiGHS that found a plan of a model that is called infeasible; None where nothing speaks against it.

        Presolve has called models infeasible that have a plan. Without it HiGHS goes on for ever on whole variables
        without bounds, so that these get some.
        """
        left = float("inf") if options.time_limit is None else options.time_limit - watch.seconds
        linear = new_highs(relaxed(compiled), SolverOptions(time_limit=min(max(left, 0.1), LOOK_AGAIN_SECONDS)))
        watch.run(linear, aside=True)
        if linear.getModelStatus() == _STATUS.kInfeasible or watch.stopped:
            return None
        left = float("inf") if options.time_limit is None else options.time_limit - watch.seconds
        limit = min(max(left, 0.1), max(LOOK_AGAIN_SECONDS, 10 * watch.seconds))
        boxed = new_highs(_whole_within(compiled, LARGEST_WHOLE), replace(options, time_limit=limit))
        set_option(boxed, "presolve", "off")
        watch.run(boxed)
        found = boxed.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        return boxed if found else None


def _whole_within(compiled: CompiledModel, most: float) -> CompiledModel:
    """Return the model with every whole variable between -most and most."""
    whole = compiled.integer
    return replace(
        compiled,
        lower=np.where(whole, np.maximum(compiled.lower, -most), compiled.lower),
        upper=np.where(whole, np.minimum(compiled.upper, most), compiled.upper),
    )


def read_solution(
    highs: Any,
    compiled: CompiledModel,
    options: SolverOptions,
    watch: Watch,
    changed: Callable[[], CompiledModel] | None = None,
) -> LXSolution:
    """Return what HiGHS holds after a run; where numbers were changed since, `changed` makes the model of now."""
    is_mip = compiled.is_mip
    termination = _termination(highs, changed or (lambda: compiled), is_mip, options, watch)
    solution = LXSolution(changed or compiled, NAME, termination, seconds=watch.seconds)
    solution.message = highs.modelStatusToString(highs.getModelStatus())
    info = highs.getInfo()
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    cut_short = is_mip and solution.termination in (TIME_LIMIT, INTERRUPTED, ERROR)
    if not feasible or not (solution.is_optimal or cut_short):
        return solution
    found = highs.getSolution()  # a copy; reading its numbers takes longer than many a re-solve
    solution.hold(lambda: np.array(found.col_value) + 0.0, None if is_mip else lambda: np.array(found.row_dual))
    solution.objective_value = solution.bound = float(info.objective_function_value)
    if is_mip:
        bound = float(info.mip_dual_bound)
        solution.bound = bound if np.isfinite(bound) and abs(bound) < 1e20 else None
    else:
        solution.live = highs
    return solution


def _termination(
    highs: Any, now: Callable[[], CompiledModel], is_mip: bool, options: SolverOptions, watch: Watch
) -> str:
    """Return how the run ended; where HiGHS' word is not to be trusted, it is asked again in another way."""
    status = highs.getModelStatus()
    if status in (_STATUS.kUnboundedOrInfeasible, _STATUS.kUnbounded):
        return unbounded_or_infeasible(now(), _rest(options, watch), watch)
    if status == _STATUS.kInfeasible and not is_mip:
        return _infeasible_after_all(now(), _rest(options, watch), watch)
    huge = is_mip and abs(highs.getInfo().objective_function_value) > SUSPICIOUS_OBJECTIVE
    if status == _STATUS.kOptimal and huge:
        return _unbounded_after_all(now(), _rest(options, watch), watch)
    return _TERMINATIONS.get(status, ERROR)


def _rest(options: SolverOptions, watch: Watch) -> SolverOptions:
    """Return the options of a further question, which has the time that is left."""
    left = None if options.time_limit is None else max(options.time_limit - watch.seconds, 0.1)
    return SolverOptions(time_limit=left, threads=options.threads)


class HighsSession:
    """A linear model that stays in HiGHS: change it, solve it again from where it stands."""

    def __init__(self, compiled: CompiledModel, options: SolverOptions, callbacks: Callbacks = NO_CALLBACKS) -> None:
        self._highs = new_highs(compiled, options)
        self._compiled, self._options, self._callbacks = compiled, options, callbacks
        if suits_interior_point(compiled):
            set_option(self._highs, "solver", "ipx")

    def set_rows(self, rows: Positions, lower: Floats, upper: Floats) -> None:
        """Set the limits of rows."""
        _accepted(self._highs.changeRowsBounds(len(rows), rows.astype(np.int32), lower, upper))

    def set_columns(self, columns: Positions, lower: Floats, upper: Floats) -> None:
        """Set the bounds of columns."""
        _accepted(self._highs.changeColsBounds(len(columns), columns.astype(np.int32), lower, upper))

    def set_costs(self, columns: Positions, costs: Floats) -> None:
        """Set the costs of columns."""
        _accepted(self._highs.changeColsCost(len(columns), columns.astype(np.int32), costs))

    def set_entry(self, row: int, column: int, value: float) -> None:
        """Set one coefficient; 0 takes it away."""
        _accepted(self._highs.changeCoeff(row, column, value))

    def solve(self, changed: Callable[[], CompiledModel] | None = None) -> LXSolution:
        """Return the solution of the model as it stands now, which `changed` describes once it is not as it was."""
        watch = Watch(self._callbacks)
        self._run(watch)
        if self._highs.getModelStatus() not in ANSWERS and not watch.stopped:
            self._highs.clearSolver()
            set_option(self._highs, "solver", "simplex")
            self._run(watch)
        solution = read_solution(self._highs, self._compiled, self._options, watch, changed)
        solution.live = None  # the model in HiGHS goes on changing
        set_option(self._highs, "solver", "simplex")  # from here on from the last basis
        return solution

    def _run(self, watch: Watch) -> None:
        if self._callbacks == NO_CALLBACKS:
            run(self._highs)  # nobody looks, so nothing is written down either
        else:
            watch.run(self._highs)


def _accepted(status: Any) -> None:
    if status == highspy.HighsStatus.kError:
        raise LXSolverError("HiGHS refused a change of the model.")


def unbounded_or_infeasible(compiled: CompiledModel, options: SolverOptions, watch: Watch) -> str:
    """Return which of the two a model is, or how the question ended: solved again without an objective."""
    highs = new_highs(without_objective(compiled), options)
    watch.run(highs, aside=True)
    termination = _TERMINATIONS.get(highs.getModelStatus(), ERROR)
    return UNBOUNDED if termination == OPTIMAL else termination


def _infeasible_after_all(compiled: CompiledModel, options: SolverOptions, watch: Watch) -> str:
    """Return INFEASIBLE unless there is a plan: presolve calls some unbounded linear models infeasible."""
    found = unbounded_or_infeasible(compiled, options, watch)
    if found != UNBOUNDED:
        return INTERRUPTED if found == INTERRUPTED else INFEASIBLE
    highs = new_highs(compiled, options)
    set_option(highs, "presolve", "off")
    watch.run(highs, aside=True)
    return UNBOUNDED if highs.getModelStatus() == _STATUS.kUnbounded else ERROR


def _unbounded_after_all(compiled: CompiledModel, options: SolverOptions, watch: Watch) -> str:
    """Return UNBOUNDED if a feasible whole-number model with a huge optimum has an unbounded relaxation."""
    highs = new_highs(relaxed(compiled), options)
    watch.run(highs, aside=True)
    unbounded = highs.getModelStatus() in (_STATUS.kUnbounded, _STATUS.kUnboundedOrInfeasible)
    return UNBOUNDED if unbounded else OPTIMAL

"""From a model copy to a plan with its prices: the only part of a run that takes long, and it asks no database."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from planning.by_hand import NoSimplePlan, plan_by_hand
from planning.formulation import (
    Plan,
    Prices,
    contradiction,
    endless_profit,
    limit_places,
    limit_rows,
    reached_levels,
    read_plan,
    read_prices,
    why_not_held,
    with_decisions_held,
    without_idle_setups,
)
from planning.lx import (
    INFEASIBLE,
    INTERRUPTED,
    OPTIMAL,
    TIME_LIMIT,
    UNBOUNDED,
    CompiledModel,
    LXError,
    LXModel,
    LXOptimizer,
    LXSolution,
    ProgressCallback,
    SolverOptions,
    StopCallback,
    compile_model,
    limits_beyond,
    price_limits,
    price_sides,
    solve_linear,
    with_levels_held,
    with_levels_loosened,
)
from planning.snapshot import Snapshot

from .options import BY_HAND, FOUND_NONE, RunOptions
from .plan_values import without_waste

logger = logging.getLogger("planning.runs")
_STRICT = 1e-9  # integrality tolerance of a second solve, where the first leaked past a setup
_PRICE_SECONDS = 1.0
BLANK = "blank"  # the kind of relief of profit without limit: fields of which one needs a value
CONFLICT_SECONDS = 10.0  # at most, and no more than the run's own time limit, to find out why there is no plan
_UNPROVEN = (
    "The solver calls its plan the best one, but with its whole decisions rounded the plan earns less than that. "
    "Lower the largest limits of what has a setup (such as max_batch_size), or try another solver."
)

_BY_HAND = "Planned by hand, by priority and due date: a measure for the optimiser, not the best plan."
_MISSES_MORE = "The plan misses its orders or goals by more than the solver says. It was not kept."
_SAME = 1e-5  # relative: deviations nearer than this are the same
_DOES_NOT_ROUND = "The solver's plan does not hold once its whole decisions are rounded. Try again with a smaller gap."


@dataclass
class Outcome:
    """How a solve ended: a termination, and where there is a plan, the plan with its prices."""

    termination: str
    reason: str
    plan: Plan | None = None
    machine_prices: Prices | None = None
    material_prices: Prices | None = None
    bound: float | None = None
    proven: bool = False
    shadow_price_basis: str = ""
    conflict: list[dict[str, str]] = field(default_factory=list)  # as the plan format shows it
    then_limits: list[dict[str, Any]] = field(default_factory=list)  # what limits once a limit has grown
    relief: list[dict[str, Any]] = field(default_factory=list)  # what would have to give, or which fields are blank
    sizes: dict[str, int] = field(default_factory=dict)
    log: str = ""
    seconds: float = 0.0

    @property
    def gap(self) -> float | None:
        """Relative distance of bound and profit."""
        if self.plan is None or self.bound is None:
            return None
        return abs(self.bound - self.plan.objective) / max(1.0, abs(self.plan.objective))


REASONS = {
    OPTIMAL: "The plan is proven best within the gap asked for.",
    INFEASIBLE: "No plan satisfies all the data: limits and requirements contradict each other.",
    UNBOUNDED: "Profit has no limit: something that earns money is limited by nothing. "
    "Give demand, hours, material or purchase a limit.",
    TIME_LIMIT: "The time limit passed.",
    INTERRUPTED: "The run was stopped.",
}


def solve_copy(
    model: LXModel,
    options: RunOptions,
    progress: ProgressCallback | None = None,
    stop: StopCallback | None = None,
    held: npt.NDArray[np.float64] | None = None,
) -> Outcome:
    """Return what solving the copy gives; infeasible, unbounded and time limit are outcomes, not exceptions.

    `held` are the values of a plan that a solver had found before it was ended: then only its prices are sought.
    """
    started = time.monotonic()
    if options.solver == BY_HAND:
        return _made_by_hand(Snapshot(model.tables), started)
    compiled = compile_model(model)
    asked = SolverOptions(time_limit=options.time_limit, gap=options.gap)
    if held is not None:
        found = LXSolution(with_levels_held(compiled, held), options.solver, INTERRUPTED, values=held)
        outcome = _outcome(Snapshot(model.tables), options, found)
    else:
        outcome = _attempt(compiled, Snapshot(model.tables), options, asked, progress, stop)
    leaks = not outcome.proven and (outcome.termination == OPTIMAL or outcome.reason == _DOES_NOT_ROUND)
    if compiled.is_mip and leaks and time.monotonic() - started < options.time_limit:
        left = max(options.time_limit - (time.monotonic() - started), 0.1)
        strict = replace(asked, time_limit=left, integrality=_STRICT)
        again = _attempt(compiled, Snapshot(model.tables), options, strict, progress, stop)
        if _earned(again) >= _earned(outcome) or again.proven:
            outcome = again
    _explain(outcome, model, compiled, options, stop)
    outcome.sizes = {
        "rows": compiled.row_count,
        "columns": compiled.column_count,
        "nonzeros": len(compiled.values),
    }
    outcome.seconds = time.monotonic() - started
    return outcome


def _made_by_hand(snapshot: Snapshot, started: float) -> Outcome:
    """Return the plan by hand; without prices, and nothing says how good it is."""
    try:
        outcome = Outcome(BY_HAND, _BY_HAND, plan=plan_by_hand(snapshot))
    except NoSimplePlan as why:
        outcome = Outcome(BY_HAND, f"{FOUND_NONE} {why}")
    outcome.seconds = time.monotonic() - started
    return outcome


def _explain(
    outcome: Outcome, model: LXModel, compiled: CompiledModel, options: RunOptions, stop: StopCallback | None
) -> None:
    """Say which data allow no plan, or what earns without end; an outcome stays true where that is not found."""
    try:
        if outcome.termination == INFEASIBLE:
            seconds = min(options.time_limit, CONFLICT_SECONDS)
            held = why_not_held(model, seconds)
            if held:
                outcome.reason = f"{outcome.reason} {held}"
                return
            why = contradiction(compiled, seconds, stop)
            outcome.conflict, outcome.reason = why.rows, why.summary
            outcome.relief = [relief.as_dict() for relief in why.reliefs]
        elif outcome.termination == UNBOUNDED:
            endless = endless_profit(compiled)
            outcome.reason = endless.summary or outcome.reason
            if endless.blanks:
                outcome.relief = [{"kind": BLANK, "sure": "", "changes": list(endless.blanks)}]
    except LXError as error:
        logger.warning("the reason was not found: %s", error)


def _earned(outcome: Outcome) -> float:
    return -math.inf if outcome.plan is None else outcome.plan.objective


def _attempt(
    compiled: CompiledModel,
    snapshot: Snapshot,
    options: RunOptions,
    asked: SolverOptions,
    progress: ProgressCallback | None,
    stop: StopCallback | None,
) -> Outcome:
    solution = _solution(compiled, options.solver, asked, progress, stop)
    return _outcome(snapshot, options, solution)


def _outcome(snapshot: Snapshot, options: RunOptions, solution: LXSolution) -> Outcome:
    """Return the plan and the prices that a solver's solution makes; the levels of goals are held for both."""
    compiled = solution.compiled
    outcome = Outcome(solution.termination, _reason(solution), log=solution.log)
    if solution.values is None:
        return outcome
    linear = _linear(compiled, solution)
    if linear is None or linear.values is None:
        outcome.termination, outcome.reason = "error", _DOES_NOT_ROUND
        return outcome
    own_values = not compiled.is_mip and options.solver != "highs"
    values = solution.values if own_values else without_waste(linear)
    outcome.plan = read_plan(snapshot, compiled, np.asarray(values))
    if _misses_more(linear, reached_levels(snapshot, outcome.plan)):
        return Outcome("error", _MISSES_MORE, log=solution.log)
    outcome.bound = solution.bound
    if snapshot.holds and snapshot["plant"].record(0).cost_per_hour_moved:
        outcome.bound = None  # the solver's is of profit less what moving costs
    if outcome.bound is not None:
        outcome.bound = max(outcome.bound, outcome.plan.objective)
    gap = outcome.gap
    outcome.proven = solution.termination == OPTIMAL and (gap is None or gap <= options.gap + 1e-9)
    if solution.termination == OPTIMAL and not outcome.proven:
        outcome.reason = _UNPROVEN
    outcome.shadow_price_basis = "fixed_mip" if compiled.is_mip else "lp"
    rows = limit_rows(compiled)
    prices = price_limits(linear, rows, seconds=_PRICE_SECONDS)
    if prices is not None:
        sides = price_sides(linear, rows, prices, seconds=_PRICE_SECONDS)
        outcome.machine_prices, outcome.material_prices = read_prices(snapshot, linear, prices, sides)
        outcome.then_limits = _then_limits(compiled, limits_beyond(linear, rows, prices, sides, seconds=_PRICE_SECONDS))
    return outcome


def _then_limits(compiled: CompiledModel, beyond: dict[int, npt.NDArray[np.int64]]) -> list[dict[str, Any]]:
    """Return for limits, by resource and period, which other ones limit the profit once they have grown."""
    places = limit_places(compiled)
    return [{**places[limit], "then": [places[other] for other in others.tolist()]} for limit, others in beyond.items()]


def _misses_more(linear: LXSolution, reached: dict[int, float]) -> bool:
    """Whether the plan, as it is told, misses orders and goals by more than the solver's values do."""
    held = linear.levels
    return any(deviation > held[priority] + _SAME * max(1.0, held[priority]) for priority, deviation in reached.items())


def _solution(
    compiled: CompiledModel,
    solver: str,
    asked: SolverOptions,
    progress: ProgressCallback | None,
    stop: StopCallback | None,
) -> LXSolution:
    """Return what the solver finds. One that takes no gap proves its plan; one may be silent, or deaf until it ends."""
    optimizer = LXOptimizer[Any]().use_solver(solver)
    for option, value in vars(asked).items():
        if value is not None and (option not in ("gap", "integrality") or optimizer.supports(option)):
            optimizer.use_solver(solver, **{option: value})
    return optimizer.solve(
        compiled,
        progress=progress if optimizer.supports("progress") else None,
        stop=stop if optimizer.supports("stop") else None,
    )


def _linear(compiled: CompiledModel, solution: LXSolution) -> LXSolution | None:
    """Return HiGHS' solution of the linear model: with whole decisions held where there are any."""
    if not compiled.is_mip and solution.row_duals is not None:
        return solution
    held = _decided(compiled, solution.values)
    if held is None and compiled.levels:  # held to the last digit, levels may leave a solver no room
        held = _decided(with_levels_loosened(compiled), solution.values)
    return held


def _decided(compiled: CompiledModel, values: Any) -> LXSolution | None:
    """Return the linear solution with the whole decisions of a plan held; None where they allow none."""
    if not compiled.is_mip:
        found = solve_linear(compiled, SolverOptions())
        return found if found.is_optimal else None
    held = None
    while values is not None:
        held = solve_linear(with_decisions_held(compiled, values), SolverOptions())
        if held.termination != OPTIMAL or held.values is None:
            return None
        values = without_idle_setups(compiled, held.values)
    return held


def _reason(solution: LXSolution) -> str:
    known = REASONS.get(solution.termination)
    if known is None:
        return f"The solver failed: {solution.message or 'it gave no reason'}."
    if solution.termination in (TIME_LIMIT, INTERRUPTED):
        return known + (" The best plan so far was kept." if solution.has_plan else " No plan was found until then.")
    return known

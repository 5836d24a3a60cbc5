"""PuLP: the bridge to CBC, Gurobi, CPLEX, SCIP and others."""

from __future__ import annotations

import os
import re
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pulp
from pulp.v4_migration import set_v4_migration_warnings

from ..compile import CompiledModel, without_objective
from ..errors import LXSolverError
from ..model import MAXIMIZE
from ..solution import ERROR, INFEASIBLE, INTERRUPTED, OPTIMAL, TIME_LIMIT, UNBOUNDED, LXSolution
from .base import Progress, ProgressCallback, SolverOptions, StopCallback, best_alone, solve_without_entries

set_v4_migration_warnings(False)  # PuLP is pinned: what version 4 will call otherwise does not matter yet
ALIASES = {"CBC": "PULP_CBC_CMD"}
_LARGEST_SENSIBLE = 1e18
_BOXES = (1e8, 1e10)  # where bounds are put that a model does not have, to see whether it needs them


class PulpSolver:
    """Solves with a solver that PuLP reaches, such as CBC."""

    def __init__(self, name: str) -> None:
        self.name = f"pulp:{name}"
        known = pulp.listSolvers()
        exact = {candidate.lower(): candidate for candidate in known}
        wanted = ALIASES.get(name.upper(), name).lower()
        self._solver = exact.get(wanted) or exact.get(f"{wanted}_cmd") or ""
        if not self._solver:
            raise LXSolverError(f'PuLP knows no solver "{name}". It knows: {", ".join(sorted([*ALIASES, *known]))}.')
        if not pulp.getSolver(self._solver, msg=False).available():
            raise LXSolverError(f'The solver "{name}" is not installed here. Install it, or use "highs".')

    def solve(
        self,
        compiled: CompiledModel,
        options: SolverOptions,
        progress: ProgressCallback | None = None,
        stop: StopCallback | None = None,
    ) -> LXSolution:
        """Return what the solver finds. It reports no progress; a stop is passed on as an interrupt signal."""
        if not len(compiled.values):  # CBC fails on free variables without any entry
            return solve_without_entries(compiled, self.name)
        started = time.monotonic()
        whole_model, compiled = compiled, without_loose_columns(compiled)
        if progress is not None:
            progress(Progress(0.0))
        with tempfile.TemporaryDirectory(prefix="planner-") as folder:
            log = Path(folder) / "solver.log"
            problem, variables = build(compiled)
            with interrupting(stop) as stopped:
                self._run(problem, options, folder, log)
            solution = self._read(compiled, problem, variables, options, started, log)
            if stopped.is_set():
                solution.termination = INTERRUPTED
            elif solution.termination in (INFEASIBLE, UNBOUNDED, ERROR):
                solution = self._second_look(solution, options, started, folder)
        solution.compiled, solution.seconds = whole_model, time.monotonic() - started
        gone = (whole_model.cost != compiled.cost).any()  # a variable without an end to what it brings
        if gone and solution.has_plan:
            return LXSolution(whole_model, self.name, UNBOUNDED, seconds=solution.seconds, log=solution.log)
        return solution

    def _run(self, problem: Any, options: SolverOptions, folder: str, log: Path) -> None:
        arguments: dict[str, Any] = {"msg": False}
        if options.time_limit is not None:
            arguments["timeLimit"] = max(options.time_limit, 0.01)
        if problem.isMIP():
            arguments["gapRel"] = options.gap
        if options.threads is not None:
            arguments["threads"] = options.threads
        if self._solver == "PULP_CBC_CMD":
            arguments["logPath"] = str(log)
            arguments["options"] = [
                "preprocess off",  # CBC's integer preprocessing has cut off best plans and called the rest proven
                *(
                    f"{name} {value}"
                    for name, value in (("randomSeed", options.seed), ("integerTolerance", options.integrality))
                    if value is not None
                ),
            ]
        solver = pulp.getSolver(self._solver, **arguments)
        solver.tmpDir = folder
        try:
            problem.solve(solver)
        except pulp.PulpSolverError as error:
            problem.status, problem.sol_status = pulp.LpStatusUndefined, pulp.LpSolutionNoSolutionFound
            problem.failure = str(error)

    def _read(
        self,
        compiled: CompiledModel,
        problem: Any,
        variables: list[Any],
        options: SolverOptions,
        started: float,
        log: Path,
    ) -> LXSolution:
        text = log.read_text(errors="replace") if log.exists() else ""
        solution = LXSolution(compiled, self.name, ERROR, log=text)
        solution.message = getattr(problem, "failure", "") or pulp.LpStatus.get(problem.status, "unknown")
        out_of_time = options.time_limit is not None and time.monotonic() - started >= options.time_limit * 0.99
        out_of_time = out_of_time or "Stopped on time limit" in text
        if problem.status == pulp.LpStatusOptimal:
            proven = problem.sol_status == pulp.LpSolutionOptimal and "Stopped on time limit" not in text
            solution.termination = OPTIMAL if proven else TIME_LIMIT
            values = np.array([variable.varValue or 0.0 for variable in variables])
            if np.abs(values).max() > _LARGEST_SENSIBLE:
                solution.termination = UNBOUNDED
                return solution
            if not compiled.is_mip and not proven:
                return solution  # a linear solve that was stopped has no plan
            solution.values = np.clip(values, compiled.lower, compiled.upper)
            solution.objective_value = float(compiled.cost @ solution.values) + compiled.offset
            solution.bound = self._bound(compiled, solution, text)
        elif problem.status == pulp.LpStatusInfeasible:
            solution.termination = INFEASIBLE
        elif problem.status == pulp.LpStatusUnbounded:
            solution.termination = UNBOUNDED
        elif out_of_time:
            solution.termination = TIME_LIMIT
        return solution

    def _bound(self, compiled: CompiledModel, solution: LXSolution, log: str) -> float | None:
        """Return the bound: the optimum itself where it is proven, what CBC's log says, or None."""
        if not compiled.is_mip:
            return solution.objective_value
        found = re.findall(r"^(?:Lower|Upper) bound:\s+(\S+)", log, re.MULTILINE)
        if not found:
            exact = solution.termination == OPTIMAL and self._solver == "PULP_CBC_CMD" and "within gap" not in log
            return solution.objective_value if exact else None
        assert solution.objective_value is not None
        bound = float(found[-1]) + compiled.offset
        room = bound - solution.objective_value
        beyond = room if compiled.sense == MAXIMIZE else -room
        return bound if beyond >= -1e-6 * max(1.0, abs(bound)) else None  # CBC prints it in six digits

    def _second_look(self, claimed: LXSolution, options: SolverOptions, started: float, folder: str) -> LXSolution:
        """Return what is true of a model that the solver calls infeasible or unbounded: such words are not trusted.

        Is there any plan at all? Then, with every missing bound far away: does the best plan go there?
        """
        compiled = claimed.compiled
        for box, question in ((None, without_objective(compiled)), *((box, _boxed(compiled, box)) for box in _BOXES)):
            left = None if options.time_limit is None else options.time_limit - (time.monotonic() - started)
            if left is not None and left <= 0:
                return LXSolution(compiled, self.name, TIME_LIMIT, log=claimed.log)
            log = Path(folder) / f"second{box or 0:.0f}.log"
            problem, variables = build(question)
            self._run(problem, replace(options, time_limit=left), folder, log)
            answer = self._read(compiled, problem, variables, options, started, log)
            if answer.termination == TIME_LIMIT:
                return answer
            if box is None and answer.termination != OPTIMAL:
                claimed.termination = answer.termination if answer.termination == INFEASIBLE else claimed.termination
                return claimed
            if box is not None and answer.values is not None and np.abs(answer.values).max() < box * 0.999:
                return answer
        claimed.termination = UNBOUNDED
        return claimed


@contextmanager
def interrupting(stop: StopCallback | None) -> Iterator[threading.Event]:
    """Watch `stop` while a solver runs as a child process, and interrupt the child when it says so.

    CBC then writes the best plan that it has. The event tells whether it was interrupted.
    """
    stopped, done = threading.Event(), threading.Event()

    def watch() -> None:
        while stop is not None and not done.wait(0.2):
            if stop():
                stopped.set()
                for child in _children():
                    with suppress(ProcessLookupError):
                        os.kill(child, signal.SIGINT)
                done.wait(5.0)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield stopped
    finally:
        done.set()
        watcher.join()


def _children() -> list[int]:
    """Return the process numbers of this process' children, where the system lists them."""
    listed = Path("/proc/self/task").glob("*/children")
    return [int(child) for path in listed for child in path.read_text().split()]


def build(compiled: CompiledModel) -> tuple[Any, list[Any]]:
    """Return the PuLP problem of the model and its variables in the order of the columns."""
    sense = pulp.LpMaximize if compiled.sense == MAXIMIZE else pulp.LpMinimize
    problem = pulp.LpProblem("plan", sense)
    kinds = ("Continuous", "Integer")
    variables = [
        pulp.LpVariable(f"x{i}", _bound(lower), _bound(upper), kinds[whole])
        for i, (lower, upper, whole) in enumerate(
            zip(compiled.lower.tolist(), compiled.upper.tolist(), compiled.integer.tolist(), strict=True)
        )
    ]
    cost = compiled.cost.tolist()
    problem += pulp.LpAffineExpression([(x, c) for x, c in zip(variables, cost, strict=True) if c])
    problem.addVariables(variables)
    starts, columns, values = compiled.starts.tolist(), compiled.columns.tolist(), compiled.values.tolist()
    for row, (lower, upper) in enumerate(zip(compiled.row_lower.tolist(), compiled.row_upper.tolist(), strict=True)):
        span = range(starts[row], starts[row + 1])
        left = pulp.LpAffineExpression([(variables[columns[k]], values[k]) for k in span])
        if lower == upper:
            problem += pulp.LpConstraint(left, pulp.LpConstraintEQ, f"r{row}", lower)
            continue
        if lower != -np.inf:
            problem += pulp.LpConstraint(left, pulp.LpConstraintGE, f"l{row}", lower)
        if upper != np.inf:
            problem += pulp.LpConstraint(left, pulp.LpConstraintLE, f"u{row}", upper)
    # CBC refuses a whole variable that stands in no row.
    for column in np.flatnonzero(np.bincount(compiled.columns, minlength=compiled.column_count) == 0).tolist():
        lower = compiled.lower[column]
        if np.isfinite(lower):
            alone = pulp.LpAffineExpression([(variables[column], 1.0)])
            problem += pulp.LpConstraint(alone, pulp.LpConstraintGE, f"b{column}", float(lower))
    return problem, variables


def without_loose_columns(compiled: CompiledModel) -> CompiledModel:
    """Return the model with each variable that stands in no row held where it is best.

    CBC fails on free ones, or calls them optimal at 0. One that is best without end gets cost 0.
    """
    loose = np.bincount(compiled.columns, minlength=compiled.column_count) == 0
    if not loose.any():
        return compiled
    best = best_alone(compiled)
    endless = loose & ~np.isfinite(best)
    held = np.where(endless, np.clip(0.0, compiled.lower, compiled.upper), best)
    return replace(
        compiled,
        cost=np.where(endless, 0.0, compiled.cost),
        lower=np.where(loose, held, compiled.lower),
        upper=np.where(loose, held, compiled.upper),
    )


def _boxed(compiled: CompiledModel, box: float) -> CompiledModel:
    """Return the model with every missing bound at +-box."""
    lower = np.where(np.isinf(compiled.lower), -box, compiled.lower)
    return replace(compiled, lower=lower, upper=np.where(np.isinf(compiled.upper), box, compiled.upper))


def _bound(value: float) -> float | None:
    return None if np.isinf(value) else value

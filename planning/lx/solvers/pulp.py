"""PuLP: the bridge to Gurobi, CPLEX, SCIP and others."""

from __future__ import annotations

import inspect
import tempfile
import time
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pulp
from pulp.v4_migration import set_v4_migration_warnings

from ..compile import CompiledModel
from ..errors import LXNotNowError, LXSolverError
from ..model import MAXIMIZE
from ..solution import ERROR, INFEASIBLE, OPTIMAL, TIME_LIMIT, UNBOUNDED, LXSolution
from .base import DEFAULT_GAP, Callbacks, SolverOptions
from .careful import CarefulSolver
from .pool import pool_of

set_v4_migration_warnings(False)  # PuLP is pinned: what version 4 will call otherwise does not matter yet
ALIASES = {"CBC": "PULP_CBC_CMD"}
_LARGEST_SENSIBLE = 1e18
_ARGUMENTS = {"time_limit": "timeLimit", "gap": "gapRel", "threads": "threads", "log": "logPath"}
# options that a solver takes under its own names
_OWN_OPTIONS = {"HiGHS": {"seed": "random_seed", "integrality": "mip_feasibility_tolerance"}}
_IGNORED = {"PYGLPK": {"time_limit", "gap"}}  # it takes these and does nothing


def class_of(name: str) -> type[pulp.LpSolver]:
    """Return PuLP's solver of that name. Raises LXSolverError where there is none, LXNotNowError if not installed."""
    known = _classes()
    exact = {candidate.lower(): candidate for candidate in known}
    wanted = ALIASES.get(name.upper(), name).lower()
    found = exact.get(wanted) or exact.get(f"{wanted}_cmd")
    if found is None:
        raise LXSolverError(f'PuLP knows no solver "{name}". It knows: {", ".join(sorted([*ALIASES, *known]))}.')
    if not known[found](msg=False).available():
        raise LXNotNowError(f'The solver "{name}" is not installed here. Install it, or use "highs".')
    return known[found]


@cache
def _classes() -> dict[str, type[pulp.LpSolver]]:
    """Return PuLP's solvers by name."""
    listed = set(pulp.listSolvers())
    found: list[Any] = [thing for thing in vars(pulp).values() if inspect.isclass(thing)]
    return {solver.name: solver for solver in found if issubclass(solver, pulp.LpSolver) and solver.name in listed}


def features_of(solver: type[pulp.LpSolver]) -> frozenset[str]:
    """Return what PuLP passes on to a solver: what its constructor takes."""
    taken = inspect.signature(solver).parameters
    features = {feature for feature, argument in _ARGUMENTS.items() if argument in taken}
    return frozenset(features - _IGNORED.get(solver.name, set()) | set(_OWN_OPTIONS.get(solver.name, {})))


def installed() -> list[str]:
    """Return the names of PuLP's solvers that are installed, but for CBC."""
    return [name for name in pulp.listSolvers(onlyAvailable=True) if not issubclass(_classes()[name], pulp.COIN_CMD)]


class PulpSolver(CarefulSolver):
    """Solves with a solver that PuLP reaches. It reports no progress and can't be stopped."""

    def __init__(self, name: str, solver: type[pulp.LpSolver]) -> None:
        super().__init__(name)
        self._solver = solver
        self.features = features_of(solver)

    def answer(self, compiled: CompiledModel, options: SolverOptions, callbacks: Callbacks) -> LXSolution:
        """Return the solver's own answer."""
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="planner-") as folder:
            problem, variables = build(compiled)
            log = Path(folder) / "log"
            failure = self._run(problem, options, folder, log)
            text = log.read_text(errors="replace") if log.exists() else ""
        if callbacks.log is not None:
            callbacks.log(text)
        late = options.time_limit is not None and time.monotonic() - started >= options.time_limit * 0.99
        solution = self._read(compiled, problem, variables, late)
        solution.log, solution.message = text, failure or pulp.LpStatus.get(problem.status, "unknown")
        return solution

    def _run(self, problem: Any, options: SolverOptions, folder: str, log: Path) -> str:
        """Run the solver; return what failed, or nothing."""
        arguments: dict[str, Any] = {"msg": False}
        if options.time_limit is not None:
            arguments["timeLimit"] = max(options.time_limit, 0.01)
        if problem.isMIP() and "gap" in self.features:
            arguments["gapRel"] = DEFAULT_GAP if options.gap is None else options.gap
        if options.threads is not None:
            arguments["threads"] = options.threads
        if "log" in self.features:
            arguments["logPath"] = str(log)
        for option, name in _OWN_OPTIONS.get(self._solver.name, {}).items():
            if getattr(options, option) is not None:
                arguments[name] = getattr(options, option)
        solver = self._solver(**arguments)
        solver.tmpDir = folder
        in_process = self._solver.name == "HiGHS"
        try:
            with pool_of(options.threads or 0) if in_process else nullcontext():
                problem.solve(solver)
        except pulp.PulpSolverError as error:
            problem.status, problem.sol_status = pulp.LpStatusUndefined, pulp.LpSolutionNoSolutionFound
            return str(error)
        return ""

    def _read(self, compiled: CompiledModel, problem: Any, variables: list[Any], late: bool) -> LXSolution:
        solution = LXSolution(compiled, self.name, ERROR)
        if problem.status == pulp.LpStatusOptimal:
            proven = problem.sol_status == pulp.LpSolutionOptimal
            solution.termination = OPTIMAL if proven else TIME_LIMIT
            values = np.array([variable.varValue or 0.0 for variable in variables])
            if np.abs(values).max() > _LARGEST_SENSIBLE:
                solution.termination = UNBOUNDED
                return solution
            if not compiled.is_mip and not proven:
                return solution  # a linear solve that was stopped has no plan
            values = np.clip(values, compiled.lower, compiled.upper)
            solution.hold(values, None)
            solution.objective_value = float(compiled.cost @ values) + compiled.offset
            solution.bound = None if compiled.is_mip else solution.objective_value
        elif problem.status == pulp.LpStatusInfeasible:
            solution.termination = INFEASIBLE
        elif problem.status == pulp.LpStatusUnbounded:
            solution.termination = UNBOUNDED
        elif late:
            solution.termination = TIME_LIMIT
        return solution


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
    return problem, variables


def _bound(value: float) -> float | None:
    return None if np.isinf(value) else value

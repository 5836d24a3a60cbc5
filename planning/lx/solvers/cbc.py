"""CBC, the solver that comes with PuLP, run as a child process.

PuLP's own way to it rounds twice: the model to 13 digits, and the plan to 8, with which 123456789.12 is
123456790 and a limit is broken. Here CBC gets every digit in an MPS file and saves its plan as it is.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pulp

from ..columns import Floats
from ..compile import CompiledModel
from ..errors import LXSolverError
from ..export import ExportNames, write_mps
from ..model import MAXIMIZE
from ..solution import ERROR, INFEASIBLE, INTERRUPTED, OPTIMAL, TIME_LIMIT, UNBOUNDED, LXSolution
from .base import DEFAULT_GAP, FEATURES, NO_CALLBACKS, Callbacks, SolverOptions
from .careful import CarefulSolver

_LARGEST_SENSIBLE = 1e18
_PAUSE = 0.1  # seconds between two looks at a running solver
_SECOND_SIGNAL = 5.0  # seconds after which a stop is asked for again
_TERMINATIONS = {
    "Optimal": OPTIMAL,
    "Infeasible": INFEASIBLE,
    "Integer": INFEASIBLE,  # "Integer infeasible"
    "Unbounded": UNBOUNDED,
    "Stopped": TIME_LIMIT,
}


class CbcSolver(CarefulSolver):
    """Solves with CBC. It reports no progress. A stop is passed on as an interrupt signal; the best plan is kept."""

    features = FEATURES - {"progress", "start"} - ({"stop"} if os.name == "nt" else set())

    def __init__(self, name: str, solver: type[pulp.COIN_CMD]) -> None:
        super().__init__(name)
        self._path = str(solver(msg=False).path)

    @staticmethod
    def runs(solver: type[pulp.LpSolver]) -> bool:
        """Whether PuLP's solver is CBC as a command."""
        return issubclass(solver, pulp.COIN_CMD)

    def answer(self, compiled: CompiledModel, options: SolverOptions, callbacks: Callbacks) -> LXSolution:
        """Return CBC's own answer."""
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="planner-") as name:
            folder = Path(name)
            with (folder / "model.mps").open("w", encoding="utf-8") as stream:
                write_mps(replace(compiled, offset=0.0), stream, _short_names(compiled))
            code, stopped = self._run(_arguments(compiled, options), folder, callbacks)
            log = (folder / "log").read_text(errors="replace")
            solution = _read(compiled, folder, self.name, log) if code == 0 else None
        if solution is None:
            solution = LXSolution(compiled, self.name, ERROR, message=f"CBC ended with the exit code {code}")
        solution.seconds, solution.log = time.monotonic() - started, log
        if stopped:
            solution.termination = INTERRUPTED
        elif solution.termination == ERROR and options.time_limit is not None:
            late = solution.seconds >= options.time_limit * 0.99
            solution.termination = TIME_LIMIT if late else ERROR
        return solution

    def _run(self, arguments: list[str], folder: Path, callbacks: Callbacks) -> tuple[int, bool]:
        """Run CBC in the folder; return its exit code and whether it was told to stop. Whatever happens, it ends."""
        watched, stopped, signalled, shown = callbacks != NO_CALLBACKS, False, -_SECOND_SIGNAL, 0
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [self._path, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            while True:
                try:
                    code = process.wait(_PAUSE if watched else None)
                except subprocess.TimeoutExpired:
                    code = None
                shown = _show(folder / "log", shown, callbacks)
                if code is not None:
                    return code, stopped
                if callbacks.stop is not None and not stopped and callbacks.stop():
                    stopped = True
                if stopped and time.monotonic() - signalled > _SECOND_SIGNAL:
                    signalled = time.monotonic()
                    process.send_signal(signal.SIGINT)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _show(log: Path, shown: int, callbacks: Callbacks) -> int:
    """Pass on what CBC has written since; return how many bytes that makes."""
    if callbacks.log is None:
        return 0
    with log.open("rb") as stream:
        stream.seek(shown)
        text = stream.read()
    whole = text[: text.rfind(b"\n") + 1]
    if whole:
        callbacks.log(whole.decode(errors="replace"))
    return shown + len(whole)


def _short_names(compiled: CompiledModel) -> ExportNames:
    return ExportNames(
        [f"x{column}" for column in range(compiled.column_count)], [f"r{row}" for row in range(compiled.row_count)]
    )


def _arguments(compiled: CompiledModel, options: SolverOptions) -> list[str]:
    arguments = ["model.mps", "-max" if compiled.sense == MAXIMIZE else "-min"]
    if options.time_limit is not None:
        arguments += ["-sec", str(max(options.time_limit, 0.01)), "-timeMode", "elapsed"]
    # CBC's integer preprocessing has cut off best plans and called the rest proven
    arguments += ["-preprocess", "off"]
    if compiled.is_mip:
        arguments += ["-ratio", str(DEFAULT_GAP if options.gap is None else options.gap)]
        if options.absolute_gap is not None:
            arguments += ["-allow", str(options.absolute_gap)]
    for name, value in (
        ("threads", options.threads),
        ("randomSeed", options.seed),
        ("randomCbcSeed", options.seed),
        ("integerTolerance", options.integrality),
    ):
        if value is not None:
            arguments += [f"-{name}", str(value)]
    return [*arguments, "-solve", "-solution", "solution", "-saveSolution", "values"]


def _read(compiled: CompiledModel, folder: Path, solver: str, log: str) -> LXSolution | None:
    """Return what CBC wrote: how it ended in words, the plan in numbers; None where it wrote nothing."""
    said = (folder / "solution").read_text(errors="replace").split("\n", 1)[0] if (folder / "solution").exists() else ""
    if not said:
        return None
    solution = LXSolution(compiled, solver, _TERMINATIONS.get(said.split()[0], ERROR), message=said)
    if solution.termination == OPTIMAL and "Stopped on time" in log:
        solution.termination = TIME_LIMIT
    has_plan = solution.is_optimal or (compiled.is_mip and re.match(r"Stopped on [^(]* - objective value", said))
    if not has_plan:
        return solution
    values = _saved_values(compiled, folder / "values")
    if np.abs(values).max() > _LARGEST_SENSIBLE:
        solution.termination = UNBOUNDED
        return solution
    values = np.clip(values, compiled.lower, compiled.upper)
    solution.hold(values, None)
    solution.objective_value = float(compiled.cost @ values) + compiled.offset
    solution.bound = _bound(compiled, solution, log)
    return solution


def _saved_values(compiled: CompiledModel, path: Path) -> Floats:
    """Return the variables' values from the file that CBC saves.

    It holds the numbers of rows and columns (int32), and as float64: the objective, activity and dual of each
    row, value and reduced cost of each column.
    """
    content = path.read_bytes()
    rows, columns = np.frombuffer(content, dtype=np.int32, count=2).tolist()
    if (rows, columns) != (compiled.row_count, compiled.column_count):
        raise LXSolverError(f"CBC saved {rows} rows and {columns} columns of another model.")
    return np.frombuffer(content, dtype=np.float64, offset=16 + 16 * rows, count=columns).copy()


def _bound(compiled: CompiledModel, solution: LXSolution, log: str) -> float | None:
    """Return the bound: the optimum itself where it is proven, what CBC's log says, or None."""
    if not compiled.is_mip:
        return solution.objective_value
    found = re.findall(r"^(?:Lower|Upper) bound:\s+(\S+)", log, re.MULTILINE)
    if not found:
        return solution.objective_value if solution.is_optimal and "within gap" not in log else None
    assert solution.objective_value is not None
    bound = float(found[-1]) + compiled.offset
    room = bound - solution.objective_value
    beyond = room if compiled.sense == MAXIMIZE else -room
    return bound if beyond >= -1e-6 * max(1.0, abs(bound)) else None  # CBC prints it in six digits

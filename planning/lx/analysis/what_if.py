"""What-if: one change to a solved model, tried on the live solver and taken back."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..columns import Floats, Positions
from ..compile import Block, CompiledModel, compile_model
from ..constraint import EQ, GE
from ..errors import LXModelError
from ..index import EVERY
from ..model import LXModel
from ..optimizer import LXOptimizer
from ..solution import LXSolution
from ..solvers.highs import HighsSession


@dataclass(frozen=True)
class LXWhatIfResult:
    """A change and what it brings. Differences to or from a case without a plan are nan."""

    description: str
    original: LXSolution
    new: LXSolution

    @property
    def delta_objective(self) -> float:
        """The new objective minus the original one."""
        before, after = self.original.objective_value, self.new.objective_value
        return math.nan if before is None or after is None else after - before

    @property
    def delta_percentage(self) -> float:
        """The difference in percent of the original objective's size; nan where that is 0."""
        before = self.original.objective_value
        return math.nan if not before else 100.0 * self.delta_objective / abs(before)


@dataclass(frozen=True)
class _Change:
    """New values of some rows' limits, some columns' bounds, or some columns' costs."""

    kind: str  # "rows", "columns" or "costs"
    positions: Positions
    lower: Floats
    upper: Floats


class LXWhatIfAnalyzer:
    """Tries changes to a model, each from the model as it is, without touching it or its rows.

        analyzer = LXWhatIfAnalyzer(model, optimizer)
        analyzer.increase_constraint_rhs("capacity", by=100).delta_objective
        analyzer.increase_constraint_rhs("machine_hours", by=8, key=("Saw", "Week 1"))

    The model is compiled and solved once; a what-if costs its re-solve. `by` and `to` are in the unit
    of what is changed; `percent` is one of the value's size, so that an increase always goes up. `key`
    is the key or row of one member; without it the whole family changes. Raises LXModelError for a
    name or key that is not there, and for a change that changes nothing.
    """

    def __init__(self, model: LXModel, optimizer: LXOptimizer[Any] | None = None) -> None:
        self.model = model
        self.optimizer: LXOptimizer[Any] = optimizer or LXOptimizer()
        self.compiled = compile_model(model)
        self._session: HighsSession | None = None
        self._baseline: LXSolution | None = None

    @property
    def baseline(self) -> LXSolution:
        """The solution of the model as it is."""
        if self._baseline is None:
            self._baseline = self._solve(self.compiled)
        return self._baseline

    def increase_constraint_rhs(
        self, name: str, *, by: float | None = None, percent: float | None = None, key: Hashable | Any = EVERY
    ) -> LXWhatIfResult:
        """Raise the right side of a constraint, of the whole family or of one member (by key or row)."""
        return self._shift_rhs(name, 1.0, by, percent, key)

    def decrease_constraint_rhs(
        self, name: str, *, by: float | None = None, percent: float | None = None, key: Hashable | Any = EVERY
    ) -> LXWhatIfResult:
        """Lower the right side of a constraint, of the whole family or of one member."""
        return self._shift_rhs(name, -1.0, by, percent, key)

    def set_constraint_rhs(self, name: str, *, to: float, key: Hashable | Any = EVERY) -> LXWhatIfResult:
        """Set the right side of a constraint, of the whole family or of one member."""
        rows = self._members(self.compiled.constraints, name, key)
        return self._try(
            f"{self._what(name, key)}: right side {to:g}", self._rows_at(name, rows, np.full(len(rows), to))
        )

    def set_variable_bounds(
        self, name: str, *, lower: float | None = None, upper: float | None = None, key: Hashable | Any = EVERY
    ) -> LXWhatIfResult:
        """Set the lower or the upper bound of variables, or both; what is not given stays."""
        columns = self._members(self.compiled.variables, name, key)
        new = [
            held[columns].copy() if given is None else np.full(len(columns), float(given))
            for held, given in ((self.compiled.lower, lower), (self.compiled.upper, upper))
        ]
        if (new[0] > new[1]).any():
            raise LXModelError(f"{self._what(name, key)}: the lower bound would lie above the upper one.")
        return self._try(f"{self._what(name, key)}: bounds {lower} to {upper}", _Change("columns", columns, *new))

    def set_cost(self, name: str, *, to: float, key: Hashable | Any = EVERY) -> LXWhatIfResult:
        """Set the objective's coefficient of variables."""
        columns = self._members(self.compiled.variables, name, key)
        costs = np.full(len(columns), float(to))
        return self._try(f"{self._what(name, key)}: cost {to:g}", _Change("costs", columns, costs, costs))

    def _shift_rhs(
        self, name: str, sign: float, by: float | None, percent: float | None, key: Hashable | Any
    ) -> LXWhatIfResult:
        if (by is None) == (percent is None):
            raise LXModelError("Say how much: either by= or percent=.")
        rows = self._members(self.compiled.constraints, name, key)
        right = self._right_side(name, rows)
        step = np.full(len(rows), by) if by is not None else np.abs(right) * float(percent or 0.0) / 100.0
        if not np.isfinite(step).all() or not step.any():
            raise LXModelError(f"{self._what(name, key)}: the change changes nothing. Give a step other than 0.")
        amount = f"{by:g}" if by is not None else f"{percent:g} %"
        word = "plus" if sign > 0 else "minus"
        return self._try(
            f"{self._what(name, key)}: right side {word} {amount}", self._rows_at(name, rows, right + sign * step)
        )

    def _members(self, blocks: dict[str, Block], name: str, key: Hashable | Any) -> Positions:
        """Return the rows or columns that a change is about; none raises."""
        block = blocks.get(name)
        if block is None:
            raise LXModelError(f"Model {self.model.name} has no {name!r}. It has: {', '.join(blocks)}.")
        if key is EVERY:
            if not block.size:
                raise LXModelError(f"{name} has no members, so the change changes nothing.")
            return np.arange(block.start, block.start + block.size, dtype=np.int64)
        index = block.family.index
        if index is None:
            raise LXModelError(f"{name} is a single constraint: it has no key {key!r}.")
        return np.array([block.start + index.find(key)], dtype=np.int64)

    def _sense(self, name: str) -> str | None:
        return self.model.get_constraint(name).sense

    def _right_side(self, name: str, rows: Positions) -> Floats:
        compiled = self.compiled
        return compiled.row_lower[rows] if self._sense(name) == GE else compiled.row_upper[rows]

    def _rows_at(self, name: str, rows: Positions, right: Floats) -> _Change:
        sense, infinite = self._sense(name), np.full(len(rows), np.inf)
        lower = right if sense in (GE, EQ) else -infinite
        return _Change("rows", rows, lower, infinite if sense == GE else right)

    def _what(self, name: str, key: Hashable | Any) -> str:
        return name if key is EVERY else f"{name}[{key}]"

    def _try(self, description: str, change: _Change) -> LXWhatIfResult:
        """Return what the change brings; afterwards the live model is what it was."""
        original = self.baseline
        if self._session is None:
            return LXWhatIfResult(description, original, self._solve(_changed(self.compiled, change)))
        self._session.apply(change.kind, change.positions, change.lower, change.upper)
        try:
            new = self._session.solve(_changed(self.compiled, change))
        finally:
            restored = _unchanged(self.compiled, change)
            self._session.apply(restored.kind, restored.positions, restored.lower, restored.upper)
        return LXWhatIfResult(description, original, new)

    def _solve(self, compiled: CompiledModel) -> LXSolution:
        if self.optimizer.solver == "highs" and not compiled.is_mip and compiled.column_count:
            self._session = HighsSession(compiled, self.optimizer.options, self.optimizer.callbacks)
            return self._session.solve(compiled)
        return self.optimizer.solve(compiled)


def _changed(compiled: CompiledModel, change: _Change) -> CompiledModel:
    """Return the compiled model with the change in it; the original keeps its arrays."""
    names = {"rows": ("row_lower", "row_upper"), "columns": ("lower", "upper"), "costs": ("cost", "cost")}[change.kind]
    arrays = {}
    for name, values in zip(names, (change.lower, change.upper), strict=True):
        arrays[name] = getattr(compiled, name).copy()
        arrays[name][change.positions] = values
    return replace(compiled, **arrays)


def _unchanged(compiled: CompiledModel, change: _Change) -> _Change:
    """Return the change that takes the change back."""
    at = change.positions
    held = {
        "rows": (compiled.row_lower, compiled.row_upper),
        "columns": (compiled.lower, compiled.upper),
        "costs": (compiled.cost, compiled.cost),
    }[change.kind]
    return _Change(change.kind, at, held[0][at], held[1][at])

"""Sensitivity: what a unit of each limit is worth, how far that holds, and how far costs may move.

All of it comes from one solve of the linear model, with HiGHS' duals and ranging. At a degenerate plan
one more unit and one less are worth different amounts: then each side is solved for. A model with whole
numbers is looked at with its whole decisions held, which is said.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from ..columns import Booleans, Floats
from ..compile import Block, CompiledModel, compile_model, with_whole_decisions_held
from ..constraint import EQ, GE
from ..errors import LXModelError, LXNotNowError
from ..index import EVERY, named
from ..model import MAXIMIZE, LXModel
from ..optimizer import LXOptimizer
from ..solution import LXSolution
from ..solvers.base import SolverOptions
from ..solvers.highs import new_highs
from .prices import solve_linear

_BINDS = 1e-6  # relative: slack below is none
_ZERO = 1e-9  # relative to the largest cost: a price below is none
_INFINITE = 1e20
_STEP = 1e-5  # relative: how far a limit is moved to see what lies on its other side


@dataclass(frozen=True)
class LXConstraintSensitivity:
    """One constraint at the optimum. Prices are changes of the objective for one more unit of the right side.

    `shadow_price` holds while the right side moves by no more than `allowable_increase` and
    `allowable_decrease` (inf: no end). `more` is what one more unit changes the objective by, `less` what one
    less does: where the plan is not degenerate, `less` is -`more`.
    """

    name: str
    key: Hashable
    activity: float  # of the left side
    right_side: float
    slack: float  # to the right side; 0 for ==
    is_binding: bool
    shadow_price: float
    allowable_increase: float
    allowable_decrease: float
    more: float
    less: float

    def __str__(self) -> str:
        return f"{named(self.name, self.key)}: one more {self.more:+.6g}, one less {self.less:+.6g}"


@dataclass(frozen=True)
class LXVariableSensitivity:
    """One variable at the optimum.

    `reduced_cost` is what one unit of it would change the objective by if it were forced in; 0 for one that
    is in the basis. The plan stays best while its cost moves by no more than `allowable_increase` and
    `allowable_decrease` (inf: no end).
    """

    name: str
    key: Hashable
    value: float
    cost: float
    reduced_cost: float
    is_basic: bool
    allowable_increase: float
    allowable_decrease: float

    def __str__(self) -> str:
        return f"{named(self.name, self.key)} = {self.value:.6g}, reduced cost {self.reduced_cost:.6g}"


class LXSensitivityAnalyzer:
    """Asks an optimum what limits it.

        analyzer = LXSensitivityAnalyzer(model)
        analyzer.analyze_constraint("machine_hours", key=("Saw", "Week 1")).more
        for row in analyzer.identify_bottlenecks("machine_hours", "materials", top=5): print(row)

    The model is solved once, or `solution` is taken, which must have a plan. `basis` is "lp", or "fixed_mip"
    for a model with whole numbers: then everything holds with these whole decisions. Raises LXNotNowError
    where there is no plan.
    """

    def __init__(
        self, model: LXModel, solution: LXSolution | None = None, optimizer: LXOptimizer[Any] | None = None
    ) -> None:
        if solution is None:
            solution = (optimizer or LXOptimizer()).solve(compile_model(model))
        if solution.values is None:
            raise LXNotNowError(f"There is no plan to look at: the solve ended as {solution.termination}.")
        self.model, self.solution = model, solution
        self.basis = "fixed_mip" if solution.compiled.is_mip else "lp"
        linear = solution
        if solution.compiled.is_mip or solution.live is None:
            held = solution.compiled
            if held.is_mip:
                held = with_whole_decisions_held(held, solution.values)
            linear = solve_linear(held, SolverOptions())
        if linear.live is None or linear.row_duals is None:
            raise LXNotNowError(f"The linear model has no duals: its solve ended as {linear.termination}.")
        self._table = _Table(linear)

    # --- constraints --------------------------------------------------------------------------

    def analyze_constraint(self, name: str, key: Hashable | Any = EVERY) -> LXConstraintSensitivity:
        """Return what there is to say of one constraint; in a family it is named by key or row."""
        block = self._block(self._table.compiled.constraints, name)
        return self._constraint(block, self._position(block, key))

    def analyze_constraint_family(self, name: str) -> dict[Hashable, LXConstraintSensitivity]:
        """Return what there is to say of each constraint of a family, by key."""
        block = self._block(self._table.compiled.constraints, name)
        return {key: self._constraint(block, place, key) for place, key in enumerate(block.family.keys)}

    def analyze_all_constraints(self) -> list[LXConstraintSensitivity]:
        """Return what there is to say of every constraint, in the order of the model."""
        blocks = self._table.compiled.constraints.values()
        return [self._constraint(block, place, key) for block in blocks for place, key in enumerate(block.family.keys)]

    def get_binding_constraints(self) -> list[LXConstraintSensitivity]:
        """Return the constraints without slack; a price may still be 0, where another limit binds as well."""
        return [found for found in self.analyze_all_constraints() if found.is_binding]

    def identify_bottlenecks(self, *names: str, top: int | None = None) -> list[LXConstraintSensitivity]:
        """Return the inequalities that hold the objective back, what relief is worth most first.

        `names` are the families that are resources; without them all inequalities are looked at. Relief is one
        unit looser: more of `<=`, less of `>=`; its worth counts in the model's sense, also when minimising.
        """
        chosen = names or [name for name, block in self._table.compiled.constraints.items() if _sense(block) != EQ]
        found: list[tuple[float, LXConstraintSensitivity]] = []
        for name in chosen:
            block = self._block(self._table.compiled.constraints, name)
            if _sense(block) == EQ:
                raise LXModelError(f"{name} is ==: it has no looser side. Name constraints that are <= or >=.")
            for row in self.analyze_constraint_family(name).values():
                relief = self._table.sign * (row.less if _sense(block) == GE else row.more)
                if relief > self._table.least:
                    found.append((relief, row))
        return [row for _, row in sorted(found, key=lambda pair: -pair[0])][:top]

    # --- variables ----------------------------------------------------------------------------

    def analyze_variable(self, name: str, key: Hashable | Any = EVERY) -> LXVariableSensitivity:
        """Return what there is to say of one variable, named by key or row."""
        block = self._block(self._table.compiled.variables, name)
        return self._variable(block, self._position(block, key))

    def analyze_variable_family(self, name: str) -> dict[Hashable, LXVariableSensitivity]:
        """Return what there is to say of each variable of a family, by key."""
        block = self._block(self._table.compiled.variables, name)
        return {key: self._variable(block, place, key) for place, key in enumerate(block.family.keys)}

    def analyze_all_variables(self) -> list[LXVariableSensitivity]:
        """Return what there is to say of every variable, in the order of the model."""
        blocks = self._table.compiled.variables.values()
        return [self._variable(block, place, key) for block in blocks for place, key in enumerate(block.family.keys)]

    # --- words --------------------------------------------------------------------------------

    def generate_report(self, *names: str, top: int = 10) -> str:
        """Return the bottlenecks, and what is nearly worth doing, as text. `names` are families of resources."""
        with_these = "" if self.basis == "lp" else ", with these whole decisions"
        objective = self.solution.objective_value
        lines = [f"{self.model.name}: objective {objective:.6g}{with_these}", "", "What one more unit brings:"]
        bottlenecks = self.identify_bottlenecks(*names, top=top)
        lines += [f"  {line}" for line in self._words(bottlenecks)] or ["  Nothing: no limit holds the objective back."]
        out = [row for row in self.analyze_all_variables() if not row.is_basic and row.value == 0 and row.reduced_cost]
        out.sort(key=lambda row: abs(row.reduced_cost))
        if out:
            lines += ["", "What is not done, and what a unit of it would cost:"]
            lines += [f"  {named(row.name, row.key)}: {abs(row.reduced_cost):.6g}" for row in out[:top]]
        return "\n".join(lines)

    def _words(self, rows: Sequence[LXConstraintSensitivity]) -> Iterator[str]:
        for row in rows:
            low, high = row.right_side - row.allowable_decrease, row.right_side + row.allowable_increase
            ends = [f"from {low:.6g}"] if math.isfinite(low) else []
            ends += [f"to {high:.6g}"] if math.isfinite(high) else []
            yield f"{named(row.name, row.key)}: {row.more:+.6g}" + (f", {' '.join(ends)}" if ends else "")

    # --- one of them --------------------------------------------------------------------------

    def _block(self, blocks: dict[str, Block], name: str) -> Block:
        if name not in blocks:
            raise LXModelError(f"Model {self.model.name} has no {name!r}. It has: {', '.join(blocks)}.")
        return blocks[name]

    def _position(self, block: Block, key: Hashable | Any) -> int:
        index = block.family.index
        if index is None:
            if key is not EVERY and key is not None:
                raise LXModelError(f"{block.family.name} is a single constraint: it has no key {key!r}.")
            return 0
        if key is EVERY:
            raise LXModelError(f"Say which of {block.family.name} is meant: give its key.")
        return index.find(key)

    def _constraint(self, block: Block, place: int, key: Hashable = EVERY) -> LXConstraintSensitivity:
        table, row = self._table, block.start + place
        right, activity = table.right_sides[row], table.activity[row]
        slack = 0.0 if _sense(block) == EQ else abs(right - activity)
        binds = bool(slack <= _BINDS * max(1.0, abs(right)))
        price, low, high = table.row_price(row, binds)
        more, less = table.both_sides(row, price, binds)
        shown = block.family.keys[place] if key is EVERY else key
        return LXConstraintSensitivity(
            block.family.name, shown, float(activity), float(right), float(slack), binds, price, high, low, more, less
        )

    def _variable(self, block: Block, place: int, key: Hashable = EVERY) -> LXVariableSensitivity:
        table, column = self._table, block.start + place
        shown = block.family.keys[place] if key is EVERY else key
        cost = float(table.compiled.cost[column])
        low, high = table.cost_range(column)
        return LXVariableSensitivity(
            block.family.name,
            shown,
            float(table.values[column]),
            cost,
            table.reduced_cost(column),
            bool(table.basic_columns[column]),
            high - cost,
            cost - low,
        )


def _sense(block: Block) -> str:
    return str(getattr(block.family, "sense", EQ))


class _Table:
    """The optimum of a linear model as arrays: activities, duals, and the ranges in which they hold."""

    def __init__(self, linear: LXSolution) -> None:
        self.compiled: CompiledModel = linear.compiled
        self.sign = 1.0 if self.compiled.sense == MAXIMIZE else -1.0
        self.least = _ZERO * max(1.0, float(np.abs(self.compiled.cost).max(initial=0.0)))
        highs = linear.live
        found, basis = highs.getSolution(), highs.getBasis()
        self._basis = basis
        assert linear.values is not None
        assert linear.row_duals is not None
        self.values: Floats = linear.values
        self.activity: Floats = np.array(found.row_value)
        self.row_dual: Floats = linear.row_duals
        self._column_dual: Floats = np.array(found.col_dual)
        basic = highspy.HighsBasisStatus.kBasic
        self.basic_columns: Booleans = np.array([status == basic for status in basis.col_status], dtype=np.bool_)
        nearer_upper = np.abs(self.activity - self.compiled.row_upper) <= np.abs(
            self.activity - self.compiled.row_lower
        )
        self.right_sides: Floats = np.where(nearer_upper, self.compiled.row_upper, self.compiled.row_lower)
        status, ranging = highs.getRanging()
        self._ranging = ranging if status == highspy.HighsStatus.kOk else None
        self._session: Any = None
        self.is_degenerate = self._degenerate(highs)

    def _degenerate(self, highs: Any) -> bool:
        """Whether a basic variable or row stands at one of its limits: then prices may differ on both sides."""
        compiled, basic = self.compiled, highspy.HighsBasisStatus.kBasic
        rows = np.array([status == basic for status in self._basis.row_status], dtype=np.bool_)
        at_bound = np.zeros(compiled.column_count, dtype=np.bool_)
        for bound in (compiled.lower, compiled.upper):
            at_bound |= np.abs(self.values - bound) <= _BINDS * np.maximum(1.0, np.abs(self.values))
        at_limit = np.zeros(compiled.row_count, dtype=np.bool_)
        for limit in (compiled.row_lower, compiled.row_upper):
            at_limit |= np.abs(self.activity - limit) <= _BINDS * np.maximum(1.0, np.abs(self.activity))
        return bool((self.basic_columns & at_bound).any() or (rows & at_limit).any())

    def row_price(self, row: int, binds: bool) -> tuple[float, float, float]:
        """Return a row's price, and by how much its right side may fall and rise while it holds."""
        price = float(self.row_dual[row])
        price = 0.0 if abs(price) <= self.least else price
        right = float(self.right_sides[row])
        if price == 0.0:
            room = abs(right - float(self.activity[row]))
            is_upper = right == self.compiled.row_upper[row]
            return 0.0, (room if is_upper else math.inf), (math.inf if is_upper else room)
        if self._ranging is None:
            return price, 0.0, 0.0
        low, high = (float(getattr(self._ranging, f"row_bound_{side}").value_[row]) for side in ("dn", "up"))
        return (
            price,
            math.inf if abs(low) >= _INFINITE else max(right - low, 0.0),
            math.inf if abs(high) >= _INFINITE else max(high - right, 0.0),
        )

    def both_sides(self, row: int, price: float, binds: bool) -> tuple[float, float]:
        """Return what one more unit on the right side changes the objective by, and what one less does."""
        if not binds:
            return 0.0, 0.0
        if not self.is_degenerate:
            return price + 0.0, -price + 0.0
        return self._slope(row, 1.0), -self._slope(row, -1.0) + 0.0

    def _slope(self, row: int, direction: float) -> float:
        """Return the objective's slope just beyond a right side: the dual there. nan where no plan is left."""
        if self._session is None:
            self._session = new_highs(self.compiled, SolverOptions())
            self._session.setBasis(self._basis)
        highs, compiled = self._session, self.compiled
        lower, upper = float(compiled.row_lower[row]), float(compiled.row_upper[row])
        right = float(self.right_sides[row])
        moved = right + direction * _STEP * max(1.0, abs(right))
        highs.changeRowBounds(row, moved if lower == right else lower, moved if upper == right else upper)
        highs.run()
        is_best = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        slope = float(highs.getSolution().row_dual[row]) if is_best else math.nan
        highs.changeRowBounds(row, lower, upper)
        return 0.0 if abs(slope) <= self.least else slope

    def reduced_cost(self, column: int) -> float:
        """Return a variable's reduced cost; 0 for one in the basis."""
        reduced = float(self._column_dual[column])
        return 0.0 if self.basic_columns[column] or abs(reduced) <= self.least else reduced

    def cost_range(self, column: int) -> tuple[float, float]:
        """Return between which costs of a variable the plan stays the best one."""
        if self._ranging is None:
            cost = float(self.compiled.cost[column])
            return cost, cost
        low, high = (float(getattr(self._ranging, f"col_cost_{side}").value_[column]) for side in ("dn", "up"))
        return (
            -math.inf if abs(low) >= _INFINITE else low,
            math.inf if abs(high) >= _INFINITE else high,
        )

"""What a solver found: termination, primal status, values, bound and gap, each a fact of its own."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import numpy as np

from .columns import Floats
from .compile import Block, CompiledModel
from .constraint import GE, LE
from .errors import LXError, LXModelError, LXNotNowError, LXUnsupportedError
from .goals import OVER, UNDER, deviation_name

# How a solve ended.
OPTIMAL = "optimal"  # proven within the gap asked for
INFEASIBLE = "infeasible"
UNBOUNDED = "unbounded"
TIME_LIMIT = "time_limit"
INTERRUPTED = "interrupted"
ERROR = "error"

Late = Floats | Callable[[], Floats] | None  # an array, or what makes it when it is asked for


class LXValues(Mapping[Any, float]):
    """The values of a family by key, or by row. `array` holds them in the order of the family.

    A mapping: `items()` gives keys with values. Raises KeyError for what is no key or row of the family.
    """

    def __init__(self, block: Block, array: Floats) -> None:
        self._block = block
        self.array = array

    def __getitem__(self, key: Any) -> float:
        index = self._block.family.index
        if index is None:
            if key is not None:
                raise KeyError(f"{self._block.family.name} is a single row: its key is None, not {key!r}.")
            return float(self.array[0])
        try:
            return float(self.array[index.find(key)])
        except LXModelError as error:
            raise KeyError(str(error)) from error

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._block.family.keys)

    def __len__(self) -> int:
        return len(self.array)


class LXSolution:
    """The result of a solve. Infeasible, unbounded and time limit are results, not exceptions.

    `termination` is OPTIMAL, INFEASIBLE, UNBOUNDED, TIME_LIMIT, INTERRUPTED or ERROR. `values` (one for
    each variable of the compiled model) is None unless the solver has a plan. `bound` is the best
    objective that is still possible, `gap` the relative distance to it; both None where the solver
    does not say. `row_duals` (one for each constraint) is None but for a solved linear model.
    `seconds` is the solver's clock time; `message` and `log` are its words.
    """

    def __init__(
        self,
        compiled: CompiledModel | Callable[[], CompiledModel],
        solver: str,
        termination: str,
        *,
        values: Late = None,
        objective_value: float | None = None,
        bound: float | None = None,
        row_duals: Late = None,
        seconds: float = 0.0,
        message: str = "",
        log: str = "",
    ) -> None:
        self._compiled = compiled
        self.solver = solver
        self.termination = termination
        self.objective_value = objective_value
        self.bound = bound
        self.live: Any = None  # the HiGHS that solved a linear model, for questions
        self.seconds = seconds
        self.message = message
        self.log = log
        self._values, self._row_duals = values, row_duals

    def __repr__(self) -> str:
        return f"<LXSolution {self.termination} by {self.solver}, objective {self.objective_value}>"

    @property
    def compiled(self) -> CompiledModel:
        """The compiled model that was solved."""
        if not isinstance(self._compiled, CompiledModel):  # or what makes it when it is asked for
            self._compiled = self._compiled()
        return self._compiled

    @compiled.setter
    def compiled(self, compiled: CompiledModel) -> None:
        self._compiled = compiled

    @property
    def values(self) -> Floats | None:
        """The value of each variable, in the order of the columns; None where there is no plan."""
        if callable(self._values):
            self._values = self._values()
        return self._values

    @property
    def row_duals(self) -> Floats | None:
        """The dual value of each constraint, in the order of the rows; None where there are none."""
        if callable(self._row_duals):
            self._row_duals = self._row_duals()
        return self._row_duals

    def hold(self, values: Late, row_duals: Late) -> None:
        """Take values and duals, or what makes them when they are asked for."""
        self._values, self._row_duals = values, row_duals

    @property
    def has_plan(self) -> bool:
        """Whether there are values."""
        return self._values is not None

    @property
    def is_optimal(self) -> bool:
        """Whether the plan is proven best within the gap asked for."""
        return self.termination == OPTIMAL

    @property
    def gap(self) -> float | None:
        """|bound - objective| / max(1, |objective|)."""
        if self.bound is None or self.objective_value is None:
            return None
        return abs(self.bound - self.objective_value) / max(1.0, abs(self.objective_value))

    @property
    def variables(self) -> dict[str, LXValues]:
        """The values of each family of variables: `solution.variables["production"][product]`.

        Raises LXModelError where there is no plan.
        """
        values = self._plan()
        return {name: LXValues(block, values[block.span]) for name, block in self.compiled.variables.items()}

    @property
    def duals(self) -> dict[str, LXValues]:
        """The dual value of each family of constraints: what one more unit of the right side adds to the objective.

        A single constraint has the key None. Raises LXModelError where there are none: without a plan,
        and for a model with whole numbers.
        """
        if self.row_duals is None:
            raise self._no_duals()
        return {name: LXValues(block, self.row_duals[block.span]) for name, block in self.compiled.constraints.items()}

    @property
    def levels(self) -> dict[int, float]:
        """The sum of weight * deviation by priority, of a model with goals. Raises LXNotNowError without a plan."""
        values = self._plan()
        return {level.priority: max(level.deviation(values), 0.0) for level in self.compiled.levels}

    def get_goal_deviations(self, name: str) -> dict[str, LXValues]:
        """Return how far a goal is from its target: "neg" is missing on the left side, "pos" is too much of it.

        Both are at least 0, in the unit of the goal, one for each of its constraints, and the side that does
        not count is told too. Raises LXModelError for what is no goal, LXNotNowError without a plan.
        """
        own, compiled = self._plan().copy(), self.compiled
        goals = [n for n, b in compiled.constraints.items() if getattr(b.family, "goal_priority", None) is not None]
        if name not in goals:
            raise LXModelError(f"Model {compiled.model.name} has no goal {name!r}. Its goals: {', '.join(goals)}.")
        for side in (UNDER, OVER):
            if deviation_name(name, side) in compiled.variables:
                own[compiled.variables[deviation_name(name, side)].span] = 0.0
        block = compiled.constraints[name]
        starts = compiled.starts[block.start : block.start + block.size + 1]
        span = slice(int(starts[0]), int(starts[-1]))
        rows = np.repeat(np.arange(block.size), np.diff(starts))
        left = np.bincount(rows, weights=compiled.values[span] * own[compiled.columns[span]], minlength=block.size)
        right = np.where(np.isfinite(compiled.row_upper), compiled.row_upper, compiled.row_lower)[block.span]
        return {
            "neg": LXValues(block, np.maximum(right - left, 0.0)),
            "pos": LXValues(block, np.maximum(left - right, 0.0)),
        }

    def get_total_deviation(self, name: str) -> float:
        """Return how far a goal is missed in all, on the sides that count, without weights."""
        return float(sum(array.sum() for array in self._counted_deviations(name)))

    def is_goal_satisfied(self, name: str, tolerance: float = 1e-6) -> bool:
        """Whether each constraint of a goal is missed by no more than the tolerance, in its unit."""
        return all(bool((array <= tolerance).all()) for array in self._counted_deviations(name))

    def _counted_deviations(self, name: str) -> list[Floats]:
        """Return a goal's deviations on the sides that count."""
        deviations = self.get_goal_deviations(name)
        sense = getattr(self.compiled.constraints[name].family, "sense", None)
        sides = {GE: ["neg"], LE: ["pos"]}.get(str(sense), ["neg", "pos"])
        return [deviations[side].array for side in sides]

    def _plan(self) -> Floats:
        if self.values is None:
            raise LXNotNowError(f"There is no plan: the solve ended as {self.termination}.")
        return self.values

    def _no_duals(self) -> LXError:
        if self.compiled.is_mip:
            return LXNotNowError("There are no duals: they belong to linear models, and this one has whole variables.")
        if not self.is_optimal:
            return LXNotNowError(f"There are no duals: the solve ended as {self.termination}.")
        return LXUnsupportedError(f"{self.solver} gives no duals. Solvers that do: highs.")

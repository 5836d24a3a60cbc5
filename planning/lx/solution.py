"""What a solver found: termination, primal status, values, bound and gap, each a fact of its own."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .columns import Floats
from .compile import Block, CompiledModel
from .errors import LXModelError

# How a solve ended.
OPTIMAL = "optimal"  # proven within the gap asked for
INFEASIBLE = "infeasible"
UNBOUNDED = "unbounded"
TIME_LIMIT = "time_limit"
INTERRUPTED = "interrupted"
ERROR = "error"


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


@dataclass
class LXSolution:
    """The result of a solve. Infeasible, unbounded and time limit are results, not exceptions.

    `termination` is OPTIMAL, INFEASIBLE, UNBOUNDED, TIME_LIMIT, INTERRUPTED or ERROR. `values` (one for
    each variable of the compiled model) is None unless the solver has a plan. `bound` is the best
    objective that is still possible, `gap` the relative distance to it; both None where the solver
    does not say. `row_duals` (one for each constraint) is None but for a solved linear model.
    `seconds` is the solver's clock time; `message` and `log` are its words.
    """

    compiled: CompiledModel = field(repr=False)
    solver: str
    termination: str
    values: Floats | None = field(default=None, repr=False)
    objective_value: float | None = None
    bound: float | None = None
    row_duals: Floats | None = field(default=None, repr=False)
    live: Any = field(default=None, repr=False, compare=False)  # the HiGHS that solved a linear model, for questions
    seconds: float = 0.0
    message: str = ""
    log: str = field(default="", repr=False)

    @property
    def has_plan(self) -> bool:
        """Whether there are values."""
        return self.values is not None

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
        if self.values is None:
            raise LXModelError(f"There is no plan: the solve ended as {self.termination}.")
        return {name: LXValues(block, self.values[block.span]) for name, block in self.compiled.variables.items()}

    @property
    def duals(self) -> dict[str, LXValues]:
        """The dual value of each family of constraints: what one more unit of the right side adds to the objective.

        A single constraint has the key None. Raises LXModelError where there are none: without a plan,
        and for a model with whole numbers.
        """
        if self.row_duals is None:
            raise LXModelError("There are no duals: they belong to a solved linear model.")
        return {name: LXValues(block, self.row_duals[block.span]) for name, block in self.compiled.constraints.items()}

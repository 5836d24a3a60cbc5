"""What-ifs on a run's plan: the data changed, built anew, and solved from the plan's own basis. It asks no database.

A what-if is what a scenario with the same change would be, made by the same code: only the search begins near its end.
Whole decisions are those of the plan; what they allow is solved again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from planning.formulation import Plan, build_model, plan_change, read_plan, same_rows, with_decisions_held
from planning.lx import (
    INFEASIBLE,
    TIME_LIMIT,
    UNBOUNDED,
    CompiledModel,
    LXModelError,
    LXRows,
    LXSolution,
    SolverOptions,
    WarmHighs,
    compile_model,
    price_limits,
    price_sides,
    solve_by_priority,
    with_levels_loosened,
)
from planning.snapshot import Change, DataProblems, Snapshot

from .plan_values import without_waste
from .variations import parse, varied

ANSWER_SECONDS = 30.0  # for one what-if
PRICE_SECONDS = 0.5
_LIMITS = {"machine": ("machine_hours", "machine_grid"), "material": ("material_supply", "material_grid")}
_WORDS = {
    INFEASIBLE: "No plan is possible with this.",
    UNBOUNDED: "With this, profit has no limit: something that earns money is limited by nothing.",
    TIME_LIMIT: f"This takes longer than {ANSWER_SECONDS:.0f} s. Solve it as a run.",
}
_HELD = "The setups and whole quantities of this plan allow no plan with this; others may. Solve it as a run."
_OTHER_ROWS = "This changes which products, machines or orders there are. Solve it as a run."


class NoDesk(ValueError):
    """A run on whose plan nothing can be tried, in words."""


@dataclass(frozen=True)
class Decided:
    """The whole decisions of a plan: arrays in the order of the way grid, and of the machine grid for `down`."""

    made: npt.NDArray[np.float64]
    setup: npt.NDArray[np.float64]
    down: npt.NDArray[np.float64]  # units of each machine that are down, those that the data say among them


@dataclass
class Tried:
    """The data with changes in them and the linear model of their plan; no plan where the words say why."""

    snapshot: Snapshot
    words: str = ""
    linear: LXSolution | None = None
    plan: Plan | None = None
    held: bool = False  # whole decisions are those of the run's plan


class Desk:
    """A run's plan, ready for changes. Raises NoDesk where the run's copy makes no plan."""

    def __init__(self, data: bytes, variation: Any, decided: Decided) -> None:
        self._data = data
        self._own = () if variation is None else parse(variation)
        given = varied(data, self._own)["machine_grid"].columns["units_down"].filled(0.0)
        self._decided = replace(decided, down=decided.down - given) if len(given) == len(decided.down) else decided
        self._solver = WarmHighs()
        self._last: Tried | None = None
        self.before = self._try(())
        if self.before.plan is None:
            raise NoDesk(f"The plan can't be found again. {self.before.words}")

    @property
    def profit(self) -> float:
        """The profit of the plan as it is."""
        assert self.before.plan is not None
        return self.before.plan.objective

    def answer(self, changes: Sequence[Any]) -> dict[str, Any]:
        """Return what the changes make of the plan, as plain values; `words` say why there is no plan.

        Raises BadVariation for what is no list of changes.
        """
        started = time.perf_counter()
        try:
            tried = self._try(parse(changes))
        except (DataProblems, LXModelError) as why:
            return {"words": str(why), "held": self.before.held, "seconds": time.perf_counter() - started}
        self._last = tried
        assert self.before.plan is not None
        answer: dict[str, Any] = {"words": tried.words, "held": tried.held}
        if tried.plan is not None and not same_rows(self.before.snapshot, tried.snapshot):
            answer["words"] = _OTHER_ROWS
        elif tried.plan is not None:
            answer |= plan_change((self.before.snapshot, self.before.plan), (tried.snapshot, tried.plan))
        return answer | {"seconds": time.perf_counter() - started}

    def price(self, resource_type: str, resource: str, period: str) -> dict[str, Any] | None:
        """Return what one more and one less of a limit is worth in the plan of the last answer; None: there is none.

        The limit is that of the data: hours of a machine's units that are up, units that suppliers may bring.
        """
        tried = self._last
        if tried is None or tried.linear is None:
            return None
        rows = self._limit_row(tried, resource_type, resource, period)
        found = None if rows is None else price_limits(tried.linear, rows, seconds=PRICE_SECONDS)
        if rows is None or found is None:
            return None
        sides = price_sides(tried.linear, rows, found, seconds=PRICE_SECONDS)
        worth = {name: _known(array[0]) for name, array in vars(sides).items()}
        return {"limit": float(tried.linear.compiled.row_upper[rows[0]]), **worth}

    def _limit_row(self, tried: Tried, resource_type: str, resource: str, period: str) -> npt.NDArray[np.int64] | None:
        family, grid_name = _LIMITS[resource_type]
        assert tried.linear is not None
        block, grid = tried.linear.compiled.constraints[family], tried.snapshot[grid_name]
        rows = block.family.rows
        assert isinstance(rows, LXRows)
        for place, row in enumerate(rows.positions.tolist()):
            record = grid.record(row)
            if (getattr(record, resource_type).name, record.period.name) == (resource, period):
                return np.array([block.start + place], dtype=np.int64)
        return None

    def _try(self, changes: Sequence[Change]) -> Tried:
        snapshot = varied(self._data, (*self._own, *changes))
        compiled = compile_model(build_model(snapshot))
        held = compiled.is_mip
        if held:
            values = self._whole_values(compiled, snapshot)
            if values is None:
                return Tried(snapshot, _OTHER_ROWS, held=True)
            compiled = with_decisions_held(compiled, values)
        linear = self._solve(compiled)
        if linear.values is None or not linear.is_optimal:
            words = _WORDS.get(linear.termination, f"The solver failed: {linear.message or 'it gave no reason'}.")
            return Tried(snapshot, _HELD if held and linear.termination == INFEASIBLE else words, held=held)
        plan = read_plan(snapshot, linear.compiled, without_waste(linear))
        return Tried(snapshot, "", linear, plan, held)

    def _solve(self, compiled: CompiledModel) -> LXSolution:
        """Return HiGHS' solution of a linear model, with levels held where it has some."""
        options = SolverOptions(time_limit=ANSWER_SECONDS)
        if not compiled.levels:
            return self._solver.solve(compiled, options)
        found = solve_by_priority(self._solver, compiled, options)
        if found.row_duals is None and found.has_plan and found.is_optimal:
            held = self._solver.solve(found.compiled, options)  # goals were weighted: now with what they reach held
            return held if held.is_optimal else self._solver.solve(with_levels_loosened(found.compiled), options)
        return found

    def _whole_values(self, compiled: CompiledModel, snapshot: Snapshot) -> npt.NDArray[np.float64] | None:
        """Return a value for each variable of which the whole ones count; None where the rows are others."""
        values = np.zeros(compiled.column_count)
        for family, grid in (("make", "way_grid"), ("setup", "way_grid"), ("down", "machine_grid")):
            decided = getattr(self._decided, "made" if family == "make" else family)
            if len(decided) != snapshot[grid].size:
                return None
            block = compiled.variables[family]
            rows = block.family.rows
            assert isinstance(rows, LXRows)
            values[block.span] = decided[rows.positions]
        return values


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

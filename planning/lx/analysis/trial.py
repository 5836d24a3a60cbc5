"""A compiled model with changes in it: what each change comes to, for a live solver or as a compiled copy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..columns import Booleans, Floats, Positions
from ..compile import INFINITE, LARGEST, NEGLIGIBLE, Block, CompiledModel, compile_model
from ..constraint import EQ, GE
from ..errors import LXModelError
from ..model import LXModel
from ..variable import BINARY
from .changes import COEFFICIENT, COST, DOWN, LOOSER, RHS, TIGHTER, UP, UPPER, LXChange

ROWS, COLUMNS, COSTS, ENTRY = "rows", "columns", "costs", "entry"


@dataclass(frozen=True)
class Delta:
    """New numbers of some rows or columns, by the name of the compiled model's array; an entry is one of a row."""

    kind: str
    span: slice
    values: dict[str, Floats]
    column: int = -1  # of an entry

    @property
    def place(self) -> tuple[int, int]:
        """The row and column of an entry."""
        return int(self.span.start), self.column

    @property
    def positions(self) -> Positions:
        """The rows or columns."""
        return np.arange(self.span.start, self.span.stop, dtype=np.int64)

    def is_at(self, other: Delta) -> bool:
        """Whether the other one sets the same numbers."""
        return (self.kind, self.span, self.column) == (other.kind, other.span, other.column)

    def put(self, name: str, numbers: Floats, span: slice) -> None:
        """Write what it says of a span into numbers that stand there."""
        low, high = max(self.span.start, span.start), min(self.span.stop, span.stop)
        if low < high and name in self.values and self.kind != ENTRY:
            found = self.values[name][low - self.span.start : high - self.span.start]
            numbers[low - span.start : high - span.start] = found


class Base:
    """The model that changes start from, compiled once; it stays as it is, whatever becomes of the model."""

    def __init__(self, model: LXModel) -> None:
        self.compiled = compile_model(model)
        self.model_name = model.name
        self.senses = {constraint.name: constraint.sense for constraint in model.constraints}
        self.rights: dict[str, tuple[Floats, Floats]] = {}  # right side and left constant, where there is one
        for constraint in model.constraints:
            assert constraint.lhs is not None
            if constraint.lhs.constants:
                constant = constraint.lhs.constant(constraint.name, constraint.rows)
                self.rights[constraint.name] = constraint.rhs_array().copy(), constant

    def members(self, blocks: dict[str, Block], name: str, keys: tuple[Any, ...]) -> slice:
        """Return the rows or columns of a family, or of its member; none raises."""
        block = blocks.get(name)
        if block is None:
            raise LXModelError(f"Model {self.model_name} has no {name!r}. It has: {', '.join(blocks)}.")
        index = block.family.index
        if keys and index is not None:
            found = block.start + index.find(keys[0])
            return slice(found, found + 1)
        if keys and keys[0] is not None:
            raise LXModelError(f"{name} is a single constraint: it has no key {keys[0]!r}.")
        if not block.size:
            raise LXModelError(f"{name} has no members, so the change changes nothing.")
        return block.span

    def place(self, change: LXChange) -> tuple[int, int]:
        """Return the row and column of the one coefficient that a change names."""
        found = []
        for blocks, name, keys in (
            (self.compiled.constraints, change.name, change.keys),
            (self.compiled.variables, change.variable, change.variable_keys),
        ):
            span = self.members(blocks, name, keys)
            if span.stop - span.start != 1:
                raise LXModelError(f"{change}: say which member of {name} the coefficient is of: give its key.")
            found.append(int(span.start))
        return found[0], found[1]

    def entry(self, row: int, column: int) -> float:
        """Return the coefficient in a row and column; 0 where there is none."""
        compiled = self.compiled
        start, end = compiled.starts[row], compiled.starts[row + 1]
        at = start + int(np.searchsorted(compiled.columns[start:end], column))
        return float(compiled.values[at]) if at < end and compiled.columns[at] == column else 0.0

    def before(self, delta: Delta) -> Delta:
        """Return what takes a change back."""
        if delta.kind == ENTRY:
            return replace(delta, values={"values": np.array([self.entry(*delta.place)])})
        return replace(delta, values={name: getattr(self.compiled, name)[delta.span] for name in delta.values})


class Trial:
    """The base with changes in it; later changes see the earlier ones.

    Raises LXModelError, before anything is solved, for a name or key that is not there, a number that is
    none, a lower bound above the upper one, and a change that changes nothing, unless it `may_stay`.
    """

    def __init__(self, base: Base, changes: Iterable[LXChange], *, may_stay: bool = False) -> None:
        self.base = base
        self.deltas: list[Delta] = []
        self._entries: dict[tuple[int, int], float] = {}
        self._rights: dict[str, Floats] = {}
        self._may_stay = may_stay
        for change in changes:
            if change.what == COEFFICIENT:
                self._take_entry(change)
            elif change.what == RHS:
                self._take_right_side(change)
            else:
                self._take_column(change)
        self._check_bounds()
        self.is_base = self._is_base()  # whether every number is what it was, as after a change and its inverse

    def _is_base(self) -> bool:
        if len(self.deltas) < 2:
            return not self.deltas
        return all(value == self.base.entry(*place) for place, value in self._entries.items()) and all(
            np.array_equal(self._now(name, delta.span), getattr(self.base.compiled, name)[delta.span])
            for delta in self.deltas
            for name in delta.values
            if delta.kind != ENTRY
        )

    def compiled(self) -> CompiledModel:
        """Return the compiled model with the changes in it; the base keeps its arrays."""
        everywhere = slice(0, max(self.base.compiled.column_count, self.base.compiled.row_count))
        changed = {name for delta in self.deltas if delta.kind != ENTRY for name in delta.values}
        arrays: dict[str, Any] = {name: self._now(name, everywhere) for name in changed}
        if self._entries:
            arrays |= _with_entries(self.base.compiled, self._entries)
        return replace(self.base.compiled, **arrays)

    def _now(self, name: str, span: slice) -> Floats:
        """Return a part of the compiled model's array as the changes so far have made it, to keep."""
        found: Floats = getattr(self.base.compiled, name)[span].copy()
        for delta in self.deltas:
            delta.put(name, found, span)
        return found

    def _take_right_side(self, change: LXChange) -> None:
        compiled, sense = self.base.compiled, self.base.senses.get(change.name)
        rows = self.base.members(compiled.constraints, change.name, change.keys)
        if sense == EQ and change.way in (LOOSER, TIGHTER):
            raise LXModelError(
                f"{change.name} is ==: it has no looser and no tighter side. Say which way its right side "
                "goes: increase or decrease it."
            )
        start = compiled.constraints[change.name].start
        at = slice(rows.start - start, rows.stop - start)
        given, constant = self.base.rights.get(change.name, (None, None))
        if given is None:
            now = self._now("row_lower" if sense == GE else "row_upper", rows)
        else:
            now = self._rights.get(change.name, given)[at]
        limit = self._stepped(change, now, compiled.row_name, rows, looser=-1.0 if sense == GE else 1.0)
        if given is not None and constant is not None:
            self._rights.setdefault(change.name, given.copy())[at] = limit
            limit = limit - constant[at]
        _refuse(~(np.abs(limit) < INFINITE), change, compiled.row_name, rows, "its right side would be infinite")
        lower = limit if sense in (GE, EQ) else np.full(len(limit), -np.inf)
        upper = limit if sense != GE else np.full(len(limit), np.inf)
        self._add(change, Delta(ROWS, rows, {"row_lower": lower, "row_upper": upper}))

    def _take_column(self, change: LXChange) -> None:
        compiled = self.base.compiled
        columns = self.base.members(compiled.variables, change.name, change.keys)
        if change.what == COST:
            new = self._stepped(change, self._now("cost", columns), compiled.column_name, columns)
            _refuse(~(np.abs(new) < INFINITE), change, compiled.column_name, columns, "its cost would be infinite")
            self._add(change, Delta(COSTS, columns, {"cost": new}))
            return
        held = {"lower": self._now("lower", columns), "upper": self._now("upper", columns)}
        side = "upper" if change.what == UPPER else "lower"
        new = self._stepped(change, held[side], compiled.column_name, columns)
        nowhere = new <= -INFINITE if side == "upper" else new >= INFINITE
        _refuse(nowhere | np.isnan(new), change, compiled.column_name, columns, "no number is within this bound")
        whole = compiled.integer[columns]
        if whole.any():
            rounded = np.floor(new + 1e-9) if side == "upper" else np.ceil(new - 1e-9)
            new = np.where(whole, rounded, new)
        self._add(change, Delta(COLUMNS, columns, held | {side: self._within_binary(change, side, new)}))

    def _within_binary(self, change: LXChange, side: str, bounds: Floats) -> Floats:
        """Return the bounds of a family, which for one of 0 and 1 stay between these."""
        family: Any = self.base.compiled.variables[change.name].family
        if family.kind != BINARY:
            return bounds
        return np.minimum(bounds, 1.0) if side == "upper" else np.maximum(bounds, 0.0)

    def _take_entry(self, change: LXChange) -> None:
        place = self.base.place(change)
        row = slice(place[0], place[0] + 1)
        now = np.array([self._entries.get(place, self.base.entry(*place))])
        new = self._stepped(change, now, self.base.compiled.row_name, row)
        size = abs(float(new[0]))
        if not (size == 0.0 or NEGLIGIBLE < size <= LARGEST):
            raise LXModelError(
                f"{change}: the coefficient would be {new[0]:g}. Solvers work with 0 and sizes above {NEGLIGIBLE:g}, "
                f"up to {LARGEST:g}."
            )
        if self._is_change(change, bool(new[0] != now[0])):
            self._entries[place] = float(new[0])
            self.deltas.append(Delta(ENTRY, row, {"values": new}, place[1]))

    def _add(self, change: LXChange, delta: Delta) -> None:
        differs = any(not np.array_equal(self._now(name, delta.span), new) for name, new in delta.values.items())
        if self._is_change(change, differs):
            self.deltas.append(delta)

    def _is_change(self, change: LXChange, differs: bool) -> bool:
        if not differs and not self._may_stay:
            raise LXModelError(f"{change}: this changes nothing. Give another number, or another key.")
        return differs

    @np.errstate(over="ignore", invalid="ignore")  # what is not finite is refused by name
    def _stepped(self, change: LXChange, now: Floats, name_of: Any, span: slice, *, looser: float = 1.0) -> Floats:
        """Return the numbers after the change; a step from a bound that is not there raises."""
        amount = float(change.amount)
        if change.how == "to":
            new = np.full(len(now), amount)
            for way, wrong, word in ((UP, new < now, "increase"), (DOWN, new > now, "decrease")):
                if change.way == way:
                    _refuse(wrong, change, name_of, span, f"that is no {word}, and set_… sets any number")
            return new
        _refuse(~(np.abs(now) < INFINITE), change, name_of, span, f"it has no {change.what}, so give a number with to=")
        if change.how == "multiply":
            return now * amount
        sign = {DOWN: -1.0, LOOSER: looser, TIGHTER: -looser}.get(change.way, 1.0)
        step: Floats = np.abs(now) * amount / 100.0 if change.how == "percent" else np.full(len(now), amount)
        return now + sign * step

    def _check_bounds(self) -> None:
        """Refuse variables whose lower bound lies above the upper one after all changes."""
        for delta in self.deltas:
            if delta.kind == COLUMNS:
                lower, upper = self._now("lower", delta.span), self._now("upper", delta.span)
                crossed = np.flatnonzero(lower > upper).tolist()
                if crossed:
                    i = crossed[0]
                    raise LXModelError(
                        f"{self.base.compiled.column_name(delta.span.start + i)}: the lower bound {lower[i]:.12g} "
                        f"would lie above the upper one, {upper[i]:.12g}."
                    )


def _refuse(wrong: Booleans, change: LXChange, name_of: Any, span: slice, why: str) -> None:
    """Raise LXModelError where a member is wrong, and name the first one."""
    if wrong.any():
        raise LXModelError(f"{change}: {name_of(span.start + int(np.flatnonzero(wrong)[0]))}: {why}.")


def _with_entries(compiled: CompiledModel, entries: dict[tuple[int, int], float]) -> dict[str, npt.NDArray[Any]]:
    """Return starts, columns and values of the matrix with these entries in it; those of 0 are gone."""
    count = max(compiled.column_count, 1)
    rows = np.repeat(np.arange(compiled.row_count, dtype=np.int64), np.diff(compiled.starts))
    places = np.array([row * count + column for row, column in sorted(entries)], dtype=np.int64)
    numbers = np.array([entries[place] for place in sorted(entries)])
    held = rows * count + compiled.columns
    stays = ~np.isin(held, places)
    place, values = np.concatenate([held[stays], places]), np.concatenate([compiled.values[stays], numbers])
    order = np.argsort(place, kind="stable")
    place, values = place[order], values[order]
    place, values = place[values != 0.0], values[values != 0.0]
    row, column = np.divmod(place, count)
    starts = np.zeros(compiled.row_count + 1, dtype=np.int32)
    np.cumsum(np.bincount(row, minlength=compiled.row_count), out=starts[1:])
    return {"starts": starts, "columns": column.astype(np.int32), "values": values}

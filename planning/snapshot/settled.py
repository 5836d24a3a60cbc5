"""The rows that a plant needs so that its base data are what a scenario makes of them, and nothing else changed.

A field with a value per period is settled by what holds in each period: in the parent's row where every
period that follows it has the same new value, else in rows by period. A blank that a parent's value would
fill takes that value away, and every other period then says its own.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from planning.lx import MISSING, LXColumn, LXTable
from planning.models import BASELINE, TABLES, FormatTable

from .changes import NOT_DATA, changeable, companion_of, row_names
from .effective import Horizon, over_periods, periods_of
from .scenario import goal_mode

Value = float | int | bool | str | None
_LOW_AND_HIGH = (("min_demand", "max_demand"), ("min_inventory", "max_inventory"), ("min_batch_size", "max_batch_size"))


@dataclass(frozen=True)
class Edit:
    """One field of one row of the base data: what stands there, and what has to."""

    table: str
    row: str  # its name or key, in a table by period without the period
    period: str  # blank outside of the tables by period
    field: str
    old: Value  # None in a row by period: what the parent says held there
    new: Value
    held: Value  # what held there so far, whichever row said it
    place: int = MISSING  # among the rows of its table; MISSING for a row that has to be made
    pk: int | None = None  # None for a row that has to be made
    parent_pk: int | None = None  # of a row to be made in a table by period
    period_pk: int | None = None  # and that of its period, None while the plant has no period rows

    @property
    def is_new_row(self) -> bool:
        """Whether the row has to be made first."""
        return self.pk is None


@dataclass(frozen=True)
class Difference:
    """A value that a scenario makes another one, in a period or (blank) in all of them."""

    table: str
    row: str
    period: str
    field: str
    base: Value
    effective: Value


class ValuesByPeriod:
    """What holds for each row and period of a field, in arrays of (rows, periods)."""

    def __init__(self, tables: Mapping[str, LXTable], table: FormatTable, by_period: FormatTable, field: str) -> None:
        horizon = Horizon(periods_of(tables["periods"]))
        parent, held = tables[table.name], tables[by_period.name]
        if field in table.fields:
            column = over_periods(parent, held, by_period.key[-2], field, horizon)
        else:  # units_down, which stands by period alone; blank is 0
            column = LXColumn(np.zeros(parent.size * horizon.count, dtype=np.int64))
            if held.size:
                links = held.links
                places = links[by_period.key[-2]].positions * horizon.count + links["period"].positions
                column.values[places] = held.columns[field].filled(0.0)
        shape = (parent.size, horizon.count)
        self.nulls = column.is_null.reshape(shape)
        self.values = np.where(column.is_null, 0, column.values).reshape(shape)

    def differs(self, other: ValuesByPeriod) -> npt.NDArray[np.bool_]:
        """Return where the values are others."""
        return (self.values != other.values) | (self.nulls != other.nulls)

    def of_row(self, row: int) -> list[Value]:
        """Return a row's values, None for a blank."""
        pairs = zip(self.values[row].tolist(), self.nulls[row].tolist(), strict=True)
        return [None if null else value for value, null in pairs]


def copy_of(tables: Mapping[str, LXTable]) -> dict[str, LXTable]:
    """Return the tables with columns of their own, for what changes to them would overwrite."""
    return {
        name: LXTable(
            table.name,
            {field: copy.deepcopy(column) for field, column in table.columns.items()},
            table.links,
            size=table.size,
            key=table.key,
        )
        for name, table in tables.items()
    }


def differences(base: Mapping[str, LXTable], changed: Mapping[str, LXTable]) -> list[Difference]:
    """Return every effective value that differs, in the order of the tables; one row where all periods agree."""
    return [difference for table in _data_tables() for difference in _differences_of(base, changed, table)]


def settled(base: Mapping[str, LXTable], changed: Mapping[str, LXTable], scenario: str) -> list[Edit]:
    """Return what has to be edited in the base data so that what holds in them is what the scenario makes of them."""
    edits = []
    for table in _data_tables():
        by_period = companion_of(table)
        known, fields = changeable(table, by_period)
        names = row_names(base[table.name], table)
        for field in known:
            if field not in fields:
                edits += list(_own(base[table.name], changed[table.name], table.name, names, field))
        if by_period is not None:
            edits += _Settling(base, changed, table, by_period, names).edits([name for name in known if name in fields])
    order = {table.name: place for place, table in enumerate(TABLES)}
    edits.sort(key=lambda edit: order[edit.table])
    return edits + _goal_mode(base, scenario)


def _data_tables() -> list[FormatTable]:
    return [table for table in TABLES if table.parent is None and table.name not in NOT_DATA]


def _differences_of(
    base: Mapping[str, LXTable], changed: Mapping[str, LXTable], table: FormatTable
) -> Iterator[Difference]:
    by_period = companion_of(table)
    known, fields = changeable(table, by_period)
    names = row_names(base[table.name], table)
    periods = [str(name) for name in periods_of(base["periods"]).columns["name"].tolist()]
    for field in known:
        if field not in fields or by_period is None:
            for edit in _own(base[table.name], changed[table.name], table.name, names, field):
                yield Difference(table.name, edit.row, "", field, edit.old, edit.new)
            continue
        before = ValuesByPeriod(base, table, by_period, field)
        after = ValuesByPeriod(changed, table, by_period, field)
        differs = before.differs(after)
        for row in np.flatnonzero(differs.any(axis=1)).tolist():
            pairs = list(zip(before.of_row(row), after.of_row(row), strict=True))
            if len(set(pairs)) == 1:
                yield Difference(table.name, names[row], "", field, *pairs[0])
                continue
            for place in np.flatnonzero(differs[row]).tolist():
                yield Difference(table.name, names[row], periods[place], field, *pairs[place])


def _own(base: LXTable, changed: LXTable, table: str, names: list[str], field: str) -> Iterator[Edit]:
    """Yield the edits of a field without a value per period."""
    pairs = zip(base.columns[field].tolist(), changed.columns[field].tolist(), strict=True)
    for row, (old, new) in enumerate(pairs):
        if old != new:
            yield Edit(table, names[row], "", field, old, new, old, row, _pk(base, row))


def _pk(table: LXTable, row: int) -> int:
    pk: int = table.columns[str(table.key)].get(row)
    return pk


def _goal_mode(base: Mapping[str, LXTable], scenario: str) -> list[Edit]:
    """Return the edit of how Baseline weighs up goals, where the scenario does it in another way."""
    old, new = goal_mode(base, BASELINE), goal_mode(base, scenario)
    if old == new:
        return []
    names = base["scenarios"].columns["name"].tolist()
    if BASELINE not in names:
        return [Edit("scenarios", BASELINE, "", "goal_mode", old, new, old)]
    place = names.index(BASELINE)
    return [Edit("scenarios", BASELINE, "", "goal_mode", old, new, old, place, _pk(base["scenarios"], place))]


class _Settling:
    """The edits of one table's fields by period."""

    def __init__(
        self,
        base: Mapping[str, LXTable],
        changed: Mapping[str, LXTable],
        table: FormatTable,
        by_period: FormatTable,
        names: list[str],
    ) -> None:
        self._base, self._changed, self._names = base, changed, names
        self._parents = base[table.name]
        self._held: dict[str, ValuesByPeriod] = {}
        self._table, self._by_period = table, by_period
        self._real = bool(base["periods"].size)
        self._periods = [str(name) for name in periods_of(base["periods"]).columns["name"].tolist()]
        held = base[by_period.name]
        self._rows: dict[tuple[int, int], int] = {}  # (parent, period) -> row of the table by period
        if held.size:
            links = held.links[by_period.key[-2]].positions.tolist(), held.links["period"].positions.tolist()
            self._rows = {pair: row for row, pair in enumerate(zip(*links, strict=True))}

    def edits(self, fields: list[str]) -> list[Edit]:
        """Return the edits of these fields."""
        needed: dict[int, dict[str, list[Value]]] = {}  # parent row -> field -> value in each period
        for field in fields:
            after = ValuesByPeriod(self._changed, self._table, self._by_period, field)
            for row in np.flatnonzero(self._before(field).differs(after).any(axis=1)).tolist():
                needed.setdefault(row, {})[field] = after.of_row(row)
        found = [edit for row in sorted(needed) for edit in self._edits_of_row(row, needed[row])]
        return sorted(found, key=lambda edit: edit.table == self._by_period.name)

    def _before(self, field: str) -> ValuesByPeriod:
        """Return what the base data hold."""
        if field not in self._held:
            self._held[field] = ValuesByPeriod(self._base, self._table, self._by_period, field)
        return self._held[field]

    def _edits_of_row(self, row: int, needed: dict[str, list[Value]]) -> Iterator[Edit]:
        own = {field: self._own_value(row, field, needed[field]) for field in needed if field in self._table.fields}
        self._uncross(row, own, needed)
        for field, value in own.items():
            old = self._parents.columns[field].get(row)
            if old != value:
                where = (self._table.name, self._names[row], "", field)
                yield Edit(*where, old, value, old, row, _pk(self._parents, row))
        for period in range(len(self._periods)):
            for field, values in needed.items():
                given, value = self._given(row, period, field), values[period]
                follows = own.get(field, 0)  # 0: units_down, which only periods have
                if (follows if given is None else given) != value:
                    yield self._edit_by_period(row, period, field, given, value)

    def _edit_by_period(self, row: int, period: int, field: str, old: Value, new: Value) -> Edit:
        where = (self._by_period.name, self._names[row], self._periods[period], field)
        held = self._before(field).of_row(row)[period]
        place = self._rows.get((row, period), MISSING)
        if place != MISSING:
            return Edit(*where, old, new, held, place, _pk(self._base[self._by_period.name], place))
        period_pk = _pk(self._base["periods"], period) if self._real else None
        return Edit(*where, old, new, held, parent_pk=_pk(self._parents, row), period_pk=period_pk)

    def _given(self, row: int, period: int, field: str) -> Value:
        """Return what the row by period gives, None where there is nothing."""
        place = self._rows.get((row, period), MISSING)
        if place == MISSING:
            return None
        value: Value = self._base[self._by_period.name].columns[field].get(place)
        return value

    def _own_value(self, row: int, field: str, needed: list[Value]) -> Value:
        """Return what the parent's row has to say."""
        if not self._real:
            return needed[0]
        if None in needed:
            return None
        following = {value for period, value in enumerate(needed) if self._given(row, period, field) is None}
        if len(following) == 1:
            return following.pop()
        stays: Value = self._parents.columns[field].get(row)
        return stays

    def _uncross(self, row: int, own: dict[str, Value], needed: dict[str, list[Value]]) -> None:
        """Take an upper limit out of the parent's row where it would stand below the lower one: periods say it."""
        columns = self._parents.columns
        for low, high in _LOW_AND_HIGH:
            if low not in own and high not in own:
                continue
            least: Any = own.get(low, columns[low].get(row))
            most: Any = own.get(high, columns[high].get(row))
            if most is not None and least > most and self._real:
                own[high] = None
                if high not in needed:
                    after = ValuesByPeriod(self._changed, self._table, self._by_period, high)
                    needed[high] = after.of_row(row)

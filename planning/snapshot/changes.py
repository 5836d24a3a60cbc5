"""Changes of a scenario or of a variation, applied to the detached tables and never to the database.

A change acts on effective values: on what holds in the named period, or in every period. So the table
of values by period gets a row for every product (machine, material, route) and period first, the field
that is changed has its effective value in each of them, and the value that held without period rows
is taken away where it can be blank: what stands by period alone is true.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np
import numpy.typing as npt
from django.core.exceptions import ValidationError
from django.db import models

from planning.lx import MISSING, LXColumn, LXLink, LXRecord, LXTable
from planning.models import TABLE_BY_NAME, FormatTable

from .effective import Horizon, over_periods, periods_of
from .problems import Problem
from .scenario import lineage

Positions = npt.NDArray[np.int64]
NOT_DATA = ("scenarios", "scenario_changes", "periods")
_KINDS = (models.FloatField, models.PositiveIntegerField, models.BooleanField)
EVERY_ROW = "*"


class _Wrong(Exception):
    """What is wrong with a change, in words, and the column of the change that it stands in."""

    def __init__(self, column: str, text: str) -> None:
        super().__init__(text)
        self.column = column


@dataclass(frozen=True)
class Change:
    """One change, in the columns of `scenario_changes`: `period` may be blank, and so may `value` (None)."""

    table: str
    row: str
    field: str
    operation: str = "set"
    value: float | None = None
    period: str = ""


@dataclass(frozen=True)
class Effect:
    """What one change does: the rows and periods it acts on, and their values before and after (None is blank)."""

    scenario: str
    number: int  # among the changes of its scenario, from 1
    table: str
    field: str
    rows: tuple[str, ...]
    periods: tuple[str, ...]  # none for a field without a value per period
    before: tuple[float | None, ...]
    after: tuple[float | None, ...]


@dataclass
class Applied:
    """What a scenario makes of the tables: effects, errors and warnings."""

    effects: list[Effect] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def apply_scenario(tables: dict[str, LXTable], scenario: str) -> Applied:
    """Apply the changes of the scenario, its ancestors' first, to `tables`; return what became of it."""
    applied = Applied()
    line, applied.errors = lineage(tables, scenario)
    names = tables["scenarios"].columns["name"].tolist()
    owners = tables["scenario_changes"].links["scenario"].positions
    target = _Target(tables)
    for owner in line:
        name = str(names[owner])
        changes = map(tables["scenario_changes"].record, np.flatnonzero(owners == owner).tolist())
        target.apply_all(changes, name, f'Scenario "{name}"', applied)
    return applied


def apply_changes(tables: dict[str, LXTable], changes: Iterable[Change], name: str) -> Applied:
    """Apply changes beyond those of a scenario to `tables`, which may have been changed by one; `name` says whose."""
    applied = Applied()
    _Target(tables).apply_all(changes, name, name, applied)
    return applied


def said(change: Change | LXRecord, whose: str) -> str:
    """Return whose change it is and what it says, with which every message about it begins."""
    what = f'{change.operation} {change.field} of {change.table} "{change.row}"'
    return f"{whose}, {what}" + (f" in {change.period}" if change.period else "")


class _Target:
    """The tables that changes are applied to."""

    def __init__(self, tables: dict[str, LXTable]) -> None:
        tables["periods"] = periods_of(tables["periods"])
        self._tables, self._horizon = tables, Horizon(tables["periods"])
        self._rows: dict[str, dict[str, int]] = {}
        self._effective: set[tuple[str, str]] = set()  # (table by period, field) whose values by period are complete

    def apply_all(self, changes: Iterable[Change | LXRecord], owner: str, whose: str, applied: Applied) -> None:
        """Apply changes in their order, and add to `applied` what becomes of them."""
        for number, change in enumerate(changes, start=1):
            place = ("scenario_changes", f"{owner} {number}")
            try:
                effect = self.apply(change, owner, number)
            except _Wrong as wrong:
                applied.errors.append(Problem(*place, wrong.column, f"{said(change, whose)}: {wrong}"))
                continue
            applied.effects.append(effect)
            if effect.before == effect.after:
                applied.warnings.append(Problem(*place, "value", f"{said(change, whose)} changes no value."))

    def apply(self, change: Change | LXRecord, scenario: str, number: int) -> Effect:
        """Apply one change. Raises _Wrong."""
        table = _table(str(change.table))
        companion = companion_of(table)
        known, by_period = changeable(table, companion)
        name = str(change.field)
        if name not in known:
            raise _Wrong("field", f'there is no number or flag "{name}". {_nearest(name, list(known))}')
        rows = self._find_rows(table, str(change.row))
        labels = np.array(list(self._names(table)), dtype=object)[rows].tolist()
        if name in by_period:
            assert companion is not None
            periods = self._find_periods(str(change.period or ""))
            column, places = self._column_by_period(table, companion, name), _places(rows, periods, self._horizon)
            shown = [str(text) for text in np.array(self._period_names, dtype=object)[periods].tolist()]
        else:
            if change.period:
                raise _Wrong("period", f"{name} has no value per period. Leave the period blank.")
            column, places, shown = self._tables[table.name].columns[name], rows, []
        before, after = _change(column, places, known[name], change)
        return Effect(scenario, number, table.name, name, tuple(labels), tuple(shown), before, after)

    def _names(self, table: FormatTable) -> dict[str, int]:
        """Return the position of each row by its name or key."""
        if table.name not in self._rows:
            keys = row_names(self._tables[table.name], table)
            self._rows[table.name] = {key: row for row, key in enumerate(keys)}
        return self._rows[table.name]

    def _find_rows(self, table: FormatTable, row: str) -> Positions:
        names = self._names(table)
        if row == EVERY_ROW and names:
            return np.arange(self._tables[table.name].size, dtype=np.int64)
        if row not in names:
            if not names:
                raise _Wrong("row", f"the plant has no {table.name.replace('_', ' ')}.")
            raise _Wrong("row", f'there is no row "{row}". {_nearest(row, list(names))}')
        return np.array([names[row]], dtype=np.int64)

    @property
    def _period_names(self) -> list[str]:
        return [str(name) for name in self._horizon.table.columns["name"].tolist()]

    def _find_periods(self, period: str) -> Positions:
        names = self._period_names
        if not period:
            return np.arange(len(names), dtype=np.int64)
        if period not in names:
            raise _Wrong("period", f'there is no period "{period}". {_nearest(period, names)}')
        return np.array([names.index(period)], dtype=np.int64)

    def _column_by_period(self, table: FormatTable, companion: FormatTable, name: str) -> LXColumn:
        """Return the values of a field by row and period, effective ones in every period."""
        parent = self._tables[table.name]
        relation = companion.key[-2]  # before the period: product, machine, material or route
        if (companion.name, name) not in self._effective:
            if not any(known == companion.name for known, _ in self._effective):
                held = self._tables[companion.name]
                self._tables[companion.name] = _in_every_period(parent, held, relation, self._horizon)
            if name in table.fields:
                dense = self._tables[companion.name]
                dense.columns.setdefault(given(name), LXColumn(~dense.columns[name].is_null))
                dense.columns[name] = over_periods(parent, dense, relation, name, self._horizon)
                if table.fields[name].null:
                    parent.columns[name] = LXColumn.of([None] * parent.size, float)
            self._effective.add((companion.name, name))
        return self._tables[companion.name].columns[name]


def given(field: str) -> str:
    """Return the column that says which rows by period gave a field's value themselves, before a change filled all."""
    return f"given_{field}"


def _in_every_period(parent: LXTable, held: LXTable, relation: str, horizon: Horizon) -> LXTable:
    """Return the table of values by period with one for each row of the parent and period, new ones blank."""
    rows, periods = horizon.grid(np.arange(parent.size))
    source = np.full(len(rows), MISSING, dtype=np.int64)
    if held.size:
        source[held.links[relation].positions * horizon.count + held.links["period"].positions] = np.arange(held.size)
    is_new = source == MISSING
    columns: dict[str, LXColumn] = {}
    for name, column in held.columns.items():
        if name == held.key:
            numbers = np.where(is_new, -1 - np.arange(len(rows)), 0)  # of no row of the database
            numbers[~is_new] = np.asarray(column.values)[source[~is_new]]
            columns[name] = LXColumn(numbers)
        elif name in (f"{relation}_id", "period_id"):
            target, positions = (parent, rows) if name != "period_id" else (horizon.table, periods)
            columns[name] = target.columns[str(target.key)].take(positions)
        elif name == "units_down":
            columns[name] = LXColumn(np.where(is_new, 0, _taken(column, source, np.int64)))
        else:
            nulls = is_new | (column.is_null[source] if held.size else is_new)
            columns[name] = LXColumn(np.where(nulls, 0.0, _taken(column, source, np.float64)), nulls)
    links = {relation: LXLink(parent, rows), "period": LXLink(horizon.table, periods)}
    return LXTable(held.name, columns, links, size=len(rows), key=held.key, orm=held.orm)


def _taken(column: LXColumn, source: Positions, kind: type) -> npt.NDArray[Any]:
    """Return the values at `source`; anything where there is no source."""
    return np.asarray(column.values, dtype=kind)[source] if len(column) else np.zeros(len(source), dtype=kind)


def _table(name: str) -> FormatTable:
    """Return the table that holds a row per name: `machines` for `machine_periods` too. Raises _Wrong."""
    table = TABLE_BY_NAME.get(name)
    if table is None or name in NOT_DATA:
        offered = [known for known in TABLE_BY_NAME if known not in NOT_DATA]
        raise _Wrong("table", f'there is no table "{name}" to change. {_nearest(name, offered)}')
    return TABLE_BY_NAME[table.parent] if table.parent else table


def companion_of(table: FormatTable) -> FormatTable | None:
    """Return the table of a table's values by period, if it has one."""
    return next((other for other in TABLE_BY_NAME.values() if other.parent == table.name), None)


def changeable(table: FormatTable, companion: FormatTable | None) -> tuple[dict[str, models.Field[Any, Any]], set[str]]:
    """Return the numbers and flags of a table that changes may act on, and which of them have a value per period."""
    own = {name: kind for name, kind in table.fields.items() if name not in table.key and isinstance(kind, _KINDS)}
    if companion is None:
        return dict(own), set()
    held = companion.fields.items()
    per_period = {name: kind for name, kind in held if name not in companion.key and isinstance(kind, _KINDS)}
    return {**per_period, **own}, set(per_period)


def _places(rows: Positions, periods: Positions, horizon: Horizon) -> Positions:
    return (rows[:, None] * horizon.count + periods).ravel()


def row_names(listed: LXTable, table: FormatTable) -> list[str]:
    """Return each row's name or key, as changes name it: its parts joined by ` / `, blank ones left out."""
    parts = [_texts(listed, column) for column in table.key]
    return [" / ".join(part for part in key if part) for key in zip(*parts, strict=True)]


def _texts(table: LXTable, column: str) -> list[str]:
    """Return a part of the keys as text; of a relation the name of its row, "" where there is none."""
    link = table.links.get(column)
    if link is None:
        return [str(value) for value in table.columns[column].tolist()]
    assert link.target is not None
    names = [str(name) for name in link.target.columns["name"].tolist()]
    return ["" if position == MISSING else names[position] for position in link.positions.tolist()]


def _change(
    column: LXColumn, places: Positions, kind: models.Field[Any, Any], change: Change | LXRecord
) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    """Write the new values into the column; return those before and after. Raises _Wrong and leaves all as it is."""
    before = column.take(places).tolist()
    after = [_new_value(value, kind, change) for value in before]
    checked = {value: _checked(value, kind) for value in dict.fromkeys(after)}
    for place, value in zip(places.tolist(), after, strict=True):
        column.set(place, checked[value])
    return tuple(before), tuple(checked[value] for value in after)


def _new_value(value: Any, kind: models.Field[Any, Any], change: Change | LXRecord) -> Any:
    if change.operation == "set":
        return (None if kind.null else kind.get_default()) if change.value is None else change.value
    if change.value is None:
        raise _Wrong("value", f"it needs a number. Give a value, or {change.operation} nothing.")
    if value is None:
        return None
    return value * change.value if change.operation == "multiply" else value + change.value


def _checked(value: Any, kind: models.Field[Any, Any]) -> Any:
    """Return the value as its column holds it. Raises _Wrong for one that the column does not allow."""
    if value is None:
        return None
    if isinstance(kind, models.BooleanField):
        if value not in (0, 1):
            raise _Wrong("value", f"it makes {kind.name} {value:g}, which is neither 1 (true) nor 0 (false).")
        return bool(value)
    if isinstance(kind, models.IntegerField):
        if value != round(value):
            raise _Wrong("value", f"it makes {kind.name} {value:g}, which is no whole number.")
        value = int(value)
    else:
        value = float(value) + 0.0
    try:
        kind.run_validators(value)
    except ValidationError as error:
        raise _Wrong("value", f"it makes {kind.name} {value:g}. {' '.join(error.messages)}") from error
    return value


def _nearest(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, n=3, cutoff=0.4) or names[:5]
    return f"Did you mean: {', '.join(near)}?" if near else ""

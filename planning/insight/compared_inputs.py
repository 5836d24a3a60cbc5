"""What differs between the data of several runs: rows and values, and which differences their scenarios explain.

Values are compared as they were planned: effective ones in each period, with the changes of the scenario
and of the variation in them. A difference is explained by changes when one value of the base data can give
the values of both runs: where a change sets a value it always can; otherwise the changes are undone, and
what is left has to be the same. Everything else was edited in the base data between the runs.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planning.lx import LXTable
from planning.models import TABLE_BY_NAME, TABLES, FormatTable, Run
from planning.runs import planned_tables
from planning.snapshot import NOT_DATA, Change, ValuesByPeriod, changeable, companion_of, listed_changes, row_names

from .data_changes import column_values
from .solved_plan import NoSolvedData, names_of, readable

Value = float | int | bool | str | datetime.date | None
EVERY_ROW = "*"
SAME, CHANGED, ADDED, REMOVED = "same", "changed", "added", "removed"
BY_SCENARIO, BY_DATA, BY_OPTIONS = "scenario", "data", "options"
OPTIONS = ("solver", "time_limit", "gap")
HELD = ("held_run", "held_periods", "held_whole", "cost_per_hour_moved")


@dataclass(frozen=True)
class InputDifference:
    """A row, or a value of a row, that is not the same in all runs; the first run is the base."""

    table: str  # of the plan format, or `run` for what was asked of the run
    row: str
    period: str  # blank: in every period, or without a value per period
    field: str  # blank: the whole row
    present: tuple[bool, ...]  # by run
    values: tuple[Value, ...]  # by run; None is a blank, or a row that is not there
    causes: tuple[str, ...]  # by run: scenario, data or options; "" where it is as in the base
    explained_by: tuple[tuple[str, ...], ...]  # by run: the changes that explain it, `SCENARIO N`

    def kind(self, place: int) -> str:
        """Return what became of it in a run: same, changed, added or removed."""
        if self.present[0] != self.present[place]:
            return ADDED if self.present[place] else REMOVED
        return CHANGED if self.causes[place] else SAME


@dataclass(frozen=True)
class ComparedInputs:
    """What differs in the data of the runs, and what to keep in mind when their plans are compared."""

    differences: tuple[InputDifference, ...] = ()
    unreadable: tuple[tuple[int, str], ...] = ()  # number of the run, why its data can't be read
    warnings: tuple[str, ...] = ()

    def count(self, place: int, cause: str = "") -> int:
        """Return how many differences a run has to the base, of all causes or of one."""
        return sum(bool(one.causes[place]) and cause in ("", one.causes[place]) for one in self.differences)


@dataclass(frozen=True)
class _Data:
    """The data of a run as it planned them, and the changes in them."""

    tables: dict[str, LXTable]
    listed: tuple[tuple[str, Change], ...]  # label, change
    changes: dict[tuple[str, str, str], list[int]]  # (table, row, field) -> places among the listed

    def acting(self, table: str, row: str, field: str, periods: Sequence[str]) -> list[tuple[str, Change]]:
        """Return the changes that act on a value in one of the periods, in their order."""
        places = (*self.changes.get((table, EVERY_ROW, field), ()), *self.changes.get((table, row, field), ()))
        found = [self.listed[place] for place in sorted(places)]
        return [(label, change) for label, change in found if not change.period or change.period in periods]


def compared_inputs(runs: Sequence[Run]) -> ComparedInputs:
    """Return what differs in the data of the runs, one query each; a run whose data are gone is named."""
    found: list[_Data | None] = []
    unreadable = []
    for run in runs:
        try:
            found.append(_data_of(run))
        except NoSolvedData as reason:
            found.append(None)
            unreadable.append((run.pk, str(reason)))
    differences = list(_options(runs, found))
    if found[0] is not None:
        differences += _differences([data or found[0] for data in found])
    inputs = ComparedInputs(tuple(differences), tuple(unreadable))
    return ComparedInputs(inputs.differences, inputs.unreadable, tuple(_warnings(runs, found, inputs)))


def _data_of(run: Run) -> _Data:
    tables, variation = readable(planned_tables, run)
    listed = [(f"{owner} {number}", change) for owner, number, change in listed_changes(tables, run.scenario_name)]
    listed += [(f"variation {number}", change) for number, change in enumerate(variation, start=1)]
    changes: dict[tuple[str, str, str], list[int]] = {}
    for place, (_, change) in enumerate(listed):
        table = TABLE_BY_NAME[change.table].parent or change.table
        changes.setdefault((table, change.row, change.field), []).append(place)
    return _Data(tables, tuple(listed), changes)


def _warnings(runs: Sequence[Run], found: Sequence[_Data | None], inputs: ComparedInputs) -> Iterator[str]:
    base = runs[0]
    for place, (run, data) in enumerate(zip(runs, found, strict=True)):
        if run.currency != base.currency:
            counts = f"Run {run.pk} counts in {run.currency}, and run {base.pk} in {base.currency}"
            yield f"{counts}: amounts of money can't be compared."
        if not place or data is None or found[0] is None:
            continue
        count = inputs.count(place, BY_DATA)
        if count:
            yield (
                f"The base data of run {run.pk} are not those of run {base.pk}: {count} "
                f"difference{'' if count == 1 else 's'} {'is' if count == 1 else 'are'} not made by their scenarios. "
                "For a comparison of scenarios alone, run them again together."
            )
        if run.scenario_name == base.scenario_name and _own(data) != _own(found[0]):
            yield f'The changes of scenario "{run.scenario_name}" are others in run {run.pk} than in run {base.pk}.'


def _own(data: _Data) -> list[Change]:
    """Return the changes of the scenario, without those of a variation."""
    return [change for label, change in data.listed if not label.startswith("variation ")]


# --- what was asked of the runs -----------------------------------------------------------------


def _options(runs: Sequence[Run], found: Sequence[_Data | None]) -> Iterator[InputDifference]:
    """Yield what else the runs were told: solver, time limit, gap, and what of an earlier plan they hold."""
    for name in OPTIONS:
        yield from _told(name, [run.options.get(name) for run in runs])
    if None in found:
        return
    for name in HELD:
        columns = [data.tables["plant"].columns.get(name) for data in found if data is not None]
        yield from _told(name, [(column.get(0) if column is not None else None) or None for column in columns])
    modes = [str(data.tables["plant"].columns["goal_mode"].get(0)) for data in found if data is not None]
    yield from _told("goal_mode", modes, BY_SCENARIO)


def _told(field: str, values: Sequence[Value], cause: str = BY_OPTIONS) -> Iterator[InputDifference]:
    if any(value != values[0] for value in values):
        causes = tuple(cause if value != values[0] else "" for value in values)
        here, nobody = (True,) * len(values), ((),) * len(values)
        yield InputDifference("run", "", "", field, here, tuple(values), causes, nobody)


# --- rows and values ----------------------------------------------------------------------------


def _differences(found: Sequence[_Data]) -> Iterator[InputDifference]:
    """Yield the differences of all tables, in their order."""
    for table in TABLES:
        if table.parent is None and (table.name not in NOT_DATA or table.name == "periods"):
            yield from _Table(table, found).differences()


class _Table:
    """One table in the data of all runs, its rows matched by name or key."""

    def __init__(self, table: FormatTable, found: Sequence[_Data]) -> None:
        self._table, self._found = table, found
        self._listed = [data.tables[table.name] for data in found]
        names = [_names(listed, table) for listed in self._listed]
        self._names = list(dict.fromkeys(name for own in names for name in own))
        place = {name: at for at, name in enumerate(self._names)}
        self._places = [np.array([place[name] for name in own], dtype=np.int64) for own in names]
        self._present = np.zeros((len(found), len(self._names)), dtype=np.bool_)
        for run, places in enumerate(self._places):
            self._present[run, places] = True
        self._companion = companion_of(table)
        known, by_period = changeable(table, self._companion)
        self._by_period = [name for name in known if name in by_period]
        key = ("name",) if table.name == "periods" else table.key if table.name != "plant" else ()
        self._own = [name for name in table.columns if name not in key and name not in by_period]

    def differences(self) -> Iterator[InputDifference]:
        """Yield rows that are not in all runs, then values that differ."""
        for row in np.flatnonzero((self._present != self._present[0]).any(axis=0)).tolist():
            here = tuple(self._present[:, row].tolist())
            causes = tuple(BY_DATA if present != here[0] else "" for present in here)
            nobody: tuple[tuple[str, ...], ...] = ((),) * len(here)
            yield InputDifference(self._table.name, self._names[row], "", "", here, (None,) * len(here), causes, nobody)
        for field in self._own:
            yield from self._own_values(field)
        for field in self._by_period:
            yield from self._values_by_period(field)

    def _own_values(self, field: str) -> Iterator[InputDifference]:
        """Yield the differences of a field without a value per period."""
        columns = [column_values(listed, field) for listed in self._listed]
        if all(column == columns[0] for column in columns) and bool(self._present.all()):
            return
        by_row: list[dict[int, Value]] = [
            dict(zip(places.tolist(), column, strict=True))
            for places, column in zip(self._places, columns, strict=True)
        ]
        for row in by_row[0]:
            here = tuple(row in own for own in by_row)
            values = tuple(own.get(row) for own in by_row)
            if any(there and value != values[0] for there, value in zip(here, values, strict=True)):
                yield self._difference(row, (), "", field, here, values)

    def _values_by_period(self, field: str) -> Iterator[InputDifference]:
        """Yield the differences of a field with a value per period; one row where all periods agree."""
        assert self._companion is not None
        periods = list(dict.fromkeys(name for data in self._found for name in names_of(data.tables["periods"])))
        shape = (len(self._found), len(self._names), len(periods))
        values, nulls, present = np.zeros(shape), np.ones(shape, np.bool_), np.zeros(shape, np.bool_)
        for run, data in enumerate(self._found):
            held = ValuesByPeriod(data.tables, self._table, self._companion, field)
            at = np.array([periods.index(name) for name in names_of(data.tables["periods"])], dtype=np.int64)
            cells = np.ix_(self._places[run], at)
            values[run][cells], nulls[run][cells], present[run][cells] = held.values, held.nulls, True
        differs = present & present[0] & ((values != values[0]) | (nulls != nulls[0]))
        for row in np.flatnonzero(differs.any(axis=(0, 2))).tolist():
            cells_of = [self._cell(values, nulls, present, row, period) for period in range(len(periods))]
            if len(set(cells_of)) == 1:
                yield self._difference(row, periods, "", field, *cells_of[0])
                continue
            for period in np.flatnonzero(differs[:, row].any(axis=0)).tolist():
                yield self._difference(row, periods[period : period + 1], periods[period], field, *cells_of[period])

    @staticmethod
    def _cell(
        values: Any, nulls: Any, present: Any, row: int, period: int
    ) -> tuple[tuple[bool, ...], tuple[Value, ...]]:
        pairs = zip(values[:, row, period].tolist(), nulls[:, row, period].tolist(), strict=True)
        return tuple(present[:, row, period].tolist()), tuple(None if null else value for value, null in pairs)

    def _difference(
        self,
        row: int,
        periods: Sequence[str],
        period: str,
        field: str,
        here: tuple[bool, ...],
        values: tuple[Value, ...],
    ) -> InputDifference:
        name = self._names[row]
        acting = [data.acting(self._table.name, name, field, periods) for data in self._found]
        causes, explained = [], []
        for place, value in enumerate(values):
            is_same = not (here[0] and here[place]) or value == values[0]
            by_changes = not is_same and all(
                _one_base(values[0], _in(acting[0], each), value, _in(acting[place], each)) for each in periods or ("",)
            )
            causes.append("" if is_same else BY_SCENARIO if by_changes else BY_DATA)
            labels = dict.fromkeys(label for label, _ in (*acting[0], *acting[place])) if by_changes else ()
            explained.append(tuple(labels))
        return InputDifference(self._table.name, name, period, field, here, values, tuple(causes), tuple(explained))


def _names(listed: LXTable, table: FormatTable) -> list[str]:
    """Return what the rows are matched by: the plant by being one, periods by name, others by name or key."""
    if table.name == "plant":
        return [""] * listed.size
    return names_of(listed) if table.name == "periods" else row_names(listed, table)


# --- what changes explain -----------------------------------------------------------------------


def _in(acting: Iterable[tuple[str, Change]], period: str) -> list[Change]:
    return [change for _, change in acting if not change.period or change.period == period]


def _one_base(value: Value, changes: list[Change], other: Value, others: list[Change]) -> bool:
    """Whether one value of the base data, with the changes of each, can give both values."""
    if not changes and not others:
        return False
    factor, added = _undoing(changes)
    other_factor, other_added = _undoing(others)
    if not factor or not other_factor:  # a set value says nothing about what was there before
        return True
    if not isinstance(value, int | float) or not isinstance(other, int | float):
        return value == other
    base, other_base = (value - added) / factor, (other - other_added) / other_factor
    return math.isclose(base, other_base, rel_tol=1e-9, abs_tol=1e-9)


def _undoing(changes: list[Change]) -> tuple[float, float]:
    """Return (factor, sum) of the changes: they make of a value factor·value + sum. 0 where one sets it."""
    factor, added = 1.0, 0.0
    for change in changes:
        if change.operation == "set":
            return 0.0, 0.0
        number = change.value or 0.0
        if change.operation == "multiply":
            factor, added = factor * number, added * number
        else:
            added += number
    return factor, added

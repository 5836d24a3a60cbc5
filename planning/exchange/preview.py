"""What an import would do, row by row, before anything is written: new, changed, removed, untouched."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from planning.models import BASELINE, TABLE_BY_NAME, TABLES, FormatTable, Plant

from .check import ONLY_PERIOD, check_plan
from .faults import ImportFaults
from .importing import read_plan
from .parsed import ParsedTable
from .plan_rows import Row, plan_tables
from .rules import column_rules

MOST_ROWS = 200  # of each table that are shown one by one
NEW, CHANGED, REMOVED = "new", "changed", "removed"


@dataclass(frozen=True)
class CellChange:
    """A value before and after; None is blank."""

    column: str
    old: Any
    new: Any


@dataclass(frozen=True)
class RowChange:
    """One row that an import adds, changes or removes."""

    key: str
    kind: str
    cells: tuple[CellChange, ...] = ()


@dataclass
class TableChanges:
    """What an import does to a table: counts of all rows, and the first rows that are not untouched."""

    table: str
    counts: Counter[str] = field(default_factory=Counter)
    untouched: int = 0
    rows: list[RowChange] = field(default_factory=list)

    def add(self, change: RowChange) -> None:
        """Count a row, and keep it while there are not too many."""
        self.counts[change.kind] += 1
        if len(self.rows) < MOST_ROWS:
            self.rows.append(change)


@dataclass(frozen=True)
class Preview:
    """What an import of a file would do. `state` stands for the data that it was compared with."""

    plant_name: str
    plant: Plant | None  # the one that it would replace
    tables: tuple[TableChanges, ...]
    state: str

    @property
    def changes_nothing(self) -> bool:
        """Whether the plant is there already, exactly as in the file."""
        return self.plant is not None and not any(table.counts.total() for table in self.tables)


def preview_import(source: str | Path | BinaryIO) -> Preview:
    """Return what importing the file would do, also in place of a plant that is there. Raises ImportFaults."""
    plan = read_plan(source)
    parsed = check_plan(plan)
    if plan.faults.total:
        raise ImportFaults(plan.faults.sorted(list(TABLE_BY_NAME)), plan.faults.total)
    name = str(parsed["plant"].columns["name"][0])
    plant = Plant.objects.filter(name=name).first()
    there = rows_there(plant) if plant is not None else {}
    tables = (table_changes(table, parsed[table.name], there.get(table.name, [])) for table in TABLES)
    found = tuple(changes for changes in tables if changes.counts.total() or changes.untouched)
    return Preview(name, plant, found, state_of(plant))


def state_of(plant: Plant | None) -> str:
    """Return a text that changes when a plant's data do."""
    return "" if plant is None else hashlib.sha256(repr(sorted(plan_tables(plant).items())).encode()).hexdigest()


def rows_there(plant: Plant) -> dict[str, list[Row]]:
    """Return a plant's rows, `Baseline` among its scenarios also where it says nothing."""
    tables = plan_tables(plant)
    scenarios = tables.setdefault("scenarios", [])
    if BASELINE not in [row[0] for row in scenarios]:
        scenarios.insert(0, (BASELINE, None, "", ""))
    return tables


def table_changes(table: FormatTable, parsed: ParsedTable, there: list[Row]) -> TableChanges:
    """Return what becomes of the rows of a table that are there."""
    changes = TableChanges(table.name)
    given = _keyed(table, [tuple(parsed.columns[c][place] for c in table.columns) for place in range(len(parsed))])
    held = _keyed(table, there)
    if table.name == "scenarios":  # every plant has it, whether or not it has a row
        held = {key: row for key, row in held.items() if key in given or key != BASELINE}
    if table.name == "periods" and not given and [row[1] for row in there] == [ONLY_PERIOD]:
        held = {}  # a plant without period rows has this one
    for key, row in given.items():
        before = held.get(key)
        if before is None:
            changes.add(RowChange(key, NEW, _given(table, row) if len(changes.rows) < MOST_ROWS else ()))
            continue
        pairs = zip(table.columns, before, row, strict=True)
        cells = tuple(CellChange(column, old, new) for column, old, new in pairs if _plain(old) != _plain(new))
        if cells:
            changes.add(RowChange(key, CHANGED, cells))
        else:
            changes.untouched += 1
    removed = [key for key in held if key not in given]
    changes.counts[REMOVED] += len(removed)
    changes.rows += [RowChange(key, REMOVED) for key in removed[:MOST_ROWS]]
    return changes


def _given(table: FormatTable, row: Row) -> tuple[CellChange, ...]:
    """Return what a new row has beyond its key and what a blank stands for."""
    defaults = {rule.name: rule.default for rule in column_rules(table).values()}
    pairs = ((column, value) for column, value in zip(table.columns, row, strict=True) if column not in table.key)
    return tuple(CellChange(name, None, value) for name, value in pairs if _plain(value) != _plain(defaults[name]))


def _keyed(table: FormatTable, rows: list[Row]) -> dict[str, Row]:
    """Return the rows by their key as it is written; where rows have none, by scenario and number."""
    keyed: dict[str, Row] = {}
    numbers: Counter[str] = Counter()
    places = [table.columns.index(column) for column in table.key]
    for row in rows:
        if not places:
            numbers[str(row[0])] += 1
            keyed[f"{row[0]} {numbers[str(row[0])]}"] = row
        else:
            keyed[" / ".join(str(row[place]) for place in places if row[place] not in (None, ""))] = row
    return keyed


def _plain(value: Any) -> Any:
    """Return a value for comparing: text that is blank is none, and 1.0 is 1."""
    if value == "":
        return None
    return float(value) if isinstance(value, bool | int) else value

"""Some tables laid over a plant's data: what the plant would be, in the raw cells that every import checks."""

from __future__ import annotations

from typing import Any

from planning.models import TABLE_BY_NAME, TABLES, FormatTable, Plant

from .cells import CellFault, read_cell
from .csv_write import plain
from .faults import Fault, ImportFaults, show
from .plan_file import PlanFile, RawTable
from .plan_rows import Row, plan_tables
from .rules import column_rules

Key = tuple[Any, ...]


class Overlay:
    """A plan that is a plant's own data with the rows of a file in place; its faults say which row is whose.

    With `replace` the rows of each table of the file take the place of all rows of that table. Without it they are
    added, or give their values to the row with the same key: columns that the file leaves out keep theirs. Of
    `scenario_changes`, whose rows have no key, those of the scenarios that the file names are replaced.
    """

    def __init__(self, file: PlanFile, plant: Plant, *, replace: bool) -> None:
        self.names = set(file.tables)
        self._there = plan_tables(plant)
        self._own: dict[str, list[Row]] = {}  # of each table, the plant's rows in the plan, by -line
        self.plan = PlanFile(broken=file.broken, faults=file.faults)
        for table in TABLES:
            given, rows = file.tables.get(table.name), self._there.get(table.name, [])
            if given is None:
                self._lay(table, RawTable(table.name, header=list(table.columns)), rows)
            elif replace or not rows or table.name in file.broken or _lacks_key(table, given):
                self.plan.tables[table.name] = given
            else:
                self._merge(table, given, rows)
        self._refuse_other_plant(plant)

    def sorted_faults(self) -> ImportFaults:
        """Return the faults; those in the plant's own rows once for each value, in words that say so."""
        faults = self.plan.faults.sorted(list(TABLE_BY_NAME))
        of_file = [fault for fault in faults if fault.row is None or fault.row > 0]
        own: dict[tuple[str, str, str, str], list[Fault]] = {}
        for fault in faults:
            if fault.row is not None and fault.row < 0:
                own.setdefault((fault.table, fault.column, fault.value, fault.text), []).append(fault)
        unlisted = self.plan.faults.total - len(faults)
        listed = [*of_file, *(self._in_words(same) for same in own.values())]
        return ImportFaults(listed, len(listed) + unlisted)

    def _lay(self, table: FormatTable, raw: RawTable, rows: list[Row]) -> None:
        """Put rows of the plant below those that the table has already; their lines are -1, -2, …"""
        self._own[table.name] = rows
        places = [table.columns.index(name) if name in table.columns else None for name in raw.header]
        for number, row in enumerate(rows, start=1):
            raw.lines.append(-number)
            raw.rows.append(["" if place is None else plain(row[place]) for place in places])
        self.plan.tables[table.name] = raw

    def _merge(self, table: FormatTable, given: RawTable, rows: list[Row]) -> None:
        missing = [column for column in table.columns if column not in given.header]
        merged = RawTable(table.name, given.header_row, [*given.header, *missing], list(given.lines))
        keys = [_key_of(table, given, row) for row in given.rows]
        if table.key:
            held = {_key_of_values(table, row): row for row in rows}
            found = [held.get(key) if key is not None else None for key in keys]
        else:
            found = [None] * len(keys)
        for cells, row in zip(given.rows, found, strict=True):
            kept = [plain(row[table.columns.index(column)]) if row is not None else "" for column in missing]
            merged.rows.append([*cells, *kept])
        replaced = set(keys)
        self._lay(table, merged, [row for row in rows if _key_of_values(table, row) not in replaced])

    def _refuse_other_plant(self, plant: Plant) -> None:
        given = self.plan.tables["plant"]
        if "name" not in given.header or "plant" not in self.names:
            return
        place = given.header.index("name")
        for line, cells in zip(given.lines, given.rows, strict=True):
            if line > 0 and cells[place] not in ("", plant.name):
                text = f'The file is of another plant. Upload it as a whole plant, or name "{show(plant)}" here.'
                self.plan.faults.add("plant", line, "name", cells[place], text)

    def _in_words(self, faults: list[Fault]) -> Fault:
        first = faults[0]
        table = TABLE_BY_NAME[first.table]
        row = self._own[first.table][-(first.row or 0) - 1]
        parts = [str(row[table.columns.index(column)]) for column in table.key or ("scenario",)]
        named = show(" / ".join(part for part in parts if part not in ("", "None")))
        rows = f'the row "{named}"' + (f" and {len(faults) - 1:,} more like it" if len(faults) > 1 else "")
        text = f"The plant has {rows} in {first.table}, which the file leaves as it is. {first.text}"
        return Fault(first.table, None, first.column, first.value, text)


def _lacks_key(table: FormatTable, raw: RawTable) -> bool:
    """Whether no row can be found: a column of the key is missing, which the check says by itself."""
    rules = column_rules(table)
    return any(column not in raw.header and rules[column].required for column in table.key or ("scenario",))


def _key_of(table: FormatTable, raw: RawTable, cells: list[str]) -> Key | None:
    """Return the key of a row of the file; None where it has none that can be read: then a fault says so."""
    columns = table.key or ("scenario",)
    rules = column_rules(table)
    try:
        return tuple(
            read_cell(rules[column], cells[raw.header.index(column)] if column in raw.header else "") or None
            for column in columns
        )
    except CellFault:
        return None


def _key_of_values(table: FormatTable, row: Row) -> Key:
    return tuple(row[table.columns.index(column)] or None for column in table.key or ("scenario",))

"""From raw cells to values: the header, then each column under its rule."""

from __future__ import annotations

from typing import Any

from planning.models import FormatTable

from .cells import WANTED, CellFault, read_cell
from .faults import FaultList, show
from .parsed import ParsedTable
from .plan_file import SPOILT, PlanFile, RawTable
from .rules import ColumnRule, column_rules


def parse_table(table: FormatTable, plan: PlanFile) -> ParsedTable:
    """Return the table's values; what is wrong with the header or a cell goes to the plan's faults."""
    raw = plan.tables.get(table.name) or RawTable(table.name)
    parsed = ParsedTable(table, raw)
    if table.name not in plan.broken:
        parsed.places = match_header(table, raw, plan.faults)
    for rule in column_rules(table).values():
        if rule.name in parsed.places:
            parsed.columns[rule.name] = parse_column(parsed, rule, plan.faults)
        else:
            parsed.columns[rule.name] = [rule.default] * len(parsed)
            if rule.required and raw.rows and table.name not in plan.broken:
                text = f"The column is missing. Add it to the header. {WANTED[rule.kind]}"
                plan.faults.add(table.name, raw.header_row, rule.name, "", text)
    return parsed


def match_header(table: FormatTable, raw: RawTable, faults: FaultList) -> dict[str, int]:
    """Return the place of each known column; note unknown, repeated and nameless ones."""
    places: dict[str, int] = {}
    for place, name in enumerate(raw.header):
        text = ""
        if not name:
            if any(row[place] for row in raw.rows):
                text = f"Column {place + 1} holds values but has no name in the header. Name it or clear it."
        elif name.startswith(SPOILT):
            text = name[1:]
        elif name not in table.columns:
            text = unknown_column(table, name, raw, faults)
        elif name in places:
            text = f"The column {name} stands in the header twice. Remove one of them."
        else:
            places[name] = place
        if text:
            faults.add(table.name, raw.header_row, name.partition(SPOILT)[0], name.removeprefix(SPOILT), text)
    return places


def unknown_column(table: FormatTable, name: str, raw: RawTable, faults: FaultList) -> str:
    """Return what is wrong with a column that the table does not have."""
    separator = next((separator for separator in (";", "\t", "|") if separator in name), "")
    if separator and len(raw.header) == 1:
        return f'The cells are separated by "{show(separator)}". Save the file with commas between them.'
    hint = faults.suggest(name, table.columns)
    return f'{table.name} has no column "{show(name)}".{hint} Rename it or remove it.'


def parse_column(parsed: ParsedTable, rule: ColumnRule, faults: FaultList) -> list[Any]:
    """Return the column's values; each distinct cell is read once."""
    cells = parsed.raw_cells(rule.name)
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for cell in set(cells):
        try:
            values[cell] = read_cell(rule, cell)
        except CellFault as fault:
            wrong[cell] = str(fault)
            # A name with a fault is still the name that other rows refer to: one fault, not many.
            values[cell] = cell if rule.kind == "name" and cell and not cell.startswith(SPOILT) else None
    if wrong:
        for line, cell in zip(parsed.lines, cells, strict=True):
            if cell in wrong:
                value = "" if cell.startswith(SPOILT) else cell
                faults.add(parsed.table.name, line, rule.name, value, wrong[cell])
    return [values[cell] for cell in cells]

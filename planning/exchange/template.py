"""One workbook to begin with: every table with example rows, and what each column holds, in which unit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from planning.models import TABLES, FormatTable

from .csv_read import read_folder
from .exporting import export_sheets
from .rules import ColumnRule, column_rules
from .workbook_write import Sheet

EXAMPLE = Path(__file__).with_name("samples") / "example_plant"
COLUMNS = "_columns"  # import ignores sheets whose name begins with _
KINDS = {
    "name": "name",
    "reference": "name of a row",
    "text": "text",
    "choice": "one of the words",
    "number": "number",
    "whole": "whole number",
    "flag": "true or false",
    "date": "date",
    "change value": "number, or true or false",
}
COSTS_THAT_ARE_OPTIONS = "the option does not exist"


def template_sheets() -> list[Sheet]:
    """Return the sheets of the template: what the columns hold, then each table with the rows of an example plant."""
    example = read_folder(EXAMPLE)
    heads = ["table", "column", "what it is", "holds", "must be given", "blank means"]
    sheets = [Sheet(COLUMNS, heads, list(column_lines()))]
    for table in TABLES:
        raw = example.tables[table.name]
        places = {name: place for place, name in enumerate(raw.header)}
        rules = column_rules(table)
        rows = [
            [typed(rules[column], row[places[column]] if column in places else "") for column in table.columns]
            for row in raw.rows
        ]
        sheets.append(Sheet(table.name, table.columns, rows))
    return sheets


def export_template(path: str | Path) -> None:
    """Write the template as an .xlsx workbook. Raises ExportRefused where the path can't be written."""
    export_sheets(template_sheets(), path)


def typed(rule: ColumnRule, cell: str) -> str | float | None:
    """Return a cell of the example: numbers as numbers, so that a spreadsheet takes them for such."""
    if not cell:
        return None
    return float(cell) if rule.kind in ("number", "whole", "change value") else cell


def column_lines() -> Iterator[tuple[str, ...]]:
    """Yield a line for each column of each table."""
    for table in TABLES:
        for rule in column_rules(table).values():
            holds = f"one of {', '.join(rule.choices)}" if rule.choices else KINDS[rule.kind]
            if rule.kind == "reference":
                holds = f"name of a row of {rule.target}"
            given = "yes" if rule.required else ""
            yield table.name, rule.name, about(table, rule), holds, given, "" if rule.required else blank(table, rule)


def about(table: FormatTable, rule: ColumnRule) -> str:
    """Return what a column is and its unit, in the words of the form."""
    field = table.fields.get(rule.name)
    words = str(getattr(field, "help_text", "") or "")
    if words:
        return words
    if rule.name in table.key:
        return "Part of what identifies the row." if len(table.key) > 1 else "What identifies the row."
    return rule.name.replace("_", " ").capitalize() + "."


def blank(table: FormatTable, rule: ColumnRule) -> str:
    """Return what a blank cell stands for."""
    if rule.default not in (None, ""):
        return str(rule.default).lower() if isinstance(rule.default, bool) else str(rule.default)
    if table.parent is not None:
        return f"as in {table.parent}"
    if rule.name == "route":
        return "every route of the product"
    if "_cost" in rule.name or "cost_" in rule.name:
        return COSTS_THAT_ARE_OPTIONS
    if rule.kind == "number" and rule.name.startswith(("max_", "available_")):
        return "no limit"
    return ""

"""Writing a plan as a folder of CSV files."""

from __future__ import annotations

import csv
import datetime
from pathlib import Path

from planning.models import TABLE_BY_NAME

from .csv_read import QUOTE_FOLLOWED_BY
from .numbers import number_text
from .plan_rows import Row, Value


def write_folder(folder: Path, tables: dict[str, list[Row]]) -> None:
    """Write a file per table into the folder, which exists."""
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("x", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(TABLE_BY_NAME[name].columns)
            writer.writerows([cell(value) for value in row] for row in rows)


def cell(value: Value) -> str:
    """Return a value as the text of a CSV cell; text that a spreadsheet would run gets a `'` before it."""
    text = plain(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(QUOTE_FOLLOWED_BY) else text


def plain(value: Value) -> str:
    """Return a value as import reads it from a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value.replace("\r\n", "\n").replace("\r", "\n")  # import reads each line end as a plain one

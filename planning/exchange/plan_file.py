"""The raw tables of a plan file: cells as stripped text, with the line that each row stands in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from planning.models import TABLE_BY_NAME

from .faults import FaultList, nearest, show

# A cell that holds nothing usable (a formula, an error value) is this mark and the reason. The mark
# is half a surrogate pair, which no readable cell can begin with.
SPOILT = "\ud800"
MAX_ROWS = 1_048_575  # of a table: a sheet holds no more below its header
TOO_MANY_ROWS = f"The table has more than {MAX_ROWS:,} rows. Split the plant."


class Unreadable(Exception):
    """A file or one of its parts can't be read; the message says why and what to do."""


@dataclass
class RawTable:
    """One table as it stands in the file. Every row is as long as the header; blank rows are left out."""

    name: str
    header_row: int = 1
    header: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


@dataclass
class PlanFile:
    """A file's tables, and what was wrong with reading them."""

    tables: dict[str, RawTable] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)  # tables whose rows could not be read
    faults: FaultList = field(default_factory=FaultList)

    def add(self, name: str, rows: Iterable[tuple[int, list[str]]], *, noun: str) -> None:
        """Read a table from its numbered rows; `noun` is what the file calls a table."""
        if name not in TABLE_BY_NAME:
            found = nearest(name, TABLE_BY_NAME)
            hint = f' Did you mean "{found[0]}"?' if found else ""
            text = f"This {noun} is no table of the plan format.{hint} Rename it or remove it."
            self.faults.add(name, None, "", name, text)
            return
        if name in self.tables:
            self.faults.add(name, None, "", name, f"The table stands in two {noun}s. Remove one of them.")
            return
        self.tables[name] = table = RawTable(name)
        try:
            self._fill(table, rows)
        except Unreadable as reason:
            self.faults.add(name, getattr(reason, "row", None), "", "", str(reason))
            self.broken.add(name)

    def _fill(self, table: RawTable, rows: Iterable[tuple[int, list[str]]]) -> None:
        numbered = iter(rows)
        for line, cells in numbered:
            if any(cells):
                table.header_row, table.header = line, trimmed(cells)
                self._fill_rows(table, numbered)

    def _fill_rows(self, table: RawTable, numbered: Iterator[tuple[int, list[str]]]) -> None:
        width = len(table.header)
        for line, cells in numbered:
            if not any(cells):
                continue
            if any(cells[width:]):
                self._too_wide(table, line, cells)
            if len(table.lines) == MAX_ROWS:
                raise Unreadable(TOO_MANY_ROWS)
            table.lines.append(line)
            table.rows.append(cells[:width] + [""] * (width - len(cells)))

    def _too_wide(self, table: RawTable, line: int, cells: list[str]) -> None:
        extra = next(cell for cell in cells[len(table.header) :] if cell).removeprefix(SPOILT)
        self.faults.add(
            table.name,
            line,
            "",
            extra,
            f"The row has more cells than the header ({len(trimmed(cells))} against {len(table.header)}), such as "
            f'"{show(extra)}". Put text that contains a comma between double quotes, or remove the extra cells.',
        )


def trimmed(cells: list[str]) -> list[str]:
    """Return the cells without the blank ones at the end."""
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]

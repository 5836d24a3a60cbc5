"""A table's values, column by column, with where each row stands in the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from planning.models import FormatTable

from .plan_file import RawTable


@dataclass
class ParsedTable:
    """The values of a table under its rules. Where a cell is at fault its value is None, or the text of a name."""

    table: FormatTable
    source: RawTable
    columns: dict[str, list[Any]] = field(default_factory=dict)  # every column of the table
    places: dict[str, int] = field(default_factory=dict)  # of a column in the rows of the file

    def __len__(self) -> int:
        return len(self.source.lines)

    @property
    def lines(self) -> list[int]:
        """The line of the file that each row stands in."""
        return self.source.lines

    def row(self, place: int) -> dict[str, Any]:
        """Return the values of a row by column."""
        return {column: values[place] for column, values in self.columns.items()}

    def raw(self, place: int, column: str) -> str:
        """Return the text of a cell."""
        return self.source.rows[place][self.places[column]] if column in self.places else ""

    def raw_cells(self, column: str) -> list[str]:
        """Return the texts of a column, blank where the file leaves it out."""
        if column not in self.places:
            return [""] * len(self)
        place = self.places[column]
        return [row[place] for row in self.source.rows]

"""Faults: what is wrong in a file, where, and what to do; and how a value is shown on a screen."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

SHOWN_LENGTH = 60
SHOWN_FAULTS = 1000  # lines of an error message
KEPT_FAULTS = 10_000  # beyond these only the number counts
SUGGESTIONS = 50  # searches for a similar name per import: each takes a while
SUGGESTION_CANDIDATES = 5000
UNSHOWABLE = ("Cc", "Cs", "Co", "Zl", "Zp")
TURNS_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def show(value: object, length: int = SHOWN_LENGTH) -> str:
    """Return the value on one line, shortened, with characters escaped that a terminal would obey."""
    text = str(value)
    shortened = text if len(text) <= length else text[:length] + "…"
    return "".join(escaped(character) for character in shortened)


def escaped(character: str) -> str:
    """Return the character, or its escape where showing it would do something."""
    if unicodedata.category(character) in UNSHOWABLE or character in TURNS_DIRECTION:
        return character.encode("unicode_escape").decode("ascii")
    return character


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a file. A blank table, row or column: it concerns all of them."""

    table: str
    row: int | None  # the line of the file, the row of the sheet; the header is the first
    column: str
    value: str
    text: str

    def __str__(self) -> str:
        place = [
            show(self.table) if self.table else "",
            f"row {self.row}" if self.row is not None else "",
            f"column {show(self.column)}" if self.column else "",
        ]
        return ": ".join(part for part in (", ".join(part for part in place if part), self.text) if part)


class ImportFaults(Exception):
    """Nothing was imported, because of these faults."""

    def __init__(self, faults: Sequence[Fault], total: int | None = None) -> None:
        self.faults = list(faults)
        self.total = len(self.faults) if total is None else total  # those beyond KEPT_FAULTS too
        super().__init__(self.faults)

    def lines(self, limit: int = SHOWN_FAULTS) -> list[str]:
        """Return a line for each fault, and the number of those that are not listed."""
        lines = [str(fault) for fault in self.faults[:limit]]
        if self.total > len(lines):
            lines.append(f"… and {self.total - len(lines):,} more. Correct these first and import again.")
        return lines

    def __str__(self) -> str:
        return "\n".join(self.lines())


class ExportRefused(Exception):
    """The plan could not be written; the message says why and what to do."""


class FaultList:
    """The faults of one file, as they are found."""

    def __init__(self) -> None:
        self.total = 0
        self._faults: list[Fault] = []
        self._suggestions_left = SUGGESTIONS

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults)

    def add(self, table: str, row: int | None, column: str, value: object, text: str) -> None:
        """Note a fault; the value is kept shortened."""
        self.total += 1
        if len(self._faults) < KEPT_FAULTS:
            self._faults.append(Fault(table, row, column, show(value), text))

    def suggest(self, value: str, candidates: Collection[str]) -> str:
        """Return ` Did you mean "…"?` for the most similar candidate, or nothing."""
        if not self._suggestions_left or len(candidates) > SUGGESTION_CANDIDATES:
            return ""
        self._suggestions_left -= 1
        found = nearest(value, candidates)
        return f' Did you mean "{show(found[0])}"?' if found else ""

    def sorted(self, tables: Sequence[str]) -> list[Fault]:
        """Return the faults by table, row and the order in which they were found."""
        places = {table: place for place, table in enumerate(tables)}
        return sorted(self._faults, key=lambda fault: (places.get(fault.table, -1), fault.row or 0))


def nearest(value: str, candidates: Collection[str], count: int = 1) -> list[str]:
    """Return the candidates that look most like the value, those that differ by case first."""
    value = value[:SHOWN_LENGTH]
    folded = value.casefold()
    by_case = [candidate for candidate in candidates if candidate.casefold() == folded]
    lower = {candidate.casefold(): candidate for candidate in candidates if len(candidate) <= 2 * len(value) + 2}
    similar = [lower[match] for match in difflib.get_close_matches(folded, lower, n=count, cutoff=0.6)]
    return [*by_case, *(name for name in similar if name not in by_case)][:count]

"""What all tables of a run's page are made of: cells that are ready to show, columns, pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from .amounts import NOTHING, rounded

ROWS_SHOWN = 50  # of each table at once; the others are on its further pages, and all are in its files
NOISE = 5e-7


@dataclass(frozen=True)
class Cell:
    """One cell: its text, its look (text, number, zero, head, warn, bad, badge …), a bar in percent, a shade to 5."""

    text: str
    look: str = "text"
    bar: float | None = None
    shade: int = 0

    @property
    def html(self) -> SafeString:
        """The cell as it stands in a row; a page has thousands, and a template takes its time for each `if`."""
        if self.look == "head":
            return format_html('<th scope="row" title="{}">{}</th>', self.text, self.text)
        if self.look.startswith("badge"):
            return format_html('<td><span class="pl-{}">{}</span></td>', self.look, self.text)
        look = f"{self.look} pl-s{self.shade}" if self.shade else self.look
        if self.bar is None:
            return format_html('<td class="pl-{}">{}</td>', look, self.text)
        bar = '<td class="pl-{}"><progress max="100" value="{}" aria-hidden="true"></progress> {}</td>'
        return format_html(bar, look, round(self.bar, 2), self.text)


NUMERIC = ("number", "zero", "warn", "bad")


@dataclass(frozen=True)
class Head:
    """The head of a column."""

    text: str
    right: bool


@dataclass(frozen=True)
class Page:
    """Which rows of a table are shown: page `number`, from 1, of so many of `size` rows."""

    number: int
    total: int
    size: int = ROWS_SHOWN
    what: str = "rows"

    @property
    def count(self) -> int:
        """Number of pages, at least one."""
        return max(1, -(-self.total // self.size))

    @property
    def start(self) -> int:
        """The first row that is shown, from 0."""
        return (self.number - 1) * self.size

    @property
    def span(self) -> slice:
        """The rows that are shown."""
        return slice(self.start, self.start + self.size)

    @property
    def words(self) -> str:
        """Which rows of how many these are; "" where all are shown."""
        if self.count == 1:
            return ""
        end = min(self.start + self.size, self.total)
        return f"{self.what.capitalize()} {self.start + 1:,} to {end:,} of {self.total:,}"

    @property
    def before(self) -> int:
        """The page before, 0 for none."""
        return self.number - 1

    @property
    def after(self) -> int:
        """The next page, 0 for none."""
        return self.number + 1 if self.number < self.count else 0


def page_of(asked: int, total: int, size: int = ROWS_SHOWN, what: str = "rows") -> Page:
    """Return the page that is asked for, or the nearest that there is."""
    count = max(1, -(-total // size))
    return Page(min(max(asked, 1), count), total, size, what)


@dataclass
class Table:
    """One table of the page."""

    title: str
    hint: str
    titles: Sequence[str]
    rows: list[list[Cell]]
    page: Page
    file: str = ""  # the name of its files
    foot: list[list[Cell]] = field(default_factory=list)

    @property
    def heads(self) -> list[Head]:
        """The heads of the columns, aligned as what stands below."""
        below = self.rows[0] if self.rows else []
        looks = [cell.look for cell in below] + ["text"] * len(self.titles)
        return [Head(title, look in NUMERIC) for title, look in zip(self.titles, looks, strict=False)]


def text(value: str) -> Cell:
    return Cell(value)


def number(value: float | None) -> Cell:
    words = rounded(value)
    return Cell(words, "zero" if words in ("0", NOTHING) else "number")


def named(name: str, units: dict[str, str]) -> str:
    """Return a name with its unit, where that is more than the word unit."""
    unit = units.get(name, "unit")
    return name if unit == "unit" else f"{name} ({unit})"


def period_heads(periods: Sequence[str]) -> list[str]:
    """Return the periods as column heads: a single one that has just a number is called a period."""
    return [f"Period {period}" if period.isdigit() else period for period in periods]


def page_rows(rows: Any, page: Page, *names: str) -> list[tuple[Any, ...]]:
    """Return the values of the rows of a page, in the order in which they were written."""
    return list(rows.order_by("id").values_list(*names)[page.span])

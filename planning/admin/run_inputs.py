"""The data that a run was solved with, as tables to look at: its scenario's changes are in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from planning.insight import NoSolvedData, column_values, snapshot_of, solved_plan
from planning.lx import LXTable
from planning.models import TABLE_BY_NAME, TABLES, FormatTable, Run
from planning.snapshot import Snapshot

from .amounts import NOTHING, exact
from .run_exports import INPUT
from .run_tables import Cell, Table, page_of


@dataclass(frozen=True)
class InputTable:
    """A table that can be opened."""

    name: str
    title: str
    size: int


def may_view(request: HttpRequest, table: FormatTable) -> bool:
    """Whether the user may see rows of a table."""
    return bool(request.user.has_perm(f"planning.view_{table.model._meta.model_name}"))


def as_solved(run: Run) -> Snapshot:
    """Return the data of a run, those that are kept where it has a plan. Raises NoSolvedData."""
    try:
        return solved_plan(run).snapshot
    except NoSolvedData:
        return snapshot_of(run)


def input_tables(request: HttpRequest, run: Run) -> list[InputTable]:
    """Return the tables that have rows and that the user may see. Raises NoSolvedData."""
    snapshot = as_solved(run)
    return [
        InputTable(table.name, title_of(table), snapshot[table.name].size)
        for table in TABLES
        if table.name in snapshot.tables and snapshot[table.name].size and may_view(request, table)
    ]


def title_of(table: FormatTable) -> str:
    return table.name.replace("_", " ").capitalize()


def input_table(request: HttpRequest, run: Run, name: str, asked: int) -> Table | None:
    """Return a page of a table; None where there is none, or not for this user. Raises NoSolvedData."""
    table = TABLE_BY_NAME.get(name)
    if table is None or not may_view(request, table):
        return None
    listed: LXTable = as_solved(run)[name]
    page = page_of(asked, listed.size)
    columns = [column_values(listed, column)[page.span] for column in table.columns]
    rows = [[cell(value, first=place == 0) for place, value in enumerate(row)] for row in zip(*columns, strict=True)]
    heads = [column.replace("_", " ") for column in table.columns]
    return Table(title_of(table), "", heads, rows, page, file=f"{INPUT}{name}")


def cell(value: Any, *, first: bool) -> Cell:
    """Return a value of the data; blanks say nothing."""
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, int | float):
        return Cell(exact(value), "number")
    words = NOTHING if value is None or value == "" else str(value)
    return Cell(words, "head" if first else "zero" if words == NOTHING else "text")

"""Reading a plant's tables out of the database, one query per table."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models, transaction

from planning.models import BASELINE, TABLE_BY_NAME, TABLES, FormatTable, Period, Plant
from planning.snapshot import DataProblems, Edit, consistent_read, edits_of, read_tables

from .changes import changes_flag
from .faults import ExportRefused, show
from .rules import ordered_pairs
from .store import plant_path

Value = str | float | bool | datetime.date | None
Row = tuple[Value, ...]


def plan_tables(plant: Plant) -> dict[str, list[Row]]:
    """Return the rows of `plant` and of each table that has some, values in the order of the columns."""
    with one_moment():
        tables = {table.name: table_rows(table, plant) for table in TABLES}
    tables["scenarios"] = [row for row in tables["scenarios"] if row[0] != BASELINE or any(row[1:])]
    tables["scenario_changes"] = [with_flag(row) for row in tables["scenario_changes"]]
    return {name: rows for name, rows in tables.items() if rows}


def tables_of_scenario(plant: Plant, scenario: str) -> dict[str, list[Row]]:
    """Return the rows of a plant whose Baseline plans what the scenario plans: its values stand in place.

    Other scenarios are left out: they change the data as they were. ExportRefused where the scenario can't be planned.
    """
    with consistent_read():
        tables = plan_tables(plant)
        try:
            edits = edits_of(read_tables(plant.pk), scenario)
        except DataProblems as problems:
            errors = "\n".join(show(error.text, 400) for error in problems.errors)
            raise ExportRefused(f'Scenario "{show(scenario)}" can\'t be exported:\n{errors}') from problems
    baseline = [row for row in tables.get("scenarios", []) if row[0] == BASELINE] or [(BASELINE, None, "", "")]
    tables |= {"scenarios": baseline, "scenario_changes": []}
    for edit in edits:
        put(tables, edit)
    for name in {edit.table for edit in edits}:
        refuse_crossed(TABLE_BY_NAME[name], tables[name])
    tables["scenarios"] = [row for row in tables["scenarios"] if any(row[1:])]
    return {table.name: tables[table.name] for table in TABLES if tables.get(table.name)}


def put(tables: dict[str, list[Row]], edit: Edit) -> None:
    """Write an edit into the rows; a row by period that is not there is added with its key."""
    table = TABLE_BY_NAME[edit.table]
    rows = tables.setdefault(edit.table, [])
    place = edit.place
    if edit.table == "scenarios":  # Baseline is the only one here
        place = 0
    elif edit.is_new_row:
        key = (*edit.row.split(" / "), edit.period)
        place = next((at for at, row in enumerate(rows) if row[: len(key)] == key), len(rows))
        if place == len(rows):
            rows.append(key + (None,) * (len(table.columns) - len(key)))
    column = table.columns.index(edit.field)
    rows[place] = (*rows[place][:column], edit.new, *rows[place][column + 1 :])


def refuse_crossed(table: FormatTable, rows: list[Row]) -> None:
    """Raise where a row's maximum would be below its minimum, which no import takes."""
    for low, high, message in ordered_pairs(table):
        places = table.columns.index(low), table.columns.index(high)
        for row in rows:
            least, most = row[places[0]], row[places[1]]
            if isinstance(least, float) and isinstance(most, float) and most < least:
                raise ExportRefused(f'{table.name} "{show(row[0])}" can\'t be exported: {message}')


@contextmanager
def one_moment() -> Iterator[None]:
    """Let all queries see the data of one moment, also where others are writing."""
    with transaction.atomic():
        if connection.vendor == "postgresql" and len(connection.atomic_blocks) == 1:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def table_rows(table: FormatTable, plant: Plant) -> list[Row]:
    """Return a table's rows in their order."""
    plant_lookup = {"pk": plant.pk} if table.model is Plant else {plant_path(table.model): plant}
    rows = table.model._default_manager.filter(**plant_lookup)
    order = "sequence" if table.model is Period else "pk"
    return list(rows.order_by(order).values_list(*(value_path(table, column) for column in table.columns)))


def value_path(table: FormatTable, column: str) -> str:
    """Return the lookup of a column's value: rows of other tables are written by name."""
    field = table.fields.get(column)
    if field is None:  # route_periods.product, which stands in the route
        return f"route__{column}__name"
    return f"{column}__name" if isinstance(field, models.ForeignKey) else column


def with_flag(row: Row) -> Row:
    """Return a row of `scenario_changes` with true or false as the value where it changes a flag."""
    _scenario, table, _row, _period, field, _operation, value, _note = row
    if value in (0.0, 1.0) and changes_flag(str(table), str(field)):
        return (*row[:6], bool(value), row[7])
    return row

"""Reading a plant's tables out of the database, one query per table."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models, transaction

from planning.models import BASELINE, TABLES, FormatTable, Period, Plant

from .changes import changes_flag
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

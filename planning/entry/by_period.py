"""The values by period of many rows as a grid: a row for each parent and field, a column for each period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from planning.exchange.numbers import number_text
from planning.models import TABLE_BY_NAME, TABLES, FormatTable, Period, Plant

ROWS_AT_ONCE = 500  # primary keys in one condition


@dataclass(frozen=True)
class ByPeriod:
    """A `*_periods` table with the table whose values it replaces."""

    table: FormatTable
    parent: FormatTable

    @property
    def relation(self) -> str:
        """The field that points to the parent: product, machine, material or route."""
        return self.table.key[-2]

    @property
    def fields(self) -> dict[str, models.Field]:
        """The fields that have a value per period."""
        return {name: field for name, field in self.table.fields.items() if name not in self.table.key}

    @property
    def name_paths(self) -> tuple[str, ...]:
        """The lookups from the parent to the parts of its name."""
        return tuple("product__name" if column == "product" else column for column in self.parent.key)

    def parents(self, plant: Plant) -> models.QuerySet[Any]:
        """Return the plant's parents in the order of their table."""
        path = "product__plant" if "product" in self.parent.key else "plant"
        return self.parent.model._default_manager.filter(**{path: plant}).order_by("pk")


PERIOD_TABLES: dict[type[models.Model], ByPeriod] = {
    table.model: ByPeriod(table, TABLE_BY_NAME[table.parent]) for table in TABLES if table.parent
}


@dataclass(frozen=True)
class GridRow:
    """One field of one parent: its own value, and the value of each period, None where that is blank."""

    parent: Any
    field: str
    own: float | None
    values: list[float | None]


@dataclass(frozen=True)
class Grid:
    """Periods in their order, and rows with a value for each of them."""

    by_period: ByPeriod
    periods: list[Period]
    rows: list[GridRow]


def held_text(value: float | None) -> str:
    """Return a stored value as a grid sends it back: all its digits; "" for a blank."""
    return "" if value is None else number_text(value)


def read_grid(by_period: ByPeriod, plant: Plant, parents: Sequence[Any], fields: Sequence[str]) -> Grid:
    """Return the grid of these parents and fields with two queries, whatever their number up to 500 parents."""
    periods = list(Period.objects.filter(plant=plant).order_by("sequence"))
    held = held_values(by_period, [parent.pk for parent in parents], fields)
    nothing = (None,) * len(fields)
    rows = []
    for parent in parents:
        by_field = zip(*(held.get((parent.pk, period.pk), nothing) for period in periods), strict=True)
        for field, values in zip(fields, by_field, strict=False):
            rows.append(GridRow(parent, field, own_value(by_period, parent, field), list(values)))
    return Grid(by_period, periods, rows)


def own_value(by_period: ByPeriod, parent: Any, field: str) -> float | None:
    """Return what holds where a period's cell is blank; what the parent lacks, such as units that are down, is 0."""
    return getattr(parent, field) if field in by_period.parent.fields else 0


def held_values(
    by_period: ByPeriod, parents: Sequence[int], fields: Sequence[str]
) -> dict[tuple[int, int], tuple[Any, ...]]:
    """Return the stored values of `fields` by (parent, period)."""
    relation = f"{by_period.relation}_id"
    found = {}
    for start in range(0, len(parents), ROWS_AT_ONCE):
        chosen = {f"{relation}__in": parents[start : start + ROWS_AT_ONCE]}
        rows = by_period.table.model._default_manager.filter(**chosen)
        for parent, period, *values in rows.values_list(relation, "period_id", *fields):
            found[parent, period] = tuple(values)
    return found

"""Writing checked tables into the database, all at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.db import models

from planning.models import BASELINE, TABLES, Period, Plant, Scenario

from .check import ONLY_PERIOD
from .parsed import ParsedTable
from .rules import column_rules

BATCH_SIZE = 2000  # rows per statement; SQLite takes fewer by itself

Names = dict[Any, int]  # primary key by name; by (product, route) for routes


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Keep the collector from walking the many new rows again and again: it doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def plant_path(model: type[models.Model]) -> str:
    """Return the lookup that leads from a model to its plant, such as `route__product__plant`."""
    fields = model._meta.concrete_fields
    if any(field.name == "plant" for field in fields):
        return "plant"
    first = next(field for field in fields if isinstance(field, models.ForeignKey))
    return f"{first.name}__{plant_path(cast(type[models.Model], first.related_model))}"


def store_plant(parsed: dict[str, ParsedTable], plant: Plant | None) -> Plant:
    """Write the tables as a new plant, or in place of the rows of the given one, which keeps its runs."""
    values = own_values(parsed["plant"], 0)
    if plant is None:
        plant = Plant.objects.create(**values)
    else:
        delete_rows(plant)
        for column, value in values.items():
            setattr(plant, column, value)
        plant.save()
    ids: dict[str, Names] = {}
    for table in TABLES:
        if table.model is Scenario:
            ids[table.name] = store_scenarios(parsed[table.name], plant)
        elif table.model is not Plant:
            ids[table.name] = store_rows(parsed[table.name], plant, ids)
            if table.model is Period:
                add_only_period(parsed, plant, ids[table.name])
    return plant


def delete_rows(plant: Plant) -> None:
    """Delete everything of a plant but the plant itself and its runs."""
    Scenario.objects.filter(plant=plant).update(parent=None)
    for table in reversed(TABLES):
        if table.model is not Plant:
            table.model._default_manager.filter(**{plant_path(table.model): plant}).delete()


def own_values(parsed: ParsedTable, place: int) -> dict[str, Any]:
    """Return the values of a row that are stored in its own columns."""
    return {column: parsed.columns[column][place] for column in parsed.table.fields}


def store_rows(parsed: ParsedTable, plant: Plant, ids: dict[str, Names]) -> Names:
    """Write a table's rows in their order; return their primary keys by name where other rows name them."""
    if not len(parsed):
        return {}
    model = parsed.table.model
    columns = {field.attname: stored_column(parsed, name, ids) for name, field in parsed.table.fields.items()}
    if any(field.name == "plant" for field in model._meta.concrete_fields):
        columns["plant_id"] = [plant.pk] * len(parsed)
    names = list(columns)
    rows = [model(**dict(zip(names, values, strict=True))) for values in zip(*columns.values(), strict=True)]
    created = model._default_manager.bulk_create(rows, batch_size=BATCH_SIZE)
    return primary_keys(parsed, [row.pk for row in created])


def stored_column(parsed: ParsedTable, column: str, ids: dict[str, Names]) -> list[Any]:
    """Return a column as it is stored: references as the primary keys of the rows that they name."""
    rule = column_rules(parsed.table)[column]
    values = parsed.columns[column]
    if rule.kind != "reference":
        return values
    if rule.target == "routes":
        routes = ids["routes"]
        pairs = zip(parsed.columns["product"], values, strict=True)
        return [None if pair[1] is None else routes[pair] for pair in pairs]
    targets = ids[rule.target]
    return [None if name is None else targets[name] for name in values]


def primary_keys(parsed: ParsedTable, keys: list[int]) -> Names:
    """Return the primary keys by what other rows call them; nothing for a table that no row refers to."""
    if parsed.table.name == "routes":
        named = zip(parsed.columns["product"], parsed.columns["name"], strict=True)
        return dict(zip(named, keys, strict=True))
    if "name" in parsed.columns:
        return dict(zip(parsed.columns["name"], keys, strict=True))
    return {}


def add_only_period(parsed: dict[str, ParsedTable], plant: Plant, names: Names) -> None:
    """Give a plant without period rows the period that rows of other tables refer to."""
    referring = (table.columns["period"] for table in parsed.values() if "period" in table.columns)
    if not names and any(ONLY_PERIOD in periods for periods in referring):
        names[ONLY_PERIOD] = Period.objects.create(plant=plant, sequence=1, name=ONLY_PERIOD).pk


def store_scenarios(parsed: ParsedTable, plant: Plant) -> Names:
    """Write the scenarios, `Baseline` first whether or not it has a row; then their parents, which may come later."""
    given = [own_values(parsed, place) for place in range(len(parsed))]
    baseline = [values for values in given if values["name"] == BASELINE] or [{"name": BASELINE}]
    ordered = baseline + [values for values in given if values["name"] != BASELINE]
    rows = [Scenario(plant=plant, **{**values, "parent": None}) for values in ordered]
    Scenario.objects.bulk_create(rows, batch_size=BATCH_SIZE)
    names: Names = {row.name: row.pk for row in rows}
    children = []
    for row, values in zip(rows, ordered, strict=True):
        if values.get("parent") is not None:
            row.parent_id = names[values["parent"]]
            children.append(row)
    Scenario.objects.bulk_update(children, ["parent"], batch_size=BATCH_SIZE)
    return names


def count_rows(parsed: dict[str, ParsedTable]) -> dict[str, int]:
    """Return the number of rows of each table of the format."""
    return {table.name: len(parsed[table.name]) for table in TABLES}

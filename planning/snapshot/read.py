"""Reads a plant from the database, in one consistent read with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, models, transaction

from planning.lx import LXTable, materialize_and_detach_list
from planning.models import (
    TABLES,
    ByProduct,
    ComponentRequirement,
    MachinePeriod,
    MaterialRequirement,
    Plant,
    ProductionRecipe,
    ProductPeriod,
    RawMaterialPeriod,
    Route,
    RoutePeriod,
    ScenarioChange,
)

# How a table without a `plant` field reaches its plant.
_PLANT_PATHS: dict[type[models.Model], str] = {
    Plant: "pk",
    ProductPeriod: "product__plant",
    Route: "product__plant",
    RoutePeriod: "route__product__plant",
    MachinePeriod: "machine__plant",
    RawMaterialPeriod: "material__plant",
    ProductionRecipe: "product__plant",
    MaterialRequirement: "product__plant",
    ComponentRequirement: "product__plant",
    ByProduct: "product__plant",
    ScenarioChange: "scenario__plant",
}


@contextmanager
def consistent_read() -> Iterator[None]:
    """Let every query inside see the same state of the database, while others write."""
    nested = connection.in_atomic_block
    with transaction.atomic():
        if connection.vendor == "postgresql" and not nested:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def rows_of_plant(model: type[models.Model], plant_id: Any) -> models.QuerySet[Any]:
    """Return the plant's rows of a table, in the order of the table."""
    path = _PLANT_PATHS.get(model, "plant")
    order = "sequence" if model._meta.model_name == "period" else "pk"
    return model._default_manager.filter(**{path: plant_id}).order_by(order)


def read_tables(plant_id: int) -> dict[str, LXTable]:
    """Return every table of the plant, detached, by its name in the plan format: one query each."""
    memo: dict[Any, Any] = {}
    with consistent_read():
        rows = {table.name: materialize_and_detach_list(rows_of_plant(table.model, plant_id), memo) for table in TABLES}
    return {name: listed.table for name, listed in rows.items()}

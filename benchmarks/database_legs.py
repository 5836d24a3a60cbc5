"""Legs with a database: reading, detaching, writing, in an SQLite file of its own."""

from __future__ import annotations

import copy
import os
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROWS = 100_000


def _database() -> tuple[Any, Path]:
    """Return the application's models over a new SQLite file, with a plant's product periods in it."""
    path = Path(tempfile.mkdtemp()) / "benchmark.sqlite3"
    os.environ["DATABASE_URL"] = f"sqlite:///{path}"
    os.environ["DJANGO_SETTINGS_MODULE"] = "planner_site.settings"
    os.environ.setdefault("SECRET_KEY", "only for this benchmark")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from planning import models

    return models, path


def _filled(count: int) -> tuple[Any, Path]:
    """Return the models after `count` rows of product periods were written."""
    models, path = _database()
    plant = models.Plant.objects.create(name="Benchmark")
    periods = [models.Period(plant=plant, sequence=t, name=f"Week {t}") for t in range(1, 11)]
    models.Period.objects.bulk_create(periods)
    products = [models.Product(plant=plant, name=f"Product {p}", profit_per_unit=50.0) for p in range(count // 10)]
    models.Product.objects.bulk_create(products)
    models.ProductPeriod.objects.bulk_create(
        models.ProductPeriod(product=product, period=period, max_demand=float(number % 97))
        for number, (product, period) in enumerate((a, b) for a in products for b in periods)
    )
    return models, path


def _fields(model: Any) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def values_list(count: int) -> Callable[[], Any]:
    """Read all fields of all rows as tuples."""
    models, _ = _filled(count)
    return lambda: list(models.ProductPeriod.objects.values_list(*_fields(models.ProductPeriod)))


def detached(count: int) -> Callable[[], Any]:
    """Read and detach all rows: one query, typed columns."""
    models, _ = _filled(count)
    from planning.lx import materialize_and_detach_list

    return lambda: materialize_and_detach_list(models.ProductPeriod.objects.all())


def detached_instances(count: int) -> Callable[[], Any]:
    """Detach rows that were read as instances before."""
    models, _ = _filled(count)
    from planning.lx import materialize_and_detach_list

    instances = list(models.ProductPeriod.objects.all())
    return lambda: materialize_and_detach_list(instances)


def deepcopied(count: int) -> Callable[[], Any]:
    """Copy the rows' instances with `copy.deepcopy`."""
    models, _ = _filled(count)
    instances = list(models.ProductPeriod.objects.all())
    return lambda: copy.deepcopy(instances)


def instances(count: int) -> Callable[[], Any]:
    """Read all rows as instances."""
    models, _ = _filled(count)
    return lambda: list(models.ProductPeriod.objects.all())


def _results(count: int) -> tuple[Any, Path, Any]:
    models, path = _database()
    plant = models.Plant.objects.create(name="Benchmark")
    scenario = models.Scenario.objects.create(plant=plant, name="Baseline")
    run = models.Run.objects.create(plant=plant, scenario_name=scenario.name)
    return models, path, run


def _rows(run: Any, count: int) -> list[tuple[Any, ...]]:
    return [(run.pk, f"Product {i // 10}", "", f"Week {i % 10}", float(i % 89), False) for i in range(count)]


def bulk_create(count: int) -> Callable[[], Any]:
    """Write result rows as the application does, in one transaction; rows are removed again, untimed."""
    models, _, run = _results(count)
    from django.db import transaction

    rows = _rows(run, count)

    def write() -> None:
        with transaction.atomic():
            models.Production.objects.bulk_create(
                [
                    models.Production(
                        run=run, product=product, route=route, period=period, quantity=quantity, setup=setup
                    )
                    for _, product, route, period, quantity, setup in rows
                ],
                batch_size=5_000,
            )

    write.undo = lambda: models.Production.objects.all().delete()  # type: ignore[attr-defined]
    return write


def executemany(count: int) -> Callable[[], Any]:
    """Write the same rows with the driver's executemany, in one transaction."""
    models, path, run = _results(count)
    rows = _rows(run, count)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=NORMAL")
    table = models.Production._meta.db_table
    columns = "run_id, product, route, period, quantity, setup"
    statement = f"INSERT INTO {table} ({columns}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608 - a table's own name

    def write() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, rows)
        connection.execute("COMMIT")

    write.undo = lambda: connection.execute(f"DELETE FROM {table}")  # type: ignore[attr-defined]  # noqa: S608
    return write

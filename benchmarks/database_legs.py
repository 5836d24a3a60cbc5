"""Legs with a database of their own: reading, detaching and writing, in an SQLite file.

With BENCHMARK_SERVER, the folder of a private PostgreSQL server, they use a database there.
"""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _database() -> Any:
    """Return the application's models over a new database."""
    os.environ["DATABASE_URL"] = _url()
    os.environ["DJANGO_SETTINGS_MODULE"] = "planner_site.settings"
    os.environ.setdefault("SECRET_KEY", "only for this benchmark")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from planning import models

    return models


def _url() -> str:
    server = os.environ.get("BENCHMARK_SERVER")
    if server is None:
        return f"sqlite:///{Path(tempfile.mkdtemp()) / 'benchmark.sqlite3'}"
    from tests.private_postgresql import PostgreSQL

    return PostgreSQL(server).create(f"benchmark_{os.getpid()}")


def _filled(count: int) -> Any:
    """Return the models after `count` rows of product periods were written."""
    models = _database()
    plant = models.Plant.objects.create(name="Benchmark")
    periods = [models.Period(plant=plant, sequence=t, name=f"Week {t}") for t in range(1, 11)]
    models.Period.objects.bulk_create(periods)
    products = [models.Product(plant=plant, name=f"Product {p}", profit_per_unit=50.0) for p in range(count // 10)]
    models.Product.objects.bulk_create(products)
    models.ProductPeriod.objects.bulk_create(
        models.ProductPeriod(product=product, period=period, max_demand=float(number % 97))
        for number, (product, period) in enumerate((a, b) for a in products for b in periods)
    )
    return models


def _fields(model: Any) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def values_list(count: int) -> Callable[[], Any]:
    """Read all fields of all rows as tuples."""
    models = _filled(count)
    return lambda: list(models.ProductPeriod.objects.values_list(*_fields(models.ProductPeriod)))


def detached(count: int) -> Callable[[], Any]:
    """Read and detach all rows: one query, typed columns."""
    models = _filled(count)
    from planning.lx import materialize_and_detach_list

    return lambda: materialize_and_detach_list(models.ProductPeriod.objects.all())


def detached_instances(count: int) -> Callable[[], Any]:
    """Detach rows that were read as instances before."""
    models = _filled(count)
    from planning.lx import materialize_and_detach_list

    instances = list(models.ProductPeriod.objects.all())
    return lambda: materialize_and_detach_list(instances)


def deepcopied(count: int) -> Callable[[], Any]:
    """Copy the rows' instances with `copy.deepcopy`."""
    models = _filled(count)
    instances = list(models.ProductPeriod.objects.all())
    return lambda: copy.deepcopy(instances)


def instances(count: int) -> Callable[[], Any]:
    """Read all rows as instances."""
    models = _filled(count)
    return lambda: list(models.ProductPeriod.objects.all())


COLUMNS = ("run_id", "product", "route", "period", "quantity", "setup")


def _results(count: int) -> tuple[Any, list[tuple[Any, ...]]]:
    """Return the table of result rows, and rows for it."""
    models = _database()
    plant = models.Plant.objects.create(name="Benchmark")
    run = models.Run.objects.create(plant=plant, scenario_name="Baseline")
    rows = [(run.pk, f"Product {i // 10}", "", f"Week {i % 10}", float(i % 89), False) for i in range(count)]
    return models.Production, rows


def _in_one_transaction(table: Any, write: Callable[[], Any]) -> Callable[[], Any]:
    """Return a leg that writes and commits; the rows are removed again, untimed."""
    from django.db import connection, transaction

    def leg() -> None:
        with transaction.atomic():
            write()

    def undo() -> None:
        with connection.cursor() as cursor:
            empty = "TRUNCATE" if connection.vendor == "postgresql" else "DELETE FROM"
            cursor.execute(f"{empty} {table._meta.db_table}")

    leg.undo = undo  # type: ignore[attr-defined]
    return leg


def written(count: int) -> Callable[[], Any]:
    """Write result rows as the application does: columns, of which numbers are arrays."""
    table, rows = _results(count)
    import numpy as np

    from planning.runs.write_rows import write_rows

    columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    columns |= {name: np.array(columns[name]) for name in ("quantity", "setup")}
    return _in_one_transaction(table, lambda: write_rows(table, columns))


def bulk_create(count: int) -> Callable[[], Any]:
    """Write the same rows as instances."""
    table, rows = _results(count)
    return _in_one_transaction(
        table,
        lambda: table.objects.bulk_create(
            [table(**dict(zip(COLUMNS, row, strict=True))) for row in rows], batch_size=5_000
        ),
    )


def executemany(count: int) -> Callable[[], Any]:
    """Write the same rows with the driver's executemany, a row a statement."""
    table, rows = _results(count)
    from django.db import connection

    statement = f"INSERT INTO {table._meta.db_table} ({', '.join(COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
    return _in_one_transaction(table, lambda: connection.connection.executemany(statement, rows))


def copied(count: int) -> Callable[[], Any]:
    """Write the same rows with the driver's COPY."""
    table, rows = _results(count)
    from django.db import connection

    def write() -> None:
        with connection.connection.cursor().copy(
            f"COPY {table._meta.db_table} ({', '.join(COLUMNS)}) FROM STDIN"
        ) as to:
            for row in rows:
                to.write_row(row)

    return _in_one_transaction(table, write)

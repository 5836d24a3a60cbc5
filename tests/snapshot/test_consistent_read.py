"""A snapshot is one state of the database, whatever others write while it is read."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from planning.models import Machine, MaterialRequirement, Plant, Product, ProductionRecipe, RawMaterial
from planning.snapshot import take_snapshot
from tests.factories import make_furniture
from tests.faults.nursery import PATIENCE
from tests.faults.own_database import own_database
from tests.private_postgresql import PostgreSQL

WRITERS, MOMENTS = 3, 15
COLUMNS = {
    "products": "max_demand",
    "machines": "available_hours",
    "raw_materials": "cost_per_unit",
    "production_recipes": "hours_required",
    "material_requirements": "quantity_required",
}
MODELS: dict[str, Any] = {
    "products": Product,
    "machines": Machine,
    "raw_materials": RawMaterial,
    "production_recipes": ProductionRecipe,
    "material_requirements": MaterialRequirement,
}


@pytest.fixture(params=["sqlite", "postgresql"])
def plant(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    postgresql: PostgreSQL,
    django_db_blocker: Any,
    django_db_setup: None,
) -> Iterator[Plant]:
    """Return a plant in a database of its own, of either kind."""
    name = f"consistent_{tmp_path.name}"
    file = f"sqlite:///{tmp_path / 'site.sqlite3'}"
    url = file if request.param == "sqlite" else postgresql.create(name)
    with django_db_blocker.unblock():
        with own_database(url):
            assert connection.vendor == request.param
            plant = make_furniture()
            Product.objects.update(min_demand=0)
            write(1.0)
            yield plant
        if request.param == "postgresql":
            postgresql.drop(name)


def write(number: float) -> None:
    """Write the same number into a column of every table, in one transaction."""
    with transaction.atomic():
        Plant.objects.select_for_update().get()  # writers come one after the other; readers do not ask
        for table, column in COLUMNS.items():
            MODELS[table].objects.update(**{column: number})


@pytest.fixture
def writers(plant: Plant) -> Iterator[None]:
    """Let others write all the time, each with a connection of its own."""
    over = threading.Event()

    def go_on(number: int) -> None:
        try:
            while not over.is_set():
                number += WRITERS
                write(float(number))
                over.wait(0.002)
        finally:
            connection.close()

    threads = [threading.Thread(target=go_on, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    yield
    over.set()
    for thread in threads:
        thread.join()


def test_all_tables_are_read_as_they_were_at_one_moment(plant: Plant, writers: None) -> None:
    seen: set[float] = set()
    deadline = time.monotonic() + PATIENCE
    while len(seen) < MOMENTS:
        assert time.monotonic() < deadline, f"others wrote {len(seen)} times only"
        snapshot = take_snapshot(plant.pk, "Baseline")
        found = {value for table, column in COLUMNS.items() for value in snapshot[table].columns[column].tolist()}
        assert len(found) == 1, f"tables of different moments: {found}"
        seen |= found
        time.sleep(0.005)  # or a reader on SQLite would leave writers no turn

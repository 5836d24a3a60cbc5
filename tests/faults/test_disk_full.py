"""The disk is full: SQLite says so in its own words, and nothing of a plan is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from planning.models import Machine, Plant, Product, ProductionRecipe, Run
from planning.runs import RunOptions, start_run
from planning.runs.states import record
from tests.factories import make_plant, make_run
from tests.faults.nursery import Nursery, Process
from tests.faults.own_database import own_database
from tests.faults.truth import (
    assert_a_new_run_works,
    assert_ended,
    assert_whole,
    executed_again,
    result_count,
    states,
)
from tests.formulation.small_plants import baseline

PATIENCE = {"patience__PATIENCE_SECONDS": 0.6}


def make_wide() -> Plant:
    """Return a plant that is solved at once and whose plan has many rows."""
    plant = make_plant("Wide")
    for week in range(1, 13):
        plant.periods.create(sequence=week, name=f"Week {week}")
    saw = Machine.objects.create(plant=plant, name="Saw", available_hours=100)
    for number in range(60):
        product = Product.objects.create(plant=plant, name=f"Product {number}", profit_per_unit=5, max_demand=3)
        ProductionRecipe.objects.create(product=product, machine=saw, hours_required=1)
    return plant


@pytest.fixture(scope="module")
def database(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Move the site to a file of its own."""
    file = tmp_path_factory.mktemp("disk") / "site.sqlite3"
    with django_db_blocker.unblock(), own_database(f"sqlite:///{file}"):
        yield


@pytest.fixture
def run(database: None, nursery: Nursery, django_db_blocker: Any) -> Iterator[Run]:
    """Return a queued run in that file."""
    with django_db_blocker.unblock():
        yield start_run(baseline(make_wide()), RunOptions(time_limit=60), here=True)
        nursery.clear()
        Plant.objects.all().delete()


def pages_used() -> int:
    """Return the size of the database in pages, once nothing in it is free."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA page_count")
        return int(cursor.fetchone()[0])


def without_room(nursery: Nursery, run: Run, pages: int) -> Process:
    """Return the ended process of the run, for which the database could not grow beyond so many pages."""
    limit = f" PRAGMA max_page_count={pages};"
    process = nursery.start("execute_run", run.pk, run.attempt, init_command=limit, **PATIENCE)
    process.wait()
    assert "database or disk is full" in process.log
    return process


def fill(run: Run, pages: int) -> None:
    """Write into the run's story until the last of so many pages is full."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA max_page_count={pages}")
    while True:
        record(run.pk, "failed", 1, "x", "")


def test_the_plan_does_not_fit(run: Run, nursery: Nursery) -> None:
    """The few words that the run ends with do."""
    assert without_room(nursery, run, pages_used() + 12).code == 0
    assert_ended(run, "failed", "database or disk is full")
    assert states(run) == ["queued 1", "running 1", "failed 1"]
    assert result_count(run) == 0
    assert_a_new_run_works(run.plant)


def test_not_even_the_claim_fits(run: Run, nursery: Nursery) -> None:
    pages = pages_used()
    other = make_run(run.plant, state="failed", finished_at=timezone.now())
    with pytest.raises(OperationalError, match="full"):
        fill(other, pages)
    assert without_room(nursery, run, pages).code == 1
    assert states(run) == ["queued 1"]
    assert_whole(run)
    connection.close()  # and with it the limit
    other.delete()
    assert executed_again(run).state == "solved"
    assert_a_new_run_works(run.plant)

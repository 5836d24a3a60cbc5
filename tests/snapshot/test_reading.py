"""Reading a plant: a fixed number of queries, whatever its size."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from planning.models import (
    BASELINE,
    Machine,
    MachinePeriod,
    MaterialRequirement,
    Period,
    Plant,
    Product,
    ProductionRecipe,
    ProductPeriod,
    RawMaterial,
    Route,
)
from planning.snapshot import take_snapshot
from tests.factories import make_furniture, make_plant

pytestmark = pytest.mark.django_db


def make_large(products: int = 200, periods: int = 6) -> Plant:
    """Return a plant with so many products, each with a route, a recipe, a requirement and period rows."""
    plant = make_plant("Large")
    weeks = Period.objects.bulk_create(Period(plant=plant, sequence=t, name=f"Week {t}") for t in range(1, periods + 1))
    machine = Machine.objects.create(plant=plant, name="Saw", available_hours=1000)
    MachinePeriod.objects.create(machine=machine, period=weeks[0], units_down=1)
    wood = RawMaterial.objects.create(plant=plant, name="Wood")
    made = Product.objects.bulk_create(Product(plant=plant, name=f"Product {p}", max_demand=5) for p in range(products))
    routes = Route.objects.bulk_create(Route(product=product, name="Fast") for product in made)
    ProductPeriod.objects.bulk_create(ProductPeriod(product=p, period=t, max_demand=9) for p in made for t in weeks)
    ProductionRecipe.objects.bulk_create(
        ProductionRecipe(product=p, machine=machine, route=r, hours_required=1)
        for p, r in zip(made, routes, strict=True)
    )
    MaterialRequirement.objects.bulk_create(
        MaterialRequirement(product=p, material=wood, quantity_required=1) for p in made
    )
    return plant


def queries_of(plant: Plant) -> list[str]:
    """Return the tables that a snapshot reads, in order."""
    with CaptureQueriesContext(connection) as captured:
        take_snapshot(plant.pk, BASELINE)
    said = [query["sql"] for query in captured.captured_queries]
    return [sql.split(" FROM ")[1].split()[0] for sql in said if sql.startswith("SELECT")]


def test_the_number_of_queries_does_not_grow_with_the_plant() -> None:
    small, large = make_furniture(), make_large()
    assert queries_of(small) == queries_of(large)


def test_each_table_is_read_once() -> None:
    read = queries_of(make_furniture())
    assert len(read) == len(set(read))


def test_another_plant_is_not_read() -> None:
    make_large(3, 2)
    snapshot = take_snapshot(make_furniture().pk, BASELINE)
    assert names(snapshot["products"]) == ["Chair", "Table", "Desk"]
    assert names(snapshot["machines"]) == ["Cutting Machine", "Assembly Station"]
    assert names(snapshot["periods"]) == ["1"]


def test_what_was_read_asks_the_database_no_more(django_assert_num_queries: Any) -> None:
    snapshot = take_snapshot(make_furniture().pk, BASELINE)
    with django_assert_num_queries(0):
        grid = snapshot["product_grid"]
        assert [grid.record(row).product.name for row in range(grid.size)] == ["Chair", "Table", "Desk"]


def names(table: Any) -> list[str]:
    return [str(name) for name in table.columns["name"].tolist()]

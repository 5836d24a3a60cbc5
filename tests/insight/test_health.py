"""Data health: what blocks a plan, what deserves a look, and which machines all demand would fill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from planning.insight import Health, health
from planning.models import Machine, Plant, Product, RawMaterial
from tests.factories import make_furniture
from tests.formulation.small_plants import bring, weeks

pytestmark = pytest.mark.django_db


def of(plant: Plant) -> Health:
    return health(plant.pk)


def places(found: Any) -> list[tuple[str, str]]:
    return [(problem.table, problem.row) for problem in found]


def make_parts(folder: Path, **saw: Any) -> Plant:
    """Return chairs of four legs; the saw makes legs, the bench puts them together."""
    return bring(
        folder,
        periods=weeks(2),
        products=[{"name": "Chair", "min_demand": 5, "max_demand": 10}, {"name": "Leg", "max_demand": 0}],
        machines=[{"name": "Saw", "available_hours": 20, **saw}, {"name": "Bench", "available_hours": 100}],
        production_recipes=[
            {"product": "Leg", "machine": "Saw", "hours_required": 0.5},
            {"product": "Chair", "machine": "Bench", "hours_required": 1},
        ],
        component_requirements=[{"product": "Chair", "component": "Leg", "quantity_required": 4}],
    )


def test_good_data_are_green() -> None:
    found = of(make_furniture())
    assert (found.colour, found.errors, found.warnings) == ("green", (), ())


def test_what_refuses_a_run_is_red() -> None:
    plant = make_furniture()
    Product.objects.filter(plant=plant, name="Chair").update(min_batch_size=9, max_batch_size=None)
    Product.objects.filter(plant=plant, name="Chair").update(min_inventory=3)
    found = of(plant)
    assert found.colour == "red"
    assert places(found.errors) == [("products", "Chair")]


def test_a_setup_without_a_limit_is_red(tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        products=[{"name": "A", "profit_per_unit": 1, "min_batch_size": 2}],
        routes=[{"product": "A", "name": "Any"}],
    )
    assert "nothing in the data limits how much" in of(plant).errors[0].text


def test_what_nothing_uses_is_amber() -> None:
    plant = make_furniture()
    Machine.objects.create(plant=plant, name="Old Lathe", available_hours=10)
    RawMaterial.objects.create(plant=plant, name="Tin", available_quantity=5)
    found = of(plant)
    assert found.colour == "amber"
    assert places(found.warnings) == [("machines", "Old Lathe"), ("raw_materials", "Tin")]


def test_demand_that_must_be_met_is_held_against_the_hours_of_components_too(tmp_path: Path) -> None:
    plant = make_parts(tmp_path)
    assert of(plant).warnings == ()
    Machine.objects.filter(name="Saw").update(available_hours=9)
    (warning,) = of(plant).warnings
    assert (warning.table, warning.row, warning.column) == ("machines", "Saw", "available_hours")
    assert 'up to period 1 takes 10 hours of "Saw", and there are 9 with overtime' in warning.text


def test_overtime_counts_as_hours(tmp_path: Path) -> None:
    plant = make_parts(tmp_path, max_overtime_hours=1, overtime_cost_per_hour=5)
    Machine.objects.filter(name="Saw").update(available_hours=9)
    assert of(plant).warnings == ()


def test_hours_of_an_earlier_period_count_for_a_later_one(tmp_path: Path) -> None:
    plant = make_parts(tmp_path)
    Product.objects.filter(name="Chair").update(min_demand=0)
    chair = Product.objects.get(name="Chair")
    chair.product_periods.create(period=plant.periods.get(name="2"), min_demand=10)
    assert of(plant).warnings == ()


def test_loads_are_those_of_all_demand_fullest_first(tmp_path: Path) -> None:
    loads = of(make_parts(tmp_path)).loads
    assert [(load.machine, load.hours, load.available, load.percent) for load in loads] == [
        ("Saw", 40.0, 40.0, 100.0),
        ("Bench", 20.0, 200.0, 10.0),
    ]


def test_the_leanest_route_counts(tmp_path: Path) -> None:
    plant = make_parts(tmp_path)
    leg = Product.objects.get(name="Leg")
    fast, slow = (leg.routes.create(name=name) for name in ("Fast", "Slow"))
    recipe = leg.production_recipes.get()
    recipe.route, recipe.hours_required = fast, 0.25
    recipe.save()
    leg.production_recipes.create(machine=Machine.objects.get(name="Saw"), route=slow, hours_required=2)
    assert of(plant).loads[0].hours == pytest.approx(20.0)


def test_the_number_of_queries_does_not_grow() -> None:
    small = make_furniture()
    with CaptureQueriesContext(connection) as first:
        of(small)
    for number in range(20):
        Product.objects.create(plant=small, name=f"P{number}", max_demand=1)
    with CaptureQueriesContext(connection) as second:
        of(small)
    assert len(first) == len(second)

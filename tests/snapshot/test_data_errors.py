"""Every data error of the plan format, found all at once, with table, row, column and remedy."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from planning.models import BASELINE, Plant
from planning.snapshot import DataProblems, Problem, take_snapshot
from tests.factories import make_plant
from tests.formulation.small_plants import bring, solved, weeks

pytestmark = pytest.mark.django_db

CHAIR = {"name": "Chair"}
SAW = {"name": "Saw"}
RECIPE = {"product": "Chair", "machine": "Saw"}


def errors_of(plant: Plant) -> list[Problem]:
    """Return the problems of the plant's Baseline; none if a snapshot can be taken."""
    try:
        take_snapshot(plant.pk, BASELINE)
    except DataProblems as problems:
        return problems.errors
    return []


def places(plant: Plant) -> list[tuple[str, str, str]]:
    """Return where the plant's errors stand."""
    return [(error.table, error.row, error.column) for error in errors_of(plant)]


def with_period(table: str, parent: str, relation: str, below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return a plant in which week 2 contradicts its parent."""
    return {
        parent: [{"name": "Chair" if parent == "products" else "Wood", **below}],
        table: [{relation: "Chair" if parent == "products" else "Wood", "period": "2", **above}],
    }


CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str, str]], str]] = {
    "max_demand below min_demand": (
        with_period(
            "product_periods", "products", "product", {"min_demand": 5, "initial_inventory": 99}, {"max_demand": 4}
        ),
        [("product_periods", "Chair / 2", "max_demand")],
        "Raise max_demand or lower min_demand",
    ),
    "min_inventory of a product above max_inventory": (
        with_period(
            "product_periods",
            "products",
            "product",
            {"holding_cost_per_unit": 0, "max_inventory": 5},
            {"min_inventory": 6},
        ),
        [("product_periods", "Chair / 2", "max_inventory")],
        "Raise max_inventory or lower min_inventory",
    ),
    "min_inventory of a material above max_inventory": (
        with_period(
            "raw_material_periods",
            "raw_materials",
            "material",
            {"holding_cost_per_unit": 0, "max_inventory": 5},
            {"min_inventory": 6},
        )
        | {"products": [CHAIR]},
        [("raw_material_periods", "Wood / 2", "max_inventory")],
        "Raise max_inventory or lower min_inventory",
    ),
    "min_batch_size of a product above max_batch_size": (
        with_period("product_periods", "products", "product", {"min_batch_size": 5}, {"max_batch_size": 4}),
        [("product_periods", "Chair / 2", "max_batch_size")],
        "Raise max_batch_size or lower min_batch_size",
    ),
    "min_batch_size of a product above max_batch_size of a route": (
        {
            "products": [{**CHAIR, "min_batch_size": 5}],
            "routes": [{"product": "Chair", "name": "Fast", "max_batch_size": 4}],
        },
        [("routes", "Chair / Fast", "max_batch_size")],
        "Raise max_batch_size or lower min_batch_size",
    ),
    "min_batch_size of a route above max_batch_size of the route in a period": (
        {
            "products": [CHAIR],
            "routes": [{"product": "Chair", "name": "Fast", "min_batch_size": 5}],
            "route_periods": [{"product": "Chair", "route": "Fast", "period": "2", "max_batch_size": 4}],
        },
        [("route_periods", "Chair / Fast / 2", "max_batch_size")],
        "Raise max_batch_size or lower min_batch_size",
    ),
    "units_down above units": (
        {
            "products": [CHAIR],
            "machines": [{**SAW, "units": 2}],
            "machine_periods": [{"machine": "Saw", "period": "2", "units_down": 3}],
        },
        [("machine_periods", "Saw / 2", "units_down")],
        "Lower units_down or raise units",
    ),
    "min_inventory of a product that can't be stored": (
        {"products": [{**CHAIR, "min_inventory": 5}]},
        [("products", "Chair", "min_inventory")],
        "Give it a holding_cost_per_unit",
    ),
    "min_inventory of a period in which a product can't be stored": (
        {"products": [CHAIR], "product_periods": [{"product": "Chair", "period": "2", "min_inventory": 5}]},
        [("product_periods", "Chair / 2", "min_inventory")],
        "Give it a holding_cost_per_unit",
    ),
    "final_inventory of a product that can't be stored": (
        {"products": [{**CHAIR, "final_inventory": 5}]},
        [("products", "Chair", "final_inventory")],
        "Give it a holding_cost_per_unit",
    ),
    "min_inventory and final_inventory of a product that can't be stored": (
        {"products": [{**CHAIR, "min_inventory": 2, "final_inventory": 5}]},
        [("products", "Chair", "min_inventory"), ("products", "Chair", "final_inventory")],
        "Give it a holding_cost_per_unit",
    ),
    "final_inventory of a material that can't be stored": (
        {"products": [CHAIR], "raw_materials": [{"name": "Wood", "final_inventory": 5}]},
        [("raw_materials", "Wood", "final_inventory")],
        "Give it a holding_cost_per_unit",
    ),
    "min_inventory of a material that can't be stored": (
        {"products": [CHAIR], "raw_materials": [{"name": "Wood", "min_inventory": 5}]},
        [("raw_materials", "Wood", "min_inventory")],
        "Give it a holding_cost_per_unit",
    ),
    "demand with no way to get the product": (
        {"products": [{**CHAIR, "min_demand": 5}]},
        [("products", "Chair", "min_demand")],
        "Add a recipe",
    ),
    "demand of one period with no way to get the product": (
        {"products": [CHAIR], "product_periods": [{"product": "Chair", "period": "2", "min_demand": 5}]},
        [("product_periods", "Chair / 2", "min_demand")],
        "Add a recipe",
    ),
    "a circle of components": (
        {
            "products": [{"name": name} for name in "ABC"],
            "component_requirements": [
                {"product": product, "component": component, "quantity_required": 1}
                for product, component in ("AB", "BC", "CA")
            ],
        },
        [("component_requirements", "A / B", "component")],
        'form a circle: "A" needs "B" needs "C" needs "A". Remove one',
    ),
    "a product that is its own component": (
        {
            "products": [CHAIR],
            "component_requirements": [{"product": "Chair", "component": "Chair", "quantity_required": 1}],
        },
        [("component_requirements", "Chair / Chair", "component")],
        'form a circle: "Chair" needs "Chair". Remove one',
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_error_names_its_place_and_a_remedy(case: str, tmp_path: Path) -> None:
    tables, wanted, remedy = CASES[case]
    plant = bring(tmp_path, periods=weeks(2), **tables)
    assert places(plant) == wanted
    for error in errors_of(plant):
        assert remedy in error.text
        assert f'"{wanted[0][1].split(" / ", maxsplit=1)[0]}"' in error.text


def test_all_errors_are_found_at_once(tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        periods=weeks(2),
        products=[
            {"name": "Wish", "min_demand": 5},
            {"name": "Kept", "final_inventory": 1},
            {"name": "Crossed", "min_batch_size": 5},
            {"name": "A"},
            {"name": "B"},
        ],
        machines=[{**SAW, "units": 0}],
        raw_materials=[{"name": "Wood", "min_inventory": 1}],
        product_periods=[{"product": "Crossed", "period": "1", "max_batch_size": 4}],
        machine_periods=[{"machine": "Saw", "period": "1", "units_down": 1}],
        component_requirements=[
            {"product": product, "component": component, "quantity_required": 1} for product, component in ("AB", "BA")
        ],
        customers=[{"name": "Ada"}],
        customer_orders=[
            {"reference": "O1", "customer": "Ada", "product": "A", "period": "1", "target_quantity": 1},
        ],
    )
    assert sorted(places(plant)) == [
        ("component_requirements", "A / B", "component"),
        ("machine_periods", "Saw / 1", "units_down"),
        ("product_periods", "Crossed / 1", "max_batch_size"),
        ("products", "Kept", "final_inventory"),
        ("products", "Wish", "min_demand"),
        ("raw_materials", "Wood", "min_inventory"),
    ]


def test_each_period_that_contradicts_is_named(tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        periods=weeks(3),
        products=[{**CHAIR, "min_batch_size": 5}],
        product_periods=[{"product": "Chair", "period": t, "max_batch_size": 4} for t in ("1", "3")],
    )
    assert [row for _, row, _ in places(plant)] == ["Chair / 1", "Chair / 3"]


def test_two_circles_are_two_errors(tmp_path: Path) -> None:
    pairs = ("AB", "BA", "CD", "DC")
    plant = bring(
        tmp_path,
        products=[{"name": name} for name in "ABCD"],
        component_requirements=[{"product": a, "component": b, "quantity_required": 1} for a, b in pairs],
    )
    assert [row for _, row, _ in places(plant)] == ["A / B", "C / D"]


def test_a_long_chain_of_components_is_no_circle(tmp_path: Path) -> None:
    names = [f"P{i}" for i in range(1200)]
    plant = bring(
        tmp_path,
        products=[{"name": name, "max_demand": 1, "holding_cost_per_unit": 1, "min_batch_size": 2} for name in names],
        component_requirements=[{"product": a, "component": b, "quantity_required": 0.5} for a, b in pairwise(names)],
    )
    assert errors_of(plant) == []


def test_a_plant_without_products_is_refused() -> None:
    assert places(make_plant()) == [("products", "", "name")]


# --- ways to get a product --------------------------------------------------------------------

WAYS: dict[str, dict[str, Any]] = {
    "made": {"products": [{**CHAIR, "min_demand": 5}], "machines": [SAW], "production_recipes": [RECIPE]},
    "bought in one period": {
        "products": [{**CHAIR, "min_demand": 5}],
        "product_periods": [{"product": "Chair", "period": "2", "purchase_cost_per_unit": 0}],
    },
    "in stock": {"products": [{**CHAIR, "min_demand": 5, "initial_inventory": 1}]},
    "left short": {"products": [{**CHAIR, "min_demand": 5, "shortage_cost_per_unit": 0}]},
    "a by-product": {
        "products": [{**CHAIR, "min_demand": 5}, {"name": "Desk"}],
        "routes": [{"product": "Desk", "name": "Fast"}],
        "by_products": [{"product": "Desk", "by_product": "Chair", "quantity_produced": 1}],
    },
}
NO_WAYS: dict[str, dict[str, Any]] = {
    "its routes are not active": {
        "products": [{**CHAIR, "min_demand": 5}],
        "machines": [SAW],
        "routes": [{"product": "Chair", "name": "Fast", "active": False}],
        "production_recipes": [RECIPE],
    },
    "its component is not active": {
        "products": [{**CHAIR, "min_demand": 5}, {"name": "Leg", "active": False}],
        "component_requirements": [{"product": "Chair", "component": "Leg", "quantity_required": 4}],
    },
    "what yields it is not active": {
        "products": [{**CHAIR, "min_demand": 5}, {"name": "Desk", "active": False}],
        "routes": [{"product": "Desk", "name": "Fast"}],
        "by_products": [{"product": "Desk", "by_product": "Chair", "quantity_produced": 1}],
    },
    "what yields it is not made": {
        "products": [{**CHAIR, "min_demand": 5}, {"name": "Desk"}],
        "by_products": [{"product": "Desk", "by_product": "Chair", "quantity_produced": 1}],
    },
    "it may only be late": {"products": [{**CHAIR, "min_demand": 5, "backlog_cost_per_unit": 0}]},
}
WHY = {
    "its routes are not active": "none of its routes is active",
    "its component is not active": "needs a component that is not active",
}


@pytest.mark.parametrize("case", WAYS)
def test_a_product_with_demand_may_be(case: str, tmp_path: Path) -> None:
    assert places(bring(tmp_path, periods=weeks(2), **WAYS[case])) == []


@pytest.mark.parametrize("case", NO_WAYS)
def test_there_is_no_way_to_get_a_product_where(case: str, tmp_path: Path) -> None:
    plant = bring(tmp_path, **NO_WAYS[case])
    assert places(plant) == [("products", "Chair", "min_demand")]
    assert WHY.get(case, "it has no recipe") in errors_of(plant)[0].text


# --- what does not count, and what goes to the solver -------------------------------------------


def test_errors_of_what_is_not_active_do_not_count(tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        periods=weeks(2),
        products=[
            {**CHAIR, "min_batch_size": 5},
            {"name": "Off", "min_demand": 5, "min_inventory": 3, "min_batch_size": 6, "active": False},
        ],
        product_periods=[{"product": "Off", "period": "1", "max_batch_size": 1, "max_demand": 1}],
        routes=[
            {"product": "Chair", "name": "Fast"},
            {"product": "Chair", "name": "Off", "max_batch_size": 1, "active": False},
        ],
        component_requirements=[
            {"product": "Chair", "component": "Off", "route": "Off", "quantity_required": 1},
            {"product": "Off", "component": "Chair", "quantity_required": 1},
            {"product": "Off", "component": "Off", "quantity_required": 1},
        ],
    )
    assert places(plant) == []


SOLVER: dict[str, dict[str, Any]] = {
    "demand above what the hours allow": {
        "products": [{**CHAIR, "min_demand": 5}],
        "machines": [{**SAW, "available_hours": 4}],
        "production_recipes": [{**RECIPE, "hours_required": 1}],
    },
    "stock below the demand": {"products": [{**CHAIR, "min_demand": 5, "initial_inventory": 4}]},
    "more opening stock than may be kept": {
        "products": [{**CHAIR, "max_demand": 1, "initial_inventory": 9, "max_inventory": 2, "holding_cost_per_unit": 0}]
    },
    "more maintenance than units and periods": {
        "products": [CHAIR],
        "machines": [{**SAW, "maintenance_units": 2}],
    },
    "required stock that nothing brings": {
        "products": [{**CHAIR, "final_inventory": 5, "holding_cost_per_unit": 0}],
    },
    "a material that nothing brings": {
        "products": [CHAIR],
        "raw_materials": [{"name": "Wood", "available_quantity": 0, "final_inventory": 5, "holding_cost_per_unit": 0}],
    },
    "a component that is neither made nor bought": {
        "products": [{**CHAIR, "min_demand": 5}, {"name": "Leg"}],
        "component_requirements": [{"product": "Chair", "component": "Leg", "quantity_required": 4}],
    },
}


@pytest.mark.parametrize("case", SOLVER)
def test_the_solver_says_infeasible_of(case: str, tmp_path: Path) -> None:
    plant = bring(tmp_path, **SOLVER[case])
    assert places(plant) == []
    assert solved(plant)["status"] == "infeasible"

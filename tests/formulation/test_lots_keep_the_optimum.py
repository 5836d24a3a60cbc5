"""The largest lot never cuts off the best plan: nasty plants against the reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.formulation.small_plants import best_by_reference, bring, solved, weeks

pytestmark = pytest.mark.django_db

# A burner takes what nobody wants: it has a setup, is not sold, and what is left of it lapses.
BURNER = {"name": "Burner", "max_demand": 0}
SETUP = {"machine": "Saw", "hours_required": 0, "setup_cost": 1}


def recipe(product: str, **cells: Any) -> dict[str, Any]:
    return {"product": product, "machine": "Saw", **cells}


PLANTS: dict[str, dict[str, Any]] = {
    "opening stock that costs holding is burnt": {
        "products": [
            {"name": "Scrap", "max_demand": 0, "holding_cost_per_unit": 5, "initial_inventory": 8},
            BURNER,
        ],
        "production_recipes": [recipe("Burner", **SETUP)],
        "component_requirements": [{"product": "Burner", "component": "Scrap", "quantity_required": 2}],
    },
    "opening stock above the most that may be kept is burnt": {
        "products": [
            {"name": "Scrap", "max_demand": 0, "holding_cost_per_unit": 0, "initial_inventory": 8, "max_inventory": 3},
            BURNER,
        ],
        "production_recipes": [recipe("Burner", **SETUP)],
        "component_requirements": [{"product": "Burner", "component": "Scrap", "quantity_required": 1}],
    },
    "a material that costs holding is burnt": {
        "products": [BURNER],
        "raw_materials": [
            {"name": "Sludge", "available_quantity": 0, "holding_cost_per_unit": 5, "initial_inventory": 8}
        ],
        "production_recipes": [recipe("Burner", **SETUP)],
        "material_requirements": [{"product": "Burner", "material": "Sludge", "quantity_required": 0.5}],
    },
    "what a smallest lot leaves over is burnt": {
        "products": [
            {
                "name": "Part",
                "min_demand": 1,
                "max_demand": 1,
                "profit_per_unit": 50,
                "holding_cost_per_unit": 9,
                "min_batch_size": 20,
            },
            BURNER,
        ],
        "production_recipes": [recipe("Part", hours_required=1), recipe("Burner", **SETUP)],
        "component_requirements": [{"product": "Burner", "component": "Part", "quantity_required": 1}],
    },
    "a by-product that must be kept is burnt": {
        "products": [
            {"name": "Beer", "max_demand": 10, "profit_per_unit": 20},
            {"name": "Grain", "max_demand": 0, "holding_cost_per_unit": 9},
            BURNER,
        ],
        "production_recipes": [recipe("Beer", hours_required=1), recipe("Burner", **SETUP)],
        "by_products": [{"product": "Beer", "by_product": "Grain", "quantity_produced": 3}],
        "component_requirements": [{"product": "Burner", "component": "Grain", "quantity_required": 2}],
    },
    "what is made for its by-product is burnt": {
        "products": [
            {"name": "Gas", "max_demand": 10, "profit_per_unit": 50},
            {"name": "Tar", "max_demand": 0, "holding_cost_per_unit": 9},
            BURNER,
        ],
        "production_recipes": [recipe("Tar", hours_required=1), recipe("Burner", **SETUP)],
        "by_products": [{"product": "Tar", "by_product": "Gas", "quantity_produced": 1}],
        "component_requirements": [{"product": "Burner", "component": "Tar", "quantity_required": 1}],
    },
    "scrap is burnt through a product in between": {
        "products": [
            {"name": "Scrap", "max_demand": 0, "holding_cost_per_unit": 9, "initial_inventory": 8},
            {"name": "Briquette", "max_demand": 0, "holding_cost_per_unit": 9},
            BURNER,
        ],
        "production_recipes": [recipe("Briquette", **SETUP), recipe("Burner", **SETUP)],
        "component_requirements": [
            {"product": "Briquette", "component": "Scrap", "quantity_required": 1},
            {"product": "Burner", "component": "Briquette", "quantity_required": 2},
        ],
    },
    "required stock that is no longer required is burnt": {
        "periods": weeks(3),
        "products": [
            {"name": "Scrap", "max_demand": 0, "holding_cost_per_unit": 9, "production_cost_per_unit": 1},
            BURNER,
        ],
        "product_periods": [{"product": "Scrap", "period": "1", "min_inventory": 6}],
        "production_recipes": [recipe("Scrap", hours_required=1), recipe("Burner", **SETUP)],
        "component_requirements": [{"product": "Burner", "component": "Scrap", "quantity_required": 1}],
    },
    "backlog is delivered in one late lot": {
        "periods": weeks(4),
        "products": [
            {"name": "Chair", "min_demand": 5, "max_demand": 5, "profit_per_unit": 10, "backlog_cost_per_unit": 1},
        ],
        "production_recipes": [recipe("Chair", hours_required=0.1, setup_cost=40)],
    },
    "one early lot serves all later periods": {
        "periods": weeks(4),
        "products": [
            {
                "name": "Chair",
                "min_demand": 5,
                "max_demand": 5,
                "profit_per_unit": 10,
                "holding_cost_per_unit": 1,
                "final_inventory": 3,
            },
        ],
        "production_recipes": [recipe("Chair", hours_required=0.1, setup_cost=40)],
    },
    "a smallest lot above demand is made and thrown away": {
        "products": [{"name": "Chair", "max_demand": 5, "profit_per_unit": 50, "min_batch_size": 12}],
        "production_recipes": [recipe("Chair", hours_required=1)],
    },
    "whole units above a fraction of demand": {
        "products": [{"name": "Chair", "max_demand": 4.5, "profit_per_unit": 50, "whole_units": True}],
        "production_recipes": [recipe("Chair", hours_required=1, setup_cost=1)],
    },
    "components for a smallest lot above demand": {
        "products": [
            {"name": "Leg", "max_demand": 0},
            {"name": "Chair", "max_demand": 5, "profit_per_unit": 50, "min_batch_size": 12},
        ],
        "production_recipes": [recipe("Chair", hours_required=1), recipe("Leg", hours_required=0.1, setup_cost=1)],
        "component_requirements": [{"product": "Chair", "component": "Leg", "quantity_required": 4}],
    },
    "stock that can't be kept in the period between": {
        "periods": weeks(3),
        "products": [{"name": "Chair", "max_demand": 5, "profit_per_unit": 50}],
        "product_periods": [{"product": "Chair", "period": "1", "holding_cost_per_unit": 1}],
        "production_recipes": [recipe("Chair", hours_required=0.1, setup_cost=100)],
    },
    "two routes share the demand": {
        "products": [{"name": "Chair", "max_demand": 30, "profit_per_unit": 50}],
        "routes": [
            {"product": "Chair", "name": "Fast", "setup_cost": 10, "max_batch_size": 20},
            {"product": "Chair", "name": "Slow", "setup_cost": 5, "min_batch_size": 4},
        ],
        "production_recipes": [
            recipe("Chair", hours_required=1, route="Fast"),
            recipe("Chair", hours_required=2, route="Slow"),
        ],
    },
}


@pytest.mark.parametrize("case", PLANTS)
def test_the_best_plan_is_found(case: str, tmp_path: Path) -> None:
    tables = {"machines": [{"name": "Saw", "available_hours": 1000}], **PLANTS[case]}
    shown = solved(bring(tmp_path, **tables))
    answer = best_by_reference(tmp_path)
    assert shown["status"] == answer.status == "optimal", shown["reason"]
    assert shown["objective"] == pytest.approx(answer.objective, rel=1e-6, abs=1e-5)

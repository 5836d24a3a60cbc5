"""A plant in which every column of a solved run has something to say, and hard ones that take their time."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from planning.models import Machine, Plant, Product, ProductionRecipe
from tests.factories import make_plant
from tests.formulation.small_plants import bring, weeks

RICH: dict[str, Any] = {
    "plant": [{"name": "Rich", "charge_materials": True}],
    "periods": weeks(3),
    "products": [
        # sold, made on two routes, late and short at times
        {
            "name": "Chair",
            "profit_per_unit": 90,
            "production_cost_per_unit": 2,
            "min_demand": 24,
            "max_demand": 26,
            "holding_cost_per_unit": 1,
            "initial_inventory": 3,
            "final_inventory": 2,
            "max_inventory": 30,
            "backlog_cost_per_unit": 4,
            "shortage_cost_per_unit": 70,
            "whole_units": True,
        },
        # a component, partly bought
        {
            "name": "Leg",
            "production_cost_per_unit": 1,
            "max_demand": 0,
            "holding_cost_per_unit": 0.5,
            "purchase_cost_per_unit": 6,
            "max_purchase": 12,
            "min_batch_size": 8,
        },
        # a by-product that lapses
        {"name": "Dust", "profit_per_unit": 0.5, "max_demand": 5},
    ],
    "product_periods": [
        {"product": "Chair", "period": "2", "min_demand": 12, "max_demand": 14},
        {"product": "Chair", "period": "3", "min_demand": 18, "max_demand": 18},
        {"product": "Leg", "period": "3", "purchase_cost_per_unit": 5},
    ],
    "machines": [
        {
            "name": "Saw",
            "available_hours": 4,
            "units": 2,
            "maintenance_units": 1,
            "max_overtime_hours": 4,
            "overtime_cost_per_hour": 9,
        },
        {"name": "Press", "available_hours": 28},
        {"name": "Oven", "available_hours": 100},
        {"name": "Yard"},
    ],
    "machine_periods": [{"machine": "Saw", "period": "2", "units_down": 1}],
    "raw_materials": [
        {
            "name": "Wood",
            "available_quantity": 60,
            "cost_per_unit": 2,
            "holding_cost_per_unit": 0.2,
            "initial_inventory": 10,
            "final_inventory": 4,
        },
        {"name": "Glue", "cost_per_unit": 1},
        {"name": "Milk", "available_quantity": 3, "initial_inventory": 5},
    ],
    "routes": [
        {"product": "Chair", "name": "Fast", "cost_per_unit": 3, "setup_cost": 5, "max_batch_size": 40},
        {"product": "Chair", "name": "Slow", "cost_per_unit": 0.5, "max_batch_size": 40},
    ],
    "production_recipes": [
        {"product": "Chair", "machine": "Saw", "hours_required": 0.25, "setup_hours": 0.5, "setup_cost": 2},
        {"product": "Chair", "machine": "Saw", "route": "Slow", "hours_required": 0.75},
        {"product": "Chair", "machine": "Yard", "hours_required": 1},
        {"product": "Chair", "machine": "Oven", "hours_required": 1},
        {"product": "Leg", "machine": "Press", "hours_required": 0.5, "setup_cost": 3},
    ],
    "material_requirements": [
        {"product": "Chair", "material": "Wood", "quantity_required": 3},
        {"product": "Chair", "material": "Glue", "quantity_required": 1},
    ],
    "component_requirements": [{"product": "Chair", "component": "Leg", "quantity_required": 4}],
    "by_products": [{"product": "Chair", "by_product": "Dust", "quantity_produced": 0.5}],
    "customers": [{"name": "Ada", "tier": "GOLD"}, {"name": "Bob"}],
    "customer_orders": [
        {"reference": "O1", "customer": "Ada", "product": "Chair", "period": "1", "target_quantity": 27},
        {
            "reference": "O2",
            "customer": "Bob",
            "product": "Chair",
            "period": "2",
            "target_quantity": 20,
            "weight": 2,
            "late_cost_per_unit": 1.5,
        },
        {"reference": "O3", "customer": "Bob", "product": "Dust", "period": "3", "target_quantity": 2, "priority": 4},
    ],
    "goals": [
        {
            "name": "Chairs",
            "priority": 4,
            "measure": "production",
            "target_name": "Chair",
            "sense": "at_least",
            "target": 70,
            "weight_under": 3,
        },
        {
            "name": "Wood",
            "priority": 5,
            "measure": "material_quantity",
            "target_name": "Wood",
            "sense": "at_most",
            "target": 100,
        },
    ],
}


def make_rich(folder: Path) -> Plant:
    """Return the rich plant."""
    return bring(folder, **RICH)


def make_hard(name: str = "Hard", products: int = 60, machines: int = 8, periods: int = 12) -> Plant:
    """Return a plant whose setups keep a solver busy for minutes, though a plan is found at once."""
    chance = random.Random(3)
    plant = make_plant(name)
    weeks = [plant.periods.create(sequence=t, name=f"Week {t}") for t in range(1, periods + 1)]
    made = [
        Product.objects.create(
            plant=plant,
            name=f"Product {p}",
            profit_per_unit=chance.randint(20, 60),
            max_demand=chance.randint(5, 20),
            holding_cost_per_unit=1,
        )
        for p in range(products)
    ]
    saws = [
        Machine.objects.create(plant=plant, name=f"Machine {m}", available_hours=products * 1.3)
        for m in range(machines)
    ]
    ProductionRecipe.objects.bulk_create(
        ProductionRecipe(
            product=product,
            machine=machine,
            hours_required=chance.uniform(0.5, 2),
            setup_hours=chance.uniform(2, 9),
            setup_cost=chance.randint(50, 200),
        )
        for product in made
        for machine in chance.sample(saws, 3)
    )
    assert weeks
    return plant

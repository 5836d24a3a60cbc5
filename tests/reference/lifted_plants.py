"""A plant's data with values lifted (a limit blank, a requirement 0), and whether they allow a plan then.

A stock at the start that is lifted is there for whoever wants it, and nobody has to.
"""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import Any

from tests.reference.plan_reference import Formulation
from tests.reference.plan_tables import KEYS, PERIOD_TABLES, PlantData, Tables
from tests.reference.program import Program
from tests.reference.random_plants import random_plant

ROOMY = 2000.0  # far above what the random plants deal in, and near enough for a setup's M
LIFTED: dict[str, dict[str, float | None]] = {
    "products": {
        "min_demand": 0.0,
        "max_demand": None,
        "min_inventory": 0.0,
        "max_inventory": None,
        "final_inventory": 0.0,
        "max_purchase": None,
        "min_batch_size": 0.0,
        "max_batch_size": ROOMY,
    },
    "machines": {"available_hours": None, "max_overtime_hours": None, "units_down": 0, "maintenance_units": 0},
    "raw_materials": {
        "available_quantity": None,
        "min_inventory": 0.0,
        "max_inventory": None,
        "final_inventory": 0.0,
    },
    "routes": {"min_batch_size": 0.0, "max_batch_size": ROOMY},
}
OF_NO_PERIOD = ("final_inventory", "maintenance_units")
Place = tuple[str, str, str, str]  # table with a row per name, row, period, field


def places_of(conflict: list[dict[str, str]]) -> list[Place]:
    """Return where the values of a run's conflict stand, tables of values by period as their parents."""
    return [
        (PERIOD_TABLES[row["table"]][0] if row["table"] in PERIOD_TABLES else row["table"],
         row["row"], row["period"], row["field"])
        for row in conflict
    ]  # fmt: skip


def allows_a_plan(plant: PlantData, *, standing: list[Place] | None = None, lifted: Place | None = None) -> bool:
    """Whether there is any plan with these values alone standing (all, unless given), one of them lifted."""
    plant = deepcopy(plant)
    for (table, key, period), values in plant.at.items():
        name = " / ".join(part for part in key if part)
        for field, blank in LIFTED[table].items():
            place = (table, name, "" if field in OF_NO_PERIOD else period, field)
            if place == lifted or (standing is not None and place not in standing):
                values[field] = blank
                for row in plant.rows(table):
                    if field in OF_NO_PERIOD and tuple(row[column] for column in KEYS[table]) == key:
                        row[field] = blank
    program = Formulation(plant, {}).program
    for table, balance in (("products", "stock"), ("raw_materials", "material_stock")):
        for row in plant.rows(table):
            place = (table, row["name"], "", "initial_inventory")
            if place == lifted or (standing is not None and place not in standing):
                loosen(program, (balance, row["name"], plant.periods[0]), -row["initial_inventory"])
    return program.maximise({}).status != "infeasible"


def loosen(program: Program, stock: tuple[str, str, str], opening: float) -> None:
    """Let the stock at the start be used or not: without a need to keep or sell it."""
    for number, (terms, low, high) in enumerate(program.rows):
        if terms.get(stock) == -1.0 and (low, high) == (opening, opening):
            program.rows[number] = (terms, low, 0.0)


def tight_plant(seed: int) -> Tables:
    """Return a random plant in which much is asked for and little may be missed."""
    tables, random = random_plant(seed), Random(seed)
    for row in tables["products"]:
        row["min_demand"] = random.choice([0, 2, 7.5, 15])
        row["max_demand"] = None if random.random() < 0.3 else row["min_demand"] + random.choice([0, 3.25])
        row["backlog_cost_per_unit"] = 1 if random.random() < 0.3 else None
        row["shortage_cost_per_unit"] = 20 if random.random() < 0.1 else None
        row["max_batch_size"] = random.choice([8, 12])
        row["active"] = True
        has_a_way = any(
            row["name"] == other["product"]
            for table in ("production_recipes", "material_requirements", "component_requirements", "routes")
            for other in tables[table]
        )
        if not has_a_way:
            row["purchase_cost_per_unit"] = 3
    for row in tables["routes"]:
        row["active"] = True
    for row in tables["product_periods"]:
        row["min_demand"] = row["max_demand"] = None
        row["max_batch_size"] = None
    return tables


def values_of(rows: list[dict[str, Any]]) -> list[str]:
    """Return the fields of a conflict, sorted."""
    return sorted(row["field"] for row in rows)


def lumpy_plant(seed: int) -> Tables:
    """Return a random plant in which lots are large, stocks are small and nothing lapses: whole decisions clash."""
    tables, random = tight_plant(seed), Random(seed)
    for row in tables["products"]:
        row["min_demand"] = random.choice([0, 2, 3.5])
        row["max_demand"] = row["min_demand"] + random.choice([0, 1, 2.25])
        row["holding_cost_per_unit"] = 1
        row["max_inventory"] = max(row["min_inventory"], row["final_inventory"]) + random.choice([1, 3])
        row["initial_inventory"] = 0
        row["min_batch_size"] = random.choice([0, 5, 6.5])
        row["max_batch_size"] = random.choice([None, 9])
        row["whole_units"] = random.random() < 0.3
    for row in tables["product_periods"]:
        row["min_batch_size"] = row["max_inventory"] = row["min_inventory"] = None
    for row in tables["machines"]:
        row["available_hours"] = row["available_hours"] or 100
    tables["machine_periods"] = []
    return tables

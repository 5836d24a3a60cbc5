"""Whether the application may refuse a plant: a setup whose largest quantity the data do not prove."""

from __future__ import annotations

from typing import Any

from tests.reference.plan_tables import PlantData, active_products, has_setup, max_batch, rates, ways_of_making


def refusal_is_right(plant: PlantData, errors: list[dict[str, Any]]) -> bool:
    """Whether each error names a product with a setup that neither hours, materials nor batches limit."""
    unproven = {
        p
        for p in active_products(plant)
        for r in ways_of_making(plant, p)
        for t in plant.periods
        if has_setup(plant, p, r, t) and not is_limited(plant, p, r, t) and not is_limited_by_demand(plant, p)
    }
    return bool(errors) and all(any(product in str(error) for product in unproven) for error in errors)


def is_limited(plant: PlantData, product: str, route: str, period: str) -> bool:
    """Whether hours with overtime, a material or a batch size limits what a route makes in a period."""
    if max_batch(plant, product, route, period) is not None:
        return True
    for machine, hours in rates(plant, "production_recipes", product, route, "machine", "hours_required").items():
        values = plant.machine(machine, period)
        overtime_ends = values["overtime_cost_per_hour"] is None or values["max_overtime_hours"] is not None
        if hours > 0 and values["available_hours"] is not None and overtime_ends:
            return True
    periods = plant.periods[: plant.periods.index(period) + 1]
    for material, quantity in rates(
        plant, "material_requirements", product, route, "material", "quantity_required"
    ).items():
        supplies = [plant.material(material, t)["available_quantity"] for t in periods]
        if quantity > 0 and None not in supplies:
            return True
    return False


def is_limited_by_demand(plant: PlantData, product: str) -> bool:
    """Whether making more than is asked for never pays: demand ends, nothing pays for making as such.

    Only the plain case: a product that goes into no other one.
    """
    if any(row["component"] == product for row in plant.rows("component_requirements")):
        return False
    if any(row["product"] == product and row["quantity_produced"] > 0 for row in plant.rows("by_products")):
        return False
    if any(row["active"] for row in plant.rows("goals")):
        return False
    for t in plant.periods:
        if plant.product(product, t)["max_demand"] is None:
            return False
        costs = [plant.product(p, t)["production_cost_per_unit"] for p in active_products(plant)]
        costs += [plant.route(row["product"], row["name"], t)["cost_per_unit"] for row in plant.rows("routes")]
        if plant.charge_materials:
            costs += [plant.material(row["name"], t)["cost_per_unit"] for row in plant.rows("raw_materials")]
        if min(costs) < 0:
            return False
    return True

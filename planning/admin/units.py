"""The unit behind every number: which one a field of a row is in, in the currency of its plant and its own unit."""

from __future__ import annotations

from typing import Any

from django.db.models import FloatField, Model, PositiveIntegerField
from django.utils.text import capfirst

from planning.models import Plant, Product, RawMaterial

HOURS, MACHINES = "h", "machines"
MONEY_PER_UNIT = (
    *("profit_per_unit", "production_cost_per_unit", "holding_cost_per_unit", "backlog_cost_per_unit"),
    *("shortage_cost_per_unit", "purchase_cost_per_unit", "cost_per_unit", "late_cost_per_unit"),
)
QUANTITIES = (
    *("min_demand", "max_demand", "initial_inventory", "min_inventory", "max_inventory", "final_inventory"),
    *("max_purchase", "min_batch_size", "max_batch_size", "available_quantity", "target_quantity"),
)
TAKEN = {"quantity_required": ("material", "component"), "quantity_produced": ("by_product",)}
FIXED = {
    "hours_required": HOURS,
    "setup_hours": HOURS,
    "available_hours": HOURS,
    "max_overtime_hours": HOURS,
    "units": MACHINES,
    "units_down": MACHINES,
    "maintenance_units": MACHINES,
}
GOAL_HOURS = ("machine_hours", "overtime_hours")


def unit_of(row: Any, field: str, plant: Plant | None) -> str:
    """Return the unit of a row's number: `USD / chair`, `h`, `board feet`; "" for what has none or isn't known yet."""
    if field in FIXED:
        return FIXED[field]
    currency = plant.currency if plant is not None else ""
    if field == "setup_cost":
        return currency
    if field == "overtime_cost_per_hour":
        return currency and f"{currency} / {HOURS}"
    if field in MONEY_PER_UNIT:
        unit = own_unit(row)
        return f"{currency} / {unit}" if currency and unit else currency
    if field in QUANTITIES:
        return own_unit(row)
    if field in TAKEN:
        taken = next((getattr(row, name, None) for name in TAKEN[field] if hasattr(type(row), name)), None)
        return taken.unit if taken is not None else ""
    return goal_unit(row, currency) if field == "target" else ""


def short_unit(unit: str) -> str:
    """Return the unit for a list, whose heads say per what, and that units are machines: `USD` for `USD / chair`."""
    return "" if unit == MACHINES else unit.partition(" / ")[0]


def labels_with_units(model: type[Model], row: Any, plant: Plant | None) -> dict[str, str]:
    """Return the label of each number of a form that has a unit: `Min demand (chairs)`.

    The row is the form's, or the one on whose page the form's row stands.
    """
    labels = {}
    for field in model._meta.concrete_fields:
        if not isinstance(field, FloatField | PositiveIntegerField):
            continue
        unit = unit_of(row, field.name, plant)
        if unit:
            labels[field.name] = f"{capfirst(field.verbose_name)} ({unit})"
    return labels


def own_unit(row: Any) -> str:
    """Return the unit of the product or material that a row is about."""
    if isinstance(row, Product | RawMaterial):
        return row.unit
    for name in ("product", "material", "route"):
        if getattr(row, f"{name}_id", None) is not None:
            return own_unit(getattr(row, name))
    return ""


def goal_unit(goal: Any, currency: str) -> str:
    """Return the unit of a goal's target where its measure says it."""
    if getattr(goal, "measure", "") == "profit":
        return currency
    return HOURS if getattr(goal, "measure", "") in GOAL_HOURS else ""

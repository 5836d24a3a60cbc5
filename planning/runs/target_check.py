"""The part of the plan check about orders, goals and what is held: plain loops over stored rows and base tables."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .plan_check import Check

Row = dict[str, Any]
_TIERS = {"GOLD": 1, "SILVER": 2, "BRONZE": 3}


def check_orders(check: Check) -> None:
    """Deliveries add up, come when they may, and no unit serves two orders."""
    taken: dict[tuple[str, str], float] = defaultdict(float)
    for order, row in zip(check.orders, check.stored_orders, strict=True):
        what = f"[{row['reference']}]"
        allowed = _periods_of(check, order)
        if [delivery["period"] for delivery in row["deliveries"]] != allowed:
            check.faults.append(f"The deliveries of order {what} are not in the periods {', '.join(allowed)}.")
            continue
        quantities = {delivery["period"]: delivery["quantity"] for delivery in row["deliveries"]}
        for period, quantity in quantities.items():
            check.at_least(f"deliver{what} in {period}", quantity, 0.0)
            taken[order["product"], period] += quantity
        delivered = sum(quantities.values())
        check.equal(f"target{what}", row["target"], order["target_quantity"])
        check.equal(f"delivered{what}", row["delivered"], delivered)
        check.at_most(f"delivered{what}", row["delivered"], order["target_quantity"])
        check.equal(f"late{what}", row["late"], delivered - quantities[order["period"]])
        check.equal(f"shortfall{what}", row["shortfall"], max(order["target_quantity"] - delivered, 0.0), delivered)
    sold = {(row["product"], row["period"]): row["sold"] for row in check.stored_products}
    for (product, period), quantity in taken.items():
        check.at_most(f"deliveries to orders[{product},{period}]", quantity, sold[product, period])


def _periods_of(check: Check, order: Row) -> list[str]:
    """Return the periods in which an order may be delivered."""
    due = check.periods.index(order["period"])
    return check.periods[due : None if order["late_cost_per_unit"] is not None else due + 1]


def check_held(check: Check) -> None:
    """What is made in the periods that are held is what the earlier run made there."""
    before = {(row["name"], row["route"], row["period"]): row["value"] for row in check.held if row["family"] == "make"}
    for key, quantity in check.quantity.items():
        if key[2] in check.held_periods:
            check.equal(f"held production[{','.join(filter(None, key))}]", quantity, before.get(key, 0.0))


def lateness(check: Check) -> float:
    """Return what late deliveries cost."""
    total = 0.0
    for order, row in zip(check.orders, check.stored_orders, strict=True):
        for late, delivery in enumerate(row["deliveries"]):
            total += (order["late_cost_per_unit"] or 0.0) * late * delivery["quantity"]
    return total


def check_goals(check: Check) -> None:
    """Deviations are those of what the goals measure, and the levels those of the deviations."""
    levels: dict[int, float] = defaultdict(float)
    for order, row in zip(check.orders, check.stored_orders, strict=True):
        priority = order["priority"] or _TIERS[check.tiers[order["customer"]]]
        levels[priority] += order["weight"] * row["shortfall"]
    for goal, row in zip(check.goals, check.stored_goals, strict=True):
        what = f"[{row['name']}]"
        measured = _measure(check, goal)
        check.equal(f"priority{what}", row["priority"], goal["priority"])
        check.equal(f"target{what}", row["target"], goal["target"])
        if row["sense"] != goal["sense"]:
            check.faults.append(f"sense{what} is {row['sense']}, and the data give {goal['sense']}.")
        check.equal(f"under{what}", row["under"], max(goal["target"] - measured, 0.0), measured, goal["target"])
        check.equal(f"over{what}", row["over"], max(measured - goal["target"], 0.0), measured, goal["target"])
        under = 0.0 if goal["sense"] == "at_most" else goal["weight_under"] * row["under"]
        over = 0.0 if goal["sense"] == "at_least" else goal["weight_over"] * row["over"]
        levels[goal["priority"]] += under + over
    stored = {level["priority"]: level["deviation"] for level in check.run.levels}
    if list(stored) != sorted(levels):
        check.faults.append(f"The levels have the priorities {list(stored)}, and the data give {sorted(levels)}.")
        return
    for priority, deviation in levels.items():
        check.equal(f"The deviation of priority {priority}", stored[priority], deviation)


def _measure(check: Check, goal: Row) -> float:
    """Return what a goal measures, over all periods."""
    measure, name = goal["measure"], goal["target_name"]
    if measure == "profit":
        return float(check.run.objective or 0.0)
    if measure == "sales":
        return sum(row["sold"] for row in check.stored_products if row["product"] == name)
    if measure == "overtime_hours":
        rows = (row for row in check.stored_utilization if row["resource_type"] == "machine")
        return sum(row["overtime"] for row in rows if row["resource"] == name)
    if measure == "production":
        return sum(quantity for (product, _, _), quantity in check.quantity.items() if product == name)
    item, field = {
        "machine_hours": ("machine", "hours_required"),
        "material_quantity": ("material", "quantity_required"),
    }[measure]
    return sum(
        row[field] * quantity
        for (product, route, _), quantity in check.quantity.items()
        for row in check.by_way[item][product, route]
        if row[item] == name
    )

"""What comes before profit: customer orders by their periods, and the planner's goals with what each measures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from planning.lx import LXColumn, LXLink, LXTable

from .effective import Horizon, active, rows_in_grid
from .problems import Problem

Positions = npt.NDArray[np.int64]
TIER_PRIORITIES = {"GOLD": 1, "SILVER": 2, "BRONZE": 3}
_MADE = {"machine_hours": ("machine", "hours_required"), "material_quantity": ("material", "quantity_required")}
_WHOLE_GRIDS = {"production": ("goal_makes", "way_grid"), "sales": ("goal_sales", "product_grid")}


def order_tables(tables: dict[str, LXTable], grid: LXTable, horizon: Horizon) -> dict[str, LXTable]:
    """Return `counted_orders`, the orders that count, and `order_grid`, one row per order and period of delivery.

    An order is delivered in its period, and in later ones where it has a late cost.
    """
    orders = tables["customer_orders"]
    product, due = orders.links["product"].positions, orders.links["period"].positions
    counted = active(orders)
    counted = counted[np.isin(product[counted], active(tables["products"]))]
    tiers = tables["customers"].columns["tier"].tolist()
    own = orders.columns["priority"].tolist()
    customers = orders.links["customer"].positions.tolist()
    priorities = [own[i] or TIER_PRIORITIES[tiers[customers[i]]] for i in counted.tolist()]
    listed = LXTable(
        "counted_orders",
        {
            "reference": orders.columns["reference"].take(counted),
            "target_quantity": orders.columns["target_quantity"].take(counted),
            "weight": orders.columns["weight"].take(counted),
            "priority": np.array(priorities, dtype=np.int64),
        },
        {"product": LXLink(tables["products"], product[counted]), "period": LXLink(horizon.table, due[counted])},
    )
    late_cost = orders.columns["late_cost_per_unit"]
    last = np.where(late_cost.is_null[counted], due[counted], horizon.count - 1)
    lengths = last - due[counted] + 1
    order = np.repeat(np.arange(len(counted), dtype=np.int64), lengths)
    late = np.arange(len(order), dtype=np.int64) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    period = due[counted][order] + late
    first = rows_in_grid(grid, "product", horizon)
    deliveries = LXTable(
        "order_grid",
        {"periods_late": late, "late_cost": late_cost.filled(0.0)[counted][order] * late},
        {
            "order": LXLink(listed, order),
            "product_period": LXLink(grid, first[product[counted][order]] + period),
            "period": LXLink(horizon.table, period),
        },
    )
    return {"counted_orders": listed, "order_grid": deliveries}


def goal_tables(tables: dict[str, LXTable]) -> dict[str, LXTable]:
    """Return `counted_goals`, and what each measures: rows of the grids with an amount per unit there.

    `goal_makes` leads to the way grid, `goal_sales` to the product grid, `goal_overtime` to the machine grid.
    A side that a goal's sense leaves free has the weight 0.
    """
    goals = tables["goals"]
    chosen = active(goals)
    measures, senses, names = (
        [goals.columns[field].tolist()[i] for i in chosen.tolist()] for field in ("measure", "sense", "target_name")
    )
    sides = {"weight_under": "at_most", "weight_over": "at_least"}  # the sense for which the side is free
    weights = {
        side: np.where([sense == free for sense in senses], 0.0, goals.columns[side].filled(1.0)[chosen])
        for side, free in sides.items()
    }
    rewards = [
        (measure == "profit" and sense != "at_least") or (measure not in ("profit", "sales") and sense != "at_most")
        for measure, sense in zip(measures, senses, strict=True)
    ]
    overtime = [m == "overtime_hours" and s != "at_most" for m, s in zip(measures, senses, strict=True)]
    counted = LXTable(
        "counted_goals",
        {
            "name": goals.columns["name"].take(chosen),
            "priority": goals.columns["priority"].take(chosen),
            "target": goals.columns["target"].take(chosen),
            "sense": goals.columns["sense"].take(chosen),
            **weights,
            "is_profit": np.array([measure == "profit" for measure in measures], dtype=np.bool_),
            "rewards_more": np.array(rewards, dtype=np.bool_),  # making, working, or earning less
            "wants_cost": np.array(
                [m == "profit" and s != "at_least" for m, s in zip(measures, senses, strict=True)], dtype=np.bool_
            ),
            "wants_overtime": np.array(overtime, dtype=np.bool_),
        },
    )
    found: dict[str, list[tuple[int, Positions, npt.NDArray[np.float64]]]] = defaultdict(list)
    for goal, (measure, name) in enumerate(zip(measures, names, strict=True)):
        for table, rows, amounts in _measured(tables, measure, str(name)):
            found[table].append((goal, rows, amounts))
    grids = {"goal_makes": "way_grid", "goal_sales": "product_grid", "goal_overtime": "machine_grid"}
    leads = {name: _lead(name, counted, tables[grid], found[name]) for name, grid in grids.items()}
    plant = tables["plant"]
    plant.columns["has_profit_goal"] = LXColumn(np.full(plant.size, counted.columns["is_profit"].values.any()))
    return {"counted_goals": counted, **leads}


def _measured(
    tables: dict[str, LXTable], measure: str, name: str
) -> Iterator[tuple[str, Positions, npt.NDArray[np.float64]]]:
    """Yield the rows of a grid that a measure is about, and how much each unit there counts."""
    if measure in _MADE:
        item, field = _MADE[measure]
        uses, grid = tables[f"{item}_uses_by_period"], tables[f"{item}_grid"]
        mine = np.flatnonzero(_is_of(grid, item, name)[uses.links[item].positions])
        yield "goal_makes", uses.links["way"].positions[mine], uses.columns[field].filled(0.0)[mine]
    elif measure in _WHOLE_GRIDS:
        table, grid_name = _WHOLE_GRIDS[measure]
        mine = np.flatnonzero(_is_of(tables[grid_name], "product", name))
        yield table, mine, np.ones(len(mine))
    elif measure == "overtime_hours":
        grid = tables["machine_grid"]
        works = np.asarray(grid.columns["has_overtime"].values, dtype=np.bool_)
        mine = np.flatnonzero(_is_of(grid, "machine", name) & works)
        yield "goal_overtime", mine, np.ones(len(mine))


def _is_of(grid: LXTable, relation: str, name: str) -> npt.NDArray[np.bool_]:
    """Return which rows of a grid are about the product, machine or material of that name."""
    link = grid.links[relation]
    assert link.target is not None
    is_it = np.array([str(other) == name for other in link.target.columns["name"].tolist()], dtype=np.bool_)
    return is_it[link.positions] if len(is_it) else np.zeros(grid.size, dtype=np.bool_)


def _lead(
    name: str, goals: LXTable, grid: LXTable, found: list[tuple[int, Positions, npt.NDArray[np.float64]]]
) -> LXTable:
    sizes = [len(rows) for _, rows, _ in found]
    goal = np.repeat(np.array([number for number, _, _ in found], dtype=np.int64), sizes)
    rows: Positions = np.concatenate([np.zeros(0, dtype=np.int64), *(rows for _, rows, _ in found)])
    amounts: Any = np.concatenate([np.zeros(0), *(amounts for _, _, amounts in found)])
    return LXTable(name, {"amount": amounts}, {"goal": LXLink(goals, goal), "row": LXLink(grid, rows)})


def find_warnings(tables: dict[str, LXTable]) -> list[Problem]:
    """Return what deserves a look: orders above max_demand, orders and goals on products that are not active."""
    return [*_orders_left_out(tables), *_orders_above_demand(tables), *_goals_on_nothing(tables)]


def _orders_left_out(tables: dict[str, LXTable]) -> Iterator[Problem]:
    orders, products = tables["customer_orders"], tables["products"]
    counts = products.columns["active"].tolist()
    for row in active(orders).tolist():
        order = orders.record(row)
        if not counts[int(orders.links["product"].positions[row])]:
            yield Problem(
                "customer_orders",
                str(order.reference),
                "product",
                f'Order "{order.reference}" is for "{order.product.name}", which is not active: it is left out.',
            )


def _orders_above_demand(tables: dict[str, LXTable]) -> Iterator[Problem]:
    grid, counted = tables["product_grid"], tables["counted_orders"]
    ordered: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, at in enumerate(
        zip(counted.links["product"].positions.tolist(), counted.links["period"].positions.tolist(), strict=True)
    ):
        ordered[at].append(row)
    places = zip(grid.links["product"].positions.tolist(), grid.links["period"].positions.tolist(), strict=True)
    most = dict(zip(places, grid.columns["max_demand"].tolist(), strict=True))
    for at, rows in sorted(ordered.items()):
        total = sum(float(counted.record(row).target_quantity) for row in rows)
        limit = most[at]
        if limit is not None and total > limit * (1 + 1e-12):
            first = counted.record(rows[0])
            names = ", ".join(str(counted.record(row).reference) for row in rows[:5]) + (", …" if len(rows) > 5 else "")
            yield Problem(
                "customer_orders",
                str(first.reference),
                "target_quantity",
                f'Orders for "{first.product.name}" in period {first.period.name} add up to {total:g} ({names}), and '
                f"its max_demand is {limit:g}: no plan can deliver more than that. Raise max_demand, or expect a "
                "shortfall.",
            )


def _goals_on_nothing(tables: dict[str, LXTable]) -> Iterator[Problem]:
    goals, products = tables["goals"], tables["products"]
    names = products.columns["name"].tolist()
    inactive = {str(name) for name, on in zip(names, products.columns["active"].tolist(), strict=True) if not on}
    for row in active(goals).tolist():
        goal = goals.record(row)
        if goal.measure in ("production", "sales") and str(goal.target_name) in inactive:
            yield Problem(
                "goals",
                str(goal.name),
                "target_name",
                f'Goal "{goal.name}" measures "{goal.target_name}", which is not active: it measures 0.',
            )

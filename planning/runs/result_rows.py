"""Result rows of a plan as columns, in the order of the tables, zeros included."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Model

from planning.formulation import Prices, deviations, reached_levels, shortfalls
from planning.lx import LXTable
from planning.models import GoalResult, MaterialBalance, OrderResult, ProductBalance, Production, Run, Utilization
from planning.snapshot import Snapshot

from .solve import Outcome
from .write_rows import Columns

_Array = npt.NDArray[Any]


def result_rows(run: Run, snapshot: Snapshot, outcome: Outcome) -> dict[type[Model], Columns]:
    """Return the columns of each result table, ready for `write_rows`."""
    tables: dict[type[Model], dict[str, _Array]] = {
        Production: _production(snapshot, outcome),
        ProductBalance: _products(snapshot, outcome),
        Utilization: _utilization(snapshot, outcome),
        MaterialBalance: _materials(snapshot, outcome),
        OrderResult: _orders(snapshot, outcome),
        GoalResult: _goals(snapshot, outcome),
    }
    return {
        table: {"run_id": np.full(len(next(iter(columns.values()))), run.pk), **columns}
        for table, columns in tables.items()
    }


def levels_reached(snapshot: Snapshot, outcome: Outcome) -> list[dict[str, float]]:
    """Return the sum of weight * deviation for each priority of the orders and goals, the first one first."""
    assert outcome.plan is not None
    reached = reached_levels(snapshot, outcome.plan)
    return [{"priority": priority, "deviation": deviation} for priority, deviation in reached.items()]


def _names(grid: LXTable, relation: str, column: str = "name") -> _Array:
    link = grid.links[relation]
    assert link.target is not None
    return link.target.columns[column].values[link.positions]


def _production(s: Snapshot, outcome: Outcome) -> dict[str, _Array]:
    grid, plan = s["way_grid"], outcome.plan
    assert plan is not None
    return {
        "product": _names(grid, "product"),
        "route": _names(grid, "way", "route_name"),
        "period": _names(grid, "period"),
        "quantity": plan.made,
        "setup": plan.setup,
    }


def _products(s: Snapshot, outcome: Outcome) -> dict[str, _Array]:
    grid, plan = s["product_grid"], outcome.plan
    assert plan is not None
    return {
        "product": _names(grid, "product"),
        "period": _names(grid, "period"),
        "made": plan.product_made,
        "yielded": plan.yielded,
        "bought": plan.bought,
        "sold": plan.sold,
        "used": plan.used,
        "lapsed": plan.lapsed,
        "stock": plan.stock,
        "backlog": plan.backlog,
        "short": plan.short,
    }


def _utilization(s: Snapshot, outcome: Outcome) -> dict[str, _Array]:
    """Machines, then materials: what is available of these is what was in stock and what suppliers may bring."""
    machines, materials, plan = s["machine_grid"], s["material_grid"], outcome.plan
    assert plan is not None
    supply = materials.columns["available_quantity"].filled(np.nan)
    opening = materials.columns["opening_stock"].filled(0.0).reshape(-1, s.period_count)
    opening[:, 1:] = plan.material_stock.reshape(opening.shape)[:, :-1]
    used = np.concatenate([plan.hours, plan.material_used])
    available = np.concatenate([plan.hours_available, opening.ravel() + supply])
    percent = np.divide(100.0 * used, available, out=np.full(used.shape, np.nan), where=available > 0)
    kinds = [Utilization.ResourceType.MACHINE.value] * machines.size
    return {
        "resource_type": np.array(kinds + [Utilization.ResourceType.MATERIAL.value] * materials.size, dtype=object),
        "resource": np.concatenate([_names(machines, "machine"), _names(materials, "material")]),
        "period": np.concatenate([_names(machines, "period"), _names(materials, "period")]),
        "used": used,
        "available": _blank_for_nan(available),
        "utilization_pct": _blank_for_nan(percent),
        "overtime": np.concatenate([plan.overtime, np.zeros(materials.size)]),
        "units_down": np.concatenate([plan.units_down, np.zeros(materials.size)]),
        "shadow_price": _prices("price", outcome, machines.size, materials.size),
        "shadow_price_low": _prices("low", outcome, machines.size, materials.size),
        "shadow_price_high": _prices("high", outcome, machines.size, materials.size),
        "shadow_price_more": _prices("more", outcome, machines.size, materials.size),
        "shadow_price_more_until": _prices("more_until", outcome, machines.size, materials.size),
        "shadow_price_less": _prices("less", outcome, machines.size, materials.size),
        "shadow_price_less_until": _prices("less_until", outcome, machines.size, materials.size),
    }


def _materials(s: Snapshot, outcome: Outcome) -> dict[str, _Array]:
    grid, plan = s["material_grid"], outcome.plan
    assert plan is not None
    return {
        "material": _names(grid, "material"),
        "period": _names(grid, "period"),
        "supplied": plan.material_supplied,
        "used": plan.material_used,
        "lapsed": plan.material_lapsed,
        "stock": plan.material_stock,
    }


def _orders(s: Snapshot, outcome: Outcome) -> dict[str, _Array]:
    orders, grid, plan = s["counted_orders"], s["order_grid"], outcome.plan
    assert plan is not None
    rows, is_late = grid.links["order"].positions, grid.columns["periods_late"].values > 0
    deliveries: list[list[dict[str, Any]]] = [[] for _ in range(orders.size)]
    periods = _names(grid, "period").tolist()
    for order, period, quantity in zip(rows.tolist(), periods, plan.delivered.tolist(), strict=True):
        deliveries[order].append({"period": str(period), "quantity": quantity})
    listed = np.empty(orders.size, dtype=object)
    listed[:] = deliveries
    return {
        "reference": orders.columns["reference"].values,
        "product": _names(orders, "product"),
        "period": _names(orders, "period"),
        "target": orders.columns["target_quantity"].filled(0.0),
        "delivered": np.bincount(rows, weights=plan.delivered, minlength=orders.size),
        "late": np.bincount(rows[is_late], weights=plan.delivered[is_late], minlength=orders.size),
        "shortfall": shortfalls(s, plan),
        "deliveries": listed,
    }


def _goals(s: Snapshot, outcome: Outcome) -> dict[str, _Array]:
    assert outcome.plan is not None
    goals, (under, over) = s["counted_goals"], deviations(s, outcome.plan)
    return {
        "priority": goals.columns["priority"].values,
        "name": goals.columns["name"].values,
        "sense": goals.columns["sense"].values,
        "target": goals.columns["target"].filled(0.0),
        "under": under,
        "over": over,
    }


def _prices(name: str, outcome: Outcome, machines: int, materials: int) -> _Array:
    """Return a column of prices; blank where there is none."""
    grids: list[tuple[Prices | None, int]] = [(outcome.machine_prices, machines), (outcome.material_prices, materials)]
    return _blank_for_nan(
        np.concatenate([np.full(size, np.nan) if prices is None else getattr(prices, name) for prices, size in grids])
    )


def _blank_for_nan(column: _Array) -> _Array:
    blanked = column.astype(object)
    blanked[np.isnan(column)] = None
    return blanked

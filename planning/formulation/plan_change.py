"""What differs between two plans of the same rows, as plain values: profit, products, orders, full resources."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from planning.lx import LXTable
from planning.snapshot import Snapshot

from .plan import Array, Plan, reached_levels

_NOISE = 1e-6  # relative
SHOWN = 10  # of each kind, those that change most
FLOWS = ("made", "bought", "sold", "short")
Solved = tuple[Snapshot, Plan]


def same_rows(before: Snapshot, after: Snapshot) -> bool:
    """Whether two snapshots have the same products, machines, materials and orders, row by row."""
    grids = ("product_grid", "machine_grid", "material_grid", "order_grid", "way_grid")
    return all(before[grid].size == after[grid].size for grid in grids)


def plan_change(before: Solved, after: Solved) -> dict[str, Any]:
    """Return what is otherwise in the second plan. The snapshots have the same rows."""
    full = [_full(*solved) for solved in (before, after)]
    return {
        "profit": [before[1].objective, after[1].objective],
        "parts": _parts(before[1], after[1]),
        "products": _products(before, after),
        "orders": _orders(before, after),
        "full": _named(after[0], full[1] & ~full[0]),
        "freed": _named(after[0], full[0] & ~full[1]),
        "levels": _levels(before, after),
    }


def _differs(before: Array, after: Array) -> npt.NDArray[np.bool_]:
    return np.asarray(np.abs(after - before) > _NOISE * np.maximum(1.0, np.abs(before)), dtype=np.bool_)


def _parts(before: Plan, after: Plan) -> dict[str, list[float]]:
    pairs = {part: [amount, after.profit[part]] for part, amount in before.profit.items()}
    return {part: pair for part, pair in pairs.items() if bool(_differs(np.array(pair[0]), np.array(pair[1])))}


def _products(before: Solved, after: Solved) -> dict[str, Any]:
    """Return the products whose quantities change, over all periods, those first of which most units move."""
    snapshot, count = after[0], after[0].period_count
    flows = {name: [_flow(plan, name).reshape(-1, count) for _, plan in (before, after)] for name in FLOWS}
    if not snapshot["product_grid"].size:
        return {"rows": [], "more": 0}
    moved = sum((np.abs(now - then) * _differs(then, now)).sum(axis=1) for then, now in (flows[name] for name in FLOWS))
    moved = np.asarray(moved)
    order = [int(row) for row in np.argsort(-moved, kind="stable") if moved[row] > 0]
    names = _names(snapshot["product_grid"], "product")[::count]
    rows = [
        {
            "product": names[row],
            "moved": float(moved[row]),
            **{name: [float(grid[row].sum()) for grid in flows[name]] for name in FLOWS},
        }
        for row in order[:SHOWN]
    ]
    return {"rows": rows, "more": max(len(order) - SHOWN, 0)}


def _flow(plan: Plan, name: str) -> Array:
    return plan.product_made if name == "made" else np.asarray(getattr(plan, name))


def _orders(before: Solved, after: Solved) -> dict[str, Any]:
    """Return the orders of which more or less is delivered, those first where most changes."""
    orders, rows = after[0]["counted_orders"], after[0]["order_grid"].links["order"].positions
    then, now = (
        np.asarray(np.bincount(rows, weights=plan.delivered, minlength=orders.size), dtype=np.float64)
        for _, plan in (before, after)
    )
    moved = np.abs(now - then) * _differs(then, now)
    order = [int(row) for row in np.argsort(-moved, kind="stable") if moved[row] > 0]
    targets = [snapshot["counted_orders"].columns["target_quantity"].filled(0.0) for snapshot, _ in (before, after)]
    found = [
        {
            "reference": str(orders.columns["reference"].get(row)),
            "delivered": [float(then[row]), float(now[row])],
            "target": [float(target[row]) for target in targets],
        }
        for row in order[:SHOWN]
    ]
    return {"rows": found, "more": max(len(order) - SHOWN, 0)}


def _full(snapshot: Snapshot, plan: Plan) -> npt.NDArray[np.bool_]:
    """Return which machines, then which materials, are used up to their limits."""
    supply = snapshot["material_grid"].columns["available_quantity"].filled(np.inf)
    limits = np.concatenate([np.nan_to_num(plan.hours_available, nan=np.inf), supply])
    used = np.concatenate([plan.hours, plan.material_supplied])
    with np.errstate(invalid="ignore"):
        reached = used >= limits - _NOISE * np.maximum(1.0, np.abs(limits))
    return np.asarray(np.isfinite(limits) & reached, dtype=np.bool_)


def _named(snapshot: Snapshot, chosen: npt.NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return the machines and materials of chosen rows, each with its periods."""
    machines, materials = snapshot["machine_grid"], snapshot["material_grid"]
    kinds = ["machine"] * machines.size + ["material"] * materials.size
    names = [*_names(machines, "machine"), *_names(materials, "material")]
    periods = [*_names(machines, "period"), *_names(materials, "period")]
    found: dict[tuple[str, str], list[str]] = {}
    for row in np.flatnonzero(chosen).tolist():
        found.setdefault((kinds[row], names[row]), []).append(periods[row])
    return [{"type": kind, "resource": name, "periods": listed} for (kind, name), listed in found.items()]


def _names(grid: LXTable, relation: str) -> list[str]:
    link = grid.links[relation]
    assert link.target is not None
    names = [str(name) for name in link.target.columns["name"].tolist()]
    return [names[row] for row in link.positions.tolist()]


def _levels(before: Solved, after: Solved) -> list[dict[str, Any]]:
    """Return the deviation by priority before and after, where there are goals or orders."""
    then, now = reached_levels(*before), reached_levels(*after)
    return [
        {"priority": priority, "deviation": [then.get(priority, 0.0), now.get(priority, 0.0)]}
        for priority in sorted(then.keys() | now.keys())
    ]

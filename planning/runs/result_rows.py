"""Result rows of a plan, in the order of the tables, zeros included."""

from __future__ import annotations

import math
from typing import Any

from planning.formulation import Plan, Prices
from planning.lx import LXTable
from planning.models import MaterialBalance, ProductBalance, Production, Run, Utilization
from planning.models.results import ResultRow
from planning.snapshot import Snapshot

from .solve import Outcome


def result_rows(run: Run, snapshot: Snapshot, outcome: Outcome) -> list[list[ResultRow]]:
    """Return the rows of each result table."""
    plan = outcome.plan
    assert plan is not None
    return [
        _production(run, snapshot, plan),
        _products(run, snapshot, plan),
        [*_machines(run, snapshot, plan, outcome.machine_prices), *_used_materials(run, snapshot, outcome)],
        _materials(run, snapshot, plan),
    ]


def _names(grid: LXTable, relation: str, column: str = "name") -> list[str]:
    link = grid.links[relation]
    assert link.target is not None
    names = link.target.columns[column].tolist()
    return [str(names[position]) for position in link.positions.tolist()]


def _production(run: Run, s: Snapshot, plan: Plan) -> list[ResultRow]:
    grid = s["way_grid"]
    rows = zip(
        _names(grid, "product"),
        _names(grid, "way", "route_name"),
        _names(grid, "period"),
        plan.made.tolist(),
        plan.setup.tolist(),
        strict=True,
    )
    return [
        Production(run=run, product=product, route=route, period=period, quantity=quantity, setup=setup)
        for product, route, period, quantity, setup in rows
    ]


def _products(run: Run, s: Snapshot, plan: Plan) -> list[ResultRow]:
    grid = s["product_grid"]
    columns = (
        plan.product_made,
        plan.yielded,
        plan.bought,
        plan.sold,
        plan.used,
        plan.lapsed,
        plan.stock,
        plan.backlog,
        plan.short,
    )
    names = ("made", "yielded", "bought", "sold", "used", "lapsed", "stock", "backlog", "short")
    values = zip(*(column.tolist() for column in columns), strict=True)
    rows = zip(_names(grid, "product"), _names(grid, "period"), values, strict=True)
    return [
        ProductBalance(run=run, product=product, period=period, **dict(zip(names, row, strict=True)))
        for product, period, row in rows
    ]


def _machines(run: Run, s: Snapshot, plan: Plan, prices: Prices | None) -> list[ResultRow]:
    grid = s["machine_grid"]
    return [
        Utilization(
            run=run,
            resource_type=Utilization.ResourceType.MACHINE,
            resource=name,
            period=period,
            used=used,
            available=_known(available),
            utilization_pct=_percent(used, available),
            overtime=overtime,
            units_down=down,
            **_price(prices, row),
        )
        for row, (name, period, used, available, overtime, down) in enumerate(
            zip(
                _names(grid, "machine"),
                _names(grid, "period"),
                plan.hours.tolist(),
                plan.hours_available.tolist(),
                plan.overtime.tolist(),
                plan.units_down.tolist(),
                strict=True,
            )
        )
    ]


def _used_materials(run: Run, s: Snapshot, outcome: Outcome) -> list[ResultRow]:
    grid, plan = s["material_grid"], outcome.plan
    assert plan is not None
    supply = grid.columns["available_quantity"].filled(math.nan)
    opening = grid.columns["opening_stock"].filled(0.0).reshape(-1, s.period_count)
    opening[:, 1:] = plan.material_stock.reshape(opening.shape)[:, :-1]
    rows = zip(
        _names(grid, "material"),
        _names(grid, "period"),
        plan.material_used.tolist(),
        (opening.ravel() + supply).tolist(),
        strict=True,
    )
    return [
        Utilization(
            run=run,
            resource_type=Utilization.ResourceType.MATERIAL,
            resource=name,
            period=period,
            used=used,
            available=_known(available),
            utilization_pct=_percent(used, available),
            overtime=0.0,
            units_down=0.0,
            **_price(outcome.material_prices, row),
        )
        for row, (name, period, used, available) in enumerate(rows)
    ]


def _materials(run: Run, s: Snapshot, plan: Plan) -> list[ResultRow]:
    grid = s["material_grid"]
    rows = zip(
        _names(grid, "material"),
        _names(grid, "period"),
        plan.material_supplied.tolist(),
        plan.material_used.tolist(),
        plan.material_lapsed.tolist(),
        plan.material_stock.tolist(),
        strict=True,
    )
    return [
        MaterialBalance(run=run, material=name, period=period, supplied=supplied, used=used, lapsed=lapsed, stock=stock)
        for name, period, supplied, used, lapsed, stock in rows
    ]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _percent(used: float, available: float) -> float | None:
    return None if math.isnan(available) or available <= 0 else 100.0 * used / available


def _price(prices: Prices | None, row: int) -> dict[str, Any]:
    if prices is None:
        return {"shadow_price": None, "shadow_price_low": None, "shadow_price_high": None}
    return {
        "shadow_price": _known(float(prices.price[row])),
        "shadow_price_low": _known(float(prices.low[row])),
        "shadow_price_high": _known(float(prices.high[row])),
    }

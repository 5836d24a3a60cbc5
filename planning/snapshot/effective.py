"""What holds in each period: the parent's values, replaced by those that a period row gives.

The tables made here are what the formulation works on. Each has one row per product (way of making,
machine, material) and period, the periods of one product next to each other; relations lead from
one to the other. Rows that are not active are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planning.lx import MISSING, LXColumn, LXLink, LXTable

PRODUCT_FIELDS = (
    "profit_per_unit",
    "production_cost_per_unit",
    "min_demand",
    "max_demand",
    "holding_cost_per_unit",
    "min_inventory",
    "max_inventory",
    "purchase_cost_per_unit",
    "max_purchase",
    "min_batch_size",
    "max_batch_size",
)
MACHINE_FIELDS = ("available_hours", "max_overtime_hours", "overtime_cost_per_hour")
MATERIAL_FIELDS = ("available_quantity", "cost_per_unit", "holding_cost_per_unit", "min_inventory", "max_inventory")
ROUTE_FIELDS = ("cost_per_unit", "setup_cost", "min_batch_size", "max_batch_size")


@dataclass
class Horizon:
    """The periods in their order."""

    table: LXTable

    @property
    def count(self) -> int:
        """Number of periods."""
        return self.table.size

    def grid(self, parents: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return for each parent and period the parent's position and the period's."""
        periods = np.arange(self.count, dtype=np.int64)
        return np.repeat(parents.astype(np.int64), self.count), np.tile(periods, len(parents))

    def before(self, count: int) -> np.ndarray[Any, Any]:
        """Return for each row of a grid of `count` parents the row of the period before, or MISSING."""
        rows = np.arange(count * self.count, dtype=np.int64)
        return np.where(rows % self.count == 0, MISSING, rows - 1)


def periods_of(table: LXTable) -> LXTable:
    """Return the periods; a plant without period rows has one period named 1."""
    return table if table.size else LXTable(table.name, {"id": [0], "sequence": [1], "name": ["1"]}, key="id")


def over_periods(parent: LXTable, overrides: LXTable, relation: str, field: str, horizon: Horizon) -> LXColumn:
    """Return the value of `field` for every parent row and period, those of `overrides` in place."""
    base = parent.columns[field]
    values = np.repeat(np.asarray(base.filled(0.0)), horizon.count)
    nulls = np.repeat(base.is_null, horizon.count)
    if overrides.size:
        given = overrides.columns[field]
        kept = ~given.is_null
        place = overrides.links[relation].positions * horizon.count + overrides.links["period"].positions
        values[place[kept]] = given.filled(0.0)[kept]
        nulls[place[kept]] = False
    return LXColumn(values, nulls)


def active(table: LXTable) -> np.ndarray[Any, Any]:
    """Return the positions of the rows that are active."""
    return np.flatnonzero(np.asarray(table.columns["active"].values, dtype=np.bool_))


def product_grid(tables: dict[str, LXTable], horizon: Horizon) -> LXTable:
    """Return one row per active product and period."""
    products, overrides = tables["products"], tables["product_periods"]
    parents = active(products)
    product, period = horizon.grid(parents)
    place = product * horizon.count + period
    columns = {
        field: over_periods(products, overrides, "product", field, horizon).take(place) for field in PRODUCT_FIELDS
    }
    last = period == horizon.count - 1
    columns["is_last"] = LXColumn(last)
    columns["is_first"] = LXColumn(period == 0)
    columns["is_storable"] = LXColumn(~columns["holding_cost_per_unit"].is_null)
    columns["required_stock"] = _required_stock(products, product, columns["min_inventory"], last)
    columns["max_extra"] = LXColumn(
        np.maximum(columns["max_demand"].filled(0.0) - columns["min_demand"].values, 0.0),
        columns["max_demand"].is_null,
    )
    columns["opening_stock"] = _opening_stock(products, product, period)
    for field in ("backlog_cost_per_unit", "shortage_cost_per_unit"):
        columns[field] = products.columns[field].take(product)
    grid = LXTable("product_grid", columns)
    grid.links |= {
        "product": LXLink(products, product),
        "period": LXLink(horizon.table, period),
        "previous": LXLink(grid, horizon.before(len(parents))),
    }
    return grid


def _required_stock(
    parents: LXTable, parent: np.ndarray[Any, Any], minimum: LXColumn, last: np.ndarray[Any, Any]
) -> LXColumn:
    final = parents.columns["final_inventory"].filled(0.0)[parent]
    return LXColumn(np.where(last, np.maximum(minimum.filled(0.0), final), minimum.filled(0.0)))


def _opening_stock(parents: LXTable, parent: np.ndarray[Any, Any], period: np.ndarray[Any, Any]) -> LXColumn:
    """Return the initial inventory in the first period and 0 in the others."""
    return LXColumn(np.where(period == 0, parents.columns["initial_inventory"].filled(0.0)[parent], 0.0))


def machine_grid(tables: dict[str, LXTable], horizon: Horizon) -> LXTable:
    """Return one row per machine and period; `limit` is available_hours * (units - units_down), blank without limit."""
    machines, overrides = tables["machines"], tables["machine_periods"]
    machine, period = horizon.grid(np.arange(machines.size))
    columns = {field: over_periods(machines, overrides, "machine", field, horizon) for field in MACHINE_FIELDS}
    down = np.zeros(len(machine), dtype=np.int64)
    if overrides.size:
        place = overrides.links["machine"].positions * horizon.count + overrides.links["period"].positions
        down[place] = overrides.columns["units_down"].filled(0.0)
    up = machines.columns["units"].values[machine] - down
    hours = columns["available_hours"]
    columns |= {
        "units_down": LXColumn(down),
        "units_up": LXColumn(up),
        "limit": LXColumn(hours.filled(0.0) * up, hours.is_null),
        "is_limited": LXColumn(~hours.is_null),
        "has_overtime": LXColumn(~hours.is_null & ~columns["overtime_cost_per_hour"].is_null),
        "has_maintenance": LXColumn(machines.columns["maintenance_units"].values[machine] > 0),
    }
    return LXTable(
        "machine_grid", columns, {"machine": LXLink(machines, machine), "period": LXLink(horizon.table, period)}
    )


def material_grid(tables: dict[str, LXTable], horizon: Horizon) -> LXTable:
    """Return one row per raw material and period."""
    materials, overrides = tables["raw_materials"], tables["raw_material_periods"]
    material, period = horizon.grid(np.arange(materials.size))
    columns = {field: over_periods(materials, overrides, "material", field, horizon) for field in MATERIAL_FIELDS}
    last = period == horizon.count - 1
    storable = ~columns["holding_cost_per_unit"].is_null
    before = horizon.before(materials.size)
    opening = _opening_stock(materials, material, period)
    comes_in = np.where(before == MISSING, opening.values > 0, storable[before] if len(before) else False)
    columns |= {
        "is_storable": LXColumn(storable),
        "is_limited": LXColumn(~columns["available_quantity"].is_null),
        "may_lapse": LXColumn(~storable & comes_in),
        "required_stock": _required_stock(materials, material, columns["min_inventory"], last),
        "opening_stock": opening,
        "is_last": LXColumn(last),
    }
    grid = LXTable("material_grid", columns)
    grid.links |= {
        "material": LXLink(materials, material),
        "period": LXLink(horizon.table, period),
        "previous": LXLink(grid, before),
    }
    return grid


@dataclass
class Ways:
    """The ways of making: one per active route, one without a name for a product that has no routes."""

    table: LXTable
    by_product: dict[int, list[int]]  # product position -> ways
    by_route: dict[int, int]  # route position -> way


def ways_of(tables: dict[str, LXTable]) -> Ways:
    """Return the ways of making the active products, in the order of products and routes."""
    products, routes = tables["products"], tables["routes"]
    made = set(routes.links["product"].positions.tolist())
    routed: dict[int, list[int]] = {}
    for route, product in enumerate(routes.links["product"].positions.tolist()):
        routed.setdefault(product, []).append(route)
    for name in ("production_recipes", "material_requirements", "component_requirements"):
        made.update(tables[name].links["product"].positions.tolist())
    route_active = routes.columns["active"].tolist()
    chosen: list[tuple[int, int]] = []
    for product in active(products).tolist():
        if product in routed:
            chosen += [(product, route) for route in routed[product] if route_active[route]]
        elif product in made:
            chosen.append((product, MISSING))
    names = routes.columns["name"].tolist()
    table = LXTable(
        "ways",
        {"route_name": [names[route] if route != MISSING else "" for _, route in chosen]},
        {
            "product": LXLink(products, _positions([product for product, _ in chosen])),
            "route": LXLink(routes, _positions([route for _, route in chosen])),
        },
    )
    by_product: dict[int, list[int]] = {}
    for way, (product, _) in enumerate(chosen):
        by_product.setdefault(product, []).append(way)
    return Ways(table, by_product, {route: way for way, (_, route) in enumerate(chosen) if route != MISSING})


def _positions(values: Sequence[int]) -> np.ndarray[Any, Any]:
    return np.array(values, dtype=np.int64)


def uses_of(
    recipes: LXTable, ways: Ways, item: str, amounts: Sequence[str], items: np.ndarray[Any, Any] | None = None
) -> LXTable:
    """Return what each way takes of each item: rows with a blank route and with a route add up.

    `items` are the positions of the items that count; None for all of them.
    """
    counted = None if items is None else set(items.tolist())
    totals: dict[tuple[int, int], list[float]] = {}
    given = [recipes.columns[amount].tolist() for amount in amounts]
    links = zip(
        recipes.links["product"].positions.tolist(),
        recipes.links["route"].positions.tolist(),
        recipes.links[item].positions.tolist(),
        strict=True,
    )
    for row, (product, route, target) in enumerate(links):
        if counted is not None and target not in counted:
            continue
        chosen = ways.by_product.get(product, []) if route == MISSING else [ways.by_route.get(route, MISSING)]
        for way in chosen:
            if way != MISSING:
                total = totals.setdefault((way, target), [0.0] * len(amounts))
                for i, column in enumerate(given):
                    total[i] += column[row]
    keys = sorted(totals)
    table = LXTable(
        f"{item}_uses",
        {amount: np.array([totals[key][i] for key in keys], dtype=np.float64) for i, amount in enumerate(amounts)},
    )
    table.links |= {
        "way": LXLink(ways.table, _positions([way for way, _ in keys])),
        item: LXLink(recipes.links[item].target, _positions([target for _, target in keys])),
    }
    return table


def way_grid(
    tables: dict[str, LXTable], ways: Ways, machine_uses: LXTable, blocked: np.ndarray[Any, Any], horizon: Horizon
) -> LXTable:
    """Return one row per way of making and period, with the costs, the setup and the lot sizes that hold there."""
    products, routes = tables["products"], tables["routes"]
    way, period = horizon.grid(np.arange(ways.table.size))
    product = ways.table.links["product"].positions[way]
    route = ways.table.links["route"].positions[way]
    own = {
        field: over_periods(products, tables["product_periods"], "product", field, horizon)
        for field in ("production_cost_per_unit", "min_batch_size", "max_batch_size")
    }
    of_route = {field: over_periods(routes, tables["route_periods"], "route", field, horizon) for field in ROUTE_FIELDS}
    in_product = product * horizon.count + period
    in_route = route * horizon.count + period
    routed = route != MISSING

    def from_route(field: str, blank: float) -> np.ndarray[Any, Any]:
        values = of_route[field].filled(blank)
        return np.where(routed, values[np.where(routed, in_route, 0)] if len(values) else blank, blank)

    setup_cost = from_route("setup_cost", 0.0) + _sum_by_way(machine_uses, "setup_cost", ways)[way]
    setup_hours = _sum_by_way(machine_uses, "setup_hours", ways)[way]
    least = np.maximum(own["min_batch_size"].filled(0.0)[in_product], from_route("min_batch_size", 0.0))
    most = np.minimum(own["max_batch_size"].filled(np.inf)[in_product], from_route("max_batch_size", np.inf))
    unlimited = np.isinf(most)
    grid = LXTable(
        "way_grid",
        {
            "production_cost_per_unit": own["production_cost_per_unit"].filled(0.0)[in_product],
            "route_cost_per_unit": from_route("cost_per_unit", 0.0),
            "setup_cost": setup_cost,
            "min_batch_size": least,
            "max_batch_size": LXColumn(np.where(unlimited, 0.0, most), unlimited),
            "has_setup": (setup_cost > 0) | (setup_hours > 0) | (least > 0),
            "is_blocked": blocked[way],
            "whole_units": products.columns["whole_units"].values[product],
        },
        {
            "way": LXLink(ways.table, way),
            "product": LXLink(products, product),
            "period": LXLink(horizon.table, period),
        },
    )
    return grid


def _sum_by_way(uses: LXTable, field: str, ways: Ways) -> np.ndarray[Any, Any]:
    return np.bincount(uses.links["way"].positions, weights=uses.columns[field].values, minlength=ways.table.size)


def uses_over_periods(uses: LXTable, item: str, grid: LXTable, ways: LXTable, horizon: Horizon) -> LXTable:
    """Return the uses in every period, each leading to its row of the way grid and of the item's grid."""
    use, period = horizon.grid(np.arange(uses.size))
    item_rows = rows_in_grid(grid, item if item in grid.links else "product", horizon)
    return LXTable(
        f"{item}_uses_by_period",
        {field: column.take(use) for field, column in uses.columns.items()},
        {
            "way": LXLink(ways, uses.links["way"].positions[use] * horizon.count + period),
            item: LXLink(grid, item_rows[uses.links[item].positions[use]] + period),
        },
    )


def rows_in_grid(grid: LXTable, parent: str, horizon: Horizon) -> np.ndarray[Any, Any]:
    """Return for each parent row the first row of the grid that is about it."""
    link = grid.links[parent]
    assert link.target is not None
    first = np.full(link.target.size, MISSING, dtype=np.int64)
    first[link.positions[:: horizon.count]] = np.arange(0, grid.size, horizon.count)
    return first

"""Every data problem of a snapshot at once, in words with the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from planning.lx import MISSING, LXTable

from .problems import Problem
from .snapshot import Snapshot


def find_problems(snapshot: Snapshot) -> list[Problem]:
    """Return everything that makes a plan impossible to define, in the order of the tables."""
    if not snapshot["products"].size:
        return [Problem("products", "", "name", "The plant has no products. Add a product, or import a plan.")]
    return [
        *_crossed_limits(snapshot),
        *_unstorable_stock(snapshot, "products", "product_periods", "product_grid", "product"),
        *_no_way_to_get(snapshot),
        *_units_down(snapshot),
        *_crossed_material_limits(snapshot),
        *_unstorable_stock(snapshot, "raw_materials", "raw_material_periods", "material_grid", "material"),
        *_crossed_lots(snapshot),
        *_component_circles(snapshot),
    ]


def _names(table: LXTable, field: str = "name") -> list[str]:
    return [str(name) for name in table.columns[field].tolist()]


def _key(snapshot: Snapshot, table: str, row: int) -> str:
    """Return the name of a row, after that of its product for a route."""
    name = _names(snapshot[table])[row]
    if table != "routes":
        return name
    return f"{_names(snapshot['products'])[snapshot[table].links['product'].positions[row]]} / {name}"


def _place(
    snapshot: Snapshot, tables: tuple[str, str], relation: str, parent: int, period: int, fields: tuple[str, ...]
) -> tuple[str, str]:
    """Return the table and row in which one of the fields stands: the period's row where it gives one of them."""
    overrides = snapshot[tables[1]]
    name = _key(snapshot, tables[0], parent)
    if overrides.size:
        found = np.flatnonzero(
            (overrides.links[relation].positions == parent) & (overrides.links["period"].positions == period)
        )
        if len(found) and any(not overrides.columns[field].is_null[found[0]] for field in fields):
            return tables[1], f"{name} / {_names(snapshot['periods'])[period]}"
    return tables[0], name


def _crossed(
    snapshot: Snapshot, grid_name: str, tables: tuple[str, str], relation: str, low: str, high: str
) -> Iterator[Problem]:
    """Find `high` below `low`; a contradiction that holds in every period alike is reported once."""
    grid = snapshot[grid_name]
    least, most = grid.columns[low].filled(0.0), grid.columns[high].filled(np.inf)
    seen: set[tuple[str, str]] = set()
    for i in np.flatnonzero(most < least).tolist():
        parent, period = int(grid.links[relation].positions[i]), int(grid.links["period"].positions[i])
        place = _place(snapshot, tables, relation, parent, period, (low, high))
        if place not in seen:
            seen.add(place)
            in_period = f" in period {_names(snapshot['periods'])[period]}"
            yield Problem(
                *place,
                high,
                f'"{_names(snapshot[tables[0]])[parent]}" has {high} {most[i]:g} below {low} {least[i]:g}{in_period}. '
                f"Raise {high} or lower {low}.",
            )


def _crossed_limits(snapshot: Snapshot) -> Iterator[Problem]:
    tables = ("products", "product_periods")
    for low, high in (("min_demand", "max_demand"), ("min_inventory", "max_inventory")):
        yield from _crossed(snapshot, "product_grid", tables, "product", low, high)
    yield from _crossed(snapshot, "product_grid", tables, "product", "min_batch_size", "max_batch_size")


def _crossed_material_limits(snapshot: Snapshot) -> Iterator[Problem]:
    tables = ("raw_materials", "raw_material_periods")
    yield from _crossed(snapshot, "material_grid", tables, "material", "min_inventory", "max_inventory")


def _crossed_lots(snapshot: Snapshot) -> Iterator[Problem]:
    """Find routes whose lot sizes, together with those of the product, leave nothing to make."""
    grid, ways = snapshot["way_grid"], snapshot["ways"]
    products, routes = _names(snapshot["products"]), _names(snapshot["routes"])
    periods = _names(snapshot["periods"])
    least, most = grid.columns["min_batch_size"].filled(0.0), grid.columns["max_batch_size"].filled(np.inf)
    seen: set[tuple[str, str]] = set()
    for i in np.flatnonzero(most < least).tolist():
        way, period = int(grid.links["way"].positions[i]), int(grid.links["period"].positions[i])
        route = int(ways.links["route"].positions[way])
        if route == MISSING:
            continue  # without a route the product's own limits are crossed, which is said there
        fields = ("min_batch_size", "max_batch_size")
        place = _place(snapshot, ("routes", "route_periods"), "route", route, period, fields)
        if place in seen:
            continue
        seen.add(place)
        product = products[ways.links["product"].positions[way]]
        yield Problem(
            *place,
            "max_batch_size",
            f'Route "{routes[route]}" of "{product}" allows lots of at most {most[i]:g} and of at least {least[i]:g} '
            f"in period {periods[period]} (limits of the product and of the route both hold). "
            "Raise max_batch_size or lower min_batch_size.",
        )


def _unstorable_stock(
    snapshot: Snapshot, parent: str, overrides: str, grid_name: str, relation: str
) -> Iterator[Problem]:
    """Find stock that is required at the end of a period in which it can't be stored."""
    grid, periods = snapshot[grid_name], _names(snapshot["periods"])
    unstorable = ~np.asarray(grid.columns["is_storable"].values, dtype=np.bool_)
    last = np.asarray(grid.columns["is_last"].values, dtype=np.bool_)
    minimum = grid.columns["min_inventory"].filled(0.0)
    final = snapshot[parent].columns["final_inventory"].filled(0.0)[grid.links[relation].positions]
    seen: set[tuple[str, str, str]] = set()
    for field, required in (("min_inventory", minimum), ("final_inventory", np.where(last, final, 0.0))):
        for i in np.flatnonzero(unstorable & (required > 0)).tolist():
            row, period = int(grid.links[relation].positions[i]), int(grid.links["period"].positions[i])
            place = (parent, _key(snapshot, parent, row))
            if field == "min_inventory":
                place = _place(snapshot, (parent, overrides), relation, row, period, (field,))
            if (*place, field) in seen:
                continue
            seen.add((*place, field))
            yield Problem(
                *place,
                field,
                f'"{_names(snapshot[parent])[row]}" must have {required[i]:g} in stock at the end of period '
                f"{periods[period]} but can't be stored then. Give it a holding_cost_per_unit (0 is free), "
                f"or set {field} to 0.",
            )


def _units_down(snapshot: Snapshot) -> Iterator[Problem]:
    grid = snapshot["machine_grid"]
    names, periods = _names(snapshot["machines"]), _names(snapshot["periods"])
    for i in np.flatnonzero(grid.columns["units_up"].filled(0.0) < 0).tolist():
        machine, period = int(grid.links["machine"].positions[i]), int(grid.links["period"].positions[i])
        down, up = int(grid.columns["units_down"].get(i)), int(grid.columns["units_up"].get(i))
        yield Problem(
            "machine_periods",
            f"{names[machine]} / {periods[period]}",
            "units_down",
            f'Machine "{names[machine]}" has {down} units down in period {periods[period]} but only {down + up} units. '
            "Lower units_down or raise units.",
        )


def _no_way_to_get(snapshot: Snapshot) -> Iterator[Problem]:
    """Find products that customers require and that can't be made, bought, yielded, taken from stock or left short."""
    products, grid, ways = snapshot["products"], snapshot["product_grid"], snapshot["way_grid"]
    product = grid.links["product"].positions
    usable = ~np.asarray(ways.columns["is_blocked"].values, dtype=np.bool_)
    obtainable = np.zeros(products.size, dtype=np.bool_)
    obtainable[ways.links["product"].positions[usable]] = True
    obtainable[product[~grid.columns["purchase_cost_per_unit"].is_null]] = True
    yields = snapshot["by_product_uses_by_period"]
    comes_out = usable[yields.links["way"].positions]
    obtainable[product[yields.links["by_product"].positions[comes_out]]] = True
    obtainable |= products.columns["initial_inventory"].filled(0.0) > 0
    obtainable |= ~products.columns["shortage_cost_per_unit"].is_null
    wanted = grid.columns["min_demand"].filled(0.0) > 0
    names, made = _names(products), set(ways.links["product"].positions.tolist())
    routed = set(snapshot["routes"].links["product"].positions.tolist())
    for row in sorted(set(product[wanted & ~obtainable[product]].tolist())):
        first = int(np.flatnonzero(wanted & (product == row))[0])
        table, place = _place(
            snapshot,
            ("products", "product_periods"),
            "product",
            row,
            int(grid.links["period"].positions[first]),
            ("min_demand",),
        )
        why = "it has no recipe"
        if row in made:
            why = "every way of making it needs a component that is not active"
        elif row in routed:
            why = "none of its routes is active"
        yield Problem(
            table,
            place,
            "min_demand",
            f'Product "{names[row]}" has demand, but {why}, and it is not bought, no by-product, not in stock and may '
            "not be left short. Add a recipe, give it a purchase_cost_per_unit or a shortage_cost_per_unit, "
            "or set its min_demand to 0.",
        )


def _component_circles(snapshot: Snapshot) -> Iterator[Problem]:
    """Find products that need themselves, through components."""
    products, rows = snapshot["products"], snapshot["component_requirements"]
    names = _names(products)
    active = products.columns["active"].tolist()
    route_active = snapshot["routes"].columns["active"].tolist()
    needs: dict[int, list[int]] = {}
    links = zip(*(rows.links[name].positions.tolist() for name in ("product", "component", "route")), strict=True)
    for product, component, route in links:
        if active[product] and active[component] and (route == MISSING or route_active[route]):
            needs.setdefault(product, []).append(component)
    for circle in circles(needs):
        path = " needs ".join(f'"{names[product]}"' for product in [*circle, circle[0]])
        yield Problem(
            "component_requirements",
            f"{names[circle[0]]} / {names[circle[1 % len(circle)]]}",
            "component",
            f"Component requirements form a circle: {path}. Remove one of these rows.",
        )


def circles(needs: dict[Any, list[Any]]) -> list[list[Any]]:
    """Return one circle for each knot of the graph, found without recursion."""
    found: list[list[Any]] = []
    done: set[Any] = set()
    for start in needs:
        path: list[Any] = []
        on_path: set[Any] = set()
        stack: list[tuple[Any, bool]] = [(start, False)]
        while stack:
            node, leaving = stack.pop()
            if leaving:
                on_path.discard(path.pop())
                done.add(node)
                continue
            if node in on_path:
                found.append(path[path.index(node) :])
                continue
            if node in done:
                continue
            path.append(node)
            on_path.add(node)
            stack.append((node, True))
            stack += [(other, False) for other in needs.get(node, [])]
    return found

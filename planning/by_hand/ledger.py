"""What is left of everything while a plan is made step by step, and how to take steps back.

Every amount is on a row of a grid of the snapshot, as there. Each change is written down with what stood there
before: `undo` takes back all that came after a `mark`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planning.lx import LXTable
from planning.snapshot import Snapshot

DUST = 1e-7  # units, hours: less is nothing
Numbers = list[float]


def column(table: LXTable, name: str, blank: float = 0.0) -> Numbers:
    """Return a column as numbers, `blank` where it has none."""
    return [float(value) for value in table.columns[name].filled(blank).tolist()]


def flags(table: LXTable, name: str) -> list[bool]:
    """Return a yes-or-no column."""
    return [bool(value) for value in table.columns[name].tolist()]


@dataclass
class Takes:
    """What one unit of a way takes: (machine, hours, setup hours), (material, quantity), (product, units)."""

    machines: list[tuple[int, float, float]]
    materials: list[tuple[int, float]]
    components: list[tuple[int, float]]  # by their places among the products that are active
    yields: list[tuple[int, float]]


class Ledger:
    """Products, machines and materials with what is left of them. A product's place is that in the product grid."""

    def __init__(self, s: Snapshot) -> None:
        self.snapshot, self.count = s, s.period_count
        self._written: list[tuple[Numbers, int, float]] = []
        self.spent = [0.0]  # money, as far as single steps know it
        self._read_products(s)
        self._read_ways(s)
        self._read_machines(s)
        self._read_materials(s)

    # --- reading ------------------------------------------------------------------------------

    def _read_products(self, s: Snapshot) -> None:
        grid, count = s["product_grid"], self.count
        self.products: list[int] = grid.links["product"].positions[::count].tolist()  # rows of the table
        self.place = {product: place for place, product in enumerate(self.products)}
        self.storable = flags(grid, "is_storable")
        self.required = column(grid, "required_stock")
        self.most_stock = column(grid, "max_inventory", math.inf)
        self.holding = column(grid, "holding_cost_per_unit")
        opening = np.reshape(grid.columns["opening_stock"].filled(0.0), (-1, count))[:, 0].tolist()
        self.left: Numbers = []  # units left at the end of each period: stock, or what lapses
        for place, amount in enumerate(opening):
            for t in range(count):
                self.left.append(float(amount))
                amount = amount if self.storable[place * count + t] else 0.0  # noqa: PLW2901
        self.bought, self.sold = [0.0] * grid.size, [0.0] * grid.size
        self.purchase = column(grid, "purchase_cost_per_unit", math.nan)
        self.most_purchase = column(grid, "max_purchase", math.inf)

    def _read_ways(self, s: Snapshot) -> None:
        grid = s["way_grid"]
        self.made, self.setup = [0.0] * grid.size, [0.0] * grid.size
        self.least_lot, self.most_lot = column(grid, "min_batch_size"), column(grid, "max_batch_size", math.inf)
        self.has_setup, self.is_blocked = flags(grid, "has_setup"), flags(grid, "is_blocked")
        self.is_whole, self.setup_cost = flags(grid, "whole_units"), column(grid, "setup_cost")
        own, route = column(grid, "production_cost_per_unit"), column(grid, "route_cost_per_unit")
        self.making_cost = [a + b for a, b in zip(own, route, strict=True)]
        self.ways: dict[int, list[int]] = defaultdict(list)  # place of the product -> ways, in the order of routes
        for way, product in enumerate(s["ways"].links["product"].positions.tolist()):
            self.ways[self.place[product]].append(way)
        machines = _by_way(s["machine_uses"], "machine", "hours_required", "setup_hours")
        materials = _by_way(s["material_uses"], "material", "quantity_required")
        components = _by_way(s["component_uses"], "component", "quantity_required")
        yields = _by_way(s["by_product_uses"], "by_product", "quantity_produced")
        self.takes = [
            Takes(
                machines=[(int(m), hours, setup) for m, hours, setup in machines[way]],
                materials=[(int(k), amount) for k, amount in materials[way] if amount > 0],
                components=[(self.place[int(p)], amount) for p, amount in components[way] if amount > 0],
                yields=[(self.place[int(p)], amount) for p, amount in yields[way] if amount > 0],
            )
            for way in range(s["ways"].size)
        ]

        self.yielders: dict[int, list[tuple[int, float]]] = defaultdict(list)  # product -> (way, units that come out)
        for way, takes in enumerate(self.takes):
            for place, amount in takes.yields:
                self.yielders[place].append((way, amount))
        self.product_of = [self.place[product] for product in s["ways"].links["product"].positions.tolist()]

    def _read_machines(self, s: Snapshot) -> None:
        grid = s["machine_grid"]
        self.hours = column(grid, "limit", math.inf)
        self.hours_each, self.units_up = column(grid, "available_hours"), column(grid, "units_up")
        self.down = [0.0] * grid.size
        self.used_hours = [0.0] * grid.size
        has_overtime = flags(grid, "has_overtime")
        most = column(grid, "max_overtime_hours", math.inf)
        self.overtime = [hours if has else 0.0 for hours, has in zip(most, has_overtime, strict=True)]
        self.overtime_cost = column(grid, "overtime_cost_per_hour")
        self.has_overtime = any(has_overtime)

    def _read_materials(self, s: Snapshot) -> None:
        grid, count = s["material_grid"], self.count
        self.supply = column(grid, "available_quantity", math.inf)
        self.material_used = [0.0] * grid.size
        self.material_storable = flags(grid, "is_storable")
        self.material_required = column(grid, "required_stock")
        self.most_material = column(grid, "max_inventory", math.inf)
        self.material_cost = column(grid, "cost_per_unit") if s.charges_materials else [0.0] * grid.size
        self.opening = np.reshape(grid.columns["opening_stock"].filled(0.0), (-1, count))[:, 0].tolist()
        self._material_left: list[Numbers | None] = [None] * len(self.opening)

    # --- writing ------------------------------------------------------------------------------

    def mark(self) -> int:
        """Return a place to come back to."""
        return len(self._written)

    def undo(self, mark: int) -> None:
        """Take back everything since the mark."""
        written = self._written
        while len(written) > mark:
            numbers, place, old = written.pop()
            numbers[place] = old
            if numbers is self.material_used:
                self._material_left[place // self.count] = None

    def add(self, numbers: Numbers, place: int, amount: float) -> None:
        """Add to a number."""
        self._written.append((numbers, place, numbers[place]))
        numbers[place] += amount

    def spend(self, money: float) -> None:
        """Count money as spent."""
        if money:
            self.add(self.spent, 0, money)

    # --- products -----------------------------------------------------------------------------

    def span(self, place: int, period: int) -> range:
        """Return the rows that feel it when a unit comes in a period: until the first one that can't store it."""
        row, end = place * self.count + period, (place + 1) * self.count
        for last in range(row, end):
            if not self.storable[last]:
                return range(row, last + 1)
        return range(row, end)

    def move(self, place: int, period: int, amount: float) -> None:
        """Let units come in a period, or go (below 0)."""
        cost = 0.0
        for row in self.span(place, period):
            self.add(self.left, row, amount)
            cost += self.holding[row]
        self.spend(cost * amount)

    def free(self, place: int, period: int) -> float:
        """Return how many units there are to take in a period, without missing them later."""
        return max(min(self.left[row] - self.required[row] for row in self.span(place, period)), 0.0)

    def room(self, place: int, period: int) -> float:
        """Return how many units may come in a period and stay."""
        stays = [row for row in self.span(place, period) if self.storable[row]]
        return max(min((self.most_stock[row] - self.left[row] for row in stays), default=math.inf), 0.0)

    def room_until(self, place: int, period: int, due: int) -> float:
        """Return how many units may wait from a period until a later one."""
        first = place * self.count
        rows = range(first + period, first + due)
        return max(min((self.most_stock[row] - self.left[row] for row in rows), default=math.inf), 0.0)

    # --- machines and materials ---------------------------------------------------------------

    def hours_left(self, row: int, *, overtime: bool) -> float:
        """Return the hours that are left of a machine in a period."""
        return self.hours[row] - self.used_hours[row] + (self.overtime[row] if overtime else 0.0)

    def work(self, row: int, hours: float) -> None:
        """Use hours of a machine; those beyond the regular ones cost overtime."""
        before = max(self.used_hours[row] - self.hours[row], 0.0)
        self.add(self.used_hours, row, hours)
        after = max(self.used_hours[row] - self.hours[row], 0.0)
        self.spend((after - before) * self.overtime_cost[row])

    def use(self, material: int, period: int, amount: float) -> None:
        """Use a material."""
        row = material * self.count + period
        self.add(self.material_used, row, amount)
        self._material_left[material] = None
        self.spend(amount * self.material_cost[row])

    def material_needs(self, material: int) -> Numbers:
        """Return the stock that later periods need at the end of each period, beyond what is delivered to them."""
        count, first = self.count, material * self.count
        needs, later = [0.0] * count, 0.0
        for t in reversed(range(count)):
            row = first + t
            needs[t] = max(self.material_required[row], later) if self.material_storable[row] else 0.0
            later = max(needs[t] + self.material_used[row] - self.supply[row], 0.0)
        return needs

    def material_left(self, material: int, period: int) -> float:
        """Return how much of a material a period can use: delivered to it, or before and stored."""
        known = self._material_left[material]
        if known is None:
            known = self._material_left[material] = self._left_of(material)
        return known[period]

    def _left_of(self, material: int) -> Numbers:
        first, needs = material * self.count, self.material_needs(material)
        room, rooms = math.inf, []
        for t in range(self.count):
            row = first + t
            drawn = needs[t] + self.material_used[row] - self.supply[row]  # from the stock before
            if t == 0:
                room = self.opening[material] - drawn
            elif not self.material_storable[row - 1]:
                room = -drawn
            else:
                stored = max(needs[t - 1], drawn)
                room = stored - drawn + min(self.most_material[row - 1] - stored, room)
            rooms.append(max(room, 0.0))
        return rooms

    def supplied(self) -> tuple[npt.NDArray[np.float64], ...]:
        """Return on the material grid what is supplied, as late as will do, the stock, and what lapses."""
        size = len(self.supply)
        supplied, stock, lapsed = np.zeros(size), np.zeros(size), np.zeros(size)
        for material, opening in enumerate(self.opening):
            needs, before = self.material_needs(material), opening
            for t in range(self.count):
                row = material * self.count + t
                supplied[row] = min(max(needs[t] + self.material_used[row] - before, 0.0), self.supply[row])
                left = max(before + supplied[row] - self.material_used[row], 0.0)
                target = stock if self.material_storable[row] else lapsed
                target[row] = left
                before = stock[row]
        return supplied, stock, lapsed


def _by_way(table: LXTable, item: str, *amounts: str) -> dict[int, list[tuple[float, ...]]]:
    """Return what each way takes or yields: the item's row in its table and the amounts."""
    found: dict[int, list[tuple[float, ...]]] = defaultdict(list)
    columns = [column(table, name) for name in amounts]
    ways, items = table.links["way"].positions.tolist(), table.links[item].positions.tolist()
    for way, target, *given in zip(ways, items, *columns, strict=True):
        found[way].append((float(target), *given))
    return found

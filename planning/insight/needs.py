"""What one more unit of a product takes of machines and materials, down through its components, and what is left.

Costs and worths are of one more unit: what is spent on it, and what its hours and materials are worth elsewhere by
the run's prices. Where a component can be made or bought in several ways, the cheapest one counts.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from planning.lx import MISSING, LXTable
from planning.models import Run, Utilization

from .solved_plan import Array, SolvedPlan, positions

_NOISE = 1e-6  # relative: less than this is nothing left
Amounts = dict[int, float]


@dataclass(frozen=True)
class Need:
    """What one unit takes: hours by machine, quantities by material, units by product that goes into it."""

    hours: Amounts = field(default_factory=dict)
    quantities: Amounts = field(default_factory=dict)
    components: Amounts = field(default_factory=dict)
    own_cost: float = 0.0  # money spent on one unit
    worth: float = 0.0  # money that its hours and materials bring elsewhere, and sales that it takes the place of
    displaced: float = 0.0  # of that: sales of components that it takes the place of

    @property
    def cost(self) -> float:
        """What one unit costs in all."""
        return self.own_cost + self.worth


@dataclass(frozen=True)
class Left:
    """What is left of a machine or material in a period, and the price of one more."""

    used: float
    available: float  # overtime that is allowed included
    left: float
    price: float
    overtime_left: float = 0.0

    @property
    def is_used_up(self) -> bool:
        """Whether nothing is left."""
        return self.left <= _NOISE * max(1.0, self.available)


class Needs:
    """A solved plan as its machines, materials and components see it."""

    def __init__(self, run: Run, plan: SolvedPlan) -> None:
        self.plan, self.snapshot = plan, plan.snapshot
        s = self.snapshot
        self.count = s.period_count
        self.machine_prices, self.material_prices, self.priced = _prices(run, s["machine_grid"].size)
        self.ways: dict[int, list[int]] = defaultdict(list)
        for way, product in enumerate(positions(s["ways"], "product").tolist()):
            self.ways[product].append(way)
        self.machine_uses = _by_way(s["machine_uses"], "machine", "hours_required", "setup_hours")
        self.material_uses = _by_way(s["material_uses"], "material", "quantity_required")
        self.component_uses = _by_way(s["component_uses"], "component", "quantity_required")
        self.yielding = set(positions(s["by_product_uses"], "way").tolist())
        self._first = _first_rows(s["product_grid"], "product", s["products"].size, self.count)
        self._needs: dict[tuple[int, int], Need | None] = {}
        self.material_used = _taken(s["material_uses_by_period"], "material", "quantity_required", plan)

    # --- rows of the grids ----------------------------------------------------------------------

    def product_row(self, product: int, period: int) -> int:
        """Return the row of the product grid; MISSING for a product that is not active."""
        first = self._first[product]
        return MISSING if first == MISSING else first + period

    def of_product(self, field_name: str, product: int, period: int, blank: float = math.nan) -> float:
        """Return a value of the product grid, `blank` where it has none."""
        value = self.snapshot["product_grid"].columns[field_name].get(self.product_row(product, period))
        return blank if value is None else float(value)

    def of_way(self, field_name: str, way: int, period: int, blank: float = math.nan) -> float:
        """Return a value of the way grid, `blank` where it has none."""
        value = self.snapshot["way_grid"].columns[field_name].get(way * self.count + period)
        return blank if value is None else float(value)

    def made(self, way: int, period: int) -> float:
        """Return the units made."""
        return float(self.plan.made[way * self.count + period])

    def is_set_up(self, way: int, period: int) -> bool:
        """Whether the way is set up, or needs no setup."""
        row = way * self.count + period
        return bool(self.plan.setup[row]) or not self.snapshot["way_grid"].columns["has_setup"].get(row)

    # --- what a unit takes ----------------------------------------------------------------------

    def of_one(self, product: int, period: int) -> Need | None:
        """Return the cheapest way to one unit of a product, made or bought; None where there is no way."""
        key = (product, period)
        if key not in self._needs:
            self._needs[key] = None  # circles are no plan's: this is never read
            offers = [self.of_one_made(product, period), self._bought(product, period)]
            offers.append(self._taken_from_sales(product, period))
            known = [offer for offer in offers if offer is not None]
            self._needs[key] = min(known, key=lambda need: need.cost, default=None)
        return self._needs[key]

    def of_one_made(self, product: int, period: int) -> Need | None:
        """Return the cheapest way to make one unit; None where there is no way."""
        offers = [self.of_one_by(way, period) for way in self.ways.get(product, ())]
        return min((offer for offer in offers if offer is not None), key=lambda need: need.cost, default=None)

    def of_one_by(self, way: int, period: int) -> Need | None:
        """Return what one unit takes when it is made in this way; None where that can't be."""
        if self.of_way("is_blocked", way, period):
            return None
        hours, quantities, components, displaced = Amounts(), Amounts(), Amounts(), 0.0
        own = self.of_way("production_cost_per_unit", way, period) + self.of_way("route_cost_per_unit", way, period)
        for machine, per_unit, _ in self.machine_uses.get(way, ()):
            hours[machine] = hours.get(machine, 0.0) + per_unit
        for material, quantity in self.material_uses.get(way, ()):
            quantities[material] = quantities.get(material, 0.0) + quantity
            if self.snapshot.charges_materials:
                cost = self.snapshot["material_grid"].columns["cost_per_unit"].filled(0.0)
                own += quantity * float(cost[material * self.count + period])
        for component, quantity in self.component_uses.get(way, ()):
            inside = self.of_one(component, period)
            if inside is None:
                return None
            components[component] = components.get(component, 0.0) + quantity
            for amounts, more in (
                (hours, inside.hours),
                (quantities, inside.quantities),
                (components, inside.components),
            ):
                for item, amount in more.items():
                    amounts[item] = amounts.get(item, 0.0) + quantity * amount
            own += quantity * inside.own_cost
            displaced += quantity * inside.displaced
        worth = self._worth(hours, quantities, period) + displaced
        return Need(hours, quantities, components, own, worth, displaced)

    def _worth(self, hours: Amounts, quantities: Amounts, period: int) -> float:
        total = sum(amount * self.machine_prices[machine * self.count + period] for machine, amount in hours.items())
        return float(
            total
            + sum(
                amount * self.material_prices[material * self.count + period] for material, amount in quantities.items()
            )
        )

    def _bought(self, product: int, period: int) -> Need | None:
        row = self.product_row(product, period)
        if row == MISSING:
            return None
        price = self.of_product("purchase_cost_per_unit", product, period)
        most = self.of_product("max_purchase", product, period, math.inf)
        if math.isnan(price) or reaches(float(self.plan.products["bought"][row]), most):
            return None
        return Need(own_cost=price)

    def _taken_from_sales(self, product: int, period: int) -> Need | None:
        """Return what a unit costs that lapses otherwise, or that is sold and need not be."""
        row = self.product_row(product, period)
        if row == MISSING:
            return None
        flows = self.plan.products
        if flows["lapsed"][row] > _NOISE:
            return Need()
        if flows["sold"][row] <= self.of_product("min_demand", product, period, 0.0) + _NOISE:
            return None
        earned = max(self.of_product("profit_per_unit", product, period, 0.0), 0.0)
        return Need(worth=earned, displaced=earned)

    # --- what is left ---------------------------------------------------------------------------

    def hours_left(self, machine: int, period: int) -> Left | None:
        """Return what is left of a machine's hours; None where they have no limit."""
        row = machine * self.count + period
        plan, grid = self.plan, self.snapshot["machine_grid"]
        available = float(plan.machines["available"][row])
        if math.isnan(available):
            return None
        used, more = float(plan.machines["used"][row]), 0.0
        if grid.columns["has_overtime"].get(row):
            limit = grid.columns["max_overtime_hours"].get(row)
            more = math.inf if limit is None else float(limit)
        left = max(available + more - used, 0.0)
        overtime_left = min(max(more - float(plan.machines["overtime"][row]), 0.0), left)
        return Left(used, available + more, left, float(self.machine_prices[row]), overtime_left)

    def material_left(self, material: int, period: int) -> Left | None:
        """Return what is left of a material for this period, kept stock aside; None where it has no limit."""
        row = material * self.count + period
        left = _free_material(self.plan, self.material_used, material, period)
        if math.isinf(left):
            return None
        used = float(self.material_used[row])
        return Left(used, used + left, left, float(self.material_prices[row]))

    def takers(self, kind: str, item: int, period: int) -> list[tuple[int, float]]:
        """Return who takes hours of a machine or units of a material: product and amount, the most first."""
        s, relation = self.snapshot, kind
        uses = s[f"{kind}_uses_by_period"]
        field_name = "hours_required" if kind == "machine" else "quantity_required"
        chosen = np.flatnonzero(positions(uses, relation) == item * self.count + period)
        way = positions(uses, "way")[chosen]
        amounts = uses.columns[field_name].filled(0.0)[chosen] * self.plan.made[way]
        if kind == "machine":
            amounts = amounts + uses.columns["setup_hours"].filled(0.0)[chosen] * self.plan.setup[way]
        total: dict[int, float] = defaultdict(float)
        for product, amount in zip(positions(s["way_grid"], "product")[way].tolist(), amounts.tolist(), strict=True):
            total[product] += amount
        return sorted(((p, a) for p, a in total.items() if a > _NOISE), key=lambda pair: -pair[1])


def reaches(value: float, limit: float) -> bool:
    """Whether a value is at its limit; never where that is infinite."""
    return math.isfinite(limit) and value >= limit - _NOISE * max(1.0, limit)


def _prices(run: Run, machines: int) -> tuple[Array, Array, bool]:
    """Return the prices on the machine and on the material grid, and whether any is known."""
    stored = run.utilization_rows.order_by("id").values_list("resource_type", "shadow_price")
    kinds = [kind for kind, _ in stored]
    prices = np.array([price for _, price in stored], dtype=np.float64)
    assert kinds.count(Utilization.ResourceType.MACHINE.value) == machines
    known = bool((~np.isnan(prices)).any()) or not len(prices)
    filled = np.nan_to_num(prices, nan=0.0)
    return filled[:machines], filled[machines:], known


def _by_way(table: LXTable, item: str, *fields: str) -> dict[int, list[tuple[int, ...]]]:
    """Return what each way takes: the item's position and the amounts."""
    found: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    columns = [table.columns[name].filled(0.0).tolist() for name in fields]
    rows = zip(positions(table, "way").tolist(), positions(table, item).tolist(), *columns, strict=True)
    for way, target, *amounts in rows:
        found[way].append((target, *amounts))
    return found


def _first_rows(grid: LXTable, relation: str, size: int, count: int) -> list[int]:
    first = [MISSING] * size
    for row, parent in enumerate(positions(grid, relation)[::count].tolist()):
        first[parent] = row * count
    return first


def _taken(uses: LXTable, item: str, quantity: str, plan: SolvedPlan) -> Array:
    grid = uses.links[item].target
    assert grid is not None
    amounts = uses.columns[quantity].filled(0.0) * plan.made[positions(uses, "way")]
    return np.asarray(np.bincount(positions(uses, item), weights=amounts, minlength=grid.size), dtype=np.float64)


def _free_material(plan: SolvedPlan, used: Array, material: int, period: int) -> float:
    """Return how much more of a material a period could use while later periods keep what they use.

    New supply that is not taken, in the period or stored from earlier ones, and stock that is kept for nothing.
    """
    s, count = plan.snapshot, plan.snapshot.period_count
    span, grid = slice(material * count, (material + 1) * count), s["material_grid"]
    supplied, stock = plan.supplied[span], plan.material_stock[span]
    supply = (grid.columns["available_quantity"].filled(np.inf)[span] - supplied).clip(min=0.0)
    storable = np.asarray(grid.columns["is_storable"].values, dtype=np.bool_)[span]
    spare = (stock - grid.columns["required_stock"].filled(0.0)[span]).clip(min=0.0)
    free, earlier = float(supply[period]), period - 1
    while earlier >= 0 and storable[earlier]:
        free, earlier = free + float(supply[earlier]), earlier - 1
    if not storable[period]:
        before = stock[period - 1] if period else grid.columns["opening_stock"].filled(0.0)[span][0]
        return free + max(float(before + supplied[period] - used[span][period]), 0.0)
    least, later = math.inf, 0.0
    for t in range(period, count):
        if not storable[t]:
            break
        least = min(least, float(spare[t]) + later)
        if t + 1 < count:
            later += float(supply[t + 1])
    return free + least

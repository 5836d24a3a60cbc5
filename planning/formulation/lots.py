"""The largest lot that a plan can want: the M in `make <= M * setup`, as small as the data prove.

A plan never makes more of a way in a period than its hours (with overtime), its materials and its
batch size allow. Where making more never pays, it also makes no more than what demand, components
and required stock can still take.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from planning.lx import LXTable
from planning.snapshot import Problem, Snapshot

Array = npt.NDArray[np.float64]


def lot_limits(snapshot: Snapshot) -> tuple[Array, list[Problem]]:
    """Return M for each row of the way grid (units), and a problem for each product whose data prove none."""
    count = snapshot.period_count
    grid = snapshot["way_grid"]
    if not grid.size:
        return np.zeros(0), []
    limits = _Lots(snapshot).limits()
    whole = np.asarray(grid.columns["whole_units"].values, dtype=np.bool_).reshape(-1, count)
    limits = np.where(whole, np.floor(limits + 1e-9), limits).ravel()
    needed = np.asarray(grid.columns["has_setup"].values, dtype=np.bool_)
    unproven = np.flatnonzero(needed & np.isinf(limits))
    names = snapshot["products"].columns["name"].tolist()
    products = dict.fromkeys(grid.links["product"].positions[unproven].tolist())
    return limits, [_unproven(str(names[product])) for product in products]


def unproven_lots(snapshot: Snapshot) -> list[Problem]:
    """Return a problem for each product that has a setup and for which the data prove no largest lot."""
    return lot_limits(snapshot)[1]


def _unproven(name: str) -> Problem:
    return Problem(
        "products",
        name,
        "max_batch_size",
        f'Product "{name}" has a setup, but nothing in the data limits how much of it can be made in a period. '
        "Give it a max_batch_size, limit the hours or the material that it takes, or give it a max_demand.",
    )


@dataclass
class _Lots:
    """Works out the limits: arrays are (way, period) or (product, period)."""

    snapshot: Snapshot
    caps: Array = field(init=False)

    def __post_init__(self) -> None:
        snapshot = self.snapshot
        self.count = snapshot.period_count
        self.ways = snapshot["way_grid"]
        self.way_product = snapshot["ways"].links["product"].positions
        self.least_lot = self._ways("min_batch_size", 0.0)
        self.is_whole = np.asarray(self.ways.columns["whole_units"].values, dtype=np.bool_).reshape(-1, self.count)
        self.caps = self._caps()

    def _ways(self, name: str, blank: float) -> Array:
        return self.ways.columns[name].filled(blank).reshape(-1, self.count)

    def limits(self) -> Array:
        """Return the smallest proven limit of each way and period; infinite where nothing is proven."""
        limits = self.caps.copy()
        if not self._more_never_pays():
            return limits
        demand = _Demand(self)
        need = np.zeros((self.snapshot["products"].size, self.count))
        uses = self.snapshot["component_uses"]
        components = uses.links["component"].positions
        order = self._users_first()
        ways = {product: np.flatnonzero(self.way_product == product).tolist() for product in order}
        surplus = {way: demand.surplus(way) for product in reversed(order) for way in ways[product]}
        for product in order:
            useful = demand.useful(product, need[product])
            for way in ways[product]:
                if way not in demand.yielding:
                    wanted = useful + surplus[way]
                    wanted = np.where(self.is_whole[way], np.ceil(wanted - 1e-9), wanted)
                    limits[way] = np.minimum(limits[way], np.maximum(wanted, self.least_lot[way]))
                for use in np.flatnonzero(uses.links["way"].positions == way).tolist():
                    quantity = float(uses.columns["quantity_required"].get(use))
                    if quantity > 0:
                        need[components[use]] += quantity * limits[way]
        return limits

    def _caps(self) -> Array:
        """Return what batches, hours and materials allow."""
        caps = self._ways("max_batch_size", np.inf).copy()
        caps[np.asarray(self.ways.columns["is_blocked"].values, dtype=np.bool_).reshape(caps.shape)] = 0.0
        hours = self._hours()
        uses = self.snapshot["machine_uses"]
        columns = (uses.columns[name].tolist() for name in ("hours_required", "setup_hours"))
        links = (uses.links[name].positions.tolist() for name in ("way", "machine"))
        for way, machine, per_unit, setup in zip(*links, *columns, strict=True):
            if per_unit > 0:
                caps[way] = np.minimum(caps[way], np.maximum(hours[machine] - setup, 0.0) / per_unit)
        quantities = self._quantities()
        uses = self.snapshot["material_uses"]
        links = (uses.links[name].positions.tolist() for name in ("way", "material"))
        for way, material, per_unit in zip(*links, uses.columns["quantity_required"].tolist(), strict=True):
            if per_unit > 0:
                caps[way] = np.minimum(caps[way], quantities[material] / per_unit)
        return caps

    def _hours(self) -> Array:
        """Return the hours of each machine and period, overtime included."""
        grid = self.snapshot["machine_grid"]
        overtime = np.where(grid.columns["has_overtime"].values, grid.columns["max_overtime_hours"].filled(np.inf), 0.0)
        total: Array = (grid.columns["limit"].filled(np.inf) + overtime).reshape(-1, self.count)
        return total

    def _quantities(self) -> Array:
        """Return how much of each material a period can use: what was stored and what is delivered."""
        grid = self.snapshot["material_grid"]
        shape = (-1, self.count)
        supply = grid.columns["available_quantity"].filled(np.inf).reshape(shape)
        most = grid.columns["max_inventory"].filled(np.inf).reshape(shape)
        kept = grid.columns["required_stock"].filled(0.0).reshape(shape)
        storable = np.asarray(grid.columns["is_storable"].values, dtype=np.bool_).reshape(shape)
        stock = grid.columns["opening_stock"].filled(0.0).reshape(shape)[:, 0]
        usable = np.zeros(supply.shape)
        for t in range(self.count):
            there = stock + supply[:, t]
            usable[:, t] = np.maximum(there - kept[:, t], 0.0)
            stock = np.where(storable[:, t], np.minimum(there, most[:, t]), 0.0)
        return usable

    def _more_never_pays(self) -> bool:
        """Whether no cost of making is negative and no goal rewards it: then making what nobody takes never pays."""
        if self.snapshot["counted_goals"].columns["rewards_more"].values.any():
            return False
        costs = [self.ways.columns["production_cost_per_unit"], self.ways.columns["route_cost_per_unit"]]
        if self.snapshot.charges_materials:
            costs.append(self.snapshot["material_grid"].columns["cost_per_unit"])
        return all((cost.filled(0.0) >= 0).all() for cost in costs)

    def _users_first(self) -> list[int]:
        """Return the products that are made, each after all products that it goes into."""
        uses = self.snapshot["component_uses"]
        users: dict[int, set[int]] = {}
        makers = self.way_product[uses.links["way"].positions].tolist()
        for maker, component in zip(makers, uses.links["component"].positions.tolist(), strict=True):
            users.setdefault(component, set()).add(maker)
        order: dict[int, None] = {}
        for start in dict.fromkeys(self.way_product.tolist()):
            stack = [start]
            while stack:
                waiting = [user for user in users.get(stack[-1], ()) if user not in order]
                if waiting:
                    stack += waiting
                else:
                    order[stack.pop()] = None
        return list(order)


class _Demand:
    """What can still be taken of a product, and what making it may be wanted for besides."""

    def __init__(self, lots: _Lots) -> None:
        self.lots = lots
        self.count = lots.count
        snapshot = lots.snapshot
        self.first_row = {
            product: row * self.count
            for row, product in enumerate(snapshot["product_grid"].links["product"].positions[:: self.count].tolist())
        }
        self.grid = snapshot["product_grid"]
        yields = snapshot["by_product_uses"]
        some = yields.columns["quantity_produced"].values > 0
        self.yielding = set(yields.links["way"].positions[some].tolist())
        self._known: dict[tuple[str, int], float] = {}  # what `_forced` found, by input

    def _of(self, product: int, name: str, blank: float) -> Array:
        row = self.first_row[product]
        return self.grid.columns[name].filled(blank)[row : row + self.count]

    def useful(self, product: int, need: Array) -> Array:
        """Return for each period what sales, components and stock can take of what is made in it."""
        wanted = self._of(product, "max_demand", np.inf) + need
        required = self._of(product, "required_stock", 0.0)
        storable = self._of(product, "holding_cost_per_unit", np.nan)
        late = ~np.isnan(self._of(product, "backlog_cost_per_unit", np.nan)[0])
        owed = np.concatenate([[0.0], np.cumsum(self._of(product, "min_demand", 0.0))[:-1]]) if late else 0.0
        useful = np.zeros(self.count)
        total = stock = 0.0
        for t in reversed(range(self.count)):
            reaches_next = t + 1 < self.count and not np.isnan(storable[t])
            total = wanted[t] + (total if reaches_next else 0.0)
            stock = max(required[t], stock if reaches_next else 0.0)
            useful[t] = total + stock
        return useful + owed

    def surplus(self, way: int) -> float:
        """Return the units that may be made only to use up inputs that would cost more if they stayed."""
        snapshot = self.lots.snapshot
        most = 0.0
        for table, item, grid in (
            ("material_uses", "material", snapshot["material_grid"]),
            ("component_uses", "component", snapshot["product_grid"]),
        ):
            uses = snapshot[table]
            for use in np.flatnonzero(uses.links["way"].positions == way).tolist():
                quantity = float(uses.columns["quantity_required"].get(use))
                if quantity > 0:
                    target = int(uses.links[item].positions[use])
                    row = target * self.count if item == "material" else self.first_row[target]
                    most = max(most, self._forced(item, target, grid, row) / quantity)
        return most

    def _forced(self, item: str, target: int, grid: LXTable, row: int) -> float:
        """Return how much of an input may be there without being wanted, where keeping it costs or is forbidden."""
        if (item, target) not in self._known:
            self._known[item, target] = self._unwanted(item, target, grid, row)
        return self._known[item, target]

    def _unwanted(self, item: str, target: int, grid: LXTable, row: int) -> float:
        span = slice(row, row + self.count)
        holding = grid.columns["holding_cost_per_unit"].filled(np.nan)[span]
        storable = ~np.isnan(holding)
        limited = bool((storable & ~np.isinf(grid.columns["max_inventory"].filled(np.inf)[span])).any())
        if not (limited or (holding[storable] > 0).any()):
            return 0.0
        amount = float(grid.columns["opening_stock"].values[row])
        amount += float(grid.columns["required_stock"].values[span].max())
        if item == "component":
            amount += self._leftovers(target)
        return amount

    def _leftovers(self, product: int) -> float:
        """Return what may be left over of a product in all.

        It is left by lot sizes and whole units, comes out as a by-product, is made for its own
        by-products, or is made to use up inputs.
        """
        lots = self.lots
        ways = np.flatnonzero(lots.way_product == product)
        left = lots.least_lot[ways].sum() + lots.is_whole[ways].sum()
        for way in ways.tolist():
            left += lots.caps[way].sum() if way in self.yielding else self.surplus(way) * self.count
        yields: Any = lots.snapshot["by_product_uses"]
        mine = yields.links["by_product"].positions == product
        amounts = yields.columns["quantity_produced"].values[mine]
        makers = yields.links["way"].positions[mine]
        yielded = sum(a * lots.caps[w].sum() for a, w in zip(amounts.tolist(), makers.tolist(), strict=True) if a > 0)
        return float(left + yielded)

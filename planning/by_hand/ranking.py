"""What a unit of each product takes on its first route, down through its components, and what it earns by that."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

from .ledger import Ledger, column

_MUCH = 1e30  # instead of infinite: of two such, the one that earns more comes first


@dataclass
class Unit:
    """Hours by machine, quantities by material and money that one unit takes."""

    hours: dict[int, float] = field(default_factory=dict)
    quantities: dict[int, float] = field(default_factory=dict)
    cost: float = 0.0


class Ranking:
    """The bottleneck, and what each product (by its place) earns per hour of it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._units: dict[int, Unit] = {}
        grid = ledger.snapshot["product_grid"]
        self.profit = column(grid, "profit_per_unit")
        self.bottleneck = self._bottleneck()

    def unit(self, place: int) -> Unit:
        """Return what one unit takes on the first route."""
        if place not in self._units:
            self._units[place] = Unit()
            self._units[place] = self._made(place)
        return self._units[place]

    def _made(self, place: int) -> Unit:
        ledger = self._ledger
        offers = [(way, 1.0) for way in ledger.ways.get(place, ())] + ledger.yielders.get(place, [])
        usable = [(way, units) for way, units in offers if not ledger.is_blocked[way * ledger.count]]
        if not usable:
            return Unit()
        way, units = usable[0]
        takes, first = ledger.takes[way], way * ledger.count
        hours: dict[int, float] = defaultdict(float)
        quantities: dict[int, float] = defaultdict(float)
        cost = ledger.making_cost[first]
        for machine, per_unit, _ in takes.machines:
            hours[machine] += per_unit
        for material, quantity in takes.materials:
            quantities[material] += quantity
            cost += quantity * ledger.material_cost[material * ledger.count]
        for component, quantity in takes.components:
            inside = self.unit(component)
            cost += quantity * inside.cost
            for total, more in ((hours, inside.hours), (quantities, inside.quantities)):
                for item, amount in more.items():
                    total[item] += quantity * amount
        return Unit(
            {machine: amount / units for machine, amount in hours.items() if amount > 0},
            {material: amount / units for material, amount in quantities.items() if amount > 0},
            cost / units,
        )

    def _bottleneck(self) -> int | None:
        """Return the machine that all demand and orders would fill most; None where no machine has a limit."""
        ledger = self._ledger
        load: dict[int, float] = defaultdict(float)
        for place, units in enumerate(self._wanted()):
            for machine, hours in self.unit(place).hours.items():
                load[machine] += units * hours
        shares = {}
        for machine, hours in load.items():
            there = sum(ledger.hours[machine * ledger.count : (machine + 1) * ledger.count])
            if math.isfinite(there):
                shares[machine] = hours / there if there > 0 else math.inf
        return max(shares, key=lambda machine: shares[machine], default=None)

    def _wanted(self) -> list[float]:
        """Return how many units of each product could be sold in all; of what has no limit those that are asked for."""
        s, count = self._ledger.snapshot, self._ledger.count
        most = column(s["product_grid"], "max_demand", math.inf)
        least = column(s["product_grid"], "min_demand")
        wanted = [
            sum(
                high if math.isfinite(high) else low
                for high, low in zip(most[at : at + count], least[at : at + count], strict=True)
            )
            for at in range(0, len(most), count)
        ]
        orders = s["counted_orders"]
        ordered: dict[int, float] = defaultdict(float)
        amounts = column(orders, "target_quantity")
        for product, amount in zip(orders.links["product"].positions.tolist(), amounts, strict=True):
            ordered[self._ledger.place[product]] += amount
        return [max(units, ordered[place]) for place, units in enumerate(wanted)]

    def margin(self, place: int, period: int) -> float:
        """Return what one unit earns, less what making it costs."""
        return self.profit[place * self._ledger.count + period] - self.unit(place).cost

    def bottleneck_hours(self, place: int) -> float:
        """Return the hours of the bottleneck that one unit takes."""
        return 0.0 if self.bottleneck is None else self.unit(place).hours.get(self.bottleneck, 0.0)

    def per_hour(self, place: int, period: int) -> tuple[float, float]:
        """Return what orders the products: money per hour of the bottleneck, then per unit."""
        margin, hours = self.margin(place, period), self.bottleneck_hours(place)
        if hours <= 0:
            return (_MUCH if margin > 0 else -_MUCH, margin)
        return (margin / hours, margin)

"""What is used up on the way to more of a product, who takes it, and which orders came first."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from planning.lx import LXTable

from .needs import Amounts, Left, Need
from .reasons import NOISE, ORDERS_FIRST, TOO_LITTLE, USED_UP, PlanWords, Reason
from .solved_plan import positions
from .subjects import NEVER, SALES, Subject
from .words import about, amount, listed, number


class Scarcity(PlanWords):
    """Finds the machines and materials that stand in the way."""

    def resources(self, subject: Subject, product: int, way: int, need: Need, period: int) -> Iterator[Reason]:
        """Yield the machines and materials of which nothing is left, or too little for what is missing."""
        missing = 1.0 if math.isinf(subject.missing) else max(subject.missing, 0.0)
        if subject.kind == SALES:
            row = self.needs.product_row(product, period)
            most = self.needs.of_product("max_demand", product, period, math.inf)
            missing = max(most - float(self.plan.products["sold"][row]), 0.0)
        setups: Amounts = {}
        if not self.needs.is_set_up(way, period):
            for machine, _, setup_hours in self.needs.machine_uses.get(way, ()):
                setups[machine] = setups.get(machine, 0.0) + setup_hours
        smallest = self._smallest_more(product, way, period)
        for machine, hours in need.hours.items():
            left = self.needs.hours_left(machine, period)
            if left is not None and hours + setups.get(machine, 0.0) > 0:
                least = setups.get(machine, 0.0) + smallest * hours
                wanted = setups.get(machine, 0.0) + missing * hours
                yield from self._resource(
                    "machine", machine, left, hours, least, wanted, need.components, subject, period
                )
        for material, quantity in need.quantities.items():
            left = self.needs.material_left(material, period)
            if left is not None and quantity > 0:
                amounts = (quantity, smallest * quantity, missing * quantity)
                yield from self._resource("material", material, left, *amounts, need.components, subject, period)

    def _smallest_more(self, product: int, way: int, period: int) -> float:
        """Return how many units at least are made more, if any."""
        if not self.needs.is_set_up(way, period):
            return max(self.needs.of_way("min_batch_size", way, period, 0.0), 0.0)
        return 1.0 if self.snapshot["products"].columns["whole_units"].get(product) else 0.0

    def _resource(
        self,
        kind: str,
        item: int,
        left: Left,
        per_unit: float,
        least: float,
        wanted: float,
        components: Amounts,
        subject: Subject,
        period: int,
    ) -> Iterator[Reason]:
        room = NOISE * max(1.0, left.available if math.isfinite(left.available) else left.used)
        name = self.machines[item] if kind == "machine" else self.materials[item]
        unit = "hour" if kind == "machine" else self.material_unit(name)
        table = "machines" if kind == "machine" else "raw_materials"
        takes = f"one {subject.product} takes {amount(per_unit, unit)}"
        numbers = {
            "used": left.used,
            "available": left.available,
            "left": left.left,
            "per_unit": per_unit,
            "more_wanted": max(max(wanted, least) - left.left, 0.0),
            "price": left.price,
        }
        if left.left <= max(room, least - room):
            takers = [
                f"{self.products[p]} {number(a)}"
                for p, a in self.needs.takers(kind, item, period)
                if self.products[p] != subject.product and p not in components
            ]
            state = "is used up" if left.is_used_up else f"has only {amount(left.left, unit)} left"
            over = " with overtime" if kind == "machine" and self._works_overtime(item, period) else ""
            text = f"{name} {state}{self.where(period)}{over} ({number(left.used)} of {amount(left.available, unit)})"
            text += f": {takes}, and at least {number(least)} are needed." if least > per_unit else f": {takes}."
            if takers:
                text += f" Others take {listed(takers)}."
            if left.price > NOISE:
                text += f" One more is worth about {about(left.price)} {self.currency}."
            yield Reason(USED_UP, text, table, name, self.periods[period], numbers)
        elif left.left < wanted - room and subject.kind not in (SALES, NEVER):
            text = f"{name} has {amount(left.left, unit)} left{self.where(period)}"
            if per_unit > 0:
                text += f", enough for {number(left.left / per_unit)} more at most: {takes}"
            text += "."
            yield Reason(TOO_LITTLE, text, table, name, self.periods[period], numbers)

    def _works_overtime(self, machine: int, period: int) -> bool:
        return float(self.plan.machines["overtime"][machine * self.needs.count + period]) > NOISE

    def orders_first(
        self, subject: Subject, product: int, need: Need, scarce: list[Reason], period: int
    ) -> Iterator[Reason]:
        """Yield the orders that are served from the same product or the same scarce resources in the period."""
        orders, grid = self.snapshot["counted_orders"], self.snapshot["order_grid"]
        mine = _orders_by_reference(orders).get(subject.row)
        tight = [reason for reason in scarce if reason.kind == USED_UP]
        if mine is None or not orders.size:
            return
        served = np.flatnonzero((positions(grid, "period") == period) & (self.plan.delivered > NOISE))
        orders_served = positions(grid, "order")[served].tolist()
        products, priorities = positions(orders, "product").tolist(), orders.columns["priority"].tolist()
        found = []
        for order, place in zip(orders_served, served.tolist(), strict=True):
            other, priority = products[order], int(priorities[order])
            if order == mine or priority > subject.priority:
                continue
            shared = self._shared(tight, need, other, period)
            if other == product or shared:
                delivered = float(self.plan.delivered[place])
                found.append((priority, -delivered, order, other, shared))
        if not found:
            return
        found.sort()
        before = [_served(orders, self.products, *one[:4]) for one in found if one[0] < subject.priority]
        beside = [_served(orders, self.products, *one) for one in found if one[0] == subject.priority]
        text = f"It has priority {subject.priority}."
        if before:
            text += f" First come {listed(before, 5)}."
        if beside:
            text += f" Served at the same priority: {listed(beside, 5)}."
        first = str(orders.columns["reference"].get(found[0][2]))
        yield Reason(
            ORDERS_FIRST,
            text,
            "customer_orders",
            first,
            self.periods[period],
            {"orders": float(len(found)), "priority": float(subject.priority)},
        )

    def _shared(self, tight: list[Reason], need: Need, other: int, period: int) -> str:
        """Return in words what one unit of another product takes of a scarce resource; "" where it takes none."""
        takes = self.needs.of_one_made(other, period)
        if takes is None:
            return ""
        for reason in tight:
            if reason.table == "machines":
                used, unit = takes.hours.get(self.machines.index(reason.row), 0.0), "hour"
            else:
                used = takes.quantities.get(self.materials.index(reason.row), 0.0)
                unit = self.material_unit(reason.row)
            if used > 0:
                return f"{amount(used, unit)} of {reason.row} each"
        return ""


def _served(
    orders: LXTable, products: list[str], priority: int, got: float, order: int, other: int, shared: str = ""
) -> str:
    """Return an order that got something, in words; `shared` says what a unit takes of what is scarce."""
    each = f"; {shared}" if shared else ""
    return f"{orders.columns['reference'].get(order)} ({number(-got)} {products[other]}, priority {priority}{each})"


def _orders_by_reference(orders: LXTable) -> dict[str, int]:
    return {str(name): row for row, name in enumerate(orders.columns["reference"].tolist())}

"""What stands in the way of more of a product: resources that are used up and who takes them, orders that came
first, prices that do not pay, limits in the data, and rows that are not active.

Limits, amounts and orders are facts of the plan. What comes from prices says "about".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from planning.lx import MISSING, LXTable
from planning.snapshot import Snapshot

from .needs import Amounts, Left, Need, Needs, reaches
from .solved_plan import names_of, positions
from .subjects import LATE, NEVER, ORDER, OWED, SALES, SHORT, Subject
from .words import about, amount, in_period, listed, named, number, plural

_NOISE = 1e-6  # relative

# The kinds of reasons, in the order in which they are told.
NOT_ACTIVE, NO_WAY, MAX_DEMAND, HELD = "not_active", "no_way", "max_demand", "held"
USED_UP, TOO_LITTLE, ORDERS_FIRST, DOES_NOT_PAY, COSTS_MORE = (
    "used_up",
    "too_little_left",
    "orders_first",
    "does_not_pay",
    "costs_more",
)
PAYS_THE_SAME, LARGEST_BATCH, SMALLEST_BATCH, SETUP, WHOLE_UNITS = (
    "pays_the_same",
    "largest_batch",
    "smallest_batch",
    "setup",
    "whole_units",
)
MAX_PURCHASE, NOT_STORABLE, ROUTE_NOT_ACTIVE, UNPROVEN, UNKNOWN = (
    "max_purchase",
    "not_storable",
    "route_not_active",
    "unproven",
    "unknown",
)
_SERVED_FIRST = (ORDER, LATE)


@dataclass(frozen=True)
class Reason:
    """Why something is undone: what stands in the way, where, its numbers, and a sentence.

    `table`, `row`, `period` lead to the row that the reason is about; "" where it is about none.
    """

    kind: str
    sentence: str
    table: str = ""
    row: str = ""
    period: str = ""
    numbers: dict[str, float] = field(default_factory=dict)


class Explainer:
    """Finds the reasons for what one plan leaves undone."""

    def __init__(self, needs: Needs, currency: str, units: dict[str, dict[str, str]], *, proven: bool) -> None:
        self.needs, self.plan, self.snapshot = needs, needs.plan, needs.snapshot
        self.currency, self.proven = currency, proven
        self.product_units, self.material_units = units.get("products", {}), units.get("materials", {})
        self.products, self.machines = self.plan.product_names, self.plan.machine_names
        self.materials = names_of(self.snapshot["raw_materials"])
        self.periods = self.plan.periods
        self.order_rows = _orders_by_reference(self.snapshot)

    def reasons(self, subject: Subject) -> list[Reason]:
        """Return every reason that is found; one that says so where there is none."""
        product, period = self.products.index(subject.product), self.periods.index(subject.period)
        if self.needs.product_row(product, period) == MISSING:
            return [self._product_not_active(subject.product)]
        found = [
            *self._held(period),
            *self._max_demand(subject, product, period),
            *self._ways(subject, product, period),
            *self._inactive_routes(product),
            *self._purchase(product, period),
        ]
        if not self.proven:
            found.append(Reason(UNPROVEN, "The plan is not proven to be the best one: a longer run may find a better."))
        unique = list({(reason.kind, reason.table, reason.row, reason.period): reason for reason in found}.values())
        return unique or [
            Reason(UNKNOWN, "Nothing at a limit and no price says why. Try the remedies to see what helps.")
        ]

    # --- rows -----------------------------------------------------------------------------------

    def _product_not_active(self, name: str) -> Reason:
        text = f"{name} is not active: it is neither made nor bought nor sold, and its orders do not count."
        return Reason(NOT_ACTIVE, text, "products", name)

    def _inactive_routes(self, product: int) -> Iterator[Reason]:
        routes = self.snapshot["routes"]
        if not routes.size:
            return
        active = routes.columns["active"].tolist()
        for route in np.flatnonzero(positions(routes, "product") == product).tolist():
            if not active[route]:
                row = f"{self.products[product]} / {routes.columns['name'].get(route)}"
                yield Reason(ROUTE_NOT_ACTIVE, f"The route {row} is not active.", "routes", row)

    def _held(self, period: int) -> Iterator[Reason]:
        if not self.snapshot.holds:
            return
        plant = self.snapshot["plant"].record(0)
        if period < plant.held_periods:
            text = f"What is made{self._in(period)} is held as in run {plant.held_run}."
            yield Reason(HELD, text, period=self.periods[period], numbers={"run": float(plant.held_run)})

    def _max_demand(self, subject: Subject, product: int, period: int) -> Iterator[Reason]:
        """Yield that no more can be sold: an order is then refused by max_demand itself."""
        if subject.kind not in _SERVED_FIRST:
            return
        most = self.needs.of_product("max_demand", product, period, math.inf)
        sold = float(self.plan.products["sold"][self.needs.product_row(product, period)])
        if not reaches(sold, most):
            return
        ordered = self._ordered(product, period)
        unit = self._unit(product)
        text = f"{subject.product} may sell at most {amount(most, unit)}{self._in(period)} (max_demand)"
        text += f", and {number(ordered)} are ordered." if ordered > most else ", and does."
        yield Reason(
            MAX_DEMAND,
            text,
            "products",
            subject.product,
            subject.period,
            {"max_demand": most, "ordered": ordered, "sold": sold},
        )

    def _ordered(self, product: int, period: int) -> float:
        orders = self.snapshot["counted_orders"]
        mine = (positions(orders, "product") == product) & (positions(orders, "period") == period)
        return float(orders.columns["target_quantity"].filled(0.0)[mine].sum())

    def _purchase(self, product: int, period: int) -> Iterator[Reason]:
        price = self.needs.of_product("purchase_cost_per_unit", product, period)
        most = self.needs.of_product("max_purchase", product, period, math.inf)
        bought = float(self.plan.products["bought"][self.needs.product_row(product, period)])
        if not math.isnan(price) and reaches(bought, most):
            name = self.products[product]
            text = f"All that may be bought is bought{self._in(period)}: {amount(most, self._unit(product))} of {name}."
            yield Reason(MAX_PURCHASE, text, "products", name, self.periods[period], {"max_purchase": most})

    # --- ways of making -------------------------------------------------------------------------

    def _ways(self, subject: Subject, product: int, period: int) -> Iterator[Reason]:
        ways = self.needs.ways.get(product, [])
        if not ways:
            if math.isnan(self.needs.of_product("purchase_cost_per_unit", product, period)):
                name = subject.product
                text = f"{name} can't be made or bought: no active recipe, and it comes from stock or as a by-product."
                yield Reason(NO_WAY, text, "products", name)
            return
        set_up = any(self.needs.is_set_up(way, period) for way in ways)
        for way in ways:
            need = self.needs.of_one_by(way, period)
            if need is None:
                yield from self._no_component(way, period)
                continue
            scarce = list(self._resources(subject, product, way, need, period))
            yield from scarce
            yield from self._lots(subject, product, way, period, set_up)
            if subject.kind in _SERVED_FIRST:
                yield from self._orders_first(subject, product, need, scarce, period)
            else:
                yield from self._price(subject, product, way, need, period, bool(scarce))
        yield from self._earlier(product, period)

    def _no_component(self, way: int, period: int) -> Iterator[Reason]:
        for component, _ in self.needs.component_uses.get(way, ()):
            if self.needs.of_one(component, period) is None:
                name = self.products[component]
                text = f"The component {name} can't be had: it is neither made nor bought{self._in(period)}."
                yield Reason(NO_WAY, text, "products", name, self.periods[period])
        if self.needs.of_way("is_blocked", way, period):
            needed = self.snapshot["component_requirements"]
            product = int(positions(self.snapshot["ways"], "product")[way])
            mine = positions(needed, "component")[positions(needed, "product") == product]
            active = self.snapshot["products"].columns["active"].tolist()
            for component in dict.fromkeys(mine.tolist()):
                if not active[component]:
                    name = self.products[component]
                    yield Reason(NOT_ACTIVE, f"The component {name} is not active.", "products", name)

    def _resources(self, subject: Subject, product: int, way: int, need: Need, period: int) -> Iterator[Reason]:
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
        room = _NOISE * max(1.0, left.available if math.isfinite(left.available) else left.used)
        name = self.machines[item] if kind == "machine" else self.materials[item]
        unit = "hour" if kind == "machine" else self.material_units.get(name, "unit")
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
            text = f"{name} {state}{self._in(period)}{over} ({number(left.used)} of {amount(left.available, unit)})"
            text += f": {takes}{f' at least {number(least)} are needed' if least > per_unit else ''}."
            text = text.replace(f"{amount(per_unit, unit)} at least", f"{amount(per_unit, unit)}, and at least")
            if takers:
                text += f" Others take {listed(takers)}."
            if left.price > _NOISE:
                text += f" One more is worth about {about(left.price)} {self.currency}."
            yield Reason(USED_UP, text, table, name, self.periods[period], numbers)
        elif left.left < wanted - room and subject.kind not in (SALES, NEVER):
            text = (
                f"{name} has {amount(left.left, unit)} left{self._in(period)}, enough for "
                f"{number(left.left / per_unit)} more at most: {takes}."
                if per_unit > 0
                else f"{name} has {amount(left.left, unit)} left{self._in(period)}."
            )
            yield Reason(TOO_LITTLE, text, table, name, self.periods[period], numbers)

    def _works_overtime(self, machine: int, period: int) -> bool:
        return float(self.plan.machines["overtime"][machine * self.needs.count + period]) > _NOISE

    def _lots(self, subject: Subject, product: int, way: int, period: int, set_up: bool) -> Iterator[Reason]:
        """Yield limits of batches, the setup where no way has one, and whole units."""
        made, name = self.needs.made(way, period), self._way_name(product, way)
        unit, where = self._unit(product), self._in(period)
        most = self.needs.of_way("max_batch_size", way, period, math.inf)
        table, row = self._way_row(product, way)
        if reaches(made, most):
            text = f"{name} is made at its largest batch{where}: {amount(most, unit)}."
            yield Reason(LARGEST_BATCH, text, table, row, self.periods[period], {"max_batch_size": most})
        if not set_up:
            least = self.needs.of_way("min_batch_size", way, period, 0.0)
            cost = self.needs.of_way("setup_cost", way, period, 0.0)
            hours = sum(uses[2] for uses in self.needs.machine_uses.get(way, ()))
            parts = [amount(hours, "hour")] if hours else []
            parts += [f"{number(cost)} {self.currency}"] if cost else []
            if least > max(subject.missing, 0.0) and math.isfinite(subject.missing):
                text = (
                    f"The smallest batch of {name}{where} is {number(least)}, more than the {number(subject.missing)}"
                )
                yield Reason(
                    SMALLEST_BATCH,
                    f"{text} that are missing.",
                    table,
                    row,
                    self.periods[period],
                    {"min_batch_size": least},
                )
            if parts or least:
                batch = f"at least {amount(least, unit)} at once" if least else ""
                setup = f"a setup of {listed(parts)}" if parts else ""
                said = " and ".join(part for part in (setup, batch) if part)
                numbers = {"setup_hours": hours, "setup_cost": cost, "min_batch_size": least}
                yield Reason(
                    SETUP,
                    f"{name} is not set up{where}: that takes {said}.",
                    table,
                    row,
                    self.periods[period],
                    numbers,
                )
        if self.snapshot["products"].columns["whole_units"].get(product) and 0 < subject.missing < 1:
            text = f"{subject.product} is made in whole units, and {number(subject.missing)} is missing."
            yield Reason(WHOLE_UNITS, text, "products", subject.product)

    # --- what comes first, what pays ------------------------------------------------------------

    def _orders_first(
        self, subject: Subject, product: int, need: Need, scarce: list[Reason], period: int
    ) -> Iterator[Reason]:
        """Yield the orders that are served from the same product or the same scarce resources in the period."""
        orders, grid = self.snapshot["counted_orders"], self.snapshot["order_grid"]
        mine = self.order_rows.get(subject.row)
        tight = [reason for reason in scarce if reason.kind == USED_UP]
        if mine is None or not orders.size:
            return
        served = np.flatnonzero((positions(grid, "period") == period) & (self.plan.delivered > _NOISE))
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
                unit = self.material_units.get(reason.row, "unit")
            if used > 0:
                return f"{amount(used, unit)} of {reason.row} each"
        return ""

    def _price(
        self, subject: Subject, product: int, way: int, need: Need, period: int, is_scarce: bool
    ) -> Iterator[Reason]:
        """Yield that one more does not pay: it costs more than it earns, by itself or with what it takes."""
        if not self.needs.priced or way in self.needs.yielding or subject.kind == OWED:
            return
        value = self.needs.of_product("profit_per_unit", product, period)
        if subject.kind == SHORT:
            value += self.needs.of_product("shortage_cost_per_unit", product, period, 0.0)
        margin, room = value - need.cost, _NOISE * max(1.0, abs(value), abs(need.cost))
        name, where = self._way_name(product, way), self._in(period)
        numbers = {"value": value, "own_cost": need.own_cost, "worth": need.worth, "margin": margin}
        place = ("products", subject.product, self.periods[period], numbers)
        what = self._what_is_dear(need, period)
        earns = f"One more {name}{where} would bring {number(value)} {self.currency}"
        if need.own_cost >= value - room and need.own_cost > 0:
            text = f"{earns} and cost {number(need.own_cost)} to make: it does not pay."
            yield Reason(COSTS_MORE, text, *place)
        elif margin < -room:
            own = f" and cost {number(need.own_cost)} to make" if need.own_cost else ""
            text = (
                f"{earns}{own}, and its {what} earns about {about(need.worth)} elsewhere: about {about(-margin)} less."
            )
            yield Reason(DOES_NOT_PAY, text, *place)
        elif abs(margin) <= room and is_scarce and need.worth > room:
            text = f"{earns}, as much as its {what} earns elsewhere: nothing is gained."
            yield Reason(PAYS_THE_SAME, text, *place)

    def _what_is_dear(self, need: Need, period: int) -> str:
        """Return what one unit takes that has a price, in words."""
        count = self.needs.count
        names = [self.machines[m] + " time" for m in need.hours if self.needs.machine_prices[m * count + period] > 0]
        names += [self.materials[k] for k in need.quantities if self.needs.material_prices[k * count + period] > 0]
        names += ["components, sold as they are,"] if need.displaced else []
        return listed(names) if names else "share of what is short"

    def _earlier(self, product: int, period: int) -> Iterator[Reason]:
        """Yield that earlier periods have room, but what they make can't be kept."""
        if not period or not math.isnan(self.needs.of_product("holding_cost_per_unit", product, period - 1)):
            return
        need = self.needs.of_one_made(product, period - 1)
        if need is None or not (need.hours or need.quantities):
            return
        lefts = [self.needs.hours_left(machine, period - 1) for machine, per_unit in need.hours.items() if per_unit > 0]
        lefts += [self.needs.material_left(k, period - 1) for k, per_unit in need.quantities.items() if per_unit > 0]
        if any(left is not None and left.is_used_up for left in lefts):
            return
        name, before = self.products[product], self.periods[period - 1]
        text = f"{name} can't be stored (no holding cost), though {named(before)} has room to make more."
        yield Reason(NOT_STORABLE, text, "products", name, before)

    # --- words ----------------------------------------------------------------------------------

    def _in(self, period: int) -> str:
        return in_period(self.periods[period], len(self.periods))

    def _unit(self, product: int) -> str:
        return plural(self.product_units.get(self.products[product], "unit"))

    def _way_name(self, product: int, way: int) -> str:
        route = str(self.snapshot["ways"].columns["route_name"].get(way))
        return f"{self.products[product]} on {route}" if route else self.products[product]

    def _way_row(self, product: int, way: int) -> tuple[str, str]:
        route = str(self.snapshot["ways"].columns["route_name"].get(way))
        name = self.products[product]
        return ("routes", f"{name} / {route}") if route else ("products", name)


def _served(
    orders: LXTable, products: list[str], priority: int, got: float, order: int, other: int, shared: str = ""
) -> str:
    """Return an order that got something, in words; `shared` says what a unit takes of what is scarce."""
    each = f"; {shared}" if shared else ""
    return f"{orders.columns['reference'].get(order)} ({number(-got)} {products[other]}, priority {priority}{each})"


def _orders_by_reference(snapshot: Snapshot) -> dict[str, int]:
    orders = snapshot["counted_orders"]
    return {str(name): row for row, name in enumerate(orders.columns["reference"].tolist())}

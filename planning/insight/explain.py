"""What stands in the way of more of a product: resources that are used up and who takes them, orders that came
first, prices that do not pay, limits in the data, and rows that are not active.

Limits, amounts and orders are facts of the plan. What comes from prices says "about".
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from planning.lx import MISSING

from .margins import Margins
from .needs import Needs, reaches
from .reasons import (
    HELD,
    LARGEST_BATCH,
    MAX_DEMAND,
    MAX_PURCHASE,
    NO_WAY,
    NOT_ACTIVE,
    NOT_STORABLE,
    ROUTE_NOT_ACTIVE,
    SETUP,
    SMALLEST_BATCH,
    UNKNOWN,
    UNPROVEN,
    WHOLE_UNITS,
    PlanWords,
    Reason,
)
from .scarcity import Scarcity
from .solved_plan import positions
from .subjects import LATE, ORDER, Subject
from .words import amount, listed, named, number

_SERVED_FIRST = (ORDER, LATE)


class Explainer(PlanWords):
    """Finds the reasons for what one plan leaves undone."""

    def __init__(self, needs: Needs, currency: str, units: dict[str, dict[str, str]], *, proven: bool) -> None:
        super().__init__(needs, currency, units)
        self.proven = proven
        self.scarcity, self.margins = Scarcity(needs, currency, units), Margins(needs, currency, units)

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
            text = f"What is made{self.where(period)} is held as in run {plant.held_run}."
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
        unit = self.product_unit(product)
        text = f"{subject.product} may sell at most {amount(most, unit)}{self.where(period)} (max_demand)"
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
            allowed = amount(most, self.product_unit(product))
            text = f"All that may be bought is bought{self.where(period)}: {allowed} of {name}."
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
            scarce = list(self.scarcity.resources(subject, product, way, need, period))
            yield from scarce
            yield from self._lots(subject, product, way, period, set_up)
            if subject.kind in _SERVED_FIRST:
                yield from self.scarcity.orders_first(subject, product, need, scarce, period)
            else:
                yield from self.margins.price(subject, product, way, need, period, bool(scarce))
        yield from self._earlier(product, period)

    def _no_component(self, way: int, period: int) -> Iterator[Reason]:
        for component, _ in self.needs.component_uses.get(way, ()):
            if self.needs.of_one(component, period) is None:
                name = self.products[component]
                text = f"The component {name} can't be had: it is neither made nor bought{self.where(period)}."
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

    def _lots(self, subject: Subject, product: int, way: int, period: int, set_up: bool) -> Iterator[Reason]:
        """Yield limits of batches, the setup where no way has one, and whole units."""
        made, name = self.needs.made(way, period), self.way_name(product, way)
        unit, where = self.product_unit(product), self.where(period)
        most = self.needs.of_way("max_batch_size", way, period, math.inf)
        table, row = self.way_row(product, way)
        if reaches(made, most):
            text = f"{name} is made at its largest batch{where}: {amount(most, unit)}."
            yield Reason(LARGEST_BATCH, text, table, row, self.periods[period], {"max_batch_size": most})
        if not set_up:
            yield from self._setup(subject, product, way, period)
        if self.snapshot["products"].columns["whole_units"].get(product) and 0 < subject.missing < 1:
            text = f"{subject.product} is made in whole units, and {number(subject.missing)} is missing."
            yield Reason(WHOLE_UNITS, text, "products", subject.product)

    def _setup(self, subject: Subject, product: int, way: int, period: int) -> Iterator[Reason]:
        """Yield what a setup would take, and a smallest batch that is more than is missing."""
        name, where, unit = self.way_name(product, way), self.where(period), self.product_unit(product)
        place = (*self.way_row(product, way), self.periods[period])
        least = self.needs.of_way("min_batch_size", way, period, 0.0)
        cost = self.needs.of_way("setup_cost", way, period, 0.0)
        hours = sum(uses[2] for uses in self.needs.machine_uses.get(way, ()))
        if least > subject.missing:
            more = f"more than the {number(subject.missing)} that are missing"
            text = f"The smallest batch of {name}{where} is {number(least)}, {more}."
            yield Reason(SMALLEST_BATCH, text, *place, {"min_batch_size": least})
        parts = [amount(hours, "hour")] if hours else []
        parts += [f"{number(cost)} {self.currency}"] if cost else []
        said = [f"a setup of {listed(parts)}"] if parts else []
        said += [f"at least {amount(least, unit)} at once"] if least else []
        if said:
            numbers = {"setup_hours": hours, "setup_cost": cost, "min_batch_size": least}
            yield Reason(SETUP, f"{name} is not set up{where}: that takes {' and '.join(said)}.", *place, numbers)

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

"""A plan as made by hand: what must be, then orders and goals by priority, then what pays, each by due period.

Of those that are due together, what earns most per hour of the bottleneck comes first. Everything is made on its
first route that has room, in the period in which it is needed or as late before as it can be kept. Nothing that was
decided is changed again: that is what the optimiser does otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from planning.snapshot import Snapshot

from .ledger import DUST, Ledger, column
from .making import Ask, Maker
from .ranking import Ranking

_ENOUGH = 1e-6  # relative: what lacks less is served


class NoSimplePlan(Exception):
    """The rules of a plan by hand find none; the message says in words at what they fail."""


@dataclass(frozen=True)
class Wish:
    """Units that are wanted in a period at last, and what they are for."""

    place: int
    due: int
    units: float
    order: int = -1  # row of the orders that count
    goal: int = -1  # row of the goals that count
    priority: int = 0


class Planner:
    """Makes one plan by hand."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot, self.count = snapshot, snapshot.period_count
        if snapshot.holds:
            raise NoSimplePlan("The run keeps to an earlier plan; a plan by hand would not, and is no comparison.")
        self.ledger = Ledger(snapshot)
        self.maker, self.ranking = Maker(self.ledger), Ranking(self.ledger)
        grid = snapshot["product_grid"]
        self.min_demand, self.extra_left = column(grid, "min_demand"), column(grid, "max_extra", math.inf)
        self.profit = self.ranking.profit
        self.backlog_cost = column(grid, "backlog_cost_per_unit", math.nan)
        self.shortage_cost = column(grid, "shortage_cost_per_unit", math.nan)
        self.unmet = list(self.min_demand)  # by due period: neither delivered nor given up yet
        self.backlog, self.short = [0.0] * grid.size, [0.0] * grid.size
        self.delivered = [0.0] * snapshot["order_grid"].size
        self.spoken_for = [0.0] * grid.size  # units sold that serve orders
        self._deliveries: dict[int, list[tuple[int, int]]] = {}  # order -> (row of the order grid, period)
        order_grid = snapshot["order_grid"]
        places = zip(
            order_grid.links["order"].positions.tolist(), order_grid.links["period"].positions.tolist(), strict=True
        )
        for row, (order, period) in enumerate(places):
            self._deliveries.setdefault(order, []).append((row, period))

    def plan(self) -> None:
        """Decide everything. Raises NoSimplePlan."""
        self._maintain()
        self._required()
        self._orders_and_goals()
        self._demand_that_may_be_missed()
        self._what_pays()
        self._what_does_not_fit()
        self._refuse_what_does_not_hold()

    # --- machines -------------------------------------------------------------------------------

    def _maintain(self) -> None:
        """Take units down for maintenance where the rough load leaves most hours."""
        ledger, count = self.ledger, self.count
        wanted = column(self.snapshot["machines"], "maintenance_units")
        load = self._rough_load()
        for machine, units in enumerate(wanted):
            for _ in range(round(units)):
                rows = [
                    row
                    for row in range(machine * count, (machine + 1) * count)
                    if ledger.down[row] + 1 <= ledger.units_up[row] + DUST
                ]
                if not rows:
                    raise NoSimplePlan(f"{self._machine(machine)} has no unit left to take down for maintenance.")
                row = max(rows, key=lambda at: ledger.hours[at] - ledger.hours_each[at] - load[at])
                ledger.down[row] += 1.0
                ledger.hours[row] -= ledger.hours_each[row]

    def _rough_load(self) -> list[float]:
        """Return the hours that least demand and orders take of each machine in the periods in which they are due."""
        load = [0.0] * len(self.ledger.hours)
        wishes = [Wish(at // self.count, at % self.count, units) for at, units in enumerate(self.min_demand) if units]
        for wish in [*wishes, *self._orders()]:
            for machine, hours in self.ranking.unit(wish.place).hours.items():
                load[machine * self.count + wish.due] += wish.units * hours
        return load

    # --- what must be ---------------------------------------------------------------------------

    def _required(self) -> None:
        """Serve demand that may not be missed, and stock that has to be there; raise NoSimplePlan where that fails."""
        strict: list[int] = []
        later: list[int] = []
        for at, units in enumerate(self.min_demand):
            if units > 0 and math.isnan(self.shortage_cost[at]):
                (strict if math.isnan(self.backlog_cost[at]) else later).append(at)
        stocks = [at for at, units in enumerate(self.ledger.required) if units > 0]
        steps = [(at % self.count, 0, self._by_rank(at), at) for at in strict]
        steps += [(at % self.count, 1, self._by_rank(at), at) for at in stocks]
        for due, is_stock, _, at in sorted(steps):
            self._stock_up(at, due) if is_stock else self._serve_firm(at, due)
        for at in sorted(later, key=lambda at: (at % self.count, self._by_rank(at))):
            for period in range(at % self.count, self.count):
                self._sell_firm(at, period, math.inf)
            self._refuse_unmet(at)

    def _serve_firm(self, at: int, due: int) -> None:
        self._sell_firm(at, due, math.inf)
        self._refuse_unmet(at)

    def _refuse_unmet(self, at: int) -> None:
        if self.unmet[at] > _ENOUGH * max(1.0, self.min_demand[at]):
            name, when = self._product(at), self._during(at)
            raise NoSimplePlan(f"Least demand of {name}{when} can't be met by hand: {self.unmet[at]:.6g} are missing.")

    def _stock_up(self, at: int, period: int) -> None:
        missing = self.ledger.required[at] - self.ledger.left[at]
        if missing <= DUST:
            return
        got = self.maker.get(Ask(at // self.count, missing, period, stays=True))
        if got < missing - _ENOUGH * max(1.0, self.ledger.required[at]):
            what = f"The stock that {self._product(at)} must have at the end{self._during(at, ' of ')}"
            raise NoSimplePlan(f"{what} can't be reached by hand: {missing - got:.6g} are missing.")

    def _by_rank(self, at: int) -> tuple[float, float]:
        """Return what sorts those that earn most per hour of the bottleneck first."""
        per_hour, margin = self.ranking.per_hour(at // self.count, at % self.count)
        return (-per_hour, -margin)

    # --- selling --------------------------------------------------------------------------------

    def _sell_firm(self, at: int, period: int, worth: float, most: float = math.inf) -> float:
        """Serve demand that is due at `at` (row of the product grid) in a period; return how many units."""
        place = at // self.count
        wanted = min(self.unmet[at], most)
        if wanted <= DUST:
            return 0.0
        got = self.maker.get(Ask(place, wanted, period, worth))
        self.unmet[at] = max(self.unmet[at] - got, 0.0)
        self.ledger.sold[place * self.count + period] += got
        for late in range(at % self.count, period):
            self.backlog[place * self.count + late] += got
        return got

    def _sell_more(self, at: int, worth: float, most: float) -> float:
        """Sell units beyond the least demand of their period; return how many."""
        wanted = min(self.extra_left[at], most)
        if wanted <= DUST:
            return 0.0
        got = self.maker.get(Ask(at // self.count, wanted, at % self.count, worth))
        self.extra_left[at] -= got
        self.ledger.sold[at] += got
        return got

    def _sell(self, at: int, units: float) -> float:
        """Sell units in a period at any cost, least demand first; return how many."""
        got = self._sell_firm(at, at % self.count, math.inf, units)
        return got + self._sell_more(at, math.inf, units - got)

    # --- orders and goals -------------------------------------------------------------------------

    def _orders(self) -> Iterator[Wish]:
        orders = self.snapshot["counted_orders"]
        products, dues = orders.links["product"].positions.tolist(), orders.links["period"].positions.tolist()
        amounts, priorities = column(orders, "target_quantity"), orders.columns["priority"].tolist()
        for row, (product, due, units, priority) in enumerate(zip(products, dues, amounts, priorities, strict=True)):
            yield Wish(self.ledger.place[product], due, units, order=row, priority=int(priority))

    def _goals(self) -> Iterator[Wish]:
        """Yield goals that want more of a product to be made or sold; the plan is not steered by other goals."""
        s, counted = self.snapshot, self.snapshot["counted_goals"]
        targets, under = column(counted, "target"), column(counted, "weight_under")
        ways = s["way_grid"].links["product_period"].positions.tolist()
        places: dict[int, set[int]] = {}
        for table, leads in (("goal_sales", None), ("goal_makes", ways)):
            uses = s[table]
            rows = zip(uses.links["goal"].positions.tolist(), uses.links["row"].positions.tolist(), strict=True)
            for goal, row in rows:
                places.setdefault(goal, set()).add((row if leads is None else leads[row]) // self.count)
        for goal, found in places.items():
            if len(found) == 1 and targets[goal] > 0 and under[goal] > 0:
                priority = int(counted.columns["priority"].get(goal))
                yield Wish(found.pop(), self.count - 1, targets[goal], goal=goal, priority=priority)

    def _orders_and_goals(self) -> None:
        wishes = [*self._orders(), *self._goals()]
        for wish in sorted(wishes, key=lambda w: (w.priority, w.due, self._by_rank(w.place * self.count + w.due))):
            if wish.order >= 0:
                self._deliver(wish)
            else:
                self._reach(wish)

    def _deliver(self, wish: Wish) -> None:
        """Deliver an order, in time or as little late as can be."""
        missing = wish.units
        for row, period in self._deliveries[wish.order]:
            at = wish.place * self.count + period
            unspoken = max(self.ledger.sold[at] - self.spoken_for[at], 0.0)
            amount = min(missing, unspoken)
            if missing - amount > DUST:
                amount += self._sell(at, missing - amount)
            self.delivered[row] += amount
            self.spoken_for[at] += amount
            missing -= amount
            if missing <= DUST:
                return

    def _reach(self, wish: Wish) -> None:
        """Sell more of a product until a goal is reached, where there is room in a period."""
        rows = range(wish.place * self.count, (wish.place + 1) * self.count)
        for at in rows:
            missing = wish.units - sum(self.ledger.sold[row] for row in rows)
            if missing > DUST:
                self._sell(at, missing)

    # --- what may be missed, and what pays --------------------------------------------------------

    def _demand_that_may_be_missed(self) -> None:
        """Serve least demand where that is worth more than missing it, late if that is allowed and pays."""
        rows = [at for at, units in enumerate(self.unmet) if units > DUST and not math.isnan(self.shortage_cost[at])]
        for at in sorted(rows, key=lambda at: (at % self.count, self._by_rank(at))):
            place, due = at // self.count, at % self.count
            last = due if math.isnan(self.backlog_cost[at]) else self.count - 1
            for period in range(due, last + 1):
                late = 0.0 if period == due else self.backlog_cost[at] * (period - due)
                worth = self.profit[place * self.count + period] + self.shortage_cost[at] - late
                self._sell_firm(at, period, worth)
            self.short[at], self.unmet[at] = self.unmet[at], 0.0

    def _what_pays(self) -> None:
        """Sell what earns more than it costs, period by period."""
        rows = [at for at, units in enumerate(self.extra_left) if units > DUST and self.profit[at] > 0]
        for at in sorted(rows, key=lambda at: (at % self.count, self._by_rank(at))):
            self._sell_more(at, self.profit[at], math.inf)

    def _what_does_not_fit(self) -> None:
        """Sell from stock, at any price, what there is no room for."""
        ledger, count = self.ledger, self.count
        for place in range(len(ledger.products)):
            for period in range(count):
                at = place * count + period
                rows = [row for row in ledger.span(place, period) if ledger.storable[row]]
                beyond = max((ledger.left[row] - ledger.most_stock[row] for row in rows), default=0.0)
                amount = min(beyond, self.extra_left[at], ledger.free(place, period))
                if amount > DUST:
                    ledger.move(place, period, -amount)
                    ledger.sold[at] += amount
                    self.extra_left[at] -= amount

    def _refuse_what_does_not_hold(self) -> None:
        """Raise NoSimplePlan where stocks are beyond their limits: nothing was found to do about it."""
        ledger = self.ledger
        for at, stock in enumerate(ledger.left):
            if ledger.storable[at] and stock > ledger.most_stock[at] * (1 + _ENOUGH) + _ENOUGH:
                what = f"{self._product(at)} has more stock than there is room for at the end{self._during(at, ' of ')}"
                raise NoSimplePlan(f"{what}, and by hand there was nothing to do with it.")
        stocks = ledger.supplied()[1].tolist()
        names = self.snapshot["raw_materials"].columns["name"].tolist()
        for row, amount in enumerate(stocks):
            least, most = ledger.material_required[row], ledger.most_material[row]
            if not least - _ENOUGH * max(1.0, least) <= amount <= most * (1 + _ENOUGH) + _ENOUGH:
                when = self._during(row, " of ")
                raise NoSimplePlan(
                    f"The stock of {names[row // self.count]} at the end{when} can't be kept in its limits by hand."
                )

    # --- words ------------------------------------------------------------------------------------

    def _product(self, at: int) -> str:
        return str(self.snapshot["products"].columns["name"].get(self.ledger.products[at // self.count]))

    def _machine(self, machine: int) -> str:
        return str(self.snapshot["machines"].columns["name"].get(machine))

    def _during(self, at: int, before: str = " in ") -> str:
        if self.count == 1:
            return ""
        return before + str(self.snapshot["periods"].columns["name"].get(at % self.count))

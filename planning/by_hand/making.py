"""Getting units of a product: from stock, made in the period or before it, in overtime, or bought."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .ledger import DUST, Ledger

_ROUNDS = 6  # with a smaller lot, where components or what they take do not suffice
_FEWER = 0.9  # of what is left of hours and materials that components take too


@dataclass(frozen=True)
class Ask:
    """So many units of a product (by its place) in a period.

    `worth` is what a unit may cost at most; `stays` says that they are to stay in stock.
    """

    place: int
    units: float
    due: int
    worth: float = math.inf
    stays: bool = False
    overtime: bool = True  # whether overtime may be worked for it


class Maker:
    """Takes from the ledger what an ask needs, and nothing of what does not do."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._yielding: set[int] = set()  # products whose sources are being made: no circles

    def get(self, ask: Ask) -> float:
        """Get as many of the units as can be had, and return how many."""
        got = 0.0 if ask.stays else self._from_stock(ask)
        for overtime in (False, True) if ask.overtime and self.ledger.has_overtime else (False,):
            for period in self._periods(ask):
                for way in self.ledger.ways.get(ask.place, ()):
                    if ask.units - got <= DUST:
                        return got
                    got += self._make(way, period, ask, ask.units - got, overtime=overtime)
        for period in self._periods(ask):
            if ask.units - got > DUST:
                got += self._yielded(period, ask, ask.units - got)
        for period in self._periods(ask):
            if ask.units - got > DUST:
                got += self._buy(period, ask, ask.units - got)
        return got

    def _periods(self, ask: Ask) -> range | list[int]:
        """Return the period in which the units are needed, and those before it from which they can be kept."""
        first = ask.place * self.ledger.count
        periods = [ask.due]
        while periods[-1] and self.ledger.storable[first + periods[-1] - 1]:
            periods.append(periods[-1] - 1)
        return periods

    def _from_stock(self, ask: Ask) -> float:
        amount = min(self.ledger.free(ask.place, ask.due), ask.units)
        if amount <= DUST:
            return 0.0
        self.ledger.move(ask.place, ask.due, -amount)
        return amount

    def _yielded(self, period: int, ask: Ask, units: float) -> float:
        """Make what the product comes out of as a by-product; that itself stays in stock or lapses."""
        ledger = self.ledger
        if ask.place in self._yielding or ask.place not in ledger.yielders:
            return 0.0
        self._yielding.add(ask.place)
        due = ask.place * ledger.count + ask.due
        mark, before, there, got = ledger.mark(), ledger.spent[0], ledger.left[due], 0.0
        for way, amount in ledger.yielders[ask.place]:
            wanted = min(units - got, self._waits(ask, period)) / amount
            main = Ask(ledger.product_of[way], wanted, period, stays=True)
            if wanted > DUST:
                self._make(way, period, main, wanted, overtime=ask.overtime)
            if ask.stays:
                got = min(ledger.left[due] - there, units)
                continue
            come = min(ledger.free(ask.place, ask.due), units - got)
            ledger.move(ask.place, ask.due, -come)
            got += come
        self._yielding.remove(ask.place)
        if got > DUST:
            return self._if_it_pays(ask, got, mark, before)
        ledger.undo(mark)
        return 0.0

    def _buy(self, period: int, ask: Ask, units: float) -> float:
        ledger, row = self.ledger, ask.place * self.ledger.count + period
        if math.isnan(ledger.purchase[row]):
            return 0.0
        amount = min(units, ledger.most_purchase[row] - ledger.bought[row], self._waits(ask, period))
        if amount <= DUST or math.isinf(amount):
            return 0.0
        mark, before = ledger.mark(), ledger.spent[0]
        ledger.add(ledger.bought, row, amount)
        ledger.spend(ledger.purchase[row] * amount)
        self._bring(ask, period, amount, amount)
        return self._if_it_pays(ask, amount, mark, before)

    # --- making -------------------------------------------------------------------------------

    def _make(self, way: int, period: int, ask: Ask, units: float, *, overtime: bool) -> float:
        """Make units in one way in one period, and return how many of those that are asked for."""
        ledger, row = self.ledger, way * self.ledger.count + period
        if ledger.is_blocked[row]:
            return 0.0
        whole = ledger.is_whole[row]
        new_setup = ledger.has_setup[row] and not ledger.setup[row]
        least = ledger.least_lot[row] if new_setup else 0.0
        if whole:
            least = float(math.ceil(least - DUST))
        wanted = max(float(math.ceil(units - DUST)) if whole and math.isfinite(units) else units, least)
        lot = self._fitting(way, period, ask, wanted, new_setup=new_setup, overtime=overtime)
        for _ in range(_ROUNDS):
            lot = float(math.floor(lot + DUST)) if whole and math.isfinite(lot) else lot
            if lot < least - DUST or lot <= 10 * DUST:
                return 0.0
            mark, before = ledger.mark(), ledger.spent[0]
            enough_for = self._take(way, period, lot, new_setup=new_setup, overtime=overtime)
            if enough_for >= lot:
                used = min(lot, units)
                self._bring(ask, period, lot, used)
                if self._rest_stays(ask, way, period, lot, used):
                    return self._if_it_pays(ask, used, mark, before)
                enough_for = lot / 2
            ledger.undo(mark)
            lot = max(enough_for, least) if lot > least else 0.0
        return 0.0

    def _fitting(self, way: int, period: int, ask: Ask, wanted: float, *, new_setup: bool, overtime: bool) -> float:
        """Return how many units at most can be made as far as the way's own hours, materials and stocks go."""
        ledger, count, takes = self.ledger, self.ledger.count, self.ledger.takes[way]
        row = way * count + period
        lot = min(wanted, ledger.most_lot[row] - ledger.made[row])
        for machine, hours, setup_hours in takes.machines:
            left = ledger.hours_left(machine * count + period, overtime=overtime)
            left -= setup_hours if new_setup else 0.0
            if left < -DUST:
                return 0.0
            if hours > 0:
                lot = min(lot, left / hours)
        if lot <= DUST:
            return 0.0
        for material, quantity in takes.materials:
            lot = min(lot, ledger.material_left(material, period) / quantity)
        for place, amount in takes.yields:
            lot = min(lot, ledger.room(place, period) / amount)
        return min(lot, self._waits(ask, period))

    def _waits(self, ask: Ask, period: int) -> float:
        """Return how many units may wait from a period until they are due."""
        if ask.stays:
            return self.ledger.room(ask.place, period)
        return self.ledger.room_until(ask.place, period, ask.due)

    def _take(self, way: int, period: int, lot: float, *, new_setup: bool, overtime: bool) -> float:
        """Take what a lot needs; return for how many units there is enough: fewer, where it does not suffice."""
        ledger, count, takes = self.ledger, self.ledger.count, self.ledger.takes[way]
        for component, quantity in takes.components:
            got = self.get(Ask(component, quantity * lot, period, overtime=overtime))
            if got < quantity * lot - DUST * max(1.0, quantity):
                return got / quantity
        if math.isinf(lot):
            return 0.0
        for machine, hours, setup_hours in takes.machines:
            at, fixed = machine * count + period, setup_hours if new_setup else 0.0
            left = ledger.hours_left(at, overtime=overtime)
            if hours * lot + fixed > left + DUST:  # components took some
                return _FEWER * lot * max(left - fixed, 0.0) / (hours * lot)
            ledger.work(at, hours * lot + fixed)
        for material, quantity in takes.materials:
            left = ledger.material_left(material, period)
            if quantity * lot > left + DUST:
                return _FEWER * left / quantity
            ledger.use(material, period, quantity * lot)
        row = way * count + period
        ledger.add(ledger.made, row, lot)
        ledger.spend(lot * ledger.making_cost[row])
        if new_setup:
            ledger.add(ledger.setup, row, 1.0)
            ledger.spend(ledger.setup_cost[row])
        return lot

    def _bring(self, ask: Ask, period: int, lot: float, used: float) -> None:
        """Let a lot come in, and what is asked for go when it is due."""
        self.ledger.move(ask.place, period, lot)
        if not ask.stays:
            self.ledger.move(ask.place, ask.due, -used)

    def _rest_stays(self, ask: Ask, way: int, period: int, lot: float, used: float) -> bool:
        """Let by-products come in; whether they and what is left over of the lot can stay."""
        ledger = self.ledger
        if not ledger.takes[way].yields and lot <= used:
            return True
        for place, amount in ledger.takes[way].yields:
            ledger.move(place, period, amount * lot)
        places = [ask.place, *(place for place, _ in ledger.takes[way].yields)]
        return all(
            ledger.left[at] <= ledger.most_stock[at] + DUST
            for place in places
            for at in ledger.span(place, period)
            if ledger.storable[at]
        )

    def _if_it_pays(self, ask: Ask, used: float, mark: int, before: float) -> float:
        """Return the units, or 0 with everything taken back where they cost more than they are worth."""
        cost = self.ledger.spent[0] - before
        if cost <= ask.worth * used + DUST:
            return used
        self.ledger.undo(mark)
        return 0.0

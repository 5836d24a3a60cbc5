"""What one plan of the same data does otherwise than another, in words, what weighs most first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from planning.by_hand import Ranking

from .solved_plan import Array, SolvedPlan, added_up, names_of, positions
from .words import amount, in_period, named, number

_NOISE = 1e-6


@dataclass(frozen=True)
class Otherwise:
    """One difference: about how much money it is about, for the order, and a sentence."""

    money: float
    sentence: str


class Differences:
    """How the second plan differs from the first."""

    def __init__(
        self, first: SolvedPlan, second: SolvedPlan, ranking: Ranking, currency: str, units: dict[str, str]
    ) -> None:
        self.first, self.second, self.ranking = first, second, ranking
        self.currency, self.units = currency, units
        s = second.snapshot
        self.snapshot, self.count = s, s.period_count
        self.periods, products = names_of(s["periods"]), names_of(s["products"])
        self.names = [products[row] for row in positions(s["product_grid"], "product")[:: self.count].tolist()]
        self.more_made = self._more("made")  # products (by place) x periods
        self.tight = self._tight()
        self.more_delivered = self._more_delivered()

    def sentences(self, most: int) -> list[str]:
        """Return the differences that weigh most."""
        found = [*self._made(), *self._setups(), *self._overtime(), *self._bought(), *self._missed(), *self._routes()]
        return [one.sentence for one in sorted(found, key=lambda one: -one.money)[:most]]

    def _more(self, flow: str) -> Array:
        """Return how much more of a flow of products there is, as products x periods."""
        more = self.second.products[flow] - self.first.products[flow]
        room = _NOISE * np.maximum(1.0, np.abs(self.first.products[flow]))
        return np.where(np.abs(more) > room, more, 0.0).reshape(len(self.names), self.count)

    def _of(self, units: float, place: int) -> str:
        """Return an amount of a product: 12 Table, 3 kg of Glue."""
        unit, name = self.units.get(self.names[place], "unit"), self.names[place]
        return f"{number(abs(units))} {name}" if unit == "unit" else f"{amount(abs(units), unit)} of {name}"

    def _in(self, period: int) -> str:
        return in_period(self.periods[period], self.count)

    def _tight(self) -> dict[tuple[str, int, int], str]:
        """Return the machines and materials of which the second plan uses everything, with their names."""
        s = self.snapshot
        found: dict[tuple[str, int, int], str] = {}
        used, available = (self.second.machines[name] for name in ("used", "available"))
        supplied = self.second.supplied
        limit = s["material_grid"].columns["available_quantity"].filled(np.inf)
        for kind, grid, full in (
            ("machine", s["machine_grid"], used >= available - _NOISE * np.maximum(1.0, used)),
            ("material", s["material_grid"], supplied >= limit - _NOISE * np.maximum(1.0, supplied)),
        ):
            items, periods = positions(grid, kind).tolist(), positions(grid, "period").tolist()
            names = names_of(s["machines" if kind == "machine" else "raw_materials"])
            found |= {(kind, items[row], periods[row]): names[items[row]] for row in np.flatnonzero(full).tolist()}
        return found

    def _more_delivered(self) -> Array:
        """Return how much more of each product (by place) orders get."""
        grid = self.snapshot["order_grid"]
        more = self.second.delivered - self.first.delivered
        place = positions(grid, "product_period") // self.count
        return added_up(place, more, len(self.names))

    # --- what is made -----------------------------------------------------------------------------

    def _made(self) -> Iterator[Otherwise]:
        """Yield what is made in other periods, then what is made more or less, with where its hours go."""
        more = self.more_made.copy()
        for place in range(len(self.names)):
            yield from self._shifted(place, more[place])
        said: set[tuple[int, int]] = set()
        for place, period in np.argwhere(more < 0).tolist():
            other, why = self._instead(more, place, period)
            if other is not None:
                said.add((other, period))
            text = f"Makes {self._of(more[place, period], place)} less{self._in(period)}{why}."
            yield Otherwise(-more[place, period] * self._weight(place, period), text)
        for place, period in np.argwhere(more > 0).tolist():
            weight = more[place, period] * self._weight(place, period)
            if (place, period) in said:
                weight /= 2  # it is the reason of another one
            why = ", for orders that come first" if self.more_delivered[place] > _NOISE else ""
            yield Otherwise(weight, f"Makes {self._of(more[place, period], place)} more{self._in(period)}{why}.")

    def _shifted(self, place: int, more: Array) -> Iterator[Otherwise]:
        """Yield what is made in another period instead, and take it out of `more`."""
        while (more > 0).any() and (more < 0).any():
            into, out = int(np.argmax(more)), int(np.argmin(more))
            units = min(more[into], -more[out])
            more[into], more[out] = more[into] - units, more[out] + units
            more[np.abs(more) <= _NOISE * max(1.0, units)] = 0.0
            when = f"in {named(self.periods[into])} instead of {named(self.periods[out])}"
            why = ", ahead of its time" if into < out else ", and keeps less in stock"
            text = f"Makes {self._of(units, place)} {when}{why}."
            holding = self.snapshot["product_grid"].columns["holding_cost_per_unit"].filled(0.0)
            span = slice(place * self.count + min(into, out), place * self.count + max(into, out))
            yield Otherwise(float(units * holding[span].sum()), text)

    def _weight(self, place: int, period: int) -> float:
        """Return what one unit is about, in money."""
        margin = abs(self.ranking.margin(place, period))
        return float(max(margin, abs(self.ranking.unit(place).cost), _NOISE))

    def _instead(self, more: Array, place: int, period: int) -> tuple[int | None, str]:
        """Return which product takes what one leaves of something that is used up, and why, in words."""
        best: tuple[float, int | None, str] = (0.0, None, "")
        here = self.ranking.unit(place)
        for other in np.flatnonzero(more[:, period] > 0).tolist():
            there = self.ranking.unit(other)
            for kind, mine, theirs in (
                ("machine", here.hours, there.hours),
                ("material", here.quantities, there.quantities),
            ):
                for item in mine.keys() & theirs.keys():
                    name = self.tight.get((kind, item, period))
                    if name is None:
                        continue
                    worth = self.ranking.margin(place, period) / mine[item]
                    gained = self.ranking.margin(other, period) / theirs[item] - worth
                    hours = min(-more[place, period] * mine[item], more[other, period] * theirs[item])
                    why = self._why(kind, name, other, worth, gained)
                    if why and hours * (gained if gained > 0 else _NOISE) > best[0]:
                        best = (hours * (gained if gained > 0 else _NOISE), other, why)
        return best[1], best[2]

    def _why(self, kind: str, name: str, other: int, worth: float, gained: float) -> str:
        """Return why hours or material go to another product: it earns more, or orders want it; "" if neither."""
        goes = f": {name} hours go to" if kind == "machine" else f": its {name} goes to"
        if gained > _NOISE * max(1.0, abs(worth)):
            each = "per hour" if kind == "machine" else f"per unit of {name}"
            return f"{goes} {self.names[other]}, which earns {number(worth + gained)} {each} against {number(worth)}"
        if self.more_delivered[other] > _NOISE:
            return f"{goes} {self.names[other]}, for orders that come first"
        return ""

    # --- all else -----------------------------------------------------------------------------------

    def _setups(self) -> Iterator[Otherwise]:
        grid = self.snapshot["way_grid"]
        product, cost = positions(grid, "product"), grid.columns["setup_cost"].filled(0.0)
        names = names_of(self.snapshot["products"])
        plans = (self.first, self.second)
        counts = [added_up(product, plan.setup.astype(np.float64), len(names)) for plan in plans]
        costs = [added_up(product, plan.setup * cost, len(names)) for plan in plans]
        for row in np.flatnonzero(counts[0] != counts[1]).tolist():
            saved = float(costs[0][row] - costs[1][row])
            often = f"{_times(counts[1][row])} instead of {_times(counts[0][row])}"
            yield Otherwise(abs(saved), f"Sets {names[row]} up {often}{self._saves(saved)}.")

    def _overtime(self) -> Iterator[Otherwise]:
        grid = self.snapshot["machine_grid"]
        machine, price = positions(grid, "machine"), grid.columns["overtime_cost_per_hour"].filled(0.0)
        size = self.snapshot["machines"].size
        plans = (self.first, self.second)
        hours = [added_up(machine, plan.machines["overtime"], size) for plan in plans]
        costs = [added_up(machine, plan.machines["overtime"] * price, size) for plan in plans]
        for row in np.flatnonzero(np.abs(hours[1] - hours[0]) > _NOISE).tolist():
            saved = float(costs[0][row] - costs[1][row])
            what = f"{amount(float(hours[1][row]), 'hour')} of overtime on {self.second.machine_names[row]}"
            yield Otherwise(abs(saved), f"Works {what} instead of {number(float(hours[0][row]))}{self._saves(saved)}.")

    def _bought(self) -> Iterator[Otherwise]:
        cost = self.snapshot["product_grid"].columns["purchase_cost_per_unit"].filled(0.0)
        yield from self._totals("bought", "Buys {} {more}", cost)

    def _missed(self) -> Iterator[Otherwise]:
        grid = self.snapshot["product_grid"].columns
        yield from self._totals("short", "Leaves {} {more} undelivered", grid["shortage_cost_per_unit"].filled(0.0))
        yield from self._totals(
            "backlog", "Owes {} {more}, added up over the periods", grid["backlog_cost_per_unit"].filled(0.0)
        )

    def _totals(self, flow: str, said: str, cost: Array) -> Iterator[Otherwise]:
        """Yield by product how much more or less there is of a flow that costs something."""
        more = self._more(flow)
        saved = -(more * cost.reshape(more.shape)).sum(axis=1)
        for place in np.flatnonzero(np.abs(more.sum(axis=1)) > _NOISE).tolist():
            units = float(more[place].sum())
            text = said.format(self._of(units, place), more="more" if units > 0 else "less")
            yield Otherwise(abs(float(saved[place])), f"{text}{self._saves(float(saved[place]))}.")

    def _routes(self) -> Iterator[Otherwise]:
        """Yield what is made on another route instead, over all periods."""
        ways = self.snapshot["ways"]
        more = (self.second.made - self.first.made).reshape(-1, self.count).sum(axis=1)
        routes = ways.columns["route_name"].tolist()
        places = {name: place for place, name in enumerate(self.names)}
        products = (
            [
                places[name]
                for name in np.array(names_of(self.snapshot["products"]), dtype=object)[positions(ways, "product")]
            ]
            if ways.size
            else []
        )
        for place in dict.fromkeys(products):
            mine = [way for way, owner in enumerate(products) if owner == place]
            into, out = max(mine, key=lambda way: more[way]), min(mine, key=lambda way: more[way])
            units = min(float(more[into]), -float(more[out]))
            if units > _NOISE:
                text = f"Makes {self._of(units, place)} on {routes[into]} instead of {routes[out]}."
                yield Otherwise(units * self._weight(place, 0), text)

    def _saves(self, saved: float) -> str:
        if abs(saved) <= 0.005:
            return ""
        return f", which {'saves' if saved > 0 else 'costs'} {number(abs(saved))} {self.currency}"


def _times(count: float) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(round(count), f"{number(count)} times")

"""Whether one more of a product pays, by what it costs and by what its hours and materials are worth elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from .needs import Need
from .reasons import COSTS_MORE, DOES_NOT_PAY, NOISE, PAYS_THE_SAME, PlanWords, Reason
from .subjects import OWED, SHORT, Subject
from .words import about, listed, number


class Margins(PlanWords):
    """Finds what does not pay, by the prices of the run."""

    def price(
        self, subject: Subject, product: int, way: int, need: Need, period: int, is_scarce: bool
    ) -> Iterator[Reason]:
        """Yield that one more does not pay: it costs more than it earns, by itself or with what it takes."""
        if not self.needs.priced or way in self.needs.yielding or subject.kind == OWED:
            return
        value = self.needs.of_product("profit_per_unit", product, period)
        if subject.kind == SHORT:
            value += self.needs.of_product("shortage_cost_per_unit", product, period, 0.0)
        margin, room = value - need.cost, NOISE * max(1.0, abs(value), abs(need.cost))
        name, where = self.way_name(product, way), self.where(period)
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

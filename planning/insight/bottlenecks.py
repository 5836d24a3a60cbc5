"""What limits a plan: machines and materials of which one more is worth something, ranked by what relief brings.

Known from the prices that are stored with a run; nothing is solved. A price holds between two limits, and a
step that is named never leaves them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from planning.models import MaterialBalance, Run, Utilization

from .words import about, amount, in_period, listed, number, plural

_NOISE = 1e-9
_SHARE = 0.1  # of the limit: how much more is a realistic step
MACHINE = Utilization.ResourceType.MACHINE.value


@dataclass(frozen=True)
class TightLimit:
    """A limit that holds the profit back: of one machine or material in one period.

    `limit` is what the price is about: a machine's hours without overtime, a material's new supply.
    """

    resource_type: str
    resource: str
    period: str
    unit: str
    used: float
    available: float
    overtime: float
    limit: float
    price: float  # money per hour or unit
    high: float | None  # the price holds up to this limit; None: without end
    step: float  # a realistic number of hours or units more; 0 where the price holds for no more
    currency: str
    periods: int
    with_setups: bool
    then: tuple[str, ...] = ()  # what limits once this limit has grown as far as its price holds

    @property
    def room(self) -> float | None:
        """How many hours or units more the price holds for; None: any number."""
        return None if self.high is None else max(self.high - self.limit, 0.0)

    @property
    def gain(self) -> float:
        """What the step brings, in money."""
        return self.price * self.step

    @property
    def _then(self) -> str:
        """What comes after the range of the price, in words."""
        if not self.then:
            return "it is worth less"
        return f"{listed(self.then)} {'limits' if len(self.then) == 1 else 'limit'}"

    @property
    def sentence(self) -> str:
        """What relief brings, in words."""
        each = f"{number(self.price)} {self.currency} {'per hour' if self.unit == 'hour' else 'each'}"
        where = f"{self.resource}{in_period(self.period, self.periods)}"
        given = "With these setups, " if self.with_setups else ""
        if not self.step:
            said = f"a little more of {where} is worth {each}; how far that holds is not known."
        else:
            ends = "however many" if self.room is None else f"up to {amount(self.room, self.unit)}"
            after = "" if self.room is None else f", then {self._then}"
            more = "1 more " + self.unit if self.step == 1 else f"{number(self.step)} more {plural(self.unit)}"
            brings = "brings" if self.step == 1 else "bring"
            said = f"{more} of {where} {brings} about {about(self.gain)} {self.currency} ({each}, {ends}{after})."
        if self.overtime > _NOISE:
            said += f" {amount(self.overtime, 'hour').capitalize()} of overtime are worked there already."
        said = given + said
        return said[0].upper() + said[1:]


@dataclass(frozen=True)
class Bottleneck:
    """A machine or material with all its tight limits, in the order of the periods."""

    resource_type: str
    resource: str
    unit: str
    limits: tuple[TightLimit, ...]

    @property
    def gain(self) -> float:
        """What the steps of all periods bring, in money: together at most this much."""
        return sum(limit.gain for limit in self.limits)

    @property
    def best_first(self) -> list[TightLimit]:
        """The limits by what their step brings."""
        return sorted(self.limits, key=lambda limit: -limit.gain)


@dataclass(frozen=True)
class Bottlenecks:
    """Every resource that limits a plan, by what relief is worth over the horizon."""

    ranked: tuple[Bottleneck, ...]
    currency: str
    with_setups: bool  # prices hold while whole decisions stay as they are
    with_targets: bool  # prices are of profit, with orders and goals as far as they are reached
    unknown: tuple[str, ...]  # resources with a limit whose price is not known

    @property
    def summary(self) -> str:
        """What the prices mean, in words."""
        if not self.ranked and self.unknown:
            return "What more hours or material would be worth is not known for this plan."
        if not self.ranked:
            said = "No machine and no material limits the profit: more of any of them is worth nothing"
            return said + (" with these setups." if self.with_setups else ".")
        said = "By what relief is worth over all periods."
        if self.with_setups:
            said += " Prices hold with these setups and whole quantities; other setups may gain more."
        if self.with_targets:
            said += " Prices are of profit, with orders and goals served as they are; more may serve these first."
        return said


def bottlenecks(run: Run) -> Bottlenecks:
    """Return what limits the plan of a run, with two queries."""
    with_setups = run.shadow_price_basis == "fixed_mip"
    rows = list(run.utilization_rows.filter(available__isnull=False).order_by("id"))
    periods = len(dict.fromkeys(row.period for row in rows))
    opening = _opening_stocks(run)
    units = run.units.get("materials", {})
    found: dict[tuple[str, str], list[TightLimit]] = {}
    unknown: dict[str, None] = {}
    then = {(one["resource_type"], one["resource"], one["period"]): one["then"] for one in run.then_limits}
    for row in rows:
        if row.shadow_price is None:
            unknown[row.resource] = None
            continue
        if row.shadow_price <= _NOISE or row.available is None:
            continue
        is_machine = row.resource_type == MACHINE
        limit = row.available - (0.0 if is_machine else opening.get((row.resource, row.period), 0.0))
        room = None if row.shadow_price_high is None else row.shadow_price_high - limit
        found.setdefault((row.resource_type, row.resource), []).append(
            TightLimit(
                resource_type=row.resource_type,
                resource=row.resource,
                period=row.period,
                unit="hour" if is_machine else units.get(row.resource, "unit"),
                used=row.used,
                available=row.available,
                overtime=row.overtime,
                limit=limit,
                price=row.shadow_price,
                high=row.shadow_price_high,
                step=realistic_step(limit, room),
                currency=run.currency,
                periods=periods,
                with_setups=with_setups,
                then=_named(then.get((row.resource_type, row.resource, row.period), []), row, periods),
            )
        )
    each = [Bottleneck(*key, limits[0].unit, tuple(limits)) for key, limits in found.items()]
    ranked = sorted(each, key=lambda bottleneck: -bottleneck.gain)
    return Bottlenecks(tuple(ranked), run.currency, with_setups, bool(run.levels), tuple(unknown))


def _named(then: list[dict[str, str]], row: Utilization, periods: int) -> tuple[str, ...]:
    """Return the names of what limits next, with the period where that is another one."""
    return tuple(
        one["resource"] + (in_period(one["period"], periods) if one["period"] != row.period else "") for one in then
    )


def _opening_stocks(run: Run) -> dict[tuple[str, str], float]:
    """Return what each material had in stock before a period: no part of the limit that its price is about."""
    rows = MaterialBalance.objects.filter(run=run).values_list(
        "material", "period", "used", "lapsed", "stock", "supplied"
    )
    return {(material, period): used + lapsed + stock - got for material, period, used, lapsed, stock, got in rows}


def realistic_step(limit: float, room: float | None) -> float:
    """Return about a tenth of the limit as a round number (1, 2 or 5 times a power of ten), within the room."""
    if room is not None and room <= 1e-6 * max(1.0, abs(limit)):
        return 0.0
    wanted = _SHARE * limit if limit > 0 else 1.0
    power = 10.0 ** math.floor(math.log10(wanted))
    step = min((1.0, 2.0, 5.0, 10.0), key=lambda digit: abs(digit - wanted / power)) * power
    if room is None or step <= room:
        return step
    power = 10.0 ** math.floor(math.log10(room))
    return max((digit for digit in (1.0, 2.0, 5.0) if digit * power <= room), default=room / power) * power

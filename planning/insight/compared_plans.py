"""The plans of several runs side by side: figures, resources, quantities, orders, goals.

Everything is read from the stored rows, one query per table for all runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from planning.formulation import PROFIT_PARTS
from planning.models import GoalResult, OrderResult, ProductBalance, Production, Run, Utilization

NOISE = 5e-7  # a quantity below is none
_LEAST_DIFFERENCE = 1e-6  # relative to the larger value, or to 1
MORE_IS_BETTER, LESS_IS_BETTER, NEITHER = 1, -1, 0
Cells = tuple[float | None, ...]


@dataclass(frozen=True)
class Amounts:
    """One number by run; None where a run has none. The first one is the base."""

    values: Cells
    has_plan: tuple[bool, ...]
    better: int = NEITHER  # 1: more is better; -1: less is better; 0: neither is

    def difference(self, place: int) -> float | None:
        """Return how much more a run has than the base; None where one of them has nothing."""
        base, value = self.values[0], self.values[place]
        if base is None or value is None:
            return None
        return 0.0 if _alike(base, value) else value - base

    def verdict(self, place: int) -> str:
        """Return better, worse, other or same; "" for the base and where nothing can be said."""
        difference = self.difference(place)
        if not place or difference is None:
            return ""
        if not difference:
            return "same"
        if self.better == NEITHER:
            return "other"
        return "better" if difference * self.better > 0 else "worse"

    @property
    def differs(self) -> bool:
        """Whether a run with a plan has another number than the base."""
        return self.has_plan[0] and any(
            there and not _alike(self.values[0], value) for value, there in zip(self.values, self.has_plan, strict=True)
        )


def _alike(base: float | None, value: float | None) -> bool:
    if base is None or value is None:
        return base is value
    return abs(value - base) <= _LEAST_DIFFERENCE * max(1.0, abs(base), abs(value))


@dataclass(frozen=True)
class Figure:
    """A headline figure."""

    key: str
    name: str
    unit: str  # money, hours, units, share, or "" for a count
    amounts: Amounts


@dataclass(frozen=True)
class ComparedResource:
    """A machine or a material in a period."""

    resource_type: str
    resource: str
    period: str
    used: Amounts
    available: Amounts
    utilization_pct: Amounts
    overtime: Amounts
    shadow_price: Amounts

    @property
    def differs(self) -> bool:
        """Whether anything of it differs."""
        columns = (self.used, self.available, self.overtime, self.shadow_price)
        return any(amounts.differs for amounts in columns)


@dataclass(frozen=True)
class PlanLine:
    """What is made of a product: an amount by period, all its routes together."""

    product: str
    periods: tuple[Amounts, ...]

    @property
    def total(self) -> Amounts:
        """What is made in all periods."""
        columns = [one.values for one in self.periods]
        known = [[value for value in column if value is not None] for column in zip(*columns, strict=True)]
        return Amounts(tuple(sum(own) if own else None for own in known), self.periods[0].has_plan)

    @property
    def differs(self) -> bool:
        """Whether any quantity differs."""
        return any(one.differs for one in self.periods)


@dataclass(frozen=True)
class OrderOutcome:
    """What an order gets in one run, in units."""

    target: float
    delivered: float
    late: float
    shortfall: float

    @property
    def is_met(self) -> bool:
        """Whether it is delivered in full and on time."""
        return self.shortfall <= NOISE and self.late <= NOISE


@dataclass(frozen=True)
class ComparedOrder:
    """A customer order by run; None where a run does not have it."""

    reference: str
    product: str
    period: str
    outcomes: tuple[OrderOutcome | None, ...]
    has_plan: tuple[bool, ...]

    def change(self, place: int) -> str:
        """Return won, lost, better, worse, same, new or gone against the base; "" where nothing can be said."""
        base, own = self.outcomes[0], self.outcomes[place]
        if not place or not (self.has_plan[0] and self.has_plan[place]) or (base is None and own is None):
            return ""
        if base is None or own is None:
            return "new" if base is None else "gone"
        if base.is_met != own.is_met:
            return "won" if own.is_met else "lost"
        for before, after in ((base.shortfall, own.shortfall), (base.late, own.late)):
            if not _alike(before, after):
                return "better" if after < before else "worse"
        return "same"

    @property
    def differs(self) -> bool:
        """Whether a run has another outcome, or another order, than the base."""
        targets = {one.target for one in self.outcomes if one is not None}
        return len(targets) > 1 or any(self.change(place) not in ("", "same") for place in range(len(self.outcomes)))


@dataclass(frozen=True)
class ComparedGoal:
    """How far a goal is missed, in its own unit."""

    priority: int
    name: str
    under: Amounts
    over: Amounts

    @property
    def differs(self) -> bool:
        """Whether a run misses it otherwise than the base."""
        return self.under.differs or self.over.differs


@dataclass(frozen=True)
class StoredRows:
    """The stored rows of all runs, by table: a tuple per row, which begins with the place of its run."""

    has_plan: tuple[bool, ...]
    production: list[tuple[Any, ...]]
    utilization: list[tuple[Any, ...]]
    orders: list[tuple[Any, ...]]
    goals: list[tuple[Any, ...]]
    sums: dict[int, dict[str, float]]  # run's place -> units short and owed

    @classmethod
    def of(cls, runs: Sequence[Run]) -> StoredRows:
        """Read the rows of the runs that have a plan."""
        place = {run.pk: at for at, run in enumerate(runs) if run.objective is not None and not run.is_open}

        def read(model: Any, *names: str) -> list[tuple[Any, ...]]:
            rows = model._default_manager.filter(run__in=list(place)).order_by("id").values_list("run_id", *names)
            return [(place[run], *rest) for run, *rest in rows]

        totals = (
            ProductBalance.objects.filter(run__in=list(place))
            .order_by()
            .values("run_id")
            .annotate(short=Sum("short"), backlog=Sum("backlog"))
        )
        machine = ("resource_type", "resource", "period", "used", "available", "utilization_pct", "overtime")
        return cls(
            has_plan=tuple(run.pk in place for run in runs),
            production=read(Production, "product", "period", "quantity", "setup"),
            utilization=read(Utilization, *machine, "shadow_price"),
            orders=read(OrderResult, "reference", "product", "period", "target", "delivered", "late", "shortfall"),
            goals=read(GoalResult, "priority", "name", "under", "over"),
            sums={place[row["run_id"]]: row for row in totals},
        )

    def amounts(self, by_run: dict[int, float | None], better: int = NEITHER) -> Amounts:
        """Return one number by run; None for a run that is not among them."""
        return Amounts(tuple(by_run.get(place) for place in range(len(self.has_plan))), self.has_plan, better)


def figures(runs: Sequence[Run], rows: StoredRows) -> Iterator[Figure]:
    """Yield the headline figures: profit and its parts, how sure it is, levels, orders, overtime, setups."""
    planned = [(place, run) for place, run in enumerate(runs) if rows.has_plan[place]]

    def figure(key: str, name: str, unit: str, by_run: dict[int, float | None], better: int = NEITHER) -> Figure:
        return Figure(key, name, unit, rows.amounts(by_run, better))

    yield figure("profit", "Profit", "money", {place: run.objective for place, run in planned}, MORE_IS_BETTER)
    for part in PROFIT_PARTS:
        by_run: dict[int, float | None] = {place: run.profit_parts.get(part, 0.0) for place, run in planned}
        if any(by_run.values()):
            better = MORE_IS_BETTER if part == "sales" else LESS_IS_BETTER
            yield figure(part, part.replace("_", " ").capitalize(), "money", by_run, better)
    yield figure("bound", "No plan earns more than", "money", {place: run.bound for place, run in planned})
    yield figure("gap", "Gap", "share", {place: run.gap for place, run in planned})
    for priority in sorted({level["priority"] for _, run in planned for level in run.levels}):
        reached: dict[int, float | None] = {
            place: level["deviation"] for place, run in planned for level in run.levels if level["priority"] == priority
        }
        name = f"Missed at priority {priority}"  # weight times units
        yield figure(f"level_{priority}", name, "units", reached, LESS_IS_BETTER)
    yield from _order_figures(rows)
    yield from _counts(rows)


def _order_figures(rows: StoredRows) -> Iterator[Figure]:
    if not rows.orders:
        return
    met, late, missing = ({place: 0.0 for place, there in enumerate(rows.has_plan) if there} for _ in range(3))
    for place, *_, units_late, shortfall in rows.orders:
        met[place] += shortfall <= NOISE and units_late <= NOISE
        late[place] += units_late
        missing[place] += shortfall
    for key, name, unit, found, better in (
        ("orders_met", "Orders in full and on time", "", met, MORE_IS_BETTER),
        ("orders_late", "Ordered units that come late", "units", late, LESS_IS_BETTER),
        ("orders_missing", "Ordered units that are missing", "units", missing, LESS_IS_BETTER),
    ):
        yield Figure(key, name, unit, rows.amounts(dict(found), better))


def _counts(rows: StoredRows) -> Iterator[Figure]:
    """Yield what is short and owed, hours, overtime and setups."""
    hours, overtime, setups = ({place: 0.0 for place, there in enumerate(rows.has_plan) if there} for _ in range(3))
    for place, kind, _, _, used, _, _, extra, _ in rows.utilization:
        if kind == Utilization.ResourceType.MACHINE:
            hours[place] += used
            overtime[place] += extra
    for place, *_, setup in rows.production:
        setups[place] += setup
    short, backlog = (
        {place: row.get(name) or 0.0 for place, row in rows.sums.items()} for name in ("short", "backlog")
    )
    for key, name, unit, found, better in (
        ("short", "Demand never met", "units", short, LESS_IS_BETTER),
        ("backlog", "Backlog, summed over the periods", "units", backlog, LESS_IS_BETTER),
        ("machine_hours", "Machine hours", "hours", hours, NEITHER),
        ("overtime_hours", "Overtime hours", "hours", overtime, LESS_IS_BETTER),
        ("setups", "Setups", "", setups, LESS_IS_BETTER),
    ):
        if any(amount > NOISE for amount in found.values()):
            yield Figure(key, name, unit, rows.amounts(dict(found), better))


def compared_resources(rows: StoredRows) -> Iterator[ComparedResource]:
    """Yield each machine and material in each period, in the order of the tables."""
    cells: dict[tuple[str, str, str], dict[int, tuple[float | None, ...]]] = {}
    for place, kind, resource, period, *amounts in rows.utilization:
        cells.setdefault((kind, resource, period), {})[place] = tuple(amounts)
    for key, by_run in cells.items():
        used, available, percent, overtime, price = (
            {place: amounts[column] for place, amounts in by_run.items()} for column in range(5)
        )
        yield ComparedResource(
            *key,
            used=rows.amounts(used),
            available=rows.amounts(available),
            utilization_pct=rows.amounts(percent),
            overtime=rows.amounts(overtime, LESS_IS_BETTER),
            shadow_price=rows.amounts(price),
        )


def plan_lines(rows: StoredRows) -> tuple[tuple[str, ...], tuple[PlanLine, ...]]:
    """Return the periods of the plans, and what is made of each product in them."""
    cells: dict[str, dict[str, dict[int, float | None]]] = {}
    periods: dict[str, None] = {}
    for place, product, period, quantity, _ in rows.production:
        periods.setdefault(period)
        by_run = cells.setdefault(product, {}).setdefault(period, {})
        by_run[place] = (by_run.get(place) or 0.0) + quantity
    lines = (
        PlanLine(product, tuple(rows.amounts(by_period.get(period, {})) for period in periods))
        for product, by_period in cells.items()
    )
    return tuple(periods), tuple(lines)


def compared_orders(rows: StoredRows) -> Iterator[ComparedOrder]:
    """Yield each order that some run has."""
    cells: dict[str, tuple[str, str, dict[int, OrderOutcome]]] = {}
    for place, reference, product, period, *amounts in rows.orders:
        cells.setdefault(reference, (product, period, {}))[2][place] = OrderOutcome(*amounts)
    for reference, (product, period, by_run) in cells.items():
        outcomes = tuple(by_run.get(place) for place in range(len(rows.has_plan)))
        yield ComparedOrder(reference, product, period, outcomes, rows.has_plan)


def compared_goals(rows: StoredRows) -> Iterator[ComparedGoal]:
    """Yield each goal that some run has."""
    cells: dict[tuple[int, str], dict[int, tuple[float, float]]] = {}
    for place, priority, name, under, over in rows.goals:
        cells.setdefault((priority, name), {})[place] = (under, over)
    for (priority, name), by_run in sorted(cells.items()):
        below, above = ({place: pair[side] for place, pair in by_run.items()} for side in range(2))
        # Which side counts is the goal's sense, and is in the levels: neither is judged here.
        yield ComparedGoal(priority, name, rows.amounts(dict(below)), rows.amounts(dict(above)))

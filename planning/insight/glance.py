"""Plans at a glance: the fullest machines by period and what is short, of many runs with the same few queries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import Avg, Count, F, Max, Min, Q, Window
from django.db.models.functions import RowNumber

from planning.models import OrderResult, ProductBalance, Utilization

MACHINES_SHOWN = 8
PERIODS_SHOWN = 26
ORDERS_SHOWN = 3
_NOISE = 5e-7


@dataclass(frozen=True)
class MachineHeat:
    """A machine's used share of its hours in percent, by period; None where it has no limit or no hours."""

    machine: str
    percent: tuple[float | None, ...]


@dataclass(frozen=True)
class ShortOrder:
    """An order that does not get all of its units."""

    reference: str
    product: str
    missing: float


@dataclass
class Glance:
    """What the first page shows of a plan."""

    periods: tuple[str, ...] = ()
    periods_more: int = 0
    machines: list[MachineHeat] = field(default_factory=list)  # the fullest ones, in the order of the plan
    machines_more: int = 0
    orders: int = 0
    orders_short: int = 0
    worst: list[ShortOrder] = field(default_factory=list)  # those that miss most, the first one most
    products_short: int = 0  # whose demand is never met in full


def glances(runs: Collection[int]) -> dict[int, Glance]:
    """Return what there is to see of the plans of these runs; five queries, however many runs."""
    found = {run: Glance() for run in runs}
    _add_heat(found)
    _add_orders(found)
    demand = ProductBalance.objects.filter(run__in=runs, short__gt=_NOISE).order_by()
    for run, count in demand.values_list("run").annotate(products=Count("product", distinct=True)):
        found[run].products_short = count
    return found


def _add_heat(found: dict[int, Glance]) -> None:
    hours = Utilization.objects.filter(run__in=found, resource_type=Utilization.ResourceType.MACHINE).order_by()
    fullest = hours.values_list("run", "resource").annotate(
        mean=Avg("utilization_pct"), most=Max("utilization_pct"), first=Min("id")
    )
    shown: dict[int, set[str]] = {run: set() for run in found}
    by_use = sorted(fullest, key=lambda row: (-(row[2] or 0.0), -(row[3] or 0.0), row[4]))
    for run, machine, *_ in by_use:
        if len(shown[run]) < MACHINES_SHOWN:
            shown[run].add(machine)
        else:
            found[run].machines_more += 1
    names = {machine for machines in shown.values() for machine in machines}
    cells: dict[int, dict[str, list[tuple[str, float | None]]]] = {run: {} for run in found}
    wanted = hours.filter(resource__in=names).order_by("id")
    for run, machine, period, percent in wanted.values_list("run", "resource", "period", "utilization_pct"):
        if machine in shown[run]:
            cells[run].setdefault(machine, []).append((period, percent))
    for run, machines in cells.items():
        periods = [period for period, _ in next(iter(machines.values()), [])]
        found[run].periods = tuple(periods[:PERIODS_SHOWN])
        found[run].periods_more = len(periods) - len(found[run].periods)
        found[run].machines = [
            MachineHeat(machine, tuple(percent for _, percent in row[:PERIODS_SHOWN]))
            for machine, row in machines.items()
        ]


def _add_orders(found: dict[int, Glance]) -> None:
    orders = OrderResult.objects.filter(run__in=found).order_by()
    counts = orders.values_list("run").annotate(count=Count("id"), short=Count("id", filter=Q(shortfall__gt=_NOISE)))
    for run, count, short in counts:
        found[run].orders, found[run].orders_short = count, short
    place = Window(RowNumber(), partition_by=F("run"), order_by=[F("shortfall").desc(), F("id").asc()])
    worst = orders.filter(shortfall__gt=_NOISE).annotate(place=place).filter(place__lte=ORDERS_SHOWN).order_by("id")
    listed = worst.values_list("run", "reference", "product", "shortfall")
    for run, reference, product, missing in sorted(listed, key=lambda row: -row[3]):
        found[run].worst.append(ShortOrder(reference, product, missing))

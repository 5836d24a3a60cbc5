"""What the charts of a run's page draw: hours of the machines, campaigns, and best plan against bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from planning.insight import Campaign, MachineLoad, SolvedPlan, campaigns, machine_load, solved_plan
from planning.models import Run

from .amounts import rounded
from .run_balances import limit
from .run_tables import Cell, Page, Table, page_of, period_heads

COLOURS = 8  # products that have a colour of their own; the others share one
MACHINES_SHOWN = 9  # charts at once
LANES = 8  # campaigns of a machine that are drawn below each other
OTHERS = "Other products"


@dataclass(frozen=True)
class Hues:
    """Which products have a colour of their own, the same in all charts of a page: those that take the most hours."""

    products: list[int]  # positions
    names: list[str]

    def of(self, product: int) -> int:
        """Return the number of a product's colour; that of the others is COLOURS."""
        return self.products.index(product) if product in self.products else COLOURS


def hues(plan: SolvedPlan, load: MachineLoad, machines: list[int]) -> Hues:
    """Return the products that take the most hours of these machines, the most first; all where they are few."""
    shown = np.isin(load.machine, machines)
    hours = np.bincount(load.product[shown], weights=load.total[shown], minlength=len(plan.product_names))
    used = np.flatnonzero(hours > 0)
    most = used[np.argsort(-hours[used], kind="stable")][:COLOURS].tolist()
    names = [plan.product_names[product] for product in most]
    return Hues(most, names + ([OTHERS] if len(used) > COLOURS else []))


def by_load(plan: SolvedPlan) -> list[int]:
    """Return the machines, those that are the fullest in some period first."""
    span = plan.snapshot.period_count
    used = plan.machines["used"].reshape(-1, span)
    available = plan.machines["available"].reshape(-1, span)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.nan_to_num(used / available, nan=0.0, posinf=0.0).max(axis=1, initial=0.0)
    order: list[int] = np.lexsort((-used.sum(axis=1), -share.round(6))).tolist()
    return order


@dataclass(frozen=True)
class MachineChart:
    """One machine: what its chart draws, and the same as a table."""

    name: str
    note: str
    data: dict[str, Any]
    table: Table


def machine_charts(run: Run, asked: int) -> tuple[list[MachineChart], list[str], Page]:
    """Return the charts of a page of machines, and the products by colour. Raises NoSolvedData."""
    plan = solved_plan(run)
    load = machine_load(plan)
    order = by_load(plan)
    page = page_of(asked, len(order), MACHINES_SHOWN, "machines")
    shown = order[page.span]
    shades = hues(plan, load, shown)
    return [machine_chart(plan, load, shades, machine) for machine in shown], shades.names, page


def machine_chart(plan: SolvedPlan, load: MachineLoad, shades: Hues, machine: int) -> MachineChart:
    """Return the hours of one machine: by product, then setups, with what is available."""
    span = plan.snapshot.period_count
    hours, setups = np.zeros((COLOURS + 1, span)), np.zeros(span)
    at = np.flatnonzero(load.machine == machine)
    for entry in at.tolist():
        hours[shades.of(int(load.product[entry])), load.period[entry]] += load.hours[entry]
        setups[load.period[entry]] += load.setup_hours[entry]
    own = slice(machine * span, (machine + 1) * span)
    available = [None if np.isnan(value) else float(value) for value in plan.machines["available"][own]]
    used, overtime = plan.machines["used"][own].tolist(), plan.machines["overtime"][own].tolist()
    shown = [colour for colour in range(COLOURS + 1) if hours[colour].any()]
    names = {**dict(enumerate(shades.names[:COLOURS])), COLOURS: OTHERS}
    stacks = [{"name": names[colour], "colour": colour, "hours": hours[colour].tolist()} for colour in shown]
    if setups.any():
        stacks.append({"name": "Setups", "colour": "setup", "hours": setups.tolist()})
    lines: list[tuple[str, list[Any]]] = [(stack["name"], stack["hours"]) for stack in stacks]
    lines += [("Used", used), ("Available", available)] + ([("Overtime", overtime)] if any(overtime) else [])
    return MachineChart(
        name=plan.machine_names[machine],
        note=fullest(plan.periods, used, available),
        data={"periods": plan.periods, "stacks": stacks, "available": available, "used": used, "overtime": overtime},
        table=Table(
            plan.machine_names[machine],
            "",
            ["Hours", *period_heads(plan.periods)],
            [[Cell(name, "head"), *(limit(value) for value in values)] for name, values in lines],
            Page(1, len(lines)),
        ),
    )


def fullest(periods: list[str], used: list[float], available: list[float | None]) -> str:
    """Return in which periods a machine is full, or how full it is at most."""
    shares = [hours / most for hours, most in zip(used, available, strict=True) if most]
    if not shares:
        return "no limit" if None in available else "not available"
    limits = zip(periods, used, available, strict=True)
    full = [period for period, hours, most in limits if most and hours > 0.9995 * most]
    if not full:
        return f"at most {rounded(100 * max(shares))} % used"
    if len(full) == len(periods):
        return "full in every period" if len(periods) > 1 else "full"
    return f"full in {', '.join(full[:3])}" + (f" and {len(full) - 3} more" if len(full) > 3 else "")


# --- campaigns ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bar:
    """A campaign as a bar: its product, its colour, where it stands in the grid, and all about it in words."""

    name: str
    colour: int
    column: int  # from 1
    span: int
    lane: int  # from 1
    words: str
    setup: bool


@dataclass(frozen=True)
class MachineBars:
    """The campaigns of a machine: the longest ones in hours as bars, and how many there are beyond them."""

    name: str
    bars: list[Bar]
    lanes: int
    more: int


def campaign_bars(run: Run, asked: int) -> tuple[list[MachineBars], list[str], Page]:
    """Return the campaigns of a page of machines, and the periods. Raises NoSolvedData."""
    plan = solved_plan(run)
    load = machine_load(plan)
    by_machine: dict[int, list[Campaign]] = {}
    for campaign in campaigns(load):
        by_machine.setdefault(campaign.machine, []).append(campaign)
    order = [machine for machine in range(len(plan.machine_names)) if machine in by_machine]
    page = page_of(asked, len(order), MACHINES_SHOWN, "machines")
    shown = order[page.span]
    shades = hues(plan, load, shown)
    return [machine_bars(plan, shades, machine, by_machine[machine]) for machine in shown], plan.periods, page


def machine_bars(plan: SolvedPlan, shades: Hues, machine: int, found: list[Campaign]) -> MachineBars:
    """Return the bars of one machine: those with the most hours that fit into its lanes."""
    busy: list[list[tuple[int, int]]] = []
    placed: list[tuple[Campaign, int]] = []
    for campaign in sorted(found, key=lambda one: (-one.hours, one.first)):
        lane = next((i for i, spans in enumerate(busy) if fits(spans, campaign)), len(busy))
        if lane == LANES:
            continue
        if lane == len(busy):
            busy.append([])
        busy[lane].append((campaign.first, campaign.last))
        placed.append((campaign, lane))
    placed.sort(key=lambda one: (one[0].first, one[1]))
    bars = [bar(plan, shades, campaign, lane) for campaign, lane in placed]
    return MachineBars(plan.machine_names[machine], bars, len(busy), len(found) - len(placed))


def fits(spans: list[tuple[int, int]], campaign: Campaign) -> bool:
    """Whether no other campaign of the lane is in the same period."""
    return all(campaign.last < first or last < campaign.first for first, last in spans)


def bar(plan: SolvedPlan, shades: Hues, campaign: Campaign, lane: int) -> Bar:
    first, last = plan.periods[campaign.first], plan.periods[campaign.last]
    when = first if campaign.first == campaign.last else f"{first} to {last}"
    name = plan.product_names[campaign.product]
    words = f"{name}, {when}: {rounded(campaign.units)} units, {rounded(campaign.hours)} h"
    if campaign.setups:
        words += f", set up in {', '.join(plan.periods[period] for period in campaign.setups)}"
    return Bar(
        name,
        shades.of(campaign.product),
        campaign.first + 1,
        campaign.last - campaign.first + 1,
        lane + 1,
        words,
        bool(campaign.setups),
    )


# --- the search -----------------------------------------------------------------------------


def search_chart(run: Run) -> dict[str, Any]:
    """Return best plan and bound over the seconds of a run, as far as they are known."""
    trail = run.progress.get("trail") or []
    return {"trail": [list(point) for point in trail], "currency": run.currency}

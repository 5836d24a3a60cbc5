"""Holding on to an earlier plan: its first periods stay as they were, and what moves later can cost something.

What the earlier run decided is read once and travels with the snapshot as the table `held`, by names:
the data may have changed since. `hold_columns` puts it beside the rows of the grids that it is about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from planning.lx import LXColumn, LXTable
from planning.models import MaterialBalance, OrderResult, ProductBalance, Production, Run, Utilization

from .effective import Horizon
from .problems import Problem

Keys = list[tuple[str, ...]]
_NOTHING = 1e-9
# family -> the grid whose rows it is decided on, and whether only a whole plan holds it
FAMILIES = {
    "make": ("way_grid", False),
    "sell": ("product_grid", True),
    "buy": ("product_grid", True),
    "short": ("product_grid", True),
    "overtime": ("machine_grid", True),
    "down": ("machine_grid", True),
    "supply": ("material_grid", True),
    "deliver": ("order_grid", True),
}


@dataclass(frozen=True)
class Hold:
    """What to keep of an earlier run: its first periods, production alone or the whole plan, and what moving costs."""

    run: int
    periods: int = 0
    whole: bool = False
    cost_per_hour: float = 0.0  # of machine time that is spent otherwise than in the earlier plan, in later periods too


def read_held(plant_id: int, hold: Hold) -> LXTable:
    """Return what the earlier run decided, a row per decision. Raises KeyError where it is no run of the plant's."""
    run = Run.objects.filter(pk=hold.run, plant_id=plant_id, objective__isnull=False).first()
    if run is None:
        raise KeyError(hold.run)
    rows = list(_decisions(run))
    columns: dict[str, Any] = {
        name: LXColumn.of([row[place] for row in rows], kind)
        for place, (name, kind) in enumerate((("family", str), ("name", str), ("route", str), ("period", str)))
    }
    columns["value"] = LXColumn.of([row[4] for row in rows], float)
    return LXTable("held", columns, size=len(rows))


def _decisions(run: Run) -> Iterator[tuple[str, str, str, str, float]]:
    for product, route, period, quantity in Production.objects.filter(run=run).values_list(
        "product", "route", "period", "quantity"
    ):
        yield "make", product, route, period, quantity
    for product, period, *amounts in ProductBalance.objects.filter(run=run).values_list(
        "product", "period", "sold", "bought", "short"
    ):
        for family, amount in zip(("sell", "buy", "short"), amounts, strict=True):
            yield family, product, "", period, amount
    machines = Utilization.objects.filter(run=run, resource_type=Utilization.ResourceType.MACHINE)
    for machine, period, overtime, down in machines.values_list("resource", "period", "overtime", "units_down"):
        yield "overtime", machine, "", period, overtime
        yield "down", machine, "", period, down
    for material, period, supplied in MaterialBalance.objects.filter(run=run).values_list(
        "material", "period", "supplied"
    ):
        yield "supply", material, "", period, supplied
    for reference, deliveries in OrderResult.objects.filter(run=run).values_list("reference", "deliveries"):
        for delivery in deliveries:
            yield "deliver", reference, "", delivery["period"], delivery["quantity"]


def with_hold(tables: dict[str, LXTable], held: LXTable, hold: Hold) -> None:
    """Let what is held travel with the tables."""
    tables["held"] = held
    plant = tables["plant"]
    for name, value in (
        ("held_run", hold.run),
        ("held_periods", hold.periods),
        ("held_whole", hold.whole),
        ("cost_per_hour_moved", float(hold.cost_per_hour)),
    ):
        plant.columns[name] = LXColumn.of([value] * plant.size)


def hold_columns(tables: dict[str, LXTable], horizon: Horizon) -> list[Problem]:
    """Add to the grids what is held there, and to the way grid what was made before; return what can't be held."""
    if "held" not in tables:
        return []
    plant, held = tables["plant"].record(0), tables["held"]
    values = [held.columns[name].tolist() for name in ("family", "name", "route", "period", "value")]
    decided: dict[str, dict[tuple[str, ...], float]] = {family: {} for family in FAMILIES}
    for family, *key, value in zip(*values, strict=True):
        decided[family][tuple(key)] = value
    known = {period for _, _, period in decided["make"]} | {period for _, _, period in decided["sell"]}
    periods = [str(name) for name in horizon.table.columns["name"].tolist()]
    problems = list(_lost_periods(plant, periods, known))
    for family, (grid_name, only_whole) in FAMILIES.items():
        grid = tables[grid_name]
        keys = _keys(tables, grid_name)
        before = np.array([decided[family].get(key, 0.0) for key in keys])
        is_early = np.asarray(grid.links["period"].positions < plant.held_periods)
        is_held = is_early & np.array([key[2] in known for key in keys], dtype=np.bool_)
        if only_whole and not plant.held_whole:
            is_held[:] = False
        if family == "down":
            before = np.maximum(np.rint(before) - grid.columns["units_down"].filled(0.0), 0.0)
        grid.columns[f"held_{family}"] = LXColumn(np.where(is_held, before, 0.0), ~is_held)
        if family == "make":
            is_known = np.array([key[2] in known for key in keys], dtype=np.bool_)
            grid.columns["before"] = LXColumn(np.where(is_known, before, 0.0), ~is_known)
            uses = tables["machine_uses"]
            hours = np.bincount(
                uses.links["way"].positions,
                weights=uses.columns["hours_required"].filled(0.0),
                minlength=tables["ways"].size,
            )
            grid.columns["hours_per_unit"] = LXColumn(hours[grid.links["way"].positions])
            early = set(periods[: plant.held_periods])
            problems += _lost_ways(plant.held_run, decided["make"], set(keys), early)
    return problems


def _keys(tables: dict[str, LXTable], grid_name: str) -> Keys:
    """Return (name, route, period) of the rows of a grid."""
    grid = tables[grid_name]
    periods = _names(grid, "period")
    if grid_name == "way_grid":
        return list(zip(_names(grid, "product"), _names(grid, "way", "route_name"), periods, strict=True))
    relation = {"product_grid": "product", "machine_grid": "machine", "material_grid": "material"}.get(grid_name)
    names = _names(grid, relation) if relation else _names(grid, "order", "reference")
    return [(name, "", period) for name, period in zip(names, periods, strict=True)]


def _names(grid: LXTable, relation: str, column: str = "name") -> list[str]:
    link = grid.links[relation]
    assert link.target is not None
    names: npt.NDArray[Any] = np.array([str(n) for n in link.target.columns[column].tolist()], dtype=object)
    return [str(name) for name in names[link.positions]] if len(names) else []


def _lost_periods(plant: Any, periods: list[str], known: set[str]) -> Iterator[Problem]:
    if plant.held_periods > len(periods):
        text = f"The plan has {len(periods)} periods, and {plant.held_periods} are to be held. Hold fewer."
        yield Problem("periods", "", "name", text)
    for period in periods[: plant.held_periods]:
        if period not in known:
            text = f'Run {plant.held_run} has no period "{period}", so nothing can be held there. Hold fewer periods.'
            yield Problem("periods", period, "name", text)


def _lost_ways(
    run: int, made: dict[tuple[str, ...], float], ways: set[tuple[str, ...]], early: set[str]
) -> Iterator[Problem]:
    for (product, route, period), quantity in made.items():
        if period in early and quantity > _NOTHING and (product, route, period) not in ways:
            way = f"{product} / {route}" if route else product
            yield Problem(
                "routes" if route else "products",
                way,
                "active",
                f"Run {run} makes {quantity:g} of {way} in period {period}, and there is no such way of making any "
                "more. Bring it back, or hold fewer periods.",
            )

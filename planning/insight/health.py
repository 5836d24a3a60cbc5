"""The health of a plant's data: what makes plans impossible, what deserves a look, and where hours will be short.

Simple arithmetic on the data as they are; nothing is solved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planning.formulation import unproven_lots
from planning.models import BASELINE
from planning.snapshot import Problem, Snapshot, examine

Array = npt.NDArray[np.float64]
_SHOWN = 10  # of each kind of finding by arithmetic


@dataclass(frozen=True)
class Health:
    """What was found. `errors` block a run, `warnings` do not; `loads` are the fullest machines, the fullest first."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    loads: tuple[Load, ...]

    @property
    def colour(self) -> str:
        """Red where no run is possible, amber where something deserves a look, else green."""
        return "red" if self.errors else "amber" if self.warnings else "green"


@dataclass(frozen=True)
class Load:
    """How many hours of a machine all demand would take, over the horizon, and how many there are with overtime."""

    machine: str
    hours: float
    available: float

    @property
    def percent(self) -> float:
        """Hours in percent of what is available; infinite where nothing is."""
        return 100.0 * self.hours / self.available if self.available > 0 else float("inf")


def health(plant_id: int, scenario: str = BASELINE) -> Health:
    """Return the health of a plant's data as a scenario has them; a fixed number of queries."""
    snapshot, errors, warnings = examine(plant_id, scenario)
    if errors:
        return Health(tuple(errors), tuple(warnings), ())
    errors = unproven_lots(snapshot)
    warnings += [*_unused(snapshot), *_short_of_hours(snapshot)]
    return Health(tuple(errors), tuple(warnings), tuple(_loads(snapshot)))


def _names(snapshot: Snapshot, table: str) -> list[str]:
    return [str(name) for name in snapshot[table].columns["name"].tolist()]


def _unused(s: Snapshot) -> Iterator[Problem]:
    """Find machines and materials that no active way of making takes."""
    for item, table, noun in (("machine", "machines", "Machine"), ("material", "raw_materials", "Material")):
        uses = s[f"{item}_uses"]
        fields = [name for name in uses.columns if name in ("hours_required", "setup_hours", "quantity_required")]
        some = np.zeros(uses.size, dtype=np.bool_)
        for name in fields:
            some |= uses.columns[name].filled(0.0) > 0
        used = set(uses.links[item].positions[some].tolist())
        for row, name in enumerate(_names(s, table)):
            if row not in used:
                recipes = "production_recipes" if item == "machine" else "material_requirements"
                yield Problem(
                    table,
                    name,
                    "name",
                    f'{noun} "{name}" is used by nothing that can be made. Add it to {recipes}, or remove it.',
                )


def _hours_per_unit(s: Snapshot) -> Array:
    """Return (product, machine): the hours that a unit takes, its components' included, by its leanest way each."""
    products, machines = s["products"].size, s["machines"].size
    ways, uses, components = s["ways"], s["machine_uses"], s["component_uses"]
    direct = np.zeros((ways.size, machines))
    hours = uses.columns["hours_required"].filled(0.0)
    np.add.at(direct, (uses.links["way"].positions, uses.links["machine"].positions), hours)
    needs: dict[int, list[tuple[int, float]]] = {}
    amounts = components.columns["quantity_required"].tolist()
    links = (components.links[name].positions.tolist() for name in ("way", "component"))
    for way, component, amount in zip(*links, amounts, strict=True):
        needs.setdefault(way, []).append((component, amount))
    by_product: dict[int, list[int]] = {}
    for way, product in enumerate(ways.links["product"].positions.tolist()):
        by_product.setdefault(product, []).append(way)
    total = np.zeros((products, machines))
    done: set[int] = set()

    def settle(product: int) -> None:
        stack = [product]
        while stack:
            top = stack[-1]
            open_parts = [c for way in by_product.get(top, []) for c, _ in needs.get(way, []) if c not in done]
            if top in done or not open_parts:
                stack.pop()
                if top not in done:
                    total[top] = _leanest(top)
                    done.add(top)
            else:
                stack += open_parts

    def _leanest(product: int) -> Array:
        found = [
            direct[way] + sum((amount * total[c] for c, amount in needs.get(way, [])), np.zeros(machines))
            for way in by_product.get(product, [])
        ]
        least: Array = np.min(found, axis=0) if found else np.zeros(machines)
        return least

    for product in range(products):
        settle(product)
    return total


def _hours_available(s: Snapshot) -> Array:
    """Return (machine, period): the hours that there are, overtime included; infinite without a limit."""
    grid = s["machine_grid"]
    overtime = np.where(grid.columns["has_overtime"].values, grid.columns["max_overtime_hours"].filled(np.inf), 0.0)
    total: Array = (grid.columns["limit"].filled(np.inf) + overtime).reshape(-1, s.period_count)
    return total


def _hours_for(s: Snapshot, column: str, blank: float) -> Array:
    """Return (machine, period): the hours that a quantity of each product would take, made in its period."""
    grid = s["product_grid"]
    wanted = np.zeros((s["products"].size, s.period_count))
    at = (grid.links["product"].positions, grid.links["period"].positions)
    wanted[at] = grid.columns[column].filled(blank)
    hours: Array = _hours_per_unit(s).T @ wanted
    return hours


def _short_of_hours(s: Snapshot) -> Iterator[Problem]:
    """Find machines whose hours, summed up to a period, do not do for the demand that must be met by then."""
    if not s["machines"].size:
        return
    needed, available = _hours_for(s, "min_demand", 0.0).cumsum(axis=1), _hours_available(s).cumsum(axis=1)
    names, periods = _names(s, "machines"), _names(s, "periods")
    short = needed > available * (1 + 1e-9) + 1e-9
    found = [(row, int(np.argmax(short[row]))) for row in np.flatnonzero(short.any(axis=1)).tolist()]
    for row, period in found[:_SHOWN]:
        yield Problem(
            "machines",
            names[row],
            "available_hours",
            f'Demand that must be met up to period {periods[period]} takes {needed[row, period]:,.6g} hours of "'
            f'{names[row]}", and there are {available[row, period]:,.6g} with overtime. Without stock, purchase or '
            "backlog no plan is possible.",
        )


def _loads(s: Snapshot) -> list[Load]:
    """Return the machines that all demand would fill most; products without a limit on demand count nothing."""
    if not s["machines"].size:
        return []
    needed, available = _hours_for(s, "max_demand", 0.0).sum(axis=1), _hours_available(s).sum(axis=1)
    loads = [
        Load(name, float(needed[row]), float(available[row]))
        for row, name in enumerate(_names(s, "machines"))
        if np.isfinite(available[row]) and needed[row] > 0
    ]
    return sorted(loads, key=lambda load: -load.percent)[:_SHOWN]

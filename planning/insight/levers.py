"""What a planner may move in a what-if: a number of a machine, material, product or order, in one period or in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planning.models import Run
from planning.snapshot import Change, Snapshot

from .solved_plan import SolvedPlan, names_of, positions, solved_plan
from .words import in_period, number, plural

MOST_ROWS = 2_000  # of each kind that are offered by name
_FACTOR_HIGH = 200.0  # percent


class NoLever(LookupError):
    """There is no such number in the run's data, in words."""


@dataclass(frozen=True)
class LeverKind:
    """A field of the plan format that can be moved, and where a snapshot has its values."""

    key: str
    label: str
    table: str
    field: str
    grid: str  # of its values by period; "" where it has none
    relation: str
    unit: str = ""  # hour, or "" for that of the product or material
    is_money: bool = False
    resource_type: str = ""  # of the limit that it sets


KINDS = {
    kind.key: kind
    for kind in (
        LeverKind(
            "hours", "Hours of a machine", "machines", "available_hours", "machine_grid", "machine", "hour",
            resource_type="machine",
        ),
        LeverKind(
            "overtime", "Overtime of a machine", "machines", "max_overtime_hours", "machine_grid", "machine", "hour"
        ),
        LeverKind(
            "quantity", "Quantity of a material", "raw_materials", "available_quantity", "material_grid", "material",
            resource_type="material",
        ),
        LeverKind("most", "Most that sells of a product", "products", "max_demand", "product_grid", "product"),
        LeverKind("least", "Least demand of a product", "products", "min_demand", "product_grid", "product"),
        LeverKind(
            "profit", "Profit per unit of a product", "products", "profit_per_unit", "product_grid", "product",
            is_money=True,
        ),
        LeverKind("order", "Units of an order", "customer_orders", "target_quantity", "", ""),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Lever:
    """One number that can be moved. Where every period has a value of its own it is moved in percent of these."""

    kind: LeverKind
    row: str
    period: str  # "" for every period
    values: tuple[float | None, ...]  # as they were solved, by period
    unit: str  # hours, units, USD; of all units of a machine together where `units` is not 1
    periods: int
    in_change: str  # the period as a change names it
    pieces: float = 1.0  # of the limit for one of the value: units of a machine that are up

    @property
    def is_factor(self) -> bool:
        """Whether it is moved in percent."""
        return len(set(self.values)) > 1

    @property
    def now(self) -> float | None:
        """The value as it was solved; 100 where it is moved in percent; None: no limit."""
        return 100.0 if self.is_factor else self.values[0]

    @property
    def low(self) -> float:
        """Where its slider begins."""
        return min(0.0, 2.0 * (self.now or 0.0))

    @property
    def high(self) -> float:
        """Where its slider ends: at twice the value."""
        if self.is_factor:
            return _FACTOR_HIGH
        return 2.0 * abs(self.now) if self.now else 100.0

    @property
    def one(self) -> float:
        """How much of the value is one more of its limit."""
        return 1.0 / self.pieces

    @property
    def name(self) -> str:
        """What it is, in words: available hours of Saw in Week 1."""
        field = self.kind.field.replace("_", " ")
        where = in_period(self.period, self.periods) if self.period else ""
        return f"{field} of {self.row}{where}"

    def in_words(self, value: float | None) -> str:
        """Return a value of it in words: 40 hours, 110 %, no limit."""
        if value is None:
            return "no limit"
        return f"{number(value)} %" if self.is_factor else f"{number(value)} {self.unit}"

    def change(self, value: float) -> Change:
        """Return the change that gives it the value."""
        operation, amount = ("multiply", value / 100.0) if self.is_factor else ("set", value)
        return Change(self.kind.table, self.row, self.kind.field, operation, amount, self.in_change)

    @property
    def limit(self) -> tuple[str, str, str] | None:
        """The one limit that it sets: resource type, resource and period; None where it sets several, or none."""
        if not self.kind.resource_type or not (self.period or self.periods == 1):
            return None
        return self.kind.resource_type, self.row, self.period


def lever_rows(run: Run) -> dict[str, list[str]]:
    """Return by table the names of the rows that can be moved. Raises NoSolvedData."""
    snapshot = solved_plan(run).snapshot
    products = snapshot["products"]
    counted = np.flatnonzero(np.asarray(products.columns["active"].values, dtype=np.bool_)).tolist()
    names = names_of(products)
    return {
        "machines": names_of(snapshot["machines"])[:MOST_ROWS],
        "raw_materials": names_of(snapshot["raw_materials"])[:MOST_ROWS],
        "products": [names[row] for row in counted][:MOST_ROWS],
        "customer_orders": _references(snapshot)[:MOST_ROWS],
    }


def find_lever(run: Run, key: str, row: str, period: str) -> Lever:
    """Return the lever of a kind, row and period ("" for every period). Raises NoLever, NoSolvedData."""
    plan = solved_plan(run)
    snapshot, periods, kind = plan.snapshot, plan.periods, KINDS.get(key)
    if kind is None:
        raise NoLever("There is no such number. Choose one of the list.")
    if not kind.grid:
        references = _references(snapshot)
        if row not in references:
            raise NoLever(f'There is no order "{row}" in the data of this run.')
        value = snapshot["customer_orders"].columns[kind.field].get(references.index(row))
        return Lever(kind, row, "", (value,), "units", len(periods), "")
    if period and period not in periods:
        raise NoLever(f'There is no period "{period}" in the data of this run.')
    if len(periods) == 1:
        period = periods[0]
    return Lever(
        kind=kind,
        row=row,
        period=period,
        values=tuple(_values(snapshot, kind, row, period, periods)),
        unit=_unit(run, kind, row),
        periods=len(periods),
        in_change="" if len(periods) == 1 else period,
        pieces=_pieces(plan, row, periods.index(period)) if key == "hours" and period else 1.0,
    )


def _pieces(plan: SolvedPlan, machine: str, period: int) -> float:
    """Return how many units of a machine are up in a period; 1 where none is."""
    row = plan.machine_names.index(machine) * len(plan.periods) + period
    hours = plan.snapshot["machine_grid"].columns["available_hours"].get(row)
    return float(plan.machines["available"][row] / hours) or 1.0 if hours else 1.0


def _values(snapshot: Snapshot, kind: LeverKind, row: str, period: str, periods: Sequence[str]) -> list[float | None]:
    """Return the values of a row in a period, or in all of them."""
    grid = snapshot[kind.grid]
    target = grid.links[kind.relation].target
    assert target is not None
    names = names_of(target)
    if row not in names:
        raise NoLever(f'There is no {kind.relation} "{row}" in the data of this run.')
    at = np.flatnonzero(positions(grid, kind.relation) == names.index(row))
    if not len(at):
        raise NoLever(f"{row} is not active, so nothing of it counts.")
    found = [grid.columns[kind.field].get(place) for place in at.tolist()]
    return [found[periods.index(period)]] if period else found


def _unit(run: Run, kind: LeverKind, row: str) -> str:
    if kind.is_money:
        return run.currency
    if kind.unit:
        return plural(kind.unit)
    table = "materials" if kind.table == "raw_materials" else "products"
    return plural(run.units.get(table, {}).get(row, "unit"))


def _references(snapshot: Snapshot) -> list[str]:
    return [str(name) for name in snapshot["customer_orders"].columns["reference"].tolist()]

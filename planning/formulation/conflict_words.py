"""Values that allow no plan, in sentences with their names, numbers and units."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .places import Places, Value

_UNITS = ("units_down", "maintenance_units")  # whole units of a machine: how many fewer is not said
_SENTENCES = {
    "min_demand": "At least {amount} {unit} of {name} must be sold{during}",
    "max_demand": "At most {amount} {unit} of {name} can be sold{during}",
    "max_purchase": "At most {amount} {unit} of {name} can be bought{during}",
    "min_inventory": "At least {amount} {unit} of {name} must be in stock at the end{of}",
    "max_inventory": "At most {amount} {unit} of {name} can be in stock at the end{of}",
    "final_inventory": "At least {amount} {unit} of {name} must be in stock at the end of the plan",
    "initial_inventory": "{amount} {unit} of {name} are in stock at the start and must go somewhere",
    "min_batch_size": "A lot of {name} has at least {amount} {unit}{during}",
    "max_batch_size": "At most {amount} {unit} of {name} can be made{during}",
    "available_hours": "{name} has {amount} hours{each}{during}",
    "max_overtime_hours": "{name} can work at most {amount} hours of overtime{during}",
    "units_down": "{name} has {amount} {units} down{during}",
    "maintenance_units": "{name} must have {amount} {units} down for maintenance in the plan",
    "available_quantity": "At most {amount} {unit} of {name} can be supplied{during}",
}


class ConflictWords:
    """Values in sentences, with their units."""

    def __init__(self, places: Places) -> None:
        self._places, self._snapshot = places, places.snapshot
        self._several_periods = places.count > 1

    def sentence(self, value: Value) -> str:
        """Return what the value says, `Saw has 40 hours in Week 3 (available_hours).`"""
        several = value.field == "available_hours" and self._units(value) > 1
        said = _SENTENCES[value.field].format(
            name=self._name(value),
            amount=number(value.amount),
            unit=self._unit(value, number(value.amount)),
            during=self._during(value),
            of=f" of {value.period}" if self._during(value) else "",
            units="unit" if value.amount == 1 else "units",
            each=f" for each of its {self._units(value)} units" if several else "",
        )
        return f"{said} ({value.field})."

    def alone(self, value: Value, amount: float | None) -> str:
        """Return what change of this value alone would do."""
        if amount is None or not self.has_unit(value):
            return ""
        return f"{self._size(value, amount)} {'less' if asks(value.field) else 'more'} would do."

    def change(self, value: Value, amount: float) -> str:
        """Return a change in words, `raise available_hours of Saw in Week 3 by 5 hours`."""
        verb = "lower" if asks(value.field) else "raise"
        return f"{verb} {value.field} of {self._name(value)}{self._during(value)} by {self._size(value, amount)}"

    def step(self, value: Value, amount: float) -> float:
        """Return what to add to the number of the data: below 0 for a requirement, and never more than it is."""
        amount = rounded_up(amount / self._units_up(value) if value.field == "available_hours" else amount)
        return -min(amount, value.amount) if asks(value.field) else amount

    def have_unit(self) -> npt.NDArray[np.bool_]:
        """Return for each limit whether a change of it can be said as a change of its number."""
        parts = []
        for kind in self._places.kinds:
            told = np.full(len(kind.parents), kind.field not in _UNITS)
            if kind.field == "available_hours":
                grid, rows = self._snapshot["machine_grid"], kind.parents * self._places.count + kind.periods
                told = (grid.columns["units_up"].filled(0.0) > 0)[rows]
                told &= ~np.asarray(grid.columns["has_maintenance"].values, dtype=np.bool_)[rows]
            parts.append(told)
        return np.concatenate(parts)

    def ask(self) -> npt.NDArray[np.bool_]:
        """Return for each limit whether it is a requirement."""
        return np.concatenate([np.full(len(kind.parents), asks(kind.field)) for kind in self._places.kinds])

    def has_unit(self, value: Value) -> bool:
        """Whether a change of the value can be said as a change of its number."""
        if value.field == "available_hours":
            return self._units_up(value) > 0
        return value.field not in _UNITS

    def _units_up(self, value: Value) -> int:
        """Return how many units of a machine the hours count for; 0 where the plan may choose which are down."""
        grid = self._snapshot["machine_grid"]
        periods = [str(name) for name in self._snapshot["periods"].columns["name"].tolist()]
        row = value.parent * self._places.count + periods.index(value.period)
        return 0 if grid.columns["has_maintenance"].get(row) else int(grid.columns["units_up"].get(row))

    def _size(self, value: Value, amount: float) -> str:
        """Return an amount in the unit of the value."""
        if value.field == "available_hours":
            amount /= self._units_up(value)
        shown = number(amount, up=True)
        return f"{shown} {self._unit(value, shown)}"

    def _during(self, value: Value) -> str:
        return f" in {value.period}" if self._several_periods and value.period else ""

    def _name(self, value: Value) -> str:
        product, _, route = value.row.partition(" / ")
        return f"{product} by {route}" if route else product

    def _unit(self, value: Value, shown: str) -> str:
        """Return the unit of a number; units of products and materials are as the planner writes them."""
        unit = self._own_unit(value)
        return f"{unit}s" if unit in ("hour", "unit") and shown != "1" else unit

    def _own_unit(self, value: Value) -> str:
        table = value.table.removesuffix("_periods")
        if table.startswith("machine"):
            return "hour"
        if table.startswith("raw_material"):
            return str(self._snapshot["raw_materials"].columns["unit"].tolist()[value.parent])
        product = value.parent
        if table.startswith("route"):
            product = int(self._snapshot["routes"].links["product"].positions[value.parent])
        return str(self._snapshot["products"].columns["unit"].tolist()[product])

    def _units(self, value: Value) -> int:
        return int(self._snapshot["machines"].columns["units"].tolist()[value.parent])


def asks(field: str) -> bool:
    """Whether a field is a requirement: less of it leaves more room."""
    return field.startswith("min_") or field in ("final_inventory", "initial_inventory")


def number(amount: float, *, up: bool = False) -> str:
    """Return a number for a sentence: six digits at most; rounded up, where less would not do."""
    amount = rounded_up(amount) if up else amount
    return f"{amount:.6g}" if abs(amount) < 1e6 else f"{amount:,.0f}"


def rounded_up(amount: float) -> float:
    """Return the next number with six digits."""
    if amount <= 0:
        return amount
    scale = 10.0 ** (5 - math.floor(math.log10(amount)))
    return float(math.ceil(amount * scale * (1 - 1e-9)) / scale)

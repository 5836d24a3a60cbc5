"""Reasons in common: their kinds, what each says, and the names that their sentences use."""

from __future__ import annotations

from dataclasses import dataclass, field

from .needs import Needs
from .solved_plan import names_of
from .words import in_period, plural

# The kinds of reasons.
NOT_ACTIVE = "not_active"
NO_WAY = "no_way"
MAX_DEMAND = "max_demand"
HELD = "held"
USED_UP = "used_up"
TOO_LITTLE = "too_little_left"
ORDERS_FIRST = "orders_first"
DOES_NOT_PAY = "does_not_pay"
COSTS_MORE = "costs_more"
PAYS_THE_SAME = "pays_the_same"
LARGEST_BATCH = "largest_batch"
SMALLEST_BATCH = "smallest_batch"
SETUP = "setup"
WHOLE_UNITS = "whole_units"
MAX_PURCHASE = "max_purchase"
NOT_STORABLE = "not_storable"
ROUTE_NOT_ACTIVE = "route_not_active"
UNPROVEN = "unproven"
UNKNOWN = "unknown"

NOISE = 1e-6  # relative


@dataclass(frozen=True)
class Reason:
    """Why something is undone: what stands in the way, where, its numbers, and a sentence.

    `table`, `row`, `period` lead to the row that the reason is about; "" where it is about none.
    """

    kind: str
    sentence: str
    table: str = ""
    row: str = ""
    period: str = ""
    numbers: dict[str, float] = field(default_factory=dict)


class PlanWords:
    """A solved plan with the names and units that sentences about it use."""

    def __init__(self, needs: Needs, currency: str, units: dict[str, dict[str, str]]) -> None:
        self.needs, self.plan, self.snapshot = needs, needs.plan, needs.snapshot
        self.currency, self.units = currency, units
        self.products, self.machines = self.plan.product_names, self.plan.machine_names
        self.materials = names_of(self.snapshot["raw_materials"])
        self.periods = self.plan.periods

    def where(self, period: int) -> str:
        """Return ` in Week 2`; "" where the plant has a single period."""
        return in_period(self.periods[period], len(self.periods))

    def product_unit(self, product: int) -> str:
        """Return the unit of a product, for several."""
        return plural(self.units.get("products", {}).get(self.products[product], "unit"))

    def material_unit(self, name: str) -> str:
        """Return the unit of a material, for one."""
        return self.units.get("materials", {}).get(name, "unit")

    def way_name(self, product: int, way: int) -> str:
        """Return a product with its route, where it has one."""
        route = str(self.snapshot["ways"].columns["route_name"].get(way))
        return f"{self.products[product]} on {route}" if route else self.products[product]

    def way_row(self, product: int, way: int) -> tuple[str, str]:
        """Return the table and row of a way of making."""
        route = str(self.snapshot["ways"].columns["route_name"].get(way))
        name = self.products[product]
        return ("routes", f"{name} / {route}") if route else ("products", name)

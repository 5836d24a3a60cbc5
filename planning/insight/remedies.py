"""What would help with something that is undone: changes to the data, sized from what is missing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from planning.lx import MISSING
from planning.models import Run
from planning.snapshot import Change

from .explain import Explainer
from .needs import Needs
from .reasons import (
    DOES_NOT_PAY,
    LARGEST_BATCH,
    MAX_DEMAND,
    NOT_ACTIVE,
    NOT_STORABLE,
    ORDERS_FIRST,
    ROUTE_NOT_ACTIVE,
    TOO_LITTLE,
    USED_UP,
    Reason,
)
from .solved_plan import solved_plan
from .subjects import LATE, NEVER, ORDER, SALES, Subject, subjects
from .words import amount, in_period, number

MOST = 8  # that are tried for one subject
_WEIGHT = 10.0  # times: how much more an order counts that already has the first priority


class NotUndone(LookupError):
    """The run leaves nothing undone of that kind, row and period."""


@dataclass(frozen=True)
class Remedy:
    """Changes to the data that may help, in the columns of `scenario_changes`, and what they are in words."""

    kind: str
    sentence: str
    changes: tuple[Change, ...]


def find_subject(run: Run, key: dict[str, str]) -> Subject:
    """Return what a run leaves undone, by its key. Raises NotUndone, and NoSolvedData as `solved_plan` does."""
    for subject in subjects(run, solved_plan(run)):
        if subject.key == key:
            return subject
    raise NotUndone(f"Run {run.pk} leaves nothing undone of {key.get('row')} {key.get('period')}.")


def remedies(run: Run, subject: Subject) -> list[Remedy]:
    """Return what may help with a subject of the run, at most MOST; none is tried yet."""
    plan = solved_plan(run)
    needs = Needs(run, plan)
    explainer = Explainer(needs, run.currency, run.units, proven=True)
    found = _Remedies(needs, run, subject, explainer.reasons(subject))
    unique = {remedy.changes: remedy for remedy in found.all()}
    return list(unique.values())[:MOST]


class _Remedies:
    """The remedies for one subject."""

    def __init__(self, needs: Needs, run: Run, subject: Subject, reasons: list[Reason]) -> None:
        self.needs, self.run, self.subject, self.reasons = needs, run, subject, reasons
        self.snapshot, self.plan = needs.snapshot, needs.plan
        self.product = self.plan.product_names.index(subject.product)
        self.period = self.plan.periods.index(subject.period)
        self.where = in_period(subject.period, subject.periods)
        self.missing = self._missing()

    def _missing(self) -> float:
        """Return how many units are missing in the subject's period; 1 where there is no limit."""
        missing = self.subject.missing
        if self.subject.kind == SALES:
            row = self.needs.product_row(self.product, self.period)
            most = self.needs.of_product("max_demand", self.product, self.period, math.inf)
            missing = most - float(self.plan.products["sold"][row])
        return 1.0 if math.isinf(missing) else rounded_up(max(missing, 0.0))

    def all(self) -> Iterator[Remedy]:
        """Yield them, those that change least of the plant's promises first."""
        if self.needs.product_row(self.product, 0) == MISSING:
            yield self._one(
                "active", f"Make {self.subject.product} active", "products", self.subject.product, "active", 1
            )
            return
        in_the_way = [remedy for reason in self.reasons for remedy in (*self._more_of(reason), *self._limits(reason))]
        yield from in_the_way
        everything = _together("all", in_the_way) if len(in_the_way) > 1 else None
        if everything is not None:
            yield everything
        for_order = list(self._of_order())
        yield from for_order
        if in_the_way and for_order:
            yield _together("all_first", [*in_the_way, for_order[-1]])
        for reason in self.reasons:
            yield from self._of_data(reason)
        if self.subject.kind not in (SALES, NEVER):
            yield from self._purchase()

    # --- resources ------------------------------------------------------------------------------

    def _more_of(self, reason: Reason) -> Iterator[Remedy]:
        """Yield so much more of a machine or material as is missing."""
        more = rounded_up(reason.numbers.get("more_wanted", 0.0))
        if reason.kind not in (USED_UP, TOO_LITTLE) or not more:
            return
        where = in_period(reason.period, self.subject.periods)
        if reason.table == "raw_materials":
            unit = self.run.units.get("materials", {}).get(reason.row, "unit")
            change = Change("raw_materials", reason.row, "available_quantity", "add", more, reason.period)
            yield Remedy("material", f"{amount(more, unit)} more of {reason.row}{where}", (change,))
            return
        machine = self.plan.machine_names.index(reason.row)
        row = machine * self.needs.count + self.plan.periods.index(reason.period)
        grid = self.snapshot["machine_grid"]
        if grid.columns["has_overtime"].get(row) and grid.columns["max_overtime_hours"].get(row) is not None:
            change = Change("machines", reason.row, "max_overtime_hours", "add", more, reason.period)
            yield Remedy("overtime", f"{amount(more, 'hour')} more of overtime on {reason.row}{where}", (change,))
            return
        units = round(float(grid.columns["units_up"].get(row) + grid.columns["units_down"].get(row)))
        units -= round(float(self.plan.machines["units_down"][row]))
        if units <= 0:
            return
        of_each = rounded_up(more / units)
        change = Change("machines", reason.row, "available_hours", "add", of_each, reason.period)
        each = f" for each of {units} units" if units > 1 else ""
        yield Remedy("hours", f"{amount(of_each, 'hour')} more of {reason.row}{where}{each}", (change,))

    # --- what the data say ----------------------------------------------------------------------

    def _limits(self, reason: Reason) -> Iterator[Remedy]:
        """Yield limits raised by what is missing."""
        missing, product = self.missing, self.subject.product
        if reason.kind == MAX_DEMAND:
            text = f"Let {product} sell {amount(missing, self.subject.unit)} more{self.where}"
            change = Change("products", product, "max_demand", "add", missing, self.subject.period)
            yield Remedy("max_demand", text, (change,))
        elif reason.kind == LARGEST_BATCH:
            text = f"Batches of {reason.row} larger by {number(missing)}{self.where}"
            rows = dict.fromkeys([("products", product), (reason.table, reason.row)])
            at = ("max_batch_size", "add", missing, self.subject.period)
            yield Remedy("batch", text, tuple(Change(table, row, *at) for table, row in rows))

    def _of_data(self, reason: Reason) -> Iterator[Remedy]:
        """Yield what is switched on, kept in stock, or made to pay."""
        subject = self.subject
        if reason.kind == ROUTE_NOT_ACTIVE:
            yield self._one("route", f"Make the route {reason.row} active", "routes", reason.row, "active", 1)
        elif reason.kind == NOT_ACTIVE:
            yield self._one("active", f"Make {reason.row} active", "products", reason.row, "active", 1)
        elif reason.kind == NOT_STORABLE:
            text = f"Let {reason.row} be stored, at no cost"
            yield self._one("store", text, "products", reason.row, "holding_cost_per_unit", 0)
        elif reason.kind == DOES_NOT_PAY and subject.kind in (SALES, NEVER):
            more = rounded_up(-reason.numbers["margin"] * 1.001)
            text = f"{subject.product} earns {number(more)} {self.run.currency} more per unit{self.where}"
            yield self._one("price", text, "products", subject.product, "profit_per_unit", more, "add", subject.period)

    # --- orders and purchase --------------------------------------------------------------------

    def _of_order(self) -> Iterator[Remedy]:
        subject = self.subject
        if subject.kind not in (ORDER, LATE):
            return
        names = [str(name) for name in self.snapshot["customer_orders"].columns["reference"].tolist()]
        order = names.index(subject.row)
        late_cost = self.snapshot["customer_orders"].columns["late_cost_per_unit"].get(order)
        if subject.kind == ORDER and late_cost is None and self.period + 1 < self.needs.count:
            text = f"Let {subject.row} come late, at no cost"
            yield self._one("later", text, "customer_orders", subject.row, "late_cost_per_unit", 0)
        if subject.priority > 1:
            text = f"Give {subject.row} priority 1 instead of {subject.priority}"
            yield self._one("priority", text, "customer_orders", subject.row, "priority", 1)
        elif any(reason.kind == ORDERS_FIRST for reason in self.reasons):
            text = f"Let {subject.row} weigh {number(_WEIGHT)} times as much as it does"
            yield self._one("weight", text, "customer_orders", subject.row, "weight", _WEIGHT, "multiply")

    def _purchase(self) -> Iterator[Remedy]:
        """Yield buying in what is missing: at what it earns where it can't be bought, else more than allowed."""
        subject, product = self.subject, self.subject.product
        price = self.needs.of_product("purchase_cost_per_unit", self.product, self.period)
        most = self.needs.of_product("max_purchase", self.product, self.period, math.inf)
        what = f"{amount(self.missing, subject.unit)} of {product}{self.where}"
        if math.isnan(price):
            earns = max(self.needs.of_product("profit_per_unit", self.product, self.period, 0.0), 0.0)
            changes = (
                Change("products", product, "purchase_cost_per_unit", "set", earns, subject.period),
                Change("products", product, "max_purchase", "set", self.missing, subject.period),
            )
            text = f"Allow buying {what} at {number(earns)} {self.run.currency} each, what one earns"
            yield Remedy("purchase", text, changes)
        elif math.isfinite(most):
            text = f"Allow buying {what} more"
            yield self._one("purchase", text, "products", product, "max_purchase", self.missing, "add", subject.period)

    def _one(
        self,
        kind: str,
        text: str,
        table: str,
        row: str,
        field: str,
        value: float,
        operation: str = "set",
        period: str = "",
    ) -> Remedy:
        return Remedy(kind, text, (Change(table, row, field, operation, float(value), period),))


def _together(kind: str, chosen: list[Remedy]) -> Remedy:
    """Return all of the remedies as one."""
    changes = tuple(change for remedy in chosen for change in remedy.changes)
    return Remedy(kind, "All of it: " + "; ".join(remedy.sentence for remedy in chosen), changes)


def rounded_up(value: float) -> float:
    """Return the next number with three digits that count: what is asked for then suffices; 0 for noise."""
    if value < 1e-9:
        return 0.0
    power = 10.0 ** (math.floor(math.log10(value)) - 2)
    return float(f"{math.ceil(value / power - 1e-9) * power:.12g}")

"""What a plan leaves undone: orders that miss units or come late, demand that is short or owed, sales below their
limit, products that are never made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planning.models import Run

from .solved_plan import Array, SolvedPlan, added_up, names_of, positions
from .words import amount, in_period, named, number

_NOISE = 1e-6  # relative
ORDER, LATE, SHORT, OWED, SALES, NEVER = "order", "late", "short", "backlog", "sales", "never_made"
KINDS = (ORDER, LATE, SHORT, OWED, SALES, NEVER)


@dataclass(frozen=True)
class Subject:
    """One thing that a plan leaves undone: `wanted` units of a product, of which `got` come as they should.

    `table` and `row` are where the wish stands. For sales over several periods, `period` is that with the
    most missing, and the amounts are those of the whole horizon.
    """

    kind: str  # of KINDS
    table: str
    row: str
    product: str
    period: str
    unit: str
    wanted: float  # inf: there is no limit
    got: float
    priority: int = 0  # of an order
    worth: float = 0.0  # what the missing units would earn or save, about; for the ranking
    periods: int = 1

    @property
    def missing(self) -> float:
        """How many units are missing, late, or owed."""
        return self.wanted - self.got

    @property
    def key(self) -> dict[str, str]:
        """What names the subject."""
        return {"kind": self.kind, "row": self.row, "period": self.period}

    @property
    def sentence(self) -> str:
        """What is undone, in words."""
        where = in_period(self.period, self.periods)
        wanted, missing = amount(self.wanted, self.unit), number(self.missing)
        if self.kind == ORDER:
            what = f"Order {self.row}: {wanted} of {self.product}{where}"
            return f"{what}, {number(self.got)} delivered, {missing} missing."
        if self.kind == LATE:
            return f"Order {self.row}: {missing} of {wanted} of {self.product} come after {named(self.period)}."
        if self.kind == SHORT:
            return f"{self.product}{where}: {missing} of {wanted} of demand are never delivered."
        if self.kind == OWED:
            return f"{self.product}: {amount(self.missing, self.unit)} are owed at the end of {named(self.period)}."
        if self.kind == NEVER:
            return f"{self.product} is never made."
        most = f"; most is missing{where}" if where else ""
        return f"{self.product} sells {number(self.got)} of at most {wanted}{most}."


def subjects(run: Run, plan: SolvedPlan) -> list[Subject]:
    """Return everything that a plan leaves undone: orders by priority, demand, then sales by what they would earn."""
    units = run.units.get("products", {})
    found = [*_orders(plan, units), *_left_out(plan, units), *_demand(plan, units)]
    told = {subject.product for subject in found}
    found += [subject for subject in _sales(plan, units) if subject.product not in told]
    return sorted(found, key=lambda s: (KINDS.index(s.kind), s.priority, -s.worth, -s.missing))


def _above(values: Array, limits: Array) -> npt.NDArray[np.bool_]:
    """Return which values are more than noise."""
    return np.asarray(values > _NOISE * np.maximum(1.0, np.abs(limits)), dtype=np.bool_)


def _orders(plan: SolvedPlan, units: dict[str, str]) -> Iterator[Subject]:
    s = plan.snapshot
    orders, grid = s["counted_orders"], s["order_grid"]
    if not orders.size:
        return
    row = positions(grid, "order")
    target = orders.columns["target_quantity"].filled(0.0)
    delivered = added_up(row, plan.delivered, orders.size)
    is_late = np.asarray(grid.columns["periods_late"].values > 0)
    late = added_up(row, plan.delivered * is_late, orders.size)
    missing = target - delivered
    weights, products, dues = orders.columns["weight"], positions(orders, "product"), positions(orders, "period")
    for order in np.flatnonzero(np.logical_or(_above(missing, target), _above(late, target))).tolist():
        product = plan.product_names[products[order]]
        is_missing = bool(_above(missing, target)[order])
        wanted = float(target[order])
        yield Subject(
            kind=ORDER if is_missing else LATE,
            table="customer_orders",
            row=str(orders.columns["reference"].get(order)),
            product=product,
            period=plan.periods[dues[order]],
            unit=units.get(product, "unit"),
            wanted=wanted,
            got=float(delivered[order]) if is_missing else wanted - float(late[order]),
            priority=int(orders.columns["priority"].get(order)),
            worth=float(weights.get(order)) * float(missing[order] if is_missing else late[order]),
            periods=s.period_count,
        )


def _left_out(plan: SolvedPlan, units: dict[str, str]) -> Iterator[Subject]:
    """Yield orders of products that are not active: no plan counts them."""
    s = plan.snapshot
    orders, counts = s["customer_orders"], s["products"].columns["active"].tolist()
    products, dues = positions(orders, "product").tolist(), positions(orders, "period").tolist()
    for row in np.flatnonzero(np.asarray(orders.columns["active"].values, dtype=np.bool_)).tolist():
        name = plan.product_names[products[row]]
        if not counts[products[row]]:
            yield Subject(
                kind=ORDER,
                table="customer_orders",
                row=str(orders.columns["reference"].get(row)),
                product=name,
                period=plan.periods[dues[row]],
                unit=units.get(name, "unit"),
                wanted=float(orders.columns["target_quantity"].get(row)),
                got=0.0,
                priority=int(orders.columns["priority"].get(row) or 0),
                periods=s.period_count,
            )


def _demand(plan: SolvedPlan, units: dict[str, str]) -> Iterator[Subject]:
    s, grid = plan.snapshot, plan.snapshot["product_grid"]
    products, periods = positions(grid, "product"), positions(grid, "period")
    least = grid.columns["min_demand"].filled(0.0)
    for kind, column, cost in (
        (SHORT, "short", "shortage_cost_per_unit"),
        (OWED, "backlog", "backlog_cost_per_unit"),
    ):
        missing, costs = plan.products[column], grid.columns[cost].filled(0.0)
        for row in np.flatnonzero(_above(missing, least)).tolist():
            name, amount_missing = plan.product_names[products[row]], float(missing[row])
            wanted = max(float(least[row]), amount_missing)
            yield Subject(
                kind=kind,
                table="products",
                row=name,
                product=name,
                period=plan.periods[periods[row]],
                unit=units.get(name, "unit"),
                wanted=wanted,
                got=wanted - amount_missing,
                worth=float(costs[row]) * amount_missing,
                periods=s.period_count,
            )


def _sales(plan: SolvedPlan, units: dict[str, str]) -> Iterator[Subject]:
    """Yield products that sell less than they could, and products that are not made although they could be sold."""
    s, grid, count = plan.snapshot, plan.snapshot["product_grid"], plan.snapshot.period_count
    if not grid.size:
        return
    shape = (-1, count)
    sold = plan.products["sold"].reshape(shape)
    made = plan.products["made"].reshape(shape).sum(axis=1)
    most = grid.columns["max_demand"].filled(np.inf).reshape(shape)
    profit = grid.columns["profit_per_unit"].filled(0.0).reshape(shape)
    rows = positions(grid, "product")[::count].tolist()
    names, can_be_made = names_of(s["products"]), set(positions(s["ways"], "product").tolist())
    for i, product in enumerate(rows):
        name = names[product]
        missing = np.where(most[i] > sold[i], most[i] - sold[i], 0.0)
        if np.isinf(most[i]).any():
            if product not in can_be_made or made[i] > _NOISE or sold[i].sum() > _NOISE:
                continue
            wanted, kind, period = math.inf, NEVER, int(np.argmax(np.where(np.isinf(most[i]), profit[i], -np.inf)))
        else:
            open_periods = _above(missing, most[i])
            if not open_periods.any():
                continue
            wanted, kind, period = float(most[i].sum()), SALES, int(np.argmax(missing * open_periods))
        yield Subject(
            kind=kind,
            table="products",
            row=name,
            product=name,
            period=plan.periods[period],
            unit=units.get(name, "unit"),
            wanted=wanted,
            got=float(sold[i].sum()),
            worth=float(np.sum(np.where(np.isfinite(missing), missing, 1.0) * np.maximum(profit[i], 0.0))),
            periods=count,
        )

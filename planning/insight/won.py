"""What the optimiser won against a plan by hand: by priority and due date, as a planner would do it.

The plan by hand passes the same plan check before anything of it is shown. It is made while a page waits where that
takes a moment; for larger plants a run of its own makes it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from planning.by_hand import Ledger, NoSimplePlan, Ranking, plan_by_hand
from planning.formulation import Plan
from planning.models import Run
from planning.runs import BY_HAND, FOUND_NONE, PlanRefused, RunOptions, StartedSet, check_unstored, start_variations_of
from planning.snapshot import Snapshot

from .different_plans import Differences
from .solved_plan import BALANCE, SolvedPlan, added_up, names_of, positions, solved_plan
from .words import number

logger = logging.getLogger("planning.insight")
AT_ONCE = 1_000  # ways times periods: so many a page waits for (docs/decisions/0022)
SHOWN = 8  # differences, orders
_SECONDS = 60.0
_NOISE = 1e-6


class NotMadeYet(Exception):
    """The plan by hand takes longer than a page waits; `run` makes it, where one was started."""

    def __init__(self, run: Run | None) -> None:
        super().__init__("It is being made." if run else "It has not been made yet.")
        self.run = run


@dataclass(frozen=True)
class Pair:
    """A figure of both plans. `place` is a period, or what else it is about."""

    kind: str  # profit, part, missed, order, hours, overtime, made
    name: str
    place: str
    by_hand: float
    optimised: float

    @property
    def difference(self) -> float:
        """How much more the optimised plan has."""
        return self.optimised - self.by_hand


@dataclass(frozen=True)
class Gains:
    """What the optimised plan has over the one by hand."""

    profit: Pair
    parts: tuple[Pair, ...]  # of the profit, those that are not 0 in both
    missed: tuple[Pair, ...]  # by priority: weighted deviation of orders and goals
    orders: tuple[Pair, ...]  # units delivered, those that differ, the largest difference first
    in_full: Pair | None  # orders that are delivered in full
    hours: tuple[Pair, ...]  # of each machine over all periods, overtime included
    overtime: tuple[Pair, ...]  # of machines that work some
    made: tuple[Pair, ...]  # every product and period
    differences: tuple[str, ...]  # in words, what weighs most first
    currency: str
    proven: bool

    @property
    def summary(self) -> str:
        """What was won, in words."""
        first = next((pair for pair in self.missed if abs(pair.difference) > _NOISE * max(1.0, pair.by_hand)), None)
        if first is None:
            return self._earned()
        less = "less" if first.difference < 0 else "more"
        return (
            f"Orders and goals come before profit: of priority {first.place} the optimised plan misses "
            f"{number(first.optimised)}, the plan by hand {number(first.by_hand)}: {number(abs(first.difference))} "
            f"{less}. {self._earned()}"
        )

    def _earned(self) -> str:
        profit = self.profit
        if abs(profit.difference) <= _NOISE * max(1.0, abs(profit.by_hand)):
            return f"Both plans earn {number(profit.optimised)} {self.currency}."
        share = f" ({number(abs(100 * profit.difference / profit.by_hand))} %)" if profit.by_hand > 0 else ""
        more = "more" if profit.difference > 0 else "less"
        said = (
            f"The optimised plan earns {number(profit.optimised)} {self.currency}, the plan by hand "
            f"{number(profit.by_hand)}: {number(abs(profit.difference))}{share} {more}."
        )
        if profit.difference < 0 and not self.missed:
            said += " A longer run would find a better one."
        return said


def gains(run: Run, *, wait: bool = False) -> Gains:
    """Return what a run's plan has over one by hand.

    Raises NoSolvedData where the run has no plan or its copy is gone, NoSimplePlan where none is found by hand, and
    NotMadeYet where that takes longer than a page waits, unless `wait`.
    """
    if run.options.get("solver") == BY_HAND:
        raise NoSimplePlan("This run is itself planned by hand.")
    best = solved_plan(run)
    by_hand, profit, levels = _by_hand(run, best.snapshot, wait=wait)
    s = best.snapshot
    parts = [Pair("part", name, "", profit.get(name, 0.0), float(run.profit_parts[name])) for name in run.profit_parts]
    earned = [profit["sales"] - sum(amount for name, amount in profit.items() if name != "sales"), run.objective or 0.0]
    ranking = Ranking(Ledger(s))
    differences = Differences(by_hand, best, ranking, run.currency, run.units.get("products", {}))
    orders = list(_orders(s, by_hand, best))
    return Gains(
        profit=Pair("profit", "profit", "", *earned),
        parts=tuple(pair for pair in parts if abs(pair.by_hand) > _NOISE or abs(pair.optimised) > _NOISE),
        missed=tuple(
            Pair("missed", "priority", str(one["priority"]), float(other["deviation"]), float(one["deviation"]))
            for one, other in zip(run.levels, levels, strict=True)
        ),
        orders=tuple(
            sorted((o for o in orders if abs(o.difference) > _NOISE * max(1.0, o.by_hand)), key=_largest_first)
        ),
        in_full=_in_full(s, orders),
        hours=tuple(_of_machines("hours", "used", by_hand, best)),
        overtime=tuple(p for p in _of_machines("overtime", "overtime", by_hand, best) if p.by_hand or p.optimised),
        made=tuple(_made(s, by_hand, best)),
        differences=tuple(differences.sentences(SHOWN)),
        currency=run.currency,
        proven=run.proven,
    )


def _largest_first(pair: Pair) -> float:
    return -abs(pair.difference)


# --- the plan by hand -------------------------------------------------------------------------


def make_by_hand(run: Run, *, user: Any = None, here: bool = False) -> StartedSet:
    """Start a run that makes the plan by hand, from the data that the run was solved with."""
    return start_variations_of(
        run=run,
        variations=[[]],
        name=f"By hand, for run {run.pk}",
        about="The plan that priority and due date make, to measure the optimised one against.",
        subject={"kind": BY_HAND},
        options=RunOptions(time_limit=_SECONDS, solver=BY_HAND),
        user=user,
        here=here,
    )


def _by_hand(
    run: Run, snapshot: Snapshot, *, wait: bool
) -> tuple[SolvedPlan, dict[str, float], list[dict[str, float]]]:
    """Return the plan by hand, its parts of the profit, and what it misses by priority."""
    made = Run.objects.filter(run_set__tried_for=run, run_set__subject__kind=BY_HAND).order_by("-id").first()
    if made is not None and made.objective is not None:
        return solved_plan(made), made.profit_parts, made.levels
    if not wait and snapshot["way_grid"].size > AT_ONCE:
        if made is None or made.is_open:
            raise NotMadeYet(made)
        raise NoSimplePlan(made.reason.removeprefix(FOUND_NONE).strip())
    plan = plan_by_hand(snapshot)
    try:
        levels = check_unstored(snapshot, plan)
    except PlanRefused as error:
        logger.error("the plan check refused the plan by hand for run %s: %s", run.pk, error)
        raise NoSimplePlan("What the rules made did not pass the plan check, so it is not shown.") from error
    return _solved(snapshot, plan), plan.profit, levels


def _solved(snapshot: Snapshot, plan: Plan) -> SolvedPlan:
    """Return a plan that is not stored in the arrays of one that is."""
    machines = {
        "used": plan.hours,
        "available": plan.hours_available,
        "overtime": plan.overtime,
        "units_down": plan.units_down,
    }
    names = {"made": "product_made"}
    return SolvedPlan(
        snapshot=snapshot,
        made=plan.made,
        setup=plan.setup,
        products={name: getattr(plan, names.get(name, name)) for name in BALANCE},
        machines=machines,
        material_stock=plan.material_stock,
        supplied=plan.material_supplied,
        delivered=plan.delivered,
    )


# --- figures of both ----------------------------------------------------------------------------


def _orders(s: Snapshot, by_hand: SolvedPlan, best: SolvedPlan) -> Iterator[Pair]:
    orders, rows = s["counted_orders"], positions(s["order_grid"], "order")
    products = names_of(s["products"])
    got = [added_up(rows, plan.delivered, orders.size).tolist() for plan in (by_hand, best)]
    names = [str(name) for name in orders.columns["reference"].tolist()]
    for name, product, *amounts in zip(names, positions(orders, "product").tolist(), *got, strict=True):
        yield Pair("order", name, products[product], *amounts)


def _in_full(s: Snapshot, orders: list[Pair]) -> Pair | None:
    """Return how many orders are delivered in full."""
    targets = [float(target) for target in s["counted_orders"].columns["target_quantity"].tolist()]
    if not targets:
        return None
    enough = [target - _NOISE * max(1.0, target) for target in targets]
    by_hand = sum(pair.by_hand >= least for pair, least in zip(orders, enough, strict=True))
    optimised = sum(pair.optimised >= least for pair, least in zip(orders, enough, strict=True))
    return Pair("in full", "orders", "", float(by_hand), float(optimised))


def _of_machines(kind: str, column: str, by_hand: SolvedPlan, best: SolvedPlan) -> Iterator[Pair]:
    machine = positions(best.snapshot["machine_grid"], "machine")
    names = best.machine_names
    sums = [added_up(machine, plan.machines[column], len(names)).tolist() for plan in (by_hand, best)]
    for name, *hours in zip(names, *sums, strict=True):
        yield Pair(kind, name, "", *hours)


def _made(s: Snapshot, by_hand: SolvedPlan, best: SolvedPlan) -> Iterator[Pair]:
    grid = s["product_grid"]
    names, periods = names_of(s["products"]), names_of(s["periods"])
    rows = zip(positions(grid, "product").tolist(), positions(grid, "period").tolist(), strict=True)
    amounts = (plan.products["made"].tolist() for plan in (by_hand, best))
    for (product, period), *made in zip(rows, *amounts, strict=True):
        yield Pair("made", names[product], periods[period], *made)

"""Holding on to an earlier plan: constraints on its first periods, the price of moving, and what moved."""

from __future__ import annotations

from typing import Any

import numpy as np

from planning.lx import LXConstraint, LXLinearExpression, LXModel, LXOptimizer, LXRecord, LXRows, LXVariable
from planning.snapshot import Snapshot

from .plan import Plan

Variable = LXVariable[LXRecord, float]
Constraint = LXConstraint[LXRecord]
HELD = "held_make"
_ROOM = 1e-6  # relative: amounts that follow from what is made are held this closely, for they come rounded
_SHOWN = 5
_FAMILIES = ("sell", "buy", "short", "overtime", "down", "supply", "deliver")


def holding(s: Snapshot, variables: dict[str, Variable]) -> list[Constraint]:
    """Return the constraints that hold the first periods; what a family has no variable for is 0 and stays so."""

    def same(r: LXRecord) -> LXRecord:
        return r

    def family(name: str, variable: Variable, rows: LXRows) -> Constraint:
        index = variable.index_function
        assert callable(index)
        expression = LXLinearExpression().add_term(variable, at=same)
        return Constraint(name).indexed_by(index).from_data(rows).expression(expression)

    constraints = []
    make = variables["make"]
    # make[p,r,t]  ==  what the earlier plan makes, in the periods that are held
    constraints.append(family(HELD, make, _held_rows(make, "make")).eq().rhs(lambda w: w.held_make))
    for name in _FAMILIES:
        variable = variables[name]
        rows = _held_rows(variable, name)
        if not len(rows):
            continue
        held = rows.column(f"held_{name}").filled(0.0)
        room = _ROOM * np.maximum(1.0, np.abs(held)) * (0.0 if name == "down" else 1.0)
        least = family(f"held_{name}_at_least", variable, rows).ge()
        most = family(f"held_{name}_at_most", variable, rows).le()
        least.right, most.right = held - room, held + room
        constraints += [least, most]
    return constraints


def _held_rows(variable: Variable, name: str) -> LXRows:
    rows = variable.rows
    assert isinstance(rows, LXRows)
    return rows.where(~rows.column(f"held_{name}").is_null)


def moving(model: LXModel, s: Snapshot, make: Variable) -> LXLinearExpression:
    """Return what it costs to make otherwise than before, and add what measures it to the model.

    cost_per_hour_moved * sum over p, r, t of hours_per_unit[p,r] * (more[p,r,t] + less[p,r,t])
    """
    cost = float(s["plant"].record(0).cost_per_hour_moved)
    if not cost:
        return LXLinearExpression()
    rows = make.rows
    assert isinstance(rows, LXRows)
    known = rows.where(~rows.column("before").is_null)
    index = make.index_function
    assert callable(index)
    more, less = (Variable(name).indexed_by(index).from_data(known) for name in ("make_more", "make_less"))
    model.add_variable(more, less)
    # make[p,r,t] - more[p,r,t] + less[p,r,t]  ==  what the earlier plan makes
    expression = LXLinearExpression()
    for variable, sign in ((make, 1.0), (more, -1.0), (less, 1.0)):
        expression.add_term(variable, sign, at=lambda w: w)
    moved = Constraint("make_moved").indexed_by(index).from_data(known).expression(expression)
    model.add_constraint(moved.eq().rhs(lambda w: w.before))
    total = LXLinearExpression()
    for variable in (more, less):
        total.add_multi_term(variable, lambda w: cost * w.hours_per_unit)
    return total


def why_not_held(model: LXModel, seconds: float) -> str:
    """Return in words what of the earlier plan can't be held; "" where that is not why there is no plan.

    It takes so many seconds at most, and is "" where they do not do. The model changes: what is held becomes the
    first goal, and what then has to give is what is said.
    """
    if HELD not in [constraint.name for constraint in model.constraints]:
        return ""
    for constraint in model.constraints:
        if constraint.name.startswith("held_"):
            constraint.as_goal(1)
        elif constraint.goal_priority is not None:
            constraint.as_goal(2)
    model.maximize(LXLinearExpression())
    solution = LXOptimizer[Any]().time_limit(seconds).solve(model)
    if not solution.has_plan:
        return ""
    plant = model.tables["plant"].record(0)
    deviations = solution.get_goal_deviations(HELD)
    sides = {"neg": "at most", "pos": "at least"}
    found = []
    for side, words in sides.items():
        for key, missing in deviations[side].items():
            if missing > _ROOM:
                *way, period = key
                name = " / ".join(part for part in way if part)
                now = solution.variables["make"][key]
                before = now + missing if side == "neg" else now - missing
                found.append((missing, f"{name} in {period}: {before:g} was made, now it can be {words} {now:g}"))
    texts = [text for _, text in sorted(found, key=lambda pair: -pair[0])]
    more = f"; and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    shown = "; ".join(texts[:_SHOWN]) + more if texts else "what is sold, bought or delivered can't be as it was"
    first = "first period" if plant.held_periods == 1 else f"first {plant.held_periods} periods"
    return f"The {first} of run {plant.held_run} can't be held with these data: {shown}."


def moved(s: Snapshot, plan: Plan) -> dict[str, Any] | None:
    """Return how much of the plan is otherwise than in the earlier run, in periods that both have.

    Machine hours and units made that moved, and orders that get more or less than they did.
    """
    if not s.holds:
        return None
    grid, plant = s["way_grid"], s["plant"].record(0)
    units = np.abs(plan.made - grid.columns["before"].filled(0.0))
    units[grid.columns["before"].is_null] = 0.0
    before: dict[str, float] = {}
    held = s["held"]
    for family, name, value in zip(*(held.columns[c].tolist() for c in ("family", "name", "value")), strict=True):
        if family == "deliver":
            before[name] = before.get(name, 0.0) + value
    orders, deliveries = s["counted_orders"], s["order_grid"].links["order"].positions
    now = np.bincount(deliveries, weights=plan.delivered, minlength=orders.size).tolist()
    pairs = zip(map(str, orders.columns["reference"].tolist()), now, strict=True)
    changed = [abs(amount - before[name]) > _ROOM * max(1.0, amount) for name, amount in pairs if name in before]
    return {
        "run": int(plant.held_run),
        "periods": int(plant.held_periods),
        "whole": bool(plant.held_whole),
        "hours": float(units @ grid.columns["hours_per_unit"].filled(0.0)),
        "units": float(units.sum()),
        "orders": sum(changed),
        "cost_per_hour": float(plant.cost_per_hour_moved),
    }

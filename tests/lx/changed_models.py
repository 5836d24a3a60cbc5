"""A small model with every kind of row and bound, and changes made to it the long way: to its families."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np

from planning.lx import (
    CompiledModel,
    LXChange,
    LXConstraint,
    LXLinearExpression,
    LXLink,
    LXModel,
    LXTable,
    LXVariable,
    compile_model,
)

PARTS = ("starts", "columns", "values", "cost", "lower", "upper", "row_lower", "row_upper")


def bakery(*, whole: bool = False, minimize: bool = False) -> LXModel:
    """Return breads to bake on two ovens: `<=` with constants on the left, `>=`, `==`, and rows that are single."""
    breads = LXTable(
        "Bread",
        {
            "name": ["rye", "wheat", "spelt"],
            "profit": [3.0, 5.0, 4.0],
            "least": [0.0, 1.0, -2.0],
            "most": [9.0, None, 7.0],
        },
    )
    ovens = LXTable("Oven", {"name": ["old", "new"], "hours": [20.0, 30.0], "heating": [2.0, 0.5]})
    uses = LXTable(
        "Use",
        {"hours": [1.0, 2.0, 1.5, 3.0]},
        {"bread": LXLink(breads, np.array([0, 1, 2, 0])), "oven": LXLink(ovens, np.array([0, 0, 1, 1]))},
    )
    bake = (
        LXVariable[Any, float]("bake")
        .bounds(lower=lambda b: b.least, upper=lambda b: b.most)
        .indexed_by(lambda b: b.name)
        .from_data(breads)
    )
    spare = LXVariable[Any, float]("spare").bounds(upper=50).indexed_by(lambda o: o.name).from_data(ovens)
    if whole:
        bake.integer()
    hours = (
        LXConstraint[Any]("hours")
        .indexed_by(lambda o: o.name)
        .from_data(ovens)
        .expression(
            LXLinearExpression()
            .add_join(bake, lambda u: u.hours, over=uses, variable_key=lambda u: u.bread, row_key=lambda u: u.oven)
            .add_constant(lambda o: o.heating)
        )
        .le()
        .rhs(lambda o: o.hours)
    )
    promised = (
        LXConstraint[Any]("promised")
        .indexed_by(lambda b: b.name)
        .from_data(breads)
        .expression(LXLinearExpression().add_term(bake, at=lambda b: b))
        .ge()
        .rhs(-4)
    )
    rest = (
        LXConstraint[Any]("rest")
        .indexed_by(lambda o: o.name)
        .from_data(ovens)
        .expression(LXLinearExpression().add_term(spare, at=lambda o: o).add_multi_term(bake, 0.5))
        .eq()
        .rhs(12)
    )
    total = LXConstraint[Any]("total").expression(LXLinearExpression().add_multi_term(bake)).le().rhs(18)
    model = LXModel("bakery").add_variable(bake, spare).add_constraint(hours, promised, rest, total)
    profit = LXLinearExpression().add_multi_term(bake, lambda b: b.profit).add_multi_term(spare, 0.25)
    return model.minimize(profit * -1.0) if minimize else model.maximize(profit + 7.0)


def rebuilt(model: LXModel, changes: list[LXChange]) -> CompiledModel:
    """Return the model compiled anew, with the changes made to its families one by one."""
    made = deepcopy(model)
    for change in changes:
        is_of_rows = change.what in ("right side", "coefficient")
        family: Any = made.get_constraint(change.name) if is_of_rows else made.get_variable(change.name)
        for key in change.keys or family.keys:
            _change_member(made, family, change, key)
    return compile_model(made)


def _change_member(made: LXModel, family: Any, change: LXChange, key: Any) -> None:
    compiled = compile_model(made)
    at = {} if key is None else {"key": key}
    place = family.keys.index(key)
    if change.what == "right side":
        family.set_rhs(stepped(family.rhs_array()[place], change), **at)
    elif change.what == "coefficient":
        variable = made.get_variable(change.variable)
        row = compiled.constraints[family.name].start + place
        column = compiled.variables[variable.name].start + variable.keys.index(change.variable_keys[0])
        span = slice(compiled.starts[row], compiled.starts[row + 1])
        now = dict(zip(compiled.columns[span].tolist(), compiled.values[span].tolist(), strict=True)).get(column, 0.0)
        family.set_coefficient(variable, stepped(now, change), variable_key=change.variable_keys[0], **at)
    else:
        column = compiled.variables[family.name].start + place
        array = {"lower bound": compiled.lower, "upper bound": compiled.upper, "cost": compiled.cost}[change.what]
        new = stepped(array[column], change)
        if change.what == "cost":
            made.set_cost(family, new, key=key)
        else:
            family.set_bounds(key=key, **{change.what.split()[0]: new})


def stepped(now: float, change: LXChange) -> float:
    """Return the number after a change whose sign says its way."""
    amount = float(change.amount)
    if change.how == "to":
        return amount
    if change.how == "multiply":
        return float(now * amount)
    return float(now + (amount if change.how == "by" else abs(now) * amount / 100.0))

"""LumiX (`lumix-opt`): a constraint per row with the keys of its variables, given to OR-Tools' GLOP.

It has one bound for a whole family, so the limits of `sell` and `stock` are rows here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from lumix import LXConstraint, LXLinearExpression, LXModel, LXVariable
from lumix.solvers.ortools_solver import LXORToolsSolver
from problem import PERIODS, Matrix, Plant
from rows import Rows, column_numbers, row_numbers, rows_of

TITLE = "LumiX"


@dataclass(frozen=True)
class Cell:
    """A product in a period."""

    product: int
    period: int
    demand: float
    max_stock: float
    profit: float
    cost: float
    holding: float


def prepare(plant: Plant) -> tuple[Rows, list[Cell]]:
    """Return the data as Python objects, untimed."""
    rows = rows_of(plant)
    cells = [
        Cell(p, t, rows.demand[p][t], rows.max_stock[p], rows.profit[p], rows.cost[p], rows.holding[p])
        for p in range(rows.products)
        for t in range(PERIODS)
    ]
    return rows, cells


def build(prepared: tuple[Rows, list[Cell]]) -> Any:
    """Return LumiX's solver after it has got the problem."""
    rows, cells = prepared

    def family(name: str) -> Any:
        return LXVariable[Cell, float](name).continuous().indexed_by(lambda c: (c.product, c.period)).from_data(cells)

    make = family("make").bounds(lower=0)
    sell = family("sell").bounds(lower=0)
    stock = family("stock").bounds(lower=0)
    model = LXModel("plant").add_variable(make).add_variable(sell).add_variable(stock)
    for c in cells:
        p, t = c.product, c.period
        expression = LXLinearExpression().add_term(make, 1.0, keys=[(p, t)]).add_term(sell, -1.0, keys=[(p, t)])
        for variable, most in ((sell, c.demand), (stock, c.max_stock)):
            limited = LXLinearExpression().add_term(variable, 1.0, keys=[(p, t)])
            model.add_constraint(LXConstraint(f"{variable.name}_{p}_{t}").expression(limited).le().rhs(most))
        if t:
            expression.add_term(stock, lambda s, t=t: 1.0 if s.period < t else -1.0, keys=[(p, t - 1), (p, t)])
        else:
            expression.add_term(stock, -1.0, keys=[(p, t)])
        limit = 0.0 if t else -rows.opening[p]
        model.add_constraint(LXConstraint(f"balance_{p}_{t}").expression(expression).eq().rhs(limit))
    for name, takers, limits in (
        ("hours", rows.takers_of_machine, rows.available_hours),
        ("material", rows.takers_of_material, rows.available_quantity),
    ):
        for i, taken in enumerate(takers):
            amounts = dict(taken)
            for t in range(PERIODS):
                expression = LXLinearExpression().add_term(
                    make, lambda c, amounts=amounts: amounts[c.product], keys=[(p, t) for p in amounts]
                )
                model.add_constraint(LXConstraint(f"{name}_{i}_{t}").expression(expression).le().rhs(limits[i][t]))
    model.maximize(
        LXLinearExpression()
        .add_term(make, lambda c: -c.cost)
        .add_term(sell, lambda c: c.profit)
        .add_term(stock, lambda c: -c.holding)
    )
    solver = LXORToolsSolver()
    solver.build_model(model)
    return solver


def matrix(built: Any, plant: Plant) -> Matrix:
    """Return what OR-Tools holds, with the rows that limit one variable as bounds."""
    solver = built.get_solver_model()
    variables, objective = solver.variables(), solver.Objective()
    columns = np.empty(len(variables), dtype=np.int64)
    for name, by_key in built._variable_map.items():
        for (p, t), variable in by_key.items():
            columns[variable.index()] = column_numbers(plant, [f"{name}_{p}_{t}"])[0]
    upper = np.full(plant.columns, np.inf)
    row_lower, row_upper = np.empty(plant.rows), np.empty(plant.rows)
    entries = []
    for constraint in solver.constraints():
        name = constraint.name()
        if name.startswith(("sell", "stock")):
            upper[column_numbers(plant, [name])[0]] = constraint.ub()
            continue
        row = row_numbers(plant, [name])[0]
        row_lower[row], row_upper[row] = constraint.lb(), constraint.ub()
        for column, variable in zip(columns.tolist(), variables, strict=True):
            if value := constraint.GetCoefficient(variable):
                entries.append((row, column, value))
    order = np.argsort(columns)
    return Matrix(
        *(np.array(part) for part in zip(*entries, strict=True)),
        cost=np.array([objective.GetCoefficient(variable) for variable in variables])[order],
        lower=np.array([variable.lb() for variable in variables])[order],
        upper=upper,
        row_lower=row_lower,
        row_upper=row_upper,
    )

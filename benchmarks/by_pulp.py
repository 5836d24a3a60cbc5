"""PuLP: expressions over dictionaries of variables, given to HiGHS by PuLP's own interface."""

from __future__ import annotations

from typing import Any

import pulp
from problem import PERIODS, Matrix, Plant
from rows import Rows, matrix_of_rows, rows_of

TITLE = "PuLP"


def prepare(plant: Plant) -> Rows:
    """Return the data as Python lists, untimed."""
    return rows_of(plant)


def build(rows: Rows) -> Any:
    """Return the PuLP problem after HiGHS has got it."""
    problem = formulated(rows)
    solver = pulp.HiGHS(msg=False)
    solver.createAndConfigureSolver(problem)
    solver.buildSolverModel(problem)
    return problem


def formulated(rows: Rows, change: Any = None) -> Any:
    """Return the PuLP problem, with one number changed where a change is given (its kind, thing, period, value)."""
    altered = {} if change is None else {(change.kind, change.thing, change.period): change.value}
    problem = pulp.LpProblem("plant", pulp.LpMaximize)
    cells = [(p, t) for p in range(rows.products) for t in range(PERIODS)]
    make = {(p, t): pulp.LpVariable(f"make_{p}_{t}", 0) for p, t in cells}
    sell = {
        (p, t): pulp.LpVariable(f"sell_{p}_{t}", 0, altered.get(("bound", p, t), rows.demand[p][t])) for p, t in cells
    }
    stock = {(p, t): pulp.LpVariable(f"stock_{p}_{t}", 0, rows.max_stock[p]) for p, t in cells}
    problem += pulp.LpAffineExpression(
        [(make[p, t], -rows.cost[p]) for p, t in cells]
        + [(sell[p, t], altered.get(("cost", p, t), rows.profit[p])) for p, t in cells]
        + [(stock[p, t], -rows.holding[p]) for p, t in cells]
    )
    for p, t in cells:
        terms = [(make[p, t], 1.0), (sell[p, t], -1.0), (stock[p, t], -1.0)]
        if t:
            terms.append((stock[p, t - 1], 1.0))
        problem += pulp.LpAffineExpression(terms) == (0.0 if t else -rows.opening[p]), f"balance_{p}_{t}"
    for name, takers, limits in (
        ("hours", rows.takers_of_machine, rows.available_hours),
        ("material", rows.takers_of_material, rows.available_quantity),
    ):
        for i, taken in enumerate(takers):
            for t in range(PERIODS):
                terms = [(make[p, t], amount) for p, amount in taken]
                limit = altered.get(("right side", i, t), limits[i][t]) if name == "hours" else limits[i][t]
                problem += pulp.LpAffineExpression(terms) <= limit, f"{name}_{i}_{t}"
    return problem


def matrix(built: Any, plant: Plant) -> Matrix:
    """Return what the solver holds, by PuLP's names."""
    highs = built.solverModel
    lp = highs.getLp()
    names = list(built.constraints)
    columns = [variable.name for variable in sorted(built.variables(), key=lambda variable: variable.index)]
    assert (len(names), len(columns)) == (lp.num_row_, lp.num_col_)
    return matrix_of_rows(highs, plant, names, columns)

"""Small tables and models that several tests of the modelling layer share."""

from __future__ import annotations

from typing import Any

import numpy as np

from planning.lx import (
    MISSING,
    CompiledModel,
    LXConstraint,
    LXLinearExpression,
    LXLink,
    LXModel,
    LXTable,
    LXVariable,
)

Expression = LXLinearExpression


def furniture() -> tuple[LXTable, LXTable, LXTable]:
    """Return products, machines and the recipes that link them."""
    products = LXTable(
        "Product",
        {
            "id": [1, 2, 3],
            "name": ["Chair", "Table", "Desk"],
            "profit_per_unit": [45.0, 120.0, 200.0],
            "max_demand": [100.0, None, 30.0],
            "boxes": [1, 4, 2],
            "is_new": [False, True, False],
        },
        key="id",
    )
    machines = LXTable("Machine", {"id": [1, 2], "name": ["Cutting", "Assembly"], "hours": [80.0, 100.0]}, key="id")
    recipes = LXTable(
        "Recipe",
        {"id": [1, 2, 3, 4, 5, 6], "hours_required": [0.5, 1.0, 1.5, 2.5, 2.0, 3.5]},
        {
            "product": LXLink(products, np.array([0, 0, 1, 1, 2, 2])),
            "machine": LXLink(machines, np.array([0, 1, 0, 1, 0, 1])),
        },
        key="id",
    )
    return products, machines, recipes


def furniture_model() -> LXModel:
    """Return the furniture workshop: make[product], and the hours of each machine by a join over the recipes."""
    products, machines, recipes = furniture()
    make = (
        LXVariable[Any, float]("make")
        .bounds(upper=lambda p: p.max_demand)
        .indexed_by(lambda p: p.name)
        .from_data(products)
    )
    hours = (
        LXConstraint[Any]("hours")
        .expression(
            Expression().add_join(
                make,
                lambda r: r.hours_required,
                over=recipes,
                variable_key=lambda r: r.product,
                row_key=lambda r: r.machine,
            )
        )
        .le()
        .rhs(lambda m: m.hours)
        .indexed_by(lambda m: m.name)
        .from_data(machines)
    )
    model = LXModel("furniture", {"products": products, "machines": machines, "recipes": recipes})
    model.add_variable(make).add_constraint(hours)
    return model.maximize(Expression().add_term(make, lambda p: p.profit_per_unit))


def letters(count: int) -> LXTable:
    """Return a table of `count` rows named a, b, c, ..."""
    return LXTable("letters", {"name": [chr(ord("a") + i) for i in range(count)]})


def dense_model(
    cost: list[float],
    rows: list[tuple[list[float], str, float]],
    lower: float | list[float] | None = 0.0,
    upper: float | list[float] | None = None,
    whole: bool = False,
    *,
    sense: str = "maximize",
    offset: float = 0.0,
) -> LXModel:
    """Return a model written as a matrix: variables x[a], x[b], ..., single constraints r0, r1, ..."""
    table = letters(len(cost))
    number = {name: i for i, name in enumerate(table.columns["name"].tolist())}

    def of(values: Any) -> Any:
        return (lambda r: values[number[r.name]]) if isinstance(values, list) else values

    x = LXVariable[Any, float]("x").bounds(lower=of(lower), upper=of(upper)).indexed_by(lambda r: r.name)
    x.from_data(table)
    if whole:
        x.integer()
    model = LXModel("dense").add_variable(x)
    for i, (coefficients, relation, right) in enumerate(rows):
        constraint = LXConstraint[Any](f"r{i}").expression(Expression().add_term(x, of(coefficients)))
        {"<=": constraint.le, ">=": constraint.ge, "==": constraint.eq}[relation]()
        model.add_constraint(constraint.rhs(right))
    objective = Expression().add_term(x, of(cost)).add_constant(offset)
    return model.maximize(objective) if sense == "maximize" else model.minimize(objective)


def arrays(compiled: CompiledModel) -> dict[str, bytes]:
    """Return every array of a compiled model, and its offset, as bytes."""
    names = ["cost", "lower", "upper", "integer", "row_lower", "row_upper", "starts", "columns", "values"]
    found = {name: getattr(compiled, name).tobytes() for name in names}
    return found | {"offset": np.float64(compiled.offset).tobytes(), "sense": compiled.sense.encode()}


def matrix(compiled: CompiledModel) -> list[list[float]]:
    """Return the matrix in full."""
    full = np.zeros((compiled.row_count, compiled.column_count))
    rows = np.repeat(np.arange(compiled.row_count), np.diff(compiled.starts))
    full[rows, compiled.columns] = compiled.values
    found: list[list[float]] = full.tolist()
    return found


def recipes_and_machines() -> tuple[LXTable, LXTable]:
    """Return recipes, one without a machine and all with a route that was not loaded; and machines."""
    machines = LXTable("Machine", {"name": ["Saw", "Lathe"], "is_worn": [True, False], "hours": [4.0, None]})
    recipes = LXTable(
        "Recipe",
        {"hours": [1.0, 2.0, 3.0], "name": ["a", "b", "c"]},
        links={
            "machine": LXLink(machines, np.array([0, 1, MISSING])),
            "route": LXLink(None, np.array([0, 0, MISSING])),
        },
    )
    return recipes, machines


def knapsack(size: int, sense: str = "maximize", offset: float = 0.0) -> LXModel:
    """Return a model with many near-equal choices under several limits: quick to start on, long to prove."""
    random = np.random.default_rng(5)
    weights = random.integers(40, 100, (4, size)).astype(float)
    cost = (weights.mean(axis=0) + random.uniform(0, 3, size)).tolist()
    numbers = list(range(size))
    x = LXVariable[int, int]("x").binary().indexed_by(lambda i: i).from_data(numbers)
    model = LXModel("knapsack").add_variable(x)
    for row in range(4):
        expression = LXLinearExpression().add_multi_term(x, lambda i, row=row: float(weights[row, i]))
        limit = LXConstraint[Any](f"limit{row}").expression(expression)
        half = float(weights[row].sum()) / 2 + 0.5
        model.add_constraint((limit.le() if sense == "maximize" else limit.ge()).rhs(half))
    objective = LXLinearExpression().add_term(x, lambda i: cost[i]).add_constant(offset)
    return model.maximize(objective) if sense == "maximize" else model.minimize(objective)


def lot_sizing(products: int, periods: int) -> LXModel:
    """Return a plan with setups and one machine that is always short: plans are found at once, proofs take hours.

    minimise  sum  100 setup[p,t] + hold[p] stock[p,t]
    stock[p,t-1] + make[p,t] - stock[p,t] == demand[p,t],  make[p,t] <= 300 setup[p,t]
    sum over p of make[p,t] + 15 setup[p,t]  <=  hours[t]
    """
    random = np.random.default_rng(3)
    demand = random.integers(20, 80, (products, periods)).astype(float)
    hold, price = random.uniform(0.5, 1.5, products), random.uniform(60, 140, products)
    needed = demand.sum(axis=0).cumsum() / np.arange(1, periods + 1)
    hours = float(needed.max()) * 1.1 + 15.0 * products * 0.7
    cells = [(p, t) for p in range(products) for t in range(periods)]

    def family(name: str) -> LXVariable[Any, Any]:
        return LXVariable[Any, Any](name).indexed_by(lambda cell: cell).from_data(cells)

    make, stock, setup = family("make"), family("stock"), family("setup").binary()

    def rows(name: str) -> LXConstraint[Any]:
        return LXConstraint[Any](name).indexed_by(lambda cell: cell).from_data(cells)

    balance = Expression().add_term(stock, at=lambda cell: (cell[0], cell[1] - 1), skip_missing=True)
    balance.add_term(make, at=lambda cell: cell).add_term(stock, -1.0, at=lambda cell: cell)
    forced = Expression().add_term(make, at=lambda cell: cell).add_term(setup, -300.0, at=lambda cell: cell)
    used = Expression()
    for variable, amount in ((make, 1.0), (setup, 15.0)):
        used.add_join(variable, amount, over=cells, variable_key=lambda cell: cell, row_key=lambda cell: cell[1])
    machine = LXConstraint[Any]("machine").indexed_by(lambda t: t).from_data(list(range(periods)))
    model = LXModel("lot sizing").add_variable(make, stock, setup)
    model.add_constraint(
        rows("balance").expression(balance).eq().rhs(lambda cell: float(demand[cell])),
        rows("forced").expression(forced).le().rhs(0),
        machine.expression(used).le().rhs(hours),
    )
    cost = Expression().add_multi_term(setup, lambda cell: float(price[cell[0]]))
    return model.minimize(cost.add_multi_term(stock, lambda cell: float(hold[cell[0]])))

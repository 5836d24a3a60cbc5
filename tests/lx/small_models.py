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

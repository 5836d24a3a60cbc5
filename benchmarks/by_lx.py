"""planning.lx: families over tables, coefficients as functions of a row, sums as sparse joins."""

from __future__ import annotations

from typing import Any

import numpy as np
from problem import LEAST, PERIODS, POOR, WORN, Matrix, Plant, matrix_of_highs

from planning.lx import (
    LXColumn,
    LXConstraint,
    LXLinearExpression,
    LXLink,
    LXModel,
    LXRecord,
    LXTable,
    LXVariable,
    compile_model,
)
from planning.lx.solvers import SolverOptions
from planning.lx.solvers.highs import new_highs

TITLE = "planning.lx"
Tables = dict[str, LXTable]


def prepare(plant: Plant) -> Tables:
    """Return the data as detached tables, untimed: products, machines, ... and what holds in each period."""
    tables = {
        "periods": LXTable("Period", {"name": [f"Week {t + 1}" for t in range(PERIODS)]}),
        "products": LXTable(
            "Product",
            {"name": [f"Product {p + 1}" for p in range(plant.products)]}
            | {field: getattr(plant, field) for field in ("profit", "cost", "holding", "opening", "max_stock")},
        ),
        "machines": LXTable("Machine", {"name": [f"Machine {m + 1}" for m in range(plant.machines)]}),
        "materials": LXTable("Material", {"name": [f"Material {k + 1}" for k in range(plant.materials)]}),
    }
    for name, owner, columns in (
        ("product_periods", "product", {"demand": plant.demand.ravel()}),
        (
            "machine_periods",
            "machine",
            {"available_hours": plant.available_hours.ravel(), "is_worn": plant.is_worn.ravel()},
        ),
        (
            "material_periods",
            "material",
            {"available_quantity": plant.available_quantity.ravel(), "is_poor": plant.is_poor.ravel()},
        ),
    ):
        size = tables[f"{owner}s"].size
        tables[name] = LXTable(
            name,
            columns,
            links={
                owner: LXLink(tables[f"{owner}s"], np.repeat(np.arange(size), PERIODS)),
                "period": LXLink(tables["periods"], np.tile(np.arange(PERIODS), size)),
            },
        )
    for name, field, owner, product in (
        ("recipes", "hours", "machine", plant.recipe_product),
        ("requirements", "quantity", "material", plant.requirement_product),
    ):
        tables[name] = LXTable(
            name,
            {field: getattr(plant, field)},
            links={
                "product": LXLink(tables["products"], product),
                owner: LXLink(tables[f"{owner}s"], getattr(plant, owner)),
            },
        )
    return tables


def previous_period(cells: LXTable) -> LXLink:
    """Return the relation of a product's cell to that of the period before."""
    positions = np.arange(cells.size, dtype=np.int64)
    return LXLink(cells, np.where(positions % PERIODS, positions - 1, -1))


def over_periods(uses: LXTable, cells: LXTable, owners: LXTable, owner: str) -> LXTable:
    """Return one row per use and period: its cell, the machine (material) in the period, and the use itself."""
    period = np.arange(PERIODS, dtype=np.int64)
    return LXTable(
        f"{uses.name}_by_period",
        {},
        links={
            "use": LXLink(uses, np.repeat(np.arange(uses.size, dtype=np.int64), PERIODS)),
            "cell": LXLink(cells, (uses.links["product"].positions[:, None] * PERIODS + period).ravel()),
            owner: LXLink(owners, (uses.links[owner].positions[:, None] * PERIODS + period).ravel()),
        },
    )


def opening_stock(cells: LXTable) -> LXColumn:
    """Return what a product's cell starts with: the product's opening stock in the first period, else nothing."""
    products = cells.links["product"]
    assert products.target is not None
    held = np.asarray(products.target.columns["opening"].values)[products.positions]
    return LXColumn(np.where(np.arange(cells.size) % PERIODS, 0.0, held))


def _product(r: LXRecord) -> Any:
    return (r.product.name, r.period.name)


def _hours_with_a_choice(u: LXRecord) -> Any:
    return u.use.hours * WORN if u.machine.is_worn else u.use.hours


def _quantity_with_a_choice(u: LXRecord) -> Any:
    return u.use.quantity * POOR if u.material.is_poor else u.use.quantity


def _hours_with_a_call(u: LXRecord) -> Any:
    return max(u.use.hours * WORN, LEAST) if u.machine.is_worn else u.use.hours


def _quantity_with_a_call(u: LXRecord) -> Any:
    return max(u.use.quantity * POOR, LEAST) if u.material.is_poor else u.use.quantity


COEFFICIENTS: dict[str, tuple[Any, Any]] = {  # of hours and material: what their functions do beside reading fields
    "nothing": (lambda u: u.use.hours, lambda u: u.use.quantity),
    "choose": (_hours_with_a_choice, _quantity_with_a_choice),
    "call": (_hours_with_a_call, _quantity_with_a_call),
}


def model_of(tables: Tables, functions: str = "nothing") -> LXModel:
    """Return the model, with one of the pairs of functions as its coefficients."""
    cells, machines, materials = tables["product_periods"], tables["machine_periods"], tables["material_periods"]
    cells.links["previous"] = previous_period(cells)
    cells.columns["opening_stock"] = opening_stock(cells)
    recipes = over_periods(tables["recipes"], cells, machines, "machine")
    requirements = over_periods(tables["requirements"], cells, materials, "material")
    Variable = LXVariable[LXRecord, float]  # noqa: N806
    make = Variable("make").indexed_by(_product).from_data(cells)
    sell = Variable("sell").bounds(upper=lambda r: r.demand).indexed_by(_product).from_data(cells)
    stock = Variable("stock").bounds(upper=lambda r: r.product.max_stock).indexed_by(_product).from_data(cells)
    hours, quantity = COEFFICIENTS[functions]
    return (
        LXModel("plant", tables)
        .add_variable(make, sell, stock)
        .add_constraint(
            # stock[p,t-1] + make[p,t] - sell[p,t] - stock[p,t]  ==  -opening[p] if t is first
            LXConstraint[LXRecord]("balance")
            .indexed_by(_product)
            .from_data(cells)
            .expression(
                LXLinearExpression()
                .add_term(stock, at=lambda r: r.previous, skip_missing=True)
                .add_term(make, at=lambda r: r)
                .add_term(sell, -1.0, at=lambda r: r)
                .add_term(stock, -1.0, at=lambda r: r)
            )
            .eq()
            .rhs(lambda r: -r.opening_stock),
            # sum over p of hours[p,m] * make[p,t]  <=  available_hours[m,t]
            LXConstraint[LXRecord]("hours")
            .indexed_by(lambda m: (m.machine.name, m.period.name))
            .from_data(machines)
            .expression(
                LXLinearExpression().add_join(
                    make, hours, over=recipes, variable_key=lambda u: u.cell, row_key=lambda u: u.machine
                )
            )
            .le()
            .rhs(lambda m: m.available_hours),
            # sum over p of quantity[p,k] * make[p,t]  <=  available_quantity[k,t]
            LXConstraint[LXRecord]("material")
            .indexed_by(lambda k: (k.material.name, k.period.name))
            .from_data(materials)
            .expression(
                LXLinearExpression().add_join(
                    make, quantity, over=requirements, variable_key=lambda u: u.cell, row_key=lambda u: u.material
                )
            )
            .le()
            .rhs(lambda k: k.available_quantity),
        )
        .maximize(
            LXLinearExpression()
            .add_multi_term(make, lambda r: -r.product.cost)
            .add_multi_term(sell, lambda r: r.product.profit)
            .add_multi_term(stock, lambda r: -r.product.holding)
        )
    )


def build(tables: Tables, functions: str = "nothing") -> Any:
    """Return the compiled model and a HiGHS that holds it."""
    compiled = compile_model(model_of(tables, functions))
    return compiled, new_highs(compiled, SolverOptions())


def matrix(built: Any, plant: Plant) -> Matrix:
    """Return what the solver holds; rows and columns are told by their keys."""
    compiled, highs = built
    cells = {name: start * plant.cells for start, name in enumerate(("make", "sell", "stock"))}
    starts = {"balance": 0, "hours": plant.cells, "material": plant.cells + plant.machines * PERIODS}
    return matrix_of_highs(highs, _numbers(compiled.constraints, starts), _numbers(compiled.variables, cells))


def _numbers(blocks: Any, starts: dict[str, int]) -> Any:
    found = np.empty(sum(block.size for block in blocks.values()), dtype=np.int64)
    for name, block in blocks.items():
        found[block.span] = [
            starts[name] + (int(thing.split()[1]) - 1) * PERIODS + int(period.split()[1]) - 1
            for thing, period in block.family.keys
        ]
    return found

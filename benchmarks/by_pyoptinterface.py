"""pyoptinterface: rows and expressions in loops, given to its own HiGHS as they are added."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyoptinterface as poi
from problem import PERIODS, Matrix, Plant
from pyoptinterface import highs as poi_highs
from rows import Rows, matrix_of_rows, rows_of

TITLE = "pyoptinterface"


def prepare(plant: Plant) -> Rows:
    """Return the data as Python lists, untimed."""
    return rows_of(plant)


def build(rows: Rows) -> Any:
    """Return the model; every variable and row goes to HiGHS at once."""
    model = poi_highs.Model()
    model.set_model_attribute(poi.ModelAttribute.Silent, True)
    cells = [(p, t) for p in range(rows.products) for t in range(PERIODS)]
    make = {(p, t): model.add_variable(lb=0) for p, t in cells}
    sell = {(p, t): model.add_variable(lb=0, ub=rows.demand[p][t]) for p, t in cells}
    stock = {(p, t): model.add_variable(lb=0, ub=rows.max_stock[p]) for p, t in cells}
    for p, t in cells:
        balance = poi.ExprBuilder()
        balance.add_affine_term(make[p, t], 1.0)
        balance.add_affine_term(sell[p, t], -1.0)
        balance.add_affine_term(stock[p, t], -1.0)
        if t:
            balance.add_affine_term(stock[p, t - 1], 1.0)
        model.add_linear_constraint(balance, poi.Eq, 0.0 if t else -rows.opening[p])
    for takers, limits in (
        (rows.takers_of_machine, rows.available_hours),
        (rows.takers_of_material, rows.available_quantity),
    ):
        for taken, limit in zip(takers, limits, strict=True):
            for t in range(PERIODS):
                used = poi.ExprBuilder()
                for p, amount in taken:
                    used.add_affine_term(make[p, t], amount)
                model.add_linear_constraint(used, poi.Leq, limit[t])
    profit = poi.ExprBuilder()
    for p, t in cells:
        profit.add_affine_term(make[p, t], -rows.cost[p])
        profit.add_affine_term(sell[p, t], rows.profit[p])
        profit.add_affine_term(stock[p, t], -rows.holding[p])
    model.set_objective(profit, poi.ObjectiveSense.Maximize)
    return model


def matrix(built: Any, plant: Plant) -> Matrix:
    """Return what the solver holds, through an MPS file: its numbers have few digits. Read after all is measured."""
    import highspy

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.mps")
        built.write(path)
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.readModel(path)
    cells = [f"{p}_{t}" for p in range(plant.products) for t in range(PERIODS)]
    things = [(f"hours_{m}", t) for m in range(plant.machines) for t in range(PERIODS)]
    things += [(f"material_{k}", t) for k in range(plant.materials) for t in range(PERIODS)]
    rows = [f"balance_{cell}" for cell in cells] + [f"{thing}_{t}" for thing, t in things]
    return matrix_of_rows(
        highs, plant, rows, [f"{name}_{cell}" for name in ("make", "sell", "stock") for cell in cells]
    )

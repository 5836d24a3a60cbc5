"""The floor: arrays that are written for this very layout, with exactly three machines and five materials each.

It is no program that anybody could use: one product with a fourth machine breaks it. It shows what is
left when nothing has to be sorted, looked up or checked.
"""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
from problem import MACHINES_PER_PRODUCT, MATERIALS_PER_PRODUCT, PERIODS, Matrix, Plant, matrix_of_highs

TITLE = "by hand, for this layout only"


def prepare(plant: Plant) -> Plant:
    """Return the data as this contestant wants it, untimed."""
    return plant


def build(plant: Plant) -> Any:
    """Return a HiGHS that holds the problem. The matrix goes by columns, as HiGHS keeps it."""
    cells, products = plant.cells, plant.products
    period = np.arange(PERIODS, dtype=np.int32)
    cell = np.arange(cells, dtype=np.int32).reshape(products, PERIODS)
    per_make = 1 + MACHINES_PER_PRODUCT + MATERIALS_PER_PRODUCT
    size = cells * (per_make + 3) - products

    index = np.empty(size, dtype=np.int32)
    value = np.empty(size)
    start = np.empty(3 * cells + 1, dtype=np.int32)

    # make[p,t]: balance, 3 rows of hours, 5 rows of material
    makes = index[: cells * per_make].reshape(products, PERIODS, per_make)
    makes_value = value[: cells * per_make].reshape(products, PERIODS, per_make)
    machine = (cells + plant.machine * PERIODS).astype(np.int32).reshape(products, 1, -1)
    material = (cells + (plant.machines + plant.material) * PERIODS).astype(np.int32).reshape(products, 1, -1)
    makes[:, :, 0] = cell
    makes[:, :, 1 : 1 + MACHINES_PER_PRODUCT] = machine + period[:, None]
    makes[:, :, 1 + MACHINES_PER_PRODUCT :] = material + period[:, None]
    makes_value[:, :, 0] = 1.0
    makes_value[:, :, 1 : 1 + MACHINES_PER_PRODUCT] = plant.hours.reshape(products, 1, -1)
    makes_value[:, :, 1 + MACHINES_PER_PRODUCT :] = plant.quantity.reshape(products, 1, -1)
    start[:cells] = np.arange(cells) * per_make

    # sell[p,t]: balance
    at = cells * per_make
    index[at : at + cells] = cell.ravel()
    value[at : at + cells] = -1.0
    start[cells : 2 * cells] = np.arange(at, at + cells)

    # stock[p,t]: balance of this period and, but for the last, of the next
    at += cells
    both = np.stack([cell, cell + 1], axis=2).reshape(products, -1)[:, :-1]
    index[at:] = both.ravel()
    value[at:] = np.tile(np.array([-1.0, 1.0] * PERIODS)[:-1], products)
    width = 2 * PERIODS - 1
    start[2 * cells : 3 * cells] = (at + np.arange(products)[:, None] * width + 2 * period).ravel()
    start[-1] = size

    zeros = np.zeros(cells)
    infinite = np.full(cells, np.inf)
    opening = np.zeros((products, PERIODS))
    opening[:, 0] = -plant.opening
    limits = np.concatenate([opening.ravel(), plant.available_hours.ravel(), plant.available_quantity.ravel()])
    row_lower = np.concatenate([opening.ravel(), np.full(plant.rows - cells, -np.inf)])
    cost = np.concatenate(
        [np.repeat(-plant.cost, PERIODS), np.repeat(plant.profit, PERIODS), np.repeat(-plant.holding, PERIODS)]
    )

    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.passModel(
        3 * cells,
        plant.rows,
        size,
        int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMaximize),
        0.0,
        cost,
        np.concatenate([zeros, zeros, zeros]),
        np.concatenate([infinite, plant.demand.ravel(), np.repeat(plant.max_stock, PERIODS)]),
        row_lower,
        limits,
        start[:-1],
        index,
        value,
        np.zeros(3 * cells, dtype=np.int32),
    )
    return highs


def matrix(built: Any, plant: Plant) -> Matrix:
    """Return what the solver holds."""
    return matrix_of_highs(built)

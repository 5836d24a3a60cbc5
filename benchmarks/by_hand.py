"""The limit: triplets written by hand with numpy, sorted by scipy, and given to HiGHS in one call.

It takes any recipes and requirements, in any order, and checks nothing.
"""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
from problem import PERIODS, Matrix, Plant, matrix_of_highs
from scipy.sparse import coo_array

TITLE = "by hand: numpy + passModel"


def prepare(plant: Plant) -> Plant:
    """Return the data as this contestant wants it, untimed."""
    return plant


def build(plant: Plant) -> Any:
    """Return a HiGHS that holds the problem."""
    cells = plant.cells
    cell = np.arange(cells, dtype=np.int32)
    later = cell[cell % PERIODS > 0]  # those with a period before
    period = np.arange(PERIODS, dtype=np.int32)

    def over_periods(numbers: Any) -> Any:
        return (numbers.astype(np.int32)[:, None] * PERIODS + period).ravel()

    hours_start, material_start = cells, cells + plant.machines * PERIODS
    rows = np.concatenate(
        [
            cell,  # make
            cell,  # sell
            cell,  # stock
            later,  # stock of the period before
            hours_start + over_periods(plant.machine),
            material_start + over_periods(plant.material),
        ]
    )
    columns = np.concatenate(
        [
            cell,
            cells + cell,
            2 * cells + cell,
            2 * cells + later - 1,
            over_periods(plant.recipe_product),
            over_periods(plant.requirement_product),
        ]
    )
    ones = np.ones(cells)
    values = np.concatenate(
        [ones, -ones, -ones, ones[: len(later)], np.repeat(plant.hours, PERIODS), np.repeat(plant.quantity, PERIODS)]
    )
    triplets = coo_array((values, (rows, columns)), shape=(plant.rows, plant.columns))
    return passed(plant, triplets.tocsr())


def passed(plant: Plant, matrix: Any) -> Any:
    """Return a HiGHS that holds the matrix (by rows) and the bounds and costs of the plant."""
    cells = plant.cells
    opening = np.zeros((plant.products, PERIODS))
    opening[:, 0] = -plant.opening
    row_upper = np.concatenate([opening.ravel(), plant.available_hours.ravel(), plant.available_quantity.ravel()])
    row_lower = np.concatenate([opening.ravel(), np.full(plant.rows - cells, -np.inf)])
    cost = np.concatenate(
        [np.repeat(-plant.cost, PERIODS), np.repeat(plant.profit, PERIODS), np.repeat(-plant.holding, PERIODS)]
    )
    upper = np.concatenate([np.full(cells, np.inf), plant.demand.ravel(), np.repeat(plant.max_stock, PERIODS)])
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.passModel(
        plant.columns,
        plant.rows,
        len(matrix.data),
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMaximize),
        0.0,
        cost,
        np.zeros(plant.columns),
        upper,
        row_lower,
        row_upper,
        matrix.indptr[:-1],
        matrix.indices,
        matrix.data,
        np.zeros(plant.columns, dtype=np.int32),
    )
    return highs


def matrix(built: Any, plant: Plant) -> Matrix:
    """Return what the solver holds."""
    return matrix_of_highs(built)

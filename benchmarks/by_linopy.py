"""linopy: arrays of variables, sums by group, given to HiGHS by linopy's own interface."""

from __future__ import annotations

from typing import Any

import linopy
import numpy as np
import xarray
from problem import PERIODS, Matrix, Plant, matrix_of_highs

TITLE = "linopy"


def prepare(plant: Plant) -> Plant:
    """Return the data as this contestant wants it, untimed."""
    return plant


def build(plant: Plant) -> Any:
    """Return the linopy model and a HiGHS that holds it."""
    products = np.arange(plant.products)
    periods = np.arange(PERIODS)

    def by_product(values: Any) -> Any:
        return xarray.DataArray(values, coords={"product": products}, dims="product")

    grid = {"product": products, "period": periods}
    model = linopy.Model()
    make = model.add_variables(lower=0, coords=grid.items(), dims=list(grid), name="make")
    sell = model.add_variables(lower=0, upper=xarray.DataArray(plant.demand, coords=grid), name="sell")
    high = by_product(plant.max_stock).expand_dims(period=periods).transpose("product", "period")
    stock = model.add_variables(lower=0, upper=high, name="stock")
    opening = np.zeros((plant.products, PERIODS))
    opening[:, 0] = -plant.opening
    before = stock.shift(period=1).fillna(0)
    model.add_constraints(before + make - sell - stock == xarray.DataArray(opening, coords=grid), name="balance")
    for name, thing, amounts, product, limits in (
        ("hours", plant.machine, plant.hours, plant.recipe_product, plant.available_hours),
        ("material", plant.material, plant.quantity, plant.requirement_product, plant.available_quantity),
    ):
        uses = np.arange(len(thing))
        at = xarray.DataArray(product, coords={"use": uses}, dims="use")
        group = xarray.DataArray(thing, coords={"use": uses}, dims="use", name="thing")
        taken = (
            (make.sel(product=at) * xarray.DataArray(amounts, coords={"use": uses}, dims="use")).groupby(group).sum()
        )
        limit = xarray.DataArray(limits, coords={"thing": np.arange(len(limits)), "period": periods})
        used = np.unique(thing)  # a thing that nobody takes has no group
        model.add_constraints(taken <= limit.sel(thing=used), name=name)
    model.add_objective(
        (make * by_product(-plant.cost)).sum()
        + (sell * by_product(plant.profit)).sum()
        + (stock * by_product(-plant.holding)).sum(),
        sense="max",
    )
    return model, linopy.io.to_highspy(model)


def matrix(built: Any, plant: Plant) -> Matrix:
    """Return what the solver holds, by linopy's labels."""
    model, highs = built
    starts = {"balance": 0, "hours": plant.cells, "material": plant.cells + plant.machines * PERIODS}
    rows = np.empty(plant.rows, dtype=np.int64)
    for name, start in starts.items():
        labels = model.constraints[name].labels
        if "thing" in labels.dims:
            labels = labels.transpose("thing", "period")
            numbers = start + labels.coords["thing"].values[:, None] * PERIODS + np.arange(PERIODS)
        else:
            labels = labels.transpose("product", "period")
            numbers = start + np.arange(plant.cells).reshape(-1, PERIODS)
        rows[np.searchsorted(model.matrices.clabels, labels.values.ravel())] = numbers.ravel()
    columns = np.empty(plant.columns, dtype=np.int64)
    for i, name in enumerate(("make", "sell", "stock")):
        labels = model.variables[name].labels.transpose("product", "period").values.ravel()
        columns[np.searchsorted(model.matrices.vlabels, labels)] = i * plant.cells + np.arange(plant.cells)
    return matrix_of_highs(highs, rows, columns)

"""The data as Python lists, for peers that are written with loops, and their names as the problem's numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from problem import PERIODS, Matrix, Plant, matrix_of_highs


@dataclass(frozen=True)
class Rows:
    """The plant's data in lists; who takes how much of a machine or a material."""

    products: int
    profit: list[float]
    cost: list[float]
    holding: list[float]
    opening: list[float]
    max_stock: list[float]
    demand: list[list[float]]
    available_hours: list[list[float]]
    available_quantity: list[list[float]]
    takers_of_machine: list[list[tuple[int, float]]]  # (product, hours)
    takers_of_material: list[list[tuple[int, float]]]  # (product, quantity)


def rows_of(plant: Plant) -> Rows:
    """Return the plant's data in lists."""
    columns = ("profit", "cost", "holding", "opening", "max_stock", "demand", "available_hours", "available_quantity")
    return Rows(
        products=plant.products,
        **{name: getattr(plant, name).tolist() for name in columns},
        takers_of_machine=_takers(plant.machines, plant.machine, plant.recipe_product, plant.hours),
        takers_of_material=_takers(plant.materials, plant.material, plant.requirement_product, plant.quantity),
    )


def _takers(count: int, things: Any, products: Any, amounts: Any) -> list[list[tuple[int, float]]]:
    takers: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for thing, product, amount in zip(things.tolist(), products.tolist(), amounts.tolist(), strict=True):
        takers[thing].append((product, amount))
    return takers


def row_numbers(plant: Plant, names: list[str]) -> Any:
    """Return the problem's numbers of rows named `hours_7_2`."""
    starts = {"balance": 0, "hours": plant.cells, "material": plant.cells + plant.machines * PERIODS}
    return _numbers(starts, names)


def column_numbers(plant: Plant, names: list[str]) -> Any:
    """Return the problem's numbers of variables named `make_7_2`."""
    return _numbers({"make": 0, "sell": plant.cells, "stock": 2 * plant.cells}, names)


def _numbers(starts: dict[str, int], names: list[str]) -> Any:
    parts = [name.split("_") for name in names]
    return np.array([starts[family] + int(thing) * PERIODS + int(period) for family, thing, period in parts])


def matrix_of_rows(highs: Any, plant: Plant, rows: list[str], columns: list[str]) -> Matrix:
    """Return what a HiGHS instance holds whose rows and columns have these names."""
    return matrix_of_highs(highs, row_numbers(plant, rows), column_numbers(plant, columns))

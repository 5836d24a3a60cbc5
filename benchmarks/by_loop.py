"""A tuned loop over plain objects with slots: what functions of a row cost where numpy can't help."""

from __future__ import annotations

from typing import Any

import numpy as np
from by_hand import passed
from problem import LEAST, PERIODS, POOR, WORN, Matrix, Plant, matrix_of_highs
from scipy.sparse import csc_array

TITLE = "tuned loop over slots"


class Resource:
    """A machine or a material in a period."""

    __slots__ = ("row", "takes_more")

    def __init__(self, row: int, takes_more: bool) -> None:
        self.row, self.takes_more = row, takes_more


class Use:
    """A recipe or a material requirement: how much of what."""

    __slots__ = ("amount", "resources")

    def __init__(self, amount: float, resources: list[Resource]) -> None:
        self.amount, self.resources = amount, resources


class Product:
    """A product with what it takes."""

    __slots__ = ("recipes", "requirements")

    def __init__(self) -> None:
        self.recipes: list[Use] = []
        self.requirements: list[Use] = []


def prepare(plant: Plant) -> tuple[Plant, list[Product]]:
    """Return the data as objects, untimed."""

    def resources(start: int, marks: Any) -> list[list[Resource]]:
        return [
            [Resource(start + thing * PERIODS + t, mark) for t, mark in enumerate(row)]
            for thing, row in enumerate(marks.tolist())
        ]

    machines = resources(plant.cells, plant.is_worn)
    materials = resources(plant.cells + plant.machines * PERIODS, plant.is_poor)
    products = [Product() for _ in range(plant.products)]
    for p, m, hours in zip(plant.recipe_product.tolist(), plant.machine.tolist(), plant.hours.tolist(), strict=True):
        products[p].recipes.append(Use(hours, machines[m]))
    for p, k, quantity in zip(
        plant.requirement_product.tolist(), plant.material.tolist(), plant.quantity.tolist(), strict=True
    ):
        products[p].requirements.append(Use(quantity, materials[k]))
    return plant, products


def _make_choosing(products: list[Product], index: list[int], value: list[float], start: list[int]) -> None:
    """Add what each product takes in each period: more of a worn machine or a poor material."""
    add_index, add_value, add_start = index.append, value.append, start.append
    cell = 0
    for product in products:
        recipes, requirements = product.recipes, product.requirements
        for t in range(PERIODS):
            add_start(len(index))
            add_index(cell)
            add_value(1.0)
            for use in recipes:
                machine = use.resources[t]
                add_index(machine.row)
                add_value(use.amount * WORN if machine.takes_more else use.amount)
            for use in requirements:
                material = use.resources[t]
                add_index(material.row)
                add_value(use.amount * POOR if material.takes_more else use.amount)
            cell += 1


def _make_calling(products: list[Product], index: list[int], value: list[float], start: list[int]) -> None:
    """Add what each product takes in each period: more of a worn machine or a poor material, and enough."""
    add_index, add_value, add_start = index.append, value.append, start.append
    cell = 0
    for product in products:
        recipes, requirements = product.recipes, product.requirements
        for t in range(PERIODS):
            add_start(len(index))
            add_index(cell)
            add_value(1.0)
            for use in recipes:
                machine = use.resources[t]
                add_index(machine.row)
                add_value(max(use.amount * WORN, LEAST) if machine.takes_more else use.amount)
            for use in requirements:
                material = use.resources[t]
                add_index(material.row)
                add_value(max(use.amount * POOR, LEAST) if material.takes_more else use.amount)
            cell += 1


def build(prepared: tuple[Plant, list[Product]], functions: str) -> Any:
    """Return a HiGHS that holds the problem; every coefficient is worked out for its product and period."""
    plant, products = prepared
    index: list[int] = []
    value: list[float] = []
    start: list[int] = []
    (_make_calling if functions == "call" else _make_choosing)(products, index, value, start)
    add_index, add_value, add_start = index.append, value.append, start.append
    for sold in range(plant.cells):
        add_start(len(index))
        add_index(sold)
        add_value(-1.0)
    for stocked in range(plant.cells):
        add_start(len(index))
        add_index(stocked)
        add_value(-1.0)
        if (stocked + 1) % PERIODS:
            add_index(stocked + 1)
            add_value(1.0)
    add_start(len(index))
    arrays = (np.array(value), np.array(index, dtype=np.int32), np.array(start, dtype=np.int32))
    return passed(plant, csc_array(arrays, shape=(plant.rows, plant.columns)).tocsr())


def matrix(built: Any, plant: Plant) -> Matrix:
    """Return what the solver holds."""
    return matrix_of_highs(built)

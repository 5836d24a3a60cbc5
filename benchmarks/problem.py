"""The problem of the benchmark: make, sell and stock products over periods, with shared machines and materials.

    maximise  sum  profit[p] sell[p,t] - cost[p] make[p,t] - holding[p] stock[p,t]
    balance   stock[p,t-1] + make[p,t] - sell[p,t] - stock[p,t]  ==  -opening[p] if t is first, else 0
    hours     sum over p of hours[p,m] make[p,t]      <=  available_hours[m,t]
    material  sum over p of quantity[p,k] make[p,t]   <=  available_quantity[k,t]
    0 <= sell[p,t] <= demand[p,t],  0 <= stock[p,t] <= max_stock[p],  0 <= make[p,t]

Each product takes 3 machines and 5 materials. Variables are numbered make, sell, stock, each by
product and period; rows are numbered balance, hours, material, each by its thing and period.

BENCHMARK_PLANT names the plant. "ten periods" has machines and materials in proportion to its products. "half a year"
has 26 weeks, 20 machines and 40 materials: it is no longer to write down, and takes a solver ten times as long.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

HALF_A_YEAR = os.environ.get("BENCHMARK_PLANT") == "half a year"
PERIODS = 26 if HALF_A_YEAR else 10
MACHINES_PER_PRODUCT, MATERIALS_PER_PRODUCT = 3, 5
WORN, POOR, LEAST = 1.25, 1.125, 0.75  # how much more is taken, and the least of it; in functions that choose and call


@dataclass(frozen=True)
class Plant:
    """The data, as arrays; recipes and requirements are sorted by product."""

    products: int
    machines: int
    materials: int
    profit: Any
    cost: Any
    holding: Any
    opening: Any
    max_stock: Any
    demand: Any  # [p,t]
    machine: Any  # of a recipe
    hours: Any
    is_worn: Any  # [m,t]: a worn machine takes longer, in functions that choose
    available_hours: Any  # [m,t]
    material: Any  # of a requirement
    quantity: Any
    is_poor: Any  # [k,t]: of a poor material more is used, in functions that choose
    available_quantity: Any  # [k,t]

    @property
    def cells(self) -> int:
        """Number of products times periods."""
        return self.products * PERIODS

    @property
    def columns(self) -> int:
        """Number of variables."""
        return 3 * self.cells

    @property
    def rows(self) -> int:
        """Number of constraints."""
        return self.cells + (self.machines + self.materials) * PERIODS

    @property
    def recipe_product(self) -> Any:
        """The product of each recipe."""
        return np.repeat(np.arange(self.products), MACHINES_PER_PRODUCT)

    @property
    def requirement_product(self) -> Any:
        """The product of each material requirement."""
        return np.repeat(np.arange(self.products), MATERIALS_PER_PRODUCT)


def plant(variables: int, seed: int = 7) -> Plant:
    """Return a random plant of about so many variables; its numbers have few digits, so that text holds them."""
    chance = np.random.default_rng(seed)
    products = max(variables // (3 * PERIODS), 1)
    machines, materials = (20, 40) if HALF_A_YEAR else (max(products // 30, 5), max(products // 15, 8))
    scarce = 0.6 if HALF_A_YEAR else 1.0

    def uniform(low: float, high: float, *shape: int) -> Any:
        return np.round(chance.uniform(low, high, shape), 2)

    def several(count: int, each: int) -> Any:
        """Return `each` different numbers below `count` for every product."""
        first, step = chance.integers(0, count, products), chance.integers(1, (count - 1) // each + 1, products)
        return np.sort((first[:, None] + step[:, None] * np.arange(each)) % count, axis=1).ravel()

    load = products / machines
    return Plant(
        products=products,
        machines=machines,
        materials=materials,
        profit=uniform(40, 200, products),
        cost=uniform(5, 30, products),
        holding=uniform(0.5, 2, products),
        opening=uniform(1, 20, products),
        max_stock=uniform(50, 100, products),
        demand=uniform(20, 150, products, PERIODS),
        machine=several(machines, MACHINES_PER_PRODUCT),
        hours=uniform(0.2, 1.5, products * MACHINES_PER_PRODUCT),
        is_worn=chance.random((machines, PERIODS)) < 0.2,
        available_hours=np.round(load * uniform(80, 180, machines, PERIODS), 2),
        material=several(materials, MATERIALS_PER_PRODUCT),
        quantity=uniform(0.5, 6, products * MATERIALS_PER_PRODUCT),
        is_poor=chance.random((materials, PERIODS)) < 0.2,
        available_quantity=np.round(scarce * products / materials * uniform(800, 2400, materials, PERIODS), 2),
    )


@dataclass
class Matrix:
    """A linear problem with the numbers of variables and rows given above; entries in any order."""

    rows: Any
    columns: Any
    values: Any
    cost: Any
    lower: Any
    upper: Any
    row_lower: Any
    row_upper: Any

    def digest(self) -> str:
        """Return the same text for the same problem: every number counts with every bit."""
        order = np.lexsort((self.columns, self.rows))
        sha = hashlib.sha256()
        for part in (self.rows[order], self.columns[order]):
            sha.update(np.asarray(part, dtype=np.int64).tobytes())
        for part in (self.values[order], self.cost, self.lower, self.upper, self.row_lower, self.row_upper):
            held = np.asarray(part, dtype=np.float64) + 0.0
            sha.update(np.clip(held, -1e30, 1e30).tobytes())  # some solvers write 1e30 for infinite
        return sha.hexdigest()


def matrix_of_highs(highs: Any, row_numbers: Any = None, column_numbers: Any = None) -> Matrix:
    """Return what a HiGHS instance holds, with its rows and columns brought to the problem's numbers."""
    lp = highs.getLp()
    starts, index, values = (np.array(part) for part in (lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_))
    outer = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    by_columns = lp.a_matrix_.format_ == type(lp.a_matrix_.format_).kColwise
    rows, columns = (index, outer) if by_columns else (outer, index)
    row_numbers = np.arange(lp.num_row_) if row_numbers is None else np.asarray(row_numbers)
    column_numbers = np.arange(lp.num_col_) if column_numbers is None else np.asarray(column_numbers)
    cost = np.array(lp.col_cost_)
    by_row, by_column = np.argsort(row_numbers), np.argsort(column_numbers)
    return Matrix(
        rows=row_numbers[rows],
        columns=column_numbers[columns],
        values=values,
        cost=(cost if lp.sense_ == type(lp.sense_).kMaximize else -cost)[by_column],
        lower=np.array(lp.col_lower_)[by_column],
        upper=np.array(lp.col_upper_)[by_column],
        row_lower=np.array(lp.row_lower_)[by_row],
        row_upper=np.array(lp.row_upper_)[by_row],
    )

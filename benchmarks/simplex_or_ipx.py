"""Which method solves a linear model of which size and shape faster: what `LARGE_LP_COLUMNS` rests on.

    python benchmarks/simplex_or_ipx.py 1000 2000 5000 10000 30000      # some minutes

prints for each shape and number of variables the seconds of processor time of HiGHS' simplex method, and of
its interior point method with crossover; the medians of three models.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import highspy
import numpy as np
from scipy.sparse import coo_array

LIMIT = 100.0  # seconds


def passed(cost: Any, upper: Any, row_lower: Any, row_upper: Any, matrix: Any, *, maximize: bool = True) -> Any:
    """Return a HiGHS that holds the model: 0 <= x <= upper."""
    highs, matrix = highspy.Highs(), matrix.tocsr()
    for option, value in (("output_flag", False), ("threads", 1), ("time_limit", LIMIT)):
        highs.setOptionValue(option, value)
    rows, columns = matrix.shape
    highs.passModel(
        columns, rows, matrix.nnz, int(highspy.MatrixFormat.kRowwise), -1 if maximize else 1, 0.0, cost,
        np.zeros(columns), upper, row_lower, row_upper, matrix.indptr[:-1].astype(np.int32),
        matrix.indices.astype(np.int32), matrix.data, np.zeros(columns, np.int32),
    )  # fmt: skip
    return highs


def plan(
    size: int, chance: Any, periods: int, machines: int, materials: int, machines_each: int = 3, materials_each: int = 5
) -> Any:
    """Return make, sell and stock over periods, with shared machines and materials."""
    products = max(size // (3 * periods), 6)
    cells = products * periods
    cell = np.arange(cells)
    later = cell[cell % periods > 0]
    one = np.ones(cells)
    rows, columns = [cell, cell, cell, later], [cell, cells + cell, 2 * cells + cell, 2 * cells + later - 1]
    values, limits, start = [one, -one, -one, one[: len(later)]], [np.zeros(cells)], cells
    for count, each, low, high, least, most in (
        (machines, machines_each, 0.2, 1.5, 27 * machines_each, 60 * machines_each),
        (materials, materials_each, 0.5, 6.0, 100 * materials_each, 280 * materials_each),
    ):
        for product in range(products):
            for thing in chance.choice(count, each, replace=False):
                rows.append(start + thing * periods + np.arange(periods))
                columns.append(product * periods + np.arange(periods))
                values.append(np.full(periods, round(chance.uniform(low, high), 2)))
        limits.append(products / count * chance.uniform(least, most, count * periods))
        start += count * periods
    upper = [
        np.full(cells, np.inf),
        chance.uniform(20, 150, cells),
        np.repeat(chance.uniform(50, 100, products), periods),
    ]
    cost = [np.repeat(chance.uniform(*between, products), periods) for between in ((-30, -5), (40, 200), (-2, -0.5))]
    row_lower = np.full(start, -np.inf)
    row_lower[:cells] = 0.0
    shape = (start, 3 * cells)
    matrix = coo_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
    return passed(np.concatenate(cost), np.concatenate(upper), row_lower, np.concatenate(limits), matrix)


def mix(size: int, chance: Any) -> Any:
    """Return a product mix in one period: each product takes eight resources of many."""
    rows = max(size // 20, 10)
    places = chance.integers(0, rows, size * 8), np.repeat(np.arange(size), 8)
    matrix = coo_array((chance.uniform(0.1, 5, size * 8), places), shape=(rows, size))
    limits = chance.uniform(2000, 6000, rows)
    return passed(chance.uniform(10, 100, size), chance.uniform(5, 50, size), np.full(rows, -np.inf), limits, matrix)


def transport(size: int, chance: Any) -> Any:
    """Return a transport problem: a variable stands in two rows."""
    places = int(size**0.5)
    origin, goal = np.repeat(np.arange(places), places), np.tile(np.arange(places), places)
    count = places * places
    entries = np.concatenate([origin, places + goal]), np.tile(np.arange(count), 2)
    matrix = coo_array((np.ones(2 * count), entries), shape=(2 * places, count))
    demand, free = chance.integers(10, 60, places).astype(float), np.full(places, np.inf)
    supply = np.full(places, demand.sum() * 1.1 / places)
    lower, upper = np.concatenate([-free, demand]), np.concatenate([supply, free])
    cost = chance.integers(1, 100, count).astype(float)
    return passed(cost, np.full(count, np.inf), lower, upper, matrix, maximize=False)


SHAPES: dict[str, Callable[[int, Any], Any]] = {
    "plan, ten periods": lambda size, chance: plan(size, chance, 10, max(size // 900, 5), max(size // 450, 8)),
    "plan, half a year": lambda size, chance: plan(size, chance, 26, 20, 40),
    "plan, one machine each": lambda size, chance: plan(size, chance, 26, 10, 10, 1, 0),
    "product mix": mix,
    "transport": transport,
}


def seconds(highs: Any, solver: str) -> float:
    """Return the processor time that HiGHS takes from nothing."""
    highs.clearSolver()
    highs.setOptionValue("solver", solver)
    started = time.process_time()
    highs.run()
    return time.process_time() - started


def main() -> None:
    """Print the table for the sizes on the command line."""
    sizes = [int(size) for size in sys.argv[1:]] or [1_000, 2_000, 5_000, 10_000]
    print("| variables | shape | rows | entries a variable | simplex, s | interior point, s | simplex / interior |")
    print("|---:|---|---:|---:|---:|---:|---:|")
    for size in sizes:
        for name, make in SHAPES.items():
            models = [make(size, np.random.default_rng(seed)) for seed in (1, 2, 3)]
            simplex, interior = (median(seconds(highs, s) for highs in models) for s in ("simplex", "ipx"))
            rows, each = models[0].getNumRow(), models[0].getNumNz() / models[0].getNumCol()
            print(
                f"| {size:,} | {name} | {rows:,} | {each:.1f} | {simplex:.4f} | {interior:.4f} "
                f"| {simplex / interior:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

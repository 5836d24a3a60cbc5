"""A large random plant in the plan format, and what everything but the solver costs on it.

    python benchmarks/large_plant.py FOLDER [--products 300 --periods 12 --machines 40 --materials 80]

writes the plant as a CSV folder; `import_plan` and `solve_plan` then show the seconds of each leg.
"""

from __future__ import annotations

import argparse
import csv
import random
from pathlib import Path


def write(folder: Path, name: str, header: list[str], rows: list[list[object]]) -> None:
    """Write one table."""
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def large_plant(folder: Path, products: int, periods: int, machines: int, materials: int, seed: int = 1) -> None:
    """Write a plant with stock, overtime and shared machines and materials; linear, feasible and bounded."""
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, "plant", ["name", "charge_materials"], [[f"Large plant {products} x {periods}", "true"]])
    write(folder, "periods", ["sequence", "name"], [[t, f"Week {t}"] for t in range(1, periods + 1)])
    write(
        folder,
        "products",
        ["name", "profit_per_unit", "max_demand", "holding_cost_per_unit", "initial_inventory"],
        [
            [
                f"Product {p}",
                round(chance.uniform(40, 200), 2),
                120,
                round(chance.uniform(0.5, 2), 2),
                chance.randint(0, 20),
            ]
            for p in range(products)
        ],
    )
    write(
        folder,
        "product_periods",
        ["product", "period", "max_demand"],
        [
            [f"Product {p}", f"Week {t}", chance.randint(20, 150)]
            for p in range(products)
            for t in range(1, periods + 1)
        ],
    )
    load = 4 * products / machines
    write(
        folder,
        "machines",
        ["name", "available_hours", "max_overtime_hours", "overtime_cost_per_hour"],
        [[f"Machine {m}", round(load * chance.uniform(40, 90)), 40, 25] for m in range(machines)],
    )
    write(
        folder,
        "raw_materials",
        ["name", "available_quantity", "cost_per_unit", "holding_cost_per_unit"],
        [
            [
                f"Material {k}",
                round(products / materials * chance.uniform(400, 2000)),
                round(chance.uniform(0.2, 2), 2),
                0.05,
            ]
            for k in range(materials)
        ],
    )
    write(
        folder,
        "production_recipes",
        ["product", "machine", "hours_required"],
        [
            [f"Product {p}", f"Machine {m}", round(chance.uniform(0.2, 1.5), 3)]
            for p in range(products)
            for m in chance.sample(range(machines), min(4, machines))
        ],
    )
    write(
        folder,
        "material_requirements",
        ["product", "material", "quantity_required"],
        [
            [f"Product {p}", f"Material {k}", round(chance.uniform(0.5, 6), 2)]
            for p in range(products)
            for k in chance.sample(range(materials), min(5, materials))
        ],
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for option, default in (("products", 300), ("periods", 12), ("machines", 40), ("materials", 80)):
        parser.add_argument(f"--{option}", type=int, default=default)
    given = parser.parse_args()
    large_plant(given.folder, given.products, given.periods, given.machines, given.materials)

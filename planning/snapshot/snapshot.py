"""The snapshot: a plant's data as detached tables, complete, checked, and free of the database."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planning.lx import LXLink, LXTable

from .effective import (
    Horizon,
    active,
    machine_grid,
    material_grid,
    periods_of,
    product_grid,
    rows_in_grid,
    uses_of,
    uses_over_periods,
    way_grid,
    ways_of,
)
from .held import hold_columns
from .problems import Problem
from .targets import goal_tables, order_tables

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Snapshot:
    """Detached tables by name: those of the plan format as they were read, and what holds in each period.

    | table | a row per |
    |---|---|
    | `product_grid`, `machine_grid`, `material_grid` | product (machine, material) and period |
    | `ways`, `way_grid` | way of making; way of making and period |
    | `machine_uses`, `material_uses`, `component_uses`, `by_product_uses` | way and what it takes or yields |
    | `machine_uses_by_period`, … | the same in every period, leading to the rows of the grids |
    | `counted_orders`, `order_grid` | order that counts; order and period in which it may be delivered |
    | `counted_goals`, `goal_makes`, `goal_sales`, `goal_overtime` | goal that counts; goal and what it measures |
    """

    tables: dict[str, LXTable]
    warnings: tuple[Problem, ...] = ()  # what deserves a look before the plan is believed
    unholdable: tuple[Problem, ...] = ()  # why an earlier plan can't be held

    def __getitem__(self, name: str) -> LXTable:
        return self.tables[name]

    @property
    def plant_name(self) -> str:
        """The plant's name."""
        return str(self["plant"].record(0).name)

    @property
    def currency(self) -> str:
        """The unit of money."""
        return str(self["plant"].record(0).currency)

    @property
    def charges_materials(self) -> bool:
        """Whether the supply of materials counts in the profit."""
        return bool(self["plant"].record(0).charge_materials)

    @property
    def goal_mode(self) -> str:
        """How goals and orders are weighed up: lexicographic or weighted."""
        return str(self["plant"].record(0).goal_mode)

    @property
    def holds(self) -> bool:
        """Whether an earlier plan is held on to."""
        return "held" in self.tables

    @property
    def period_count(self) -> int:
        """Number of periods."""
        return self["periods"].size


def complete(base: dict[str, LXTable]) -> Snapshot:
    """Return the snapshot of the base tables: with every period's effective values beside them."""
    tables = dict(base)
    tables["periods"] = periods_of(base["periods"])
    horizon = Horizon(tables["periods"])
    ways = ways_of(tables)
    counted = active(tables["products"])
    recipes, components = tables["production_recipes"], tables["component_requirements"]
    uses = {
        "machine": uses_of(recipes, ways, "machine", ["hours_required", "setup_hours", "setup_cost"]),
        "material": uses_of(tables["material_requirements"], ways, "material", ["quantity_required"]),
        "component": uses_of(components, ways, "component", ["quantity_required"], counted),
        "by_product": uses_of(tables["by_products"], ways, "by_product", ["quantity_produced"], counted),
    }
    grids = {
        "machine": machine_grid(tables, horizon),
        "material": material_grid(tables, horizon),
        "component": product_grid(tables, horizon),
    }
    grids["by_product"] = grids["component"]
    every_component = uses_of(components, ways, "component", ["quantity_required"])
    made_in = way_grid(tables, ways, uses["machine"], _blocked(every_component, counted, ways.table), horizon)
    _lead_to_products(made_in, grids["component"], horizon)
    tables |= {
        "product_grid": grids["component"],
        "machine_grid": grids["machine"],
        "material_grid": grids["material"],
        "ways": ways.table,
        "way_grid": made_in,
    }
    for item, table in uses.items():
        tables[f"{item}_uses"] = table
        tables[f"{item}_uses_by_period"] = uses_over_periods(table, item, grids[item], made_in, horizon)
    tables |= order_tables(tables, grids["component"], horizon)
    tables |= goal_tables(tables)
    return Snapshot(tables, unholdable=tuple(hold_columns(tables, horizon)))


def _blocked(uses: LXTable, counted: Positions, ways: LXTable) -> npt.NDArray[np.bool_]:
    """Return which ways need a component that is not active, and so can't be used."""
    needs = (uses.columns["quantity_required"].values > 0) & ~np.isin(uses.links["component"].positions, counted)
    blocked = np.zeros(ways.size, dtype=np.bool_)
    blocked[uses.links["way"].positions[needs]] = True
    return blocked


def _lead_to_products(way_grid: LXTable, grid: LXTable, horizon: Horizon) -> None:
    """Add the relation from each way and period to its product and period."""
    first = rows_in_grid(grid, "product", horizon)
    positions = first[way_grid.links["product"].positions] + way_grid.links["period"].positions
    way_grid.links["product_period"] = LXLink(grid, positions)

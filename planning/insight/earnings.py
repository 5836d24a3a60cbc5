"""What each product earns in each period: the parts of the profit, taken apart again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planning.lx import LXTable

from .solved_plan import Array, SolvedPlan, added_up, positions


@dataclass(frozen=True)
class Earnings:
    """Money with its sign in the profit. All amounts together are the profit."""

    by_product: dict[str, Array]  # part of the profit -> product grid
    by_period: dict[str, Array]  # parts that are of no single product -> period

    @property
    def of_products(self) -> Array:
        """What each product earns in each period, on the product grid."""
        return np.sum(list(self.by_product.values()), axis=0)

    @property
    def total(self) -> float:
        """The profit."""
        amounts = [*self.by_product.values(), *self.by_period.values()]
        return float(sum(amount.sum() for amount in amounts))


def earnings(plan: SolvedPlan) -> Earnings:
    """Return the profit of a plan by product and period; overtime and materials by period alone."""
    s, made = plan.snapshot, plan.products
    products, ways, orders = s["product_grid"], s["way_grid"], s["order_grid"]

    def of_rows(table: LXTable, column: str, amounts: Array) -> Array:
        return table.columns[column].filled(0.0) * amounts

    def of_ways(column: str, amounts: Array) -> Array:
        weights = of_rows(ways, column, amounts)
        return -added_up(positions(ways, "product_period"), weights, products.size)

    def over_periods(table: LXTable, column: str, amounts: Array) -> Array:
        weights = of_rows(table, column, amounts)
        return -added_up(positions(table, "period"), weights, s.period_count)

    lateness = np.zeros(products.size)
    if orders.size:
        late = of_rows(orders, "late_cost", plan.delivered)
        lateness = -added_up(positions(orders, "product_period"), late, products.size)
    materials = s["material_grid"]
    supplied = plan.supplied if s.charges_materials else np.zeros(materials.size)
    return Earnings(
        by_product={
            "sales": of_rows(products, "profit_per_unit", made["sold"]),
            "production_cost": of_ways("production_cost_per_unit", plan.made),
            "route_cost": of_ways("route_cost_per_unit", plan.made),
            "holding": -of_rows(products, "holding_cost_per_unit", made["stock"]),
            "backlog": -of_rows(products, "backlog_cost_per_unit", made["backlog"]),
            "shortage": -of_rows(products, "shortage_cost_per_unit", made["short"]),
            "purchase": -of_rows(products, "purchase_cost_per_unit", made["bought"]),
            "setup": of_ways("setup_cost", plan.setup.astype(np.float64)),
            "lateness": lateness,
        },
        by_period={
            "overtime": over_periods(s["machine_grid"], "overtime_cost_per_hour", plan.machines["overtime"]),
            "material_holding": over_periods(materials, "holding_cost_per_unit", plan.material_stock),
            "material": over_periods(materials, "cost_per_unit", supplied),
        },
    )

"""Small random plants that exercise every feature of the plan format, odd combinations included.

Most are feasible and bounded; some are infeasible, some unbounded, and some have a setup without a provable limit.
Data errors are avoided by construction.
"""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random
from typing import Any

from tests.reference.plan_tables import KEYS, PERIOD_TABLES, Tables

BIG_BATCH, SMALL_BATCH = 8.0, 4.0  # least max_batch_size, most min_batch_size: they never cross


def random_plant(seed: int, *, orders: bool = False, goals: bool = False, scenario: bool = False) -> Tables:
    """Return the tables of the plant of a seed."""
    return Builder(seed).build(orders=orders, goals=goals, scenario=scenario)


def write_folder(tables: Tables, folder: Path) -> Path:
    """Write the tables as CSV files; None is a blank cell."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        if rows:
            columns = list(dict.fromkeys(column for row in rows for column in row))
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, columns)
                writer.writeheader()
                writer.writerows([{column: cell(value) for column, value in row.items()} for row in rows])
    return folder


def cell(value: Any) -> Any:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value


class Builder:
    """One plant, drawn table by table."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.seed = seed
        self.tables: Tables = {}

    # --- drawing -------------------------------------------------------------------------------

    def maybe(self, probability: float) -> bool:
        return self.random.random() < probability

    def number(self, low: float, high: float) -> float:
        """Return a number on a grid of quarters, so that a difference is never a matter of digits."""
        return round(self.random.uniform(low, high) * 4) / 4

    def blank_or(self, probability: float, low: float, high: float) -> float | None:
        """Return a number with a probability, else a blank."""
        return self.number(low, high) if self.maybe(probability) else None

    def some(self, items: list, least: int, most: int) -> list:
        return self.random.sample(items, min(len(items), self.random.randint(least, most)))

    # --- building ------------------------------------------------------------------------------

    def build(self, *, orders: bool, goals: bool, scenario: bool) -> Tables:
        self.style = self.random.choice(["linear", "linear", "lots", "lots", "whole", "mixed"])
        self.daring = self.maybe(0.12)  # may be unbounded, or have a setup without a provable limit
        self.tables["plant"] = [
            {"name": f"Plant {self.seed}", "currency": "EUR", "charge_materials": self.maybe(0.5)},
        ]
        self.add_periods()
        self.add_machines()
        self.add_materials()
        self.add_products()
        self.add_structure()
        self.add_recipes()
        self.add_product_periods()
        self.add_route_periods()
        self.give_ways()
        if self.daring:
            self.random.choice([self.buy_without_limit, self.make_without_limit, self.set_up_without_limit])()
        if orders:
            self.add_orders()
        if goals:
            self.add_goals()
        if scenario:
            self.add_scenario()
        return self.tables

    def add_periods(self) -> None:
        count = self.random.choice([0, 1, 2, 3, 3, 4])
        sequences = sorted(self.random.sample(range(1, 12), count))
        rows = [{"sequence": number, "name": f"Week {number}"} for number in sequences]
        self.periods = [row["name"] for row in rows] or ["1"]
        self.named_periods = [row["name"] for row in rows]
        self.random.shuffle(rows)  # the order of the file is not the order of time
        self.tables["periods"] = rows

    def add_machines(self) -> None:
        self.tables["machines"], self.tables["machine_periods"] = [], []
        for number in range(self.random.randint(1, 3)):
            units = self.random.choice([1, 1, 2, 3])
            limited = not self.maybe(0.12)
            row = {
                "name": f"Machine {number}",
                "available_hours": self.number(20, 60) / units if limited else None,
                "units": units,
                "maintenance_units": self.random.choice([0, 0, 0, 1, 2]) if units > 1 and self.style != "linear" else 0,
                "max_overtime_hours": self.blank_or(0.9, 0, 15),
                "overtime_cost_per_hour": self.blank_or(0.35, 0, 12),
            }
            self.tables["machines"].append(row)
            for period in self.named_periods:
                if self.maybe(0.25):
                    self.tables["machine_periods"].append(
                        {
                            "machine": row["name"],
                            "period": period,
                            "available_hours": self.blank_or(0.6, 0, 40),
                            "units_down": self.random.randint(0, units) if self.maybe(0.3) else None,
                            "max_overtime_hours": self.blank_or(0.3, 0, 8),
                            "overtime_cost_per_hour": self.blank_or(0.3, 0, 9),
                        }
                    )
        self.machines = [row["name"] for row in self.tables["machines"]]

    def add_materials(self) -> None:
        self.tables["raw_materials"], self.tables["raw_material_periods"] = [], []
        for number in range(self.random.randint(0, 3)):
            storable = self.maybe(0.5)
            low, high = self.stock_limits(storable)
            row = {
                "name": f"Material {number}",
                "available_quantity": self.blank_or(0.75, 20, 120),
                "cost_per_unit": self.number(0, 4) if not self.maybe(0.15) else self.number(-2, 0),
                "holding_cost_per_unit": self.number(0, 2) if storable else None,
                "initial_inventory": self.random.choice([0, 0, self.number(1, 40)]),
                "min_inventory": low,
                "max_inventory": high,
                "final_inventory": self.number(0, 10) if storable and self.maybe(0.3) else 0,
            }
            if row["cost_per_unit"] < 0 and storable and not self.daring:
                row["max_inventory"] = low + 20  # supply that pays would be stored for ever
            self.tables["raw_materials"].append(row)
            for period in self.named_periods:
                if self.maybe(0.25):
                    self.tables["raw_material_periods"].append(
                        {
                            "material": row["name"],
                            "period": period,
                            "available_quantity": self.blank_or(0.5, 0, 100),
                            "cost_per_unit": self.blank_or(0.4, 0, 5),
                            **self.period_stock(storable, low),
                        }
                    )
        self.materials = [row["name"] for row in self.tables["raw_materials"]]

    def stock_limits(self, storable: bool) -> tuple[float, float | None]:
        """Return min_inventory and max_inventory; what can't be stored has no minimum."""
        low = self.number(0, 4) if storable and self.maybe(0.2) else 0
        return low, self.blank_or(0.3, 15, 30)

    def period_stock(self, storable: bool, low: float) -> dict[str, float | None]:
        """Return what a period says of stock; only a period that can store has a minimum."""
        holding = self.blank_or(0.4, 0, 2)
        may_store = storable or holding is not None
        return {
            "holding_cost_per_unit": holding,
            "min_inventory": self.blank_or(0.2, 0, 3) if may_store else None,
            "max_inventory": self.blank_or(0.2, 5 + low, 20),
        }

    def add_products(self) -> None:
        self.tables["products"] = []
        count = self.random.randint(2, 5)
        for number in range(count):
            storable = self.maybe(0.5)
            low, high = self.stock_limits(storable)
            demand = self.random.choice([0, 0, self.number(1, 8)])
            self.tables["products"].append(
                {
                    "name": f"Product {number}",
                    "unit": "kg",
                    "profit_per_unit": self.number(2, 40) if not self.maybe(0.08) else self.number(-5, 0),
                    "production_cost_per_unit": self.number(0, 6) if not self.maybe(0.08) else self.number(-2, 0),
                    "min_demand": demand,
                    "max_demand": demand + self.number(0, 30) if not self.maybe(0.2) else None,
                    "holding_cost_per_unit": self.number(0, 3) if storable else None,
                    "initial_inventory": self.random.choice([0, 0, self.number(1, 12)]),
                    "min_inventory": low,
                    "max_inventory": high,
                    "final_inventory": self.number(0, 6) if storable and self.maybe(0.25) else 0,
                    "backlog_cost_per_unit": self.blank_or(0.3, 0, 4),
                    "shortage_cost_per_unit": self.blank_or(0.5, 0, 25),
                    "purchase_cost_per_unit": self.blank_or(0.2, 0, 30),
                    "max_purchase": self.blank_or(0.8, 0, 10),
                    "min_batch_size": self.number(0, SMALL_BATCH) if self.makes_lots() and self.maybe(0.4) else 0,
                    "max_batch_size": self.blank_or(0.25, BIG_BATCH, 30),
                    "whole_units": self.style in ("whole", "mixed") and self.maybe(0.5),
                    "active": not self.maybe(0.08),
                }
            )
        self.products = [row["name"] for row in self.tables["products"]]

    def makes_lots(self) -> bool:
        return self.style in ("lots", "mixed")

    def add_structure(self) -> None:
        """Draw routes, components (no circle: later products only) and by-products."""
        for table in ("routes", "component_requirements", "by_products"):
            self.tables[table] = []
        self.routes: dict[str, list[str]] = {}
        for number, product in enumerate(self.products):
            if self.maybe(0.3):
                names = ["Fast", "Slow", "Third"][: self.random.randint(1, 3)]
                self.routes[product] = names
                for name in names:
                    lots = self.makes_lots() and self.maybe(0.5)
                    self.tables["routes"].append(
                        {
                            "product": product,
                            "name": name,
                            "cost_per_unit": self.number(0, 4) if not self.maybe(0.1) else self.number(-1, 0),
                            "setup_cost": self.number(0, 30) if lots else 0,
                            "min_batch_size": self.number(0, SMALL_BATCH) if lots and self.maybe(0.4) else 0,
                            "max_batch_size": self.blank_or(0.3, BIG_BATCH, 25),
                            "active": not self.maybe(0.12),
                        }
                    )
            if self.maybe(0.35):
                for component in self.some(self.products[number + 1 :], 0, 2):
                    self.add_requirement("component_requirements", product, "component", component, 0.25, 2)
            if self.maybe(0.2):
                others = [name for name in self.products if name != product]
                for by_product in self.some(others, 1, 2):
                    self.add_requirement("by_products", product, "by_product", by_product, 0, 1.5)

    def add_requirement(self, table: str, product: str, column: str, other: str, low: float, high: float) -> None:
        """Add a row for every route, for one route, or both, which add up."""
        amount = {"by_products": "quantity_produced"}.get(table, "quantity_required")
        for route in self.route_cells(product):
            self.tables[table].append(
                {"product": product, column: other, "route": route, amount: max(low, self.number(low, high))}
            )

    def route_cells(self, product: str) -> list[str | None]:
        """Return the route cells of a product's rows for one machine, material or component."""
        names = self.routes.get(product, [])
        if not names or self.maybe(0.5):
            return [None, *self.some(names, 0, 1)] if self.maybe(0.3) else [None]
        return self.some(names, 1, len(names))

    def add_recipes(self) -> None:
        self.tables["production_recipes"], self.tables["material_requirements"] = [], []
        for product in self.products:
            if self.maybe(0.15):
                continue  # bought, yielded or in stock; or made of materials and components alone
            for machine in self.some(self.machines, 1, 2):
                lots = self.makes_lots() and self.maybe(0.4)
                for route in self.route_cells(product):
                    self.tables["production_recipes"].append(
                        {
                            "product": product,
                            "machine": machine,
                            "route": route,
                            "hours_required": self.number(0.25, 3) if not self.maybe(0.08) else None,
                            "setup_hours": self.number(0, 3) if lots else None,
                            "setup_cost": self.number(0, 25) if lots and self.maybe(0.7) else None,
                        }
                    )
            for material in self.some(self.materials, 0, 2):
                self.add_requirement("material_requirements", product, "material", material, 0, 4)

    def add_product_periods(self) -> None:
        self.tables["product_periods"] = []
        for row in self.tables["products"]:
            for period in self.named_periods:
                if self.maybe(0.3):
                    storable = row["holding_cost_per_unit"] is not None
                    low, high = self.period_demand(row)
                    self.tables["product_periods"].append(
                        {
                            "product": row["name"],
                            "period": period,
                            "profit_per_unit": self.blank_or(0.4, -2, 40),
                            "production_cost_per_unit": self.blank_or(0.3, 0, 6),
                            "min_demand": low,
                            "max_demand": high,
                            **self.period_stock(storable, row["min_inventory"]),
                            "purchase_cost_per_unit": self.blank_or(0.15, 0, 30),
                            "max_purchase": self.blank_or(0.3, 0, 12),
                            "min_batch_size": self.blank_or(0.2, 0, SMALL_BATCH) if self.makes_lots() else None,
                            "max_batch_size": self.blank_or(0.2, BIG_BATCH, 20),
                        }
                    )

    def period_demand(self, product: dict[str, Any]) -> tuple[float | None, float | None]:
        """Return a period's min_demand and max_demand, which never cross whatever is blank."""
        low = self.blank_or(0.4, 0, 8)
        effective = product["min_demand"] if low is None else low
        high = effective + self.number(0, 20) if self.maybe(0.4) else None
        if high is None and product["max_demand"] is not None and product["max_demand"] < effective:
            high = effective
        return low, high

    def add_route_periods(self) -> None:
        self.tables["route_periods"] = []
        for row in self.tables["routes"]:
            for period in self.named_periods:
                if self.maybe(0.2):
                    self.tables["route_periods"].append(
                        {
                            "product": row["product"],
                            "route": row["name"],
                            "period": period,
                            "cost_per_unit": self.blank_or(0.5, 0, 5),
                            "setup_cost": self.blank_or(0.3, 0, 30) if self.makes_lots() else None,
                            "min_batch_size": self.blank_or(0.2, 0, SMALL_BATCH) if self.makes_lots() else None,
                            "max_batch_size": self.blank_or(0.3, BIG_BATCH, 15),
                        }
                    )

    def give_ways(self) -> None:
        """Let demand that may have no way of being met go short; limit what else would grow for ever."""
        for row in self.tables["products"]:
            has_recipe = any(r["product"] == row["name"] for r in self.tables["production_recipes"])
            routes = [r for r in self.tables["routes"] if r["product"] == row["name"]]
            blocked = any(not r["active"] for r in routes) or any(
                r["product"] == row["name"] and not self.row_of("products", r["component"])["active"]
                for r in self.tables["component_requirements"]
            )
            if (not has_recipe or blocked) and row["shortage_cost_per_unit"] is None:
                row["shortage_cost_per_unit"] = self.number(1, 20)
            if not self.daring:
                self.limit(row)

    def limit(self, row: dict[str, Any]) -> None:
        """Give a product limits without which it would be made, bought, sold or stored for ever."""
        hours = [
            self.row_of("machines", r["machine"])
            for r in self.tables["production_recipes"]
            if r["product"] == row["name"] and r["hours_required"] and r["route"] is None
        ]
        if not any(
            m["available_hours"] is not None
            and (m["max_overtime_hours"] is not None or not self.has_overtime(m["name"]))
            for m in hours
        ):
            row["max_batch_size"] = row["max_batch_size"] or self.number(BIG_BATCH, 30)
        if row["max_purchase"] is None:
            row["max_purchase"] = self.number(0, 10)

    def demand_without_limit(self, product: str) -> None:
        self.row_of("products", product).update({"max_demand": None, "profit_per_unit": 20.0})
        for row in self.periods_of("product_periods", "product", product):
            row.update({"max_demand": None, "profit_per_unit": None})

    def buy_without_limit(self) -> None:
        """Let a product be bought cheaply and sold dearly for ever."""
        product = self.random.choice(self.products)
        self.demand_without_limit(product)
        self.row_of("products", product).update({"purchase_cost_per_unit": 3.0, "max_purchase": None})
        for row in self.periods_of("product_periods", "product", product):
            row.update({"purchase_cost_per_unit": None, "max_purchase": None})

    def make_without_limit(self, *, demand_too: bool = True) -> str:
        """Let a product be made of nothing in no time; one with few routes, since each setup doubles the work."""
        product = min(self.products, key=lambda name: len(self.routes.get(name, [])))
        if demand_too:
            self.demand_without_limit(product)
        for table in ("products", "routes", "product_periods", "route_periods"):
            for row in self.tables[table]:
                if row.get("product", row.get("name")) == product:
                    row["max_batch_size"] = None
        for table in ("material_requirements", "component_requirements"):
            self.tables[table] = [row for row in self.tables[table] if row["product"] != product]
        for row in self.tables["production_recipes"]:
            if row["product"] == product:
                row["hours_required"] = 0
        return product

    def set_up_without_limit(self) -> None:
        """Let a product with a setup be made without a limit but, at times, demand."""
        product = self.make_without_limit(demand_too=self.maybe(0.5))
        for row in self.tables["production_recipes"]:
            if row["product"] == product:
                row["setup_cost"] = 10.0

    def periods_of(self, table: str, column: str, name: str) -> list[dict[str, Any]]:
        return [row for row in self.tables[table] if row[column] == name]

    def has_overtime(self, machine: str) -> bool:
        rows = [self.row_of("machines", machine)]
        rows += [row for row in self.tables["machine_periods"] if row["machine"] == machine]
        return any(row["overtime_cost_per_hour"] is not None for row in rows)

    def row_of(self, table: str, name: str) -> dict[str, Any]:
        return next(row for row in self.tables[table] if row["name"] == name)

    # --- orders, goals, scenarios ----------------------------------------------------------------

    def add_orders(self) -> None:
        tiers = ["GOLD", "SILVER", None]
        self.tables["customers"] = [{"name": f"Customer {tier}", "tier": tier} for tier in tiers]
        if not self.named_periods:
            self.tables["periods"] = [{"sequence": 1, "name": "1"}]
        self.tables["customer_orders"] = [
            {
                "reference": f"Order {number}",
                "customer": f"Customer {self.random.choice(tiers)}",
                "product": self.random.choice(self.products),
                "period": self.random.choice(self.periods),
                "target_quantity": self.number(0, 12),
                "weight": self.blank_or(0.4, 0, 3),
                "priority": self.random.choice([None, None, 1, 2, 5]),
                "late_cost_per_unit": self.blank_or(0.5, 0, 3),
                "active": not self.maybe(0.1),
            }
            for number in range(self.random.randint(1, 5))
        ]

    def add_goals(self) -> None:
        names = {
            "profit": [None],
            "machine_hours": self.machines,
            "overtime_hours": self.machines,
            "material_quantity": self.materials,
            "production": self.products,
            "sales": self.products,
        }
        measures = [measure for measure, targets in names.items() if targets]
        self.tables["goals"] = []
        for number in range(self.random.randint(1, 3)):
            measure = self.random.choice(measures)
            self.tables["goals"].append(
                {
                    "name": f"Goal {number}",
                    "priority": self.random.choice([1, 1, 2, 4]),
                    "measure": measure,
                    "target_name": self.random.choice(names[measure]),
                    "sense": self.random.choice(["at_least", "at_most", "exactly"]),
                    "target": self.number(-50, 300) if measure == "profit" else self.number(0, 60),
                    "weight_under": self.blank_or(0.5, 0, 4),
                    "weight_over": self.blank_or(0.5, 0, 4),
                    "active": not self.maybe(0.1),
                }
            )

    def add_scenario(self) -> None:
        """Add `Other`, whose changes keep the rules, with a parent that has changes of its own."""
        self.tables["scenarios"] = [
            {"name": "Parent", "parent": None, "goal_mode": None},
            {"name": "Other", "parent": "Parent", "goal_mode": self.random.choice([None, "lexicographic", "weighted"])},
        ]
        kinds: list[tuple[str, str, str, Any]] = [
            ("products", "profit_per_unit", "multiply", 1.5),
            ("product_periods", "profit_per_unit", "add", -3),
            ("products", "max_demand", "add", 4),
            ("products", "max_demand", "set", None),
            ("products", "min_demand", "multiply", 0.5),
            ("products", "purchase_cost_per_unit", "set", 12),
            ("products", "shortage_cost_per_unit", "set", 30),
            ("products", "initial_inventory", "add", 2),
            ("products", "active", "set", 1),
            ("machines", "available_hours", "multiply", 0.75),
            ("machine_periods", "available_hours", "add", 5),
            ("machines", "overtime_cost_per_hour", "set", 6),
            ("machines", "units", "add", 1),
            ("raw_materials", "available_quantity", "multiply", 0.5),
            ("raw_material_periods", "cost_per_unit", "set", 2),
            ("routes", "cost_per_unit", "add", 1),
            ("route_periods", "setup_cost", "multiply", 0.5),
            ("production_recipes", "hours_required", "multiply", 1.25),
            ("production_recipes", "setup_cost", "set", None),
            ("component_requirements", "quantity_required", "multiply", 0.5),
        ]
        per_period = {
            (table, name) for parent, _, names in PERIOD_TABLES.values() for name in names for table in [parent]
        }
        changes = []
        for table, name, operation, value in self.some(kinds, 3, 7):
            parent = PERIOD_TABLES[table][0] if table in PERIOD_TABLES else table
            rows = self.tables[parent]
            if not rows:
                continue
            key = [self.random.choice(rows)[column] for column in KEYS[parent]] if len(KEYS[parent]) == 1 else None
            takes_period = (parent, name) in per_period
            changes.append(
                {
                    "scenario": self.random.choice(["Parent", "Other"]),
                    "table": table,
                    "row": key[0] if key and self.maybe(0.5) else "*",
                    "period": self.random.choice([*self.periods, None]) if takes_period else None,
                    "field": name,
                    "operation": operation,
                    "value": value,
                }
            )
        self.tables["scenario_changes"] = changes

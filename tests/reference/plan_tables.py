"""A plant's tables as plain dicts, read from a folder in the plan format with `csv` alone.

Nothing here comes from `planning`: what it computes is a second opinion on it.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[dict[str, Any]]]

NUMBER, WHOLE, BOOLEAN, TEXT = "number", "whole", "boolean", "text"

# column: (kind, default); a default of None means that the cell may stay blank
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {
    "plant": {"name": (TEXT, None), "currency": (TEXT, "USD"), "charge_materials": (BOOLEAN, False)},
    "periods": {
        "sequence": (WHOLE, None),
        "name": (TEXT, None),
        "start_date": (TEXT, None),
        "end_date": (TEXT, None),
    },
    "products": {
        "name": (TEXT, None),
        "unit": (TEXT, "unit"),
        "profit_per_unit": (NUMBER, 0.0),
        "production_cost_per_unit": (NUMBER, 0.0),
        "min_demand": (NUMBER, 0.0),
        "max_demand": (NUMBER, None),
        "holding_cost_per_unit": (NUMBER, None),
        "initial_inventory": (NUMBER, 0.0),
        "min_inventory": (NUMBER, 0.0),
        "max_inventory": (NUMBER, None),
        "final_inventory": (NUMBER, 0.0),
        "backlog_cost_per_unit": (NUMBER, None),
        "shortage_cost_per_unit": (NUMBER, None),
        "purchase_cost_per_unit": (NUMBER, None),
        "max_purchase": (NUMBER, None),
        "min_batch_size": (NUMBER, 0.0),
        "max_batch_size": (NUMBER, None),
        "whole_units": (BOOLEAN, False),
        "active": (BOOLEAN, True),
    },
    "machines": {
        "name": (TEXT, None),
        "available_hours": (NUMBER, None),
        "units": (WHOLE, 1),
        "maintenance_units": (WHOLE, 0),
        "max_overtime_hours": (NUMBER, None),
        "overtime_cost_per_hour": (NUMBER, None),
    },
    "raw_materials": {
        "name": (TEXT, None),
        "unit": (TEXT, "unit"),
        "available_quantity": (NUMBER, None),
        "cost_per_unit": (NUMBER, 0.0),
        "holding_cost_per_unit": (NUMBER, None),
        "initial_inventory": (NUMBER, 0.0),
        "min_inventory": (NUMBER, 0.0),
        "max_inventory": (NUMBER, None),
        "final_inventory": (NUMBER, 0.0),
    },
    "routes": {
        "product": (TEXT, None),
        "name": (TEXT, None),
        "cost_per_unit": (NUMBER, 0.0),
        "setup_cost": (NUMBER, 0.0),
        "min_batch_size": (NUMBER, 0.0),
        "max_batch_size": (NUMBER, None),
        "active": (BOOLEAN, True),
    },
    "production_recipes": {
        "product": (TEXT, None),
        "machine": (TEXT, None),
        "route": (TEXT, ""),
        "hours_required": (NUMBER, 0.0),
        "setup_hours": (NUMBER, 0.0),
        "setup_cost": (NUMBER, 0.0),
    },
    "material_requirements": {
        "product": (TEXT, None),
        "material": (TEXT, None),
        "route": (TEXT, ""),
        "quantity_required": (NUMBER, None),
    },
    "component_requirements": {
        "product": (TEXT, None),
        "component": (TEXT, None),
        "route": (TEXT, ""),
        "quantity_required": (NUMBER, None),
    },
    "by_products": {
        "product": (TEXT, None),
        "by_product": (TEXT, None),
        "route": (TEXT, ""),
        "quantity_produced": (NUMBER, None),
    },
    "customers": {"name": (TEXT, None), "tier": (TEXT, "BRONZE")},
    "customer_orders": {
        "reference": (TEXT, None),
        "customer": (TEXT, None),
        "product": (TEXT, None),
        "period": (TEXT, None),
        "target_quantity": (NUMBER, None),
        "weight": (NUMBER, 1.0),
        "priority": (WHOLE, None),
        "late_cost_per_unit": (NUMBER, None),
        "active": (BOOLEAN, True),
    },
    "goals": {
        "name": (TEXT, None),
        "priority": (WHOLE, 1),
        "measure": (TEXT, None),
        "target_name": (TEXT, ""),
        "sense": (TEXT, None),
        "target": (NUMBER, None),
        "weight_under": (NUMBER, 1.0),
        "weight_over": (NUMBER, 1.0),
        "active": (BOOLEAN, True),
    },
    "scenarios": {
        "name": (TEXT, None),
        "parent": (TEXT, ""),
        "description": (TEXT, ""),
        "goal_mode": (TEXT, ""),
    },
    "scenario_changes": {
        "scenario": (TEXT, None),
        "table": (TEXT, None),
        "row": (TEXT, None),
        "period": (TEXT, ""),
        "field": (TEXT, None),
        "operation": (TEXT, "set"),
        "value": (NUMBER, None),
        "note": (TEXT, ""),
    },
}

# table of values per period: (its parent, the columns that name the parent's row, its values)
PERIOD_TABLES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "product_periods": (
        "products",
        ("product",),
        (
            "profit_per_unit",
            "production_cost_per_unit",
            "min_demand",
            "max_demand",
            "holding_cost_per_unit",
            "min_inventory",
            "max_inventory",
            "purchase_cost_per_unit",
            "max_purchase",
            "min_batch_size",
            "max_batch_size",
        ),
    ),
    "machine_periods": (
        "machines",
        ("machine",),
        ("available_hours", "units_down", "max_overtime_hours", "overtime_cost_per_hour"),
    ),
    "raw_material_periods": (
        "raw_materials",
        ("material",),
        ("available_quantity", "cost_per_unit", "holding_cost_per_unit", "min_inventory", "max_inventory"),
    ),
    "route_periods": (
        "routes",
        ("product", "route"),
        ("cost_per_unit", "setup_cost", "min_batch_size", "max_batch_size"),
    ),
}
PERIOD_TABLE_OF = {parent: name for name, (parent, _, _) in PERIOD_TABLES.items()}
KEYS = {
    "products": ("name",),
    "machines": ("name",),
    "raw_materials": ("name",),
    "routes": ("product", "name"),
    "production_recipes": ("product", "machine", "route"),
    "material_requirements": ("product", "material", "route"),
    "component_requirements": ("product", "component", "route"),
    "by_products": ("product", "by_product", "route"),
    "customers": ("name",),
    "customer_orders": ("reference",),
    "goals": ("name",),
}


@dataclass
class PlantData:
    """The values that a plan is made from: one dict per row, and per row and period where those differ."""

    name: str
    charge_materials: bool
    periods: list[str]
    tables: dict[str, list[Row]]
    at: dict[tuple[str, tuple[str, ...], str], Row] = field(default_factory=dict)  # (table, key, period) -> values
    goal_mode: str = "lexicographic"

    def rows(self, table: str) -> list[Row]:
        return self.tables[table]

    def product(self, name: str, period: str) -> Row:
        return self.at["products", (name,), period]

    def machine(self, name: str, period: str) -> Row:
        return self.at["machines", (name,), period]

    def material(self, name: str, period: str) -> Row:
        return self.at["raw_materials", (name,), period]

    def route(self, product: str, name: str, period: str) -> Row:
        """Return the values of a route; the unnamed one costs nothing and has no limits."""
        if name == "":
            return {"cost_per_unit": 0.0, "setup_cost": 0.0, "min_batch_size": 0.0, "max_batch_size": None}
        return self.at["routes", (product, name), period]


def cell_value(text: str | None, kind: str, default: Any) -> Any:
    """Return what a cell says; blank is the default."""
    text = (text or "").strip()
    if text == "":
        return default
    if kind == NUMBER:
        # the value of a change to a true/false field may be written either way
        return float({"true": "1", "false": "0"}.get(text.lower(), text))
    if kind == WHOLE:
        return int(float(text))
    if kind == BOOLEAN:
        return text.lower() == "true"
    return text


def read_folder(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Return the text cells of each table of a folder."""
    tables = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            tables[path.stem] = [dict(row) for row in csv.DictReader(file)]
    return tables


def load_plant(folder: Path, scenario: str = "Baseline") -> PlantData:
    """Return the plant in a folder with the changes of a scenario."""
    texts = read_folder(folder)
    tables = {
        table: [
            {name: cell_value(row.get(name), kind, default) for name, (kind, default) in columns.items()}
            for row in texts.get(table, [])
        ]
        for table, columns in COLUMNS.items()
    }
    tables["periods"].sort(key=lambda row: row["sequence"])
    periods = [row["name"] for row in tables["periods"]] or ["1"]
    plant = PlantData(
        name=tables["plant"][0]["name"],
        charge_materials=tables["plant"][0]["charge_materials"],
        periods=periods,
        tables=tables,
    )
    fill_in_periods(plant, texts)
    apply_scenario(plant, scenario)
    return plant


def fill_in_periods(plant: PlantData, texts: dict[str, list[dict[str, str]]]) -> None:
    """Give each row of a table with values per period its values in each period."""
    for period_table, (table, key_columns, fields) in PERIOD_TABLES.items():
        for row in plant.rows(table):
            key = tuple(row[column] for column in KEYS[table])
            for period in plant.periods:
                plant.at[table, key, period] = {"units_down": 0, **row}
        for text_row in texts.get(period_table, []):
            key = tuple(text_row[column].strip() for column in key_columns)
            values = plant.at[table, key, text_row["period"].strip()]
            for name in fields:
                given = cell_value(text_row.get(name), NUMBER, None)
                if given is not None:
                    values[name] = given


# --- scenarios ------------------------------------------------------------------------------


def apply_scenario(plant: PlantData, name: str) -> None:
    """Apply the changes of a scenario, its ancestors' first."""
    scenarios = {row["name"]: row for row in plant.rows("scenarios")}
    line = []
    while name:
        row = scenarios.get(name, {"name": name, "parent": "", "goal_mode": ""})
        line.insert(0, row)
        name = row["parent"]
    for row in line:
        plant.goal_mode = row["goal_mode"] or plant.goal_mode
        for change in plant.rows("scenario_changes"):
            if change["scenario"] == row["name"]:
                apply_change(plant, change)


def apply_change(plant: PlantData, change: Row) -> None:
    """Apply one change to the values in force."""
    table = PERIOD_TABLES[change["table"]][0] if change["table"] in PERIOD_TABLES else change["table"]
    for row in plant.rows(table):
        key = tuple(row[column] for column in KEYS[table])
        if change["row"] not in ("*", " / ".join(part for part in key if part)):
            continue
        if table in PERIOD_TABLE_OF:
            for period in [change["period"]] if change["period"] else plant.periods:
                change_value(plant.at[table, key, period], table, change)
            if change["field"] in row and not change["period"]:
                change_value(row, table, change)
        else:
            change_value(row, table, change)


def change_value(values: Row, table: str, change: Row) -> None:
    """Set, multiply or add; a blank value stays blank under the last two."""
    name, operand = change["field"], change["value"]
    kind, default = COLUMNS[table].get(name, (WHOLE, 0))  # units_down stands in the table per period alone
    if change["operation"] == "set":
        values[name] = default if operand is None else operand
    elif values[name] is not None:
        values[name] = values[name] * operand if change["operation"] == "multiply" else values[name] + operand
    if kind == BOOLEAN:
        values[name] = bool(values[name])


# --- what a plant's rows mean together --------------------------------------------------------


def is_active(plant: PlantData, product: str) -> bool:
    return any(row["name"] == product and row["active"] for row in plant.rows("products"))


def active_products(plant: PlantData) -> list[str]:
    return [row["name"] for row in plant.rows("products") if row["active"]]


def ways_of_making(plant: PlantData, product: str) -> list[str]:
    """Return the active routes of a product; `""` where it is made without routes; nothing where it is not made."""
    routes = [row for row in plant.rows("routes") if row["product"] == product]
    if routes:
        return [row["name"] for row in routes if row["active"]]
    for table in ("production_recipes", "material_requirements", "component_requirements"):
        if any(row["product"] == product for row in plant.rows(table)):
            return [""]
    return []


def rates(plant: PlantData, table: str, product: str, route: str, of: str, field_name: str) -> dict[str, float]:
    """Return the amount per `of` (machine, material, ...) that the rows of a product and route add up to."""
    total: dict[str, float] = defaultdict(float)
    for row in plant.rows(table):
        if row["product"] == product and row["route"] in ("", route):
            total[row[of]] += row[field_name]
    return dict(total)


def setup_cost(plant: PlantData, product: str, route: str, period: str) -> float:
    """Return what a setup costs: the route's own and that of each of its recipe rows."""
    of_recipes = rates(plant, "production_recipes", product, route, "machine", "setup_cost")
    return float(plant.route(product, route, period)["setup_cost"] + sum(of_recipes.values()))


def min_batch(plant: PlantData, product: str, route: str, period: str) -> float:
    """Return the larger of the product's and the route's minimum batch."""
    return float(
        max(plant.product(product, period)["min_batch_size"], plant.route(product, route, period)["min_batch_size"])
    )


def max_batch(plant: PlantData, product: str, route: str, period: str) -> float | None:
    """Return the smaller of the product's and the route's maximum batch, None without either."""
    limits = [
        values["max_batch_size"]
        for values in (plant.product(product, period), plant.route(product, route, period))
        if values["max_batch_size"] is not None
    ]
    return min(limits, default=None)


def has_setup(plant: PlantData, product: str, route: str, period: str) -> bool:
    """Whether making this takes a decision to set up: a setup cost, setup hours or a minimum batch."""
    hours = rates(plant, "production_recipes", product, route, "machine", "setup_hours")
    return (
        setup_cost(plant, product, route, period) > 0
        or sum(hours.values()) > 0
        or min_batch(plant, product, route, period) > 0
    )

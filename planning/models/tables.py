"""The tables of the plan format: which model, which columns, in which order, under which key.

Import, export, scenario changes and the snapshot all read this list, so that a column is named once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.db import models

from .orders import Customer, CustomerOrder, Goal
from .plant import Period, Plant
from .products import Product, ProductPeriod, Route, RoutePeriod
from .recipes import ByProduct, ComponentRequirement, MaterialRequirement, ProductionRecipe
from .resources import Machine, MachinePeriod, RawMaterial, RawMaterialPeriod
from .scenarios import Scenario, ScenarioChange


@dataclass(frozen=True)
class FormatTable:
    """One table of the plan format."""

    name: str
    model: type[models.Model]
    columns: tuple[str, ...]  # in the format's order; each is a field of the model but route_periods.product
    key: tuple[str, ...]  # columns that identify a row; () where rows may repeat
    parent: str | None = None  # for a *_periods table: the table whose values it replaces

    @cached_property
    def fields(self) -> dict[str, models.Field]:
        """The model's field for each column that is stored as such."""
        stored = {field.name: field for field in self.model._meta.concrete_fields}
        return {column: stored[column] for column in self.columns if column in stored}


PRODUCT_LIMITS = (
    "profit_per_unit",
    "production_cost_per_unit",
    "min_demand",
    "max_demand",
    "holding_cost_per_unit",
)

TABLES: tuple[FormatTable, ...] = (
    FormatTable("plant", Plant, ("name", "currency", "charge_materials"), ("name",)),
    FormatTable("periods", Period, ("sequence", "name", "start_date", "end_date"), ("sequence",)),
    FormatTable(
        "products",
        Product,
        (
            "name",
            "unit",
            *PRODUCT_LIMITS,
            "initial_inventory",
            "min_inventory",
            "max_inventory",
            "final_inventory",
            "backlog_cost_per_unit",
            "shortage_cost_per_unit",
            "purchase_cost_per_unit",
            "max_purchase",
            "min_batch_size",
            "max_batch_size",
            "whole_units",
            "active",
        ),
        ("name",),
    ),
    FormatTable(
        "product_periods",
        ProductPeriod,
        (
            "product",
            "period",
            *PRODUCT_LIMITS,
            "min_inventory",
            "max_inventory",
            "purchase_cost_per_unit",
            "max_purchase",
            "min_batch_size",
            "max_batch_size",
        ),
        ("product", "period"),
        parent="products",
    ),
    FormatTable(
        "machines",
        Machine,
        ("name", "available_hours", "units", "maintenance_units", "max_overtime_hours", "overtime_cost_per_hour"),
        ("name",),
    ),
    FormatTable(
        "machine_periods",
        MachinePeriod,
        ("machine", "period", "available_hours", "units_down", "max_overtime_hours", "overtime_cost_per_hour"),
        ("machine", "period"),
        parent="machines",
    ),
    FormatTable(
        "raw_materials",
        RawMaterial,
        (
            "name",
            "unit",
            "available_quantity",
            "cost_per_unit",
            "holding_cost_per_unit",
            "initial_inventory",
            "min_inventory",
            "max_inventory",
            "final_inventory",
        ),
        ("name",),
    ),
    FormatTable(
        "raw_material_periods",
        RawMaterialPeriod,
        (
            "material",
            "period",
            "available_quantity",
            "cost_per_unit",
            "holding_cost_per_unit",
            "min_inventory",
            "max_inventory",
        ),
        ("material", "period"),
        parent="raw_materials",
    ),
    FormatTable(
        "routes",
        Route,
        ("product", "name", "cost_per_unit", "setup_cost", "min_batch_size", "max_batch_size", "active"),
        ("product", "name"),
    ),
    FormatTable(
        "route_periods",
        RoutePeriod,
        ("product", "route", "period", "cost_per_unit", "setup_cost", "min_batch_size", "max_batch_size"),
        ("product", "route", "period"),
        parent="routes",
    ),
    FormatTable(
        "production_recipes",
        ProductionRecipe,
        ("product", "machine", "route", "hours_required", "setup_hours", "setup_cost"),
        ("product", "machine", "route"),
    ),
    FormatTable(
        "material_requirements",
        MaterialRequirement,
        ("product", "material", "route", "quantity_required"),
        ("product", "material", "route"),
    ),
    FormatTable(
        "component_requirements",
        ComponentRequirement,
        ("product", "component", "route", "quantity_required"),
        ("product", "component", "route"),
    ),
    FormatTable(
        "by_products",
        ByProduct,
        ("product", "by_product", "route", "quantity_produced"),
        ("product", "by_product", "route"),
    ),
    FormatTable("customers", Customer, ("name", "tier"), ("name",)),
    FormatTable(
        "customer_orders",
        CustomerOrder,
        (
            "reference",
            "customer",
            "product",
            "period",
            "target_quantity",
            "weight",
            "priority",
            "late_cost_per_unit",
            "active",
        ),
        ("reference",),
    ),
    FormatTable(
        "goals",
        Goal,
        (
            "name",
            "priority",
            "measure",
            "target_name",
            "sense",
            "target",
            "weight_under",
            "weight_over",
            "active",
        ),
        ("name",),
    ),
    FormatTable("scenarios", Scenario, ("name", "parent", "description", "goal_mode"), ("name",)),
    FormatTable(
        "scenario_changes",
        ScenarioChange,
        ("scenario", "table", "row", "period", "field", "operation", "value", "note"),
        (),
    ),
)

TABLE_BY_NAME = {table.name: table for table in TABLES}

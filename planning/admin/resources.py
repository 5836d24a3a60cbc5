"""Machines and raw materials, and what differs by period."""

from __future__ import annotations

from django.contrib import admin

from planning.models import Machine, MachinePeriod, RawMaterial, RawMaterialPeriod

from .amounts import amount_column, name_column, period_amount_column
from .base import PlanAdmin
from .grid import GridDoors


@admin.register(Machine)
class MachineAdmin(PlanAdmin):
    list_display = (
        name_column(),
        "plant",
        amount_column("units"),
        amount_column("available_hours", title="hours / unit and period"),
        amount_column("maintenance_units", title="maintenance"),
        amount_column("max_overtime_hours", title="max overtime"),
        amount_column("overtime_cost_per_hour", title="overtime / hour"),
    )
    list_filter = ("plant",)
    list_select_related = ("plant",)
    search_fields = ("name",)
    empty_hint = "Add the machines, with the hours that each has in a period."
    fieldsets = (
        (None, {"fields": (("plant", "name"),)}),
        ("Capacity", {"fields": (("available_hours", "units"), "maintenance_units")}),
        ("Overtime", {"fields": (("overtime_cost_per_hour", "max_overtime_hours"),)}),
    )


@admin.register(MachinePeriod)
class MachinePeriodAdmin(GridDoors, PlanAdmin):
    owner = "machine"
    list_display = (
        "machine",
        "period",
        "machine__plant",
        period_amount_column("available_hours", title="hours / unit"),
        period_amount_column("units_down"),
        period_amount_column("max_overtime_hours", title="max overtime"),
        period_amount_column("overtime_cost_per_hour", title="overtime / hour"),
    )
    list_filter = ("machine__plant",)
    list_select_related = ("machine__plant", "period")
    search_fields = ("machine__name", "period__name")
    empty_hint = "Every machine is the same in all periods. Add a row where one period differs."
    fieldsets = (
        (None, {"fields": (("machine", "period"),)}),
        ("Capacity", {"fields": (("available_hours", "units_down"),)}),
        ("Overtime", {"fields": (("overtime_cost_per_hour", "max_overtime_hours"),)}),
    )


@admin.register(RawMaterial)
class RawMaterialAdmin(PlanAdmin):
    list_display = (
        name_column(),
        "plant",
        "unit",
        amount_column("available_quantity", title="supply / period"),
        amount_column("cost_per_unit", title="cost / unit"),
        amount_column("initial_inventory", title="opening stock"),
        amount_column("holding_cost_per_unit", title="holding / unit"),
    )
    list_filter = ("plant",)
    list_select_related = ("plant",)
    search_fields = ("name",)
    empty_hint = "Add what production uses up, with the supply of a period."
    fieldsets = (
        (None, {"fields": (("plant", "name"), "unit")}),
        ("Supply per period", {"fields": (("available_quantity", "cost_per_unit"),)}),
        (
            "Stock",
            {
                "fields": (
                    ("initial_inventory", "final_inventory"),
                    ("min_inventory", "max_inventory"),
                    "holding_cost_per_unit",
                )
            },
        ),
    )


@admin.register(RawMaterialPeriod)
class RawMaterialPeriodAdmin(GridDoors, PlanAdmin):
    owner = "material"
    list_display = (
        "material",
        "period",
        "material__plant",
        period_amount_column("available_quantity", title="supply"),
        period_amount_column("cost_per_unit", title="cost / unit"),
        period_amount_column("holding_cost_per_unit", title="holding / unit"),
        period_amount_column("min_inventory"),
        period_amount_column("max_inventory"),
    )
    list_filter = ("material__plant",)
    list_select_related = ("material__plant", "period")
    search_fields = ("material__name", "period__name")
    empty_hint = "Every material is the same in all periods. Add a row where one period differs."
    fieldsets = (
        (None, {"fields": (("material", "period"),)}),
        ("Supply", {"fields": (("available_quantity", "cost_per_unit"),)}),
        ("Stock", {"fields": (("min_inventory", "max_inventory"), "holding_cost_per_unit")}),
    )

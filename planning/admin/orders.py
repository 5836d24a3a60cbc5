"""Customers, their orders, and goals."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model

from planning.models import Customer, CustomerOrder, Goal, Machine, Plant, Product, RawMaterial

from .amounts import amount_column, flag_column, name_column
from .base import PlanAdmin, PlanInline
from .forms import PlanForm

TARGETS: dict[str, type[Model]] = {
    Goal.Measure.MACHINE_HOURS: Machine,
    Goal.Measure.OVERTIME_HOURS: Machine,
    Goal.Measure.MATERIAL_QUANTITY: RawMaterial,
    Goal.Measure.PRODUCTION: Product,
    Goal.Measure.SALES: Product,
}


class CustomerOrderInline(PlanInline):
    model = CustomerOrder
    fields = (
        "reference",
        "product",
        "period",
        "target_quantity",
        "weight",
        "priority",
        "late_cost_per_unit",
        "active",
    )
    verbose_name_plural = "Orders"


@admin.register(Customer)
class CustomerAdmin(PlanAdmin):
    actions = ()  # no number or switch to change in several rows
    list_display = (name_column(), "plant", "tier")
    list_filter = ("plant", "tier")
    list_select_related = ("plant",)
    search_fields = ("name",)
    inlines = (CustomerOrderInline,)
    fieldsets = ((None, {"fields": (("plant", "name"), "tier")}),)
    empty_hint = "Plans need no customers. Add them where single orders matter, with the tier that ranks them."


@admin.register(CustomerOrder)
class CustomerOrderAdmin(PlanAdmin):
    list_display = (
        name_column("reference"),
        "plant",
        "customer",
        "product",
        "period",
        amount_column("target_quantity", title="ordered"),
        amount_column("priority"),
        amount_column("weight"),
        amount_column("late_cost_per_unit", title="late cost / unit"),
        flag_column("active", title="state", off="not active", on=""),
    )
    list_filter = ("plant", "customer__tier", "active")
    list_select_related = ("plant", "customer", "product", "period")
    search_fields = ("reference", "customer__name", "product__name", "period__name")
    fieldsets = (
        (None, {"fields": (("plant", "reference"), ("customer", "product"), ("period", "active"))}),
        ("Quantity", {"fields": (("target_quantity", "late_cost_per_unit"),)}),
        ("Rank", {"fields": (("priority", "weight"),)}),
    )
    empty_hint = "No customer has ordered. Orders come before profit; without them the plan follows demand alone."


class GoalForm(PlanForm):
    """A goal: its target names a row of its plant."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        model = TARGETS.get(cleaned.get("measure") or "")
        name = cleaned.get("target_name")
        plant = cleaned.get("plant") or getattr(self.instance, "plant", None)
        if model is None or not name or not isinstance(plant, Plant):
            return cleaned
        if not model._default_manager.filter(plant=plant, name=name).exists():
            words = model._meta.verbose_name
            self.add_error("target_name", f'"{plant}" has no {words} "{name}". Give the name of one of its {words}s.')
        return cleaned


@admin.register(Goal)
class GoalAdmin(PlanAdmin):
    form = GoalForm
    list_display = (
        name_column(),
        "plant",
        amount_column("priority"),
        "measure",
        "target_name",
        "sense",
        amount_column("target"),
        amount_column("weight_under"),
        amount_column("weight_over"),
        flag_column("active", title="state", off="not active", on=""),
    )
    list_filter = ("plant", "measure", "active")
    list_select_related = ("plant",)
    search_fields = ("name", "target_name")
    fieldsets = (
        (None, {"fields": (("plant", "name"), "active")}),
        ("Target", {"fields": (("measure", "target_name"), ("sense", "target"))}),
        ("Rank", {"fields": ("priority", ("weight_under", "weight_over"))}),
    )
    empty_hint = "The plan earns the most profit. Add goals that come before profit, in the order of their priority."

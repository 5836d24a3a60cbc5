"""What making a unit takes and yields: machine hours, materials, components, by-products."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.utils.html import format_html
from django.utils.safestring import SafeString

from planning.models import ByProduct, ComponentRequirement, MaterialRequirement, ProductionRecipe

from .amounts import amount_column
from .base import PlanAdmin, PlanInline
from .units import unit_of

ROWS_ON_A_PRODUCT = 20  # of each table, before paging: a browser's form may have 1,000 fields in all


class RecipeInline(PlanInline):
    model = ProductionRecipe
    fields = ("machine", "route", "hours_required", "setup_hours", "setup_cost")
    per_page = ROWS_ON_A_PRODUCT
    verbose_name_plural = "Recipes"


class TakenInline(PlanInline):
    """Rows of what a product takes or yields, whose number is in the unit of that."""

    readonly_fields = ("unit",)

    @admin.display(description="unit")
    def unit(self, row: Any) -> str:
        """The unit of the row's number; nothing on a new row, whose material isn't chosen yet."""
        return unit_of(row, "quantity_produced" if isinstance(row, ByProduct) else "quantity_required", None)


class MaterialInline(TakenInline):
    model = MaterialRequirement
    fields = ("material", "route", "quantity_required", "unit")
    per_page = ROWS_ON_A_PRODUCT
    verbose_name_plural = "Materials"


class ComponentInline(TakenInline):
    model = ComponentRequirement
    fk_name = "product"
    fields = ("component", "route", "quantity_required", "unit")
    per_page = ROWS_ON_A_PRODUCT
    verbose_name_plural = "Components"


class ByProductInline(TakenInline):
    model = ByProduct
    fk_name = "product"
    fields = ("by_product", "route", "quantity_produced", "unit")
    per_page = ROWS_ON_A_PRODUCT
    verbose_name_plural = "By-products"


@admin.display(description="route", ordering="route__name")
def route_column(row: Any) -> SafeString | Model:
    """Show the route of a recipe row; a blank holds for every route."""
    return row.route if row.route_id else format_html('<span class="pl-blank">{}</span>', "every route")


class RecipeAdmin(PlanAdmin):
    """What the tables of recipe rows share."""

    owner = "product"
    list_filter = ("product__plant",)


@admin.register(ProductionRecipe)
class ProductionRecipeAdmin(RecipeAdmin):
    list_display = (
        "product",
        "machine",
        route_column,
        "product__plant",
        amount_column("hours_required", title="hours / unit"),
        amount_column("setup_hours"),
        amount_column("setup_cost"),
    )
    list_select_related = ("product__plant", "machine", "route")
    search_fields = ("product__name", "machine__name", "route__name")
    fieldsets = (
        (None, {"fields": (("product", "machine"), ("route", "hours_required"), ("setup_hours", "setup_cost"))}),
    )
    empty_hint = "Add the hours that a unit of a product takes on a machine, here or on the product's page."


@admin.register(MaterialRequirement)
class MaterialRequirementAdmin(RecipeAdmin):
    list_display = (
        "product",
        "material",
        route_column,
        "product__plant",
        amount_column("quantity_required", title="quantity / unit"),
    )
    list_select_related = ("product__plant", "material", "route")
    search_fields = ("product__name", "material__name", "route__name")
    fieldsets = ((None, {"fields": (("product", "material"), ("route", "quantity_required"))}),)
    empty_hint = "Add what a unit of a product takes of a raw material, here or on the product's page."


@admin.register(ComponentRequirement)
class ComponentRequirementAdmin(RecipeAdmin):
    list_display = (
        "product",
        "component",
        route_column,
        "product__plant",
        amount_column("quantity_required", title="quantity / unit"),
    )
    list_select_related = ("product__plant", "component", "route")
    search_fields = ("product__name", "component__name", "route__name")
    fieldsets = ((None, {"fields": (("product", "component"), ("route", "quantity_required"))}),)
    empty_hint = "No product takes another product. Add a row where one is a part of another."


@admin.register(ByProduct)
class ByProductAdmin(RecipeAdmin):
    list_display = (
        "product",
        "by_product",
        route_column,
        "product__plant",
        amount_column("quantity_produced", title="quantity / unit"),
    )
    list_select_related = ("product__plant", "by_product", "route")
    search_fields = ("product__name", "by_product__name", "route__name")
    fieldsets = ((None, {"fields": (("product", "by_product"), ("route", "quantity_produced"))}),)
    empty_hint = "Making a product yields that product alone. Add a row where another one comes out with it."

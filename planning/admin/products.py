"""Products, what differs by period, and the routes of making them."""

from __future__ import annotations

from django.contrib import admin

from planning.models import Product, ProductPeriod, Route, RoutePeriod

from .amounts import amount_column, flag_column, name_column, period_amount_column
from .base import PlanAdmin, PlanInline
from .grid import GridDoors
from .recipes import ROWS_ON_A_PRODUCT, ByProductInline, ComponentInline, MaterialInline, RecipeInline


class RouteInline(PlanInline):
    model = Route
    verbose_name_plural = "Routes"
    per_page = ROWS_ON_A_PRODUCT
    show_change_link = True
    hide_title = False  # the change link stands there


@admin.register(Product)
class ProductAdmin(PlanAdmin):
    list_display = (
        name_column(),
        "plant",
        "unit",
        amount_column("profit_per_unit", title="profit / unit"),
        amount_column("min_demand"),
        amount_column("max_demand"),
        amount_column("initial_inventory", title="opening stock"),
        amount_column("holding_cost_per_unit", title="holding / unit"),
        flag_column("whole_units", on="whole"),
        flag_column("active", title="state", off="not active", on=""),
    )
    list_filter = ("plant", "active", "whole_units")
    list_select_related = ("plant",)
    search_fields = ("name",)
    inlines = (RecipeInline, MaterialInline, ComponentInline, ByProductInline, RouteInline)
    empty_hint = "Add what the plant makes, buys or sells; then give each product its recipe on its page."
    fieldsets = (
        (None, {"fields": (("plant", "name"), ("unit", "whole_units"), "active")}),
        ("Profit and cost", {"fields": (("profit_per_unit", "production_cost_per_unit"),)}),
        (
            "Demand per period",
            {
                "fields": (
                    ("min_demand", "max_demand"),
                    ("backlog_cost_per_unit", "shortage_cost_per_unit"),
                )
            },
        ),
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
        ("Buying in", {"fields": (("purchase_cost_per_unit", "max_purchase"),)}),
        ("Batches per route and period", {"fields": (("min_batch_size", "max_batch_size"),)}),
    )


@admin.register(ProductPeriod)
class ProductPeriodAdmin(GridDoors, PlanAdmin):
    owner = "product"
    list_display = (
        "product",
        "period",
        "product__plant",
        period_amount_column("profit_per_unit", title="profit / unit"),
        period_amount_column("min_demand"),
        period_amount_column("max_demand"),
        period_amount_column("min_inventory"),
        period_amount_column("max_inventory"),
        period_amount_column("max_purchase"),
        period_amount_column("max_batch_size"),
    )
    list_filter = ("product__plant",)
    list_select_related = ("product__plant", "period")
    search_fields = ("product__name", "period__name")
    empty_hint = "Every product is the same in all periods. Add a row where one period differs."
    fieldsets = (
        (None, {"fields": (("product", "period"),)}),
        ("Profit and cost", {"fields": (("profit_per_unit", "production_cost_per_unit"),)}),
        ("Demand", {"fields": (("min_demand", "max_demand"),)}),
        ("Stock", {"fields": (("min_inventory", "max_inventory"), "holding_cost_per_unit")}),
        ("Buying in", {"fields": (("purchase_cost_per_unit", "max_purchase"),)}),
        ("Batches per route", {"fields": (("min_batch_size", "max_batch_size"),)}),
    )


@admin.register(Route)
class RouteAdmin(PlanAdmin):
    owner = "product"
    list_display = (
        name_column(),
        "product",
        "product__plant",
        amount_column("cost_per_unit", title="cost / unit"),
        amount_column("setup_cost"),
        amount_column("min_batch_size"),
        amount_column("max_batch_size"),
        flag_column("active", title="state", off="not active", on=""),
    )
    list_filter = ("product__plant", "active")
    list_select_related = ("product__plant",)
    search_fields = ("name", "product__name")
    empty_hint = "Products without routes have one way of making them. Add routes where there are several."
    fieldsets = (
        (None, {"fields": (("product", "name"), "active")}),
        ("Cost", {"fields": (("cost_per_unit", "setup_cost"),)}),
        ("Batches per period", {"fields": (("min_batch_size", "max_batch_size"),)}),
    )


@admin.register(RoutePeriod)
class RoutePeriodAdmin(GridDoors, PlanAdmin):
    owner = "route"
    list_display = (
        "route",
        "route__product",
        "period",
        "route__product__plant",
        period_amount_column("cost_per_unit", title="cost / unit"),
        period_amount_column("setup_cost"),
        period_amount_column("min_batch_size"),
        period_amount_column("max_batch_size"),
    )
    list_filter = ("route__product__plant",)
    list_select_related = ("route__product__plant", "period")
    search_fields = ("route__product__name", "route__name", "period__name")
    empty_hint = "Every route is the same in all periods. Add a row where one period differs."

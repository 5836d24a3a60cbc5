"""What making a unit takes and yields. A blank route holds for every route of the product."""

from __future__ import annotations

from django.db import models

from .fields import amount, amount_constraints, required_amount
from .products import Product, Route
from .resources import Machine, RawMaterial

ROUTE_HELP = "Blank: for every route of the product."


def unique_with_route(prefix: str, *names: str) -> list[models.BaseConstraint]:
    """Return the key of a recipe row: `names` and the route, where a blank route counts as a value."""
    return [
        models.UniqueConstraint(fields=[*names, "route"], name=f"{prefix}_unique"),
        models.UniqueConstraint(
            fields=[*names], condition=models.Q(route__isnull=True), name=f"{prefix}_unique_blank_route"
        ),
    ]


class ProductionRecipe(models.Model):
    """Hours of a machine that a unit of a product takes, and what its setup takes."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="production_recipes")
    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="production_recipes")
    route = models.ForeignKey(
        Route, on_delete=models.CASCADE, null=True, blank=True, related_name="production_recipes", help_text=ROUTE_HELP
    )
    hours_required = amount("Hours of the machine per unit made.")
    setup_hours = amount("Hours of the machine per period in which the route is used.")
    setup_cost = amount("Money per period in which the route is used.")

    class Meta:
        ordering = ["id"]
        constraints = [
            *unique_with_route("production_recipe", "product", "machine"),
            *amount_constraints("production_recipe", "hours_required", "setup_hours", "setup_cost"),
        ]

    def __str__(self) -> str:
        return " / ".join(str(part) for part in (self.product, self.machine, self.route) if part)


class MaterialRequirement(models.Model):
    """Units of a raw material that a unit of a product takes."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="material_requirements")
    material = models.ForeignKey(RawMaterial, on_delete=models.CASCADE, related_name="material_requirements")
    route = models.ForeignKey(
        Route,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="material_requirements",
        help_text=ROUTE_HELP,
    )
    quantity_required = required_amount("Units of the material per unit made.")

    class Meta:
        ordering = ["id"]
        constraints = [
            *unique_with_route("material_requirement", "product", "material"),
            *amount_constraints("material_requirement", "quantity_required"),
        ]

    def __str__(self) -> str:
        return " / ".join(str(part) for part in (self.product, self.material, self.route) if part)


class ComponentRequirement(models.Model):
    """Units of another product that a unit of a product takes."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="component_requirements")
    component = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="used_in")
    route = models.ForeignKey(
        Route,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="component_requirements",
        help_text=ROUTE_HELP,
    )
    quantity_required = required_amount("Units of the component per unit made.")

    class Meta:
        ordering = ["id"]
        constraints = [
            *unique_with_route("component_requirement", "product", "component"),
            *amount_constraints("component_requirement", "quantity_required"),
        ]

    def __str__(self) -> str:
        return " / ".join(str(part) for part in (self.product, self.component, self.route) if part)


class ByProduct(models.Model):
    """Units of another product that come out with a unit of a product."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="by_products")
    by_product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="yielded_by")
    route = models.ForeignKey(
        Route, on_delete=models.CASCADE, null=True, blank=True, related_name="by_products", help_text=ROUTE_HELP
    )
    quantity_produced = required_amount("Units of the by-product per unit made.")

    class Meta:
        ordering = ["id"]
        constraints = [
            *unique_with_route("by_product", "product", "by_product"),
            *amount_constraints("by_product", "quantity_produced"),
        ]

    def __str__(self) -> str:
        return " / ".join(str(part) for part in (self.product, self.by_product, self.route) if part)

"""Products, the ways of making them, and what holds in a single period."""

from __future__ import annotations

from django.db import models

from .fields import amount, amount_constraints, name_constraint, name_field, validate_text
from .plant import Period, Plant

BLANK_IS_PARENT = "Blank: as the parent row says."


class Product(models.Model):
    """What is made, bought, stored and sold."""

    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="products")
    name = name_field()
    unit = models.CharField(
        max_length=50,
        default="unit",
        validators=[validate_text],
        help_text="The unit of every quantity of this product.",
    )
    profit_per_unit = amount("Money per unit sold.", signed=True)
    production_cost_per_unit = amount("Money per unit made.", signed=True)
    min_demand = amount("Units per period that customers require.")
    max_demand = amount("Units per period that can be sold at most. Blank: no limit.", default=None)
    holding_cost_per_unit = amount(
        "Money per unit in stock at the end of a period. Blank: it can't be stored; what is left over lapses.",
        default=None,
    )
    initial_inventory = amount("Units in stock before the first period.")
    min_inventory = amount("Units in stock at the end of each period, at least.")
    max_inventory = amount("Units in stock at the end of each period, at most. Blank: no limit.", default=None)
    final_inventory = amount("Units in stock at the end of the last period, at least.")
    backlog_cost_per_unit = amount(
        "Money per unit delivered late and period. Blank: demand can't be delivered late.", default=None
    )
    shortage_cost_per_unit = amount("Money per unit never delivered. Blank: demand can't be left unmet.", default=None)
    purchase_cost_per_unit = amount("Money per unit bought. Blank: it can't be bought.", default=None)
    max_purchase = amount("Units bought per period, at most. Blank: no limit.", default=None)
    min_batch_size = amount("Units made on a route in a period where it is used, at least.")
    max_batch_size = amount("Units made on a route in a period, at most. Blank: no limit.", default=None)
    whole_units = models.BooleanField(default=False, help_text="Make whole units only.")
    active = models.BooleanField(
        default=True, help_text="Off: neither made, bought nor sold; its demand, stock and orders do not count."
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["plant", "name"], name="product_name_unique"),
            name_constraint("product"),
            *amount_constraints(
                "product",
                "min_demand",
                "max_demand",
                "holding_cost_per_unit",
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
                signed=["profit_per_unit", "production_cost_per_unit"],
                pairs=[
                    ("min_demand", "max_demand"),
                    ("min_inventory", "max_inventory"),
                    ("min_batch_size", "max_batch_size"),
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ProductPeriod(models.Model):
    """What is different for a product in one period."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="product_periods")
    period = models.ForeignKey(Period, on_delete=models.CASCADE, related_name="product_periods")
    profit_per_unit = amount(f"Money per unit sold. {BLANK_IS_PARENT}", default=None, signed=True)
    production_cost_per_unit = amount(f"Money per unit made. {BLANK_IS_PARENT}", default=None, signed=True)
    min_demand = amount(f"Units that customers require. {BLANK_IS_PARENT}", default=None)
    max_demand = amount(f"Units that can be sold at most. {BLANK_IS_PARENT}", default=None)
    holding_cost_per_unit = amount(f"Money per unit in stock at the end. {BLANK_IS_PARENT}", default=None)
    min_inventory = amount(f"Units in stock at the end, at least. {BLANK_IS_PARENT}", default=None)
    max_inventory = amount(f"Units in stock at the end, at most. {BLANK_IS_PARENT}", default=None)
    purchase_cost_per_unit = amount(f"Money per unit bought. {BLANK_IS_PARENT}", default=None)
    max_purchase = amount(f"Units bought, at most. {BLANK_IS_PARENT}", default=None)
    min_batch_size = amount(f"Units made on a route that is used, at least. {BLANK_IS_PARENT}", default=None)
    max_batch_size = amount(f"Units made on a route, at most. {BLANK_IS_PARENT}", default=None)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "period"], name="product_period_unique"),
            *amount_constraints(
                "product_period",
                "min_demand",
                "max_demand",
                "holding_cost_per_unit",
                "min_inventory",
                "max_inventory",
                "purchase_cost_per_unit",
                "max_purchase",
                "min_batch_size",
                "max_batch_size",
                signed=["profit_per_unit", "production_cost_per_unit"],
                pairs=[
                    ("min_demand", "max_demand"),
                    ("min_inventory", "max_inventory"),
                    ("min_batch_size", "max_batch_size"),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} / {self.period}"


class Route(models.Model):
    """One way of making a product. A product without routes has a single way without a name."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="routes")
    name = name_field()
    cost_per_unit = amount("Money per unit made on this route.", signed=True)
    setup_cost = amount("Money per period in which the route is used.")
    min_batch_size = amount("Units made in a period in which the route is used, at least.")
    max_batch_size = amount("Units made in a period, at most. Blank: no limit.", default=None)
    active = models.BooleanField(default=True, help_text="Off: the route is not used.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "name"], name="route_name_unique"),
            name_constraint("route"),
            *amount_constraints(
                "route",
                "setup_cost",
                "min_batch_size",
                "max_batch_size",
                signed=["cost_per_unit"],
                pairs=[("min_batch_size", "max_batch_size")],
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RoutePeriod(models.Model):
    """What is different for a route in one period."""

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="route_periods")
    period = models.ForeignKey(Period, on_delete=models.CASCADE, related_name="route_periods")
    cost_per_unit = amount(f"Money per unit made on this route. {BLANK_IS_PARENT}", default=None, signed=True)
    setup_cost = amount(f"Money if the route is used. {BLANK_IS_PARENT}", default=None)
    min_batch_size = amount(f"Units made if the route is used, at least. {BLANK_IS_PARENT}", default=None)
    max_batch_size = amount(f"Units made, at most. {BLANK_IS_PARENT}", default=None)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["route", "period"], name="route_period_unique"),
            *amount_constraints(
                "route_period",
                "setup_cost",
                "min_batch_size",
                "max_batch_size",
                signed=["cost_per_unit"],
                pairs=[("min_batch_size", "max_batch_size")],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.route} / {self.period}"

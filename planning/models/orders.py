"""Customers, their orders, and the planner's goals."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .fields import amount, amount_constraints, name_constraint, name_field, required_amount, validate_amount, whole
from .plant import Period, Plant
from .products import Product


class Customer(models.Model):
    """Who orders; the tier gives an order its priority where the order has none of its own."""

    class Tier(models.TextChoices):
        GOLD = "GOLD", "Gold"
        SILVER = "SILVER", "Silver"
        BRONZE = "BRONZE", "Bronze"

    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="customers")
    name = name_field()
    tier = models.CharField(max_length=6, choices=Tier.choices, default=Tier.BRONZE)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["plant", "name"], name="customer_name_unique"),
            name_constraint("customer"),
            models.CheckConstraint(condition=Q(tier__in=["GOLD", "SILVER", "BRONZE"]), name="customer_tier_known"),
        ]

    def __str__(self) -> str:
        return self.name


class CustomerOrder(models.Model):
    """What a customer wants of a product in a period."""

    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="customer_orders")
    reference = name_field()
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="customer_orders")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="customer_orders")
    period = models.ForeignKey(Period, on_delete=models.CASCADE, related_name="customer_orders")
    target_quantity = required_amount("Units ordered.")
    weight = amount("Weight of a missing unit within its priority.", default=1.0)
    priority = whole(
        "1 comes first. Blank: by the customer's tier (gold 1, silver 2, bronze 3).", default=None, minimum=1
    )
    late_cost_per_unit = amount(
        "Money per unit and period late. Blank: it can't be delivered in a later period.", default=None
    )
    active = models.BooleanField(default=True, help_text="Off: the order does not count.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["plant", "reference"], name="customer_order_reference_unique"),
            name_constraint("customer_order", "reference"),
            *amount_constraints("customer_order", "target_quantity", "weight", "late_cost_per_unit"),
            models.CheckConstraint(condition=Q(priority__gte=1), name="customer_order_priority_from_1"),
        ]

    def __str__(self) -> str:
        return self.reference


class Goal(models.Model):
    """A target that comes before profit, by priority."""

    class Measure(models.TextChoices):
        PROFIT = "profit", "Profit"
        MACHINE_HOURS = "machine_hours", "Machine hours"
        MATERIAL_QUANTITY = "material_quantity", "Material quantity"
        PRODUCTION = "production", "Production"
        SALES = "sales", "Sales"
        OVERTIME_HOURS = "overtime_hours", "Overtime hours"

    class Sense(models.TextChoices):
        AT_LEAST = "at_least", "At least"
        AT_MOST = "at_most", "At most"
        EXACTLY = "exactly", "Exactly"

    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="goals")
    name = name_field()
    priority = whole("1 comes first.", default=1, minimum=1)
    measure = models.CharField(max_length=20, choices=Measure.choices)
    target_name = models.CharField(
        max_length=200, blank=True, default="", help_text="The machine, material or product; blank for profit."
    )
    sense = models.CharField(max_length=10, choices=Sense.choices)
    target = models.FloatField(
        validators=[validate_amount], help_text="Money, hours or units, as the measure says, over all periods."
    )
    weight_under = amount("Weight of a unit below the target, within the priority.", default=1.0)
    weight_over = amount("Weight of a unit above the target, within the priority.", default=1.0)
    active = models.BooleanField(default=True, help_text="Off: the goal does not count.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["plant", "name"], name="goal_name_unique"),
            name_constraint("goal"),
            *amount_constraints("goal", "weight_under", "weight_over", signed=["target"]),
            models.CheckConstraint(condition=Q(priority__gte=1), name="goal_priority_from_1"),
            models.CheckConstraint(
                condition=Q(measure="profit", target_name="") | (~Q(measure="profit") & ~Q(target_name="")),
                name="goal_target_name_by_measure",
                violation_error_message="target_name is blank for profit, and names a row for every other measure.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

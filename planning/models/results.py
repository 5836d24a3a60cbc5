"""The plan of a run, as rows that name what they are about. They follow the order of the tables."""

from __future__ import annotations

from django.db import models

from .orders import Goal
from .runs import Run


class ResultRow(models.Model):
    """What all rows of a plan share."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="%(class)s_rows")

    class Meta:
        abstract = True
        ordering = ["id"]


class Production(ResultRow):
    """What is made of a product on a route in a period."""

    product = models.CharField(max_length=200)
    route = models.CharField(max_length=200, blank=True)
    period = models.CharField(max_length=200)
    quantity = models.FloatField(help_text="Units made.")
    setup = models.BooleanField(help_text="The route is set up in this period.")

    class Meta(ResultRow.Meta):
        verbose_name_plural = "production"

    def __str__(self) -> str:
        return f"{self.product} {self.period}"


class ProductBalance(ResultRow):
    """Where the units of a product came from and went in a period."""

    product = models.CharField(max_length=200)
    period = models.CharField(max_length=200)
    made = models.FloatField(help_text="Units made.")
    yielded = models.FloatField(help_text="Units that came out as a by-product.")
    bought = models.FloatField(help_text="Units bought.")
    sold = models.FloatField(help_text="Units sold.")
    used = models.FloatField(help_text="Units that went into other products.")
    lapsed = models.FloatField(help_text="Units left over that could not be stored.")
    stock = models.FloatField(help_text="Units in stock at the end.")
    backlog = models.FloatField(help_text="Units owed to customers at the end.")
    short = models.FloatField(help_text="Units of demand never delivered.")

    def __str__(self) -> str:
        return f"{self.product} {self.period}"


class Utilization(ResultRow):
    """How much of a machine or a material a period uses, and what one more would be worth."""

    class ResourceType(models.TextChoices):
        MACHINE = "machine", "Machine"
        MATERIAL = "material", "Material"

    resource_type = models.CharField(max_length=10, choices=ResourceType.choices)
    resource = models.CharField(max_length=200)
    period = models.CharField(max_length=200)
    used = models.FloatField(help_text="Hours or units used, setups included.")
    available = models.FloatField(null=True, help_text="Hours or units within the limit. Blank: no limit.")
    utilization_pct = models.FloatField(null=True, help_text="Percent of what is available.")
    overtime = models.FloatField(help_text="Hours of overtime.")
    units_down = models.FloatField(help_text="Units of the machine that are down.")
    shadow_price = models.FloatField(null=True, help_text="Money that one more hour or unit is worth.")
    shadow_price_low = models.FloatField(null=True, help_text="The price holds down to this limit.")
    shadow_price_high = models.FloatField(null=True, help_text="The price holds up to this limit.")
    shadow_price_more = models.FloatField(
        null=True, help_text="Money that one more hour or unit brings. Blank: not known."
    )
    shadow_price_more_until = models.FloatField(null=True, help_text="That holds up to this limit. Blank: without end.")
    shadow_price_less = models.FloatField(
        null=True, help_text="Money that one less costs. Blank: not known, or no plan has less."
    )
    shadow_price_less_until = models.FloatField(
        null=True, help_text="That holds down to this limit. Blank: without end."
    )

    class Meta(ResultRow.Meta):
        verbose_name_plural = "utilization"

    def __str__(self) -> str:
        return f"{self.resource} {self.period}"


class MaterialBalance(ResultRow):
    """Where the units of a raw material came from and went in a period."""

    material = models.CharField(max_length=200)
    period = models.CharField(max_length=200)
    supplied = models.FloatField(help_text="Units delivered by suppliers.")
    used = models.FloatField(help_text="Units used in production.")
    lapsed = models.FloatField(help_text="Units left over that could not be stored.")
    stock = models.FloatField(help_text="Units in stock at the end.")

    def __str__(self) -> str:
        return f"{self.material} {self.period}"


class OrderResult(ResultRow):
    """What a customer order gets."""

    reference = models.CharField(max_length=200)
    product = models.CharField(max_length=200)
    period = models.CharField(max_length=200)
    target = models.FloatField(help_text="Units ordered.")
    delivered = models.FloatField(help_text="Units delivered, late ones included.")
    late = models.FloatField(help_text="Units delivered after the order's period.")
    shortfall = models.FloatField(help_text="Units never delivered.")
    deliveries = models.JSONField(default=list, help_text="Units per period.")

    def __str__(self) -> str:
        return self.reference


class GoalResult(ResultRow):
    """How far a goal was missed, in its own unit."""

    priority = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    sense = models.CharField(max_length=10, choices=Goal.Sense.choices, help_text="at_least, at_most or exactly.")
    target = models.FloatField(help_text="What the goal wants, in its own unit.")
    under = models.FloatField(help_text="Missing to the target.")
    over = models.FloatField(help_text="Beyond the target.")

    def __str__(self) -> str:
        return self.name


RESULT_TABLES: tuple[type[ResultRow], ...] = (
    Production,
    ProductBalance,
    Utilization,
    MaterialBalance,
    OrderResult,
    GoalResult,
)

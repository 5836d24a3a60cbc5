"""Machines and raw materials, and what holds in a single period."""

from __future__ import annotations

from django.db import models

from .fields import amount, amount_constraints, name_constraint, name_field, validate_text, whole
from .plant import Period, Plant
from .products import BLANK_IS_PARENT


class Machine(models.Model):
    """A machine, or several of the same kind."""

    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="machines")
    name = name_field()
    available_hours = amount("Hours per period and unit of the machine. Blank: no limit.", default=None)
    units = whole("Number of machines of this kind.", default=1)
    maintenance_units = whole("Units to be taken down for one period each; the plan chooses when.")
    max_overtime_hours = amount("Hours of overtime per period, at most. Blank: no limit.", default=None)
    overtime_cost_per_hour = amount("Money per hour of overtime. Blank: no overtime.", default=None)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["plant", "name"], name="machine_name_unique"),
            name_constraint("machine"),
            *amount_constraints("machine", "available_hours", "max_overtime_hours", "overtime_cost_per_hour"),
        ]

    def __str__(self) -> str:
        return self.name


class MachinePeriod(models.Model):
    """What is different for a machine in one period."""

    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="machine_periods")
    period = models.ForeignKey(Period, on_delete=models.CASCADE, related_name="machine_periods")
    available_hours = amount(f"Hours per unit of the machine. {BLANK_IS_PARENT}", default=None)
    units_down = whole("Units that are down. Blank: 0.", default=None)
    max_overtime_hours = amount(f"Hours of overtime, at most. {BLANK_IS_PARENT}", default=None)
    overtime_cost_per_hour = amount(f"Money per hour of overtime. {BLANK_IS_PARENT}", default=None)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["machine", "period"], name="machine_period_unique"),
            *amount_constraints("machine_period", "available_hours", "max_overtime_hours", "overtime_cost_per_hour"),
        ]

    def __str__(self) -> str:
        return f"{self.machine} / {self.period}"


class RawMaterial(models.Model):
    """What production uses up and suppliers deliver."""

    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="raw_materials")
    name = name_field()
    unit = models.CharField(
        max_length=50,
        default="unit",
        validators=[validate_text],
        help_text="The unit of every quantity of this material.",
    )
    available_quantity = amount("Units of new supply per period, at most. Blank: no limit.", default=None)
    cost_per_unit = amount("Money per unit supplied; counts if the plant charges materials.", signed=True)
    holding_cost_per_unit = amount(
        "Money per unit in stock at the end of a period. Blank: it can't be stored; what is left over lapses.",
        default=None,
    )
    initial_inventory = amount("Units in stock before the first period.")
    min_inventory = amount("Units in stock at the end of each period, at least.")
    max_inventory = amount("Units in stock at the end of each period, at most. Blank: no limit.", default=None)
    final_inventory = amount("Units in stock at the end of the last period, at least.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["plant", "name"], name="raw_material_name_unique"),
            name_constraint("raw_material"),
            *amount_constraints(
                "raw_material",
                "available_quantity",
                "holding_cost_per_unit",
                "initial_inventory",
                "min_inventory",
                "max_inventory",
                "final_inventory",
                signed=["cost_per_unit"],
                pairs=[("min_inventory", "max_inventory")],
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RawMaterialPeriod(models.Model):
    """What is different for a raw material in one period."""

    material = models.ForeignKey(RawMaterial, on_delete=models.CASCADE, related_name="raw_material_periods")
    period = models.ForeignKey(Period, on_delete=models.CASCADE, related_name="raw_material_periods")
    available_quantity = amount(f"Units of new supply, at most. {BLANK_IS_PARENT}", default=None)
    cost_per_unit = amount(f"Money per unit supplied. {BLANK_IS_PARENT}", default=None, signed=True)
    holding_cost_per_unit = amount(f"Money per unit in stock at the end. {BLANK_IS_PARENT}", default=None)
    min_inventory = amount(f"Units in stock at the end, at least. {BLANK_IS_PARENT}", default=None)
    max_inventory = amount(f"Units in stock at the end, at most. {BLANK_IS_PARENT}", default=None)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["material", "period"], name="raw_material_period_unique"),
            *amount_constraints(
                "raw_material_period",
                "available_quantity",
                "holding_cost_per_unit",
                "min_inventory",
                "max_inventory",
                signed=["cost_per_unit"],
                pairs=[("min_inventory", "max_inventory")],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.material} / {self.period}"

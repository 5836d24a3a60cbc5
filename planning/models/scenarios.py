"""Scenarios: named sets of changes to the data."""

from __future__ import annotations

from django.db import models

from .fields import name_constraint, name_field, validate_amount, validate_text
from .plant import Plant

BASELINE = "Baseline"


class Scenario(models.Model):
    """A named set of changes; every plant has `Baseline`, which has none."""

    class GoalMode(models.TextChoices):
        LEXICOGRAPHIC = "lexicographic", "Lexicographic: priority by priority"
        WEIGHTED = "weighted", "Weighted: all at once"

    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="scenarios")
    name = name_field()
    parent = models.ForeignKey(
        "self",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="children",
        help_text="The scenario whose changes come first.",
    )
    description = models.TextField(blank=True, default="", validators=[validate_text])
    goal_mode = models.CharField(
        max_length=20,
        choices=GoalMode.choices,
        blank=True,
        default="",
        help_text="Blank: as the parent, else lexicographic.",
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["plant", "name"], name="scenario_name_unique"),
            name_constraint("scenario"),
        ]
        permissions = [
            ("run_scenario", "Can run scenarios"),
            ("promote_scenario", "Can promote a scenario's changes to the base data"),
        ]

    def __str__(self) -> str:
        return self.name


class ScenarioChange(models.Model):
    """One change to a field of a row, of every row, in one period or in all. They apply in their order."""

    class Operation(models.TextChoices):
        SET = "set", "Set to"
        MULTIPLY = "multiply", "Multiply by"
        ADD = "add", "Add"

    scenario = models.ForeignKey(Scenario, on_delete=models.CASCADE, related_name="scenario_changes")
    table = models.CharField(max_length=50, validators=[validate_text], help_text="A table of the plan format.")
    row = models.CharField(
        max_length=1000,
        validators=[validate_text],
        help_text='The row\'s name, or the parts of its key joined by " / "; * for every row.',
    )
    period = models.CharField(max_length=200, blank=True, default="", help_text="A period's name. Blank: every period.")
    field = models.CharField(max_length=50, validators=[validate_text])
    operation = models.CharField(max_length=10, choices=Operation.choices, default=Operation.SET)
    value = models.FloatField(
        null=True,
        blank=True,
        validators=[validate_amount],
        help_text="A number; 1 and 0 for true and false. Blank with set: takes the limit or the option away.",
    )
    note = models.TextField(blank=True, default="", validators=[validate_text])

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.table} {self.row} {self.field} {self.operation} {self.value}"

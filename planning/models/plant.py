"""The plant and its periods."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from .fields import name_constraint, name_field, validate_text, whole


class Plant(models.Model):
    """One plant: every other row of the data hangs on it."""

    name = name_field(unique=True)
    currency = models.CharField(
        max_length=20, default="USD", validators=[validate_text], help_text="The unit of every amount of money."
    )
    charge_materials = models.BooleanField(
        default=False,
        help_text="Charge the supply of raw materials in the profit. Off: profit per unit is net of material cost.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [name_constraint("plant")]
        permissions = [
            ("import_plan", "Can import plans"),
            ("export_plan", "Can export plans"),
        ]

    def __str__(self) -> str:
        return self.name


class Period(models.Model):
    """A stretch of time of the plan, in the order of its sequence number."""

    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="periods")
    sequence = whole("Position in time; gaps are allowed.", default=1, minimum=1)
    name = name_field()
    start_date = models.DateField(null=True, blank=True)
    end_date = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["plant", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["plant", "sequence"], name="period_sequence_unique"),
            models.UniqueConstraint(fields=["plant", "name"], name="period_name_unique"),
            name_constraint("period"),
            models.CheckConstraint(condition=Q(sequence__gte=1), name="period_sequence_from_1"),
            models.CheckConstraint(
                condition=Q(start_date__lte=F("end_date")),
                name="period_end_from_start",
                violation_error_message="end_date is before start_date. Correct one of them.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class StagedUpload(models.Model):
    """A plan file that somebody has uploaded and not imported yet: what is previewed is what is imported."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="staged_uploads")
    created_at = models.DateTimeField(auto_now_add=True)
    name = models.CharField(max_length=200, help_text="The file's name.")
    content = models.BinaryField()
    plant = models.ForeignKey(
        Plant,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        help_text="Whose tables they are. Blank: a whole plant.",
    )
    table = models.CharField(max_length=50, blank=True, default="", help_text="Of a CSV file. Blank: as it is called.")
    replace = models.BooleanField(default=False, help_text="Rows of these tables that the file lacks are removed.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

"""The form of a scenario's change: tables, fields and periods to choose from instead of words to remember."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from planning.models import BASELINE, TABLES, FormatTable, Period, Scenario

from .forms import PlanForm, PlanFormSet

NUMBERS = (models.FloatField, models.IntegerField, models.BooleanField)


def changeable(table: FormatTable) -> list[str]:
    """Return the fields of a table that a scenario can change: its numbers and switches, but no key."""
    return [name for name, field in table.fields.items() if isinstance(field, NUMBERS) and name not in table.key]


FIELDS = {table.name: fields for table in TABLES if (fields := changeable(table)) and table.name != "scenario_changes"}
FIELDS_JSON = json.dumps(FIELDS)
ALL_FIELDS = list(dict.fromkeys(name for fields in FIELDS.values() for name in fields))


def choices(names: Any) -> list[tuple[str, str]]:
    """Return names as the options of a select."""
    return [(name, name.replace("_", " ")) for name in names]


def period_field(scenario: Scenario | None) -> forms.ChoiceField:
    """Return the field for the period: every period, or one of the plant."""
    names = Period.objects.filter(plant=scenario.plant).values_list("name", flat=True) if scenario else []
    return forms.ChoiceField(
        choices=[("", "every period"), *((name, name) for name in names)],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )


class ScenarioChangeForm(PlanForm):
    """One change; a stored name that exists no more stays visible, and is refused in words."""

    table = forms.ChoiceField(choices=[("", "–"), *choices(FIELDS)], widget=UnfoldAdminSelectWidget)
    field = forms.ChoiceField(choices=[("", "–"), *choices(ALL_FIELDS)], widget=UnfoldAdminSelectWidget)
    note = forms.CharField(required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 1}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("table", "field", "period"):
            stored = self.initial.get(name)
            field = self.fields.get(name)
            if stored and isinstance(field, forms.ChoiceField) and stored not in dict(field.choices):
                field.choices = [*field.choices, (stored, f"{stored} (unknown)")]
        if "field" in self.fields:
            self.fields["field"].widget.attrs["data-fields"] = FIELDS_JSON
        if "row" in self.fields:
            self.fields["row"].widget.attrs["placeholder"] = "name, or * for all"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        table, field, period = (cleaned.get(name) for name in ("table", "field", "period"))
        if table and table not in FIELDS:
            self.add_error("table", f'There is no table "{table}" that a scenario can change. Choose one of the list.')
        elif table and field and field not in FIELDS[table]:
            words = ", ".join(FIELDS[table])
            self.add_error("field", f'The table {table} has no field "{field}". Choose one of {words}.')
        scenario = self.instance.scenario if self.instance.scenario_id else None
        if period and scenario and not Period.objects.filter(plant=scenario.plant_id, name=period).exists():
            self.add_error("period", f'The plant has no period "{period}". Choose one of the list.')
        if cleaned.get("operation") != "set" and cleaned.get("value") is None and "value" in cleaned:
            self.add_error("value", "Give the number to multiply by or to add.")
        return cleaned


class ScenarioChangeFormSet(PlanFormSet):
    """The changes of a scenario; Baseline has none."""

    def clean(self) -> None:
        super().clean()
        if self.instance.name == BASELINE and any(form.has_changed() for form in self.forms):
            raise ValidationError(f"{BASELINE} has no changes. Add a scenario of your own.")

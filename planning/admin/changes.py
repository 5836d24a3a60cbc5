"""The form of a scenario's change: tables, fields and periods to choose from instead of words to remember."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from planning.exchange.changes import changeable_fields, fields_per_period, wrong_in_change, wrong_value
from planning.exchange.faults import FaultList
from planning.models import BASELINE, TABLES, Period, Scenario

from .forms import PlanForm, PlanFormSet

FIELDS = {table.name: list(fields) for table in TABLES if (fields := changeable_fields(table.name))}
FIELDS_JSON = json.dumps(FIELDS)
PER_PERIOD_JSON = json.dumps({name: sorted(fields_per_period(name)) for name in FIELDS})
ALL_FIELDS = list(dict.fromkeys(name for fields in FIELDS.values() for name in fields))


def choices(names: Any) -> list[tuple[str, str]]:
    """Return names as the options of a select."""
    return [("", "–"), *((name, name.replace("_", " ")) for name in names)]


def period_field(scenario: Scenario | None) -> forms.ChoiceField:
    """Return the field for the period: every period, or one of the plant."""
    names = Period.objects.filter(plant=scenario.plant).values_list("name", flat=True) if scenario else []
    return forms.ChoiceField(
        choices=[("", "every period"), *((name, name) for name in names)],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )


class ScenarioChangeForm(PlanForm):
    """One change, under the rules of the import; a stored name that exists no more is shown and refused."""

    table = forms.ChoiceField(choices=choices(FIELDS), widget=UnfoldAdminSelectWidget)
    field = forms.ChoiceField(choices=choices(ALL_FIELDS), widget=UnfoldAdminSelectWidget)
    note = forms.CharField(required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 1, "placeholder": "Note"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("table", "field", "period"):
            stored = self.initial.get(name)
            field: Any = self.fields.get(name)
            if stored and field is not None and stored not in dict(field.choices):
                field.choices = [*field.choices, (stored, f"{stored} (unknown)")]
        if "field" in self.fields and str(self.prefix).endswith("__prefix__"):  # once a page, for the script
            self.fields["field"].widget.attrs |= {"data-fields": FIELDS_JSON, "data-per-period": PER_PERIOD_JSON}
        if "row" in self.fields:
            attrs = {"placeholder": "name, or * for all", "list": f"{self.prefix}-rows", "autocomplete": "off"}
            self.fields["row"].widget.attrs |= attrs
        if "value" in self.fields:
            self.fields["value"].widget.attrs["placeholder"] = "blank"
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = name.capitalize()

    @cached_property
    def changed_data(self) -> list[str]:
        """What was entered; another place among the changes is no other change."""
        names: list[str] = super().changed_data
        return [name for name in names if name != "ORDER"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        row = {name: cleaned.get(name) for name in ("table", "field", "period", "operation", "value")}
        scenario = self.instance.scenario if self.instance.scenario_id else None
        row["scenario"] = scenario.name if scenario else None
        for column, text in wrong_in_change(row, FaultList()):
            self.add_error(column if column in self.fields else None, text)
        if "value" in cleaned:
            value = cleaned["value"]
            if text := wrong_value(row, "" if value is None else f"{value:g}"):
                self.add_error("value", text)
        period = row["period"]
        if period and scenario and not Period.objects.filter(plant=scenario.plant_id, name=period).exists():
            self.add_error("period", f'The plant has no period "{period}". Choose one of the list.')
        return cleaned


class ScenarioChangeFormSet(PlanFormSet):
    """The changes of a scenario in their order; Baseline has none."""

    ordering_widget = forms.HiddenInput

    def clean(self) -> None:
        super().clean()
        if self.instance.name == BASELINE and any(form.has_changed() for form in self.forms):
            raise ValidationError(f"{BASELINE} has no changes. Add a scenario of your own.")

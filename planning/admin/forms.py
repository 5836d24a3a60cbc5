"""Forms of the tables: relations inside one plant, keys without doubles, numbers without tails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, Model, UniqueConstraint
from django.forms import ModelForm
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from .same_plant import foreign_keys, plant_of, strays


class AmountInput(UnfoldAdminDecimalFieldWidget):
    """A number field that shows 45 for 45.0, with all digits that were given."""

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, float):
            shortest = repr(value)
            return shortest.removesuffix(".0")
        return super().format_value(value)


class PlantAutocomplete(AutocompleteSelect):
    """An autocomplete that offers the rows of one plant, and names the plant where it offers all."""

    url_name = "%s:planning_autocomplete"

    def __init__(self, field: Any, admin_site: Any, plant_id: int | None = None, **options: Any) -> None:
        super().__init__(field, admin_site, **options)
        self.plant_id = plant_id
        self.known: Model | None = None  # the chosen row where it is loaded already: saves a query for each form

    def get_url(self) -> str:
        url = super().get_url()
        return f"{url}?plant={self.plant_id}" if self.plant_id else url

    def optgroups(self, name: str, value: Sequence[str], attrs: dict[str, Any] | None = None) -> list[Any]:
        if self.known is not None and list(value) == [str(self.known.pk)]:
            option = self.create_option(name, self.known.pk, str(self.known), True, 0, attrs=attrs)
            blank = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
            return [(None, [*blank, option], 0)]
        if not any(value):
            return [(None, [] if self.is_required else [self.create_option(name, "", "", False, 0)], 0)]
        return super().optgroups(name, value, attrs)


def unique_keys(model: type[Model]) -> list[tuple[str, ...]]:
    """Return the keys of a table."""
    return [
        tuple(constraint.fields)
        for constraint in model._meta.constraints
        if isinstance(constraint, UniqueConstraint) and constraint.condition is None
    ]


def related_rows(instance: Model, cleaned: dict[str, Any], field_names: Any) -> dict[str, Model]:
    """Return the row that each foreign key points to: as entered, or as stored where it can't be entered."""
    related = {}
    for field in foreign_keys(type(instance)):
        row = cleaned.get(field.name) if field.name in field_names else getattr(instance, field.name, None)
        if row is not None:
            related[field.name] = row
    return related


class PlanForm(ModelForm):
    """A form for a row of a plant's data."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        related = related_rows(self.instance, cleaned, self.fields)
        self.take_plant(related)
        for stray in strays(type(self.instance), related):
            name = stray.field if stray.field in self.fields else None
            self.add_error(name, stray.text)
        self.refuse_double_with_blank(cleaned)
        return cleaned

    def take_plant(self, related: dict[str, Model]) -> None:
        """Set the plant of a row that is entered on its parent's page."""
        if "plant" in self.fields or getattr(self.instance, "plant_id", 0) is not None:
            return
        plant = next((plant_of(row) for row in related.values()), None)
        if plant is not None:
            self.instance.plant = plant

    def refuse_double_with_blank(self, cleaned: dict[str, Any]) -> None:
        """Refuse a second row without a route: databases count blanks as different, planners don't."""
        key = next((key for key in unique_keys(type(self.instance)) if "route" in key), None)
        if key is None or self.errors or cleaned.get("route") is not None:
            return
        values = {name: cleaned.get(name, getattr(self.instance, name, None)) for name in key if name != "route"}
        if any(value is None or value.pk is None for value in values.values()):
            return
        others = type(self.instance)._default_manager.filter(route__isnull=True, **values)
        if others.exclude(pk=self.instance.pk).exists():
            names = " and ".join(f'"{value}"' for value in values.values())
            self.add_error("route", f"There is a row for {names} without a route already. Change that row.")

    def _get_validation_exclusions(self) -> set[str]:
        """Keep fixed relations in the validation: without them a doubled key would reach the database."""
        exclude: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        fixed = {
            field.name
            for field in foreign_keys(type(self.instance))
            if field.name not in self.fields and getattr(self.instance, field.attname) is not None
        }
        return exclude - fixed


class PlanFormSet(PaginationInlineFormSet):
    """Rows on their parent's page."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for name, field in form.fields.items():
            widget = getattr(field.widget, "widget", field.widget)
            if field.label:  # the column's heading is not tied to the fields below it
                widget.attrs.setdefault("aria-label", field.label[:1].upper() + field.label[1:])
            if not isinstance(widget, PlantAutocomplete):
                continue
            model_field = form.instance._meta.get_field(name)
            if isinstance(model_field, ForeignKey) and model_field.is_cached(form.instance):
                widget.known = getattr(form.instance, name)

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        for key in unique_keys(self.model):
            seen: dict[tuple[Any, ...], str] = {}
            for form in self.forms:
                if form in self.deleted_forms or not (form.has_changed() or form.instance.pk):
                    continue
                values = tuple(getattr(form.instance, name, None) for name in key)
                words = " / ".join(str(value) for value in values if value is not None)
                if values in seen:
                    raise ValidationError(f'"{words}" stands here twice. Remove one of the rows.')
                seen[values] = words


__all__ = ["AmountInput", "PlanForm", "PlanFormSet", "PlantAutocomplete", "unique_keys"]

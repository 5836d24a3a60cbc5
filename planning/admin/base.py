"""What the pages of all tables share: lists, forms, inlines, and the autocomplete that knows plants."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import models
from django.db.models import QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse, QueryDict
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget

from planning.models import Period, Plant, Product, Route

from .access import RowsToSee, plant_path, rows_to_see
from .amounts import readable
from .edits import edits_of
from .forms import AmountInput, PlanForm, PlanFormSet, PlantAutocomplete
from .grid import row_grid
from .links import links_to
from .list_exports import ExportedList
from .same_plant import foreign_keys, plant_of
from .several import ChangeSeveral
from .units import labels_with_units

WIDGETS = {
    models.FloatField: {"widget": AmountInput},
    models.TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})},
}


class PlantAutocompleteView(AutocompleteJsonView):
    """Answers an autocomplete with the rows of one plant, or with those of all plants, named."""

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        path = plant_path(rows.model)
        plant_id = self.request.GET.get("plant", "")
        if path and plant_id.isdecimal():
            rows = rows.filter(**{f"{path}_id": int(plant_id)})
        return rows.select_related(path) if path else rows

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        result: dict[str, str] = super().serialize_result(obj, to_field_name)  # type: ignore[misc]
        if isinstance(obj, Route):
            result["text"] = f"{obj.product} / {obj}"
        plant = plant_of(obj)
        if plant is not None and plant is not obj and not self.request.GET.get("plant"):
            result["text"] += f" · {plant}"
        return result


class RelatedRows(RowsToSee):
    """Choices of a foreign key: of the page's plant, by search, with one query however many rows."""

    formfield_overrides = WIDGETS

    @cached_property
    def readonly_preprocess_fields(self) -> dict[str, Any]:
        """Show numbers that may only be looked at as people read them."""
        fields = self.model._meta.concrete_fields  # type: ignore[attr-defined]
        numbers = [field.name for field in fields if isinstance(field, models.FloatField | models.PositiveIntegerField)]
        return {name: partial(readable, name) for name in numbers}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        row = getattr(request, "page_row", None)
        plant = plant_of(row) if row is not None else None
        if plant is not None and db_field.related_model in (Period, Route):
            kwargs["queryset"] = self.choices_on_page(db_field, row, plant)
            field = super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]
            return with_loaded_choices(field)
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = PlantAutocomplete(
                db_field,
                self.admin_site,  # type: ignore[attr-defined]
                plant_id=plant.pk if plant is not None else None,
                attrs={"style": "min-width: 14rem"},
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def choices_on_page(self, db_field: Any, row: Any, plant: Plant) -> QuerySet[Any]:
        """Return the periods of the page's plant, or the routes of the page's product."""
        if db_field.related_model is Period:
            return Period.objects.filter(plant=plant).order_by("sequence")
        product = row if isinstance(row, Product) else row.product
        return Route.objects.filter(product=product)

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        """Search in every related table but the plants, which are few, and what the page narrows to a short list."""
        fixed = (Plant, Period, Route) if getattr(request, "page_row", None) is not None else (Plant,)
        fields = foreign_keys(self.model)  # type: ignore[attr-defined]
        return [field.name for field in fields if field.related_model not in fixed]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_add_related = False
            field.widget.can_change_related = False
            field.widget.can_delete_related = False
            field.widget.can_view_related = False
        return field


def with_loaded_choices(field: ModelChoiceField) -> ModelChoiceField:
    """Return the field with its choices read once, for all rows of a formset."""
    rows: QuerySet[Any] = field.queryset  # type: ignore[assignment]
    blank = "every route" if rows.model is Route else "–"
    field.choices = [("", "Select value" if field.required else blank), *((row.pk, str(row)) for row in rows)]
    return field


class PlanAdmin(ChangeSeveral, ExportedList, RelatedRows, ModelAdmin):
    """The pages of one table of a plant's data."""

    form = PlanForm
    actions: tuple[str, ...] = ("change_several",)
    change_form_outer_after_template = "admin/planning/row/after.html"
    owner = "plant"  # fixed once the row exists: others already point into its plant
    list_per_page = 50
    show_full_result_count = False
    warn_unsaved_form = True
    list_filter_sheet = False
    actions_selection_counter = True
    empty_hint = ""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        request.page_row = obj  # type: ignore[attr-defined]
        kwargs.setdefault("labels", labels_with_units(self.model, obj, plant_of(obj) if obj is not None else None))
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return (*fields, self.owner) if obj is not None and self.owner else fields

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Offer inlines on a stored row only: their choices depend on its plant."""
        return list(super().get_inlines(request, obj)) if obj is not None else []

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Show values by period and links from other tables below the form of a stored row."""
        row = kwargs.get("obj")
        if row is not None and row.pk and not context.get("is_popup"):
            plant = plant_of(row)
            if plant is not None:
                context["grid"] = row_grid(self.admin_site, request, row, plant)
            context["links"] = links_to(self.admin_site, request, row, plant)
        return super().render_change_form(request, context, *args, **kwargs)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> str:
        """Return old and new values for the history."""
        return edits_of(form, formsets, add)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the plant of the list that one comes from, or with the only one."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        if "plant" in initial:
            return initial
        plants = rows_to_see(request, Plant.objects.all())
        filters = QueryDict(initial.pop("_changelist_filters", ""))
        if filters.get("plant__id__exact", "").isdecimal():
            plants = plants.filter(pk=filters["plant__id__exact"])
        chosen = list(plants.values_list("pk", flat=True)[:2])
        return initial | ({"plant": chosen[0]} if len(chosen) == 1 else {})

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Stay on a new row that has inlines to fill."""
        if self.inlines and "_addanother" not in request.POST and IS_POPUP_VAR not in request.POST:
            answer = request.POST.copy()
            answer["_continue"] = "1"
            request.POST = answer  # type: ignore[assignment]
        return super().response_add(request, obj, post_url_continue)


class PlanInline(RelatedRows, TabularInline):
    """Rows of a table on their parent's page."""

    form = PlanForm
    formset = PlanFormSet
    extra = 0
    tab = True
    per_page = 50
    hide_title = True

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        request.page_row = obj  # type: ignore[attr-defined]
        if obj is not None:
            kwargs.setdefault("labels", labels_with_units(self.model, obj, plant_of(obj)))
        return super().get_formset(request, obj, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        names = [field.name for field in foreign_keys(self.model) if field.name != "plant"]
        return super().get_queryset(request).select_related(*names).order_by("pk")


class KeptRows:
    """Names rows that may not be deleted, and why, on the page that asks for confirmation."""

    def why_kept(self, row: Any) -> str:
        """Return why a row may not be deleted by itself; "" when it may."""
        raise NotImplementedError

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        deleted, counts, perms_needed, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        kept = [f"{row}: {why}" for row in objs if (why := self.why_kept(row))]
        return deleted, counts, perms_needed, [*protected, *kept]

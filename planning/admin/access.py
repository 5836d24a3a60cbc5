"""Which rows a user may see. Every door of the admin takes its rows from here: those of other plants do not exist."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from planning.models import Plant, visible_plants

from .same_plant import foreign_keys

Row = TypeVar("Row", bound=Model)


def plant_path(model: type[Model]) -> str:
    """Return the lookup from a table to its plant: plant, product__plant, route__product__plant; "" for none."""
    for field in foreign_keys(model):
        if field.related_model is model:
            continue
        if field.related_model is Plant:
            return field.name
        if path := plant_path(field.related_model):  # type: ignore[arg-type]
            return f"{field.name}__{path}"
    return ""


def rows_to_see(request: HttpRequest, rows: QuerySet[Row]) -> QuerySet[Row]:
    """Return those of the rows whose plant the user may see; rows that belong to no plant are for everybody."""
    plants = visible_plants(request.user)
    lookup = "pk" if rows.model is Plant else plant_path(rows.model)
    return rows if plants is None or not lookup else rows.filter(**{f"{lookup}__in": plants})


def row_to_see(request: HttpRequest, rows: QuerySet[Row], pk: Any) -> Row:
    """Return one row that the user may see. Raises Http404 for others, whether or not they exist."""
    return get_object_or_404(rows_to_see(request, rows), pk=pk)


def is_limited(request: HttpRequest) -> bool:
    """Whether the user sees some of the plants only, and so can't add or import another one."""
    return visible_plants(request.user) is not None


class RowsToSee:
    """Mixed into the admin of a table: its lists, pages, actions, searches and choices have these rows."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return rows_to_see(request, super().get_queryset(request))  # type: ignore[misc]

    def get_field_queryset(self, db: Any, db_field: Any, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_field_queryset(db, db_field, request)  # type: ignore[misc]
        return rows_to_see(request, db_field.remote_field.model._default_manager.all() if rows is None else rows)


class PlantFilter(admin.RelatedFieldListFilter):
    """Offers the plants that the user may see, wherever a list is filtered by plant."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        ordering = self.field_admin_ordering(field, request, model_admin)
        plants = visible_plants(request.user)
        narrowed = {} if plants is None else {"pk__in": plants}
        found: list[Any] = field.get_choices(include_blank=False, ordering=ordering, limit_choices_to=narrowed)
        return found


def leads_to_plants(field: Field) -> bool:
    """Whether a field of a list filter is a relation to the plants."""
    return field.is_relation and field.related_model is Plant


admin.FieldListFilter.register(leads_to_plants, PlantFilter, take_priority=True)

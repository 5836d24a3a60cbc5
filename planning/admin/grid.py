"""Values by period as a grid to type and paste into: one field of all rows of a plant, or all fields of one row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from unfold.decorators import action

from planning.entry import (
    PERIOD_TABLES,
    ByPeriod,
    CellEdit,
    CellFaults,
    Grid,
    Rights,
    Saved,
    held_text,
    read_grid,
    save_cells,
)
from planning.models import Period, Plant

from .access import rows_to_see
from .amounts import BLANK_WORDS, NOTHING, exact
from .health import health_url
from .units import unit_of

CELLS_ON_A_PAGE = 6000
FEWEST_ROWS = 50
MOST_ROWS = 500
MOST_CELLS = 20_000  # in one save
EMPTY = ("", "")


class GridDoors:
    """Mixed into the admin of a `*_periods` table."""

    model: type[Model]
    admin_site: AdminSite
    actions_list = ("open_grid",)

    @property
    def by_period(self) -> ByPeriod:
        """The table and its parent."""
        return PERIOD_TABLES[self.model]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.grid_view)
        name = f"planning_{self.model._meta.model_name}_grid"
        return [path("grid/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    @action(description="Edit as a grid", permissions=["view"], icon="grid_on")
    def open_grid(self, request: HttpRequest) -> HttpResponse:
        return redirect(grid_url(self.by_period))

    @method_decorator([require_http_methods(["GET", "HEAD", "POST"]), never_cache])
    def grid_view(self, request: HttpRequest) -> HttpResponse:
        """Show the grid of a plant; on POST save its cells."""
        if not may_see_grid(self.admin_site, request, self.by_period):
            raise PermissionDenied
        if request.method == "POST":
            return self.save_grid(request)
        plants = list(rows_to_see(request, Plant.objects.order_by("name")))
        wanted = request.GET.get("plant", "")
        plant = next((plant for plant in plants if str(plant.pk) == wanted), None)
        if plant is None and wanted:
            raise Http404("There is no such plant.")
        plant = plant or (plants[0] if plants else None)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{str(self.model._meta.verbose_name_plural).capitalize()} as a grid",
            "plants": [
                {"name": other.name, "url": grid_url(self.by_period, other.pk), "is_shown": other == plant}
                for other in plants
            ],
            "list_url": reverse(f"admin:planning_{self.model._meta.model_name}_changelist"),
        }
        if plant is not None:
            context |= plant_grid(self.admin_site, request, self.by_period, plant)
        return TemplateResponse(request, "admin/planning/grid/page.html", context)

    def save_grid(self, request: HttpRequest) -> JsonResponse:
        """Save the cells that were sent, all or none; answer what was done, or what is wrong with which cell."""
        rights = rights_of(self.admin_site, request, self.by_period)
        if not rights.change:
            return JsonResponse({"text": "You may not change these values. Nothing was saved."}, status=403)
        plant = rows_to_see(request, Plant.objects.filter(pk=as_number(request.GET.get("plant", "")))).first()
        if plant is None:
            return JsonResponse({"text": "The plant is gone. Nothing was saved."}, status=404)
        cells = sent_cells(request)
        if cells is None:
            return JsonResponse({"text": f"Send at most {MOST_CELLS:,} cells. Nothing was saved."}, status=400)
        try:
            saved = save_cells(self.by_period, plant, cells, request.user, rights)
        except CellFaults as wrong:
            faults = [
                {"cell": [fault.cell.parent, fault.cell.period, fault.cell.field], "text": fault.text, "now": fault.now}
                for fault in wrong.faults
            ]
            return JsonResponse({"faults": faults})  # an answer, not an error of the browser
        return JsonResponse({"text": said_of(saved), "saved": saved.cells})


def as_number(text: str) -> int:
    """Return a primary key that was sent as text; 0, which no row has, where it is none."""
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def sent_cells(request: HttpRequest) -> list[CellEdit] | None:
    """Return the cells of the request's JSON, `[[row, period, field, old, new], …]`; None where it is not that."""
    try:
        sent = json.loads(request.body)["cells"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(sent, list) or len(sent) > MOST_CELLS:
        return None
    cells = []
    for cell in sent:
        if not isinstance(cell, list) or [type(part) for part in cell] != [int, int, str, str, str]:
            return None
        cells.append(CellEdit(*cell))
    return cells


def said_of(saved: Saved) -> str:
    """Return what was saved."""
    if not saved.cells:
        return "Nothing was different. Nothing was saved."
    rows = [(saved.made, "made"), (saved.changed, "changed"), (saved.removed, "removed")]
    parts = [f"{count} {'row' if count == 1 else 'rows'} {what}" for count, what in rows if count]
    return f"{saved.cells} {'value was' if saved.cells == 1 else 'values were'} saved: {', '.join(parts)}."


def may_see_grid(site: AdminSite, request: HttpRequest, by_period: ByPeriod) -> bool:
    """Whether the user may see the table and its parent."""
    models = (by_period.table.model, by_period.parent.model)
    return all(site.get_model_admin(model).has_view_permission(request) for model in models)


def rights_of(site: AdminSite, request: HttpRequest, by_period: ByPeriod) -> Rights:
    """Return what the user may do with rows of the table."""
    page = site.get_model_admin(by_period.table.model)
    return Rights(
        add=page.has_add_permission(request),
        change=page.has_change_permission(request),
        delete=page.has_delete_permission(request),
    )


def grid_url(by_period: ByPeriod, plant_id: int | None = None, **query: Any) -> str:
    """Return the page of a grid."""
    url = reverse(f"admin:planning_{by_period.table.model._meta.model_name}_grid")
    given = ({"plant": plant_id} if plant_id else {}) | {name: value for name, value in query.items() if value}
    return f"{url}?{urlencode(given)}" if given else url


# --- one field of all rows ----------------------------------------------------------------------


def plant_grid(site: AdminSite, request: HttpRequest, by_period: ByPeriod, plant: Plant) -> dict[str, Any]:
    """Return what the page shows of a plant: one field, chosen by `field`, of the rows that `q` finds."""
    fields = by_period.fields
    field = request.GET.get("field") or first_field(by_period)
    if field not in fields:
        raise Http404("There is no such field.")
    words = request.GET.get("q", "").strip()[:200]
    count = Period.objects.filter(plant=plant).count()
    size = min(MOST_ROWS, max(FEWEST_ROWS, CELLS_ON_A_PAGE // max(1, count)))
    page = Paginator(found_parents(by_period, plant, words), size).get_page(request.GET.get("page"))
    parents = list(page)
    query = {"field": field, "q": words}
    turn = {
        "previous": page.number - 1 if page.has_previous() else 0,
        "next": page.number + 1 if page.has_next() else 0,
    }
    return {
        "plant": plant,
        "field": field,
        "query": words,
        "fields": [
            {"name": said(name), "url": grid_url(by_period, plant.pk, field=name, q=words), "is_shown": name == field}
            for name in fields
        ],
        "meaning": str(fields[field].help_text),
        "row_total": page.paginator.count,
        "rows_from": page.start_index(),
        "rows_to": page.end_index(),
        "turns": {word: grid_url(by_period, plant.pk, **query, page=number) for word, number in turn.items() if number},
        "grid": shown_grid(site, request, plant, read_grid(by_period, plant, parents, [field])),
    }


def first_field(by_period: ByPeriod) -> str:
    """Return the field that a grid opens with: demand, or the table's first."""
    return "max_demand" if "max_demand" in by_period.fields else next(iter(by_period.fields))


def found_parents(by_period: ByPeriod, plant: Plant, words: str) -> QuerySet[Any]:
    """Return the parents whose name holds each of the words, with what their names and units need."""
    parents = by_period.parents(plant)
    if "product" in by_period.parent.key:
        parents = parents.select_related("product")
    for word in words.split():
        holds = Q()
        for lookup in by_period.name_paths:
            holds |= Q(**{f"{lookup}__icontains": word})
        parents = parents.filter(holds)
    return parents


# --- all fields of one row ----------------------------------------------------------------------


def row_grid(site: AdminSite, request: HttpRequest, row: Any, plant: Plant) -> dict[str, Any] | None:
    """Return the grid of a parent's own page, all its fields by period; None where it has none or it can't be seen."""
    by_period = next((known for known in PERIOD_TABLES.values() if known.parent.model is type(row)), None)
    if by_period is None or not may_see_grid(site, request, by_period):
        return None
    fields = list(by_period.fields)
    return shown_grid(site, request, plant, read_grid(by_period, plant, [row], fields), of_one=True)


# --- what the template needs --------------------------------------------------------------------


def shown_grid(
    site: AdminSite, request: HttpRequest, plant: Plant, grid: Grid, *, of_one: bool = False
) -> dict[str, Any]:
    """Return a grid in words: each cell as (text, all its digits where the text has fewer)."""
    by_period = grid.by_period
    rights = rights_of(site, request, by_period)
    model = by_period.parent.model._meta
    named = "product" in by_period.parent.key
    pattern = reverse(f"admin:planning_{model.model_name}_change", args=[0])
    rows = []
    for row in grid.rows:
        name = f"{row.parent.product} / {row.parent}" if named else str(row.parent)
        rows.append(
            {
                "parent": row.parent.pk,
                "field": row.field,
                "name": said(row.field) if of_one else name,
                "about": str(by_period.fields[row.field].help_text) if of_one else "",
                "url": "" if of_one else pattern.replace("/0/", f"/{row.parent.pk}/"),
                "unit": unit_of(row.parent, row.field, plant),
                "own": own_words(row.field, row.own),
                "cells": [EMPTY if value is None else shown_cell(value) for value in row.values],
            }
        )
    return {
        "label": f"{said(grid.rows[0].field)} by period" if rows and not of_one else "Values by period",
        "corner": "field" if of_one else str(model.verbose_name),
        "periods": grid.periods,
        "rows": rows,
        "is_readonly": not rights.change,
        "save_url": grid_url(by_period, plant.pk),
        "all_url": grid_url(by_period, plant.pk) if of_one else "",
        "health_url": health_url(plant.pk),
        "periods_url": reverse("admin:planning_plant_change", args=[plant.pk]),
    }


def shown_cell(value: float) -> Sequence[str]:
    """Return a value as people read it, and all its digits where that differs."""
    text, held = exact(value), held_text(value)
    return text, "" if text.replace(",", "") == held else held


def own_words(field: str, value: float | None) -> str:
    """Return what holds where a cell is blank."""
    return BLANK_WORDS.get(field, NOTHING) if value is None else exact(value)


def said(field: str) -> str:
    """Return a field's name as people say it."""
    return field.replace("_", " ").capitalize()

"""Ctrl-K: finds pages, and rows of every table by name, for who may see them, with the plant named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Case, IntegerField, Model, QuerySet, Value, When
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from planning.entry import PERIOD_TABLES
from planning.models import TABLES, Plant, Route, RoutePeriod, Run, RunSet, ScenarioChange

from .access import rows_to_see
from .grid import grid_url, may_see_grid, said
from .health import health_url
from .navigation import SECTIONS, may_view
from .same_plant import plant_of

LONGEST = 200  # characters of what is searched for
PAGES_SHOWN = 8
ROWS_SHOWN = 6  # of a table whose rows have names
PARTS_SHOWN = 3  # of a table whose rows are known by others: recipes, values by period
ICONS = {model: icon for _, entries in SECTIONS for _, model, icon in entries}


@dataclass(frozen=True)
class Found:
    """A page: its name, what it is, and its address."""

    title: str
    description: str
    link: str
    icon: str


@never_cache
@require_safe
def search_view(request: HttpRequest) -> HttpResponse:
    """Answer with the pages and rows that hold every word of `s`."""
    words = request.GET.get("s", "").strip()[:LONGEST]
    if not words:
        return HttpResponse()
    found = [*pages_found(request, words), *rows_found(request, words)]
    return TemplateResponse(
        request, "admin/planning/search.html", {"found": found, "words": words}, headers={"HX-Trigger": "search"}
    )


# --- pages --------------------------------------------------------------------------------------


def pages_found(request: HttpRequest, words: str) -> list[Found]:
    """Return the pages whose name or description holds every word."""
    wanted = words.casefold().split()
    pages = [
        page
        for page in pages_to_see(request)
        if all(word in f"{page.title} {page.description}".casefold() for word in wanted)
    ]
    pages.sort(key=lambda page: not page.title.casefold().startswith(wanted[0]))
    return pages[:PAGES_SHOWN]


def pages_to_see(request: HttpRequest) -> Iterator[Found]:
    """Yield the lists, what can be added, the grids, and the data health of each plant."""
    for section, entries in SECTIONS:
        for title, model, icon in entries:
            if may_view(model)(request):
                yield Found(title, section, reverse(f"admin:{model.replace('.', '_')}_changelist"), icon)
    for table in TABLES:
        if table.model is not ScenarioChange and admin.site.get_model_admin(table.model).has_add_permission(request):
            name = table.model._meta.model_name
            url = reverse(f"admin:planning_{name}_add")
            yield Found(f"Add {table.model._meta.verbose_name}", "New row", url, "add")
    for by_period in PERIOD_TABLES.values():
        if may_see_grid(admin.site, request, by_period):
            kind = str(by_period.table.model._meta.verbose_name_plural).capitalize()
            for field in by_period.fields:
                yield Found(
                    f"{said(field)} by period", f"{kind} as a grid", grid_url(by_period, field=field), "grid_on"
                )
    if request.user.has_perm("planning.view_plant"):
        for plant in rows_to_see(request, Plant.objects.order_by("name")):
            yield Found(f"Data health of {plant}", "Check the data", health_url(plant.pk), "health_and_safety")


# --- rows ---------------------------------------------------------------------------------------


def rows_found(request: HttpRequest, words: str) -> Iterator[Found]:
    """Yield rows of each table that the user may see, tables whose rows have names first: one query a table."""
    tables: list[type[Model]] = [table.model for table in TABLES if table.model is not ScenarioChange]
    tables += [Run, RunSet]
    tables.sort(key=is_known_by_others)
    for model in tables:
        page: Any = admin.site.get_model_admin(model)
        if not page.has_view_permission(request):
            continue
        asked = run_number(words) or words if model is Run else words
        rows, _ = page.get_search_results(request, page.get_queryset(request), asked)
        related = [name for name in page.list_select_related if name] if page.list_select_related else []
        for row in best_first(rows.select_related(*related), words):
            yield found_row(row)


def run_number(words: str) -> str:
    """Return the number in `run 17` or `#17`; "" where the words are something else."""
    match = re.fullmatch(r"(?:run\s*)?#?\s*([0-9]{1,18})", words, re.IGNORECASE)
    return match[1] if match else ""


def is_known_by_others(model: type[Model]) -> bool:
    """Whether the rows of a table have no name of their own."""
    return not name_field(model)


def name_field(model: type[Model]) -> str:
    """Return the field by which a row is known; "" where others name it."""
    fields = {field.name for field in model._meta.concrete_fields}
    return "id" if model is Run else next((name for name in ("name", "reference") if name in fields), "")


def best_first(rows: QuerySet[Any], words: str) -> QuerySet[Any]:
    """Return the first rows: those of exactly this name, then those that begin with it, shorter names first."""
    name = name_field(rows.model)
    if not name:
        return rows.order_by("pk")[:PARTS_SHOWN]
    if rows.model is Run:
        return rows.order_by("-pk")[:ROWS_SHOWN]
    rank = Case(
        When(**{f"{name}__iexact": words}, then=Value(0)),
        When(**{f"{name}__istartswith": words}, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return rows.annotate(match_rank=rank).order_by("match_rank", Length(name), name, "pk")[:ROWS_SHOWN]


def found_row(row: Any) -> Found:
    """Return a row with its table and its plant."""
    meta = row._meta
    plant = plant_of(row)
    parts = [str(meta.verbose_name).capitalize()]
    if plant is not None and plant is not row:
        parts.append(str(plant))
    if isinstance(row, Run):
        parts.append(row.get_state_display())
    title = str(row)
    if isinstance(row, Route | RoutePeriod):
        title = f"{(row.route if isinstance(row, RoutePeriod) else row).product} / {row}"
    link = reverse(f"admin:planning_{meta.model_name}_change", args=[row.pk])
    return Found(title, " · ".join(parts), link, ICONS.get(f"planning.{meta.model_name}", "tag"))

"""Links both ways: on the page of a row, the rows of other tables that point to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from planning.models import (
    ByProduct,
    ComponentRequirement,
    CustomerOrder,
    Machine,
    MaterialRequirement,
    Period,
    Plant,
    Product,
    ProductionRecipe,
    RawMaterial,
    Route,
)

from .access import rows_to_see
from .amounts import BLANK_WORDS, NOTHING, exact
from .units import unit_of

SHOWN = 50  # rows of a list; the rest are a link away


@dataclass(frozen=True)
class Link:
    """A table whose rows point here through `field`: the relations and numbers that are shown of each."""

    title: str
    model: type[Model]
    field: str
    relations: tuple[str, ...]
    numbers: tuple[str, ...]


ORDER_NUMBERS = ("target_quantity", "late_cost_per_unit")
RECIPE_NUMBERS = ("hours_required", "setup_hours", "setup_cost")
LINKS: dict[type[Model], tuple[Link, ...]] = {
    Machine: (Link("Products that use it", ProductionRecipe, "machine", ("product", "route"), RECIPE_NUMBERS),),
    RawMaterial: (
        Link("Products that need it", MaterialRequirement, "material", ("product", "route"), ("quantity_required",)),
    ),
    Product: (
        Link(
            "Products that it goes into",
            ComponentRequirement,
            "component",
            ("product", "route"),
            ("quantity_required",),
        ),
        Link("Products that yield it", ByProduct, "by_product", ("product", "route"), ("quantity_produced",)),
        Link("Orders of it", CustomerOrder, "product", ("customer", "period"), ORDER_NUMBERS),
    ),
    Route: (
        Link("Machine hours of this route", ProductionRecipe, "route", ("machine",), RECIPE_NUMBERS),
        Link("Materials of this route", MaterialRequirement, "route", ("material",), ("quantity_required",)),
        Link("Components of this route", ComponentRequirement, "route", ("component",), ("quantity_required",)),
        Link("By-products of this route", ByProduct, "route", ("by_product",), ("quantity_produced",)),
    ),
    Period: (Link("Orders for it", CustomerOrder, "period", ("customer", "product"), ORDER_NUMBERS),),
}


def links_to(site: AdminSite, request: HttpRequest, row: Model, plant: Plant | None) -> list[dict[str, Any]]:
    """Return the tables that point to a row, each with its first rows: one query a table, for who may see it."""
    found = []
    for link in LINKS.get(type(row), ()):
        if not site.get_model_admin(link.model).has_view_permission(request):
            continue
        relations = [name for name in link.relations if may_see(site, request, link.model, name)]
        rows = rows_to_see(request, link.model._default_manager.filter(**{link.field: row})).order_by("pk")
        read = list(rows.select_related(*link.relations)[: SHOWN + 1])
        for one in read:
            setattr(one, link.field, row)  # it is loaded already
        if read:
            found.append(shown_link(link, relations, row, read, plant))
    return found


def may_see(site: AdminSite, request: HttpRequest, model: type[Model], relation: str) -> bool:
    """Whether the user may see the rows that a relation points to."""
    target: Any = model._meta.get_field(relation).related_model
    return site.get_model_admin(target).has_view_permission(request)


def shown_link(link: Link, relations: list[str], row: Model, read: list[Any], plant: Plant | None) -> dict[str, Any]:
    """Return a table in words."""
    name = link.model._meta.model_name
    url = reverse(f"admin:planning_{name}_changelist")
    return {
        "title": link.title,
        "heads": [relation.replace("_", " ").capitalize() for relation in link.relations],
        "number_heads": [number.replace("_", " ").capitalize() for number in link.numbers],
        "rows": [
            {
                "url": reverse(f"admin:planning_{name}_change", args=[one.pk]),
                "names": [related_name(one, relation, is_linked=relation in relations) for relation in link.relations],
                "numbers": [number_words(one, number, plant) for number in link.numbers],
            }
            for one in read[:SHOWN]
        ],
        "all_url": f"{url}?{urlencode({f'{link.field}__id__exact': row.pk})}" if len(read) > SHOWN else "",
    }


def related_name(row: Any, relation: str, *, is_linked: bool) -> tuple[str, str]:
    """Return the name of a related row and its page; every route where there is none."""
    related = getattr(row, relation)
    if related is None:
        return "every route" if relation == "route" else NOTHING, ""
    url = reverse(f"admin:planning_{related._meta.model_name}_change", args=[related.pk])
    return str(related), url if is_linked else ""


def number_words(row: Any, name: str, plant: Plant | None) -> tuple[str, str]:
    """Return a number and its unit."""
    value = getattr(row, name)
    if value is None:
        return BLANK_WORDS.get(name, NOTHING), ""
    return exact(value), unit_of(row, name, plant)

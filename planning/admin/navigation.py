"""The sidebar: the tables in the order in which a planner thinks of them, each for whom may see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

SECTIONS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Plan",
        (
            ("Plants", "planning.plant", "factory"),
            ("Periods", "planning.period", "calendar_month"),
            ("Scenarios", "planning.scenario", "alt_route"),
            ("Runs", "planning.run", "play_circle"),
            ("Run sets", "planning.runset", "playlist_play"),
        ),
    ),
    (
        "Products",
        (
            ("Products", "planning.product", "inventory_2"),
            ("Product periods", "planning.productperiod", "date_range"),
            ("Routes", "planning.route", "route"),
            ("Route periods", "planning.routeperiod", "date_range"),
            ("Production recipes", "planning.productionrecipe", "schedule"),
            ("Material requirements", "planning.materialrequirement", "layers"),
            ("Component requirements", "planning.componentrequirement", "account_tree"),
            ("By-products", "planning.byproduct", "recycling"),
        ),
    ),
    (
        "Resources",
        (
            ("Machines", "planning.machine", "precision_manufacturing"),
            ("Machine periods", "planning.machineperiod", "date_range"),
            ("Raw materials", "planning.rawmaterial", "forest"),
            ("Raw material periods", "planning.rawmaterialperiod", "date_range"),
        ),
    ),
    (
        "Demand",
        (
            ("Customers", "planning.customer", "groups"),
            ("Customer orders", "planning.customerorder", "receipt_long"),
            ("Goals", "planning.goal", "flag"),
        ),
    ),
    (
        "Users",
        (
            ("Users", "auth.user", "person"),
            ("Groups", "auth.group", "group"),
        ),
    ),
)


def may_view(model: str) -> Callable[[HttpRequest], bool]:
    """Return the check whether a user may see a table."""
    app, name = model.split(".")
    return lambda request: (
        request.user.has_perms([f"{app}.view_{name}"]) or request.user.has_perm(f"{app}.change_{name}")
    )


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sections of the sidebar."""
    overview = {"title": "Overview", "icon": "home", "link": reverse("admin:index")}
    sections: list[dict[str, Any]] = [{"items": [overview]}]
    for title, entries in SECTIONS:
        items = [
            {
                "title": words,
                "icon": icon,
                "link": reverse(f"admin:{model.replace('.', '_')}_changelist"),
                "permission": may_view(model),
            }
            for words, model, icon in entries
        ]
        sections.append({"title": title, "items": items, "separator": True})
    return sections

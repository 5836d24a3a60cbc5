"""Data health: one page per plant and scenario that says what is wrong with the data, before anything is solved."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from planning.insight import health
from planning.models import BASELINE, Plant, Scenario

from .access import row_to_see
from .amounts import rounded
from .row_links import RowLinks
from .run_scenario import may_run, problem_words, run_options_url

WORDS = {
    "red": "No run is possible with these data.",
    "amber": "A run is possible. Some of the data deserve a look.",
    "green": "Nothing is wrong with these data.",
}
BADGES = {"red": "pl-danger", "amber": "pl-warning", "green": "pl-success"}


def health_url(plant_id: int, scenario: str = BASELINE) -> str:
    """Return the page on the health of a plant's data."""
    url = reverse("admin:planning_plant_health", args=[plant_id])
    return url if scenario == BASELINE else f"{url}?scenario={scenario}"


def health_json(request: HttpRequest, plant_id: int) -> JsonResponse:
    """Answer the health of a plant's data in a word or two."""
    if not request.user.has_perm("planning.view_plant"):
        raise PermissionDenied
    found = health(row_to_see(request, Plant.objects.all(), plant_id).pk)
    counts = [(len(found.errors), "error"), (len(found.warnings), "warning")]
    said = [f"{count} {noun}{'s' if count > 1 else ''}" for count, noun in counts if count]
    label = f"Data {found.colour}" + (f": {', '.join(said)}" if said else "")
    return JsonResponse(
        {"colour": found.colour, "label": label, "look": BADGES[found.colour], "words": WORDS[found.colour]}
    )


def health_view(site: AdminSite, request: HttpRequest, plant_id: int) -> HttpResponse:
    """Show what is wrong with the data of a plant, as a scenario has them."""
    if not request.user.has_perm("planning.view_plant"):
        raise PermissionDenied
    plant = row_to_see(request, Plant.objects.all(), plant_id)
    names = list(plant.scenarios.order_by("id").values_list("name", flat=True))
    scenario = request.GET.get("scenario", BASELINE)
    if scenario not in names and scenario != BASELINE:
        raise Http404("There is no such scenario.")
    found = health(plant.pk, scenario)
    links = RowLinks(plant.pk)
    run_url = ""
    if not found.errors and may_run(request):
        chosen = Scenario.objects.filter(plant=plant, name=scenario)
        run_url = run_options_url(chosen) if chosen else ""
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": f"Data health of {plant.name}",
        "plant": plant,
        "plant_url": reverse("admin:planning_plant_change", args=[plant.pk]),
        "scenario": scenario,
        "scenarios": names if len(names) > 1 else [],
        "colour": found.colour,
        "badge": BADGES[found.colour],
        "words": WORDS[found.colour],
        "errors": [problem_words(links, problem) for problem in found.errors],
        "warnings": [problem_words(links, problem) for problem in found.warnings],
        "loads": [
            {
                "machine": load.machine,
                "url": links.url("machines", load.machine),
                "hours": rounded(load.hours),
                "available": rounded(load.available),
                "percent": f"{load.percent:,.0f} %" if load.available > 0 else "–",
                "bar": min(100.0, load.percent),
                "full": load.percent > 100.0,
            }
            for load in found.loads
        ],
        "run_url": run_url,
    }
    return TemplateResponse(request, "admin/planning/plant/health.html", context)

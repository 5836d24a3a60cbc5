"""What the first page shows above the list of tables: the latest runs, the plants, and what to do next."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest
from django.urls import reverse

from planning.models import BASELINE, Plant, Run, Scenario

from .amounts import money
from .run_scenario import may_run
from .run_words import state_badge

RUNS_SHOWN = 8
PLANTS_SHOWN = 12


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the context of the first page what the user may see."""
    user = request.user
    see_plants, see_runs = user.has_perm("planning.view_plant"), user.has_perm("planning.view_run")
    context["title"] = "Overview"
    context["see_plants"] = see_plants
    context["see_runs"] = see_runs
    context["may_add_plant"] = user.has_perm("planning.add_plant")
    context["may_run"] = may_run(request)
    context["plants"] = plants(context["may_run"]) if see_plants else []
    context["latest_runs"] = latest_runs() if see_runs else []
    return context


def plants(runnable: bool) -> list[dict[str, Any]]:
    """Return the plants with a link to run each as it is."""
    baseline = Scenario.objects.filter(plant=OuterRef("pk"), name=BASELINE)
    rows = Plant.objects.annotate(baseline=Subquery(baseline.values("pk")[:1])).order_by("name")[:PLANTS_SHOWN]
    run_page = reverse("admin:planning_scenario_run")
    return [
        {
            "name": plant.name,
            "url": reverse("admin:planning_plant_change", args=[plant.pk]),
            "scenarios_url": f"{reverse('admin:planning_scenario_changelist')}?plant__id__exact={plant.pk}",
            "run_url": f"{run_page}?scenario={plant.baseline}" if runnable and plant.baseline else "",
        }
        for plant in rows
    ]


def latest_runs() -> list[dict[str, Any]]:
    """Return the newest runs."""
    rows = Run.objects.select_related("plant").only(
        "plant__name", "scenario_name", "state", "objective", "currency", "created_at"
    )
    return [
        {
            "number": run.pk,
            "url": reverse("admin:planning_run_change", args=[run.pk]),
            "plant": run.plant.name,
            "scenario": run.scenario_name,
            "badge": state_badge(run.state),
            "profit": money(run.objective, run.currency),
            "when": run.created_at,
        }
        for run in rows[:RUNS_SHOWN]
    ]

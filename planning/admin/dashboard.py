"""What the first page shows above the list of tables: the latest runs, the plants, and what to do next."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, Prefetch, Subquery
from django.http import HttpRequest
from django.urls import reverse

from planning.models import BASELINE, Approval, Plant, Run, Scenario

from .access import is_limited, rows_to_see
from .amounts import money
from .health import health_url
from .run_scenario import may_run
from .run_words import state_badge
from .uploads import may_import

RUNS_SHOWN = 8
PLANTS_SHOWN = 12


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the context of the first page what the user may see."""
    user = request.user
    see_plants, see_runs = user.has_perm("planning.view_plant"), user.has_perm("planning.view_run")
    context["title"] = "Overview"
    context["see_plants"] = see_plants
    context["see_runs"] = see_runs
    context["may_import"] = may_import(request)
    context["may_add_plant"] = user.has_perm("planning.add_plant") and not is_limited(request)
    context["may_run"] = may_run(request)
    context["plants"] = plants(request, see_runs) if see_plants else []
    context["latest_runs"] = latest_runs(request) if see_runs else []
    return context


def plants(request: HttpRequest, see_runs: bool) -> list[dict[str, Any]]:
    """Return the plants with their approved plan, and a link to run each as it is."""
    baseline = Scenario.objects.filter(plant=OuterRef("pk"), name=BASELINE)
    current = Approval.objects.filter(ended_at__isnull=True).select_related("run", "user")
    rows = (
        rows_to_see(request, Plant.objects.all())
        .annotate(baseline=Subquery(baseline.values("pk")[:1]))
        .prefetch_related(Prefetch("approvals", queryset=current, to_attr="current_approvals"))
        .order_by("name")[:PLANTS_SHOWN]
    )
    run_page = reverse("admin:planning_scenario_run")
    return [
        {
            "name": plant.name,
            "url": reverse("admin:planning_plant_change", args=[plant.pk]),
            "scenarios_url": f"{reverse('admin:planning_scenario_changelist')}?plant__id__exact={plant.pk}",
            "health_url": health_url(plant.pk),
            "approved": approved(plant.current_approvals) if see_runs else None,
            "run_url": f"{run_page}?scenario={plant.baseline}" if may_run(request) and plant.baseline else "",
        }
        for plant in rows
    ]


def approved(approvals: list[Approval]) -> dict[str, str] | None:
    """Return the approved plan of a plant, if there is one."""
    for approval in approvals:
        run = approval.run
        return {
            "url": reverse("admin:planning_run_change", args=[run.pk]),
            "words": f"Run {run.pk} of {run.scenario_name}, {money(run.objective, run.currency)}",
            "by": f"{approval.user or 'somebody'} on {approval.at:%Y-%m-%d}",
        }
    return None


def latest_runs(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the newest runs."""
    rows = rows_to_see(request, Run.objects.select_related("plant")).only(
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

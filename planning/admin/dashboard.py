"""What the first page shows: each plant with its plan at a glance, the latest runs, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from planning.exchange import ImportFaults, load_sample
from planning.insight import Glance, glances
from planning.models import BASELINE, Approval, Plant, Run, Scenario

from .access import is_limited, rows_to_see
from .amounts import NOTHING, money, rounded
from .health import health_url
from .run_scenario import may_run
from .run_tables import Cell, period_heads
from .run_words import state_badge
from .uploads import may_import

RUNS_SHOWN = 8
PLANTS_SHOWN = 12
PLANTS_OPEN = 3  # whose machine hours are not folded up
SHADES = 5
OF_RUNS = ("plant__name", "scenario_name", "state", "objective", "currency", "created_at")


@dataclass(frozen=True)
class HeatRow:
    """A machine with a cell for each period."""

    machine: str
    cells: list[Cell]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the context of the first page what the user may see."""
    user = request.user
    see_plants, see_runs = user.has_perm("planning.view_plant"), user.has_perm("planning.view_run")
    context["title"] = "Overview"
    context["see_plants"] = see_plants
    context["see_runs"] = see_runs
    context["may_import"] = may_import(request)
    context["may_load_sample"] = may_load_sample(request)
    context["may_add_plant"] = user.has_perm("planning.add_plant") and not is_limited(request)
    context["may_run"] = may_run(request)
    context["is_limited"] = is_limited(request)
    found = list(plants_to_show(request)[: PLANTS_SHOWN + 1]) if see_plants else []
    context["plants"] = plant_cards(request, found[:PLANTS_SHOWN], see_runs=see_runs)
    context["has_more_plants"] = len(found) > PLANTS_SHOWN
    context["latest_runs"] = latest_runs(request) if see_runs else []
    return context


# --- plants ---------------------------------------------------------------------------------


def plants_to_show(request: HttpRequest) -> QuerySet[Plant]:
    """Return the plants with the numbers of their Baseline, of their last run, and of the last one with a plan."""
    baseline = Scenario.objects.filter(plant=OuterRef("pk"), name=BASELINE)
    runs = Run.objects.filter(plant=OuterRef("pk"), variation__isnull=True).order_by("-id")
    return (
        rows_to_see(request, Plant.objects.all())
        .annotate(
            baseline=Subquery(baseline.values("pk")[:1]),
            last_run=Subquery(runs.values("pk")[:1]),
            last_plan=Subquery(
                runs.filter(objective__isnull=False).exclude(state__in=Run.OPEN_STATES).values("pk")[:1]
            ),
        )
        .order_by("name")
    )


def plant_cards(request: HttpRequest, plants: list[Any], *, see_runs: bool) -> list[dict[str, Any]]:
    """Return each plant as the page shows it; the same queries for one plant and for many."""
    approvals: dict[int, Approval] = {}
    runs: dict[int, Run] = {}
    seen: dict[int, Glance] = {}
    if plants and see_runs:
        current = Approval.objects.filter(plant__in=plants, ended_at__isnull=True).select_related("user")
        approvals = {approval.plant_id: approval for approval in current}
        numbers = {number for plant in plants for number in (plant.last_run, plant.last_plan) if number}
        numbers |= {approval.run_id for approval in approvals.values()}
        runs = Run.objects.only("plant", *OF_RUNS[1:]).in_bulk(numbers)
        seen = glances({number for plant in plants if (number := shown_plan(plant, approvals.get(plant.pk)))})
    run_page = reverse("admin:planning_scenario_run") if may_run(request) else ""
    return [
        {
            "name": plant.name,
            "url": reverse("admin:planning_plant_change", args=[plant.pk]),
            "scenarios_url": f"{reverse('admin:planning_scenario_changelist')}?plant__id__exact={plant.pk}",
            "health_url": health_url(plant.pk),
            "health_json": reverse("admin:planning_plant_health_json", args=[plant.pk]),
            "approved": approved(approvals.get(plant.pk), runs),
            "last_run": run_line(runs.get(plant.last_run)),
            "glance": glance_of(plant, approvals.get(plant.pk), runs, seen),
            "is_open": place < PLANTS_OPEN,
            "run_url": f"{run_page}?scenario={plant.baseline}" if run_page and plant.baseline else "",
        }
        for place, plant in enumerate(plants)
    ]


def shown_plan(plant: Any, approval: Approval | None) -> int | None:
    """Return the run whose plan is shown: the approved one, else the latest."""
    number: int | None = approval.run_id if approval is not None else plant.last_plan
    return number


def approved(approval: Approval | None, runs: dict[int, Run]) -> dict[str, Any] | None:
    """Return the approved plan of a plant, if there is one."""
    if approval is None:
        return None
    by = f"{approval.user or 'somebody'} on {approval.at:%Y-%m-%d}"
    return {**(run_line(runs[approval.run_id]) or {}), "by": by, "reason": approval.reason}


def run_line(run: Run | None) -> dict[str, Any] | None:
    """Return a run in a line."""
    if run is None:
        return None
    return {
        "number": run.pk,
        "url": reverse("admin:planning_run_change", args=[run.pk]),
        "scenario": run.scenario_name,
        "badge": state_badge(run.state),
        "profit": money(run.objective, run.currency) if run.objective is not None else "",
        "when": run.created_at,
    }


def glance_of(
    plant: Any, approval: Approval | None, runs: dict[int, Run], seen: dict[int, Glance]
) -> dict[str, Any] | None:
    """Return the plan of a plant at a glance; None where it has none."""
    number = shown_plan(plant, approval)
    if number is None or number not in seen:
        return None
    glance = seen[number]
    url = reverse("admin:planning_run_change", args=[number])
    return {
        "url": url,
        "short_url": f"{url}?part=short#short",
        "which": f"run {number}, {'the approved plan' if approval is not None else 'the latest plan'}",
        "periods": period_heads(glance.periods),
        "periods_more": glance.periods_more,
        "rows": [HeatRow(row.machine, [heat_cell(percent) for percent in row.percent]) for row in glance.machines],
        "machines_more": glance.machines_more,
        "fullest": fullest_words(glance),
        "orders": glance.orders,
        "orders_short": glance.orders_short,
        "worst": [(order.reference, order.product, rounded(order.missing)) for order in glance.worst],
        "worst_more": glance.orders_short - len(glance.worst),
        "products_short": glance.products_short,
    }


def heat_cell(percent: float | None) -> Cell:
    """Return a used share as a number on a shade: the number says it, the shade finds it."""
    if percent is None:
        return Cell(NOTHING, "zero")
    share = max(percent, 0.0)
    shade = min(SHADES, round(SHADES * share / 100))
    return Cell(f"{share:,.0f}", "warn" if share > 99.95 else "number", shade=shade)


def fullest_words(glance: Glance) -> str:
    """Return the fullest machine in words; "" where no machine has a limit."""
    used = [
        (percent, row.machine, glance.periods[place])
        for row in glance.machines
        for place, percent in enumerate(row.percent)
        if percent is not None
    ]
    if not used:
        return ""
    percent, machine, period = max(used, key=lambda one: one[0])
    where = f" in {period_heads([period])[0]}" if len(glance.periods) > 1 else ""
    return f"fullest is {machine} with {percent:,.0f} %{where}"


# --- runs -----------------------------------------------------------------------------------


def latest_runs(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the newest runs."""
    rows = rows_to_see(request, Run.objects.select_related("plant")).only(*OF_RUNS)
    return [{**(run_line(run) or {}), "plant": run.plant.name} for run in rows[:RUNS_SHOWN]]


# --- the sample plant -----------------------------------------------------------------------


def may_load_sample(request: HttpRequest) -> bool:
    """Whether the user may load the sample plant: who is limited to some plants would not see it."""
    return may_import(request) and not is_limited(request)


def sample_view(request: HttpRequest) -> HttpResponse:
    """Load the sample plant, and say what is next."""
    if not may_load_sample(request):
        raise PermissionDenied
    try:
        plant, is_new = load_sample()
    except ImportFaults as faults:
        messages.error(request, str(faults))
        return redirect("admin:index")
    next_words = "Press “Run Baseline” beside it to get its best plan." if may_run(request) else "Look at its data."
    if is_new:
        counts = (plant.products.count(), plant.machines.count(), plant.raw_materials.count())
        what = "{} products, {} machines and {} raw materials".format(*counts)
        messages.success(request, f"The sample plant “{plant}” is loaded: {what}. {next_words}")
    else:
        messages.info(request, f"The sample plant “{plant}” is there already and was left as it is. {next_words}")
    return redirect("admin:index")

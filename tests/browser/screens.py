"""A site with something on each of its screens, and the addresses of these: what is looked at, checked and pictured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import User
from django.urls import reverse

from planning.exchange import import_plan
from planning.models import Plant, Run, RunSet, Scenario
from planning.runs import RunOptions, execute, start_run
from planning.runs.approvals import approve
from tests.factories import make_furniture, make_run


@dataclass(frozen=True)
class FilledSite:
    """A plant of four weeks with orders and scenarios, its runs, and a workshop whose data contradict each other."""

    plant: Plant
    baseline: Scenario
    changed: Scenario
    run: Run
    other_run: Run
    impossible_run: Run
    open_run: Run
    run_set: RunSet


def fill_site(plants_dir: Path) -> FilledSite:
    """Make the plants and their runs, solved in this process."""
    import_plan(plants_dir / "lumix_step5_scenarios")
    plant = Plant.objects.get()
    baseline = plant.scenarios.get(name="Baseline")
    changed = plant.scenarios.get(name="Economic Downturn")
    run, other_run = solved(baseline), solved(changed)
    approve(run=run, user=User.objects.get(username="planner"), reason="All gold orders are served.")
    workshop = make_furniture()
    workshop.raw_materials.filter(name="Wood").update(available_quantity=100.0)
    impossible_run = solved(workshop.scenarios.get())
    run_set = RunSet.objects.create(plant=plant, name="2 scenarios", about="Baseline, Economic Downturn")
    Run.objects.filter(pk__in=[run.pk, other_run.pk]).update(run_set=run_set)
    open_run = make_run(plant, options={"time_limit": 60.0})
    return FilledSite(plant, baseline, changed, run, other_run, impossible_run, open_run, run_set)


def solved(scenario: Scenario) -> Run:
    """Return a run of the scenario that was executed here."""
    run = start_run(scenario, RunOptions(gap=0.01, time_limit=30), here=True)
    return execute(run.pk, run.attempt)


def of_plant(name: str) -> Callable[[FilledSite], str]:
    return lambda site: reverse(f"admin:planning_{name}", args=[site.plant.pk])


def of_list(name: str) -> Callable[[FilledSite], str]:
    return lambda _: reverse(f"admin:planning_{name}_changelist")


def of_run(run: str) -> Callable[[FilledSite], str]:
    return lambda site: reverse("admin:planning_run_change", args=[getattr(site, run).pk])


def of_scenario(name: str) -> Callable[[FilledSite], str]:
    return lambda site: reverse(f"admin:planning_scenario_{name}", args=[site.changed.pk])


SCREENS: dict[str, Callable[[FilledSite], str]] = {
    "overview": lambda _: reverse("admin:index"),
    "products": of_list("product"),
    "product": lambda site: reverse("admin:planning_product_change", args=[site.plant.products.order_by("pk")[0].pk]),
    "machine": lambda site: reverse("admin:planning_machine_change", args=[site.plant.machines.order_by("pk")[0].pk]),
    "values-by-period": lambda site: f"{reverse('admin:planning_productperiod_grid')}?plant={site.plant.pk}",
    "plant": of_plant("plant_change"),
    "data-health": of_plant("plant_health"),
    "upload": lambda _: reverse("admin:planning_plant_upload"),
    "scenarios": of_list("scenario"),
    "scenario": of_scenario("change"),
    "duplicate-scenario": of_scenario("duplicate"),
    "promote-scenario": of_scenario("promote"),
    "run-scenario": lambda site: f"{reverse('admin:planning_scenario_run')}?scenario={site.baseline.pk}",
    "runs": of_list("run"),
    "run": of_run("run"),
    "run-under-way": of_run("open_run"),
    "run-without-a-plan": of_run("impossible_run"),
    "run-set": lambda site: reverse("admin:planning_runset_change", args=[site.run_set.pk]),
    "comparison": lambda site: f"{reverse('admin:planning_run_compare')}?run={site.run.pk}&run={site.other_run.pk}",
}

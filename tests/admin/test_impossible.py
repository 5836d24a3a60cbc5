"""The page of a run without a plan: which fields contradict each other, what would have to give, and the button."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from planning.models import Machine, Plant, Product, ProductPeriod, Run, Scenario
from planning.runs import execute, start_run
from tests.formulation.small_plants import baseline, bring, weeks

pytestmark = pytest.mark.django_db

SAW = {
    "machines": [{"name": "Saw", "available_hours": 40}],
    "production_recipes": [{"product": "Chair", "machine": "Saw", "hours_required": 1.5}],
}


def solved(scenario: Scenario) -> Run:
    run = start_run(scenario, here=True)
    return execute(run.pk, run.attempt)


def impossible(folder: Path) -> Plant:
    return bring(
        folder,
        periods=weeks(2),
        products=[{"name": "Chair", "unit": "piece"}],
        product_periods=[{"product": "Chair", "period": "2", "min_demand": 30}],
        **SAW,
    )


def page_of(client: Client, run: Run) -> str:
    return client.get(reverse("admin:planning_run_change", args=[run.pk])).content.decode()


def test_each_value_leads_to_its_very_field(viewer: Client, tmp_path: Path) -> None:
    run = solved(baseline(impossible(tmp_path)))
    page = page_of(viewer, run)
    assert "What contradicts itself" in page
    least = reverse("admin:planning_productperiod_change", args=[ProductPeriod.objects.get().pk])
    hours = reverse("admin:planning_machine_change", args=[Machine.objects.get().pk])
    assert f'href="{least}#id_min_demand"' in page
    assert f'href="{hours}#id_available_hours"' in page
    assert "Lower min_demand of Chair in 2 by 3.33334 piece." in page
    assert "Make it a scenario" not in page
    with CaptureQueriesContext(connection) as few:
        page_of(viewer, run)
    run.conflict = run.conflict * 5
    run.save()
    with CaptureQueriesContext(connection) as many:
        page_of(viewer, run)
    assert len(many) == len(few)


def test_a_value_that_a_scenario_changed_leads_to_the_scenario(viewer: Client, tmp_path: Path) -> None:
    plant = impossible(tmp_path)
    parent = Scenario.objects.create(plant=plant, name="Fewer hours")
    parent.scenario_changes.create(table="machines", row="*", field="available_hours", operation="set", value=10)
    run = solved(Scenario.objects.create(plant=plant, name="Child", parent=parent))
    page = page_of(viewer, run)
    assert f'href="{reverse("admin:planning_scenario_change", args=[parent.pk])}"' in page
    assert "#id_available_hours" not in page


def test_what_would_have_to_give_becomes_a_scenario_that_has_a_plan(
    planner: Client, viewer: Client, tmp_path: Path
) -> None:
    run = solved(baseline(impossible(tmp_path)))
    assert page_of(planner, run).count("Make it a scenario") == 2
    url = reverse("admin:planning_run_relief", args=[run.pk, 0])
    assert viewer.post(url).status_code == 403
    assert planner.get(url).status_code == 405
    response = planner.post(url)
    scenario = Scenario.objects.get(name="Baseline, with shortages allowed")
    assert response["Location"] == reverse("admin:planning_scenario_change", args=[scenario.pk])
    assert solved(scenario).status == "optimal"
    assert planner.post(reverse("admin:planning_run_relief", args=[run.pk, 9])).status_code == 404


def test_the_blank_fields_of_profit_without_limit_are_linked(planner: Client, tmp_path: Path) -> None:
    plant = bring(tmp_path, products=[{"name": "Chair", "profit_per_unit": 2, "purchase_cost_per_unit": 1}])
    page = page_of(planner, solved(baseline(plant)))
    chair = reverse("admin:planning_product_change", args=[Product.objects.get().pk])
    assert f'href="{chair}#id_max_demand"' in page
    assert f'href="{chair}#id_max_purchase"' in page
    assert "max_purchase of Chair is blank: nothing limits it." in page
    assert "Make it a scenario" not in page

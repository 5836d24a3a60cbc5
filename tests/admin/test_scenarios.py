"""Scenarios in the admin: Baseline stays what it is, changes follow the rules of the plan format."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from planning.models import BASELINE, Period, Plant, Scenario, ScenarioChange


@pytest.fixture
def scenario(plant: Plant) -> Scenario:
    return Scenario.objects.create(plant=plant, name="More wood")


def change_url(scenario: Scenario) -> str:
    return reverse("admin:planning_scenario_change", args=[scenario.pk])


def form(scenario: Scenario, *changes: dict[str, str], **fields: object) -> dict[str, object]:
    """Return what the scenario's page sends, with these new changes."""
    values: dict[str, object] = {"name": scenario.name, "description": "", "goal_mode": "", **fields}
    values |= {"scenario_changes-TOTAL_FORMS": len(changes), "scenario_changes-INITIAL_FORMS": 0}
    for index, change in enumerate(changes):
        row = {"scenario": scenario.pk, "period": "", "operation": "set", "note": "", **change}
        values |= {f"scenario_changes-{index}-{name}": value for name, value in row.items()}
    return values


WOOD = {"table": "raw_materials", "row": "Wood", "field": "available_quantity", "value": "750"}


def test_baseline_has_neither_changes_nor_a_new_name_nor_a_parent(planner: Client, scenario: Scenario) -> None:
    baseline = scenario.plant.scenarios.get(name=BASELINE)
    page = planner.get(change_url(baseline))
    assert page.context["inline_admin_formsets"] == []
    assert not {"name", "parent"} & set(page.context["adminform"].form.fields)
    values = form(baseline, WOOD, parent=scenario.pk, description="As it is") | {"name": "Mine"}
    assert planner.post(change_url(baseline), values).status_code == 302
    baseline.refresh_from_db()
    assert (baseline.name, baseline.parent, baseline.description) == (BASELINE, None, "As it is")
    assert not baseline.scenario_changes.exists()


def test_baseline_is_not_deleted_alone(planner: Client, scenario: Scenario) -> None:
    baseline = scenario.plant.scenarios.get(name=BASELINE)
    url = reverse("admin:planning_scenario_delete", args=[baseline.pk])
    assert "it goes only with its plant" in planner.get(url).content.decode()
    planner.post(url, {"post": "yes"})
    action = {"action": "delete_selected", "_selected_action": [baseline.pk, scenario.pk], "post": "yes"}
    planner.post(reverse("admin:planning_scenario_changelist"), action)
    assert Scenario.objects.filter(pk=baseline.pk).exists()
    assert (
        reverse("admin:planning_scenario_delete", args=[baseline.pk])
        not in planner.get(change_url(baseline)).content.decode()
    )


def test_another_scenario_is_deleted(planner: Client, scenario: Scenario) -> None:
    planner.post(reverse("admin:planning_scenario_delete", args=[scenario.pk]), {"post": "yes"})
    assert not Scenario.objects.filter(pk=scenario.pk).exists()


def test_a_second_baseline_is_refused(planner: Client, scenario: Scenario) -> None:
    response = planner.post(change_url(scenario), form(scenario) | {"name": BASELINE})
    assert response.status_code == 200
    assert "already exists" in response.content.decode()


def test_parents_form_no_circle(planner: Client, scenario: Scenario) -> None:
    child = Scenario.objects.create(plant=scenario.plant, name="Even more", parent=scenario)
    response = planner.post(change_url(scenario), form(scenario, parent=child.pk))
    assert "comes from this scenario" in response.content.decode()
    response = planner.post(change_url(scenario), form(scenario, parent=scenario.pk))
    assert "comes from this scenario" in response.content.decode()
    scenario.refresh_from_db()
    assert scenario.parent is None


def test_changes_are_saved_in_their_order(planner: Client, scenario: Scenario) -> None:
    Period.objects.create(plant=scenario.plant, sequence=1, name="Week 1")
    changes = [WOOD, {**WOOD, "operation": "multiply", "value": "1.1", "period": "Week 1"}]
    response = planner.post(change_url(scenario), form(scenario, *changes))
    assert response.status_code == 302
    saved = [(row.operation, row.value, row.period) for row in scenario.scenario_changes.order_by("pk")]
    assert saved == [("set", 750.0, ""), ("multiply", 1.1, "Week 1")]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"field": "available_hours"}, "has no column"),
        ({"table": "customers", "field": "weight"}, "Select a valid choice"),
        ({"period": "Week 9"}, "Select a valid choice"),
        ({"operation": "multiply", "value": ""}, "The value is blank"),
        ({"value": "1e15"}, "is not a usable number"),
        ({"table": "products", "row": "Chair", "field": "active", "value": "3"}, "is true or false"),
        ({"field": "initial_inventory", "period": "Week 1"}, "has no value per period"),
        ({"row": ""}, "This field is required"),
    ],
)
def test_a_change_that_can_not_be_is_refused_in_words(
    planner: Client, scenario: Scenario, wrong: dict[str, str], words: str
) -> None:
    Period.objects.create(plant=scenario.plant, sequence=1, name="Week 1")
    response = planner.post(change_url(scenario), form(scenario, WOOD | wrong))
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not scenario.scenario_changes.exists()


def test_a_stored_period_that_is_gone_is_shown_and_not_turned_into_every_period(
    planner: Client, scenario: Scenario
) -> None:
    change = ScenarioChange.objects.create(
        scenario=scenario, table="raw_materials", row="Wood", period="Week 9", field="cost_per_unit", value=1.0
    )
    assert "Week 9 (unknown)" in planner.get(change_url(scenario)).content.decode()
    values = form(scenario, {**WOOD, "id": str(change.pk), "period": "Week 9"})
    values["scenario_changes-INITIAL_FORMS"] = 1
    response = planner.post(change_url(scenario), values)
    assert "The plant has no period" in response.content.decode()


def test_the_changes_of_the_second_page_are_edited(planner: Client, scenario: Scenario) -> None:
    changes = [
        ScenarioChange.objects.create(scenario=scenario, table="machines", row="*", field="units", value=float(index))
        for index in range(60)
    ]
    url = f"{change_url(scenario)}?scenario_changes-page=2"
    assert 'value="55"' in planner.get(url).content.decode()
    rows = [
        {"id": str(row.pk), "table": "machines", "row": "*", "field": "units", "value": str(row.value + 100)}
        for row in changes[50:]
    ]
    values = form(scenario, *rows)
    values["scenario_changes-INITIAL_FORMS"] = len(rows)
    assert planner.post(url, values).status_code == 302
    assert list(scenario.scenario_changes.values_list("value", flat=True)[49:52]) == [49.0, 150.0, 151.0]

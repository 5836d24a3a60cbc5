"""A planner makes a scenario in a browser: adds changes, checks and mends them, runs, duplicates and promotes it."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from planning.models import Plant, Scenario
from tests.factories import make_furniture


@pytest.fixture
def plant(transactional_db: None) -> Plant:
    plant = make_furniture()
    for week in (1, 2):
        plant.periods.create(sequence=week, name=f"Week {week}")
    return plant


@pytest.fixture
def scenario(plant: Plant) -> Scenario:
    scenario = Scenario.objects.create(plant=plant, name="More wood")
    wood = {"table": "raw_materials", "row": "Wood", "field": "available_quantity"}
    scenario.scenario_changes.create(**wood, operation="multiply", value=1.5, note="new supplier")
    scenario.scenario_changes.create(**wood, operation="add", value=10.0)
    return scenario


def row(page: Page, number: int) -> Locator:
    """Return the change at a place, from 0."""
    return page.locator("[data-list] > [data-change]").nth(number)


def enter(change: Locator, **values: str) -> None:
    for name in ("table", "field", "period", "operation"):
        if name in values:
            change.locator(f"[name$=-{name}]").select_option(values[name])
    for name in ("row", "value", "note"):
        if name in values:
            change.locator(f"[name$=-{name}]").fill(values[name])


def test_from_a_new_scenario_to_the_base_data(planner: Page, plant: Plant) -> None:
    planner.goto(reverse("admin:planning_scenario_add"))
    planner.fill("[name=name]", "More wood")
    planner.get_by_role("button", name="Save", exact=True).click()
    expect(planner.get_by_text("No changes yet")).to_be_visible()

    # a change, with names to choose from
    planner.get_by_role("button", name="Add a change").click()
    expect(planner.get_by_text("No changes yet")).to_be_hidden()
    first = row(planner, 0)
    enter(first, table="raw_materials")
    offered = first.locator("[name$=-field] option:not([disabled])").all_inner_texts()
    assert "available quantity" in offered
    assert "min demand" not in offered
    first.locator("[name$=-row]").press_sequentially("oo")
    expect(first.locator("datalist option")).to_have_count(2)
    assert first.locator("datalist option").evaluate_all("all => all.map(one => one.value)") == ["*", "Wood"]
    enter(first, field="available_quantity", row="Wod", operation="multiply", value="1.5", note="new supplier")

    # Check says what is wrong and saves nothing
    planner.get_by_role("button", name="Check").click()
    expect(first.locator("[data-effect]")).to_contain_text("Did you mean: Wood")
    expect(planner.get_by_text("1 change can't be applied")).to_be_visible()
    enter(first, row="Wood")
    planner.get_by_role("button", name="Check").click()
    expect(first.locator("[data-effect]")).to_contain_text("500 → 750")
    expect(first.locator("[data-effect]")).to_contain_text("changes 1 raw material in 2 periods")
    expect(planner.get_by_text("not saved")).to_be_visible()
    scenario = Scenario.objects.get(name="More wood")
    assert not scenario.scenario_changes.exists()

    # a second change comes first
    planner.get_by_role("button", name="Add a change").click()
    enter(row(planner, 1), table="raw_materials", row="Wood", field="available_quantity", period="Week 1", value="600")
    row(planner, 1).get_by_role("button", name="Move this change up").click()
    planner.get_by_role("button", name="Save and continue editing").click()
    expect(planner.get_by_text("was changed successfully")).to_be_visible()
    expect(row(planner, 0).locator("[data-effect]")).to_contain_text("500 → 600")
    expect(row(planner, 1).locator("[data-effect]")).to_contain_text("500 to 600 → 750 to 900")
    changes = list(scenario.scenario_changes.order_by("pk").values_list("period", "operation", "value", "note"))
    assert changes == [("Week 1", "set", 600.0, ""), ("", "multiply", 1.5, "new supplier")]

    # run
    planner.get_by_role("link", name="Run scenario").click()
    planner.get_by_role("button", name="Run", exact=True).click()
    expect(planner.get_by_text("plan checked")).to_be_visible(timeout=60_000)

    # duplicate
    planner.goto(reverse("admin:planning_scenario_change", args=[scenario.pk]))
    planner.get_by_role("link", name="Duplicate").click()
    expect(planner.locator("[name=name]")).to_have_value("Copy of More wood")
    planner.fill("[name=name]", "Even more wood")
    planner.get_by_role("button", name="Duplicate").click()
    expect(planner.get_by_text('"Even more wood" has the changes of "More wood"')).to_be_visible()
    assert Scenario.objects.get(name="Even more wood").scenario_changes.count() == 2

    # promote
    planner.goto(reverse("admin:planning_scenario_change", args=[scenario.pk]))
    planner.get_by_role("link", name="Promote").click()
    preview = planner.get_by_role("region", name="What changes")
    expect(preview.locator("tbody tr")).to_have_count(2)
    expect(planner.get_by_text("Even more wood")).to_be_visible()
    planner.get_by_role("button", name="Promote").click()
    expect(planner.get_by_text("was promoted")).to_be_visible()
    expect(planner.get_by_text("No changes yet")).to_be_visible()
    wood = plant.raw_materials.get(name="Wood")
    held = dict(wood.raw_material_periods.values_list("period__name", "available_quantity"))
    assert {week: held.get(week, wood.available_quantity) for week in ("Week 1", "Week 2")} == {
        "Week 1": 900.0,
        "Week 2": 750.0,
    }


def test_a_change_is_removed_and_kept_again(planner: Page, scenario: Scenario) -> None:
    planner.goto(reverse("admin:planning_scenario_change", args=[scenario.pk]))
    row(planner, 0).get_by_role("button", name="Remove this change").click()
    row(planner, 0).get_by_role("button", name="Keep this change").click()
    row(planner, 1).get_by_role("button", name="Remove this change").click()
    planner.get_by_role("button", name="Check").click()
    expect(planner.get_by_role("region", name="Base and effective values")).to_contain_text("750")
    planner.get_by_role("button", name="Save", exact=True).click()
    expect(planner.get_by_text("was changed successfully")).to_be_visible()
    assert [change.value for change in scenario.scenario_changes.all()] == [1.5]

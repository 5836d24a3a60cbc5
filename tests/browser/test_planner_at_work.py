"""A planner at work in a browser: enters data, follows a run, reads its plan."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from planning.models import Product, ProductionRecipe, Run
from tests.factories import make_furniture, make_run


def test_a_scenario_is_run_in_a_child_process_and_its_plan_read(planner: Page) -> None:
    plant = make_furniture()
    planner.get_by_role("link", name="Scenarios").first.click()
    planner.get_by_role("link", name="Baseline", exact=True).click()
    planner.get_by_role("link", name="Run scenario").click()
    planner.get_by_role("button", name="Run", exact=True).click()
    planner.wait_for_url("**/planning/run/*/change/")
    expect(planner.get_by_text("2,735.71 USD").first).to_be_visible(timeout=60_000)
    expect(planner.get_by_text("plan checked")).to_be_visible()
    expect(planner.get_by_text("5.71 USD, up to 883.12")).to_be_visible()
    production = planner.get_by_role("region", name="Production")
    assert production.locator("tbody tr").all_inner_texts() == ["Chair\t10", "Table\t5", "Desk\t8.43"]
    run = Run.objects.get()
    assert (run.plant, run.state, run.user.username) == (plant, "solved", "planner")


def test_a_scenario_without_a_plan_says_why(planner: Page) -> None:
    plant = make_furniture()
    plant.raw_materials.filter(name="Wood").update(available_quantity=100.0)
    planner.goto(f"{reverse('admin:planning_scenario_run')}?scenario={plant.scenarios.get().pk}")
    planner.get_by_role("button", name="Run", exact=True).click()
    expect(planner.get_by_text("Infeasible", exact=True)).to_be_visible(timeout=60_000)


def test_the_page_of_a_run_follows_it_to_its_end(planner: Page) -> None:
    plant = make_furniture()
    run = make_run(plant)
    planner.goto(reverse("admin:planning_run_change", args=[run.pk]))
    expect(planner.locator("[data-run-badge]")).to_have_text("Queued")
    first = planner.locator("[data-run-elapsed]").inner_text()

    Run.objects.filter(pk=run.pk).update(state="running", heartbeat_at=timezone.now())
    expect(planner.locator("[data-run-badge]")).to_have_text("Running")
    expect(planner.locator("[data-run-elapsed]")).not_to_have_text(first)

    planner.reload()
    Run.objects.filter(pk=run.pk).update(state="infeasible", reason="Too little wood.")
    expect(planner.get_by_text("Too little wood.")).to_be_visible()
    expect(planner.locator("[data-run-state]")).to_have_count(0)


def test_a_run_is_started_once_however_often_the_button_is_pressed(
    planner: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = make_furniture()
    monkeypatch.setitem(settings.PLANNING, "LOCAL_RUNS", 0)  # the run waits: nothing is solved
    planner.goto(reverse("admin:planning_scenario_change", args=[plant.scenarios.get().pk]))
    planner.get_by_role("link", name="Run scenario").click()
    planner.get_by_role("button", name="Run", exact=True).dblclick()
    planner.wait_for_url("**/planning/run/*/change/")
    expect(planner.locator("[data-run-badge]")).to_have_text("Queued")
    assert Run.objects.count() == 1


def test_the_form_is_sent_by_the_keyboard(planner: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = make_furniture()
    monkeypatch.setitem(settings.PLANNING, "LOCAL_RUNS", 0)  # the run waits: nothing is solved
    planner.goto(f"{reverse('admin:planning_scenario_run')}?scenario={plant.scenarios.get().pk}")
    planner.wait_for_function("document.activeElement?.form")  # the page puts the cursor into the form
    planner.keyboard.press("Enter")
    planner.wait_for_url("**/planning/run/*/change/")


def test_a_recipe_is_entered_on_the_products_page(planner: Page) -> None:
    plant = make_furniture()
    make_furniture("South")
    sofa = Product.objects.create(plant=plant, name="Sofa")
    planner.goto(reverse("admin:planning_product_change", args=[sofa.pk]))
    planner.get_by_role("link", name="Recipes", exact=True).click()
    planner.get_by_text("Add another Production recipe").click()
    hours = planner.locator("[name=production_recipes-0-hours_required]")
    planner.locator("tr", has=hours).locator(".select2-selection").click()
    expect(planner.locator(".select2-results__option")).to_have_text(["Cutting Machine", "Assembly Station"])
    planner.locator(".select2-results__option", has_text="Cutting Machine").click()
    hours.fill("0.25")
    planner.get_by_role("button", name="Save", exact=True).click()
    expect(planner.get_by_text("was changed successfully")).to_be_visible()
    recipe = ProductionRecipe.objects.get(product=sofa)
    assert (recipe.machine.plant, recipe.machine.name, recipe.hours_required) == (plant, "Cutting Machine", 0.25)

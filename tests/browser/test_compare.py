"""Runs are chosen in their list and compared, on a wide screen and on a phone."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import Page, expect

from planning.models import Production
from tests.factories import make_furniture, make_solved_run


def test_two_runs_are_chosen_and_compared(planner: Page) -> None:
    plant = make_furniture()
    make_solved_run(plant)
    other = make_solved_run(plant, objective=2500.0)
    Production.objects.filter(run=other, product="Chair").update(quantity=8)
    planner.goto(reverse("admin:planning_run_changelist"))
    for box in planner.locator("input.action-select").all():
        box.check()
    planner.locator("select[name=action]").select_option(label="Compare")
    planner.locator("button[name=index]").click()
    planner.wait_for_url("**/planning/run/compare/?run=*&run=*")
    expect(planner.get_by_text("-235.71 USD worse").first).to_be_visible()
    plan = planner.get_by_role("region", name="Plan")
    expect(plan.locator("tbody tr")).to_have_count(6)
    planner.get_by_role("link", name="Only differences").click()
    expect(plan.locator("tbody tr")).to_have_count(2)
    planner.set_viewport_size({"width": 390, "height": 800})
    assert planner.evaluate("document.documentElement.scrollWidth <= innerWidth")
    planner.get_by_role("link", name="Make run").click()
    expect(planner.get_by_text("+235.71 USD better").first).to_be_visible()

"""What if, in a browser: a slider moved with the keys, answered by a process of its own; a sweep drawn as it ends."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import Page, expect

from planning.runs import start_run
from tests.factories import make_furniture, solve_here


def test_a_planner_moves_a_limit_and_sweeps_it(planner: Page) -> None:
    run = solve_here(start_run(make_furniture().scenarios.get(), here=True))
    planner.goto(reverse("admin:planning_run_change", args=[run.pk]))
    part = planner.locator("#what-if")
    part.get_by_label("What").select_option(label="Quantity of a material")
    part.get_by_label("Which").fill("Wood")
    part.get_by_role("button", name="Choose").click()
    slider, answer = part.locator("[data-slider]"), part.locator("[data-what-if-answer]")
    slider.focus()
    slider.press("ArrowRight")
    expect(part.locator("[name=value]")).to_have_value("510")
    expect(answer).to_contain_text("+57.14 USD")
    expect(answer).to_contain_text("one more board feet brings 5.71 USD, up to 883.12")
    part.locator("[name=value]").fill("10")
    expect(answer).to_contain_text("No plan is possible with this.")
    part.get_by_text("Sweep: a curve").click()
    for label, value in (("From", "400"), ("To", "1000"), ("Values", "3")):
        part.get_by_label(label, exact=True).first.fill(value)
    part.get_by_role("button", name="Start sweep").click()
    planner.wait_for_url("**/planning/runset/*/change/")
    expect(planner.locator("svg circle.pl-dot")).to_have_count(3)
    expect(planner.get_by_text("Between 700 and 1,000 board feet: Metal begins to limit the plan")).to_be_visible()

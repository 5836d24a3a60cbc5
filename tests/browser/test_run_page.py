"""The page of a run in a browser: its charts, its parts that change by themselves, narrow and dark, followed live."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from planning.exchange import import_plan
from planning.models import Plant, Product, Run
from planning.runs import RunOptions, execute, start_run
from tests.factories import make_furniture, make_run


def solved(plant: Plant) -> Run:
    """Return a run of the plant's Baseline that was executed here."""
    run = start_run(plant.scenarios.get(name="Baseline"), RunOptions(gap=0.01, time_limit=30), here=True)
    return execute(run.pk, run.attempt)


@pytest.fixture
def weeks(transactional_db: None, plants_dir: Path) -> Run:
    """Return a solved run of the furniture plant over four weeks."""
    import_plan(plants_dir / "lumix_step4_weeks")
    return solved(Plant.objects.get())


def open_run(page: Page, run: Run) -> None:
    page.goto(reverse("admin:planning_run_change", args=[run.pk]))
    page.wait_for_load_state("networkidle")


def test_a_planner_reads_a_plan_of_four_weeks(planner: Page, weeks: Run) -> None:
    open_run(planner, weeks)
    machines = planner.locator("#load [data-chart]")
    expect(machines).to_have_count(6)
    first = machines.first
    assert first.locator("svg rect").count() > 4
    assert first.locator("svg line.pl-cline").count() == 4
    first.get_by_text("Numbers").click()
    expect(first.get_by_role("row", name="Available")).to_be_visible()
    bars = planner.locator("#campaigns li")
    assert bars.count() > 5
    assert bars.first.get_attribute("title")
    planner.set_viewport_size({"width": 390, "height": 850})
    box = first.locator("svg").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390
    planner.set_viewport_size({"width": 1280, "height": 850})

    plan = planner.locator("#plan")
    plan.get_by_role("link", name="Profit", exact=True).click()
    total = plan.locator("tfoot tr").last.locator("td").last
    expect(total).to_have_text(f"{round(weeks.objective or 0, 2):,}")
    expect(plan.locator("[aria-current]")).to_be_focused()
    plan.get_by_role("link", name="Machine hours").click()
    expect(plan.get_by_text("All products")).to_be_visible()
    planner.reload()
    expect(planner.locator("#plan").get_by_text("All products")).to_be_visible()

    inputs = planner.locator("#inputs")
    inputs.get_by_role("link", name="Show").click()
    inputs.get_by_role("link", name="Customer orders").click()
    expect(inputs.get_by_text("SO-007")).to_be_visible()
    inputs.get_by_role("link", name="All tables").click()
    expect(inputs.get_by_role("link", name="Raw materials", exact=True)).to_be_visible()
    with planner.expect_download() as download:
        planner.get_by_role("link", name="All tables as a workbook").click()
    assert download.value.suggested_filename == f"run-{weeks.pk}-plan.xlsx"


def test_edits_since_a_run_are_marked(planner: Page, transactional_db: None) -> None:
    run = solved(make_furniture())
    open_run(planner, run)
    expect(planner.locator("[data-changes]")).to_be_hidden()
    Product.objects.filter(name="Chair").update(max_demand=120, profit_per_unit=50)
    planner.reload()
    expect(planner.get_by_text("data changed since (2 edits)")).to_be_visible()


def test_progress_is_drawn_while_a_run_goes_on(planner: Page, transactional_db: None) -> None:
    run = make_run(make_furniture(), options={"time_limit": 60.0})
    open_run(planner, run)
    expect(planner.locator("[data-run-stages] [aria-current]")).to_have_text("Queued, place 1")
    expect(planner.locator("[data-run-chart]")).to_be_hidden()
    now = timezone.now()
    trail = [[0.5, 100.0, 900.0], [2.0, 700.0, 900.0], [3.0, 800.0, 850.0]]
    Run.objects.filter(pk=run.pk).update(
        state="running", started_at=now, heartbeat_at=now, progress={"stage": "running", "best": 800.0, "trail": trail}
    )
    expect(planner.locator("[data-run-stages] [aria-current]")).to_have_text("Running")
    expect(planner.locator("[data-run-chart] path.pl-best")).to_be_visible()
    expect(planner.locator("[data-run-bar]")).to_have_attribute("max", "60")
    planner.reload()
    expect(planner.locator("[data-run-chart] path.pl-bound")).to_be_visible()

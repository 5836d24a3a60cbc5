"""The parts of a run's page: what they show against the stored rows, and for whom."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from planning.admin.run_charts import campaign_bars, machine_charts
from planning.admin.run_pivot import pivot, pivot_table
from planning.models import Product, Run, RunCopy, Scenario
from planning.runs import execute, start_run
from tests.factories import make_furniture, make_run, make_solved_run, make_user
from tests.formulation.small_plants import baseline
from tests.runs.rich_plant import make_rich

PARTS = ["profit", "plan", "orders", "goals", "load", "machines", "campaigns", "products", "materials", "inputs"]


@pytest.fixture
def rich(db: None, tmp_path: Path) -> Run:
    """Return a solved run of the plant in which every column has something to say."""
    run = start_run(baseline(make_rich(tmp_path)), here=True)
    return execute(run.pk, run.attempt)


def part_of(client: Client, run: Run, name: str, **query: Any) -> str:
    response = client.get(reverse("admin:planning_run_part", args=[run.pk, name]), query)
    assert response.status_code == 200, name
    return response.content.decode()


def charts_in(part: str) -> list[Any]:
    """Return the data of the charts in a part."""
    return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', part)]


def test_every_part_is_shown_by_itself_and_in_the_page(viewer: Client, rich: Run) -> None:
    url = reverse("admin:planning_run_change", args=[rich.pk])
    page = viewer.get(url).content.decode()
    for name in PARTS:
        assert f'id="{name}"' in page, name
        assert f'id="{name}-title"' in part_of(viewer, rich, name)
    assert page.count("data-part-later") == 4
    for name in ("load", "campaigns", "inputs"):  # without a script, its link shows the part with the page
        part = viewer.get(url, {"part": name}).content.decode()
        assert {"load": "data-chart", "campaigns": "pl-gantt", "inputs": "Production recipes"}[name] in part


def test_the_charts_of_the_machines_draw_the_stored_hours(viewer: Client, rich: Run) -> None:
    data = charts_in(part_of(viewer, rich, "load"))
    names = [chart.name for chart in machine_charts(rich, 1)[0]]
    assert sorted(names) == ["Oven", "Press", "Saw", "Yard"]
    for name, chart in zip(names, data, strict=True):
        rows = list(rich.utilization_rows.filter(resource=name).values_list("period", "used", "available", "overtime"))
        assert chart["periods"] == [row[0] for row in rows]
        assert chart["used"] == [row[1] for row in rows]
        assert chart["available"] == [row[2] for row in rows]
        assert chart["overtime"] == [row[3] for row in rows]
        for t, row in enumerate(rows):
            assert sum(stack["hours"][t] for stack in chart["stacks"]) == pytest.approx(row[1], abs=1e-9)
    saw = data[names.index("Saw")]
    assert [stack["name"] for stack in saw["stacks"]] == ["Chair", "Setups"]


def test_campaigns_span_the_periods_in_which_a_product_is_made(rich: Run) -> None:
    machines, periods, _ = campaign_bars(rich, 1)
    assert periods == ["1", "2", "3"]
    press = next(machine for machine in machines if machine.name == "Press")
    made = rich.productbalance_rows.filter(product="Leg", made__gt=0).values_list("period", flat=True)
    covered = [period for bar in press.bars for period in periods[bar.column - 1 : bar.column - 1 + bar.span]]
    assert covered == list(made)
    assert press.bars[0].words.startswith("Leg, ")
    oven = next(machine for machine in machines if machine.name == "Oven")
    assert not any(bar.setup for bar in oven.bars)  # its recipes have none


def test_the_pivot_shows_quantity_hours_and_profit(viewer: Client, rich: Run) -> None:
    quantity = pivot(rich, "quantity")
    rows = {(row.product, row.route, row.period): row.quantity for row in rich.production_rows.all()}
    for lines in quantity.products:
        for line in lines[1:] or lines:
            assert line.amounts == [rows[line.product, line.route, period] for period in quantity.periods]
    chair = quantity.products[0]
    assert [line.route for line in chair] == ["", "Fast", "Slow"]
    assert chair[0].total == pytest.approx(
        sum(rich.production_rows.filter(product="Chair").values_list("quantity", flat=True))
    )
    hours = rich.utilization_rows.filter(resource_type="machine").values_list("used", flat=True)
    assert sum(pivot(rich, "hours").sums()) == pytest.approx(sum(hours))
    assert sum(pivot(rich, "profit").sums()) == pytest.approx(rich.objective)
    part = part_of(viewer, rich, "plan", measure="profit")
    assert "Overtime" in part
    assert 'aria-current="true">Profit' in part
    table = pivot_table(rich, "profit", 1)
    assert table is not None
    assert [row[0].text for row in table.foot][-1] == "Profit"


def test_products_are_found_by_their_name(viewer: Client, rich: Run) -> None:
    part = part_of(viewer, rich, "plan", search="le")
    assert "Leg" in part
    assert 'title="Chair"' not in part


def test_goals_show_what_they_want_and_what_is_reached(viewer: Client, rich: Run) -> None:
    part = part_of(viewer, rich, "goals")
    for words in ("Production Chair", "at least 70", "Material quantity Wood", "at most 100"):
        assert words in part, words
    reached = sum(rich.productbalance_rows.filter(product="Chair").values_list("made", flat=True))
    assert f">{reached:g}<" in part


def test_orders_are_on_time_late_or_short(viewer: Client, rich: Run) -> None:
    part = part_of(viewer, rich, "orders")
    states = {
        "Short" if order.shortfall > 1e-6 else "Late" if order.late > 1e-6 else "On time"
        for order in rich.orderresult_rows.all()
    }
    for state in states:
        assert f"{state}</span>" in part or f"{state}, the rest late</span>" in part


def test_data_as_solved_are_shown_as_the_scenario_has_them(viewer: Client, tmp_path: Path, db: None) -> None:
    plant = make_rich(tmp_path)
    scenario = Scenario.objects.create(plant=plant, name="Long")
    scenario.scenario_changes.create(table="machines", row="Press", field="maintenance_units", operation="set", value=0)
    scenario.scenario_changes.create(
        table="production_recipes", row="Leg / Press", field="hours_required", operation="set", value=0.75
    )
    run = start_run(scenario, here=True)
    run = execute(run.pk, run.attempt)
    assert ">0.75<" in part_of(viewer, run, "inputs", table="production_recipes")
    assert "Production recipes" in part_of(viewer, run, "inputs")


def test_data_as_solved_are_for_whom_may_see_their_table(client: Client, rich: Run) -> None:
    client.force_login(make_user("clerk", "view_run", "view_product"))
    part = part_of(client, rich, "inputs")
    assert "Products" in part
    assert "Machines" not in part
    url = reverse("admin:planning_run_part", args=[rich.pk, "inputs"])
    assert client.get(url, {"table": "machines"}).status_code == 404


def test_parts_are_seen_only_with_the_right_to_view_runs(client: Client, rich: Run) -> None:
    urls = [
        reverse("admin:planning_run_part", args=[rich.pk, "plan"]),
        reverse("admin:planning_run_changes", args=[rich.pk]),
        reverse("admin:planning_run_xlsx", args=[rich.pk, "plan"]),
    ]
    for url in urls:
        assert client.get(url)["Location"].startswith(reverse("admin:login"))
    client.force_login(make_user("clerk", "view_product", "view_plant", "run_scenario"))
    for url in urls:
        assert client.get(url).status_code == 403


def test_without_its_copy_a_run_shows_its_stored_rows_and_says_what_is_missing(viewer: Client, rich: Run) -> None:
    RunCopy.objects.filter(run=rich).delete()
    Run.objects.filter(pk=rich.pk).update(attempt=2)  # nothing is kept of it
    rich.refresh_from_db()
    assert "Chair" in part_of(viewer, rich, "plan")
    for name, query in (("plan", {"measure": "hours"}), ("load", {}), ("campaigns", {}), ("inputs", {})):
        assert "The run has no stored copy." in part_of(viewer, rich, name, **query)
    assert "Below target" in part_of(viewer, rich, "goals")
    changes = viewer.get(reverse("admin:planning_run_changes", args=[rich.pk])).json()
    assert changes["count"] is None
    assert "no stored copy" in changes["about"]


def test_what_is_asked_for_and_makes_no_sense_is_the_first_page(viewer: Client, rich: Run) -> None:
    first = part_of(viewer, rich, "products")
    for page in ("0", "-1", "x", "9" * 30, "²"):
        assert part_of(viewer, rich, "products", page=page) == first
    assert part_of(viewer, rich, "products", page=10**7) == first  # the last one is the first one
    assert part_of(viewer, rich, "plan", measure="colour") == part_of(viewer, rich, "plan")
    for name in ("runs", "x"):
        assert viewer.get(reverse("admin:planning_run_part", args=[rich.pk, name])).status_code == 404


def test_a_run_without_a_plan_has_only_its_data(viewer: Client, plant_without_wood: Run) -> None:
    run = plant_without_wood
    page = viewer.get(reverse("admin:planning_run_change", args=[run.pk])).content.decode()
    assert 'id="inputs"' in page
    assert 'id="plan"' not in page
    assert "Raw materials" in part_of(viewer, run, "inputs")
    for name in ("plan", "profit", "load"):
        assert viewer.get(reverse("admin:planning_run_part", args=[run.pk, name])).status_code == 404
    open_run = make_run(run.plant)
    assert viewer.get(reverse("admin:planning_run_part", args=[open_run.pk, "inputs"])).status_code == 404


@pytest.fixture
def plant_without_wood(db: None) -> Run:
    """Return the run of a plant whose demand can't be met."""
    plant = make_furniture()
    plant.raw_materials.filter(name="Wood").update(available_quantity=100.0)
    run = start_run(baseline(plant), here=True)
    return execute(run.pk, run.attempt)


def test_edits_since_the_run_are_counted_on_demand(viewer: Client, rich: Run) -> None:
    url = reverse("admin:planning_run_changes", args=[rich.pk])
    assert viewer.get(url).json() == {"count": 0, "words": "", "about": ""}
    Product.objects.filter(plant=rich.plant, name="Chair").update(min_demand=20, max_demand=None)
    assert viewer.get(url).json() == {"count": 2, "words": "data changed since (2 edits)", "about": "products: 2"}
    Product.objects.bulk_create(Product(plant=rich.plant, name=f"Product {i}") for i in range(50))
    with CaptureQueriesContext(connection) as queries:
        assert viewer.get(url).json()["count"] == 52
    assert len(queries) < 30


# --- differences to other runs --------------------------------------------------------------


def test_the_profit_is_compared_with_the_run_before_and_with_baseline(viewer: Client, db: None) -> None:
    plant = make_furniture()
    Scenario.objects.create(plant=plant, name="More wood")
    base = make_solved_run(plant, objective=1000.0)
    before = make_solved_run(plant, scenario_name="More wood", objective=1100.0)
    make_run(plant, scenario_name="More wood", state="infeasible")
    make_solved_run(plant, scenario_name="More wood", objective=9.0, currency="EUR")
    make_solved_run(plant, scenario_name="More wood", objective=9.0, variation=[])
    run = make_solved_run(plant, scenario_name="More wood", objective=1210.0)
    page = viewer.get(reverse("admin:planning_run_change", args=[run.pk])).content.decode()
    assert "+110.00 USD (+10 %) against" in page
    assert f'{reverse("admin:planning_run_change", args=[before.pk])}">run {before.pk}, the one before' in page
    assert "+210.00 USD (+21 %) against" in page
    assert f'{reverse("admin:planning_run_change", args=[base.pk])}">run {base.pk} of Baseline' in page
    page = viewer.get(reverse("admin:planning_run_change", args=[before.pk])).content.decode()
    assert "the one before" not in page
    page = viewer.get(reverse("admin:planning_run_change", args=[base.pk])).content.decode()
    assert "against" not in page

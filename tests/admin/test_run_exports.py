"""Every table of a run as a CSV file and as a workbook."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from planning.admin.run_exports import FROM_COPY, MADE_UP, STORED
from planning.models import Plant, Production, Run, RunCopy
from planning.runs import execute, start_run
from tests.admin.big_run import big_run
from tests.factories import make_run, make_solved_run, make_user
from tests.formulation.small_plants import baseline
from tests.runs.rich_plant import make_rich


def file_of(client: Client, run: Run, table: str) -> list[list[str]]:
    response = client.get(reverse("admin:planning_run_csv", args=[run.pk, table]))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="run-{run.pk}-{table}.csv"'
    return list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))


def workbook_of(client: Client, run: Run, table: str) -> dict[str, list[tuple[Any, ...]]]:
    response = client.get(reverse("admin:planning_run_xlsx", args=[run.pk, table]))
    assert response["Content-Disposition"] == f'attachment; filename="run-{run.pk}-{table}.xlsx"'
    book = load_workbook(io.BytesIO(response.getvalue()))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


@pytest.fixture
def rich(db: None, tmp_path: Path) -> Run:
    """Return a solved run of the plant in which every column has something to say."""
    run = start_run(baseline(make_rich(tmp_path)), here=True)
    return execute(run.pk, run.attempt)


def test_the_csv_file_has_all_rows_to_the_last_digit(viewer: Client, plant: Plant) -> None:
    run = make_solved_run(plant)
    assert file_of(viewer, run, "production") == [
        ["product", "route", "period", "quantity", "setup"],
        ["Chair", "", "1", "10", "false"],
        ["Table", "", "1", "5", "false"],
        ["Desk", "", "1", "8.428571428571429", "false"],
    ]
    assert len(file_of(viewer, big_run(plant, 300, 12), "products")) == 3601


@pytest.mark.parametrize("table", STORED)
def test_every_result_table_has_its_files(viewer: Client, plant: Plant, table: str) -> None:
    run = big_run(plant, 1, 1)
    assert len(file_of(viewer, run, table)) == 2
    assert len(workbook_of(viewer, run, table)[table]) == 2


def test_what_is_made_of_the_rows_has_its_files(viewer: Client, rich: Run) -> None:
    for table in MADE_UP:
        rows = file_of(viewer, rich, table)
        (sheet,) = workbook_of(viewer, rich, table).values()
        assert len(rows) == len(sheet) > 1, table
        assert list(sheet[0]) == rows[0], table
    profit = file_of(viewer, rich, "plan-profit")[1:]
    assert sum(float(row[-1]) for row in profit) == pytest.approx(rich.objective)
    hours = file_of(viewer, rich, "machine-hours")[1:]
    used = rich.utilization_rows.filter(resource_type="machine").values_list("used", flat=True)
    assert sum(float(row[4]) + float(row[5]) for row in hours) == pytest.approx(sum(used))
    made = file_of(viewer, rich, "plan-quantity")[1:]
    assert [row[:2] for row in made] == [["Chair", "Fast"], ["Chair", "Slow"], ["Leg", ""]]


def test_the_data_as_solved_have_their_files(viewer: Client, rich: Run) -> None:
    rows = file_of(viewer, rich, "input-route_periods")
    assert rows == [["product", "route", "period", "cost_per_unit", "setup_cost", "min_batch_size", "max_batch_size"]]
    recipes = file_of(viewer, rich, "input-production_recipes")
    assert recipes[1] == ["Chair", "Saw", "", "0.25", "0.5", "2"]
    assert workbook_of(viewer, rich, "input-products")["input-products"][1][0] == "Chair"


def test_one_workbook_holds_all_tables(viewer: Client, rich: Run) -> None:
    assert set(workbook_of(viewer, rich, "plan")) == {*MADE_UP, *STORED}
    RunCopy.objects.filter(run=rich).delete()
    Run.objects.filter(pk=rich.pk).update(attempt=2)  # nothing is kept of it
    rich.refresh_from_db()
    assert set(workbook_of(viewer, rich, "plan")) == {*MADE_UP, *STORED} - set(FROM_COPY)
    assert viewer.get(reverse("admin:planning_run_csv", args=[rich.pk, "campaigns"])).status_code == 404


def test_text_never_becomes_a_formula_and_numbers_stay_numbers(viewer: Client, plant: Plant) -> None:
    run = make_run(plant, state="solved")
    names = ("=cmd|x", "+1", "-1", "@x", "'quoted", "Chair")
    for name in names:
        Production.objects.create(run=run, product=name, route="", period="1", quantity=-1.5, setup=False)
    rows = file_of(viewer, run, "production")[1:]
    assert [row[0] for row in rows] == ["'=cmd|x", "'+1", "'-1", "'@x", "''quoted", "Chair"]
    assert {row[3] for row in rows} == {"-1.5"}
    response = viewer.get(reverse("admin:planning_run_xlsx", args=[run.pk, "production"]))
    sheet = load_workbook(io.BytesIO(response.getvalue()))["production"]
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert [(cell.value, cell.data_type) for cell in cells] == [(name, "s") for name in names]


def test_a_table_that_is_none_is_not_found(viewer: Client, plant: Plant) -> None:
    run = make_solved_run(plant)
    for table in ("runcopy", "input-", "input-runs", "plan-hours"):
        for kind in ("csv", "xlsx"):
            assert viewer.get(reverse(f"admin:planning_run_{kind}", args=[run.pk, table])).status_code == 404


def test_data_as_solved_are_for_whom_may_see_their_table(client: Client, rich: Run) -> None:
    client.force_login(make_user("clerk", "view_run", "view_product"))
    assert len(file_of(client, rich, "input-products")) == 4
    for kind in ("csv", "xlsx"):
        url = reverse(f"admin:planning_run_{kind}", args=[rich.pk, "input-machines"])
        assert client.get(url).status_code == 403

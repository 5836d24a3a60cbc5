"""What is listed leaves as a file: all rows under the search and filters, as the import takes them."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from planning.exchange import preview_tables
from planning.models import Machine, Plant, Product
from tests.admin.doors import make_full_plant, member, planning_tables
from tests.factories import make_furniture, make_run, make_solved_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(db: None) -> Client:
    """Return the client of somebody in the group Viewer."""
    return member("Viewer")


def url_of(model: str, kind: str, query: str = "") -> str:
    return reverse(f"admin:planning_{model}_export_{kind}") + query


def content(answer: Any) -> bytes:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def lines(client: Client, model: str, query: str = "") -> list[list[str]]:
    text = content(client.get(url_of(model, "csv", query))).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def named(data: bytes, name: str) -> io.BytesIO:
    file = io.BytesIO(data)
    file.name = name
    return file


def test_all_rows_under_the_search_are_exported_also_those_of_other_pages(viewer: Client, plant: Plant) -> None:
    Machine.objects.bulk_create(Machine(plant=plant, name=f"Press {number}", units=2) for number in range(60))
    Machine.objects.create(plant=plant, name="=Saw")
    exported = lines(viewer, "machine", "?q=press&p=2")
    assert exported[0][:3] == ["name", "available_hours", "units"]
    assert len(exported) == 61
    assert [row[0] for row in lines(viewer, "machine", "?q=saw")[1:]] == ["'=Saw"]
    page = viewer.get(reverse("admin:planning_machine_changelist"), {"q": "press"}).content.decode()
    assert "Export what is listed (60 rows)" in page
    assert f'href="{url_of("machine", "xlsx")}?q=press"' in page


def test_filters_hold_and_rows_of_several_plants_name_theirs(viewer: Client, plant: Plant) -> None:
    make_furniture("South")
    both = lines(viewer, "product")
    assert both[0][:2] == ["plant", "name"]
    assert {row[0] for row in both[1:]} == {"Furniture Workshop", "South"}
    one = lines(viewer, "product", f"?plant__id__exact={plant.pk}")
    assert (one[0][0], len(one)) == ("name", 4)


def test_an_export_of_a_table_is_what_an_import_takes(viewer: Client) -> None:
    plant = make_full_plant()
    for model in planning_tables():
        for kind in ("csv", "xlsx"):
            answer = viewer.get(url_of(str(model._meta.model_name), kind))
            name = answer["Content-Disposition"].split('"')[1]
            assert preview_tables(named(content(answer), name), plant).changes_nothing, name


def test_runs_and_sets_are_exported_too(viewer: Client, plant: Plant) -> None:
    run = make_solved_run(plant, user=make_user("ann"))
    make_run(plant)
    exported = lines(viewer, "run", "?state__exact=solved")
    assert exported[1][:5] == [str(run.pk), plant.name, "Baseline", "solved", "2735.714285714286"]
    assert exported[1][-2] == "ann"
    sheet = openpyxl.load_workbook(io.BytesIO(content(viewer.get(url_of("run", "xlsx"))))).active
    assert sheet.max_row == 3
    assert lines(viewer, "runset")[0][0] == "set"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_queries_are_the_same_however_many_rows(viewer: Client, plant: Plant, kind: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            content(viewer.get(url_of("product", kind)))
        return len(captured)

    few = queries()
    Product.objects.bulk_create(Product(plant=plant, name=f"P{number}") for number in range(5000))
    assert queries() == few


def test_filters_that_make_no_sense_lead_back_to_the_list(viewer: Client, plant: Plant) -> None:
    answer = viewer.get(url_of("product", "csv", "?nonsense=1"))
    assert answer.status_code == 302
    assert answer["Location"] == reverse("admin:planning_product_changelist") + "?nonsense=1"


def test_it_is_for_whom_may_export(client: Client, plant: Plant) -> None:
    client.force_login(make_user("clerk", "view_product"))
    assert client.get(url_of("product", "csv")).status_code == 403
    assert "Export what is listed" not in client.get(reverse("admin:planning_product_changelist")).content.decode()
    client.force_login(make_user("exporter", "export_plan"))
    assert client.get(url_of("product", "csv")).status_code == 403

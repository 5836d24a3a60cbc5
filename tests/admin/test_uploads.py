"""Uploading a plant: preview first, then import; faults in words; each only for whom may."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from planning.exchange import export_plan
from planning.models import Machine, Plant, PlantLimit, Product, Run, StagedUpload
from tests.admin.conftest import logged_in
from tests.factories import make_furniture, make_solved_run

pytestmark = pytest.mark.django_db

UPLOAD = "admin:planning_plant_upload"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def member(group: str, name: str = "") -> Client:
    user = User.objects.create_user(name or group or "stranger", password="secret", is_staff=True)
    user.groups.set(Group.objects.filter(name=group))
    return logged_in(user)


@pytest.fixture
def workbook(tmp_path: Path) -> bytes:
    """Return the furniture workshop as a workbook; the plant itself is gone."""
    plant = make_furniture()
    export_plan(plant, tmp_path / "plan.xlsx")
    plant.delete()
    return (tmp_path / "plan.xlsx").read_bytes()


def upload(client: Client, content: bytes, name: str = "plan.xlsx") -> str:
    """Upload a file and return the address of its preview."""
    answer = client.post(reverse(UPLOAD), {"file": SimpleUploadedFile(name, content, content_type=XLSX)})
    assert answer.status_code == 302
    return str(answer["Location"])


def content_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def upload_tables(client: Client, plant: Plant, name: str, text: str, **more: str) -> str:
    """Upload a table into a plant and return the address of its preview."""
    file = SimpleUploadedFile(name, text.encode(), content_type="text/csv")
    answer = client.post(reverse(UPLOAD), {"file": file, "plant": plant.pk, **more})
    assert answer.status_code == 302
    return str(answer["Location"])


def fields(page: Any) -> dict[str, str]:
    """Return the hidden fields of a preview."""
    context = page.context
    return {"state": context["state"], "replaces": str(context["preview"].plant.pk) if context["preview"].plant else ""}


def test_a_new_plant_is_shown_and_then_imported(workbook: bytes) -> None:
    client = member("Planner")
    url = upload(client, workbook)
    page = client.get(url)
    assert "New plant" in page.content.decode()
    assert Plant.objects.count() == 0
    answer = client.post(url, fields(page))
    plant = Plant.objects.get()
    assert answer["Location"] == reverse("admin:planning_plant_change", args=[plant.pk])
    assert plant.products.count() == 3
    assert StagedUpload.objects.count() == 0


def test_a_plant_that_is_there_is_replaced_and_keeps_its_runs(tmp_path: Path) -> None:
    plant = make_furniture()
    run = make_solved_run(plant)
    export_plan(plant, tmp_path / "plan.xlsx")
    Product.objects.filter(name="Chair").update(profit_per_unit=1.25)
    client = member("Planner")
    url = upload(client, (tmp_path / "plan.xlsx").read_bytes())
    page = client.get(url)
    text = page.content.decode()
    assert "Replaces" in text
    assert "profit per unit: 1.25 → <b>45</b>" in text
    client.post(url, fields(page))
    assert Product.objects.get(name="Chair").profit_per_unit == 45
    assert Run.objects.get() == run
    history = client.get(reverse("admin:planning_plant_history", args=[plant.pk])).content.decode()
    assert "products: 1 changed; Chair: profit per unit 1.25 → 45." in history


def test_the_same_data_offer_nothing_to_import(tmp_path: Path) -> None:
    export_plan(make_furniture(), tmp_path / "plan.xlsx")
    client = member("Planner")
    text = client.get(upload(client, (tmp_path / "plan.xlsx").read_bytes())).content.decode()
    assert "Nothing changes" in text
    assert "Replace the data" not in text


def test_data_that_changed_since_the_preview_are_shown_again_and_not_overwritten(tmp_path: Path) -> None:
    export_plan(make_furniture(), tmp_path / "plan.xlsx")
    Product.objects.filter(name="Chair").update(profit_per_unit=2)
    client = member("Planner")
    url = upload(client, (tmp_path / "plan.xlsx").read_bytes())
    seen = fields(client.get(url))
    Product.objects.filter(name="Desk").update(profit_per_unit=3)
    answer = client.post(url, seen)
    assert "have changed since you looked" in answer.content.decode()
    assert Product.objects.get(name="Desk").profit_per_unit == 3


def test_faults_are_listed_and_can_be_downloaded(tmp_path: Path) -> None:
    client = member("Planner")
    url = upload(client, b"no workbook at all", "=cmd.xlsx")
    page = client.get(url)
    assert page.status_code == 200
    assert "Nothing was imported" in page.content.decode()
    answer = client.get(f"{url}faults.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="faults.csv"'
    text = content_of(answer).decode()
    assert "what and how to mend it" in text
    assert ",=cmd" not in text
    sheet = openpyxl.load_workbook(io.BytesIO(content_of(client.get(f"{url}faults.xlsx"))))["faults"]
    (head, fault) = sheet.iter_rows(values_only=True)
    assert head[-1] == "what and how to mend it"
    assert (fault[3], fault[4][:5]) == ("=cmd.xlsx", "=cmd.")
    assert client.post(url, {"state": "", "replaces": ""}).status_code == 200


def test_it_can_be_discarded(workbook: bytes) -> None:
    client = member("Planner")
    url = upload(client, workbook)
    client.post(url, {"discard": "1"})
    assert (StagedUpload.objects.count(), Plant.objects.count()) == (0, 0)


def test_a_second_upload_takes_the_place_of_the_first(workbook: bytes) -> None:
    client = member("Planner")
    upload(client, workbook)
    upload(client, workbook)
    assert StagedUpload.objects.count() == 1


@pytest.mark.parametrize("group", ["Viewer", "Approver", ""])
def test_only_planners_may_upload(group: str, workbook: bytes) -> None:
    url = upload(member("Planner"), workbook)
    client = member(group, "other")
    for address in (reverse(UPLOAD), url, f"{url}faults.csv"):
        assert client.get(address).status_code == 403
        assert Client().get(address).status_code == 302


def test_what_somebody_else_has_uploaded_is_not_to_be_seen(workbook: bytes) -> None:
    url = upload(member("Planner"), workbook)
    other = member("Planner", "other")
    assert other.get(url).status_code == 404
    assert other.post(url, {"discard": "1"}).status_code == 404
    assert StagedUpload.objects.count() == 1


@pytest.mark.parametrize(("group", "code"), [("Viewer", 200), ("Planner", 200), ("", 403)])
def test_a_plant_is_downloaded_as_the_workbook_that_import_takes(group: str, code: int) -> None:
    plant = make_furniture("Möbel / 1".replace(" / ", "-"))
    client = member(group)
    answer = client.get(reverse("admin:planning_plant_export", args=[plant.pk]))
    assert answer.status_code == code
    if code == 200:
        content = b"".join(answer.streaming_content)
        planner = member("Planner", "second")
        assert "Nothing changes" in planner.get(upload(planner, content)).content.decode()


class TestTables:
    def test_one_table_is_shown_and_then_merged_and_the_others_stay(self) -> None:
        plant = make_furniture()
        before = list(plant.products.values_list())
        client = member("Planner")
        url = upload_tables(client, plant, "machines.csv", "name,available_hours\nCutting Machine,90\nPress,5\n")
        page = client.get(url)
        text = page.content.decode()
        assert "Adds and updates rows" in text
        assert "available hours: 80 → <b>90</b>" in text
        assert plant.machines.count() == 2
        answer = client.post(url, fields(page), follow=True)
        assert "&quot;Furniture Workshop&quot;: machines imported." in answer.content.decode()
        assert dict(plant.machines.values_list("name", "available_hours")) == {
            "Cutting Machine": 90, "Assembly Station": 100, "Press": 5
        }  # fmt: skip
        assert list(plant.products.values_list()) == before

    def test_replacing_removes_rows_and_says_so_before(self) -> None:
        plant = make_furniture()
        Machine.objects.create(plant=plant, name="Old")
        client = member("Planner")
        lines = "name,available_hours\nCutting Machine,80\nAssembly Station,100\n"
        url = upload_tables(client, plant, "what.csv", lines, how="replace", table="machines")
        page = client.get(url)
        assert "Rows that the file lacks are removed." in page.content.decode()
        assert "<td>removed</td>" in page.content.decode()
        client.post(url, fields(page))
        assert not Machine.objects.filter(name="Old").exists()

    def test_faults_are_shown_and_nothing_is_written(self) -> None:
        plant = make_furniture()
        client = member("Planner")
        url = upload_tables(client, plant, "machines.csv", "name\nSaw\n", how="replace")
        page = client.get(url)
        assert page.status_code == 200
        assert "which the file leaves as it is" in page.content.decode()
        assert plant.machines.count() == 2

    def test_a_table_needs_its_plant(self) -> None:
        make_furniture()
        file = SimpleUploadedFile("machines.csv", b"name\nSaw\n")
        answer = member("Planner").post(reverse(UPLOAD), {"file": file})
        assert "A CSV file holds one table. Choose the plant that it belongs to." in answer.content.decode()

    def test_the_plants_page_leads_there(self) -> None:
        plant = make_furniture()
        client = member("Planner")
        link = f"{reverse(UPLOAD)}?plant={plant.pk}"
        assert link in client.get(reverse("admin:planning_plant_change", args=[plant.pk])).content.decode()
        assert f'value="{plant.pk}" selected' in client.get(link).content.decode()


class TestLimits:
    @pytest.fixture
    def limited(self) -> Client:
        client = member("Planner")
        PlantLimit.objects.create(user=User.objects.get(username="Planner")).plants.set([make_furniture("North")])
        return client

    def test_a_whole_plant_is_taken_only_for_ones_own(self, limited: Client, tmp_path: Path) -> None:
        codes = []
        for name in ("North", "South"):
            plant = Plant.objects.filter(name=name).first() or make_furniture(name)
            export_plan(plant, tmp_path / "plan.xlsx")
            codes.append(limited.get(upload(limited, (tmp_path / "plan.xlsx").read_bytes())).status_code)
        url = upload(limited, (tmp_path / "plan.xlsx").read_bytes())
        there = limited.get(url)
        Plant.objects.get(name="South").delete()
        gone = limited.get(url)
        assert [*codes, gone.status_code] == [200, 200, 200]
        assert there.context["faults"] == gone.context["faults"]
        assert limited.post(url, {"state": "", "replaces": ""}).status_code == 200
        assert not Plant.objects.filter(name="South").exists()

    def test_tables_go_into_ones_own_plant_only(self, limited: Client) -> None:
        south = make_furniture("South")
        file = SimpleUploadedFile("machines.csv", b"name\nSaw\n")
        answer = limited.post(reverse(UPLOAD), {"file": file, "plant": south.pk})
        assert answer.context["form"].errors["plant"]
        assert "South" not in answer.content.decode()

    def test_a_limit_that_comes_later_holds_too(self, limited: Client) -> None:
        north = Plant.objects.get()
        url = upload_tables(limited, north, "machines.csv", "name\nSaw\n")
        PlantLimit.objects.get().plants.clear()
        assert limited.get(url).status_code == 404
        assert limited.post(url, {"state": "", "replaces": ""}).status_code == 404


def test_the_template_is_offered_and_imports_as_it_is() -> None:
    client = member("Planner")
    link = reverse("admin:planning_plant_template")
    assert link in client.get(reverse(UPLOAD)).content.decode()
    page = client.get(upload(client, content_of(client.get(link))))
    assert "New plant" in page.content.decode()
    client.post(page.request["PATH_INFO"], fields(page))
    assert Plant.objects.get().name == "Example plant"

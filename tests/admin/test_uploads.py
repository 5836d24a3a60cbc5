"""Uploading a plant: preview first, then import; faults in words; each only for whom may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from planning.exchange import export_plan
from planning.models import Plant, Product, Run, StagedUpload
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
    assert page.status_code == 422
    assert "Nothing was imported" in page.content.decode()
    answer = client.get(f"{url}faults.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="faults.csv"'
    assert "what and how to mend it" in answer.content.decode()
    assert ",=cmd" not in answer.content.decode()
    assert client.post(url, {"state": "", "replaces": ""}).status_code == 422


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

"""Ctrl-K finds pages and rows of every table, for who may see them, with a fixed number of queries."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from planning.models import Plant, PlantLimit, Product
from tests.admin.conftest import logged_in
from tests.admin.doors import make_full_plant
from tests.admin.test_lists import fill
from tests.factories import make_plant, make_run, make_user

pytestmark = pytest.mark.django_db


def found(client: Client, words: str) -> list[tuple[str, str]]:
    """Return the titles and descriptions of what is found."""
    response = client.get(reverse("admin:search"), {"s": words, "extended": "1"})
    assert response.status_code == 200
    return [(page.title, page.description) for page in response.context["found"]]


def test_it_finds_rows_by_name_with_their_table_and_plant(viewer: Client, plant: Plant) -> None:
    assert found(viewer, "wood")[0] == ("Wood", "Raw material · Furniture Workshop")
    assert ("Chair / Cutting Machine", "Production recipe · Furniture Workshop") in found(viewer, "chair CUTTING")


def test_the_exact_name_comes_first_and_numbers_in_their_order(viewer: Client, db: None) -> None:
    plant = make_plant("North")
    for number in (100, 12, 11, 10, 2, 1):
        Product.objects.create(plant=plant, name=f"Part {number}")
    Product.objects.create(plant=plant, name="A Part 1")
    assert [title for title, _ in found(viewer, "part 1")] == [
        "Part 1",
        "Part 10",
        "Part 11",
        "Part 12",
        "Part 100",
        "A Part 1",
    ]


def test_it_finds_a_run_by_its_number(viewer: Client, plant: Plant) -> None:
    runs = [make_run(plant) for _ in range(3)]
    for words in (f"{runs[1].pk}", f"run {runs[1].pk}", f"#{runs[1].pk}"):
        assert (f"Run {runs[1].pk} of Baseline", "Run · Furniture Workshop · Queued") in found(viewer, words)


def test_it_finds_pages(planner: Client, plant: Plant) -> None:
    assert found(planner, "data health") == [("Data health of Furniture Workshop", "Check the data")]
    assert ("Max demand by period", "Product periods as a grid") in found(planner, "max demand")
    assert found(planner, "add machine")[0] == ("Add machine", "New row")
    assert ("Machines", "Resources") in found(planner, "machines")


def test_every_address_opens(planner: Client) -> None:
    make_full_plant()
    page = planner.get(reverse("admin:search"), {"s": "a", "extended": "1"}).content.decode()
    links = re.findall(r'href="([^"]+)"', page)
    assert len(links) > 20
    for link in links:
        assert planner.get(link.replace("&amp;", "&")).status_code == 200, link


def test_it_shows_what_the_user_may_see(client: Client, viewer: Client, plant: Plant) -> None:
    assert found(viewer, "add machine") == []
    client.force_login(make_user("clerk", "view_product"))
    assert found(client, "chair") == [("Chair", "Product · Furniture Workshop")]
    assert found(client, "wood") == []
    limited = make_user("limited", "view_product", "view_plant")
    PlantLimit.objects.create(user=limited)
    assert found(logged_in(limited), "chair") == []
    assert found(logged_in(limited), "health") == []


def test_it_says_that_nothing_is_found(viewer: Client, db: None) -> None:
    page = viewer.get(reverse("admin:search"), {"s": "<b>", "extended": "1"}).content.decode()
    assert "Nothing is named “&lt;b&gt;”" in page
    assert viewer.get(reverse("admin:search"), {"s": " "}).content == b""


def test_more_rows_take_no_more_queries_and_new_ones_are_found_at_once(viewer: Client, db: None) -> None:
    plant = make_plant("North")
    fill(plant, 0, 2)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            found(viewer, "pro")
        return len(captured)

    queries()
    few = queries()
    fill(plant, 2, 20)
    assert queries() == few
    assert ("Product 21", "Product · North") in found(viewer, "product 21")

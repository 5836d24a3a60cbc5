"""Change several: the selected rows of a list, shown before they are written, all or none."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from planning.entry import several_fields
from planning.models import TABLES, Machine, MaterialRequirement, Plant, Product, ProductPeriod
from tests.factories import make_user


def send(client: Client, rows: Any, step: str = "", *, query: str = "", **fields: Any) -> HttpResponse:
    """Send the action for rows; `step` is what was pressed on its page."""
    url = reverse(f"admin:planning_{rows.model._meta.model_name}_changelist") + query
    chosen = {"action": "change_several", "_selected_action": list(rows.values_list("pk", flat=True)), **fields}
    return client.post(url, chosen | ({"step": step} if step else {}))


def shown(response: HttpResponse) -> list[tuple[str, str, str]]:
    return [(row["name"], row["old"], row["new"]) for row in response.context["changes"]["rows"]]


def write(client: Client, rows: Any, **fields: Any) -> HttpResponse:
    """Look at a change, then write it."""
    digest = send(client, rows, "preview", **fields).context["changes"]["digest"]
    return send(client, rows, "write", digest=digest, **fields)


def test_it_asks_shows_and_writes(planner: Client, plant: Plant) -> None:
    rows = plant.products.exclude(name="Desk")
    page = send(planner, rows)
    assert "max_demand" in dict(page.context["form"].fields["field"].choices)
    change = {"field": "max_demand", "operation": "multiply", "value": "1.5"}
    page = send(planner, rows, "preview", **change)
    assert shown(page) == [("Chair", "100", "150"), ("Table", "50", "75")]
    assert list(plant.products.order_by("pk").values_list("max_demand", flat=True)) == [100, 50, 30]
    response = write(planner, rows, **change)
    assert response.status_code == 302
    assert list(plant.products.order_by("pk").values_list("max_demand", flat=True)) == [150, 75, 30]
    entries = LogEntry.objects.order_by("pk")
    assert [(entry.object_repr, entry.get_change_message()) for entry in entries] == [
        ("Chair", "max demand 100 → 150."),
        ("Table", "max demand 50 → 75."),
    ]
    history = planner.get(reverse("admin:planning_product_history", args=[rows[0].pk])).content.decode()
    assert "max demand 100 → 150." in history


@pytest.mark.parametrize(
    ("field", "operation", "value", "wanted"),
    [
        ("max_demand", "set", "7e2", [700, 700, 700]),
        ("max_demand", "add", "-10", [90, 40, 20]),
        ("max_demand", "multiply", "1.1", [110, 55, 33]),  # to the last digit
        ("max_demand", "blank", "", [None, None, None]),
        ("active", "set", "FALSE", [False, False, False]),
        ("profit_per_unit", "multiply", "-1", [-45, -120, -200]),
    ],
)
def test_operations(planner: Client, plant: Plant, field: str, operation: str, value: str, wanted: list[Any]) -> None:
    assert write(planner, plant.products.all(), field=field, operation=operation, value=value).status_code == 302
    assert list(plant.products.order_by("pk").values_list(field, flat=True)) == wanted


def test_blank_rows_stay_blank_and_are_counted(planner: Client, plant: Plant) -> None:
    plant.products.filter(name="Chair").update(max_demand=None)
    page = send(planner, plant.products.all(), "preview", field="max_demand", operation="add", value="1")
    assert page.context["changes"]["unchanged"] == 1
    assert [name for name, _, _ in shown(page)] == ["Table", "Desk"]


@pytest.mark.parametrize(
    ("field", "operation", "value", "words"),
    [
        ("max_demand", "set", "1,5", "holds a comma"),
        ("max_demand", "set", "-1", "is negative"),
        ("max_demand", "set", "", "The value is blank"),
        ("max_demand", "multiply", "nan", "is not a number"),
        ("max_demand", "add", "1e300", "below 1e15"),
        ("min_demand", "blank", "", "can&#x27;t be blank"),
        ("active", "multiply", "2", "can only be set"),
        ("active", "set", "maybe", "neither true nor false"),
        ("plant", "set", "1", "Select a valid choice"),
    ],
)
def test_what_can_not_be_is_refused_in_words(
    planner: Client, plant: Plant, field: str, operation: str, value: str, words: str
) -> None:
    page = send(planner, plant.products.all(), "preview", field=field, operation=operation, value=value)
    assert words in page.content.decode()
    assert page.context["changes"] is None


def test_rows_that_refuse_their_value_are_named_and_nothing_is_written(planner: Client, plant: Plant) -> None:
    change = {"field": "max_demand", "operation": "add", "value": "-40"}
    page = send(planner, plant.products.all(), "preview", **change)
    rows = page.context["changes"]["rows"]
    assert [(row["name"], row["fault"]) for row in rows] == [
        ("Desk", "-10 is negative. Give 0 or more."),
        ("Chair", ""),
        ("Table", ""),
    ]
    digest = page.context["changes"]["digest"]
    assert send(planner, plant.products.all(), "write", digest=digest, **change).status_code == 200
    change["value"] = "-28"
    rows = send(planner, plant.products.all(), "preview", **change).context["changes"]["rows"]
    assert rows[0]["fault"].startswith("max_demand is below min_demand")
    whole = send(planner, plant.machines.all(), "preview", field="units", operation="multiply", value="1.5")
    assert whole.context["changes"]["rows"][0]["fault"] == "1.5 is not a whole number."
    assert list(plant.products.order_by("pk").values_list("max_demand", flat=True)) == [100, 50, 30]
    assert not LogEntry.objects.exists()


def test_rows_that_have_changed_since_are_shown_again(planner: Client, plant: Plant) -> None:
    change = {"field": "max_demand", "operation": "add", "value": "1"}
    digest = send(planner, plant.products.all(), "preview", **change).context["changes"]["digest"]
    plant.products.filter(name="Chair").update(max_demand=200)
    page = send(planner, plant.products.all(), "write", digest=digest, **change)
    assert shown(page)[0] == ("Chair", "200", "201")
    assert "have changed since you looked" in page.content.decode()
    assert plant.products.get(name="Chair").max_demand == 200


def test_all_rows_of_a_filtered_list_are_changed_at_once(planner: Client, plant: Plant) -> None:
    Product.objects.bulk_create(Product(plant=plant, name=f"Part {n}", max_demand=n) for n in range(120))
    query, first = "?q=part", plant.products.filter(name="Part 0")
    change = {"field": "max_demand", "operation": "set", "value": "5", "select_across": "1"}
    digest = send(planner, first, "preview", query=query, **change).context["changes"]["digest"]
    response = send(planner, first, "write", query=query, digest=digest, **change)
    assert response["Location"].endswith(query)
    assert set(plant.products.filter(name__startswith="Part").values_list("max_demand", flat=True)) == {5}
    assert plant.products.get(name="Chair").max_demand == 100


def test_rows_of_other_tables_keep_their_names_without_more_queries(planner: Client, plant: Plant) -> None:
    def queries(rows: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            page = send(planner, rows, "preview", field="quantity_required", operation="multiply", value="2")
        assert shown(page)[0] == ("Chair / Wood", "8", "16")
        return len(captured)

    rows = MaterialRequirement.objects.order_by("pk")
    queries(rows.filter(pk=rows[0].pk))
    assert queries(rows) == queries(rows.filter(pk=rows[0].pk))


def test_it_is_for_whom_may_change_rows(client: Client, viewer: Client, plant: Plant) -> None:
    change = {"field": "max_demand", "operation": "set", "value": "5"}
    send(viewer, plant.products.all(), "write", digest="", **change)
    client.force_login(make_user("clerk", "view_product", "change_machine"))
    send(client, plant.products.all(), "write", digest="", **change)
    assert not Product.objects.filter(max_demand=5).exists()


def test_every_table_of_numbers_offers_it() -> None:
    without = {table.name for table in TABLES if not several_fields(table.model)}
    assert without == {"periods", "customers", "scenarios", "scenario_changes"}
    assert several_fields(Machine)[0] == "available_hours"
    assert several_fields(ProductPeriod)[2] == "min_demand"

"""Values by period as a grid: the page costs the same queries for any number of rows, and saving is all or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from planning.models import (
    Machine,
    MachinePeriod,
    Period,
    Plant,
    Product,
    ProductPeriod,
    RawMaterial,
    RawMaterialPeriod,
    Route,
    RoutePeriod,
)
from tests.admin.conftest import logged_in
from tests.factories import make_plant, make_user

TABLES = (ProductPeriod, MachinePeriod, RawMaterialPeriod, RoutePeriod)


@pytest.fixture
def weeks(plant: Plant) -> list[Period]:
    """Return three weeks of the plant, added out of order."""
    made = {n: Period.objects.create(plant=plant, sequence=n, name=f"Week {n}") for n in (2, 3, 1)}
    return [made[n] for n in (1, 2, 3)]


@pytest.fixture
def chair(plant: Plant) -> Product:
    return plant.products.get(name="Chair")


def grid_url(model: type = ProductPeriod, **query: Any) -> str:
    url = reverse(f"admin:planning_{model._meta.model_name}_grid")
    return f"{url}?{'&'.join(f'{name}={value}' for name, value in query.items())}"


def save(client: Client, plant: Plant, *cells: tuple, model: type = ProductPeriod) -> HttpResponse:
    """Send cells: (row, period, field, old, new)."""
    sent = [[row.pk, period.pk, *rest] for row, period, *rest in cells]
    return client.post(grid_url(model, plant=plant.pk), json.dumps({"cells": sent}), content_type="application/json")


def faults(response: HttpResponse) -> list[str]:
    assert response.status_code == 200, response.content
    return [fault["text"] for fault in response.json()["faults"]]


def history(row: Any) -> list[tuple[int, str]]:
    entries = LogEntry.objects.filter(content_type__model=row._meta.model_name, object_id=row.pk).order_by("pk")
    return [(entry.action_flag, entry.get_change_message()) for entry in entries]


# --- the page -----------------------------------------------------------------------------------


def test_it_shows_a_row_for_each_product_and_a_column_for_each_period_in_their_order(
    viewer: Client, plant: Plant, weeks: list[Period], chair: Product
) -> None:
    ProductPeriod.objects.create(product=chair, period=weeks[1], max_demand=1234.5)
    Product.objects.filter(pk=chair.pk).update(unit="piece")
    response = viewer.get(grid_url(plant=plant.pk, field="max_demand"))
    grid = response.context["grid"]
    assert [period.name for period in grid["periods"]] == ["Week 1", "Week 2", "Week 3"]
    assert [row["name"] for row in grid["rows"]] == ["Chair", "Table", "Desk"]
    assert (grid["rows"][0]["own"], grid["rows"][0]["unit"]) == ("100", "piece")
    assert [text for text, _ in grid["rows"][0]["cells"]] == ["", "1,234.5", ""]


def test_it_says_the_unit_of_money_and_what_a_blank_means(viewer: Client, plant: Plant, weeks: list[Period]) -> None:
    row = viewer.get(grid_url(plant=plant.pk, field="holding_cost_per_unit")).context["grid"]["rows"][0]
    assert (row["unit"], row["own"]) == ("USD / unit", "can't be stored")
    row = viewer.get(grid_url(MachinePeriod, plant=plant.pk, field="units_down")).context["grid"]["rows"][0]
    assert (row["unit"], row["own"]) == ("machines", "0")


def test_a_number_that_is_shown_shorter_is_sent_back_with_all_its_digits(
    planner: Client, plant: Plant, weeks: list[Period], chair: Product
) -> None:
    ProductPeriod.objects.create(product=chair, period=weeks[0], max_demand=0.1 + 0.2)
    cell = planner.get(grid_url(plant=plant.pk, field="max_demand")).context["grid"]["rows"][0]["cells"][0]
    assert tuple(cell) == ("0.3", "0.30000000000000004")
    assert save(planner, plant, (chair, weeks[0], "max_demand", cell[1], "0.3")).json()["saved"] == 1
    assert ProductPeriod.objects.get().max_demand == 0.3


@pytest.mark.parametrize("model", TABLES)
def test_more_rows_and_values_take_no_more_queries(planner: Client, db: None, model: type) -> None:
    plant = make_plant("North")
    periods = Period.objects.bulk_create(Period(plant=plant, sequence=n, name=f"W{n}") for n in range(1, 4))

    def add(first: int, count: int) -> None:
        names = [f"Row {n}" for n in range(first, first + count)]
        products = Product.objects.bulk_create(Product(plant=plant, name=name) for name in names)
        machines = Machine.objects.bulk_create(Machine(plant=plant, name=name) for name in names)
        materials = RawMaterial.objects.bulk_create(RawMaterial(plant=plant, name=name) for name in names)
        routes = Route.objects.bulk_create(Route(product=product, name="Fast") for product in products)
        parents = {"product": products, "machine": machines, "material": materials, "route": routes}
        name = model._meta.get_fields()[1].name
        model.objects.bulk_create(model(**{name: row}, period=period) for row in parents[name] for period in periods)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert planner.get(grid_url(model, plant=plant.pk)).status_code == 200
        return len(captured)

    add(0, 2)
    queries()
    few = queries()
    add(2, 40)
    assert queries() == few
    assert few <= 12


def test_saving_more_cells_takes_no_more_queries(planner: Client, plant: Plant, weeks: list[Period]) -> None:
    chair, table, desk = plant.products.order_by("pk")

    def queries(*cells: tuple) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert "saved" in save(planner, plant, *cells).json()
        return len(captured)

    queries((chair, weeks[0], "max_demand", "", "1"))
    few = queries((table, weeks[0], "max_demand", "", "1"))
    assert queries(*((desk, week, "max_demand", "", "1") for week in weeks)) == few


def test_rows_are_found_by_name_and_shown_page_by_page(
    viewer: Client, plant: Plant, weeks: list[Period], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = viewer.get(grid_url(plant=plant.pk, q="DES")).context["grid"]["rows"]
    assert [row["name"] for row in found] == ["Desk"]
    monkeypatch.setattr("planning.admin.grid.MOST_ROWS", 2)
    page = viewer.get(grid_url(plant=plant.pk, page=2))
    assert [row["name"] for row in page.context["grid"]["rows"]] == ["Desk"]
    assert "3 to 3 of 3" in page.content.decode()


def test_a_products_own_page_has_a_grid_of_its_fields(
    viewer: Client, plant: Plant, weeks: list[Period], chair: Product
) -> None:
    ProductPeriod.objects.create(product=chair, period=weeks[0], min_demand=7)
    response = viewer.get(reverse("admin:planning_product_change", args=[chair.pk]))
    rows = {row["field"]: row for row in response.context["grid"]["rows"]}
    assert [text for text, _ in rows["min_demand"]["cells"]] == ["7", "", ""]
    assert rows["purchase_cost_per_unit"]["own"] == "can't be bought"
    assert len(rows) == 11


def test_a_viewer_gets_it_read_only_and_others_do_not_get_it(
    client: Client, viewer: Client, plant: Plant, weeks: list[Period], chair: Product
) -> None:
    page = viewer.get(grid_url(plant=plant.pk)).content.decode()
    assert "data-readonly" in page
    assert "data-do=" not in page
    assert save(viewer, plant, (chair, weeks[0], "max_demand", "", "1")).status_code == 403
    client.force_login(make_user("clerk", "view_productperiod"))
    assert client.get(grid_url(plant=plant.pk)).status_code == 403
    assert save(client, plant, (chair, weeks[0], "max_demand", "", "1")).status_code == 403
    assert not ProductPeriod.objects.exists()


def test_the_list_leads_to_the_grid_of_its_plant(viewer: Client, plant: Plant, weeks: list[Period]) -> None:
    page = viewer.get(reverse("admin:planning_machineperiod_changelist")).content.decode()
    assert "Edit as a grid" in page
    url = reverse("admin:planning_machineperiod_open_grid")
    assert viewer.get(url)["Location"] == reverse("admin:planning_machineperiod_grid")


def test_the_plants_page_leads_to_its_grids(viewer: Client, plant: Plant, weeks: list[Period]) -> None:
    tables = viewer.get(reverse("admin:planning_plant_change", args=[plant.pk])).context["plant_tables"]
    grids = {table["name"]: table["url"] for table in tables if "/grid/" in table["url"]}
    assert list(grids) == ["product periods", "machine periods", "raw material periods", "route periods"]
    assert viewer.get(grids["machine periods"]).context["plant"] == plant


def test_a_plant_without_periods_says_so(viewer: Client, plant: Plant) -> None:
    assert "Add periods" in viewer.get(grid_url(plant=plant.pk)).content.decode()


# --- saving -------------------------------------------------------------------------------------


def test_a_missing_row_is_made_a_stored_one_changed_and_a_blank_one_removed(
    planner: Client, plant: Plant, weeks: list[Period], chair: Product
) -> None:
    changed = ProductPeriod.objects.create(product=chair, period=weeks[1], min_demand=1, max_demand=5)
    removed = ProductPeriod.objects.create(product=chair, period=weeks[2], max_demand=6)
    response = save(
        planner,
        plant,
        (chair, weeks[0], "max_demand", "", "12.5"),
        (chair, weeks[1], "max_demand", "5", "1e1"),
        (chair, weeks[2], "max_demand", "6", ""),
    )
    assert response.json() == {
        "text": "3 values were saved: 1 row made, 1 row changed, 1 row removed.",
        "saved": 3,
    }
    stored = list(ProductPeriod.objects.order_by("period__sequence").values_list("min_demand", "max_demand"))
    assert stored == [(None, 12.5), (1.0, 10.0)]
    made = ProductPeriod.objects.get(period=weeks[0])
    assert history(made) == [(ADDITION, "max demand blank → 12.5.")]
    assert history(changed) == [(CHANGE, "max demand 5 → 10.")]
    assert history(removed) == [(DELETION, "max demand 6 → blank.")]
    by_parent = "max demand in Week 1 blank → 12.5; max demand in Week 2 5 → 10; max demand in Week 3 6 → blank."
    assert history(chair) == [(CHANGE, by_parent)]
    assert LogEntry.objects.first().user.username == "planner"


def test_a_row_stays_while_another_of_its_fields_has_a_value(
    planner: Client, plant: Plant, weeks: list[Period], chair: Product
) -> None:
    ProductPeriod.objects.create(product=chair, period=weeks[0], min_demand=1, max_demand=5)
    save(planner, plant, (chair, weeks[0], "max_demand", "5", ""))
    assert ProductPeriod.objects.values_list("min_demand", "max_demand").get() == (1.0, None)


def test_every_fault_is_told_at_its_cell_and_nothing_is_written(
    planner: Client, plant: Plant, weeks: list[Period], chair: Product
) -> None:
    ProductPeriod.objects.create(product=chair, period=weeks[2], min_demand=9)
    table = plant.products.get(name="Table")
    response = save(
        planner,
        plant,
        (chair, weeks[0], "max_demand", "", "12"),
        (chair, weeks[1], "max_demand", "", "-3"),
        (chair, weeks[2], "max_demand", "", "8"),
        (table, weeks[0], "max_demand", "", "1,5"),
        (table, weeks[1], "max_demand", "", "nan"),
        (table, weeks[2], "max_demand", "", "1e15"),
    )
    places = [tuple(fault["cell"]) for fault in response.json()["faults"]]
    assert (chair.pk, weeks[1].pk, "max_demand") in places
    told = " ".join(faults(response))
    assert "-3 is negative" in told
    assert "max_demand is below min_demand" in told
    assert "Here min_demand is 9 and max_demand is 8." in told
    assert '"1,5" holds a comma' in told
    assert '"nan" is not a number' in told
    assert "below 1e15" in told
    assert len(places) == 5
    assert ProductPeriod.objects.count() == 1
    assert not LogEntry.objects.exists()


def test_a_whole_number_stays_whole(planner: Client, plant: Plant, weeks: list[Period]) -> None:
    machine = plant.machines.first()
    wrong = save(planner, plant, (machine, weeks[0], "units_down", "", "1.5"), model=MachinePeriod)
    assert faults(wrong) == ["1.5 is not a whole number. Give one."]
    save(planner, plant, (machine, weeks[0], "units_down", "", "2.0"), model=MachinePeriod)
    assert MachinePeriod.objects.get().units_down == 2


def test_routes_and_materials_have_grids_too(planner: Client, plant: Plant, weeks: list[Period]) -> None:
    route = Route.objects.create(product=plant.products.get(name="Chair"), name="Fast")
    wood = plant.raw_materials.get(name="Wood")
    save(planner, plant, (route, weeks[0], "setup_cost", "", "3"), model=RoutePeriod)
    save(planner, plant, (wood, weeks[0], "cost_per_unit", "", "-1"), model=RawMaterialPeriod)
    assert RoutePeriod.objects.get().setup_cost == 3
    assert RawMaterialPeriod.objects.get().cost_per_unit == -1
    assert history(route) == [(CHANGE, "setup cost in Week 1 blank → 3.")]


def test_a_cell_that_somebody_else_has_edited_is_refused_with_the_new_value_and_the_name(
    planner: Client, plant: Plant, weeks: list[Period], chair: Product
) -> None:
    row = ProductPeriod.objects.create(product=chair, period=weeks[0], min_demand=1, max_demand=5)
    codenames = ("view_product", "view_productperiod", "change_productperiod")
    anna = logged_in(make_user("anna", *codenames))
    assert save(anna, plant, (chair, weeks[0], "max_demand", "5", "7")).json()["saved"] == 1
    response = save(planner, plant, (chair, weeks[0], "max_demand", "5", "9"))
    (text,) = faults(response)
    assert text.startswith("The cell holds 7 now, changed by anna at ")
    assert response.json()["faults"][0]["now"] == "7"
    row.refresh_from_db()
    assert row.max_demand == 7

    assert save(planner, plant, (chair, weeks[0], "max_demand", "7", "9")).json()["saved"] == 1
    row.refresh_from_db()
    assert row.max_demand == 9


def test_a_cell_is_refused_too_where_the_row_is_gone_or_nobody_is_known(
    planner: Client, plant: Plant, weeks: list[Period], chair: Product
) -> None:
    ProductPeriod.objects.create(product=chair, period=weeks[0], max_demand=5)
    save(planner, plant, (chair, weeks[0], "max_demand", "5", ""))
    (text,) = faults(save(planner, plant, (chair, weeks[0], "max_demand", "5", "6")))
    assert text.startswith("The cell is blank now, changed by planner at ")
    ProductPeriod.objects.create(product=chair, period=weeks[1], max_demand=8)
    (text,) = faults(save(planner, plant, (chair, weeks[1], "max_demand", "", "6")))
    assert text == "The cell holds 8 now. Save again to write 6 over it, or undo."


def test_an_edit_on_the_rows_own_page_is_known_as_well(
    admin: Client, planner: Client, plant: Plant, weeks: list[Period], chair: Product
) -> None:
    row = ProductPeriod.objects.create(product=chair, period=weeks[0], max_demand=5)
    url = reverse("admin:planning_productperiod_change", args=[row.pk])
    assert admin.post(url, {"period": weeks[0].pk, "max_demand": "6"}).status_code == 302
    assert history(row) == [(CHANGE, "max demand 5 → 6.")]
    (text,) = faults(save(planner, plant, (chair, weeks[0], "max_demand", "5", "4")))
    assert text.startswith("The cell holds 6 now, changed by admin at ")


@pytest.mark.parametrize(
    ("right", "old", "new", "words"),
    [("add", "", "3", "may not add rows"), ("delete", "5", "", "may not delete rows")],
)
def test_rows_are_added_and_removed_by_whom_may(
    plant: Plant, weeks: list[Period], chair: Product, right: str, old: str, new: str, words: str
) -> None:
    ProductPeriod.objects.create(product=chair, period=weeks[0], max_demand=5)
    codenames = {f"{may}_productperiod" for may in ("view", "add", "change", "delete")} - {f"{right}_productperiod"}
    clerk = logged_in(make_user("clerk", "view_product", *codenames))
    (text,) = faults(save(clerk, plant, (chair, weeks[0 if old else 1], "max_demand", old, new)))
    assert words in text
    assert ProductPeriod.objects.count() == 1


def test_cells_of_another_plant_and_unknown_fields_are_refused(
    planner: Client, plant: Plant, weeks: list[Period], chair: Product
) -> None:
    south = make_plant("South")
    sofa = Product.objects.create(plant=south, name="Sofa")
    monday = Period.objects.create(plant=south, sequence=1, name="Monday")
    texts = faults(
        save(
            planner,
            plant,
            (sofa, weeks[0], "max_demand", "", "1"),
            (chair, monday, "max_demand", "", "1"),
            (chair, weeks[0], "product_id", "", "1"),
            (chair, weeks[1], "max_demand", "", "1"),
            (chair, weeks[1], "max_demand", "", "2"),
        )
    )
    assert texts == [
        "The product is gone. Reload the page.",
        "The period is gone. Reload the page.",
        'There is no field "product_id" by period.',
        "The cell was sent twice. Reload the page.",
    ]


@pytest.mark.parametrize(
    "body",
    ["", "[]", '{"cells": 1}', '{"cells": [[1, 2, "max_demand", "", 3]]}', '{"cells": [[true, 2, "a", "", "3"]]}'],
)
def test_what_is_no_grid_is_refused(planner: Client, plant: Plant, body: str) -> None:
    response = planner.post(grid_url(plant=plant.pk), body, content_type="application/json")
    assert response.status_code == 400


def test_an_unknown_plant_or_field_is_not_found(planner: Client, plant: Plant) -> None:
    assert planner.get(grid_url(plant=plant.pk + 1)).status_code == 404
    assert planner.get(grid_url(plant=plant.pk, field="name")).status_code == 404
    assert planner.post(grid_url(plant="x"), "{}", content_type="application/json").status_code == 404

"""Lists cost the same number of queries however many rows they have, and show numbers as people read them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from planning.models import (
    ByProduct,
    ComponentRequirement,
    Customer,
    CustomerOrder,
    Goal,
    Machine,
    MachinePeriod,
    MaterialRequirement,
    Period,
    Plant,
    Product,
    ProductionRecipe,
    ProductPeriod,
    RawMaterial,
    RawMaterialPeriod,
    Route,
    RoutePeriod,
    Run,
    Scenario,
    ScenarioChange,
)
from tests.factories import make_plant

LISTS = (
    Period,
    Product,
    ProductPeriod,
    Route,
    RoutePeriod,
    Machine,
    MachinePeriod,
    RawMaterial,
    RawMaterialPeriod,
    ProductionRecipe,
    MaterialRequirement,
    ComponentRequirement,
    ByProduct,
    Customer,
    CustomerOrder,
    Goal,
    Scenario,
    Run,
)


def fill(plant: Plant, first: int, count: int) -> None:
    """Add `count` rows to every table of the plant."""
    for i in range(first, first + count):
        period = Period.objects.create(plant=plant, sequence=i + 1, name=f"Week {i}")
        product = Product.objects.create(plant=plant, name=f"Product {i}")
        part = Product.objects.create(plant=plant, name=f"Part {i}")
        route = Route.objects.create(product=product, name="Fast")
        machine = Machine.objects.create(plant=plant, name=f"Machine {i}")
        material = RawMaterial.objects.create(plant=plant, name=f"Material {i}")
        customer = Customer.objects.create(plant=plant, name=f"Customer {i}")
        scenario = Scenario.objects.create(plant=plant, name=f"Scenario {i}", parent=plant.scenarios.first())
        ProductPeriod.objects.create(product=product, period=period)
        RoutePeriod.objects.create(route=route, period=period)
        MachinePeriod.objects.create(machine=machine, period=period)
        RawMaterialPeriod.objects.create(material=material, period=period)
        ProductionRecipe.objects.create(product=product, machine=machine, route=route)
        MaterialRequirement.objects.create(product=product, material=material, route=route, quantity_required=1)
        ComponentRequirement.objects.create(product=product, component=part, route=route, quantity_required=1)
        ByProduct.objects.create(product=product, by_product=part, route=route, quantity_produced=1)
        CustomerOrder.objects.create(
            plant=plant, reference=f"A-{i}", customer=customer, product=product, period=period, target_quantity=1
        )
        Goal.objects.create(plant=plant, name=f"Goal {i}", measure="profit", sense="at_least", target=1)
        ScenarioChange.objects.create(scenario=scenario, table="machines", row="*", field="units", value=1)
        Run.objects.create(plant=plant, scenario_name=f"Scenario {i}", currency="USD")


def query_count(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


@pytest.mark.parametrize("model", LISTS)
def test_a_longer_list_takes_no_more_queries(admin: Client, db: None, model: type) -> None:
    url = reverse(f"admin:planning_{model._meta.model_name}_changelist")
    plant = make_plant("North")
    fill(plant, 0, 2)
    query_count(admin, url)  # content types and the like are read once
    few = query_count(admin, url)
    fill(plant, 2, 25)
    assert query_count(admin, url) == few
    assert few <= 12


@pytest.mark.parametrize(
    ("model", "inline"), [(Product, ProductPeriod), (Machine, MachinePeriod), (RawMaterial, RawMaterialPeriod)]
)
def test_more_rows_on_a_page_take_no_more_queries(admin: Client, db: None, model: type, inline: type) -> None:
    plant = make_plant("North")
    fill(plant, 0, 20)
    row = model.objects.get(name=f"{model.__name__.replace('Raw', '')} 0")
    url = reverse(f"admin:planning_{model._meta.model_name}_change", args=[row.pk])
    query_count(admin, url)
    few = query_count(admin, url)
    parent = inline._meta.get_fields()[1].name
    periods = plant.periods.exclude(sequence=1)
    inline.objects.bulk_create(inline(**{parent: row}, period=period) for period in periods)
    assert query_count(admin, url) == few


def test_more_orders_on_the_customers_page_take_no_more_queries(admin: Client, db: None) -> None:
    plant = make_plant("North")
    fill(plant, 0, 20)
    customer = plant.customers.get(name="Customer 0")
    url = reverse("admin:planning_customer_change", args=[customer.pk])
    query_count(admin, url)
    few = query_count(admin, url)
    plant.customer_orders.update(customer=customer)
    assert query_count(admin, url) == few


def cells(client: Client, name: str, query: str = "") -> str:
    return client.get(reverse(f"admin:planning_{name}_changelist") + query).content.decode()


def test_numbers_are_grouped_and_blanks_speak(viewer: Client, db: None) -> None:
    plant = make_plant("North")
    Product.objects.create(plant=plant, name="Chair", profit_per_unit=1234.5, min_demand=0.1 + 0.2)
    Machine.objects.create(plant=plant, name="Saw", available_hours=80.0)
    page = cells(viewer, "product")
    assert ">1,234.5<" in page
    assert ">0.3<" in page
    assert ">no limit<" in page
    assert ">can&#x27;t be stored<" in page
    page = cells(viewer, "machine")
    assert ">80<" in page
    assert ">no overtime<" in page


def test_numbers_have_their_unit(viewer: Client, db: None) -> None:
    plant = make_plant("North", currency="EUR")
    chair = Product.objects.create(plant=plant, name="Chair", unit="piece", profit_per_unit=5, min_demand=7)
    wood = RawMaterial.objects.create(plant=plant, name="Wood", unit="m3")
    MaterialRequirement.objects.create(product=chair, material=wood, quantity_required=1.5)
    Machine.objects.create(plant=plant, name="Saw", available_hours=80.0, overtime_cost_per_hour=9)
    with_unit = '>{}</span> <span class="pl-unit">{}</span>'
    page = cells(viewer, "product")
    assert with_unit.format("5", "EUR") in page
    assert with_unit.format("7", "piece") in page
    assert with_unit.format("1.5", "m3") in cells(viewer, "materialrequirement")
    assert with_unit.format("80", "h") in cells(viewer, "machine")
    assert with_unit.format("9", "EUR") in cells(viewer, "machine")


def test_names_are_sorted_as_people_count(planner: Client, db: None) -> None:
    plant = make_plant("North")
    for name in ("Machine 10", "Saw", "Machine 2", "Machine", "machine 1", "Drill", "Machine 2b"):
        Machine.objects.create(plant=plant, name=name)
    url = reverse("admin:planning_machine_changelist")
    wanted = ["Drill", "Machine", "machine 1", "Machine 2", "Machine 10", "Machine 2b", "Saw"]
    assert [row.name for row in planner.get(f"{url}?o=1").context["cl"].result_list] == wanted
    assert [row.name for row in planner.get(f"{url}?o=-1").context["cl"].result_list] == wanted[::-1]


def test_lists_are_filtered_by_plant_and_searched(viewer: Client, db: None) -> None:
    north, south = make_plant("North"), make_plant("South")
    Product.objects.create(plant=north, name="Chair")
    Product.objects.create(plant=south, name="Table")
    page = cells(viewer, "product", f"?plant__id__exact={north.pk}")
    assert (">Chair<" in page, ">Table<" in page) == (True, False)
    page = cells(viewer, "product", "?q=tab")
    assert (">Chair<" in page, ">Table<" in page) == (False, True)


def test_an_empty_list_says_what_to_do_next(planner: Client, viewer: Client, db: None) -> None:
    page = cells(planner, "plant")
    assert "import_plan FILE" in page
    assert "make demo" in page
    assert reverse("admin:planning_plant_add") in page
    assert reverse("admin:planning_plant_add") not in cells(viewer, "plant")
    assert "Run scenario" in cells(planner, "run")


def test_an_unfruitful_search_offers_the_whole_list(planner: Client, plant: Plant) -> None:
    assert "Show all products" in cells(planner, "product", "?q=sofa")

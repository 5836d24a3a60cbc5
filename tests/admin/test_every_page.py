"""Every list, add page and change page opens, for an administrator and for a viewer, and loads nothing from outside."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin as django_admin
from django.test import Client
from django.urls import reverse

from planning.models import (
    TABLES,
    ByProduct,
    ComponentRequirement,
    Customer,
    CustomerOrder,
    Goal,
    MachinePeriod,
    Period,
    Plant,
    ProductPeriod,
    RawMaterialPeriod,
    Route,
    RoutePeriod,
    Scenario,
    ScenarioChange,
)
from tests.factories import make_run, make_solved_run

MODELS = [table.model for table in TABLES if table.model is not ScenarioChange]
EXTERNAL = re.compile(r"""(?:https?:)?//(?!www\.w3\.org|testserver)[a-z0-9.-]+\.[a-z]{2,}""", re.IGNORECASE)


@pytest.fixture
def full_plant(plant: Plant) -> Plant:
    """Return the furniture workshop with a row in every table."""
    chair, table, _ = plant.products.order_by("id")
    period = Period.objects.create(plant=plant, sequence=1, name="Week 1")
    route = Route.objects.create(product=chair, name="Fast")
    machine, material = plant.machines.first(), plant.raw_materials.first()
    customer = Customer.objects.create(plant=plant, name="Acme", tier="GOLD")
    scenario = Scenario.objects.create(plant=plant, name="More wood", parent=plant.scenarios.get())
    ProductPeriod.objects.create(product=chair, period=period, max_demand=12.5)
    RoutePeriod.objects.create(route=route, period=period, setup_cost=3)
    MachinePeriod.objects.create(machine=machine, period=period, available_hours=70)
    RawMaterialPeriod.objects.create(material=material, period=period, available_quantity=400)
    ComponentRequirement.objects.create(product=table, component=chair, quantity_required=1)
    ByProduct.objects.create(product=table, by_product=chair, quantity_produced=1)
    CustomerOrder.objects.create(
        plant=plant, reference="A-1", customer=customer, product=chair, period=period, target_quantity=5
    )
    Goal.objects.create(plant=plant, name="Earn", measure="profit", sense="at_least", target=1000)
    ScenarioChange.objects.create(
        scenario=scenario,
        table="raw_materials",
        row="Wood",
        field="available_quantity",
        operation="multiply",
        value=1.5,
    )
    make_run(plant)
    make_solved_run(plant)
    return plant


def pages(name: str) -> list[str]:
    """Return the pages of a table that has a row."""
    model = next(model for model in MODELS if model._meta.model_name == name)
    row = model._default_manager.first()
    base = f"admin:planning_{name}"
    return [
        reverse(f"{base}_changelist"),
        reverse(f"{base}_changelist") + "?q=chair+week",
        reverse(f"{base}_changelist") + "?q=nothing-has-this-name",
        reverse(f"{base}_add"),
        reverse(f"{base}_change", args=[row.pk]),
        reverse(f"{base}_delete", args=[row.pk]),
        reverse(f"{base}_history", args=[row.pk]),
    ]


@pytest.mark.parametrize("name", [model._meta.model_name for model in MODELS])
def test_pages_open_and_load_nothing_from_outside(full_plant: Plant, admin: Client, name: str) -> None:
    for url in pages(name):
        response = admin.get(url)
        assert response.status_code == 200, url
        assert EXTERNAL.findall(response.content.decode()) == [], url


@pytest.mark.parametrize("name", [model._meta.model_name for model in MODELS])
def test_viewer_looks_and_touches_nothing(full_plant: Plant, viewer: Client, name: str) -> None:
    model = next(model for model in MODELS if model._meta.model_name == name)
    row = model._default_manager.first()
    changelist, _, _, add, change, delete, _ = pages(name)
    before = model._default_manager.count()
    assert viewer.get(changelist).status_code == 200
    assert viewer.get(change).status_code == 200
    assert viewer.get(add).status_code == 403
    assert viewer.post(add, {}).status_code == 403
    assert viewer.post(change, {"name": "Mine"}).status_code == 403
    assert viewer.post(delete, {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    viewer.post(changelist, action)
    assert model._default_manager.count() == before


@pytest.mark.parametrize("name", ["index", "planning_run_changelist", "planning_scenario_run", "planning_plant_change"])
def test_anonymous_is_sent_to_the_login(full_plant: Plant, client: Client, name: str) -> None:
    arguments = [full_plant.pk] if name.endswith("_change") else []
    response = client.get(reverse(f"admin:{name}", args=arguments))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))


def test_login_page_opens_and_loads_nothing_from_outside(client: Client, db: None) -> None:
    response = client.get(reverse("admin:login"))
    assert response.status_code == 200
    assert EXTERNAL.findall(response.content.decode()) == []


@pytest.mark.parametrize("name", ["auth_user", "auth_group"])
def test_users_and_groups_have_pages(admin: Client, name: str) -> None:
    for page in ("changelist", "add"):
        response = admin.get(reverse(f"admin:{name}_{page}"))
        assert response.status_code == 200
        assert EXTERNAL.findall(response.content.decode()) == []


def test_every_table_of_the_format_has_its_page() -> None:
    registered = set(django_admin.site._registry)
    assert [model for model in MODELS if model not in registered] == []

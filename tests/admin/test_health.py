"""The page on a plant's data: colours, words, links, and who may see it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from planning.models import Machine, Plant, Product, Scenario
from tests.admin.conftest import logged_in
from tests.factories import make_user


def page(client: Client, plant: Plant, query: str = "") -> str:
    answer = client.get(reverse("admin:planning_plant_health", args=[plant.pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_good_data_offer_the_run(planner: Client, plant: Plant) -> None:
    shown = page(planner, plant)
    assert "Nothing is wrong with these data." in shown
    assert "Run scenario" in shown
    assert "Cutting Machine" in shown


def test_bad_data_say_what_to_mend_and_offer_no_run(planner: Client, plant: Plant) -> None:
    Product.objects.filter(plant=plant, name="Chair").update(min_inventory=3)
    shown = page(planner, plant)
    assert "No run is possible with these data." in shown
    assert "Run scenario" not in shown
    assert f"{reverse('admin:planning_product_changelist')}?plant__id__exact={plant.pk}&amp;q=Chair" in shown


def test_a_scenario_has_its_own_health(planner: Client, plant: Plant) -> None:
    rush = Scenario.objects.create(plant=plant, name="Rush & more")
    rush.scenario_changes.create(table="products", row="Chair", field="min_inventory", value=3)
    assert "Nothing is wrong" in page(planner, plant)
    assert "?scenario=Rush%20%26%20more" in page(planner, plant)
    assert "No run is possible" in page(planner, plant, "?scenario=Rush+%26+more")


def test_a_viewer_sees_it_without_the_button(viewer: Client, plant: Plant) -> None:
    Machine.objects.create(plant=plant, name="<b>Old</b>", available_hours=1)
    shown = page(viewer, plant)
    assert "A run is possible. Some of the data deserve a look." in shown
    assert "Run scenario" not in shown
    assert "<b>Old</b>" not in shown


def test_a_stranger_sees_nothing(plant: Plant) -> None:
    url = reverse("admin:planning_plant_health", args=[plant.pk])
    assert Client().get(url).status_code == 302
    assert logged_in(make_user("clerk")).get(url).status_code == 403


@pytest.mark.parametrize("query", ["?scenario=Nope"])
def test_an_unknown_scenario_is_not_found(planner: Client, plant: Plant, query: str) -> None:
    assert planner.get(reverse("admin:planning_plant_health", args=[plant.pk]) + query).status_code == 404


def test_the_plant_and_the_overview_lead_to_it(planner: Client, plant: Plant) -> None:
    url = reverse("admin:planning_plant_health", args=[plant.pk])
    for address in (reverse("admin:index"), reverse("admin:planning_plant_change", args=[plant.pk])):
        assert url in planner.get(address).content.decode()

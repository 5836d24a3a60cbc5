"""Related rows are found by typing: those of the page's plant, or of all plants with the plant's name."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from planning.models import Plant, Route
from tests.factories import make_furniture, make_user


def found(client: Client, model: str, field: str, term: str = "", plant: Plant | None = None) -> list[str]:
    query = {"app_label": "planning", "model_name": model, "field_name": field, "term": term}
    if plant:
        query["plant"] = str(plant.pk)
    response = client.get(reverse("admin:planning_autocomplete"), query)
    assert response.status_code == 200
    return [result["text"] for result in response.json()["results"]]


def test_it_finds_rows_of_the_pages_plant_only(viewer: Client, plant: Plant) -> None:
    make_furniture("South")
    assert found(viewer, "productionrecipe", "machine", plant=plant) == ["Cutting Machine", "Assembly Station"]
    assert found(viewer, "productionrecipe", "machine", "cut", plant=plant) == ["Cutting Machine"]


def test_it_names_the_plant_where_all_are_offered(viewer: Client, plant: Plant) -> None:
    make_furniture("South")
    assert found(viewer, "productionrecipe", "product", "chair") == ["Chair · Furniture Workshop", "Chair · South"]


def test_it_names_the_product_of_a_route(viewer: Client, plant: Plant) -> None:
    Route.objects.create(product=plant.products.get(name="Desk"), name="Fast")
    assert found(viewer, "productionrecipe", "route", "desk", plant=plant) == ["Desk / Fast"]


def test_it_shows_nothing_to_whom_may_not_see_the_table(client: Client, plant: Plant) -> None:
    client.force_login(make_user("clerk", "view_product"))
    url = reverse("admin:planning_autocomplete")
    query = {"app_label": "planning", "model_name": "productionrecipe", "field_name": "machine"}
    assert client.get(url, query).status_code == 403


def test_forms_ask_for_the_pages_plant(planner: Client, plant: Plant) -> None:
    recipe = plant.products.get(name="Chair").production_recipes.first()
    page = planner.get(reverse("admin:planning_productionrecipe_change", args=[recipe.pk])).content.decode()
    assert f"{reverse('admin:planning_autocomplete')}?plant={plant.pk}" in page

"""The relations of a row stay inside one plant: by one rule, on every form and inline."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from planning.admin.same_plant import plant_of, strays
from planning.models import (
    ByProduct,
    ComponentRequirement,
    Customer,
    CustomerOrder,
    MachinePeriod,
    MaterialRequirement,
    Period,
    Plant,
    ProductionRecipe,
    ProductPeriod,
    RawMaterialPeriod,
    Route,
    RoutePeriod,
    Scenario,
)
from tests.factories import make_furniture


@pytest.fixture
def north(db: None) -> Plant:
    return make_furniture("North")


@pytest.fixture
def south(db: None) -> Plant:
    return make_furniture("South")


def chair(plant: Plant):
    return plant.products.get(name="Chair")


def period(plant: Plant) -> Period:
    return plant.periods.get_or_create(sequence=1, name="Week 1")[0]


# what stands in the north -> the field that wrongly points to the south, and its row there
CASES = {
    "product period": (ProductPeriod, lambda n, s: {"product": chair(n), "period": period(s)}, "period"),
    "machine period": (MachinePeriod, lambda n, s: {"machine": n.machines.first(), "period": period(s)}, "period"),
    "material period": (
        RawMaterialPeriod,
        lambda n, s: {"material": n.raw_materials.first(), "period": period(s)},
        "period",
    ),
    "route period": (
        RoutePeriod,
        lambda n, s: {"route": Route.objects.create(product=chair(n), name="Fast"), "period": period(s)},
        "period",
    ),
    "recipe": (ProductionRecipe, lambda n, s: {"product": chair(n), "machine": s.machines.first()}, "machine"),
    "material": (
        MaterialRequirement,
        lambda n, s: {"product": chair(n), "material": s.raw_materials.first()},
        "material",
    ),
    "component": (ComponentRequirement, lambda n, s: {"product": chair(n), "component": chair(s)}, "component"),
    "by-product": (ByProduct, lambda n, s: {"product": chair(n), "by_product": chair(s)}, "by_product"),
    "order's customer": (
        CustomerOrder,
        lambda n, s: {"plant": n, "customer": Customer.objects.create(plant=s, name="Acme"), "product": chair(n)},
        "customer",
    ),
    "order's product": (CustomerOrder, lambda n, s: {"plant": n, "product": chair(s)}, "product"),
    "scenario's parent": (Scenario, lambda n, s: {"plant": n, "parent": s.scenarios.get()}, "parent"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_row_of_another_plant_is_found(north: Plant, south: Plant, name: str) -> None:
    model, related, field = CASES[name]
    found = strays(model, related(north, south))
    assert [stray.field for stray in found] == [field]
    assert '"South"' in found[0].text
    assert '"North"' in found[0].text


@pytest.mark.parametrize("name", CASES)
def test_rows_of_one_plant_belong_together(north: Plant, name: str) -> None:
    model, related, _ = CASES[name]
    assert strays(model, related(north, north)) == []


def test_a_route_of_another_product_is_found(north: Plant) -> None:
    table = north.products.get(name="Table")
    route = Route.objects.create(product=table, name="Fast")
    found = strays(ProductionRecipe, {"product": chair(north), "machine": north.machines.first(), "route": route})
    assert [stray.field for stray in found] == ["route"]
    assert found[0].text == (
        'The route "Fast" belongs to the product "Table", but the product is "Chair". Choose a route of "Chair".'
    )


def test_every_row_knows_its_plant(north: Plant) -> None:
    route = Route.objects.create(product=chair(north), name="Fast")
    assert plant_of(RoutePeriod(route=route, period=period(north))) == north
    assert plant_of(north.production_recipes.first() if hasattr(north, "production_recipes") else route) == north


def test_the_form_refuses_a_machine_of_another_plant(planner: Client, north: Plant, south: Plant) -> None:
    before = ProductionRecipe.objects.count()
    values = {"product": chair(north).pk, "machine": south.machines.first().pk, "hours_required": 1}
    response = planner.post(
        reverse("admin:planning_productionrecipe_add"), {**values, "setup_hours": 0, "setup_cost": 0}
    )
    assert response.status_code == 200
    assert "Choose a machine of &quot;North&quot;" in response.content.decode()
    assert ProductionRecipe.objects.count() == before


def test_the_inline_refuses_a_material_of_another_plant(planner: Client, north: Plant, south: Plant) -> None:
    product = chair(north)
    before = MaterialRequirement.objects.count()
    response = planner.post(
        reverse("admin:planning_product_change", args=[product.pk]),
        product_form(
            product, material_requirements=[{"material": south.raw_materials.first().pk, "quantity_required": 1}]
        ),
    )
    assert response.status_code == 200
    assert "Choose a material of &quot;North&quot;" in response.content.decode()
    assert MaterialRequirement.objects.count() == before


def product_form(product, **inlines) -> dict[str, object]:
    """Return what the product's page sends, with new rows in these inlines and none of the stored ones."""
    form: dict[str, object] = {
        "name": product.name,
        "unit": "unit",
        "profit_per_unit": "45",
        "production_cost_per_unit": "0",
        "min_demand": "10",
        "initial_inventory": "0",
        "min_inventory": "0",
        "final_inventory": "0",
        "min_batch_size": "0",
        "active": "on",
    }
    names = (
        "production_recipes",
        "material_requirements",
        "component_requirements",
        "by_products",
        "routes",
        "product_periods",
    )
    for name in names:
        rows = inlines.get(name, [])
        form |= {f"{name}-TOTAL_FORMS": len(rows), f"{name}-INITIAL_FORMS": 0}
        for index, row in enumerate(rows):
            form |= {f"{name}-{index}-product": product.pk}
            form |= {f"{name}-{index}-{field}": value for field, value in row.items()}
    return form


def test_the_inline_takes_rows_of_the_own_plant(planner: Client, north: Plant) -> None:
    product = chair(north)
    product.production_recipes.all().delete()
    rows = [{"machine": north.machines.first().pk, "hours_required": "0.25", "setup_hours": "0", "setup_cost": "0"}]
    response = planner.post(
        reverse("admin:planning_product_change", args=[product.pk]), product_form(product, production_recipes=rows)
    )
    assert response.status_code == 302
    assert product.production_recipes.get().hours_required == 0.25


def test_the_inline_refuses_a_second_row_without_a_route(planner: Client, north: Plant) -> None:
    product = chair(north)
    product.production_recipes.all().delete()
    row = {"machine": north.machines.first().pk, "hours_required": "0.25", "setup_hours": "0", "setup_cost": "0"}
    response = planner.post(
        reverse("admin:planning_product_change", args=[product.pk]),
        product_form(product, production_recipes=[row, row]),
    )
    assert response.status_code == 200
    assert "stands here twice" in response.content.decode()
    assert not product.production_recipes.exists()

"""Lists of rows that do not hold the same things, rows that were read already, and Python's collector meanwhile."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from django.db.models import F

from planning.lx import LXNotLoadedError, materialize_and_detach_list
from planning.models import Plant, Product, ProductionRecipe, Route
from tests.factories import make_furniture

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant() -> Plant:
    return make_furniture()


class TestRowsThatHoldDifferentThings:
    def test_keep_their_order_and_each_its_own(self, plant: Plant, django_assert_num_queries: Any) -> None:
        chair, table, desk = Product.objects.order_by("id")
        named = Product.objects.only("name").get(pk=table.pk)
        counted = Product.objects.annotate(double=F("profit_per_unit") * 2).get(pk=desk.pk)
        _ = chair.plant.name
        with django_assert_num_queries(0):
            rows = materialize_and_detach_list([counted, named, chair, counted])
            assert [row.name for row in rows] == ["Desk", "Table", "Chair", "Desk"]
            assert rows[3] is rows[0]
            assert (rows[0].profit_per_unit, rows[0].double) == (200.0, 400.0)
            assert (rows[2].profit_per_unit, rows[2].plant.name) == (45.0, plant.name)
            for row, field in ((rows[1], "profit_per_unit"), (rows[1], "double"), (rows[2], "double")):
                with pytest.raises(LXNotLoadedError, match=rf"Product\.{field} was not loaded"):
                    getattr(row, field)

    def test_have_the_relation_where_one_of_them_loaded_it(self, plant: Plant) -> None:
        recipes = list(ProductionRecipe.objects.order_by("id"))
        _ = recipes[2].machine
        _ = recipes[3].product
        rows = materialize_and_detach_list(recipes)
        assert rows[2].machine.name == "Cutting Machine"
        assert rows[3].product.name == "Table"
        assert rows[2].product is rows[3].product  # the same key
        with pytest.raises(LXNotLoadedError, match=r"Recipe\.machine"):
            _ = rows[3].machine

    def test_may_lead_nowhere(self, plant: Plant) -> None:
        chair = Product.objects.get(name="Chair")
        Route.objects.create(product=chair, name="Fast")
        ProductionRecipe.objects.filter(product=chair).update(route=Route.objects.get())
        rows = materialize_and_detach_list(ProductionRecipe.objects.select_related("route").order_by("id"))
        assert [row.route and row.route.name for row in rows] == ["Fast", "Fast", None, None, None, None]


class TestWhatWasReadAlready:
    def test_is_not_read_again(self, plant: Plant, django_assert_num_queries: Any) -> None:
        queryset = Product.objects.order_by("id")
        next(iter(queryset)).profit_per_unit = 1.0  # not saved
        with django_assert_num_queries(0):
            rows = materialize_and_detach_list(queryset)
        assert [row.profit_per_unit for row in rows] == [1.0, 120.0, 200.0]

    def test_also_behind_a_prefetched_relation(self, plant: Plant, django_assert_num_queries: Any) -> None:
        chair = Product.objects.prefetch_related("production_recipes").get(name="Chair")
        with django_assert_num_queries(0):
            recipes = materialize_and_detach_list(chair.production_recipes)
        assert [recipe.hours_required for recipe in recipes] == [0.5, 1.0]

    def test_is_left_as_it_is_otherwise(self, plant: Plant) -> None:
        queryset = Product.objects.select_related("plant")
        materialize_and_detach_list(queryset)
        assert queryset._result_cache is None


def test_columns_that_a_query_adds_by_hand_are_kept(plant: Plant) -> None:
    rows = materialize_and_detach_list(Product.objects.extra(select={"seven": "3 + 4"}).order_by("id"))
    assert [(row.name, row.seven) for row in rows] == [("Chair", 7), ("Table", 7), ("Desk", 7)]


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_left_as_it_was(plant: Plant, enabled: bool) -> None:
    was_enabled = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        materialize_and_detach_list(Product.objects.all())
        materialize_and_detach_list(list(Product.objects.all()))
        with pytest.raises(TypeError):
            materialize_and_detach_list(5)
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()

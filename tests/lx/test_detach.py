"""From Django rows to records: one query, one record per row, nothing live, and errors for what was not loaded."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, F

from planning.lx import (
    LXLinearExpression,
    LXModel,
    LXModelError,
    LXNotLoadedError,
    LXRecord,
    LXRows,
    LXVariable,
    detach_orm_object,
    materialize_and_detach_list,
)
from planning.lx.evaluate import numbers
from planning.models import Machine, Period, Plant, Product, ProductionRecipe, Route
from tests.factories import make_furniture

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant() -> Plant:
    return make_furniture()


class TestQuerysets:
    @pytest.mark.parametrize("count", [1, 3])
    def test_are_read_in_one_query(self, plant: Plant, django_assert_num_queries: Any, count: int) -> None:
        with django_assert_num_queries(1):
            rows = materialize_and_detach_list(Product.objects.all()[:count])
        assert isinstance(rows, LXRows)
        assert [row.name for row in rows] == ["Chair", "Table", "Desk"][:count]

    def test_keep_their_order(self, plant: Plant) -> None:
        rows = materialize_and_detach_list(Product.objects.order_by("-name"))
        assert [row.name for row in rows] == ["Table", "Desk", "Chair"]

    def test_without_rows_have_typed_columns(self, plant: Plant) -> None:
        rows = materialize_and_detach_list(Product.objects.none())
        assert len(rows) == 0
        assert rows.table.columns["profit_per_unit"].values.dtype.kind == "f"
        assert rows.table.columns["id"].values.dtype.kind == "i"

    def test_of_one_memo_are_linked_in_either_order(self, plant: Plant, django_assert_num_queries: Any) -> None:
        for first, second in ((Product, ProductionRecipe), (ProductionRecipe, Product)):
            memo: dict[Any, Any] = {}
            read = {model: materialize_and_detach_list(model.objects.all(), memo) for model in (first, second)}
            with django_assert_num_queries(0):
                assert [r.product.name for r in read[ProductionRecipe]] == ["Chair"] * 2 + ["Table"] * 2 + ["Desk"] * 2
                assert read[ProductionRecipe][0].product is read[Product][0]
                assert read[ProductionRecipe][0].product_id == read[Product][0].id

    def test_of_two_memos_are_not_linked(self, plant: Plant) -> None:
        materialize_and_detach_list(Product.objects.all(), {})
        recipes = materialize_and_detach_list(ProductionRecipe.objects.all(), {})
        with pytest.raises(LXNotLoadedError, match=r"Recipe\.product was not loaded.*select_related"):
            _ = recipes[0].product

    def test_that_overlap_give_one_record_per_row(self, plant: Plant) -> None:
        memo: dict[Any, Any] = {}
        cheap = materialize_and_detach_list(Product.objects.filter(profit_per_unit__lt=150), memo)
        dear = materialize_and_detach_list(Product.objects.filter(profit_per_unit__gt=100).order_by("-id"), memo)
        assert [row.name for row in dear] == ["Desk", "Table"]
        assert dear[1] is cheap[1]
        assert len(cheap.table) == 3

    def test_give_a_row_that_occurs_twice_as_one_record(self, plant: Plant) -> None:
        rows = materialize_and_detach_list(Product.objects.filter(production_recipes__isnull=False).order_by("id"))
        assert len(rows) == 6
        assert rows[0] is rows[1]
        assert len(rows.table) == 3

    def test_keep_what_select_related_loaded(self, plant: Plant, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            rows = materialize_and_detach_list(ProductionRecipe.objects.select_related("product__plant", "machine"))
        with django_assert_num_queries(0):
            assert rows[0].product.plant.name == plant.name
            assert rows[0].product is rows[1].product
            assert rows[1].machine.name == "Assembly Station"

    def test_keep_what_prefetch_related_loaded(self, plant: Plant) -> None:
        rows = materialize_and_detach_list(ProductionRecipe.objects.prefetch_related("product"))
        assert rows[0].product.name == "Chair"

    def test_with_select_related_may_be_empty(self, plant: Plant) -> None:
        assert len(materialize_and_detach_list(ProductionRecipe.objects.select_related("product").filter(pk=0))) == 0

    def test_keep_annotations(self, plant: Plant, django_assert_num_queries: Any) -> None:
        queryset = Product.objects.annotate(recipes=Count("production_recipes"), double=F("profit_per_unit") * 2)
        queryset = queryset.order_by("id")
        with django_assert_num_queries(1):
            rows = materialize_and_detach_list(queryset)
        assert [row.recipes for row in rows] == [2, 2, 2]
        assert rows[0].double == 90.0
        assert materialize_and_detach_list(list(queryset))[0].double == 90.0

    def test_accept_a_manager(self, plant: Plant) -> None:
        assert len(materialize_and_detach_list(Product.objects)) == 3


class TestForeignKeys:
    def test_that_are_null_are_none(self, plant: Plant) -> None:
        memo: dict[Any, Any] = {}
        recipes = materialize_and_detach_list(ProductionRecipe.objects.all(), memo)
        assert recipes[0].route is None
        assert recipes[0].route_id is None
        materialize_and_detach_list(Route.objects.all(), memo)
        assert recipes[0].route is None

    def test_that_lead_out_of_what_was_read_are_not_loaded(self, plant: Plant) -> None:
        memo: dict[Any, Any] = {}
        materialize_and_detach_list(Product.objects.filter(name="Chair"), memo)
        recipes = materialize_and_detach_list(ProductionRecipe.objects.all(), memo)
        with pytest.raises(LXNotLoadedError):
            _ = recipes[2].product
        materialize_and_detach_list(Product.objects.exclude(name="Chair"), memo)
        assert recipes[2].product.name == "Table"

    def test_to_rows_in_another_order_find_the_right_one(self, plant: Plant) -> None:
        memo: dict[Any, Any] = {}
        materialize_and_detach_list(Product.objects.order_by("-id"), memo)
        recipes = materialize_and_detach_list(ProductionRecipe.objects.order_by("-machine", "product"), memo)
        names = dict(Product.objects.values_list("id", "name"))
        assert [r.product.name for r in recipes] == [names[r.product_id] for r in recipes]


class TestInstances:
    def test_bring_along_what_select_related_loaded(self, plant: Plant, django_assert_num_queries: Any) -> None:
        instances = list(ProductionRecipe.objects.select_related("product__plant"))
        with django_assert_num_queries(0):
            rows = materialize_and_detach_list(instances)
            assert rows[0].product.plant.name == plant.name
            assert rows[0].product is rows[1].product
            with pytest.raises(LXNotLoadedError, match=r"Recipe\.machine"):
                _ = rows[0].machine

    def test_alone_are_detached_too(self, plant: Plant, django_assert_num_queries: Any) -> None:
        recipe = ProductionRecipe.objects.select_related("product")[0]
        with django_assert_num_queries(0):
            record = detach_orm_object(recipe)
        assert type(record) is LXRecord
        assert record.product.name == "Chair"

    def test_and_querysets_of_one_memo_share_records(self, plant: Plant) -> None:
        memo: dict[Any, Any] = {}
        record = detach_orm_object(Product.objects.get(name="Table"), memo)
        rows = materialize_and_detach_list(Product.objects.all(), memo)
        assert rows[1] is record

    def test_keep_a_change_that_was_not_saved(self, plant: Plant) -> None:
        chair = Product.objects.get(name="Chair")
        chair.profit_per_unit = 1.0
        assert detach_orm_object(chair).profit_per_unit == 1.0

    def test_with_deferred_fields_raise_for_them(self, plant: Plant, django_assert_num_queries: Any) -> None:
        instances = list(Product.objects.only("name"))
        with django_assert_num_queries(0):
            rows = materialize_and_detach_list(instances)
            assert rows[0].name == "Chair"
            with pytest.raises(LXNotLoadedError, match=r"Product\.profit_per_unit"):
                _ = rows[0].profit_per_unit

    def test_with_a_deferred_key_lack_the_relation_and_leave_it_to_rows_that_have_it(self, plant: Plant) -> None:
        memo: dict[Any, Any] = {}
        materialize_and_detach_list(Product.objects.all(), memo)
        first = materialize_and_detach_list(ProductionRecipe.objects.order_by("id")[:2], memo)
        rest = materialize_and_detach_list(list(ProductionRecipe.objects.order_by("id").defer("product")[2:]), memo)
        assert first[0].product.name == "Chair"
        for field in ("product", "product_id"):
            with pytest.raises(LXNotLoadedError, match=rf"Recipe\.{field}"):
                getattr(rest[0], field)
        for function in (lambda r: r.product.id, lambda r: r.product_id):
            with pytest.raises(LXNotLoadedError, match=r"Recipe\.product"):
                numbers(function, rest, what="it")

    def test_that_were_never_saved_are_refused(self, plant: Plant) -> None:
        with pytest.raises(LXModelError, match=r"planning\.Product has no primary key. Save it"):
            materialize_and_detach_list([Product(name="A", plant=plant), Product(name="B", plant=plant)])


class TestLists:
    def test_may_mix_rows_and_plain_values(self, plant: Plant) -> None:
        chair = Product.objects.get(name="Chair")
        found = materialize_and_detach_list([chair, "x", Machine.objects.all()[0]])
        assert [type(item) for item in found] == [LXRecord, str, LXRecord]

    def test_of_tuples_hold_no_live_row(self, plant: Plant) -> None:
        pairs = [(product, machine) for product in Product.objects.all() for machine in Machine.objects.all()]
        found = materialize_and_detach_list(pairs)
        assert all(type(part) is LXRecord for pair in found for part in pair)
        assert found[0][0] is found[1][0]

    def test_of_plain_objects_are_left_alone(self) -> None:
        plain = [object(), 3, "x"]
        assert materialize_and_detach_list(plain) == plain
        assert detach_orm_object(plain[0]) is plain[0]
        assert materialize_and_detach_list([]) == []
        assert materialize_and_detach_list(None) is None


class TestModels:
    def test_know_no_database_once_their_families_are_added(self, plant: Plant, django_assert_num_queries: Any) -> None:
        make = LXVariable[Product, float]("make").indexed_by(lambda p: p.name).from_model(Product)
        use = LXLinearExpression().add_join(
            make,
            lambda r: r.hours_required,
            over=ProductionRecipe.objects.all(),
            variable_key=lambda r: r.product,
        )
        with django_assert_num_queries(2):
            model = LXModel("m").add_variable(make).maximize(use)
        with connection.execute_wrapper(lambda *args: pytest.fail("a query after detaching")):
            assert model.objective.terms[0].entries("o", None, None).coefficients.tolist() == [0.5, 1, 1.5, 2.5, 2, 3.5]

    def test_name_the_family_that_got_no_model(self) -> None:
        for got in (Product(), "Product", object):
            with pytest.raises(LXModelError, match="from_model of make got"):
                LXVariable[Any, float]("make").from_model(got)

    def test_take_periods_in_their_own_order(self, plant: Plant) -> None:
        for sequence, name in ((2, "Second"), (1, "First")):
            Period.objects.create(plant=plant, sequence=sequence, name=name)
        family = LXVariable[Period, float]("x").indexed_by(lambda p: p.name).from_model(Period)
        assert family.keys == ["First", "Second"]

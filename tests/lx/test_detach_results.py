"""Detached records are never saved; their results go to fresh rows, which show what happened since."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from planning.lx import LXDetachError, LXError, LXModelError, apply_to_fresh, materialize_and_detach_list
from planning.models import Machine, Product, ProductionRecipe
from tests.factories import make_furniture

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> Any:
    make_furniture()
    return materialize_and_detach_list(Product.objects.order_by("id"))


@pytest.mark.parametrize("method", ["save", "delete", "refresh_from_db", "full_clean"])
def test_a_record_is_not_saved(rows: Any, method: str) -> None:
    with pytest.raises(LXError, match=r"A detached record of planning\.Product has no .* with apply_to_fresh"):
        getattr(rows[0], method)()


def test_the_orm_refuses_a_record(rows: Any) -> None:
    with pytest.raises(LXError, match="apply_to_fresh"):
        Product.objects.bulk_update([rows[0]], ["profit_per_unit"])


def test_results_are_set_on_fresh_rows_and_saved_by_the_caller(rows: Any, django_assert_num_queries: Any) -> None:
    rows[0].profit_per_unit = 1.0  # a scenario's change is no change of the row
    with django_assert_num_queries(1):
        done = apply_to_fresh({row: {"max_demand": 500.0} for row in rows}, Product.objects.all())
    assert (done.changed, done.vanished) == ([], [])
    assert Product.objects.get(name="Chair").max_demand != 500.0
    Product.objects.bulk_update(done.rows, ["max_demand"])
    assert set(Product.objects.values_list("max_demand", flat=True)) == {500.0}
    assert Product.objects.get(name="Chair").profit_per_unit == 45.0


def test_rows_that_changed_or_vanished_are_named(rows: Any) -> None:
    chair, table, desk = rows
    Product.objects.filter(name="Chair").update(profit_per_unit=46.0)
    fresh = Product.objects.exclude(name="Desk")
    done = apply_to_fresh({row: {"max_demand": 500.0} for row in rows}, fresh)
    assert [(c.record, c.field, c.then, c.now) for c in done.changed] == [(chair, "profit_per_unit", 45.0, 46.0)]
    assert done.vanished == [desk]
    assert [row.pk for row in done.rows] == [chair.pk, table.pk]


def test_unknown_fields_and_other_models_are_refused(rows: Any) -> None:
    with pytest.raises(LXModelError, match="has no field 'max_demnad'"):
        apply_to_fresh({rows[0]: {"max_demnad": 5.0}}, Product.objects.all())
    with pytest.raises(LXModelError, match=r"is no row of planning\.Product"):
        apply_to_fresh({rows[0]: {"max_demand": 500.0}}, Machine.objects.all())


class TestTheOrmAndARecord:
    """What is done with a live row in vain: each says what to do instead."""

    @pytest.mark.parametrize(
        "use",
        [
            lambda row: Product.objects.filter(pk=row),
            lambda row: ProductionRecipe.objects.filter(product=row),
            lambda row: ProductionRecipe.objects.filter(product__in=[row]),
            lambda row: ProductionRecipe.objects.exclude(product_id=row),
            lambda row: Product.objects.filter(name=row),  # would be searched by its text, and never be found
            lambda row: ProductionRecipe.objects.update(product=row),
        ],
    )
    def test_no_query_takes_it(self, rows: Any, use: Any) -> None:
        with pytest.raises(LXDetachError, match=r"<planning.Product Chair> is a detached record, which no query takes"):
            use(rows[0])

    def test_its_primary_key_is_taken(self, rows: Any) -> None:
        assert ProductionRecipe.objects.filter(product=rows[0].pk).count() == 2

    def test_no_relation_takes_it(self, rows: Any) -> None:
        recipe = ProductionRecipe.objects.all()[0]
        with pytest.raises(ValueError, match=r'Cannot assign "<planning.Product Chair>"'):
            recipe.product = rows[0]
        with pytest.raises(ValueError, match=r'Cannot assign "<planning.Product Chair>"'):
            ProductionRecipe(product=rows[0])
        recipe.product_id = rows[0]
        with pytest.raises(LXDetachError, match="which no query takes"):
            recipe.save()

    @pytest.mark.parametrize(
        "write",
        [
            lambda row: Product.objects.bulk_create([row]),
            lambda row: Product.objects.bulk_update([row], ["profit_per_unit"]),
            lambda row: Product.objects.bulk_create([row], ignore_conflicts=True),
        ],
    )
    def test_nothing_writes_it(self, rows: Any, write: Any) -> None:
        with pytest.raises(LXError, match="apply_to_fresh"):
            write(rows[0])

    def test_no_relation_to_several_takes_it(self, rows: Any) -> None:
        group = Group.objects.create(name="g")
        with pytest.raises(TypeError, match=r"expected a number but got <planning\.Product Chair>"):
            group.user_set.add(rows[0])

    def test_its_key_is_not_changed(self, rows: Any) -> None:
        with pytest.raises(LXModelError, match=r"planning\.Product\.id is the primary key, by which rows are found"):
            rows[0].id = 7


def test_differences_are_those_of_the_database(rows: Any) -> None:
    chair, table, desk = rows
    chair.max_demand = 1.0  # our own change
    Product.objects.filter(name="Table").update(max_demand=None, name="Bench")
    done = apply_to_fresh({row: {} for row in rows}, list(Product.objects.order_by("-id").defer("profit_per_unit")))
    assert [(c.record, c.field, c.then, c.now) for c in done.changed] == [
        (table, "name", "Table", "Bench"),
        (table, "max_demand", 50.0, None),
    ]
    assert [row.pk for row in done.rows] == [chair.pk, table.pk, desk.pk]

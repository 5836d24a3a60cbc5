"""Relations to several rows, and one record for one row."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Prefetch

from planning.lx import (
    LXLinearExpression,
    LXModel,
    LXModelError,
    LXNotLoadedError,
    LXVariable,
    detach_orm_object,
    materialize_and_detach_list,
)
from planning.models import Product, ProductionRecipe
from tests.factories import make_furniture

pytestmark = pytest.mark.django_db


@pytest.fixture
def groups() -> None:
    night, day = Group.objects.create(name="night"), Group.objects.create(name="day")
    Group.objects.create(name="empty")
    for name, chosen in (("ann", [night, day]), ("bob", [day]), ("cid", [])):
        User.objects.create(username=name).groups.set(chosen)


def refuse(*args: Any) -> Any:
    raise AssertionError("a query after detaching")


class TestRelationsToSeveral:
    def test_are_records_on_both_sides(self, groups: None) -> None:
        users = materialize_and_detach_list(User.objects.order_by("username").prefetch_related("groups__user_set"))
        with connection.execute_wrapper(refuse):
            assert [[group.name for group in user.groups] for user in users] == [["night", "day"], ["day"], []]
            assert users[0].groups.all()[1] is users[1].groups[0]
            assert [user.username for user in users[1].groups[0].user_set] == ["ann", "bob"]
            assert users[1].groups[0].user_set[0] is users[0]

    def test_of_a_reverse_key_are_records(self) -> None:
        make_furniture()
        rows = materialize_and_detach_list(
            Product.objects.order_by("id").prefetch_related("production_recipes__machine")
        )
        with connection.execute_wrapper(refuse):
            assert [recipe.machine.name for recipe in rows[0].production_recipes] == [
                "Cutting Machine",
                "Assembly Station",
            ]
            assert rows[0].production_recipes[0].product is rows[0]
            make = LXVariable[Any, float]("make").indexed_by(lambda p: p.id).from_data(rows)
            hours = LXLinearExpression().add_term(
                make, lambda p: sum(r.hours_required for r in p.production_recipes.all())
            )
            model = LXModel("m").add_variable(make).maximize(hours)
            model.tables["products"] = rows.table
            assert hours.terms[0].entries("o", None, None).coefficients.tolist() == [1.5, 4.0, 5.5]
            for made in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
                chair = made.tables["products"].rows[0]
                assert chair.production_recipes[0].machine.name == "Cutting Machine"
                assert chair.production_recipes[0] is not rows[0].production_recipes[0]

    def test_that_a_list_names_are_records(self) -> None:
        make_furniture()
        steps = Prefetch("production_recipes", ProductionRecipe.objects.filter(hours_required__gt=1), to_attr="steps")
        rows = materialize_and_detach_list(list(Product.objects.order_by("id").prefetch_related(steps)))
        with connection.execute_wrapper(refuse):
            assert [[step.hours_required for step in row.steps] for row in rows] == [[], [1.5, 2.5], [2.0, 3.5]]

    def test_that_only_some_rows_loaded_raise_for_the_others(self, groups: None) -> None:
        memo: dict[Any, Any] = {}
        ann = detach_orm_object(User.objects.prefetch_related("groups").get(username="ann"), memo)
        bob = detach_orm_object(User.objects.get(username="bob"), memo)
        assert len(ann.groups) == 2
        with pytest.raises(LXNotLoadedError, match=r"auth\.User\.groups was not loaded.*prefetch_related\('groups'\)"):
            _ = bob.groups


class TestOneRowOneRecord:
    def test_also_where_fields_were_left_out_first(self) -> None:
        make_furniture()
        memo: dict[Any, Any] = {}
        first = detach_orm_object(Product.objects.only("name").get(name="Chair"), memo)
        with pytest.raises(LXNotLoadedError):
            _ = first.profit_per_unit
        rows = materialize_and_detach_list(Product.objects.order_by("id"), memo)
        assert rows[0] is first
        assert first.profit_per_unit == 45.0

    def test_and_two_states_of_a_row_are_refused(self) -> None:
        make_furniture()
        memo: dict[Any, Any] = {}
        materialize_and_detach_list(Product.objects.all(), memo)
        chair = Product.objects.get(name="Chair")
        chair.profit_per_unit = 46.0
        with pytest.raises(
            LXModelError, match=r"Chair> is reached twice with different values of profit_per_unit: 45\.0 and 46\.0"
        ):
            detach_orm_object(chair, memo)

    def test_and_it_is_the_live_rows_key(self) -> None:
        make_furniture()
        chair, table = Product.objects.order_by("id")[:2]
        record = detach_orm_object(chair)
        assert record == chair
        assert chair == record
        assert record != table
        assert {chair: 1.5}[record] == 1.5
        assert {record: 1.5}[chair] == 1.5

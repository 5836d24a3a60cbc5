"""Rows of real tables: fields of every kind, parents and children, circles, keys of several fields, what is generic."""

from __future__ import annotations

import copy
import datetime
import pickle
import uuid
from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models import Prefetch

from planning.lx import (
    LXConstraint,
    LXLinearExpression,
    LXModel,
    LXModelError,
    LXNotLoadedError,
    LXOptimizer,
    LXVariable,
    apply_to_fresh,
    detach_orm_object,
    dump_model,
    load_model,
    materialize_and_detach_list,
)
from planning.models import Machine, Product
from tests.factories import make_furniture
from tests.lx.shop_tables import DAY, Grams, Stage, shop_tables

pytestmark = pytest.mark.django_db

FIELDS = {
    "name": "Main",
    "rent": Decimal("12345.0123456789"),  # SQLite keeps 15 digits
    "opened": DAY,
    "seen": datetime.datetime(2026, 2, 28, 12, 30, 15, 250, tzinfo=datetime.UTC),
    "closes": datetime.time(18, 30),
    "rests": datetime.timedelta(days=2, microseconds=7),
    "code": uuid.UUID(int=7),
    "plan": "plans/main.pdf",
    "notes": {"a": [1, None, {"b": 2.5}]},
    "raw": b"\x00\xff",
    "weight": Grams(5),
    "stage": Stage.OPEN,
    "large": Decimal(10**14 + 1),
    "is_new": True,
}
NULLS = ("rent", "opened", "seen", "closes", "rests", "notes", "weight", "large", "is_new", "code", "raw")


@pytest.fixture(scope="module")
def shop(django_db_setup: None, django_db_blocker: Any) -> Iterator[SimpleNamespace]:
    with django_db_blocker.unblock(), shop_tables() as made:
        yield made


def refuse(*args: Any) -> Any:
    raise AssertionError("a query after detaching")


def both_ways(queryset: Any) -> list[Any]:
    """Return the rows of a queryset, detached from its tuples and from its instances."""
    return [materialize_and_detach_list(queryset.all()), materialize_and_detach_list(list(queryset.all()))]


class TestFields:
    def test_are_exact_whichever_way_they_were_read(self, shop: Any, django_assert_num_queries: Any) -> None:
        shop.Place.objects.create(**FIELDS)
        for count, rows in zip((1, 1), both_ways(shop.Place.objects.all()), strict=True):
            with django_assert_num_queries(count):
                materialize_and_detach_list(shop.Place.objects.all())
            with connection.execute_wrapper(refuse):
                (row,) = rows
                assert {name: getattr(row, name) for name in FIELDS} == FIELDS
                assert str(row.rent) == "12345.0123456789"
                assert {type(row.rent), type(row.large)} == {Decimal}
                assert (type(row.plan), type(row.stage), type(row.is_new)) == (str, int, bool)
                assert row.seen.tzinfo is not None

    def test_are_those_of_the_row_in_memory_to_the_last_digit(self, shop: Any) -> None:
        live = shop.Place.objects.create(
            name="x", rent=Decimal("12345678901234567890.0123456789"), large=Decimal(2**70)
        )
        row = detach_orm_object(live)
        assert (str(row.rent), row.large) == ("12345678901234567890.0123456789", 2**70)

    def test_that_are_null_are_none(self, shop: Any) -> None:
        shop.Place.objects.create(name="empty", **dict.fromkeys(NULLS))
        shop.Place.objects.create(**FIELDS)
        for rows in both_ways(shop.Place.objects.order_by("id")):
            assert {name: getattr(rows[0], name) for name in NULLS} == dict.fromkeys(NULLS)
            assert rows.column("is_new").is_null.tolist() == [True, False]

    def test_hold_copies_of_json(self, shop: Any) -> None:
        live = shop.Place.objects.create(**FIELDS | {"notes": {"a": [1]}})
        row = detach_orm_object(live)
        row.notes["a"].append(2)
        made = copy.deepcopy(row)
        made.notes["a"].append(3)
        assert (live.notes, row.notes, made.notes) == ({"a": [1]}, {"a": [1, 2]}, {"a": [1, 2, 3]})
        (first,), (second,) = both_ways(shop.Place.objects.all())
        first.notes["a"].append(4)
        assert second.notes == {"a": [1]}

    def test_hold_files_by_name(self, shop: Any) -> None:
        live = shop.Place.objects.create(**FIELDS)
        live.plan = ContentFile(b"x", name="new.pdf")
        assert detach_orm_object(live).plan == "new.pdf"
        assert detach_orm_object(shop.Place.objects.create(name="x")).plan == ""

    def test_that_lead_to_live_rows_are_refused(self, shop: Any) -> None:
        live = shop.Place.objects.create(name="x")
        live.notes = {"a": [live]}
        with pytest.raises(LXModelError, match=r"Place\.notes holds .* which leads to the live row"):
            detach_orm_object(live)
        live.notes = shop.Place.objects.all()
        with pytest.raises(LXModelError, match=r"Place\.notes holds .* which leads to a queryset or manager"):
            detach_orm_object(live)

    def test_that_were_deferred_raise(self, shop: Any, django_assert_num_queries: Any) -> None:
        shop.Place.objects.create(**FIELDS)
        with django_assert_num_queries(1):
            (row,) = materialize_and_detach_list(shop.Place.objects.defer("notes", "rent"))
        with connection.execute_wrapper(refuse):
            assert row.opened == DAY
            for field in ("notes", "rent"):
                with pytest.raises(LXNotLoadedError, match=rf"planning\.Place\.{field} was not loaded.*in the query"):
                    getattr(row, field)


class TestParentsAndChildren:
    @pytest.fixture
    def main(self, shop: Any) -> Any:
        return shop.Shop.objects.create(name="Main", area=20.0, shelves=4)

    def test_a_child_has_its_parents_fields_and_key(self, shop: Any, main: Any, django_assert_num_queries: Any) -> None:
        for rows in both_ways(shop.Shop.objects.all()):
            (row,) = rows
            assert (row.pk, row.id, row.place_ptr_id, row.name, row.area) == (main.pk, main.pk, main.pk, "Main", 20.0)
            assert row == main
            assert {main: 1}[row] == 1
        with django_assert_num_queries(1):
            materialize_and_detach_list(shop.Shop.objects.all())

    def test_a_proxy_is_the_row_itself(self, shop: Any, main: Any) -> None:
        memo: dict[Any, Any] = {}
        row = detach_orm_object(main, memo)
        assert detach_orm_object(shop.Corner.objects.get(), memo) is row
        assert materialize_and_detach_list(shop.Corner.objects.all(), memo)[0] is row

    def test_parent_and_child_lead_to_each_other_where_they_are_loaded(self, shop: Any, main: Any) -> None:
        shop.Place.objects.create(name="Field")
        places = materialize_and_detach_list(shop.Place.objects.select_related("shop").order_by("id"))
        with connection.execute_wrapper(refuse):
            assert (places[0].shop.area, places[0].shop.pk) == (20.0, main.pk)
            assert [place.name for place in places] == ["Main", "Field"]
            assert places[1].shop is None
        memo: dict[Any, Any] = {}
        (row,) = materialize_and_detach_list(shop.Shop.objects.all(), memo)
        with pytest.raises(LXNotLoadedError, match=r"Shop\.place_ptr was not loaded.*select_related\('place_ptr'\)"):
            _ = row.place_ptr
        places = materialize_and_detach_list(shop.Place.objects.order_by("id"), memo)
        assert row.place_ptr is places[0]

    def test_a_child_is_reached_through_a_relation_to_its_parent(self, shop: Any, main: Any) -> None:
        tag = shop.Tag.objects.create(word="old")
        tagging = shop.Tagging.objects.create(place=main, tag=tag)
        tagging.place = main  # the child, where the relation names the parent
        row = detach_orm_object(tagging)
        assert (row.place.name, row.place.pk) == ("Main", main.pk)
        with pytest.raises(LXNotLoadedError):
            _ = row.place.area

    def test_one_to_one_and_circles_are_records_on_both_sides(self, shop: Any, main: Any) -> None:
        manager = shop.Manager.objects.create(shop=main)
        shop.Manager.objects.filter(pk=manager.pk).update(boss=manager)
        shop.Shop.objects.filter(pk=main.pk).update(owner=main)
        (row,) = materialize_and_detach_list(shop.Shop.objects.select_related("manager__boss", "owner"))
        with connection.execute_wrapper(refuse):
            assert row.manager.shop is row
            assert row.manager.boss is row.manager
            assert row.owner is row
            assert row.manager.shop_id == main.pk
        (alone,) = materialize_and_detach_list(shop.Shop.objects.all())
        with pytest.raises(LXNotLoadedError, match=r"Shop\.manager was not loaded.*select_related\('manager'\)"):
            _ = alone.manager


class TestRelationsToSeveral:
    def test_through_a_table_of_their_own(self, shop: Any, django_assert_num_queries: Any) -> None:
        places = [shop.Place.objects.create(name=name) for name in "abc"]
        tags = [shop.Tag.objects.create(word=word) for word in ("old", "new")]
        for place, tag in ((places[0], tags[0]), (places[0], tags[1]), (places[1], tags[1])):
            shop.Tagging.objects.create(place=place, tag=tag)
        places[0].near.add(places[2])
        queryset = shop.Place.objects.order_by("id").prefetch_related("tags", "near", "taggings__tag")
        with django_assert_num_queries(5):
            rows = materialize_and_detach_list(queryset)
        with connection.execute_wrapper(refuse):
            assert [[tag.word for tag in row.tags] for row in rows] == [["old", "new"], ["new"], []]
            assert rows[0].near[0] is rows[2]
            assert rows[2].near[0] is rows[0]
            assert rows[0].taggings[1].tag is rows[0].tags[1]
            assert rows[0].taggings[0].tag_id == "old"  # a key to another field than the primary key
            assert rows[0].taggings[0].place is rows[0]

    @pytest.mark.parametrize("count", [1, 30])
    def test_take_as_many_queries_for_many_rows(self, shop: Any, django_assert_num_queries: Any, count: int) -> None:
        tag = shop.Tag.objects.create(word="old")
        for number in range(count):
            place = shop.Place.objects.create(name=str(number))
            shop.Tagging.objects.create(place=place, tag=tag)
        chosen = Prefetch("taggings", shop.Tagging.objects.select_related("tag"), to_attr="chosen")
        with django_assert_num_queries(2):
            rows = materialize_and_detach_list(shop.Place.objects.prefetch_related(chosen))
            assert {tagging.tag.word for row in rows for tagging in row.chosen} == {"old"}
            assert len({tagging.tag for row in rows for tagging in row.chosen}) == 1


class TestKeysOfSeveralFields:
    @pytest.fixture
    def slots(self, shop: Any) -> list[Any]:
        return [shop.Slot.objects.create(day=DAY, number=number, hours=2.0 * number) for number in (1, 2)]

    def test_are_tuples(self, shop: Any, slots: list[Any], django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            rows = materialize_and_detach_list(shop.Slot.objects.order_by("number"))
        assert [row.pk for row in rows] == [(DAY, 1), (DAY, 2)]
        assert rows[0] == slots[0]
        assert rows[0] != slots[1]
        assert {slots[0]: "x"}[rows[0]] == "x"
        memo: dict[Any, Any] = {}
        first = detach_orm_object(slots[0], memo)
        assert materialize_and_detach_list(shop.Slot.objects.order_by("-number"), memo)[1] is first

    def test_lead_to_rows(self, shop: Any, slots: list[Any]) -> None:
        shop.Booking.objects.create(day=DAY, number=2)
        (row,) = materialize_and_detach_list(shop.Booking.objects.select_related("slot"))
        assert row.slot.hours == 4.0
        (alone,) = materialize_and_detach_list(shop.Booking.objects.all())
        with pytest.raises(LXNotLoadedError, match=r"Booking\.slot was not loaded"):
            _ = alone.slot

    def test_are_the_keys_of_a_family_and_travel(self, shop: Any, slots: list[Any]) -> None:
        use = LXVariable[Any, float]("use").bounds(upper=1).from_model(shop.Slot.objects.order_by("number"))
        limit = LXConstraint[Any]("limit").from_data([None]).indexed_by(lambda row: "all")
        model = LXModel("m").add_variable(use).maximize(LXLinearExpression().add_term(use, lambda s: s.hours))
        assert limit is not None
        assert use.keys == [(DAY, 1), (DAY, 2)]
        solution = LXOptimizer().solve(model)
        assert solution.variables["use"][slots[1]] == 1.0
        for made in (copy.deepcopy(model), load_model(dump_model(model)), pickle.loads(pickle.dumps(model))):
            rows: Any = made.get_variable("use").rows
            assert [row.pk for row in rows] == [(DAY, 1), (DAY, 2)]
            assert rows[1] == slots[1]

    def test_find_fresh_rows(self, shop: Any, slots: list[Any]) -> None:
        rows = materialize_and_detach_list(shop.Slot.objects.order_by("number"))
        shop.Slot.objects.filter(number=2).delete()
        done = apply_to_fresh({row: {"hours": 9.0} for row in rows}, shop.Slot.objects.all())
        assert [row.pk for row in done.rows] == [(DAY, 1)]
        assert done.vanished == [rows[1]]


class TestGenericRelations:
    @pytest.fixture
    def remarks(self, shop: Any) -> Any:
        make_furniture()
        product, machine = Product.objects.get(name="Chair"), Machine.objects.first()
        for target in (product, machine, product):
            kind = ContentType.objects.get_for_model(target)
            shop.Remark.objects.create(text=str(target), content_type=kind, object_id=target.pk)
        return shop.Remark.objects.order_by("id").prefetch_related("about")

    def test_to_rows_of_one_table_are_records(self, remarks: Any) -> None:
        kind = ContentType.objects.get_for_model(Product)
        rows = materialize_and_detach_list(remarks.filter(content_type=kind))
        with connection.execute_wrapper(refuse):
            assert [row.about.name for row in rows] == ["Chair", "Chair"]
            assert rows[0].about is rows[1].about

    def test_to_rows_of_several_tables_are_refused_by_name_when_they_are_followed(self, remarks: Any) -> None:
        rows = materialize_and_detach_list(remarks)
        assert len({row.object_id for row in rows}) >= 1
        with pytest.raises(
            LXNotLoadedError,
            match=r"Remark\.about leads to rows of planning\.Machine and planning\.Product, .* to one table\. Detach",
        ):
            _ = rows[0].about
        with pytest.raises(LXNotLoadedError, match="leads to rows of"):
            _ = copy.deepcopy(rows)[1].about

    def test_that_were_not_loaded_raise(self, shop: Any, remarks: Any) -> None:
        rows = materialize_and_detach_list(shop.Remark.objects.all())
        with pytest.raises(LXNotLoadedError, match=r"Remark\.about was not loaded.*prefetch_related\('about'\)"):
            _ = rows[0].about


class TestPropertiesThatAreDeclared:
    @pytest.fixture
    def shops(self, shop: Any) -> list[Any]:
        main = shop.Shop.objects.create(name="Main", area=20.0, shelves=4)
        return [main, shop.Shop.objects.create(name="Side", area=9.0, shelves=2, owner=main)]

    def test_are_columns(self, shop: Any, shops: list[Any], django_assert_num_queries: Any) -> None:
        for source in (shop.Shop.objects.order_by("id"), shops, shop.Corner.objects.order_by("id")):
            with django_assert_num_queries(0 if isinstance(source, list) else 1):
                rows = materialize_and_detach_list(source)
            assert rows.column("area_per_shelf").values.tolist() == [5.0, 4.5]
            assert rows[0].area_per_shelf == 5.0

    def test_that_read_a_relation_need_it_loaded(self, shop: Any, shops: list[Any]) -> None:
        rows = materialize_and_detach_list(shop.Shop.objects.filter(name="Side"))
        with pytest.raises(
            LXNotLoadedError, match=r"Shop\.address is a property that is copied where .*Shop\.owner was not loaded"
        ):
            _ = rows[0].address
        rows = materialize_and_detach_list(shop.Shop.objects.select_related("owner").order_by("id"))
        assert [row.address for row in rows] == ["Main", "Side of Main"]
        memo: dict[Any, Any] = {}
        rows = materialize_and_detach_list(shop.Shop.objects.filter(name="Side"), memo)
        materialize_and_detach_list(shop.Shop.objects.exclude(name="Side"), memo)
        assert rows[0].address == "Side of Main"

    def test_keep_their_value_when_a_field_is_written_and_are_written_themselves(
        self, shop: Any, shops: list[Any]
    ) -> None:
        rows = materialize_and_detach_list(shop.Shop.objects.order_by("id"))
        rows[0].area = 100.0
        assert rows[0].area_per_shelf == 5.0
        rows[0].area_per_shelf = 25.0
        assert rows.column("area_per_shelf").values.tolist() == [25.0, 4.5]

    def test_travel_with_a_copy(self, shop: Any, shops: list[Any]) -> None:
        use = LXVariable[Any, float]("use").bounds(upper=1).from_model(shop.Shop.objects.order_by("id"))
        model = LXModel("m").add_variable(use).maximize(LXLinearExpression().add_term(use, lambda s: s.area_per_shelf))
        made = load_model(dump_model(model))
        rows: Any = made.get_variable("use").rows
        rows[0].area_per_shelf = 50.0
        assert LXOptimizer().solve(made).objective_value == pytest.approx(54.5)

    def test_of_deferred_fields_are_not_loaded(self, shop: Any, shops: list[Any]) -> None:
        rows = materialize_and_detach_list(shop.Shop.objects.only("name"))
        with pytest.raises(LXNotLoadedError, match=r"area_per_shelf is a property .*Shop\.area was not loaded"):
            _ = rows[0].area_per_shelf

    @pytest.mark.parametrize(
        ("declared", "message"),
        [
            ("area_per_shelf", r"detached_properties is a text\. Give a tuple"),
            (("area_per_shlf",), "names 'area_per_shlf', which is no property of Shop"),
            (("delete",), "names 'delete', which is no property of Shop"),
            (("count",), r"Shop\.count › .* is a queryset or manager \(Manager\): a property that is copied can't"),
            (("itself",), r"The property planning\.Shop\.itself gives records"),
        ],
    )
    def test_that_can_not_be_copied_are_refused(
        self, shop: Any, shops: list[Any], monkeypatch: Any, declared: Any, message: str
    ) -> None:
        model = shop.Shop
        monkeypatch.setattr(model, "count", property(lambda row: model.objects.count()), raising=False)
        monkeypatch.setattr(model, "itself", property(lambda row: row), raising=False)
        monkeypatch.setattr(model, "detached_properties", declared)
        with pytest.raises(Exception, match=message):
            materialize_and_detach_list(model.objects.all())

    def test_that_fail_say_for_which_row(self, shop: Any, shops: list[Any]) -> None:
        shop.Shop.objects.filter(name="Side").update(shelves=0)
        with pytest.raises(ZeroDivisionError) as caught:
            materialize_and_detach_list(shop.Shop.objects.all())
        assert "area_per_shelf of <planning.Shop Side>" in "".join(caught.value.__notes__)

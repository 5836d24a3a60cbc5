"""The one writer of rows: what it stores is what bulk_create stores, on SQLite and PostgreSQL, or nothing."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.db import DatabaseError, IntegrityError, connections, models, transaction
from django.db.backends.dummy.base import DatabaseWrapper as UnknownDatabase
from django.db.models.signals import post_init, post_save, pre_init, pre_save
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from planning.models import RESULT_TABLES
from planning.runs.database_block import DatabaseBlocked, database_blocked
from planning.runs.write_rows import RowsRefused, needs_instances, write_rows
from tests.private_postgresql import PostgreSQL
from tests.runs.sample_tables import Bytes, Child, Listed, Noted, Owner, Sample, Stamped, sample_tables

UTC_MOMENT = dt.datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=dt.UTC)
VALUES: dict[str, list[Any]] = {
    "text": ["", "Stühle, groß", "O'Neill \"x\"", "tab\t", "line\r\nbreak", "\\N", "\\", "\\.", "%s %%", "椅子🪑"],
    "long": ["x" * 1_000_000, "\\t\\n\t\n" * 1000],
    "number": [None, 0.0, -0.0, 0.1, 1 / 3, 1e308, -1.7976931348623157e308, 5e-324, 1e15 + 0.3],
    "number, as another type": [7, True, Decimal("2.5"), "3.5", np.float64(0.2), np.float64(-0.0), None],
    "whole": [0, -2147483648, 2147483647, "12", 3.0, True],
    "small": [-32768, 32767],
    "positive": [0, 2147483647],
    "big": [2**63 - 1, -(2**63), 2**53 + 1],
    "flag": [None, True, False, 1, 0, "t"],
    "amount, of many digits": [Decimal("12345678901234567.891")],
    "amount": [None, Decimal("123456789012.345"), Decimal("-0.001"), 1.5, "2.25", 3],
    "day": [None, dt.date(1, 1, 1), dt.date(9999, 12, 31), "2026-02-28"],
    "time": [None, dt.time(23, 59, 59, 999999)],
    "moment": [None, UTC_MOMENT, UTC_MOMENT.astimezone(dt.timezone(dt.timedelta(hours=-7))), "2026-01-01T00:00:00Z"],
    "span": [None, dt.timedelta(days=-1, microseconds=1), dt.timedelta(days=4000)],
    "data": [None, {}, [1, 2.5, None, "a\tb\\"], "text", {"ü": {"'": '"'}}],
    "mark": [None, UUID(int=1), "12345678123456781234567812345678"],
    "address": [None, "127.0.0.1", "::ffff:10.0.0.1", "2001:db8::1"],
    "given": ["by the writer", models.TextChoices("Colour", "RED").RED],
}  # fmt: skip


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL, django_db_blocker: Any) -> Iterator[None]:
    """Two databases with the sample tables, in which everything is committed."""
    name = f"rows_{os.getpid()}"
    file = tmp_path_factory.mktemp("rows") / "rows.sqlite3"
    with django_db_blocker.unblock():
        with sample_tables(sqlite=f"sqlite:///{file}", postgresql=postgresql.create(name)):
            yield
        postgresql.drop(name)


def emptied(alias: str) -> str:
    """Return a database in which there are two owners and nothing else."""
    for model in (Sample, Listed, Noted, Stamped, Bytes, Child, Owner):
        model._base_manager.using(alias).all().delete()
    Owner.objects.using(alias).bulk_create([Owner(name="Ann"), Owner(name="Bob")])
    return alias


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, stores: None, django_db_blocker: Any) -> Iterator[str]:
    """Return the alias of an empty database."""
    with django_db_blocker.unblock():
        yield emptied(request.param)


def columns(count: int, **more: Any) -> dict[str, Any]:
    """Return the least columns of so many rows, and more of them."""
    plain = {"owner_id": ["Ann"] * count, "text": [f"Row {i}" for i in range(count)], "number": np.arange(count) / 8}
    return plain | more


def stored(store: str, model: type[models.Model] = Sample) -> list[tuple[Any, ...]]:
    """Return what the driver says that a table holds, without the ids, in their order."""
    connection = connections[store]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {connection.ops.quote_name(model._meta.db_table)} ORDER BY id")
        return [row[1:] for row in cursor.fetchall()]


class TestStored:
    @pytest.mark.parametrize("name", VALUES)
    def test_every_value_is_stored_as_bulk_create_stores_it(self, store: str, name: str) -> None:
        values = VALUES[name]
        given = columns(len(values)) | {name.partition(",")[0]: values}
        rows = [dict(zip(given, row, strict=True)) for row in zip(*given.values(), strict=True)]
        Sample.objects.using(store).bulk_create([Sample(**row) for row in rows])
        expected = stored(store)
        Sample.objects.using(store).all().delete()
        with CaptureQueriesContext(connections[store]) as queries:
            write_rows(Sample, given, using=store)
        assert [repr(row) for row in stored(store)] == [repr(row) for row in expected]
        wrote = [query["sql"] for query in queries if '"Odd table"' in query["sql"]]
        assert len(wrote) == 1
        assert wrote[0].startswith("COPY" if store == "postgresql" else "INSERT"), wrote

    def test_both_databases_give_the_same_rows_back(self, stores: None, django_db_blocker: Any) -> None:
        names = [field.attname for field in Sample._meta.concrete_fields if field.attname != "id"]
        count = max(map(len, VALUES.values()))
        given = columns(count) | {name: (v * count)[:count] for name, v in VALUES.items() if name in names}
        read: list[list[Any]] = []
        with django_db_blocker.unblock():
            for alias in map(emptied, ("sqlite", "postgresql")):
                write_rows(Sample, given, using=alias)
                read.append(list(Sample.objects.using(alias).order_by("id").values_list(*names)))
        assert len(read[0]) == count
        assert read[0] == read[1]

    @pytest.mark.parametrize("count", [1, 26, 27, 28, 54, 1000])
    def test_ids_ascend_in_the_order_of_the_rows(self, store: str, count: int) -> None:
        write_rows(Sample, columns(count), using=store)
        rows = Sample.objects.using(store).order_by("id").values_list("text", "number")
        assert list(rows) == [(f"Row {i}", i / 8) for i in range(count)]

    def test_ids_are_the_databases(self, store: str) -> None:
        write_rows(Sample, columns(2), using=store)
        later = Sample.objects.using(store).create(owner_id="Bob", text="Later")
        write_rows(Sample, columns(1), using=store)
        first, second, _, fourth = Sample.objects.using(store).order_by("id").values_list("id", flat=True)
        assert first < second < later.pk < fourth

    def test_a_field_that_is_left_out_gets_its_default(self, store: str) -> None:
        write_rows(Sample, columns(1), using=store)
        row = Sample.objects.using(store).get()
        assert (row.whole, row.computed, row.data, row.flag, row.given) == (3, 1, {}, None, "by the database")

    @pytest.mark.parametrize("given", [{}, {"number": []}, {"number": np.zeros(0)}])
    def test_no_rows_are_no_statement(self, store: str, given: dict[str, Any]) -> None:
        with CaptureQueriesContext(connections[store]) as queries:
            write_rows(Sample, columns(0) | given, using=store)
        assert len(queries) == 0

    def test_result_tables_are_written_without_instances(self, store: str) -> None:
        assert [table for table in RESULT_TABLES if needs_instances(table, connections[store])] == []


class TestBulkCreate:
    """Where somebody wants to see the instances, they are made."""

    @pytest.mark.parametrize("signal", [pre_init, post_init, pre_save, post_save])
    def test_a_model_with_listeners(self, store: str, signal: Any) -> None:
        seen: list[Any] = []

        def listen(**told: Any) -> None:
            seen.append(told["signal"])

        assert not needs_instances(Sample, connections[store])
        signal.connect(listen, sender=Sample)
        try:
            write_rows(Sample, columns(3), using=store)
            assert needs_instances(Sample, connections[store])
        finally:
            signal.disconnect(listen, sender=Sample)
        assert [row[1] for row in stored(store)] == ["Row 0", "Row 1", "Row 2"]
        assert len(seen) == (3 if signal in (pre_init, post_init) else 0)  # bulk_create sends no others

    @pytest.mark.parametrize(("model", "addition"), [(Listed, "listed"), (Noted, "noted")])
    def test_a_bulk_create_of_its_own(self, store: str, model: type[models.Model], addition: str) -> None:
        write_rows(model, {"text": ["a", "b"]}, using=store)
        assert stored(store, model) == [(f"a, {addition}",), (f"b, {addition}",)]

    def test_a_field_that_fills_itself(self, store: str) -> None:
        before = dt.datetime.now(dt.UTC)
        write_rows(Stamped, {"text": ["a"]}, using=store)
        assert before <= Stamped.objects.using(store).get().changed_at <= dt.datetime.now(dt.UTC)

    def test_a_field_that_makes_its_own_sql(self, store: str) -> None:
        write_rows(Bytes, {"content": [b"\0\\x", b""]}, using=store)
        assert [bytes(row.content) for row in Bytes.objects.using(store).order_by("id")] == [b"\0\\x", b""]

    def test_a_child_of_another_table_is_refused_as_bulk_create_refuses_it(self, store: str) -> None:
        with pytest.raises(ValueError, match="multi-table"):
            write_rows(Child, {"name": ["Cy"], "owner_ptr_id": ["Cy"], "more": [""]}, using=store)
        assert not Child.objects.using(store).exists()

    def test_any_other_database(self) -> None:
        assert needs_instances(Owner, UnknownDatabase({}, "elsewhere"))


class TestRefused:
    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), np.float64("nan"), "nan"])
    @pytest.mark.parametrize("make", [list, np.array], ids=["list", "array"])
    def test_a_number_that_is_none_is_named_with_its_row(self, store: str, value: Any, make: Any) -> None:
        if isinstance(value, str) and make is np.array:
            make = lambda values: np.array(values, dtype=object)  # noqa: E731
        with pytest.raises(RowsRefused, match=r"Sample row 3 \(Ann, Row 2\): number is -?(nan|inf).*finite"):
            write_rows(Sample, columns(4, number=make([0.0, 1.0, value, 2.0])), using=store)
        assert stored(store) == []

    def test_it_is_refused_where_bulk_create_would_write_it_too(self, store: str) -> None:
        def listen(**told: Any) -> None:
            pass

        post_save.connect(listen, sender=Sample)
        try:
            with pytest.raises(RowsRefused, match="number is nan"):
                write_rows(Sample, columns(1, number=[float("nan")]), using=store)
        finally:
            post_save.disconnect(listen, sender=Sample)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"quantity": [1.0]}, "has no column quantity"),
            ({"id": [1]}, "has no column id"),
            ({"computed": [1]}, "has no column computed"),
            ({"owner": ["Ann"]}, "has no column owner"),
            ({"text": ["a", "b"]}, "differ in length"),
        ],
    )
    def test_columns_that_make_no_rows(self, store: str, change: dict[str, Any], words: str) -> None:
        with pytest.raises(RowsRefused, match=words):
            write_rows(Sample, columns(1, **change), using=store)

    def test_a_column_without_a_default_has_to_be_given(self, store: str) -> None:
        with pytest.raises(RowsRefused, match="Sample needs the column text"):
            write_rows(Sample, {"owner_id": ["Ann"], "number": [1.0]}, using=store)


class TestAllOrNothing:
    @pytest.mark.parametrize(
        "change",
        [
            {"text": None},
            {"owner_id": None},
            {"owner_id": "Nobody"},
            {"positive": -1},
            {"whole": "many"},
            {"number": object()},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_one_bad_value_in_the_last_row(self, store: str, change: dict[str, Any]) -> None:
        given = columns(200)
        for name, value in change.items():
            good = given.get(name, [1] * 200)
            given[name] = [*list(good)[:-1], value]
        with pytest.raises((DatabaseError, TypeError, ValueError)):
            write_rows(Sample, given, using=store)
        assert stored(store) == []
        write_rows(Sample, columns(1), using=store)

    def test_what_was_written_before_in_the_transaction_goes_too(self, store: str) -> None:
        with pytest.raises(IntegrityError), transaction.atomic(using=store):  # noqa: PT012
            write_rows(Sample, columns(2), using=store)
            write_rows(Sample, columns(2, text=["a", None]), using=store)
        assert stored(store) == []

    def test_an_error_that_somebody_swallows_still_undoes_all(self, store: str) -> None:
        with transaction.atomic(using=store):
            write_rows(Sample, columns(2), using=store)
            with pytest.raises(IntegrityError):
                write_rows(Sample, columns(2, text=["a", None]), using=store)
            with pytest.raises(TransactionManagementError):
                write_rows(Sample, columns(2), using=store)
        assert stored(store) == []

    def test_it_belongs_to_the_transaction_around_it(self, store: str) -> None:
        with transaction.atomic(using=store):
            write_rows(Sample, columns(2), using=store)
            assert len(stored(store)) == 2
            transaction.set_rollback(True, using=store)
        assert stored(store) == []


class TestSeen:
    def test_the_number_of_statements_does_not_grow_with_the_rows(self, store: str) -> None:
        counted = []
        for count in (100, 1000):
            with CaptureQueriesContext(connections[store]) as queries:
                write_rows(Sample, columns(count), using=store)
            counted.append(len(queries))
        assert counted[0] == counted[1] <= 4  # BEGIN and COMMIT among them

    @pytest.mark.parametrize("count", [1, 1000])
    def test_a_wrapper_of_the_connection_sees_it_and_can_refuse(self, store: str, count: int) -> None:
        seen: list[str] = []

        def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            seen.append(sql.split(maxsplit=1)[0])
            return execute(sql, params, many, context)

        def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            raise PermissionError(f"{context['connection'].alias}: not now")

        connection = connections[store]
        with transaction.atomic(using=store), connection.execute_wrapper(watch):
            write_rows(Sample, columns(count), using=store)
        assert set(seen) == {"COPY" if store == "postgresql" else "INSERT"}
        with pytest.raises(PermissionError, match=store), transaction.atomic(using=store):  # noqa: SIM117
            with connection.execute_wrapper(refuse):
                write_rows(Sample, columns(count), using=store)
        assert len(stored(store)) == count

    def test_it_is_refused_while_the_database_is_blocked(self, store: str) -> None:
        with database_blocked(), pytest.raises(DatabaseBlocked):
            write_rows(Sample, columns(1), using=store)
        assert stored(store) == []

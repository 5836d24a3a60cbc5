"""Functions that hold rows of a database: wherever the row lies, the copy holds its record, and nothing live."""

from __future__ import annotations

import functools
import io
import sqlite3
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from planning.lx import (
    LXDetachError,
    LXNotLoadedError,
    LXRecord,
    copy_function_detaching_closure,
    detach_orm_object,
)
from planning.models import Machine, Product
from tests.factories import make_furniture

pytestmark = pytest.mark.django_db

global_machine: Any = None
factor = 2.0


@dataclass
class Pair:
    product: Any
    machine: Any


@dataclass(frozen=True, slots=True)
class FrozenPair:
    product: Any
    machine: Any


Named = namedtuple("Named", "product machine")


class Hours:
    def __init__(self, machine: Any) -> None:
        self.machine = machine

    def __call__(self, row: Any) -> float:
        return float(self.machine.available_hours)

    def method(self, row: Any) -> float:
        return float(self.machine.available_hours)


class ReadsGlobal:
    def __call__(self, row: Any) -> float:
        return float(global_machine.available_hours)


class Settings:
    machine: Any = None


def reads_global(row: Any) -> float:
    return float(global_machine.available_hours) * factor


def calls_reads_global(row: Any) -> float:
    return reads_global(row)


def reads_class(row: Any) -> float:
    return float(Settings.machine.available_hours)


def asks_the_database(row: Any) -> float:
    return float(Machine.objects.get(name="Cutting Machine").available_hours)


def counts_down(row: Any, machine: Any, left: int) -> float:
    return float(machine.available_hours) if not left else counts_down(row, machine, left - 1)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    make_furniture()
    machine = Machine.objects.get(name="Cutting Machine")
    monkeypatch.setattr(f"{__name__}.global_machine", machine)
    monkeypatch.setattr(Settings, "machine", machine)
    return machine


def recursive(machine: Any) -> Callable[[Any], float]:
    def again(row: Any, left: int = 3) -> float:
        return float(machine.available_hours) if not left else again(row, left - 1)

    return again


def nested(machine: Any) -> Callable[[Any], float]:
    def inner() -> float:
        return float(machine.available_hours)

    def outer(row: Any) -> float:
        return inner()

    return outer


def keyword_only(machine: Any) -> Callable[..., float]:
    def function(row: Any, *, m: Any = machine) -> float:
        return float(m.available_hours)

    return function


def with_attribute(machine: Any) -> Callable[[Any], float]:
    def function(row: Any) -> float:
        return float(function.machine.available_hours)  # type: ignore[attr-defined]

    function.machine = machine  # type: ignore[attr-defined]
    return function


def circle(machine: Any) -> Callable[[Any], float]:
    ring: list[Any] = [machine]
    ring.append(ring)
    return lambda row: float(ring[1][1][0].available_hours)


def holding(held: Any, read: Callable[[Any], float]) -> Callable[[Any], float]:
    return lambda row: read(held)


HOLDERS: dict[str, Callable[[Any], Callable[[Any], float]]] = {
    "closure": lambda m: lambda row: m.available_hours,
    "default": lambda m: lambda row, m=m: m.available_hours,
    "keyword default": keyword_only,
    "partial": lambda m: functools.partial(lambda m, row: m.available_hours, m),
    "partial keyword": lambda m: functools.partial(lambda row, m: m.available_hours, m=m),
    "list": lambda m: lambda row, held=[m]: held[0].available_hours,
    "nested list": lambda m: lambda row, held=[[1, [m]]]: held[0][1][0].available_hours,
    "tuple": lambda m: lambda row, held=(1, m): held[1].available_hours,
    "dict": lambda m: lambda row, held={"m": m}: held["m"].available_hours,
    "set": lambda m: lambda row, held=frozenset({m}): next(iter(held)).available_hours,
    "bound get of a dict": lambda m: lambda row, get={"m": m}.get: get("m").available_hours,
    "key of a dict": lambda m: lambda row, held={m: 80.0}: held[next(iter(held))],
    "dataclass": lambda m: holding(Pair(1, m), lambda held: held.machine.available_hours),
    "frozen dataclass": lambda m: holding(FrozenPair(1, m), lambda held: held.machine.available_hours),
    "named tuple": lambda m: holding(Named(1, m), lambda held: held.machine.available_hours),
    "namespace": lambda m: holding(SimpleNamespace(m=m), lambda held: held.m.available_hours),
    "nested function": nested,
    "recursive function": recursive,
    "bound method": lambda m: Hours(m).method,
    "callable object": Hours,
    "attribute of the function": with_attribute,
    "circle": circle,
    "global": lambda m: lambda row: global_machine.available_hours,
    "global of a function that is called": lambda m: lambda row: calls_reads_global(row) / factor,
    "cache": lambda m: functools.lru_cache(lambda row: m.available_hours),
    "recursive global": lambda m: lambda row: counts_down(row, m, 3),
}


class TestRowsAreDetached:
    @pytest.mark.parametrize("where", HOLDERS)
    def test_wherever_they_lie(self, machine: Machine, where: str, django_assert_num_queries: Any) -> None:
        function = HOLDERS[where](machine)
        assert function(None) == 80.0
        memo: dict[Any, Any] = {}
        record = detach_orm_object(machine, memo)
        with django_assert_num_queries(0):
            copied = copy_function_detaching_closure(function, memo)
            assert copied is not function
            machine.available_hours = 1.0
            if where != "key of a dict":
                record.available_hours = 81.0
                assert copied(None) == 81.0
            else:
                assert copied(None) == 80.0

    def test_in_functions_that_share_a_memo_they_are_one_record(self, machine: Machine) -> None:
        memo: dict[Any, Any] = {}
        again = Machine.objects.get(pk=machine.pk)
        one = copy_function_detaching_closure(lambda row, m=machine: m, memo)
        other = copy_function_detaching_closure(lambda row, held=[again]: held[0], memo)
        assert type(one(None)) is LXRecord
        assert one(None) is other(None)

    def test_and_the_original_keeps_its_own(self, machine: Machine) -> None:
        def function(row: Any, m: Any = machine) -> float:
            """Return the hours."""
            return float(m.available_hours)

        copied = copy_function_detaching_closure(function, {})
        assert function.__defaults__ == (machine,)
        assert type(function.__defaults__[0]) is Machine
        assert (copied.__name__, copied.__doc__, copied.__module__) == ("function", "Return the hours.", __name__)
        copied.__defaults__[0].available_hours = 1.0
        assert machine.available_hours == 80.0

    def test_globals_of_the_module_stay_as_they_are(self, machine: Machine) -> None:
        copied = copy_function_detaching_closure(reads_global, {})
        assert copied.__globals__ is not globals()
        assert global_machine is machine
        assert type(copied.__globals__["global_machine"]) is LXRecord

    def test_a_relation_that_was_not_loaded_raises_in_the_copy(self, machine: Machine) -> None:
        machine = Machine.objects.get(pk=machine.pk)
        copied = copy_function_detaching_closure(lambda row: machine.plant.name, {})
        with connection.execute_wrapper(lambda *args: pytest.fail("a query")), pytest.raises(LXNotLoadedError):
            copied(None)

    def test_a_row_that_its_record_contradicts_is_refused(self, machine: Machine) -> None:
        memo: dict[Any, Any] = {}
        detach_orm_object(machine, memo).available_hours = 5.0
        with pytest.raises(LXDetachError, match=r"closure 'machine' is a live row whose available_hours is 80\.0"):
            copy_function_detaching_closure(lambda row: machine.available_hours, memo)


class TestFunctionsThatHoldNoRows:
    def test_are_returned_as_they_are(self) -> None:
        hours, out = {1: 2.0}, io.StringIO()
        held = [
            lambda p: p.id,
            lambda p, f=3.0: p.id * f * factor,
            lambda p: hours.get(p.id, 0.0),
            lambda p: out.getvalue(),
            functools.partial(max, 3),
            hours.get,
            len,
            Hours(None),
            recursive(SimpleNamespace(available_hours=1.0)),
            print,
            Path,
        ]
        for function in held:
            assert copy_function_detaching_closure(function, {}) is function

    def test_read_late_what_changes_later(self) -> None:
        value = 1.0
        copied = copy_function_detaching_closure(lambda row: value, {})
        value = 2.0
        assert copied(None) == 2.0


class TestWhatCannotBeDetached:
    def test_a_queryset_is_refused_with_the_way_to_it(self, machine: Machine) -> None:
        m = {3: [Machine.objects.all()]}
        with pytest.raises(LXDetachError, match=r"closure 'm' › \[3\] › \[0\] is a queryset or manager \(QuerySet\)"):
            copy_function_detaching_closure(lambda row: m, {})

    def test_what_is_open_is_refused(self, machine: Machine, tmp_path: Path) -> None:
        engine, database = create_engine("sqlite://"), sqlite3.connect(":memory:")
        with (tmp_path / "f").open("w") as file, Session(engine) as session, connection.cursor() as cursor:
            things = {
                "queryset": Product.objects.filter(name="Chair"),
                "manager": Product.objects,
                "related manager": machine.plant.products if hasattr(machine.plant, "products") else Product.objects,
                "raw queryset": Product.objects.raw("SELECT 1"),
                "session": session,
                "method of a session": session.query,
                "query": session.query,
                "engine": engine,
                "file": file,
                "connection": connection,
                "cursor": cursor,
                "plain connection": database,
                "plain cursor": database.cursor(),
                "generator": (i for i in range(3)),
            }
            for name, thing in things.items():
                holders = (lambda row, t=thing: t, functools.partial(print, thing), lambda row, t=({1: thing},): t)
                for function in holders:
                    with pytest.raises(LXDetachError, match=r"default 't'|argument 0"):
                        assert copy_function_detaching_closure(function, {}), name
        engine.dispose()
        database.close()

    def test_a_function_that_asks_the_database_is_refused(self, machine: Machine) -> None:
        with pytest.raises(LXDetachError, match=r"global 'Machine' › \.objects is a queryset or manager"):
            copy_function_detaching_closure(asks_the_database, {})

    def test_a_row_in_a_class_is_refused(self, machine: Machine) -> None:
        with pytest.raises(LXDetachError, match=r"global 'Settings' › \.machine holds a row"):
            copy_function_detaching_closure(reads_class, {})
        with pytest.raises(LXDetachError, match=r"__call__ .*class or module"):
            copy_function_detaching_closure(ReadsGlobal(), {})

    def test_a_row_that_was_never_saved_is_refused(self, machine: Machine) -> None:
        unsaved = Machine(name="x")
        with pytest.raises(Exception, match="no primary key"):
            copy_function_detaching_closure(lambda row: unsaved, {})

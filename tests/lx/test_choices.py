"""A function that chooses is called on whole columns only where that provably gives what a loop over the rows gives."""

from __future__ import annotations

import datetime
import math
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.lx import MISSING, LXColumn, LXLink, LXModelError, LXNotLoadedError, LXRows, LXTable
from planning.lx.evaluate import are_distinct, keys, mask, numbers, rows_reached
from planning.lx.traced import Unproven, trace
from tests.lx.small_models import furniture

RATE, LIMIT, FLAG, KIND, NOTHING = 1.25, 3, True, "a", None
MUTABLE = [1.0]
products, machines, recipes = furniture()
SAW = machines.rows[0]
DAY = datetime.date(2026, 1, 5)


def plant() -> LXTable:
    """Return steps: with blanks, with a relation that leads nowhere, and with values of every type."""
    machine = LXTable("Machine", {"name": ["Saw", "Lathe"], "hours": [4.0, None], "is_worn": [True, False]})
    return LXTable(
        "Step",
        {
            "hours": [1.0, 0.0, -2.5, 8.0],
            "least": [None, 2.0, None, 3.0],
            "count": [0, 3, 7, -1],
            "is_new": [True, False, False, True],
            "kind": ["a", "b", "", "a"],
            "note": ["x", None, "", "z"],
            "due": [DAY, DAY + datetime.timedelta(7), DAY, DAY - datetime.timedelta(1)],
            "price": [Decimal("1.5"), Decimal("0"), Decimal("2"), Decimal("1.5")],
            "tags": [["a"], [], ["b"], ["a"]],
            "mixed": [1, "a", 2.0, True],
        },
        {
            "machine": LXLink(machine, np.array([0, 1, MISSING, 0])),
            "other": LXLink(machine, np.array([0, 0, 1, 1])),
        },
    )


def on_columns(function: Callable[..., Any], rows: Any, *, blanks: bool = True) -> bool:
    try:
        trace(function, rows, blanks=blanks)
    except Unproven:
        return False
    return True


# --- what is proven -------------------------------------------------------------------------


def _with_a_local(r: Any) -> float:
    hours = r.hours
    if r.is_new:
        hours *= RATE
        hours += 1
    return hours  # type: ignore[no-any-return]


def _early_return(r: Any) -> float | None:
    if r.hours > 5 or not r.count:
        return 1.0
    if r.least is None:
        return None
    return r.least / r.count  # type: ignore[no-any-return]


def _two_at_once(r: Any) -> Any:
    one, two = r.hours, r.count
    return one + two


PROVEN: list[Callable[[Any], Any]] = [
    lambda r: r.hours * RATE if r.is_new else r.hours,
    lambda r: r.hours if r.hours > r.count else r.count * 2,
    lambda r: 1.0 / r.hours if r.hours else 0.0,
    lambda r: r.count / r.hours if r.hours != 0 else -r.hours,
    lambda r: r.least if r.least is not None else 5.0,
    lambda r: 5 if r.least is None else r.least,
    lambda r: r.least or r.hours,
    lambda r: r.count and 2.0,
    lambda r: 1.0 if 0 < r.hours <= LIMIT else 2.0,
    lambda r: 1.0 if r.is_new and not (r.hours > 2 or r.count == 7) else 2.0,
    lambda r: 1.0 if r.kind == "a" else 2.0,
    lambda r: 1.0 if r.kind != KIND else 2.0,
    lambda r: 1.0 if r.kind < "b" else 2.0,
    lambda r: 1.0 if r.kind else 2.0,
    lambda r: 1.0 if r.note == "x" else 2.0,
    lambda r: 1.0 if r.kind == r.note else 2.0,
    lambda r: 1.0 if r.due <= DAY_HELD.due else 2.0,
    lambda r: 1.0 if r.price else 2.0,
    lambda r: r.machine.hours or 1.0 if r.machine else 7.0,
    lambda r: 1.0 if r.machine == None else 2.0,  # noqa: E711
    lambda r: 1.0 if r.machine == DAY_HELD else 2.0,
    lambda r: 1.0 if r.machine is None else 2.0,
    lambda r: 1.0 if r.other == r.machine else 2.0,
    lambda r: 1.0 if r.machine != HELD_MACHINE else 2.0,
    lambda r: 1.0 if HELD_MACHINE == r.other else 2.0,  # noqa: SIM300
    lambda r: 1.0 if HELD_MACHINE == r.machine else 2.0,  # noqa: SIM300
    lambda r: 1.0 if HELD_MACHINE == HELD_MACHINE else 2.0,  # noqa: PLR0124
    lambda r: r.hours if FLAG else r.count,
    lambda r: r.hours * HELD_MACHINE.hours if HELD_MACHINE.name == "Saw" else 0.0,
    lambda r: None,
    lambda r: 2**60 + 1 if r.is_new else 0.5,
    _with_a_local,
    _early_return,
    _two_at_once,
]
STEPS = plant()
DAY_HELD = STEPS.record(0)
machine_table = STEPS.links["machine"].target
assert machine_table is not None
HELD_MACHINE = machine_table.record(0)


@pytest.mark.parametrize("number", range(len(PROVEN)))
def test_a_proven_choice_is_made_on_columns_and_gives_what_a_loop_gives(number: int) -> None:
    function = PROVEN[number]
    expected = [function(row) for row in STEPS.rows]
    assert on_columns(function, STEPS.rows)
    found = numbers(function, STEPS.rows, what="n", blank=math.inf).tolist()
    assert found == [math.inf if value is None else float(value) for value in expected]


CONDITIONS: list[Callable[[Any], Any]] = [
    lambda r: r.hours > 0,
    lambda r: r.is_new,
    lambda r: not r.is_new,
    lambda r: r.least is None,
    lambda r: r.least is not None and r.least > 2,
    lambda r: r.kind == "a" and r.count <= 0,
    lambda r: r.machine == HELD_MACHINE,
    lambda r: True,
]


@pytest.mark.parametrize("number", range(len(CONDITIONS)))
def test_a_proven_condition_is_asked_on_columns(number: int) -> None:
    function = CONDITIONS[number]
    assert on_columns(function, STEPS.rows)
    assert mask(function, STEPS.rows, what="m").tolist() == [function(row) for row in STEPS.rows]


def test_a_condition_that_is_no_truth_for_some_row_is_refused() -> None:
    with pytest.raises(LXModelError, match=r"The condition gives None for <Step 0>"):
        mask(lambda r: r.least and r.least > 2, STEPS.rows, what="The condition")


KEYS: list[Callable[[Any], Any]] = [
    lambda r: (r.kind, r.machine),
    lambda r: r.kind if r.is_new else r.count,
    lambda r: (r.kind or "none", 1, None, True),
    lambda r: r.machine or r.other,
    lambda r: r.machine if r.is_new else HELD_MACHINE,
    lambda r: (r.is_new, r.is_new and r.hours),
    lambda r: r.hours > 1,
]


@pytest.mark.parametrize("number", range(len(KEYS)))
def test_a_key_that_is_chosen_is_the_same(number: int) -> None:
    function = KEYS[number]
    expected = [function(row) for row in STEPS.rows]
    assert on_columns(function, STEPS.rows, blanks=False)
    found = keys(function, STEPS.rows)
    assert repr(found) == repr(expected)
    assert found == expected
    if are_distinct(function, STEPS.rows):
        assert len(set(expected)) == len(expected)


def test_rows_that_are_chosen_are_reached() -> None:
    reached = rows_reached(lambda r: r.machine or r.other, STEPS.rows)
    assert reached is not None
    assert reached.positions.tolist() == [0, 1, 1, 0]
    reached = rows_reached(lambda r: r.machine if r.is_new else None, STEPS.rows)
    assert reached is not None
    assert reached.positions.tolist() == [0, MISSING, MISSING, 0]
    assert rows_reached(lambda r: r.machine if r.is_new else r, STEPS.rows) is None
    assert rows_reached(lambda r: r.machine if r.is_new else 1, STEPS.rows) is None


# --- what is not ----------------------------------------------------------------------------


class Clock:
    """Gives another number each time it is asked."""

    def __init__(self) -> None:
        self.ticks = 0

    @property
    def now(self) -> float:
        self.ticks += 1
        return float(self.ticks)


clock = Clock()
watch = LXTable("Watch", {"clock": [clock]}).record(0)


def _loop(r: Any) -> Any:
    total = 0.0
    while total < r.hours:
        total += 1
    return total


def _caught(r: Any) -> Any:
    try:
        return 1.0 / r.hours
    except ZeroDivisionError:
        return 0.0


def _walrus_global(r: Any) -> Any:
    global seen  # noqa: PLW0603
    seen = r.hours
    return 1.0


def _changed_list(r: Any) -> Any:
    held = MUTABLE
    held += [r.hours]
    return 1.0


seen = 0.0
NEVER: list[Callable[..., Any]] = [
    lambda r: 1.0 if r is DAY_HELD else 2.0,
    lambda r: 1.0 if r.machine is r.other else 2.0,
    lambda r: 1.0 if r.machine is not HELD_MACHINE else 2.0,
    lambda r: 1.0 if r.machine is (r.other if r.is_new else None) else 2.0,
    lambda r: 1.0 if type(r.hours) is float else 2.0,
    lambda r: 1.0 if isinstance(r.hours, float) else 2.0,
    lambda r: clock.now if r.is_new else 1.0,
    lambda r: watch.clock.now if r.is_new else 1.0,
    lambda r: watch.clock.now + r.hours,
    lambda r: max(r.hours, 1.0),
    lambda r: math.sqrt(4.0) if r.is_new else 2.0,
    lambda r: MUTABLE[0] if r.is_new else 2.0,
    lambda r: 1.0 if MUTABLE else 2.0,
    lambda r: 1.0 if r.kind in ("a", "b") else 2.0,
    lambda r: 1.0 if "a" in r.kind else 2.0,
    lambda r: 1.0 if r.tags else 2.0,
    lambda r: 1.0 if r.tags == ["a"] else 2.0,
    lambda r: 1.0 if r.mixed == 1 and r.tags else 2.0,
    lambda r: 1.0 if (r.hours, r.count) == (1.0, 0) else 2.0,
    lambda r: 1.0 if (r.hours,) == (r.hours,) else 2.0,
    lambda r: r.hours if r.is_new == 1 else 2.0,
    lambda r: r.is_new * 2.0 if r.hours else 1.0,
    lambda r: 1.0 if r.hours == r.kind else 2.0,
    lambda r: 1.0 if r.hours == "a" else 2.0,
    lambda r: 1.0 if r.hours == HELD_MACHINE else 2.0,
    lambda r: r.hours**2 if r.is_new else 1.0,
    lambda r: r.hours // 2 if r.is_new else 1.0,
    lambda r: f"{r.hours}" and 1.0,
    lambda r, *rest: 1.0 if rest else r.hours,
    lambda r, *, flag=True: 1.0 if flag else r.hours,
    lambda r: sum(1.0 for _ in (1, 2)) if r.is_new else 1.0,
    _loop,
    _caught,
    _walrus_global,
    _changed_list,
]


@pytest.mark.parametrize("number", range(len(NEVER)))
def test_what_is_not_proven_is_never_called_on_columns(number: int) -> None:
    function = NEVER[number]
    assert not on_columns(function, STEPS.rows)
    assert not on_columns(function, STEPS.rows, blanks=False)


@pytest.mark.parametrize("number", [place for place, f in enumerate(NEVER) if f.__code__.co_names[:1] != ("clock",)])
def test_what_is_not_proven_gives_what_a_loop_gives(number: int) -> None:
    function = NEVER[number]
    clock.ticks = 0
    expected = [float(function(row)) for row in STEPS.rows]
    clock.ticks = 0
    assert numbers(function, STEPS.rows, what="n").tolist() == expected


def test_a_choice_that_not_every_row_can_make_names_its_row() -> None:
    with pytest.raises(LXModelError, match="The n fails for <Step 0>: '<' not supported"):
        numbers(lambda r: 1.0 if r.least < 3 else 2.0, STEPS.rows, what="The n")
    with pytest.raises(LXModelError, match="The n fails for <Step 1>: float division by zero"):
        numbers(lambda r: 1.0 / r.hours if r.count else 2.0, STEPS.rows, what="The n")
    with pytest.raises(LXModelError, match="The n gives None for <Step 0>"):
        numbers(lambda r: r.least if r.hours else 2.0, STEPS.rows, what="The n")


def test_a_field_that_was_not_loaded_for_a_row_is_never_taken_for_blank() -> None:
    steps = plant()
    steps.unloaded["least"] = {0}
    with pytest.raises(LXNotLoadedError, match=r"Step\.least"):
        numbers(lambda r: 1.0 if r.least is None else r.least, steps.rows, what="n")
    assert numbers(lambda r: 1.0 if r.is_new or r.least is None else 0.0, steps.rows, what="n").tolist() == [1, 0, 1, 1]


def test_a_none_that_no_mark_tells_is_seen() -> None:
    table = LXTable("Row", {"kind": LXColumn(np.array(["a", None], dtype=object))})
    assert numbers(lambda r: 1.0 if r.kind is None else 2.0, table.rows, what="n").tolist() == [2.0, 1.0]


def test_what_is_no_number_compares_as_it_does_in_python() -> None:
    table = LXTable("Row", {"f": [math.nan, -0.0, 1.0], "i": [0, 0, 2**53 - 1]})
    functions: list[Callable[[Any], Any]] = [
        lambda r: 1.0 if r.f == r.f else 2.0,
        lambda r: 1.0 if r.f == 0 else 2.0,
        lambda r: 1.0 if r.f else 2.0,
        lambda r: 1.0 if -r.i == r.f else 2.0,
        lambda r: 1.0 if not r.f < 0.5 else 2.0,
        lambda r: 1.0 if r.i < 9007199254740991.0 else 2.0,
    ]
    for function in functions:
        assert on_columns(function, table.rows)
        assert numbers(function, table.rows, what="n").tolist() == [function(row) for row in table.rows]


def test_numbers_beyond_the_floats_are_compared_row_by_row() -> None:
    table = LXTable("Row", {"i": [2**53, 2**53 + 1]})
    assert numbers(lambda r: 1.0 if r.i > 2**53 else 2.0, table.rows, what="n").tolist() == [2.0, 1.0]
    small = LXTable("Row", {"i": [1, 2]})
    assert numbers(lambda r: 1.0 if r.i < 2**53 + 1 else 2.0, small.rows, what="n").tolist() == [1.0, 1.0]


def test_many_choices_end_row_by_row() -> None:
    names = [f"f{number}" for number in range(8)]
    table = LXTable("Row", {name: [bool(row >> place & 1) for row in range(256)] for place, name in enumerate(names)})
    made: dict[str, Any] = {}
    exec(f"def function(r):\n    return {' + '.join(f'(2.0 if r.{name} else 1.0)' for name in names)}", made)  # noqa: S102
    function = made["function"]
    assert not on_columns(function, table.rows)
    assert numbers(function, table.rows, what="n").tolist() == [function(row) for row in table.rows]


# --- random functions -----------------------------------------------------------------------

FLOATS = st.sampled_from([0.0, -0.0, 1.5, -2.5, 1e300, 0.1])
ATOMS = st.sampled_from(
    ["r.f", "r.g", "r.i", "r.n", "r.other.f", "r.other.n", "r.maybe.f", "2", "0.5", "RATE", "m.f", "None"]
)
TESTS = st.sampled_from(
    ["r.b", "r.n is None", "r.maybe is not None", "r.maybe", "r.t == 'a'", "r.t < r.u", "r.u", "r.maybe == m", "m.n"]
)
COMPARISONS = ["<", "<=", ">", ">=", "==", "!="]
TREES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/"]), inner),
        st.builds("(-{})".format, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("({} if {} else {})".format, inner, TESTS, inner),
        st.builds(
            "({} if {} {} {} else {})".format, inner, inner, st.sampled_from(["<", "<=", "==", "!="]), inner, inner
        ),
        st.builds("({} if not ({} or {}) else {})".format, inner, TESTS, inner, inner),
    ),
    max_leaves=8,
)


@st.composite
def tables(draw: st.DrawFn) -> LXTable:
    size = draw(st.integers(1, 5))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=size, max_size=size))

    blank = st.one_of(st.none(), FLOATS)
    text = st.one_of(st.none(), st.sampled_from(["a", "b", ""]))
    integers = st.sampled_from([0, 1, -3, 2**52, 2**53 - 1, 2**53 + 1])
    other = LXTable("Other", {"f": column(FLOATS), "n": column(blank)})
    return LXTable(
        "Row",
        {
            "f": column(FLOATS),
            "g": column(FLOATS),
            "i": column(integers),
            "n": column(blank),
            "b": column(st.booleans()),
            "t": column(st.sampled_from(["a", "b"])),
            "u": column(text),
        },
        {
            "other": LXLink(other, np.array(column(st.integers(0, size - 1)))),
            "maybe": LXLink(other, np.array(column(st.integers(MISSING, size - 1)))),
        },
    )


def bits(value: Any) -> Any:
    """Return the value's type and bits; -0.0 is 0.0, as in every result."""
    return None if value is None else (type(value), struct.pack("<d", value) if type(value) is float else value)


def outcome(function: Callable[[Any], Any], row: Any) -> Any:
    try:
        return function(row)
    except (ArithmeticError, TypeError, AttributeError) as error:
        return error


def test_random_functions_that_choose_are_the_same_to_the_last_bit() -> None:
    proven: list[str] = []

    @given(text=TREES, test=TESTS, table=tables())
    @settings(deadline=None, max_examples=800, derandomize=True)
    def compare(text: str, test: str, table: LXTable) -> None:
        made: dict[str, Any] = {"RATE": RATE, "m": table.record(0).other}
        exec(f"def function(r):\n    x = {text}\n    if {test}:\n        return x\n    return ({text}) or 0.5", made)  # noqa: S102
        function = made["function"]
        rows = LXRows(table, np.arange(table.size)[::-1].copy())
        expected = [outcome(function, row) for row in rows]
        try:
            parts = trace(function, rows, blanks=True)
        except Unproven:
            return
        proven.append(text)
        assert not any(isinstance(value, Exception) for value in expected)
        places = [place for where, _ in parts for place in (range(len(rows)) if where is None else where.tolist())]
        assert sorted(places) == list(range(len(rows)))
        if all(value is None or (type(value) in (int, float) and math.isfinite(value)) for value in expected):
            found = numbers(function, rows, what="n", blank=math.inf).tolist()
            assert [bits(v) for v in found] == [bits(math.inf if v is None else float(v) + 0.0) for v in expected]
        assert [bits(value) for value in keys(function, rows)] == [bits(value) for value in expected]

    compare()
    assert len(proven) > 300

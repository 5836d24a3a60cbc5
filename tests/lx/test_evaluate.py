"""A function of a row on whole columns gives what it gives row by row, or is refused with the row's name."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.lx import LXLink, LXModelError, LXNotLoadedError, LXTable
from planning.lx.evaluate import are_distinct, keys, mask, numbers, rows_reached
from tests.lx.small_models import furniture

RATE = 1.25
FLAG = True
WHOLE = 3


def bits(value: float) -> bytes:
    return struct.pack("<d", float(value) + 0.0)  # 0.0 and -0.0 are one number


def row_by_row(function: Callable[[Any], Any], rows: Any) -> list[Any]:
    """Return each row's value, or the name of the error."""
    found = []
    for row in rows:
        try:
            found.append(function(row))
        except (ArithmeticError, TypeError) as error:
            found.append(error)
    return found


def is_number(value: Any) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(float(value))
    except OverflowError:
        return False


def assert_same(function: Callable[[Any], Any], rows: Any) -> None:
    """Compare `numbers` with the loop over rows: the same bits, or a refusal where the loop gives no number."""
    expected = row_by_row(function, rows)
    if all(map(is_number, expected)):
        found = numbers(function, rows, what="The number")
        assert [bits(value) for value in found.tolist()] == [bits(value) for value in expected]
    else:
        with pytest.raises(LXModelError, match=r"The number (gives|fails|is)"):
            numbers(function, rows, what="The number")


# --- random expressions ---------------------------------------------------------------------

FLOATS = st.one_of(
    st.floats(-1e6, 1e6),
    st.sampled_from([0.0, -0.0, 0.1, 1 / 3, 1e-300, 1e300, -1e308, 5e-324]),
)
INTEGERS = st.one_of(
    st.integers(-1000, 1000), st.sampled_from([0, 2**31, 2**52, 2**53 - 1, 2**53, -(2**53) - 1, 2**62, -(2**63)])
)
LEAVES = (
    "p.f",
    "p.g",
    "p.i",
    "p.j",
    "p.other.f",
    "p.other.i",
    "m.f",
    "m.i",
    "d",
    "c",
    "RATE",
    "WHOLE",
    "2",
    "0.5",
    "7.0",
)


def expressions() -> st.SearchStrategy[str]:
    return st.recursive(
        st.sampled_from(LEAVES),
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner), st.builds("(-{})".format, inner)
        ),
        max_leaves=7,
    )


@st.composite
def tables(draw: st.DrawFn) -> LXTable:
    size = draw(st.integers(1, 4))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=size, max_size=size))

    other = LXTable("Other", {"f": column(FLOATS), "i": column(INTEGERS)})
    positions = np.array(column(st.integers(0, size - 1)))
    columns = {"f": column(FLOATS), "g": column(FLOATS), "i": column(INTEGERS), "j": column(st.integers(-9, 9))}
    return LXTable("Row", columns, {"other": LXLink(other, positions)})


@given(text=expressions(), table=tables(), c=st.one_of(FLOATS, INTEGERS), d=st.one_of(FLOATS, INTEGERS))
@settings(deadline=None, max_examples=400, derandomize=True)
def test_random_arithmetic_is_the_same_to_the_last_bit(text: str, table: LXTable, c: Any, d: Any) -> None:
    made: dict[str, Any] = {"RATE": RATE, "WHOLE": WHOLE, "outer_c": c, "outer_d": d, "record": table.rows[0]}
    exec(f"def make(c):\n    return lambda p, m=record, d=outer_d: {text}\nfunction = make(outer_c)", made)  # noqa: S102
    assert_same(made["function"], table.rows)
    assert_same(made["function"], table.rows[::-1])


@given(text=expressions(), table=tables())
@settings(deadline=None, max_examples=150, derandomize=True)
def test_random_keys_are_the_same(text: str, table: LXTable) -> None:
    made: dict[str, Any] = {"RATE": RATE, "WHOLE": WHOLE, "m": table.rows[0], "c": 2, "d": 0.25}
    exec(f"function = lambda p: (p.i, {text}, p.other)", made)  # noqa: S102
    function = made["function"]
    if any(isinstance(value, Exception) for value in row_by_row(function, table.rows)):
        return
    expected = [function(row) for row in table.rows]
    found = keys(function, table.rows)
    assert repr(found) == repr(expected) or found == expected
    assert [list(map(type, key)) for key in found] == [list(map(type, key)) for key in expected]
    if are_distinct(function, table.rows):
        assert len(set(expected)) == len(expected)


# --- functions that columns could get wrong --------------------------------------------------

products, machines, recipes = furniture()
SAW = machines.rows[0]


class Counter:
    """Gives another number each time it is asked."""

    def __init__(self) -> None:
        self.count = 0

    @property
    def next(self) -> float:
        self.count += 1
        return float(self.count)


def test_a_stateful_property_is_asked_for_every_row() -> None:
    counter = Counter()
    assert numbers(lambda p: p.profit_per_unit * 0.0 + counter.next, products.rows, what="n").tolist() == [
        1.0,
        2.0,
        3.0,
    ]


HOURS = {1: 0.5, 2: 1.5}
PLAIN: list[Callable[[Any], Any]] = [
    lambda p: p.profit_per_unit,
    lambda p: p.profit_per_unit * 1.1,
    lambda p: -p.boxes,
    lambda p: p.boxes / 4,
    lambda p: 3 / p.boxes,
    lambda p: p.boxes * p.profit_per_unit - 0.1,
    lambda p, m=SAW: p.profit_per_unit * m.hours,
    lambda p: p.profit_per_unit * RATE,
    lambda p: 2.5,
    lambda p: 7,
    lambda p: SAW.hours,
    lambda p: 1.0 if p is products.rows[1] else 2.0,
    lambda p: 1.0 if p == products.rows[1] else 2.0,
    lambda p: 1.0 if type(p.boxes) is int else 2.0,
    lambda p: 1.0 if isinstance(p.profit_per_unit, float) else 2.0,
    lambda p: 1.0 if p.boxes > 1 else 2.0,
    lambda p: 1.0 if p.is_new else 2.0,
    lambda p: p.is_new * 2.0,
    lambda p: p.boxes * FLAG + 0.0,
    lambda p: p.boxes**2,
    lambda p: p.boxes // 2,
    lambda p: p.boxes % 2,
    lambda p: HOURS.get(p.id, 0.0),
    lambda p: max(p.boxes, 2),
    lambda p: math.sqrt(p.profit_per_unit),
    lambda p: sum(p.boxes for _ in range(2)),
    lambda p: p.max_demand or 1e9,
    lambda p: p.boxes and 2.0,
    lambda p: p.profit_per_unit.real,
    lambda p: np.float64(p.boxes) * 2,
    lambda p: p.boxes + 2**60,
    lambda p: p.boxes * 2**53 * 3,
    lambda p, *, factor=2.0: p.boxes * factor,
    lambda p, *rest: p.boxes + len(rest),
    lambda *p: p[0].boxes,
    lambda p=None: p.boxes,
]


@pytest.mark.parametrize("number", range(len(PLAIN)))
def test_a_function_gives_the_same_as_row_by_row(number: int) -> None:
    expected = [float(PLAIN[number](row)) for row in products.rows]
    assert numbers(PLAIN[number], products.rows, what="n").tolist() == expected


REFUSED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda p: p.name, "'Chair' for <Product Chair>"),
    (lambda p: p.max_demand, "gives None for <Product Table>"),
    (lambda p: p.max_demand * 2.0, "fails for <Product Table>"),
    (lambda p: None, "gives None for <Product Chair>"),
    (lambda p: p.is_new, "gives False for <Product Chair>"),
    (lambda p: True, "gives True for <Product Chair>"),
    (lambda p: float("nan"), "gives nan for <Product Chair>"),
    (lambda p: p.boxes * float("inf"), "gives inf for <Product Chair>"),
    (lambda p: p.profit_per_unit * 1e308, "gives inf for <Product Chair>"),
    (lambda p: 1.0 / (p.boxes - 4), "fails for <Product Table>: float division by zero"),
    (lambda p: p.boxes / 0, "fails for <Product Chair>: division by zero"),
    (lambda p: 10**400, "too large"),
    (lambda p: p.boxes * 10**400, "fails for <Product Chair>.*too large"),
    (lambda p: Decimal("1.5"), r"gives Decimal\('1.5'\) for <Product Chair>"),
    (lambda p: "12", "gives '12' for <Product Chair>"),
    (lambda p: 1j, "gives 1j for <Product Chair>"),
    (lambda p: [p.boxes], r"gives \[1\] for <Product Chair>"),
    (lambda p: np.array([1.0]), "for <Product Chair>"),
    (lambda p: np.bool_(True), "for <Product Chair>"),
    (lambda p: p, "gives <Product Chair>"),
    (lambda p: (p.boxes, 1), "for <Product Chair>"),
    (lambda p: p + 1, "fails for <Product Chair>"),
    (lambda p: p.name + 1, "fails for <Product Chair>"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_is_no_finite_number_is_refused_with_its_row(number: int) -> None:
    function, message = REFUSED[number]
    with pytest.raises(LXModelError, match=f"The price .*{message}"):
        numbers(function, products.rows, what="The price")


@pytest.mark.parametrize(
    "function",
    [
        lambda p: p.profit_per_unit._values,
        lambda p: p.boxes._bound * 2.0,
        lambda p: p.boxes.values,
        lambda p: p.boxes.bound * 2.0,
        lambda p: p.profit,
    ],
)
def test_a_name_that_a_row_does_not_have_is_an_error(function: Callable[[Any], Any]) -> None:
    with pytest.raises(AttributeError):
        numbers(function, products.rows, what="n")


def test_a_relation_that_is_not_loaded_is_an_error() -> None:
    table = LXTable("Recipe", {"id": [1]}, {"product": LXLink(None, np.array([0]))})
    with pytest.raises(LXNotLoadedError, match=r"Recipe\.product"):
        numbers(lambda r: r.product.price, table.rows, what="n")


def test_a_relation_that_leads_nowhere_is_an_error_of_its_row() -> None:
    table = LXTable("Row", {"name": ["a", "b"]}, {"product": LXLink(products, np.array([0, -1]))})
    with pytest.raises(AttributeError, match="NoneType"):
        numbers(lambda r: r.product.boxes, table.rows, what="n")
    assert keys(lambda r: r.product, table.rows) == [products.rows[0], None]


def test_a_global_that_is_bound_again_counts_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def rated(p: Any) -> Any:
        return p.boxes * RATE

    assert numbers(rated, products.rows, what="n").tolist() == [1.25, 5.0, 2.5]
    monkeypatch.setitem(globals(), "RATE", 2)
    assert numbers(rated, products.rows, what="n").tolist() == [2.0, 8.0, 4.0]


def test_a_captured_variable_that_changes_counts_from_then_on() -> None:
    factor = 2.0

    def scaled(p: Any) -> Any:
        return p.boxes * factor

    assert numbers(scaled, products.rows, what="n").tolist() == [2.0, 8.0, 4.0]
    factor = 3.0
    assert numbers(scaled, products.rows, what="n").tolist() == [3.0, 12.0, 6.0]


def test_integers_beyond_the_floats_are_not_rounded_on_the_way() -> None:
    table = LXTable("t", {"a": [2**53 + 1, 2**53 - 1], "b": [2**53, 2**53 - 1]})
    assert numbers(lambda r: r.a - r.b, table.rows, what="n").tolist() == [1.0, 0.0]
    small = LXTable("t", {"a": [2**53 - 1], "b": [3]})
    assert_same(lambda r: r.a * r.b - r.a, small.rows)


def test_a_bound_method_and_a_callable_object_run_row_by_row() -> None:
    class Price:
        def of(self, p: Any) -> float:
            return float(p.boxes)

        __call__ = of

    for function in (Price().of, Price()):
        assert numbers(function, products.rows, what="n").tolist() == [1.0, 4.0, 2.0]


class TestConstants:
    @pytest.mark.parametrize("value", [2, 2.0, np.float64(2), np.int64(2)])
    def test_hold_for_every_row(self, value: Any) -> None:
        assert numbers(value, products.rows, what="n").tolist() == [2.0, 2.0, 2.0]

    @pytest.mark.parametrize(
        "value", [math.nan, math.inf, -math.inf, True, "2", None, Decimal(2), 10**400, np.bool_(1)]
    )
    def test_that_are_no_finite_number_are_refused(self, value: Any) -> None:
        with pytest.raises(LXModelError, match="The price is"):
            numbers(value, products.rows, what="The price")

    def test_without_a_value_are_the_blank(self) -> None:
        assert numbers(None, products.rows, what="n", blank=math.inf).tolist() == [math.inf] * 3
        assert numbers(lambda p: p.max_demand, products.rows, what="n", blank=math.inf).tolist() == [100, math.inf, 30]
        with pytest.raises(LXModelError):
            numbers(lambda p: -math.inf, products.rows, what="n", blank=math.inf)


class TestKeys:
    def test_are_python_values(self) -> None:
        found = keys(lambda r: (r.product.name, r.machine.id, r.hours_required, r.product.is_new), recipes.rows)
        assert found[2] == ("Table", 1, 1.5, True)
        assert list(map(type, found[2])) == [str, int, float, bool]

    def test_of_no_rows_are_none(self) -> None:
        assert keys(lambda r: (r.product.name, r.id), recipes.rows[:0]) == []

    def test_may_be_constant(self) -> None:
        assert keys(lambda r: "all", products.rows) == ["all"] * 3
        assert keys(lambda r: (r.id, 5), products.rows) == [(1, 5), (2, 5), (3, 5)]
        assert keys(lambda r: (), products.rows) == [(), (), ()]

    def test_are_called_distinct_only_where_they_are(self) -> None:
        assert are_distinct(lambda r: (r.product.name, r.machine.name), recipes.rows)
        assert are_distinct(lambda r: (r.product, r.machine), recipes.rows)
        assert not are_distinct(lambda r: r.product.name, recipes.rows)
        assert not are_distinct(lambda r: (r.product, r.product.id), recipes.rows)
        renamed = LXTable("t", {"name": ["a", "b", "a"]})
        assert not are_distinct(lambda r: r.name, renamed.rows)

    def test_lead_to_rows_of_another_table(self) -> None:
        reached = rows_reached(lambda r: r.machine, recipes.rows)
        assert reached is not None
        assert reached.table is machines
        assert list(reached) == [r.machine for r in recipes.rows]
        assert rows_reached(lambda r: r.id, recipes.rows) is None


class TestMasks:
    def test_are_true_where_the_function_is(self) -> None:
        assert mask(lambda p: p.boxes > 1, products.rows, what="m").tolist() == [False, True, True]

    @pytest.mark.parametrize("function", [lambda p: p.boxes, lambda p: None, lambda p: p.name])
    def test_of_anything_but_true_and_false_are_refused(self, function: Callable[[Any], Any]) -> None:
        with pytest.raises(LXModelError, match=r"The condition gives .* for <Product Chair>"):
            mask(function, products.rows, what="The condition")

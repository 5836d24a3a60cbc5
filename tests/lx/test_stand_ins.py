"""A function that does nothing with its row but read it gets a stand-in; what keeps its row gets the record."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.lx import MISSING, LXColumn, LXLink, LXManyLink, LXModelError, LXNotLoadedError, LXRecord, LXTable
from planning.lx.evaluate import keys, mask, numbers
from planning.lx.records import UNLOADED
from planning.lx.row_by_row import extend
from tests.lx.small_models import furniture, recipes_and_machines

KEPT: list[object] = []


def _kept(row: LXRecord) -> float:
    KEPT.append(row)
    return 1.0


def _passed_on(row: LXRecord) -> float:
    return _kept(row)


def _bound_to_another_name(row: LXRecord) -> float:
    same = row
    KEPT.append(same)
    return 1.0


def _read_within(row: LXRecord) -> float:
    return sum(KEPT.append(row) or 1.0 for _ in range(1))  # type: ignore[func-returns-value]


def _seen_in_locals(row: LXRecord) -> float:
    KEPT.append(locals()["row"])
    return 1.0


def _one_of_two(row: LXRecord) -> float:
    KEPT.append(row if row.hours > 0 else None)
    return 1.0


def _bound_anew(row: LXRecord) -> float:
    KEPT.append(row)
    row = row.machine
    return 1.0


def _passed_by_name(row: LXRecord) -> float:
    return _kept(row=row)


def _passed_in_a_tuple(row: LXRecord) -> float:
    return _kept(*(row,))


def _passed_to_a_function_of_its_own(row: LXRecord) -> float:
    def own(other: LXRecord, again: bool = True) -> float:
        return own(other, False) if again else _kept(other)

    return own(row)


def _passed_on_at_last(row: LXRecord, depth: int = 6) -> float:
    return _passed_on_at_last(row, depth - 1) if depth else _kept(row)


def _one_of_several(*rows: LXRecord) -> float:
    return _kept(rows[0])


def _passed_to_several(row: LXRecord) -> float:
    return _one_of_several(row)


def _reads(row: LXRecord) -> float:
    return float(row.hours)


def _passed_to_one_of_two(row: LXRecord) -> float:
    return (_kept if row.hours > 0 else _reads)(row)


def _first_read_second_kept(first: Any, second: Any) -> float:
    return first.hours * 0.0 + _kept(second)  # type: ignore[no-any-return]


def _passed_in_another_order(row: LXRecord) -> float:
    return _first_read_second_kept(second=row, first=OTHER)


def _perhaps_deleted(row: LXRecord) -> float:
    if row.hours < 0:
        del row
    return _kept(row)


OTHER = LXTable("Other", {"hours": [1.0]}).record(0)


class Keeper:
    def keeps(self, row: LXRecord) -> float:
        return _kept(row)

    @classmethod
    def passes(cls, row: LXRecord) -> float:
        return cls().keeps(row)

    def __call__(self, row: LXRecord) -> float:
        return self.keeps(row)


def _kept_second(one: float, row: LXRecord) -> float:
    return one * _kept(row)


@pytest.mark.parametrize(
    "function",
    [
        _kept,
        _passed_on,
        _bound_to_another_name,
        _read_within,
        _seen_in_locals,
        _one_of_two,
        _bound_anew,
        _passed_by_name,
        _passed_in_a_tuple,
        _passed_to_a_function_of_its_own,
        _passed_on_at_last,
        _one_of_several,
        _passed_to_several,
        _passed_to_one_of_two,
        _passed_in_another_order,
        _perhaps_deleted,
        Keeper().keeps,
        Keeper.passes,
        Keeper(),
        partial(_kept_second, 1.0),
    ],
)
def test_a_row_that_the_function_keeps_is_its_record(function: Callable[[Any], float]) -> None:
    recipes, _ = recipes_and_machines()
    KEPT.clear()
    assert numbers(function, recipes.rows, what="hours").tolist() == [1.0, 1.0, 1.0]
    assert [row is recipes.record(position) for position, row in enumerate(KEPT)] == [True, True, True]


def test_a_row_that_a_relation_leads_to_is_its_record() -> None:
    recipes, machines = recipes_and_machines()
    found = keys(lambda r: (r.machine, abs(r.hours)), recipes.rows)
    assert [machine for machine, _ in found] == [machines.record(0), machines.record(1), None]
    assert found[0][0] is machines.record(0)
    hours = {machines.record(0): 5.0, machines.record(1): 6.0, None: 7.0}
    assert numbers(lambda r: hours[r.machine] + r.hours, recipes.rows, what="hours").tolist() == [6.0, 8.0, 10.0]


def test_a_function_that_only_reads_fields_needs_no_record() -> None:
    recipes, machines = recipes_and_machines()
    rows = recipes.rows[:2]
    assert numbers(lambda r: max(r.hours, len(r.machine.name)), rows, what="hours").tolist() == [3.0, 5.0]
    assert keys(lambda r: r.machine.name.lower() + str(r.hours), rows) == ["saw1.0", "lathe2.0"]
    assert not recipes._records
    assert not machines._records


def _longer(u: LXRecord, hours: float, factor: float = 2.0) -> float:
    return max(hours * factor if u.machine.is_worn else hours, _least(u.machine))


def _least(machine: LXRecord) -> float:
    return float(len(machine.name))


class Rate:
    def __init__(self, factor: float) -> None:
        self.factor = factor

    def of(self, r: LXRecord) -> float:
        return _longer(r, r.hours, self.factor)


def _scaled(factor: float, r: LXRecord) -> float:
    return _longer(r, r.hours, factor)


def test_a_row_that_is_passed_on_to_a_function_that_reads_it_needs_no_record() -> None:
    recipes, machines = recipes_and_machines()
    rows = recipes.rows[:2]
    functions: list[Callable[[Any], float]] = [
        lambda r: _longer(r, r.hours * 2),
        Rate(4.0).of,
        partial(_scaled, 4.0),
        lambda r: _longer(r, -r.hours * -2.0, 2) + 0.0 if r.name else 0.0,
    ]
    for function in functions:
        assert numbers(function, rows, what="hours").tolist() == [4.0, 5.0]
    assert not recipes._records
    assert not machines._records
    assert numbers(lambda r: Rate(4.0).of(r), rows, what="hours").tolist() == [4.0, 5.0]


def test_a_relation_that_is_passed_on_to_what_keeps_it_is_its_record() -> None:
    recipes, machines = recipes_and_machines()
    KEPT.clear()
    assert numbers(lambda r: _kept(r.machine) + r.hours, recipes.rows, what="hours").tolist() == [2.0, 3.0, 4.0]
    assert [machines.record(0), machines.record(1), None] == KEPT
    assert not recipes._records


def test_primary_keys_and_relations_to_several_are_read() -> None:
    products, _, recipes = furniture()
    products.many_links["recipes"] = LXManyLink(recipes, np.array([2, 2, 2]), np.arange(6))
    price = {1: 10.0, 2: 20.0, 3: 30.0}
    assert numbers(lambda r: price[r.product.pk], recipes.rows, what="n").tolist() == [10, 10, 20, 20, 30, 30]
    assert numbers(lambda p: sum(x.hours_required for x in p.recipes.all()), products.rows, what="n").tolist() == [
        1.5,
        4.0,
        5.5,
    ]
    assert not products._records
    products.many_links["recipes"].lengths[0] = UNLOADED
    with pytest.raises(LXNotLoadedError, match=r"Product\.recipes"):
        numbers(lambda p: len(p.recipes.all()), products.rows, what="n")


def test_a_primary_key_that_is_written_meanwhile_is_read() -> None:
    products, _, _ = furniture()
    rows = type(products.rows)(products, np.array([0, 0]))
    first = products.record(0)

    def next_key(p: LXRecord) -> float:
        first.id += 1
        return float(p.pk)

    assert numbers(next_key, rows, what="n").tolist() == [2.0, 3.0]


def test_a_field_that_one_branch_reads_may_be_missing_where_the_other_is_taken() -> None:
    recipes, machines = recipes_and_machines()
    machines.unloaded["hours"] = {1}
    assert numbers(lambda r: abs(r.machine.hours if r.hours < 2 else r.hours), recipes.rows, what="h").tolist() == [
        4.0,
        2.0,
        3.0,
    ]
    with pytest.raises(LXNotLoadedError, match=r"Machine\.hours"):
        numbers(lambda r: abs(r.machine.hours if r.hours < 3 else r.hours), recipes.rows, what="h")


def test_a_relation_that_leads_nowhere_is_none() -> None:
    recipes, _ = recipes_and_machines()
    assert numbers(lambda r: abs(0.0 if r.machine is None else 1.0), recipes.rows, what="n").tolist() == [1.0, 1.0, 0.0]
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'is_worn'"):
        numbers(lambda r: abs(r.machine.is_worn * 1.0), recipes.rows, what="n")


def test_fields_may_be_called_anything() -> None:
    table = LXTable("Row", {"s0": [1.0], "results": [2.0], "call": [3.0], "straße": [4.0]})
    assert numbers(lambda r: abs(r.s0) + r.results * 10 + r.call * 100 + r.straße * 1000, table.rows, what="n") == 4321


def test_values_are_python_values() -> None:
    table = LXTable("Row", {"f": [1.5], "i": [2], "b": [True], "n": [None], "s": ["x"]})
    table.columns["o"] = LXColumn(np.array([np.float64(2.5)], dtype=object))
    found = keys(lambda r: tuple(map(type, (r.f, r.i, r.b, r.n, r.s, r.o))), table.rows)
    assert found == [(float, int, bool, type(None), str, float)]


def test_a_function_of_several_dimensions_reads_each_of_them() -> None:
    recipes, machines = recipes_and_machines()
    pairs = LXTable(
        "Pair",
        {},
        {"0": LXLink(recipes, np.array([0, 1, 1])), "1": LXLink(machines, np.array([1, 0, 1]))},
        dimensions=("0", "1"),
    )
    assert keys(lambda r, m: r.name + m.name, pairs.rows) == ["aLathe", "bSaw", "bLathe"]
    assert keys(lambda r, m: (r, str(m.name)), pairs.rows)[0][0] is recipes.record(0)
    assert mask(lambda r, m: m is machines.record(1), pairs.rows, what="m").tolist() == [True, False, True]


def test_a_function_that_takes_no_row_is_refused() -> None:
    recipes, _ = recipes_and_machines()
    with pytest.raises(LXModelError, match=r"fails for <Recipe a>: .* takes 0 positional arguments"):
        numbers(lambda: abs(1.0), recipes.rows, what="hours")


def test_a_function_that_runs_later_is_refused() -> None:
    def later(r: LXRecord) -> Any:
        yield r.hours

    recipes, _ = recipes_and_machines()
    with pytest.raises(LXModelError, match="gives <generator"):
        numbers(later, recipes.rows, what="hours")
    assert [next(made) for made in keys(later, recipes.rows)] == [1.0, 2.0, 3.0]


# --- random functions -----------------------------------------------------------------------

ATOMS = (
    "r.f",
    "r.n",
    "r.b",
    "r.t",
    "r.other.f",
    "r.other.t",
    "r.maybe.f",
    "r.maybe",
    "r.other",
    "1",
    "'a'",
    "r",
    "(r.other is r.maybe)",
    "(r is ROW)",
)


CALLS = ("str", "abs", "bool", "show", "(lambda x: x)", "reads", "reads_if_there", "same")


def _expressions() -> st.SearchStrategy[str]:
    return st.recursive(
        st.sampled_from(ATOMS),
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from(["+", "<", "==", "and", "or"]), inner),
            st.builds("({} if {} else {})".format, inner, inner, inner),
            st.builds("{}({})".format, st.sampled_from(CALLS), inner),
            st.builds("({},)".format, inner),
            st.builds("{}({}, {})".format, st.sampled_from(["reads", "same"]), inner, inner),
        ),
        max_leaves=6,
    )


def show(value: Any) -> str:
    """Read a field of what may be a row."""
    return str(getattr(value, "f", value))


def reads(row: Any, times: Any = 2) -> Any:
    """Read fields of what may be a row."""
    return (row.f * 2, times, row.t) if row.f else times


def reads_if_there(row: Any) -> Any:
    """Read a field of a row that may not be there."""
    return reads(row, row.t) if row is not None else None


def same(row: Any, other: Any = None) -> Any:
    """Give it back."""
    return row if other is None else other


def _outcome(function: Callable[[], list[Any]]) -> Any:
    try:
        return function()
    except (AttributeError, TypeError) as error:
        return type(error)


@given(text=_expressions(), values=st.lists(st.sampled_from([0.0, 1.5, -2.0]), min_size=3, max_size=3))
@settings(deadline=None, max_examples=900, derandomize=True)
def test_a_random_function_gives_what_a_loop_over_records_gives(text: str, values: list[float]) -> None:
    other = LXTable("Other", {"f": values[::-1], "t": ["x", "", "y"]})
    table = LXTable(
        "Row",
        {"f": values, "n": [None, 2.0, None], "b": [True, False, True], "t": ["a", "b", "a"]},
        {"other": LXLink(other, np.array([2, 0, 0])), "maybe": LXLink(other, np.array([1, MISSING, 0]))},
    )
    made: dict[str, Any] = {"show": show, "reads": reads, "same": same, "reads_if_there": reads_if_there}
    made["ROW"] = table.record(1)
    exec(f"def function(r):\n    return {text}", made)  # noqa: S102
    function = made["function"]
    expected = _outcome(lambda: [function(row) for row in table.rows])
    results: list[Any] = []

    def evaluated() -> list[Any]:
        extend(results, function, table.rows)
        return results

    assert _outcome(evaluated) == expected
    assert list(map(type, results)) == list(map(type, expected if isinstance(expected, list) else results))

"""Columns of many rows are made a part at a time, and are as if they were made at once."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.lx import LXColumn

PLAIN: dict[str, Any] = {
    "float": 1.5,
    "zero": 0.0,
    "nan": float("nan"),
    "int": 7,
    "no": 0,
    "large": 2**63,
    "true": True,
    "false": False,
    "null": None,
    "text": "x",
    "exact": Decimal("0.10"),
    "day": datetime.date(2026, 1, 5),
    "list": [1, 2],
}
KINDS = {float: np.float64, int: np.int64, bool: np.bool_}


def expected_type(values: list[Any], kind: type | None) -> Any:
    """Return the type of a column by its rule: one plain type of all values, within 64 bits."""
    kinds = {type(value) for value in values if value is not None} or {kind}
    fits = all(-(2**63) <= value < 2**63 for value in values if type(value) is int)
    return KINDS.get(kinds.pop(), object) if len(kinds) == 1 and fits else object


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and (one == other or str(one) == "nan")


blocks = st.lists(st.tuples(st.sampled_from(sorted(PLAIN)), st.integers(1, 3000)), max_size=4)


@settings(deadline=None, max_examples=150)
@given(blocks, st.sampled_from([None, float, int, bool]))
def test_a_column_has_the_type_of_all_its_values_and_gives_them_back(made_of: Any, kind: type | None) -> None:
    values = [PLAIN[name] for name, count in made_of for _ in range(count)]
    column = LXColumn.of(values, kind)
    assert column.values.dtype == expected_type(values, kind)
    assert all(map(same, column.tolist(), values))
    assert column.is_null.tolist() == [value is None for value in values]
    (of_rows,) = LXColumn.of_rows([(value,) for value in values], [kind])
    assert of_rows.values.dtype == column.values.dtype
    assert all(map(same, of_rows.tolist(), values))


@settings(deadline=None, max_examples=50)
@given(blocks, blocks)
def test_two_columns_together_are_the_column_of_both(first: Any, second: Any) -> None:
    parts = [[PLAIN[name] for name, count in made_of for _ in range(count)] for made_of in (first, second)]
    together = LXColumn.together([LXColumn.of(part) for part in parts])
    assert together.values.dtype == LXColumn.of([*parts[0], *parts[1]]).values.dtype
    assert all(map(same, together.tolist(), [*parts[0], *parts[1]]))


def test_equal_columns_hold_equal_bytes_where_there_is_no_value() -> None:
    column = LXColumn.of([1.5, None, 0.0] * 1000)
    assert column.values.tolist() == [1.5, 0.0, 0.0] * 1000


def test_rows_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        LXColumn.of_rows([(1, 2), (3,)], [int, int])


def test_no_rows_give_typed_columns() -> None:
    columns = LXColumn.of_rows([], [float, int, bool, None])
    assert [column.values.dtype for column in columns] == [np.float64, np.int64, np.bool_, object]
    assert [len(column) for column in columns] == [0, 0, 0, 0]


def test_a_column_of_a_type_without_a_value_takes_that_of_what_follows() -> None:
    together = LXColumn.together([LXColumn.of([None], float), LXColumn.of([7])])
    assert together.values.dtype == np.int64
    assert together.tolist() == [None, 7]
    assert LXColumn.together([LXColumn.of([None], float)] * 2).values.dtype == np.float64

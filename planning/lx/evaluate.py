"""A function of a row, evaluated for all rows.

Where the function is proven to be plain arithmetic and choices on fields, it is called on whole
columns; otherwise once per row. Both give the same numbers, bit for bit. The proof is a gate on the
function's instructions and on all that it holds (`gate`), followed by traced calls (`traced`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from .columns import Booleans, Floats, Positions
from .errors import LXModelError
from .records import MISSING, LXRows, RowFunction
from .row_by_row import extend
from .traced import Captured, Numbers, Part, Rows, Truths, Unproven, Values, trace

_MOST_CODES = 2.0**53  # what a key's parts may give together


class Computed:
    """A function of a row that is known by its parts, and evaluated over columns."""

    def over(self, rows: LXRows | Sequence[Any]) -> Any:
        """Return the traced values over the rows; raises Unproven where columns can't give them."""
        raise NotImplementedError


def is_number(traced: Any) -> bool:
    """Whether a traced result is a number for each row, or one for all of them."""
    return type(traced) in (Numbers, int, float)


def numbers(
    function: RowFunction | Computed | float | int | None,
    rows: LXRows | Sequence[Any],
    *,
    what: str,
    blank: float | None = None,
) -> Floats:
    """Return the function's value for every row as float64.

    A constant holds for every row. None as a result becomes `blank` where one is given. Raises
    LXModelError naming `what` and the row where a result is no finite number.
    """
    if function is None or isinstance(function, (int, float, np.integer, np.floating)):
        value = blank if function is None else _as_float(function, what)
        if isinstance(function, bool) or value is None or not (math.isfinite(value) or value == blank):
            raise LXModelError(f"{what} is {function!r}. Give a finite number or a function of the row.")
        return np.full(len(rows), value + 0.0)
    if isinstance(function, Computed):
        return _computed(function, rows, what, blank)
    if not callable(function):
        raise LXModelError(f"{what} is {function!r}. Give a number or a function of the row.")
    if isinstance(rows, LXRows):
        with suppress(Unproven):
            return _finite(_joined(trace(function, rows, blanks=True), len(rows), blank), rows, what, blank)
    return _finite(_row_by_row(function, rows, what, blank), rows, what, blank)


def _joined(parts: list[Part], size: int, blank: float | None) -> Floats:
    """Return the numbers that the parts of the rows have; raises Unproven where one has none."""
    joined = np.empty(size)
    for where, traced in parts:
        given: Any = blank if traced is None else traced
        if not is_number(given):
            raise Unproven
        if where is None and type(given) is Numbers:
            values: Floats = given._values
            return values
        try:
            joined[slice(None) if where is None else where] = given._values if type(given) is Numbers else float(given)
        except OverflowError as error:
            raise Unproven from error  # row by row says which row
    return joined


def _computed(function: Computed, rows: LXRows | Sequence[Any], what: str, blank: float | None) -> Floats:
    """Return what a tree gives for every row."""
    if not len(rows):
        return np.zeros(0)
    try:
        with np.errstate(all="ignore"):
            traced = function.over(rows)
    except (Unproven, TypeError, ArithmeticError) as error:
        raise LXModelError(
            f"{what} can't be calculated as {function!r} any more: a field is blank or no number, or a divisor is 0."
        ) from error
    if not is_number(traced):
        raise LXModelError(f"{what}, {function!r}, is no number.")
    values = traced._values if type(traced) is Numbers else np.full(len(rows), _as_float(traced, what))
    return _finite(values, rows, what, blank)


def _as_float(value: Any, what: str) -> float:
    """Return a number as a float; a whole number too large for one raises."""
    try:
        return float(value)
    except OverflowError as error:
        raise LXModelError(f"{what} is a number too large to calculate with. Give a smaller one.") from error


def _row_by_row(function: RowFunction, rows: LXRows | Sequence[Any], what: str, blank: float | None) -> Floats:
    """Return the function's value row by row, each checked for its type."""
    results: list[Any] = []
    try:
        extend(results, function, rows)
    except (ArithmeticError, TypeError) as error:  # a division by zero, a blank in a sum, a number too large
        _floats(results, rows, what, blank)  # a row before it may be at fault too
        raise _failure(what, rows[len(results)], error) from error
    return _floats(results, rows, what, blank)


def _floats(results: list[Any], rows: LXRows | Sequence[Any], what: str, blank: float | None) -> Floats:
    """Return the results as float64, each checked for its type; there are fewer than rows where one failed."""
    kinds = set(map(type, results))
    if blank is not None and type(None) in kinds:
        results = [blank if value is None else value for value in results]
        kinds = set(map(type, results))
    if kinds <= {float, int}:
        with suppress(OverflowError):  # a whole number too large: it is named below
            return np.array(results, dtype=np.float64)
    checked: list[float] = []
    for place, value in enumerate(results):
        if type(value) not in (float, int) and not isinstance(value, (np.floating, np.integer)):
            raise LXModelError(f"{what} gives {value!r} for {rows[place]!r}. It must give a number.")
        try:
            checked.append(float(value))
        except OverflowError as error:
            raise _failure(what, rows[place], error) from error
    return np.array(checked, dtype=np.float64)


def _failure(what: str, row: Any, error: Exception) -> LXModelError:
    return LXModelError(f"{what} fails for {row!r}: {error}. Correct the row or the function.")


def _finite(values: Floats, rows: LXRows | Sequence[Any], what: str, blank: float | None) -> Floats:
    """Return `values` unless one of them is nan or infinite (`blank` itself may be infinite)."""
    bad = ~np.isfinite(values)
    if blank is not None and math.isinf(blank):
        bad &= values != blank
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise LXModelError(f"{what} gives {values[row]} for {rows[row]!r}. It must give a finite number.")
    return values + 0.0  # -0.0 becomes 0.0: integers have no such thing


def mask(function: RowFunction, rows: LXRows | Sequence[Any], *, what: str) -> Booleans:
    """Return where the function is true; it must give True or False for every row."""
    if isinstance(rows, LXRows):
        with suppress(Unproven):
            found = np.empty(len(rows), dtype=np.bool_)
            for where, traced in trace(function, rows, blanks=True):
                if type(traced) not in (Truths, bool):
                    raise Unproven
                found[slice(None) if where is None else where] = traced._values if type(traced) is Truths else traced
            return found
    results: list[Any] = []
    extend(results, function, rows)
    if not set(map(type, results)) <= {bool}:
        place, value = next((place, value) for place, value in enumerate(results) if type(value) is not bool)
        raise LXModelError(f"{what} gives {value!r} for {rows[place]!r}. It must give True or False.")
    return np.array(results, dtype=np.bool_)


def keys(function: RowFunction | Computed, rows: LXRows | Sequence[Any]) -> list[Any]:
    """Return the function's value for every row as hashable Python values."""
    if isinstance(function, Computed):
        try:
            return _as_list(function.over(rows), len(rows))
        except Unproven as error:
            raise LXModelError(
                f"{function!r} gives no keys any more: a field that they are made of is blank."
            ) from error
    results: list[Any] = []
    if isinstance(rows, LXRows):
        with suppress(Unproven):
            for where, traced in trace(function, rows, blanks=False):
                if where is None:
                    return _as_list(traced, len(rows))
                results = results or [None] * len(rows)
                for place, key in zip(where.tolist(), _as_list(traced, len(where)), strict=True):
                    results[place] = key
            return results
    results = []
    extend(results, function, rows)
    return results


def _as_list(traced: Any, size: int) -> list[Any]:
    """Return a traced key as Python values, one per row."""
    kind = type(traced)
    if kind is tuple:
        return list(zip(*(_as_list(part, size) for part in traced), strict=True)) if traced else [()] * size
    if kind is Numbers:
        values: list[Any] = traced._values.tolist()
        return values if traced._bound is None else [int(value) for value in values]
    if kind is Truths:
        return traced._values.tolist()  # type: ignore[no-any-return]
    if kind is Values:
        return traced._list()  # type: ignore[no-any-return]
    if kind is Rows:
        table = traced._table
        return [None if p == MISSING else table.record(p) for p in traced._positions.tolist()]
    if kind is Captured:
        return [traced._record] * size
    return [traced] * size  # one number, text or None for all rows


def rows_reached(function: RowFunction, rows: LXRows | Sequence[Any]) -> LXRows | None:
    """Return the rows of another table that the function leads to, where it is proven to; else None."""
    if not isinstance(rows, LXRows):
        return None
    try:
        parts = trace(function, rows, blanks=False)
    except Unproven:
        return None
    where, first = parts[0]
    if where is None:
        return LXRows(first._table, first._positions) if type(first) is Rows else None
    tables = [traced._table for _, traced in parts if type(traced) is Rows]
    if not tables or any(table is not tables[0] for table in tables):
        return None
    reached = np.full(len(rows), MISSING, dtype=np.int64)
    for where, traced in parts:
        if type(traced) is Rows:
            reached[slice(None) if where is None else where] = traced._positions
        elif traced is not None:
            return None
    return LXRows(tables[0], reached)


def are_distinct(function: RowFunction | Computed, rows: LXRows | Sequence[Any]) -> bool:
    """Whether the function is proven to give a different key for every row; False where that is not proven."""
    try:
        traced = function.over(rows) if isinstance(function, Computed) else _in_one_part(function, rows)
        codes = np.zeros(len(rows), dtype=np.int64)
        size = 1
        for part in traced if type(traced) is tuple else (traced,):
            numbered, count = _codes(part)
            size *= max(count, 1)
            if size >= _MOST_CODES:
                return False
            codes = codes * count + numbered
    except (Unproven, TypeError):  # TypeError: a value that is not hashable
        return False
    if size <= 4 * len(rows):
        return bool(np.bincount(codes, minlength=1).max() <= 1)
    return len(np.unique(codes)) == len(rows)


def _in_one_part(function: RowFunction, rows: LXRows | Sequence[Any]) -> Any:
    """Return what the function gives on whole columns where all rows choose alike; else raise Unproven."""
    if not isinstance(rows, LXRows):
        raise Unproven
    where, traced = trace(function, rows, blanks=False)[0]
    if where is not None:
        raise Unproven
    return traced


def _codes(part: Any) -> tuple[Positions, int]:
    """Return a traced part as whole numbers that are equal exactly where the values are, and how many there are."""
    if type(part) is Rows:
        return part._positions + 1, len(part._table) + 1
    if type(part) is Truths:
        return part._values.astype(np.int64), 2
    if type(part) is Values:
        values = part._column.tolist()
        if len(set(values)) == len(values):
            return part._positions, len(values)
        codes: dict[Any, int] = {}
        numbered = np.array([codes.setdefault(value, len(codes)) for value in values], dtype=np.int64)
        return numbered[part._positions], len(codes)
    if type(part) is Numbers:
        distinct, numbered = np.unique(part._values, return_inverse=True)
        return numbered, len(distinct)
    raise Unproven

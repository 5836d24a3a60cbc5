"""A function of a row, evaluated for all rows.

Where the function is proven to be plain arithmetic on fields, it is called once on whole columns;
otherwise once per row. Both give the same numbers, bit for bit. The proof is a gate on the
function's instructions (loads, + - * /, negation, tuples, return) and on every constant that it
reaches (exactly int or float), followed by one traced call over columns without blanks.
"""

from __future__ import annotations

import builtins
import dis
import math
import types
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from .columns import Booleans, Floats, Positions
from .errors import LXModelError
from .records import MISSING, LXRecord, LXRows, LXTable, RowFunction
from .row_by_row import extend

_LOADS = {
    "LOAD_FAST",
    "LOAD_FAST_BORROW",
    "LOAD_ATTR",
    "LOAD_CONST",
    "LOAD_SMALL_INT",
    "LOAD_DEREF",
    "LOAD_GLOBAL",
    "BUILD_TUPLE",
    "UNARY_NEGATIVE",
    "RETURN_VALUE",
    "RETURN_CONST",
    "RESUME",
    "COPY_FREE_VARS",
    "CACHE",
    "NOP",
    "EXTENDED_ARG",
}
_ARITHMETIC = {"+", "-", "*", "/"}
_EXACT_INTEGERS = 2.0**53  # floats hold every integer below this


class Unproven(Exception):
    """The column way is not proven for this function and these rows."""


class _Numbers:
    """A traced number: one value per row, with a bound while all of them are integers.

    Its own names begin with an underscore, which no traced function may reach.
    """

    __slots__ = ("_bound", "_values")

    def __init__(self, values: npt.NDArray[Any], bound: float | None) -> None:
        self._values = values
        self._bound = bound  # of the absolute value; None for floats

    def _with(self, other: Any) -> tuple[npt.NDArray[Any], float | None]:
        if type(other) is _Numbers:
            return other._values, other._bound
        if type(other) is int and abs(other) < _EXACT_INTEGERS:
            return np.float64(other), float(abs(other))  # type: ignore[return-value]
        if type(other) is float:
            return np.float64(other), None  # type: ignore[return-value]
        raise Unproven

    def _result(self, values: npt.NDArray[Any], bound: float | None) -> _Numbers:
        if bound is not None and bound >= _EXACT_INTEGERS:
            raise Unproven
        return _Numbers(values, bound)

    def _sum(self, other: Any, sign: float, *, swapped: bool = False) -> _Numbers:
        values, bound = self._with(other)
        left, right = (values, self._values) if swapped else (self._values, values)
        both = None if self._bound is None or bound is None else self._bound + bound
        return self._result(left + right if sign > 0 else left - right, both)

    def __add__(self, other: Any) -> _Numbers:
        return self._sum(other, 1)

    def __radd__(self, other: Any) -> _Numbers:
        return self._sum(other, 1, swapped=True)

    def __sub__(self, other: Any) -> _Numbers:
        return self._sum(other, -1)

    def __rsub__(self, other: Any) -> _Numbers:
        return self._sum(other, -1, swapped=True)

    def __mul__(self, other: Any) -> _Numbers:
        values, bound = self._with(other)
        return self._result(
            self._values * values, None if self._bound is None or bound is None else self._bound * bound
        )

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> _Numbers:
        return self._quotient(self._values, self._with(other)[0])

    def __rtruediv__(self, other: Any) -> _Numbers:
        return self._quotient(self._with(other)[0], self._values)

    def _quotient(self, above: npt.NDArray[Any], below: npt.NDArray[Any]) -> _Numbers:
        if np.any(below == 0):
            raise Unproven
        return _Numbers(above / below, None)

    def __neg__(self) -> _Numbers:
        return _Numbers(-self._values, self._bound)

    def __bool__(self) -> bool:
        raise Unproven


class _Values:
    """A traced column that is no number (text, a date): may be a key, never an operand."""

    __slots__ = ("_column", "_positions")

    def __init__(self, column: npt.NDArray[Any], positions: Positions) -> None:
        self._column = column
        self._positions = positions


class _Records:
    """Traced rows of a table: fields of them are columns, relations are rows again."""

    __slots__ = ("_lx_positions", "_lx_table")

    def __init__(self, table: LXTable, positions: Positions) -> None:
        self._lx_table = table
        self._lx_positions = positions

    def __getattr__(self, field: str) -> Any:
        table, positions = self._lx_table, self._lx_positions
        link = table.links.get(field)
        if link is not None and field not in table.columns:
            if link.target is None or (link.positions < MISSING).any():
                raise Unproven
            return _Records(link.target, _follow(link.positions, positions))
        column = table.columns.get(field)
        if column is None or np.any(positions == MISSING):
            raise Unproven  # row by row says which field or which row
        if column.nulls is not None and column.nulls[positions].any():
            raise Unproven
        if column.values.dtype not in (np.float64, np.int64):
            return _Values(column.values, positions)
        values = column.values[positions]
        if values.dtype == np.float64:
            return _Numbers(values, None)
        bound = float(max(abs(int(values.max())), abs(int(values.min())))) if len(values) else 0.0
        if bound >= _EXACT_INTEGERS:
            raise Unproven
        return _Numbers(values.astype(np.float64), bound)


def _follow(link: Positions, positions: Positions) -> Positions:
    """Return where `link` leads from `positions`; from no row it leads to no row."""
    if not len(link):
        return np.full(len(positions), MISSING, dtype=np.int64)
    followed: Positions = link[positions]
    lost = positions == MISSING
    if lost.any():
        followed[lost] = MISSING
    return followed


def is_plain(function: RowFunction, arguments: int) -> bool:
    """Whether the function takes the row (or its dimensions) and is made of loads, + - * /, negation and tuples."""
    if type(function) is not types.FunctionType:
        return False
    code = function.__code__
    if code.co_flags & (0x04 | 0x08 | 0x20 | 0x80 | 0x100 | 0x200) or code.co_kwonlyargcount:
        return False
    captured = list(function.__defaults__ or ())
    if code.co_argcount != arguments + len(captured):
        return False
    try:
        captured += [cell.cell_contents for cell in function.__closure__ or ()]
    except ValueError:
        return False
    for step in dis.get_instructions(code):
        if step.opname == "BINARY_OP":
            if step.argrepr not in _ARITHMETIC:
                return False
        elif step.opname not in _LOADS:
            return False
        elif step.opname == "LOAD_GLOBAL":
            name = str(step.argval)
            if name not in function.__globals__ or hasattr(builtins, name):
                return False
            captured.append(function.__globals__[name])
        elif step.opname in ("LOAD_CONST", "RETURN_CONST"):
            captured.append(step.argval)
        elif step.opname == "LOAD_ATTR" and str(step.argval).startswith("_"):
            return False
    return all(type(value) in (int, float, LXRecord) for value in captured)


def traced_rows(rows: LXRows | Sequence[Any]) -> tuple[Any, ...]:
    """Return the rows as arguments of a traced call: the row, or the row of each dimension; none for plain objects."""
    if not isinstance(rows, LXRows):
        return ()
    row = _Records(rows.table, rows.positions)
    return tuple(getattr(row, name) for name in rows.table.dimensions) or (row,)


def traced_records(table: LXTable, positions: Positions) -> Any:
    """Return rows of a table, MISSING where there is none, as the result of a traced call."""
    return _Records(table, positions)


def traced_values(values: npt.NDArray[Any], positions: Positions) -> Any:
    """Return the values at some positions as the result of a traced call; they may be keys, never operands."""
    return _Values(values, positions)


class Computed:
    """A function of a row that is known by its parts, and evaluated over columns."""

    def over(self, rows: LXRows | Sequence[Any]) -> Any:
        """Return the traced values over the rows; raises Unproven where columns can't give them."""
        raise NotImplementedError


def is_number(traced: Any) -> bool:
    """Whether a traced result is a number for each row, or one for all of them."""
    return type(traced) in (_Numbers, int, float)


def _trace(function: RowFunction, rows: LXRows | Sequence[Any]) -> Any:
    """Return what the function gives on whole columns, or raise Unproven."""
    if not isinstance(rows, LXRows):
        raise Unproven
    dimensions = rows.table.dimensions
    if not len(rows) or not is_plain(function, len(dimensions) or 1):
        raise Unproven
    try:
        with np.errstate(all="ignore"):
            return function(*traced_rows(rows))
    except (TypeError, AttributeError, OverflowError, ZeroDivisionError) as error:
        raise Unproven from error


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
        try:
            traced = _trace(function, rows)
            if is_number(traced):
                return _spread(traced, rows, what, blank)
        except Unproven:
            pass
    return _finite(_row_by_row(function, rows, what, blank), rows, what, blank)


def _spread(traced: Any, rows: LXRows | Sequence[Any], what: str, blank: float | None) -> Floats:
    """Return a traced number as one value per row."""
    values = traced._values if type(traced) is _Numbers else np.full(len(rows), _as_float(traced, what))
    return _finite(values, rows, what, blank)


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
    return _spread(traced, rows, what, blank)


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
    if isinstance(rows, LXRows):
        try:
            return _as_list(_trace(function, rows), len(rows))
        except Unproven:
            pass
    results: list[Any] = []
    extend(results, function, rows)
    return results


def _as_list(traced: Any, size: int) -> list[Any]:
    """Return a traced key as Python values, one per row."""
    if type(traced) is tuple:
        return list(zip(*(_as_list(part, size) for part in traced), strict=True))
    if type(traced) is _Numbers:
        values: list[Any] = traced._values.tolist()
        return values if traced._bound is None else [int(value) for value in values]
    if type(traced) is _Values:
        return traced._column[traced._positions].tolist()  # type: ignore[no-any-return]
    if type(traced) is _Records:
        table = traced._lx_table
        return [None if p == MISSING else table.record(p) for p in traced._lx_positions.tolist()]
    raise Unproven


def rows_reached(function: RowFunction, rows: LXRows | Sequence[Any]) -> LXRows | None:
    """Return the rows of another table that the function leads to, where it is proven to; else None."""
    if not isinstance(rows, LXRows):
        return None
    try:
        traced = _trace(function, rows)
    except Unproven:
        return None
    return LXRows(traced._lx_table, traced._lx_positions) if type(traced) is _Records else None


def are_distinct(function: RowFunction | Computed, rows: LXRows | Sequence[Any]) -> bool:
    """Whether the function is proven to give a different key for every row; False where that is not proven."""
    try:
        traced = function.over(rows) if isinstance(function, Computed) else _trace(function, rows)
        codes = np.zeros(len(rows), dtype=np.int64)
        size = 1
        for part in traced if type(traced) is tuple else (traced,):
            numbered, count = _codes(part)
            size *= max(count, 1)
            if size >= _EXACT_INTEGERS:
                return False
            codes = codes * count + numbered
    except (Unproven, TypeError):  # TypeError: a value that is not hashable
        return False
    if size <= 4 * len(rows):
        return bool(np.bincount(codes, minlength=1).max() <= 1)
    return len(np.unique(codes)) == len(rows)


def _codes(part: Any) -> tuple[Positions, int]:
    """Return a traced part as whole numbers that are equal exactly where the values are, and how many there are."""
    if type(part) is _Records:
        return part._lx_positions + 1, len(part._lx_table) + 1
    if type(part) is _Values:
        codes: dict[Any, int] = {}
        numbered = np.array([codes.setdefault(value, len(codes)) for value in part._column.tolist()], dtype=np.int64)
        return numbered[part._positions], len(codes)
    if type(part) is _Numbers:
        distinct, numbered = np.unique(part._values, return_inverse=True)
        return numbered, len(distinct)
    raise Unproven

"""What a plain function is called with instead of a row: whole columns, which remember what was done with them.

Such a function does nothing but calculate and choose, so it may be called as often as one likes. Where
not all rows make a choice (`if`, `and`, `or`, `not`) the same way, it is called again for either part
of them. A field that is blank for some rows, and a relation that leads nowhere for some, are such
choices: those rows get None. So each call does for its rows exactly what the function does for each of
them, and gives the same numbers, bit for bit.

Names begin with an underscore here, which no plain function may reach.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from .columns import Booleans, LXColumn, Positions
from .gate import plainness, with_replaced
from .orm import ATOMS
from .records import MISSING, LXRecord, LXRows, LXTable, RowFunction, reached_once

_EXACT_INTEGERS = 2.0**53  # floats hold every integer below this
_MOST_PARTS = 64
_VALUES = ATOMS - {type(None)}


class Unproven(Exception):
    """The column way is not proven for this function and these rows."""


class _Split(Exception):
    """A choice that not all rows make the same way."""

    def __init__(self, mask: Booleans) -> None:
        super().__init__()
        self.mask = mask


class _Path:
    """The choices of one call: those that are given, and then those that all its rows make the same way."""

    def __init__(self, given: list[bool]) -> None:
        self.choices = list(given)
        self._made = 0

    def choose(self, mask: Booleans) -> bool:
        """Return the choice that all rows make; raises where they differ."""
        if self._made == len(self.choices):
            chosen = bool(mask.any())
            if chosen and not mask.all():
                raise _Split(mask)
            self.choices.append(chosen)
        self._made += 1
        return self.choices[self._made - 1]


class Traced:
    """What stands for one value per row. What it does not say is not proven."""

    __slots__ = ("_path",)

    def __init__(self, path: _Path | None) -> None:
        self._path = path

    def _truth(self) -> Booleans:
        raise Unproven

    def _compared(self, other: Any, operation: Callable[[Any, Any], Any]) -> Any:
        raise Unproven

    def __bool__(self) -> bool:
        if self._path is None:
            raise Unproven
        return self._path.choose(self._truth())

    def __eq__(self, other: Any) -> Any:
        return self._compared(other, operator.eq)

    def __ne__(self, other: Any) -> Any:
        return self._compared(other, operator.ne)

    def __lt__(self, other: Any) -> Any:
        return self._compared(other, operator.lt)

    def __le__(self, other: Any) -> Any:
        return self._compared(other, operator.le)

    def __gt__(self, other: Any) -> Any:
        return self._compared(other, operator.gt)

    def __ge__(self, other: Any) -> Any:
        return self._compared(other, operator.ge)

    __hash__ = None  # type: ignore[assignment]


class Truths(Traced):
    """True or False for each row."""

    __slots__ = ("_values",)

    def __init__(self, values: Booleans, path: _Path | None) -> None:
        super().__init__(path)
        self._values = values

    def _truth(self) -> Booleans:
        return self._values


class Numbers(Traced):
    """A number for each row, with a bound while all of them are integers."""

    __slots__ = ("_bound", "_values")

    def __init__(self, values: npt.NDArray[Any], bound: float | None, path: _Path | None) -> None:
        super().__init__(path)
        self._values = values
        self._bound = bound  # of the absolute value; None for floats

    def _with(self, other: Any) -> tuple[npt.NDArray[Any], float | None]:
        if type(other) is Numbers:
            return other._values, other._bound
        if type(other) is int and abs(other) < _EXACT_INTEGERS:
            return np.float64(other), float(abs(other))  # type: ignore[return-value]
        if type(other) is float:
            return np.float64(other), None  # type: ignore[return-value]
        raise Unproven

    def _result(self, values: npt.NDArray[Any], bound: float | None) -> Numbers:
        if bound is not None and bound >= _EXACT_INTEGERS:
            raise Unproven
        return Numbers(values, bound, self._path)

    def _sum(self, other: Any, sign: float, *, swapped: bool = False) -> Numbers:
        values, bound = self._with(other)
        left, right = (values, self._values) if swapped else (self._values, values)
        both = None if self._bound is None or bound is None else self._bound + bound
        return self._result(left + right if sign > 0 else left - right, both)

    def __add__(self, other: Any) -> Numbers:
        return self._sum(other, 1)

    def __radd__(self, other: Any) -> Numbers:
        return self._sum(other, 1, swapped=True)

    def __sub__(self, other: Any) -> Numbers:
        return self._sum(other, -1)

    def __rsub__(self, other: Any) -> Numbers:
        return self._sum(other, -1, swapped=True)

    def __mul__(self, other: Any) -> Numbers:
        values, bound = self._with(other)
        return self._result(
            self._values * values, None if self._bound is None or bound is None else self._bound * bound
        )

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Numbers:
        return self._quotient(self._values, self._with(other)[0])

    def __rtruediv__(self, other: Any) -> Numbers:
        return self._quotient(self._with(other)[0], self._values)

    def _quotient(self, above: npt.NDArray[Any], below: npt.NDArray[Any]) -> Numbers:
        if np.any(below == 0):
            raise Unproven
        return Numbers(above / below, None, self._path)

    def __neg__(self) -> Numbers:
        return Numbers(-self._values, self._bound, self._path)

    def _truth(self) -> Booleans:
        truth: Booleans = self._values != 0
        return truth

    def _compared(self, other: Any, operation: Callable[[Any, Any], Any]) -> Any:
        return Truths(operation(self._values, self._with(other)[0]), self._path)


class Values(Traced):
    """A value that is no number (text, a date) for each row: a key, or compared with its like, one by one."""

    __slots__ = ("_column", "_positions")

    def __init__(self, column: npt.NDArray[Any], positions: Positions, path: _Path | None) -> None:
        super().__init__(path)
        self._column = column
        self._positions = positions

    def _list(self) -> list[Any]:
        return self._column[self._positions].tolist()  # type: ignore[no-any-return]

    def _check(self) -> None:
        """Raise unless every value is one of Python's own, whose comparison does nothing else, and none is None."""
        used = reached_once(self._positions, len(self._column))
        if not _VALUES.issuperset(map(type, self._column[used].tolist())):
            raise Unproven

    def _judged(self, judge: Callable[[list[Any]], Iterable[Any]]) -> Booleans:
        """Return what `judge` says of each row's value; a value that several rows reach is judged once."""
        used = reached_once(self._positions, len(self._column))
        found = np.zeros(len(self._column), dtype=np.bool_)
        found[used] = np.fromiter(judge(self._column[used].tolist()), dtype=np.bool_, count=len(used))
        return found[self._positions]

    def _truth(self) -> Booleans:
        return self._judged(lambda values: map(bool, values))

    def _compared(self, other: Any, operation: Callable[[Any, Any], Any]) -> Any:
        if self._path is None:
            raise Unproven
        if type(other) is Values:
            mine, others = self._list(), other._list()
            found = np.fromiter(map(operation, mine, others), dtype=np.bool_, count=len(mine))
        elif type(other) in ATOMS:
            found = self._judged(lambda values: map(operation, values, repeat(other)))
        else:
            raise Unproven
        return Truths(found, self._path)


class Rows(Traced):
    """Rows of a table: fields of them are columns, relations are rows again."""

    __slots__ = ("_positions", "_table")

    def __init__(self, table: LXTable, positions: Positions, path: _Path | None) -> None:
        super().__init__(path)
        self._table = table
        self._positions = positions

    def __getattr__(self, field: str) -> Any:
        table, positions, path = self._table, self._positions, self._path
        link = table.links.get(field)
        if link is not None and field not in table.columns:
            if link.target is None or (link.positions < MISSING).any():
                raise Unproven
            reached = _follow(link.positions, positions)
            if path is not None and path.choose(reached == MISSING):
                return None
            return Rows(link.target, reached, path)
        column = table.columns.get(field)
        if column is None or np.any(positions == MISSING) or (path is not None and table.unloaded.get(field)):
            raise Unproven  # row by row says which field or which row
        if column.nulls is not None:
            blank = column.nulls[positions]
            if path is None and blank.any():
                raise Unproven
            if path is not None and path.choose(blank):
                return None
        return _field(column, positions, path)

    def _truth(self) -> Booleans:
        return np.ones(len(self._positions), dtype=np.bool_)

    def _compared(self, other: Any, operation: Callable[[Any, Any], Any]) -> Any:
        if operation not in (operator.eq, operator.ne) or self._path is None:
            raise Unproven
        if type(other) is Rows and other._table is self._table:
            same = self._positions == other._positions
        elif type(other) is Captured and other._record._table is self._table:
            same = self._positions == other._record._position
        elif type(other) in (Rows, Captured) or other is None:
            same = np.zeros(len(self._positions), dtype=np.bool_)
        else:
            raise Unproven
        return Truths(same if operation is operator.eq else ~same, self._path)


class Captured(Traced):
    """A record that the function holds: one for all rows."""

    __slots__ = ("_record",)

    def __init__(self, record: LXRecord) -> None:
        super().__init__(None)
        self._record = record

    def __getattr__(self, field: str) -> Any:
        value = getattr(self._record, field)
        if type(value) is LXRecord:
            return Captured(value)
        if type(value) not in ATOMS:
            raise Unproven  # what reading it does is not known
        return value

    def __bool__(self) -> bool:
        return True

    def _compared(self, other: Any, operation: Callable[[Any, Any], Any]) -> Any:
        if type(other) is Rows:
            return other._compared(self, operation)
        if other is not None and type(other) is not Captured:
            raise Unproven
        return operation(self._record, None if other is None else other._record)


def _follow(link: Positions, positions: Positions) -> Positions:
    """Return where `link` leads from `positions`; from no row it leads to no row."""
    if not len(link):
        return np.full(len(positions), MISSING, dtype=np.int64)
    followed: Positions = link[positions]
    lost = positions == MISSING
    if lost.any():
        followed[lost] = MISSING
    return followed


def _field(column: LXColumn, positions: Positions, path: _Path | None) -> Traced:
    """Return a column of rows none of which is blank."""
    kind = column.values.dtype
    if kind == np.bool_:
        return Truths(column.values[positions], path)
    if kind not in (np.float64, np.int64):
        found = Values(column.values, positions, path)
        if path is not None:
            found._check()
        return found
    values = column.values[positions]
    if kind == np.float64:
        return Numbers(values, None, path)
    bound = float(max(abs(int(values.max())), abs(int(values.min())))) if len(values) else 0.0
    if bound >= _EXACT_INTEGERS:
        raise Unproven
    return Numbers(values.astype(np.float64), bound, path)


# --- calling --------------------------------------------------------------------------------


Part = tuple[Positions | None, Any]  # where in the rows (None: all of them), and what the function gives there


def trace(function: RowFunction, rows: LXRows, *, blanks: bool) -> list[Part]:
    """Return what the function gives on whole columns, part by part of the rows; raises Unproven.

    Without `blanks` a function that makes no choices is called once: a relation that leads nowhere
    for some rows is MISSING there, and a field that is blank is not proven.
    """
    arguments = len(rows.table.dimensions) or 1
    plain = plainness(function, arguments, LXRecord)
    if plain is None or not len(rows):
        raise Unproven
    if plain.holds_records:
        function = with_replaced(function, lambda held: Captured(held) if type(held) is LXRecord else held)
    found: list[Part] = []
    waiting: list[tuple[Positions | None, list[bool]]] = [(None, [])]
    while waiting:
        where, given = waiting.pop()
        path = _Path(given) if blanks or plain.chooses else None
        chosen = rows if where is None else LXRows(rows.table, rows.positions[where])
        try:
            with np.errstate(all="ignore"):
                found.append((where, function(*traced_rows(chosen, path))))
        except _Split as split:
            assert path is not None
            for choice in (False, True):
                part = np.flatnonzero(split.mask == choice)
                waiting.append((part if where is None else where[part], [*path.choices, choice]))
        except (TypeError, AttributeError, ArithmeticError, NameError) as error:
            raise Unproven from error
        if len(found) + len(waiting) > _MOST_PARTS:
            raise Unproven
    return found


def traced_rows(rows: Any, path: _Path | None = None) -> tuple[Any, ...]:
    """Return the rows as arguments of a traced call: the row, or the row of each dimension; none for plain objects."""
    if not isinstance(rows, LXRows):
        return ()
    row = Rows(rows.table, rows.positions, path)
    return tuple(getattr(row, name) for name in rows.table.dimensions) or (row,)

"""Typed columns: the values of one field for all rows, in numpy where every value has the same plain type."""

from __future__ import annotations

import copy
import struct
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from .errors import LXModelError
from .orm import ATOMS

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]


class LXColumn:
    """One field of all rows: numpy values and, where a row has no value, a mark in `nulls`."""

    __slots__ = ("nulls", "values")

    def __init__(self, values: npt.NDArray[Any], nulls: Booleans | None = None) -> None:
        self.values = values
        self.nulls = nulls if nulls is not None and nulls.any() else None

    @classmethod
    def of(cls, values: Sequence[Any] | npt.NDArray[Any], kind: type | None = None) -> LXColumn:
        """Return the column of `values`: float64, int64 or bool where every value is exactly that.

        None marks a missing value. Anything else (text, dates, Decimal, mixtures) is kept as it is.
        `kind` (float, int or bool) types a column that has no values.
        """
        if isinstance(values, np.ndarray) and values.ndim != 1:
            raise LXModelError(f"A column has one value per row; this one has the shape {values.shape}.")
        if isinstance(values, np.ndarray) and values.dtype in _DTYPES.values():
            return cls(values)
        if isinstance(values, np.ndarray):
            values = values.tolist()  # other widths and texts: as Python values, which are exact
        listed = cast(Sequence[Any], values)
        starts = range(0, len(listed), _CHUNK)
        return cls.together([_column_of_chunk(listed[start : start + _CHUNK], kind) for start in starts], kind)

    @classmethod
    def of_rows(cls, rows: Iterable[Sequence[Any]], kinds: Sequence[type | None]) -> list[LXColumn]:
        """Return the columns of rows that are sequences of equal length: one for each of `kinds`, as `of` makes it."""
        parts: list[list[LXColumn]] = [[] for _ in kinds]
        waiting = iter(rows)
        while chunk := list(islice(waiting, _CHUNK)):
            for made, values, kind in zip(parts, zip(*chunk, strict=True), kinds, strict=True):
                made.append(_column_of_chunk(values, kind))
        return [cls.together(made, kind) for made, kind in zip(parts, kinds, strict=True)]

    @classmethod
    def missing(cls, size: int, kind: type | None = None) -> LXColumn:
        """Return a column without a value, which could hold what is of `kind`."""
        values = np.zeros(size, dtype=_DTYPES[kind]) if kind in _DTYPES else np.full(size, None, dtype=object)
        return cls(values, np.ones(size, dtype=np.bool_))

    @classmethod
    def together(cls, parts: Sequence[LXColumn], kind: type | None = None) -> LXColumn:
        """Return the parts one after the other, typed as the column of all their values would be."""
        if len(parts) <= 1:
            return parts[0] if parts else cls.missing(0, kind)
        blanks = [bool(part.is_null.all()) for part in parts]
        all_types = {part.values.dtype for part in parts}
        types = {part.values.dtype for part, blank in zip(parts, blanks, strict=True) if not blank} or all_types
        wanted = types.pop() if len(types) == 1 else np.dtype(object)
        arrays = [_retyped(part, wanted) for part in parts]
        no_nulls = all(part.nulls is None for part in parts)
        return cls(np.concatenate(arrays), None if no_nulls else np.concatenate([part.is_null for part in parts]))

    def __len__(self) -> int:
        return len(self.values)

    def get(self, position: int) -> Any:
        """Return the Python value at `position`, or None."""
        if self.nulls is not None and self.nulls[position]:
            return None
        value = self.values[position]
        return value.item() if isinstance(value, np.generic) else value

    def set(self, position: int, value: Any) -> None:
        """Write `value` at `position`; what the column's type can't hold raises."""
        if value is None:
            if self.nulls is None:
                self.nulls = np.zeros(len(self.values), dtype=np.bool_)
            self.nulls[position] = True
            self.values[position] = None if self.values.dtype == object else 0  # equal data are equal bytes
            return
        wanted = self.values.dtype
        if wanted.kind != "O" and not _fits(value, wanted):
            raise LXModelError(f"{value!r} does not fit a column of {wanted}. Give a value of that type.")
        self.values[position] = value
        if self.nulls is not None:
            self.nulls[position] = False

    def take(self, positions: Positions) -> LXColumn:
        """Return the column of the rows at `positions`."""
        return LXColumn(self.values[positions], None if self.nulls is None else self.nulls[positions])

    def __deepcopy__(self, memo: dict[Any, Any]) -> LXColumn:
        nulls = None if self.nulls is None else self.nulls.copy()
        if self.values.dtype != object or ATOMS.issuperset(map(type, self.values.tolist())):
            return LXColumn(self.values.copy(), nulls)
        held = [copy.deepcopy(value, memo) for value in self.values.tolist()]
        return LXColumn(np.fromiter(held, dtype=object, count=len(held)), nulls)

    def filled(self, blank: float) -> Floats:
        """Return the values as floats, with `blank` where there is none."""
        values = np.asarray(self.values, dtype=np.float64)
        return values if self.nulls is None else np.where(self.nulls, blank, values)

    @property
    def is_null(self) -> Booleans:
        """Where there is no value."""
        return np.zeros(len(self.values), dtype=np.bool_) if self.nulls is None else self.nulls

    def tolist(self) -> list[Any]:
        """Return the Python values, None where there is none."""
        values: list[Any] = self.values.tolist()
        if self.nulls is None:
            return values
        return [None if null else value for value, null in zip(values, self.nulls.tolist(), strict=True)]


_DTYPES: dict[type, type] = {float: np.float64, int: np.int64, bool: np.bool_}
_CODES = {float: "d", int: "q", bool: "?"}  # of struct, which writes plain values several times as fast as numpy
_CHUNK = 2048  # rows that are turned at a time: their values stay in the processor's cache from pass to pass


def _column_of_chunk(values: Sequence[Any], kind: type | None) -> LXColumn:
    """Return the column of a few values, as `LXColumn.of` makes it."""
    size = len(values)
    if kind is not None and values[0] is None and values.count(None) == size:  # the usual case, and the fastest look
        return LXColumn.missing(size, kind)
    types = list(map(type, values))
    kinds = {types[0]} if types.count(types[0]) == size else set(types)
    has_nulls = type(None) in kinds
    kinds.discard(type(None))
    if not kinds:
        return LXColumn.missing(size, kind)
    only = kinds.pop() if len(kinds) == 1 else object
    if only in _DTYPES:
        made: npt.NDArray[Any] = np.empty(size, dtype=_DTYPES[only])
        zero = only()
        filled = [zero if value is None else value for value in values] if has_nulls else values
        try:
            struct.pack_into(f"{size}{_CODES[only]}", made.data, 0, *filled)
        except struct.error:
            pass  # an integer beyond 64 bits stays a Python integer
        else:
            return LXColumn(made, _nulls_among(values, np.flatnonzero(made == 0)) if has_nulls else None)
    made = np.fromiter(values, dtype=object, count=size)  # lists stay lists
    return LXColumn(made, _nulls_among(values, np.arange(size)) if has_nulls else None)


def _nulls_among(values: Sequence[Any], places: Positions) -> Booleans:
    """Return where there is no value; there is one everywhere but at `places`, where it has to be looked at."""
    nulls = np.zeros(len(values), dtype=np.bool_)
    nulls[places] = [values[place] is None for place in places.tolist()]
    return nulls


def _retyped(part: LXColumn, wanted: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return the values of a part as `wanted`: object, or another type that a part without values takes."""
    if part.values.dtype == wanted:
        return part.values
    if wanted.kind == "O":
        return np.fromiter(part.tolist(), dtype=object, count=len(part))
    return np.zeros(len(part), dtype=wanted)


def _fits(value: Any, wanted: np.dtype[Any]) -> bool:
    """Whether a typed column holds `value` exactly: its own type, or a whole number that a float holds."""
    if type(value) is int and wanted == np.float64:
        return abs(value) <= 2**53
    held = np.asarray(value)
    return held.ndim == 0 and held.dtype == wanted

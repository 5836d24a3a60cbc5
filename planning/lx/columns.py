"""Typed columns: the values of one field for all rows, in numpy where every value has the same plain type."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import repeat
from operator import is_
from typing import Any

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
        if isinstance(values, np.ndarray) and values.dtype != object:
            values = values.tolist()  # other widths and texts: as Python values, which are exact
        kinds = set(map(type, values))
        nulls: Booleans | None = None
        if type(None) in kinds:
            kinds.discard(type(None))
            if not kinds and kind in _DTYPES:
                return cls(np.zeros(len(values), dtype=_DTYPES[kind]), np.ones(len(values), dtype=np.bool_))
            nulls = np.fromiter(map(is_, values, repeat(None)), dtype=np.bool_, count=len(values))
        if not kinds and kind is not None:
            kinds = {kind}
        dtype = _DTYPES.get(next(iter(kinds))) if len(kinds) == 1 else None
        if dtype is not None:
            filled = values if nulls is None else [0 if value is None else value for value in values]
            try:
                return cls(np.array(filled, dtype=dtype), nulls)
            except OverflowError:
                pass  # an integer beyond 64 bits stays a Python integer
        return cls(np.fromiter(values, dtype=object, count=len(values)), nulls)  # lists stay lists

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

    def joined(self, other: LXColumn) -> LXColumn:
        """Return this column followed by another."""
        if self.values.dtype != other.values.dtype:
            return LXColumn.of([*self.tolist(), *other.tolist()])
        nulls = None if self.nulls is other.nulls is None else np.concatenate([self.is_null, other.is_null])
        return LXColumn(np.concatenate([self.values, other.values]), nulls)

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


def _fits(value: Any, wanted: np.dtype[Any]) -> bool:
    """Whether a typed column holds `value` exactly: its own type, or a whole number that a float holds."""
    if type(value) is int and wanted == np.float64:
        return abs(value) <= 2**53
    held = np.asarray(value)
    return held.ndim == 0 and held.dtype == wanted

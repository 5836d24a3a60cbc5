"""Where keys and rows stand in a family."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np

from .closures import copied_object
from .columns import Positions
from .errors import LXModelError
from .evaluate import Computed, are_distinct, keys, rows_reached
from .keys import FIELD, LXKeyColumns, LXKeyFields
from .orm import orm_label, primary_key, shape_of
from .records import MISSING, LXRecord, LXRows, RowFunction


class LXIndex:
    """Positions of a family's members by key, by row, and for whole columns of either."""

    def __init__(
        self,
        owner: str,
        rows: LXRows | list[Any],
        function: RowFunction | Computed | None,
        listed: list[Hashable] | None = None,
    ) -> None:
        self.owner = owner
        self._rows = rows
        self._function = function
        self._listed = listed
        self._is_proven = False  # that no key occurs twice
        self._by_key: dict[Hashable, int] | None = None
        self._by_row: Positions | None = None
        self._is_every_row = False  # whether the rows are all those of their table, in its order
        self._by_primary: dict[Any, int] | None = None  # primary key -> position in the rows' table

    def __deepcopy__(self, memo: dict[Any, Any]) -> LXIndex:
        made: LXIndex = copied_object(self, memo, _by_key=None, _by_row=None, _by_primary=None)
        return made

    def __repr__(self) -> str:
        return f"<Index of {self.owner}>"

    @property
    def by_key(self) -> dict[Hashable, int]:
        """The position of each key; a key that occurs twice raises."""
        if self._by_key is None:
            listed = self._listed
            if listed is None:
                assert self._function is not None
                listed = keys(self._function, self._rows)
            try:
                by_key = {key: position for position, key in enumerate(listed)}
            except TypeError as error:
                raise LXModelError(
                    f"{self.owner} has a key that is not hashable. Give text, numbers or tuples."
                ) from error
            if len(by_key) != len(listed):
                twice = next(key for position, key in enumerate(listed) if by_key[key] != position)
                raise LXModelError(
                    f"{self.owner} has the key {twice!r} twice. Make indexed_by return a key of its own for each row."
                )
            self._by_key = by_key
        return self._by_key

    def check(self) -> bool:
        """Raise where a key occurs twice; say whether that was proven on columns, without asking for each key."""
        if self._is_proven:
            return True
        if self._by_key is None and self._function and are_distinct(self._function, self._rows):
            self._is_proven = isinstance(self._function, LXKeyColumns)  # which nothing changes
            return True
        self.by_key  # noqa: B018
        return False

    def is_like(self, other: LXIndex) -> bool:
        """Whether the keys come from the same rows by the same function."""
        mine, rows = self._rows, other._rows
        return (
            self._function is not None
            and self._function is other._function
            and isinstance(mine, LXRows)
            and isinstance(rows, LXRows)
            and mine.table is rows.table
            and np.array_equal(mine.positions, rows.positions)
        )

    @property
    def by_row(self) -> Positions:
        """For each position of the rows' table the position in the family, or MISSING."""
        if self._by_row is None:
            assert isinstance(self._rows, LXRows)
            every = np.arange(self._rows.table.size, dtype=np.int64)
            self._is_every_row = np.array_equal(self._rows.positions, every)
            if self._is_every_row:
                self._by_row = every
                return every
            self._by_row = np.full(self._rows.table.size, MISSING, dtype=np.int64)
            self._by_row[self._rows.positions] = np.arange(len(self._rows), dtype=np.int64)
            if np.count_nonzero(self._by_row != MISSING) != len(self._rows):
                raise LXModelError(
                    f"{self.owner} has the same row of {self._rows.table.name} twice. Give each row once."
                )
        return self._by_row

    def find(self, key: Any) -> int:
        """Return the position of a key or row; one that is not there raises."""
        position = self._place(key)
        if position == MISSING:
            raise LXModelError(f"{self.owner} has no key {key!r}.")
        return position

    def find_all(self, function: RowFunction, rows: LXRows | list[Any]) -> Positions:
        """Return where the key or row that `function` gives for each of `rows` stands, MISSING where it does not."""
        reached = rows_reached(function, rows)
        if reached is not None and isinstance(self._rows, LXRows) and reached.table is self._rows.table:
            if not self._rows.table.size:
                return np.full(len(rows), MISSING, dtype=np.int64)
            by_row = self.by_row
            if self._is_every_row:
                return reached.positions
            found: Positions = by_row[reached.positions]
            lost = reached.positions == MISSING
            if lost.any():
                found[lost] = MISSING
            return found
        listed = keys(function, rows)
        if set(map(type, listed)) <= _PLAIN:
            by_key = self.by_key
            return np.array([by_key.get(key, MISSING) for key in listed], dtype=np.int64)
        return np.array([self._place(key) for key in listed], dtype=np.int64)

    def place(self, key: Any) -> int:
        """Return the position of a key or row, or MISSING."""
        return self._place(key)

    def _place(self, key: Any) -> int:
        """Return the position of a key or row, or MISSING."""
        if isinstance(key, LXRecord) and isinstance(self._rows, LXRows) and key._table is self._rows.table:
            return int(self.by_row[key._position])
        try:
            position = self.by_key.get(key, MISSING)
        except TypeError:  # not hashable: no key, but perhaps a row
            position = MISSING
        return self._place_of_row(key) if position == MISSING and type(key) not in _PLAIN else position

    def _place_of_row(self, row: Any) -> int:
        """Return the position of the family's row that `row` stands for, or MISSING: an ORM row, or a plain object."""
        if not isinstance(self._rows, LXRows):
            if not callable(self._function) or not self._rows or type(row) is not type(self._rows[0]):
                return MISSING
            return self.by_key.get(self._function(row), MISSING)
        table = self._rows.table
        label = row._table.name if isinstance(row, LXRecord) else orm_label(row)
        if table.key is None or label != table.name:
            return MISSING
        if self._by_primary is None:
            self._by_primary = {key: position for position, key in enumerate(table.primary_keys())}
        primary = row.pk if isinstance(row, LXRecord) else primary_key(row, shape_of(row))
        position = self._by_primary.get(primary, MISSING)
        return MISSING if position == MISSING else int(self.by_row[position])


def check_keys(indexes: Iterable[LXIndex | None]) -> None:
    """Refuse keys that occur twice. Families with the same rows and the same function share their proof."""
    proven: list[LXIndex] = []
    for index in indexes:
        if index is not None and not any(index.is_like(other) for other in proven) and index.check():
            proven.append(index)


_PLAIN = {str, int, float, bool, tuple, type(None)}


EVERY: Any = object()  # stands for every member of a family


def key_of_rows(owner: str, rows: LXRows | list[Any]) -> LXKeyFields:
    """Return the primary key of the rows: the key of a family that names no other."""
    if not isinstance(rows, LXRows) or rows.table.key is None:
        raise LXModelError(f"{owner} has no index, and its rows no primary key. Give its key with indexed_by.")
    key = rows.table.key
    fields = (key,) if isinstance(key, str) else key
    return LXKeyFields(tuple((FIELD, 0, (), field) for field in fields), is_tuple=key is fields)


def named(name: str, key: Hashable) -> str:
    """Return the readable name of a family's member: `make[Chair,Week 1]`; a single one has the key None."""
    if key is None:
        return name
    return f"{name}[{','.join(map(str, key)) if isinstance(key, tuple) else key}]"

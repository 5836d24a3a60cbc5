"""Where keys and rows stand in a family."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from .errors import LXModelError
from .evaluate import keys, rows_reached
from .records import MISSING, LXRecord, LXRows, Positions, RowFunction


class LXIndex:
    """Positions of a family's members by key, by row, and for whole columns of either."""

    def __init__(
        self,
        owner: str,
        rows: LXRows | list[Any],
        function: RowFunction | None,
        listed: list[Hashable] | None = None,
    ) -> None:
        self.owner = owner
        self._rows = rows
        self._function = function
        self._listed = listed
        self._by_key: dict[Hashable, int] | None = None
        self._by_row: Positions | None = None

    @property
    def by_key(self) -> dict[Hashable, int]:
        """The position of each key; a key that occurs twice raises."""
        if self._by_key is None:
            listed = self._listed
            if listed is None:
                assert self._function is not None
                listed = keys(self._function, self._rows)
            by_key = {key: position for position, key in enumerate(listed)}
            if len(by_key) != len(listed):
                twice = next(key for position, key in enumerate(listed) if by_key[key] != position)
                raise LXModelError(
                    f"{self.owner} has the key {twice!r} twice. Make indexed_by return a key of its own for each row."
                )
            self._by_key = by_key
        return self._by_key

    @property
    def by_row(self) -> Positions:
        """For each position of the rows' table the position in the family, or MISSING."""
        if self._by_row is None:
            assert isinstance(self._rows, LXRows)
            self._by_row = np.full(self._rows.table.size, MISSING, dtype=np.int64)
            self._by_row[self._rows.positions] = np.arange(len(self._rows), dtype=np.int64)
        return self._by_row

    def find(self, key: Any) -> int:
        """Return the position of a key or row; one that is not there raises."""
        if isinstance(key, LXRecord) and isinstance(self._rows, LXRows) and key._table is self._rows.table:
            position = int(self.by_row[key._position])
        else:
            position = self.by_key.get(key, MISSING)
            if position == MISSING and self._function is not None and not isinstance(key, (str, int, float, tuple)):
                position = self.by_key.get(self._function(key), MISSING)
        if position == MISSING:
            raise LXModelError(f"{self.owner} has no key {key!r}.")
        return position

    def find_all(self, function: RowFunction, rows: LXRows | list[Any]) -> Positions:
        """Return where the key or row that `function` gives for each of `rows` stands, MISSING where it does not."""
        reached = rows_reached(function, rows)
        if reached is not None and isinstance(self._rows, LXRows) and reached.table is self._rows.table:
            if not self._rows.table.size:
                return np.full(len(rows), MISSING, dtype=np.int64)
            return np.where(reached.positions == MISSING, MISSING, self.by_row[reached.positions])
        listed = keys(function, rows)
        if any(isinstance(key, LXRecord) for key in listed):
            return np.array([self._find_or_missing(key) for key in listed], dtype=np.int64)
        by_key = self.by_key
        return np.array([by_key.get(key, MISSING) for key in listed], dtype=np.int64)

    def _find_or_missing(self, key: Any) -> int:
        if isinstance(key, LXRecord) and isinstance(self._rows, LXRows) and key._table is self._rows.table:
            return int(self.by_row[key._position])
        return self.by_key.get(key, MISSING)

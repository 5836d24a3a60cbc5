"""Families over several dimensions: one variable per combination of rows, `assignment[lecture, slot, room]`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Generic

import numpy as np

from .adopt import adopt_functions, adopt_rows
from .columns import Positions
from .detach import queryset_of
from .errors import LXModelError
from .evaluate import Computed, keys, mask
from .index import LXIndex
from .orm import is_session
from .records import MISSING, LXLink, LXProduct, LXRows, LXTable, RowFunction
from .signatures import Manager, Session, T


@dataclass
class _Condition:
    """A condition on a row."""

    function: RowFunction


@dataclass
class _Match:
    """A condition `own(row) == other(row of an earlier dimension)`."""

    own: RowFunction
    other: RowFunction
    dimension: int


class LXIndexDimension(Generic[T]):
    """One dimension of a family: its rows and their keys.

    LXIndexDimension(TimeSlot, lambda slot: slot.id).from_model(session).where(lambda slot: slot.is_open)
    """

    def __init__(self, model: type[T], key: Callable[[T], Hashable]) -> None:
        self.model = model
        self.key = key
        self._source: Any = None
        self._where: list[_Condition] = []
        self._matches: list[_Match] = []

    @property
    def name(self) -> str:
        """What the dimension is called in messages: its model's name."""
        return str(getattr(self.model, "__name__", self.model))

    def from_model(self, source: Iterable[T] | Manager[T] | Session | None = None) -> LXIndexDimension[T]:
        """Take the rows of the model, through a session where the ORM needs one, or of a queryset or query."""
        if is_session(source):
            self._source = queryset_of(self.model, self.name, source)
        else:
            self._source = queryset_of(self.model if source is None else source, self.name)
        return self

    def from_data(self, rows: Iterable[T] | LXTable | LXRows) -> LXIndexDimension[T]:
        """Take the rows from detached rows, a table, or a list of objects."""
        self._source = rows
        return self

    def where(self, condition: Callable[[T], bool]) -> LXIndexDimension[T]:
        """Keep the rows for which the condition is true."""
        self._where.append(_Condition(condition))
        return self

    def match(
        self, own: Callable[[T], Hashable], other: Callable[[Any], Hashable], *, dimension: int = 0
    ) -> LXIndexDimension[T]:
        """Combine a row only with rows of an earlier dimension for which `other(row) == own(row)`.

        The pairs are found by their values; combinations that don't match are never looked at.
        """
        self._matches.append(_Match(own, other, dimension))
        return self

    def taken(self, owner: str, memo: dict[Any, Any]) -> LXIndexDimension[T]:
        """Return the dimension with functions that hold no live row; this one stays for other families."""
        made = copy(self)
        made._where = [replace(condition) for condition in self._where]
        made._matches = [replace(match) for match in self._matches]
        path = f"{owner} › dimension {self.name}"
        places: list[tuple[str, Any, str]] = [(f"{path} › key", made, "key")]
        places += [(f"{path} › where {i}", condition, "function") for i, condition in enumerate(made._where, start=1)]
        for i, match in enumerate(made._matches, start=1):
            places += [(f"{path} › match {i}", match, "own"), (f"{path} › match {i} of the other", match, "other")]
        adopt_functions(places, memo)
        return made

    def rows(self, memo: dict[Any, Any]) -> LXRows | list[Any]:
        """Return the detached rows of the dimension."""
        if self._source is None:
            raise LXModelError(f"Dimension {self.name} has no rows. Give them with from_data or from_model.")
        rows: LXRows | list[Any] = adopt_rows(f"dimension {self.name}", self._source, memo)
        for condition in self._where:
            kept = mask(condition.function, rows, what=f"The condition on {self.name}")
            rows = rows.where(kept) if isinstance(rows, LXRows) else [r for r, k in zip(rows, kept, strict=True) if k]
        return rows

    def matches(self) -> list[_Match]:
        """Return the conditions that join this dimension to earlier ones."""
        return self._matches


@dataclass
class Combination:
    """The rows of a family over several dimensions, and their keys."""

    rows: LXRows | list[Any]
    keys: list[Hashable]
    parts: list[LXIndex]  # of each dimension


def combine(
    owner: str, dimensions: tuple[LXIndexDimension[Any], ...], where: RowFunction | None, memo: dict[Any, Any]
) -> Combination:
    """Return every combination of the dimensions' rows that the matches and `where` allow, the last one fastest."""
    dimensions = tuple(dimension.taken(f"{owner[0].lower()}{owner[1:]}", memo) for dimension in dimensions)
    sources = [dimension.rows(memo) for dimension in dimensions]
    chosen: list[Positions] = []
    for dimension, rows in zip(dimensions, sources, strict=True):
        chosen = _extend(owner, dimension, rows, sources, chosen)
    parts = [
        LXIndex(f"Dimension {dimension.name} of {owner}", rows, dimension.key)
        for dimension, rows in zip(dimensions, sources, strict=True)
    ]
    combined = _rows(owner, sources, chosen)
    if where is not None:
        kept = mask(where, combined, what=f"The condition on {owner}")
        chosen = [positions[kept] for positions in chosen]
        combined = _rows(owner, sources, chosen)
    listed = [list(part.by_key) for part in parts]
    named = [[names[p] for p in positions.tolist()] for names, positions in zip(listed, chosen, strict=True)]
    return Combination(combined, list(zip(*named, strict=True)), parts)


def _extend(
    owner: str,
    dimension: LXIndexDimension[Any],
    rows: LXRows | list[Any],
    sources: list[Any],
    chosen: list[Positions],
) -> list[Positions]:
    """Combine what is chosen of the earlier dimensions with the rows of the next one."""
    count = len(rows)
    if not chosen:
        if dimension.matches():
            raise LXModelError(f"{owner}: the first dimension, {dimension.name}, has none before it to match.")
        return [np.arange(count, dtype=np.int64)]
    size = len(chosen[0])
    if not dimension.matches():
        repeated = [np.repeat(positions, count) for positions in chosen]
        return [*repeated, np.tile(np.arange(count, dtype=np.int64), size)]
    own = list(zip(*(keys(match.own, rows) for match in dimension.matches()), strict=True))
    places: dict[Any, list[int]] = {}
    for place, value in enumerate(own):
        places.setdefault(value, []).append(place)
    wanted = []
    for match in dimension.matches():
        if not 0 <= match.dimension < len(chosen):
            raise LXModelError(f"{owner}: {dimension.name} matches dimension {match.dimension}, not an earlier one.")
        values = keys(match.other, sources[match.dimension])
        wanted.append([values[position] for position in chosen[match.dimension].tolist()])
    found = [places.get(value, []) for value in zip(*wanted, strict=True)]
    repeats = np.array([len(f) for f in found], dtype=np.int64)
    last = np.array([place for f in found for place in f], dtype=np.int64)
    return [*(np.repeat(positions, repeats) for positions in chosen), last]


def _rows(owner: str, sources: list[Any], chosen: list[Positions]) -> LXRows | list[Any]:
    """Return the combinations as rows: of a table where every dimension is one, as tuples otherwise."""
    if all(isinstance(source, LXRows) for source in sources):
        names = tuple(str(number) for number in range(len(sources)))
        links = {
            name: LXLink(source.table, source.positions[positions])
            for name, source, positions in zip(names, sources, chosen, strict=True)
        }
        return LXTable(owner, {}, links, size=len(chosen[0]), dimensions=names).rows
    columns = ([source[p] for p in positions.tolist()] for source, positions in zip(sources, chosen, strict=True))
    return [LXProduct(rows) for rows in zip(*columns, strict=True)]


class LXProductIndex(LXIndex):
    """Positions in a family over several dimensions: each part of a key may be a key or a row."""

    def __init__(
        self,
        owner: str,
        rows: LXRows | list[Any],
        function: RowFunction | Computed | None,
        listed: list[Hashable] | None,
        parts: list[LXIndex] | None = None,
    ) -> None:
        super().__init__(owner, rows, function, listed)
        self._parts = parts
        self._part_keys: list[list[Any]] | None = None

    def _place(self, key: Any) -> int:
        """Return the position of a key or row, or MISSING."""
        position = super()._place(key)
        if position != MISSING or not isinstance(key, tuple):
            return position
        if self._parts is None:
            assert isinstance(self._rows, LXRows)
            self._parts = _parts_of(self.owner, self._rows, list(self.by_key))
        if self._part_keys is None:
            self._part_keys = [list(part.by_key) for part in self._parts]
        if len(key) != len(self._parts):
            return MISSING
        translated = []
        for value, part, names in zip(key, self._parts, self._part_keys, strict=True):
            place = part.place(value)
            if place == MISSING:
                return MISSING
            translated.append(names[place])
        return self.by_key.get(tuple(translated), MISSING)

    def find_all(self, function: RowFunction, rows: LXRows | list[Any]) -> Positions:
        """Return where the key or row that `function` gives for each of `rows` stands, MISSING where it does not."""
        found = super().find_all(function, rows)
        if not (found == MISSING).any():
            return found
        return np.array([self._place(key) for key in keys(function, rows)], dtype=np.int64)


def is_combination(rows: LXRows | list[Any]) -> bool:
    """Whether the rows are combinations of the rows of several tables."""
    return isinstance(rows, LXRows) and bool(rows.table.dimensions)


def _parts_of(owner: str, rows: LXRows, listed: list[Hashable]) -> list[LXIndex]:
    """Return an index of each dimension of a family that was read from a copy; none where its keys are no tuples."""
    links = [rows.table.links[name] for name in rows.table.dimensions]
    keys_of = [key for key in listed if isinstance(key, tuple) and len(key) == len(links)]
    parts: list[LXIndex] = []
    for number, link in enumerate(links):
        places = link.positions[rows.positions]
        if link.target is None or len(keys_of) != len(listed) or (places < 0).any():
            return []
        names = dict(zip(places.tolist(), (key[number] for key in keys_of), strict=True))
        there = LXRows(link.target, np.array(list(names), dtype=np.int64))
        parts.append(LXIndex(f"Dimension {number} of {owner}", there, None, list(names.values())))
    return parts

"""Session-free records: a table is a set of typed columns, a record is a view on one position.

Columns are the truth. Records are built only when asked for and write through to the column.
A relation is a column of positions in the detached table that it points to.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from .columns import Booleans, LXColumn, Positions
from .errors import LXDetachError, LXModelError, LXNotLoadedError
from .orm import SQLALCHEMY, orm_label, primary_key, shape_of

MISSING = -1  # a position that points to no row
UNLOADED = -(2**62)  # a position that was not loaded; an index that no array has
COPIED_TABLES = "planning.lx copied tables"  # the memo's key for {name: [tables that were copied with it]}
_OF_LIVE_ROWS = {
    "save", "delete", "refresh_from_db", "full_clean", "clean", "clean_fields", "validate_unique", "save_base",
    "asave", "adelete", "arefresh_from_db", "get_deferred_fields",
}  # fmt: skip
_IN_A_QUERY = "resolve_expression"  # what Django looks for in a value that a query gets
_IN_A_SESSION = "_sa_instance_state"  # what SQLAlchemy looks for in a row


class LXLink:
    """A relation: for each row the position in `target`, MISSING or UNLOADED; `target` None means not loaded."""

    __slots__ = ("_positions", "target")

    def __init__(self, target: LXTable | None, positions: npt.NDArray[np.signedinteger[Any]]) -> None:
        self.target = target
        self._positions = positions

    @property
    def positions(self) -> Positions:
        """The positions as 64-bit integers, whatever the width in which they were given."""
        if self._positions.dtype != np.int64 or not self._positions.flags.writeable:
            self._positions = self._positions.astype(np.int64)
        return self._positions

    @positions.setter
    def positions(self, positions: Positions) -> None:
        self._positions = positions


class LXManyLink:
    """A relation to several rows: how many each row has (or UNLOADED), and their positions, row after row."""

    __slots__ = ("_ends", "lengths", "positions", "target")

    def __init__(self, target: LXTable, lengths: Positions, positions: Positions) -> None:
        self.target = target
        self.lengths = lengths
        self.positions = positions
        self._ends = np.cumsum(np.maximum(lengths, 0))

    def get(self, position: int) -> LXRows:
        """Return the rows that the row at `position` has."""
        end = int(self._ends[position])
        return LXRows(self.target, self.positions[end - int(self.lengths[position]) : end])


class LXTable:
    """The detached rows of one model: columns and links by field name, in a fixed order of rows."""

    def __init__(
        self,
        name: str,
        columns: Mapping[str, Sequence[Any] | npt.NDArray[Any] | LXColumn],
        links: Mapping[str, LXLink] | None = None,
        *,
        size: int | None = None,
        key: str | tuple[str, ...] | None = None,
        dimensions: tuple[str, ...] = (),
        orm: str = "",
    ) -> None:
        self.name = name
        self.key = key  # the column of the primary key, or its columns, which `row.pk` reads
        self.guard: Callable[[LXTable, str], None] | None = None  # asked before a change, in a model copy
        self.dimensions = dimensions  # relations that a function takes as arguments of their own, instead of the row
        self.columns: dict[str, LXColumn] = {
            field: values if isinstance(values, LXColumn) else LXColumn.of(values) for field, values in columns.items()
        }
        self.links: dict[str, LXLink] = dict(links or {})
        lengths = {len(column) for column in self.columns.values()} | {len(x.positions) for x in self.links.values()}
        if size is not None:
            lengths.add(size)
        if len(lengths) > 1:
            raise LXModelError(f"The columns of table {name} have different lengths: {sorted(lengths)}.")
        self.size = lengths.pop() if lengths else 0
        self.orm = orm  # where the rows came from, for the remedy in messages
        self.many_links: dict[str, LXManyLink] = {}
        self.unloaded: dict[str, set[int]] = {}  # where a field was not loaded that other rows have; NULL stands there
        self.refused: dict[str, str] = {}  # relations that can't be detached, and why
        self.edits: dict[tuple[int, str], Any] = {}  # what the cells held that were written since
        self.watchers: list[Callable[[int, str], None]] = []  # told what is written, while a function runs
        self._records: dict[int, LXRecord] = {}

    def __repr__(self) -> str:
        return f"<LXTable {self.name}: {self.size} rows>"

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_records": {}, "watchers": []}  # records are views: a copy of the table makes its own

    def __deepcopy__(self, memo: dict[Any, Any]) -> LXTable:
        made = LXTable.__new__(LXTable)
        memo[id(self)] = made
        vars(made).update(self.__getstate__())
        made.columns = {field: copy.deepcopy(column, memo) for field, column in self.columns.items()}
        made.links = {
            field: LXLink(copy.deepcopy(link.target, memo), link.positions.copy()) for field, link in self.links.items()
        }
        made.many_links = {
            field: LXManyLink(copy.deepcopy(link.target, memo), link.lengths.copy(), link.positions.copy())
            for field, link in self.many_links.items()
        }
        made.unloaded = {field: set(positions) for field, positions in self.unloaded.items()}
        made.edits = dict(self.edits)
        guard = self.guard
        if guard is not None:
            made.guard = lambda _, field: guard(self, field)  # it knows this table, and says the same of the copy
        memo.setdefault(COPIED_TABLES, {}).setdefault(self.name, []).append(made)
        return made

    def __len__(self) -> int:
        return self.size

    @property
    def rows(self) -> LXRows:
        """All rows in their order."""
        return LXRows(self, np.arange(self.size, dtype=np.int64))

    def record(self, position: int) -> LXRecord:
        """Return the record at `position`; asked twice, it is the same object."""
        record = self._records.get(position)
        if record is None:
            record = self._records[position] = LXRecord(self, position)
        return record

    def records(self, positions: Positions) -> list[LXRecord]:
        """Return the records at `positions`, the same objects as `record` gives."""
        wanted: list[int] = positions.tolist()
        held = self._records
        if not held and bool((positions[1:] > positions[:-1]).all()):
            fresh = wanted  # each once
        else:
            try:
                return list(map(held.__getitem__, wanted))
            except KeyError:
                fresh = [position for position in dict.fromkeys(wanted) if position not in held]
        made = list(map(_new, repeat(LXRecord, len(fresh))))
        call_all(map(_set_table, made, repeat(self)))
        call_all(map(_set_position, made, fresh))
        if len(fresh) == len(wanted):
            held.update(zip(fresh, made, strict=True))
            return made
        for position, record in zip(fresh, made, strict=True):
            held.setdefault(position, record)
        return list(map(held.__getitem__, wanted))

    def get(self, position: int, field: str) -> Any:
        """Return what the row at `position` holds in `field`: a Python value, a record, or None."""
        column = self.columns.get(field)
        if column is not None:
            if self.unloaded and position in self.unloaded.get(field, ()):
                raise self.not_loaded(field)
            return column.get(position)
        link = self.links.get(field)
        if link is None:
            return self._get_many(position, field)
        target = int(link.positions[position])
        if target == MISSING:
            return None
        if (link.target is None or target == UNLOADED) and field in self.refused:
            raise self.not_loaded(field)
        if link.target is None or target == UNLOADED:
            load = f"joinedload({self._model}.{field})" if self.orm == SQLALCHEMY else f"select_related({field!r})"
            raise LXNotLoadedError(
                f"The relation {self.name}.{field} was not loaded when the rows were detached. "
                f"Load it with {load}, or detach its table together with this one."
            )
        return link.target.record(target)

    def _get_many(self, position: int, field: str) -> Any:
        """Return the rows of a relation to several, or the primary key for `pk`."""
        many = self.many_links.get(field)
        if many is not None and many.lengths[position] != UNLOADED:
            return many.get(position)
        if many is None and field == "pk" and self.key is not None:
            return self.primary_key(position)
        if field == _IN_A_QUERY:  # no AttributeError: a key of text would take the record's text, and find nothing
            raise LXDetachError(
                f"{self.record(position)!r} is a detached record, which no query takes. Give its pk, or a fresh row."
            )
        if field == _IN_A_SESSION:  # no AttributeError: SQLAlchemy would say less
            raise LXDetachError(str(self.not_loaded(field)))
        raise self.not_loaded(field)

    def primary_key(self, position: int) -> Any:
        """Return the primary key of the row at `position`: a tuple where it has several fields, None without one."""
        if isinstance(self.key, tuple):
            return tuple(self.get(position, field) for field in self.key)
        return None if self.key is None else self.get(position, self.key)

    def primary_keys(self) -> list[Any]:
        """Return the primary keys of all rows, as `primary_key` gives them; nothing for rows without one."""
        if self.key is None:
            return []
        parts = [self.rows.column(field).tolist() for field in ([self.key] if isinstance(self.key, str) else self.key)]
        return parts[0] if isinstance(self.key, str) else list(zip(*parts, strict=True))

    @property
    def _model(self) -> str:
        return self.name.rpartition(".")[2]

    def not_loaded(self, field: str) -> LXNotLoadedError:
        """Return the error for a field that is not here, with its remedy."""
        if field in self.refused:
            return LXNotLoadedError(self.refused[field])
        if field in _OF_LIVE_ROWS or field.startswith("_"):
            return LXNotLoadedError(
                f"A detached record of {self.name} has no {field!r}: it is not a row of the database, and nothing is "
                "written through it. Read fresh rows and set the results on those, with apply_to_fresh."
            )
        if self.orm == SQLALCHEMY:
            remedy = (
                f"read the row (again) with this field, or with joinedload({self._model}.{field}) or "
                f"selectinload({self._model}.{field}) for a relation."
            )
        else:
            remedy = (
                f"name it in the query, with select_related({field!r}) or prefetch_related({field!r}) for a relation."
            )
        return LXNotLoadedError(f"{self.name}.{field} was not loaded when the rows were detached. Load it: {remedy}")

    def set(self, position: int, field: str, value: Any) -> None:
        """Write a plain value through to the column."""
        column = self.columns.get(field)
        if column is None:
            raise LXNotLoadedError(
                f"{self.name} has no loaded column {field!r}. Its columns: {', '.join(self.columns)}."
            )
        if self.orm and (field == self.key or (isinstance(self.key, tuple) and field in self.key)):
            raise LXModelError(f"{self.name}.{field} is the primary key, by which rows are found: it can't be changed.")
        if self.guard is not None:
            self.guard(self, field)
        before = column.get(position)
        column.set(position, value)
        self.edits.setdefault((position, field), before)
        if field in self.unloaded:
            self.unloaded[field].discard(position)
        for watcher in self.watchers:
            watcher(position, field)


class LXProduct(tuple[Any, ...]):
    """A combination of plain objects, one for each dimension: a function takes them as arguments of their own."""

    __slots__ = ()


class LXRecord:
    """One detached row: reads and writes the columns of its table, and never a database.

    Its `__dict__` is empty but for what `row_by_row` puts there for a while.
    """

    __slots__ = ("__dict__", "_position", "_table")
    _table: LXTable
    _position: int

    def __init__(self, table: LXTable, position: int) -> None:
        object.__setattr__(self, "_table", table)
        object.__setattr__(self, "_position", position)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._table.get(self._position, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._table.set(self._position, name, value)
        self.__dict__.pop(name, None)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, LXRecord):
            return self._table is other._table and self._position == other._position
        label = orm_label(other)
        if self._table.key is None or label is None:
            return NotImplemented
        return label == self._table.name and bool(self.pk == primary_key(other, shape_of(other)))

    def __hash__(self) -> int:
        table = self._table  # as the live row's
        return hash((id(table), self._position) if table.key is None else table.primary_key(self._position))

    def __reduce__(self) -> tuple[Any, ...]:
        return LXTable.record, (self._table, self._position)  # a copy is the record of the copied table

    def __repr__(self) -> str:
        label = self._table.columns.get("name")
        return f"<{self._table.name} {label.get(self._position) if label is not None else self._position}>"


_new = object.__new__
_set_table = LXRecord.__dict__["_table"].__set__
_set_position = LXRecord.__dict__["_position"].__set__


def call_all(calls: Iterable[object]) -> None:
    """Make all the calls of a map, in C."""
    deque(calls, maxlen=0)


def reached_once(positions: Positions, size: int) -> Positions:
    """Return the positions that are reached in a table of `size` rows, each once and in order; none for MISSING."""
    is_reached = np.zeros(size + 1, dtype=np.bool_)
    is_reached[positions] = True  # MISSING is the last one
    found: Positions = np.flatnonzero(is_reached[:-1])
    return found


class LXRows(Sequence[LXRecord]):
    """Some rows of a table, in an order of their own."""

    __slots__ = ("positions", "table")

    def __init__(self, table: LXTable, positions: Positions) -> None:
        self.table = table
        self.positions = positions

    def __len__(self) -> int:
        return len(self.positions)

    @overload
    def __getitem__(self, index: int) -> LXRecord: ...
    @overload
    def __getitem__(self, index: slice) -> LXRows: ...
    def __getitem__(self, index: int | slice) -> LXRecord | LXRows:
        if isinstance(index, slice):
            return LXRows(self.table, self.positions[index])
        return self.table.record(int(self.positions[index]))

    def __iter__(self) -> Iterator[LXRecord]:
        return iter(self.table.records(self.positions))

    def where(self, mask: Booleans) -> LXRows:
        """Return the rows for which `mask` is true."""
        return LXRows(self.table, self.positions[mask])

    def column(self, field: str) -> LXColumn:
        """Return the column of `field` for these rows."""
        column = self.table.columns.get(field)
        if column is None:
            if field in self.table.links:
                raise LXModelError(f"{self.table.name}.{field} is a relation, not a column.")
            raise self.table.not_loaded(field)
        if not self.table.unloaded.get(field, set()).isdisjoint(self.positions.tolist()):
            raise self.table.not_loaded(field)
        return column.take(self.positions)

    def all(self) -> LXRows:
        """Return the rows: `row.product_set.all()` reads the same on a detached row."""
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> LXRows:
        return LXRows(copy.deepcopy(self.table, memo), self.positions.copy())


Row = Any  # a record, or a plain object of the modeller's own
RowFunction = Callable[..., Any]  # of a row, or of a row of each dimension

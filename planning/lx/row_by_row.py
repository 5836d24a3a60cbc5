"""A function of a row, called once for each row.

Most functions only read fields of their row: `max(r.hours, r.machine.least_hours)`. Their instructions
tell. They are given a stand-in: one object for all rows, whose fields are set to a row's values before
each call, so that no record is made. Any other function (it passes its row on, keeps it, writes to it)
is given the records, which hold the fields that it names while it runs. Both see what is written to
records meanwhile; what is written to a column itself they may not see.
"""

from __future__ import annotations

import gc
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from itertools import repeat, starmap
from operator import attrgetter, length_hint, setitem
from typing import Any

import numpy as np

from .chains import Chain, chains_read, names_read
from .errors import LXModelError
from .gate import is_filled, names_in
from .records import MISSING, UNLOADED, LXProduct, LXRecord, LXRows, LXTable, RowFunction, call_all, reached_once


def extend(results: list[Any], function: RowFunction, rows: LXRows | Sequence[Any]) -> None:
    """Add what the function gives for each row; where it raises, the results of the rows before are there."""
    if not isinstance(rows, LXRows):
        of_product = len(rows) > 0 and isinstance(rows[0], LXProduct)
        results.extend(starmap(function, rows) if of_product else map(function, rows))
        return
    given = _arguments(rows)
    reading = _reading(function, given) if len(rows) else None
    with ExitStack() as held:
        held.enter_context(_captured_held(function))
        if reading is None:
            held.enter_context(_fields_held(given, names_read(function)))
            results.extend(map(function, *(taken.table.records(taken.positions) for taken in given)))
        else:
            if reading.records:
                held.enter_context(_fields_held(reading.records, names_read(function)))
            held.enter_context(reading.watching())
            reading.call(function, results, len(rows))


def _arguments(rows: LXRows) -> list[LXRows]:
    """Return what the function takes: the rows, or the rows of each dimension."""
    table = rows.table
    found: list[LXRows] = []
    for name in table.dimensions:
        link = table.links[name]
        if link.target is None or (link.positions < 0).any():
            raise LXModelError(f"A dimension of {table.name} leads to no row.")
        found.append(LXRows(link.target, link.positions[rows.positions]))
    return found or [rows]


# --- stand-ins ------------------------------------------------------------------------------


class _Feed:
    """A field of a stand-in: its value for each row in turn, kept up with what is written meanwhile."""

    def __init__(self, rows: LXRows, field: str, values: list[Any], owner: Any) -> None:
        self.rows, self.field, self.values, self.owner = rows, field, values, owner
        self.left = iter(values)
        self._column = _column_name(rows.table, field)
        self._places: dict[int, list[int]] | None = None

    def written(self, position: int, column: str) -> None:
        """Take over what was written to the table: for the rows to come, and for the one whose call is running."""
        if column != self._column:
            return
        if self._places is None:
            self._places = {}
            for place, reached in enumerate(self.rows.positions.tolist()):
                self._places.setdefault(reached, []).append(place)
        value = self.rows.table.get(position, self.field)
        running = len(self.values) - length_hint(self.left) - 1
        for place in self._places.get(position, ()):
            self.values[place] = value
            if place == running:
                setattr(self.owner, self.field, value)


class _Reading:
    """Stand-ins, by number: those of the arguments, and of the relations that are only read through."""

    def __init__(self) -> None:
        self.stand_ins: list[Any] = []
        self.arguments: list[int] = []
        self.records: list[LXRows] = []  # that relations lead to, where the function does more than read through
        self._feeds: list[_Feed] = []
        self._targets: list[tuple[int, int]] = []  # of each feed: the stand-in and its slot

    def add(self, chains: Iterable[Chain], rows: LXRows) -> bool:
        """Make a stand-in for the rows with the fields that begin the chains; say whether all of them can be read."""
        fields: dict[str, list[Chain]] = {}
        for chain in sorted(chains):
            fields.setdefault(chain[0], []).append(chain[1:])
        made = _stand_in_class(tuple(fields))()
        number = len(self.stand_ins)
        self.stand_ins.append(made)
        for slot, (field, rest) in enumerate(fields.items()):
            reached = _reached(rows, field)
            if reached is not None and () not in rest and (reached.positions != MISSING).all():
                first = len(self.stand_ins)
                if not self.add(rest, reached):
                    return False
                setattr(made, field, self.stand_ins[first])
                continue
            values = _records(reached) if reached is not None else _values(rows, field)
            if values is None:
                return False
            if reached is not None:
                self.records.append(reached)
            self._feeds.append(_Feed(rows, field, values, made))
            self._targets.append((number, slot))
        return True

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Let the feeds know in the block what is written to their tables."""
        try:
            for feed in self._feeds:
                feed.rows.table.watchers.append(feed.written)
            yield
        finally:
            for feed in self._feeds:
                feed.rows.table.watchers.remove(feed.written)

    def call(self, function: RowFunction, results: list[Any], count: int) -> None:
        """Call the function for each row."""
        lefts = [feed.left for feed in self._feeds]
        feed = lefts[0] if len(lefts) == 1 else zip(*lefts, strict=True) if lefts else repeat(None, count)
        loop = _loop(len(self.stand_ins), tuple(self.arguments), tuple(self._targets))
        loop(function, feed, results, *self.stand_ins)


def _reading(function: RowFunction, given: list[LXRows]) -> _Reading | None:
    """Return the stand-ins for a function that does nothing with its rows but read fields that are there."""
    chains = chains_read(function, len(given))
    if chains is None:
        return None
    reading = _Reading()
    for read, rows in zip(chains, given, strict=True):
        reading.arguments.append(len(reading.stand_ins))
        if not reading.add(read, rows):
            return None
    return reading


@lru_cache(maxsize=512)
def _stand_in_class(fields: tuple[str, ...]) -> type:
    """Return a class of objects with these fields; they are slots `_0`, `_1`, … too, in this order."""
    made = type("_StandIn", (), {"__slots__": tuple(f"_{slot}" for slot in range(len(fields)))})
    for slot, field in enumerate(fields):
        setattr(made, field, vars(made)[f"_{slot}"])
    return made


@lru_cache(maxsize=512)
def _loop(count: int, arguments: tuple[int, ...], targets: tuple[tuple[int, int], ...]) -> Callable[..., None]:
    """Return a loop that sets slots of so many stand-ins from a feed and calls a function of some of them.

        def loop(call, feed, results, s0, s1):
            for s0._0, s1._0 in feed:
                results.append(call(s0))

    It is written for the numbers given: what a loop over all of them does for each row takes longer than the call.
    """
    text = (
        f"def loop(call, feed, results, {', '.join(f's{number}' for number in range(count))}):\n"
        f"    for {', '.join(f's{number}._{slot}' for number, slot in targets) or '_'} in feed:\n"
        f"        results.append(call({', '.join(f's{number}' for number in arguments)}))\n"
    )
    made: dict[str, Any] = {}
    exec(text, made)  # noqa: S102
    loop: Callable[..., None] = made["loop"]
    return loop


# --- what rows hold -------------------------------------------------------------------------


def _reached(rows: LXRows, field: str) -> LXRows | None:
    """Return where a relation leads; None where it is no relation, or not loaded for some row."""
    link = rows.table.links.get(field)
    if link is None or field in rows.table.columns or link.target is None:
        return None
    reached = link.positions[rows.positions]
    return LXRows(link.target, reached) if (reached >= MISSING).all() else None


def _column_name(table: LXTable, field: str) -> str | None:
    """Return the column that a field is read from: its own, or the primary key's for `pk`; None where it has none."""
    if field in table.columns:
        return field
    is_key = field == "pk" and field not in table.links and field not in table.many_links
    return table.key if is_key and table.key in table.columns else None


def _values(rows: LXRows, field: str) -> list[Any] | None:
    """Return what the rows hold in a field, as Python values; None where it is not there for every row."""
    table, name = rows.table, _column_name(rows.table, field)
    if name is None:
        many = None if field in table.links else table.many_links.get(field)
        is_loaded = many is not None and (many.lengths[rows.positions] != UNLOADED).all()
        return list(map(many.get, rows.positions.tolist())) if many is not None and is_loaded else None
    if table.unloaded.get(name):
        return None
    column = table.columns[name]
    values = column.take(rows.positions).tolist()
    if column.values.dtype == object and any(issubclass(kind, np.generic) for kind in set(map(type, values))):
        return [value.item() if isinstance(value, np.generic) else value for value in values]
    return values


def _records(rows: LXRows) -> list[Any]:
    """Return the record of each row, None where there is no row."""
    there = rows.positions[rows.positions != MISSING]
    found = rows.table.records(there)
    if len(there) == len(rows):
        return list(found)
    each = iter(found)
    return [None if position == MISSING else next(each) for position in rows.positions.tolist()]


@contextmanager
def _fields_held(starts: list[LXRows], names: frozenset[str]) -> Iterator[None]:
    """Let the records of the rows, and those that they lead to, hold the fields `names` in the block.

    What is not held is read from its column as ever.
    """
    fields = {name for name in names if not name.startswith("_")}
    held: list[dict[str, Any]] = []
    seen: set[int] = set()
    waiting = [_each_once(rows) for rows in starts]
    try:
        with _collector_paused():
            while waiting:
                rows = waiting.pop(0)
                table = rows.table
                if id(table) in seen:
                    continue
                seen.add(id(table))
                places = list(map(_held_by, table.records(rows.positions)))
                held += places
                for field in sorted(fields & (table.columns.keys() | table.links.keys())):
                    reached = _reached(rows, field)
                    if reached is not None:
                        waiting.append(_each_once(reached))
                    values = _records(reached) if reached is not None else _values(rows, field)
                    if values is not None:
                        call_all(map(setitem, places, repeat(field), values))
        yield
    finally:
        call_all(map(dict.clear, held))


@contextmanager
def _captured_held(function: RowFunction) -> Iterator[None]:
    """Let records that the function has as a default or in its closure hold what it names of them in the block."""
    found: list[LXRecord] = []
    if type(function) is types.FunctionType:
        cells = (cell.cell_contents for cell in function.__closure__ or () if is_filled(cell))
        found = [held for held in (*(function.__defaults__ or ()), *cells) if type(held) is LXRecord]
    try:
        for record in found:
            table, position = record._table, record._position
            for field in names_in(function.__code__) & table.columns.keys():
                if position not in table.unloaded.get(field, ()):
                    record.__dict__[field] = table.columns[field].get(position)
        yield
    finally:
        call_all(map(dict.clear, map(_held_by, found)))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep Python's collector from walking records that are being made again and again: it doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


_held_by = attrgetter("__dict__")


def _each_once(rows: LXRows) -> LXRows:
    return LXRows(rows.table, reached_once(rows.positions, rows.table.size))

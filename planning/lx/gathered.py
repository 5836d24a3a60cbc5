"""Tables that are being filled: one memo spans everything that is detached together.

A row that is reached twice, through two querysets or through a relation, joins its table once.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from itertools import repeat
from typing import Any

import numpy as np

from .columns import Booleans, LXColumn, Positions
from .errors import LXModelError
from .held import ABSENT, HeldRows, Related
from .orm import ATOMS, Reference, Shape, class_label, primary_key, primary_keys
from .properties import copy_properties, declared_properties
from .records import COPIED_TABLES, MISSING, UNLOADED, LXLink, LXManyLink, LXRows, LXTable

_TABLES = "planning.lx tables"  # the memo's key for {label: Gathered}
_NOTHING = ("", None)
Columns = dict[str, LXColumn]
Reached = dict[str, tuple[Shape, list[Any]]]  # rows that relations lead to, by the label of their table


class Gathered:
    """A table that is being filled, where each primary key stands in it, and what its relations are."""

    def __init__(self, shape: Shape, table: LXTable | None = None) -> None:
        self.shape = shape
        self.table = LXTable(shape.label, {}, key=shape.key, orm=shape.orm) if table is None else table
        self.ones: dict[str, dict[Any, tuple[str, Any] | None]] = {}  # relation -> {key: (label, key)}
        self.manies: dict[str, dict[Any, tuple[str, list[Any]]]] = {}  # relation -> {key: (label, keys)}
        self.properties: dict[str, Callable[[Any], Any]] = {}  # that are copied, by name: what is called with the row
        self._positions: dict[Any, int] | None = None  # made when it is asked for

    def __deepcopy__(self, memo: dict[Any, Any]) -> Gathered:
        made = Gathered(self.shape, copy.deepcopy(self.table, memo))
        made.ones = {name: dict(found) for name, found in self.ones.items()}
        made.manies = {name: dict(found) for name, found in self.manies.items()}
        made.properties = dict(self.properties)
        return made

    @property
    def positions(self) -> dict[Any, int]:
        """Where each primary key stands, in the order of the rows."""
        if self._positions is None:
            keys = self._keys(self.table.columns) if self.table.size else []
            self._positions = dict(zip(keys, range(self.table.size), strict=True))
        return self._positions

    def _keys(self, columns: Columns) -> list[Any]:
        parts = [columns[name] for name in self.shape.keys if name in columns]
        if len(parts) < len(self.shape.keys) or any(part.nulls is not None for part in parts):
            raise LXModelError(f"A row of {self.shape.label} has no primary key. Save it before it is detached.")
        return parts[0].tolist() if len(parts) == 1 else list(zip(*(part.tolist() for part in parts), strict=True))

    # --- rows -------------------------------------------------------------------------------

    def add(self, values: Columns, size: int, lacking: dict[str, Booleans]) -> LXRows:
        """Add the rows whose primary key is new and return all of them in the order given.

        A row that is there already must say the same. `lacking` marks the rows that lack a field.
        """
        table = self.table
        if not size:
            table.columns = table.columns or values
            return LXRows(table, np.zeros(0, dtype=np.int64))
        positions, chosen = self._placed(values, size)
        if not table.size:
            table.columns = values if len(chosen) == size else {f: c.take(chosen) for f, c in values.items()}
            table.unloaded = {f: set(positions[chosen[mask[chosen]]].tolist()) for f, mask in lacking.items()}
            table.size = len(chosen)
        elif len(chosen):
            self._extend(values, lacking, chosen)
        if len(chosen) < size:
            known = np.ones(size, dtype=np.bool_)
            known[chosen] = False
            self._merge(values, lacking, np.flatnonzero(known), positions)
        return LXRows(table, positions)

    def _placed(self, values: Columns, size: int) -> tuple[Positions, Positions]:
        """Return where each row stands in the table, and which of the rows are new there."""
        start, key = self.table.size, values.get(self.shape.keys[0])
        if not start and len(self.shape.keys) == 1 and key is not None and _are_distinct_numbers(key):
            self._positions = None
            everything = np.arange(size, dtype=np.int64)
            return everything, everything
        keys, found = self._keys(values), self.positions
        fresh: list[int] = []
        for i, name in enumerate(keys):
            if name not in found:
                found[name] = start + len(fresh)
                fresh.append(i)
        positions = np.fromiter(map(found.__getitem__, keys), dtype=np.int64, count=size)
        return positions, np.array(fresh, dtype=np.int64)

    def _extend(self, values: Columns, lacking: dict[str, Booleans], chosen: Positions) -> None:
        """Add the chosen rows to the columns; a field that either side lacks is marked as not loaded there."""
        table, start, added = self.table, self.table.size, len(chosen)
        for field in [*table.columns, *(field for field in values if field not in table.columns)]:
            old, new = table.columns.get(field), values.get(field)
            marks = table.unloaded.setdefault(field, set())
            if old is None:
                marks.update(range(start))
                old = LXColumn.missing(start)
            if new is None:
                marks.update(range(start, start + added))
                new = LXColumn.missing(added)
            else:
                new = new.take(chosen)
                if field in lacking:
                    marks.update((np.flatnonzero(lacking[field][chosen]) + start).tolist())
            table.columns[field] = LXColumn.together([old, new])
            if not marks:
                del table.unloaded[field]
        table.size += added

    def _merge(self, values: Columns, lacking: dict[str, Booleans], known: Positions, positions: Positions) -> None:
        """Fill what was not loaded of rows that are there already, and raise where they say something else."""
        table, places = self.table, positions[known]
        for field, column in values.items():
            if field not in table.columns:
                table.columns[field] = LXColumn.missing(table.size)
                table.unloaded[field] = set(range(table.size))
            plain = field not in lacking and not table.unloaded.get(field) and not table.edits
            if not (plain and _agree(column.take(known), table.columns[field].take(places))):
                lacks = lacking[field][known].tolist() if field in lacking else [False] * len(known)
                self._merge_one_by_one(field, column.take(known).tolist(), lacks, places.tolist())

    def _merge_one_by_one(self, field: str, found: list[Any], lacks: list[bool], places: list[int]) -> None:
        table = self.table
        held, marks = table.columns[field].tolist(), table.unloaded.get(field, set())
        filled: dict[int, Any] = {}
        for value, lacking, place in zip(found, lacks, places, strict=True):
            if lacking:
                continue
            if place in marks and place not in filled:
                filled[place] = value
                continue
            there = filled[place] if place in filled else held[place]
            if there is not value and (place, field) in table.edits:
                there = table.edits[place, field]
            if there is not value and not same(there, value):
                raise LXModelError(
                    f"{table.record(place)!r} is reached twice with different values of {field}: {there!r} and "
                    f"{value!r}. Save or refresh the row, and read everything from one state of the database."
                )
        if filled:
            marks.difference_update(filled)
            table.columns[field] = LXColumn.of([filled.get(place, value) for place, value in enumerate(held)])
            if not marks:
                del table.unloaded[field]

    def declare_properties(self, kinds: set[type]) -> None:
        """Let the properties be copied that the rows' classes declare; of a child's row here, those of the parent."""
        for kind in kinds:
            owner = next((base for base in kind.__mro__ if class_label(base) == self.shape.label), None)
            if owner is not None:
                self.properties |= declared_properties(owner, self.shape.label)

    # --- relations --------------------------------------------------------------------------

    def add_relations(self, held: HeldRows, rows: LXRows) -> Reached:
        """Note what the relations of these rows lead to, and return the rows there."""
        reached: Reached = {}
        self.table.refused |= held.refused
        keys = self._keys(held.columns) if held.ones or held.manies else []
        for name, others in held.ones.items():
            shapes = {kind: shape for (relation, kind), shape in held.shapes.items() if relation == name}
            for kind, shape in shapes.items():
                reached.setdefault(shape.label, (shape, []))[1].extend(row for row in others if type(row) is kind)
            reference = self.shape.references.get(name)
            if reference is None:
                self._add_ones(name, keys, others, shapes)
            elif reference.field in held.columns:
                self._check_reference(reference, name, held, rows)
        for name, manies in held.manies.items():
            found = self.manies.setdefault(name, {})
            for key, related in zip(keys, manies, strict=True):
                if related is not ABSENT:
                    found[key] = _named(related)
                    if related[1]:
                        reached.setdefault(related[0].label, (related[0], []))[1].extend(related[1])
        return reached

    def _add_ones(self, name: str, keys: list[Any], others: list[Any], shapes: dict[type, Shape]) -> None:
        found = self.ones.setdefault(name, {})
        found.update((key, None) for key, other in zip(keys, others, strict=True) if other is None)
        for kind, shape in shapes.items():
            owners = [key for key, other in zip(keys, others, strict=True) if type(other) is kind]
            targets = primary_keys([other for other in others if type(other) is kind], shape)
            found.update(zip(owners, zip(repeat(shape.label), targets), strict=False))

    def _check_reference(self, reference: Reference, name: str, held: HeldRows, rows: LXRows) -> None:
        """Raise where a relation that is loaded contradicts the field that holds its key."""
        kinds = {kind for relation, kind in held.shapes if relation == name}
        others, own = held.ones[name], held.columns[reference.field].tolist()
        theirs = [vars(other).get(reference.target, ABSENT) if type(other) in kinds else other for other in others]
        if own == theirs:
            return
        lacking = held.lacking.get(reference.field)
        for position, (other, mine, key) in enumerate(zip(others, own, theirs, strict=True)):
            if other is ABSENT or (lacking is not None and lacking[position]):
                continue
            if key is ABSENT:  # an expired row keeps its primary key, and nothing else
                shape = held.shapes[name, type(other)]
                there = primary_key(other, shape) if shape.key == reference.target else mine
            else:
                there = key
            if mine != there:
                raise LXModelError(
                    f"{rows[position]!r} has {reference.field} {mine!r} but its {name} is {there!r}. "
                    "Save or flush the row before it is detached."
                )

    def link(self, tables: dict[str, Gathered], changed: set[str]) -> None:
        """Point the relations that the tables `changed` take part in to positions."""
        for name, reference in self.shape.references.items():
            column = self.table.columns.get(reference.field)
            if column is None:
                self.table.links.pop(name, None)
            elif self.shape.label in changed or reference.label in changed:
                target = tables.get(reference.label)
                nowhere = np.full(len(column), UNLOADED, dtype=np.int64)
                positions = nowhere if target is None else target.find(reference.target, column)
                positions[column.is_null] = MISSING
                positions[list(self.table.unloaded.get(reference.field, ()))] = UNLOADED
                self._set_link(name, {reference.label}, positions, tables)
        for name, ones in self.ones.items():
            labels = {one[0] for one in ones.values() if one is not None}
            if not changed.isdisjoint(labels | {self.shape.label}):
                found_ones = [ones.get(key, _NOTHING) for key in self.positions]
                positions = np.array([_position(one, tables) for one in found_ones], dtype=np.int64)
                self._set_link(name, labels, positions, tables)
        for name, manies in self.manies.items():
            labels = {label for label, keys in manies.values() if keys}
            if not changed.isdisjoint(labels | {self.shape.label}):
                self._set_many(name, labels, manies, tables)

    def find(self, field: str, wanted: LXColumn) -> Positions:
        """Return where the rows stand that have the wanted values in a unique field, UNLOADED where there is none."""
        own = self.table.columns.get(field)
        if own is None or not len(own):
            return np.full(len(wanted), UNLOADED, dtype=np.int64)
        if own.values.dtype == wanted.values.dtype == np.int64 and own.nulls is None:
            low, high = int(own.values.min()), int(own.values.max())
            if high - low <= 4 * (len(own) + len(wanted)):  # numbers close together are looked up in an array
                places = np.full(high - low + 1, UNLOADED, dtype=np.int64)
                places[own.values - low] = np.arange(len(own), dtype=np.int64)
                inside = (wanted.values >= low) & (wanted.values <= high)
                found = np.full(len(wanted), UNLOADED, dtype=np.int64)
                found[inside] = places[wanted.values[inside] - low]
                return found
        by_value = self.positions if field == self.shape.key else {v: place for place, v in enumerate(own.tolist())}
        return np.fromiter(map(by_value.get, wanted.tolist(), repeat(UNLOADED)), np.int64, len(wanted))

    def _set_link(self, name: str, labels: set[str], positions: Positions, tables: dict[str, Gathered]) -> None:
        self._refuse_several(name, labels)
        target = tables.get(next(iter(labels))) if len(labels) == 1 else None
        if target is None or (np.any(positions == UNLOADED) and not np.any(positions >= 0)):
            self.table.links[name] = LXLink(None, np.where(positions == MISSING, MISSING, 0))
        else:
            self.table.links[name] = LXLink(target.table, positions)

    def _set_many(self, name: str, labels: set[str], manies: dict[Any, Any], tables: dict[str, Gathered]) -> None:
        self._refuse_several(name, labels)
        if len(labels) > 1:
            self.table.many_links.pop(name, None)
            return
        target = tables[labels.pop()] if labels else self  # without a row, any table gives none
        lists = [manies.get(key) for key in self.positions]
        lengths = np.array([UNLOADED if found is None else len(found[1]) for found in lists], dtype=np.int64)
        places = [target.positions[key] for found in lists if found is not None for key in found[1]]
        self.table.many_links[name] = LXManyLink(target.table, lengths, np.array(places, dtype=np.int64))

    def _refuse_several(self, name: str, labels: set[str]) -> None:
        """Say why a relation can't be followed that leads to rows of several tables."""
        if len(labels) > 1:
            self.table.refused[name] = (
                f"{self.shape.label}.{name} leads to rows of {' and '.join(sorted(labels))}, and a detached relation "
                "leads to one table. Detach the rows of each target apart, or find the target by its key."
            )


def _are_distinct_numbers(column: LXColumn) -> bool:
    values = column.values
    if values.dtype != np.int64 or column.nulls is not None:
        return False
    return bool(np.all(values[1:] > values[:-1])) or len(np.unique(values)) == len(values)


def _agree(one: LXColumn, other: LXColumn) -> bool:
    """Whether two columns are seen to hold the same at once; if not, their values may still be equal one by one."""
    if one.values.dtype != other.values.dtype or not np.array_equal(one.is_null, other.is_null):
        return False
    if one.values.dtype == object:
        return ATOMS.issuperset(map(type, one.values.tolist())) and one.values.tolist() == other.values.tolist()
    return np.array_equal(one.values, other.values)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal; a number that is none (nan) is the same as another."""
    return bool(one == other) or (
        isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    )


def _named(related: Related) -> tuple[str, list[Any]]:
    """Return the label of related rows, and their primary keys."""
    shape, rows = related
    return ("", []) if shape is None else (shape.label, primary_keys(rows, shape))


def _position(one: tuple[str, Any] | None, tables: dict[str, Gathered]) -> int:
    if one is None:
        return MISSING
    return UNLOADED if one is _NOTHING else tables[one[0]].positions[one[1]]


# --- all tables of a memo -------------------------------------------------------------------


def registered_tables(memo: dict[Any, Any] | None) -> dict[str, Gathered]:
    """Return the tables that were detached with `memo`, by the label of their model; without one, none yet."""
    tables: dict[str, Gathered] = {} if memo is None else memo.setdefault(_TABLES, {})
    return tables


def register_tables(tables: dict[str, Gathered], memo: dict[Any, Any]) -> None:
    """Let rows that are detached with `memo` from here on join `tables`."""
    memo[_TABLES] = tables


def table_for(shape: Shape, tables: dict[str, Gathered], memo: dict[Any, Any] | None) -> Gathered:
    """Return the table that rows of this shape join: one with the memo, or the only one that was copied with it."""
    found = tables.get(shape.label)
    if found is None:
        copied = [] if memo is None else memo.get(COPIED_TABLES, {}).get(shape.label, [])
        adopted = copied[0] if len(copied) == 1 and copied[0].key == shape.key else None
        found = tables[shape.label] = Gathered(shape, adopted)
    return found


def link_tables(tables: dict[str, Gathered], changed: set[str]) -> None:
    """Point the relations of all tables that lead to or from those that `changed` to positions."""
    for gathered in tables.values():
        gathered.link(tables, changed)
    for gathered in tables.values():
        copy_properties(gathered.table, gathered.properties)

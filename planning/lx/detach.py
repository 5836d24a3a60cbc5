"""From ORM rows to session-free records.

ORM rows are recognised by what they carry, so neither Django nor SQLAlchemy is imported here. One
memo (the dictionary that `copy.deepcopy` passes along) spans everything that is detached together:
a row that is reached twice, through two querysets or through a relation, is one record.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any

import numpy as np

from .columns import Booleans, LXColumn
from .errors import LXModelError
from .orm import (
    ATOMS,
    Shape,
    held_by,
    is_orm_row,
    is_session,
    orm_label,
    plain_values,
    primary_key,
    shape_of,
    shape_of_meta,
)
from .records import COPIED_TABLES, MISSING, UNLOADED, LXLink, LXManyLink, LXRecord, LXRows, LXTable

_KINDS: dict[str, type] = {  # what a column without values would hold
    "FloatField": float,
    "BooleanField": bool,
    "AutoField": int,
    "BigAutoField": int,
    "IntegerField": int,
    "PositiveIntegerField": int,
    "ForeignKey": int,
}
_TABLES = "planning.lx tables"  # the memo's key for {label: _Detached}
Columns = dict[str, LXColumn]


class _Detached:
    """A table that is being filled, where each primary key stands in it, and what its relations are."""

    def __init__(self, shape: Shape, table: LXTable | None = None) -> None:
        self.shape = shape
        self.table = LXTable(shape.label, {}, key=shape.key, orm=shape.orm) if table is None else table
        self.positions: dict[Any, int] = {}  # in the order of the rows
        self.ones: dict[str, dict[Any, tuple[str, Any] | None]] = {}  # relation -> {key: (label, key)}
        self.manies: dict[str, dict[Any, tuple[str, list[Any]]]] = {}  # relation -> {key: (label, keys)}
        if self.table.size:
            self.positions = {key: position for position, key in enumerate(self._keys(self.table.columns))}

    def __deepcopy__(self, memo: dict[Any, Any]) -> _Detached:
        made = _Detached.__new__(_Detached)
        made.shape, made.table, made.positions = self.shape, copy.deepcopy(self.table, memo), dict(self.positions)
        made.ones = {name: dict(found) for name, found in self.ones.items()}
        made.manies = {name: dict(found) for name, found in self.manies.items()}
        return made

    def _keys(self, columns: Columns) -> list[Any]:
        parts = [columns[name].tolist() if name in columns else [None] for name in self.shape.keys]
        keys: list[Any] = parts[0] if len(parts) == 1 else list(zip(*parts, strict=True))
        if any(None in part for part in parts):
            raise LXModelError(f"A row of {self.shape.label} has no primary key. Save it before it is detached.")
        return keys

    def add(self, values: Columns, size: int, unloaded: dict[str, Booleans]) -> LXRows:
        """Add the rows whose primary key is new and return all of them in the order given.

        A row that is there already must say the same. `unloaded` marks the rows that lack a field.
        """
        table = self.table
        if not size:
            table.columns = table.columns or values
            return LXRows(table, np.zeros(0, dtype=np.int64))
        keys = self._keys(values)
        start = table.size
        if not start and len(numbered := dict(zip(keys, range(size), strict=True))) == size:  # the usual case
            self.positions.update(numbered)
            positions = chosen = np.arange(size, dtype=np.int64)
        else:
            fresh: list[int] = []
            for i, key in enumerate(keys):
                if key not in self.positions:
                    self.positions[key] = start + len(fresh)
                    fresh.append(i)
            positions = np.array([self.positions[key] for key in keys], dtype=np.int64)
            chosen = np.array(fresh, dtype=np.int64)
        if not start:
            table.columns = values if len(chosen) == size else {f: c.take(chosen) for f, c in values.items()}
            table.unloaded = {f: set(positions[chosen[mask[chosen]]].tolist()) for f, mask in unloaded.items()}
            table.size = len(chosen)
        elif len(chosen):
            self._extend(values, unloaded, chosen)
        if len(chosen) < size:
            known = np.ones(size, dtype=np.bool_)
            known[chosen] = False
            self._merge(values, unloaded, np.flatnonzero(known), positions)
        return LXRows(table, positions)

    def _extend(self, values: Columns, unloaded: dict[str, Booleans], chosen: Any) -> None:
        """Add the chosen rows to the columns; a field that either side lacks is marked as not loaded there."""
        table, start, added = self.table, self.table.size, len(chosen)
        for field in [*table.columns, *(field for field in values if field not in table.columns)]:
            old, new = table.columns.get(field), values.get(field)
            marks = table.unloaded.setdefault(field, set())
            if old is None:
                marks.update(range(start))
                old = LXColumn.of([None] * start)
            if new is None:
                marks.update(range(start, start + added))
                new = LXColumn.of([None] * added)
            else:
                new = new.take(chosen)
                if field in unloaded:
                    marks.update((np.flatnonzero(unloaded[field][chosen]) + start).tolist())
            table.columns[field] = old.joined(new)
            if not marks:
                del table.unloaded[field]
        table.size += added

    def _merge(self, values: Columns, unloaded: dict[str, Booleans], known: Any, positions: Any) -> None:
        """Fill what was not loaded of rows that are there already, and raise where they say something else."""
        table, places = self.table, positions[known].tolist()
        for field, column in values.items():
            found = column.take(known).tolist()
            lacking = unloaded[field][known].tolist() if field in unloaded else None
            if field not in table.columns:
                table.columns[field] = LXColumn.of([None] * table.size)
                table.unloaded[field] = set(range(table.size))
            held, marks = table.columns[field].tolist(), table.unloaded.get(field, set())
            filled: dict[int, Any] = {}
            for i, (place, value) in enumerate(zip(places, found, strict=True)):
                if lacking is not None and lacking[i]:
                    continue
                if place in marks and place not in filled:
                    filled[place] = value
                    continue
                there = filled[place] if place in filled else held[place]
                if there is not value and (place, field) in table.edits:
                    there = table.edits[place, field]
                if there is not value and not _same(there, value):
                    raise LXModelError(
                        f"{table.record(place)!r} is reached twice with different values of {field}: {there!r} and "
                        f"{value!r}. Save or refresh the row, and read everything from one state of the database."
                    )
            if filled:
                marks.difference_update(filled)
                table.columns[field] = LXColumn.of([filled.get(place, value) for place, value in enumerate(held)])
                if not marks:
                    del table.unloaded[field]

    def link(self, tables: dict[str, _Detached], changed: set[str]) -> None:
        """Point the relations that the tables `changed` take part in to positions."""
        for name, reference in self.shape.references.items():
            column = self.table.columns.get(reference.field)
            if column is None:
                self.table.links.pop(name, None)
            elif self.shape.label in changed or reference.label in changed:
                found = tables[reference.label].positions_by(reference.target) if reference.label in tables else {}
                positions = np.fromiter(map(found.get, column.tolist(), repeat(UNLOADED)), np.int64, len(column))
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

    def _set_link(self, name: str, labels: set[str], positions: Any, tables: dict[str, _Detached]) -> None:
        target = tables.get(next(iter(labels))) if len(labels) == 1 else None
        if target is None or (np.any(positions == UNLOADED) and not np.any(positions >= 0)):
            self.table.links[name] = LXLink(None, np.where(positions == MISSING, MISSING, 0))
        else:
            self.table.links[name] = LXLink(target.table, positions)

    def _set_many(self, name: str, labels: set[str], manies: dict[Any, Any], tables: dict[str, _Detached]) -> None:
        if len(labels) > 1:
            self.table.many_links.pop(name, None)
            return
        target = tables[labels.pop()] if labels else self  # without a row, any table gives none
        lists = [manies.get(key) for key in self.positions]
        lengths = np.array([UNLOADED if found is None else len(found[1]) for found in lists], dtype=np.int64)
        places = [target.positions[key] for found in lists if found is not None for key in found[1]]
        self.table.many_links[name] = LXManyLink(target.table, lengths, np.array(places, dtype=np.int64))

    def positions_by(self, field: str) -> dict[Any, int]:
        """Return where each value of a unique field stands."""
        if field == self.shape.key:
            return self.positions
        column = self.table.columns.get(field)
        return {} if column is None else {value: place for place, value in enumerate(column.tolist())}


_NOTHING = ("", None)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal; a number that is none (nan) is the same as another."""
    return bool(one == other) or (
        isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    )


def _position(one: tuple[str, Any] | None, tables: dict[str, _Detached]) -> int:
    if one is None:
        return MISSING
    return UNLOADED if one is _NOTHING else tables[one[0]].positions[one[1]]


def is_queryset(source: Any) -> bool:
    """Whether `source` is a Django queryset or manager, by what it carries."""
    return hasattr(source, "values_list") and hasattr(getattr(source, "model", None), "_meta")


def queryset_of(model: Any, family: str, session: Any = None) -> Any:
    """Return the query of a model: a queryset as it is, a Django model's rows, or `session.query(model)`."""
    if session is not None:
        if not is_session(session) or not hasattr(model, "__mapper__"):
            raise LXModelError(
                f"from_model of {family} got {model!r} and {session!r}. Give a class that SQLAlchemy maps and a "
                "session, or a Django model alone."
            )
        return session.query(model)
    if is_queryset(model) or is_query(model):
        return model
    manager = getattr(model, "_default_manager", None)
    if manager is None:
        remedy = "Give the session too." if hasattr(model, "__mapper__") else "Give a model class or a queryset."
        raise LXModelError(f"from_model of {family} got {model!r}. {remedy}")
    return manager.all()


def is_query(source: Any) -> bool:
    """Whether `source` is a query of a SQLAlchemy session, by what it carries."""
    return hasattr(type(source), "column_descriptions") and hasattr(type(source), "__iter__")


def source_of(owner: Any, family: str, given: tuple[Any, Any]) -> Any:
    """Return the query that `from_model` asks for.

    Where only a session is given, or nothing, the type parameter names the model:
    `LXVariable[Product, float]("make").from_model(session)`.
    """
    model, session = given
    if model is None or (session is None and is_session(model)):
        named = getattr(getattr(owner, "__orig_class__", None), "__args__", (None,))[0]
        if not isinstance(named, type) or named is object:
            raise LXModelError(
                f"from_model of {family} does not say which model. Name it: {type(owner).__name__}[Product, …], "
                "or from_model(Product, session)."
            )
        model, session = named, model
    return queryset_of(model, family, session)


def detach_orm_object(obj: Any, memo: dict[Any, Any] | None = None) -> Any:
    """Return the detached record of an ORM row; anything else is returned as it is.

    Relations that were loaded are detached with it. No query is made.
    """
    return _detach_instances([obj], shape_of(obj), memo)[0] if is_orm_row(obj) else obj


def detach_rows(rows: Iterable[Any], memo: dict[Any, Any]) -> dict[int, LXRecord]:
    """Return the detached records of ORM rows by the rows' `id`."""
    groups: dict[str | None, dict[int, Any]] = {}
    found: dict[int, LXRecord] = {}
    for row in rows:
        known = _known(row, memo)
        if known is not None:
            found[id(row)] = known
        else:
            groups.setdefault(orm_label(row), {})[id(row)] = row
    for group in groups.values():
        listed = list(group.values())
        found |= zip(group, _detach_instances(listed, shape_of(listed[0]), memo), strict=True)
    return found


def _known(row: Any, memo: dict[Any, Any]) -> LXRecord | None:
    """Return the record of a row that was detached before with the same fields and values, and leads nowhere else."""
    shape = shape_of(row)
    detached = registered_tables(memo).get(shape.label)
    if detached is None or detached.table.unloaded:
        return None
    position = detached.positions.get(primary_key(row, shape))
    held = held_by(row, shape)
    if position is None or held.ones or held.manies:
        return None
    record, columns = detached.table.record(position), detached.table.columns
    same = all(name in columns and _is(columns[name].get(position), value) for name, value in held.values.items())
    return record if same else None


def _is(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and type(one) in ATOMS and bool(one == other))


def materialize_and_detach_list(items: Any, memo: dict[Any, Any] | None = None) -> Any:
    """Return the detached rows of a queryset (one query) or of a list that may hold ORM rows.

    With one `memo` over several calls, relations lead from one result to the other. None is None.
    """
    if items is None:
        return None
    if isinstance(items, LXTable):
        return items.rows
    if isinstance(items, LXRows):
        return items
    if is_queryset(items):
        return _detach_queryset(items, memo)
    listed = list(items)
    if listed and is_orm_row(listed[0]) and all(type(item) is type(listed[0]) for item in listed):
        return _detach_instances(listed, shape_of(listed[0]), memo)
    live = [part for item in listed for part in _parts(item) if is_orm_row(part)]
    if not live:
        return listed
    records = detach_rows(live, {} if memo is None else memo)
    return [_with_records(item, records) for item in listed]


def _is_tuple(item: Any) -> bool:
    """Whether an item is a tuple of some kind: also a row of a query that names several things."""
    return type(item) is tuple or (isinstance(item, Sequence) and hasattr(item, "_fields"))


def _parts(item: Any) -> Iterable[Any]:
    return item if _is_tuple(item) else (item,)


def _with_records(item: Any, records: dict[int, LXRecord]) -> Any:
    """Return an item with records in the place of its ORM rows."""
    if not _is_tuple(item):
        return records.get(id(item), item)
    parts = [records.get(id(part), part) for part in item]
    return item._make(parts) if isinstance(item, tuple) and hasattr(item, "_make") else tuple(parts)


def registered_tables(memo: dict[Any, Any]) -> dict[str, _Detached]:
    """Return the tables that were detached with `memo`, by the label of their model."""
    tables: dict[str, _Detached] = memo.setdefault(_TABLES, {})
    return tables


def register_tables(tables: dict[str, _Detached], memo: dict[Any, Any]) -> None:
    """Let rows that are detached with `memo` from here on join `tables`."""
    memo[_TABLES] = tables


def _table_for(shape: Shape, tables: dict[str, _Detached], memo: dict[Any, Any] | None) -> _Detached:
    """Return the table that rows of this shape join: one with the memo, or the only one that was copied with it."""
    found = tables.get(shape.label)
    if found is None:
        copied = [] if memo is None else memo.get(COPIED_TABLES, {}).get(shape.label, [])
        adopted = copied[0] if len(copied) == 1 and copied[0].key == shape.key is not None else None
        found = tables[shape.label] = _Detached(shape, adopted)
    return found


def _detach_queryset(queryset: Any, memo: dict[Any, Any] | None) -> Any:
    """Read every concrete field and annotation in one query and return the rows in the queryset's order."""
    queryset = queryset.all()
    if queryset._fields is not None:  # values() and values_list() give plain values
        return list(queryset)
    meta = queryset.model._meta.concrete_model._meta
    query = queryset.query
    if query.select_related or queryset._prefetch_related_lookups or query.deferred_loading[0]:
        instances = list(queryset)
        if instances:
            return _detach_instances(instances, shape_of_meta(meta), memo)
        queryset = queryset.none()
    names = [field.attname for field in meta.concrete_fields]
    kinds = [_KINDS.get(field.get_internal_type()) for field in meta.concrete_fields]
    for annotation in query.annotation_select:
        names.append(annotation)
        kinds.append(None)
    rows = list(queryset.values_list(*names))
    columns = (list(map(itemgetter(field), rows)) for field in range(len(names)))  # zip(*rows) takes thrice the time
    tables = {} if memo is None else registered_tables(memo)
    detached = _table_for(shape_of_meta(meta), tables, memo)
    found = detached.add(dict(zip(names, map(LXColumn.of, columns, kinds), strict=True)), len(rows), {})
    _link(tables, {detached.shape.label})
    return found


def _link(tables: dict[str, _Detached], changed: set[str]) -> None:
    for detached in tables.values():
        detached.link(tables, changed)


def _detach_instances(instances: list[Any], shape: Shape, memo: dict[Any, Any] | None) -> LXRows:
    """Return the rows of instances of one model: what is loaded on them and on what they reach, and nothing else."""
    tables = {} if memo is None else registered_tables(memo)
    waiting: list[tuple[Shape, list[Any]]] = []
    seen: set[tuple[str, int]] = set()
    changed: set[str] = set()
    found = _add_instances(instances, shape, tables, memo, waiting)
    seen.update((shape.label, id(row)) for row in instances)
    changed.add(shape.label)
    while waiting:
        shape, rows = waiting.pop()
        fresh = list({id(row): row for row in rows if (shape.label, id(row)) not in seen}.values())
        if fresh:
            seen.update((shape.label, id(row)) for row in fresh)
            changed.add(shape.label)
            _add_instances(fresh, shape, tables, memo, waiting)
    _link(tables, changed)
    return found


def _add_instances(
    instances: list[Any],
    shape: Shape,
    tables: dict[str, _Detached],
    memo: dict[Any, Any] | None,
    waiting: list[tuple[Shape, list[Any]]],
) -> LXRows:
    """Add instances of one shape to their table, and what they reach to `waiting`."""
    held = [held_by(row, shape) for row in instances]
    for name in dict.fromkeys(name for row in held for name in row.manies):
        for row in held:
            if row.values.get(name) == []:  # an empty list of rows among others that are filled
                row.manies[name] = (None, row.values.pop(name))
    names = dict.fromkeys(name for row in held for name in row.values)
    unloaded: dict[str, Booleans] = {}
    columns: Columns = {}
    for name in names:
        columns[name] = LXColumn.of(plain_values((row.values.get(name) for row in held), f"{shape.label}.{name}"))
        lacking = np.array([name not in row.values for row in held], dtype=np.bool_)
        if lacking.any():
            unloaded[name] = lacking
    detached = _table_for(shape, tables, memo)
    found = detached.add(columns, len(instances), unloaded)
    keys = list(detached.positions)
    reached: dict[str, tuple[Shape, list[Any]]] = {}
    for row, position in zip(held, found.positions.tolist(), strict=True):
        key = keys[position]
        for name, (target, others) in row.ones.items():
            reference = shape.references.get(name)
            if reference is not None:
                _check_reference(detached, position, name, target, others)
            else:
                one = (target.label, primary_key(others[0], target)) if target is not None and others else None
                detached.ones.setdefault(name, {})[key] = one
        for name, (target, others) in row.manies.items():
            listed = [] if target is None else [primary_key(other, target) for other in others]
            detached.manies.setdefault(name, {})[key] = (target.label if target is not None else "", listed)
        for target, others in [*row.ones.values(), *row.manies.values()]:
            if target is not None and others:
                reached.setdefault(target.label, (target, []))[1].extend(others)
    waiting.extend(reached.values())
    return found


def _check_reference(detached: _Detached, position: int, name: str, target: Shape | None, others: list[Any]) -> None:
    """Raise where a relation that is loaded contradicts the field that holds its key."""
    reference = detached.shape.references[name]
    column = detached.table.columns.get(reference.field)
    if column is None or position in detached.table.unloaded.get(reference.field, ()):
        return
    own = column.get(position)
    other = None if target is None or not others else held_by(others[0], target).values.get(reference.target, own)
    if own != other:
        raise LXModelError(
            f"{detached.table.record(position)!r} has {reference.field} {own!r} but its {name} is {other!r}. "
            "Save or flush the row before it is detached."
        )

"""What ORM rows hold in memory, many rows at a time: columns of their fields, and what is loaded of their relations.

Nothing here makes a query, and no row is written to.
"""

from __future__ import annotations

import copy
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from .captures import parts_of, refused
from .columns import Booleans, LXColumn
from .errors import LXModelError
from .orm import (
    ATOMS,
    DJANGO,
    Shape,
    is_django_row,
    is_orm_row,
    related_shape,
    shape_of,
    shape_of_mapper,
    shape_of_meta,
)

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "not loaded"})()  # where a row does not hold something
Related = tuple[Shape | None, list[Any]]  # the rows' shape (None: not known, there are no rows), and the rows
_CONTAINERS = (list, dict, tuple, set, frozenset)


@dataclass
class HeldRows:
    """What rows of one model hold; every list has one entry for each row."""

    columns: dict[str, LXColumn] = field(default_factory=dict)
    lacking: dict[str, Booleans] = field(default_factory=dict)  # where a field is not held; NULL stands there
    ones: dict[str, list[Any]] = field(default_factory=dict)  # relation -> the other row, None or ABSENT
    shapes: dict[tuple[str, type], Shape] = field(default_factory=dict)  # of the other rows: by relation and type
    manies: dict[str, list[Any]] = field(default_factory=dict)  # relation -> Related, or ABSENT
    refused: dict[str, str] = field(default_factory=dict)  # relation -> why it can't be detached


def held_rows(rows: list[Any], shape: Shape) -> HeldRows:
    """Return what rows hold, as rows of `shape`, which may be that of a parent."""
    groups = _alike(rows, shape.orm)
    read = _read_django if shape.orm == DJANGO else _read_sqlalchemy
    if len(groups) == 1:
        held = read(rows, shape)
    else:
        held = _assembled([read([rows[i] for i in group], shape) for group in groups], groups, len(rows))
    for name, column in list(held.columns.items()):
        if name in shape.fields:
            held.columns[name] = plain_column(column, f"{shape.label}.{name}")
        else:
            _sort_out(held, name, f"{shape.label}.{name}")
    return held


def held_values(row: Any) -> dict[str, Any]:
    """Return the values of the fields that one row holds."""
    held = held_rows([row], shape_of(row))
    return {name: column.get(0) for name, column in held.columns.items() if name not in held.lacking}


def leads_to_others(row: Any) -> bool:
    """Whether a row of Django holds rows that its relations lead to; of SQLAlchemy they stand among the fields."""
    held = vars(row)
    return "_state" in held and bool(vars(held["_state"]).get("fields_cache") or "_prefetched_objects_cache" in held)


# --- groups of rows that hold the same names ------------------------------------------------


def _alike(rows: list[Any], orm: str) -> list[list[int]]:
    """Return the positions of rows that hold the same names, group by group."""
    dicts = list(map(vars, rows))
    marks: list[list[Any]] = [list(map(type, rows)), list(map(tuple, dicts))]
    if orm == DJANGO:
        marks += _cached_names(dicts)
    if all(len(set(mark)) == 1 for mark in marks):
        return [list(range(len(rows)))]
    groups: dict[Any, list[int]] = {}
    for position, mark in enumerate(zip(*marks, strict=True)):
        groups.setdefault(mark, []).append(position)
    return list(groups.values())


def _cached_names(dicts: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """Return the names of the relations to one row that Django rows hold; nothing where no row holds any."""
    states = list(map(vars, map(itemgetter("_state"), dicts)))
    if not any("fields_cache" in names for names in set(map(tuple, states))):
        return []
    return [[tuple(state.get("fields_cache", ())) for state in states]]


def _assembled(parts: list[HeldRows], groups: list[list[int]], size: int) -> HeldRows:
    """Return what all groups hold together, in the order of the rows."""
    made = HeldRows()
    places = np.array(list(chain.from_iterable(groups)), dtype=np.int64)
    order = np.argsort(places)
    for part in parts:
        made.shapes |= part.shapes
        made.refused |= part.refused
    for name in dict.fromkeys(name for part in parts for name in part.columns):
        columns = [
            part.columns.get(name, LXColumn.missing(len(group))) for part, group in zip(parts, groups, strict=True)
        ]
        made.columns[name] = LXColumn.together(columns).take(order)
        lacking = [
            part.lacking.get(name, np.full(len(group), name not in part.columns))
            for part, group in zip(parts, groups, strict=True)
        ]
        if any(marks.any() for marks in lacking):
            made.lacking[name] = np.concatenate(lacking)[order]
    for part, group in zip(parts, groups, strict=True):
        for whole, own in ((made.ones, part.ones), (made.manies, part.manies)):
            for name, held in own.items():
                filled = whole.setdefault(name, [ABSENT] * size)
                for position, value in zip(group, held, strict=True):
                    filled[position] = value
    return made


def _columns(dicts: Sequence[Mapping[str, Any]], names: list[str], shape: Shape) -> dict[str, LXColumn]:
    """Return the columns of what all dictionaries hold under `names`."""
    picked: Iterable[Any] = map(itemgetter(*names), dicts) if names else ()
    if len(names) == 1:
        picked = zip(picked, strict=True)
    columns = LXColumn.of_rows(picked, [shape.kinds.get(name) for name in names])
    return dict(zip(names, columns, strict=True))


# --- Django ---------------------------------------------------------------------------------


def _read_django(rows: list[Any], shape: Shape) -> HeldRows:
    """Return what Django rows hold that hold the same names."""
    dicts = list(map(vars, rows))
    own = set(shape.fields) | set(shape_of(rows[0]).fields)
    extras = [name for name in dicts[0] if name not in own and not name.startswith("_")]
    held = HeldRows(_columns(dicts, [*(name for name in shape.fields if name in dicts[0]), *extras], shape))
    for name in vars(dicts[0]["_state"]).get("fields_cache", ()):
        _add_ones(held, name, [row._state.fields_cache[name] for row in rows], shape)
    if "_prefetched_objects_cache" in dicts[0]:
        for position, cached in enumerate(map(itemgetter("_prefetched_objects_cache"), dicts)):
            for name, others in cached.items():
                listed = getattr(others, "_result_cache", others)
                if listed is not None:
                    known = shape_of_meta(others.model._meta) if hasattr(others, "model") else None
                    manies = held.manies.setdefault(_accessor(rows[0], name), [ABSENT] * len(rows))
                    manies[position] = (known, list(listed))
    return held


def _add_ones(held: HeldRows, name: str, others: list[Any], shape: Shape) -> None:
    """Add a relation to one row: rows of Django, or None; what is neither counts as not loaded."""
    for kind in set(map(type, others)) - {type(None)}:
        other = next(other for other in others if type(other) is kind)
        if is_django_row(other):
            held.shapes[name, kind] = related_shape(other, shape.references.get(name))
    held.ones[name] = [other if other is None or (name, type(other)) in held.shapes else ABSENT for other in others]


def _accessor(row: Any, cached: str) -> str:
    """Return the attribute of a prefetched relation: the far side of a many-to-many is cached by its query's name."""
    for relation in row._meta.related_objects:
        if relation.many_to_many and relation.field.related_query_name() == cached:
            return str(relation.get_accessor_name())
    return cached


def _sort_out(held: HeldRows, name: str, field_name: str) -> None:
    """Tell apart what an attribute that is no field holds: values, rows, lists of rows, or what is left out."""
    column = held.columns[name]
    values = column.tolist()
    if column.values.dtype != object or ATOMS.issuperset(map(type, values)):
        return
    del held.columns[name]
    kept: list[Any] = [ABSENT] * len(values)
    lacks = held.lacking.pop(name, np.zeros(len(values), dtype=np.bool_))
    rows, lists = [ABSENT] * len(values), [ABSENT] * len(values)
    for position, value in enumerate(values):
        if lacks[position]:
            continue
        if isinstance(value, list) and value and all(map(is_django_row, value)):  # Prefetch(…, to_attr=name)
            lists[position] = (shape_of(value[0]), list(value))
        elif is_django_row(value):  # a cached property
            rows[position] = value
            held.shapes[name, type(value)] = shape_of(value)
        elif type(value) in ATOMS or (isinstance(value, _CONTAINERS) and not _holds_rows(value)):
            kept[position] = value
    if any(found is not ABSENT for found in lists):
        held.manies[name] = [(None, []) if value == [] else found for value, found in zip(kept, lists, strict=True)]
        kept = [ABSENT if value == [] else value for value in kept]
    if any(found is not ABSENT for found in rows):
        held.ones[name] = rows
    absent = np.array([value is ABSENT for value in kept], dtype=np.bool_)
    if not absent.all():
        plain = plain_values((None if value is ABSENT else value for value in kept), field_name)
        held.columns[name] = LXColumn.of(plain)
        if absent.any():
            held.lacking[name] = absent


def _holds_rows(value: Any) -> bool:
    """Whether a container holds ORM rows, at any depth of lists, tuples, sets and dictionaries."""
    if isinstance(value, dict):
        return any(_holds_rows(part) for part in [*value.keys(), *value.values()])
    return any(map(_holds_rows, value)) if isinstance(value, _CONTAINERS) else is_orm_row(value)


# --- SQLAlchemy -----------------------------------------------------------------------------


def _read_sqlalchemy(rows: list[Any], shape: Shape) -> HeldRows:
    """Return what rows of SQLAlchemy hold that hold the same names."""
    dicts = list(map(vars, rows))
    states = list(map(itemgetter("_sa_instance_state"), dicts))
    held = HeldRows(_columns(dicts, [name for name in shape.fields if name in dicts[0]], shape))
    expired = [name for name in shape.keys if name not in dicts[0]]
    if expired:  # the key stays known
        identities = [dict(zip(shape.keys, state.identity or (), strict=False)) for state in states]
        for name in expired:
            held.columns[name] = LXColumn.of([identity.get(name) for identity in identities])
            lacking = np.array([name not in identity for identity in identities], dtype=np.bool_)
            if lacking.any():
                held.lacking[name] = lacking
    for relation in states[0].mapper.relationships:
        if relation.key not in dicts[0]:
            continue
        target, others = shape_of_mapper(relation.mapper), list(map(itemgetter(relation.key), dicts))
        if not relation.uselist:
            held.ones[relation.key] = others
            held.shapes |= {(relation.key, kind): target for kind in set(map(type, others)) - {type(None)}}
        elif all(isinstance(collection, (list, set)) for collection in others):
            held.manies[relation.key] = [(target, list(collection)) for collection in others]
        else:
            kind = "dictionary" if isinstance(others[0], dict) else type(others[0]).__name__
            held.refused[relation.key] = (
                f"{shape.label}.{relation.key} is loaded as a {kind}, and detached rows keep "
                "lists. Let the relationship be a list or a set, or read its rows with a query of their own."
            )
    return held


# --- values ---------------------------------------------------------------------------------


def plain_column(column: LXColumn, field_name: str, *, shared: bool = True) -> LXColumn:
    """Return a column that shares nothing with the rows it came from; not `shared`: lists and dictionaries are new."""
    if column.values.dtype != object:
        return column
    kinds = set(map(type, column.values.tolist()))
    if kinds <= ATOMS or (not shared and kinds <= ATOMS | {list, dict}):
        return column
    return LXColumn.of(plain_values(column.tolist(), field_name))


def plain_values(values: Iterable[Any], field_name: str) -> list[Any]:
    """Return values that share nothing with the rows they came from; files by name, choices by value."""
    listed = list(values)
    if ATOMS.issuperset(map(type, listed)):
        return listed
    return [value if type(value) in ATOMS else _plain(value, field_name) for value in listed]


def _plain(value: Any, field_name: str) -> Any:
    if isinstance(value, enum.Enum) and isinstance(value, (str, int)):
        return value.value
    if hasattr(type(value), "chunks") and hasattr(value, "name"):
        return value.name  # the file of a FileField
    live = _live_part(value)
    if live is not None:
        raise LXModelError(f"{field_name} holds {value!r}, which leads to {live}. Leave it out of the query.")
    try:
        return copy.deepcopy(value)
    except Exception as error:
        raise LXModelError(
            f"{field_name} holds {value!r}, which can't be copied: {error}. Leave it out of the query."
        ) from error


def _live_part(value: Any) -> str | None:
    """Return what of a value belongs to a database, or None."""
    waiting, seen = [value], {id(value)}
    while waiting:
        held = waiting.pop()
        if is_orm_row(held):
            return f"the live row {held!r}"
        what = refused(held)
        if what is not None:
            return what
        parts = [part.value for part in parts_of(held) if id(part.value) not in seen]
        seen.update(map(id, parts))
        waiting += parts
    return None

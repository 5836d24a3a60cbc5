"""What ORM rows carry, by what they look like: neither Django nor SQLAlchemy is imported here.

A row is read from what it holds in memory. Nothing here makes a query.
"""

from __future__ import annotations

import copy
import datetime
import enum
import operator
import uuid
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .errors import LXModelError

DJANGO, SQLALCHEMY = "django", "sqlalchemy"
ATOMS = frozenset(
    {
        type(None), str, int, float, bool, complex, bytes, Decimal, uuid.UUID,
        datetime.date, datetime.datetime, datetime.time, datetime.timedelta,
    }
)  # fmt: skip
_CONTAINERS = (list, dict, tuple, set, frozenset)


@dataclass(frozen=True)
class Reference:
    """A relation to one row: the field that holds the key, the table it points to, and that table's field."""

    field: str
    label: str
    target: str


@dataclass(frozen=True)
class Shape:
    """The fields of a model's rows: their names, the primary key's, and the relations that a field holds."""

    label: str
    orm: str
    fields: tuple[str, ...]
    keys: tuple[str, ...]
    references: Mapping[str, Reference]

    @property
    def key(self) -> str | None:
        """The field of the primary key, None where it has several."""
        return self.keys[0] if len(self.keys) == 1 else None


Related = tuple[Shape | None, list[Any]]  # the rows' shape (None: not known, there are no rows), and the rows


@dataclass
class Held:
    """What one row holds: values by field, and what is loaded of its relations."""

    values: dict[str, Any]
    ones: dict[str, Related]  # no row: None
    manies: dict[str, Related]


def is_django_row(source: Any) -> bool:
    """Whether `source` is an instance of a Django model."""
    kind = type(source)
    return kind is not type and hasattr(kind, "_meta") and hasattr(source, "_state")


def is_sqlalchemy_row(source: Any) -> bool:
    """Whether `source` is an instance of a class that SQLAlchemy maps."""
    return not isinstance(source, type) and hasattr(type(source), "__mapper__") and "_sa_instance_state" in vars(source)


def is_orm_row(source: Any) -> bool:
    """Whether `source` is a row of an ORM."""
    return is_django_row(source) or is_sqlalchemy_row(source)


def is_session(source: Any) -> bool:
    """Whether `source` is a SQLAlchemy session, which makes queries of a model."""
    return all(callable(getattr(type(source), name, None)) for name in ("query", "commit", "rollback"))


def orm_label(row: Any) -> str | None:
    """Return the name that the table of an ORM row has when it is detached; None for anything else."""
    if is_django_row(row):
        return str(row._meta.concrete_model._meta.label)
    return _mapper_label(row._sa_instance_state.mapper) if is_sqlalchemy_row(row) else None


def shape_of(row: Any) -> Shape:
    """Return the shape of an ORM row."""
    return shape_of_meta(row._meta) if is_django_row(row) else _shape_of_mapper(row._sa_instance_state.mapper)


_SHAPES: weakref.WeakKeyDictionary[Any, Shape] = weakref.WeakKeyDictionary()  # of Django's _meta or a mapper
_FIELDS: weakref.WeakKeyDictionary[type, frozenset[str]] = weakref.WeakKeyDictionary()  # of a Django class


def shape_of_meta(meta: Any) -> Shape:
    """Return the shape of a Django model's rows; a proxy has that of its model."""
    meta = meta.concrete_model._meta
    shape = _SHAPES.get(meta)
    if shape is None:
        shape = _SHAPES[meta] = _read_meta(meta)
    return shape


def _read_meta(meta: Any) -> Shape:
    references = {
        field.name: Reference(
            field.attname, field.related_model._meta.concrete_model._meta.label, field.target_field.attname
        )
        for field in meta.concrete_fields
        if field.is_relation and field.related_model is not None
    }
    keys = tuple(field.attname for field in getattr(meta, "pk_fields", (meta.pk,)))
    return Shape(meta.label, DJANGO, tuple(field.attname for field in meta.concrete_fields), keys, references)


def _mapper_label(mapper: Any) -> str:
    return f"{mapper.class_.__module__}.{mapper.class_.__name__}"


def _shape_of_mapper(mapper: Any) -> Shape:
    shape = _SHAPES.get(mapper)
    if shape is None:
        shape = _SHAPES[mapper] = _read_mapper(mapper)
    return shape


def _read_mapper(mapper: Any) -> Shape:
    references = {}
    for relation in mapper.relationships:
        simple = getattr(relation.primaryjoin, "operator", None) is operator.eq and not relation.uselist
        if simple and relation.direction.name == "MANYTOONE" and len(relation.local_remote_pairs) == 1:
            own, target = relation.local_remote_pairs[0]
            references[relation.key] = Reference(
                mapper.get_property_by_column(own).key,
                _mapper_label(relation.mapper),
                relation.mapper.get_property_by_column(target).key,
            )
    return Shape(
        _mapper_label(mapper),
        SQLALCHEMY,
        tuple(prop.key for prop in mapper.column_attrs),
        tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key),
        references,
    )


def primary_key(row: Any, shape: Shape) -> Any:
    """Return the primary key of a row as its table's columns have it: a tuple where it has several fields."""
    held = vars(row)
    found = tuple(held.get(name) for name in shape.keys)
    if shape.orm == SQLALCHEMY and None in found:
        found = row._sa_instance_state.identity or found  # stays known when a row has expired
    return found[0] if len(found) == 1 else found


def held_by(row: Any, shape: Shape) -> Held:
    """Return what a row holds in memory, as a row of `shape`, which may be that of a parent."""
    return _held_by_django(row, shape) if shape.orm == DJANGO else _held_by_sqlalchemy(row, shape)


def _held_by_django(row: Any, shape: Shape) -> Held:
    held = vars(row)
    values = {name: held[name] for name in shape.fields if name in held}
    ones: dict[str, Related] = {}
    for name, other in row._state.fields_cache.items():
        if is_django_row(other):
            reference = shape.references.get(name)
            parent = reference is not None and reference.label != orm_label(other)
            target = _parent_shape(other, reference.label) if parent and reference else shape_of(other)
            ones[name] = (target, [other])
        elif other is None:
            ones[name] = (None, [])
    manies: dict[str, Related] = {}
    for name, others in held.get("_prefetched_objects_cache", {}).items():
        listed = getattr(others, "_result_cache", others)
        if listed is not None:
            manies[_accessor(row, name)] = (
                shape_of_meta(others.model._meta) if hasattr(others, "model") else None,
                list(listed),
            )
    known = _FIELDS.get(type(row))
    if known is None:
        known = _FIELDS[type(row)] = frozenset(field.attname for field in row._meta.concrete_fields)
    for name, value in held.items():
        if name in known or name.startswith("_"):
            continue
        if isinstance(value, list) and value and all(map(is_django_row, value)):  # Prefetch(…, to_attr=name)
            manies[name] = (shape_of(value[0]), list(value))
        elif is_django_row(value):  # a cached property
            ones[name] = (shape_of(value), [value])
        elif type(value) in ATOMS or (isinstance(value, _CONTAINERS) and not _holds_rows(value)):
            values[name] = value
    return Held(values, ones, manies)


def _accessor(row: Any, cached: str) -> str:
    """Return the attribute of a prefetched relation: the far side of a many-to-many is cached by its query's name."""
    for relation in row._meta.related_objects:
        if relation.many_to_many and relation.field.related_query_name() == cached:
            return str(relation.get_accessor_name())
    return cached


def _holds_rows(value: Any) -> bool:
    """Whether a container holds ORM rows, at any depth of lists, tuples, sets and dictionaries."""
    if isinstance(value, dict):
        return any(_holds_rows(part) for part in [*value.keys(), *value.values()])
    return any(map(_holds_rows, value)) if isinstance(value, _CONTAINERS) else is_orm_row(value)


def _parent_shape(row: Any, label: str) -> Shape:
    """Return the shape of the parent table through which a relation reaches a row of a child table."""
    parents = [parent._meta for parent in row._meta.get_parent_list() if parent._meta.label == label]
    return shape_of_meta(parents[0]) if parents else shape_of(row)


def _held_by_sqlalchemy(row: Any, shape: Shape) -> Held:
    held, state = vars(row), row._sa_instance_state
    identity = dict(zip(shape.keys, state.identity or (), strict=False))  # stays known when a row has expired
    values = {name: held.get(name, identity.get(name)) for name in shape.fields if name in held or name in identity}
    ones: dict[str, Related] = {}
    manies: dict[str, Related] = {}
    for relation in state.mapper.relationships:
        if relation.key not in held:
            continue
        target, value = _shape_of_mapper(relation.mapper), held[relation.key]
        if relation.uselist and isinstance(value, (list, set)):
            manies[relation.key] = (target, list(value))
        elif not relation.uselist:
            ones[relation.key] = (target, [] if value is None else [value])
    return Held(values, ones, manies)


def plain_values(values: Iterable[Any], field: str) -> list[Any]:
    """Return values that share nothing with the rows they came from; files by name, choices by value."""
    listed = list(values)
    if ATOMS.issuperset(map(type, listed)):
        return listed
    return [value if type(value) in ATOMS else _plain(value, field) for value in listed]


def _plain(value: Any, field: str) -> Any:
    if isinstance(value, enum.Enum) and isinstance(value, (str, int)):
        return value.value
    if hasattr(type(value), "chunks") and hasattr(value, "name"):
        return value.name  # the file of a FileField
    try:
        return copy.deepcopy(value)
    except Exception as error:
        raise LXModelError(
            f"{field} holds {value!r}, which can't be copied: {error}. Leave it out of the query."
        ) from error

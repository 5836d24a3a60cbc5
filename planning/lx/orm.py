"""What ORM rows carry, by what they look like: neither Django nor SQLAlchemy is imported here.

A row is read from what it holds in memory. Nothing here makes a query.
"""

from __future__ import annotations

import datetime
import operator
import uuid
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

DJANGO, SQLALCHEMY = "django", "sqlalchemy"
ATOMS = frozenset(
    {
        type(None), str, int, float, bool, complex, bytes, Decimal, uuid.UUID,
        datetime.date, datetime.datetime, datetime.time, datetime.timedelta,
    }
)  # fmt: skip


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
    kinds: Mapping[str, type]  # what a column without values would hold, where that is float, int or bool

    @property
    def key(self) -> str | tuple[str, ...]:
        """The field of the primary key, or its fields where it has several."""
        return self.keys[0] if len(self.keys) == 1 else self.keys


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


def is_queryset(source: Any) -> bool:
    """Whether `source` is a Django queryset or manager, by what it carries."""
    return hasattr(source, "values_list") and hasattr(getattr(source, "model", None), "_meta")


def is_query(source: Any) -> bool:
    """Whether `source` is a query of a SQLAlchemy session, by what it carries."""
    return hasattr(type(source), "column_descriptions") and hasattr(type(source), "__iter__")


def orm_label(row: Any) -> str | None:
    """Return the name that the table of an ORM row has when it is detached; None for anything else."""
    if is_django_row(row):
        return str(row._meta.concrete_model._meta.label)
    return _mapper_label(row._sa_instance_state.mapper) if is_sqlalchemy_row(row) else None


def class_label(kind: type) -> str | None:
    """Return the name that the table of a class's rows has when they are detached; None for any other class."""
    if "_meta" in vars(kind):
        concrete = getattr(kind._meta, "concrete_model", None)  # type: ignore[attr-defined]
        return None if concrete is None else str(concrete._meta.label)
    return _mapper_label(kind.__mapper__) if "__mapper__" in vars(kind) else None  # type: ignore[attr-defined]


def shape_of(row: Any) -> Shape:
    """Return the shape of an ORM row."""
    return shape_of_meta(row._meta) if is_django_row(row) else shape_of_mapper(row._sa_instance_state.mapper)


_SHAPES: weakref.WeakKeyDictionary[Any, Shape] = weakref.WeakKeyDictionary()  # of Django's _meta or a mapper
_KINDS: dict[str, type] = {
    "FloatField": float,
    "BooleanField": bool,
    **dict.fromkeys(("AutoField", "SmallAutoField", "BigAutoField"), int),
    **dict.fromkeys(("IntegerField", "SmallIntegerField", "BigIntegerField"), int),
    **dict.fromkeys(("PositiveIntegerField", "PositiveSmallIntegerField", "PositiveBigIntegerField"), int),
}


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
    fields = tuple(field.attname for field in meta.concrete_fields)
    found = {field.attname: _kind_of_field(field) for field in meta.concrete_fields}
    kinds = {name: kind for name, kind in found.items() if kind is not None}
    return Shape(meta.label, DJANGO, fields, keys, references, kinds)


def _kind_of_field(field: Any) -> type | None:
    """Return what a field's values are: float, int, bool, or None for anything else; a key is what it points to."""
    while field.is_relation and field.related_model is not None:
        field = field.target_field
    return None if hasattr(field, "from_db_value") else _KINDS.get(field.get_internal_type())


def related_shape(row: Any, reference: Reference | None) -> Shape:
    """Return the shape of a Django row that a relation leads to: that of a parent where it points to the parent."""
    if reference is not None and reference.label != orm_label(row):
        for parent in row._meta.get_parent_list():
            if parent._meta.label == reference.label:
                return shape_of_meta(parent._meta)
    return shape_of(row)


def _mapper_label(mapper: Any) -> str:
    return f"{mapper.class_.__module__}.{mapper.class_.__name__}"


def shape_of_mapper(mapper: Any) -> Shape:
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
        {prop.key: kind for prop in mapper.column_attrs if (kind := _kind_of_column(prop.columns[0])) is not None},
    )


def _kind_of_column(column: Any) -> type | None:
    """Return what the values of a column of SQLAlchemy are: float, int, bool, or None for anything else."""
    try:
        kind: type = column.type.python_type
    except NotImplementedError:
        return None
    return kind if kind in (float, int, bool) else None


def primary_key(row: Any, shape: Shape) -> Any:
    """Return the primary key of a row as its table's columns have it: a tuple where it has several fields."""
    held = vars(row)
    found = tuple(held.get(name) for name in shape.keys)
    if shape.orm == SQLALCHEMY and None in found:
        found = row._sa_instance_state.identity or found  # stays known when a row has expired
    return found[0] if len(found) == 1 else found


def primary_keys(rows: Sequence[Any], shape: Shape) -> list[Any]:
    """Return the primary keys of rows, as `primary_key` does."""
    try:
        found = list(map(operator.itemgetter(*shape.keys), map(vars, rows)))
    except KeyError:
        return [primary_key(row, shape) for row in rows]
    if None in found or (len(shape.keys) > 1 and any(None in key for key in found)):
        return [primary_key(row, shape) for row in rows]
    return found

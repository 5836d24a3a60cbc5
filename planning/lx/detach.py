"""From ORM rows to session-free records.

ORM rows are recognised by what they carry, so neither Django nor SQLAlchemy is imported here. One
memo (the dictionary that `copy.deepcopy` passes along) spans everything that is detached together:
a row that is reached twice, through two querysets or through a relation, is one record.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from .errors import LXModelError
from .records import MISSING, LXColumn, LXLink, LXRows, LXTable

_KINDS: dict[str, type] = {  # what a column without values would hold
    "FloatField": float,
    "BooleanField": bool,
    "AutoField": int,
    "BigAutoField": int,
    "IntegerField": int,
    "PositiveIntegerField": int,
    "ForeignKey": int,
}
_ANNOTATED = (str, int, float, Decimal, datetime.date, datetime.time, type(None))
_TABLES = "planning.lx tables"  # the memo's key for {model label: _Detached}


class _Detached:
    """A table that is being filled, where each primary key stands in it, and what its relations are."""

    def __init__(self, meta: Any) -> None:
        self.table = LXTable(meta.label, {}, key=meta.pk.attname)
        self.positions: dict[Any, int] = {}
        self.relations = {  # field -> (column that holds the key, label of the table it points to)
            field.name: (field.attname, field.related_model._meta.concrete_model._meta.label)
            for field in meta.concrete_fields
            if field.is_relation and field.target_field.primary_key
        }

    def add(self, values: dict[str, LXColumn], size: int) -> LXRows:
        """Add the rows whose primary key is new and return all of them in the order given."""
        keys = values[str(self.table.key)].tolist()
        if None in keys:
            raise LXModelError(f"A row of {self.table.name} has no primary key. Save it before it is detached.")
        fresh: list[int] = []
        for i, key in enumerate(keys):
            if key not in self.positions:
                self.positions[key] = self.table.size + len(fresh)
                fresh.append(i)
        if not self.table.size:
            self.table.columns = (
                values if len(fresh) == size else {f: c.take(np.array(fresh)) for f, c in values.items()}
            )
        elif fresh:
            chosen = np.array(fresh, dtype=np.int64)
            self.table.columns = {
                field: LXColumn.of([*column.tolist(), *values[field].take(chosen).tolist()])
                for field, column in self.table.columns.items()
                if field in values  # a field that was deferred in one of the queries counts as not loaded
            }
        self.table.size += len(fresh)
        return LXRows(self.table, np.array([self.positions[key] for key in keys], dtype=np.int64))

    def link(self, tables: dict[str, _Detached], changed: str) -> None:
        """Point the relations that the table `changed` takes part in to positions."""
        for field, (attname, label) in self.relations.items():
            column = self.table.columns.get(attname)
            if changed not in (self.table.name, label):
                continue
            if column is None:
                self.table.links.pop(field, None)
                continue
            target = tables.get(label)
            found = {} if target is None else target.positions
            positions = np.array([found.get(key, MISSING) for key in column.tolist()], dtype=np.int64)
            if target is None or np.any((positions == MISSING) & ~column.is_null):
                self.table.links[field] = LXLink(None, np.where(column.is_null, MISSING, 0))
            else:
                self.table.links[field] = LXLink(target.table, positions)


def is_queryset(source: Any) -> bool:
    """Whether `source` is a Django queryset, by what it carries."""
    return hasattr(source, "values_list") and hasattr(getattr(source, "model", None), "_meta")


def queryset_of(model: Any, family: str) -> Any:
    """Return the queryset of a Django model, or the queryset itself."""
    if is_queryset(model):
        return model
    manager = getattr(model, "_default_manager", None)
    if manager is None:
        raise LXModelError(f"from_model of {family} got {model!r}. Give a model class or a queryset.")
    return manager.all()


def is_django_row(source: Any) -> bool:
    """Whether `source` is an instance of a Django model, by what it carries."""
    return not isinstance(source, type) and hasattr(source, "_state") and hasattr(source, "_meta")


def orm_label(row: Any) -> str | None:
    """Return the name that the table of an ORM row has when it is detached; None for anything else."""
    return str(row._meta.concrete_model._meta.label) if is_django_row(row) else None


def detach_orm_object(obj: Any, memo: dict[Any, Any] | None = None) -> Any:
    """Return the detached record of an ORM row; anything else is returned as it is.

    Relations that were loaded are detached with it. No query is made.
    """
    return _detach_instances([obj], _tables(memo))[0] if is_django_row(obj) else obj


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
        return _detach_queryset(items, _tables(memo))
    listed = list(items)
    if listed and is_django_row(listed[0]) and all(type(item) is type(listed[0]) for item in listed):
        return _detach_instances(listed, _tables(memo))
    memo = {} if memo is None else memo
    return [
        tuple(detach_orm_object(part, memo) for part in item) if type(item) is tuple else detach_orm_object(item, memo)
        for item in listed
    ]


def _tables(memo: dict[Any, Any] | None) -> dict[str, _Detached]:
    """Return the memo's tables by model label."""
    tables: dict[str, _Detached] = {} if memo is None else memo.setdefault(_TABLES, {})
    return tables


def _detach_queryset(queryset: Any, tables: dict[str, _Detached]) -> LXRows:
    """Read every concrete field and annotation in one query and return the rows in the queryset's order."""
    queryset = queryset.all()
    meta = queryset.model._meta.concrete_model._meta
    if queryset.query.select_related or queryset._prefetch_related_lookups:
        instances = list(queryset)
        if instances:
            return _detach_instances(instances, tables)
        queryset = queryset.none()
    names = [field.attname for field in meta.concrete_fields]
    kinds = [_KINDS.get(field.get_internal_type()) for field in meta.concrete_fields]
    for annotation in queryset.query.annotation_select:
        names.append(annotation)
        kinds.append(None)
    rows = list(queryset.values_list(*names))
    columns: Iterable[Sequence[Any]] = zip(*rows, strict=True) if rows else [()] * len(names)
    return _add(meta, dict(zip(names, map(LXColumn.of, columns, kinds), strict=True)), len(rows), tables)


def _detach_instances(instances: list[Any], tables: dict[str, _Detached]) -> LXRows:
    """Return the rows of instances of one Django model: what is loaded on them and nothing else."""
    meta = instances[0]._meta.concrete_model._meta
    held = [vars(instance) for instance in instances]
    fields = [field.attname for field in meta.concrete_fields]
    others = [name for name, value in held[0].items() if name not in fields and isinstance(value, _ANNOTATED)]
    names = [name for name in [*fields, *others] if all(name in values for values in held)]
    columns = {name: LXColumn.of([values[name] for values in held]) for name in names}
    detached = _add(meta, columns, len(instances), tables)
    for field in meta.concrete_fields:
        if not field.is_relation:
            continue
        label = field.related_model._meta.concrete_model._meta.label
        known = tables[label].positions if label in tables else {}
        loaded = [instance._state.fields_cache.get(field.name) for instance in instances]
        fresh = {other.pk: other for other in loaded if other is not None and other.pk not in known}
        if fresh:
            _detach_instances(list(fresh.values()), tables)
    return detached


def _add(meta: Any, columns: dict[str, LXColumn], size: int, tables: dict[str, _Detached]) -> LXRows:
    """Add rows to the model's table and bring the relations that touch it up to date."""
    detached = tables.get(meta.label)
    if detached is None:
        detached = tables[meta.label] = _Detached(meta)
    rows = detached.add(columns, size)
    for other in tables.values():
        other.link(tables, meta.label)
    return rows

"""From ORM rows to session-free records.

ORM rows are recognised by what they carry, so neither Django nor SQLAlchemy is imported here. One
memo (the dictionary that `copy.deepcopy` passes along) spans everything that is detached together:
a row that is reached twice, through two querysets or through a relation, is one record.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .columns import LXColumn
from .errors import LXModelError
from .gathered import Gathered, Reached, link_tables, registered_tables, table_for
from .held import held_rows, leads_to_others, plain_column
from .orm import (
    ATOMS,
    Shape,
    is_orm_row,
    is_query,
    is_queryset,
    is_session,
    orm_label,
    primary_key,
    shape_of,
    shape_of_meta,
)
from .records import LXRecord, LXRows, LXTable


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep Python's garbage collector from looking through many new rows, none of which is garbage.

    What is made inside should be gone at the end, or it is looked through then.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


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
    shape, held = shape_of(row), vars(row)
    gathered = registered_tables(memo).get(shape.label)
    if gathered is None or gathered.table.unloaded or leads_to_others(row):
        return None
    position = gathered.positions.get(primary_key(row, shape))
    if position is None:
        return None
    record, columns = gathered.table.record(position), gathered.table.columns
    values = ((name, value) for name, value in held.items() if not name.startswith("_"))
    same = all(name in columns and _is(columns[name].get(position), value) for name, value in values)
    return record if same else None


def _is(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and type(one) in ATOMS and bool(one == other))


def materialize_and_detach_list(items: Any, memo: dict[Any, Any] | None = None) -> Any:
    """Return the detached rows of a queryset (one query) or of a list that may hold ORM rows.

    With one `memo` over several calls, relations lead from one result to the other. None is None.
    Properties that the rows' class names in `detached_properties` are columns too. Raises LXModelError
    for rows that contradict each other or were never saved, LXDetachError for a property that makes queries.
    """
    if items is None:
        return None
    if isinstance(items, LXTable):
        return items.rows
    if isinstance(items, LXRows):
        return items
    with collector_paused():
        return _detach_queryset(items, memo) if is_queryset(items) else _detach_list(list(items), memo)


def _detach_list(listed: list[Any], memo: dict[Any, Any] | None) -> Any:
    """Return rows of one model as rows of its table, and any other list with records in the place of its ORM rows."""
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


def _detach_queryset(source: Any, memo: dict[Any, Any] | None) -> Any:
    """Read every concrete field and annotation in one query and return the rows in the queryset's order.

    What was read already (an evaluated queryset, a prefetched relation) is not read again.
    """
    queryset = source if getattr(source, "_result_cache", None) is not None else source.all()
    if queryset._fields is not None:  # values() and values_list() give plain values
        return list(queryset)
    shape, query = shape_of_meta(queryset.model._meta), queryset.query
    if (
        queryset._result_cache is not None
        or query.select_related
        or queryset._prefetch_related_lookups
        or query.deferred_loading[0]
    ):
        instances = list(queryset)
        if instances:
            return _detach_instances(instances, shape, memo)
        queryset = queryset.none()
    names = [*shape.fields, *query.extra_select, *query.annotation_select]
    read = LXColumn.of_rows(list(queryset.values_list(*names)), [shape.kinds.get(name) for name in names])
    columns = {
        name: plain_column(column, f"{shape.label}.{name}", shared=False)
        for name, column in zip(names, read, strict=True)
    }
    tables = registered_tables(memo)
    gathered = table_for(shape, tables, memo)
    gathered.declare_properties({queryset.model})
    found = gathered.add(columns, len(read[0]), {})
    link_tables(tables, {shape.label})
    return found


def _detach_instances(instances: list[Any], shape: Shape, memo: dict[Any, Any] | None) -> LXRows:
    """Return the rows of instances of one model: what is loaded on them and on what they reach, and nothing else."""
    tables = registered_tables(memo)
    found, reached = _add_instances(instances, shape, tables, memo)
    seen: dict[str, set[int]] = {shape.label: set(map(id, instances))}
    waiting = list(reached.values())
    while waiting:
        shape, rows = waiting.pop()
        known = seen.setdefault(shape.label, set())
        fresh = dict(zip(map(id, rows), rows, strict=True))
        for key in known & fresh.keys():
            del fresh[key]
        known.update(fresh)
        if fresh:
            waiting += _add_instances(list(fresh.values()), shape, tables, memo)[1].values()
    link_tables(tables, set(seen))
    return found


def _add_instances(
    instances: list[Any], shape: Shape, tables: dict[str, Gathered], memo: dict[Any, Any] | None
) -> tuple[LXRows, Reached]:
    """Add instances of one shape to their table; return their rows and the rows that their relations lead to."""
    held = held_rows(instances, shape)
    gathered = table_for(shape, tables, memo)
    gathered.declare_properties(set(map(type, instances)))
    rows = gathered.add(held.columns, len(instances), held.lacking)
    return rows, gathered.add_relations(held, rows)

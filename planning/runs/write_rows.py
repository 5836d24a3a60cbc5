"""Writing many rows: columns in, the same stored rows as `bulk_create`, at about the driver's own speed.

SQLite gets one `executemany`, PostgreSQL one `COPY`. Other databases, and models that want to see
their instances, get `bulk_create`: see `needs_instances`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import signals

Columns = Mapping[str, Sequence[Any] | npt.NDArray[Any]]
_Field: TypeAlias = "models.Field[Any, Any]"
_Values = Mapping[str, Sequence[Any]]

_BATCH_SIZE = 5_000  # rows in a statement of bulk_create
_SQLITE_PARAMETERS = 500  # in a statement; the oldest SQLite takes 999
_SIGNALS = (signals.pre_init, signals.post_init, signals.pre_save, signals.post_save, signals.m2m_changed)
_PLAIN_PRE_SAVE = {kind.pre_save for kind in (models.Field, models.DateField, models.DateTimeField, models.TimeField)}
_STORED_AS_IT_IS: dict[
    type[models.Field[Any, Any]], type
] = {  # values of exactly this type; all others go through the field
    models.CharField: str,
    models.TextField: str,
    models.FloatField: float,
    models.BooleanField: bool,
    models.IntegerField: int,
    models.PositiveIntegerField: int,
    models.BigIntegerField: int,
    models.AutoField: int,
    models.BigAutoField: int,
}


class RowsRefused(ValueError):
    """The columns do not make rows of the table. Nothing was written."""


def write_rows(model: type[models.Model], columns: Columns, *, using: str | None = None) -> None:
    """Write the rows that the columns make, in their order: all of them, or none.

    A column is named after its field (`quantity`, `run_id`) and holds one plain value for each row.
    Ids are the database's. A field that is left out gets its default.
    Raises RowsRefused for a column that is missing, unknown or of another length, and for nan and
    infinity; the database's own errors for a value that breaks a rule of the table.
    """
    values = {name: column.tolist() if isinstance(column, np.ndarray) else column for name, column in columns.items()}
    _refuse_other_columns(model, values)
    _refuse_infinite(model, values)
    count = len(next(iter(values.values()), ()))
    if not count:
        return
    connection = connections[using or router.db_for_write(model)]
    with transaction.atomic(using=connection.alias, savepoint=False):
        if needs_instances(model, connection):
            _bulk_create(model, values, connection)
            return
        fields = [field for field in _own_fields(model) if field.attname in values or not _has_db_default(field)]
        stored = [_stored(field, values.get(field.attname), count, connection) for field in fields]
        names = [connection.ops.quote_name(field.column) for field in fields]
        table = connection.ops.quote_name(model._meta.db_table)
        _WRITERS[connection.vendor](connection, table, names, stored)


def needs_instances(model: type[models.Model], connection: BaseDatabaseWrapper) -> bool:
    """Whether only `bulk_create` may write rows of the model.

    So it is where somebody listens to its signals, where its manager has a `bulk_create` of its own,
    where it has a parent's table, where a field makes its value or its SQL itself (`auto_now`,
    files, bytes, arrays), and where the database is neither SQLite nor PostgreSQL.
    """
    return (
        connection.vendor not in _WRITERS
        or any(signal.has_listeners(model) for signal in _SIGNALS)
        or not _creates_plainly(model._default_manager)
        or bool(model._meta.parents)
        or any(_fills_itself(field) or hasattr(field, "get_placeholder") for field in _own_fields(model))
    )


def _creates_plainly(manager: models.Manager[Any]) -> bool:
    """Whether neither the manager nor its querysets have a `bulk_create` of their own."""
    plain = models.QuerySet.bulk_create
    in_manager = getattr(type(manager).bulk_create, "__wrapped__", None)  # Django makes it from the queryset's
    return in_manager is plain and type(manager.all()).bulk_create is plain


def _own_fields(model: type[models.Model]) -> list[_Field]:
    """Return the fields that the database does not fill."""
    fields = model._meta.concrete_fields
    return [field for field in fields if not isinstance(field, models.AutoField | models.GeneratedField)]


def _fills_itself(field: _Field) -> bool:
    """Whether the field sets its value when a row is saved."""
    automatic = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    return automatic or type(field).pre_save not in _PLAIN_PRE_SAVE


def _has_db_default(field: _Field) -> bool:
    return field.db_default is not models.NOT_PROVIDED


# --- what is refused ------------------------------------------------------------------------


def _refuse_other_columns(model: type[models.Model], values: _Values) -> None:
    own = {field.attname: field for field in _own_fields(model)}
    for name in values.keys() - own.keys():
        raise RowsRefused(f"{model.__name__} has no column {name} to write. Its columns are {', '.join(own)}.")
    for name, field in own.items():
        if name not in values and not (field.has_default() or _has_db_default(field) or _fills_itself(field)):
            raise RowsRefused(f"{model.__name__} needs the column {name}. Give it a value for each row.")
    lengths = {name: len(column) for name, column in values.items()}
    if len(set(lengths.values())) > 1:
        raise RowsRefused(f"The columns of {model.__name__} differ in length: {lengths}. Give one value for each row.")


def _refuse_infinite(model: type[models.Model], values: _Values) -> None:
    """Refuse nan and infinity, which one database stores and another takes for NULL."""
    for field in _own_fields(model):
        if field.get_internal_type() != "FloatField" or field.attname not in values:
            continue
        column = values[field.attname]
        known = [value for value in column if value is not None]
        if np.isfinite(np.array(known, dtype=np.float64)).all():
            continue
        row = next(i for i, value in enumerate(column) if value is not None and not math.isfinite(float(value)))
        names = ", ".join(x[row] for x in values.values() if x is not column and isinstance(x[row], str))
        raise RowsRefused(
            f"{model.__name__} row {row + 1} ({names}): {field.attname} is {column[row]}. Give a finite number."
        )


# --- the ways -------------------------------------------------------------------------------


def _stored(field: _Field, column: Sequence[Any] | None, count: int, connection: BaseDatabaseWrapper) -> Sequence[Any]:
    """Return what the driver is given for each row: what `bulk_create` would give it."""
    if column is None:
        column = [field.get_default() for _ in range(count)]
    target = field
    while type(target) in (models.ForeignKey, models.OneToOneField):
        target = target.target_field  # type: ignore[attr-defined]
    if not set(map(type, column)) <= {_STORED_AS_IT_IS.get(type(target)), type(None)}:
        column = [field.get_db_prep_save(value, connection) for value in column]
    if isinstance(target, models.FloatField):
        return [0.0 if value == 0 else value for value in column]  # -0.0: bulk_create's SQL loses its sign
    return column


def _bulk_create(model: type[models.Model], values: _Values, connection: BaseDatabaseWrapper) -> None:
    rows = [model(**dict(zip(values, row, strict=True))) for row in zip(*values.values(), strict=True)]
    model._default_manager.db_manager(connection.alias).bulk_create(rows, batch_size=_BATCH_SIZE)


def _insert(connection: BaseDatabaseWrapper, table: str, names: list[str], columns: list[Sequence[Any]]) -> None:
    """Insert with `executemany`, many rows a statement: each statement costs SQLite as much again as a row."""
    width, count = len(columns), len(columns[0])
    flat: list[Any] = [None] * (width * count)
    for i, column in enumerate(columns):
        flat[i::width] = column
    size = max(1, _SQLITE_PARAMETERS // width)
    whole = count - count % size
    row = f"({', '.join(['%s'] * width)})"
    start = f"INSERT INTO {table} ({', '.join(names)}) VALUES "  # noqa: S608 - names are quoted, values are parameters
    with connection.cursor() as cursor:
        if whole:
            batches = [flat[at : at + width * size] for at in range(0, width * whole, width * size)]
            cursor.executemany(start + ", ".join([row] * size), batches)
        if whole < count:
            cursor.execute(start + ", ".join([row] * (count - whole)), flat[width * whole :])


def _copy(connection: BaseDatabaseWrapper, table: str, names: list[str], columns: list[Sequence[Any]]) -> None:
    """Send the rows with COPY, past the guards of any statement: wrappers, the log, a broken transaction."""
    with connection.cursor() as cursor:

        def send(statement: str, rows: Iterable[Sequence[Any]], many: bool, context: Mapping[str, Any]) -> None:
            connection.validate_no_broken_transaction()
            with connection.wrap_database_errors, cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)

        executor: Callable[..., None] = send
        for wrapper in reversed(connection.execute_wrappers):
            executor = partial(wrapper, executor)
        statement = f"COPY {table} ({', '.join(names)}) FROM STDIN"
        executor(statement, list(zip(*columns, strict=True)), True, {"connection": connection, "cursor": cursor})


_WRITERS: dict[str, Callable[[BaseDatabaseWrapper, str, list[str], list[Sequence[Any]]], None]] = {
    "sqlite": _insert,
    "postgresql": _copy,
}

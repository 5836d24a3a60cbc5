"""Results of detached records, set on fresh rows of the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import LXModelError
from .held import held_values
from .orm import is_orm_row, orm_label, primary_key, shape_of
from .records import LXRecord


@dataclass(frozen=True)
class Difference:
    """A field of a row that is no longer what it was when the row was detached."""

    record: LXRecord
    field: str
    then: Any
    now: Any


@dataclass(frozen=True)
class FreshRows:
    """Fresh rows with their results, not saved yet, and what became of the rows since they were detached."""

    rows: list[Any]
    changed: list[Difference]
    vanished: list[LXRecord]


def apply_to_fresh(results: Mapping[LXRecord, Mapping[str, Any]], fresh: Iterable[Any]) -> FreshRows:
    """Set each record's results on the fresh row with the same primary key; nothing is saved.

        with transaction.atomic():
            done = apply_to_fresh({row: {"planned": made[row]} for row in rows}, Product.objects.select_for_update())
            if not done.changed and not done.vanished:
                Product.objects.bulk_update(done.rows, ["planned"])

    `fresh` is a queryset, a query of a session, or a list of rows. A field counts as changed where
    the fresh row differs from what the record held before anybody wrote to it. Raises LXModelError
    for a field that the rows do not have, and for rows of another model.
    """
    by_key: dict[Any, Any] = {}
    labels = {record._table.name for record in results}
    for row in fresh:
        if not is_orm_row(row) or orm_label(row) not in labels:
            if labels:
                raise LXModelError(f"{row!r} is no row of {', '.join(sorted(labels))}. Give fresh rows of that model.")
            continue
        by_key[orm_label(row), primary_key(row, shape_of(row))] = row
    done = FreshRows([], [], [])
    for record, values in results.items():
        row = by_key.get((record._table.name, record.pk))
        if row is None:
            done.vanished.append(record)
            continue
        done.changed.extend(_differences(record, row))
        for field, value in values.items():
            if field not in shape_of(row).fields:
                raise LXModelError(f"{record._table.name} has no field {field!r}. Name a field of the model.")
            setattr(row, field, value)
        done.rows.append(row)
    return done


def _differences(record: LXRecord, row: Any) -> list[Difference]:
    """Return the fields in which a fresh row is not what the record was."""
    table, position = record._table, record._position
    found = []
    for field, now in held_values(row).items():
        column = table.columns.get(field)
        if column is None or position in table.unloaded.get(field, ()):
            continue
        then = table.edits.get((position, field), column.get(position))
        if then != now:
            found.append(Difference(record, field, then, now))
    return found

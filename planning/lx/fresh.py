"""Results of detached records, set on fresh rows of the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import LXModelError
from .gathered import same
from .held import held_rows
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
    found = {record: by_key.get((record._table.name, record.pk)) for record in results}
    pairs = [(record, row) for record, row in found.items() if row is not None]
    done = FreshRows(
        [row for _, row in pairs], _differences(pairs), [record for record, row in found.items() if row is None]
    )
    for record, row in pairs:
        for field, value in results[record].items():
            if field not in shape_of(row).fields:
                raise LXModelError(f"{record._table.name} has no field {field!r}. Name a field of the model.")
            setattr(row, field, value)
    return done


def _differences(pairs: list[tuple[LXRecord, Any]]) -> list[Difference]:
    """Return the fields in which fresh rows are not what their records were, record by record."""
    found: dict[LXRecord, list[Difference]] = {record: [] for record, _ in pairs}
    for label in dict.fromkeys(record._table.name for record, _ in pairs):
        own = [(record, row) for record, row in pairs if record._table.name == label]
        held = held_rows([row for _, row in own], shape_of(own[0][1]))
        for field, column in held.columns.items():
            lacking = held.lacking.get(field)
            for place, ((record, _), now) in enumerate(zip(own, column.tolist(), strict=True)):
                table, position = record._table, record._position
                known = field in table.columns and position not in table.unloaded.get(field, ())
                if not known or (lacking is not None and lacking[place]):
                    continue
                then = table.edits.get((position, field), table.columns[field].get(position))
                if then is not now and not same(then, now):
                    found[record].append(Difference(record, field, then, now))
    return [difference for listed in found.values() for difference in listed]

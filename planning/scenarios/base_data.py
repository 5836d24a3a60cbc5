"""Writing edits into the base data, under the rules of their models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from planning.models import BASELINE, TABLE_BY_NAME, FormatTable, Period, Plant
from planning.snapshot import DataProblems, Edit, Problem

BATCH_SIZE = 500  # rows per statement


@dataclass
class Written:
    """A row with its edits."""

    row: Any
    name: str
    created: bool
    edits: list[Edit] = field(default_factory=list)


def write_edits(plant: Plant, edits: Iterable[Edit]) -> list[Written]:
    """Write the edits; return the rows. Raises DataProblems where a row's own rules refuse a value."""
    by_table: dict[str, list[Edit]] = {}
    for edit in edits:
        by_table.setdefault(edit.table, []).append(edit)
    written = []
    for name, among in by_table.items():
        rows = _rows(TABLE_BY_NAME[name], plant, among)
        _check_values(name, rows)
        _store(TABLE_BY_NAME[name], rows)
        written += rows
    return written


def _rows(table: FormatTable, plant: Plant, edits: list[Edit]) -> list[Written]:
    """Return the rows with their new values, not stored yet."""
    stored = table.model._default_manager.select_for_update().in_bulk([edit.pk for edit in edits if edit.pk])
    found: dict[Any, Written] = {}
    for edit in edits:
        key = edit.pk or (edit.row, edit.period)
        if key not in found:
            name = f"{edit.row} / {edit.period}" if edit.period else edit.row
            if edit.pk is not None and edit.pk not in stored:
                raise DataProblems([_problem(edit.table, name, edit.field, "The row was deleted meanwhile.")])
            row = stored[edit.pk] if edit.pk is not None else _new_row(table, plant, edit)
            found[key] = Written(row, name, created=edit.is_new_row)
        target = found[key]
        if edit.table != "scenarios" and getattr(target.row, edit.field) != edit.old:
            text = f"{edit.field} was edited meanwhile. Look at the new values, then promote again."
            raise DataProblems([_problem(edit.table, target.name, edit.field, text)])
        setattr(target.row, edit.field, edit.new)
        target.edits.append(edit)
    return list(found.values())


def _new_row(table: FormatTable, plant: Plant, edit: Edit) -> models.Model:
    """Return a new row of a table by period, or the Baseline of a plant that has none."""
    if edit.table == "scenarios":
        return table.model(plant=plant, name=BASELINE)
    period_pk = edit.period_pk
    if period_pk is None:  # the plant's only period has no row so far
        period_pk = Period.objects.get_or_create(plant=plant, sequence=1, name=edit.period)[0].pk
    return table.model(**{f"{table.key[-2]}_id": edit.parent_pk, "period_id": period_pk})


def _check_values(table: str, rows: list[Written]) -> None:
    """Raise DataProblems with every value that its field's validators refuse."""
    problems = []
    for written in rows:
        edited = {edit.field for edit in written.edits}
        names = {kind.name for kind in written.row._meta.concrete_fields}
        try:
            written.row.clean_fields(exclude=names - edited)
        except ValidationError as refused:
            problems += [
                _problem(table, written.name, column, " ".join(texts)) for column, texts in refused.message_dict.items()
            ]
    if problems:
        raise DataProblems(problems)


def _store(table: FormatTable, rows: list[Written]) -> None:
    """Store the rows; what the database's constraints refuse is put into the words of the model's."""
    manager = table.model._default_manager
    changed = [written.row for written in rows if not written.created]
    fields = sorted({edit.field for written in rows if not written.created for edit in written.edits})
    try:
        with transaction.atomic():
            if changed:
                manager.bulk_update(changed, fields, batch_size=BATCH_SIZE)
            manager.bulk_create([written.row for written in rows if written.created], batch_size=BATCH_SIZE)
    except IntegrityError as refused:
        problems = []
        for written in rows:
            try:
                written.row.full_clean()
            except ValidationError as why:
                problems.append(_problem(table.name, written.name, "", " ".join(why.messages)))
        raise DataProblems(problems or [_problem(table.name, "", "", str(refused))]) from refused


def _problem(table: str, row: str, column: str, text: str) -> Problem:
    return Problem(table, row, column, f'{table.replace("_", " ")} "{row}": {text}')

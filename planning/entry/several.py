"""One change to a field of many rows: looked at first, then written in one transaction, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.contrib.admin.models import CHANGE
from django.core.exceptions import ValidationError
from django.db import models, transaction

from planning.exchange.cells import CellFault, is_number, read_cell, validate, why_no_number
from planning.exchange.changes import own_fields
from planning.exchange.rules import ColumnRule, column_rules, ordered_pairs
from planning.models import TABLES, FormatTable
from planning.models.fields import validate_amount

from .record import EditedRow, edits_in_words, entry, record, store

OPERATIONS = {"set": "Set to", "multiply": "Multiply by", "add": "Add", "blank": "Make blank"}
MOST_ROWS = 20_000


class NotChanged(Exception):
    """Nothing was changed; the message says why and what to do."""


@dataclass(frozen=True)
class RowChange:
    """A row with its old and new value, and what is wrong with the new one."""

    row: Any
    old: Any
    new: Any
    fault: str = ""


@dataclass(frozen=True)
class SeveralChanges:
    """What a change of several rows would do: the rows whose value changes, and how many stay as they are."""

    field: str
    rows: tuple[RowChange, ...]
    unchanged: int

    @property
    def faults(self) -> list[RowChange]:
        """The rows that refuse their new value."""
        return [row for row in self.rows if row.fault]

    @property
    def digest(self) -> str:
        """A fingerprint, by which a page notices that the rows have changed since they were shown."""
        values = [(row.row.pk, row.old, row.new) for row in self.rows]
        return hashlib.sha256(repr((self.field, sorted(values, key=lambda value: value[0]))).encode()).hexdigest()


def several_fields(model: type[models.Model]) -> list[str]:
    """Return the numbers and flags of a table that may be changed in many rows at once."""
    table = _table(model)
    return list(own_fields(table)) if table else []


def _table(model: type[models.Model]) -> FormatTable | None:
    return next((table for table in TABLES if table.model is model), None)


def preview_several(rows: models.QuerySet[Any], field: str, operation: str, text: str) -> SeveralChanges:
    """Return what the change would do to the rows; nothing is written.

    Raises NotChanged for a value that the operation can't use.
    """
    table = _table(rows.model)
    if table is None or field not in own_fields(table) or operation not in OPERATIONS:
        raise NotChanged("Choose a field and what to do with it.")
    if rows.count() > MOST_ROWS:
        raise NotChanged(f"More than {MOST_ROWS:,} rows are selected. Narrow the list, and change them in parts.")
    rule = column_rules(table)[field]
    operand = _operand(rule, table.fields[field], operation, text.strip())
    found = [_changed(row, rule, operation, operand) for row in rows]
    changed = tuple(_checked(change, table, field) for change in found if change.new != change.old or change.fault)
    return SeveralChanges(field, changed, len(found) - len(changed))


def _operand(rule: ColumnRule, field: models.Field, operation: str, text: str) -> Any:
    """Return the value of the operation. Raises NotChanged."""
    words = rule.name.replace("_", " ")
    if operation == "blank":
        if not field.null:
            raise NotChanged(f"{words} can't be blank. Set it to a value.")
        return None
    if not text:
        raise NotChanged("The value is blank. Give one, or choose “Make blank”.")
    if operation == "set":
        try:
            return read_cell(rule, text)
        except CellFault as fault:
            raise NotChanged(str(fault)) from None
    if rule.kind == "flag":
        raise NotChanged(f"{words} is true or false, so it can only be set.")
    if not is_number(text):
        raise NotChanged(why_no_number(text))
    try:
        validate_amount(float(text))
    except ValidationError as wrong:
        raise NotChanged(" ".join(wrong.messages)) from None
    return float(text)


def _changed(row: Any, rule: ColumnRule, operation: str, operand: Any) -> RowChange:
    """Return the row's old and new value; a blank stays blank when it is multiplied or added to."""
    old = getattr(row, rule.name)
    if operation in ("set", "blank"):
        return RowChange(row, old, operand)
    if old is None:
        return RowChange(row, old, old)
    new = float(_reckoned(Decimal(repr(old)), operation, Decimal(repr(operand)))) + 0.0
    if rule.kind == "whole":
        if not new.is_integer():
            return RowChange(row, old, new, f"{new:g} is not a whole number.")
        new = int(new)
    try:
        validate(rule, new)
    except CellFault as fault:
        return RowChange(row, old, new, str(fault))
    return RowChange(row, old, new)


def _reckoned(old: Decimal, operation: str, operand: Decimal) -> Decimal:
    """Return the result as on paper: 100 times 1.1 is 110, not 110.00000000000001."""
    return old * operand if operation == "multiply" else old + operand


def _checked(change: RowChange, table: FormatTable, field: str) -> RowChange:
    """Return the change with what its new value contradicts in its row."""
    for low, high, message in ordered_pairs(table):
        if change.fault or field not in (low, high):
            continue
        least = change.new if field == low else getattr(change.row, low)
        most = change.new if field == high else getattr(change.row, high)
        if least is not None and most is not None and most < least:
            return replace(change, fault=message)
    return change


@transaction.atomic
def change_several(
    rows: models.QuerySet[Any], field: str, operation: str, text: str, *, digest: str, user: Any
) -> SeveralChanges:
    """Write the change that was shown as `digest`; return what was done.

    Raises NotChanged, and writes nothing, where a row refuses its value or the rows have changed since.
    """
    done = preview_several(rows.select_for_update(of=("self",)), field, operation, text)
    if done.faults:
        raise NotChanged("Some rows refuse their new value. Nothing was written.")
    if done.digest != digest:
        raise NotChanged("The rows have changed since you looked. This is what it would do now.")
    edited = _edited(done.rows, field)
    store(rows.model, edited)
    record(entry(user, one.row, one.name, CHANGE, f"{edits_in_words(one.edits)}.") for one in edited)
    return done


def _edited(changes: Iterable[RowChange], field: str) -> Sequence[EditedRow]:
    edited = []
    for change in changes:
        setattr(change.row, field, change.new)
        edited.append(EditedRow(change.row, str(change.row), edits={field: (change.old, change.new)}))
    return edited

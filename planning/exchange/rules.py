"""The rules of each column, taken from the model's field: what it holds, whether it may be blank."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from django.db import models

from planning.models import TABLES, FormatTable
from planning.models.fields import validate_name

Kind = Literal["name", "reference", "text", "choice", "number", "whole", "flag", "date", "change value"]

MAX_TEXT = 32_767  # characters that a cell of a workbook holds
MAX_WHOLE = 2_147_483_647  # what every database holds in an integer column

# Columns without a default in the plan format, although their model's field has one for the form.
MUST_BE_GIVEN = {("periods", "sequence"), ("goals", "priority"), ("scenario_changes", "operation")}


@dataclass(frozen=True)
class ColumnRule:
    """What a column of a table holds."""

    name: str
    kind: Kind
    required: bool
    default: Any
    validators: Sequence[Callable[[Any], None]] = ()
    choices: tuple[str, ...] = ()
    max_length: int | None = None
    target: str = ""  # the table that a reference names a row of


@cache
def column_rules(table: FormatTable) -> dict[str, ColumnRule]:
    """Return the rule of each column of a table."""
    return {column: column_rule(table, column) for column in table.columns}


def column_rule(table: FormatTable, column: str) -> ColumnRule:
    """Return a column's rule."""
    field = table.fields.get(column)
    if field is None:  # route_periods.product, which stands in the route
        return ColumnRule(column, "reference", True, None, target="products")
    if isinstance(field, models.ForeignKey):
        return ColumnRule(column, "reference", not field.null, None, target=table_of(field))
    required, default = blank_rule(table, field)
    kind = "change value" if (table.name, column) == ("scenario_changes", "value") else field_kind(field)
    validators = [] if kind in ("choice", "flag", "date") else field.validators
    choices = tuple(str(value) for value, _label in field.choices or () if value)
    return ColumnRule(column, kind, required, default, tuple(validators), choices, getattr(field, "max_length", None))


def field_kind(field: models.Field) -> Kind:
    """Return what a field that is no reference holds."""
    if field.choices:
        return "choice"
    if isinstance(field, models.BooleanField):
        return "flag"
    if isinstance(field, models.DateField):
        return "date"
    if isinstance(field, models.FloatField):
        return "number"
    if isinstance(field, models.IntegerField):
        return "whole"
    return "name" if validate_name in field.validators else "text"


def blank_rule(table: FormatTable, field: models.Field) -> tuple[bool, Any]:
    """Return whether a blank cell is a fault, and otherwise what it stands for."""
    if (table.name, field.name) in MUST_BE_GIVEN:
        return True, None
    if field.null:
        return False, None
    if field.has_default():
        default = field.get_default()
        return False, str(default) if isinstance(default, str) else default
    return True, None


def table_of(field: models.ForeignKey) -> str:
    """Return the table whose rows the field points to."""
    return next(table.name for table in TABLES if table.model is field.related_model)


@cache
def unique_keys(table: FormatTable) -> tuple[tuple[str, ...], ...]:
    """Return the table's keys: its own, and what else is unique within the plant."""
    keys = [table.key] if table.key else []
    for constraint in table.model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and "plant" in constraint.fields:
            key = tuple(name for name in constraint.fields if name != "plant")
            if key not in keys:
                keys.append(key)
    return tuple(keys)


@cache
def ordered_pairs(table: FormatTable) -> tuple[tuple[str, str, str], ...]:
    """Return (low, high, message) for each two columns of a row of which one may not exceed the other."""
    pairs = []
    for constraint in table.model._meta.constraints:
        condition = constraint.condition if isinstance(constraint, models.CheckConstraint) else None
        if not isinstance(condition, models.Q) or len(condition.children) != 1:
            continue
        child = condition.children[0]
        if isinstance(child, tuple) and isinstance(child[1], models.F) and child[0].endswith("__lte"):
            message = str(constraint.violation_error_message)
            pairs.append((child[0].removesuffix("__lte"), child[1].name, message))
    return tuple(pairs)

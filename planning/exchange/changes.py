"""The rules of `scenario_changes` that a row can break by itself. Its `row` is checked with the plan."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from planning.models import BASELINE, TABLE_BY_NAME, TABLES, FormatTable, ScenarioChange

from .faults import FaultList, show
from .parsed import ParsedTable
from .rules import column_rules

Changeable = Literal["number", "flag"]
NO_CHANGES = ("scenarios", "scenario_changes")


@cache
def own_fields(table: FormatTable) -> dict[str, Changeable]:
    """Return the numbers and flags of a table that are no part of its key."""
    if table.name in NO_CHANGES:
        return {}
    found: dict[str, Changeable] = {}
    for column, rule in column_rules(table).items():
        if column in table.key:
            continue
        if rule.kind in ("number", "whole"):
            found[column] = "number"
        elif rule.kind == "flag":
            found[column] = "flag"
    return found


@cache
def changeable_fields(name: str) -> dict[str, Changeable]:
    """Return what changes may touch in a table; a table and its `*_periods` table stand for each other."""
    table = TABLE_BY_NAME[name]
    fields = dict(own_fields(table))
    for other in TABLES:
        if other.parent == name or other.name == table.parent:
            fields.update(own_fields(other))
    return fields


@cache
def fields_per_period(name: str) -> frozenset[str]:
    """Return the fields of a table that have a value per period."""
    table = TABLE_BY_NAME[name]
    with_periods = table if table.parent else next((other for other in TABLES if other.parent == name), None)
    return frozenset(own_fields(with_periods)) if with_periods else frozenset()


def changes_flag(table: str, field: str) -> bool:
    """Whether a change of this field sets a flag, whose value is written true or false."""
    return table in TABLE_BY_NAME and changeable_fields(table).get(field) == "flag"


def check_changes(changes: ParsedTable, faults: FaultList) -> None:
    """Note each change that contradicts itself or names no table, field or operation."""
    for place in range(len(changes)):
        row = changes.row(place)
        for column, text in wrong_in_change(row, faults):
            faults.add("scenario_changes", changes.lines[place], column, changes.raw(place, column), text)
    for place, raw in enumerate(changes.raw_cells("value")):
        text = wrong_value(changes.row(place), raw)
        if text:
            faults.add("scenario_changes", changes.lines[place], "value", raw, text)


def wrong_in_change(row: dict[str, Any], faults: FaultList) -> list[tuple[str, str]]:
    """Return (column, what is wrong) for the scenario, table, field and period of a change."""
    wrong = []
    if row["scenario"] == BASELINE:
        wrong.append(("scenario", f"{BASELINE} has no changes. Put it into another scenario, or edit the data."))
    table, field = row["table"], row["field"]
    if table is None or field is None:
        return wrong
    if table not in TABLE_BY_NAME:
        hint = faults.suggest(table, TABLE_BY_NAME)
        return [*wrong, ("table", f'There is no table "{show(table)}".{hint} Correct the name.')]
    fields = changeable_fields(table)
    if field not in fields:
        return [*wrong, ("field", unknown_field(table, field, faults))]
    if row["period"] and field not in fields_per_period(table):
        text = f"{field} of {table} has no value per period. Leave the period blank."
        wrong.append(("period", text))
    return wrong


def unknown_field(table: str, field: str, faults: FaultList) -> str:
    """Return why a field can't be changed."""
    fields = changeable_fields(table)
    if not fields:
        return f"A scenario can't change the table {table}. Change another table, or edit the data."
    if field in TABLE_BY_NAME[table].columns:
        return f'"{field}" of {table} can\'t be changed by a scenario: only numbers and flags can. Edit the data.'
    return f'{table} has no column "{show(field)}".{faults.suggest(field, fields)} Correct the name.'


def wrong_value(row: dict[str, Any], raw: str) -> str:
    """Return what is wrong with the value of a change, given its field and operation."""
    table, field, operation = row["table"], row["field"], row["operation"]
    is_boolean = raw.lower() in ("true", "false")
    known = table in TABLE_BY_NAME and field in changeable_fields(table)
    if known and changes_flag(table, field):
        if operation is not None and operation != ScenarioChange.Operation.SET:
            return f"{field} is true or false, so it can only be set. Write set as the operation."
        if raw and row["value"] not in (None, 0.0, 1.0):
            return f'{field} is true or false, not "{show(raw)}". Write one of these.'
    elif known and is_boolean:
        return f'{field} is a number, not "{show(raw)}". Write a number.'
    if not raw and operation not in (None, ScenarioChange.Operation.SET):
        return f"The value is blank. Give the number to {operation}{' by' if operation == 'multiply' else ''}."
    return ""

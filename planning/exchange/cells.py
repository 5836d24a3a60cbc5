"""The value of a cell under its column's rule, or what is wrong with it in words."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError

from .faults import nearest, show
from .numbers import NUMBER
from .plan_file import SPOILT
from .rules import MAX_TEXT, MAX_WHOLE, ColumnRule, Kind

ISO_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
MAX_DIGITS = 1000
FLAGS = {"true": True, "false": False}


class CellFault(Exception):
    """What is wrong with a cell, in words."""


def read_cell(rule: ColumnRule, cell: str) -> Any:
    """Return the value of a stripped cell, the default where it is blank; CellFault where it has none."""
    if not cell:
        if rule.required:
            raise CellFault(f"The cell is blank. {WANTED[rule.kind]}")
        return rule.default
    if cell.startswith(SPOILT):
        raise CellFault(cell[1:])
    return READERS[rule.kind](rule, cell)


def read_text(rule: ColumnRule, cell: str) -> str:
    """Return the text, which passes the field's validators and fits into a cell of a workbook."""
    limit = min(rule.max_length or MAX_TEXT, MAX_TEXT)
    if len(cell) > limit:
        raise CellFault(f"The text has {len(cell):,} characters. Give at most {limit:,}.")
    validate(rule, cell)
    return cell


def read_reference(_rule: ColumnRule, cell: str) -> str:
    """Return the name; whether there is such a row is checked with the other tables at hand."""
    return cell


def read_choice(rule: ColumnRule, cell: str) -> str:
    """Return one of the column's words."""
    if cell in rule.choices:
        return cell
    found = nearest(cell, rule.choices)
    hint = f' Did you mean "{found[0]}"?' if found else ""
    raise CellFault(f'"{show(cell)}" is none of {", ".join(rule.choices)}.{hint}')


def read_number(rule: ColumnRule, cell: str) -> float:
    """Return a number that the column allows."""
    if not is_number(cell):
        raise CellFault(why_no_number(cell))
    value = float(cell) + 0.0  # -0 becomes 0
    validate(rule, value)
    return value


def read_whole(rule: ColumnRule, cell: str) -> int:
    """Return a whole number that the column allows; `2.0` is one."""
    if not is_number(cell):
        raise CellFault(why_no_number(cell))
    value = float(cell)
    if not abs(value) <= MAX_WHOLE:
        raise CellFault(f"{show(cell)} is out of range. Give a whole number of at most {MAX_WHOLE}.")
    if not value.is_integer():
        raise CellFault(f"{show(cell)} is not a whole number. Give one.")
    try:
        validate(rule, int(value))
    except CellFault as fault:
        raise CellFault(f"{show(cell)} is not allowed. {fault}") from None
    return int(value)


def read_flag(_rule: ColumnRule, cell: str) -> bool:
    """Return a boolean, written in any case."""
    value = FLAGS.get(cell.lower()) if len(cell) <= 5 else None
    if value is None:
        raise CellFault(f'"{show(cell)}" is neither true nor false. Write one of these.')
    return value


def read_date(_rule: ColumnRule, cell: str) -> datetime.date:
    """Return a date; a time of day other than midnight is no date."""
    match = ISO_DATE.fullmatch(cell)
    if match:
        try:
            return datetime.date.fromisoformat(match[1])
        except ValueError:
            raise CellFault(f'There is no day "{show(cell)}". Correct the date.') from None
    raise CellFault(f'"{show(cell)}" is not a date. {WANTED["date"]}')


def read_change_value(rule: ColumnRule, cell: str) -> float:
    """Return the number of a change; true and false, for changes of a flag, are 1 and 0."""
    value = FLAGS.get(cell.lower()) if len(cell) <= 5 else None
    if value is not None:
        return float(value)
    if not is_number(cell) and "," not in cell:
        raise CellFault(f'"{show(cell)}" is neither a number nor true or false. Write one of these.')
    return read_number(rule, cell)


def validate(rule: ColumnRule, value: Any) -> None:
    """Raise what the field's validators say."""
    for validator in rule.validators:
        try:
            validator(value)
        except ValidationError as error:
            message = " ".join(error.messages)
            raise CellFault(message if "." in message else f"{message}.") from None


def is_number(cell: str) -> bool:
    """Whether the text is a number, of a length that somebody might write."""
    return len(cell) <= MAX_DIGITS and NUMBER.fullmatch(cell) is not None


def why_no_number(cell: str) -> str:
    """Return why a text is not a number, and how to write it."""
    if "," in cell and NUMBER.fullmatch(cell.replace(",", "")):
        return f'"{show(cell)}" holds a comma. Write a decimal point, and nothing between thousands.'
    if ISO_DATE.fullmatch(cell):
        return f'"{show(cell)}" is a date. Write a number, and format the cell as one.'
    return f'"{show(cell)}" is not a number. {WANTED["number"]}'


READERS: dict[Kind, Callable[[ColumnRule, str], Any]] = {
    "name": read_text,
    "reference": read_reference,
    "text": read_text,
    "choice": read_choice,
    "number": read_number,
    "whole": read_whole,
    "flag": read_flag,
    "date": read_date,
    "change value": read_change_value,
}
WANTED: dict[Kind, str] = {
    "name": "Give a name of 1 to 200 characters.",
    "reference": "Give the name of a row.",
    "text": "Give a text.",
    "choice": "Give one of the column's words.",
    "number": "Write digits, a point, and where needed a sign and an exponent, such as 12.5 or 1e-3.",
    "whole": "Give a whole number.",
    "flag": "Write true or false.",
    "date": "Write it as 2026-01-31.",
    "change value": "Write a number, or true or false for a flag.",
}

"""Numbers as people read them: grouped digits, no tails of zeros, words instead of blanks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from django.db.models import CharField, F, Func, Model, Value
from django.db.models.functions import Cast, Concat, Length, Lower, LPad
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .same_plant import plant_of
from .units import short_unit, unit_of

NOTHING = "–"

BLANK_WORDS = {
    "available_hours": "no limit",
    "available_quantity": "no limit",
    "backlog_cost_per_unit": "no backlog",
    "holding_cost_per_unit": "can't be stored",
    "late_cost_per_unit": "never late",
    "max_batch_size": "no limit",
    "max_demand": "no limit",
    "max_inventory": "no limit",
    "max_overtime_hours": "no limit",
    "max_purchase": "no limit",
    "overtime_cost_per_hour": "no overtime",
    "priority": "by tier",
    "purchase_cost_per_unit": "can't be bought",
    "shortage_cost_per_unit": "must be met",
}


def exact(value: float | None) -> str:
    """Return a number of the data, every digit kept: 1,234.5."""
    if value is None:
        return NOTHING
    return f"{value + 0:,.15g}"


def rounded(value: float | None) -> str:
    """Return a number of a result: two decimals, four digits below 1, and noise as 0."""
    if value is None:
        return NOTHING
    size = abs(value)
    if size < 5e-7:
        return "0"
    decimals = 2 if size >= 1 else 3 - math.floor(math.log10(size))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".")


def money(value: float | None, currency: str) -> str:
    """Return an amount of money with two decimals and its currency."""
    if value is None:
        return NOTHING
    return f"{round(value, 2) + 0:,.2f} {currency}"


def percent(fraction: float | None) -> str:
    """Return a fraction as a percentage."""
    return NOTHING if fraction is None else f"{rounded(fraction * 100)} %"


def seconds(value: float | None) -> str:
    """Return a duration: 50 ms, 12.3 s, 2 min 5 s."""
    if value is None:
        return NOTHING
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def amount_column(name: str, *, title: str = "", blank: str | None = None) -> Callable[[Any], SafeString]:
    """Return a list column for the number in field `name` with its unit, right-aligned; a blank is a word."""
    words = BLANK_WORDS.get(name, NOTHING) if blank is None else blank

    def column(row: Model) -> SafeString:
        value = getattr(row, name)
        if value is None:
            return format_html('<span class="pl-number pl-blank">{}</span>', words)
        unit = short_unit(unit_of(row, name, plant_of(row)))
        number = format_html('<span class="pl-number">{}</span>', exact(value))
        return format_html('{} <span class="pl-unit">{}</span>', number, unit) if unit else number

    column.__name__ = name
    column.short_description = title or name.replace("_", " ")  # type: ignore[attr-defined]
    column.admin_order_field = name  # type: ignore[attr-defined]
    return column


def name_column(name: str = "name") -> Callable[[Any], str]:
    """Return a list column for a row's name, by which it is sorted as people count: Machine 2 before Machine 10."""

    def column(row: Model) -> str:
        return str(getattr(row, name))

    column.__name__ = name
    column.short_description = name  # type: ignore[attr-defined]
    column.admin_order_field = natural_order(name)  # type: ignore[attr-defined]
    return column


def natural_order(name: str) -> Func:
    """Return a text to sort names by: the name without the number at its end, then its length, then the name."""
    stem = Lower(Func(F(name), Value("0123456789 "), function="RTRIM", output_field=CharField()))
    length = LPad(Cast(Length(name), CharField()), 3, Value("0"))
    return Concat(stem, Value(" "), length, Lower(name), output_field=CharField())


def readable(name: str, contents: str) -> str:
    """Return the number of a field that may only be looked at as people read it."""
    try:
        return exact(float(contents))
    except ValueError:
        return BLANK_WORDS.get(name, contents)


def period_amount_column(name: str, *, title: str = "") -> Callable[[Any], SafeString]:
    """Return a list column of a `*_periods` table, where a blank keeps the parent's value."""
    return amount_column(name, title=title, blank=NOTHING)


def flag_column(name: str, *, title: str = "", on: str = "yes", off: str = "") -> Callable[[Any], SafeString]:
    """Return a list column for a switch, that speaks up in the unusual case only."""

    def column(row: Model) -> SafeString:
        return format_html('<span class="pl-flag">{}</span>', on if getattr(row, name) else off)

    column.__name__ = name
    column.short_description = title or name.replace("_", " ")  # type: ignore[attr-defined]
    column.admin_order_field = name  # type: ignore[attr-defined]
    return column

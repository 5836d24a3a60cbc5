"""Numbers in sentences: grouped digits, no tails of zeros, a unit that agrees with its number."""

from __future__ import annotations

import math
from collections.abc import Sequence


def number(value: float) -> str:
    """Return a number with two decimals, four digits below 1, and noise as 0."""
    size = abs(value)
    if size < 5e-7:
        return "0"
    decimals = 2 if size >= 1 else 3 - math.floor(math.log10(size))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".")


def about(value: float) -> str:
    """Return a number with four digits that count, for what is known from prices alone."""
    if abs(value) < 5e-7:
        return "0"
    return number(round(value, 3 - math.floor(math.log10(abs(value)))))


def amount(value: float, unit: str) -> str:
    """Return a number with its unit: 1 hour, 2.5 hours, 40 lb."""
    shown = number(value)
    return f"{shown} {plural(unit)}" if shown != "1" else f"1 {unit}"


def plural(unit: str) -> str:
    """Return the unit for several; units of materials and products stay as the planner writes them."""
    return f"{unit}s" if unit in ("hour", "unit") else unit


def named(period: str) -> str:
    """Return a period's name, `period 2` where that is a number alone."""
    return f"period {period}" if period.isdigit() else period


def in_period(period: str, periods: int) -> str:
    """Return ` in Week 2`; "" where the plant has a single period."""
    if periods < 2:
        return ""
    return f" in {named(period)}"


def listed(words: Sequence[str], most: int = 3) -> str:
    """Return `a, b and c`, with the number of those that are left out."""
    shown = list(words[:most])
    if len(words) > most:
        shown.append(f"{len(words) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"

"""How numbers are written in a plan file."""

from __future__ import annotations

import re

# Digits 0-9, a point, and where needed a sign and an exponent: no thousands, commas, hex, other digits.
# No two parts can take the same digits, so that a long text that is no number is refused in one pass.
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def number_text(value: float) -> str:
    """Return the shortest text that reads back as the same number."""
    if value == 0:
        return "0"
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return str(int(value))
    return repr(value)

"""The cells of a workbook as text: numbers, dates, booleans, escapes and what is no value at all."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import WINDOWS_EPOCH, from_excel

from .numbers import NUMBER, number_text
from .plan_file import SPOILT

ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
PLAIN_WHOLE_NUMBER = re.compile("-?[1-9][0-9]{0,14}|0")
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass
class CellFormats:
    """Which cell styles show a number as a date or as a duration, and from which day dates count."""

    dates: set[int] = field(default_factory=set)
    durations: set[int] = field(default_factory=set)
    epoch: datetime.datetime = WINDOWS_EPOCH

    def add_styles(self, format_ids: list[int], codes: dict[int, str]) -> None:
        """Note which styles are dates, from the number format of each style and the workbook's own codes."""
        for style, format_id in enumerate(format_ids):
            code = codes.get(format_id) or BUILTIN_FORMATS.get(format_id)
            if is_timedelta_format(code):
                self.durations.add(style)
            elif is_date_format(code):
                self.dates.add(style)


def plain(text: str) -> str:
    """Return a text of the workbook with its `_x000D_` escapes resolved, plain line ends, stripped."""
    if "_x" in text:
        text = ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
        if LONE_SURROGATE.search(text):
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
            if LONE_SURROGATE.search(text):
                return f"{SPOILT}The cell holds half a character. Write the text again."
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.strip()


def cell_text(kind: str, style: int, content: str, strings: list[str], formats: CellFormats) -> str:
    """Return the cell's text; `kind` is the cell's `t` attribute, `content` its unescaped XML text."""
    if kind == "n":
        return number_cell(content.strip(), style, formats)
    if kind == "s":
        number = content.strip()
        if not PLAIN_WHOLE_NUMBER.fullmatch(number) or not 0 <= int(number) < len(strings):
            return f"{SPOILT}The cell's text is missing: the workbook is damaged. Write the text again."
        return strings[int(number)]
    if kind == "b":
        return "TRUE" if content.strip() in ("1", "true") else "FALSE"
    if kind == "e":
        return f"{SPOILT}The cell holds the error {content.strip()[:20]!a}. Correct it."
    return plain(content)  # inlineStr, str, d


def number_cell(content: str, style: int, formats: CellFormats) -> str:
    """Return the shortest text of a number, the ISO text of what is shown as a date."""
    if style in formats.durations:
        return f"{SPOILT}The cell holds a duration. Write a number, such as 1.5 for 1:30 hours."
    if style in formats.dates and content:
        return date_cell(content, formats)
    if PLAIN_WHOLE_NUMBER.fullmatch(content) or not NUMBER.fullmatch(content):
        return content
    return number_text(float(content))


def date_cell(content: str, formats: CellFormats) -> str:
    """Return the ISO text of a date, with the time of day unless that is midnight."""
    try:
        value = from_excel(float(content), formats.epoch)
    except (ValueError, OverflowError):
        return f"{SPOILT}The cell is formatted as a date but holds {content[:20]!a}. Write a date such as 2026-01-31."
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return value.isoformat()

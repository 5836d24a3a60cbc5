"""Writing an .xlsx workbook: a plan with one sheet per table, or any other sheets.

The XML is written here, not by openpyxl: that writes 16 digits of a number, which is not always the
same number, cuts long texts, and takes a text that begins with `=` for a formula.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel

from planning.models import TABLE_BY_NAME

from .faults import ExportRefused
from .numbers import number_text
from .plan_file import MAX_ROWS
from .plan_rows import Row, Value
from .rules import MAX_TEXT

FIRST_REAL_DATE = datetime.date(1901, 1, 1)  # earlier ones are written as text; Excel's 1900 has a day too many
# What XML can't hold, and what would read as an escape.
MUST_BE_ESCAPED = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
DEFAULT, HEADER, DATE, TEXT = range(4)  # styles of cells, in the order of STYLES

DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
STYLES = (
    f'{DECLARATION}<styleSheet xmlns="{MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


class SharedTexts:
    """The workbook's texts, each once; cells refer to them by number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._uses = 0

    def number(self, text: str) -> int:
        """Return the number of a text."""
        self._uses += 1
        return self._numbers.setdefault(text, len(self._numbers))

    def xml(self) -> str:
        """Return the part that holds them."""
        items = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in self._numbers)
        return f'{DECLARATION}<sst xmlns="{MAIN}" count="{self._uses}" uniqueCount="{len(self._numbers)}">{items}</sst>'


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name (at most 31 characters, none of `[]:*?/\\'`), the heads of its columns, its rows."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Value]]


def write_workbook(path: Path, tables: dict[str, list[Row]]) -> None:
    """Write a plan as a new workbook; ExportRefused where a sheet or a cell can't hold the data."""
    write_sheets(path, [Sheet(name, TABLE_BY_NAME[name].columns, rows) for name, rows in tables.items()])


def write_sheets(target: Path | IO[bytes], sheets: Sequence[Sheet]) -> None:
    """Write sheets as a new workbook; ExportRefused where a sheet or a cell can't hold the data."""
    texts = SharedTexts()
    with ZipFile(target, "x" if isinstance(target, Path) else "w", ZIP_DEFLATED) as archive:
        for name, content in fixed_parts([sheet.name for sheet in sheets]).items():
            archive.writestr(entry(name), content)
        for number, sheet in enumerate(sheets, start=1):
            with archive.open(entry(f"xl/worksheets/sheet{number}.xml"), "w", force_zip64=True) as part:
                for piece in sheet_xml(sheet, texts):
                    part.write(piece.encode())
        archive.writestr(entry("xl/sharedStrings.xml"), texts.xml())


def entry(name: str) -> ZipInfo:
    """Return a part's entry, with a fixed date: the same plant gives the same file."""
    info = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = ZIP_DEFLATED
    return info


def sheet_xml(sheet: Sheet, texts: SharedTexts) -> Iterator[str]:
    """Yield a sheet: a bold header that stays in view, then its rows."""
    columns = sheet.columns
    widths = "".join(
        f'<col min="{place}" max="{place}" width="{max(len(column) + 3, 12)}" customWidth="1"/>'
        for place, column in enumerate(columns, start=1)
    )
    yield (
        f'{DECLARATION}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<cols>{widths}</cols><sheetData><row r="1">'
    )
    letters = [get_column_letter(place + 1) for place in range(len(columns))]
    for letter, column in zip(letters, columns, strict=True):
        yield f'<c r="{letter}1" s="{HEADER}" t="s"><v>{texts.number(escaped(column))}</v></c>'
    yield "</row>"
    for line, row in enumerate(sheet.rows, start=2):
        if line > MAX_ROWS + 1:
            raise ExportRefused(f"{sheet.name} has more than {MAX_ROWS:,} rows; a sheet holds no more. Export CSV.")
        try:
            cells = "".join(cell(f"{letter}{line}", value, texts) for letter, value in zip(letters, row, strict=True))
        except ExportRefused as reason:
            raise ExportRefused(f"{sheet.name}, row {line}: {reason}") from reason
        yield f'<row r="{line}">{cells}</row>'
    yield "</sheetData></worksheet>"


def cell(reference: str, value: Value, texts: SharedTexts) -> str:
    """Return a cell; text is a text cell whatever it begins with, and a blank is no cell."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return f'<c r="{reference}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{reference}"><v>{number_text(value)}</v></c>'
    if isinstance(value, datetime.date):
        if value >= FIRST_REAL_DATE:
            return f'<c r="{reference}" s="{DATE}"><v>{number_text(to_excel(value))}</v></c>'
        value = value.isoformat()
    return f'<c r="{reference}" s="{TEXT}" t="s"><v>{texts.number(escaped(value))}</v></c>'


def escaped(text: str) -> str:
    """Return a text with `_x0001_` for what XML can't hold; `_x005F_` for a `_` that would begin such an escape."""
    found = MUST_BE_ESCAPED.sub(lambda match: f"_x{ord(match[0]):04X}_", text)
    if len(found) > MAX_TEXT:
        raise ExportRefused(f"a text has {len(found):,} characters; a cell holds {MAX_TEXT:,}. Shorten it.")
    return found


def fixed_parts(names: list[str]) -> dict[str, str]:
    """Return the parts that hold no data, by name."""
    numbered = list(enumerate(names, start=1))
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{CONTENT}.worksheet+xml"/>'
        for number, _name in numbered
    )
    sheets = "".join(f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>' for number, name in numbered)
    targets = [("worksheet", f"worksheets/sheet{number}.xml") for number, _name in numbered]
    targets += [("styles", "styles.xml"), ("sharedStrings", "sharedStrings.xml")]
    return {
        "[Content_Types].xml": (
            f'{DECLARATION}<Types xmlns="{PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{CONTENT}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{CONTENT}.styles+xml"/>'
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{CONTENT}.sharedStrings+xml"/>{types}</Types>'
        ),
        "_rels/.rels": relationships([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": (
            f'{DECLARATION}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{sheets}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": relationships(targets),
        "xl/styles.xml": STYLES,
    }


def relationships(targets: list[tuple[str, str]]) -> str:
    """Return the part that says which parts a part refers to."""
    items = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return f'{DECLARATION}<Relationships xmlns="{PACKAGE}/relationships">{items}</Relationships>'

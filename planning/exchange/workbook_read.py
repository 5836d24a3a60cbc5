"""Reading an .xlsx workbook, one sheet per table.

The XML is read here, not by openpyxl: that turns `x005F_` inside a shared text into nothing (so an
escape can't be told from a text) and has no way to refuse a document type.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from openpyxl.utils.datetime import MAC_EPOCH

from .archive import Archive, LocalNames
from .plan_file import MAX_ROWS, SPOILT, TOO_MANY_ROWS, PlanFile, Unreadable
from .workbook_cells import CellFormats, cell_text, plain

MAX_COLUMNS = 24  # no table has as many; cells further right count as one more
COLUMN_LETTERS = re.compile("[A-Z]{1,3}")
ROW_NUMBER = re.compile("[1-9][0-9]{0,6}")
FORMULA = f"{SPOILT}The cell holds a formula. Paste its value instead."


def read_workbook(source: Path | BinaryIO) -> PlanFile:
    """Return the tables of the workbook's sheets; sheets whose name begins with `_` are ignored."""
    archive = Archive(source)
    try:
        workbook = main_part(archive)
        related = relations(archive, workbook)
        formats = CellFormats()
        sheets = sheet_list(archive, workbook, formats)
        by_type = dict(related.values())
        if styles := by_type.get("styles"):
            read_styles(archive, styles, formats)
        texts = by_type.get("sharedStrings")
        strings = shared_strings(archive, texts) if texts else []
        plan = PlanFile()
        for name, relation in sheets:
            if not name.startswith("_"):
                part = related.get(relation, ("", ""))[1]
                plan.add(name, sheet_rows(archive, part, strings, formats), noun="sheet")
        return plan
    finally:
        archive.close()


# --- the parts of a workbook ----------------------------------------------------------------


def relations(archive: Archive, part: str) -> dict[str, tuple[str, str]]:
    """Return the parts that a part refers to: (last word of the type, part) by id."""
    folder, _, name = part.rpartition("/")
    found: dict[str, tuple[str, str]] = {}

    def start(element: str, attributes: dict[str, str]) -> None:
        if element.endswith("Relationship"):
            target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/")
            found[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], target)

    relation_part = f"{folder}/_rels/{name}.rels".lstrip("/")
    if archive.has(relation_part):
        archive.parse(relation_part, start)
    return found


def main_part(archive: Archive) -> str:
    """Return the name of the part that lists the sheets."""
    for kind, target in relations(archive, "").values():
        if kind == "officeDocument":
            return target
    if archive.has("xl/workbook.xml"):
        return "xl/workbook.xml"
    raise Unreadable("This zip archive is not an .xlsx workbook. Save the plan as .xlsx.")


def sheet_list(archive: Archive, part: str, formats: CellFormats) -> list[tuple[str, str]]:
    """Return the name and the relation's id of each sheet, and note from which day dates count."""
    sheets: list[tuple[str, str]] = []

    def start(element: str, attributes: dict[str, str]) -> None:
        local = element.rpartition(" ")[2]
        if local == "sheet":
            relation = next((value for name, value in attributes.items() if name.endswith(" id")), "")
            sheets.append((plain(attributes.get("name", "")).strip(), relation))
        elif local == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            formats.epoch = MAC_EPOCH
        elif local == "workbook" and not element.rpartition(" ")[0].endswith("/main"):
            raise Unreadable("This zip archive is not an .xlsx workbook. Save the plan as .xlsx.")

    archive.parse(part, start)
    return sheets


def read_styles(archive: Archive, part: str, formats: CellFormats) -> None:
    """Note which styles of cells are dates."""
    codes: dict[int, str] = {}
    format_ids: list[int] = []
    inside = [""]

    def whole(text: str | None) -> int:
        return int(text) if text and ROW_NUMBER.fullmatch(text) else 0

    def start(element: str, attributes: dict[str, str]) -> None:
        local = element.rpartition(" ")[2]
        if local == "numFmt":
            codes[whole(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif local == "xf" and inside[-1] == "cellXfs":
            format_ids.append(whole(attributes.get("numFmtId")))
        inside.append(local)

    def end(_element: str) -> None:
        inside.pop()

    archive.parse(part, start, end)
    formats.add_styles(format_ids, codes)


def shared_strings(archive: Archive, part: str) -> list[str]:
    """Return the texts that cells refer to by number, runs of rich text joined, phonetic hints left out."""
    local = LocalNames()
    strings: list[str] = []
    pieces: list[str] = []
    state = {"t": False, "rPh": False}

    def start(element: str, _attributes: dict[str, str]) -> None:
        if (name := local[element]) in state:
            state[name] = True
        elif name == "si":
            pieces.clear()

    def end(element: str) -> None:
        if (name := local[element]) in state:
            state[name] = False
        elif name == "si":
            strings.append(plain("".join(pieces)))

    def characters(text: str) -> None:
        if state["t"] and not state["rPh"]:
            pieces.append(text)

    archive.parse(part, start, end, characters)
    return strings


# --- a sheet --------------------------------------------------------------------------------


def sheet_rows(
    archive: Archive, part: str, strings: list[str], formats: CellFormats
) -> Iterator[tuple[int, list[str]]]:
    """Yield the sheet's rows that hold something, each with its number."""
    sheet = SheetReader(strings, formats)
    archive.parse(part, sheet.start, sheet.end, sheet.characters)
    yield from sheet.rows


class SheetReader:
    """Collects the rows of a sheet from the events of its XML."""

    def __init__(self, strings: list[str], formats: CellFormats) -> None:
        self.rows: list[tuple[int, list[str]]] = []
        self._strings = strings
        self._formats = formats
        self._local = LocalNames()
        self._columns: dict[str, int] = {}
        self._row = 0
        self._cells: list[str] = []
        self._place = -1  # of the cell in its row, from 0
        self._kind = "n"
        self._style = ""
        self._pieces: list[str] = []
        self._collecting = False
        self._phonetic = False
        self._formula = False

    def start(self, element: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        name = self._local[element]
        if name == "c":
            reference = attributes.get("r")
            self._place = self._column(reference) if reference else self._place + 1
            self._kind = attributes.get("t", "n")
            self._style = attributes.get("s", "")
            self._pieces = []
            self._formula = False
        elif name in ("v", "t"):
            self._collecting = True
        elif name == "f":
            self._formula = True
        elif name == "row":
            self._start_row(attributes.get("r"))
        elif name == "rPh":
            self._phonetic = True

    def end(self, element: str) -> None:
        """Take the end of an element."""
        name = self._local[element]
        if name == "c":
            if self._pieces or self._formula:
                self._add_cell()
        elif name in ("v", "t"):
            self._collecting = False
        elif name == "row":
            if any(self._cells):
                if len(self.rows) > MAX_ROWS:
                    raise Unreadable(TOO_MANY_ROWS)
                self.rows.append((self._row, self._cells))
        elif name == "rPh":
            self._phonetic = False

    def characters(self, text: str) -> None:
        """Take text."""
        if self._collecting and not self._phonetic:
            self._pieces.append(text)

    def _start_row(self, number: str | None) -> None:
        if number is None:
            self._row += 1
        elif ROW_NUMBER.fullmatch(number):
            self._row = int(number)
        else:
            raise Unreadable(f"The sheet is damaged: {number[:20]!a} is no row number. Save the workbook again.")
        self._cells = []
        self._place = -1

    def _column(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        place = self._columns.get(letters)
        if place is None:
            if not COLUMN_LETTERS.fullmatch(letters):
                raise Unreadable(f"The sheet is damaged: {reference[:20]!a} is no cell. Save the workbook again.")
            place = -1
            for letter in letters:
                place = (place + 1) * 26 + ord(letter) - ord("A")
            self._columns[letters] = place
        return place

    def _add_cell(self) -> None:
        if self._formula:
            text = FORMULA
        else:
            style = int(self._style) if ROW_NUMBER.fullmatch(self._style) else 0
            text = cell_text(self._kind, style, "".join(self._pieces), self._strings, self._formats)
        if not text:
            return
        cells = self._cells
        place = min(self._place, MAX_COLUMNS)
        if len(cells) <= place:
            cells.extend([""] * (place + 1 - len(cells)))
        cells[place] = text

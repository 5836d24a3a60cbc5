"""Reading a folder of CSV files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from .faults import show
from .plan_file import PlanFile, Unreadable

MAX_BYTES = 256 * 2**20
QUOTE_FOLLOWED_BY = ("=", "+", "-", "@", "'")  # what a leading ' protects
UTF16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
LINE_END = re.compile(rb"\r\n|\r|\n")
SAVE_AS_UTF8 = 'Save it as "CSV UTF-8".'


class UnreadableRow(Unreadable):
    """A CSV file can't be read from this line on."""

    def __init__(self, row: int, text: str) -> None:
        self.row = row
        super().__init__(text)


def read_folder(folder: Path) -> PlanFile:
    """Return the tables of the folder's `.csv` files; other files are ignored."""
    plan = PlanFile()
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv")
    except OSError as error:
        raise Unreadable(f"The folder can't be read: {error.strerror or error}.") from error
    room = MAX_BYTES
    for path in paths:
        name = path.name[: -len(".csv")] if path.name.endswith(".csv") else path.name
        plan.add(name, numbered_rows(path, room), noun="file")
        room -= path.stat().st_size if path.is_file() else 0
    return plan


def numbered_rows(path: Path, room: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each row of a file with the line where it begins."""
    yield from rows_of(read_bytes(path, room), room)


def rows_of(content: bytes, room: int = MAX_BYTES) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the line where it begins, its cells stripped and freed of a protecting `'`."""
    text = decoded(content, room)
    awkward = "'" in text or ("\r" in text and '"' in text)
    clean = clean_awkward_cell if awkward else str.strip
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, [clean(cell) for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableRow(line, explain(error)) from error


def clean_awkward_cell(cell: str) -> str:
    """Return the cell stripped, with plain line ends, without the `'` that keeps it from being a formula."""
    cell = cell.strip()
    if "\r" in cell:
        cell = cell.replace("\r\n", "\n").replace("\r", "\n")
    if cell[:1] == "'" and cell[1:2] in QUOTE_FOLLOWED_BY and len(cell) > 1:
        return cell[1:]
    return cell


def read_bytes(path: Path, room: int) -> bytes:
    """Return what a regular file holds, up to one byte more than there is room for."""
    if not path.is_file():
        raise Unreadable("This is not a regular file. Put a CSV file in its place.")
    try:
        with path.open("rb") as file:
            return file.read(max(room, 0) + 1)
    except OSError as error:
        raise Unreadable(f"The file can't be read: {error.strerror or error}. Check its permissions.") from error


def decoded(content: bytes, room: int) -> str:
    """Return the text of a file, which must be UTF-8 and no longer than `room` bytes."""
    if len(content) > room:
        raise Unreadable(f"The files are larger than {MAX_BYTES // 2**20} MB together. Split the plant.")
    if content.startswith(UTF16_OR_32):
        raise UnreadableRow(1, f"The file is encoded in UTF-16 or UTF-32. {SAVE_AS_UTF8}")
    if b"\0" in content:
        line = line_of(content, content.index(b"\0"))
        raise UnreadableRow(line, f"The file holds a zero byte: it is damaged or not UTF-8. {SAVE_AS_UTF8}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = error.start + (len(content) - len(error.object))  # the codec leaves out the BOM
        wrong = content[place : place + 1].hex().upper()
        raise UnreadableRow(line_of(content, place), f"Byte 0x{wrong} is not UTF-8. {SAVE_AS_UTF8}") from error


def line_of(content: bytes, place: int) -> int:
    """Return the number of the line that a byte stands in."""
    return len(LINE_END.findall(content, 0, place)) + 1


def explain(error: csv.Error) -> str:
    """Return what to do about what the CSV reader found."""
    message = str(error)
    if "field larger" in message:
        limit = csv.field_size_limit()
        return f"A cell is longer than {limit:,} characters. Shorten it, or close the double quote that opens it."
    if "unexpected end" in message:
        return 'The double quote that opens a cell here is never closed. Add the closing ".'
    if "expected after" in message:
        return 'Text follows a closing double quote. Write a double quote inside a quoted cell twice: "".'
    return f"The row can't be read as CSV ({show(message)}). Correct its quotes and commas."

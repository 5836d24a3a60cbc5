"""Reading the parts of a workbook's zip archive without trusting it: bounded sizes, no document types."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from .plan_file import Unreadable

MAX_ENTRIES = 2000
MAX_UNPACKED_BYTES = 512 * 2**20
MAX_RATIO = 200  # unpacked to packed; repetitive sheets of real plants stay below 60
RATIO_MATTERS_FROM = 8 * 2**20  # bytes; a small part may be as repetitive as it likes
ENCRYPTED = 0x1
OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # an .xls, or an .xlsx with a password
# What zipfile raises on damaged or hostile archives, besides BadZipFile.
ARCHIVE_ERRORS = (
    BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Characters = Callable[[str], None]


class LocalNames(dict[str, str]):
    """The name of an element or attribute without its namespace, by its full name."""

    def __missing__(self, name: str) -> str:
        local = name.rpartition(" ")[2]
        if len(self) < 1000:
            self[name] = local
        return local


class Archive:
    """A workbook's parts, by name."""

    def __init__(self, source: Path | BinaryIO) -> None:
        try:
            self._zip = ZipFile(source)
        except ARCHIVE_ERRORS as error:
            raise Unreadable(why_no_archive(source, error)) from error
        entries = self._zip.infolist()
        try:
            refuse_bomb(entries)
        except Unreadable:
            self.close()
            raise
        self._entries = {entry.filename.lstrip("/").lower(): entry for entry in entries}

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def has(self, part: str) -> bool:
        """Whether there is such a part; case does not count."""
        return part.lstrip("/").lower() in self._entries

    def parse(self, part: str, start: Start, end: End | None = None, characters: Characters | None = None) -> None:
        """Feed the part's XML to the handlers; element names come with their namespace, a space between."""
        entry = self._entries.get(part.lstrip("/").lower())
        if entry is None:
            raise Unreadable(f"The workbook is damaged: its part {part[:100]!a} is missing. Save it again.")
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = start
        parser.StartDoctypeDeclHandler = refuse_doctype
        if end:
            parser.EndElementHandler = end
        if characters:
            parser.CharacterDataHandler = characters
        try:
            with self._zip.open(entry) as stream:
                parser.ParseFile(stream)
        except expat.ExpatError as error:
            raise Unreadable(f"The workbook is damaged ({part[:100]!a}: {error}). Save it again.") from error
        except ARCHIVE_ERRORS as error:
            raise Unreadable(f"The workbook is damaged: {part[:100]!a} can't be unpacked. Save it again.") from error


def why_no_archive(source: Path | BinaryIO, error: Exception) -> str:
    """Return what a file that is no zip archive seems to be."""
    if isinstance(error, OSError) and error.strerror:
        return f"The file can't be read: {error.strerror}."
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                first = file.read(8)
        else:
            source.seek(0)
            first = source.read(8)
    except (OSError, ValueError):
        first = b""
    if first == OLE_START:
        return "This is an old .xls workbook or one with a password. Save it as .xlsx without a password."
    return "This is not an .xlsx workbook, or it is damaged. Save it again as .xlsx."


def refuse_bomb(entries: list[ZipInfo]) -> None:
    """Raise where unpacking would take more than a plan can need."""
    if len(entries) > MAX_ENTRIES:
        raise Unreadable(f"The workbook has {len(entries):,} parts; {MAX_ENTRIES:,} are allowed. Keep the tables only.")
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise Unreadable(
            f"The workbook unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MB. "
            "Keep the tables only, or split the plant."
        )
    for entry in entries:
        if entry.flag_bits & ENCRYPTED:
            raise Unreadable("The workbook is encrypted. Save it without a password.")
        if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise Unreadable("The workbook is packed in a way that Excel does not use. Save it again as .xlsx.")
        if entry.file_size > max(RATIO_MATTERS_FROM, MAX_RATIO * entry.compress_size):
            raise Unreadable(
                f"A part of the workbook unpacks to more than {MAX_RATIO} times its size, as a zip bomb does. "
                "Copy the tables into a new workbook."
            )


def refuse_doctype(*_arguments: object) -> None:
    """Raise: no spreadsheet program writes a document type, and entities in one can expand without end."""
    raise Unreadable("The workbook holds an XML document type, which no spreadsheet program writes. Save it again.")

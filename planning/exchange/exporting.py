"""Exporting a plan: everything is written beside its place first, then moved there."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from planning.models import TABLE_BY_NAME, Plant

from .csv_write import write_folder
from .faults import ExportRefused, show
from .plan_rows import Row, plan_tables, tables_of_scenario
from .workbook_write import Sheet, write_sheets, write_workbook

OTHER_SUFFIXES = {".csv", ".xls", ".xlsm", ".xlsb", ".ods", ".txt", ".json", ".zip"}
TABLE_FILES = {f"{name}.csv" for name in TABLE_BY_NAME}


def export_plan(plant: Plant, path: str | Path, scenario: str | None = None) -> dict[str, int]:
    """Write the plant as an .xlsx workbook or, under any other name, as a folder of CSV files.

    With a scenario its values stand in place: the Baseline of what is written plans what the scenario plans,
    and there are no other scenarios.

    An existing workbook is replaced, and so is a folder that holds nothing but a plan. Returns the number
    of rows by table; ExportRefused, with nothing changed, where the path can't be written.
    """
    path = Path(path)
    tables = plan_tables(plant) if scenario is None else tables_of_scenario(plant, scenario)
    with checked_place(path) as place:
        if is_workbook(path):
            replace_file(place, lambda draft: write_workbook(draft, tables))
        else:
            replace_folder(place, tables)
    return {name: len(rows) for name, rows in tables.items()}


def export_sheets(sheets: Sequence[Sheet], path: str | Path) -> None:
    """Write sheets as an .xlsx workbook, in the place of one that is there; ExportRefused as for a plan."""
    path = Path(path)
    if not is_workbook(path):
        raise ExportRefused(f"{show(path, 200)} is no workbook. Give a name that ends in .xlsx.")
    with checked_place(path) as place:
        replace_file(place, lambda draft: write_sheets(draft, sheets))


@contextmanager
def checked_place(path: Path) -> Iterator[Path]:
    """Yield the place that a path leads to, its folder made; raise ExportRefused where it can't be written."""
    try:
        check_place(path)
        place = path.resolve()
        place.parent.mkdir(parents=True, exist_ok=True)
        yield place
    except (OSError, ValueError) as error:  # ValueError: a zero byte or half a character in the path
        reason = getattr(error, "strerror", None) or show(error)
        raise ExportRefused(f"{show(path, 200)} can't be written: {reason}. Give another path.") from error


def is_workbook(path: Path) -> bool:
    """Whether the path names a workbook."""
    return path.suffix.lower() == ".xlsx"


def check_place(path: Path) -> None:
    """Raise where writing would take the place of something that is no plan."""
    shown = show(path, 200)
    if is_workbook(path):
        if path.is_dir():
            raise ExportRefused(f"{shown} is a folder. Give the name of a workbook, or a folder without .xlsx.")
        return
    if path.is_dir():
        foreign = sorted(child.name for child in path.iterdir() if child.name not in TABLE_FILES)
        if foreign:
            raise ExportRefused(f'{shown} holds "{show(foreign[0])}", which is no table of a plan. Give a new folder.')
    elif path.exists():
        raise ExportRefused(f"{shown} is a file. Give a folder, or a workbook that ends in .xlsx.")
    elif path.suffix.lower() in OTHER_SUFFIXES:
        raise ExportRefused(f"{shown} is neither a folder nor an .xlsx workbook. Give one of these.")


def replace_file(place: Path, write: Callable[[Path], None]) -> None:
    """Write a workbook and move it to its place in one step."""
    draft = place.with_name(f".export-{secrets.token_hex(8)}")
    try:
        write(draft)
        os.replace(draft, place)
    finally:
        draft.unlink(missing_ok=True)


def replace_folder(place: Path, tables: dict[str, list[Row]]) -> None:
    """Write a folder and move it to its place; into a folder that is there, file by file."""
    with draft_folder(place if place.is_dir() else place.parent) as draft:
        write_folder(draft, tables)
        if not place.is_dir():
            draft.rename(place)
            return
        for name in sorted(TABLE_FILES):
            if (draft / name).exists():
                os.replace(draft / name, place / name)
            else:
                (place / name).unlink(missing_ok=True)


@contextmanager
def draft_folder(parent: Path) -> Iterator[Path]:
    """Make a folder of a name of its own; remove what is left of it."""
    draft = parent / f".export-{secrets.token_hex(8)}"
    draft.mkdir()
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)

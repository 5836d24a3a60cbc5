"""Importing some tables into a plant that is there: a CSV file of one, or a workbook or folder of several."""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

from django.db import DatabaseError, transaction

from planning.models import TABLE_BY_NAME, Plant

from .check import check_plan
from .csv_read import MAX_BYTES, read_bytes, read_folder, rows_of
from .faults import Fault, ImportFaults, show
from .importing import NO_PLAN_SUFFIXES, ImportResult
from .overlay import Overlay
from .parsed import ParsedTable
from .plan_file import PlanFile, Unreadable
from .preview import Preview, rows_there, state_of, table_changes
from .store import count_rows, garbage_collection_paused
from .store_tables import store_tables
from .workbook_read import read_workbook

COPY_NUMBER = re.compile(r"[ _-]*\(\d+\)$")  # what a browser adds to a name that it has already
WHAT_TO_GIVE = "Give a CSV file that is named like its table, or an .xlsx workbook or a folder with some tables."


def preview_tables(source: str | Path | BinaryIO, plant: Plant, *, replace: bool = False, table: str = "") -> Preview:
    """Return what importing the tables into the plant would do. Raises ImportFaults."""
    overlay = Overlay(read_tables(source, table), plant, replace=replace)
    parsed = _checked(overlay)
    there = rows_there(plant)
    named = [TABLE_BY_NAME[name] for name in TABLE_BY_NAME if name in overlay.names]
    found = tuple(table_changes(one, parsed[one.name], there.get(one.name, [])) for one in named)
    return Preview(plant.name, plant, found, state_of(plant))


def import_tables(
    source: str | Path | BinaryIO, plant: Plant, *, replace: bool = False, table: str = "", dry_run: bool = False
) -> ImportResult:
    """Write the tables of a file into a plant, in one transaction; its other tables stay as they are.

    Rows are added or give their values to the row with the same key; with `replace` those that the file lacks are
    removed. ImportFaults, with everything that is wrong with the plant as it would be; then nothing is written.
    """
    file = read_tables(source, table)
    with garbage_collection_paused(), transaction.atomic():
        plant = Plant.objects.select_for_update().get(pk=plant.pk)
        overlay = Overlay(file, plant, replace=replace)
        parsed = _checked(overlay)
        counts = {name: count for name, count in count_rows(parsed).items() if name in overlay.names}
        if not dry_run:
            _write(parsed, plant, overlay.names)
    return ImportResult(plant.name, plant, counts, True, dry_run)


def _checked(overlay: Overlay) -> dict[str, ParsedTable]:
    parsed = check_plan(overlay.plan)
    if overlay.plan.faults.total:
        raise overlay.sorted_faults()
    return parsed


def _write(parsed: dict[str, ParsedTable], plant: Plant, names: set[str]) -> None:
    try:
        with transaction.atomic():
            store_tables(parsed, plant, names)
    except DatabaseError as error:
        text = f"The database refused the rows ({show(error, 200)}). Nothing was imported. Check what this names."
        raise ImportFaults([Fault("", None, "", "", text)]) from error


def read_tables(source: str | Path | BinaryIO, table: str = "") -> PlanFile:
    """Return the raw tables of a file; `table` says which one a CSV file is, where its name does not.

    Raises ImportFaults where the whole can't be read, or holds no table.
    """
    name = str(source) if isinstance(source, str | Path) else str(getattr(source, "name", ""))
    try:
        plan = _read(source, Path(name), table)
        if not plan.tables and not plan.faults.total:
            raise Unreadable(f"The file holds no table. {WHAT_TO_GIVE}")
    except Unreadable as reason:
        raise ImportFaults([Fault("", None, "", show(name), f"{show(name)}: {reason}")]) from reason
    return plan


def _read(source: str | Path | BinaryIO, path: Path, table: str) -> PlanFile:
    is_path, suffix = isinstance(source, str | Path), path.suffix.lower()
    if is_path and path.is_dir():
        return read_folder(path)
    if is_path and not path.exists():
        raise Unreadable(f"There is no such file or folder. {WHAT_TO_GIVE}")
    if suffix == ".csv":
        content = source.read(MAX_BYTES + 1) if not isinstance(source, str | Path) else read_bytes(path, MAX_BYTES)
        plan = PlanFile()
        plan.add(table or COPY_NUMBER.sub("", path.stem), rows_of(content), noun="file")
        return plan
    if suffix in NO_PLAN_SUFFIXES:
        raise Unreadable(NO_PLAN_SUFFIXES[suffix])
    return read_workbook(path if is_path else source)  # type: ignore[arg-type]

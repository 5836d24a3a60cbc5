"""Importing a plan: read, check everything, then write all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.db import DatabaseError, IntegrityError, transaction

from planning.models import TABLE_BY_NAME, Plant

from .check import check_plan
from .csv_read import read_folder
from .faults import Fault, ImportFaults, show
from .parsed import ParsedTable
from .plan_file import PlanFile, Unreadable
from .store import count_rows, garbage_collection_paused, store_plant
from .workbook_read import read_workbook

NO_PLAN_SUFFIXES = {
    ".csv": "A plan is a folder of CSV files. Give the folder.",
    ".xls": "This is an old workbook. Save it as .xlsx.",
    ".xlsm": "This is a workbook with macros. Save it as .xlsx.",
    ".xlsb": "This is a binary workbook. Save it as .xlsx.",
    ".ods": "This is an OpenDocument workbook. Save it as .xlsx.",
}


@dataclass(frozen=True)
class ImportResult:
    """What an import wrote; after a dry run, what it would write (`plant` is then the one that is there, if any)."""

    plant_name: str
    plant: Plant | None
    counts: Mapping[str, int]  # rows by table
    replaced: bool
    dry_run: bool


def read_plan(source: str | Path | BinaryIO) -> PlanFile:
    """Return the raw tables of a folder of CSV files or of an .xlsx workbook (a path or an open file).

    Faults of single tables are in the result; ImportFaults is raised where the whole can't be read.
    """
    try:
        if not isinstance(source, str | Path):
            return read_workbook(source)
        path = Path(source)
        refuse_other_files(path)
        return read_folder(path) if path.is_dir() else read_workbook(path)
    except Unreadable as reason:
        name = show(source) if isinstance(source, str | Path) else show(getattr(source, "name", ""))
        raise ImportFaults([Fault("", None, "", name, f"{name}: {reason}" if name else str(reason))]) from reason


def refuse_other_files(path: Path) -> None:
    """Raise where the path is neither a folder nor an .xlsx file."""
    try:
        is_folder, is_file, exists = path.is_dir(), path.is_file(), path.exists()
    except OSError as error:
        raise Unreadable(f"The path can't be read: {error.strerror or error}.") from error
    if is_folder:
        return
    if not exists:
        raise Unreadable("There is no such file or folder. Give a folder of CSV files or an .xlsx workbook.")
    suffix = path.suffix.lower()
    if not is_file or suffix != ".xlsx":
        raise Unreadable(NO_PLAN_SUFFIXES.get(suffix, "Give a folder of CSV files or an .xlsx workbook."))


def import_plan(source: str | Path | BinaryIO, *, replace: bool = False, dry_run: bool = False) -> ImportResult:
    """Write the plan as a new plant, or with `replace` in place of the plant of its name.

    ImportFaults, with everything that is wrong, where it can't be; then nothing is written.
    """
    with garbage_collection_paused():
        plan = read_plan(source)
        parsed = check_plan(plan)
        plant = existing_plant(parsed["plant"], plan, replace=replace)
        if plan.faults.total:
            raise ImportFaults(plan.faults.sorted(list(TABLE_BY_NAME)), plan.faults.total)
        name = parsed["plant"].columns["name"][0]
        if not dry_run:
            plant, replaced = write(parsed, name, replace=replace)
        else:
            replaced = plant is not None
    return ImportResult(name, plant, count_rows(parsed), replaced, dry_run)


def existing_plant(plants: ParsedTable, plan: PlanFile, *, replace: bool) -> Plant | None:
    """Return the plant of that name; note a fault where it may not be replaced."""
    if len(plants) != 1 or any(fault.table == "plant" for fault in plan.faults):
        return None  # no name to ask the database for
    name = plants.columns["name"][0]
    plant = Plant.objects.filter(name=name).first()
    if plant is not None and not replace:
        plan.faults.add("plant", plants.lines[0], "name", name, already_there(name))
    return plant


def already_there(name: str) -> str:
    """Return what to do about a plant that is there."""
    return f'The plant "{show(name)}" is there already. Use --replace to replace its data, or rename it in the file.'


def write(parsed: dict[str, ParsedTable], name: str, *, replace: bool) -> tuple[Plant, bool]:
    """Store the plan in one transaction; return the plant and whether it was there before."""
    line = parsed["plant"].lines[0]
    try:
        with transaction.atomic():
            # The lock lets a second import of this plant wait for the first.
            there = Plant.objects.select_for_update().filter(name=name).first()
            if there is not None and not replace:
                raise ImportFaults([Fault("plant", line, "name", show(name), already_there(name))])
            return store_plant(parsed, there), there is not None
    except IntegrityError as error:
        if not replace and Plant.objects.filter(name=name).exists():
            raise ImportFaults([Fault("plant", line, "name", show(name), already_there(name))]) from error
        text = f"The database refused the rows ({show(error, 200)}). Nothing was imported. Check what this names."
        raise ImportFaults([Fault("", None, "", "", text)]) from error
    except DatabaseError as error:
        text = f"The database failed ({show(error, 200)}). Nothing was imported. Try again."
        raise ImportFaults([Fault("", None, "", "", text)]) from error

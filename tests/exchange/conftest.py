"""Small plans written as real files, and their faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from planning.exchange import Fault, ImportFaults, import_plan

Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return a function that writes `table="csv text"` as a folder, with a plant unless one is given."""

    def write(**tables: str | bytes) -> Path:
        place = tmp_path / "plan"
        place.mkdir(exist_ok=True)
        for name, content in {"plant": "name\nWorkshop\n", **tables}.items():
            data = content.encode() if isinstance(content, str) else content
            (place / f"{name}.csv").write_bytes(data)
        return place

    return write


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes `table=[[cells of the header], …]` as a workbook made by openpyxl."""

    def write(**tables: list[list[Any]]) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, rows in {"plant": [["name"], ["Workshop"]], **tables}.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
        path = tmp_path / "plan.xlsx"
        book.save(path)
        book.close()
        return path

    return write


@pytest.fixture
def faults_of(db: None) -> Callable[..., list[Fault]]:
    """Return a function that imports a file and returns its faults."""

    def run(path: Path, **options: bool) -> list[Fault]:
        with pytest.raises(ImportFaults) as caught:
            import_plan(path, **options)
        return caught.value.faults

    return run

"""Junk, bombs and what is no plan at all: words, never a traceback, and nothing written."""

from __future__ import annotations

import contextlib
import io
import os
import random
import time
import zipfile

import pytest

from planning.exchange import ImportFaults, export_plan, import_plan, read_plan
from planning.models import Plant

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("content", "row", "words"),
    [
        ("name\nCafé\n".encode("latin-1"), 2, "0xE9"),
        (b"\xef\xbb\xbfname\nA\n\xff\n", 3, "0xFF"),
        ("name\nA\n".encode("utf-16"), 1, "UTF-16"),
        ("name\nA\n".encode("utf-16-le"), 1, "zero byte"),
        (b"name\nA\nB\0\n", 3, "zero byte"),
        (b'name,unit\nA,"box\nB,box\n', 2, "never closed"),
        (b'name,unit\nA,"box"x\n', 2, "twice"),
        (b"name\n" + b"x" * 200_000 + b"\n", 2, "131,072"),
    ],
)
def test_a_file_that_cannot_be_read_as_csv(folder, faults_of, content, row, words):
    (fault,) = faults_of(folder(products=content))
    assert (fault.table, fault.row) == ("products", row)
    assert words in fault.text


def test_random_bytes(folder, faults_of):
    numbers = random.Random(7)
    for _ in range(50):
        assert faults_of(folder(products=numbers.randbytes(500)))


@pytest.mark.parametrize("name", ["nothing", "nothing.xlsx", "nothing\0", "x" * 5000, "\udce9"])
def test_a_path_that_is_not_there(tmp_path, name):
    with pytest.raises(ImportFaults, match=r"no such file|can't be read"):
        import_plan(tmp_path / name)


@pytest.mark.parametrize("name", ["plan.csv", "plan.xls", "plan.ods", "plan.xlsm", "plan", "plan.txt"])
def test_a_file_of_another_kind(tmp_path, name):
    (tmp_path / name).write_text("name\nWorkshop\n")
    with pytest.raises(ImportFaults, match=r"\.xlsx|folder"):
        import_plan(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [b"", b"name\nA\n", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512],
)
def test_a_workbook_that_is_none(tmp_path, content):
    path = tmp_path / "plan.xlsx"
    path.write_bytes(content)
    with pytest.raises(ImportFaults, match=r"Save (it|the plan)"):
        import_plan(path)


def test_pipes_and_folders_in_place_of_a_table(folder, faults_of):
    place = folder()
    os.mkfifo(place / "products.csv")
    (place / "machines.csv").mkdir()
    assert {fault.table for fault in faults_of(place)} == {"products", "machines"}


def archive(**parts: bytes | str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in parts.items():
            out.writestr(name, content)
    return stream.getvalue()


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    content = archive(**{"xl/workbook.xml": b" " * 200_000_000})
    started = time.monotonic()
    with pytest.raises(ImportFaults, match="bomb"):
        import_plan(io.BytesIO(content))
    assert time.monotonic() - started < 1


def test_a_workbook_of_too_many_parts():
    with pytest.raises(ImportFaults, match="parts"):
        import_plan(io.BytesIO(archive(**{f"part{number}": "" for number in range(2001)})))


def test_a_document_type_is_refused():
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><workbook>&b;</workbook>'
    for encoding in ("utf-8", "utf-16"):
        with pytest.raises(ImportFaults, match="document type"):
            import_plan(io.BytesIO(archive(**{"xl/workbook.xml": laughs.encode(encoding)})))


def test_damaged_workbooks_never_raise_anything_else(folder, tmp_path):
    plant = import_plan(folder(products="name,min_demand\nChair,1\nTable,2\n")).plant
    path = tmp_path / "plan.xlsx"
    export_plan(plant, path)
    sound = path.read_bytes()
    numbers = random.Random(11)
    for _ in range(1500):
        content = bytearray(sound)
        for _ in range(numbers.choice((1, 1, 2, 8))):
            content[numbers.randrange(len(content))] = numbers.randrange(256)
        if numbers.random() < 0.1:
            del content[numbers.randrange(len(content)) :]
        with contextlib.suppress(ImportFaults):
            read_plan(io.BytesIO(bytes(content)))


def test_damaged_xml_never_raises_anything_else(folder, tmp_path):
    plant = import_plan(
        folder(products="name,min_demand\nChair,1\n", periods="sequence,name,start_date\n1,A,2026-01-05\n")
    ).plant
    path = tmp_path / "plan.xlsx"
    export_plan(plant, path)
    with zipfile.ZipFile(path) as book:
        sound = {name: book.read(name) for name in book.namelist()}
    numbers = random.Random(12)
    for _ in range(1500):
        name = numbers.choice(list(sound))
        content = bytearray(sound[name])
        for _ in range(numbers.choice((1, 2))):
            content[numbers.randrange(len(content))] = numbers.choice(b"0159AZaz<>/\"'=& \xff-.")
        stream = io.BytesIO(archive(**{**sound, name: bytes(content)}))
        with contextlib.suppress(ImportFaults):
            import_plan(stream, replace=True, dry_run=True)


def test_many_faults_are_found_quickly(folder):
    names = "".join(f"Product number {number}\n" for number in range(3000))
    wrong = "".join(f"Prodct number {number},Saw\n" for number in range(30_000))
    started = time.monotonic()
    with pytest.raises(ImportFaults) as caught:
        import_plan(folder(products=f"name\n{names}", production_recipes=f"product,machine\n{wrong}"))
    assert caught.value.total == 60_000
    assert time.monotonic() - started < 20


def test_nothing_of_a_hostile_file_is_written(folder, faults_of):
    faults_of(folder(products="name\n*\n"))
    assert not Plant.objects.exists()


def test_a_table_of_more_rows_than_a_sheet_holds(folder, faults_of, monkeypatch):
    monkeypatch.setattr("planning.exchange.plan_file.MAX_ROWS", 3)
    assert import_plan(folder(products="name\nA\nB\n\nC\n")).counts["products"] == 3
    (fault,) = faults_of(folder(products="name\nA\nB\nC\nD\n"), replace=True)
    assert "more than" in fault.text

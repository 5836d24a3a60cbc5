"""Workbooks as Excel, LibreOffice and scripts write them; openpyxl is the peer that writes these."""

from __future__ import annotations

import datetime
import io
import zipfile

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from planning.exchange import import_plan
from planning.models import Machine, Period, Plant, Product, Scenario

pytestmark = pytest.mark.django_db


def test_it_reads_a_workbook(workbook):
    path = workbook(
        products=[["name", "min_demand", "active", "unit"], ["Chair", 1.5, True, None], ["Table", 3, False, "box"]],
        periods=[["sequence", "name", "start_date"], [1, "Week 1", datetime.date(2026, 1, 5)]],
        machines=[["name", "units"], ["Saw", 2.0]],
    )
    result = import_plan(path)
    assert result.counts["products"] == 2
    assert list(Product.objects.values_list("name", "min_demand", "active", "unit")) == [
        ("Chair", 1.5, True, "unit"),
        ("Table", 3.0, False, "box"),
    ]
    assert Period.objects.get().start_date == datetime.date(2026, 1, 5)
    assert Machine.objects.get().units == 2


def test_numbers_as_text_and_text_as_numbers(workbook):
    path = workbook(
        periods=[["sequence", "name", "start_date"], ["1", 1, "2026-01-05"], [" 2 ", 2.0, None], ["3.0", 2.5, None]],
        products=[["name", "min_demand"], [4711, "7.5"], [True, "1e3"], [datetime.date(2026, 1, 5), None]],
    )
    import_plan(path)
    assert list(Period.objects.values_list("name", flat=True)) == ["1", "2", "2.5"]
    assert list(Product.objects.values_list("name", "min_demand")) == [
        ("4711", 7.5),
        ("TRUE", 1000.0),
        ("2026-01-05", 0.0),
    ]


def test_dates_count_from_1904_in_some_workbooks(tmp_path):
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.title = "plant"
    book.active.append(["name"])
    book.active.append(["Workshop"])
    sheet = book.create_sheet("periods")
    sheet.append(["sequence", "name", "start_date"])
    sheet.append([1, "A", datetime.date(2026, 1, 5)])
    book.save(tmp_path / "mac.xlsx")
    import_plan(tmp_path / "mac.xlsx")
    assert Period.objects.get().start_date == datetime.date(2026, 1, 5)


def test_text_that_begins_with_an_equals_sign_is_text(workbook, faults_of):
    path = workbook(products=[["name"], ["Chair"]])
    book = openpyxl.load_workbook(path)
    cell = book["products"]["A2"]
    cell.value, cell.data_type = "=cmd|' /C calc'!A0", "s"
    book.save(path)
    import_plan(path)
    assert Product.objects.get().name == "=cmd|' /C calc'!A0"


def test_formulas_and_error_values_are_faults(workbook, faults_of):
    path = workbook(products=[["name", "min_demand", "unit"], ["Chair", "=1+1", "#REF!"], ["=A2", 1, None]])
    faults = faults_of(path)
    assert [(fault.row, fault.column) for fault in faults] == [(2, "unit"), (2, "min_demand"), (3, "name")]
    assert "#REF!" in faults[0].text
    assert "formula" in faults[1].text
    assert "formula" in faults[2].text


def test_a_date_where_a_number_belongs_is_a_fault(workbook, faults_of):
    path = workbook(
        products=[
            ["name", "min_demand", "max_demand"],
            ["Chair", datetime.date(2026, 5, 1), datetime.timedelta(hours=8)],
        ]
    )
    faults = faults_of(path)
    assert [fault.column for fault in faults] == ["min_demand", "max_demand"]
    assert "is a date" in faults[0].text
    assert "duration" in faults[1].text


def test_blank_rows_and_columns_are_skipped_and_rows_are_those_of_the_sheet(workbook, faults_of):
    path = workbook(
        products=[
            [None, None],
            ["name", "min_demand", None, " "],
            [],
            ["Chair", "x", None, "  "],
            [None, None],
            ["Table", 1, "", ""],
            [None] * 40,
        ]
    )
    faults = faults_of(path)
    assert [(fault.row, fault.column) for fault in faults] == [(4, "min_demand")]


def test_sheets_that_are_no_table(workbook, faults_of):
    faults = faults_of(workbook(product=[["name"]], Sheet1=[], _notes=[["anything"]]))
    assert [fault.table for fault in faults] == ["product", "Sheet1"]
    assert 'Did you mean "products"?' in faults[0].text


def test_rich_text_is_joined(workbook):
    path = workbook(products=[["name"], [CellRichText("Cha", TextBlock(InlineFont(b=True), "ir"))]])
    import_plan(path)
    assert Product.objects.get().name == "Chair"


def parts(**sheets: str) -> bytes:
    """Return a workbook of hand-written parts: a prefix for its elements, a strict namespace, no row numbers."""
    main = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    office = "http://purl.oclc.org/ooxml/officeDocument/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    names = "".join(f'<x:sheet name="{name}" sheetId="1" r:id="{name}"/>' for name in sheets)
    targets = "".join(f'<Relationship Id="{name}" Type="a/worksheet" Target="/xl/{name}.xml"/>' for name in sheets)
    content = {
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="a" Type="{office}/officeDocument" '
        'Target="xl/Book.xml"/></Relationships>',
        "xl/book.xml": f'<x:workbook xmlns:x="{main}" xmlns:r="{office}"><x:sheets>{names}</x:sheets></x:workbook>',
        "xl/_rels/Book.xml.rels": f'<Relationships xmlns="{package}">{targets}</Relationships>',
        **{f"xl/{name}.xml": f'<x:worksheet xmlns:x="{main}">{sheet}</x:worksheet>' for name, sheet in sheets.items()},
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return stream.getvalue()


def inline(*texts: str) -> str:
    cells = "".join(f'<x:c t="inlineStr"><x:is><x:t>{text}</x:t></x:is></x:c>' for text in texts)
    return f"<x:row>{cells}</x:row>"


def test_an_open_file_with_prefixes_a_strict_namespace_and_no_references():
    content = parts(
        plant=inline("name") + inline("Workshop"),
        scenarios=inline("name", "description") + inline("High", " a_x000D_\nb_x005F_x000D_c_xD83D__xDE00_ "),
    )
    import_plan(io.BytesIO(content))
    assert Plant.objects.get().name == "Workshop"
    assert Scenario.objects.get(name="High").description == "a\nb_x000D_c😀"


@pytest.mark.parametrize("text", ["a_x0000_b", "a_xD800_b", "a_x001B_b"])
def test_escaped_junk_is_a_fault(faults_of, text):
    content = parts(plant=inline("name") + inline("Workshop"), products=inline("name") + inline(text))
    faults = faults_of(io.BytesIO(content))
    assert [(fault.table, fault.row, fault.column) for fault in faults] == [("products", 2, "name")]


@pytest.mark.parametrize(
    "cell", ['<x:c t="s"><x:v>-1</x:v></x:c>', '<x:c t="s"><x:v>0</x:v></x:c>', '<x:c t="s"><x:v>x</x:v></x:c>']
)
def test_a_text_that_is_missing_is_a_fault(faults_of, cell):
    content = parts(plant=inline("name") + inline("W"), products=inline("name") + f"<x:row>{cell}</x:row>")
    assert "missing" in faults_of(io.BytesIO(content))[0].text


@pytest.mark.parametrize(
    "row",
    ['<x:row r="x"/>', '<x:row r="0"/>', '<x:row><x:c r="1"/></x:row>', '<x:row><x:c r="é1"/></x:row>', "<x:row>"],
)
def test_a_damaged_sheet_is_a_fault_of_its_table(faults_of, row):
    content = parts(plant=inline("name") + inline("W"), products=inline("name") + row)
    faults = faults_of(io.BytesIO(content))
    assert [fault.table for fault in faults] == ["products"]
    assert "damaged" in faults[0].text


def test_cells_far_to_the_right_cost_nothing(faults_of):
    far = '<x:row><x:c r="XFD2"><x:v>1</x:v></x:c></x:row>'
    content = parts(plant=inline("name") + inline("W"), products=inline("name") + far)
    assert "more cells than the header" in faults_of(io.BytesIO(content))[0].text

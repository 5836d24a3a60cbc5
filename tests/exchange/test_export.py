"""What an export looks like, where it may be written, and what stays when it can't."""

from __future__ import annotations

import csv
import datetime

import openpyxl
import pytest

from planning.exchange import ExportRefused, export_plan, import_plan
from planning.models import BASELINE, TABLE_BY_NAME, Plant, Product, Scenario

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant(folder) -> Plant:
    return import_plan(
        folder(
            plant="name\n'=Plant\n",
            products="name,profit_per_unit,min_demand,max_demand,active\n'=1+1,-5,0.30000000000000004,,false\n'-x,10,1e-320,5,\n",
            periods="sequence,name,start_date\n1,'+1,2026-01-05\n2,x,1850-01-01\n",
            product_periods="product,period,max_demand\n'=1+1,'+1,5\n",
            scenarios="name,description\nHigh,'@home\n",
        )
    ).plant


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_a_folder_holds_each_table_that_has_rows(plant, tmp_path):
    counts = export_plan(plant, tmp_path / "deep" / "out")
    assert sorted(path.stem for path in (tmp_path / "deep" / "out").iterdir()) == sorted(counts)
    assert set(counts) == {"plant", "products", "periods", "product_periods", "scenarios"}
    for name in counts:
        assert rows(tmp_path / "deep" / "out" / f"{name}.csv")[0] == list(TABLE_BY_NAME[name].columns)


def test_text_in_csv_is_never_a_formula_and_numbers_are_plain(plant, tmp_path):
    export_plan(plant, tmp_path / "out")
    assert rows(tmp_path / "out" / "plant.csv")[1] == ["'=Plant", "USD", "false"]
    first, second = rows(tmp_path / "out" / "products.csv")[1:]
    assert first[:6] == ["'=1+1", "unit", "-5", "0", "0.30000000000000004", ""]
    assert first[-2:] == ["false", "false"]
    assert second[:6] == ["'-x", "unit", "10", "0", "1e-320", "5"]
    assert rows(tmp_path / "out" / "product_periods.csv")[1][:2] == ["'=1+1", "'+1"]
    assert rows(tmp_path / "out" / "scenarios.csv")[1:] == [["High", "", "'@home", ""]]


def test_a_workbook_holds_text_numbers_booleans_and_dates(plant, tmp_path):
    export_plan(plant, tmp_path / "out.xlsx")
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    products = book["products"]
    assert [cell.value for cell in products[1]] == list(TABLE_BY_NAME["products"].columns)
    assert products["A1"].font.b
    assert products.freeze_panes == "A2"
    values = {cell.value: products[2][place] for place, cell in enumerate(products[1])}
    assert (values["name"].value, values["name"].data_type) == ("=1+1", "s")
    assert values["min_demand"].value == 0.30000000000000004
    assert values["max_demand"].value is None
    assert values["active"].value is False
    periods = book["periods"]
    assert (periods["B2"].value, periods["B2"].data_type) == ("+1", "s")
    assert periods["C2"].value.date() == datetime.date(2026, 1, 5)
    assert periods["C3"].value == "1850-01-01"
    assert not any(cell.data_type == "f" for sheet in book for row in sheet.iter_rows() for cell in row)


def test_baseline_is_written_where_it_says_something(plant, tmp_path):
    Scenario.objects.filter(plant=plant, name=BASELINE).update(goal_mode="weighted")
    export_plan(plant, tmp_path / "out")
    assert rows(tmp_path / "out" / "scenarios.csv")[1] == [BASELINE, "", "", "weighted"]


@pytest.mark.parametrize("name", ["out", "out.xlsx"])
def test_the_same_plant_gives_the_same_bytes(plant, tmp_path, name):
    export_plan(plant, tmp_path / "a" / name)
    export_plan(plant, tmp_path / "b" / name)
    first, second = ([*sorted(p.rglob("*.*"))] for p in (tmp_path / "a", tmp_path / "b"))
    assert [p.read_bytes() for p in first if p.is_file()] == [p.read_bytes() for p in second if p.is_file()]


@pytest.mark.parametrize("name", ["out", "out.xlsx"])
def test_an_older_export_is_replaced_whole(plant, tmp_path, name):
    export_plan(plant, tmp_path / name)
    Product.objects.all().delete()
    export_plan(plant, tmp_path / name)
    other = Plant.objects.create(name="Other")
    assert "products" not in export_plan(other, tmp_path / name)
    assert import_plan(tmp_path / name, replace=True).plant == other
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".export")]


def test_a_folder_with_something_else_in_it_is_left_alone(plant, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(ExportRefused, match="thesis"):
        export_plan(plant, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_paths_that_cannot_be_written(plant, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.xlsx").mkdir()
    for path in ("file", "file/out", "file/out.xlsx", "folder.xlsx", "out.csv", "out.ods", "a\0b", "\ud800", "x" * 300):
        with pytest.raises(ExportRefused):
            export_plan(plant, tmp_path / path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.xlsx", "plan"]


def test_a_text_that_no_cell_can_hold(plant, tmp_path):
    Scenario.objects.filter(name="High").update(description="x" * 40_000)
    with pytest.raises(ExportRefused, match=r"scenarios, row 2: .*40,000"):
        export_plan(plant, tmp_path / "out.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


def test_the_number_of_queries_does_not_grow(plant, tmp_path, django_assert_max_num_queries):
    with django_assert_max_num_queries(22):
        export_plan(plant, tmp_path / "out")

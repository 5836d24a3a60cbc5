"""Some tables into a plant that is there: added and updated, or replaced; other tables and all primary keys stay."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from planning.exchange import ImportFaults, export_plan, import_plan, import_tables, preview_import, preview_tables
from planning.exchange.plan_rows import plan_tables
from planning.exchange.template import EXAMPLE, export_template
from planning.insight import health
from planning.models import BASELINE, TABLES, Period, Plant, Product, ProductionRecipe, Scenario
from tests.factories import make_furniture

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant() -> Plant:
    """Return the plant of the template, which has a row in every table."""
    plant = import_plan(EXAMPLE).plant
    assert plant is not None
    return plant


def csv_file(tmp_path: Path, table: str, text: str) -> Path:
    path = tmp_path / f"{table}.csv"
    path.write_text(text)
    return path


def rows(plant: Plant) -> dict[str, list[tuple[object, ...]]]:
    """Return all of the plant's rows with their primary keys."""
    from planning.exchange.store import plant_path

    return {
        table.name: list(table.model._default_manager.filter(**{plant_path(table.model): plant}).values_list())
        for table in TABLES
        if table.model is not Plant
    }


def faults_of(path: Path, plant: Plant, *, replace: bool = False) -> list[str]:
    before = rows(plant)
    with pytest.raises(ImportFaults) as caught:
        import_tables(path, plant, replace=replace)
    assert rows(plant) == before
    return caught.value.lines()


class TestMerging:
    def test_rows_are_added_and_updated_and_columns_left_out_keep_their_values(
        self, plant: Plant, tmp_path: Path
    ) -> None:
        before = rows(plant)
        path = csv_file(tmp_path, "machines", "name,available_hours\nSaw,25\nPress,12\n")
        (changes,) = preview_tables(path, plant).tables
        assert (changes.counts["new"], changes.counts["changed"], changes.counts["removed"]) == (1, 1, 0)
        cells = [(row.kind, cell.column, cell.old, cell.new) for row in changes.rows for cell in row.cells]
        assert cells == [("changed", "available_hours", 20.0, 25.0), ("new", "available_hours", None, 12.0)]
        assert rows(plant) == before
        result = import_tables(path, plant)
        assert (result.counts, result.replaced) == ({"machines": 3}, True)
        saw = plant.machines.get(name="Saw")
        assert (saw.available_hours, saw.units, saw.max_overtime_hours) == (25, 2, 10)
        assert (saw.pk, plant.machines.get(name="Press").available_hours) == (before["machines"][0][0], 12)
        after = rows(plant)
        assert {name for name in after if after[name] != before[name]} == {"machines"}

    def test_a_blank_cell_takes_a_limit_away(self, plant: Plant, tmp_path: Path) -> None:
        import_tables(csv_file(tmp_path, "machines", "name,available_hours\nSaw,\n"), plant)
        assert plant.machines.get(name="Saw").available_hours is None

    def test_a_row_is_found_by_its_whole_key_a_blank_route_included(self, plant: Plant, tmp_path: Path) -> None:
        text = "product,machine,route,hours_required\nLeg,Saw,,0.1\nChair,Bench,By hand,0.9\n"
        import_tables(csv_file(tmp_path, "production_recipes", text), plant)
        recipes = ProductionRecipe.objects.order_by("pk")
        assert [(str(recipe.product), recipe.hours_required) for recipe in recipes] == [
            ("Chair", 0.9), ("Chair", 0.2), ("Leg", 0.1)
        ]  # fmt: skip

    def test_of_changes_those_of_the_named_scenarios_are_replaced(self, plant: Plant, tmp_path: Path) -> None:
        other = Scenario.objects.create(plant=plant, name="Less wood")
        other.scenario_changes.create(table="raw_materials", row="Wood", field="available_quantity", value=1)
        kept = other.scenario_changes.get().pk
        text = "scenario,table,row,field,operation,value\nMore wood,products,Chair,max_demand,add,5\n"
        import_tables(csv_file(tmp_path, "scenario_changes", text), plant)
        assert [change.field for change in plant.scenarios.get(name="More wood").scenario_changes.all()] == [
            "max_demand"
        ]
        assert other.scenario_changes.get().pk == kept

    def test_a_file_without_anything_new_changes_nothing(self, plant: Plant, tmp_path: Path) -> None:
        before = rows(plant)
        assert preview_tables(EXAMPLE, plant).changes_nothing
        import_tables(EXAMPLE, plant)
        import_tables(EXAMPLE, plant, replace=True)
        assert rows(plant) == before


class TestReplacing:
    def test_rows_that_the_file_lacks_are_removed_and_the_others_keep_their_keys(
        self, plant: Plant, tmp_path: Path
    ) -> None:
        Product.objects.create(plant=plant, name="Stool")
        chair = plant.products.get(name="Chair").pk
        lines = (EXAMPLE / "products.csv").read_text()
        path = csv_file(tmp_path, "products", lines.replace("Chair,piece,60", "Chair,piece,61"))
        (changes,) = preview_tables(path, plant, replace=True).tables
        assert (changes.counts["changed"], changes.counts["removed"], changes.untouched) == (1, 1, 2)
        recipes = list(ProductionRecipe.objects.values_list())
        import_tables(path, plant, replace=True)
        assert (plant.products.count(), plant.products.get(name="Chair").pk) == (3, chair)
        assert plant.products.get(name="Chair").profit_per_unit == 61
        assert list(ProductionRecipe.objects.values_list()) == recipes

    def test_what_other_tables_still_name_can_not_be_removed(self, plant: Plant, tmp_path: Path) -> None:
        faults = faults_of(csv_file(tmp_path, "machines", "name\nSaw\n"), plant, replace=True)
        assert faults[0] == (
            'machine_periods, column machine: The plant has the row "Bench / Week 2" in machine_periods, which the '
            'file leaves as it is. There is no machine "Bench". Correct the name, or add it to machines.'
        )
        assert "and 1 more like it in production_recipes" in faults[1]
        assert len(faults) == 2

    def test_periods_may_change_names_with_one_another(self, plant: Plant, tmp_path: Path) -> None:
        import_tables(csv_file(tmp_path, "periods", "sequence,name\n1,Week 2\n2,Week 1\n"), plant, replace=True)
        assert list(plant.periods.values_list("sequence", "name")) == [(1, "Week 2"), (2, "Week 1")]

    def test_the_only_period_of_a_plant_without_periods_stays(self, tmp_path: Path) -> None:
        plant = make_furniture()
        text = "machine,period,available_hours\nCutting Machine,1,70\n"
        import_tables(csv_file(tmp_path, "machine_periods", text), plant)
        import_tables(csv_file(tmp_path, "periods", "sequence,name\n"), plant, replace=True)
        assert plant.machines.get(name="Cutting Machine").machine_periods.get().period == Period.objects.get()

    def test_baseline_stays_and_parents_may_go(self, plant: Plant, tmp_path: Path) -> None:
        parent = plant.scenarios.get(name="More wood")
        Scenario.objects.create(plant=plant, name="Child", parent=parent)
        (tmp_path / "folder").mkdir()
        csv_file(tmp_path / "folder", "scenarios", "name,parent\nChild,Baseline\n")
        csv_file(tmp_path / "folder", "scenario_changes", "scenario\n")
        import_tables(tmp_path / "folder", plant, replace=True)
        assert [(s.name, s.parent and s.parent.name) for s in plant.scenarios.all()] == [
            (BASELINE, None), ("Child", BASELINE)
        ]  # fmt: skip


class TestFiles:
    def test_a_workbook_of_some_tables_is_taken(self, plant: Plant, tmp_path: Path) -> None:
        export_template(tmp_path / "template.xlsx")
        plant.machines.filter(name="Saw").update(available_hours=1)
        import_tables(tmp_path / "template.xlsx", plant)
        assert plant.machines.get(name="Saw").available_hours == 20

    @pytest.mark.parametrize(
        ("name", "text", "words"),
        [
            ("machine", "name\nSaw\n", 'This file is no table of the plan format. Did you mean "machines"?'),
            ("machines", "name,hours\nSaw,1\n", 'machines, row 1, column hours: machines has no column "hours".'),
            ("machines", "name,units\nSaw,x\n", 'machines, row 2, column units: "x" is not a number.'),
            ("machines", "name\nSaw\nSaw\n", 'machines, row 3, column name: name "Saw": row 2 has this already.'),
            ("periods", "sequence,name\n9,Week 1\n", 'name "Week 1": row 2 has this already.'),
            ("plant", "name,currency\nOther,USD\n", "The file is of another plant."),
            ("routes", "product\nChair\n", "The column is missing."),
            ("machine_periods", "machine,period\nSaw,Week 9\n", 'There is no period "Week 9". Did you mean "Week'),
        ],
    )
    def test_faults_name_what_and_where_and_nothing_is_written(
        self, plant: Plant, tmp_path: Path, name: str, text: str, words: str
    ) -> None:
        assert any(words in fault for fault in faults_of(csv_file(tmp_path, name, text), plant))

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("x.ods", "Save it as .xlsx"),
            ("no.csv", "There is no such file"),
            ("x.xlsx", "This is not an .xlsx workbook"),
        ],
    )
    def test_what_is_no_table_is_said(self, plant: Plant, tmp_path: Path, name: str, words: str) -> None:
        if not name.startswith("no"):
            (tmp_path / name).write_text("nothing")
        assert words in faults_of(tmp_path / name, plant)[0]

    def test_a_copy_that_a_browser_has_numbered_is_the_same_table(self, plant: Plant, tmp_path: Path) -> None:
        import_tables(csv_file(tmp_path, "machines (2)", "name,units\nSaw,7\n"), plant)
        assert plant.machines.get(name="Saw").units == 7

    def test_the_queries_do_not_grow_with_the_rows(self, plant: Plant, tmp_path: Path) -> None:
        def queries(count: int) -> int:
            text = "name,min_demand\n" + "".join(f"P{number},{count}\n" for number in range(count))
            with CaptureQueriesContext(connection) as captured:
                import_tables(csv_file(tmp_path, "products", text), plant)
            return len(captured)

        queries(20)
        assert queries(20) <= queries(40) <= queries(20) + 2  # bulk statements hold so many rows


class TestTemplate:
    def test_it_imports_as_it_is_and_its_data_are_sound(self, tmp_path: Path) -> None:
        export_template(tmp_path / "template.xlsx")
        preview = preview_import(tmp_path / "template.xlsx")
        assert [table.table for table in preview.tables] == [table.name for table in TABLES]
        plant = import_plan(tmp_path / "template.xlsx").plant
        assert plant is not None
        found = health(plant.pk)
        assert (found.colour, found.errors, found.warnings) == ("green", (), ())
        assert set(plan_tables(plant)) == {table.name for table in TABLES}
        export_plan(plant, tmp_path / "again.xlsx")
        assert preview_import(tmp_path / "again.xlsx").changes_nothing

    def test_it_says_of_each_column_what_it_holds(self, tmp_path: Path) -> None:
        import openpyxl

        export_template(tmp_path / "template.xlsx")
        book = openpyxl.load_workbook(tmp_path / "template.xlsx")
        assert book.sheetnames[0] == "_columns"
        lines = {(row[0], row[1]): row[2:] for row in book["_columns"].iter_rows(min_row=2, values_only=True)}
        assert set(lines) == {(table.name, column) for table in TABLES for column in table.columns}
        assert all(line[0] and line[1] for line in lines.values())
        assert lines["machines", "available_hours"][3] == "no limit"
        assert "name of a row of products" in lines["routes", "product"]


class TestCommands:
    def test_tables_are_imported_into_a_plant(self, plant: Plant, tmp_path: Path) -> None:
        path = csv_file(tmp_path, "machines", "name,units\nSaw,7\nBench,1\n")
        out = io.StringIO()
        call_command("import_plan", str(path), into=plant.name, dry_run=True, stdout=out)
        assert plant.machines.get(name="Saw").units == 2
        call_command("import_plan", str(path), into=plant.name, replace=True, stdout=out)
        assert 'Changed "Example plant".' in out.getvalue()
        assert plant.machines.get(name="Saw").units == 7
        with pytest.raises(CommandError, match=r'no plant "Exampl"\. Did you mean "Example plant"'):
            call_command("import_plan", str(path), into="Exampl")

    def test_the_template_is_written(self, tmp_path: Path) -> None:
        call_command("export_plan", template=str(tmp_path / "t.xlsx"), stdout=io.StringIO())
        assert preview_import(tmp_path / "t.xlsx").plant_name == "Example plant"
        with pytest.raises(CommandError, match="Give a plant and a path, or --template FILE alone"):
            call_command("export_plan", "Example plant")

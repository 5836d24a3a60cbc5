"""What an import would do, before it does anything."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from planning.exchange import ImportFaults, export_plan, import_plan, preview_import
from planning.models import Plant, Product
from tests.conftest import PLANTS_DIR

pytestmark = pytest.mark.django_db

PLANTS = sorted(path.name for path in PLANTS_DIR.iterdir() if path.is_dir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of a published plant's folder that may be edited."""
    place = tmp_path / "plan"
    shutil.copytree(PLANTS_DIR / "lumix_step5_scenarios", place)
    return place


def edit(folder: Path, table: str, old: str, new: str) -> None:
    path = folder / f"{table}.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_new_plant_is_new_in_every_row(folder: Path) -> None:
    preview = preview_import(folder)
    assert preview.plant is None
    assert {table.table: table.counts["new"] for table in preview.tables}["products"] == 9
    assert not any(table.untouched for table in preview.tables)
    assert Plant.objects.count() == 0


@pytest.mark.parametrize("name", PLANTS)
def test_the_same_file_again_changes_nothing(name: str) -> None:
    import_plan(PLANTS_DIR / name)
    assert preview_import(PLANTS_DIR / name).changes_nothing


@pytest.mark.parametrize("name", PLANTS)
def test_an_export_changes_nothing_either(name: str, tmp_path: Path) -> None:
    plant = import_plan(PLANTS_DIR / name).plant
    assert plant is not None
    export_plan(plant, tmp_path / "plan.xlsx")
    assert preview_import(tmp_path / "plan.xlsx").changes_nothing


def test_changed_removed_and_untouched_rows_are_told_with_old_and_new_values(folder: Path) -> None:
    plant = import_plan(folder).plant
    assert plant is not None
    Product.objects.filter(plant=plant, name="Chair").update(profit_per_unit=1.5, max_demand=None)
    products = (folder / "products.csv").read_text().splitlines()
    (folder / "products.csv").write_text("\n".join(line for line in products if not line.startswith("Nightstand")))
    orders = (folder / "customer_orders.csv").read_text().splitlines()
    (folder / "customer_orders.csv").write_text("\n".join(line for line in orders if "Nightstand" not in line))
    for name in ("production_recipes", "material_requirements", "scenario_changes"):
        lines = (folder / f"{name}.csv").read_text().splitlines()
        (folder / f"{name}.csv").write_text("\n".join(line for line in lines if "Nightstand" not in line))
    preview = preview_import(folder)
    assert preview.plant == plant
    table = next(found for found in preview.tables if found.table == "products")
    assert (table.counts["changed"], table.counts["removed"], table.untouched) == (1, 1, 7)
    changed, removed = table.rows
    assert (changed.key, changed.kind) == ("Chair", "changed")
    assert {cell.column: cell.old for cell in changed.cells} == {"profit_per_unit": 1.5, "max_demand": None}
    assert all(cell.new is not None for cell in changed.cells)
    assert (removed.key, removed.kind) == ("Nightstand", "removed")
    assert Product.objects.filter(plant=plant).count() == 9


def test_a_faulty_file_has_no_preview_but_all_its_faults(folder: Path) -> None:
    edit(folder, "products", "Chair,", "Chair,,,,,,,,,,,,,,,,,,,,,,,,,,,,")
    with pytest.raises(ImportFaults):
        preview_import(folder)


def test_the_state_changes_with_the_data(folder: Path) -> None:
    plant = import_plan(folder).plant
    assert plant is not None
    before = preview_import(folder).state
    assert preview_import(folder).state == before
    Product.objects.filter(plant=plant, name="Chair").update(min_demand=1)
    assert preview_import(folder).state != before

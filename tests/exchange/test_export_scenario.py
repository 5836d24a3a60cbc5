"""export_plan --scenario: what is written plans as its Baseline what the scenario planned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planning.exchange import ExportRefused, export_plan
from planning.exchange.plan_rows import plan_tables
from planning.models import BASELINE, Plant, Scenario
from planning.snapshot import DataProblems, take_snapshot
from tests.factories import make_furniture
from tests.reference.commands import bring_in, run_command, solve
from tests.reference.random_plants import random_plant, write_folder

pytestmark = pytest.mark.django_db


def planned(scenario: str) -> tuple[int, dict[str, Any]]:
    """Return what a run of the only plant shows, but for what is its own, and for warnings about changes."""
    code, shown = solve(Plant.objects.get().name, "--scenario", scenario, "--gap", "1e-6")
    kept = {name: value for name, value in shown.items() if name not in ("run", "seconds", "scenario")}
    kept["warnings"] = [warning for warning in shown["warnings"] if warning["table"] != "scenario_changes"]
    return code, kept


@pytest.mark.parametrize("seed", range(12))
def test_a_random_plant_comes_back_as_the_scenario_planned_it(seed: int, tmp_path: Path) -> None:
    bring_in(
        write_folder(random_plant(seed, orders=seed % 3 == 1, goals=seed % 2 == 1, scenario=True), tmp_path / "in")
    )
    plant = Plant.objects.get()
    before, data = planned("Other"), plan_tables(plant)
    try:
        take_snapshot(plant.pk, "Other")
    except DataProblems:
        with pytest.raises(ExportRefused, match="can't be exported"):
            export_plan(plant, tmp_path / "out", "Other")
        return
    path = tmp_path / ("out" if seed % 2 else "out.xlsx")
    export_plan(plant, path, "Other")
    assert plan_tables(plant) == data
    bring_in(path, "--replace")
    assert planned(BASELINE) == before
    assert list(plant.scenarios.values_list("name", flat=True)) == [BASELINE]


@pytest.fixture
def plant() -> Plant:
    plant = make_furniture()
    scenario = Scenario.objects.create(plant=plant, name="More wood")
    scenario.scenario_changes.create(
        table="raw_materials", row="Wood", field="available_quantity", operation="multiply", value=1.5
    )
    return plant


def test_the_command_writes_values_in_place(plant: Plant, tmp_path: Path) -> None:
    assert run_command("export_plan", plant.name, str(tmp_path / "out"), "--scenario", "More wood")[0] == 0
    assert "Wood,board feet,750," in (tmp_path / "out" / "raw_materials.csv").read_text()
    assert not (tmp_path / "out" / "scenarios.csv").exists()


def test_an_unknown_scenario_is_refused_with_the_nearest(
    plant: Plant, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("export_plan", plant.name, str(tmp_path / "out"), "--scenario", "More wod")[0] == 2
    assert 'no scenario "More wod". Did you mean "More wood"' in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_scenario_that_can_not_be_planned_is_refused_and_nothing_written(plant: Plant, tmp_path: Path) -> None:
    plant.raw_materials.filter(name="Wood").update(name="Oak")
    with pytest.raises(ExportRefused, match="there is no row"):
        export_plan(plant, tmp_path / "out", "More wood")
    assert not (tmp_path / "out").exists()


def test_a_row_that_no_import_takes_is_refused(plant: Plant, tmp_path: Path) -> None:
    changes = plant.scenarios.get(name="More wood").scenario_changes
    changes.create(table="products", row="Desk", field="active", value=0.0)  # what is left out is not checked
    changes.create(table="products", row="Desk", field="max_demand", value=1.0)
    with pytest.raises(ExportRefused, match="max_demand is below min_demand"):
        export_plan(plant, tmp_path / "out", "More wood")

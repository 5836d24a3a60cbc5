"""Every published plant gets its published answer, whatever the solver and however it came in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PLANTS_DIR
from tests.reference.commands import bring_in, run_command, solve
from tests.reference.plan_checks import problems_of
from tests.reference.plan_tables import has_setup, load_plant

pytestmark = pytest.mark.django_db(transaction=True)

EXPECTED = {path.parent.name: json.loads(path.read_text()) for path in sorted(PLANTS_DIR.glob("*/expected.json"))}
SCENARIOS = [(name, scenario) for name, found in EXPECTED.items() for scenario in found.get("scenarios", {})]
SOLVERS = ["highs", "pulp:CBC", "pulp:HiGHS"]
EXIT_CODES = {"optimal": 0, "infeasible": 3, "unbounded": 3}


def is_linear(folder: Path) -> bool:
    plant = load_plant(folder)
    return not any(
        has_setup(plant, row["product"], row["route"], period)
        for row in plant.rows("production_recipes")
        for period in plant.periods
    )


def assert_expected(folder: Path, expected: dict[str, Any], code: int, shown: dict[str, Any]) -> None:
    """Assert everything that a published answer lists."""
    room = 1e-6 if is_linear(folder) else 1e-4
    assert (shown["status"], code) == (expected["status"], EXIT_CODES[expected["status"]])
    if expected["objective"] is None:
        assert shown["objective"] is None
        places = [{key: row[key] for key in ("table", "row", "period", "field")} for row in shown["conflict"]]
        assert sorted(places, key=str) in [sorted(conflict, key=str) for conflict in expected["conflicts"]]
        assert all(row["text"] for row in shown["conflict"])
        return
    assert shown["objective"] == pytest.approx(expected["objective"], rel=room)
    for wanted in expected.get("production", []):
        assert row_like(shown["production"], wanted)["quantity"] == pytest.approx(
            wanted["quantity"], rel=room, abs=1e-5
        )
    for wanted in expected.get("products", []):
        row = row_like(shown["products"], wanted)
        for name, value in wanted.items():
            assert row[name] == (value if isinstance(value, str) else pytest.approx(value, rel=room, abs=1e-5)), name
    for wanted in expected.get("levels", []):
        (level,) = [row for row in shown["levels"] if row["priority"] == wanted["priority"]]
        assert level["deviation"] == pytest.approx(wanted["deviation"], rel=1e-6, abs=1e-6)
    for part, amount in expected.get("profit", {}).items():
        assert shown["profit"][part] == pytest.approx(amount, rel=room, abs=1e-4), part
    for wanted in expected.get("shadow_prices", []):
        row = row_like(shown["utilization"], wanted)
        for name, column in (("value", "shadow_price"), ("low", "shadow_price_low"), ("high", "shadow_price_high")):
            if name in wanted:
                value = wanted[name]
                assert row[column] == (None if value is None else pytest.approx(value, rel=1e-6, abs=1e-6)), column


def row_like(rows: list[dict[str, Any]], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the one row with the names that `wanted` gives."""
    names = ("product", "route", "period", "resource_type", "resource")
    found = [row for row in rows if all(row[name] == wanted[name] for name in names if name in wanted)]
    assert len(found) == 1, f"{len(found)} rows like {wanted}"
    return found[0]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", EXPECTED)
def test_a_published_plant_gets_its_answer(name: str, solver: str, plants_dir: Path) -> None:
    folder = plants_dir / name
    bring_in(folder)
    plant = load_plant(folder)
    code, shown = solve(plant.name, "--solver", solver)
    assert_expected(folder, EXPECTED[name], code, shown)
    if code == 0:
        assert problems_of(plant, shown) == []


@pytest.mark.parametrize("name", EXPECTED)
def test_a_round_trip_through_a_workbook_changes_no_answer(name: str, plants_dir: Path, tmp_path: Path) -> None:
    folder = plants_dir / name
    bring_in(folder)
    plant = load_plant(folder).name
    assert run_command("export_plan", plant, str(tmp_path / "plan.xlsx"))[0] == 0
    bring_in(tmp_path / "plan.xlsx", "--replace")
    code, shown = solve(plant)
    assert_expected(folder, EXPECTED[name], code, shown)


@pytest.mark.parametrize("solver", ["highs", "pulp:CBC"])
@pytest.mark.parametrize(("name", "scenario"), SCENARIOS)
def test_a_published_scenario_gets_its_answer(name: str, scenario: str, solver: str, plants_dir: Path) -> None:
    folder = plants_dir / name
    bring_in(folder)
    plant = load_plant(folder, scenario)
    code, shown = solve(plant.name, "--scenario", scenario, "--solver", solver)
    assert_expected(folder, EXPECTED[name]["scenarios"][scenario], code, shown)
    assert problems_of(plant, shown) == []


def test_published_goals_are_missed_by_what_was_published(plants_dir: Path) -> None:
    bring_in(plants_dir / "gp_harrison_electric")
    _, shown = solve("Harrison Electric, preemptive goals")
    found = {goal["name"]: (goal["priority"], goal["under"], goal["over"]) for goal in shown["goals"]}
    assert found == {
        "profit at least 30": (1, 0.0, pytest.approx(6.0)),
        "wiring hours fully used": (2, 0.0, pytest.approx(6.0)),
        "no assembly overtime": (3, pytest.approx(0.0), 0.0),
        "at least 7 fans": (4, pytest.approx(1.0), 0.0),
    }

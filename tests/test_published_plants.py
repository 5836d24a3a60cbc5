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
# orders and goals come before profit: such plants are planned another day
PLANNED = [
    name
    for name in EXPECTED
    if not any((PLANTS_DIR / name / f"{t}.csv").exists() for t in ("customer_orders", "goals"))
]
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
@pytest.mark.parametrize("name", PLANNED)
def test_a_published_plant_gets_its_answer(name: str, solver: str, plants_dir: Path) -> None:
    folder = plants_dir / name
    bring_in(folder)
    plant = load_plant(folder)
    code, shown = solve(plant.name, "--solver", solver)
    assert_expected(folder, EXPECTED[name], code, shown)
    if code == 0:
        assert problems_of(plant, shown) == []


@pytest.mark.parametrize("name", PLANNED)
def test_a_round_trip_through_a_workbook_changes_no_answer(name: str, plants_dir: Path, tmp_path: Path) -> None:
    folder = plants_dir / name
    bring_in(folder)
    plant = load_plant(folder).name
    assert run_command("export_plan", plant, str(tmp_path / "plan.xlsx"))[0] == 0
    bring_in(tmp_path / "plan.xlsx", "--replace")
    code, shown = solve(plant)
    assert_expected(folder, EXPECTED[name], code, shown)

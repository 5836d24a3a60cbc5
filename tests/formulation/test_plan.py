"""What the solver does not care about, and a planner does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.formulation.small_plants import bring, solved, weeks

pytestmark = pytest.mark.django_db

SOLVERS = ["highs", "pulp:CBC"]


@pytest.mark.parametrize("solver", SOLVERS)
def test_overtime_that_costs_nothing_is_the_least_that_is_needed(solver: str, tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        products=[{"name": "Chair", "profit_per_unit": 5, "max_demand": 10, "production_cost_per_unit": 1}],
        machines=[
            {"name": name, "available_hours": 8, "max_overtime_hours": 40, "overtime_cost_per_hour": 0}
            for name in ("Saw", "Idle")
        ],
        production_recipes=[{"product": "Chair", "machine": "Saw", "hours_required": 1}],
    )
    assert [row["overtime"] for row in solved(plant, solver=solver)["utilization"]] == [2, 0]


@pytest.mark.parametrize("solver", SOLVERS)
def test_supply_that_costs_nothing_is_the_least_and_comes_late(solver: str, tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        periods=weeks(3),
        products=[{"name": "Chair", "profit_per_unit": 5, "max_demand": 4, "production_cost_per_unit": 1}],
        raw_materials=[{"name": "Wood", "holding_cost_per_unit": 0, "initial_inventory": 3, "final_inventory": 2}],
        raw_material_periods=[{"material": "Wood", "period": "3", "available_quantity": 1}],
        material_requirements=[{"product": "Chair", "material": "Wood", "quantity_required": 1}],
    )
    rows = solved(plant, solver=solver)["materials"]
    assert [row["supplied"] for row in rows] == [1, 9, 1]
    assert [row["stock"] for row in rows] == [0, 5, 2]

"""The application against a second opinion, on random plants.

`RANDOM_PLANTS=1000 pytest tests/test_random_plants.py` tries more of them; a failure names its seed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.reference.commands import bring_in, run_command, solve
from tests.reference.plan_checks import problems_of
from tests.reference.plan_reference import Answer, best_profit, solve_plant
from tests.reference.plan_tables import PlantData, has_setup, load_plant
from tests.reference.proven_limits import refusal_is_right
from tests.reference.random_plants import random_plant, write_folder

COUNT = int(os.environ.get("RANDOM_PLANTS", "16"))
FIRST = int(os.environ.get("RANDOM_PLANTS_FROM", "0"))
EXIT_CODES = {"optimal": 0, "infeasible": 3, "unbounded": 3}
GAP = ("--gap", "1e-6")

pytestmark = pytest.mark.django_db(transaction=True)


def seeds(share: float = 1.0) -> range:
    return range(FIRST, FIRST + max(1, round(COUNT * share)))


def imported(tables: dict[str, Any], folder: Path, scenario: str = "Baseline") -> PlantData:
    """Return a plant that the application has imported, as the reference reads it."""
    bring_in(write_folder(tables, folder))
    return load_plant(folder, scenario)


def compare(plant: PlantData, answer: Answer, code: int, shown: dict[str, Any]) -> None:
    """Assert that the application came to the reference's answer, and that its plan holds."""
    if shown["status"] == "failed":
        assert code == 2, "the run failed, and not for its data"
        assert refusal_is_right(plant, shown["errors"]), f"refused: {shown['errors']}"
        assert shown["run"] is None
        return
    assert (shown["status"], code) == (answer.status, EXIT_CODES[answer.status])
    if answer.status != "optimal":
        assert shown["objective"] is None
        return
    assert problems_of(plant, shown) == []
    assert_same_objective(answer, shown)


def assert_same_objective(answer: Answer, shown: dict[str, Any]) -> None:
    room = 1e-6 if answer.is_linear else 1e-5
    assert shown["objective"] == pytest.approx(answer.objective, rel=room, abs=room * 10), "objective"


@pytest.mark.parametrize("seed", seeds())
def test_a_random_plant_gets_the_best_plan(seed: int, tmp_path: Path) -> None:
    plant = imported(random_plant(seed), tmp_path)
    code, shown = solve(plant.name, *GAP)
    compare(plant, solve_plant(plant), code, shown)


@pytest.mark.parametrize("seed", seeds(0.5))
def test_another_solver_finds_it_too(seed: int, tmp_path: Path) -> None:
    plant = imported(random_plant(seed), tmp_path)
    code, shown = solve(plant.name, *GAP, "--solver", "pulp:CBC")
    compare(plant, solve_plant(plant), code, shown)


@pytest.mark.parametrize("seed", seeds(0.5))
def test_a_scenario_is_planned_with_its_changes(seed: int, tmp_path: Path) -> None:
    plant = imported(random_plant(seed, scenario=True), tmp_path, "Other")
    code, shown = solve(plant.name, *GAP, "--scenario", "Other")
    compare(plant, solve_plant(plant), code, shown)


@pytest.mark.parametrize("seed", seeds())
@pytest.mark.parametrize("mode", ["lexicographic", "weighted"])
def test_orders_and_goals_come_before_profit(seed: int, mode: str, tmp_path: Path) -> None:
    tables = random_plant(seed, orders=True, goals=True)
    tables["scenarios"] = [{"name": "Baseline", "goal_mode": mode}]
    plant = imported(tables, tmp_path)
    solver = "pulp:CBC" if seed % 4 == 3 else "highs"
    code, shown = solve(plant.name, *GAP, "--solver", solver)
    answer = solve_plant(plant)
    compare(plant, answer, code, shown)
    if code == 0:
        assert_same_levels(answer, shown)
        assert shown["bound"] is None or mode == "lexicographic"


def assert_same_levels(answer: Answer, shown: dict[str, Any]) -> None:
    """Each level within its tolerance."""
    reached = {level["priority"]: level["deviation"] for level in shown["levels"]}
    assert list(reached) == list(answer.levels)
    for priority, deviation in answer.levels.items():
        assert reached[priority] == pytest.approx(deviation, rel=2e-6, abs=2e-6), f"priority {priority}"


@pytest.mark.parametrize("seed", seeds(0.2))
@pytest.mark.parametrize(("field", "operation", "value"), [("weight", "multiply", 20), ("priority", "set", 1)])
def test_an_order_that_counts_more_never_gets_less(
    field: str, operation: str, value: float, seed: int, tmp_path: Path
) -> None:
    tables = random_plant(seed, orders=True, goals=True)
    reference = tables["customer_orders"][seed % len(tables["customer_orders"])]["reference"]
    mode = "weighted" if seed % 3 == 2 else "lexicographic"
    tables["scenarios"] = [{"name": "Baseline", "goal_mode": mode}, {"name": "Raised", "goal_mode": mode}]
    change = {"table": "customer_orders", "row": reference, "field": field, "operation": operation, "value": value}
    tables["scenario_changes"] = [{"scenario": "Raised", **change}]
    plant = imported(tables, tmp_path)
    runs = [solve(plant.name, *GAP, "--scenario", name)[1] for name in ("Baseline", "Raised")]
    short = [{row["reference"]: row["shortfall"] for row in run.get("orders") or []} for run in runs]
    assert runs[0]["status"] == runs[1]["status"]
    if reference in short[0]:  # the order is active, and there is a plan
        room = 1e-5 * max(1.0, *(level["deviation"] for run in runs for level in run["levels"]))
        assert short[1][reference] <= short[0][reference] + room


@pytest.mark.parametrize("seed", seeds(0.3))
def test_a_random_plant_survives_export_and_import(seed: int, tmp_path: Path) -> None:
    plant = imported(random_plant(seed, orders=True, goals=True, scenario=True), tmp_path / "first", "Other")
    assert run_command("export_plan", plant.name, str(tmp_path / "plan.xlsx"))[0] == 0
    bring_in(tmp_path / "plan.xlsx", "--replace")
    assert run_command("export_plan", plant.name, str(tmp_path / "second"))[0] == 0
    assert load_plant(tmp_path / "second", "Other") == plant


# --- shadow prices --------------------------------------------------------------------------


def whole_decisions(plant: PlantData, shown: dict[str, Any]) -> dict[Any, float]:
    """Return the setups, whole quantities and units down that a run shows."""
    held: dict[Any, float] = {}
    for row in shown["production"]:
        p, r, t = row["product"], row["route"], row["period"]
        if has_setup(plant, p, r, t):
            held["setup", p, r, t] = 1.0 if row["setup"] else 0.0
        if plant.product(p, t)["whole_units"]:
            held["make", p, r, t] = float(round(row["quantity"]))
    for row in shown["utilization"]:
        if row["resource_type"] == "machine":
            m, t = row["resource"], row["period"]
            held["down", m, t] = row["units_down"] - plant.machine(m, t)["units_down"]
    return held


def price_problems(plant: PlantData, shown: dict[str, Any]) -> list[str]:
    """Return the prices that are not the worth of a little more or less of a limit, and ranges that don't hold."""
    held = whole_decisions(plant, shown)
    problems = []
    best = best_profit(plant, held, {})
    assert best == pytest.approx(shown["objective"], rel=1e-6, abs=1e-5)

    for row in shown["utilization"]:
        key = (row["resource_type"], row["resource"], row["period"])
        limit = limit_of(plant, row)
        price = row["shadow_price"]
        if limit is None or price is None:
            continue  # no limit has no price, and what is not known is null
        step = 1e-3
        more = best_profit(plant, held, {key: step})
        less = best_profit(plant, held, {key: -step}) if limit >= step or key[0] == "machine" else None
        sides = [] if more is None else [(more - best) / step]
        sides += [] if less is None else [(best - less) / step]
        if sides and not any(abs(price - side) <= 1e-3 * max(1.0, abs(price)) for side in sides):
            problems.append(f"{key}: price {price} is neither of {sides}")
        for end in ("low", "high"):
            edge = row[f"shadow_price_{end}"]
            far = (0.0 if end == "low" else limit + 1000.0) if edge is None else edge
            there = best_profit(plant, held, {key: far - limit})
            if there is None or abs(there - best - price * (far - limit)) > 1e-4 * max(1.0, abs(best), abs(there)):
                problems.append(f"{key}: price {price} does not hold up to {end} {edge}: {best} and {there}")
    return problems


def limit_of(plant: PlantData, row: dict[str, Any]) -> float | None:
    """Return the limit that a price is about: hours without overtime, or new supply without stock."""
    if row["resource_type"] == "machine":
        return None if row["available"] is None else float(row["available"])
    supply = plant.material(row["resource"], row["period"])["available_quantity"]
    return None if supply is None else float(supply)


@pytest.mark.parametrize("seed", seeds())
def test_a_shadow_price_is_what_one_more_is_worth(seed: int, tmp_path: Path) -> None:
    plant = imported(random_plant(seed), tmp_path)
    code, shown = solve(plant.name, *GAP)
    if code == 0:
        assert shown["shadow_price_basis"] == ("lp" if solve_plant(plant).is_linear else "fixed_mip")
        assert price_problems(plant, shown) == []
    else:
        assert shown["status"] in ("infeasible", "unbounded", "failed")

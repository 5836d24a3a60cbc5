"""The checks of a solved run accept the reference's own plans, and notice each number that is wrong."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reference.plan_checks import COSTS, Checks, problems_of
from tests.reference.plan_reference import solve_plant
from tests.reference.plan_tables import PlantData, load_plant
from tests.reference.random_plants import random_plant, write_folder
from tests.reference.shown_run import least_supply_plan, shown_run


def right_run(seed: int, folder: Path) -> tuple[PlantData, dict[str, Any]] | None:
    """Return a random plant and a run that shows its best plan."""
    plant = load_plant(write_folder(random_plant(seed), folder))
    plan = least_supply_plan(plant)
    if plan is None:
        return None
    shown = shown_run(plant, plan)
    parts = Checks(plant, shown).profit_parts()
    shown["profit"] = {name: parts[name] for name in ("sales", *COSTS)}
    shown["objective"] = parts["sales"] - sum(parts[name] for name in COSTS)
    return plant, shown


@pytest.mark.parametrize("seed", range(60))
def test_they_accept_a_right_run(seed: int, tmp_path: Path) -> None:
    made = right_run(seed, tmp_path)
    if made is None:
        assert solve_plant(load_plant(tmp_path)).status in ("infeasible", "unbounded")
    else:
        plant, shown = made
        assert problems_of(plant, shown) == []
        assert shown["objective"] == pytest.approx(solve_plant(plant).objective, rel=1e-6, abs=1e-5)


def spoilt(shown: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the run with one number changed, one row missing, one flag turned."""
    for table in ("production", "products", "utilization", "materials"):
        for number, row in enumerate(shown[table]):
            for column, value in row.items():
                if isinstance(value, bool):
                    wrong: Any = not value
                elif isinstance(value, int | float):
                    wrong = value + 1
                else:
                    continue
                copied = copy.deepcopy(shown)
                copied[table][number][column] = wrong
                yield f"{table}[{number}].{column}", copied
            copied = copy.deepcopy(shown)
            del copied[table][number]
            yield f"{table}[{number}] missing", copied
    for name in shown["profit"]:
        copied = copy.deepcopy(shown)
        copied["profit"][name] += 1
        yield f"profit.{name}", copied


@pytest.mark.parametrize("seed", [0, 1, 3, 5, 8])
def test_they_notice_each_wrong_number(seed: int, tmp_path: Path) -> None:
    made = right_run(seed, tmp_path)
    assert made is not None
    plant, shown = made
    unnoticed = [what for what, wrong in spoilt(shown) if problems_of(plant, wrong) == []]
    assert unnoticed == []

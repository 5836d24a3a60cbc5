"""A plant of the benchmark's making, smaller: every row is there, and every number foots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.large_plant import large_plant
from tests.reference.commands import bring_in, solve
from tests.reference.plan_checks import problems_of
from tests.reference.plan_tables import load_plant

pytestmark = pytest.mark.django_db

PRODUCTS, PERIODS, MACHINES, MATERIALS = 60, 6, 8, 16


def test_a_large_plant_is_solved_and_foots(tmp_path: Path) -> None:
    large_plant(tmp_path, PRODUCTS, PERIODS, MACHINES, MATERIALS)
    bring_in(tmp_path)
    plant = load_plant(tmp_path)
    code, shown = solve(plant.name)
    assert (code, shown["status"], shown["shadow_price_basis"]) == (0, "optimal", "lp")
    assert counts(shown) == {
        "production": PRODUCTS * PERIODS,
        "products": PRODUCTS * PERIODS,
        "utilization": (MACHINES + MATERIALS) * PERIODS,
        "materials": MATERIALS * PERIODS,
    }
    assert problems_of(plant, shown) == []


def counts(shown: dict[str, Any]) -> dict[str, int]:
    return {name: len(shown[name]) for name in ("production", "products", "utilization", "materials")}

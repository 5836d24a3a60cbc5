"""The reference itself against the published answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import PLANTS_DIR
from tests.reference.plan_reference import solve_plant
from tests.reference.plan_tables import load_plant


def published() -> list[tuple[str, str]]:
    """Return every (folder, scenario) with a published answer."""
    found = []
    for folder in sorted(path for path in PLANTS_DIR.iterdir() if path.is_dir()):
        expected = json.loads((folder / "expected.json").read_text())
        found += [(folder.name, name) for name in ["Baseline", *expected.get("scenarios", {})]]
    return sorted(set(found))


@pytest.mark.parametrize(("folder", "scenario"), published())
def test_the_reference_finds_the_published_answer(plants_dir: Path, folder: str, scenario: str) -> None:
    expected = json.loads((plants_dir / folder / "expected.json").read_text())
    expected = expected.get("scenarios", {}).get(scenario, expected)
    answer = solve_plant(load_plant(plants_dir / folder, scenario))
    assert answer.status == expected["status"]
    if expected["objective"] is not None:
        assert answer.objective == pytest.approx(expected["objective"], rel=1e-6 if answer.is_linear else 1e-4)
    for level in expected.get("levels", []):
        assert answer.levels[level["priority"]] == pytest.approx(level["deviation"], rel=1e-6, abs=1e-5)

"""Small plants written as tables: each test shows the few cells that matter to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from planning.formulation.lots import lot_limits
from planning.models import BASELINE, Plant, Scenario
from planning.runs import RunOptions, execute, run_as_json, start_run
from planning.snapshot import Snapshot, take_snapshot
from tests.reference.commands import bring_in
from tests.reference.plan_reference import solve_plant
from tests.reference.plan_tables import load_plant
from tests.reference.random_plants import write_folder

NAME = "Small Plant"
Row = dict[str, Any]


def bring(folder: Path, **tables: Any) -> Plant:
    """Import the tables as a plant, in one period unless they have some."""
    given = {"plant": [{"name": NAME}], **tables}
    folder = folder / f"plant{len(list(folder.glob('plant*')))}"
    bring_in(write_folder(given, folder))
    return Plant.objects.get(name=given["plant"][0]["name"])


def weeks(count: int) -> list[Row]:
    """Return the rows of so many periods, named 1, 2, ..."""
    return [{"sequence": t, "name": str(t)} for t in range(1, count + 1)]


def snapshot_of(plant: Plant) -> Snapshot:
    """Return the snapshot of the plant's Baseline."""
    return take_snapshot(plant.pk, BASELINE)


def limits_of(plant: Plant) -> dict[tuple[str, str, str], float]:
    """Return M by (product, route, period)."""
    snapshot = snapshot_of(plant)
    limits, problems = lot_limits(snapshot)
    assert problems == []
    rows = [snapshot["way_grid"].record(row) for row in range(snapshot["way_grid"].size)]
    keys = [(row.product.name, row.way.route_name, row.period.name) for row in rows]
    return dict(zip(keys, limits.tolist(), strict=True))


def refused(plant: Plant) -> list[str]:
    """Return the names of products for which the data prove no M."""
    problems = lot_limits(snapshot_of(plant))[1]
    assert all(problem.row in problem.text for problem in problems)
    return [problem.row for problem in problems]


def baseline(plant: Plant) -> Scenario:
    """Return the plant's Baseline."""
    return plant.scenarios.get(name=BASELINE)


def solved(plant: Plant, **options: Any) -> dict[str, Any]:
    """Return a run of the Baseline, executed here, as it is shown."""
    run = start_run(baseline(plant), RunOptions(**{"gap": 1e-6, **options}), here=True)
    return run_as_json(execute(run.pk, run.attempt))


def best_by_reference(folder: Path) -> Any:
    """Return the reference's answer for the last plant that was brought in from `folder`."""
    return solve_plant(load_plant(max(folder.glob("plant*"), key=lambda path: int(path.name[5:]))))

"""Starting a run: the snapshot is taken at once, so the data may change while the run waits."""

from __future__ import annotations

import time
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from planning.formulation import build_model
from planning.lx import LXModel, LXModelError, compile_model
from planning.models import Run, Scenario
from planning.snapshot import DataProblems, Problem, Snapshot, take_snapshot

from .copies import pack, store_copy
from .options import RunOptions
from .runners import launch
from .states import State, record


def start_run(scenario: Scenario, options: RunOptions | None = None, *, user: Any = None, here: bool = False) -> Run:
    """Return a new queued run of the scenario; a runner executes it after commit, unless `here`.

    Raises DataProblems with every problem where the data allow no plan, CopyTooLarge where the copy
    passes the limit; then there is no run.
    """
    options = options or RunOptions()
    began = time.perf_counter()
    snapshot = take_snapshot(scenario.plant_id, scenario.name)
    read = time.perf_counter()
    compressed, sha256, size = pack(_solvable(snapshot))
    built = time.perf_counter()
    with transaction.atomic():
        run = Run.objects.create(
            plant_id=scenario.plant_id,
            scenario_name=scenario.name,
            options=options.as_dict(),
            user=user if user is not None and user.is_authenticated else None,
            currency=snapshot.currency,
            units=_units(snapshot),
            seconds={"read": read - began, "build": built - read},
            sizes={"copy_bytes": size, "compressed_bytes": len(compressed)},
            sent_at=Now() if here else None,
        )
        store_copy(run, compressed, sha256, size)
        record(run.pk, State.QUEUED, run.attempt, run.user.get_username() if run.user else None, "")
        if not here:
            transaction.on_commit(lambda: launch(run.pk))
    return run


def _solvable(snapshot: Snapshot) -> LXModel:
    """Return the model of the snapshot. Raises DataProblems for numbers that no solver can work with."""
    model = build_model(snapshot)
    try:
        compile_model(model)
    except LXModelError as error:
        raise DataProblems([Problem("", "", "", str(error))]) from error
    return model


def _units(snapshot: Snapshot) -> dict[str, dict[str, str]]:
    """Return the unit of each product and raw material by name: the run stands by itself when the data change."""
    tables = {"products": snapshot["products"], "materials": snapshot["raw_materials"]}
    return {
        name: dict(zip(table.columns["name"].tolist(), table.columns["unit"].tolist(), strict=True))
        for name, table in tables.items()
    }

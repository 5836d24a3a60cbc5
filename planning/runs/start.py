"""Starting a run: the snapshot is taken at once, so the data may change while the run waits."""

from __future__ import annotations

import time
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from planning.formulation import build_model
from planning.logs import known_facts, saying
from planning.lx import LXModel, LXModelError, compile_model
from planning.models import Plant, Run, Scenario
from planning.snapshot import DataProblems, Problem, Snapshot, take_snapshot

from .copies import pack, store_copy
from .options import RunOptions
from .runners import launch
from .states import State, record


class SameRun(Exception):
    """A run of the same scenario with the same data and options is under way."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"Run {run.pk} is under way with the same data and options.")
        self.run = run


def start_run(scenario: Scenario, options: RunOptions | None = None, *, user: Any = None, here: bool = False) -> Run:
    """Return a new queued run of the scenario; a runner executes it after commit, unless `here`.

    Raises DataProblems with every problem where the data allow no plan, CopyTooLarge where the copy
    passes the limit, SameRun where a runner has the same to do already; then there is no run.
    """
    options = options or RunOptions()
    began = time.perf_counter()
    snapshot = take_snapshot(scenario.plant_id, scenario.name)
    read = time.perf_counter()
    compressed, sha256, size = pack(_solvable(snapshot))
    built = time.perf_counter()
    with transaction.atomic():
        Plant.objects.select_for_update().get(pk=scenario.plant_id)  # two who start at once come one after the other
        same = None if here else _same(scenario, options, sha256)
        if same is not None:
            raise SameRun(same)
        run = Run.objects.create(
            plant_id=scenario.plant_id,
            scenario_name=scenario.name,
            options=options.as_dict(),
            user=user if user is not None and user.is_authenticated else None,
            request_id=known_facts().get("request", ""),
            currency=snapshot.currency,
            units=_units(snapshot),
            warnings=[warning.as_dict() for warning in snapshot.warnings],
            seconds={"read": read - began, "build": built - read},
            sizes={"copy_bytes": size, "compressed_bytes": len(compressed)},
            sent_at=Now() if here else None,
        )
        store_copy(run, compressed, sha256, size)
        who = run.user.get_username() if run.user else None
        with saying(user=who):
            record(run.pk, State.QUEUED, run.attempt, who, "")
        if not here:
            transaction.on_commit(lambda: _launch(run, who))
    return run


def _launch(run: Run, who: str | None) -> None:
    with saying(run=run.pk, attempt=run.attempt, user=who):
        launch(run.pk)


def _same(scenario: Scenario, options: RunOptions, sha256: str) -> Run | None:
    """Return the open run of the scenario that has the same data and options, if there is one."""
    runs = Run.objects.filter(plant_id=scenario.plant_id, scenario_name=scenario.name, state__in=Run.OPEN_STATES)
    same = (run for run in runs.filter(copy__sha256=sha256, variation__isnull=True) if run.options == options.as_dict())
    return next((run for run in same if not run.stop_requests), None)


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

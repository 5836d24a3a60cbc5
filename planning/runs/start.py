"""Starting a run: the snapshot is taken at once, so the data may change while the run waits."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from planning.formulation import build_model
from planning.logs import known_facts, saying
from planning.lx import LXModel, LXModelError, compile_model
from planning.models import Plant, Run, Scenario
from planning.snapshot import DataProblems, Hold, Problem, Snapshot, take_snapshot

from .copies import pack, store_copy
from .options import RunOptions
from .runners import launch
from .states import State, record


class SameRun(Exception):
    """A run of the same scenario with the same data and options is under way."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"Run {run.pk} is under way with the same data and options.")
        self.run = run


@dataclass(frozen=True)
class Prepared:
    """A scenario's snapshot and its model's copy: what a run needs before it is stored."""

    scenario: Scenario
    options: RunOptions
    snapshot: Snapshot
    copy: tuple[bytes, str, int]  # compressed, SHA-256, size before compression
    seconds: dict[str, float]

    def new_run(self, user: Any, **values: Any) -> Run:
        """Return a queued run that is not stored yet."""
        return Run(
            plant_id=self.scenario.plant_id,
            scenario_name=self.scenario.name,
            options=self.options.as_dict(),
            user=user if user is not None and user.is_authenticated else None,
            request_id=known_facts().get("request", ""),
            currency=self.snapshot.currency,
            units=_units(self.snapshot),
            seconds=self.seconds,
            sizes={"copy_bytes": self.copy[2], "compressed_bytes": len(self.copy[0])},
            follows_id=self.snapshot["plant"].record(0).held_run if self.snapshot.holds else None,
            **{"warnings": [warning.as_dict() for warning in self.snapshot.warnings], **values},
        )


def prepare_run(scenario: Scenario, options: RunOptions | None = None, hold: Hold | None = None) -> Prepared:
    """Return the scenario's data as they are now, built, with what is held of an earlier plan.

    Raises DataProblems and CopyTooLarge.
    """
    began = time.perf_counter()
    snapshot = take_snapshot(scenario.plant_id, scenario.name, hold)
    read = time.perf_counter()
    copy = pack(_solvable(snapshot))
    seconds = {"read": read - began, "build": time.perf_counter() - read}
    return Prepared(scenario, options or RunOptions(), snapshot, copy, seconds)


def start_run(
    scenario: Scenario,
    options: RunOptions | None = None,
    *,
    user: Any = None,
    note: str = "",
    here: bool = False,
    hold: Hold | None = None,
) -> Run:
    """Return a new queued run of the scenario; a runner executes it after commit, unless `here`.

    `hold` says what to keep of an earlier run's plan, `note` what the user wants to remember of the run.

    Raises DataProblems with every problem where the data allow no plan, CopyTooLarge where the copy
    passes the limit, SameRun where a runner has the same to do already; then there is no run.
    """
    prepared = prepare_run(scenario, options, hold)
    with transaction.atomic():
        hold_plant(scenario.plant_id)
        same = None if here else same_run(prepared)
        if same is not None:
            raise SameRun(same)
        run = prepared.new_run(user, note=note, sent_at=Now() if here else None)
        run.save()
        store_copy(run, *prepared.copy)
        who = run.user.get_username() if run.user else None
        with saying(user=who):
            record(run.pk, State.QUEUED, run.attempt, who, "")
        if not here:
            transaction.on_commit(lambda: _launch(run, who))
    return run


def _launch(run: Run, who: str | None) -> None:
    with saying(run=run.pk, attempt=run.attempt, user=who):
        launch(run.pk)


def hold_plant(plant_id: int) -> None:
    """Let two who start at once come one after the other, until the end of the transaction."""
    Plant.objects.select_for_update().get(pk=plant_id)


def same_run(prepared: Prepared) -> Run | None:
    """Return the open run of the scenario that has the same data and options, if there is one."""
    scenario = prepared.scenario
    runs = Run.objects.filter(plant_id=scenario.plant_id, scenario_name=scenario.name, state__in=Run.OPEN_STATES)
    same = runs.filter(copy__sha256=prepared.copy[1], variation__isnull=True, stop_requests=0).order_by("-id")
    return next((run for run in same if run.options == prepared.options.as_dict()), None)


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

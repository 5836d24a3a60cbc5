"""Promotion: a scenario's values become the base data, in one transaction, and the scenario's changes are spent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from planning.lx import LXTable
from planning.models import BASELINE, TABLES, Plant, Scenario
from planning.snapshot import (
    DataProblems,
    Edit,
    ScenarioEffects,
    differences,
    effects_in,
    read_tables,
    scenario_effects,
)

from .base_data import write_edits
from .history import record_promotion


class NotPromoted(Exception):
    """Nothing was promoted; the message says why and what to do."""


@dataclass(frozen=True)
class Promotion:
    """What promoting a scenario would do, or did."""

    scenario: Scenario
    effects: ScenarioEffects
    others: tuple[str, ...]  # scenarios of the plant whose changes will act on the new base data

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The fields of the base data that change."""
        return self.effects.edits

    @property
    def digest(self) -> str:
        """A fingerprint of the edits, by which a page notices that the data have changed since it was shown."""
        return hashlib.sha256(repr(self.edits).encode()).hexdigest()


def preview(scenario: Scenario) -> Promotion:
    """Return what promoting the scenario would do; nothing is written."""
    return Promotion(scenario, scenario_effects(scenario.plant_id, scenario.name), _others(scenario))


@transaction.atomic
def promote(scenario: Scenario, *, user: Any = None, digest: str | None = None) -> Promotion:
    """Make the scenario's values the base data, its ancestors' changes included; return what was done.

    Its own changes are removed and its parent is cleared: both are in the base data now. A `digest` is that
    of the preview that was agreed to. Raises DataProblems where the scenario can't be planned or the data
    refuse a value, NotPromoted where there is nothing to promote or the data have changed; then nothing is
    written.
    """
    Plant.objects.select_for_update().get(pk=scenario.plant_id)
    scenario = Scenario.objects.select_for_update(of=("self",)).select_related("plant").get(pk=scenario.pk)
    if scenario.name == BASELINE:
        raise NotPromoted(f"{BASELINE} is the base data. Choose another scenario.")
    tables = read_tables(scenario.plant_id)
    effects = effects_in(tables, scenario.name)
    promotion = Promotion(scenario, effects, _others(scenario))
    if effects.errors:
        raise DataProblems(list(effects.errors), list(effects.warnings))
    if not promotion.edits:
        raise NotPromoted(f'"{scenario.name}" plans the data as they are. There is nothing to promote.')
    if digest is not None and digest != promotion.digest:
        raise NotPromoted("The data have changed since this was shown. Look at the new values, then promote again.")
    written = write_edits(scenario.plant, promotion.edits)
    _prove(scenario.plant_id, tables)
    _spend(scenario, effects.goal_mode)
    record_promotion(scenario, written, effects, user)
    return promotion


def _others(scenario: Scenario) -> tuple[str, ...]:
    """Return the scenarios with changes of their own or inherited ones, but those that build on this one."""
    listed = Scenario.objects.filter(plant=scenario.plant_id).order_by("pk")
    parents = dict(listed.values_list("pk", "parent_id"))
    changed = set(listed.filter(scenario_changes__isnull=False).values_list("pk", flat=True))

    def line(pk: int | None) -> list[int]:
        found: list[int] = []
        while pk is not None and pk not in found:
            found.append(pk)
            pk = parents.get(pk)
        return found

    lines = {pk: line(pk) for pk in parents}
    touched = {pk for pk, above in lines.items() if scenario.pk not in above and changed & set(above)}
    return tuple(name for pk, name in listed.values_list("pk", "name") if pk in touched)


def _spend(scenario: Scenario, mode: str) -> None:
    """Take away what the base data hold now: the scenario's changes, and its parent with the parent's."""
    scenario.scenario_changes.all().delete()
    scenario.parent = None
    scenario.goal_mode = scenario.goal_mode or ("" if mode == Scenario.GoalMode.LEXICOGRAPHIC else mode)
    scenario.save(update_fields=["parent", "goal_mode"])


def _prove(plant_id: int, planned: dict[str, LXTable]) -> None:
    """Compare what the base data hold now with what the scenario planned; raise, and so write nothing, if others."""
    now = read_tables(plant_id)
    by_row = [table.name for table in TABLES if table.parent is None and table.name not in ("periods", "scenarios")]
    if any(now[name].size != planned[name].size for name in by_row) or differences(now, planned):
        raise NotPromoted("The data were edited while they were promoted. Nothing was written. Try again.")

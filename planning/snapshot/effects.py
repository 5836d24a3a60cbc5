"""What a scenario does to a plant's data, change by change, for pages, commands and export. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from planning.lx import LXRecord, LXTable
from planning.models import TABLE_BY_NAME

from .changes import Applied, Change, Effect, apply_changes, apply_scenario, companion_of, row_names, said
from .check import find_problems
from .problems import DataProblems, Problem
from .read import read_tables
from .scenario import goal_mode, lineage
from .settled import Difference, Edit, Value, ValuesByPeriod, copy_of, differences, settled
from .snapshot import complete
from .targets import find_warnings

Values = tuple[Value, ...]


@dataclass(frozen=True)
class ChangeEffect:
    """One change and what it does: to the base data, after the changes before it."""

    scenario: str
    number: int  # among the changes of its scenario, from 1
    change: Change
    effect: Effect | None  # None where the change is refused
    base: Values  # what the base data hold where the change acts, by row and then period
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def counts(self) -> tuple[int, int]:
        """How many rows it changes, and in how many periods; 0 periods for a field without a value per period."""
        if self.effect is None:
            return 0, 0
        periods = len(self.effect.periods)
        pairs = zip(self.effect.before, self.effect.after, strict=True)
        moved = [place for place, (before, after) in enumerate(pairs) if before != after]
        if not periods:
            return len(moved), 0
        return len({place // periods for place in moved}), len({place % periods for place in moved})

    def short(self, problem: Problem) -> str:
        """Return what a problem says where the change itself stands beside it."""
        text = problem.text.partition(said(self.change, ""))[2].removeprefix(":").strip() or problem.text
        return text[:1].upper() + text[1:]


@dataclass(frozen=True)
class ScenarioEffects:
    """Each change of a scenario with its effect, its ancestors' first, and what they come to together."""

    scenario: str
    changes: tuple[ChangeEffect, ...]
    differences: tuple[Difference, ...]  # between the base data and what the scenario plans
    goal_mode: str
    edits: tuple[Edit, ...]  # of the base data, which would make them what the scenario plans
    errors: tuple[Problem, ...]  # for which the scenario can't be planned, those of changes among them
    warnings: tuple[Problem, ...]

    @property
    def problems_elsewhere(self) -> tuple[list[Problem], list[Problem]]:
        """The errors and warnings that are not those of one change."""
        errors = [error for error in self.errors if error.table != "scenario_changes"]
        return errors, [warning for warning in self.warnings if warning.table != "scenario_changes"]


def scenario_effects(plant_id: int, scenario: str) -> ScenarioEffects:
    """Return what a stored scenario does, in as many queries as there are tables."""
    return effects_in(read_tables(plant_id), scenario)


def effects_of_draft(
    plant_id: int, scenario: str, changes: Iterable[Change], parent: str | None = None
) -> ScenarioEffects:
    """Return what changes would do that are not stored, after those of the parent: the same number of queries."""
    return effects_in(read_tables(plant_id), scenario, list(changes), parent)


def effects_in(
    tables: dict[str, LXTable], scenario: str, draft: list[Change] | None = None, parent: str | None = None
) -> ScenarioEffects:
    """Return the effects in tables that were read; they are changed like those of a snapshot of the scenario."""
    base = copy_of(tables)
    listed = listed_changes(tables, scenario if draft is None else parent)
    if draft is None:
        applied = apply_scenario(tables, scenario)
    else:
        applied = apply_scenario(tables, parent) if parent else Applied()
        own = apply_changes(tables, draft, scenario)
        listed += [(scenario, number, change) for number, change in enumerate(draft, start=1)]
        applied = Applied(
            [*applied.effects, *own.effects], [*applied.errors, *own.errors], [*applied.warnings, *own.warnings]
        )
    snapshot = complete(tables)
    held = scenario if draft is None else parent or scenario
    return ScenarioEffects(
        scenario,
        _with_effects(base, listed, applied),
        tuple(differences(base, tables)),
        goal_mode(base, held),
        tuple(settled(base, tables, held)),
        (*applied.errors, *find_problems(snapshot)),
        (*applied.warnings, *find_warnings(snapshot.tables)),
    )


def edits_of(tables: dict[str, LXTable], scenario: str) -> list[Edit]:
    """Return the edits that make the base data what the scenario plans. Raises DataProblems where it can't be."""
    effects = effects_in(tables, scenario)
    if effects.errors:
        raise DataProblems(list(effects.errors), list(effects.warnings))
    return list(effects.edits)


def listed_changes(tables: Mapping[str, LXTable], scenario: str | None) -> list[tuple[str, int, Change]]:
    """Return the stored changes of a scenario in their order, its ancestors' first, with whose and which they are."""
    if scenario is None:
        return []
    line, _ = lineage(tables, scenario)
    names = tables["scenarios"].columns["name"].tolist()
    stored = tables["scenario_changes"]
    owners = stored.links["scenario"].positions
    return [
        (str(names[owner]), number, _change_of(stored.record(place)))
        for owner in line
        for number, place in enumerate(np.flatnonzero(owners == owner).tolist(), start=1)
    ]


def _change_of(row: LXRecord) -> Change:
    return Change(row.table, row.row, row.field, row.operation, row.value, row.period)


def _with_effects(
    base: dict[str, LXTable], listed: list[tuple[str, int, Change]], applied: Applied
) -> tuple[ChangeEffect, ...]:
    effects = {(effect.scenario, effect.number): effect for effect in applied.effects}
    cells = _BaseCells(base)
    found = []
    for scenario, number, change in listed:
        row = f"{scenario} {number}"
        effect = effects.get((scenario, number))
        problems = (
            tuple(problem for problem in among if (problem.table, problem.row) == ("scenario_changes", row))
            for among in (applied.errors, applied.warnings)
        )
        found.append(ChangeEffect(scenario, number, change, effect, cells.under(effect) if effect else (), *problems))
    return tuple(found)


class _BaseCells:
    """The base data's values where effects act."""

    def __init__(self, base: dict[str, LXTable]) -> None:
        self._base = base
        self._fields: dict[tuple[str, str], ValuesByPeriod] = {}
        self._names: dict[str, dict[str, int]] = {}

    def under(self, effect: Effect) -> Values:
        """Return the values in the order of the effect's."""
        table = TABLE_BY_NAME[effect.table]
        if table.name not in self._names:
            self._names[table.name] = {name: row for row, name in enumerate(row_names(self._base[table.name], table))}
        rows = [self._names[table.name][name] for name in effect.rows]
        by_period = companion_of(table)
        if not effect.periods or by_period is None:
            return tuple(self._base[table.name].columns[effect.field].get(row) for row in rows)
        key = (effect.table, effect.field)
        if key not in self._fields:
            self._fields[key] = ValuesByPeriod(self._base, table, by_period, effect.field)
        values = self._fields[key]
        names = [str(name) for name in self._base["periods"].columns["name"].tolist()]
        places = [names.index(period) for period in effect.periods] if names else [0]
        return tuple(values.of_row(row)[place] for row in rows for place in places)

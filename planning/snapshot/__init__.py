"""From querysets to detached records: read once, completed for every period, checked all at once."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from planning.lx import LXColumn, LXTable
from planning.models import TABLES

from .changes import (
    NOT_DATA,
    Applied,
    Change,
    Effect,
    apply_changes,
    apply_scenario,
    changeable,
    companion_of,
    given,
    row_names,
)
from .check import find_problems
from .effective import Horizon, over_periods
from .effects import (
    ChangeEffect,
    ScenarioEffects,
    edits_of,
    effects_in,
    effects_of_draft,
    listed_changes,
    scenario_effects,
)
from .held import Hold, read_held, with_hold
from .problems import DataProblems, Problem
from .read import consistent_read, read_tables
from .scenario import goal_mode
from .settled import Difference, Edit, ValuesByPeriod, differences
from .snapshot import Snapshot, complete
from .targets import find_warnings

__all__ = [
    "NOT_DATA",
    "Applied",
    "Change",
    "ChangeEffect",
    "DataProblems",
    "Difference",
    "Edit",
    "Effect",
    "Hold",
    "Horizon",
    "Problem",
    "ScenarioEffects",
    "Snapshot",
    "ValuesByPeriod",
    "apply_changes",
    "apply_scenario",
    "base_tables",
    "changeable",
    "companion_of",
    "consistent_read",
    "differences",
    "edits_of",
    "effects_in",
    "effects_of_draft",
    "examine",
    "given",
    "listed_changes",
    "over_periods",
    "read_tables",
    "row_names",
    "scenario_effects",
    "tables_now",
    "take_snapshot",
    "vary",
]


def take_snapshot(plant_id: int, scenario: str, hold: Hold | None = None) -> Snapshot:
    """Return the plant's data as the scenario has them, detached, with what is held of an earlier plan.

    Raises DataProblems for bad data.
    """
    with consistent_read():
        tables = read_tables(plant_id)
        try:
            held = read_held(plant_id, hold) if hold else None
        except KeyError as error:
            text = f"There is no run {error} of this plant that has a plan. Hold another one."
            raise DataProblems([Problem("", "", "", text)]) from error
    if hold is not None and held is not None:
        with_hold(tables, held, hold)
    return checked(tables, scenario)


def checked(tables: dict[str, LXTable], scenario: str) -> Snapshot:
    """Return the snapshot of detached tables, or raise DataProblems with every problem.

    The scenario's changes are applied to the tables.
    """
    applied = apply_scenario(tables, scenario)
    tables["plant"].columns["goal_mode"] = LXColumn.of([goal_mode(tables, scenario)] * tables["plant"].size)
    return _completed(tables, applied)


def tables_now(plant_id: int, scenario: str) -> dict[str, LXTable] | None:
    """Return the plant's tables as they are now, with the changes of the scenario that can be made; None without it.

    Nothing is checked: half-edited data are shown too.
    """
    tables = read_tables(plant_id)
    if scenario not in tables["scenarios"].columns["name"].tolist():
        return None
    apply_scenario(tables, scenario)
    tables["plant"].columns["goal_mode"] = LXColumn.of([goal_mode(tables, scenario)] * tables["plant"].size)
    return tables


def base_tables(tables: Mapping[str, LXTable]) -> dict[str, LXTable]:
    """Return the tables of the plan format among those of a snapshot or a model copy, and what is held of a plan."""
    return {name: tables[name] for name in (*(table.name for table in TABLES), "held") if name in tables}


def vary(tables: dict[str, LXTable], changes: Iterable[Change], name: str) -> Snapshot:
    """Return the snapshot of base tables with changes beyond their scenario's applied to them.

    `name` says in messages whose changes they are. Raises DataProblems with every problem that they make.
    """
    return _completed(tables, apply_changes(tables, changes, name))


def examine(plant_id: int, scenario: str) -> tuple[Snapshot, list[Problem], list[Problem]]:
    """Return the plant's data as the scenario has them, with every error and every warning; nothing is raised."""
    tables = read_tables(plant_id)
    applied = apply_scenario(tables, scenario)
    tables["plant"].columns["goal_mode"] = LXColumn.of([goal_mode(tables, scenario)] * tables["plant"].size)
    return _examined(tables, applied)


def _completed(tables: dict[str, LXTable], applied: Applied) -> Snapshot:
    snapshot, problems, warnings = _examined(tables, applied)
    if problems:
        raise DataProblems(problems, warnings)
    return replace(snapshot, warnings=tuple(warnings))


def _examined(tables: dict[str, LXTable], applied: Applied) -> tuple[Snapshot, list[Problem], list[Problem]]:
    snapshot = complete(tables)
    problems = [*find_problems(snapshot), *applied.errors, *snapshot.unholdable]
    return snapshot, problems, [*applied.warnings, *find_warnings(snapshot.tables)]

"""From querysets to detached records: read once, completed for every period, checked all at once."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from planning.lx import LXTable
from planning.models import TABLES

from .changes import Applied, Change, Effect, apply_changes, apply_scenario
from .check import find_problems
from .problems import DataProblems, Problem
from .read import read_tables
from .scenario import find_refused
from .snapshot import Snapshot, complete

__all__ = [
    "Applied",
    "Change",
    "DataProblems",
    "Effect",
    "Problem",
    "Snapshot",
    "apply_changes",
    "apply_scenario",
    "base_tables",
    "take_snapshot",
    "vary",
]


def take_snapshot(plant_id: int, scenario: str) -> Snapshot:
    """Return the plant's data as the scenario has them, detached. Raises DataProblems for bad data."""
    return checked(read_tables(plant_id), scenario)


def checked(tables: dict[str, LXTable], scenario: str) -> Snapshot:
    """Return the snapshot of detached tables, or raise DataProblems with every problem.

    The scenario's changes are applied to the tables.
    """
    applied = apply_scenario(tables, scenario)
    snapshot = complete(tables)
    problems = [*find_problems(snapshot), *applied.errors, *find_refused(tables)]
    if problems:
        raise DataProblems(problems, applied.warnings)
    return replace(snapshot, warnings=tuple(applied.warnings))


def base_tables(tables: Mapping[str, LXTable]) -> dict[str, LXTable]:
    """Return the tables of the plan format among those of a snapshot or a model copy."""
    return {table.name: tables[table.name] for table in TABLES}


def vary(tables: dict[str, LXTable], changes: Iterable[Change], name: str) -> Snapshot:
    """Return the snapshot of base tables with changes beyond their scenario's applied to them.

    `name` says in messages whose changes they are. Raises DataProblems with every problem that they make.
    """
    applied = apply_changes(tables, changes, name)
    snapshot = complete(tables)
    problems = [*find_problems(snapshot), *applied.errors, *find_refused(tables)]
    if problems:
        raise DataProblems(problems, applied.warnings)
    return replace(snapshot, warnings=tuple(applied.warnings))

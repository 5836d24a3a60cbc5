"""From querysets to detached records: read once, completed for every period, checked all at once."""

from dataclasses import replace

from planning.lx import LXTable

from .changes import Applied, Effect, apply_scenario
from .check import find_problems
from .problems import DataProblems, Problem
from .read import read_tables
from .scenario import find_refused
from .snapshot import Snapshot, complete

__all__ = ["Applied", "DataProblems", "Effect", "Problem", "Snapshot", "apply_scenario", "take_snapshot"]


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

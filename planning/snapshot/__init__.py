"""From querysets to detached records: read once, completed for every period, checked all at once."""

from planning.lx import LXTable

from .check import find_problems
from .problems import DataProblems, Problem
from .read import read_tables
from .scenario import find_refused
from .snapshot import Snapshot, complete

__all__ = ["DataProblems", "Problem", "Snapshot", "take_snapshot"]


def take_snapshot(plant_id: int, scenario: str) -> Snapshot:
    """Return the plant's data as the scenario has them, detached. Raises DataProblems for bad data."""
    return checked(read_tables(plant_id), scenario)


def checked(tables: dict[str, LXTable], scenario: str) -> Snapshot:
    """Return the snapshot of detached tables, or raise DataProblems with every problem."""
    snapshot = complete(tables)
    problems = [*find_problems(snapshot), *find_refused(tables, scenario)]
    if problems:
        raise DataProblems(problems)
    return snapshot

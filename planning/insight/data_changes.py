"""How far a plant's data have moved on since a run read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from planning.lx import MISSING, LXTable
from planning.models import TABLES, FormatTable, Run
from planning.runs import base_copy
from planning.snapshot import tables_now

from .solved_plan import NoSolvedData, readable

# What a scenario makes of the data is compared, not how it is written down.
_NOT_COMPARED = ("scenarios", "scenario_changes")
Row = tuple[Any, ...]


@dataclass(frozen=True)
class DataChanges:
    """Differences between a run's data and the plant's data now: rows added, rows removed, values changed."""

    by_table: dict[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of differences in all tables."""
        return sum(self.by_table.values())


def data_changes(run: Run) -> DataChanges:
    """Return what changed since the run read its data, in a number of queries that does not grow.

    Both are compared as the run's scenario has them; a variation's own changes are left out. Raises
    NoSolvedData where the run's copy can't be read, or its scenario is gone.
    """
    before = readable(base_copy, run)
    now = tables_now(run.plant_id, run.scenario_name)
    if now is None:
        raise NoSolvedData(f'The scenario "{run.scenario_name}" is gone.')
    found: dict[str, int] = {}
    for table in TABLES:
        if table.name in _NOT_COMPARED:
            continue
        count = _differences(_rows(table, before), _rows(table, now))
        if count:
            found[table.name] = count
    return DataChanges(found)


def _differences(before: dict[Row, Row], now: dict[Row, Row]) -> int:
    """Return rows that are in one alone, and values that differ in rows of both."""
    changed = sum(
        sum(old != new for old, new in zip(row, now[key], strict=True))
        for key, row in before.items()
        if key in now and now[key] != row
    )
    return changed + len(before.keys() ^ now.keys())


def _rows(table: FormatTable, tables: dict[str, LXTable]) -> dict[Row, Row]:
    """Return the values of a table's rows by their key; the one row of the plant has none."""
    listed = tables.get(table.name)
    if listed is None or not listed.size:
        return {}
    key = table.key if table.name != "plant" else ()
    keys = [column_values(listed, name) for name in key]
    values = [column_values(listed, name) for name in table.columns if name not in key]
    keyed = zip(*keys, strict=True) if keys else [()] * listed.size
    return dict(zip(keyed, zip(*values, strict=True), strict=True))


def column_values(table: LXTable, name: str) -> list[Any]:
    """Return the values of a column of the plan format; of a relation the names of its rows, None where there is none.

    `product` of `route_periods` is found through the route.
    """
    if name not in table.columns and name not in table.links and "route" in table.links:
        routes = table.links["route"]
        assert routes.target is not None
        names = column_values(routes.target, name)
        return [None if position == MISSING else names[position] for position in routes.positions.tolist()]
    if name in table.links:
        link = table.links[name]
        assert link.target is not None
        named = "name" if "name" in link.target.columns else "reference"
        names = link.target.columns[named].tolist()
        return [None if position == MISSING else names[position] for position in link.positions.tolist()]
    column = table.columns.get(name)  # the one period of a plant without periods has no dates
    return [None] * table.size if column is None else list(column.tolist())

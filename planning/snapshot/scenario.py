"""Which scenarios' changes hold, in which order, and how a scenario weighs up goals."""

from __future__ import annotations

from collections.abc import Mapping

from planning.lx import LEXICOGRAPHIC, MISSING, LXTable

from .check import circles
from .problems import Problem


def lineage(tables: Mapping[str, LXTable], scenario: str) -> tuple[list[int], list[Problem]]:
    """Return the scenario and its ancestors as rows of `scenarios`, the oldest first; or what is wrong with them."""
    scenarios = tables["scenarios"]
    names = [str(name) for name in scenarios.columns["name"].tolist()]
    if scenario not in names:
        return [], [Problem("scenarios", scenario, "name", f'The plant has no scenario "{scenario}".')]
    line = [names.index(scenario)]
    parents = scenarios.links["parent"].positions.tolist()
    while parents[line[0]] != MISSING:
        parent = parents[line[0]]
        if parent in line:
            (circle, *_) = circles({child: [p] for child, p in enumerate(parents) if p != MISSING and child in line})
            path = " has the parent ".join(f'"{names[i]}"' for i in [*circle, circle[0]])
            text = f"Scenarios form a circle: {path}. Clear one parent."
            return [], [Problem("scenarios", names[parent], "parent", text)]
        line.insert(0, parent)
    return line, []


def goal_mode(tables: Mapping[str, LXTable], scenario: str) -> str:
    """Return the goal mode of a scenario: its own, else that of its nearest ancestor that has one."""
    line, _ = lineage(tables, scenario)
    modes = tables["scenarios"].columns["goal_mode"].tolist()
    own = [str(modes[row]) for row in line if modes[row]]
    return own[-1] if own else LEXICOGRAPHIC

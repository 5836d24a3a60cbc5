"""Which scenarios' changes hold, in which order, and what plans can't hold yet, refused by name."""

from __future__ import annotations

from planning.lx import MISSING, LXTable

from .check import circles
from .problems import Problem


def lineage(tables: dict[str, LXTable], scenario: str) -> tuple[list[int], list[Problem]]:
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


def find_refused(tables: dict[str, LXTable]) -> list[Problem]:
    """Return what the data need and the formulation lacks: customer orders, goals."""
    problems = []
    for name, key, what in (("customer_orders", "reference", "Customer order"), ("goals", "name", "Goal")):
        table = tables[name]
        products = tables["products"].columns["active"].tolist()
        for row in range(table.size):
            record = table.record(row)
            ordered = products[table.links["product"].positions[row]] if "product" in table.links else True
            if record.active and ordered:
                problems.append(
                    Problem(
                        name,
                        str(getattr(record, key)),
                        "active",
                        f'{what} "{getattr(record, key)}" is active, and plans do not take {name.replace("_", " ")} '
                        "into account yet. Set active to false to plan without it.",
                    )
                )
    return problems

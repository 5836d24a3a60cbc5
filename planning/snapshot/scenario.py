"""What a scenario asks for that a plan can't hold yet, refused by name."""

from __future__ import annotations

from planning.lx import MISSING, LXTable

from .check import circles
from .problems import Problem


def find_refused(tables: dict[str, LXTable], scenario: str) -> list[Problem]:
    """Return what the scenario needs and the formulation lacks: changes, customer orders, goals."""
    problems = _scenario_problems(tables, scenario)
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


def _scenario_problems(tables: dict[str, LXTable], scenario: str) -> list[Problem]:
    scenarios, changes = tables["scenarios"], tables["scenario_changes"]
    names = [str(name) for name in scenarios.columns["name"].tolist()]
    if scenario not in names:
        return [Problem("scenarios", scenario, "name", f'The plant has no scenario "{scenario}".')]
    lineage = [names.index(scenario)]
    parents = scenarios.links["parent"].positions.tolist()
    while parents[lineage[-1]] != MISSING:
        parent = parents[lineage[-1]]
        if parent in lineage:
            (circle, *_) = circles({child: [p] for child, p in enumerate(parents) if p != MISSING and child in lineage})
            path = " has the parent ".join(f'"{names[i]}"' for i in [*circle, circle[0]])
            return [
                Problem("scenarios", names[parent], "parent", f"Scenarios form a circle: {path}. Clear one parent.")
            ]
        lineage.append(parent)
    counts = [0] * len(names)
    problems = []
    for row, owner in enumerate(changes.links["scenario"].positions.tolist()):
        counts[owner] += 1
        if owner in lineage:
            change = changes.record(row)
            problems.append(
                Problem(
                    "scenario_changes",
                    f"{names[owner]} {counts[owner]}",
                    "field",
                    f'Scenario "{scenario}" changes {change.field} of {change.table} "{change.row}", and plans do not '
                    "apply scenario changes yet. Run a scenario without changes.",
                )
            )
    return problems

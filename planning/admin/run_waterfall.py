"""The profit as a waterfall: from the sales, part by part, down to the profit."""

from __future__ import annotations

from dataclasses import dataclass

from planning.models import Run

from .amounts import money

PARTS = {
    "sales": "Sales",
    "production_cost": "Production cost",
    "route_cost": "Route cost",
    "holding": "Holding stock",
    "backlog": "Backlog",
    "shortage": "Shortage",
    "purchase": "Buying in",
    "setup": "Setups",
    "overtime": "Overtime",
    "lateness": "Late orders",
    "material_holding": "Holding materials",
    "material": "Materials",
}


@dataclass(frozen=True)
class Step:
    """One bar: its amount with its sign, and where it begins and how long it is, in percent of the width."""

    name: str
    amount: float
    words: str
    kind: str  # total, plus, minus
    start: float
    size: float


def waterfall(run: Run) -> list[Step]:
    """Return the parts of the profit that are not 0, and the profit."""
    parts = {name: value for name, value in run.profit_parts.items() if value or name == "sales"}
    if not parts or run.objective is None:
        return []
    ordered = [name for name in PARTS if name in parts] + [name for name in parts if name not in PARTS]
    signed = [(PARTS.get(name) or name, parts[name] if name == "sales" else -parts[name]) for name in ordered]
    bars, reached = [], 0.0
    for name, amount in signed:
        bars.append((name, amount, reached, reached + amount))
        reached += amount
    bars.append(("Profit", run.objective, 0.0, run.objective))
    ends = [end for _, _, *span in bars for end in span]
    low, width = min(ends), (max(ends) - min(ends)) or 1.0
    return [
        Step(
            name,
            amount,
            money(amount, run.currency),
            "total" if name in ("Sales", "Profit") else "plus" if amount >= 0 else "minus",
            round(100 * (min(begin, end) - low) / width, 3),
            round(100 * abs(end - begin) / width, 3),
        )
        for name, amount, begin, end in bars
    ]

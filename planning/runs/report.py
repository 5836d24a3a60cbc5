"""A run as the JSON of the plan format."""

from __future__ import annotations

from typing import Any

from planning.formulation import PROFIT_PARTS
from planning.models import (
    GoalResult,
    MaterialBalance,
    OrderResult,
    ProductBalance,
    Production,
    Run,
    Utilization,
)
from planning.snapshot import DataProblems

_LEGS = ("read", "build", "solve", "write")
_ROWS: tuple[tuple[str, type[Any], tuple[str, ...]], ...] = (
    ("production", Production, ("product", "route", "period", "quantity", "setup")),
    (
        "products",
        ProductBalance,
        ("product", "period", "made", "yielded", "bought", "sold", "used", "lapsed", "stock", "backlog", "short"),
    ),
    (
        "utilization",
        Utilization,
        (
            "resource_type",
            "resource",
            "period",
            "used",
            "available",
            "utilization_pct",
            "overtime",
            "units_down",
            "shadow_price",
            "shadow_price_low",
            "shadow_price_high",
        ),
    ),
    ("materials", MaterialBalance, ("material", "period", "supplied", "used", "lapsed", "stock")),
    (
        "orders",
        OrderResult,
        ("reference", "product", "period", "target", "delivered", "late", "shortfall", "deliveries"),
    ),
    ("goals", GoalResult, ("priority", "name", "under", "over")),
)


def run_as_json(run: Run) -> dict[str, Any]:
    """Return everything that a run shows, as plain values."""
    has_plan = run.objective is not None
    report: dict[str, Any] = {
        "run": run.pk,
        "plant": run.plant.name,
        "scenario": run.scenario_name,
        "status": run.status,
        "reason": run.reason,
        "objective": run.objective,
        "bound": run.bound,
        "gap": run.gap,
        "shadow_price_basis": run.shadow_price_basis or None,
        "seconds": {leg: run.seconds.get(leg, 0.0) for leg in _LEGS},
        "profit": {part: run.profit_parts.get(part, 0.0) for part in PROFIT_PARTS} if has_plan else None,
    }
    for name, model, fields in _ROWS:
        report[name] = list(model._default_manager.filter(run=run).values(*fields)) if has_plan else []
    for row in report["orders"]:
        row["deliveries"] = _ordered(row["deliveries"], ("period", "quantity"))
    if run.moved is not None:
        report["moved"] = run.moved
    return report | {
        "levels": _ordered(run.levels, ("priority", "deviation")),
        "conflict": _ordered(run.conflict, ("table", "row", "period", "field", "text")),
        "warnings": _ordered(run.warnings, ("table", "row", "column", "text")),
        "errors": [],
    }


def _ordered(rows: list[dict[str, Any]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return stored rows with their values in the format's order: a database may keep another one."""
    return [{name: row[name] for name in names if name in row} for row in rows]


def problems_as_json(plant: str, scenario: str, problems: DataProblems) -> dict[str, Any]:
    """Return what is shown where the data allow no plan: no run was made."""
    empty: dict[str, Any] = {name: [] for name, _, _ in _ROWS}
    return {
        "run": None,
        "plant": plant,
        "scenario": scenario,
        "status": "failed",
        "reason": "The data do not allow a plan.",
        "objective": None,
        "bound": None,
        "gap": None,
        "shadow_price_basis": None,
        "seconds": dict.fromkeys(_LEGS, 0.0),
        "profit": None,
        **empty,
        "levels": [],
        "conflict": [],
        "warnings": [problem.as_dict() for problem in problems.warnings],
        "errors": [problem.as_dict() for problem in problems.errors],
    }

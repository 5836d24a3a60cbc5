"""A plan that is not stored, checked as strictly as one that is."""

from __future__ import annotations

from typing import Any

import numpy as np

from planning.formulation import Plan
from planning.models import Run
from planning.models.results import ResultRow
from planning.snapshot import Snapshot

from .plan_check import check_rows
from .result_rows import levels_reached, result_rows
from .solve import Outcome


def check_unstored(snapshot: Snapshot, plan: Plan) -> list[dict[str, float]]:
    """Return the levels that a plan reaches. Raises PlanRefused unless its rows, as they would be stored, are true."""
    outcome = Outcome("", "", plan=plan)
    levels = levels_reached(snapshot, outcome)
    run = Run(objective=plan.objective, profit_parts=plan.profit, levels=levels)
    rows: dict[type[ResultRow], list[dict[str, Any]]] = {}
    for table, columns in result_rows(run, snapshot, outcome).items():
        assert issubclass(table, ResultRow)
        values = zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True)
        rows[table] = [dict(zip(columns, row, strict=True)) for row in values]
    check_rows(run, rows, snapshot)
    return levels

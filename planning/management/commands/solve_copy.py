"""`manage.py solve_copy`: what a spawned solver process does."""

from __future__ import annotations

import os
from typing import Any

from planning.management.command import PlanCommand
from planning.runs.solver_child import solve_tasks


class Command(PlanCommand):
    help = "Solve the tasks that are named on standard input. Runs start this; to run a scenario use solve_plan."

    def handle(self, *args: Any, **options: Any) -> None:
        reports = os.dup(1)  # standard output takes the reports, and nothing that a solver prints
        solve_tasks(0, reports)

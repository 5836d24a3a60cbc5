"""`manage.py solve_copy`: what a spawned solver process does."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from planning.runs.solver_child import solve_in


class Command(BaseCommand):
    help = "Solve the task in a folder. Runs start this; to run a scenario use solve_plan or the admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        reports = os.dup(1)  # standard output takes the reports, and nothing that a solver prints
        sys.exit(solve_in(options["folder"], 0, reports))

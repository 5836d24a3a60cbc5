"""`manage.py stop_run`: asks runs to stop."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from planning.management.command import PlanCommand
from planning.management.operators_log import log_kept_back
from planning.models import Run
from planning.runs import stop_run


class Command(PlanCommand):
    help = "Stop runs: once keeps the best plan found so far, twice aborts. A run that waits ends at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, nargs="+", help="the run's number")
        parser.add_argument("--abort", action="store_true", help="ask twice: end it without a plan")

    def handle(self, *args: Any, **options: Any) -> None:
        missing = []
        for number in options["run"]:
            run = Run.objects.filter(pk=number).first()
            if run is None:
                missing.append(str(number))
                continue
            if not run.is_open:
                self.stdout.write(f"Run {number} has ended before: {run.get_state_display().lower()}.")
                continue
            with log_kept_back(unless=options["verbosity"] > 1):
                for _ in range(2 if options["abort"] else 1):
                    run = stop_run(run, getpass.getuser())
            self.stdout.write(f"Run {number} is {run.get_state_display().lower()}.")
        if missing:
            raise CommandError(f"There is no run {', '.join(missing)}.")

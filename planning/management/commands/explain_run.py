"""`manage.py explain_run`: why a run's plan is as it is, or why there is none."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from planning.management.command import PlanCommand
from planning.management.explanation_text import explain
from planning.management.plant_names import printable
from planning.models import Run


class Command(PlanCommand):
    """The shell's door to what `insight` says of one run."""

    help = "Say what limits a run's plan, why something is short, what the optimiser won, or why there is no plan."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the run."""
        parser.add_argument("run", type=int, metavar="RUN", help="number of an ended run")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the explanation; exit with 2 where there is no such run, or it has not ended."""
        run = Run.objects.select_related("plant").filter(pk=options["run"]).first()
        if run is None or run.is_open:
            said = "has not ended yet" if run else "does not exist"
            self.stderr.write(f"Run {options['run']} {said}.")
            sys.exit(2)
        self.stdout.write(printable(explain(run), self.stdout))

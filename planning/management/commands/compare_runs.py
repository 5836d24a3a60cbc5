"""`manage.py compare_runs`: two to six runs side by side."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import DjangoHelpFormatter
from django.core.management.color import color_style
from django.db import DatabaseError

from planning.exchange import ExportRefused, export_sheets
from planning.insight import CannotCompare, Comparison, compare, comparison_as_json, comparison_sheets, only_differences
from planning.management.command import PlanCommand
from planning.management.comparison_text import describe_runs, painted
from planning.management.plan_text import plain
from planning.management.plant_names import printable

from .solve_plan import BAD_DATA, FAULT, FOUND

JSON_HELP = """
--format json prints one object. Wherever it has a list `runs`, that has an object for each run,
in the order in which they were named; the first run is the base. What is not known is null.

{"plant", "currency", "base": number of the base,
 "runs": [{"run", "scenario", "variation": changes or null, "status", "state", "reason", "plan_checked"}],
 "inputs": {"warnings": [text], "unreadable": [{"run", "text"}],
   "differences": [{"table", "row", "period", "field",
     "runs": [{"run", "present", "value", "change": "same" | "changed" | "added" | "removed",
               "cause": "" | "scenario" | "data" | "options", "explained_by": ["SCENARIO N"]}]}]},
 "figures": [{"figure", "name", "unit": "money" | "hours" | "units" | "share" | "",
   "runs": [{"run", "value", "difference", "verdict": "" | "same" | "better" | "worse" | "other"}]}],
 "resources": [{"resource_type", "resource", "period",
   "runs": [{"run", "used", "available", "utilization_pct", "overtime", "shadow_price"}]}],
 "plan": [{"product", "period", "runs": [{"run", "quantity", "difference"}]}],
 "orders": [{"reference", "product", "period", "runs": [{"run", "target", "delivered", "late", "shortfall",
   "change": "" | "won" | "lost" | "better" | "worse" | "same" | "new" | "gone"}]}],
 "goals": [{"priority", "name", "runs": [{"run", "under", "over"}]}]}

In `inputs`, an empty field means the whole row, an empty period every period; the table `run` is what
was asked of the run. Cause: `scenario` where the changes of scenario or variation explain the difference,
`data` where the base data differ, `options` where it was asked for so. An order is won that the run
delivers in full and on time and the base does not. Runs that can't be compared print {"errors": [{"text"}]}.

Exit codes: 0 compared, 2 the runs can't be compared or the file can't be written, 1 a fault.
"""


class _Help(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Keeps the lines of the JSON as they are."""


class Command(PlanCommand):
    """The shell's door to `insight.compare`."""

    help = "Compare two to six runs of one plant: inputs, figures, resources, plan, orders, goals."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the runs and how to show them."""
        parser.formatter_class = _Help
        parser.epilog = JSON_HELP
        parser.add_argument("runs", nargs="+", type=int, metavar="RUN", help="number of a run; the first is the base")
        parser.add_argument("--only-differences", action="store_true", help="leave out what is the same in all runs")
        parser.add_argument("--format", choices=["table", "json"], default="table", dest="output_format")
        parser.add_argument("--output", metavar="FILE.xlsx", help="write everything to a workbook too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare, print, and write the workbook; the exit code says how it went."""
        try:
            comparison = compare(options["runs"])
            if options["only_differences"]:
                comparison = only_differences(comparison)
            if options["output"]:
                export_sheets(comparison_sheets(comparison), options["output"])
            self._print(comparison, options)
            code = FOUND
        except (CannotCompare, ExportRefused) as refusal:
            code = self._refuse(str(refusal), options)
        except DatabaseError as error:
            self._complain(f"The database refused: {error}. Is it migrated? Run: manage.py migrate")
            code = FAULT
        if code:
            sys.exit(code)

    def _print(self, comparison: Comparison, options: dict[str, Any]) -> None:
        if options["output_format"] == "json":
            self._print_json(comparison_as_json(comparison))
            return
        text = printable(describe_runs(comparison), self.stdout)
        if options["force_color"] or (self.stdout.isatty() and not options["no_color"]):
            style = color_style(force_color=options["force_color"])
            text = painted(text, style.SUCCESS, style.ERROR)
        self.stdout.write(text)

    def _print_json(self, shown: dict[str, Any]) -> None:
        text = json.dumps(shown, ensure_ascii=False, indent=1, allow_nan=False)
        if printable(text, self.stdout) != text:  # the stream does not have every character
            text = json.dumps(shown, indent=1, allow_nan=False)
        self.stdout.write(text)

    def _refuse(self, text: str, options: dict[str, Any]) -> int:
        """Say what can't be done, and in JSON too where that was asked for."""
        self._complain(text)
        if options["output_format"] == "json":
            self._print_json({"errors": [{"text": text}]})
        return BAD_DATA

    def _complain(self, text: str) -> None:
        """Say on standard error what is wrong."""
        self.stderr.write(printable("\n".join(map(plain, text.split("\n"))), self.stderr))

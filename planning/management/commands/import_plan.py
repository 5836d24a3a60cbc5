"""Import a plan from a folder of CSV files or an .xlsx workbook."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from planning.exchange import ImportFaults, ImportResult, import_plan, import_tables, show
from planning.management.command import PlanCommand
from planning.management.plant_names import find_plant, printable


class Command(PlanCommand):
    """The shell's door to `exchange.import_plan`."""

    help = "Import a plan. Exit code 2: the file has faults, all of them are listed, and nothing was imported."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the path and what to do with a plant that is there."""
        parser.add_argument("path", help="a folder of CSV files or an .xlsx workbook; with --into also one CSV file")
        parser.add_argument("--into", metavar="PLANT", help="import only the tables of the file, into this plant")
        replaces = "replace the data of the plant, or of these tables, and keep its runs"
        parser.add_argument("--replace", action="store_true", help=replaces)
        parser.add_argument("--dry-run", action="store_true", help="check the file and import nothing")

    def import_it(self, options: dict[str, Any]) -> ImportResult:
        """Import a whole plant, or some tables into one. Raises ImportFaults."""
        path, how = options["path"], {"replace": options["replace"], "dry_run": options["dry_run"]}
        if options["into"] is None:
            return import_plan(path, **how)
        return import_tables(path, find_plant(options["into"], self.stderr), **how)

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, and print the number of rows by table."""
        try:
            result = self.import_it(options)
        except ImportFaults as faults:
            for line in faults.lines():
                self.stderr.write(printable(line, self.stderr))
            noun = "fault" if faults.total == 1 else "faults"
            raise CommandError(f"{faults.total:,} {noun}. Nothing was imported.", returncode=2) from faults
        except DatabaseError as error:
            message = f"The database can't be used ({show(error, 200)}). Check DATABASE_URL and run manage.py migrate."
            raise CommandError(printable(message, self.stderr)) from error
        for table, count in result.counts.items():
            if count:
                self.stdout.write(f"{table:24}{count:>9,}")
        done = "Changed" if options["into"] else "Replaced" if result.replaced else "Imported"
        done = "The file has no faults:" if result.dry_run else done
        self.stdout.write(printable(f'{done} "{show(result.plant_name, 200)}".', self.stdout))

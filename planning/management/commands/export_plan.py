"""Export a plan as a folder of CSV files or an .xlsx workbook."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from planning.exchange import ExportRefused, export_plan, export_template, show
from planning.management.command import PlanCommand
from planning.management.plant_names import find_plant, printable, refuse_name
from planning.models import Plant


class Command(PlanCommand):
    """The shell's door to `exchange.export_plan`."""

    help = "Export a plan. Exit code 2: there is no such plant, or the path can't be written."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the plant's name and the path."""
        parser.add_argument("plant", nargs="?", help="the plant's name")
        parser.add_argument("path", nargs="?", help="a workbook if it ends in .xlsx, else a folder")
        parser.add_argument("--template", metavar="FILE", help="write a workbook to begin with, and no plant")
        parser.add_argument("--scenario", metavar="NAME", help="write its values in place, and no other scenarios")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export, and print the number of rows by table."""
        plant_and_path = (options["plant"], options["path"])
        if None in plant_and_path if options["template"] is None else any(plant_and_path):
            raise CommandError("Give a plant and a path, or --template FILE alone.", returncode=2)
        try:
            if options["template"] is not None:
                export_template(options["template"])
                self.stdout.write(printable(f"{show(options['template'], 200)} has every table.", self.stdout))
                return
            plant = find_plant(options["plant"], self.stderr)
            if options["scenario"] is not None:
                self.find_scenario(plant, options["scenario"])
            counts = export_plan(plant, options["path"], options["scenario"])
        except ExportRefused as reason:
            raise CommandError(printable(str(reason), self.stderr), returncode=2) from reason
        except DatabaseError as error:
            message = f"The database can't be used ({show(error, 200)}). Check DATABASE_URL and run manage.py migrate."
            raise CommandError(printable(message, self.stderr)) from error
        for table, count in counts.items():
            self.stdout.write(f"{table:24}{count:>9,}")
        self.stdout.write(printable(f"Exported to {show(options['path'], 200)}.", self.stdout))

    def find_scenario(self, plant: Plant, name: str) -> None:
        """Refuse a scenario that the plant does not have, and name the ones like it."""
        names = list(plant.scenarios.values_list("name", flat=True))
        if name not in names:
            refuse_name(f'Plant "{show(plant)}" has no scenario "{show(name)}".', name, names, self.stderr)

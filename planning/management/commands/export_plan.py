"""Export a plan as a folder of CSV files or an .xlsx workbook."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from planning.exchange import ExportRefused, export_plan, nearest, show
from planning.models import Plant

from .import_plan import printable


class Command(BaseCommand):
    """The shell's door to `exchange.export_plan`."""

    help = "Export a plan. Exit code 2: there is no such plant, or the path can't be written."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the plant's name and the path."""
        parser.add_argument("plant", help="the plant's name")
        parser.add_argument("path", help="a workbook if it ends in .xlsx, else a folder")
        parser.add_argument("--scenario", metavar="NAME", help="write its values in place, and no other scenarios")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export, and print the number of rows by table."""
        try:
            plant = self.find_plant(options["plant"])
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

    def find_plant(self, name: str) -> Plant:
        """Return the plant of that name; otherwise name the ones like it."""
        plants = {plant.name: plant for plant in Plant.objects.all()}
        if name.strip() not in plants:
            self.refuse(f'There is no plant "{show(name)}".', name, plants)
        return plants[name.strip()]

    def find_scenario(self, plant: Plant, name: str) -> None:
        """Refuse a scenario that the plant does not have, and name the ones like it."""
        names = list(plant.scenarios.values_list("name", flat=True))
        if name not in names:
            self.refuse(f'Plant "{show(plant)}" has no scenario "{show(name)}".', name, names)

    def refuse(self, text: str, name: str, known: Collection[str]) -> NoReturn:
        """End the command: this name is unknown, and these are like it."""
        found = nearest(name, known, 3) or sorted(known)[:3]
        hint = " Did you mean " + " or ".join(f'"{show(other)}"' for other in found) + "?" if found else ""
        raise CommandError(printable(f"{text}{hint}", self.stderr), returncode=2)

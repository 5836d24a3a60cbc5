"""Export a plan as a folder of CSV files or an .xlsx workbook."""

from __future__ import annotations

from typing import Any

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

    def handle(self, *args: Any, **options: Any) -> None:
        """Export, and print the number of rows by table."""
        try:
            counts = export_plan(self.find_plant(options["plant"]), options["path"])
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
        if name.strip() in plants:
            return plants[name.strip()]
        found = nearest(name, plants, 3) or sorted(plants)[:3]
        hint = " Did you mean " + " or ".join(f'"{show(other)}"' for other in found) + "?" if found else ""
        message = f'There is no plant "{show(name)}".{hint}'
        raise CommandError(printable(message, self.stderr), returncode=2)

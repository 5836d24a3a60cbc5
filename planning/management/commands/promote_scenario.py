"""`manage.py promote_scenario`: makes a scenario's values the base data."""

from __future__ import annotations

from typing import Any, NoReturn

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from planning.exchange import nearest, show
from planning.management.command import PlanCommand
from planning.management.plant_names import printable
from planning.models import Plant, Scenario
from planning.scenarios import NotPromoted, Promotion, edit_in_words, preview, promote
from planning.snapshot import DataProblems


class Command(PlanCommand):
    """The shell's door to `scenarios.promote`."""

    help = "Make a scenario's values the base data. Exit code 2: it can't be, the reasons are listed, nothing changed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take plant and scenario."""
        parser.add_argument("--plant", required=True, help="the plant's name")
        parser.add_argument("--scenario", required=True, metavar="NAME", help="the scenario's name")
        parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
        parser.add_argument("--user", metavar="NAME", help="the user whom the history names; default: manage.py")

    def handle(self, *args: Any, **options: Any) -> None:
        """Promote, and print each field with its old and new value."""
        try:
            scenario = self.find_scenario(options["plant"], options["scenario"])
            user = self.find_user(options["user"]) if options["user"] else None
            if options["dry_run"]:
                promotion = preview(scenario)
                if promotion.effects.errors:
                    raise DataProblems(list(promotion.effects.errors))
            else:
                promotion = promote(scenario, user=user)
        except (DataProblems, NotPromoted) as reason:
            raise CommandError(self.plain(f"{reason}\nNothing was promoted."), returncode=2) from reason
        except DatabaseError as error:
            message = f"The database can't be used ({show(error, 200)}). Check DATABASE_URL and run manage.py migrate."
            raise CommandError(self.plain(message)) from error
        self.tell(promotion, done=not options["dry_run"])

    def tell(self, promotion: Promotion, *, done: bool) -> None:
        """Print the edits, by row."""
        for edit in promotion.edits:
            row = " / ".join(show(part) for part in (edit.row, edit.period) if part)
            made = " (new row)" if edit.is_new_row else ""
            self.write(f"{edit.table}: {row}{made}: {edit_in_words(edit)}")
        if promotion.others:
            names = ", ".join(f'"{show(name)}"' for name in promotion.others)
            self.write(f"Scenarios that will change the new base data: {names}.")
        count = len(promotion.edits)
        what = f"{count} value{'' if count == 1 else 's'} of {show(promotion.scenario.plant.name)}"
        name = show(promotion.scenario.name)
        self.write(f'Promoted "{name}": {what}.' if done else f'Promoting "{name}" would change {what}.')

    def write(self, text: str) -> None:
        self.stdout.write(printable(text, self.stdout))

    def plain(self, text: str) -> str:
        return printable("\n".join(show(line, 400) for line in text.split("\n")), self.stderr)

    def find_scenario(self, plant_name: str, name: str) -> Scenario:
        """Return the scenario; otherwise name the ones like it."""
        plant = Plant.objects.filter(name=plant_name).first()
        if plant is None:
            self.refuse(f'There is no plant "{show(plant_name)}".', plant_name, Plant.objects.all())
        scenario = Scenario.objects.select_related("plant").filter(plant=plant, name=name).first()
        if scenario is None:
            known = Scenario.objects.filter(plant=plant)
            self.refuse(f'Plant "{show(plant_name)}" has no scenario "{show(name)}".', name, known)
        return scenario

    def find_user(self, name: str) -> Any:
        """Return the user of that name."""
        user = get_user_model()._default_manager.filter(username=name).first()
        if user is None:
            raise CommandError(self.plain(f'There is no user "{name}".'), returncode=2)
        return user

    def refuse(self, text: str, name: str, rows: Any) -> NoReturn:
        """End the command: this name is unknown, and these are like it."""
        known = list(rows.values_list("name", flat=True))
        found = nearest(name, known, 3) or sorted(known)[:3]
        hint = " Did you mean " + " or ".join(f'"{show(other)}"' for other in found) + "?" if found else ""
        raise CommandError(self.plain(f"{text}{hint}"), returncode=2)

"""`manage.py prune_runs`: removes old runs that nobody relies on."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from planning.management.command import PlanCommand
from planning.runs import Pruned, prune


class Command(PlanCommand):
    help = (
        "Remove ended runs that are old, with their results, copies and moves. Kept are runs that have not ended or "
        "whose set has not, approved ones, and those that another row relies on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--keep-days", type=float, required=True, metavar="N", help="keep what ended since then")
        parser.add_argument("--keep-last", type=int, default=0, metavar="K", help="of each scenario, keep the last K")
        parser.add_argument("--copies-only", action="store_true", help="remove only the model copies; results stay")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("keep_days", "keep_last", "copies_only", "dry_run")
        try:
            gone = prune(**{name: options[name] for name in names})
        except (ValueError, OverflowError) as error:
            raise CommandError(f"{error}", returncode=2) from error
        self.stdout.write(("Would remove " if options["dry_run"] else "Removed ") + in_words(gone))


def in_words(gone: Pruned) -> str:
    """Return what went."""
    parts = [
        _counted(gone.runs, "run"),
        _counted(gone.sets, "set"),
        _counted(gone.copies, "stored copy", "stored copies"),
    ]
    return f"{', '.join(parts[:-1])} and {parts[-1]} ({gone.copy_bytes / 2**20:.1f} MB)."


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"

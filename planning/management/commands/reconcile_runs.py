"""`manage.py reconcile_runs`: brings runs and processes together again."""

from __future__ import annotations

from typing import Any

from planning.management.command import PlanCommand
from planning.models import Run
from planning.runs import reconcile


class Command(PlanCommand):
    help = (
        "Find runs whose process is gone and runs that no worker knows of, and set them going again or end them "
        "with the reason. Workers do this on a timer; it may be called at any time, from any host."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        gone = reconcile()
        for run in Run.objects.filter(pk__in=gone).order_by("id"):
            self.stdout.write(f"Run {run.pk} is {run.get_state_display().lower()}: {run.reason}")
        waiting = Run.objects.filter(state=Run.State.QUEUED).count()
        under_way = Run.objects.filter(state__in=(Run.State.RUNNING, Run.State.STOPPING)).count()
        self.stdout.write(f"{len(gone)} runs had lost their process. {under_way} are under way, {waiting} wait.")

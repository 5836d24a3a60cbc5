"""`manage.py demo`: the sample plant, solved, and how to go on from there."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

from planning.exchange import load_sample
from planning.management.command import PlanCommand
from planning.management.operators_log import log_kept_back
from planning.management.plan_text import describe
from planning.management.plant_names import printable
from planning.models import BASELINE, Scenario
from planning.runs import execute, problems_as_json, run_as_json, start_run
from planning.snapshot import DataProblems

LOGIN = "planner"


class Command(PlanCommand):
    help = "Set up the database, load the sample plant once, solve it, and say how to log in."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        plant, _ = load_sample()
        scenario, _ = Scenario.objects.get_or_create(plant=plant, name=BASELINE)
        self.stdout.write(printable(describe(self._solve(scenario), scenario.plant.currency), self.stdout))
        self.stdout.write(self._how_to_go_on())

    def _solve(self, scenario: Scenario) -> dict[str, Any]:
        """Return the run as it is shown; the plant may have been changed since the first time."""
        try:
            with log_kept_back(unless=False):
                run = start_run(scenario, here=True)
                return run_as_json(execute(run.pk, run.attempt))
        except DataProblems as problems:
            return problems_as_json(scenario.plant.name, scenario.name, problems)

    def _how_to_go_on(self) -> str:
        """Return how to open the site; the password of a new login is shown here and nowhere else."""
        users = get_user_model()
        lines = ["", "Open it in the browser:", "", "  make serve", "  http://127.0.0.1:8000/admin/", ""]
        if users._default_manager.filter(username=LOGIN).exists():
            lines.append(f'Log in as "{LOGIN}" with the password that was shown the first time.')
            lines.append(f"Forgotten? .venv/bin/python manage.py changepassword {LOGIN}")
        elif not settings.THIS_MACHINE_ONLY:
            lines.append("Make a login with: .venv/bin/python manage.py createsuperuser")
        else:
            password = secrets.token_urlsafe(9)
            users._default_manager.create_superuser(username=LOGIN, password=password)
            lines.append(f'Log in as "{LOGIN}" with the password {password} (shown only now).')
        return "\n".join(lines)

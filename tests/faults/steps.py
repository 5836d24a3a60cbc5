"""What the processes of a test do beside management commands."""

from __future__ import annotations

import time

from planning.models import Scenario
from planning.runs import RunOptions, start_run


def press_run(*gaps: str) -> None:
    """Start a run of the only plant for each of the gaps, as a web process does."""
    scenario = Scenario.objects.get()
    for gap in gaps or ("0.0001",):
        start_run(scenario, RunOptions(gap=float(gap)))


def serve(*gaps: str) -> None:
    """Start runs, and live on as a web process does."""
    press_run(*gaps)
    time.sleep(600)

"""What the processes of a test do beside management commands."""

from __future__ import annotations

import time

from planning.models import Scenario
from planning.runs import RunOptions, start_run, start_variations


def press_run(*gaps: str) -> None:
    """Start a run of the only plant for each of the gaps, as a web process does."""
    scenario = Scenario.objects.get()
    for gap in gaps or ("0.0001",):
        start_run(scenario, RunOptions(gap=float(gap)))


def serve(*gaps: str) -> None:
    """Start runs, and live on as a web process does."""
    press_run(*gaps)
    time.sleep(600)


def press_set(*amounts: str) -> None:
    """Start a set of variations of the only plant, one for each amount of wood, as a web process does."""
    wood = {"table": "raw_materials", "row": "Wood", "field": "available_quantity"}
    variations = [[wood | {"value": float(amount)}] for amount in amounts]
    start_variations(scenario=Scenario.objects.get(), variations=variations)


def serve_set(*amounts: str) -> None:
    """Start a set of variations, and live on as a web process does."""
    press_set(*amounts)
    time.sleep(600)

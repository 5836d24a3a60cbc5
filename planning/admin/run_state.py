"""How far a run is: its stages, its time against its limit, and what it waits for. The page asks every moment."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from planning.models import Run
from planning.runs import hands, queue_position

from .run_words import elapsed, elapsed_seconds, meaning, standing, stop_label

NO_WORKER = (
    "No worker is running, so nothing begins. Whoever looks after this site starts one: rqworker, or `make worker`."
)
STAGES = ("queued", "running", "writing")


def stage_of(run: Run) -> str:
    """Return the stage that a run is in; "" where it has ended."""
    if run.state == Run.State.QUEUED:
        return "queued"
    if not run.is_open:
        return ""
    return "writing" if run.progress.get("stage") == "writing" else "running"


def stages(run: Run) -> list[dict[str, str]]:
    """Return the stages in their order, each done, now or to come."""
    current = stage_of(run)
    reached = STAGES.index(current) if current else len(STAGES)
    place = queue_position(run) if current == "queued" else 0
    words = {
        "queued": f"Queued, place {place}" if place else "Queued",
        "running": "Stopping" if run.state == Run.State.STOPPING else "Running",
        "writing": "Writing the plan",
    }
    found = [{"words": "Data checked", "standing": "done"}]
    for number, name in enumerate(STAGES):
        standing = "now" if number == reached else "done" if number < reached else "next"
        found.append({"words": words[name], "standing": standing})
    return found


def stuck(run: Run) -> str:
    """Return what keeps a queued run from its turn, where it is no other run; "" for nothing."""
    if run.state == Run.State.QUEUED and settings.PLANNING["RUNNER"] == "rq" and hands() == 0:
        return NO_WORKER
    return ""


def time_limit(run: Run) -> float:
    """Return the time limit in seconds, 0 for none."""
    limit = run.options.get("time_limit")
    return float(limit) if isinstance(limit, int | float) else 0.0


def state_of(run: Run) -> dict[str, Any]:
    """Return all that the page of an open run shows of it."""
    return {
        "state": run.state,
        "label": str(run.get_state_display()),
        "meaning": meaning(run),
        "open": run.is_open,
        "elapsed": elapsed(run),
        "standing": standing(run),
        "stop": stop_label(run),
        "stages": stages(run),
        "stuck": stuck(run),
        "spent": round(elapsed_seconds(run), 1) if run.started_at else 0.0,
        "limit": time_limit(run),
        "trail": run.progress.get("trail") or [],
    }

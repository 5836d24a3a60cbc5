"""A run's state and end in words and colours."""

from __future__ import annotations

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from planning.models import Run

State = Run.State

COLOURS = {
    State.QUEUED: "neutral",
    State.RUNNING: "info",
    State.STOPPING: "warning",
    State.SOLVED: "success",
    State.INFEASIBLE: "danger",
    State.UNBOUNDED: "danger",
    State.NO_PLAN: "warning",
    State.STOPPED: "warning",
    State.FAILED: "danger",
}

MEANINGS = {
    State.QUEUED: "The run waits for its turn.",
    State.RUNNING: "The solver looks for the best plan.",
    State.STOPPING: "The run was asked to stop and ends with the best plan found.",
    State.INFEASIBLE: "No plan fulfils all demands and limits at once.",
    State.UNBOUNDED: "Profit has no limit: something that pays can be made, bought or sold without end.",
    State.NO_PLAN: "The time limit passed before a plan was found.",
    State.STOPPED: "The run was stopped before it ended by itself.",
    State.FAILED: "The run ended by a fault, not by an answer.",
}


def state_badge(state: str) -> SafeString:
    """Return the state as a coloured label."""
    try:
        known = State(state)
    except ValueError:
        return format_html('<span class="pl-badge pl-neutral">{}</span>', state)
    return format_html('<span class="pl-badge pl-{}">{}</span>', COLOURS[known], known.label)


def has_plan(run: Run) -> bool:
    """Whether the run ended with a plan."""
    return run.status in ("optimal", "feasible")


ADVICE = {
    State.UNBOUNDED: "Give what pays a max demand, or limit the hours or the supply that it takes.",
    State.NO_PLAN: "Run it again with a longer time limit or a wider gap.",
    State.STOPPED: "Run it again when its plan is needed.",
}


def advice(run: Run) -> str:
    """Return what to do next about a run without a plan; "" when there is nothing general to say."""
    return "" if has_plan(run) else ADVICE.get(State(run.state), "")


def meaning(run: Run) -> str:
    """Return why the run is in its state, in a sentence: as it was recorded, else what the state means."""
    if run.reason:
        return run.reason
    if has_plan(run):
        if run.proven:
            return "No plan earns more than this one, within the gap that was asked for."
        return "This is the best plan found; a better one may exist."
    return MEANINGS.get(State(run.state), "")


def elapsed_seconds(run: Run) -> float:
    """Return how long the run has been under way, or took."""
    end = run.finished_at or timezone.now()
    return max(0.0, (end - (run.started_at or run.created_at)).total_seconds())

"""A run's state and end in words and colours."""

from __future__ import annotations

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from planning.models import Run
from planning.runs import queue_position

from .amounts import money, percent, seconds

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


def elapsed(run: Run) -> str:
    """Return how long an open run has been under way, against its limit."""
    spent = seconds(round(elapsed_seconds(run), 1))
    limit = run.options.get("time_limit")
    return f"{spent} of at most {seconds(limit)}" if run.started_at and isinstance(limit, int | float) else spent


def standing(run: Run) -> str:
    """Return where an open run stands: its place in the queue, or the best plan so far and what is still possible."""
    if run.state == State.QUEUED:
        ahead = queue_position(run) - 1
        return {0: "It is the next one.", 1: "One run is ahead of it."}.get(ahead, f"{ahead} runs are ahead of it.")
    progress = run.progress
    if progress.get("stage") == "writing":
        return "The plan is being written and checked."
    best, bound = progress.get("best"), progress.get("bound")
    if best is None:
        return "No plan found yet." if progress else ""
    said = f"Best plan so far: {money(best, run.currency)}"
    if bound is None:
        return f"{said}."
    gap = percent(abs(bound - best) / max(1.0, abs(best)))
    return f"{said}; no plan earns more than {money(bound, run.currency)} (gap {gap})."


def stop_label(run: Run) -> str:
    """Return what the button that stops an open run does next; "" where nothing is left to ask."""
    if run.state == State.QUEUED:
        return "Cancel run"
    return {0: "Stop and keep the best plan", 1: "Abort without a plan"}.get(run.stop_requests, "")


def stopped_words(run: Run) -> str:
    """Return what a press of the button did."""
    if not run.is_open:
        return f"Run {run.pk} was cancelled."
    if run.stop_requests > 1:
        return f"Run {run.pk} is being aborted; no plan is kept."
    return f"Run {run.pk} was asked to stop. It ends with the best plan found so far."

"""What the page of one run says about it beside its parts: headline figures, facts, problems with links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.html import format_html

from planning.models import BASELINE, Run
from planning.runs import BY_HAND, variation_in_words

from .amounts import exact, money, percent, rounded, seconds
from .field_links import FieldLinks
from .run_scenario import SOLVERS
from .run_words import elapsed_seconds

LEGS = (("read", "reading"), ("build", "building"), ("solve", "solving"), ("write", "writing"))


@dataclass(frozen=True)
class Difference:
    """How much more or less a plan earns than that of another run."""

    words: str
    look: str  # plus, minus, same
    other: str
    url: str


def differences(run: Run) -> list[Difference]:
    """Return the differences to the last earlier plan of the same scenario, and to the last one of Baseline."""
    others = Run.objects.filter(plant_id=run.plant_id, objective__isnull=False, variation__isnull=True)
    others = others.filter(currency=run.currency).exclude(pk=run.pk).order_by("-pk").only("pk", "objective")
    found = []
    earlier = others.filter(scenario_name=run.scenario_name, pk__lt=run.pk).first()
    if earlier is not None:
        found.append(difference(run, earlier, f"run {earlier.pk}, the one before"))
    base = others.filter(scenario_name=BASELINE).first() if run.scenario_name != BASELINE else None
    if base is not None:
        found.append(difference(run, base, f"run {base.pk} of {BASELINE}"))
    return found


def difference(run: Run, other: Run, words: str) -> Difference:
    assert run.objective is not None
    assert other.objective is not None
    more = run.objective - other.objective
    url = reverse("admin:planning_run_change", args=[other.pk])
    if abs(more) < 0.005:
        return Difference("same profit as", "same", words, url)
    share = f" ({'+' if more > 0 else '−'}{rounded(abs(100 * more / other.objective))} %)" if other.objective else ""
    amount = f"{'+' if more > 0 else '−'}{money(abs(more), run.currency)}{share} against"
    return Difference(amount, "plus" if more > 0 else "minus", words, url)


def figures(run: Run) -> list[dict[str, Any]]:
    """Return the headline figures of a plan."""
    profit = {"name": "Profit", "value": money(run.objective, run.currency), "note": certainty(run)}
    shown: list[dict[str, Any]] = [profit | {"differences": differences(run)}]
    if run.bound is not None:
        shown.append({"name": "No plan earns more than", "value": money(run.bound, run.currency), "note": ""})
    if run.gap is not None:
        asked = run.options.get("gap")
        note = f"{percent(asked)} was asked for" if isinstance(asked, int | float) else ""
        shown.append({"name": "Gap", "value": percent(run.gap), "note": note})
    if run.moved is not None:
        shown.append({"name": f"Moved against run {run.moved['run']}", **moved_words(run.moved)})
    legs = ", ".join(f"{word} {seconds(run.seconds[leg])}" for leg, word in LEGS if run.seconds.get(leg) is not None)
    took = sum(run.seconds.values()) if run.seconds else elapsed_seconds(run)
    shown.append({"name": "Time", "value": seconds(took), "note": legs})
    return shown


def moved_words(moved: dict[str, Any]) -> dict[str, str]:
    """Return how much of the plan is otherwise than in the earlier run, as a figure with a note."""
    orders = "no order changed" if not moved["orders"] else f"{moved['orders']} order(s) changed"
    note = f"{rounded(moved['units'])} units, {orders}"
    if moved["periods"]:
        first = "the first period" if moved["periods"] == 1 else f"the first {moved['periods']} periods"
        note += f"; {first} held" + (", whole" if moved["whole"] else "")
    return {"value": f"{rounded(moved['hours'])} h", "note": note}


def certainty(run: Run) -> str:
    """Return how sure it is that the plan is the best one."""
    if run.options.get("solver") == BY_HAND:
        return "made by hand, not the best one"
    return "proven best within the gap" if run.proven else "the best plan found"


def set_link(run: Run, may_see_sets: bool) -> str:
    """Return the set that the run is part of, with a link for whom may see it; "" where it is by itself."""
    if run.run_set is None:
        return ""
    words = f"Set {run.run_set.pk}: {run.run_set}"
    url = reverse("admin:planning_runset_change", args=[run.run_set.pk])
    return format_html('<a href="{}">{}</a>', url, words) if may_see_sets else words


def facts(run: Run, *, may_see_sets: bool) -> list[tuple[str, str]]:
    """Return what else there is to know about a run."""
    options = run.options
    solver = {**dict(SOLVERS), BY_HAND: "none: made by hand"}.get(options.get("solver"), options.get("solver"))
    sizes = [f"{run.sizes[name]:,} {name}" for name in ("rows", "columns", "nonzeros") if name in run.sizes]
    found = [
        ("Started by", str(run.user) if run.user else ""),
        ("Asked for", run.created_at.strftime("%Y-%m-%d %H:%M:%S UTC")),
        ("Solver", str(solver or "")),
        ("Time limit", f"{exact(options['time_limit'])} s" if options.get("time_limit") is not None else ""),
        ("Gap asked for", percent(options["gap"]) if options.get("gap") is not None else ""),
        ("Part of", set_link(run, may_see_sets)),
        ("What differs", variation_in_words(run.variation) if run.variation is not None else ""),
        ("Attempt", rounded(run.attempt) if run.attempt > 1 else ""),
        ("Executed by", run.worker),
        ("Model", ", ".join(sizes)),
        ("Prices", PRICE_BASIS.get(run.shadow_price_basis, "")),
    ]
    return [(name, value) for name, value in found if value]


PRICE_BASIS = {
    "lp": "what one more hour or unit is worth comes from the plan's linear model",
    "fixed_mip": "what one more hour or unit is worth holds while the whole decisions stay as they are",
}


def with_links(run: Run, problems: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the problems of a run in words, each with the page of its row."""
    links = FieldLinks(run, problems)
    return [
        {
            "table": str(problem.get("table") or "").replace("_", " "),
            "row": str(problem.get("row") or ""),
            "period": str(problem.get("period") or ""),
            "column": str(problem.get("field") or problem.get("column") or "").replace("_", " "),
            "text": str(problem.get("text") or ""),
            "url": links.url(problem),
        }
        for problem in problems
    ]

"""Why a run's plan is as it is, or why there is none, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from planning.insight import NoSimplePlan, NoSolvedData, Pair, bottlenecks, gains, shortfalls
from planning.models import Run

from .plan_text import number, plain, table

MOST = 10  # lines of each kind


def explain(run: Run) -> str:
    """Return what limits the plan of an ended run, why something is short, and what the optimiser won."""
    parts = [f"{run.plant.name} · {run.scenario_name} · run {run.pk}"]
    if run.objective is None:
        parts += ["", *run.reason.split("\n"), *(f"  {value['text']}" for value in run.conflict)]
    else:
        for title, lines in (
            ("What limits the plan", _limits(run)),
            ("Why short", _short(run)),
            ("What the optimiser won", _won(run)),
        ):
            parts += ["", title, *lines]
    return "\n".join("\n".join(map(plain, part.split("\n"))) for part in parts)


def _limits(run: Run) -> Iterator[str]:
    found = bottlenecks(run)
    yield f"  {found.summary}"
    for bottleneck in found.ranked[:MOST]:
        yield f"  {bottleneck.best_first[0].sentence}"


def _short(run: Run) -> Iterator[str]:
    try:
        found = shortfalls(run, MOST)
    except NoSolvedData as why:
        yield f"  {why}"
        return
    if not found.total:
        yield "  Nothing is short."
    for one in found.explained:
        yield f"  {one.subject.sentence}"
        yield from (f"    {reason.sentence}" for reason in one.reasons)
    if found.total > len(found.explained):
        yield f"  And {found.total - len(found.explained)} more."


def _won(run: Run) -> Iterator[str]:
    try:
        found = gains(run, wait=True)
    except (NoSolvedData, NoSimplePlan) as why:
        yield f"  There is no plan by hand to compare with. {why}"
        return
    yield f"  {found.summary}"
    yield from (f"  - {sentence}" for sentence in found.differences)
    header = ["", "by hand", "optimised", "difference"]
    yield from table(header, [_row(pair) for pair in (*found.missed, *found.parts, found.profit)]).split("\n")


def _row(pair: Pair) -> list[str]:
    name = f"missed of priority {pair.place}" if pair.kind == "missed" else pair.name.replace("_", " ")
    return [name, number(pair.by_hand), number(pair.optimised), number(pair.difference)]

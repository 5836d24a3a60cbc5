"""A comparison of runs as text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from planning.insight import Amounts, Comparison, InputDifference
from planning.runs import variation_in_words

from .plan_text import MOST_PERIODS, number, plain, table, visible

MOST_ROWS = 30  # of each table; JSON and the workbook have all
_JUDGED = re.compile(r"[+-][\d,.e]+(?:e[+-]?\d+)? (better|worse)|\b(won|lost)\b")
_GOOD = ("better", "won")


def describe_runs(comparison: Comparison) -> str:
    """Return the comparison in words and tables, inputs first."""
    sections = (_runs, _inputs, _figures, _resources, _plan, _orders, _goals)
    numbers = ", ".join(str(run.number) for run in comparison.runs)
    parts = [f"Comparison · {visible(comparison.plant)} · runs {numbers}; run {comparison.runs[0].number} is the base"]
    for section in sections:
        lines = list(section(comparison))
        parts += ["", *lines] if lines else []
    return "\n".join(parts)


def painted(text: str, good: Callable[[str], str], bad: Callable[[str], str]) -> str:
    """Return the text with its judged differences in colour."""
    return _JUDGED.sub(lambda found: (good if (found[1] or found[2]) in _GOOD else bad)(found[0]), text)


def _heads(comparison: Comparison) -> list[str]:
    return [f"run {run.number}" for run in comparison.runs]


def _table(header: Sequence[str], rows: list[list[str]]) -> Iterator[str]:
    yield table(header, rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        yield f"  … and {len(rows) - MOST_ROWS} more: --output FILE.xlsx and --format json have all."


def _signed(difference: float) -> str:
    text = number(difference) if abs(difference) >= 0.01 else f"{difference:.2g}"
    return f"+{text}" if difference > 0 else text


def judged(amounts: Amounts, place: int, factor: float = 1.0) -> str:
    """Return a number with its difference to the base: `35,623.33 (-257.50 worse)`."""
    value, difference = amounts.values[place], amounts.difference(place)
    text = number(None if value is None else value * factor)
    verdict = amounts.verdict(place)
    if difference is None or verdict in ("", "same"):
        return text
    said = _signed(difference * factor) + ("" if verdict == "other" else f" {verdict}")
    return f"{text} ({said})"


def _runs(comparison: Comparison) -> Iterator[str]:
    profit = next(figure.amounts for figure in comparison.figures if figure.key == "profit")
    rows = [
        [str(run.number), run.scenario, run.status if run.has_plan else run.state_words.lower(), judged(profit, place)]
        for place, run in enumerate(comparison.runs)
    ]
    yield table(["run", "scenario", "status", f"profit ({comparison.currency})"], rows)
    for run in comparison.runs:
        if run.variation is not None:
            yield f"  Run {run.number} changes: {plain(variation_in_words(run.variation))}"
        if not run.has_plan:
            reason = plain(run.reason.split("\n")[0]) or "No plan."
            yield f"  Run {run.number} has no plan: {reason}"


def _inputs(comparison: Comparison) -> Iterator[str]:
    inputs = comparison.inputs
    yield "What differs in the inputs"
    for warning in inputs.warnings:
        yield f"  Mind: {plain(warning)}"
    for run, reason in inputs.unreadable:
        yield f"  The data of run {run} can't be compared: {plain(reason)}"
    if inputs.differences:
        rows = [
            [" ".join(filter(None, (one.table, one.row, one.period))), one.field.replace("_", " ")]
            + [_input(one, place) for place in range(len(comparison.runs))]
            for one in inputs.differences
        ]
        yield from _table(["where", "what", *_heads(comparison)], rows)
    elif not inputs.unreadable:
        yield "  Nothing."


def _input(one: InputDifference, place: int) -> str:
    if place and not one.causes[place]:
        return "as in the base"
    if not one.field:
        return "there" if one.present[place] else "not there"
    value = one.values[place]
    text = "blank" if value is None else f"{value:,.10g}" if _is_number(value) else str(value)
    cause = {"scenario": "by its scenario", "data": "base data", "options": "asked for"}.get(one.causes[place], "")
    return f"{text} ({cause})" if place and cause else text


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _figures(comparison: Comparison) -> Iterator[str]:
    rows = []
    for figure in comparison.figures:
        factor = 100.0 if figure.unit == "share" else 1.0
        name = f"{figure.name} (%)" if figure.unit == "share" else figure.name
        rows.append([name, *(judged(figure.amounts, place, factor) for place in range(len(comparison.runs)))])
    yield from _table(["Figures", *_heads(comparison)], rows)


def _resources(comparison: Comparison) -> Iterator[str]:
    rows = []
    for one in comparison.resources:
        cells = [f"{one.resource} {one.period}"]
        for place in range(len(comparison.runs)):
            used, percent, price = (
                amounts.values[place] for amounts in (one.used, one.utilization_pct, one.shadow_price)
            )
            share = "" if percent is None else f" ({number(percent, 1)} %)"
            worth = f", worth {number(price)}" if price else ""
            cells.append(f"{number(used)}{share}{worth}")
        rows.append(cells)
    if rows:
        yield from _table(["Used of machines and materials", *_heads(comparison)], rows)


def _plan(comparison: Comparison) -> Iterator[str]:
    several = 1 < len(comparison.periods) <= MOST_PERIODS
    rows = []
    for line in comparison.plan:
        for place, run in enumerate(comparison.runs):
            amounts = [*(line.periods if several else ()), line.total]
            rows.append([line.product, str(run.number), *(judged(one, place) for one in amounts)])
    if rows:
        periods = comparison.periods if several else ()
        yield from _table(["Made", "run", *periods, "all periods" if len(comparison.periods) > 1 else "quantity"], rows)


def _orders(comparison: Comparison) -> Iterator[str]:
    if not comparison.orders:
        return
    for place, run in enumerate(comparison.runs):
        if place:
            won, lost = comparison.won_and_lost(place)
            yield f"Orders in full and on time, run {run.number}: {won} won, {lost} lost."
    rows = []
    for order in comparison.orders:
        changes = [order.change(place) for place in range(len(comparison.runs))]
        cells = [
            "-"
            if one is None
            else f"{number(one.delivered)} of {number(one.target)} {change.replace('same', '')}".rstrip()
            for one, change in zip(order.outcomes, changes, strict=True)
        ]
        rows.append([order.reference, order.product, order.period, *cells])
    if rows:
        yield from _table(["Order", "product", "period", *_heads(comparison)], rows)


def _goals(comparison: Comparison) -> Iterable[str]:
    rows = []
    for goal in comparison.goals:
        cells = []
        for place in range(len(comparison.runs)):
            cells.append(f"{judged(goal.under, place)} below, {judged(goal.over, place)} above")
        rows.append([goal.name, str(goal.priority), *cells])
    return _table(["Goal", "priority", *_heads(comparison)], rows) if rows else ()

"""A comparison of runs as plain values: the JSON of `compare_runs`, and the sheets of its workbook."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from planning.exchange import Sheet
from planning.runs import variation_in_words

from .compared_inputs import InputDifference, Value
from .compared_plans import Amounts, ComparedGoal, ComparedOrder, ComparedResource
from .comparison import ComparedRun, Comparison

RESOURCE_COLUMNS = ("used", "available", "utilization_pct", "overtime", "shadow_price")
ORDER_COLUMNS = ("target", "delivered", "late", "shortfall")


def comparison_as_json(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain values, in the order of its runs; the help of `compare_runs` describes it."""
    numbers = [run.number for run in comparison.runs]

    def with_runs(head: dict[str, Any], cells: Callable[[Any, int], dict[str, Any]], of: Any) -> dict[str, Any]:
        return {**head, "runs": [{"run": number, **cells(of, place)} for place, number in enumerate(numbers)]}

    return {
        "plant": comparison.plant,
        "currency": comparison.currency,
        "base": numbers[0],
        "runs": [_run(run) for run in comparison.runs],
        "inputs": {
            "warnings": list(comparison.inputs.warnings),
            "unreadable": [{"run": number, "text": text} for number, text in comparison.inputs.unreadable],
            "differences": [
                with_runs({"table": one.table, "row": one.row, "period": one.period, "field": one.field}, _input, one)
                for one in comparison.inputs.differences
            ],
        },
        "figures": [
            with_runs({"figure": one.key, "name": one.name, "unit": one.unit}, _judged, one.amounts)
            for one in comparison.figures
        ],
        "resources": [
            with_runs(
                {"resource_type": one.resource_type, "resource": one.resource, "period": one.period}, _resource, one
            )
            for one in comparison.resources
        ],
        "plan": [
            with_runs({"product": line.product, "period": period}, _plain, amounts)
            for line in comparison.plan
            for period, amounts in zip(comparison.periods, line.periods, strict=True)
        ],
        "orders": [
            with_runs({"reference": one.reference, "product": one.product, "period": one.period}, _order, one)
            for one in comparison.orders
        ],
        "goals": [with_runs({"priority": one.priority, "name": one.name}, _goal, one) for one in comparison.goals],
    }


def _run(run: ComparedRun) -> dict[str, Any]:
    return {
        "run": run.number,
        "scenario": run.scenario,
        "variation": run.variation,
        "status": run.status,
        "state": run.state,
        "reason": run.reason,
        "plan_checked": run.plan_checked,
    }


def _input(one: InputDifference, place: int) -> dict[str, Any]:
    return {
        "present": one.present[place],
        "value": _json_value(one.values[place]),
        "change": one.kind(place),
        "cause": one.causes[place],
        "explained_by": list(one.explained_by[place]),
    }


def _json_value(value: Value) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value


def _judged(amounts: Amounts, place: int) -> dict[str, Any]:
    return {
        "value": amounts.values[place],
        "difference": amounts.difference(place),
        "verdict": amounts.verdict(place),
    }


def _plain(amounts: Amounts, place: int) -> dict[str, Any]:
    return {"quantity": amounts.values[place], "difference": amounts.difference(place)}


def _resource(one: ComparedResource, place: int) -> dict[str, Any]:
    return {name: getattr(one, name).values[place] for name in RESOURCE_COLUMNS}


def _goal(goal: ComparedGoal, place: int) -> dict[str, Any]:
    return {"under": goal.under.values[place], "over": goal.over.values[place]}


def _order(order: ComparedOrder, place: int) -> dict[str, Any]:
    outcome = order.outcomes[place]
    amounts = {name: None if outcome is None else getattr(outcome, name) for name in ORDER_COLUMNS}
    return {**amounts, "change": order.change(place)}


# --- sheets -------------------------------------------------------------------------------------


def comparison_sheets(comparison: Comparison) -> list[Sheet]:
    """Return a sheet for each part of the comparison; amounts to the last digit, differences beside them."""
    heads = [f"run {run.number}" for run in comparison.runs]
    return [
        _runs_sheet(comparison),
        _inputs_sheet(comparison, heads),
        _figures_sheet(comparison, heads),
        _resources_sheet(comparison, heads),
        plan_sheet(comparison),
        _orders_sheet(comparison, heads),
        _goals_sheet(comparison, heads),
    ]


def _figures_sheet(comparison: Comparison, heads: Sequence[str]) -> Sheet:
    rows = []
    for figure in comparison.figures:
        amounts = figure.amounts
        cells = [(amounts.difference(place), amounts.verdict(place)) for place in range(1, len(heads))]
        unit = comparison.currency if figure.unit == "money" else figure.unit
        rows.append((figure.name, unit, *amounts.values, *chain.from_iterable(cells)))
    return Sheet("figures", ["figure", "unit", *heads, *_each(heads[1:], "difference", "verdict")], rows)


def _resources_sheet(comparison: Comparison, heads: Sequence[str]) -> Sheet:
    rows = []
    for one in comparison.resources:
        cells = chain.from_iterable(_resource(one, place).values() for place in range(len(heads)))
        rows.append((one.resource_type, one.resource, one.period, *cells))
    names = [name.replace("_", " ") for name in RESOURCE_COLUMNS]
    return Sheet("resources", ["type", "resource", "period", *_each(heads, *names)], rows)


def _each(heads: Iterable[str], *words: str) -> Iterator[str]:
    return (f"{head} {word}" for head in heads for word in words)


def _runs_sheet(comparison: Comparison) -> Sheet:
    rows = [
        (
            run.number,
            run.scenario,
            "" if run.variation is None else variation_in_words(run.variation),
            run.status,
            run.reason,
            "base" if place == 0 else f"compared with run {comparison.runs[0].number}",
        )
        for place, run in enumerate(comparison.runs)
    ]
    notes = [(None, "", "", "note", text, "") for text in comparison.inputs.warnings]
    return Sheet("runs", ["run", "scenario", "changes", "status", "reason", "role"], [*rows, *notes])


def _inputs_sheet(comparison: Comparison, heads: Sequence[str]) -> Sheet:
    rows = []
    for one in comparison.inputs.differences:
        cells = [_input_cell(one, place) for place in range(len(heads))]
        causes = [(one.causes[place], ", ".join(one.explained_by[place])) for place in range(1, len(heads))]
        rows.append((one.table, one.row, one.period, one.field, *cells, *chain.from_iterable(causes)))
    columns = ["table", "row", "period", "field", *heads, *_each(heads[1:], "cause", "explained by")]
    return Sheet("inputs", columns, rows)


def _input_cell(one: InputDifference, place: int) -> Value:
    if not one.field:
        return "there" if one.present[place] else "not there"
    return one.values[place]


def plan_sheet(comparison: Comparison) -> Sheet:
    """Return what is made of each product in each period: a row per product and run."""
    rows = [
        (
            line.product,
            run.number,
            run.scenario,
            *(amounts.values[place] for amounts in line.periods),
            line.total.values[place],
        )
        for line in comparison.plan
        for place, run in enumerate(comparison.runs)
    ]
    return Sheet("plan", ["product", "run", "scenario", *comparison.periods, "total"], rows)


def _orders_sheet(comparison: Comparison, heads: Sequence[str]) -> Sheet:
    rows = []
    for order in comparison.orders:
        cells = chain.from_iterable(_order(order, place).values() for place in range(len(heads)))
        rows.append((order.reference, order.product, order.period, *cells))
    return Sheet("orders", ["reference", "product", "period", *_each(heads, *ORDER_COLUMNS, "change")], rows)


def _goals_sheet(comparison: Comparison, heads: Sequence[str]) -> Sheet:
    rows = []
    for goal in comparison.goals:
        cells = chain.from_iterable(_goal(goal, place).values() for place in range(len(heads)))
        rows.append((goal.priority, goal.name, *cells))
    return Sheet("goals", ["priority", "goal", *_each(heads, "under", "over")], rows)

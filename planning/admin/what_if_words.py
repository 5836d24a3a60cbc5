"""The answer to a what-if, as its template shows it."""

from __future__ import annotations

from typing import Any

from planning.insight import Lever
from planning.models import Run

from .amounts import money, rounded
from .run_balances import one_less, one_more
from .run_waterfall import PARTS

_SAME = 0.005  # money
_FAR = 1e-5  # relative: the plan was not the best one with its whole decisions
_PERIODS_SHOWN = 4
_FLOWS = ("made", "bought", "sold", "short")


def answer_context(run: Run, lever: Lever, answer: dict[str, Any]) -> dict[str, Any]:
    """Return what the template of an answer shows."""
    shown: dict[str, Any] = {"words": answer.get("words", ""), "held": answer.get("held", False)}
    if "profit" not in answer:
        return shown
    then, now = answer["profit"]
    difference = now - then
    differs = run.objective is not None and abs(then - run.objective) > _FAR * max(1.0, abs(run.objective))
    note = f"This run earns {money(run.objective, run.currency)}; its plan is not the best one."
    return shown | {
        "note": note if differs else "",
        "profit": [money(then, run.currency), money(now, run.currency)],
        "difference": "the same" if abs(difference) < _SAME else _signed(difference, run.currency),
        "look": "same" if abs(difference) < _SAME else "plus" if difference > 0 else "minus",
        "parts": [
            {"name": PARTS.get(part, part), "amounts": [rounded(amount) for amount in pair]}
            for part, pair in answer["parts"].items()
        ],
        "full": [_resource(one) for one in answer["full"]],
        "freed": [_resource(one) for one in answer["freed"]],
        "flows": _shown_flows(answer["products"]["rows"]),
        "products": _products(answer["products"]["rows"]),
        "more_products": answer["products"]["more"],
        "orders": [
            {"reference": one["reference"], "amounts": [rounded(amount) for amount in one["delivered"]]}
            for one in answer["orders"]["rows"]
        ],
        "more_orders": answer["orders"]["more"],
        "levels": [
            f"priority {level['priority']}: {rounded(level['deviation'][0])} → {rounded(level['deviation'][1])}"
            for level in answer["levels"]
            if level["deviation"][0] != level["deviation"][1]
        ],
        "price": _price(run, lever, answer.get("price")),
    }


def _signed(amount: float, currency: str) -> str:
    return f"{'+' if amount > 0 else '−'}{money(abs(amount), currency)}"


def _resource(one: dict[str, Any]) -> str:
    periods = one["periods"]
    shown = ", ".join(periods[:_PERIODS_SHOWN])
    more = f" and {len(periods) - _PERIODS_SHOWN} more" if len(periods) > _PERIODS_SHOWN else ""
    return f"{one['resource']} ({shown}{more})"


def _shown_flows(rows: list[dict[str, Any]]) -> list[str]:
    """Return the quantities that are not 0 throughout."""
    return [flow for flow in _FLOWS if any(amount for row in rows for amount in row[flow])]


def _products(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    flows = _shown_flows(rows)
    return [
        {
            "name": row["product"],
            "cells": [" → ".join(dict.fromkeys(rounded(amount) for amount in row[flow])) for flow in flows],
        }
        for row in rows
    ]


def _price(run: Run, lever: Lever, price: dict[str, Any] | None) -> str:
    """Return what one more and one less of the limit is worth at the value that was tried, and where that changes."""
    if price is None:
        return ""
    unit = "hour" if lever.kind.unit == "hour" else lever.unit.removesuffix("s") or "unit"
    at = f"At this limit ({rounded(price['limit'])})"
    said = [f"one more {unit} brings {one_more(run.currency, price['more'], price['more_until'])}"]
    if price["less"] is not None:
        said.append(f"one less costs {one_less(run.currency, price['less'], price['less_until'])}")
    elif price["less_until"] is not None:
        said.append("with any less there is no plan")
    return f"{at} {'; '.join(said)}."

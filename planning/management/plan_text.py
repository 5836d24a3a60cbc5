"""A run as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

WIDEST_NAME = 32
MOST_PERIODS = 8
MOST_ORDERS = 20
LEAST_GAP = 1e-9  # relative: a gap below is rounding
NOISE = 5e-7  # a quantity below is none


def number(value: float | None, digits: int = 2) -> str:
    """Return `1,234.5`: at most so many digits after the point, no zeros at the end; `-` for nothing."""
    if value is None:
        return "-"
    text = f"{value:,.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return aligned columns: the first one to the left, the others to the right."""
    clipped = [[visible(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in clipped) for i in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in clipped
    ]
    return "\n".join(
        f"  {line.rstrip()}" for line in (lines[0], "  ".join("-" * width for width in widths), *lines[1:])
    )


def visible(text: str) -> str:
    """Return text that a terminal can show on one line: no control characters, not too long."""
    shown = plain(text)
    return shown if len(shown) <= WIDEST_NAME else shown[: WIDEST_NAME - 1] + "…"


def plain(text: str) -> str:
    """Return text without control characters: names may come from anywhere, and a terminal obeys them."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def describe(report: dict[str, Any], currency: str) -> str:
    """Return the run in words and tables."""
    title = f"{visible(report['plant'])} · {visible(report['scenario'])}"
    if report["run"] is not None:
        title += f" · run {report['run']}"
    parts = [title, ""]
    if report["errors"]:
        parts += ["The data do not allow a plan:", *(f"  {line}" for line in problem_lines(report["errors"]))]
        return "\n".join(parts)
    if report["objective"] is None:
        said = str(report["reason"])
        reason = map(plain, (said if said.startswith("No plan") else f"No plan: {said}").split("\n"))
        return "\n".join([*parts, *reason, *(f"  {plain(value['text'])}" for value in report["conflict"])])
    sections = (_production(report), _resources(report, currency), _orders(report), _goals(report), _warnings(report))
    parts.append(_headline(report, currency))
    for lines in sections:
        parts += ["", *lines] if lines else []
    return "\n".join(parts)


def problem_lines(errors: list[dict[str, str]]) -> list[str]:
    """Return one line for each problem of the data."""
    places = (" ".join(filter(None, (e["table"], visible(e["row"]), e["column"]))) for e in errors)
    texts = [plain(e["text"]) for e in errors]
    return [f"{place}: {text}" if place else text for place, text in zip(places, texts, strict=True)]


def _headline(report: dict[str, Any], currency: str) -> str:
    proven = "proven best" if report["status"] == "optimal" else "best plan found"
    if report["status"] == "optimal" and (report["gap"] or 0.0) > LEAST_GAP:
        proven += f" within {100 * report['gap']:.2g} %"
    elif report["gap"] is not None and report["status"] != "optimal":
        proven += f", at most {100 * report['gap']:.2g} % below the best possible"
    earned = [f"{part.replace('_', ' ')} {number(amount)}" for part, amount in report["profit"].items() if amount]
    seconds = sum(report["seconds"].values())
    lines = [f"Profit {number(report['objective'])} {visible(currency)} ({proven}; {seconds:.2f} s)"]
    lines += ["  = " + ", ".join(earned)] if earned else []
    if "moved" in report:
        lines.append(moved_words(report["moved"]))
    return "\n".join(lines)


def moved_words(moved: dict[str, Any]) -> str:
    """Return how much of the plan is otherwise than in the earlier run."""
    orders = "no order" if not moved["orders"] else f"{moved['orders']} order{'s' if moved['orders'] > 1 else ''}"
    return (
        f"Against run {moved['run']}: {number(moved['hours'])} machine hours and {number(moved['units'])} units moved, "
        f"{orders} changed."
    )


def _production(report: dict[str, Any]) -> list[str]:
    rows = report["production"]
    periods = list(dict.fromkeys(row["period"] for row in rows))
    quantities: dict[str, dict[str, float]] = {}
    for row in rows:
        name = row["product"] + (f" / {row['route']}" if row["route"] else "")
        quantities.setdefault(name, {})[row["period"]] = row["quantity"]
    if not quantities:
        return ["Nothing can be made: no product has a recipe."]
    if len(periods) > MOST_PERIODS:
        header = ["Made", "all periods"]
        cells = [[name, number(sum(made.values()))] for name, made in quantities.items()]
    else:
        header = ["Made", *(periods if len(periods) > 1 else ["quantity"])]
        cells = [[name, *(number(made.get(period)) for period in periods)] for name, made in quantities.items()]
    return [table(header, cells)]


def _orders(report: dict[str, Any]) -> list[str]:
    rows = report["orders"]
    if not rows:
        return []
    missed = [row for row in rows if row["shortfall"] > NOISE or row["late"] > NOISE]
    lines = [f"Orders: {len(rows) - len(missed)} of {len(rows)} delivered in full and on time."]
    if missed:
        cells = [
            [
                row["reference"],
                row["product"],
                row["period"],
                *(number(row[n]) for n in ("target", "late", "shortfall")),
            ]
            for row in missed[:MOST_ORDERS]
        ]
        lines.append(table(["Order", "product", "period", "ordered", "late", "missing"], cells))
        if len(missed) > MOST_ORDERS:
            lines.append(f"  … and {len(missed) - MOST_ORDERS} more.")
    return lines


def _goals(report: dict[str, Any]) -> list[str]:
    lines = []
    if report["goals"]:
        cells = [
            [row["name"], str(row["priority"]), *(number(row[side]) for side in ("under", "over"))]
            for row in report["goals"]
        ]
        lines.append(table(["Goal", "priority", "below target", "above target"], cells))
    if report["levels"]:
        reached = ", ".join(f"priority {level['priority']}: {number(level['deviation'])}" for level in report["levels"])
        lines += [""] if lines else []
        lines.append(f"Missed in all (weight times units): {reached}.")
    return lines


def _warnings(report: dict[str, Any]) -> list[str]:
    """Return what deserves a look before the plan is believed."""
    lines = [f"  {line}" for line in problem_lines(report["warnings"])]
    return ["Warnings:", *lines] if lines else []


def _resources(report: dict[str, Any], currency: str) -> list[str]:
    rows = report["utilization"]
    if not rows:
        return []
    several = len({row["period"] for row in rows}) > 1
    rows = [row for row in rows if not several or row["shadow_price"]]
    if not rows:
        return ["No machine and no material limits the plan."]
    title = "Limits" if several else "Resource"
    return [
        table(
            [title, "used", "available", "used %", f"one more is worth ({visible(currency)})"],
            [
                [
                    row["resource"] + (f" / {row['period']}" if several else ""),
                    number(row["used"]),
                    "no limit" if row["available"] is None else number(row["available"]),
                    number(row["utilization_pct"], 1),
                    number(row["shadow_price"]),
                ]
                for row in rows
            ],
        )
    ]


def describe_comparison(comparison: dict[str, Any], currency: str) -> str:
    """Return the profits of several scenarios, and what each earns beyond the first one."""
    rows = [
        [row["scenario"], row["status"], number(row["objective"]), number(row["difference"])]
        for row in comparison["scenarios"]
    ]
    header = ["scenario", "status", f"profit ({currency})", f"beyond {comparison['baseline']}"]
    return "\n".join(["Comparison", "", table(header, rows)])

"""The tables of the page that compares runs, as cells that are ready to show."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from planning.insight import Amounts, ComparedOrder, ComparedResource, Comparison, Figure, InputDifference

from .amounts import NOTHING, exact, money, percent, rounded

ROWS_SHOWN = 100  # of each table; the workbook has all
MARKS = {"better": "▲", "worse": "▼", "won": "▲", "lost": "▼"}  # beside the word, so that colour is not needed
CAUSES = {"scenario": "by its scenario", "data": "in the base data", "options": "asked for"}


@dataclass(frozen=True)
class Cell:
    """One cell: its text, a smaller line below it, and how the difference is judged."""

    text: str
    note: str = ""
    verdict: str = ""  # better, worse, won, lost, new, gone, other, same or blank
    look: str = "text"  # text, number, head

    @property
    def mark(self) -> str:
        """The sign of a good or a bad difference."""
        return MARKS.get(self.verdict, "")

    @property
    def word(self) -> str:
        """The judgement in a word; "" where there is none to make."""
        return self.verdict if self.verdict not in ("same", "other") else ""


@dataclass(frozen=True)
class Table:
    """One table of the page."""

    key: str
    title: str
    hint: str
    columns: Sequence[str]
    rows: list[list[Cell]]
    total: int
    right: int = 99  # from this column on numbers stand to the right

    @property
    def cut(self) -> str:
        """What is left out, in words."""
        return f"The first {len(self.rows)} of {self.total:,} rows." if len(self.rows) < self.total else ""


def comparison_tables(comparison: Comparison) -> list[Table]:
    """Return the tables of the plans in the order of the page; those without rows are left out."""
    found = [
        figures_table(comparison),
        plan_table(comparison),
        resources_table(comparison),
        orders_table(comparison),
        goals_table(comparison),
    ]
    return [table for table in found if table.rows]


def heads(comparison: Comparison) -> list[str]:
    """Return a column's head for each run."""
    return [f"Run {run.number}{'' if place else ' (base)'}" for place, run in enumerate(comparison.runs)]


def judged(amounts: Amounts, place: int, words: Callable[[float | None], str] = rounded) -> Cell:
    """Return a number with its difference to the base and what that means."""
    difference, verdict = amounts.difference(place), amounts.verdict(place)
    text = words(amounts.values[place])
    if not place or difference is None or not difference:
        return Cell(text, verdict=verdict, look="number")
    said = words(difference)
    return Cell(text, said if said.startswith("-") else f"+{said}", verdict, "number")


# --- inputs -------------------------------------------------------------------------------------


def inputs_table(comparison: Comparison) -> Table:
    """Return what differs in the data, a row per value."""
    places = range(len(comparison.runs))
    differences = comparison.inputs.differences
    shown = differences[:ROWS_SHOWN]
    by_period = any(one.period for one in shown)
    rows = []
    for one in shown:
        where = [Cell(one.row or one.table, look="head"), Cell(one.table.replace("_", " "))]
        where += [Cell(one.period or "every period")] if by_period else []
        where.append(Cell(one.field.replace("_", " ") or "the whole row"))
        rows.append([*where, *(input_cell(one, place) for place in places)])
    columns = ["Row", "Table", *(["Period"] if by_period else []), "Field"]
    title = "What differs in the inputs"
    return Table("inputs", title, "", [*columns, *heads(comparison)], rows, len(differences), len(columns))


def input_cell(one: InputDifference, place: int) -> Cell:
    """Return a value of a run, and why it is not that of the base."""
    if place and not one.causes[place]:
        return Cell("as in the base", verdict="same")
    cause = CAUSES.get(one.causes[place], "") if place else ""
    if one.explained_by[place]:
        cause += f": {', '.join(one.explained_by[place])}"
    if not one.field:
        return Cell("there" if one.present[place] else "not there", cause)
    return Cell(value_words(one.values[place]), cause)


def value_words(value: object) -> str:
    """Return a value of the data as people read it."""
    if value is None:
        return "blank"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return exact(value)
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


# --- plans --------------------------------------------------------------------------------------


def figures_table(comparison: Comparison) -> Table:
    """Return the headline figures."""

    def words(figure: Figure) -> Callable[[float | None], str]:
        if figure.unit == "money":
            return lambda value: money(value, comparison.currency)
        return percent if figure.unit == "share" else rounded

    rows = [
        [
            Cell(figure.name, look="head"),
            *(judged(figure.amounts, place, words(figure)) for place in range(len(comparison.runs))),
        ]
        for figure in comparison.figures
    ]
    hint = f"Differences are those to run {comparison.runs[0].number}."
    return Table("figures", "Figures", hint, ["Figure", *heads(comparison)], rows, len(rows), 1)


def plan_table(comparison: Comparison) -> Table:
    """Return what is made of each product, a row per run, across the periods."""
    rows = []
    for line in comparison.plan[: ROWS_SHOWN // len(comparison.runs)]:
        amounts = [*line.periods, *([line.total] if len(comparison.periods) > 1 else [])]
        for place, run in enumerate(comparison.runs):
            cells = [judged(one, place) for one in amounts]
            rows.append([Cell(line.product, look="head"), Cell(f"Run {run.number}"), *cells])
    periods = [f"Period {name}" if name.isdigit() else name for name in comparison.periods]
    columns = ["Product", "Run", *periods, *(["Total"] if len(periods) > 1 else [])]
    total = len(comparison.plan) * len(comparison.runs)
    return Table("plan", "Plan", "Units made, all routes together.", columns, rows, total, 2)


def resources_table(comparison: Comparison) -> Table:
    """Return how much of machines and materials is used, and what one more would be worth."""
    rows = [
        [
            Cell(one.resource, look="head"),
            Cell(one.period),
            *(resource_cell(comparison, one, place) for place in range(len(comparison.runs))),
        ]
        for one in comparison.resources[:ROWS_SHOWN]
    ]
    hint = "Hours or units used, and what one more is worth."
    columns = ["Machine or material", "Period", *heads(comparison)]
    return Table("resources", "Machines and materials", hint, columns, rows, len(comparison.resources), 2)


def resource_cell(comparison: Comparison, one: ComparedResource, place: int) -> Cell:
    """Return what is used, with the share, overtime and price below."""
    used, share, overtime, price = (
        amounts.values[place] for amounts in (one.used, one.utilization_pct, one.overtime, one.shadow_price)
    )
    if used is None:
        return Cell(NOTHING, look="number")
    text = rounded(used) + ("" if share is None else f" · {share + 0:,.1f} %")
    notes = [f"{rounded(overtime)} h overtime"] if overtime and rounded(overtime) != "0" else []
    if price is not None and abs(price) >= 5e-7:
        notes.append(f"worth {rounded(price)} {comparison.currency}")
    return Cell(text, ", ".join(notes), look="number")


def orders_table(comparison: Comparison) -> Table:
    """Return what each order gets, and which are won and lost."""
    rows = [
        [
            Cell(order.reference, look="head"),
            Cell(order.product),
            Cell(order.period),
            *(order_cell(order, place) for place in range(len(comparison.runs))),
        ]
        for order in comparison.orders[:ROWS_SHOWN]
    ]
    sums = []
    for place, run in enumerate(comparison.runs):
        if place and run.has_plan and comparison.runs[0].has_plan:
            won, lost = comparison.won_and_lost(place)
            sums.append(f"run {run.number} wins {won} and loses {lost}")
    hint = "Won: in full and on time, and not so in the base."
    hint += f" Against the base {'; '.join(sums)}." if sums else ""
    columns = ["Order", "Product", "Period", *heads(comparison)]
    return Table("orders", "Customer orders", hint, columns, rows, len(comparison.orders), 3)


def order_cell(order: ComparedOrder, place: int) -> Cell:
    """Return what of an order is delivered."""
    outcome, change = order.outcomes[place], order.change(place)
    if outcome is None:
        return Cell(NOTHING, verdict=change, look="number")
    late = f"{rounded(outcome.late)} late" if rounded(outcome.late) != "0" else ""
    return Cell(f"{rounded(outcome.delivered)} of {rounded(outcome.target)}", late, change, "number")


def goals_table(comparison: Comparison) -> Table:
    """Return how far each goal is from its target."""
    rows = [
        [
            Cell(str(goal.priority)),
            Cell(goal.name, look="head"),
            *(
                Cell(f"{rounded(goal.under.values[place])} below", f"{rounded(goal.over.values[place])} above")
                for place in range(len(comparison.runs))
            ),
        ]
        for goal in comparison.goals[:ROWS_SHOWN]
    ]
    hint = "How far each goal is from its target, in the goal's unit."
    return Table("goals", "Goals", hint, ["Priority", "Goal", *heads(comparison)], rows, len(comparison.goals), 2)

"""What a scenario does, in words and numbers for its page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from planning.models import TABLE_BY_NAME
from planning.snapshot import ChangeEffect, Difference, Edit, Problem, ScenarioEffects

from .amounts import BLANK_WORDS, exact
from .row_links import RowLinks

SHOWN = 200  # lines of a table


@dataclass
class ShownEffect:
    """One change's effect: `500 → 750`, `changes 1 raw material`, and what is wrong with it."""

    title: str = ""
    values: str = ""
    base: str = ""
    reach: str = ""
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    note: str = ""


def value_words(value: Any, field_name: str) -> str:
    """Return a value as a planner reads it."""
    if value is None:
        return BLANK_WORDS.get(field_name, "blank")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else exact(float(value))


def span_words(values: tuple[Any, ...], field_name: str) -> str:
    """Return values as one, or as a range: `10 to 40`."""
    distinct = list(dict.fromkeys(values))
    if len(distinct) == 1:
        return value_words(distinct[0], field_name)
    numbers = sorted(float(value) for value in distinct if value is not None)
    words = [value_words(None, field_name)] if None in distinct else []
    if numbers:
        ends = [exact(numbers[0])] if len(numbers) == 1 else [exact(numbers[0]), exact(numbers[-1])]
        words.insert(0, " to ".join(ends))
    return " or ".join(words)


def counted(count: int, table: str) -> str:
    """Return `3 machines`."""
    meta = TABLE_BY_NAME[table].model._meta
    return f"{count} {meta.verbose_name if count == 1 else meta.verbose_name_plural}"


def reach_words(change: ChangeEffect) -> str:
    """Return how far a change reaches: `changes 3 of 5 machines in 8 periods`."""
    if change.effect is None:
        return ""
    rows, periods = change.counts
    of_all = len(change.effect.rows)
    if not rows:
        return f"acts on {counted(of_all, change.effect.table)} and changes nothing"
    part = f"{rows} of {counted(of_all, change.effect.table)}" if rows != of_all else counted(rows, change.effect.table)
    when = f" in {periods} period{'' if periods == 1 else 's'}" if periods else ""
    return f"changes {part}{when}"


def title_words(change: ChangeEffect) -> str:
    """Return what a change says: `machines · Saw · available hours · Week 1 · multiply 1.1`."""
    said = change.change
    row = "every row" if said.row == "*" else said.row
    value = "blank" if said.value is None else exact(said.value)
    parts = [said.table.replace("_", " "), row, said.field.replace("_", " "), said.period, f"{said.operation} {value}"]
    return " · ".join(part for part in parts if part)


def shown_effect(change: ChangeEffect) -> ShownEffect:
    """Return a change's effect as the page shows it."""
    shown = ShownEffect(
        title_words(change),
        reach=reach_words(change),
        errors=[change.short(problem) for problem in change.errors],
        warnings=[change.short(problem) for problem in change.warnings],
    )
    if change.effect is not None:
        name = change.effect.field
        shown.values = f"{span_words(change.effect.before, name)} → {span_words(change.effect.after, name)}"
        if change.base != change.effect.before:
            shown.base = f"base {span_words(change.base, name)}"
    return shown


def difference_words(difference: Difference) -> dict[str, str]:
    """Return a line of the table of base and effective values."""
    return {
        "table": difference.table.replace("_", " "),
        "row": difference.row,
        "period": difference.period,
        "field": difference.field.replace("_", " "),
        "base": value_words(difference.base, difference.field),
        "effective": value_words(difference.effective, difference.field),
    }


def edit_line(edit: Edit, links: RowLinks) -> dict[str, Any]:
    """Return a line of the table of what a promotion writes."""
    return {
        "table": edit.table.replace("_", " "),
        "row": edit.row,
        "period": edit.period,
        "field": edit.field.replace("_", " "),
        "old": value_words(edit.held, edit.field),
        "new": value_words(edit.new, edit.field),
        "is_new_row": edit.is_new_row,
        "url": "" if edit.is_new_row else links.url(edit.table, edit.row),
    }


def problem_line(problem: Problem, links: RowLinks) -> dict[str, str]:
    """Return a line of the table of problems."""
    return {
        "table": problem.table.replace("_", " "),
        "row": problem.row,
        "column": problem.column.replace("_", " "),
        "text": problem.text,
        "url": links.url(problem.table, problem.row),
    }


def summary(effects: ScenarioEffects, plant_id: int, *, is_draft: bool) -> dict[str, Any]:
    """Return what a scenario's changes come to, for the template `scenario/result.html`."""
    links = RowLinks(plant_id)
    errors, warnings = effects.problems_elsewhere
    refused = sum(1 for change in effects.changes if change.errors)
    return {
        "is_draft": is_draft,
        "refused": refused,
        "errors": [problem_line(problem, links) for problem in errors],
        "warnings": [problem_line(problem, links) for problem in warnings],
        "differences": [difference_words(difference) for difference in effects.differences[:SHOWN]],
        "count": len(effects.differences),
        "has_changes": bool(effects.changes),
    }

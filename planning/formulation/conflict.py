"""Which values of the data allow no plan, in words; and what would have to give."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from planning.lx import CompiledModel, LXConflict, find_conflict, least_change, least_changes

from .conflict_words import ConflictWords
from .places import Places

MOST_TRIED = 12  # values whose change alone is tried
_SHARE_FOR_REMEDIES = 0.3  # of the time, kept for what would have to give


@dataclass(frozen=True)
class Contradiction:
    """Values that allow no plan together: a row of the plan format's `conflict` for each, and a summary in words."""

    rows: list[dict[str, str]] = field(default_factory=list)
    summary: str = ""


def contradiction(compiled: CompiledModel, seconds: float, stop: Callable[[], bool] | None = None) -> Contradiction:
    """Return why a model without any plan has none; without rows where that is not found in so many seconds.

    With the structure of the plant the values allow no plan, and with any one of them lifted they do: a limit
    blank, a requirement 0. Where the time passed before that was proven, the summary says so.
    """
    deadline = time.monotonic() + seconds
    places = Places(compiled)
    found = find_conflict(places.limits, seconds=seconds * (1 - _SHARE_FOR_REMEDIES), groups=places.groups, stop=stop)
    if found is None:
        return Contradiction(
            summary="No plan satisfies all the data. Which values contradict each other was not found in time."
        )
    numbers = found.limits.tolist()
    values = [places.value(limit) for limit in numbers]
    alone = _changes_alone(places, found, deadline, stop)
    words = ConflictWords(places)
    rows = [
        {
            "table": value.table,
            "row": value.row,
            "period": value.period,
            "field": value.field,
            "text": " ".join(filter(None, (words.sentence(value), words.alone(value, alone.get(limit))))),
        }
        for limit, value in zip(numbers, values, strict=True)
    ]
    return Contradiction(rows, " ".join(filter(None, (_count(found), _remedy(places, words, alone, deadline, stop)))))


def _count(found: LXConflict) -> str:
    count = len(found.limits)
    if not count:
        return "No plan is possible: the recipes and options of the plant allow none, whatever its limits are."
    if count == 1:
        return "No plan satisfies all the data: one value can't be fulfilled, whatever the others are."
    words = f"No plan satisfies all the data: {count} values contradict each other."
    if found.is_minimal:
        return words
    return f"{words} The time passed before it was known whether all of them are needed."


def _changes_alone(
    places: Places, found: LXConflict, deadline: float, stop: Callable[[], bool] | None
) -> dict[int, float]:
    """Return for each value how far it alone would have to move for the whole plan, where that is enough."""
    alone: dict[int, float] = {}
    for limit in found.limits[:MOST_TRIED].tolist():
        left = deadline - time.monotonic()
        if left <= 0 or (stop is not None and stop()):
            break
        amount = least_change(places.limits, limit, seconds=left, stop=stop)
        if amount is not None:
            alone[limit] = amount
    return alone


def _remedy(
    places: Places, words: ConflictWords, alone: dict[int, float], deadline: float, stop: Callable[[], bool] | None
) -> str:
    """Return the least that has to give: one value by itself where that is enough, else several together."""
    said = [(places.value(limit), amount) for limit, amount in alone.items()]
    offers = [(amount / max(1.0, value.amount), value, amount) for value, amount in said if words.has_unit(value)]
    if offers:
        _, value, amount = min(offers, key=lambda offer: offer[0])
        return f"It would do to {words.change(value, amount)}."
    left = deadline - time.monotonic()
    changes = None if left <= 0 else least_changes(places.limits, seconds=left, stop=stop)
    listed = [(places.value(limit), amount) for limit, amount in (changes or {}).items()]
    if not listed or len(listed) > MOST_TRIED or not all(words.has_unit(value) for value, _ in listed):
        return ""
    return f"Together it would do to {'; '.join(words.change(value, amount) for value, amount in listed)}."

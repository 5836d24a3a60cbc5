"""Which values of the data allow no plan, in words; and what would have to give."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from planning.lx import CompiledModel, LXConflict, find_conflict, least_change

from .conflict_words import ConflictWords
from .places import Places
from .relief import LEAST, LEAST_PROVEN, Relief, reliefs

MOST_TRIED = 12  # values whose change alone is tried
_SHARE_FOR_REMEDIES = 0.5  # of the time, kept for what would have to give
_SHARE_FOR_SINGLE = 0.1  # of the time, kept for values of which one alone would do


@dataclass(frozen=True)
class Contradiction:
    """Values that allow no plan together: a row of the plan format's `conflict` for each, and a summary in words.

    `reliefs` say what would have to give.
    """

    rows: list[dict[str, str]] = field(default_factory=list)
    summary: str = ""
    reliefs: list[Relief] = field(default_factory=list)


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
    words = ConflictWords(places)
    offers = reliefs(places, words, deadline - seconds * _SHARE_FOR_SINGLE, stop)
    alone = _changes_alone(places, found, deadline, stop)
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
    return Contradiction(rows, " ".join(filter(None, (_count(found), _remedy(places, words, alone, offers)))), offers)


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


def _remedy(places: Places, words: ConflictWords, alone: dict[int, float], offers: list[Relief]) -> str:
    """Return the least that has to give: one value by itself where that is enough, else several together."""
    said = [(places.value(limit), amount) for limit, amount in alone.items()]
    single = [(amount / max(1.0, value.amount), value, amount) for value, amount in said if words.has_unit(value)]
    if single:
        _, value, amount = min(single, key=lambda offer: offer[0])
        return f"It would do to {words.change(value, amount)}."
    least = next((offer for offer in offers if offer.kind == LEAST and len(offer.changes) <= MOST_TRIED), None)
    if least is None:
        return ""
    texts = [text[0].lower() + text[1:].rstrip(".") for _, text in least.changes]
    less = "" if least.sure == LEAST_PROVEN else " Less may do: the time passed before that was known."
    return f"Together it would do to {'; '.join(texts)}.{less}"

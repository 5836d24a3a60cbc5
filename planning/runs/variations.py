"""Variations: changes to a stored copy's data, kept with the run as JSON, applied to the copy where it is solved."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError

from planning.lx import LXTable, load_model
from planning.models import ScenarioChange
from planning.snapshot import Change, DataProblems, Problem, Snapshot, base_tables, vary

COLUMNS = tuple(field.name for field in fields(Change))
WHOSE = "The variation"


class BadVariation(ValueError):
    """A variation that is no list of changes, in words."""


class BadVariations(ValueError):
    """Variations of which no run was made: the problems of each, by its number in the list, from 1."""

    def __init__(self, problems: dict[int, list[Problem]]) -> None:
        lines = [f"Variation {number}: {problem.text}" for number, found in problems.items() for problem in found]
        super().__init__("\n".join(lines))
        self.problems = problems


def parse(variation: Any) -> tuple[Change, ...]:
    """Return the changes of a variation as it is stored or given. Raises BadVariation for anything else."""
    if not isinstance(variation, list | tuple):
        raise BadVariation("A variation is a list of changes.")
    return tuple(change if isinstance(change, Change) else _change(change) for change in variation)


def _change(row: Any) -> Change:
    if not isinstance(row, Mapping):
        raise BadVariation(f"A change has the columns {', '.join(COLUMNS)}.")
    unknown = [str(name) for name in row if name not in COLUMNS]
    if unknown:
        raise BadVariation(f"A change has no column {', '.join(unknown)}. Its columns are {', '.join(COLUMNS)}.")
    given = {name: value for name, value in row.items() if value is not None}
    value = given.pop("value", None)
    if not all(isinstance(text, str) for text in given.values()):
        raise BadVariation("The columns of a change are texts, but for its value.")
    if not isinstance(value, int | float | None):
        raise BadVariation(f"The value of a change is {value!r}. Give a number, or leave it blank.")
    texts = {"table": "", "row": "", "field": "", **given}
    try:
        return Change(**texts, value=None if value is None else float(value) + 0.0)
    except OverflowError as error:
        raise BadVariation("The value of a change is too large for a number.") from error


def checked(variation: Any) -> tuple[Change, ...]:
    """Return the changes of a variation that somebody gives, each column as `scenario_changes` allows it.

    Raises BadVariation with all that is wrong.
    """
    changes = parse(variation)
    wrong = []
    for number, change in enumerate(changes, start=1):
        try:
            ScenarioChange(**asdict(change)).clean_fields(exclude=["scenario"])
        except ValidationError as error:
            wrong += [
                f"{name} of change {number}: {' '.join(texts)}" for name, texts in sorted(error.message_dict.items())
            ]
    if wrong:
        raise BadVariation(" ".join(wrong))
    return changes


def as_stored(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Return the changes as they are kept with a run."""
    return [asdict(change) for change in changes]


def canonical(changes: Iterable[Change]) -> bytes:
    """Return the one text of the changes that signatures cover, however a database writes its JSON."""
    return json.dumps(as_stored(changes), sort_keys=True, separators=(",", ":")).encode()


def in_words(variation: Any) -> str:
    """Return what a variation changes, for people."""
    try:
        changes = parse(variation)
    except BadVariation:
        return "changes that can't be read"
    said = []
    for change in changes:
        value = "blank" if change.value is None else f"{change.value:g}"
        where = f"{change.table} {change.row}" + (f" in {change.period}" if change.period else "")
        how = {"set": "=", "multiply": "×", "add": "+"}.get(change.operation, change.operation)
        said.append(f"{where}: {change.field} {how} {value}")
    return "; ".join(said) or "no change"


@lru_cache(maxsize=1)
def _base_of(data: bytes) -> dict[str, LXTable]:
    """Return the base tables of a verified copy; whoever changes them works on a copy of these.

    A process that executes several variations of one set reads their copy once, and so do the solvers
    that it forks.
    """
    return base_tables(load_model(data).tables)


def varied(data: bytes, changes: Iterable[Change]) -> Snapshot:
    """Return the snapshot of a verified copy's data with the changes applied.

    Raises DataProblems with every problem that they make, LXCopyError where the bytes contradict themselves.
    """
    return vary(copy.deepcopy(_base_of(data)), changes, WHOSE)


def check_all(snapshot: Snapshot, variations: Iterable[Any]) -> list[tuple[tuple[Change, ...], list[Problem]]]:
    """Return the changes of each variation of the snapshot's data, and what deserves a look in each.

    Raises BadVariations with the problems of all of them.
    """
    found, problems = [], {}
    for number, variation in enumerate(variations, start=1):
        try:
            changes = checked(variation)
            tables = copy.deepcopy(base_tables(snapshot.tables))
            found.append((changes, list(vary(tables, changes, WHOSE).warnings)))
        except BadVariation as wrong:
            problems[number] = [Problem("scenario_changes", "", "", str(wrong))]
        except DataProblems as wrong:
            problems[number] = wrong.errors
    if problems:
        raise BadVariations(problems)
    return found

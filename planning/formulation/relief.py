"""The least that would have to give so that there is a plan: changes to the data, tried before they are offered."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from planning.lx import INFEASIBLE, LXLeastChanges, LXOptimizer, compile_model, least_changes
from planning.snapshot import Change, DataProblems, Snapshot, base_tables, vary

from .conflict_words import ConflictWords
from .model import build_model
from .places import Places, Value

Stop = Callable[[], bool] | None
LEAST, SHORTAGES, RESOURCES = "least", "shortages", "resources"
MOST = 500  # changes that one offer may have: more is nothing that anybody reads
_SHARE_TO_SEEK = 0.6  # of the time for one kind: the rest is for trying it
LEAST_PROVEN, FOUND, UNTRIED = "least", "found", "untried"


@dataclass(frozen=True)
class Relief:
    """Changes that together allow a plan, each with its sentence.

    `kind` says what gives: the least of everything, only what is asked for, or only what there is of hours, materials
    and room. `sure` says how sure it is: proven to be the least, found before the time passed, or not even tried.
    """

    kind: str
    changes: tuple[tuple[Change, str], ...]
    sure: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is stored with a run."""
        rows = [{**asdict(change), "text": text} for change, text in self.changes]
        return {"kind": self.kind, "sure": self.sure, "changes": rows}


def reliefs(places: Places, words: ConflictWords, deadline: float, stop: Stop) -> list[Relief]:
    """Return what would do, each kind where there is one; those that are the same are told once."""
    can_be_said, asked = words.have_unit(), words.ask()
    kinds = ((LEAST, can_be_said), (SHORTAGES, can_be_said & asked), (RESOURCES, can_be_said & ~asked))
    found: dict[tuple[Change, ...], Relief] = {}
    for number, (kind, giving) in enumerate(kinds):
        now = time.monotonic()
        if deadline <= now or (stop is not None and stop()):
            break
        until = now + (deadline - now) / (len(kinds) - number)
        relief = _Search(places, words, kind, giving, until, stop).relief()
        if relief is not None:
            found.setdefault(tuple(change for change, _ in relief.changes), relief)
    return list(found.values())


@dataclass(frozen=True)
class _Search:
    """The search for one kind of relief, until a time."""

    places: Places
    words: ConflictWords
    kind: str
    giving: npt.NDArray[np.bool_]
    until: float
    stop: Stop

    def relief(self) -> Relief | None:
        """Return what would do; None where nothing was found."""
        seconds = (self.until - time.monotonic()) * _SHARE_TO_SEEK
        return self._tried(least_changes(self.places.limits, giving=self.giving, seconds=seconds, stop=self.stop))

    def _tried(self, least: LXLeastChanges | None) -> Relief | None:
        if least is None or not 0 < len(least.amounts) <= MOST:
            return None
        needed = [(self.places.value(limit), amount) for limit, amount in least.amounts.items()]
        changes = tuple(_changes(self.words, needed))
        allowed = _allow_a_plan(self.places.snapshot, [change for change, _ in changes], self.until, self.stop)
        if allowed is False:
            return None
        return Relief(self.kind, changes, UNTRIED if allowed is None else LEAST_PROVEN if least.is_least else FOUND)


def _changes(words: ConflictWords, needed: list[tuple[Value, float]]) -> Iterator[tuple[Change, str]]:
    for value, amount in needed:
        said = words.change(value, amount)
        table = value.table.removesuffix("_periods") + ("s" if value.table.endswith("_periods") else "")
        change = Change(table, value.row, value.field, "add", words.step(value, amount), value.period)
        yield change, said[0].upper() + said[1:] + "."


def _allow_a_plan(snapshot: Snapshot, changes: list[Change], deadline: float, stop: Stop) -> bool | None:
    """Return whether the data have a plan with these changes; None where the time passed before that was known."""
    try:
        tables = copy.deepcopy(base_tables(snapshot.tables))
        compiled = compile_model(build_model(vary(tables, changes, "What has to give")))
    except DataProblems:
        return False
    left = deadline - time.monotonic()
    if left <= 0:
        return None
    nothing = replace(compiled, cost=np.zeros(compiled.column_count), offset=0.0, levels=())
    found = LXOptimizer[Any]().time_limit(left).solve(nothing, stop=stop)
    if found.has_plan:
        return True
    return False if found.termination == INFEASIBLE else None

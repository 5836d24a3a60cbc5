"""Sweeps: a run for each value of one number, or for each pair of two, from the data that a run was solved with."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from planning.models import Run, RunSet, Utilization
from planning.runs import BadVariations, StartedSet, start_variations_of

from .levers import Lever
from .words import number

SWEEP = "sweep"  # the kind of a set's subject
MOST_RUNS = 200
_NOISE = 1e-6
Full = frozenset[tuple[str, str]]  # resource type and resource


class BadSweep(ValueError):
    """A sweep that can't be made, in words."""


@dataclass(frozen=True)
class Axis:
    """A number that is moved, and the values that it gets."""

    lever: Lever
    values: tuple[float, ...]

    @classmethod
    def between(cls, lever: Lever, first: float, last: float, count: int) -> Axis:
        """Return the axis with so many values, evenly spaced. Raises BadSweep."""
        if count < 2 or first == last:
            raise BadSweep("A sweep has at least two values. Give a first and another last value, and 2 steps or more.")
        step = (last - first) / (count - 1)
        return cls(lever, tuple(float(f"{first + i * step:.10g}") for i in range(count)))


@dataclass(frozen=True)
class SweptAxis:
    """An axis of a sweep that was started, in words."""

    name: str
    unit: str
    now: float | None
    values: tuple[float, ...]


@dataclass(frozen=True)
class Point:
    """One run of a sweep: the value on each axis, and what limits its plan."""

    at: tuple[float, ...]
    run: Run
    bottlenecks: Full | None  # None: it has no plan, or has not ended

    @property
    def profit(self) -> float | None:
        """Its profit; None where it has no plan."""
        return None if self.bottlenecks is None else self.run.objective


@dataclass(frozen=True)
class Mark:
    """Between two values of a sweep over one number other machines or materials limit the plan."""

    between: tuple[float, float]
    added: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def words(self) -> str:
        """What changes there."""
        said = []
        if self.added:
            said.append(f"{' and '.join(self.added)} begin{'s' if len(self.added) == 1 else ''} to limit the plan")
        if self.gone:
            said.append(f"{' and '.join(self.gone)} {'limits' if len(self.gone) == 1 else 'limit'} it no more")
        return ", ".join(said)


@dataclass(frozen=True)
class Sweep:
    """A sweep with what its runs have found so far."""

    base: float | None
    currency: str
    axes: tuple[SweptAxis, ...]
    points: tuple[Point, ...]  # in the order of the values, the last axis fastest

    @property
    def is_open(self) -> bool:
        """Whether a run has still to end."""
        return any(point.run.is_open for point in self.points)

    @property
    def with_setups(self) -> bool:
        """Whether what limits a plan is said with its setups and whole quantities held."""
        return any(point.run.shadow_price_basis == "fixed_mip" for point in self.points)

    @property
    def marks(self) -> list[Mark]:
        """Where the bottleneck changes, along one axis."""
        if len(self.axes) != 1:
            return []
        found = []
        known = [point for point in self.points if point.bottlenecks is not None]
        for before, after in itertools.pairwise(known):
            assert before.bottlenecks is not None
            assert after.bottlenecks is not None
            if before.bottlenecks != after.bottlenecks:
                added, gone = after.bottlenecks - before.bottlenecks, before.bottlenecks - after.bottlenecks
                found.append(Mark((before.at[0], after.at[0]), _names(added), _names(gone)))
        return found


def _names(resources: Full) -> tuple[str, ...]:
    return tuple(name for _, name in sorted(resources))


def bottleneck_words(resources: Full | None) -> str:
    """Return what limits a plan, in words."""
    return "" if resources is None else ", ".join(_names(resources)) or "no machine and no material"


def start_sweep(run: Run, axes: Sequence[Axis], *, user: Any = None, here: bool = False) -> StartedSet:
    """Start a run of each value, or of each pair of values, that the data allow.

    Raises BadSweep where that is too many or none, and what `start_variations_of` does for a copy that can't be read.
    """
    points = list(itertools.product(*(axis.values for axis in axes)))
    if len(points) > MOST_RUNS:
        raise BadSweep(f"That is {len(points)} runs, and a sweep has {MOST_RUNS} at most. Take fewer steps.")
    if len({(axis.lever.kind.key, axis.lever.row, axis.lever.period) for axis in axes}) < len(axes):
        raise BadSweep("Both numbers are the same. Choose two that differ.")
    try:
        return _started(run, axes, points, user, here)
    except BadVariations as wrong:
        allowed = [point for number_, point in enumerate(points, start=1) if number_ not in wrong.problems]
        if not allowed:
            raise BadSweep(str(wrong)) from wrong
        return _started(run, axes, allowed, user, here)


def _started(run: Run, axes: Sequence[Axis], points: Sequence[tuple[float, ...]], user: Any, here: bool) -> StartedSet:
    spans = [
        f"{axis.lever.name} from {axis.lever.in_words(axis.values[0])} to {axis.lever.in_words(axis.values[-1])}"
        for axis in axes
    ]
    kept = [
        {
            "name": axis.lever.name,
            "unit": "%" if axis.lever.is_factor else axis.lever.unit,
            "now": axis.lever.now,
            "values": list(axis.values),
        }
        for axis in axes
    ]
    return start_variations_of(
        run=run,
        variations=[[axis.lever.change(value) for axis, value in zip(axes, point, strict=True)] for point in points],
        name=f"Sweep of run {run.pk}: " + ", ".join(axis.lever.row for axis in axes),
        about="; ".join(spans),
        subject={
            "kind": SWEEP,
            "row": axes[0].lever.row,
            "period": "",
            "axes": kept,
            "points": list(map(list, points)),
        },
        user=user,
        here=here,
    )


def sweep_of(run_set: RunSet) -> Sweep | None:
    """Return the sweep that a set is, with three queries; None for another set."""
    about: dict[str, Any] = run_set.subject or {}
    if about.get("kind") != SWEEP:
        return None
    runs = list(run_set.runs.defer("log", "progress", "profit_parts").order_by("id"))
    if len(runs) != len(about["points"]):  # one was deleted, and which is not known
        return None
    rows = Utilization.objects.filter(run__run_set=run_set, shadow_price__gt=_NOISE)
    limits: dict[int, set[tuple[str, str]]] = {}
    for number_, kind, name in rows.values_list("run_id", "resource_type", "resource").distinct():
        limits.setdefault(number_, set()).add((kind, name))
    points = tuple(
        Point(
            tuple(map(float, at)),
            run,
            frozenset(limits.get(run.pk, ())) if not run.is_open and run.objective is not None else None,
        )
        for at, run in zip(about["points"], runs, strict=True)
    )
    axes = tuple(SweptAxis(a["name"], a["unit"], a["now"], tuple(a["values"])) for a in about["axes"])
    base = run_set.tried_for
    return Sweep(base.objective if base else None, runs[0].currency if runs else "", axes, points)


def value_words(axis: SweptAxis, value: float) -> str:
    """Return a value on an axis in words."""
    return f"{number(value)} {axis.unit}"

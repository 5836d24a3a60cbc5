"""Several runs of one plant side by side: the first one is the base that the others are measured by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from planning.models import Run

from .compared_inputs import ComparedInputs, compared_inputs
from .compared_plans import (
    ComparedGoal,
    ComparedOrder,
    ComparedResource,
    Figure,
    PlanLine,
    StoredRows,
    compared_goals,
    compared_orders,
    compared_resources,
    figures,
    plan_lines,
)

LEAST, MOST = 2, 6
_LARGEST = 2**63 - 1  # number of a run that a database can hold
_NOT_READ = ("log", "progress", "conflict", "warnings", "sizes", "seconds")


class CannotCompare(ValueError):
    """Runs that can't be compared, in words."""


@dataclass(frozen=True)
class ComparedRun:
    """What a run is, beside its figures."""

    number: int
    scenario: str
    variation: Any  # its changes as they are stored; None where it has none
    status: str  # of the plan format
    state: str
    state_words: str
    reason: str
    has_plan: bool
    plan_checked: bool
    created_at: datetime


@dataclass(frozen=True)
class Comparison:
    """Runs side by side; in every tuple by run their order is that of `runs`."""

    plant: str
    plant_id: int
    currency: str
    runs: tuple[ComparedRun, ...]
    inputs: ComparedInputs
    figures: tuple[Figure, ...]
    resources: tuple[ComparedResource, ...]
    periods: tuple[str, ...]  # of the plan
    plan: tuple[PlanLine, ...]
    orders: tuple[ComparedOrder, ...]
    goals: tuple[ComparedGoal, ...]

    def won_and_lost(self, place: int) -> tuple[int, int]:
        """Return how many orders a run delivers in full and on time that the base does not, and the other way round."""
        changes = [order.change(place) for order in self.orders]
        return changes.count("won"), changes.count("lost")


def compare(numbers: Sequence[int], *, among: QuerySet[Run] | None = None) -> Comparison:
    """Return two to six runs of one plant side by side, the first one as the base; `among` those given, or all.

    One query per run for its data, and six for everything else. A run without a plan has its status and no
    numbers. Raises CannotCompare for too few or too many, for one that is not there, and for other plants.
    """
    runs = _runs(numbers, Run.objects.all() if among is None else among)
    rows = StoredRows.of(runs)
    periods, plan = plan_lines(rows)
    return Comparison(
        plant=runs[0].plant.name,
        plant_id=runs[0].plant_id,
        currency=runs[0].currency,
        runs=tuple(_compared(run) for run in runs),
        inputs=compared_inputs(runs),
        figures=tuple(figures(runs, rows)),
        resources=tuple(compared_resources(rows)),
        periods=periods,
        plan=plan,
        orders=tuple(compared_orders(rows)),
        goals=tuple(compared_goals(rows)),
    )


def only_differences(comparison: Comparison) -> Comparison:
    """Return the comparison without what is the same in all runs; the profit stays."""
    return replace(
        comparison,
        figures=tuple(one for one in comparison.figures if one.amounts.differs or one.key == "profit"),
        resources=tuple(one for one in comparison.resources if one.differs),
        plan=tuple(line for line in comparison.plan if line.differs),
        orders=tuple(order for order in comparison.orders if order.differs),
        goals=tuple(goal for goal in comparison.goals if goal.differs),
    )


def _runs(numbers: Sequence[int], among: QuerySet[Run]) -> list[Run]:
    """Return the runs in the order in which they were named. Raises CannotCompare."""
    if len(set(numbers)) != len(numbers):
        raise CannotCompare("A run is named twice. Name each run once.")
    if not LEAST <= len(numbers) <= MOST:
        named = f"{len(numbers)} {'was' if len(numbers) == 1 else 'were'} named"
        raise CannotCompare(f"{LEAST} to {MOST} runs can be compared, and {named}.")
    possible = [number for number in numbers if 0 < number <= _LARGEST]
    found = among.select_related("plant").defer(*_NOT_READ).in_bulk(possible)
    missing = [number for number in numbers if number not in found]
    if missing:
        raise CannotCompare(f"There is no run {', '.join(map(str, missing))}. Choose others from the list of runs.")
    runs = [found[number] for number in numbers]
    if len({run.plant_id for run in runs}) > 1:
        plants = "; ".join(f"run {run.pk} is one of {run.plant.name}" for run in runs)
        raise CannotCompare(f"Only runs of one plant can be compared: {plants}.")
    return runs


def _compared(run: Run) -> ComparedRun:
    return ComparedRun(
        number=run.pk,
        scenario=run.scenario_name,
        variation=run.variation,
        status=run.status,
        state=run.state,
        state_words=str(run.get_state_display()),
        reason=run.reason,
        has_plan=run.objective is not None and not run.is_open,
        plan_checked=run.plan_checked,
        created_at=run.created_at,
    )

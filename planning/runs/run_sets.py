"""Sets of runs: several scenarios of a plant at once, or many variations of one copy.

Each run of a set lives by itself: one that fails does not hold the others, and reconciling treats it as
any other. What is refused is refused before anything is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.db.models.functions import Now

from planning.models import Run, RunSet, Scenario
from planning.snapshot import Change, DataProblems, Hold, Problem, Snapshot

from .copies import CopyTooLarge, load_copy, read_copy, repack, store_copy, store_shared_copy
from .options import RunOptions
from .runners import launch_waiting
from .start import Prepared, SameRun, hold_plant, prepare_run, same_run
from .states import record_queued
from .variations import as_stored, check_all, parse

Answer = Run | DataProblems | CopyTooLarge | SameRun


@dataclass(frozen=True)
class StartedSet:
    """A set that was started: for each that was asked for, in its order, the queued run or why there is none.

    There is no set where there is no run.
    """

    run_set: RunSet | None
    answers: tuple[Answer, ...]

    @property
    def runs(self) -> list[Run]:
        """The new runs in their order."""
        return [answer for answer in self.answers if isinstance(answer, Run)]


@dataclass(frozen=True)
class SetProgress:
    """How far a set is: how many of its runs are in each state that one of them is in."""

    counts: dict[str, int]

    @property
    def total(self) -> int:
        """Number of runs."""
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        """Number of runs that have ended."""
        return self.total - sum(self.counts.get(state, 0) for state in Run.OPEN_STATES)

    @property
    def is_open(self) -> bool:
        """Whether a run has still to end."""
        return self.ended < self.total


def start_set(
    *,
    scenarios: Sequence[Scenario],
    name: str = "",
    about: str = "",
    options: RunOptions | None = None,
    user: Any = None,
    note: str = "",
    here: bool = False,
    hold: Hold | None = None,
) -> StartedSet:
    """Start a run of each of the scenarios, all of one plant; runners execute them after commit, unless `here`.

    `hold` says what each is to keep of an earlier run's plan, `note` what the user wants to remember of each.

    A scenario whose data allow no plan, whose copy is too large, or which a run that is under way solves
    already (not asked with `here`) gets no run, and does not keep the others from theirs.
    """
    if len({scenario.plant_id for scenario in scenarios}) != 1:
        raise ValueError("A set is about one plant. Give scenarios of one plant, at least one.")
    found = [_prepared(scenario, options, hold) for scenario in scenarios]
    with transaction.atomic():
        hold_plant(scenarios[0].plant_id)
        answers: list[Prepared | Answer] = [one if here else _or_same(one) for one in found]
        ready = [one for one in answers if isinstance(one, Prepared)]
        if not ready:
            return StartedSet(None, tuple(answer for answer in answers if not isinstance(answer, Prepared)))
        names = ", ".join(dict.fromkeys(one.scenario.name for one in ready))
        run_set = _new_set(scenarios[0], name or f"{len(ready)} scenarios", about or names, user)
        runs = iter(_store(run_set, [one.new_run(user, note=note) for one in ready], here))
        started = StartedSet(run_set, tuple(next(runs) if isinstance(one, Prepared) else one for one in answers))
        for run, one in zip(started.runs, ready, strict=True):
            store_copy(run, *one.copy)
    return started


def start_variations(
    *,
    scenario: Scenario,
    variations: Sequence[Any],
    name: str = "",
    about: str = "",
    options: RunOptions | None = None,
    user: Any = None,
    here: bool = False,
    hold: Hold | None = None,
) -> StartedSet:
    """Start a run of each variation of the scenario's data as they are now, which all of them share as one copy.

    A variation is a list of changes in the columns of `scenario_changes`, which apply after those of the
    scenario. Raises DataProblems, CopyTooLarge, or BadVariations with the problems of every variation;
    then there is no run at all.
    """
    if not variations:
        raise ValueError("A set has at least one variation.")
    base = prepare_run(scenario, options, hold)
    return _start_all(base, check_all(base.snapshot, variations), name, about, user, here)


def start_variations_of(
    *,
    run: Run,
    variations: Sequence[Any],
    name: str = "",
    about: str = "",
    subject: dict[str, Any] | None = None,
    options: RunOptions | None = None,
    user: Any = None,
    here: bool = False,
) -> StartedSet:
    """Start a run of each variation of the data that a run was solved with, whatever has changed since.

    Their changes apply after those that the run itself has, and their options are its own unless others are given;
    `subject` names what they are tried for. Raises
    what `read_copy` does, or BadVariations with the problems of every variation; then there is no run at all.
    """
    if not variations:
        raise ValueError("A set has at least one variation.")
    data = read_copy(run)
    own = () if run.variation is None else parse(run.variation)
    snapshot = Snapshot(load_copy(data).tables)
    base = Prepared(
        scenario=Scenario(plant_id=run.plant_id, name=run.scenario_name),
        options=options or RunOptions.from_dict(run.options),
        snapshot=snapshot,
        copy=repack(data),
        seconds={},
    )
    found = check_all(snapshot, [(*own, *parse(variation)) for variation in variations])
    return _start_all(base, found, name, about, user, here, tried_for=run, subject=subject)


def _start_all(
    base: Prepared,
    found: Sequence[tuple[tuple[Change, ...], list[Problem]]],
    name: str,
    about: str,
    user: Any,
    here: bool,
    **values: Any,
) -> StartedSet:
    """Store a set of variations of what was prepared, and start its runs; `values` are more columns of the set."""
    of_scenario = [warning for warning in base.snapshot.warnings if warning.table == "scenario_changes"]
    runs = [
        base.new_run(
            user,
            variation=as_stored(changes),
            warnings=[warning.as_dict() for warning in (*of_scenario, *warnings)],
        )
        for changes, warnings in found
    ]
    with transaction.atomic():
        run_set = _new_set(
            base.scenario, name or f"{len(runs)} variations of {base.scenario.name}", about, user, **values
        )
        stored = _store(run_set, runs, here)
        store_shared_copy(run_set, stored, *base.copy)
    return StartedSet(run_set, tuple(stored))


def set_progress(*, run_set: RunSet) -> SetProgress:
    """Return how far the set is, with one query."""
    states = run_set.runs.order_by().values_list("state").annotate(count=Count("pk"))
    counts = dict(states)
    return SetProgress({state: counts[state] for state in Run.State.values if state in counts})


def gather(*, run_set: RunSet) -> list[Run]:
    """Return the runs of the set in the order in which they were asked for."""
    return list(run_set.runs.select_related("plant").order_by("id"))


def _prepared(
    scenario: Scenario, options: RunOptions | None, hold: Hold | None
) -> Prepared | DataProblems | CopyTooLarge:
    try:
        return prepare_run(scenario, options, hold)
    except (DataProblems, CopyTooLarge) as refusal:
        return refusal


def _or_same(found: Prepared | DataProblems | CopyTooLarge) -> Prepared | Answer:
    """Return instead of a prepared run the one that is under way with the same to do, where there is one."""
    same = same_run(found) if isinstance(found, Prepared) else None
    return found if same is None else SameRun(same)


def _new_set(scenario: Scenario, name: str, about: str, user: Any, **values: Any) -> RunSet:
    known = user if user is not None and user.is_authenticated else None
    return RunSet.objects.create(plant_id=scenario.plant_id, name=name[:200], about=about, user=known, **values)


def _store(run_set: RunSet, runs: list[Run], here: bool) -> list[Run]:
    """Store new runs of the set, queued; a runner is told of them after commit, unless `here`."""
    for run in runs:
        run.run_set = run_set
        run.sent_at = Now() if here else None
    stored = Run.objects.bulk_create(runs)
    record_queued(stored, run_set.user.get_username() if run_set.user else None)
    if not here:
        transaction.on_commit(launch_waiting)
    return stored

"""Remedies that were tried: runs of their own from a run's copy, and what each brings once it has ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from planning.models import OrderResult, ProductBalance, Run, RunSet, Scenario
from planning.runs import BadVariations, StartedSet, start_variations_of, variation_changes
from planning.scenarios import new_scenario

from .remedies import Remedy, remedies
from .subjects import KINDS, LATE, NEVER, ORDER, OWED, SHORT, Subject
from .words import number

_NOISE = 1e-6  # relative
_SETS_SHOWN = 10


class NoRemedy(Exception):
    """Nothing that could be tried, in words."""


@dataclass(frozen=True)
class Trial:
    """One remedy with the run that tried it: how much is missing and what is earned, before and after."""

    run: Run
    sentence: str
    missing_before: float  # inf where there is no limit to what could be sold
    missing_after: float | None  # None: it has not ended, or found no plan
    more_got: float | None  # units
    profit_before: float
    profit_after: float | None

    @property
    def helps(self) -> bool:
        """Whether less is missing."""
        return self.more_got is not None and self.more_got > _NOISE * max(1.0, abs(self.more_got))

    @property
    def effect(self) -> str:
        """What it brings, in words."""
        if self.run.is_open:
            return "is being tried"
        if self.profit_after is None or self.more_got is None:
            return f"finds no plan: {self.run.reason or self.run.get_state_display()}"
        gained, currency = self.profit_after - self.profit_before, self.run.currency
        if abs(gained) < 0.005:
            money = "with the same profit"
        else:
            money = f"profit {number(abs(gained))} {currency} {'higher' if gained > 0 else 'lower'}"
        if not self.helps:
            return f"does not help, {money}"
        if self.missing_after is not None and math.isfinite(self.missing_after):
            left = self.missing_after
            less = f"{number(left)} missing" if left > _NOISE else "nothing missing"
            return f"{less} instead of {number(self.missing_before)}, {money}"
        return f"{number(self.more_got)} made, {money}"


@dataclass(frozen=True)
class Trials:
    """All remedies that were tried for one thing that a run leaves undone."""

    run_set: RunSet
    sentence: str
    trials: tuple[Trial, ...]

    @property
    def key(self) -> dict[str, str]:
        """What names the subject, as its own key does."""
        about: dict[str, Any] = self.run_set.subject or {}
        return {name: str(about[name]) for name in ("kind", "row", "period")}

    @property
    def is_open(self) -> bool:
        """Whether one has still to end."""
        return any(trial.run.is_open for trial in self.trials)


def try_remedies(run: Run, subject: Subject, *, user: Any = None, here: bool = False) -> StartedSet:
    """Start a run of each remedy for what the run leaves undone, from the data that it was solved with.

    A remedy that the data do not allow is left out. Raises NoRemedy where none is left, and what
    `start_variations_of` does for a copy that can't be read.
    """
    offered = remedies(run, subject)
    while offered:
        try:
            return _started(run, subject, offered, user, here)
        except BadVariations as wrong:
            offered = [remedy for number_, remedy in enumerate(offered, start=1) if number_ not in wrong.problems]
    raise NoRemedy(f"There is nothing to try for this: {subject.sentence}")


def _started(run: Run, subject: Subject, offered: Sequence[Remedy], user: Any, here: bool) -> StartedSet:
    wanted = None if math.isinf(subject.wanted) else subject.wanted
    kept = {"wanted": wanted, "got": subject.got, "sentence": subject.sentence, "product": subject.product}
    return start_variations_of(
        run=run,
        variations=[remedy.changes for remedy in offered],
        name=f"Remedies for run {run.pk}: {subject.row}",
        about=subject.sentence,
        subject={**subject.key, **kept, "remedies": [remedy.sentence for remedy in offered]},
        user=user,
        here=here,
    )


def trials(run: Run) -> list[Trials]:
    """Return what was tried for a run, the latest first."""
    return [
        _trials(run, run_set)
        for run_set in run.tried_sets.filter(subject__kind__in=KINDS).order_by("-id")[:_SETS_SHOWN]
    ]


def _trials(run: Run, run_set: RunSet) -> Trials:
    about: dict[str, Any] = run_set.subject or {}
    tried = list(run_set.runs.order_by("id"))
    got = _got_by_run(about, [one.pk for one in tried])
    wanted = math.inf if about["wanted"] is None else float(about["wanted"])
    before = float(about["got"])
    found = []
    for one, sentence in zip(tried, about["remedies"], strict=True):
        has_plan = not one.is_open and one.objective is not None
        now = got.get(one.pk, 0.0) if has_plan else None
        found.append(
            Trial(
                run=one,
                sentence=str(sentence),
                missing_before=wanted - before,
                missing_after=None if now is None else max(wanted - now, 0.0),
                more_got=None if now is None else now - before,
                profit_before=float(run.objective or 0.0),
                profit_after=one.objective if has_plan else None,
            )
        )
    return Trials(run_set, str(about["sentence"]), tuple(found))


def _got_by_run(about: dict[str, Any], numbers: list[int]) -> dict[int, float]:
    """Return by run how many units come as they should of what a set was tried for."""
    kind, wanted = about["kind"], about["wanted"]
    if kind in (ORDER, LATE):
        orders = OrderResult.objects.filter(run__in=numbers, reference=about["row"])
        listed = orders.values_list("run_id", "delivered", "late")
        return {run: delivered - (late if kind == LATE else 0.0) for run, delivered, late in listed}
    rows = ProductBalance.objects.filter(run__in=numbers, product=about["product"])
    if kind in (SHORT, OWED):
        column = "short" if kind == SHORT else "backlog"
        at = rows.filter(period=about["period"]).values_list("run_id", column)
        return {run: wanted - amount for run, amount in at}
    column = "made" if kind == NEVER else "sold"
    return dict(rows.order_by().values_list("run_id").annotate(total=Sum(column)))


def make_scenario(trial: Trial, name: str) -> Scenario:
    """Return a new scenario with the changes that were tried, beyond those of the run's scenario.

    Raises NoRemedy where that scenario is gone.
    """
    run = trial.run
    parent = Scenario.objects.filter(plant_id=run.plant_id, name=run.scenario_name).first()
    if parent is None:
        raise NoRemedy(f'The scenario "{run.scenario_name}" is gone, so nothing can be built on it.')
    return new_scenario(parent, name, f"{trial.sentence} (tried in run {run.pk})", variation_changes(run.variation))

"""Retention: ended runs that are old go with their results, copies and moves; what somebody relies on stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Sum, Window
from django.db.models.functions import Length, RowNumber
from django.utils import timezone

from planning.models import Run, RunCopy, RunSet, SetCopy

_TOGETHER = 100  # runs in one transaction, so that nobody waits long for it


@dataclass
class Pruned:
    """What was removed, or what would be: numbers of rows, and the bytes that the copies took."""

    runs: int = 0
    sets: int = 0
    copies: int = 0
    copy_bytes: int = 0

    def __add__(self, other: Pruned) -> Pruned:
        return Pruned(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))


def prune(*, keep_days: float, keep_last: int = 0, copies_only: bool = False, dry_run: bool = False) -> Pruned:
    """Remove old runs that nothing keeps, or only their copies; return what went, or with `dry_run` would go.

    Kept are: what ended within `keep_days`; a run that has not ended; one of a set that has not; the last
    `keep_last` of each scenario, variations counted by themselves; one that another row relies on: an
    approval, or a later run that holds on to its plan. The copy of a set goes with the last run that is
    bound to it, and a set with its last run.

    Raises ValueError or OverflowError for days and numbers that make no sense.
    """
    if keep_days < 0 or keep_last < 0:
        raise ValueError("Days and numbers of runs to keep are 0 or more.")
    since = timezone.now() - timedelta(days=keep_days)
    old = _old_runs(since, keep_last)
    if copies_only:
        old = old.filter(copy__isnull=False)
    gone = Pruned()
    if dry_run:
        gone += _measured(RunCopy.objects.filter(run__in=old.values("pk")))
        gone.runs = 0 if copies_only else old.count()
    else:
        numbers = list(old.values_list("pk", flat=True))
        for start in range(0, len(numbers), _TOGETHER):
            gone += _remove(old.filter(pk__in=numbers[start : start + _TOGETHER]), copies_only)
    return gone + _sweep(old, since, copies_only, dry_run)


def _old_runs(since: datetime, keep_last: int) -> QuerySet[Run]:
    """Return the runs that ended before `since` and that nothing keeps."""
    open_sibling = Run.objects.filter(run_set=OuterRef("run_set"), state__in=Run.OPEN_STATES)
    old = Run.objects.exclude(state__in=Run.OPEN_STATES).filter(finished_at__lt=since).exclude(Exists(open_sibling))
    if keep_last:
        old = old.exclude(pk__in=_last(keep_last))
    for relation in _relations_that_keep():
        rows = relation.related_model._default_manager.filter(**{relation.field.name: OuterRef("pk")})
        old = old.exclude(Exists(rows))
    return old.order_by("id")


def _relations_that_keep() -> Iterator[Any]:
    """Yield the relations to a run whose rows do not go with it."""
    for relation in Run._meta.related_objects:
        if relation.on_delete in (models.PROTECT, models.RESTRICT, models.DO_NOTHING):
            yield relation


def _last(count: int) -> QuerySet[Any, Any]:
    """Return the numbers of the last runs of each scenario."""
    is_variation = ExpressionWrapper(Q(variation__isnull=False), output_field=BooleanField())
    of_one_scenario = [F("plant"), F("scenario_name"), F("is_variation")]
    place = Window(RowNumber(), partition_by=of_one_scenario, order_by=F("id").desc())
    runs = Run.objects.order_by().annotate(is_variation=is_variation).annotate(place=place)
    return runs.filter(place__lte=count).values("pk")


def _remove(old: QuerySet[Run], copies_only: bool) -> Pruned:
    """Remove some runs, or their copies, together."""
    with transaction.atomic():
        numbers = list(old.values_list("pk", flat=True))  # looked at again: something may keep one by now
        copies = RunCopy.objects.filter(run__in=numbers)
        gone = _measured(copies)
        copies.delete()
        if not copies_only:
            gone.runs = len(numbers)
            Run.objects.filter(pk__in=numbers).delete()
    return gone


def _sweep(old: QuerySet[Run], since: datetime, copies_only: bool, dry_run: bool) -> Pruned:
    """Remove copies of sets that no run is bound to any more, and sets without runs; `old` are as good as gone."""
    bound = RunCopy.objects.filter(shared=OuterRef("pk")).exclude(run__in=old.values("pk"))
    unused = SetCopy.objects.filter(~Exists(bound), run_set__created_at__lt=since)
    others = Run.objects.filter(run_set=OuterRef("pk")).exclude(pk__in=old.values("pk"))
    empty = RunSet.objects.filter(~Exists(others), created_at__lt=since)
    with transaction.atomic():
        gone = _measured(unused)
        gone.sets = 0 if copies_only else empty.count()
        if not dry_run:
            unused.delete()
            if not copies_only:
                empty.delete()
    return gone


def _measured(copies: QuerySet[Any]) -> Pruned:
    """Return how many copies there are, and their bytes."""
    return Pruned(copies=copies.count(), copy_bytes=copies.aggregate(sum=Sum(Length("content")))["sum"] or 0)

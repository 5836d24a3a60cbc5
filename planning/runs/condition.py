"""The condition of the site as runs see it: what answers, who works, what waits. Everything is asked, nothing moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils import timezone

from planning.models import Run

from .states import SILENCE, State, silent

RECENT = timedelta(hours=1)
MOST_RECENT = 1000  # runs that are looked at for the seconds of their legs
LEGS = ("read", "build", "solve", "write")


@dataclass(frozen=True)
class Workload:
    """What waits and what is under way, by the database: every process of the site sees the same."""

    by_state: dict[str, int]
    waiting: dict[str, int]  # by lane: short, long
    oldest_waiting_seconds: float  # 0 where nothing waits
    silent: int  # runs under way without a sign of life


@dataclass(frozen=True)
class Lately:
    """The runs that ended in the last hour, at most 1,000 of them."""

    ended: dict[str, int]  # by state
    retried: int  # needed more than one attempt
    seconds: dict[str, list[float]] = field(default_factory=dict)  # by leg, sorted


@dataclass(frozen=True)
class Workers:
    """The workers of the queue that gave a sign of life."""

    idle: int
    busy: int


def workload() -> Workload:
    """Return what waits and what is under way, in two queries."""
    by_state = dict(Run.objects.order_by().values_list("state").annotate(Count("pk")))
    is_short = Q(options__time_limit__lte=settings.PLANNING["SHORT_RUN_SECONDS"])
    queued = Q(state=State.QUEUED)
    found: dict[str, Any] = Run.objects.filter(state__in=Run.OPEN_STATES).aggregate(
        short=Count("pk", filter=queued & is_short),
        all=Count("pk", filter=queued),
        oldest=Min("created_at", filter=queued),
        silent=Count("pk", filter=silent()),
    )
    oldest: datetime | None = found["oldest"]
    return Workload(
        by_state={state: by_state.get(state, 0) for state in Run.State.values},
        waiting={"short": found["short"], "long": found["all"] - found["short"]},
        oldest_waiting_seconds=max((timezone.now() - oldest).total_seconds(), 0.0) if oldest else 0.0,
        silent=found["silent"],
    )


def lately() -> Lately:
    """Return what the runs were that ended in the last hour, in one query whose cost does not grow with the runs."""
    newest = Run.objects.order_by("-pk").values_list("state", "attempt", "finished_at", "seconds")[:MOST_RECENT]
    since = timezone.now() - RECENT
    ended = [run for run in newest if run[2] is not None and run[2] > since]
    states = [state for state, *_ in ended]
    return Lately(
        ended={state: states.count(state) for state in Run.State.values if state not in Run.OPEN_STATES},
        retried=sum(attempt > 1 for _, attempt, _, _ in ended),
        seconds={leg: sorted(float(run[3][leg]) for run in ended if leg in run[3]) for leg in LEGS},
    )


def workers() -> Workers:
    """Return how many workers of the queue live. Raises redis.exceptions.RedisError."""
    from .queue import signs_of_life

    now = timezone.now()
    alive = [busy for at, busy in signs_of_life() if abs(now - at) < timedelta(seconds=SILENCE)]
    return Workers(idle=alive.count(False), busy=alive.count(True))

"""`/metrics`: the site's figures as Prometheus reads them.

All of them come from the database and the queue, with a fixed number of questions, so it does not matter
which process or host is asked. What can fall (runs that are removed, a busy hour that passed) is a gauge.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError

from planning.runs.condition import Lately, Workers, Workload, lately, workers, workload

from .readiness import uses_queue
from .rights import may_see_figures

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_QUANTILES = (0.5, 0.95, 1.0)
Sample = tuple[dict[str, Any], float]


def metrics(request: HttpRequest) -> HttpResponse:
    """Show the figures to holders of the monitoring token, and to staff who may see runs."""
    if not may_see_figures(request):
        words = "The figures are for holders of MONITORING_TOKEN, and for staff who may see runs.\n"
        refused = HttpResponse(words, content_type="text/plain", status=403 if request.user.is_authenticated else 401)
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    try:
        lines = list(_of_runs(workload(), lately()))
    except DatabaseError:
        return HttpResponse("The database does not answer.\n", content_type="text/plain", status=503)
    if uses_queue():
        try:
            lines += _of_workers(workers())
        except (RedisError, OSError):
            lines += _of_workers(None)
    response = HttpResponse("\n".join(lines) + "\n", content_type=_CONTENT_TYPE)
    response["Cache-Control"] = "no-store"
    return response


def _of_runs(load: Workload, hour: Lately) -> Iterator[str]:
    yield from _gauge("runs", "Stored runs by state.", [({"state": s}, n) for s, n in load.by_state.items()])
    yield from _gauge("runs_waiting", "Runs that wait, by lane.", [({"lane": q}, n) for q, n in load.waiting.items()])
    yield from _gauge(
        "oldest_waiting_seconds", "Since the oldest run that waits was started.", [({}, load.oldest_waiting_seconds)]
    )
    yield from _gauge("runs_silent", "Runs under way without a sign of life.", [({}, load.silent)])
    yield from _gauge(
        "runs_ended_last_hour", "Runs that ended in the last hour.", [({"state": s}, n) for s, n in hour.ended.items()]
    )
    yield from _gauge("runs_retried_last_hour", "Of these, with more than one attempt.", [({}, hour.retried)])
    seconds = [
        ({"leg": leg, "quantile": q}, found[min(int(q * len(found)), len(found) - 1)])
        for leg, found in hour.seconds.items()
        for q in _QUANTILES
        if found
    ]
    yield from _gauge("leg_seconds_last_hour", "Seconds of each leg of these runs (1.0: the longest).", seconds)


def _of_workers(alive: Workers | None) -> Iterator[str]:
    yield from _gauge("queue_up", "Whether the queue answers.", [({}, int(alive is not None))])
    if alive is not None:
        counts: list[Sample] = [({"state": "idle"}, alive.idle), ({"state": "busy"}, alive.busy)]
        yield from _gauge("workers", "Workers that gave a sign of life.", counts)


def _gauge(name: str, text: str, samples: list[Sample]) -> Iterator[str]:
    """Return the lines of one figure. Labels hold our own words only, so nothing needs escaping."""
    yield f"# HELP planner_{name} {text}"
    yield f"# TYPE planner_{name} gauge"
    for labels, value in samples:
        said = ",".join(f'{label}="{word}"' for label, word in labels.items())
        yield f"planner_{name}{f'{{{said}}}' if said else ''} {float(value):.10g}"

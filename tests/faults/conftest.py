"""A site whose processes die where a test says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django_rq import settings as rq_settings

from planning.models import Plant, Run
from planning.runs import RunOptions, start_run
from tests.factories import make_furniture
from tests.faults.nursery import Nursery, until
from tests.formulation.small_plants import baseline
from tests.private_redis import PrivateRedis


@pytest.fixture(scope="session")
def the_nursery(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    nursery = Nursery(tmp_path_factory.mktemp("nursery"))
    yield nursery
    nursery.close()


@pytest.fixture
def nursery(the_nursery: Nursery, settings: Any) -> Iterator[Nursery]:
    """Return a nursery; at the end of the test nobody may be left in it. Nothing of the site starts by itself."""
    settings.PLANNING = settings.PLANNING | {"LOCAL_RUNS": 0}
    yield the_nursery
    try:
        until(the_nursery.empty, "the end of all processes", seconds=20)
    finally:
        the_nursery.queue = ""
        the_nursery.clear()


@pytest.fixture
def furniture(nursery: Nursery, transactional_db: None) -> Plant:
    """Return the furniture workshop."""
    return make_furniture()


@pytest.fixture
def run(furniture: Plant) -> Run:
    """Return a queued run of the furniture workshop, which no runner was told of."""
    return start_run(baseline(furniture), RunOptions(time_limit=60), here=True)


# --- a queue --------------------------------------------------------------------------------


@pytest.fixture
def redis(nursery: Nursery, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateRedis]:
    """Return the Redis of a site whose runs go through a queue; it does not run yet."""
    server = PrivateRedis()
    for name, queue in rq_settings.QUEUES.items():
        monkeypatch.setitem(rq_settings.QUEUES, name, queue | {"URL": server.url})
    settings.PLANNING = settings.PLANNING | {"RUNNER": "rq"}
    nursery.queue = server.url
    yield server
    nursery.clear()
    server.kill()


@pytest.fixture
def queue(redis: PrivateRedis) -> PrivateRedis:
    """Return the running Redis of a site whose runs go through a queue."""
    redis.start()
    return redis


@pytest.fixture
def sent(queue: PrivateRedis, furniture: Plant) -> Run:
    """Return a run of the furniture workshop that waits in the queue."""
    return start_run(baseline(furniture), RunOptions(time_limit=60))

"""A site that programs ask about its condition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django_rq import settings as rq_settings

from planning.api import readiness
from tests.private_redis import PrivateRedis

TOKEN = "0123456789-0123456789"


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each question be answered anew."""
    monkeypatch.setattr(readiness, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(readiness, "_last", None)


@pytest.fixture
def token(settings: Any) -> dict[str, str]:
    """Return the headers of a monitor."""
    settings.MONITORING_TOKEN = TOKEN
    return {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateRedis]:
    """Return the Redis of a site whose runs go through a queue; it does not run yet."""
    server = PrivateRedis()
    for name, queue in rq_settings.QUEUES.items():
        monkeypatch.setitem(rq_settings.QUEUES, name, queue | {"URL": server.url})
    settings.PLANNING = settings.PLANNING | {"RUNNER": "rq"}
    yield server
    server.kill()


@pytest.fixture
def queue(redis: PrivateRedis) -> PrivateRedis:
    """Return that Redis, running."""
    redis.start()
    return redis

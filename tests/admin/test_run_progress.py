"""What the page of an open run shows while it waits and runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_rq import settings as rq_settings

from planning.admin.run_state import NO_WORKER
from planning.models import Plant, Run
from tests.factories import make_run, make_solved_run
from tests.private_redis import PrivateRedis

TRAIL = [[0.5, None, 900.0], [1.25, 700.0, 900.0], [4.0, 800.0, 850.0]]


def state_of(client: Client, run: Run) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(reverse("admin:planning_run_state", args=[run.pk])).json()
    return answer


def page_of(client: Client, run: Run) -> str:
    return client.get(reverse("admin:planning_run_change", args=[run.pk])).content.decode()


def stages_of(client: Client, run: Run) -> list[tuple[str, str]]:
    return [(stage["words"], stage["standing"]) for stage in state_of(client, run)["stages"]]


def test_the_stages_follow_the_run(viewer: Client, plant: Plant) -> None:
    make_run(plant)
    run = make_run(plant)
    assert stages_of(viewer, run) == [
        ("Data checked", "done"),
        ("Queued, place 2", "now"),
        ("Running", "next"),
        ("Writing the plan", "next"),
    ]
    Run.objects.filter(pk=run.pk).update(state="running", started_at=timezone.now(), heartbeat_at=timezone.now())
    assert [standing for _, standing in stages_of(viewer, run)] == ["done", "done", "now", "next"]
    Run.objects.filter(pk=run.pk).update(state="stopping")
    assert stages_of(viewer, run)[2] == ("Stopping", "now")
    Run.objects.filter(pk=run.pk).update(progress={"stage": "writing"})
    assert stages_of(viewer, run)[3] == ("Writing the plan", "now")
    Run.objects.filter(pk=run.pk).update(state="solved", finished_at=timezone.now())
    assert {standing for _, standing in stages_of(viewer, run)} == {"done"}


def test_time_and_trail_are_told(viewer: Client, plant: Plant) -> None:
    started = timezone.now() - timedelta(seconds=30)
    run = make_run(
        plant,
        state="running",
        started_at=started,
        options={"time_limit": 120.0},
        progress={"trail": TRAIL, "best": 800.0},
    )
    answer = state_of(viewer, run)
    assert answer["limit"] == 120.0
    assert 30 <= answer["spent"] < 60
    assert answer["trail"] == TRAIL
    page = page_of(viewer, run)
    assert "data-run-chart" in page
    assert 'max="120.0"' in page


def test_the_trail_is_shown_after_the_run_too(viewer: Client, plant: Plant) -> None:
    page = page_of(viewer, make_solved_run(plant, progress={"stage": "writing", "trail": TRAIL}))
    assert "How the plan was found" in page
    assert "[4.0, 800.0, 850.0]" in page
    assert "How the plan was found" not in page_of(viewer, make_solved_run(plant, progress={"trail": TRAIL[:1]}))


def test_a_queue_without_workers_is_said_plainly(viewer: Client, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    queued, running = make_run(plant), make_run(plant, state="running")
    assert state_of(viewer, queued)["stuck"] == ""
    with PrivateRedis().running() as redis:
        for name, queue in rq_settings.QUEUES.items():
            monkeypatch.setitem(rq_settings.QUEUES, name, {**queue, "URL": redis.url})
        monkeypatch.setitem(settings.PLANNING, "RUNNER", "rq")
        assert state_of(viewer, queued)["stuck"] == NO_WORKER
        assert "No worker is running" in page_of(viewer, queued)
        assert state_of(viewer, running)["stuck"] == ""


def test_progress_takes_the_same_queries_however_many_wait(
    viewer: Client, plant: Plant, django_assert_num_queries: Any
) -> None:
    run = make_run(plant)
    with django_assert_num_queries(9):
        state_of(viewer, run)
    Run.objects.bulk_create(Run(plant=plant, scenario_name="Baseline", currency="USD") for _ in range(20))
    with django_assert_num_queries(9):
        state_of(viewer, run)

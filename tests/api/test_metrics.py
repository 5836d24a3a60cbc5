"""`/metrics`: the figures, as Prometheus reads them, and who may see them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from planning.models import Run
from tests.api.test_probes import register_worker
from tests.factories import make_plant, make_run, make_user, make_viewer
from tests.private_redis import PrivateRedis

pytestmark = pytest.mark.django_db
LINE = re.compile(r'(planner_\w+)(\{(?:\w+="[^"\\\n]*",?)+\})? (-?[0-9.e+-]+)')


def figures(headers: dict[str, str]) -> dict[str, float]:
    """Return each figure by its name and labels; every line is one of the text format's."""
    response = Client().get("/metrics", headers=headers)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = response.content.decode()
    assert text.endswith("\n")
    found: dict[str, float] = {}
    typed: set[str] = set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            assert line.endswith(" gauge")
            typed.add(line.split()[2])
        if not line.startswith("#"):
            matched = LINE.fullmatch(line)
            assert matched, line
            assert matched[1] in typed
            assert matched[1] + (matched[2] or "") not in found
            found[matched[1] + (matched[2] or "")] = float(matched[3])
    return found


def end(run: Run, state: str, **fields: Any) -> None:
    Run.objects.filter(pk=run.pk).update(state=state, finished_at=timezone.now(), **fields)


class TestWhoMaySeeThem:
    def test_strangers_may_not(self, client: Client) -> None:
        response = client.get("/metrics")
        assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
        assert b"planner_" not in response.content

    @pytest.mark.parametrize("given", ["Bearer ", "Bearer wrong", "", "Basic 0123456789-0123456789"])
    def test_a_wrong_token_does_not_open(self, given: str, token: dict[str, str]) -> None:
        assert Client().get("/metrics", headers={"Authorization": given}).status_code == 401

    def test_a_site_without_a_token_has_none(self, settings: Any) -> None:
        settings.MONITORING_TOKEN = ""
        assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401

    def test_staff_need_the_right_to_see_runs(self, client: Client) -> None:
        client.force_login(make_user("clerk", "view_plant"))
        assert client.get("/metrics").status_code == 403
        client.force_login(make_viewer())
        assert client.get("/metrics").status_code == 200

    def test_who_is_not_staff_may_not(self, client: Client) -> None:
        client.force_login(User.objects.create_user("customer", is_superuser=True))
        assert client.get("/metrics").status_code == 403


class TestFigures:
    def test_an_empty_site(self, token: dict[str, str]) -> None:
        found = figures(token)
        assert found['planner_runs{state="solved"}'] == 0
        assert found["planner_oldest_waiting_seconds"] == 0
        assert not any("leg_seconds" in name for name in found)

    def test_runs_by_state_and_lane(self, token: dict[str, str]) -> None:
        plant = make_plant()
        for limit in (10.0, 20.0, 600.0):
            make_run(plant, options={"time_limit": limit})
        make_run(plant, state="running")
        end(make_run(plant, attempt=2), "solved")
        end(make_run(plant), "failed")
        found = figures(token)
        assert found['planner_runs{state="queued"}'] == 3
        assert found['planner_runs_waiting{lane="short"}'] == 2
        assert found['planner_runs_waiting{lane="long"}'] == 1
        assert found['planner_runs{state="running"}'] == 1
        assert found['planner_runs_ended_last_hour{state="solved"}'] == 1
        assert found['planner_runs_ended_last_hour{state="failed"}'] == 1
        assert found["planner_runs_retried_last_hour"] == 1
        assert found["planner_runs_silent"] == 0

    def test_seconds_by_leg(self, token: dict[str, str]) -> None:
        plant = make_plant()
        for solve in (1.0, 2.0, 9.0):
            end(make_run(plant, seconds={"read": 0.25, "solve": solve}), "solved")
        found = figures(token)
        assert found['planner_leg_seconds_last_hour{leg="solve",quantile="0.5"}'] == 2
        assert found['planner_leg_seconds_last_hour{leg="solve",quantile="1.0"}'] == 9
        assert found['planner_leg_seconds_last_hour{leg="read",quantile="0.95"}'] == 0.25

    def test_the_number_of_queries_does_not_grow_with_the_runs(self, token: dict[str, str]) -> None:
        plant = make_plant()
        counts = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as captured:
                figures(token)
            counts.append(len(captured))
            for _ in range(20):
                end(make_run(plant), "solved")
        assert counts == [3, 3]

    def test_workers_of_the_queue(self, token: dict[str, str], queue: PrivateRedis) -> None:
        register_worker(queue)
        found = figures(token)
        assert found["planner_queue_up"] == 1
        assert found['planner_workers{state="idle"}'] == 1

    def test_without_the_queue_the_rest_is_shown(self, token: dict[str, str], redis: PrivateRedis) -> None:
        found = figures(token)
        assert found["planner_queue_up"] == 0
        assert not any("workers" in name for name in found)

"""Stopping a run from its page: a right of its own, once to keep the best plan, twice to abort."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from planning.models import Run
from planning.runs import start_run
from planning.runs.states import move
from tests.factories import make_furniture
from tests.formulation.small_plants import baseline

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> Run:
    return start_run(baseline(make_furniture()), here=True)


def client_with(*rights: str) -> Client:
    user = User.objects.create_user("anna", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


def press(client: Client, run: Run) -> int:
    return client.post(reverse("admin:planning_run_stop", args=[run.pk])).status_code


def test_a_waiting_run_is_cancelled(run: Run) -> None:
    assert press(client_with("view_run", "stop_run"), run) == 302
    run.refresh_from_db()
    assert (run.state, run.reason) == ("stopped", "Stopped by anna before it began.")
    assert [(move.state, move.who) for move in run.moves.all()][-1] == ("stopped", "anna")


def test_once_keeps_the_plan_and_twice_aborts(run: Run) -> None:
    move(run.pk, 1, ("queued",), "running")
    client = client_with("view_run", "stop_run")
    page = reverse("admin:planning_run_change", args=[run.pk])
    assert "Stop and keep the best plan" in client.get(page).content.decode()
    press(client, run)
    run.refresh_from_db()
    assert (run.state, run.stop_requests) == ("stopping", 1)
    assert "Abort without a plan" in client.get(page).content.decode()
    press(client, run)
    press(client, run)
    run.refresh_from_db()
    assert (run.state, run.stop_requests) == ("stopping", 2)


def test_an_ended_run_stays_as_it_is(run: Run) -> None:
    move(run.pk, 1, ("queued",), "stopped", reason="before")
    press(client_with("view_run", "stop_run"), run)
    run.refresh_from_db()
    assert (run.state, run.reason) == ("stopped", "before")


def test_without_the_right_there_is_no_button_and_no_way(run: Run) -> None:
    client = client_with("view_run")
    assert press(client, run) == 403
    assert "Cancel run" not in client.get(reverse("admin:planning_run_change", args=[run.pk])).content.decode()
    assert press(Client(), run) == 302  # to the login
    run.refresh_from_db()
    assert run.state == "queued"


def test_a_link_can_not_stop_it(run: Run) -> None:
    client = client_with("view_run", "stop_run")
    assert client.get(reverse("admin:planning_run_stop", args=[run.pk])).status_code == 405


def test_the_page_says_where_it_stands(run: Run) -> None:
    client = client_with("view_run")
    address = reverse("admin:planning_run_state", args=[run.pk])
    assert client.get(address).json()["standing"] == "It is the next one."
    move(run.pk, 1, ("queued",), "running")
    Run.objects.update(progress={"stage": "running", "best": 90.0, "bound": 100.0})
    said = client.get(address).json()["standing"]
    assert "Best plan so far: 90.00 USD; no plan earns more than 100.00 USD (gap 11.11" in said, said

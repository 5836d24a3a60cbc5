"""The first page: the plants, the latest runs, and what to do when there is nothing yet."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from planning.models import Plant
from tests.factories import make_solved_run, make_user


def overview(client: Client) -> str:
    response = client.get(reverse("admin:index"))
    assert response.status_code == 200
    return response.content.decode()


def test_without_a_plant_it_says_what_to_do_next(planner: Client, viewer: Client, db: None) -> None:
    page = overview(planner)
    assert "make demo" in page
    assert "manage.py import_plan FILE" in page
    assert reverse("admin:planning_plant_add") in page
    assert reverse("admin:planning_plant_add") not in overview(viewer)


def test_it_shows_the_latest_runs_and_runs_a_plant_in_one_step(planner: Client, plant: Plant) -> None:
    run = make_solved_run(plant)
    page = overview(planner)
    assert reverse("admin:planning_run_change", args=[run.pk]) in page
    assert "2,735.71 USD" in page
    assert f"{reverse('admin:planning_scenario_run')}?scenario={plant.scenarios.get().pk}" in page


def test_a_viewer_sees_no_button(viewer: Client, plant: Plant) -> None:
    assert "Run Baseline" not in overview(viewer)


def test_it_shows_only_what_the_user_may_see(client: Client, plant: Plant) -> None:
    make_solved_run(plant)
    client.force_login(make_user("clerk", "view_product"))
    page = overview(client)
    assert plant.name not in page
    assert "2,735.71 USD" not in page
    assert "Ask an administrator" in page
    assert reverse("admin:planning_product_changelist") in page
    assert reverse("admin:planning_machine_changelist") not in page


def test_the_login_leads_to_it(client: Client, db: None) -> None:
    make_user("ann")
    page = client.get(reverse("admin:login"))
    assert f'name="next" value="{reverse("admin:index")}"' in page.content.decode()
    sent = {"username": "ann", "password": "secret", "next": page.context["next"]}
    assert client.post(reverse("admin:login"), sent)["Location"] == reverse("admin:index")

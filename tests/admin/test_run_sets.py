"""Sets of runs in the admin: started from the list of scenarios, looked at and stopped by whom may."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from planning.models import Plant, Run, RunSet
from planning.runs import execute, gather, start_variations
from planning.runs.states import move
from tests.factories import make_user
from tests.formulation.small_plants import baseline

OPTIONS = {"time_limit": "60", "gap": "0.01", "solver": "highs"}
WOOD = {"table": "raw_materials", "row": "Wood", "field": "available_quantity"}


@pytest.fixture(autouse=True)
def _nothing_starts_by_itself(settings: Any) -> None:
    settings.PLANNING = settings.PLANNING | {"LOCAL_RUNS": 0}


@pytest.fixture
def run_set(plant: Plant) -> RunSet:
    """Return a set of three variations that wait; the third has too little wood for any plan."""
    variations = [[WOOD | {"value": value}] for value in (500, 450, 5)]
    found = start_variations(
        scenario=baseline(plant), variations=variations, name="Wood <b>", about="What is wood worth?", here=True
    )
    assert found.run_set is not None
    return found.run_set


def client_with(*rights: str) -> Client:
    user = User.objects.create_user("anna", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


def url(name: str, run_set: RunSet) -> str:
    return reverse(f"admin:planning_runset_{name}", args=[run_set.pk])


def page(client: Client, run_set: RunSet) -> str:
    response = client.get(url("change", run_set))
    assert response.status_code == 200
    return response.content.decode()


def execute_all(run_set: RunSet) -> None:
    for run in gather(run_set=run_set):
        execute(run.pk, run.attempt)


class TestStarting:
    def chosen(self, plant: Plant) -> dict[str, Any]:
        more = plant.scenarios.create(name="More wood")
        more.scenario_changes.create(**WOOD, value=600)
        return {"action": "run_scenario", "_selected_action": [baseline(plant).pk, more.pk]}

    def test_several_scenarios_are_run_as_a_set(
        self, planner: Client, plant: Plant, django_capture_on_commit_callbacks: Any
    ) -> None:
        response = planner.post(reverse("admin:planning_scenario_changelist"), self.chosen(plant))
        with django_capture_on_commit_callbacks(execute=True):
            answer = planner.post(response["Location"], OPTIONS)
        (run_set,) = RunSet.objects.all()
        assert answer["Location"] == url("change", run_set)
        assert str(run_set.user) == "planner"
        assert [run.scenario_name for run in gather(run_set=run_set)] == ["Baseline", "More wood"]
        execute_all(run_set)
        assert [run.state for run in gather(run_set=run_set)] == ["solved", "solved"]

    def test_the_lists_action_is_for_whom_may_run(self, client: Client, viewer: Client, plant: Plant) -> None:
        chosen = self.chosen(plant)
        scenarios = reverse("admin:planning_scenario_changelist")
        assert "Run scenarios" not in viewer.get(scenarios).content.decode()
        viewer.post(scenarios, chosen)
        client.force_login(make_user("editor", "view_scenario", "change_scenario"))
        client.post(scenarios, chosen)
        address = f"{reverse('admin:planning_scenario_run')}?scenario={baseline(plant).pk}&scenario=2"
        assert client.post(address, OPTIONS).status_code == 403
        assert not RunSet.objects.exists()

    def test_one_that_is_refused_is_said_beside_those_that_were_started(self, planner: Client, plant: Plant) -> None:
        bad = plant.scenarios.create(name="Bad")
        bad.scenario_changes.create(**WOOD | {"row": "Woot"})
        address = f"{reverse('admin:planning_scenario_run')}?scenario={bad.pk}&scenario={baseline(plant).pk}"
        said = planner.post(address, OPTIONS).content.decode()
        assert "Did you mean: Wood?" in said
        assert "of Baseline</a>" in said
        assert Run.objects.get().scenario_name == "Baseline"

    def test_pressed_twice_it_starts_no_second_set(self, planner: Client, plant: Plant) -> None:
        other = plant.scenarios.create(name="Other")
        address = f"{reverse('admin:planning_scenario_run')}?scenario={other.pk}&scenario={baseline(plant).pk}"
        first, second = planner.post(address, OPTIONS), planner.post(address, OPTIONS, follow=True)
        assert RunSet.objects.count() == 1
        assert second.redirect_chain == [(first["Location"], 302)]
        assert "no second one was started" in second.content.decode()


class TestLooking:
    def test_the_list_counts_the_runs(self, viewer: Client, run_set: RunSet) -> None:
        execute(gather(run_set=run_set)[0].pk, 1)
        shown = viewer.get(reverse("admin:planning_runset_changelist")).content.decode()
        assert "Wood &lt;b&gt;" in shown
        assert re.findall(r'class="pl-number">(\d+)<', shown) == ["3", "1"]

    def test_a_longer_list_takes_no_more_queries(self, viewer: Client, run_set: RunSet, plant: Plant) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as asked:
                viewer.get(reverse("admin:planning_runset_changelist"))
            return len(asked)

        queries()
        few = queries()
        RunSet.objects.bulk_create(RunSet(plant=plant, name=f"Set {number}") for number in range(20))
        assert queries() == few

    def test_the_page_shows_its_runs_and_what_differs(self, viewer: Client, run_set: RunSet) -> None:
        execute_all(run_set)
        shown = page(viewer, run_set)
        assert "What is wood worth?" in shown
        assert "3 of 3 runs have ended: 2 solved, 1 infeasible." in shown
        assert "raw_materials Wood: available_quantity = 450" in shown
        assert "2,735.71 USD" in shown
        for run in gather(run_set=run_set):
            assert reverse("admin:planning_run_change", args=[run.pk]) in shown
        assert "run.js" not in shown

    def test_more_runs_take_no_more_queries(self, viewer: Client, run_set: RunSet) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as asked:
                page(viewer, run_set)
            return len(asked)

        queries()
        few = queries()
        first = gather(run_set=run_set)[0]
        for _ in range(10):
            first.pk = None
            first._state.adding = True
            first.save()
        assert queries() == few

    def test_the_page_of_a_run_names_its_set(self, viewer: Client, run_set: RunSet) -> None:
        run = gather(run_set=run_set)[1]
        address = reverse("admin:planning_run_change", args=[run.pk])
        shown = viewer.get(address).content.decode()
        assert f'<a href="{url("change", run_set)}">Set {run_set.pk}: Wood &lt;b&gt;</a>' in shown
        assert "raw_materials Wood: available_quantity = 450" in shown
        assert url("change", run_set) not in client_with("view_run").get(address).content.decode()

    def test_an_open_page_asks_one_address(self, viewer: Client, run_set: RunSet) -> None:
        assert url("state", run_set) in page(viewer, run_set)
        state = viewer.get(url("state", run_set)).json()
        assert (state["open"], state["standing"]) == (True, "0 of 3 runs have ended: 3 queued.")
        execute_all(run_set)
        state = viewer.get(url("state", run_set)).json()
        assert (state["open"], state["label"], state["stop"]) == (False, "Ended", "")

    def test_whoever_looks_sets_silent_runs_going(self, viewer: Client, run_set: RunSet) -> None:
        first, second, _ = gather(run_set=run_set)
        for run in (first, second):
            move(run.pk, 1, ("queued",), "running")
        Run.objects.filter(pk=second.pk).update(heartbeat_at="2026-01-01T00:00:00Z")
        viewer.get(url("state", run_set))
        assert [(run.state, run.attempt) for run in gather(run_set=run_set)] == [
            ("running", 1),
            ("queued", 2),
            ("queued", 1),
        ]

    def test_whom_it_is_not_for(self, run_set: RunSet) -> None:
        stranger = client_with("view_run")
        for name in ("change", "state"):
            assert stranger.get(url(name, run_set)).status_code == 403
            assert Client().get(url(name, run_set)).status_code == 302
        assert stranger.get(reverse("admin:planning_runset_changelist")).status_code == 403

    @pytest.mark.parametrize("number", ["0", "999999", "x", "9" * 30])
    def test_one_that_is_not_there(self, viewer: Client, number: str) -> None:
        address = reverse("admin:planning_runset_changelist") + f"{number}/change/"
        assert viewer.get(address).status_code == 404

    def test_nobody_adds_or_edits_one(self, admin: Client, run_set: RunSet) -> None:
        assert admin.get(reverse("admin:planning_runset_add")).status_code == 403
        assert admin.post(url("change", run_set), {"name": "Other"}).status_code == 405
        run_set.refresh_from_db()
        assert run_set.name == "Wood <b>"


class TestStopping:
    def test_it_is_stopped(self, run_set: RunSet) -> None:
        client = client_with("view_run", "view_runset", "stop_run")
        first = gather(run_set=run_set)[0]
        move(first.pk, 1, ("queued",), "running")
        assert "Stop and keep the best plans" in page(client, run_set)
        assert client.post(url("stop", run_set))["Location"] == url("change", run_set)
        assert [run.state for run in gather(run_set=run_set)] == ["stopping", "stopped", "stopped"]
        assert "Abort without plans" in page(client, run_set)
        client.post(url("stop", run_set))
        first.refresh_from_db()
        assert first.stop_requests == 2
        assert 'type="submit" data-run-stop' not in page(client, run_set)

    def test_without_the_right_there_is_no_button_and_no_way(self, run_set: RunSet) -> None:
        client = client_with("view_run", "view_runset")
        assert "data-run-stop>" not in page(client, run_set)
        assert client.post(url("stop", run_set)).status_code == 403
        assert {run.state for run in gather(run_set=run_set)} == {"queued"}

    def test_who_may_stop_but_not_look_can_not(self, run_set: RunSet) -> None:
        assert client_with("stop_run").post(url("stop", run_set)).status_code == 403

    def test_a_link_can_not_stop_it(self, run_set: RunSet) -> None:
        assert client_with("view_runset", "stop_run").get(url("stop", run_set)).status_code == 405

    def test_an_ended_one_stays_as_it_is(self, run_set: RunSet) -> None:
        execute_all(run_set)
        client = client_with("view_run", "view_runset", "stop_run")
        answer = client.post(url("stop", run_set), follow=True)
        assert "had ended before" in answer.content.decode()
        assert [run.state for run in gather(run_set=run_set)] == ["solved", "solved", "infeasible"]


class TestDeleting:
    def test_an_open_one_is_kept(self, admin: Client, run_set: RunSet) -> None:
        assert "it has not ended yet" in admin.get(url("delete", run_set)).content.decode()
        admin.post(url("delete", run_set), {"post": "yes"})
        assert RunSet.objects.exists()

    def test_an_ended_one_goes_with_its_runs(self, admin: Client, run_set: RunSet) -> None:
        execute_all(run_set)
        assert url("delete", run_set) in page(admin, run_set)
        admin.post(url("delete", run_set), {"post": "yes"})
        assert not RunSet.objects.exists()
        assert not Run.objects.exists()

    def test_not_without_the_right_to_delete_its_runs(self, run_set: RunSet) -> None:
        execute_all(run_set)
        client_with("view_runset", "delete_runset").post(url("delete", run_set), {"post": "yes"})
        assert RunSet.objects.exists()

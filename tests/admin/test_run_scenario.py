"""Run scenario: who may, what is asked, what is started, and what is said when the data allow no plan."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from planning.admin.run_scenario import RunOptionsForm, refusal
from planning.models import BASELINE, Plant, Run, RunSet, Scenario
from planning.snapshot import DataProblems, Problem
from tests.factories import make_furniture, make_user

OPTIONS = {"time_limit": "60", "gap": "0.5", "solver": "highs"}


@pytest.fixture(autouse=True)
def nothing_is_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs be started and wait: there is no room for a process that would execute them."""
    monkeypatch.setitem(settings.PLANNING, "LOCAL_RUNS", 0)


def run_url(*scenarios: Scenario) -> str:
    query = "&".join(f"scenario={scenario.pk}" for scenario in scenarios)
    return f"{reverse('admin:planning_scenario_run')}?{query}"


def test_the_scenarios_page_has_the_button(planner: Client, viewer: Client, plant: Plant) -> None:
    scenario = plant.scenarios.get()
    page = reverse("admin:planning_scenario_change", args=[scenario.pk])
    action = reverse("admin:planning_scenario_run_this_scenario", args=[scenario.pk])
    assert action in planner.get(page).content.decode()
    assert planner.get(action)["Location"] == run_url(scenario)
    assert action not in viewer.get(page).content.decode()


def test_it_asks_before_it_runs(planner: Client, plant: Plant) -> None:
    response = planner.get(run_url(plant.scenarios.get()))
    assert response.status_code == 200
    assert response.context["form"].initial == {"time_limit": 300.0, "gap": 0.01, "solver": "highs"}
    assert not Run.objects.exists()


def test_it_starts_a_run_with_the_options_and_goes_to_its_page(planner: Client, plant: Plant) -> None:
    response = planner.post(run_url(plant.scenarios.get()), OPTIONS, follow=True)
    run = Run.objects.get()
    assert response.redirect_chain == [(reverse("admin:planning_run_change", args=[run.pk]), 302)]
    assert f"Run {run.pk} of Baseline started." in response.content.decode()
    assert (run.scenario_name, run.user.username, run.state) == (BASELINE, "planner", "queued")
    assert run.options == {"time_limit": 60.0, "gap": 0.005, "solver": "highs"}


def test_a_note_stands_on_the_runs_page_and_finds_it(planner: Client, plant: Plant) -> None:
    page = planner.post(
        run_url(plant.scenarios.get()), OPTIONS | {"note": "After <b>Monday's</b> delivery"}, follow=True
    )
    assert "After &lt;b&gt;Monday&#x27;s&lt;/b&gt; delivery" in page.content.decode()
    found = planner.get(f"{reverse('admin:planning_run_changelist')}?q=monday").context["cl"].result_list
    assert [run.note for run in found] == ["After <b>Monday's</b> delivery"]


def test_each_run_of_a_set_has_the_note(planner: Client, plant: Plant) -> None:
    other = Scenario.objects.create(plant=plant, name="Other")
    planner.post(run_url(plant.scenarios.get(name=BASELINE), other), OPTIONS | {"note": "For the meeting"})
    assert list(Run.objects.values_list("note", flat=True)) == ["For the meeting"] * 2


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD:DeprecationWarning")  # PuLP's own notice about its next version
def test_cbc_can_be_chosen(planner: Client, plant: Plant) -> None:
    planner.post(run_url(plant.scenarios.get()), OPTIONS | {"solver": "pulp:CBC"})
    assert Run.objects.get().options["solver"] == "pulp:CBC"


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_limit": "0"},
        {"time_limit": "nan"},
        {"gap": "-1"},
        {"gap": "101"},
        {"solver": "magic"},
        {"time_limit": ""},
    ],
)
def test_options_that_make_no_sense_start_nothing(planner: Client, plant: Plant, wrong: dict[str, str]) -> None:
    response = planner.post(run_url(plant.scenarios.get()), OPTIONS | wrong)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert not Run.objects.exists()


def test_it_is_refused_without_the_right_to_run(viewer: Client, client: Client, plant: Plant) -> None:
    url = run_url(plant.scenarios.get())
    assert viewer.get(url).status_code == 403
    assert viewer.post(url, OPTIONS).status_code == 403
    action = reverse("admin:planning_scenario_run_this_scenario", args=[plant.scenarios.get().pk])
    assert viewer.get(action).status_code == 403
    client.force_login(make_user("editor", "view_scenario", "change_scenario", "add_scenario"))
    assert client.post(url, OPTIONS).status_code == 403
    assert not Run.objects.exists()


def test_anonymous_is_sent_to_the_login(client: Client, plant: Plant) -> None:
    response = client.post(run_url(plant.scenarios.get()), OPTIONS)
    assert response["Location"].startswith(reverse("admin:login"))
    assert not Run.objects.exists()


def test_a_post_without_the_token_is_refused(plant: Plant) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user("boss", "run_scenario"))
    assert strict.post(run_url(plant.scenarios.get()), OPTIONS).status_code == 403
    assert not Run.objects.exists()


def test_a_runner_without_sight_of_runs_goes_to_the_overview(client: Client, plant: Plant) -> None:
    client.force_login(make_user("button", "run_scenario"))
    assert client.post(run_url(plant.scenarios.get()), OPTIONS)["Location"] == reverse("admin:index")


def test_several_scenarios_are_chosen_in_the_list_and_run_at_once(planner: Client, plant: Plant) -> None:
    more = Scenario.objects.create(plant=plant, name="More wood")
    chosen = {"action": "run_scenario", "_selected_action": [plant.scenarios.get(name=BASELINE).pk, more.pk]}
    response = planner.post(reverse("admin:planning_scenario_changelist"), chosen)
    asked = planner.get(response["Location"])
    assert "Run these 2 scenarios" in asked.content.decode()
    answer = planner.post(response["Location"], OPTIONS, follow=True)
    (run_set,) = RunSet.objects.all()
    assert answer.redirect_chain == [(reverse("admin:planning_runset_change", args=[run_set.pk]), 302)]
    assert f"Set {run_set.pk} with 2 runs of Furniture Workshop started." in answer.content.decode()
    assert sorted(run_set.runs.values_list("scenario_name", flat=True)) == [BASELINE, "More wood"]


def test_the_lists_offer_running_only_to_whom_may(viewer: Client, planner: Client, plant: Plant) -> None:
    for page, action in (("scenario", "run_scenario"), ("plant", "run_baseline")):
        url = reverse(f"admin:planning_{page}_changelist")
        assert f'value="{action}"' in planner.get(url).content.decode()
        assert f'value="{action}"' not in viewer.get(url).content.decode()
        viewer.post(url, {"action": action, "_selected_action": [plant.pk]})
    assert not Run.objects.exists()


def test_the_list_of_plants_runs_their_baselines(planner: Client, plant: Plant) -> None:
    other = make_furniture("South")
    chosen = {"action": "run_baseline", "_selected_action": [plant.pk, other.pk]}
    response = planner.post(reverse("admin:planning_plant_changelist"), chosen)
    planner.post(response["Location"], OPTIONS)
    assert sorted(Run.objects.values_list("plant__name", flat=True)) == ["Furniture Workshop", "South"]


def test_a_plant_without_baseline_is_said(planner: Client, plant: Plant) -> None:
    plant.scenarios.all().delete()
    response = planner.get(reverse("admin:planning_plant_run_this_baseline", args=[plant.pk]), follow=True)
    assert "has no scenario &quot;Baseline&quot;" in response.content.decode()


def test_too_many_at_once_are_refused(planner: Client, plant: Plant) -> None:
    scenarios = [Scenario.objects.create(plant=plant, name=f"Scenario {i}") for i in range(21)]
    response = planner.post(run_url(*scenarios), OPTIONS, follow=True)
    assert "Run at most 20 scenarios at once." in response.content.decode()
    assert not Run.objects.exists()


@pytest.mark.parametrize("query", ["", "?scenario=999999", "?scenario=x", "?scenario=99999999999999999999"])
def test_scenarios_that_are_not_there_run_nothing(planner: Client, plant: Plant, query: str) -> None:
    response = planner.post(reverse("admin:planning_scenario_run") + query, OPTIONS, follow=True)
    assert "Choose the scenarios to run." in response.content.decode()
    assert not Run.objects.exists()


def test_a_plant_whose_copy_is_too_large_is_said(
    planner: Client, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.PLANNING, "MAX_COPY_BYTES", 10)
    response = planner.post(run_url(plant.scenarios.get()), OPTIONS)
    assert "MAX_COPY_BYTES" in response.content.decode()
    assert not Run.objects.exists()


def test_a_solver_that_is_not_there_is_said(planner: Client, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunOptionsForm.base_fields["solver"], "choices", [("pulp:NOSUCH", "One that is not there")])
    response = planner.post(run_url(plant.scenarios.get()), OPTIONS | {"solver": "pulp:NOSUCH"})
    assert "NOSUCH" in str(response.context["form"].non_field_errors())
    assert not Run.objects.exists()


def test_data_problems_are_listed_with_links_and_make_no_run(planner: Client, plant: Plant) -> None:
    more = Scenario.objects.create(plant=plant, name="More wood")
    for row, field in (("Woot", "available_quantity"), ("Wood", "max_inventory")):
        more.scenario_changes.create(table="raw_materials", row=row, field=field, operation="set", value=-5)
    plant.products.create(name="Stool", min_demand=1)
    response = planner.post(run_url(more), OPTIONS)
    assert response.status_code == 200
    assert not Run.objects.exists()
    (refusal,) = response.context["refusals"]
    page = response.content.decode()
    assert f"{len(refusal.errors)} problems" in page
    changes = [problem for problem in refusal.errors if problem["table"] == "scenario changes"]
    assert ["Woot" in problem["text"] for problem in changes] == [True, False]
    assert changes[0]["url"].startswith(reverse("admin:planning_scenario_change", args=[more.pk]))
    (stool,) = [problem for problem in refusal.errors if problem["table"] == "products"]
    assert (stool["row"], stool["column"]) == ("Stool", "min demand")
    assert planner.get(stool["url"]).status_code == 200


def test_problems_lead_to_the_rows_that_they_name(planner: Client, plant: Plant) -> None:
    scenario = plant.scenarios.get()
    errors = [
        Problem("products", "Desk", "min_demand", "Desk has demand but no way to get it. Add a recipe."),
        Problem("production_recipes", "Chair / Cutting Machine", "hours_required", "Hours are missing."),
        Problem("scenario_changes", "Baseline 3", "row", "There is no material Woot."),
        Problem("plant", "Furniture Workshop", "currency", "No currency."),
        Problem("no_table", "x", "", "Something else."),
    ]
    shown = refusal(scenario, DataProblems(errors, [Problem("customer_orders", "A-1", "product", "Not active.")]))
    desk, recipe, change, plant_row, unknown = [problem["url"] for problem in shown.errors]
    assert "Desk" in planner.get(desk, follow=True).content.decode()
    assert "Chair" in planner.get(recipe, follow=True).content.decode()
    assert change == reverse("admin:planning_scenario_change", args=[scenario.pk])
    assert plant_row == reverse("admin:planning_plant_change", args=[plant.pk])
    assert unknown == ""
    assert [warning["text"] for warning in shown.warnings] == ["Not active."]


def test_one_that_can_be_planned_runs_beside_one_that_can_not(planner: Client, plant: Plant) -> None:
    more = Scenario.objects.create(plant=plant, name="More wood")
    more.scenario_changes.create(table="raw_materials", row="Woot", field="available_quantity", value=1)
    response = planner.post(run_url(plant.scenarios.get(name=BASELINE), more), OPTIONS)
    assert "Woot" in response.content.decode()
    assert [run.scenario_name for run in Run.objects.all()] == [BASELINE]


def test_a_second_run_of_the_same_is_not_started(planner: Client, plant: Plant) -> None:
    for _ in range(2):
        response = planner.post(run_url(plant.scenarios.get()), OPTIONS, follow=True)
    assert "is under way with the same data and options; no second one was started." in response.content.decode()
    assert Run.objects.count() == 1

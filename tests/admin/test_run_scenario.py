"""Run scenario: who may, what is asked, what is started, and what is said when the data allow no plan."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from planning.models import BASELINE, Plant, Run, RunSet, Scenario
from planning.runs import BadOptions, CopyTooLarge, StartedSet
from planning.snapshot import DataProblems, Problem
from tests.factories import make_plant, make_run, make_user

OPTIONS = {"time_limit": "60", "gap": "0.5", "solver": "highs"}


class Starts:
    """Stands in for `start_run`: remembers what was asked for and makes queued runs."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any, str]] = []
        self.problems: dict[str, Exception] = {}

    def __call__(self, scenario: Scenario, options: Any, *, user: Any = None, hold: Any = None) -> Run:
        self.asked.append((scenario.name, options, user.username))
        self.hold = hold
        if scenario.name in self.problems:
            raise self.problems[scenario.name]
        return make_run(scenario.plant, scenario_name=scenario.name, user=user)

    def all(self, *, scenarios: list[Scenario], options: Any, user: Any = None, hold: Any = None) -> StartedSet:
        """Stand in for `start_set`."""
        run_set = RunSet.objects.create(plant=scenarios[0].plant, name="Set")
        answers: list[Any] = []
        for scenario in scenarios:
            try:
                answers.append(self(scenario, options, user=user, hold=hold))
            except (DataProblems, CopyTooLarge) as why:
                answers.append(why)
        Run.objects.filter(pk__in=[run.pk for run in answers if isinstance(run, Run)]).update(run_set=run_set)
        for run in answers:
            if isinstance(run, Run):
                run.refresh_from_db()
        return StartedSet(run_set, tuple(answers))


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Starts:
    double = Starts()
    monkeypatch.setattr("planning.runs.start_run", double)
    monkeypatch.setattr("planning.runs.start_set", double.all)
    return double


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


def test_it_asks_before_it_runs(planner: Client, plant: Plant, starts: Starts) -> None:
    response = planner.get(run_url(plant.scenarios.get()))
    assert response.status_code == 200
    assert response.context["form"].initial == {"time_limit": 300.0, "gap": 0.01, "solver": "highs"}
    assert starts.asked == []


def test_it_starts_a_run_with_the_options_and_goes_to_its_page(planner: Client, plant: Plant, starts: Starts) -> None:
    response = planner.post(run_url(plant.scenarios.get()), OPTIONS, follow=True)
    run = Run.objects.get()
    assert response.redirect_chain == [(reverse("admin:planning_run_change", args=[run.pk]), 302)]
    assert f"Run {run.pk} of Baseline started." in response.content.decode()
    [(name, options, user)] = starts.asked
    assert (name, user) == (BASELINE, "planner")
    assert (options.time_limit, options.gap, options.solver) == (60.0, 0.005, "highs")


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD:DeprecationWarning")  # PuLP's own notice about its next version
def test_cbc_can_be_chosen(planner: Client, plant: Plant, starts: Starts) -> None:
    planner.post(run_url(plant.scenarios.get()), OPTIONS | {"solver": "pulp:CBC"})
    assert starts.asked[0][1].solver == "pulp:CBC"


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
def test_options_that_make_no_sense_start_nothing(
    planner: Client, plant: Plant, starts: Starts, wrong: dict[str, str]
) -> None:
    response = planner.post(run_url(plant.scenarios.get()), OPTIONS | wrong)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert starts.asked == []


def test_it_is_refused_without_the_right_to_run(viewer: Client, client: Client, plant: Plant, starts: Starts) -> None:
    url = run_url(plant.scenarios.get())
    assert viewer.get(url).status_code == 403
    assert viewer.post(url, OPTIONS).status_code == 403
    action = reverse("admin:planning_scenario_run_this_scenario", args=[plant.scenarios.get().pk])
    assert viewer.get(action).status_code == 403
    client.force_login(make_user("editor", "view_scenario", "change_scenario", "add_scenario"))
    assert client.post(url, OPTIONS).status_code == 403
    assert starts.asked == []
    assert not Run.objects.exists()


def test_anonymous_is_sent_to_the_login(client: Client, plant: Plant, starts: Starts) -> None:
    response = client.post(run_url(plant.scenarios.get()), OPTIONS)
    assert response["Location"].startswith(reverse("admin:login"))
    assert starts.asked == []


def test_a_post_without_the_token_is_refused(plant: Plant, starts: Starts) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user("boss", "run_scenario"))
    assert strict.post(run_url(plant.scenarios.get()), OPTIONS).status_code == 403
    assert starts.asked == []


def test_a_runner_without_sight_of_runs_goes_to_the_overview(client: Client, plant: Plant, starts: Starts) -> None:
    client.force_login(make_user("button", "run_scenario"))
    assert client.post(run_url(plant.scenarios.get()), OPTIONS)["Location"] == reverse("admin:index")


def test_several_scenarios_are_chosen_in_the_list_and_run_at_once(
    planner: Client, plant: Plant, starts: Starts
) -> None:
    more = Scenario.objects.create(plant=plant, name="More wood")
    chosen = {"action": "run_scenario", "_selected_action": [plant.scenarios.get(name=BASELINE).pk, more.pk]}
    response = planner.post(reverse("admin:planning_scenario_changelist"), chosen)
    asked = planner.get(response["Location"])
    assert "Run these 2 scenarios" in asked.content.decode()
    answer = planner.post(response["Location"], OPTIONS, follow=True)
    (run_set,) = RunSet.objects.all()
    assert answer.redirect_chain == [(reverse("admin:planning_runset_change", args=[run_set.pk]), 302)]
    assert f"Set {run_set.pk} with 2 runs of Furniture Workshop started." in answer.content.decode()
    assert sorted(name for name, _, _ in starts.asked) == [BASELINE, "More wood"]


def test_the_lists_offer_running_only_to_whom_may(
    viewer: Client, planner: Client, plant: Plant, starts: Starts
) -> None:
    for page, action in (("scenario", "run_scenario"), ("plant", "run_baseline")):
        url = reverse(f"admin:planning_{page}_changelist")
        assert f'value="{action}"' in planner.get(url).content.decode()
        assert f'value="{action}"' not in viewer.get(url).content.decode()
        viewer.post(url, {"action": action, "_selected_action": [plant.pk]})
    assert starts.asked == []


def test_the_list_of_plants_runs_their_baselines(planner: Client, plant: Plant, starts: Starts) -> None:
    other = make_plant("South")
    chosen = {"action": "run_baseline", "_selected_action": [plant.pk, other.pk]}
    response = planner.post(reverse("admin:planning_plant_changelist"), chosen)
    planner.post(response["Location"], OPTIONS)
    assert sorted(Run.objects.values_list("plant__name", flat=True)) == ["Furniture Workshop", "South"]


def test_a_plant_without_baseline_is_said(planner: Client, plant: Plant, starts: Starts) -> None:
    plant.scenarios.all().delete()
    response = planner.get(reverse("admin:planning_plant_run_this_baseline", args=[plant.pk]), follow=True)
    assert "has no scenario &quot;Baseline&quot;" in response.content.decode()


def test_too_many_at_once_are_refused(planner: Client, plant: Plant, starts: Starts) -> None:
    scenarios = [Scenario.objects.create(plant=plant, name=f"Scenario {i}") for i in range(21)]
    response = planner.post(run_url(*scenarios), OPTIONS, follow=True)
    assert "Run at most 20 scenarios at once." in response.content.decode()
    assert starts.asked == []


@pytest.mark.parametrize("query", ["", "?scenario=999999", "?scenario=x", "?scenario=99999999999999999999"])
def test_scenarios_that_are_not_there_run_nothing(planner: Client, plant: Plant, starts: Starts, query: str) -> None:
    response = planner.post(reverse("admin:planning_scenario_run") + query, OPTIONS, follow=True)
    assert "Choose the scenarios to run." in response.content.decode()
    assert starts.asked == []


def test_a_plant_whose_copy_is_too_large_is_said(planner: Client, plant: Plant, starts: Starts) -> None:
    starts.problems[BASELINE] = CopyTooLarge("The copy has 99 MB. Raise MAX_COPY_BYTES.")
    response = planner.post(run_url(plant.scenarios.get()), OPTIONS)
    assert "The copy has 99 MB. Raise MAX_COPY_BYTES." in response.content.decode()
    assert not Run.objects.exists()


def test_a_solver_that_is_not_there_is_said(planner: Client, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: Any) -> None:
        raise BadOptions("CBC is not installed. Choose HiGHS.")

    monkeypatch.setattr("planning.runs.RunOptions", refuse)
    response = planner.post(run_url(plant.scenarios.get()), OPTIONS)
    assert "CBC is not installed. Choose HiGHS." in response.content.decode()


def test_data_problems_are_listed_with_links_and_make_no_run(planner: Client, plant: Plant, starts: Starts) -> None:
    more = Scenario.objects.create(plant=plant, name="More wood")
    starts.problems["More wood"] = DataProblems(
        [
            Problem("products", "Desk", "min_demand", "Desk has demand but no way to get it. Add a recipe."),
            Problem("production_recipes", "Chair / Cutting Machine", "hours_required", "Hours are missing."),
            Problem("scenario_changes", "More wood 3", "row", "There is no material Woot."),
            Problem("plant", "Furniture Workshop", "currency", "No currency."),
            Problem("no_table", "x", "", "Something else."),
        ],
        [Problem("customer_orders", "A-1", "product", "The product is not active.")],
    )
    response = planner.post(run_url(plant.scenarios.get(name=BASELINE), more), OPTIONS)
    page = response.content.decode()
    assert response.status_code == 200
    for words in ("Desk has demand but no way to get it.", "min demand", "5 problems", "The product is not active."):
        assert words in page
    refusal = response.context["refusals"][0]
    desk, recipe, change, plant_row, unknown = [problem["url"] for problem in refusal.errors]
    assert planner.get(desk).context["cl"].result_list[0].name == "Desk"
    assert [str(row) for row in planner.get(recipe).context["cl"].result_list] == ["Chair / Cutting Machine"]
    assert change == reverse("admin:planning_scenario_change", args=[more.pk])
    assert plant_row == reverse("admin:planning_plant_change", args=[plant.pk])
    assert unknown == ""
    assert [run.scenario_name for run in Run.objects.all()] == [BASELINE]

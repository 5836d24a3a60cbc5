"""The cards of a run's page: what limits the plan, why something is short, and the buttons that try remedies."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from planning.insight import trials
from planning.models import Run, RunSet, Scenario
from planning.runs import execute, start_run
from tests.admin.conftest import logged_in
from tests.factories import make_furniture, make_run, make_solved_run, make_user
from tests.formulation.small_plants import baseline, bring

pytestmark = pytest.mark.django_db

PARTS_BY_HAND = (("part", ("won",)), ("by_hand", ()))
KEY = {"kind": "order", "row": "O<1>", "period": "1"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a run in which an order misses four units for want of hours."""
    plant = bring(
        tmp_path,
        products=[{"name": "Chair", "profit_per_unit": 10}],
        machines=[{"name": "Saw", "available_hours": 10}],
        production_recipes=[{"product": "Chair", "machine": "Saw", "hours_required": 1}],
        customers=[{"name": "Ada"}],
        customer_orders=[
            {"reference": "O<1>", "customer": "Ada", "product": "Chair", "period": "1", "target_quantity": 14}
        ],
    )
    started = start_run(baseline(plant), here=True)
    return execute(started.pk, started.attempt)


def page_of(client: Client, run: Run) -> str:
    """Return the page with the part that it would ask for by itself."""
    response = client.get(reverse("admin:planning_run_change", args=[run.pk]), {"part": "short"})
    assert response.status_code == 200
    return response.content.decode()


def try_url(run: Run) -> str:
    return reverse("admin:planning_run_remedies", args=[run.pk])


def test_the_cards_say_what_limits_and_why_it_is_short(viewer: Client, run: Run) -> None:
    page = page_of(viewer, run)
    assert "What limits the plan" in page
    assert "1 more hour of Saw brings about 10 USD" in page
    assert "Why short" in page
    assert "Order O&lt;1&gt;: 14 units of Chair, 10 delivered, 4 missing." in page
    assert "Saw is used up (10 of 10 hours): one Chair takes 1 hour." in page
    assert "Try remedies" not in page


def test_a_run_without_its_copy_says_why_it_can_not_tell(viewer: Client) -> None:
    page = page_of(viewer, make_solved_run(make_furniture()))
    assert "50 more units of Wood bring about 285.7 USD" in page
    assert "The run has no stored copy." in page


def test_an_open_run_and_one_without_a_plan_have_no_cards(viewer: Client) -> None:
    plant = make_furniture()
    for run in (make_run(plant), make_run(plant, state="infeasible")):
        page = page_of(viewer, run)
        assert "What limits the plan" not in page
        assert "Why short" not in page


def test_the_page_does_not_wait_for_why_it_is_short(viewer: Client, run: Run) -> None:
    page = viewer.get(reverse("admin:planning_run_change", args=[run.pk])).content.decode()
    assert "What limits the plan" in page
    assert "Saw is used up" not in page
    part = viewer.get(reverse("admin:planning_run_part", args=[run.pk, "short"])).content.decode()
    assert "Saw is used up" in part


def test_remedies_are_tried_by_whom_may_run_and_shown_when_they_have_ended(
    planner: Client, viewer: Client, run: Run
) -> None:
    assert "Try remedies" in page_of(planner, run)
    assert viewer.post(try_url(run), KEY).status_code == 403
    assert planner.get(try_url(run)).status_code == 405
    response = planner.post(try_url(run), KEY)
    assert response["Location"] == reverse("admin:planning_run_change", args=[run.pk]) + "?part=short#short"
    run_set = RunSet.objects.get()
    assert (run_set.tried_for, run_set.plant) == (run, run.plant)
    page = page_of(planner, run)
    assert "is being tried" in page
    assert 'href="?part=short#short" data-part-link data-part-again>look again</a>' in page
    assert "Try remedies" not in page
    planner.post(try_url(run), KEY)
    assert RunSet.objects.count() == 1
    for one in run_set.runs.all():
        execute(one.pk, one.attempt)
    page = page_of(planner, run)
    assert "4 hours more of Saw</a>: nothing missing instead of 4, profit 40 USD higher." in page
    assert "Make it a scenario" in page
    assert "Make it a scenario" not in page_of(viewer, run)
    assert "Try remedies again" in page


def test_what_the_optimiser_won_is_asked_for_and_told(viewer: Client, run: Run) -> None:
    page = viewer.get(reverse("admin:planning_run_change", args=[run.pk])).content.decode()
    assert "What the optimiser won" in page
    assert "Both plans earn" not in page
    part = viewer.get(reverse("admin:planning_run_part", args=[run.pk, "won"])).content.decode()
    assert "Both plans earn 100 USD." in part
    assert "Orders delivered in full" in part
    sheet = viewer.get(reverse("admin:planning_run_csv", args=[run.pk, "won"]))
    assert b"profit,profit,,100,100,0" in b"".join(sheet.streaming_content).replace(b"\r", b"")


def test_a_large_plant_asks_for_the_plan_by_hand(
    planner: Client, viewer: Client, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planning.insight.won.AT_ONCE", 0)
    part, url = (reverse(f"admin:planning_run_{name}", args=[run.pk, *more]) for name, more in PARTS_BY_HAND)
    assert "Make a plan by hand" in planner.get(part).content.decode()
    assert "Make a plan by hand" not in viewer.get(part).content.decode()
    assert viewer.post(url).status_code == 403
    assert planner.post(url)["Location"].endswith("?part=won#won")
    assert "look again" in planner.get(part).content.decode()
    planner.post(url)
    made = Run.objects.exclude(pk=run.pk).get()
    execute(made.pk, made.attempt)
    assert "Both plans earn 100 USD." in planner.get(part).content.decode()
    assert trials(run) == []
    page = viewer.get(reverse("admin:planning_run_change", args=[made.pk])).content.decode()
    assert "made by hand, not the best one" in page
    assert "none: made by hand" in page


def test_what_is_not_short_is_not_tried(planner: Client, run: Run) -> None:
    assert planner.post(try_url(run), {**KEY, "row": "O2"}).status_code == 302
    assert planner.post(try_url(run), {"row": "O2"}).status_code == 404
    assert planner.post(try_url(make_solved_run(run.plant)), KEY).status_code == 302
    assert not RunSet.objects.exists()


def test_a_remedy_becomes_a_scenario(planner: Client, run: Run) -> None:
    planner.post(try_url(run), KEY)
    for one in RunSet.objects.get().runs.all():
        execute(one.pk, one.attempt)
    tried = trials(run)[0].trials[0]
    url = reverse("admin:planning_run_remedy_scenario", args=[run.pk, tried.run.pk])
    runner = logged_in(make_user("runner", "view_run", "run_scenario"))
    assert runner.post(url).status_code == 403
    assert planner.get(url).status_code == 405
    response = planner.post(url)
    scenario = Scenario.objects.get(parent__isnull=False)
    assert response["Location"] == reverse("admin:planning_scenario_change", args=[scenario.pk])
    assert scenario.name == f"4 hours more of Saw (run {run.pk})"
    assert scenario.scenario_changes.get().value == 4.0
    other = reverse("admin:planning_run_remedy_scenario", args=[run.pk, run.pk])
    assert planner.post(other).status_code == 404

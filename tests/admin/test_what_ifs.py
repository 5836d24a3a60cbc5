"""What if, on a run's page: a number is moved, the answer shown, saved as a scenario, solved truly, or swept."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from planning.insight import sweep_of
from planning.models import Plant, Run, RunSet, Scenario, WhatIfSession
from planning.runs import start_run
from planning.runs.copies import read_copy
from planning.runs.what_if import Decided, Desk
from planning.runs.what_if_process import decided
from tests.admin.conftest import logged_in
from tests.factories import make_user, solve_here

pytestmark = pytest.mark.django_db

WOOD = {"kind": "quantity", "row": "Wood", "period": "1"}


@pytest.fixture
def run(plant: Plant) -> Run:
    return solve_here(start_run(plant.scenarios.get(), here=True))


def url(run: Run, name: str) -> str:
    return reverse(f"admin:planning_run_what_if_{name}", args=[run.pk])


def part(client: Client, run: Run, **asked: Any) -> str:
    response = client.get(reverse("admin:planning_run_part", args=[run.pk, "what-if"]), asked)
    assert response.status_code == 200
    return response.content.decode()


def answer_now(run: Run) -> None:
    """Answer the question that waits as the process of the session does."""
    session = WhatIfSession.objects.get()
    desk = Desk(read_copy(run), run.variation, Decided(**decided(run)))
    answer = desk.answer(session.question["changes"])
    if session.question["limit"] and not answer["words"]:
        answer["price"] = desk.price(*session.question["limit"])
    WhatIfSession.objects.update(answered=session.asked, answer=answer)


def asked(client: Client, run: Run, value: float, **more: Any) -> HttpResponse:
    return client.post(url(run, "ask"), {**WOOD, "value": value}, headers={"X-Requested-With": "fetch"}, **more)


def test_the_part_offers_what_can_be_moved_and_shows_what_was_chosen(planner: Client, run: Run) -> None:
    page = part(planner, run)
    for words in ("Hours of a machine", "Quantity of a material", '<option value="Wood">', "Choose"):
        assert words in page
    assert "Units of an order" not in page
    assert "data-what-if " not in page
    page = part(planner, run, **WOOD)
    assert "Available quantity of Wood" in page
    assert "500 board feet in this run" in page
    assert 'max="1000"' in page
    assert "There is no material" in part(planner, run, **{**WOOD, "row": "Glue"})
    assert "There is no such number" in part(planner, run, **{**WOOD, "kind": "colour"})


def test_what_limits_the_plan_leads_to_its_what_if(planner: Client, viewer: Client, run: Run) -> None:
    address, link = reverse("admin:planning_run_change", args=[run.pk]), "?part=what-if&amp;kind=quantity&amp;row=Wood"
    assert link in planner.get(address).content.decode()
    assert link not in viewer.get(address).content.decode()


def test_a_script_gets_the_answer_once_it_is_there(planner: Client, run: Run) -> None:
    response = asked(planner, run, 600)
    assert (response.status_code, response["X-Question"]) == (202, "1")
    assert "is being got ready" in response.content.decode()
    answer_now(run)
    response = planner.get(url(run, "answer"), {**WOOD, "number": 1})
    page = response.content.decode()
    assert response.status_code == 200
    for words in ("2,735.71 USD", "3,307.14 USD", "+571.43 USD", "8.43 → 11.29", "one more board feet brings 5.71 USD"):
        assert words in page
    asked(planner, run, 700)
    assert "Something else was asked" in planner.get(url(run, "answer"), {**WOOD, "number": 1}).content.decode()


def test_without_a_script_the_page_comes_back_with_the_answer(planner: Client, run: Run) -> None:
    response = planner.post(url(run, "ask"), {**WOOD, "value": 600})
    assert response["Location"].endswith(
        f"/run/{run.pk}/change/?part=what-if&kind=quantity&row=Wood&period=1&value=600&asked=1#what-if"
    )
    assert "Look again" in planner.get(response["Location"]).content.decode()
    answer_now(run)
    assert "+571.43 USD" in planner.get(response["Location"]).content.decode()


def test_no_plan_is_said(planner: Client, run: Run) -> None:
    asked(planner, run, 10)
    answer_now(run)
    assert "No plan is possible with this." in planner.get(url(run, "answer"), {**WOOD, "number": 1}).content.decode()


def test_the_question_is_kept_for_the_user_who_asked(planner: Client, run: Run) -> None:
    asked(planner, run, 600)
    answer_now(run)
    other = logged_in(make_user("other", "view_run", "run_scenario"))
    assert "Something else was asked" in other.get(url(run, "answer"), {**WOOD, "number": 1}).content.decode()
    assert WhatIfSession.objects.get().user == User.objects.get(username="planner")


def test_only_who_may_run_may_ask(viewer: Client, run: Run) -> None:
    for name in ("ask", "ready", "scenario", "solve", "sweep"):
        assert viewer.post(url(run, name), {**WOOD, "value": 600}).status_code == 403
        assert viewer.get(url(run, name)).status_code == 405
    assert viewer.get(url(run, "answer"), {**WOOD, "number": 1}).status_code == 403
    page = viewer.get(reverse("admin:planning_run_change", args=[run.pk]), {"part": "what-if"}).content.decode()
    assert "What if" not in page
    assert not WhatIfSession.objects.exists()


def test_what_makes_no_sense_is_refused(planner: Client, run: Run) -> None:
    assert asked(planner, run, 1).status_code == 202
    assert planner.post(url(run, "ask"), {**WOOD, "value": "much"}).status_code == 400
    assert planner.post(url(run, "ask"), {**WOOD, "row": "Glue", "value": 1}).status_code == 404
    assert planner.get(url(run, "answer"), {**WOOD, "number": "x"}).status_code == 404
    assert planner.post(url(run, "ready"), {}).status_code == 200


def test_a_value_is_saved_as_a_scenario(planner: Client, run: Run) -> None:
    response = planner.post(url(run, "scenario"), {**WOOD, "value": 600})
    scenario = Scenario.objects.get(parent__isnull=False)
    assert response["Location"] == reverse("admin:planning_scenario_change", args=[scenario.pk])
    change = scenario.scenario_changes.get()
    assert (change.table, change.row, change.field, change.value) == (
        "raw_materials",
        "Wood",
        "available_quantity",
        600,
    )
    assert solve_here(start_run(scenario, here=True)).objective == pytest.approx(3307.142857)
    runner = logged_in(make_user("runner", "view_run", "run_scenario"))
    assert runner.post(url(run, "scenario"), {**WOOD, "value": 600}).status_code == 403


def test_a_value_and_both_sides_of_a_limit_are_solved_truly(planner: Client, run: Run) -> None:
    planner.post(url(run, "solve"), {**WOOD, "value": 600})
    planner.post(url(run, "solve"), {**WOOD, "value": 600, "which": "sides"})
    page = part(planner, run, **WOOD)
    assert "is being solved" in page
    assert "data-part-again" in page
    for one in Run.objects.filter(state="queued"):
        solve_here(one)
    page = part(planner, run, **WOOD)
    assert "600 board feet</a>: 571.43 USD more profit (true re-solve)." in page
    assert "501 board feet</a>: 5.71 USD more profit (true re-solve)." in page
    assert "499 board feet</a>: 5.71 USD less profit (true re-solve)." in page
    assert "data-part-again" not in page


SWEEP = {**WOOD, "first": 400, "last": 1000, "steps": 4}


def test_a_sweep_draws_a_curve_with_where_the_bottleneck_changes(planner: Client, run: Run) -> None:
    response = planner.post(url(run, "sweep"), SWEEP)
    run_set = RunSet.objects.get()
    assert response["Location"] == reverse("admin:planning_runset_change", args=[run_set.pk])
    assert run_set.about == "available quantity of Wood from 400 board feet to 1,000 board feet"
    page = planner.get(response["Location"]).content.decode()
    assert 'data-chart="curve"' in page
    assert "data-part-again" in page
    for one in run_set.runs.all():
        solve_here(one)
    page = planner.get(reverse("admin:planning_runset_sweep", args=[run_set.pk])).content.decode()
    assert "Between 800 and 1,000 board feet: Metal begins to limit the plan" in page
    assert "data-part-again" not in page
    assert "2,164.29 USD" in page
    sheet = planner.get(reverse("admin:planning_runset_sweep_csv", args=[run_set.pk]))
    lines = b"".join(sheet).decode().splitlines()  # type: ignore[arg-type]
    assert lines[0].lstrip("\ufeff") == "available quantity of Wood (board feet),run,state,profit,limited by"
    assert len(lines) == 5
    book = planner.get(reverse("admin:planning_runset_sweep_xlsx", args=[run_set.pk]))
    assert b"".join(book)[:2] == b"PK"  # type: ignore[arg-type]


def test_a_sweep_over_two_numbers_draws_a_map(planner: Client, run: Run) -> None:
    second = {"kind2": "hours", "row2": "Assembly Station", "period2": "", "first2": 60, "last2": 100, "steps2": 2}
    planner.post(url(run, "sweep"), {**SWEEP, "steps": 2, **second})
    sweep = sweep_of(RunSet.objects.get())
    assert sweep is not None
    assert [point.at for point in sweep.points] == [(400, 60), (400, 100), (1000, 60), (1000, 100)]
    page = planner.get(reverse("admin:planning_runset_change", args=[RunSet.objects.get().pk])).content.decode()
    assert 'data-chart="map"' in page


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"steps": 1}, "Give a first value"),
        ({"last": 400}, "at least two values"),
        ({"kind2": "quantity", "row2": "Wood", "period2": "1", "first2": 1, "last2": 2, "steps2": 2}, "are the same"),
        ({"kind2": "hours", "row2": "Saw"}, "There is no machine"),
        (
            {"steps": 150, "kind2": "hours", "row2": "Assembly Station", "first2": 1, "last2": 2, "steps2": 2},
            "300 runs",
        ),
        ({"first": -2, "last": -1}, "available_quantity"),
    ],
)
def test_a_sweep_that_makes_no_sense_is_refused_in_words(
    planner: Client, run: Run, given: dict[str, Any], words: str
) -> None:
    response = planner.post(url(run, "sweep"), {**SWEEP, **given}, follow=True)
    assert words in response.content.decode()
    assert not RunSet.objects.exists()


def test_values_that_the_data_do_not_allow_are_left_out(planner: Client, run: Run) -> None:
    planner.post(url(run, "sweep"), {"kind": "most", "row": "Chair", "first": 5, "last": 20, "steps": 4})
    sweep = sweep_of(RunSet.objects.get())
    assert sweep is not None
    assert [point.at for point in sweep.points] == [(10.0,), (15.0,), (20.0,)]

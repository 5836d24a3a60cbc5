"""The page of a run: its state while it is open, its plan, or the reason why there is none."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from planning.admin.run_balances import materials
from planning.admin.run_pivot import pivot_table
from planning.admin.run_waterfall import waterfall
from planning.models import Plant, Run, Scenario
from tests.admin.big_run import big_run
from tests.factories import make_run, make_solved_run, make_user


def page_of(client: Client, run: Run) -> str:
    response = client.get(reverse("admin:planning_run_change", args=[run.pk]))
    assert response.status_code == 200
    return response.content.decode()


def state_of(client: Client, run: Run) -> dict[str, object]:
    return client.get(reverse("admin:planning_run_state", args=[run.pk])).json()


# --- open runs ------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["queued", "running", "stopping"])
def test_an_open_run_is_asked_for_its_state(viewer: Client, plant: Plant, state: str) -> None:
    run = make_run(plant, state=state)
    page = page_of(viewer, run)
    assert "planner/run.js" in page
    assert f'data-run-state="{reverse("admin:planning_run_state", args=[run.pk])}"' in page
    answer = state_of(viewer, run)
    assert (answer["state"], answer["open"]) == (state, True)
    assert str(answer["elapsed"]).endswith("s")


def test_an_ended_run_is_asked_no_more(viewer: Client, plant: Plant) -> None:
    run = make_solved_run(plant)
    assert "planner/run.js" not in page_of(viewer, run)
    assert state_of(viewer, run)["open"] is False


# --- rights ---------------------------------------------------------------------------------


def test_runs_are_seen_only_with_the_right_to_view_them(client: Client, plant: Plant) -> None:
    run = make_solved_run(plant)
    urls = [
        reverse("admin:planning_run_changelist"),
        reverse("admin:planning_run_change", args=[run.pk]),
        reverse("admin:planning_run_state", args=[run.pk]),
        reverse("admin:planning_run_csv", args=[run.pk, "production"]),
    ]
    for url in urls:
        assert client.get(url)["Location"].startswith(reverse("admin:login"))
    client.force_login(make_user("clerk", "view_product", "view_plant", "run_scenario"))
    for url in urls:
        assert client.get(url).status_code == 403


def test_nobody_adds_or_edits_a_run(admin: Client, plant: Plant) -> None:
    run = make_solved_run(plant)
    assert admin.get(reverse("admin:planning_run_add")).status_code == 403
    response = admin.post(reverse("admin:planning_run_change", args=[run.pk]), {"state": "failed", "objective": "1"})
    assert response.status_code == 405
    run.refresh_from_db()
    assert run.state == "solved"


def test_an_ended_run_is_deleted_and_an_open_one_is_not(admin: Client, viewer: Client, plant: Plant) -> None:
    ended, running = make_solved_run(plant), make_run(plant, state="running")
    delete = [reverse("admin:planning_run_delete", args=[run.pk]) for run in (ended, running)]
    assert delete[0] in page_of(admin, ended)
    assert delete[0] not in page_of(viewer, ended)
    assert delete[1] not in page_of(admin, running)
    assert "it has not ended yet" in admin.get(delete[1]).content.decode()
    for url in delete:
        admin.post(url, {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [running.pk], "post": "yes"}
    admin.post(reverse("admin:planning_run_changelist"), chosen)
    assert list(Run.objects.all()) == [running]


def test_run_again_is_offered_to_whom_may_run(planner: Client, viewer: Client, plant: Plant) -> None:
    run = make_solved_run(plant)
    again = f"{reverse('admin:planning_scenario_run')}?scenario={plant.scenarios.get().pk}"
    assert again in page_of(planner, run)
    assert again not in page_of(viewer, run)
    gone = make_solved_run(plant, scenario_name="Gone")
    assert "Run again" not in page_of(planner, gone)


def test_a_run_that_is_not_there_is_not_found(admin: Client, db: None) -> None:
    for name, arguments in (("change", [9]), ("state", [9]), ("csv", [9, "production"]), ("change", ["x"])):
        assert admin.get(reverse(f"admin:planning_run_{name}", args=arguments)).status_code == 404


# --- the plan -------------------------------------------------------------------------------


def test_a_solved_run_shows_its_plan(viewer: Client, plant: Plant) -> None:
    page = page_of(viewer, make_solved_run(plant, log="Solver says hello"))
    for words in (
        "2,735.71 USD",
        "proven best within the gap",
        "plan checked",
        ">8.43<",
        "5.71 USD, up to 883.12",
        "5.71 USD, down to 310",
        "nothing, down to 29.36",
        "100.0 %",
        "Solver says hello",
        "solving 20 ms",
    ):
        assert words in page, words


def test_a_plan_that_is_not_proven_says_so(viewer: Client, plant: Plant) -> None:
    run = make_solved_run(plant, state="stopped", proven=False, plan_checked=False, gap=0.05, reason="Stopped by Ann.")
    page = page_of(viewer, run)
    assert "Stopped by Ann." in page
    assert "the best plan found" in page
    assert ">5 %<" in page
    assert "plan checked" not in page


def test_profit_is_the_sum_of_its_parts_with_their_signs(viewer: Client, plant: Plant) -> None:
    run = make_solved_run(
        plant, objective=940.0, profit_parts={"sales": 1000.0, "setup": 70.0, "purchase": -10.0, "holding": 0.0}
    )
    steps = waterfall(run)
    assert [(step.name, step.words, step.kind) for step in steps] == [
        ("Sales", "1,000.00 USD", "total"),
        ("Buying in", "10.00 USD", "plus"),
        ("Setups", "-70.00 USD", "minus"),
        ("Profit", "940.00 USD", "total"),
    ]
    assert [(step.start, step.size) for step in steps] == [(0, 99.01), (99.01, 0.99), (93.069, 6.931), (0, 93.069)]


def test_a_loss_hangs_below_zero(plant: Plant) -> None:
    run = make_solved_run(plant, objective=-50.0, profit_parts={"sales": 50.0, "setup": 100.0})
    assert [(step.name, step.start, step.size) for step in waterfall(run)] == [
        ("Sales", 50.0, 50.0),
        ("Setups", 0.0, 100.0),
        ("Profit", 0.0, 50.0),
    ]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("infeasible", "No plan fulfils all demands and limits at once."),
        ("unbounded", "Profit has no limit"),
        ("no_plan", "The time limit passed before a plan was found."),
        ("failed", "The run ended by a fault"),
        ("stopped", "The run was stopped before it ended by itself."),
    ],
)
def test_a_run_without_a_plan_shows_the_reason_in_its_place(
    viewer: Client, plant: Plant, state: str, words: str
) -> None:
    page = page_of(viewer, make_run(plant, state=state))
    assert words in page
    assert "Production</h2>" not in page
    page = page_of(viewer, make_run(plant, state=state, reason="Because of the reason."))
    assert "Because of the reason." in page
    assert words not in page


def test_conflicts_and_warnings_are_listed_with_links(viewer: Client, plant: Plant) -> None:
    run = make_run(
        plant,
        state="infeasible",
        conflict=[{"table": "products", "row": "Desk", "period": "1", "field": "min_demand", "text": "At least 3."}],
        warnings=[{"table": "machines", "row": "Laser", "column": "units", "text": "Nothing uses it."}],
    )
    page = page_of(viewer, run)
    assert "At least 3." in page
    assert "Nothing uses it." in page
    desk = plant.products.get(name="Desk")
    assert f'href="/admin/planning/product/{desk.pk}/change/#id_min_demand"' in page


def test_the_page_takes_the_same_queries_however_long_the_plan_is(viewer: Client, plant: Plant) -> None:
    small, large = big_run(plant, 3, 2), big_run(plant, 300, 12)
    page_of(viewer, small)
    counts = []
    for run in (small, large):
        with CaptureQueriesContext(connection) as queries:
            page_of(viewer, run)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_production_is_a_table_of_products_and_periods(plant: Plant) -> None:
    table = pivot_table(big_run(plant, 3, 3), "quantity", 1)
    assert table is not None
    assert [head.text for head in table.heads] == ["Product", "Route", "Week 1", "Week 2", "Week 3", "Total"]
    assert [cell.text for cell in table.rows[0]] == ["Product 0", "Fast", "2", "2 ⚙", "2", "6"]


def test_long_tables_are_shown_page_by_page(viewer: Client, plant: Plant) -> None:
    run = big_run(plant, 300, 12)
    page = page_of(viewer, run)
    assert "Products 1 to 50 of 300" in page
    assert "Rows 1 to 50 of 3,600" in page
    url = reverse("admin:planning_run_change", args=[run.pk])
    page = viewer.get(url, {"part": "products", "page": 72}).content.decode()
    assert "Rows 3,551 to 3,600 of 3,600" in page
    assert "Products 1 to 50 of 300" in page


def test_balances_start_with_what_was_there(plant: Plant) -> None:
    table = materials(big_run(plant, 1, 1), 1)
    assert table is not None
    line = dict(zip((head.text for head in table.heads), (cell.text for cell in table.rows[0]), strict=True))
    assert line == {
        "Material": "Wood",
        "Period": "Week 1",
        "Start": "4",
        "+ supplied": "1",
        "− used": "3",
        "= End": "2",
        "Utilization": "no limit",
        "One more brings": "–",
        "One less costs": "–",
    }


def test_orders_and_goals_are_shown_in_words(viewer: Client, plant: Plant) -> None:
    page = page_of(viewer, big_run(plant, 1, 1))
    assert "Week 1: 2, Week 2: 1" in page
    assert "Weighted deviation reached: priority 1: 2.5." in page
    assert "no limit" in page


# --- list -----------------------------------------------------------------------------------


def test_the_list_of_runs_is_filtered_and_formatted(viewer: Client, plant: Plant) -> None:
    Scenario.objects.create(plant=plant, name="More wood")
    make_solved_run(plant)
    make_run(plant, scenario_name="More wood", state="infeasible")
    url = reverse("admin:planning_run_changelist")
    page = viewer.get(url).content.decode()
    assert "2,735.71 USD" in page
    assert '<span class="pl-badge pl-danger">Infeasible</span>' in page
    assert viewer.get(url, {"state__exact": "solved"}).context["cl"].result_count == 1
    assert viewer.get(url, {"scenario_name": "More wood"}).context["cl"].result_count == 1
    assert viewer.get(url, {"plant__id__exact": plant.pk}).context["cl"].result_count == 2
    assert viewer.get(url, {"q": "wood"}).context["cl"].result_count == 1
    assert viewer.get(url, {"q": "wood joinery"}).context["cl"].result_count == 0

"""The page of a run: its state while it is open, its plan, or the reason why there is none."""

from __future__ import annotations

import csv
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from planning.admin.run_tables import result_tables
from planning.models import (
    GoalResult,
    MaterialBalance,
    OrderResult,
    Plant,
    ProductBalance,
    Production,
    Run,
    Scenario,
    Utilization,
)
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
        "worth 5.71 USD per unit, from 310 to 948.75",
        "worth nothing, down to 29.36",
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
    profit = result_tables(run)[0]
    lines = [(row[0].text, row[1].text) for row in [*profit.rows, profit.foot]]
    assert lines == [
        ("Sales", "1,000.00 USD"),
        ("Buying in", "10.00 USD"),
        ("Setups", "-70.00 USD"),
        ("Profit", "940.00 USD"),
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
    assert f"/admin/planning/product/?plant__id__exact={plant.pk}&amp;q=Desk" in page


def big_run(plant: Plant, products: int, periods: int) -> Run:
    run = make_run(plant, state="solved", objective=1.0, profit_parts={"sales": 1.0})
    pairs = [(f"Product {p}", f"Week {t}") for p in range(products) for t in range(1, periods + 1)]
    zeros = dict.fromkeys(("yielded", "bought", "used", "lapsed", "stock", "backlog", "short"), 0.0)
    Production.objects.bulk_create(
        Production(run=run, product=p, route="Fast", period=t, quantity=2.0, setup=t == "Week 2") for p, t in pairs
    )
    ProductBalance.objects.bulk_create(
        ProductBalance(run=run, product=p, period=t, made=2.0, sold=2.0, **zeros) for p, t in pairs
    )
    MaterialBalance.objects.create(run=run, material="Wood", period="Week 1", supplied=1, used=3, lapsed=0, stock=2)
    Utilization.objects.create(
        run=run, resource_type="machine", resource="Saw", period="Week 1", used=1, overtime=0, units_down=0
    )
    OrderResult.objects.create(
        run=run,
        reference="A-1",
        product="Product 0",
        period="Week 1",
        target=5,
        delivered=3,
        late=1,
        shortfall=2,
        deliveries=[{"period": "Week 1", "quantity": 2.0}, {"period": "Week 2", "quantity": 1.0}],
    )
    GoalResult.objects.create(run=run, priority=1, name="Saw below 40 h", under=0, over=2.5)
    run.levels = [{"priority": 1, "deviation": 2.5}]
    run.save()
    return run


def test_the_page_takes_one_query_per_table_however_long(viewer: Client, plant: Plant) -> None:
    small, large = big_run(plant, 3, 2), big_run(plant, 300, 12)
    page_of(viewer, small)
    counts = []
    for run in (small, large):
        with CaptureQueriesContext(connection) as queries:
            page_of(viewer, run)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    tables = [query["sql"] for query in queries if "planning_production" in query["sql"]]
    assert len(tables) == 1


def test_production_is_a_table_of_products_and_periods(plant: Plant) -> None:
    table = next(table for table in result_tables(big_run(plant, 3, 3)) if table.key == "production")
    assert [head.text for head in table.heads] == ["Product", "Route", "Week 1", "Week 2", "Week 3", "Total"]
    assert [cell.text for cell in table.rows[0]] == ["Product 0", "Fast", "2", "2 ⚙", "2", "6"]


def test_long_tables_are_cut_and_say_so(viewer: Client, plant: Plant) -> None:
    page = page_of(viewer, big_run(plant, 300, 12))
    assert "The first 100 of 300 rows." in page
    assert "The first 100 of 3,600 rows." in page


def test_balances_open_with_what_was_there(plant: Plant) -> None:
    table = next(table for table in result_tables(big_run(plant, 1, 1)) if table.key == "materials")
    line = dict(zip((head.text for head in table.heads), (cell.text for cell in table.rows[0]), strict=True))
    assert line == {
        "Material": "Wood",
        "Period": "Week 1",
        "Opening": "4",
        "Supplied": "1",
        "Used": "3",
        "Stock": "2",
    }


def test_orders_and_goals_are_shown_in_words(viewer: Client, plant: Plant) -> None:
    page = page_of(viewer, big_run(plant, 1, 1))
    assert "Week 1: 2, Week 2: 1" in page
    assert "Weighted deviation reached: priority 1: 2.5." in page
    assert "no limit" in page


# --- CSV ------------------------------------------------------------------------------------


def file_of(client: Client, run: Run, table: str) -> list[list[str]]:
    response = client.get(reverse("admin:planning_run_csv", args=[run.pk, table]))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="run-{run.pk}-{table}.csv"'
    return list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))


def test_the_csv_file_has_all_rows_to_the_last_digit(viewer: Client, plant: Plant) -> None:
    run = make_solved_run(plant)
    assert file_of(viewer, run, "production") == [
        ["product", "route", "period", "quantity", "setup"],
        ["Chair", "", "1", "10", "false"],
        ["Table", "", "1", "5", "false"],
        ["Desk", "", "1", "8.428571428571429", "false"],
    ]
    assert len(file_of(viewer, big_run(plant, 300, 12), "products")) == 3601


@pytest.mark.parametrize("table", ["production", "products", "utilization", "materials", "orders", "goals"])
def test_every_result_table_has_its_file(viewer: Client, plant: Plant, table: str) -> None:
    assert len(file_of(viewer, big_run(plant, 1, 1), table)) == 2


def test_text_never_becomes_a_formula_and_numbers_stay_numbers(viewer: Client, plant: Plant) -> None:
    run = make_run(plant, state="solved")
    for name in ("=cmd|x", "+1", "-1", "@x", "'quoted", "Chair"):
        Production.objects.create(run=run, product=name, route="", period="1", quantity=-1.5, setup=False)
    rows = file_of(viewer, run, "production")[1:]
    assert [row[0] for row in rows] == ["'=cmd|x", "'+1", "'-1", "'@x", "''quoted", "Chair"]
    assert {row[3] for row in rows} == {"-1.5"}


def test_a_table_that_is_none_is_not_found(viewer: Client, plant: Plant) -> None:
    url = reverse("admin:planning_run_csv", args=[make_solved_run(plant).pk, "runcopy"])
    assert viewer.get(url).status_code == 404


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

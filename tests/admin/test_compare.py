"""The page that compares runs: who may see it, what it shows, its files, and the actions that lead there."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from planning.models import OrderResult, Plant, Product, Production, Run, RunSet
from planning.models.roles import ROLES
from planning.runs import execute, start_run
from tests.admin.conftest import logged_in
from tests.admin.test_every_page import EXTERNAL
from tests.factories import make_furniture, make_run, make_solved_run, make_user
from tests.reference.commands import bring_in

EVIL = "<script>alert(1)</script>"
FILES = ("compare", "compare_xlsx", "compare_csv")
PLANT = "lumix_step5_scenarios"


def url_of(*runs: object, name: str = "compare", only: bool = False) -> str:
    query = "&".join([*(f"run={getattr(run, 'pk', run)}" for run in runs), *(["only=differences"] if only else [])])
    return f"{reverse(f'admin:planning_run_{name}')}?{query}"


def page_of(client: Client, *runs: object, only: bool = False, code: int = 200) -> str:
    response = client.get(url_of(*runs, only=only))
    assert response.status_code == code
    return response.content.decode()


@pytest.fixture
def runs(plant: Plant) -> tuple[Run, Run]:
    """Return two solved runs; the second one earns less and makes two chairs fewer."""
    base = make_solved_run(plant, scenario_name="Now")
    other = make_solved_run(plant, scenario_name="Worse", objective=2500.0)
    Production.objects.filter(run=other, product="Chair").update(quantity=8)
    return base, other


# --- rights ---------------------------------------------------------------------------------


@pytest.mark.parametrize("group", ROLES)
def test_every_role_may_compare(runs: tuple[Run, Run], group: str) -> None:
    user = User.objects.create_user("someone", password="secret", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    for name in FILES:
        response = logged_in(user).get(url_of(*runs, name=name))
        assert response.status_code == 200
        assert response.getvalue()


def test_runs_are_compared_only_with_the_right_to_view_them(client: Client, runs: tuple[Run, Run]) -> None:
    RunSet.objects.create(plant=runs[0].plant, name="Both").runs.set(runs)
    urls = [url_of(*runs, name=name) for name in FILES]
    for url in urls:
        assert client.get(url)["Location"].startswith(reverse("admin:login"))
    client.force_login(make_user("clerk", "view_plant", "view_runset", "run_scenario"))
    for url in [*urls, url_of()]:
        assert client.get(url).status_code == 403
    run_set = RunSet.objects.get()
    assert "run/compare" not in client.get(reverse("admin:planning_runset_change", args=[run_set.pk])).content.decode()
    chosen = {"action": "compare_sets", "_selected_action": [run_set.pk]}
    response = client.post(reverse("admin:planning_runset_changelist"), chosen)
    assert "run/compare" not in response.get("Location", "")


def test_it_is_only_looked_at(admin: Client, runs: tuple[Run, Run]) -> None:
    for name in FILES:
        assert admin.post(url_of(*runs, name=name)).status_code == 405


# --- the page -------------------------------------------------------------------------------


def test_runs_stand_side_by_side_and_differences_are_judged_in_words(viewer: Client, runs: tuple[Run, Run]) -> None:
    base, other = runs
    page = page_of(viewer, base, other)
    assert EXTERNAL.findall(page) == []
    assert page.index("What differs in the inputs") < page.index("Figures") < page.index(">Plan</h2>")
    assert f"Run {base.pk} (base)" in page
    for run in runs:
        assert reverse("admin:planning_run_change", args=[run.pk]) in page
    assert '<span aria-hidden="true">▼</span> -235.71 USD worse' in page
    assert url_of(other, base).replace("&", "&amp;") in page  # make it the base
    turned = page_of(viewer, other, base)
    assert '<span aria-hidden="true">▲</span> +235.71 USD better' in turned


def test_only_differences_is_a_link(viewer: Client, runs: tuple[Run, Run]) -> None:
    everything, short = page_of(viewer, *runs), page_of(viewer, *runs, only=True)
    assert url_of(*runs, only=True).replace("&", "&amp;") in everything
    assert f'href="{url_of(*runs).replace("&", "&amp;")}"' in short
    for name, differs in (("Chair", True), ("Desk", False), ("Cutting Machine", False)):
        assert f">{name}<" in everything
        assert (f">{name}<" in short) == differs
    assert url_of(*runs, name="compare_xlsx", only=True).replace("&", "&amp;") in short


def test_the_published_scenarios(viewer: Client, plants_dir: Path) -> None:
    expected = json.loads((plants_dir / PLANT / "expected.json").read_text())["scenarios"]
    bring_in(plants_dir / PLANT)
    runs = []
    for name in expected:
        run = start_run(Plant.objects.get().scenarios.get(name=name), here=True)
        runs.append(execute(run.pk, run.attempt))
    page = page_of(viewer, *runs)
    for name, one in expected.items():
        assert name in page
        assert f"{one['objective']:,.2f} USD" in page
    assert "by its scenario: High Demand 1" in page
    assert f"run {runs[1].pk} wins 0 and loses 8" in page
    assert "! Mind" not in page


def test_edited_base_data_are_warned_of(viewer: Client, plant: Plant) -> None:
    before = start_run(plant.scenarios.get(), here=True)
    plant.products.filter(name="Chair").update(profit_per_unit=50)
    after = start_run(plant.scenarios.get(), here=True)
    page = page_of(viewer, before, after)
    assert "1 difference is not made by their scenarios" in page
    assert "1 input differs, 1 of them in the base data" in page
    assert "in the base data</span>" in page


def test_a_run_without_a_plan_has_its_state_and_no_numbers(viewer: Client, plant: Plant) -> None:
    base = make_solved_run(plant)
    nothing = make_run(plant, state="infeasible", reason="Too little wood.")
    page = page_of(viewer, base, nothing, make_run(plant))
    assert "Too little wood." in page
    assert "Infeasible" in page
    assert "The run waits for its turn." in page
    assert "worse" not in page
    assert "2,735.71 USD" in page_of(viewer, nothing, base)


def test_without_runs_it_says_what_to_do(viewer: Client, db: None) -> None:
    page = page_of(viewer)
    assert "Tick two to six runs" in page
    assert reverse("admin:planning_run_changelist") in page


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (["x"], "is no number of a run"),
        (["1", "٣"], "is no number of a run"),
        (["1", "-2"], "is no number of a run"),
        (["1"], "1 was named"),
        (["1", "1"], "named twice"),
        (["1", "9" * 19], "There is no run 9999"),
        (["1", "9" * 40], "is no number of a run"),
        ([str(number) for number in range(7)], "7 were named"),
    ],
)
def test_what_can_not_be_compared_is_said(viewer: Client, plant: Plant, named: list[str], words: str) -> None:
    make_run(plant, pk=1)
    for name in FILES:
        response = viewer.get(url_of(*named, name=name))
        assert response.status_code == 400
        assert words in response.content.decode()


def test_runs_of_other_plants_are_refused(viewer: Client, plant: Plant) -> None:
    runs = [make_solved_run(one) for one in (plant, make_furniture("Elsewhere"))]
    assert "Only runs of one plant can be compared" in page_of(viewer, *runs, code=400)


def test_names_are_text(viewer: Client, plant: Plant) -> None:
    variation = [{"table": EVIL, "row": EVIL, "field": EVIL, "operation": "set", "value": 1.0}]
    runs = [make_solved_run(plant, scenario_name=EVIL, variation=variation, currency=EVIL[:20]) for _ in range(2)]
    runs.append(make_run(plant, state="failed", reason=EVIL))
    for run in runs[:2]:
        Production.objects.filter(run=run).update(product=EVIL, period=EVIL)
        run.utilization_rows.update(resource=EVIL, period=EVIL)
        run.goalresult_rows.create(priority=1, name=EVIL, sense="at_most", target=0, under=0, over=0)
        OrderResult.objects.create(
            run=run, reference=EVIL, product=EVIL, period=EVIL, target=1, delivered=1, late=0, shortfall=0
        )
    Plant.objects.filter(pk=plant.pk).update(name=EVIL)
    page = page_of(viewer, *runs)
    assert EVIL not in page
    assert page.count("&lt;script&gt;alert(1)") > 10
    assert EVIL not in page_of(viewer, EVIL, "1", code=400)


def test_names_in_the_inputs_are_text(viewer: Client, plant: Plant) -> None:
    before = start_run(plant.scenarios.get(), here=True)
    plant.products.filter(name="Chair").update(unit=EVIL)
    Product.objects.create(plant=plant, name=EVIL)
    after = start_run(plant.scenarios.get(), here=True)
    page = page_of(viewer, before, after)
    assert EVIL not in page
    assert page.count("&lt;script&gt;alert(1)") == 2


def test_the_number_of_queries_is_fixed_and_long_tables_are_cut(viewer: Client, runs: tuple[Run, Run]) -> None:
    page_of(viewer, *runs)
    counts = []
    for more in (0, 300):
        for run in runs:
            Production.objects.bulk_create(
                Production(run=run, product=f"Product {i}", route="", period="1", quantity=i, setup=False)
                for i in range(more)
            )
        with CaptureQueriesContext(connection) as queries:
            page = page_of(viewer, *runs)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert "The first 100 of 606 rows." in page


# --- files ----------------------------------------------------------------------------------


def test_the_workbook_has_every_part(viewer: Client, runs: tuple[Run, Run]) -> None:
    response = viewer.get(url_of(*runs, name="compare_xlsx"))
    assert f"runs-{runs[0].pk}-{runs[1].pk}.xlsx" in response["Content-Disposition"]
    book = load_workbook(io.BytesIO(response.getvalue()))
    assert book.sheetnames == ["runs", "inputs", "figures", "resources", "plan", "orders", "goals"]
    assert [row[0] for row in book["plan"].iter_rows(min_row=2, values_only=True)][:2] == ["Chair", "Chair"]


def test_the_csv_file_has_the_plan_and_no_formula(viewer: Client, runs: tuple[Run, Run]) -> None:
    for run in runs:
        Production.objects.filter(run=run, product="Desk").update(product="=1+1")
    response = viewer.get(url_of(*runs, name="compare_csv"))
    rows = list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    numbers = [str(run.pk) for run in runs]
    assert rows[0] == ["product", "run", "scenario", "1", "total"]
    assert rows[1:3] == [
        ["Chair", numbers[0], "Now", "10", "10"],
        ["Chair", numbers[1], "Worse", "8", "8"],
    ]
    assert rows[5][:2] == ["'=1+1", numbers[0]]
    short = viewer.get(url_of(*runs, name="compare_csv", only=True)).getvalue().decode()
    assert "Table" not in short


# --- the ways there -------------------------------------------------------------------------


def test_chosen_runs_are_compared_with_the_earliest_as_the_base(viewer: Client, runs: tuple[Run, Run]) -> None:
    base, other = runs
    url = reverse("admin:planning_run_changelist")
    assert '<option value="compare_runs">Compare</option>' in viewer.get(url).content.decode()
    response = viewer.post(url, {"action": "compare_runs", "_selected_action": [other.pk, base.pk]})
    assert response["Location"] == url_of(base, other)
    response = viewer.post(url, {"action": "compare_runs", "_selected_action": [base.pk]}, follow=True)
    assert response.status_code == 400
    assert "1 was named" in response.content.decode()


def test_a_set_is_compared_from_its_page_and_from_the_list(viewer: Client, runs: tuple[Run, Run]) -> None:
    run_set = RunSet.objects.create(plant=runs[0].plant, name="Both")
    run_set.runs.set(runs)
    target = url_of(*runs)
    page = viewer.get(reverse("admin:planning_runset_change", args=[run_set.pk])).content.decode()
    assert target.replace("&", "&amp;") in page
    url = reverse("admin:planning_runset_changelist")
    response = viewer.post(url, {"action": "compare_sets", "_selected_action": [run_set.pk]})
    assert response["Location"] == target


def test_of_a_large_set_runs_are_chosen_first(viewer: Client, plant: Plant) -> None:
    run_set = RunSet.objects.create(plant=plant, name="Many")
    for _ in range(7):
        make_solved_run(plant, run_set=run_set)
    page = viewer.get(reverse("admin:planning_runset_change", args=[run_set.pk])).content.decode()
    assert "run/compare" not in page
    url = reverse("admin:planning_runset_changelist")
    response = viewer.post(url, {"action": "compare_sets", "_selected_action": [run_set.pk]}, follow=True)
    assert response.context["cl"].result_count == 7
    assert "These are more than 6 runs." in response.content.decode()

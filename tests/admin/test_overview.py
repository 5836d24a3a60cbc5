"""The first page: each plant with its plan at a glance, the latest runs, and what to do when there is nothing yet."""

from __future__ import annotations

import re

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from planning.insight import glances
from planning.insight.glance import MACHINES_SHOWN, PERIODS_SHOWN
from planning.models import (
    MaterialRequirement,
    OrderResult,
    Plant,
    PlantLimit,
    ProductBalance,
    ProductionRecipe,
    Run,
    Utilization,
)
from planning.runs import approve
from tests.admin.doors import member
from tests.factories import make_furniture, make_plant, make_run, make_solved_run, make_user

SAMPLE = "admin:planning_plant_sample"


def overview(client: Client) -> str:
    response = client.get(reverse("admin:index"))
    assert response.status_code == 200
    return response.content.decode()


def words(page: str) -> str:
    """Return the text of a page, its markup taken out."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


class TestNothingYet:
    def test_it_says_what_to_do_next(self, planner: Client, viewer: Client, db: None) -> None:
        page = overview(planner)
        assert "Load the sample plant" in page
        assert reverse("admin:planning_plant_upload") in page
        assert reverse("admin:planning_plant_add") in page
        assert "manage.py import_plan FILE" in page
        assert "Load the sample plant" not in overview(viewer)
        assert reverse("admin:planning_plant_add") not in overview(viewer)

    def test_the_sample_plant_is_one_press_away_and_says_what_is_next(self, db: None) -> None:
        client = member("Planner")
        answer = client.post(reverse(SAMPLE), follow=True)
        plant = Plant.objects.get()
        assert (plant.name, plant.products.count()) == ("Furniture Workshop", 3)
        page = answer.content.decode()
        assert "is loaded: 3 products, 2 machines and 3 raw materials. Press “Run Baseline”" in page
        assert f"{reverse('admin:planning_scenario_run')}?scenario={plant.scenarios.get().pk}" in page

    def test_a_sample_plant_that_is_there_stays_as_it_is(self, plant: Plant) -> None:
        plant.products.filter(name="Desk").delete()
        answer = member("Planner").post(reverse(SAMPLE), follow=True)
        assert "is there already and was left as it is" in answer.content.decode()
        assert plant.products.count() == 2

    def test_who_is_limited_to_plants_that_are_not_there_is_told(self, db: None) -> None:
        user = make_user("ann", "view_plant", "import_plan")
        PlantLimit.objects.create(user=user)
        make_plant("South")
        client = Client()
        client.force_login(user)
        page = overview(client)
        assert "limited to some plants" in page
        assert "Load the sample plant" not in page
        assert client.post(reverse(SAMPLE)).status_code == 403
        assert Plant.objects.count() == 1


class TestPlants:
    def test_a_plant_without_a_plan_can_be_run_in_one_step(self, planner: Client, plant: Plant) -> None:
        page = overview(planner)
        assert "There is no plan yet. Press “Run Baseline” to get one." in page
        assert f"{reverse('admin:planning_scenario_run')}?scenario={plant.scenarios.get().pk}" in page

    def test_it_shows_the_approved_plan_and_the_last_run(self, viewer: Client, plant: Plant) -> None:
        first = make_solved_run(plant)
        approve(run=first, user=make_user("boss"), reason="Sales agreed")
        last = make_run(plant, state="infeasible")
        page = words(overview(viewer))
        assert f"Approved plan Run {first.pk} of Baseline , 2,735.71 USD by boss on" in page
        assert "Sales agreed" in page
        assert f"Last run Run {last.pk} of Baseline Infeasible" in page

    def test_machine_hours_are_shown_in_numbers_of_the_approved_plan(self, viewer: Client, plant: Plant) -> None:
        run = make_solved_run(plant)
        approve(run=run, user=None, reason="yes")
        Utilization.objects.filter(run=run, resource="Assembly Station").update(utilization_pct=100.0)
        newer = make_solved_run(plant)
        page = overview(viewer)
        assert 'Cutting Machine</th><td class="pl-number pl-s2">37</td>' in page
        assert 'Assembly Station</th><td class="pl-warn pl-s5">100</td>' in page
        assert f"fullest is Assembly Station with 100 %, run {run.pk}, the approved plan" in words(page)
        run.approvals.all().delete()
        assert f"run {newer.pk}, the latest plan" in words(overview(viewer))

    def test_runs_of_variations_and_open_ones_are_not_the_latest_plan(self, viewer: Client, plant: Plant) -> None:
        run = make_solved_run(plant)
        make_solved_run(plant, variation=[])
        make_run(plant, state="running", objective=1.0)
        assert f"run {run.pk}, the latest plan" in words(overview(viewer))

    def test_short_orders_and_demand_are_counted_and_the_worst_are_named(self, viewer: Client, plant: Plant) -> None:
        run = make_solved_run(plant)
        assert "Nothing: all demand is met." in overview(viewer)
        for number in range(6):
            OrderResult.objects.create(
                run=run, reference=f"A-{number}", product="Desk", period="1", target=9, delivered=9 - number, late=0,
                shortfall=number,
            )  # fmt: skip
        ProductBalance.objects.filter(run=run, product="Chair").update(short=2)
        page = words(overview(viewer))
        assert "5 of 6 orders, demand of 1 product" in page
        assert "A-5 misses 5 of Desk; A-4 misses 4 of Desk; A-3 misses 3 of Desk; and 2 more" in page

    def test_large_plans_are_cut_to_the_fullest_machines_and_the_first_periods(self, plant: Plant) -> None:
        run = make_run(plant, state="solved", objective=1.0)
        Utilization.objects.bulk_create(
            Utilization(
                run=run, resource_type="machine", resource=f"M{machine}", period=f"W{period}", used=1, available=100,
                utilization_pct=None if machine == 0 else float(machine), overtime=0, units_down=0,
            )
            for machine in range(20) for period in range(40)
        )  # fmt: skip
        glance = glances([run.pk])[run.pk]
        assert [row.machine for row in glance.machines] == [f"M{number}" for number in range(12, 20)]
        assert glance.machines_more == 20 - MACHINES_SHOWN
        assert (len(glance.periods), glance.periods_more) == (PERIODS_SHOWN, 40 - PERIODS_SHOWN)
        assert all(len(row.percent) == PERIODS_SHOWN for row in glance.machines)

    def test_the_queries_are_the_same_for_one_plant_and_for_many(self, viewer: Client, plant: Plant) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                overview(viewer)
            return len(captured)

        approve(run=make_solved_run(plant), user=None, reason="yes")
        once = queries()
        for name in ("North", "South", "West"):
            other = make_furniture(name)
            make_solved_run(other)
            approve(run=make_solved_run(other), user=None, reason="yes")
        assert queries() == once
        assert once <= 20

    def test_more_plants_than_fit_are_said(self, viewer: Client, db: None) -> None:
        for number in range(13):
            make_plant(f"Plant {number:02}")
        page = overview(viewer)
        assert "Plant 11" in page
        assert "Plant 12" not in page
        assert "These are the first 12 plants by name." in page

    def test_the_health_of_the_data_is_asked_for_by_itself(self, viewer: Client, plant: Plant) -> None:
        url = reverse("admin:planning_plant_health_json", args=[plant.pk])
        assert f'data-health="{url}"' in overview(viewer)
        assert viewer.get(url).json()["label"] == "Data green"
        plant.raw_materials.create(name="Glue")
        assert viewer.get(url).json()["label"] == "Data amber: 1 warning"
        ProductionRecipe.objects.filter(product__name="Desk").delete()
        MaterialRequirement.objects.filter(product__name="Desk").delete()
        assert viewer.get(url).json()["label"].startswith("Data red: 1 error")


def test_it_shows_the_latest_runs(viewer: Client, plant: Plant) -> None:
    run = make_solved_run(plant)
    page = overview(viewer)
    assert reverse("admin:planning_run_change", args=[run.pk]) in page
    assert "2,735.71 USD" in page
    Run.objects.all().delete()
    assert "No scenario has been run yet." in overview(viewer)


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
    client.force_login(make_user("keeper", "view_plant"))
    page = overview(client)
    assert plant.name in page
    assert "2,735.71 USD" not in page


def test_the_login_leads_to_it(client: Client, db: None) -> None:
    make_user("ann")
    page = client.get(reverse("admin:login"))
    assert f'name="next" value="{reverse("admin:index")}"' in page.content.decode()
    sent = {"username": "ann", "password": "secret", "next": page.context["next"]}
    assert client.post(reverse("admin:login"), sent)["Location"] == reverse("admin:index")

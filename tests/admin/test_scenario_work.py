"""Scenarios as planners work on them: names to choose from, Check, order, copies, promotion; each for whom may."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from planning.models import BASELINE, Plant, Scenario
from tests.admin.conftest import logged_in
from tests.factories import make_furniture, make_user

WOOD = {"table": "raw_materials", "row": "Wood", "field": "available_quantity"}
DOORS = ("rows", "check", "duplicate", "promote")


@pytest.fixture
def scenario(plant: Plant) -> Scenario:
    scenario = Scenario.objects.create(plant=plant, name="More wood")
    scenario.scenario_changes.create(**WOOD, operation="multiply", value=1.5, note="new supplier")
    scenario.scenario_changes.create(**WOOD, operation="add", value=10.0)
    return scenario


def url(scenario: Scenario, name: str = "change") -> str:
    return reverse(f"admin:planning_scenario_{name}", args=[scenario.pk])


def form(scenario: Scenario, changes: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """Return what the page sends: the stored changes come first."""
    values: dict[str, Any] = {"name": scenario.name, "description": "", "goal_mode": "", "parent": "", **fields}
    stored = sum("id" in change for change in changes)
    values |= {"scenario_changes-TOTAL_FORMS": len(changes), "scenario_changes-INITIAL_FORMS": stored}
    for index, change in enumerate(changes):
        row = {"scenario": scenario.pk, "period": "", "operation": "set", "value": "", "note": "", **WOOD, **change}
        values |= {f"scenario_changes-{index}-{name}": value for name, value in row.items()}
    return values


def stored(scenario: Scenario) -> list[dict[str, Any]]:
    """Return the stored changes as the page sends them."""
    rows = scenario.scenario_changes.order_by("pk")
    return [{"id": row.pk, "operation": row.operation, "value": row.value, "note": row.note} for row in rows]


def check(client: Client, scenario: Scenario, changes: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    response = client.post(url(scenario, "check"), form(scenario, changes, **fields))
    assert response.status_code == 200
    shown: dict[str, Any] = response.json()
    return shown


class TestThePage:
    def test_it_shows_base_and_effective_value_beside_each_change(self, planner: Client, scenario: Scenario) -> None:
        page = planner.get(url(scenario)).content.decode()
        assert "500 → 750" in page
        assert "750 → 760" in page
        assert "(base 500)" in page
        assert "changes 1 raw material" in page

    def test_the_changes_of_the_parent_are_shown_first(self, planner: Client, scenario: Scenario) -> None:
        child = Scenario.objects.create(plant=scenario.plant, name="Child", parent=scenario)
        page = planner.get(url(child)).content.decode()
        assert "From the parent, first" in page
        assert "raw materials · Wood · available quantity · multiply 1.5" in page
        assert "No changes of its own yet" in page

    def test_a_viewer_reads_changes_effects_and_notes(self, viewer: Client, scenario: Scenario) -> None:
        page = viewer.get(url(scenario)).content.decode()
        assert "raw materials · Wood · available quantity · multiply 1.5" in page
        assert "500 → 750" in page
        assert "new supplier" in page
        assert "data-check" not in page

    def test_a_scenario_with_a_fault_opens_and_says_it(self, planner: Client, scenario: Scenario) -> None:
        scenario.scenario_changes.filter(operation="add").update(row="Wod")
        page = planner.get(url(scenario)).content.decode()
        assert "Did you mean: Wood" in page
        assert "1 change can't be applied" in page

    def test_the_number_of_queries_does_not_grow_with_the_changes(
        self, planner: Client, scenario: Scenario, django_assert_max_num_queries: Any
    ) -> None:
        for value in range(40):
            scenario.scenario_changes.create(**WOOD, operation="add", value=float(value))
        with django_assert_max_num_queries(45):
            planner.get(url(scenario))


class TestNames:
    def names(self, client: Client, scenario: Scenario, **query: str) -> Any:
        return client.get(url(scenario, "rows"), query)

    def test_rows_of_the_table_that_hold_the_words(self, planner: Client, scenario: Scenario) -> None:
        make_furniture("South")
        found = self.names(planner, scenario, table="machines", q="mach").json()
        assert found == {"rows": ["Cutting Machine"], "more": False}

    def test_keys_of_several_parts(self, planner: Client, scenario: Scenario) -> None:
        found = self.names(planner, scenario, table="production_recipes", q="chair / cut").json()
        assert found["rows"] == ["Chair / Cutting Machine"]

    def test_a_table_by_period_offers_the_rows_of_its_parent(self, planner: Client, scenario: Scenario) -> None:
        found = self.names(planner, scenario, table="raw_material_periods").json()
        assert found["rows"] == ["Wood", "Metal", "Fabric"]

    def test_no_more_than_can_be_looked_through(self, planner: Client, scenario: Scenario) -> None:
        for number in range(60):
            scenario.plant.machines.create(name=f"Robot {number}")
        found = self.names(planner, scenario, table="machines", q="robot").json()
        assert (len(found["rows"]), found["more"]) == (50, True)

    @pytest.mark.parametrize("table", ["", "nothing", "scenarios", "auth_user"])
    def test_no_other_table(self, planner: Client, scenario: Scenario, table: str) -> None:
        assert self.names(planner, scenario, table=table).status_code == 404

    def test_who_may_not_see_the_table_gets_no_names(self, scenario: Scenario) -> None:
        client = logged_in(make_user("half", "view_scenario"))
        assert self.names(client, scenario, table="machines").status_code == 403


class TestCheck:
    def test_it_answers_effects_and_saves_nothing(self, planner: Client, scenario: Scenario) -> None:
        before = stored(scenario)
        changed = [before[0] | {"operation": "set", "value": "800"}, before[1] | {"value": "5"}]
        shown = check(planner, scenario, changed, name="Other")
        assert "500 → 800" in shown["rows"]["scenario_changes-0"]
        assert "800 → 805" in shown["rows"]["scenario_changes-1"]
        assert "not saved" in shown["result"]
        scenario.refresh_from_db()
        assert scenario.name == "More wood"
        assert stored(scenario) == before

    def test_it_says_what_is_wrong_with_which_change(self, planner: Client, scenario: Scenario) -> None:
        changes: list[dict[str, Any]] = [
            {"row": "Wod", "value": "1"},
            {"operation": "multiply"},
            {"row": "Wood", "value": "500"},
        ]
        shown = check(planner, Scenario.objects.create(plant=scenario.plant, name="New"), changes)
        assert "Did you mean: Wood" in shown["rows"]["scenario_changes-0"]
        assert "The value is blank" in shown["rows"]["scenario_changes-1"]
        assert "Changes no value" in shown["rows"]["scenario_changes-2"]
        assert "2 changes can't be applied" in shown["result"]

    def test_limits_that_it_crosses(self, planner: Client, scenario: Scenario) -> None:
        crossed = {"table": "products", "row": "Desk", "field": "max_demand", "value": "1"}
        assert "max_demand 1 below min_demand 3" in check(planner, scenario, [crossed])["result"]

    def test_order_and_removed_changes_count_as_entered(self, planner: Client, scenario: Scenario) -> None:
        first, second = stored(scenario)
        shown = check(planner, scenario, [first | {"ORDER": 2}, second | {"ORDER": 1}])
        assert "510 → 765" in shown["rows"]["scenario_changes-0"]
        shown = check(planner, scenario, [first | {"DELETE": "on"}, second])
        assert "500 → 510" in shown["rows"]["scenario_changes-1"]
        assert "scenario_changes-0" not in shown["rows"]

    def test_the_chosen_parent_comes_first(self, planner: Client, scenario: Scenario) -> None:
        child = Scenario.objects.create(plant=scenario.plant, name="Child")
        shown = check(planner, child, [{"operation": "add", "value": "1"}], parent=scenario.pk)
        assert "760 → 761" in shown["rows"]["scenario_changes-0"]
        circle = check(planner, scenario, [{"value": "1"}], parent=scenario.pk)
        assert "comes from this scenario" in circle["result"]

    def test_text_is_shown_as_text(self, planner: Client, scenario: Scenario) -> None:
        shown = check(planner, scenario, [{"row": "<img src=x>", "value": "1"}])
        assert "<img" not in str(shown)
        assert "&lt;img" in shown["rows"]["scenario_changes-0"]

    def test_only_for_who_may_change_and_only_by_post(
        self, planner: Client, viewer: Client, scenario: Scenario
    ) -> None:
        assert viewer.post(url(scenario, "check"), form(scenario, [])).status_code == 403
        assert planner.get(url(scenario, "check")).status_code == 405
        half = logged_in(make_user("half", "view_scenario", "change_scenario"))  # and no right on changes
        assert half.get(url(scenario)).status_code == 200
        assert half.post(url(scenario, "check"), form(scenario, [])).status_code == 403
        baseline = scenario.plant.scenarios.get(name=BASELINE)
        assert planner.post(url(baseline, "check"), form(baseline, [])).status_code == 403
        strict = Client(enforce_csrf_checks=True)
        rights = [f"{may}_{table}" for may in ("view", "change") for table in ("scenario", "scenariochange")]
        user = make_user("strict", *rights)
        assert logged_in(user).post(url(scenario, "check"), form(scenario, [])).status_code == 200
        strict.force_login(user)
        assert strict.post(url(scenario, "check"), form(scenario, [])).status_code == 403


class TestOrder:
    def values(self, scenario: Scenario) -> list[float | None]:
        return list(scenario.scenario_changes.order_by("pk").values_list("value", flat=True))

    def test_changes_are_saved_in_the_order_of_the_page(self, planner: Client, scenario: Scenario) -> None:
        first, second = stored(scenario)
        rows = [first | {"ORDER": 3}, second | {"ORDER": 2}, {"value": "7", "ORDER": 1}]
        assert planner.post(url(scenario), form(scenario, rows)).status_code == 302
        assert self.values(scenario) == [7.0, 10.0, 1.5]
        assert scenario.scenario_changes.order_by("pk")[2].note == "new supplier"

    def test_without_an_order_they_stay(self, planner: Client, scenario: Scenario) -> None:
        planner.post(url(scenario), form(scenario, [*stored(scenario), {"value": "7"}]))
        assert self.values(scenario) == [1.5, 10.0, 7.0]


class TestDuplicate:
    def test_a_name_is_asked_and_the_copy_shown(self, planner: Client, scenario: Scenario) -> None:
        page = planner.get(url(scenario, "duplicate"))
        assert page.context["form"].initial["name"] == "Copy of More wood"
        response = planner.post(url(scenario, "duplicate"), {"name": "Again"})
        made = Scenario.objects.get(name="Again")
        assert response["Location"] == url(made)
        assert [row.value for row in made.scenario_changes.order_by("pk")] == [1.5, 10.0]
        assert "Duplicated from" in planner.get(url(made, "history")).content.decode()

    @pytest.mark.parametrize(
        ("name", "said"), [("More wood", "already"), ("*", "every row"), ("", "This field is required")]
    )
    def test_what_can_not_be_a_name_is_refused(self, planner: Client, scenario: Scenario, name: str, said: str) -> None:
        response = planner.post(url(scenario, "duplicate"), {"name": name})
        assert said in response.content.decode()
        assert Scenario.objects.count() == 2

    def test_several_at_once_get_names_of_their_own(self, planner: Client, scenario: Scenario) -> None:
        other = Scenario.objects.create(plant=scenario.plant, name="Other")
        action = {"action": "duplicate_scenarios", "_selected_action": [scenario.pk, other.pk]}
        planner.post(reverse("admin:planning_scenario_changelist"), action)
        assert Scenario.objects.filter(name__in=["Copy of More wood", "Copy of Other"]).count() == 2
        one = planner.post(reverse("admin:planning_scenario_changelist"), action | {"_selected_action": [scenario.pk]})
        assert one["Location"] == url(scenario, "duplicate")

    def test_only_for_who_may_add(self, viewer: Client, scenario: Scenario) -> None:
        assert viewer.get(url(scenario, "duplicate")).status_code == 403
        assert viewer.post(url(scenario, "duplicate"), {"name": "Mine"}).status_code == 403
        action = {"action": "duplicate_scenarios", "_selected_action": [scenario.pk]}
        viewer.post(reverse("admin:planning_scenario_changelist"), action)
        assert Scenario.objects.count() == 2
        assert url(scenario, "duplicate_this") not in viewer.get(url(scenario)).content.decode()


class TestPromote:
    def promote(self, client: Client, scenario: Scenario) -> Any:
        page = client.get(url(scenario, "promote"))
        return client.post(url(scenario, "promote"), {"digest": page.context["digest"]}, follow=True)

    def wood(self, scenario: Scenario) -> float | None:
        return scenario.plant.raw_materials.get(name="Wood").available_quantity

    def test_the_preview_shows_old_and_new_and_writes_nothing(self, planner: Client, scenario: Scenario) -> None:
        page = planner.get(url(scenario, "promote"))
        (edit,) = page.context["edits"]
        assert (edit["row"], edit["old"], edit["new"]) == ("Wood", "500", "760")
        assert self.wood(scenario) == 500.0

    def test_it_is_done_and_stands_in_the_history_of_the_row(self, planner: Client, scenario: Scenario) -> None:
        response = self.promote(planner, scenario)
        assert "was promoted" in response.content.decode()
        assert self.wood(scenario) == 760.0
        wood = scenario.plant.raw_materials.get(name="Wood")
        history = planner.get(reverse("admin:planning_rawmaterial_history", args=[wood.pk])).content.decode()
        assert "Promoted from scenario" in history
        assert "available quantity 500 → 760" in history
        assert ">planner<" in history.replace(" ", "").replace("\n", "")
        assert "multiplied by 1.5" in planner.get(url(scenario, "history")).content.decode()

    def test_without_the_preview_or_with_an_old_one_nothing_is_done(self, planner: Client, scenario: Scenario) -> None:
        response = planner.post(url(scenario, "promote"), {})
        assert "Look at the new values" in response.content.decode()
        page = planner.get(url(scenario, "promote"))
        scenario.plant.raw_materials.filter(name="Wood").update(available_quantity=100.0)
        response = planner.post(url(scenario, "promote"), {"digest": page.context["digest"]})
        assert response.context["edits"][0]["new"] == "160"
        assert self.wood(scenario) == 100.0

    def test_bad_data_are_named_and_nothing_is_done(self, planner: Client, scenario: Scenario) -> None:
        scenario.scenario_changes.filter(operation="add").update(row="Wod")
        page = planner.get(url(scenario, "promote")).content.decode()
        assert "Did you mean: Wood" in page
        assert 'name="digest"' not in page
        planner.post(url(scenario, "promote"), {"digest": "x"})
        assert self.wood(scenario) == 500.0

    def test_what_the_models_refuse_is_named(self, planner: Client, scenario: Scenario) -> None:
        scenario.scenario_changes.create(table="products", row="Desk", field="active", value=0.0)
        scenario.scenario_changes.create(table="products", row="Desk", field="max_demand", value=1.0)
        assert "max_demand is below min_demand" in self.promote(planner, scenario).content.decode()
        assert self.wood(scenario) == 500.0

    def test_baseline_and_a_scenario_without_effect_say_so(self, planner: Client, scenario: Scenario) -> None:
        baseline = scenario.plant.scenarios.get(name=BASELINE)
        assert "is the base data" in planner.get(url(baseline, "promote")).content.decode()
        planner.post(url(baseline, "promote"), {"digest": ""})
        scenario.scenario_changes.all().delete()
        assert "nothing to promote" in planner.get(url(scenario, "promote")).content.decode()
        assert not LogEntry.objects.exists()

    def test_the_right_to_promote_is_enough_and_nothing_else_is(self, viewer: Client, scenario: Scenario) -> None:
        editor = logged_in(
            make_user("editor", "view_scenario", "change_scenario", "change_rawmaterial", "run_scenario")
        )
        for client in (viewer, editor):
            assert client.get(url(scenario, "promote")).status_code == 403
            assert client.post(url(scenario, "promote"), {"digest": ""}).status_code == 403
            assert url(scenario, "promote_this") not in client.get(url(scenario)).content.decode()
        assert self.wood(scenario) == 500.0
        promoter = logged_in(make_user("promoter", "promote_scenario"))
        assert self.promote(promoter, scenario).status_code == 200
        assert self.wood(scenario) == 760.0

    def test_an_administrator_may(self, admin: Client, scenario: Scenario) -> None:
        self.promote(admin, scenario)
        assert self.wood(scenario) == 760.0


@pytest.mark.parametrize("door", DOORS)
def test_strangers_are_sent_to_the_login(client: Client, scenario: Scenario, door: str) -> None:
    for answer in (client.get(url(scenario, door)), client.post(url(scenario, door))):
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize("door", DOORS)
def test_a_scenario_that_is_gone_is_not_found(planner: Client, scenario: Scenario, door: str) -> None:
    address = url(scenario, door)
    scenario.delete()
    answer = planner.post(address) if door == "check" else planner.get(address, {"table": "machines"})
    assert answer.status_code == 404


@pytest.mark.parametrize(("role", "may"), [("Viewer", False), ("Planner", True), ("Approver", False)])
def test_of_the_ready_made_roles_planners_duplicate_and_promote(scenario: Scenario, role: str, may: bool) -> None:
    user = make_user(role.lower())
    user.groups.add(Group.objects.get(name=role))
    client = logged_in(user)
    page = client.get(url(scenario)).content.decode()
    for door in ("duplicate", "promote"):
        assert client.get(url(scenario, door)).status_code == (200 if may else 403)
        assert (url(scenario, f"{door}_this") in page) is may

"""The ready-made groups: what a viewer, a planner, an approver and a stranger may do; approving plans."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import resolve, reverse

from planning.models import Approval, Plant, Run, Scenario, StagedUpload
from planning.models.roles import ROLES
from planning.runs import CannotApprove, approve
from tests.admin.doors import Door, doors, make_full_plant, member, row_of, rows_of
from tests.factories import make_furniture, make_run, make_solved_run

pytestmark = pytest.mark.django_db

EVERYBODY = {"Viewer", "Planner", "Approver"}
PLANNER, APPROVER, NOBODY = {"Planner"}, {"Approver"}, set()
NOT_LINKED = {
    *("autocomplete", "rows"),  # asked for by forms, which viewers do not have
    *("duplicate", "promote"),  # duplicate_this and promote_this lead there
    "upload/faults.<slug:kind>",  # on the page of a file with faults
    *("remedies", "by-hand", "relief"),  # where something is short, and where a plan by hand takes a while
    "sample",  # where there is no plant yet
    *("what-if/ask", "what-if/ready", "what-if/answer", "what-if/scenario", "what-if/solve", "what-if/sweep"),
    *("sweep", "sweep.csv", "sweep.xlsx"),  # on the page of a sweep
}
# last words of a door of planning -> who may look (GET) and who may do (POST); None: the door has no such method
DOORS: dict[str, tuple[set[str] | None, set[str] | None]] = {
    "": (EVERYBODY, EVERYBODY),  # a list; its actions are tried one by one below
    "add": (PLANNER, PLANNER),
    "change": (EVERYBODY, PLANNER),
    "delete": (PLANNER, PLANNER),
    "history": (EVERYBODY, EVERYBODY),
    "autocomplete": (EVERYBODY, None),
    "upload": (PLANNER, PLANNER),
    "upload/faults.<slug:kind>": (PLANNER, None),
    "export.csv": (EVERYBODY, None),
    "export.xlsx": (EVERYBODY, None),
    "template.xlsx": (PLANNER, None),
    "plan.xlsx": (EVERYBODY, None),
    "health": (EVERYBODY, None),
    "health.json": (EVERYBODY, None),
    "sample": (None, PLANNER),
    "grid": (EVERYBODY, PLANNER),
    "open_grid": (EVERYBODY, EVERYBODY),  # leads to the grid
    "run_this_baseline": (PLANNER, PLANNER),
    "run_this_scenario": (PLANNER, PLANNER),
    "duplicate_this": (PLANNER, PLANNER),
    "promote_this": (PLANNER, PLANNER),
    "run": (PLANNER, PLANNER),
    "rows": (EVERYBODY, None),
    "check": (None, PLANNER),
    "duplicate": (PLANNER, PLANNER),
    "promote": (PLANNER, PLANNER),
    "state.json": (EVERYBODY, None),
    "stop": (None, PLANNER),
    "approve": (None, APPROVER),
    "changes.json": (EVERYBODY, None),
    "part": (EVERYBODY, None),
    "<slug:table>.csv": (EVERYBODY, None),
    "<slug:table>.xlsx": (EVERYBODY, None),
    "remedies": (None, PLANNER),
    "by-hand": (None, PLANNER),
    **{f"what-if/{name}": (None, PLANNER) for name in ("ask", "ready", "scenario", "solve", "sweep")},
    "what-if/answer": (PLANNER, None),
    **dict.fromkeys(("sweep", "sweep.csv", "sweep.xlsx"), (EVERYBODY, None)),
    "relief": (None, PLANNER),
    "compare": (EVERYBODY, None),
    "compare/comparison.xlsx": (EVERYBODY, None),
    "compare/plan.csv": (EVERYBODY, None),
}
# where a table differs from the others
TABLES: dict[str, tuple[set[str] | None, set[str] | None]] = {
    "planning/run/add/": (NOBODY, NOBODY),
    "planning/run/<path:object_id>/change/": (EVERYBODY, None),
    "planning/runset/add/": (NOBODY, NOBODY),
    "planning/runset/<path:object_id>/change/": (EVERYBODY, None),
}
ACTIONS = {  # bulk action -> whose lists offer it
    "delete_selected": PLANNER,
    "change_several": PLANNER,
    "run_baseline": PLANNER,
    "run_scenario": PLANNER,
    "duplicate_scenarios": PLANNER,
    "compare_runs": EVERYBODY,
    "compare_sets": EVERYBODY,
}
LINK = re.compile(r'="(/admin/[^"?#]*)')


def who(door: Door) -> tuple[set[str] | None, set[str] | None]:
    """Return who may look behind a door, and who may do something there."""
    if door.route not in TABLES and door.last not in DOORS:
        raise KeyError(f"{door.route}: say in DOORS who may look and who may do something there, by “{door.last}”")
    return TABLES.get(door.route) or DOORS[door.last]


def everyone(door: Door) -> set[str]:
    """Return who may look or do something behind a door."""
    look, do = who(door)
    return (look or set()) | (do or set())


def doors_of_planning() -> list[Door]:
    """Return the doors of the app; a row's bare address, which leads to its page, is none."""
    return [door for door in doors("planning/") if not door.route.endswith("/<path:object_id>/")]


def run_page(run: Run) -> str:
    return reverse("admin:planning_run_change", args=[run.pk])


def press_approve(client: Client, run: Run, **data: str) -> int:
    url = reverse("admin:planning_run_approve", args=[run.pk])
    return client.post(url, {"reason": "Everybody agreed", **data}).status_code


def current(plant: Plant) -> list[int]:
    return list(Approval.objects.filter(plant=plant, ended_at__isnull=True).values_list("run_id", flat=True))


class TestGroups:
    def test_migrate_makes_them_with_rights_that_exist(self) -> None:
        for name, codenames in ROLES.items():
            held = Group.objects.get(name=name).permissions.values_list("codename", flat=True)
            assert set(held) == codenames

    def test_one_that_somebody_has_changed_stays_as_it_is(self) -> None:
        group = Group.objects.get(name="Viewer")
        group.permissions.clear()
        call_command("migrate", verbosity=0)
        assert not group.permissions.exists()

    def test_no_role_may_touch_users_or_edit_runs(self) -> None:
        given = Permission.objects.filter(group__name__in=ROLES)
        assert not given.exclude(content_type__app_label="planning").exists()
        assert not given.filter(codename__in=["add_run", "change_run", "add_approval", "change_approval"]).exists()


@pytest.fixture
def plant() -> Plant:
    """Return a plant with a row behind each door."""
    return make_full_plant()


def query_of(door: Door) -> dict[str, object]:
    """Return what a door is asked for beside its row."""
    queries: dict[str, dict[str, object]] = {
        "autocomplete": {"app_label": "planning", "model_name": "productionrecipe", "field_name": "product"},
        "run": {"scenario": Scenario.objects.values_list("pk", flat=True)},
        "rows": {"table": "products"},
        "compare": {"run": Run.objects.values_list("pk", flat=True)},
    }
    return queries.get(door.last.split("/")[0], {})


def knock(client: Client, door: Door, rows: dict[str, Any], method: str) -> tuple[int, str]:
    """Return the answer at a door and its page; what it has done is undone."""
    with transaction.atomic():
        given = query_of(door) if method == "get" else {"reason": "Agreed", "post": "yes"}
        answer = getattr(client, method)(door.url(rows), given)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        transaction.set_rollback(True)
    return answer.status_code, content.decode() if answer.get("Content-Type", "").startswith("text/html") else ""


class TestDoors:
    @pytest.mark.parametrize("role", ["Viewer", "Planner", "Approver"])
    def test_each_opens_for_whom_it_is_there_and_offers_what_they_may_do(self, role: str, plant: Plant) -> None:
        client = member(role)
        StagedUpload.objects.update(user=User.objects.get(username=role))
        rows = {door: rows_of(door, plant) for door in doors_of_planning()}
        known = {resolve(door.url(row)).route: door for door, row in rows.items()}
        open_run = reverse("admin:planning_run_change", args=[plant.runs.get(state="queued").pk])
        pages = [client.get(reverse("admin:index")).content.decode(), client.get(open_run).content.decode()]
        wrong = []
        for door, row in rows.items():
            for method, roles in zip(("get", "post"), who(door), strict=True):
                code, page = knock(client, door, row, method)
                right = {405} if roles is None else {200, 302, 400, 404, 422} if role in roles else {403}
                if code not in right:
                    wrong.append((method, door.route, code))
                pages.append(page)
        assert wrong == []
        links = {link for page in pages for link in LINK.findall(page)}
        offered = {known[route] for link in links if (route := resolve(link).route) in known}
        assert [door.route for door in offered if role not in everyone(door)] == []
        may = {door.last for door in rows if role in everyone(door)}
        assert may - {door.last for door in offered} - NOT_LINKED == set()

    def test_staff_without_a_role_see_the_overview_and_nothing_behind_it(self, plant: Plant) -> None:
        client = member()
        assert plant.name not in client.get(reverse("admin:index")).content.decode()
        for door in doors():
            if not door.route.startswith(("planning/", "auth/")) or door.route.endswith("/<path:object_id>/"):
                continue
            rows = rows_of(door, plant) if door.route.startswith("planning/") else {"object_id": 1, "id": 1}
            codes = {knock(client, door, rows, method)[0] for method in ("get", "post")}
            assert codes <= {403, 405}, door.route

    def test_no_role_sees_users_and_groups(self) -> None:
        for role in EVERYBODY:
            client = member(role)
            for door in doors("auth/"):
                if not door.route.endswith("/<path:object_id>/"):
                    assert client.get(door.url({"object_id": 1, "id": 1})).status_code == 403, door.route

    def test_strangers_are_sent_to_log_in(self, plant: Plant) -> None:
        for door in doors_of_planning():
            url = door.url(rows_of(door, plant))
            for answer in (Client().get(url), Client().post(url)):
                assert answer.status_code == 302, door.route
                assert answer["Location"].startswith(reverse("admin:login")), door.route


class TestActions:
    @pytest.mark.parametrize("role", ["Viewer", "Planner", "Approver"])
    def test_lists_offer_and_take_each_bulk_action_from_whom_may(self, role: str, plant: Plant) -> None:
        client, tried = member(role), set()
        for model in [model for model in django_admin.site._registry if model._meta.app_label == "planning"]:
            url = reverse(f"admin:planning_{model._meta.model_name}_changelist")
            form = client.get(url).context["action_form"]
            offered = {name for name, _ in form.fields["action"].choices if name} if form else set()
            declared = {"delete_selected", *django_admin.site.get_model_admin(model).actions}
            assert offered == {action for action in declared if role in ACTIONS[action]}, model
            tried |= declared
            for action in declared - offered:
                before = model._default_manager.count()
                client.post(url, {"action": action, "_selected_action": [row_of(model, plant).pk], "post": "yes"})
                assert model._default_manager.count() == before, (model, action)
        assert tried == set(ACTIONS)


class TestApproving:
    @pytest.mark.parametrize(("group", "code"), [("Viewer", 403), ("Planner", 403), ("Approver", 302), ("", 403)])
    def test_only_approvers_may(self, group: str, code: int) -> None:
        plant = make_furniture()
        run = make_solved_run(plant)
        client = member(*filter(None, [group]))
        assert press_approve(client, run) == code
        assert current(plant) == ([run.pk] if code == 302 else [])
        assert ("Approve this plan" in client.get(run_page(run)).content.decode()) is False

    def test_a_stranger_is_sent_to_log_in(self) -> None:
        run = make_solved_run(make_furniture())
        assert press_approve(Client(), run) == 302
        assert not Approval.objects.exists()

    def test_the_page_offers_it_and_then_says_who_and_why(self) -> None:
        run = make_solved_run(make_furniture())
        client = member("Approver")
        assert "Approve this plan" in client.get(run_page(run)).content.decode()
        press_approve(client, run, reason="Sales agreed on Monday")
        page = client.get(run_page(run)).content.decode()
        assert "Sales agreed on Monday" in page
        assert "Approver" in page
        assert "Take the approval back" in page
        assert f"Run {run.pk} of Baseline" in client.get(reverse("admin:index")).content.decode()

    def test_another_one_takes_its_place_and_the_history_stays(self) -> None:
        plant = make_furniture()
        first, second = make_solved_run(plant), make_solved_run(plant)
        client = member("Approver")
        press_approve(client, first)
        assert f"It takes the place of run {first.pk}" in client.get(run_page(second)).content.decode()
        press_approve(client, second)
        assert current(plant) == [second.pk]
        assert Approval.objects.count() == 2

    def test_it_can_be_taken_back(self) -> None:
        plant = make_furniture()
        run = make_solved_run(plant)
        client = member("Approver")
        press_approve(client, run)
        press_approve(client, run, withdraw="1")
        assert current(plant) == []
        press_approve(client, run, withdraw="1")
        assert Approval.objects.count() == 1

    def test_a_reason_is_needed(self) -> None:
        plant = make_furniture()
        run = make_solved_run(plant)
        press_approve(member("Approver"), run, reason="  ")
        assert current(plant) == []

    def test_a_reason_is_text_and_no_markup(self) -> None:
        run = make_solved_run(make_furniture())
        client = member("Approver")
        press_approve(client, run, reason="<script>alert(1)</script>")
        page = client.get(run_page(run)).content.decode()
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page

    @pytest.mark.parametrize("state", [Run.State.QUEUED, Run.State.INFEASIBLE])
    def test_a_run_without_a_plan_is_refused(self, state: str) -> None:
        run = make_run(make_furniture(), state=state)
        with pytest.raises(CannotApprove, match="has no plan that was checked"):
            approve(run=run, user=None, reason="why not")
        assert "Approve this plan" not in member("Approver").get(run_page(run)).content.decode()

    def test_looking_at_the_button_by_get_changes_nothing(self) -> None:
        run = make_solved_run(make_furniture())
        url = reverse("admin:planning_run_approve", args=[run.pk])
        assert member("Approver").get(url).status_code == 405
        assert not Approval.objects.exists()

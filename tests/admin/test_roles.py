"""The ready-made groups: what a viewer, a planner, an approver and a stranger may do; approving plans."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from planning.models import Approval, Plant, Run
from planning.models.roles import ROLES
from planning.runs import CannotApprove, approve
from tests.admin.conftest import logged_in
from tests.factories import make_furniture, make_run, make_solved_run

pytestmark = pytest.mark.django_db

READING = {
    "the overview": ("admin:index", ()),
    "the plants": ("admin:planning_plant_changelist", ()),
    "the products": ("admin:planning_product_changelist", ()),
    "the scenarios": ("admin:planning_scenario_changelist", ()),
    "the runs": ("admin:planning_run_changelist", ()),
}
WRITING = ["planning_plant", "planning_product", "planning_machine", "planning_customerorder", "planning_scenario"]


def member(*groups: str) -> Client:
    """Return the client of a user of the staff who is in the groups and has no other right."""
    user = User.objects.create_user(" ".join(groups) or "stranger", password="secret", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    return logged_in(user)


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


class TestPages:
    @pytest.mark.parametrize("page", READING)
    @pytest.mark.parametrize("group", ["Viewer", "Planner", "Approver"])
    def test_every_role_may_look(self, group: str, page: str) -> None:
        make_solved_run(make_furniture())
        name, args = READING[page]
        assert member(group).get(reverse(name, args=args)).status_code == 200

    @pytest.mark.parametrize("table", WRITING)
    @pytest.mark.parametrize(("group", "code"), [("Viewer", 403), ("Approver", 403), ("Planner", 200), ("", 403)])
    def test_only_planners_may_add(self, group: str, code: int, table: str) -> None:
        assert member(*filter(None, [group])).get(reverse(f"admin:{table}_add")).status_code == code

    @pytest.mark.parametrize(("group", "code"), [("Viewer", 403), ("Approver", 403), ("Planner", 200), ("", 403)])
    def test_only_planners_may_run(self, group: str, code: int) -> None:
        scenario = make_furniture().scenarios.get()
        url = f"{reverse('admin:planning_scenario_run')}?scenario={scenario.pk}"
        assert member(*filter(None, [group])).get(url).status_code == code

    def test_nobody_looks_without_logging_in(self) -> None:
        for name, args in READING.values():
            assert Client().get(reverse(name, args=args)).status_code == 302


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

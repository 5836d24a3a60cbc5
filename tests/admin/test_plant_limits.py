"""Users who are limited to some plants: at every door of the admin, rows of other plants do not exist."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin as django_admin
from django.contrib.auth.models import Group, Permission, User
from django.db import IntegrityError, transaction
from django.forms import ModelChoiceField
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse

from planning.admin.access import plant_path
from planning.models import Plant, PlantLimit, Product, Run, Scenario, visible_plants
from tests.admin.doors import Door, doors, make_full_plant, member, row_of, rows_of
from tests.factories import make_furniture, make_plant, make_user

pytestmark = pytest.mark.django_db

MARK = "Hidden "  # begins each name of the other plant
NOBODY = 987_654_321  # a number that no row has
# Doors behind which there is no row of a plant: pages of the site itself, and of users.
PLANTLESS = re.compile(
    r"$|(login|logout|password_change|password_change/done|jsi18n|autocomplete|search)/$|auth/|\^|r/<|\(\?P<url>"
)
# Doors without a row in their address -> how somebody who limits nothing would reach for one there, beside as it is.
LISTS = {
    "": [""],
    "add": ["", "?plant={plant}"],
    "autocomplete": [],  # tried field by field below
    "grid": ["", "?plant={plant}"],
    "open_grid": [""],
    "upload": [""],
    "sample": [],
    "template.xlsx": [""],
    "export.csv": [""],
    "export.xlsx": [],  # the same rows, packed
    "run": ["", "?scenario={scenario}"],
    "compare": ["", "?run={run}&run={other_run}"],
    "compare/comparison.xlsx": ["?run={run}&run={other_run}"],
    "compare/plan.csv": ["?run={run}&run={other_run}"],
}
OPENED = ("change", "history", "health", "plan.xlsx", "state.json", "duplicate", "promote")
POSTED = {
    "post": "yes",
    "reason": "Agreed",
    "kind": "order",
    "row": "x",
    "period": "1",
    "name": "Copy",
    "_save": "Save",
}


@pytest.fixture
def home(db: None) -> Plant:
    """Return the plant that the user is limited to."""
    return make_full_plant("Home")


@pytest.fixture
def hidden(db: None) -> Plant:
    """Return the plant that is not to be seen; it has a row in every table."""
    return make_full_plant("Hidden Plant", MARK)


@pytest.fixture
def limited(home: Plant) -> Client:
    """Return the client of a user who has every right of the app, in one plant."""
    codenames = Permission.objects.filter(content_type__app_label="planning").values_list("codename", flat=True)
    user = make_user("limited", *codenames)
    PlantLimit.objects.create(user=user).plants.set([home])
    client = Client()
    client.force_login(user)
    return client


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Return all that the app has stored."""
    models = apps.get_app_config("planning").get_models()
    return {model.__name__: list(model._default_manager.order_by("pk").values_list()) for model in models}


def text_of(answer: HttpResponseBase) -> str:
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode("utf-8", "replace")


def answered(client: Client, door: Door, rows: dict[str, Any], method: str) -> tuple[int, str]:
    """Return how a door answers, with the numbers of the rows taken out."""
    answer = getattr(client, method)(door.url(rows), POSTED if method == "post" else {})
    assert MARK.strip() not in text_of(answer), door.route
    where = answer.get("Location", "")
    for number in rows.values():
        where = where.replace(f"/{number}/", "/N/")
    return answer.status_code, where


def nowhere(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the rows with numbers that nothing has."""
    return {name: NOBODY if isinstance(row, int) else row for name, row in rows.items()}


def test_every_door_answers_for_a_row_of_another_plant_as_for_one_that_is_not_there(
    limited: Client, hidden: Plant
) -> None:
    before = everything()
    tried = [door for door in doors("planning/") if door.arguments]
    assert len(tried) > 100
    for door in tried:
        rows = rows_of(door, hidden)
        for method in ("get", "post"):
            there = answered(limited, door, rows, method)
            assert there == answered(limited, door, nowhere(rows), method), door.route
            assert there[0] in (302, 404, 405), door.route
    assert everything() == before


def test_every_door_opens_for_a_row_of_the_users_own_plant(limited: Client, home: Plant) -> None:
    for door in doors("planning/"):
        if door.route.split("/")[1] in ("plant", "scenario", "run", "runset", "recipe") and door.last in OPENED:
            assert limited.get(door.url(rows_of(door, home))).status_code == 200, door.route


def test_no_door_is_forgotten() -> None:
    forgotten = [
        door.route for door in doors() if not door.route.startswith("planning/") and not PLANTLESS.match(door.route)
    ]
    assert forgotten == [], "Say whether there are rows of plants behind these"


def test_lists_and_pages_without_a_row_in_their_address_show_nothing_of_it(
    limited: Client, home: Plant, hidden: Plant
) -> None:
    (run, other), own = hidden.runs.order_by("pk")[:2], home.runs.first()
    for door in doors("planning/"):
        if door.arguments:
            continue
        for query in LISTS[door.last]:
            for second in (other, own) if "{other_run}" in query else (other,):
                numbers = {"plant": hidden.pk, "scenario": hidden.scenarios.first().pk, "run": run.pk}
                answer = limited.get(door.url({}) + query.format(**numbers, other_run=second.pk), follow=True)
                assert MARK.strip() not in text_of(answer), (door.route, query)
    for name in ("index", "search"):
        assert MARK.strip() not in text_of(limited.get(reverse(f"admin:{name}"), {"s": "plant"}))


def test_no_form_offers_a_row_of_it(limited: Client, home: Plant, hidden: Plant) -> None:
    checked = 0
    for model in pages():
        base = f"admin:planning_{model._meta.model_name}"
        for url in (reverse(f"{base}_add"), reverse(f"{base}_change", args=[row_of(model, home).pk])):
            context = limited.get(url).context
            if context is None or "adminform" not in context:
                assert url.endswith("/add/")
                continue
            forms = [context["adminform"].form, *(one.formset.empty_form for one in context["inline_admin_formsets"])]
            for name, field in (pair for form in forms for pair in form.fields.items()):
                if isinstance(field, ModelChoiceField) and name != "id":
                    foreign = row_of(field.queryset.model, hidden)
                    assert not field.queryset.filter(pk=foreign.pk).exists(), (url, field.label)
                    checked += 1
    assert checked > 50


def test_no_search_in_a_form_finds_a_row_of_it(limited: Client, home: Plant, hidden: Plant) -> None:
    for model in pages():
        for field in model._meta.concrete_fields:
            if not field.is_relation or not django_admin.site.is_registered(field.related_model):
                continue
            query = {"app_label": "planning", "model_name": model._meta.model_name, "field_name": field.name}
            for view in ("autocomplete", "planning_autocomplete"):
                for narrowed in ({}, {"plant": hidden.pk}):
                    answer = limited.get(reverse(f"admin:{view}"), query | narrowed)
                    assert MARK.strip() not in answer.content.decode(), (model, field.name)


def test_no_bulk_action_touches_a_row_of_it(limited: Client, home: Plant, hidden: Plant) -> None:
    before = everything()
    tried = 0
    for model in [*pages(), Run]:
        url = reverse(f"admin:planning_{model._meta.model_name}_changelist")
        offered = [name for name, _ in limited.get(url).context["action_form"].fields["action"].choices if name]
        for action in offered:
            chosen = {"action": action, "_selected_action": [row_of(model, hidden).pk], "post": "yes"}
            answer = limited.post(url, chosen, follow=True)
            assert MARK.strip() not in text_of(answer), (model, action)
            tried += 1
    assert tried > len(pages())
    assert everything() == before


def test_a_row_can_not_be_put_into_it(limited: Client, hidden: Plant) -> None:
    answer = limited.post(reverse("admin:planning_machine_add"), {"plant": hidden.pk, "name": "Mine", "units": 1})
    assert answer.context["adminform"].form.errors["plant"]
    assert not hidden.machines.filter(name="Mine").exists()


def test_no_value_by_period_of_it_is_saved(limited: Client, home: Plant, hidden: Plant) -> None:
    before = everything()
    chair, week = hidden.products.first(), hidden.periods.get()
    sent = {"cells": [[chair.pk, week.pk, "max_demand", "12.5", "1"]]}
    for plant, code in ((hidden, 404), (home, 200)):
        url = f"{reverse('admin:planning_productperiod_grid')}?plant={plant.pk}"
        answer = limited.post(url, sent, content_type="application/json")
        assert (answer.status_code, "saved" in answer.json()) == (code, False)
    assert everything() == before


def test_who_is_limited_adds_no_plant(limited: Client) -> None:
    assert limited.get(reverse("admin:planning_plant_add")).status_code == 403
    assert reverse("admin:planning_plant_add") not in limited.get(reverse("admin:index")).content.decode()


def test_the_figures_of_the_whole_site_are_for_those_who_see_all_plants(limited: Client, viewer: Client) -> None:
    assert limited.get(reverse("metrics")).status_code == 403
    assert viewer.get(reverse("metrics")).status_code == 200


def pages() -> list[Any]:
    """Return the tables of the plan that have pages."""
    found = [model for model in django_admin.site._registry if model._meta.app_label == "planning"]
    return [model for model in found if model._meta.model_name not in ("run", "runset")]


class TestWhoSeesWhat:
    def test_everybody_sees_all_plants_unless_they_are_limited(self) -> None:
        assert visible_plants(make_user("ann")) is None

    def test_limits_of_the_user_and_of_their_groups_add_up(self) -> None:
        north, south, west, _east = (make_plant(name) for name in ("North", "South", "West", "East"))
        user = make_user("ann")
        PlantLimit.objects.create(user=user).plants.set([north])
        for name, plant in (("S", south), ("W", west)):
            group = Group.objects.create(name=name)
            PlantLimit.objects.create(group=group).plants.set([plant])
            user.groups.add(group)
        user.groups.add(Group.objects.get(name="Planner"))  # which is limited to nothing and opens nothing
        assert visible_plants(User.objects.get(pk=user.pk)) == {north.pk, south.pk, west.pk}

    def test_a_limit_without_plants_shows_none_so_a_deleted_plant_opens_no_other(self) -> None:
        user, plant = make_user("ann"), make_plant("North")
        make_plant("South")
        PlantLimit.objects.create(user=user).plants.set([plant])
        plant.delete()
        assert visible_plants(User.objects.get(pk=user.pk)) == frozenset()

    def test_superusers_see_all_plants(self) -> None:
        user = User.objects.create_superuser("root")
        PlantLimit.objects.create(user=user)
        assert visible_plants(user) is None

    def test_it_takes_one_query_a_request(self, django_assert_num_queries: Any) -> None:
        user = make_user("ann")
        with django_assert_num_queries(1):
            for _ in range(3):
                visible_plants(user)

    def test_a_limit_is_one_of_a_user_or_of_a_group(self) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            PlantLimit.objects.create()
        with pytest.raises(IntegrityError), transaction.atomic():
            PlantLimit.objects.create(user=make_user("ann"), group=Group.objects.first())


class TestSettingALimit:
    def post(self, client: Client, user: User, plants: list[Plant], **more: str) -> Any:
        url = reverse("admin:auth_user_change", args=[user.pk])
        page = client.get(url)
        data = {
            name: value
            for name, value in page.context["adminform"].form.initial.items()
            if value not in (None, False) and name not in ("password", "date_joined", "last_login")
        }
        data |= {"date_joined_0": "2026-01-01", "date_joined_1": "12:00:00", "groups": [], "user_permissions": []}
        data |= {"plant_limit-TOTAL_FORMS": "1", "plant_limit-INITIAL_FORMS": "0", "plant_limit-0-id": ""}
        data |= {"plant_limit-0-user": str(user.pk), "plant_limit-0-plants": [plant.pk for plant in plants], **more}
        return client.post(url, data)

    def test_administrators_set_it_on_the_users_page(self, admin: Client) -> None:
        user, plant = make_user("ann"), make_furniture()
        assert self.post(admin, user, [plant]).status_code == 302
        assert visible_plants(User.objects.get(pk=user.pk)) == {plant.pk}

    def test_one_without_plants_is_kept(self, admin: Client) -> None:
        user = make_user("ann")
        assert self.post(admin, user, []).status_code == 302
        assert visible_plants(User.objects.get(pk=user.pk)) == frozenset()

    def test_no_role_sets_it_and_nobody_widens_their_own(self, limited: Client, home: Plant) -> None:
        assert not Permission.objects.filter(group__isnull=False, codename__endswith="_plantlimit").exists()
        user = User.objects.get(username="limited")
        user.user_permissions.add(*Permission.objects.filter(codename__in=["change_user", "view_user"]))
        self.post(limited, user, list(Plant.objects.all()), **{"plant_limit-INITIAL_FORMS": "1"})
        assert visible_plants(User.objects.get(pk=user.pk)) == {home.pk}


def test_an_unlimited_planner_sees_both(home: Plant, hidden: Plant) -> None:
    client = member("Planner")
    assert "Hidden Plant" in client.get(reverse("admin:index")).content.decode()
    assert client.get(reverse("admin:planning_plant_change", args=[hidden.pk])).status_code == 200


def test_every_table_with_pages_leads_to_a_plant() -> None:
    for model in [*pages(), Run, Scenario, Product]:
        assert model is Plant or plant_path(model), f"{model}: rows of which plant are these?"

"""Every list, add page and change page opens, and loads nothing from outside."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin as django_admin
from django.test import Client
from django.urls import reverse

from planning.models import Plant
from tests.admin.doors import make_full_plant, planning_tables

MODELS = planning_tables()
EXTERNAL = re.compile(r"""(?:https?:)?//(?!www\.w3\.org|testserver)[a-z0-9.-]+\.[a-z]{2,}""", re.IGNORECASE)


@pytest.fixture
def full_plant(db: None) -> Plant:
    """Return the furniture workshop with a row in every table."""
    return make_full_plant()


def pages(name: str) -> list[str]:
    """Return the pages of a table that has a row."""
    model = next(model for model in MODELS if model._meta.model_name == name)
    row = model._default_manager.first()
    base = f"admin:planning_{name}"
    return [
        reverse(f"{base}_changelist"),
        reverse(f"{base}_changelist") + "?q=chair+week",
        reverse(f"{base}_changelist") + "?q=nothing-has-this-name",
        reverse(f"{base}_add"),
        reverse(f"{base}_change", args=[row.pk]),
        reverse(f"{base}_delete", args=[row.pk]),
        reverse(f"{base}_history", args=[row.pk]),
    ]


@pytest.mark.parametrize("name", [model._meta.model_name for model in MODELS])
def test_pages_open_and_load_nothing_from_outside(full_plant: Plant, admin: Client, name: str) -> None:
    for url in pages(name):
        response = admin.get(url)
        assert response.status_code == 200, url
        assert EXTERNAL.findall(response.content.decode()) == [], url


def test_login_page_opens_and_loads_nothing_from_outside(client: Client, db: None) -> None:
    response = client.get(reverse("admin:login"))
    assert response.status_code == 200
    assert EXTERNAL.findall(response.content.decode()) == []


@pytest.mark.parametrize("name", ["auth_user", "auth_group"])
def test_users_and_groups_have_pages(admin: Client, name: str) -> None:
    for page in ("changelist", "add"):
        response = admin.get(reverse(f"admin:{name}_{page}"))
        assert response.status_code == 200
        assert EXTERNAL.findall(response.content.decode()) == []


def test_every_table_of_the_format_has_its_page() -> None:
    registered = set(django_admin.site._registry)
    assert [model for model in MODELS if model not in registered] == []

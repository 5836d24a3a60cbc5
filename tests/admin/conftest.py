"""Users of three kinds, logged in: an administrator, a planner with every right of the app, a viewer."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from planning.models import Plant
from tests.factories import make_furniture, make_user, make_viewer


def logged_in(user: User) -> Client:
    """Return a client in which the user is logged in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def plant(db: None) -> Plant:
    """Return the furniture workshop."""
    return make_furniture()


@pytest.fixture
def admin(db: None) -> Client:
    """Return the client of an administrator."""
    return logged_in(User.objects.create_superuser("admin", password="secret"))


@pytest.fixture
def planner(db: None) -> Client:
    """Return the client of a planner, who has every right on the app's tables."""
    codenames = Permission.objects.filter(content_type__app_label="planning").values_list("codename", flat=True)
    return logged_in(make_user("planner", *codenames))


@pytest.fixture
def viewer(db: None) -> Client:
    """Return the client of a user who may only look."""
    return logged_in(make_viewer())

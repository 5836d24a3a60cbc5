"""A database of a test's own: the site of the test is moved there, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import environ
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.utils import ConnectionHandler


@contextmanager
def own_database(url: str) -> Iterator[None]:
    """Let everything that asks the default database ask this one, which is migrated first."""
    held = connections.settings["default"]
    before, connection = dict(held), connections["default"]
    own = ConnectionHandler({"default": environ.Env.db_url_config(url)}).settings["default"]
    if own["ENGINE"].endswith("sqlite3"):
        own["OPTIONS"] = dict(settings.SQLITE_OPTIONS)
    replace(held, own)
    connections["default"] = connections.create_connection("default")
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connections["default"].close()
        replace(held, before)
        connections["default"] = connection


def replace(held: dict[str, object], values: dict[str, object]) -> None:
    held.clear()
    held.update(values)

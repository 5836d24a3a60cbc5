"""No database while solving: enforced, not hoped for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

_DOORS = ("ensure_connection", "connect", "_cursor")  # every query passes one of these


class DatabaseBlocked(RuntimeError):
    """A query while a plan is being solved: the model copy should have held what was asked for."""


@contextmanager
def database_blocked() -> Iterator[None]:
    """Close every connection and refuse new ones and every query, in all threads of the process."""

    def refuse(self: BaseDatabaseWrapper, *args: Any, **options: Any) -> Any:
        raise DatabaseBlocked("The database was asked for something while a plan was being solved.")

    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
    replaced = {name: getattr(BaseDatabaseWrapper, name) for name in _DOORS}
    for name in _DOORS:
        setattr(BaseDatabaseWrapper, name, refuse)
    try:
        yield
    finally:
        for name, method in replaced.items():
            setattr(BaseDatabaseWrapper, name, method)

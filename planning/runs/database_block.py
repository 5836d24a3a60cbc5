"""No database while solving: enforced, not hoped for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

_DOORS = ("ensure_connection", "connect", "_cursor")  # every query passes one of these
_lock = threading.Lock()
_blocks: list[object] = []  # one for each solve that is under way
_replaced: dict[str, Any] = {}


class DatabaseBlocked(RuntimeError):
    """A query while a plan is being solved: the model copy should have held what was asked for."""


@contextmanager
def database_blocked() -> Iterator[None]:
    """Close every connection and refuse new ones and every query, in all threads of the process."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
    block = object()
    with _lock:
        if not _blocks:
            _replaced.update({name: getattr(BaseDatabaseWrapper, name) for name in _DOORS})
        _blocks.append(block)
        for name in _DOORS:
            setattr(BaseDatabaseWrapper, name, _refuse)
    try:
        yield
    finally:
        with _lock:
            _blocks.remove(block)
            for name, method in _replaced.items() if not _blocks else ():
                setattr(BaseDatabaseWrapper, name, method)


def _refuse(self: BaseDatabaseWrapper, *args: Any, **options: Any) -> Any:
    raise DatabaseBlocked("The database was asked for something while a plan was being solved.")

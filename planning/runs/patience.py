"""Waiting for a database that does not answer: it may be restarting, locked, or out of room for a moment."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger("planning.runs")
PATIENCE_SECONDS = 60.0
_LONGEST_PAUSE = 8.0
T = TypeVar("T")


def until_the_database_answers(work: Callable[[], T]) -> T:
    """Return what `work` gives; where the database fails, try again for a minute on a fresh connection.

    A statement that the database does not understand, say for want of a migration, fails at once.
    """
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, 0.25
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or not _may_pass(error) or time.monotonic() + pause > deadline:
                raise
            logger.warning("The database does not answer, next try in %.1f s: %s", pause, error)
            connection.close()
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _may_pass(error: Exception) -> bool:
    """Return whether waiting may help: SQLite gives a missing column or table the same class as a lock."""
    return getattr(error.__cause__, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR

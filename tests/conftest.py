"""What all tests share: a database file of their own, no network, and no silent skips in CI."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # this file also stands alone, see test_ci.py
    from tests.private_postgresql import PostgreSQL

PLANTS_DIR = Path(__file__).parent / "plants"


@pytest.fixture(scope="session")
def plants_dir() -> Path:
    """Return the folder of plants with known answers."""
    return PLANTS_DIR


# --- database -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Give each session and each worker an SQLite file of its own, so that two can run side by side."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """Return a private PostgreSQL server for databases that a test creates and drops itself."""
    from tests.private_postgresql import private_postgresql

    with private_postgresql() as server:
        yield server


# --- network --------------------------------------------------------------------------------


def is_local(address: Any) -> bool:
    """Whether a socket address is on this machine."""
    host = address[0] if isinstance(address, tuple) else ""  # a path: a Unix socket
    return host in ("", "localhost", "::1", "0.0.0.0") or str(host).startswith("127.")


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuse connections to other machines: a test that needs one fails elsewhere, and slowly."""
    patch = pytest.MonkeyPatch()
    connect = socket.socket.connect

    def refusing_connect(self: socket.socket, address: Any) -> None:
        if not is_local(address):
            raise RuntimeError(f"A test tried to reach {address!r}. Tests use this machine only.")
        connect(self, address)

    patch.setattr(socket.socket, "connect", refusing_connect)
    yield
    patch.undo()


# --- workers --------------------------------------------------------------------------------


def pytest_xdist_auto_num_workers() -> int:
    """Start one worker more than there are cores: many tests wait for other processes to start or to die."""
    return (os.cpu_count() or 1) + 1


# --- skips ----------------------------------------------------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With FAIL_ON_SKIP=1 (CI), fail a session in which a test was skipped or expected to fail."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("FAIL_ON_SKIP") != "1" or reporter is None or hasattr(session.config, "workerinput"):
        return
    untried = len(reporter.stats.get("skipped", [])) + len(reporter.stats.get("xfailed", []))
    if untried and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        reporter.write_line(f"\nFAIL_ON_SKIP: {untried} tests were skipped or expected to fail.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

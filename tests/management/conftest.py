"""A site of its own for commands that run as processes: what a shell user sees."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from tests.site_databases import Database, Databases, Files, ServerDatabases

Finished = subprocess.CompletedProcess[str]


@dataclass
class Shell:
    """Runs manage.py with a database of its own."""

    database: Database
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "ALLOWED_HOSTS")}
        return plain | self.database.environment | {"PYTHONWARNINGS": "error"} | self.environment

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]

    def run(self, *arguments: str, **environment: str) -> Finished:
        """Run a command and return it ended; it printed no traceback."""
        finished = subprocess.run(
            self.command(*arguments),
            env=self.variables | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in finished.stderr, finished.stderr
        return finished

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that will be interrupted."""
        return subprocess.Popen(
            self.command(*arguments), env=self.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def ask(self, sql: str) -> list[Any]:
        """Return the rows of a query, or their only value."""
        return [row[0] if len(row) == 1 else row for row in self.database.rows(sql)]


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Return what makes databases of the kind that the tests run on."""
    if connection.vendor == "sqlite":
        yield Files(tmp_path_factory.mktemp("sites"))
        return
    made = ServerDatabases(request.getfixturevalue("postgresql"))
    yield made
    made.drop()


@pytest.fixture
def shell(databases: Databases) -> Shell:
    """Return a shell with an empty database."""
    return Shell(databases.new())


@pytest.fixture(scope="session")
def migrated(databases: Databases) -> Database:
    """Return a migrated database without a plant."""
    database = databases.new()
    assert Shell(database).run("migrate", "--verbosity", "0").returncode == 0
    return database


@pytest.fixture
def site(databases: Databases, migrated: Database) -> Shell:
    """Return a shell with a migrated database of its own."""
    return Shell(databases.new(copy_of=migrated))

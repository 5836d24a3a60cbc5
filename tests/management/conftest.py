"""A site of its own for commands that run as processes: what a shell user sees."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

Finished = subprocess.CompletedProcess[str]


@dataclass
class Shell:
    """Runs manage.py with a database of its own."""

    database: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "ALLOWED_HOSTS")}
        return plain | {"DATABASE_URL": f"sqlite:///{self.database}", "PYTHONWARNINGS": "error"} | self.environment

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
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            rows = connection.execute(sql).fetchall()
        return [row[0] if len(row) == 1 else row for row in rows]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Return a shell without a database."""
    return Shell(tmp_path / "site.sqlite3")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated database without a plant."""
    path = tmp_path_factory.mktemp("site") / "empty.sqlite3"
    assert Shell(path).run("migrate", "--verbosity", "0").returncode == 0
    return path


@pytest.fixture
def site(shell: Shell, migrated: Path) -> Shell:
    """Return a shell with a migrated database of its own."""
    shutil.copy(migrated, shell.database)
    return shell

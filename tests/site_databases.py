"""Databases for sites of their own: files, or databases of a private PostgreSQL server, as the suite runs on."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.private_postgresql import PostgreSQL


@dataclass(frozen=True)
class File:
    """An SQLite file."""

    path: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings of a site on this machine with this database."""
        return {"DATABASE_URL": f"sqlite:///{self.path}"}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a statement gives, committed."""
        with closing(sqlite3.connect(self.path, timeout=20)) as connection, connection:
            return connection.execute(sql).fetchall()


@dataclass(frozen=True)
class Files:
    """Makes SQLite files in a folder."""

    folder: Path
    numbers: Any = field(default_factory=itertools.count)

    def new(self, copy_of: Any = None) -> File:
        """Return a file that is not there yet, or a copy."""
        path = self.folder / f"site{next(self.numbers)}.sqlite3"
        return File(path if copy_of is None else Path(shutil.copy(copy_of.path, path)))


@dataclass(frozen=True)
class ServerDatabase:
    """A database of a PostgreSQL server."""

    server: PostgreSQL
    name: str

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings of a site on this machine with this database."""
        return {"DATABASE_URL": self.server.url(self.name), "DEBUG": "1"}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a statement gives, committed."""
        with self.server.connect(self.name) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []


@dataclass(frozen=True)
class ServerDatabases:
    """Makes databases on a PostgreSQL server, and drops them."""

    server: PostgreSQL
    made: list[str] = field(default_factory=list)

    def new(self, copy_of: Any = None) -> ServerDatabase:
        """Return a new database, empty or a copy."""
        name = f"site_{os.getpid()}_{secrets.token_hex(4)}"
        self.server.create(name, template="template0" if copy_of is None else copy_of.name)
        self.made.append(name)
        return ServerDatabase(self.server, name)

    def drop(self) -> None:
        """Drop all that were made."""
        for name in self.made:
            self.server.drop(name)


Database = File | ServerDatabase
Databases = Files | ServerDatabases

"""A private PostgreSQL server: in a temporary folder, reached through a socket in it, gone with whoever started it.

    python tests/private_postgresql.py COMMAND ...

runs a command with DATABASE_URL naming a database of such a server, and returns its exit code.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

USER = "planner"
PATIENCE = 30.0  # seconds until a server that does not answer is given up
SHARED = "PRIVATE_POSTGRESQL"  # names the folder of a server that runs already
# Nothing has to outlive the machine. When the pipe closes, for whatever reason, the server ends.
QUICK = [word for name in ("fsync", "synchronous_commit", "full_page_writes") for word in ("-c", f"{name}=off")]
UNTIL_THE_PIPE_CLOSES = '"$@" & read -r _; kill -INT $!; wait $!'
AND_THE_FOLDER_GOES = '; rm -rf "$0"'


@dataclass(frozen=True)
class PostgreSQL:
    """A running server, known by the folder of its socket."""

    folder: str

    def url(self, database: str) -> str:
        """Return the DATABASE_URL of a database."""
        return f"postgres://{USER}@/{quote(f'{self.folder}/{database}', safe='')}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """Return a new connection that commits each statement."""
        return psycopg.connect(host=self.folder, user=USER, dbname=database, autocommit=True)

    def create(self, database: str, template: str = "template0") -> str:
        """Create a database, as a copy of another one that nobody uses just now; return its DATABASE_URL."""
        self._execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Drop a database, whoever is connected to it."""
        self._execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with self.connect() as connection:
            connection.execute(statement)  # type: ignore[call-overload]


def programs() -> Path | None:
    """Return the folder of the newest initdb and postgres; None where PostgreSQL is not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    found = shutil.which("postgres")
    candidates = [Path(found).parent] * bool(found) + folders[::-1]
    return next((folder for folder in candidates if (folder / "initdb").exists()), None)


@contextmanager
def private_postgresql() -> Iterator[PostgreSQL]:
    """Start a server and stop it afterwards; inside of one that runs already, give that one.

    Raises RuntimeError where PostgreSQL is not installed or does not start.
    """
    if SHARED in os.environ:
        yield PostgreSQL(os.environ[SHARED])
        return
    with new_cluster() as folder, serving(folder) as server:
        yield server


@contextmanager
def new_cluster() -> Iterator[str]:
    """Return the folder of a new server that does not run yet; it goes at the end."""
    folder = tempfile.mkdtemp(prefix="postgresql_")  # its path stays below the 107 bytes that a socket's may have
    try:
        _make(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _owner(folder: str) -> dict[str, Any]:
    """Return as whom programs run in the folder: initdb and postgres refuse root."""
    if os.geteuid():
        return {}
    shutil.chown(folder, "postgres", "postgres")
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


def _program(name: str) -> Path:
    found = programs()
    if found is None:
        raise RuntimeError("PostgreSQL is not installed. Install the package postgresql.")
    return found / name


def _make(folder: str) -> None:
    # Names sort as people sort them, as on most servers, and not by their bytes, as in SQLite.
    sorting = ["-E", "UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
    options = ["-U", USER, "-A", "trust", *sorting, "--no-sync", "--no-instructions"]
    made = subprocess.run(
        [_program("initdb"), "-D", f"{folder}/data", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **_owner(folder),
    )
    if made.returncode:
        raise RuntimeError(f"initdb failed:\n{made.stdout}{made.stderr}")


@contextmanager
def serving(folder: str, *, once: bool = True) -> Iterator[PostgreSQL]:
    """Run the server in the folder, which goes with it where it runs `once`, even when nobody is left to remove it."""
    command = [str(_program("postgres")), "-D", f"{folder}/data", "-k", folder, "-c", "listen_addresses=", *QUICK]
    end = UNTIL_THE_PIPE_CLOSES + AND_THE_FOLDER_GOES * once
    with open(f"{folder}/log", "wb") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", end, folder, *command],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for whoever uses the server
            **_owner(folder),
        )
    assert process.stdin is not None
    try:
        server = PostgreSQL(folder)
        _wait_for(server)
        yield server
    finally:
        process.stdin.close()
        process.wait()


def _wait_for(server: PostgreSQL) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            server.connect().close()
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start: {Path(server.folder, 'log').read_text()}") from error
            time.sleep(0.02)


def main() -> int:
    """Run the command line's command beside a private server; return its exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with private_postgresql() as server:
        environment = {SHARED: server.folder, "DATABASE_URL": server.create("planner"), "DEBUG": "1"}
        return subprocess.run(sys.argv[1:], env=os.environ | environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

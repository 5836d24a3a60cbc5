"""The process that solves, seen from the process that watches it.

It has a model copy and no database, and nothing that it does can hurt who watches it. On its control pipe
it is given tasks, one after the other: a folder each, which holds the task and takes the results. There it
is also asked to stop; when that pipe ends, whoever watched is gone, and it ends at once. On the other pipe
it reports, a line of JSON each.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connections
from highspy import Highs

STOP = b"stop\n"


class SolverProcess:
    """A running solver process: give it a task, ask it to stop, read what it reports, end it.

    It is forked where that is safe (the setting says so, and no other thread runs), spawned elsewhere.
    """

    def __init__(self) -> None:
        control_end, self._control = os.pipe()
        self._reports, report_end = os.pipe()
        self._code: int | None = None
        self._ended: int | None = None
        self._unread = b""
        self._child: subprocess.Popen[bytes] | None = None
        if settings.PLANNING["START_METHOD"] == "fork" and threading.active_count() == 1:
            self.pid = self._fork(control_end, report_end)
        else:
            self._child = start_python("solve_copy", stdin=control_end, stdout=report_end)
            self.pid = self._child.pid
        os.close(control_end)
        os.close(report_end)
        os.set_blocking(self._reports, False)

    def _fork(self, control_end: int, report_end: int) -> int:
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:
                connection.close()  # two processes must not share one
        Highs.resetGlobalScheduler(True)  # the threads of an earlier solve would not be there in the child
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            gc.freeze()  # a collection would touch, and so copy, every page that the two processes share
            os.setsid()
            os.close(self._control)
            os.close(self._reports)
            from .solver_child import solve_tasks  # the parent never needs it

            solve_tasks(control_end, report_end)
        finally:
            os._exit(code)  # no destructor of the parent's connections may run here

    def give(self, folder: Path) -> None:
        """Let it solve the task in the folder."""
        self._ended = None
        self._write(os.fsencode(folder) + b"\n")

    def ask_to_stop(self) -> None:
        """Ask for the best plan found so far."""
        self._write(STOP)

    def _write(self, line: bytes) -> None:
        with contextlib.suppress(OSError):  # it may have ended
            os.write(self._control, line)

    def kill(self) -> None:
        """End the process, and the solver program that it may have started, at once."""
        self._kill_group()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)  # just forked, it may have no group of its own yet
        self.wait()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def reports(self, seconds: float) -> list[dict[str, Any]]:
        """Return what was reported, waiting for the first report for so many seconds at most."""
        if not select.select([self._reports], [], [], seconds)[0]:
            return []
        with contextlib.suppress(BlockingIOError):
            self._unread += os.read(self._reports, 1 << 16)
        *lines, self._unread = self._unread.split(b"\n")
        said = [json.loads(line) for line in lines]
        self._ended = next((report["ended"] for report in said if "ended" in report), self._ended)
        return [report for report in said if "ended" not in report]

    @property
    def ended(self) -> int | None:
        """How its task ended: 0 with an outcome, 1 without, else the process's `code`; None while it is at it."""
        return self.code if self._ended is None else self._ended

    @property
    def code(self) -> int | None:
        """The exit code, minus the signal that killed it; None while it runs."""
        if self._code is None:
            if self._child is not None:
                self._code = self._child.poll()
            else:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def wait(self) -> int:
        """Return the exit code once it has ended."""
        if self._code is None:
            if self._child is not None:
                self._code = self._child.wait()
            else:
                self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code

    def close(self) -> None:
        """End the process if it still runs, with the solver program that it may have left, and close the pipes."""
        if self.code is None:
            self.kill()
        else:
            self._kill_group()
        for end in (self._control, self._reports):
            os.close(end)


def start_python(*command: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start a management command in a process and session of its own, with this site's settings."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "planner_site.settings"),
        "DATABASE_URL": database_url(settings.DATABASES["default"]),
        "SECRET_KEY": settings.SECRET_KEY,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "django", *command],
        cwd=settings.BASE_DIR,
        env=environment,
        start_new_session=True,
        **options,
    )


def database_url(database: dict[str, Any]) -> str:
    """Return the address of the database that this process uses, for a child process in another folder."""
    if database["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{quote(os.path.abspath(database['NAME']))}"
    login = ":".join(quote(str(database[part]), safe="") for part in ("USER", "PASSWORD") if database.get(part))
    host, name = str(database.get("HOST") or ""), str(database["NAME"])
    if host.startswith("/"):  # a socket's folder
        host, name = "", f"{host}/{name}"
    elif ":" in host:
        host = f"[{host}]"
    port = f":{database['PORT']}" if database.get("PORT") else ""
    options = urlencode(database.get("OPTIONS") or {})
    return f"postgres://{login}@{host}{port}/{quote(name, safe='')}" + (f"?{options}" if options else "")

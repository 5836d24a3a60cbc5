"""How a started run gets executed: by a child process on this machine, or by a worker through the queue."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection
from redis.exceptions import RedisError

from planning.models import Run

from .states import LostRun, State, move

logger = logging.getLogger("planning.runs")


def launch(run: Run) -> None:
    """Hand a queued run to the runner of this site and return at once; a runner that can't be reached fails it."""
    try:
        if settings.PLANNING["RUNNER"] == "rq":
            from .queue import send  # without a queue nothing of it is loaded

            send(run)
        else:
            start_child(run)
    except RedisError as error:
        logger.error("run %s: the queue can't be reached: %s", run.pk, error)
        reason = "The queue can't be reached, so no worker knows of the run. Start Redis and run it again."
        move(run.pk, run.attempt, (State.QUEUED,), State.FAILED, reason=reason)
    except OSError as error:
        logger.error("run %s: no process could be started: %s", run.pk, error)
        reason = f"No process could be started for it: {error.strerror}. Run it again when the machine has room."
        move(run.pk, run.attempt, (State.QUEUED,), State.FAILED, reason=reason)


def start_child(run: Run) -> None:
    """Start a child process in a session of its own that executes the run."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "planner_site.settings"),
        "DATABASE_URL": database_url(settings.DATABASES["default"]),
        "SECRET_KEY": settings.SECRET_KEY,
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "django", "execute_run", str(run.pk), str(run.attempt)],
        cwd=settings.BASE_DIR,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    threading.Thread(target=_watch, args=(child, run.pk, run.attempt), daemon=True, name=f"run {run.pk}").start()


def _watch(child: subprocess.Popen[bytes], run_id: int, attempt: int) -> None:
    """Wait for the child; a run that it left open because it died is failed with the reason."""
    code = child.wait()
    if code == 0:
        return
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    try:
        open_states = (State.QUEUED, State.RUNNING, State.STOPPING)
        move(run_id, attempt, open_states, State.FAILED, reason=f"The process that executed the run {how}.")
        logger.error("run %s: its process %s", run_id, how)
    except LostRun:
        pass  # it had ended before
    finally:
        connection.close()


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

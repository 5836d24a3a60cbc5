"""How a started run gets executed: by a child process of its own on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any
from urllib.parse import quote

from django.conf import settings


def launch(run_id: int, attempt: int) -> None:
    """Start a child process in a session of its own that executes the run, and return at once."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "planner_site.settings"),
        "DATABASE_URL": database_url(settings.DATABASES["default"]),
        "SECRET_KEY": settings.SECRET_KEY,
    }
    subprocess.Popen(
        [sys.executable, "-m", "django", "execute_run", str(run_id), str(attempt)],
        cwd=settings.BASE_DIR,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def database_url(database: dict[str, Any]) -> str:
    """Return the address of the database that this process uses, for a child process."""
    if database["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{database['NAME']}"
    login = ":".join(quote(str(database[part]), safe="") for part in ("USER", "PASSWORD") if database.get(part))
    address = quote(str(database.get("HOST") or ""), safe="")
    port = f":{database['PORT']}" if database.get("PORT") else ""
    return f"postgres://{login}@{address}{port}/{quote(str(database['NAME']), safe='')}"

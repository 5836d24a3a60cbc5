"""The processes of a real site: gunicorn, workers, and a browser's requests, with a database and a queue of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.private_redis import free_port
from tests.site_databases import Database

PATIENCE = 60.0
CONFIGURATION = "python:planner_site.serving"
SETTINGS = ("DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS", "SECRET_KEY", "DEBUG", "HTTPS", "LOG_FORMAT")


def until(true: Any, what: str) -> Any:
    """Return what `true` gives, once that is something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < deadline, f"Waited in vain for {what}."
        time.sleep(0.05)
    return found


@dataclass
class Running:
    """A process of the site and what it and its children log."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of a log of JSON; any other line is a fault."""
        return [json.loads(line) for line in self.said.splitlines()]

    def told_to_end(self) -> int:
        """Return the exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@dataclass
class Site:
    """A site in its database; processes that are left at the end are killed with all that they started."""

    database: Database
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    processes: list[Running] = field(default_factory=list)

    @property
    def variables(self) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        own = {"DEBUG": "1", "SECRET_KEY": settings.SECRET_KEY, "PYTHONWARNINGS": "error"}
        return plain | own | self.database.environment | self.environment

    def start(self, *command: str) -> Running:
        """Start a program."""
        log = self.folder / f"log{len(self.processes)}"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=settings.BASE_DIR,
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self.processes.append(Running(process, log))
        return self.processes[-1]

    def manage(self, *command: str) -> Running:
        """Start a management command."""
        return self.start("manage.py", *command)

    def serve(self, *options: str) -> Running:
        """Start gunicorn and wait until it answers."""
        bind = f"127.0.0.1:{self.port}"
        running = self.start(
            "-m", "gunicorn", "--config", CONFIGURATION, "planner_site.wsgi", "--bind", bind, "--workers", "1", *options
        )
        until(lambda: self._answers() or running.process.poll() is not None, "the site")
        assert running.process.poll() is None, running.said
        return running

    def _answers(self) -> bool:
        try:
            return Browser(self).get("/livez") == "alive\n"
        except OSError:
            return False

    def clear(self) -> None:
        """Kill what is left."""
        for running in self.processes:
            if running.process.poll() is None:
                os.killpg(running.process.pid, signal.SIGKILL)
                running.process.wait()


@contextmanager
def running_site(database: Database, folder: Path, **environment: str) -> Iterator[Site]:
    """Return a site whose processes end with the block."""
    site = Site(database, folder, environment)
    try:
        yield site
    finally:
        site.clear()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **options: Any) -> None:
        """Follow nothing."""


@dataclass
class Browser:
    """What a browser sends: cookies, forms with their tokens."""

    site: Site
    cookies: CookieJar = field(default_factory=CookieJar)
    follows: bool = True  # else the address that an answer leads to is taken for the page

    def __post_init__(self) -> None:
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies)]
        handlers += [] if self.follows else [_Stay()]
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str, data: bytes | None = None, **headers: str) -> str:
        """Return a page."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"http://127.0.0.1:{self.site.port}{path}", data=data, headers=named)
        try:
            with self._opener.open(request, timeout=PATIENCE) as response:
                text: str = response.read().decode()
        except urllib.error.HTTPError as answer:
            if answer.code != 302 or self.follows:
                raise
            return str(answer.headers["Location"])
        return text

    def send(self, path: str, fields: dict[str, str], **headers: str) -> str:
        """Return the page that comes after a form was sent."""
        (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(path)))
        data = urllib.parse.urlencode(fields | {"csrfmiddlewaretoken": token}).encode()
        return self.get(path, data, **headers)

    def log_in(self, name: str, password: str) -> None:
        """Log in through the login page."""
        self.send("/admin/login/?next=/admin/", {"username": name, "password": password, "next": "/admin/"})

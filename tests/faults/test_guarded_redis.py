"""The Redis of docs/operations.md: with TLS, and users who may do no more than the site needs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from tests.docs.pages import DOCS
from tests.faults.dying import family
from tests.faults.test_site_told_to_end import end_all, press, pressed, runs
from tests.management.conftest import Shell, databases, migrated  # noqa: F401 - fixtures
from tests.private_redis import UNTIL_THE_PIPE_CLOSES, free_port
from tests.site_databases import Database, Databases
from tests.site_processes import Site, running_site, until

FOLDER = "/etc/redis/tls"
HARD = """
from django.contrib.auth.models import User
from tests.runs.rich_plant import make_hard
make_hard()
User.objects.create_superuser('anna', password='secret')
"""


@dataclass
class Guarded:
    """The running server."""

    port: int
    authority: Path

    def url(self, user: str) -> str:
        return f"rediss://{user}:{user.upper()}_PASSWORD@127.0.0.1:{self.port}/0?ssl_ca_certs={self.authority}"

    def client(self, user: str) -> Redis:
        return Redis.from_url(self.url(user))


def make_certificates(folder: Path) -> None:
    """Make a certificate for this machine that is its own authority."""
    subject = ["-subj", "/CN=planner", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    files = ["-keyout", str(folder / "redis.key"), "-out", str(folder / "redis.crt")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *files, *subject]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "ca.crt").write_bytes((folder / "redis.crt").read_bytes())


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    """Return a server with the configuration of the page, and an administrator beside."""
    folder, port = tmp_path / "redis", free_port()
    folder.mkdir()
    make_certificates(folder)
    (text,) = re.findall(r"```conf\n(.*?)```", (DOCS / "operations.md").read_text(encoding="utf-8"), re.DOTALL)
    text = text.replace(FOLDER, str(folder)).replace("tls-port 6379", f"tls-port {port}")
    text += f'user admin on >ADMIN_PASSWORD ~* &* +@all\ndir "{folder}"\nbind 127.0.0.1\n'
    (folder / "redis.conf").write_text(text)
    command = ["/bin/sh", "-c", UNTIL_THE_PIPE_CLOSES, "sh", "redis-server", str(folder / "redis.conf")]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    found = Guarded(port, folder / "ca.crt")
    until(lambda: answers(found), "Redis")
    yield found
    assert server.stdin is not None
    server.stdin.close()
    server.wait()


def answers(guarded: Guarded) -> bool:
    try:
        with guarded.client("admin") as client:
            return bool(client.ping())
    except RedisError:
        return False


@pytest.fixture
def site(guarded: Guarded, databases: Databases, migrated: Database, tmp_path: Path) -> Iterator[tuple[Site, Site]]:  # noqa: F811
    """Return a web host and a worker host of one site."""
    database = databases.new(copy_of=migrated)
    assert Shell(database).run("shell", "--no-imports", "-c", HARD).returncode == 0
    for name in ("web", "worker"):
        (tmp_path / name).mkdir()
    with (
        running_site(database, tmp_path / "web", REDIS_URL=guarded.url("web")) as web,
        running_site(database, tmp_path / "worker", REDIS_URL=guarded.url("worker")) as workers,
    ):
        yield web, workers


def denied(guarded: Guarded) -> list[tuple[Any, ...]]:
    """Return what users were refused."""
    with guarded.client("admin") as admin:
        return [(entry["username"], entry["reason"], entry["object"]) for entry in admin.acl_log()]


def test_the_site_needs_no_more(guarded: Guarded, site: tuple[Site, Site]) -> None:
    """A run is started, loses its work-horse, is handed back, stopped, sent again: nothing is refused."""
    web, workers = site
    web.serve()
    browser = pressed(web)
    worker = workers.manage("rqworker", "short", "long")
    until(lambda: runs(web) == [("running", 1)], "the run")
    assert '"queue": "ready", "workers": "ready"' in browser.get("/readyz")
    assert 'planner_workers{state="busy"} 1' in browser.get("/metrics")
    (horse,) = [pid for pid, parent, _ in family(worker.process.pid) if parent == worker.process.pid]
    os.kill(horse, signal.SIGKILL)
    until(lambda: runs(web) == [("running", 2)], "the next attempt")
    end_all(worker)
    assert runs(web) == [("queued", 3)]
    pool = workers.manage("rqworker-pool", "short", "long", "--num-workers", "1")
    until(lambda: runs(web) == [("running", 3)], "the pool")
    subprocess.run(Shell(web.database).command("stop_run", "1"), env=web.variables, check=True)
    until(lambda: runs(web) == [("stopped", 3)], "the stop")
    assert pool.told_to_end() == 0
    press(web, browser)
    forget_sending(web)
    for host in (web, workers):
        subprocess.run(Shell(web.database).command("reconcile_runs"), env=host.variables, check=True)
    single = workers.manage("rqworker", "long")
    until(lambda: runs(web)[-1] == ("running", 1), "the second run")
    end_all(single)
    assert denied(guarded) == []


def forget_sending(site: Site) -> None:
    """Let runs that wait have been sent long ago."""
    site.database.rows("UPDATE planning_run SET sent_at = '2026-01-01 00:00:00' WHERE state = 'queued'")


@pytest.mark.parametrize(
    ("user", "command"),
    [
        ("web", ["BLPOP", "rq:queue:short", "1"]),
        ("web", ["SET", "rq:job:run-1-1", "x"]),
        ("web", ["HSET", "rq:worker:one", "state", "idle"]),
        ("web", ["DEL", "rq:queue:short"]),
        ("worker", ["FLUSHALL"]),
        ("worker", ["KEYS", "*"]),
        ("worker", ["CONFIG", "GET", "*"]),
        ("worker", ["EVAL", "return 1", "0"]),
        ("worker", ["SET", "others", "x"]),
        ("worker", ["PUBLISH", "rq:pubsub:one", "x"]),
    ],
)
def test_nobody_may_do_more(user: str, command: list[str], guarded: Guarded) -> None:
    with guarded.client(user) as client, pytest.raises(NoPermissionError):
        client.execute_command(*command)

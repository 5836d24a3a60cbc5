"""The private PostgreSQL server: there for whoever started it, and gone with them, however they end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.private_postgresql import SHARED, PostgreSQL

ROOT = Path(__file__).resolve().parents[1]
PLAIN = {name: value for name, value in os.environ.items() if name != SHARED}
BESIDE = [sys.executable, "tests/private_postgresql.py"]
ASK = """
import os, sys, django
from django.db import connection
django.setup()
with connection.cursor() as cursor:
    cursor.execute("SELECT version()")
    print(os.environ["PRIVATE_POSTGRESQL"], *cursor.fetchone())
sys.exit(7)
"""


def is_there(folder: str) -> bool:
    try:
        PostgreSQL(folder).connect().close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_command_finds_the_server_in_its_settings() -> None:
    environment = PLAIN | {"DJANGO_SETTINGS_MODULE": "planner_site.settings", "PYTHONPATH": str(ROOT)}
    command = [*BESIDE, sys.executable, "-c", ASK]
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 7, finished.stderr
    folder, name, *_ = finished.stdout.split()
    assert name == "PostgreSQL"
    assert not Path(folder).exists()


@pytest.mark.parametrize("end", [subprocess.Popen.kill, subprocess.Popen.terminate])
def test_it_ends_with_whoever_started_it(end: Any) -> None:
    show = [
        sys.executable,
        "-c",
        "import os, time; print(os.environ['PRIVATE_POSTGRESQL'], flush=True); time.sleep(20)",
    ]
    starter = subprocess.Popen([*BESIDE, *show], cwd=ROOT, env=PLAIN, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    folder = starter.stdout.readline().strip()
    assert is_there(folder)
    end(starter)
    starter.wait(60)
    starter.stdout.close()
    deadline = time.monotonic() + 30
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_there(folder)
    assert not Path(folder).exists()

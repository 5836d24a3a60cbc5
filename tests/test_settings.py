"""What the environment says is read once, and what it says wrong is answered in words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMES = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "DEBUG",
    "HTTPS",
    "DJANGO_SETTINGS_MODULE",
    "LOG_FORMAT",
    "MONITORING_TOKEN",
)


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with nothing but these settings in the environment."""
    plain = {name: value for name, value in os.environ.items() if name not in NAMES}
    command = [sys.executable, "-W", "ignore", "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=plain | environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("url", ["nonsense", "postgres://user:password@host:port/name", "://"])
def test_a_database_url_that_can_not_be_read_is_answered_in_words(url: str) -> None:
    answer = manage("check", DATABASE_URL=url)
    assert answer.returncode == 1
    assert "DATABASE_URL can't be read" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_blank_database_url_is_none() -> None:
    assert manage("check", DATABASE_URL="").returncode == 0


@pytest.mark.parametrize(
    "more",
    [
        {"ALLOWED_HOSTS": "planner.example.org"},
        {"REDIS_URL": "redis://127.0.0.1:6379/0"},
        {"DATABASE_URL": "postgres://user:password@127.0.0.1/name"},
    ],
)
def test_a_site_for_others_needs_a_secret_key(more: dict[str, str]) -> None:
    answer = manage("check", **more)
    assert answer.returncode == 1
    assert "SECRET_KEY is not set" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert manage("check", SECRET_KEY="x" * 60, **more).returncode == 0


def test_debug_is_off_unless_asked_for() -> None:
    show = ("shell", "-v", "0", "-c", "from django.conf import settings; print(settings.DEBUG)")
    assert manage(*show).stdout.strip() == "False"
    assert manage(*show, DEBUG="1").stdout.strip() == "True"


@pytest.mark.parametrize(
    ("name", "value"),
    [("LOG_FORMAT", "xml"), ("MONITORING_TOKEN", "guessable")],
)
def test_what_can_not_be_used_is_answered_in_words(name: str, value: str) -> None:
    answer = manage("check", **{name: value})
    assert answer.returncode == 1
    assert f"{name} is" in answer.stderr
    assert "Traceback" not in answer.stderr

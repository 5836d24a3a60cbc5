"""Many processes write to one SQLite file: none of them fails because another one writes."""

from __future__ import annotations

import subprocess
import sys

from django.conf import settings


def test_write_backs_beside_writers_are_never_locked_out() -> None:
    """The benchmark, smaller. Without this site's options for SQLite a write in six fails."""
    command = [sys.executable, "benchmarks/writers.py", "--writes", "40"]
    finished = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=300, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stdout.startswith("40 write-backs by 2 workers beside ")
    assert finished.stdout.endswith(": 0 times the database was locked.\n")

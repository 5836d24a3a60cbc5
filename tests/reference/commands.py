"""The application as a shell user sees it: commands in, exit code and JSON out."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command


def run_command(name: str, *arguments: str) -> tuple[int, str]:
    """Return a command's exit code and what it printed on standard output; its errors go to the test's report."""
    out = io.StringIO()
    try:
        call_command(name, *arguments, stdout=out)
    except CommandError as error:
        sys.stderr.write(f"{error}\n")
        return error.returncode, out.getvalue()
    except SystemExit as error:
        return int(error.code or 0), out.getvalue()
    return 0, out.getvalue()


def bring_in(path: Path, *options: str) -> None:
    """Import a plan; raise with every fault where it is refused."""
    call_command("import_plan", str(path), *options, stdout=io.StringIO())


def solve(plant: str, *options: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the run of `solve_plan --format json`."""
    code, printed = run_command("solve_plan", "--plant", plant, "--format", "json", *options)
    return code, json.loads(printed)

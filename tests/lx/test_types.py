"""What a type checker, and so an editor, knows of a model: the rows that functions take, and what they may give."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SAMPLES = Path(__file__).parent / "typed"


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[int, str]]:
    """Return what mypy says in its strict mode about the samples: messages by file and line."""
    cache = request.config.cache
    held = tmp_path_factory.mktemp("mypy") if cache is None else cache.mkdir("mypy")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    options = ["--strict", "--follow-imports=silent", "--config-file=pyproject.toml", "--no-error-summary"]
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            *options,
            f"--cache-dir={held / worker}",
            *map(str, sorted(SAMPLES.glob("*.py"))),
        ],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": "sqlite://:memory:"},
        timeout=300,
        check=False,
    )
    assert run.stderr == ""
    messages: dict[str, dict[int, str]] = {}
    for line in run.stdout.splitlines():
        match = re.fullmatch(r".*?([a-z_]+\.py):(\d+): (error|note): (.*)", line)
        assert match, line
        name, number, _, text = match.groups()
        held_messages = messages.setdefault(name, {})
        held_messages[int(number)] = f"{held_messages.get(int(number), '')} {text}"
    return messages


def test_models_that_are_right_pass_the_strict_mode(found: dict[str, dict[int, str]]) -> None:
    assert found.get("right.py", {}) == {}


def test_mistakes_are_errors_where_they_are_made(found: dict[str, dict[int, str]]) -> None:
    lines = (SAMPLES / "wrong.py").read_text(encoding="utf-8").splitlines()
    expected = {number: line.partition("  # ")[2] for number, line in enumerate(lines, start=1) if "  # " in line}
    said = found["wrong.py"]
    assert set(said) == set(expected)
    for number, words in expected.items():
        assert words in said[number], f"line {number}: {said[number]}"

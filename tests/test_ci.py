"""CI's promise: a test that was skipped there counts as a failure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parent / "conftest.py"
SKIPPED = "import pytest\n\ndef test_passes(): assert True\n\ndef test_skips(): pytest.skip('no server')\n"
XFAILED = "import pytest\n\n@pytest.mark.xfail\ndef test_is_known_to_fail(): assert False\n"
PASSING = "def test_passes(): assert True\n"


def exit_code(folder: Path, content: str, *options: str, fail_on_skip: str) -> int:
    """Return pytest's exit code for one test file under the project's conftest."""
    shutil.copy(CONFTEST, folder)
    (folder / "test_one.py").write_text(content)
    command = [sys.executable, "-m", "pytest", "-p", "no:django", "-p", "no:cacheprovider", "--rootdir=.", *options]
    environment = {**os.environ, "FAIL_ON_SKIP": fail_on_skip}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=60, check=False).returncode


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "workers"])
@pytest.mark.parametrize(
    ("content", "code"), [(SKIPPED, 1), (XFAILED, 1), (PASSING, 0)], ids=["skipped", "xfailed", "passing"]
)
def test_a_skip_fails_the_session_in_ci(tmp_path: Path, content: str, code: int, options: tuple[str, ...]) -> None:
    assert exit_code(tmp_path, content, *options, fail_on_skip="1") == code


@pytest.mark.parametrize("content", [SKIPPED, XFAILED])
def test_a_skip_is_allowed_on_a_laptop(tmp_path: Path, content: str) -> None:
    assert exit_code(tmp_path, content, fail_on_skip="") == 0

"""Processes of a site that die where a test says, see `dying.py`."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from planning.runs.solver_process import database_url

PATIENCE = 60.0  # seconds; nothing that a test waits for takes longer, even on a busy machine
Death = tuple[str, str, int, str]  # point, before or after, its count-th call, what happens


def until(true: Callable[[], Any], what: str = "it", seconds: float = PATIENCE) -> Any:
    """Return what `true` gives, once that is something."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"Waited {seconds:.0f} s in vain for {what}."
        time.sleep(0.02)
    return found


@dataclass
class Process:
    """A process of the site."""

    nursery: Nursery
    pid: int
    mark: Path
    log_file: Path

    @property
    def log(self) -> str:
        """What it and its children printed."""
        return self.log_file.read_text()

    @property
    def code(self) -> int | None:
        """The exit code, minus the signal that killed it; None while it lives."""
        code: int | None = self.nursery.ask("code", pid=self.pid)
        return code

    def wait(self) -> int:
        """Return the exit code once it has ended."""
        until(lambda: self.code is not None, f"the end of {self.pid}:\n{self.log}")
        code = self.code
        assert code is not None
        return code

    def reached(self) -> bool:
        """Whether a process has come to its point."""
        return self.mark.exists()

    def paused(self) -> bool:
        """Whether it stands still at its point."""
        return self.reached() and any(pid == self.pid and state == "T" for pid, _, state in self.nursery.family())

    def children(self) -> list[int]:
        """Return what it started and still lives."""
        return [pid for pid, parent, _ in self.nursery.family() if parent == self.pid]

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill_tree(self) -> None:
        """Kill it and all that it started, at once."""
        members = {self.pid}
        for pid, parent, _ in self.nursery.family():
            if parent in members:
                members.add(pid)
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait()


@dataclass
class Nursery:
    """Starts processes of the site, and knows which of them are left."""

    folder: Path
    queue: str = ""  # the address of a Redis, where runs go through one
    numbers: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.dying"],
            cwd=settings.BASE_DIR,
            env=os.environ | {"SECRET_KEY": settings.SECRET_KEY},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, what: str, **order: Any) -> Any:
        """Return the answer to one order."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps({"do": what, **order}) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())

    def start(
        self,
        *command: Any,
        deaths: list[Death] | None = None,
        init_command: str = "",
        temporary: Path | None = None,
        **values: Any,
    ) -> Process:
        """Return a process that executes the management command, or calls `module:function`.

        Of several deaths the first one happens. `values` are set before; `SETTINGS__NAME` and
        `PLANNING__KEY` are settings, `module__NAME` belongs to a module of `planning.runs`.
        """
        number = next(self.numbers)
        mark, log = self.folder / f"mark{number}", self.folder / f"log{number}"
        places: dict[str, Any] = {"PLANNING:LOCAL_RUNS": 0}  # nothing starts by itself
        for name, value in values.items():
            module, _, rest = name.partition("__")
            places[f"{module if module.isupper() else f'planning.runs.{module}'}:{rest}"] = value
        log.touch()
        pid = self.ask(
            "start",
            command=[*map(str, command)],
            deaths=deaths or [],
            values=places,
            mark=str(mark),
            log=str(log),
            queue=self.queue,
            database=database_url(settings.DATABASES["default"]),
            init_command=init_command,
            temporary=str(temporary or ""),
        )
        return Process(self, pid, mark, log)

    def family(self) -> list[tuple[int, int, str]]:
        """Return (pid, parent, state) of all that live."""
        found = [tuple(member) for member in self.ask("family")]
        return [(pid, parent, state) for pid, parent, state in found if state != "Z"]

    def send(self, pid: int, number: signal.Signals) -> None:
        """Send one of them a signal."""
        assert pid in [member for member, _, _ in self.family()]
        os.kill(pid, number)

    def empty(self) -> bool:
        """Whether nobody is left."""
        return not self.family()

    def clear(self) -> None:
        """Kill whoever is left."""
        while members := self.family():
            for pid, _, _ in members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    def close(self) -> None:
        """End the nursery itself."""
        self.clear()
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

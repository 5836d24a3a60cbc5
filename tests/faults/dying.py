"""Starts processes that die at a named point of the code, once: nothing in the product knows of it.

    python -m tests.faults.dying

sets Django up, then forks a process for each line of JSON on standard input (see `Order`), so that a
process costs milliseconds. Orphans become its children: it knows who is left. `nursery.py` talks to it.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

PR_SET_CHILD_SUBREAPER = 36
Order = dict[str, Any]
_order: Order = {}  # of this process


# --- what happens at a point ----------------------------------------------------------------


def kill() -> None:
    """Die as of the machine's lack of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def crash() -> None:
    """Die as of a fault in a solver's own code."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), signal.SIGSEGV)


def pause() -> None:
    """Stand still until somebody sends SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


def hold() -> None:
    """Wait until the mark is gone. Who stands still instead is hung up by the system when its parent dies."""
    while os.path.exists(_order["mark"]):
        time.sleep(0.02)


def kill_tree() -> None:
    """Die with all that was started."""
    for pid, _, _ in family(os.getpid()):
        os.kill(pid, signal.SIGKILL)
    kill()


def kill_solvers() -> None:
    """Kill what the process started, and go on."""
    for pid, _, _ in family(os.getpid()):
        os.kill(pid, signal.SIGKILL)


def end_tree() -> None:
    """Ask all that was started to end, then oneself, as a service manager does."""
    for pid, _, _ in family(os.getpid()):
        os.kill(pid, signal.SIGTERM)
    time.sleep(0.3)  # the others are faster
    os.kill(os.getpid(), signal.SIGTERM)


def no_room() -> None:
    """From now on no file can grow."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def cut() -> None:
    """Lose the answer of the database."""
    from django.db import OperationalError

    raise OperationalError("server closed the connection unexpectedly")


def ask_the_database() -> None:
    """Ask the database for something."""
    from planning.models import Plant

    Plant.objects.count()


def forget_time() -> NoReturn:
    """Neither answer nor end."""
    while True:
        time.sleep(60)


def waste_memory() -> None:
    """Take memory until there is none."""
    held = []
    while True:
        held.append(bytearray(16 << 20))


# --- the point ------------------------------------------------------------------------------


def at(point: str, when: str, count: int, what: str, mark: str) -> None:
    """Let `what` happen before or after the `count`-th call of the point, once for all processes that share the mark.

    A point is `module:attribute.attribute`, the name by which its caller finds it.
    """
    module, _, path = point.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    real, calls = getattr(owner, name), 0

    def happen() -> None:
        try:
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        globals()[what]()

    def called(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        mine = calls == count
        if mine and when == "before":
            happen()
        result = real(*args, **options)
        if mine and when == "after":
            happen()
        return result

    setattr(owner, name, called)


def set_value(place: str, value: Any) -> None:
    """Set `module:attribute`, or `SETTINGS:name` and `PLANNING:key` of the settings."""
    from django.conf import settings

    module, _, name = place.partition(":")
    if module == "PLANNING":
        settings.PLANNING[name] = value
    elif module == "SETTINGS":
        setattr(settings, name, value)
    else:
        setattr(importlib.import_module(module), name, value)


def use_queue(url: str) -> None:
    """Let runs go through the queue in this Redis."""
    from django.conf import settings
    from django_rq import settings as rq_settings

    for queue in rq_settings.QUEUES.values():
        queue["URL"] = url
    settings.PLANNING["RUNNER"] = "rq"
    os.environ["REDIS_URL"] = url


def use_database(url: str, init_command: str | None) -> None:
    """Work with this database."""
    import environ
    from django.conf import settings
    from django.db import connections

    known, asked = connections.settings["default"], environ.Env.db_url_config(url)
    if asked["ENGINE"] != known["ENGINE"]:
        known["OPTIONS"] = {}
    known.update(asked)
    if init_command:
        known["OPTIONS"]["init_command"] = known["OPTIONS"].get("init_command", "") + init_command
    settings.DATABASES["default"] = known
    connections["default"] = connections.create_connection("default")
    os.environ["DATABASE_URL"] = url


# --- processes ------------------------------------------------------------------------------


def live(order: Order) -> int:
    """Do what was ordered in a process of its own; return the exit code."""
    from django.core.management import call_command

    _order.update(order)
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    use_database(order["database"], order["init_command"])
    tempfile.tempdir = order["temporary"] or None
    if order["queue"]:
        use_queue(order["queue"])
    for place, value in order["values"].items():
        set_value(place, value)
    for death in order["deaths"]:
        at(*death, order["mark"])
    name, *arguments = order["command"]
    if ":" in name:
        module, _, function = name.partition(":")
        getattr(importlib.import_module(module), function)(*arguments)
    else:
        call_command(name, *arguments)
    return 0


def start(order: Order) -> int:
    """Return the number of a new process."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        code = live(order)
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter would
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def family(root: int) -> list[tuple[int, int, str]]:
    """Return (pid, parent, state) of all that descend from a process; the ended ones that nobody waited for too."""
    parents: dict[int, tuple[int, str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = (int(parent), state)
    found = {root}
    while grown := {pid for pid, (parent, _) in parents.items() if parent in found} - found:
        found |= grown
    return [(pid, *parents[pid]) for pid in sorted(found - {root})]


def main() -> None:
    import django

    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    django.setup()
    import planning.runs.queue
    import planning.runs.solver_child  # every process finds all modules loaded
    import planning.runs.worker  # noqa: F401

    codes: dict[int, int] = {}
    steps: dict[str, Callable[[Order], Any]] = {
        "start": start,
        "code": lambda order: codes.get(order["pid"]),
        "family": lambda order: family(os.getpid()),
    }
    for line in sys.stdin:
        order = json.loads(line)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if not pid:
                break
            codes[pid] = os.waitstatus_to_exitcode(status)
        answer = steps[order["do"]](order)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""What the solver process does: it reads its task, solves with the database blocked, and leaves the outcome."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NoReturn

from planning.formulation import build_model
from planning.logs import known_facts, saying
from planning.lx import Progress
from planning.snapshot import DataProblems

from .copies import AlteredCopy, load_copy, varied_snapshot
from .database_block import database_blocked
from .options import RunOptions
from .outcome_file import read_arrays, read_values, write_outcome, write_values
from .solve import Outcome, solve_copy
from .solver_process import STOP
from .what_if import Decided, Desk, NoDesk

logger = logging.getLogger("planning.runs")
COPY, TASK, BEST, OUTCOME = "copy", "task.json", "best", "outcome"
DECIDED, ANSWER = "decided", "answer.json"
_REPORT_SECONDS = 0.2
_LONGEST_TEXT = 2000


def prepare(folder: Path, copy: bytes, options: RunOptions, memory: int | None, variation: Any = None) -> None:
    """Write the task into the folder: the copy's bytes and the changes to it, options, memory limit, how to log."""
    task = {"options": options.as_dict(), "memory": memory, "variation": variation}
    task |= {"facts": known_facts(), "level": logger.getEffectiveLevel()}
    (folder / COPY).write_bytes(copy)
    (folder / TASK).write_text(json.dumps(task))


def solve_tasks(control: int, reports: int) -> NoReturn:
    """Solve the tasks in the folders that are named on the control pipe, without a database, until it ends."""
    _own_process()
    stop, folders = threading.Event(), SimpleQueue[Path]()
    desks: dict[Path, Desk] = {}
    threading.Thread(target=_listen, args=(control, stop, folders), daemon=True, name="control").start()
    with database_blocked():
        while True:
            folder = folders.get()
            task = json.loads((folder / TASK).read_text())
            logger.setLevel(task["level"])  # as the process that watches: a spawned one would not know
            with saying(**task["facts"]):
                code = _do_task(folder, task, stop, reports, desks)
            _say(reports, {"ended": code})


def _do_task(folder: Path, task: dict[str, Any], stop: threading.Event, reports: int, desks: dict[Path, Desk]) -> int:
    """Do a task; return 0 where it left an outcome or an answer."""
    try:
        if task["memory"]:
            resource.setrlimit(resource.RLIMIT_AS, (task["memory"], task["memory"]))
        if "what_if" in task:
            _answer(folder, task, desks)
        else:
            _solve_task(folder, task, stop, reports)
    except AlteredCopy as error:
        return _fail(reports, "altered", str(error))
    except DataProblems as error:
        return _fail(reports, "data", f"The data do not allow a plan.\n{error}")
    except NoDesk as error:
        return _fail(reports, "desk", str(error))
    except MemoryError:
        return _fail(reports, "memory", "The solver needs more memory than a run may take.")
    except Exception as error:  # noqa: BLE001 - carried over to the process that watches, and recorded there
        return _fail(reports, "fault", f"{type(error).__name__}: {error}")
    return 0


def _solve_task(folder: Path, task: dict[str, Any], stop: threading.Event, reports: int) -> None:
    """Solve a task and leave the outcome. Of a best plan that is there already only the prices."""
    options = RunOptions(**task["options"])
    logger.info("the solver %s starts, process %s", options.solver, os.getpid())
    outcome = _solve(folder, options, task["variation"], stop, reports)
    write_outcome(folder / OUTCOME, outcome)
    logger.info("the solver ended after %.2f s: %s, %s", outcome.seconds, outcome.termination, outcome.sizes)


def _answer(folder: Path, task: dict[str, Any], desks: dict[Path, Desk]) -> None:
    """Leave the answer to a what-if, or the price of a limit; the folder's plan is got ready the first time."""
    asked = task["what_if"]
    if folder not in desks:
        data = (folder / COPY).read_bytes()
        desks[folder] = Desk(data, task["variation"], Decided(**read_arrays(folder / DECIDED)))
    desk = desks[folder]
    answer: dict[str, Any] = {}
    if "changes" in asked:
        answer = desk.answer(asked["changes"])
    elif "limit" in asked:
        answer = {"price": desk.price(*asked["limit"])}
    fresh = folder / f"{ANSWER}.fresh"
    fresh.write_text(json.dumps(answer))
    os.replace(fresh, folder / ANSWER)


def _solve(folder: Path, options: RunOptions, variation: Any, stop: threading.Event, reports: int) -> Outcome:
    data = (folder / COPY).read_bytes()
    model = load_copy(data) if variation is None else build_model(varied_snapshot(data, variation))
    last, answered = 0.0, False

    def report(progress: Progress) -> None:
        nonlocal last
        if progress.values is not None:
            write_values(folder / BEST, progress.values)
        elif time.monotonic() - last < _REPORT_SECONDS:
            return
        last = time.monotonic()
        _say(reports, {"best": progress.objective, "bound": progress.bound})

    def halted() -> bool:
        nonlocal answered
        if stop.is_set() and not answered:
            answered = True
            _say(reports, {"answered": True})
        return stop.is_set()

    return solve_copy(model, options, report, halted, held=read_values(folder / BEST))


def _say(reports: int, said: dict[str, Any]) -> None:
    os.write(reports, json.dumps(said).encode() + b"\n")  # shorter than PIPE_BUF: written whole


def _fail(reports: int, kind: str, text: str) -> int:
    _say(reports, {"failure": kind, "text": text[:_LONGEST_TEXT]})  # not a file: the disk may be full
    return 1


def _own_process() -> None:
    """Leave signals to the process that watches, and keep a solver's prints off its output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who watches
    signal.signal(signal.SIGTERM, lambda *_: None)  # so is the order to end, which comes to a whole service at once
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _listen(control: int, stop: threading.Event, folders: SimpleQueue[Path]) -> None:
    """Take tasks and requests to stop; when the pipe ends, whoever watched is gone: end, with all that was started."""
    unread = b""
    while heard := os.read(control, 4096):
        *lines, unread = (unread + heard).split(b"\n")
        for line in lines:
            if line + b"\n" == STOP:
                stop.set()
            else:
                folders.put(Path(os.fsdecode(line)))
    os.killpg(os.getpgrp(), signal.SIGKILL)

"""Watching a solver process: its progress goes to the run, requests to stop go to it, and it can't outstay its time."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from planning.lx import INTERRUPTED, TIME_LIMIT, Progress, ProgressCallback, StopCallback
from planning.models import Run

from .copies import AlteredCopy
from .options import RunOptions
from .outcome_file import read_outcome
from .progress import Trail
from .solve import REASONS, Outcome
from .solver_child import BEST, OUTCOME, prepare
from .solver_folder import solver_folder
from .solver_process import SolverProcess
from .states import beat, stop_requests

logger = logging.getLogger("planning.runs")
ANSWER_SECONDS = 5.0  # until a solver's callback must have taken a request to stop
FINISH_SECONDS = 60.0  # for the prices of a plan after the solver was stopped
LATE_SECONDS = 120.0  # over one and a half times its time limit; the prices take their time after the limit
_LOOK_SECONDS = 0.25  # between two looks at the run
_BEAT_SECONDS = 5.0  # between two signs of life without news
_WRITE_SECONDS = 1.0  # between two with news


class SolverFailed(Exception):
    """The solver process ended without an outcome; the words say how."""


class HandedBack(Exception):
    """This process was asked to end: the run waits for another."""


class KeptSolver:
    """A solver process that waits for the next run of a turn. It is kept only while nothing went wrong with it."""

    def __init__(self) -> None:
        self._waiting: SolverProcess | None = None

    def take(self) -> SolverProcess | None:
        """Return the process that waits, if one lives."""
        process, self._waiting = self._waiting, None
        if process is not None and process.code is not None:
            process.close()
            return None
        return process

    def give_back(self, process: SolverProcess) -> None:
        """Let the process wait for the next run."""
        self._waiting = process

    def close(self) -> None:
        """End the process that waits."""
        process = self.take()
        if process is not None:
            process.close()


class Watch:
    """Solves the copy of one attempt of a run in another process, and tells the run how far it is.

    `stop` and Ctrl-C ask for the best plan found so far, as a request on the run does; a second Ctrl-C, or
    a second request, aborts. `leave` says that this process was asked to end. `kept` may hold the solver
    process of the run before.
    """

    def __init__(
        self,
        run: Run,
        attempt: int,
        progress: ProgressCallback | None = None,
        stop: StopCallback | None = None,
        leave: Callable[[], bool] | None = None,
        kept: KeptSolver | None = None,
    ) -> None:
        self.run, self.attempt, self._kept = run, attempt, kept
        self.trail = Trail()
        self._progress, self._stop, self._leave = progress, stop, leave
        self._started = time.monotonic()
        self._asked = 0  # times that a stop was asked for
        self._finishing = False  # only the prices of the plan found are still sought
        self._asked_at = 0.0
        self._answered = False
        self._looked = self._beaten = time.monotonic()  # the claim was a sign of life
        self._failure: dict[str, str] | None = None  # what the solver said when it failed

    @property
    def seconds(self) -> float:
        """Seconds since the watch began, by this process's clock."""
        return time.monotonic() - self._started

    def solve(self, copy: bytes, options: RunOptions) -> Outcome:
        """Return the outcome. Raises SolverFailed, AlteredCopy, LostRun, HandedBack, KeyboardInterrupt."""
        with solver_folder() as folder:
            prepare(folder, copy, options, settings.PLANNING["MAX_SOLVER_BYTES"], self.run.variation)
            ended = self._watch(folder, 1.5 * options.time_limit + LATE_SECONDS)
            if self._asked < 2 and (folder / OUTCOME).exists():
                return read_outcome(folder / OUTCOME)  # it is whole, whatever became of the process after it
            if ended:
                return self._failed()
            if self._asked > 1:
                return Outcome(INTERRUPTED, "The run was aborted; no plan was kept.", seconds=self.seconds)
            return self._from_best(folder, INTERRUPTED if self._asked else TIME_LIMIT)

    def enter(self, stage: str) -> None:
        """Tell the run that its next stage begins. Raises LostRun."""
        self.trail.enter(stage)
        self._beat()

    def _watch(self, folder: Path, late: float) -> bool:
        """Return True when the solver has ended its task by itself, False where it had to be ended."""
        self._failure = None
        process = (self._kept.take() if self._kept else None) or SolverProcess()
        try:
            process.give(folder)
            while process.ended is None:
                try:
                    self._hear(process)
                    self._look(process)
                except KeyboardInterrupt:
                    self._ask(process, self._asked + 1)
                if self._asked > 1 or self.seconds > late or self._waited_in_vain():
                    return False
            self._code = process.ended
            if process.code is not None:
                self._hear(process)  # its last words
            return True
        finally:
            self._release(process)

    def _release(self, process: SolverProcess) -> None:
        """Keep a solver that did its task for the next run; end any other."""
        if self._kept is not None and process.ended == 0 and process.code is None and not self._asked:
            self._kept.give_back(process)
        else:
            process.close()

    def _hear(self, process: SolverProcess) -> None:
        """Take what the solver reports."""
        for said in process.reports(_LOOK_SECONDS / 2):
            self._answered = self._answered or bool(said.get("answered"))
            self._failure = said if "failure" in said else self._failure
            self.trail.add(self.seconds, said.get("best"), said.get("bound"))
            if self._progress is not None:
                self._progress(Progress(self.seconds, self.trail.best, self.trail.bound))

    def _look(self, process: SolverProcess) -> None:
        """Now and then: tell the run how far it is, and pass a request to stop on."""
        if self._leave is not None and self._leave() and not (self._asked or self._finishing):
            raise HandedBack
        if self._stop is not None and self._stop():
            self._ask(process, 1)
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        due = _WRITE_SECONDS if self.trail.changed else _BEAT_SECONDS
        try:
            asked = self._beat() if now - self._beaten >= due else stop_requests(self.run.pk, self.attempt)
        except (DatabaseError, InterfaceError) as error:
            if connection.in_atomic_block:
                raise
            logger.warning("run %s: the database does not answer, the solver goes on: %s", self.run.pk, error)
            connection.close()
            self._looked = now + 1.0
            return
        self._ask(process, asked)

    def _beat(self) -> int:
        asked = beat(self.run.pk, self.attempt, self.trail.as_dict(self.seconds))
        self._beaten, self.trail.changed = time.monotonic(), False
        return asked

    def _ask(self, process: SolverProcess, times: int) -> None:
        """Pass the first request to stop on; a second one ends the watch."""
        if times > self._asked:
            if not self._asked and not self._finishing:
                process.ask_to_stop()
                self._asked_at = self.seconds
            self._asked = times

    def _waited_in_vain(self) -> bool:
        patience = FINISH_SECONDS if self._answered else ANSWER_SECONDS
        return bool(self._asked) and not self._finishing and self.seconds > self._asked_at + patience

    def _failed(self) -> Outcome:
        """Raise what made the solver process fail."""
        if self._leave is not None and self._leave() and not self._asked:
            raise HandedBack  # the solver was told to end with this process, and was faster
        if self._failure is None:
            how = f"was killed by {signal.Signals(-self._code).name}" if self._code < 0 else f"ended with {self._code}"
            raise SolverFailed(f"The solver's process {how}. Its machine may be short of memory, or the solver broken.")
        raise (AlteredCopy if self._failure["failure"] == "altered" else SolverFailed)(self._failure["text"])

    def _from_best(self, folder: Path, termination: str) -> Outcome:
        """Return the outcome of the best plan that the solver had left when it was ended, with its prices."""
        words = "The solver did not answer in time and was ended."
        if not (folder / BEST).exists():
            text = f"{REASONS[termination]} {words} No plan was found until then."
            return Outcome(termination, text, seconds=self.seconds)
        self._finishing = True
        if not self._watch(folder, self.seconds + FINISH_SECONDS):
            raise SolverFailed(f"{words} The plan that it had found could not be completed.")
        if self._code != 0:
            return self._failed()
        outcome = read_outcome(folder / OUTCOME)
        outcome.termination, outcome.seconds = termination, self.seconds
        outcome.reason = f"{REASONS[termination]} {words} The best plan so far was kept."
        if outcome.plan is not None and self.trail.bound is not None:
            outcome.bound = max(self.trail.bound, outcome.plan.objective)
        return outcome

"""Solving scenarios for somebody who waits: one in this process, several as a set."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from dataclasses import dataclass

from planning.models import Run, RunSet, Scenario
from planning.runs import (
    CopyTooLarge,
    RunOptions,
    SameRun,
    execute,
    hands,
    reconcile,
    set_progress,
    start_run,
    start_set,
    stop_set,
)
from planning.snapshot import DataProblems, Hold

from .progress_line import ProgressLine

_LOOK_SECONDS, _RECONCILE_SECONDS = 0.2, 20.0
Answer = Run | DataProblems | CopyTooLarge


def solved(
    scenarios: list[Scenario], options: RunOptions, line: ProgressLine, hold: Hold | None = None
) -> Iterator[tuple[Scenario, Answer]]:
    """Yield each scenario with its ended run, or why there is none, in their order.

    Of several the site executes as many at once as it does of any runs: its workers where it has a queue,
    else child processes. Where that would be one at a time, this process does it. After Ctrl-C those that
    wait end at once, and the others keep the best plans found.
    """
    if len(scenarios) == 1:
        yield scenarios[0], _one(scenarios[0], options, line, hold)
        return
    here = hands() < 2
    started = start_set(scenarios=scenarios, options=options, here=here, hold=hold)
    wait = _Wait(started.run_set, here, line)
    try:
        for scenario, answer in zip(scenarios, started.answers, strict=True):
            found = answer.run if isinstance(answer, SameRun) else answer  # somebody else's run of the same
            yield scenario, wait.ended(found) if isinstance(found, Run) else found
    finally:
        wait.leave()


def _one(scenario: Scenario, options: RunOptions, line: ProgressLine, hold: Hold | None) -> Answer:
    try:
        run = start_run(scenario, options, here=True, hold=hold)
    except DataProblems as problems:
        return problems
    try:
        return execute(run.pk, run.attempt, progress=line.show)
    finally:
        line.clear()


@dataclass
class _Wait:
    """Waits for the runs of a set, one after the other; executes them where nobody else does."""

    run_set: RunSet | None
    here: bool
    line: ProgressLine
    interrupts: int = 0
    looked: float = 0.0

    def ended(self, run: Run) -> Run:
        """Return the run once it has ended. A third Ctrl-C is raised."""
        while True:
            try:
                return self._ended(run)
            except KeyboardInterrupt:
                self.interrupts += 1
                if self.interrupts > 2:
                    raise
                self._stop()
            finally:
                self.line.clear()

    def _ended(self, run: Run) -> Run:
        run.refresh_from_db()
        if self.here and run.state == Run.State.QUEUED:
            run = execute(run.pk, run.attempt, progress=self.line.show)
            if run.state == Run.State.STOPPED and not self.interrupts:
                self.interrupts = 1
                self._stop()
        while run.is_open:
            self._look()
            run.refresh_from_db()
        return run

    def _look(self) -> None:
        """Show how far the set is; now and then see to runs whose process is gone, for there may be no timer."""
        if self.run_set is not None:
            self.line.show_set(set_progress(run_set=self.run_set))
        if time.monotonic() - self.looked > _RECONCILE_SECONDS:
            self.looked = time.monotonic()
            reconcile()
        time.sleep(_LOOK_SECONDS)

    def leave(self) -> None:
        """Leave no run that waits or goes on for nobody."""
        if self.run_set is not None and set_progress(run_set=self.run_set).is_open:
            self._stop()

    def _stop(self) -> None:
        if self.run_set is None:
            return
        stop_set(run_set=self.run_set, who=getpass.getuser())

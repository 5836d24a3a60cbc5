"""The process that answers what-ifs: it has the database, and watches a solver process that has the plan and none."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from django.conf import settings

from planning.logs import saying
from planning.models import Run, Utilization

from .copies import AlteredCopy, OutdatedCopy, read_copy
from .options import RunOptions
from .outcome_file import write_arrays
from .patience import until_the_database_answers
from .solver_child import ANSWER, DECIDED, TASK, prepare
from .solver_folder import solver_folder
from .solver_process import SolverProcess
from .what_if import ANSWER_SECONDS, PRICE_SECONDS
from .what_if_sessions import LONGEST_SECONDS, Asked, claim, live_on, next_question, record, release

logger = logging.getLogger("planning.runs")
STAY_SECONDS = 60.0  # without a question
MARGIN_SECONDS = 10.0  # beside the solver's own time: reading the copy, building, the prices
_LOOK_SECONDS, _CALM_LOOK_SECONDS = 0.02, 0.1  # between two looks for a question: while one is likely, and later
_BUSY_SECONDS = 5.0  # after a question, in which the next one is likely
_BEAT_SECONDS = 10.0


class NoAnswer(Exception):
    """The solver process gave none; the words say why, for people."""


def answer_what_ifs(number: int, leave: Callable[[], bool] = lambda: False) -> None:
    """Answer what is asked in a session until nobody asks any more; where another process has it, do nothing."""
    session = until_the_database_answers(lambda: claim(number))
    if session is None:
        return
    with saying(run=session.run_id):
        logger.info("run %s: its plan is got ready for what-ifs", session.run_id)
        try:
            with solver_folder() as folder:
                _serve(number, session.run, folder, leave)
        finally:
            until_the_database_answers(lambda: release(number))


def _serve(number: int, run: Run, folder: Path, leave: Callable[[], bool]) -> None:
    try:
        with _Solver(run, folder) as solver:
            solver.ready()
            _answer_all(number, solver, leave)
    except (NoAnswer, AlteredCopy, OutdatedCopy) as why:
        logger.warning("run %s: no answer to its what-ifs: %s", run.pk, why)
        is_mine, question = next_question(number)
        if is_mine and question is not None:
            record(number, question.number, {"words": str(why), "question": question.changes})


def _answer_all(number: int, solver: _Solver, leave: Callable[[], bool]) -> None:
    began = asked_at = beaten = time.monotonic()
    while not leave() and time.monotonic() < began + LONGEST_SECONDS:
        is_mine, question = until_the_database_answers(lambda: next_question(number))
        now = time.monotonic()
        if not is_mine:
            return
        if question is not None:
            _answer(number, question, solver)
            asked_at = time.monotonic()
            continue
        if now > asked_at + STAY_SECONDS or (now > asked_at + _BUSY_SECONDS and _place_is_needed()):
            return
        if now > beaten + _BEAT_SECONDS:
            until_the_database_answers(lambda: live_on(number))
            beaten = now
        time.sleep(_LOOK_SECONDS if now < asked_at + _BUSY_SECONDS else _CALM_LOOK_SECONDS)


def _answer(number: int, question: Asked, solver: _Solver) -> None:
    """Answer a question; then, if nobody waits for another answer, say what a little more of the limit is worth."""
    answer = {**solver.ask({"changes": question.changes}), "question": question.changes}
    wants_price = question.limit is not None and not answer["words"]
    until_the_database_answers(lambda: record(number, question.number, answer | {"open": wants_price}))
    if wants_price and next_question(number) == (True, None):
        priced = answer | {"price": solver.ask({"limit": question.limit})["price"], "open": False}
        until_the_database_answers(lambda: record(number, question.number, priced))


def _place_is_needed() -> bool:
    """Whether runs wait that this process's worker could execute; child processes take no run's place."""
    return settings.PLANNING["RUNNER"] == "rq" and Run.objects.filter(state=Run.State.QUEUED).exists()


class _Solver:
    """A solver process with the plan of a run."""

    def __init__(self, run: Run, folder: Path) -> None:
        self._folder = folder
        prepare(folder, read_copy(run), RunOptions.from_dict(run.options), None, run.variation)
        write_arrays(folder / DECIDED, decided(run))
        self._task = json.loads((folder / TASK).read_text()) | {"memory": settings.PLANNING["MAX_SOLVER_BYTES"]}
        self._process = SolverProcess()

    def __enter__(self) -> _Solver:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.close()

    def ready(self) -> None:
        """Let it find the plan again."""
        self.ask({})

    def ask(self, what: dict[str, Any]) -> dict[str, Any]:
        """Return its answer. Raises NoAnswer where it takes too long, or dies."""
        (self._folder / ANSWER).unlink(missing_ok=True)
        (self._folder / TASK).write_text(json.dumps(self._task | {"what_if": what}))
        self._process.give(self._folder)
        limit = time.monotonic() + ANSWER_SECONDS + PRICE_SECONDS + MARGIN_SECONDS
        words = "Its process ended. Its machine may be short of memory, or the solver broken."
        while self._process.ended is None:
            for said in self._process.reports(0.5):
                words = said.get("text", words)
            if time.monotonic() > limit:
                raise NoAnswer(f"This takes longer than {ANSWER_SECONDS:.0f} s. Solve it as a run.")
        if self._process.ended != 0:
            raise NoAnswer(words)
        found: dict[str, Any] = json.loads((self._folder / ANSWER).read_text())
        return found


def decided(run: Run) -> dict[str, Any]:
    """Return the whole decisions of a run's plan, as `Decided` has them."""
    made = list(run.production_rows.order_by("id").values_list("quantity", "setup"))
    machines = run.utilization_rows.filter(resource_type=Utilization.ResourceType.MACHINE)
    return {
        "made": np.array([quantity for quantity, _ in made], dtype=np.float64),
        "setup": np.array([setup for _, setup in made], dtype=np.float64),
        "down": np.array(machines.order_by("id").values_list("units_down", flat=True), dtype=np.float64),
    }

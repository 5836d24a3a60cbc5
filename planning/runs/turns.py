"""A process's turn: the run that it was given, then others of the same set, as long as the turn lasts.

So many small runs do not pay the start of two processes each. Every one is still claimed, solved and
written by itself; the solver process goes on with the next one while nothing went wrong with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from planning.models import Run

from .execute import execute, execute_claimed
from .patience import until_the_database_answers
from .runners import take_next
from .watch import KeptSolver

TURN_SECONDS = 10.0


def execute_in_turn(run_id: int, attempt: int, leave: Callable[[], bool], at_once: int | None = None) -> Run:
    """Execute a queued run, then further ones of its set that nobody was given; return the first one."""
    until = time.monotonic() + TURN_SECONDS
    kept = KeptSolver()
    try:
        first = execute(run_id, attempt, leave=leave, kept=kept)
        run_set = first.run_set_id
        while run_set is not None and not leave() and time.monotonic() < until:
            taken = until_the_database_answers(lambda: take_next(run_set, at_once))
            if taken is None:
                break
            execute_claimed(*taken, leave, kept)
    finally:
        kept.close()
    return first

"""The operators' log and the terminal of who calls a command."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def log_kept_back(*, unless: bool) -> Iterator[None]:
    """Keep what `planning.runs` logs for operators off this terminal: the run's reason says it in words."""

    log = logging.getLogger("planning.runs")
    level = log.level
    if not unless:
        log.setLevel(logging.CRITICAL + 1)  # a level, because the solver's process takes it over
    try:
        yield
    finally:
        log.setLevel(level)

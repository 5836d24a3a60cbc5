"""The operators' log and the terminal of who calls a command."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def log_kept_back(*, unless: bool) -> Iterator[None]:
    """Keep what `planning.runs` logs for operators off this terminal: the run's reason says it in words."""

    def keep_back(record: logging.LogRecord) -> bool:
        return unless

    log = logging.getLogger("planning.runs")
    log.addFilter(keep_back)
    try:
        yield
    finally:
        log.removeFilter(keep_back)

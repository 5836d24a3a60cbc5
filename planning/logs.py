"""What a log line says beside its message: which run, which attempt, whose, and from which request of a browser.

Settings name these classes before any application is loaded, so this module imports nothing of ours.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

FACTS = ("run", "attempt", "user", "request")
_known: ContextVar[dict[str, Any]] = ContextVar("facts of log lines", default={})  # noqa: B039 - never changed


@contextmanager
def saying(**facts: Any) -> Iterator[None]:
    """Let each line that is logged inside say these facts too. None and "" say nothing."""
    token = _known.set(_known.get() | {name: value for name, value in facts.items() if value not in (None, "")})
    try:
        yield
    finally:
        _known.reset(token)


def known_facts() -> dict[str, Any]:
    """Return what a line would say now: to be carried into a thread or a process."""
    return dict(_known.get())


class AddFacts(logging.Filter):
    """Gives each line its facts: those of its own `extra`, and those that are known where it was logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through."""
        own: dict[str, Any] = {name: getattr(record, name) for name in FACTS if hasattr(record, name)}
        if not isinstance(own.get("request", ""), str):  # Django's own lines carry the request itself
            own["request"] = getattr(own["request"], "request_id", "")
        record.facts = {name: value for name, value in (_known.get() | own).items() if value not in (None, "")}
        return True


class ReadableLines(logging.Formatter):
    """`time level logger message [run=12 attempt=1 user=anna request=5f1c…]`."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} {message}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line without its traceback."""
        said = " ".join(f"{name}={value}" for name, value in getattr(record, "facts", {}).items())
        return super().formatMessage(record) + (f" [{said}]" if said else "")


class JSONLines(logging.Formatter):
    """One JSON object a line, in UTC; a traceback is its field `exception`."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        seconds = self.formatTime(record, "%Y-%m-%dT%H:%M:%S")
        line: dict[str, Any] = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)

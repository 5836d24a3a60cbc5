"""One line on a terminal that is written over and over; nothing where there is no terminal."""

from __future__ import annotations

from typing import Any

from planning.lx import Progress
from planning.runs import SetProgress

from .plan_text import number


class ProgressLine:
    """Shows how far a run or a set is, on a stream that may be a terminal."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._shown = bool(getattr(stream, "isatty", lambda: False)())

    def show(self, progress: Progress) -> None:
        """Show how far a run is."""
        best = "" if progress.objective is None else f", best profit {number(progress.objective)}"
        bound = "" if progress.bound is None else f", at most {number(progress.bound)}"
        self._write(f"Solving, {progress.seconds:.0f} s{best}{bound}")

    def show_set(self, progress: SetProgress) -> None:
        """Show how far a set is."""
        self._write(f"Solving, {progress.ended} of {progress.total} runs have ended")

    def clear(self) -> None:
        """Leave an empty line."""
        self._write("")

    def _write(self, text: str) -> None:
        if self._shown:
            self._stream.write(f"\r\x1b[K{text}", ending="")
            self._stream.flush()

"""What HiGHS says while it runs, passed on to callbacks; and what they ask of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..columns import Floats
from .base import NO_CALLBACKS, Callbacks, Progress
from .pool import run

_PAUSE = 0.1  # seconds between two looks


class Watch:
    """Runs HiGHS under the callbacks' eyes. One watch sees one solve, with however many runs it takes.

    What a callback raises must not pass through HiGHS: it is kept, HiGHS is interrupted, and `run` raises it.
    """

    def __init__(self, callbacks: Callbacks) -> None:
        self.callbacks = callbacks
        self.started = time.monotonic()
        self._lines: list[str] = []
        self._stops = threading.Event()
        self._failure: BaseException | None = None
        self._looked = -_PAUSE
        self._aside = False

    @property
    def seconds(self) -> float:
        """Seconds since the solve began."""
        return time.monotonic() - self.started

    @property
    def log(self) -> str:
        """What HiGHS said."""
        return "".join(self._lines)

    @property
    def stopped(self) -> bool:
        """Whether a callback asked for the end."""
        return self._stops.is_set()

    def run(self, highs: Any, *, aside: bool = False) -> None:
        """Run HiGHS; raise what a callback raised. The objective of a question aside is not shown."""
        self._aside = aside
        self._subscribe(highs)
        try:
            run(highs)
        finally:
            highs.clearCallbacks()
        if self._failure is not None:
            raise self._failure

    def _subscribe(self, highs: Any) -> None:
        def on_log(event: Any) -> None:
            self._guard(lambda: self._take_log(event.message))
            if self._failure is not None and not highs.cbMipInterrupt.callbacks:
                interruptible()  # until now nobody listened there

        def on_interrupt(event: Any) -> None:
            self._guard(lambda: self._look(event.data_out))
            if self._stops.is_set():
                event.interrupt()

        def on_better_plan(event: Any) -> None:
            self._guard(lambda: self._report_plan(event.data_out))

        def interruptible() -> None:
            highs.cbMipInterrupt += on_interrupt
            highs.cbSimplexInterrupt += on_interrupt
            highs.cbIpmInterrupt += on_interrupt

        highs.cbLogging += on_log
        if self.callbacks != NO_CALLBACKS:
            interruptible()
        if self.callbacks.progress is not None:
            highs.cbMipImprovingSolution += on_better_plan

    def _guard(self, act: Callable[[], None]) -> None:
        """Act, unless something failed before; keep what is raised."""
        if self._failure is None:
            try:
                act()
            except BaseException as error:  # noqa: BLE001 - raised again by run()
                self._failure = error
                self._stops.set()

    def _take_log(self, text: str) -> None:
        self._lines.append(text)
        if self.callbacks.log is not None:
            self.callbacks.log(text)

    def _look(self, out: Any) -> None:
        """Ask for a stop and report, at most ten times a second."""
        if self.seconds - self._looked < _PAUSE:
            return
        self._looked = self.seconds
        if self.callbacks.stop is not None and self.callbacks.stop():
            self._stops.set()
        self._report(float(out.mip_primal_bound), float(out.mip_dual_bound))

    def _report_plan(self, out: Any) -> None:
        values = np.array(out.mip_solution, dtype=np.float64)
        self._report(float(out.objective_function_value), float(out.mip_dual_bound), values)

    def _report(self, objective: float, bound: float, values: Floats | None = None) -> None:
        if self.callbacks.progress is not None:
            shown = (None, None, None) if self._aside else (_finite(objective), _finite(bound), values)
            self.callbacks.progress(Progress(self.seconds, *shown, self._stops))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) and abs(value) < 1e20 else None

"""HiGHS' threads: one pool for the whole process, made at the first solve."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import highspy

from ..errors import LXNotNowError

_lock = threading.Lock()
_size = 0  # threads of the pool; 0: as many as HiGHS chose
_running = 0  # solves under way


def run(highs: Any) -> None:
    """Run HiGHS with the number of threads that its options ask for.

    Raises LXNotNowError where another solve is under way with another number: HiGHS itself would give
    no answer.
    """
    with pool_of(int(highs.getOptionValue("threads")[1])):
        highs.run()


@contextmanager
def pool_of(size: int) -> Iterator[None]:
    """Let HiGHS have so many threads meanwhile; 0 leaves the number to HiGHS."""
    global _size, _running  # noqa: PLW0603
    with _lock:
        if size != _size:
            if not _running:
                highspy.Highs.resetGlobalScheduler(True)
                _size = size
            elif size:
                raise LXNotNowError(
                    f"HiGHS can't take {size} threads now: another solve of this process is under way with "
                    f"{_size or 'its own number'}. Wait until it ends, or leave threads to HiGHS."
                )
        _running += 1
    try:
        yield
    finally:
        with _lock:
            _running -= 1

"""A run's life: started from a snapshot, executed on its copy, written back, checked."""

from .copies import AlteredCopy, CopyTooLarge
from .execute import execute
from .options import BadOptions, RunOptions
from .report import problems_as_json, run_as_json
from .runners import launch_waiting, look_after, reconcile
from .start import SameRun, start_run
from .stop import queue_position, stop_run

__all__ = [
    "AlteredCopy",
    "BadOptions",
    "CopyTooLarge",
    "RunOptions",
    "SameRun",
    "execute",
    "launch_waiting",
    "look_after",
    "problems_as_json",
    "queue_position",
    "reconcile",
    "run_as_json",
    "start_run",
    "stop_run",
]

"""A run's life: started from a snapshot, executed on its copy, written back, checked. Alone, or in a set."""

from .copies import AlteredCopy, CopyTooLarge
from .execute import execute
from .options import BadOptions, RunOptions
from .report import problems_as_json, run_as_json
from .run_sets import SetProgress, StartedSet, gather, set_progress, start_set, start_variations
from .runners import hands, launch_waiting, look_after, reconcile
from .start import SameRun, start_run
from .stop import queue_position, stop_run, stop_set
from .turns import execute_in_turn
from .variations import BadVariation, BadVariations

__all__ = [
    "AlteredCopy",
    "BadOptions",
    "BadVariation",
    "BadVariations",
    "CopyTooLarge",
    "RunOptions",
    "SameRun",
    "SetProgress",
    "StartedSet",
    "execute",
    "execute_in_turn",
    "gather",
    "hands",
    "launch_waiting",
    "look_after",
    "problems_as_json",
    "queue_position",
    "reconcile",
    "run_as_json",
    "set_progress",
    "start_run",
    "start_set",
    "start_variations",
    "stop_run",
    "stop_set",
]

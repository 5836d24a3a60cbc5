"""A run's life: started from a snapshot, executed on its copy, written back, checked."""

from .copies import AlteredCopy, CopyTooLarge
from .execute import execute
from .options import BadOptions, RunOptions
from .report import problems_as_json, run_as_json
from .start import start_run

__all__ = [
    "AlteredCopy",
    "BadOptions",
    "CopyTooLarge",
    "RunOptions",
    "execute",
    "problems_as_json",
    "run_as_json",
    "start_run",
]

"""A run's life: started from a snapshot, executed on its copy, written back, checked. Alone, or in a set."""

from .approvals import CannotApprove, approve, withdraw_approval
from .copies import AlteredCopy, CopyTooLarge, OutdatedCopy, base_copy, planned_tables, solved_snapshot
from .execute import execute
from .options import BY_HAND, FOUND_NONE, BadOptions, RunOptions
from .plan_check import PlanRefused
from .report import problems_as_json, run_as_json
from .retention import Pruned, prune
from .run_sets import (
    Answer,
    SetProgress,
    StartedSet,
    gather,
    set_progress,
    start_set,
    start_variations,
    start_variations_of,
)
from .runners import hands, launch_waiting, look_after, reconcile
from .start import SameRun, start_run
from .stop import queue_position, stop_run, stop_set
from .turns import execute_in_turn
from .unstored import check_unstored
from .variations import BadVariation, BadVariations
from .variations import in_words as variation_in_words
from .variations import parse as variation_changes
from .what_if_process import answer_what_ifs
from .what_if_sessions import answer_of, ask, get_ready, has_process

__all__ = [
    "BY_HAND",
    "FOUND_NONE",
    "AlteredCopy",
    "Answer",
    "BadOptions",
    "BadVariation",
    "BadVariations",
    "CannotApprove",
    "CopyTooLarge",
    "OutdatedCopy",
    "PlanRefused",
    "Pruned",
    "RunOptions",
    "SameRun",
    "SetProgress",
    "StartedSet",
    "answer_of",
    "answer_what_ifs",
    "approve",
    "ask",
    "base_copy",
    "check_unstored",
    "execute",
    "execute_in_turn",
    "gather",
    "get_ready",
    "hands",
    "has_process",
    "launch_waiting",
    "look_after",
    "planned_tables",
    "problems_as_json",
    "prune",
    "queue_position",
    "reconcile",
    "run_as_json",
    "set_progress",
    "solved_snapshot",
    "start_run",
    "start_set",
    "start_variations",
    "start_variations_of",
    "stop_run",
    "stop_set",
    "variation_changes",
    "variation_in_words",
    "withdraw_approval",
]

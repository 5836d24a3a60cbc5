"""`manage.py execute_run`: what a runner's child process does."""

from __future__ import annotations

import os
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from planning.management.command import PlanCommand
from planning.runs import execute_in_turn, launch_waiting


class Command(PlanCommand):
    help = (
        "Execute a queued run, and for a while others of its set. Runners call this; to run a scenario use solve_plan "
        "or the admin."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int)
        parser.add_argument("attempt", type=int)
        parser.add_argument("--watched-by", type=int, help="the process that starts who waits, while it lives")
        parser.add_argument("--at-once", type=int, help="child processes at once, as who started this one counts them")

    def handle(self, *args: Any, **options: Any) -> None:
        leaving = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: leaving.set())
        execute_in_turn(options["run"], options["attempt"], leave=leaving.is_set, at_once=options["at_once"])
        if not leaving.is_set() and os.getppid() != options["watched_by"]:
            launch_waiting()

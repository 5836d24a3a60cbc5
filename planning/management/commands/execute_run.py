"""`manage.py execute_run`: what a runner's child process does."""

from __future__ import annotations

import os
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from planning.runs import execute, launch_waiting


class Command(BaseCommand):
    help = "Execute a queued run. Runners call this; to run a scenario use solve_plan or the admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int)
        parser.add_argument("attempt", type=int)
        parser.add_argument("--watched-by", type=int, help="the process that starts who waits, while it lives")

    def handle(self, *args: Any, **options: Any) -> None:
        leaving = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: leaving.set())
        execute(options["run"], options["attempt"], leave=leaving.is_set)
        if not leaving.is_set() and os.getppid() != options["watched_by"]:
            launch_waiting()

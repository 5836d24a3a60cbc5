"""`manage.py answer_what_ifs`: what a child process does that has a run's plan ready for what-ifs."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from planning.management.command import PlanCommand
from planning.runs import answer_what_ifs


class Command(PlanCommand):
    help = "Answer the what-ifs that a user asks about a run, until none comes any more. The site starts this."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("session", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        leaving = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: leaving.set())
        answer_what_ifs(options["session"], leave=leaving.is_set)

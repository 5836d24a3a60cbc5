"""What a planner waits for when a slider moves: from the question in the database to the answer in the database.

    python benchmarks/what_if_answers.py [--products 140 --periods 12] [--questions 20] [--queue]

The plant is that of `large_plant.py`, by default with about 10,000 variables. Each question gives a machine other
hours (from 60 to 140 %), in one week or in every week. A process of the real runner answers: a child process, or with
`--queue` a worker of a private Redis. Beside it: the same change as a run of its own, and the first answer, with the
start of the process in it. Prints a table, and the load of the machine before.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
LOOK_SECONDS, PATIENCE = 0.005, 120.0


def set_up(folder: Path, redis_url: str) -> None:
    """Set Django up as a site with a migrated database; with a queue where there is a Redis."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "planner_site.settings",
        "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
        "REDIS_URL": redis_url,
        "DEBUG": "1",
        "SECRET_KEY": "only for this benchmark, and nothing else",
    }
    import logging

    import django

    django.setup()
    logging.getLogger("planning").setLevel(logging.CRITICAL)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


@contextmanager
def runner(queue: bool, folder: Path) -> Iterator[None]:
    """Set the site up with its runner: child processes, or a worker and its Redis."""
    if not queue:
        set_up(folder, "")
        yield
        return
    from tests.private_redis import PrivateRedis

    with PrivateRedis().running() as redis:
        set_up(folder, redis.url)
        command = [sys.executable, str(ROOT / "manage.py"), "rqworker", "short", "long"]
        worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            yield
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait()


def answered(run: Any, user: Any, change: Any) -> tuple[float, dict[str, Any]]:
    """Return the seconds until the answer to a change is there, and the answer."""
    from planning.runs import answer_of, ask

    began = time.perf_counter()
    number = ask(run=run, user=user, changes=[change])
    while time.perf_counter() < began + PATIENCE:
        session = answer_of(run=run, user=user)
        if session is not None and session.answered >= number:
            return time.perf_counter() - began, session.answer
        time.sleep(LOOK_SECONDS)
    raise SystemExit("No answer came.")


def as_a_run(run: Any, change: Any) -> float:
    """Return the seconds until the same change is solved as a run of its own."""
    from planning.runs import start_variations_of

    began = time.perf_counter()
    (started,) = start_variations_of(run=run, variations=[[change]]).runs
    while started.is_open:
        time.sleep(LOOK_SECONDS)
        started.refresh_from_db(fields=["state"])
    return time.perf_counter() - began


def row(what: str, seconds: list[float], inside: list[float]) -> str:
    """Return a line of the table."""
    within = f"{statistics.median(inside):.2f}" if inside else "–"
    return f"| {what} | {statistics.median(seconds):.2f} | {max(seconds):.2f} | {within} |"


def measure(given: argparse.Namespace, folder: Path) -> None:
    """Print what was measured."""
    from django.contrib.auth.models import User

    from benchmarks.large_plant import large_plant
    from planning.exchange import import_plan
    from planning.models import Scenario
    from planning.runs import execute, start_run
    from planning.snapshot import Change

    large_plant(folder / "plant", given.products, given.periods, max(given.products // 7, 4), given.products // 3)
    import_plan(folder / "plant")
    started = start_run(Scenario.objects.get(name="Baseline"), here=True)
    run, user = execute(started.pk, started.attempt), User.objects.create_user("planner")

    def change(question: int, period: str) -> Any:
        factor = 0.6 + 0.8 * question / max(given.questions - 1, 1)
        machine = f"Machine {question % max(given.products // 7, 4)}"
        return Change("machines", machine, "available_hours", "multiply", factor, period)

    print(f"{run.sizes['columns']:,} variables, load {os.getloadavg()[0]:.1f}\n")
    print("| what | median s | max s | of it changing, solving, comparing |\n|---|---:|---:|---:|")
    print(row("first answer, its process starts", [answered(run, user, change(0, "Week 2"))[0]], []))
    for what, period in (("an answer, one week", "Week 3"), ("an answer, every week", "")):
        found = [answered(run, user, change(question, period)) for question in range(given.questions)]
        print(row(what, [seconds for seconds, _ in found], [answer["seconds"] for _, answer in found]))
    print(row("a run of its own, one week", [as_a_run(run, change(question, "Week 3")) for question in range(3)], []))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=140)
    parser.add_argument("--periods", type=int, default=12)
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--queue", action="store_true", help="a worker answers, through a private Redis")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, runner(arguments.queue, Path(name)):
        measure(arguments, Path(name))

"""Write-backs on SQLite while others write too: how many fail because the database is locked.

    python benchmarks/writers.py [--writes 1000] [--writers 4] [--workers 2] [--plain]

The workers write back solved runs, as they do on a site, but without a second try; the writers read and change
the plant's data at the same time. `--plain` takes Django's own settings for SQLite instead of this site's.
Prints one line; the exit code is 1 where a write failed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PAUSE_SECONDS = 0.01  # between two changes of one writer; a hundred people who save twice a minute make four a second
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def set_up(plain: bool) -> None:
    """Set Django up in this process."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "planner_site.settings"
    import logging

    import django
    from django.conf import settings

    if plain:
        settings.DATABASES["default"]["OPTIONS"] = {}
    django.setup()
    logging.getLogger("planning").setLevel(logging.CRITICAL)


def tried(work: Any) -> int:
    """Do something; return 1 where the database was locked."""
    from django.db import OperationalError

    try:
        work()
    except OperationalError as error:
        if "locked" not in str(error):
            raise
        return 1
    return 0


def write_backs(count: int) -> dict[str, int]:
    """Write back so many runs of the furniture workshop, each with its whole plan and its check."""
    from planning.models import Scenario
    from planning.runs import start_run
    from planning.runs.copies import load_copy, read_copy
    from planning.runs.execute import write_back
    from planning.runs.options import RunOptions
    from planning.runs.solve import solve_copy
    from planning.runs.states import State, beat, move
    from planning.snapshot import Snapshot

    scenario = Scenario.objects.get()
    runs: list[Any] = []
    while tried(lambda: runs.append(start_run(scenario, here=True))):
        pass
    model = load_copy(read_copy(runs[0]))
    outcome, snapshot = solve_copy(model, RunOptions()), Snapshot(model.tables)

    def live() -> None:
        run = start_run(scenario, here=True)
        move(run.pk, 1, (State.QUEUED,), State.RUNNING)
        beat(run.pk, 1, {})
        write_back(run, 1, outcome, snapshot)

    locked = sum(tried(live) for _ in range(count))
    return {"written": count, "locked": locked}


def changes(stop: Path) -> dict[str, int]:
    """Read the plant's products and change one, again and again."""
    from django.db import transaction

    from planning.models import Product

    made = locked = 0

    def change() -> None:
        with transaction.atomic():
            products = list(Product.objects.all())
            product = products[made % len(products)]
            product.profit_per_unit += 0.01
            product.save()

    while not stop.exists():
        locked += tried(change)
        made += 1
        time.sleep(PAUSE_SECONDS)
    return {"changes": made, "locked": locked}


def act(role: str, argument: str) -> None:
    """Be one of the processes."""
    found = write_backs(int(argument)) if role == "worker" else changes(Path(argument))
    print(json.dumps(found))


def measure(writes: int, writers: int, workers: int, plain: bool) -> dict[str, float]:
    """Return what all processes did together."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'site.sqlite3'}"
        os.environ["DEBUG"] = "1"
        os.environ["SECRET_KEY"] = "only for this benchmark, and nothing else"
        set_up(plain)
        from django.core.management import call_command
        from django.db import connection

        from tests.factories import make_furniture

        call_command("migrate", verbosity=0)
        make_furniture()
        connection.close()
        more = ["--plain"] * plain
        stop = folder / "stop"
        begin = [sys.executable, __file__, *more, "--role"]
        changing = [subprocess.Popen([*begin, "writer", str(stop)], stdout=subprocess.PIPE) for _ in range(writers)]
        began = time.monotonic()
        share = [str(writes // workers + (number < writes % workers)) for number in range(workers)]
        working = [subprocess.Popen([*begin, "worker", count], stdout=subprocess.PIPE) for count in share]
        said = [process.communicate()[0] for process in working]
        seconds = time.monotonic() - began
        stop.touch()
        said += [process.communicate()[0] for process in changing]
    found = [json.loads(text) for text in said]
    return {name: sum(one.get(name, 0) for one in found) for name in ("written", "changes", "locked")} | {
        "seconds": seconds
    }


def main() -> int:
    """Measure, and print a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writes", type=int, default=1000)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--role", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.role:
        set_up(given.plain)
        act(*given.role)
        return 0
    found = measure(given.writes, given.writers, given.workers, given.plain)
    print(
        f"{found['written']} write-backs by {given.workers} workers beside {found['changes']} changes by "
        f"{given.writers} writers in {found['seconds']:.0f} s: {found['locked']} times the database was locked."
    )
    return int(found["locked"] > 0)


if __name__ == "__main__":
    sys.exit(main())

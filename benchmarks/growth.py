"""How much a run costs, by the size of its plant, and what many stored runs cost everybody else.

    python benchmarks/growth.py [--plants 30x6 100x12 300x12] [--started 1000x12] [--runs 100000]

In an SQLite file of its own, or on a private PostgreSQL server:

    python tests/private_postgresql.py python benchmarks/growth.py

Prints two tables. Sizes are exact; seconds depend on the machine and on what else it does.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

MB = 2**20


def set_up(folder: Path) -> None:
    """Set Django up on an empty database."""
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder / 'site.sqlite3'}")
    os.environ |= {"DEBUG": "1", "DJANGO_SETTINGS_MODULE": "planner_site.settings"}
    os.environ.setdefault("SECRET_KEY", "only for this benchmark, and nothing else")
    import logging

    import django
    from django.conf import settings

    django.setup()
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["*"]
    logging.getLogger("planning").setLevel(logging.CRITICAL)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def database_bytes() -> int:
    """Return the size of the database."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute("PRAGMA page_size")
        return int(pages * cursor.fetchone()[0])


def one_plant(folder: Path, size: str, repeats: int, solve: bool = True) -> None:
    """Print what a run of a plant costs, or what it costs to start one."""
    from benchmarks.large_plant import large_plant
    from planning.exchange import import_plan
    from planning.models import RESULT_TABLES
    from planning.runs import execute, start_run

    products, periods = map(int, size.split("x"))
    large_plant(folder / size, products, periods, max(products // 8, 4), max(products // 4, 5))
    plant = import_plan(folder / size).plant
    scenario = plant.scenarios.get(name="Baseline")
    before, runs = database_bytes(), []
    for _ in range(repeats):
        run = start_run(scenario, here=True)
        runs.append(execute(run.pk, 1) if solve else run)
    grown = (database_bytes() - before) / repeats
    rows = sum(table._default_manager.filter(run=runs[-1]).count() for table in RESULT_TABLES)
    sizes = runs[-1].sizes
    legs = [statistics.median(run.seconds.get(leg, 0) for run in runs) for leg in ("read", "build", "solve", "write")]
    memory = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    assert all(run.state == ("solved" if solve else "queued") for run in runs)
    numbers = [
        f"{sizes['columns']:,}" if solve else "-",
        f"{sizes['copy_bytes'] / MB:.2f}",
        f"{sizes['compressed_bytes'] / MB:.2f}",
        f"{rows:,}",
        f"{grown / MB:.2f}",
        *(f"{seconds:.2f}" for seconds in legs),
        f"{memory:.0f}",
    ]
    print(f"| {size.replace('x', ' × ')} | {' | '.join(numbers)} |", flush=True)


def many_runs(count: int) -> None:
    """Print what stored runs cost: pages, figures, a new run."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.utils import timezone

    from planning.models import Run, RunMove
    from planning.runs import reconcile, start_run
    from planning.runs.condition import lately, workload
    from tests.factories import make_furniture

    scenario = make_furniture().scenarios.get()
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    first = start_run(scenario, here=True)
    asked: dict[str, Callable[[], Any]] = {
        "list of runs, first page": lambda: client.get("/admin/planning/run/"),
        "page of one run": lambda: client.get(f"/admin/planning/run/{first.pk}/change/"),
        "an open page asks how far it is": lambda: client.get(f"/admin/planning/run/{first.pk}/state.json"),
        "`/metrics`, without the queue": lambda: (workload(), lately()),
        "`reconcile_runs`, nothing to do": reconcile,
        "start of a run (furniture workshop)": lambda: start_run(scenario, here=True),
    }
    shown = {name: [milliseconds(work)] for name, work in asked.items()}
    now = timezone.now()
    values: dict[str, Any] = {
        "plant": scenario.plant,
        "scenario_name": "Baseline",
        "state": "solved",
        "finished_at": now,
    }
    legs = {"read": 0.1, "build": 0.1, "solve": 1.0, "write": 0.1}
    for _ in range(0, count, 10_000):
        made = Run.objects.bulk_create(
            [Run(**values, options={"time_limit": 60.0}, seconds=legs) for _ in range(min(count, 10_000))]
        )
        RunMove.objects.bulk_create(
            [
                RunMove(run=run, state=s, attempt=1, who="host:1")
                for run in made
                for s in ("queued", "running", "solved")
            ]
        )
    if connection.vendor == "postgresql":  # which does it by itself; SQLite does not
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    for name, work in asked.items():
        shown[name].append(milliseconds(work))
    print(f"\n| milliseconds, median of 5 | 1 run | {count:,} runs |\n|---|---:|---:|")
    for name, (few, many) in shown.items():
        print(f"| {name} | {few:.1f} | {many:.1f} |")


def milliseconds(work: Callable[[], Any]) -> float:
    """Return how long it takes, the median of five times after one."""
    taken = []
    for _ in range(6):
        began = time.perf_counter()
        answer = work()
        taken.append(1000 * (time.perf_counter() - began))
        assert getattr(answer, "status_code", 200) == 200
    return statistics.median(taken[1:])


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plants", nargs="*", default=["30x6", "100x12", "300x12"])
    parser.add_argument("--started", nargs="*", default=[], help="plants whose runs are not solved")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--runs", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        set_up(Path(name))
        heads = "variables | copy, MB | compressed | result rows | database, MB | read, s | build | solve | write"
        print(f"| products × periods | {heads} | largest process, MB |\n|---|{'---:|' * 10}")
        for size in given.plants:
            one_plant(Path(name), size, given.repeats)
        for size in given.started:
            one_plant(Path(name), size, given.repeats, solve=False)
        if given.runs:
            many_runs(given.runs)


if __name__ == "__main__":
    main()

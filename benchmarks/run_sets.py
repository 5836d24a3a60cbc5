"""Sets of runs on one and on two workers: how long 200 small variations take, and whether two halve a heavy set.

    python benchmarks/run_sets.py [--workers 1 2] [--small 200] [--heavy 12]

Real workers, a real private Redis, an SQLite file. The small set varies the wood of the furniture workshop;
each run of the heavy one keeps its solver busy for about a second. Seconds are from the start of a set (its
snapshot included) to the end of its last run; processor seconds are those of the workers with all that they
start, their own start of some seconds included. Prints a table, and the load of the machine before.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
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
LOOK_SECONDS, PATIENCE = 0.02, 600.0


def set_up(folder: Path, redis_url: str) -> None:
    """Set Django up as a site with a queue, a migrated database and two plants."""
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

    from planning.exchange import import_plan
    from tests.runs.rich_plant import make_hard

    call_command("migrate", verbosity=0)
    import_plan(ROOT / "tests" / "plants" / "lumix_step2_furniture")
    make_hard("Heavy", products=18, machines=5, periods=4)


@contextmanager
def working(count: int, redis: Any) -> Iterator[None]:
    """Run so many workers, and end them afterwards."""
    command = [sys.executable, str(ROOT / "manage.py"), "rqworker", "short", "long"]
    workers = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        for _ in range(count)
    ]
    try:
        while redis.client().scard("rq:workers") < count:
            time.sleep(LOOK_SECONDS)
        yield
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        for worker in workers:
            worker.wait()


def cpu_seconds() -> float:
    """Return the processor seconds of all processes that were started here and have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def variations(small: bool, count: int) -> list[list[dict[str, Any]]]:
    """Return variations of a plant, no two alike."""
    where = ("raw_materials", "Wood", "available_quantity") if small else ("machines", "*", "available_hours")
    change = dict(zip(("table", "row", "field"), where, strict=True)) | {"operation": "multiply"}
    return [[change | {"value": 1 - 0.0005 * number}] for number in range(count)]


def measure(plant: str, small: bool, count: int) -> tuple[float, float]:
    """Return the seconds until a set has ended, and the seconds that its solvers took together."""
    from planning.models import Scenario
    from planning.runs import RunOptions, gather, set_progress, start_variations

    scenario = Scenario.objects.get(plant__name=plant, name="Baseline")
    options = RunOptions(time_limit=60, gap=1e-4 if small else 3e-3)
    began = time.perf_counter()
    run_set = start_variations(scenario=scenario, variations=variations(small, count), options=options).run_set
    assert run_set is not None
    while set_progress(run_set=run_set).is_open:
        time.sleep(LOOK_SECONDS)
        if time.perf_counter() - began > PATIENCE:
            raise SystemExit(f"The set has not ended after {PATIENCE:.0f} s.")
    took = time.perf_counter() - began
    runs = gather(run_set=run_set)
    bad = [run for run in runs if run.state != "solved"]
    if bad:
        raise SystemExit(f"Run {bad[0].pk} is {bad[0].state}: {bad[0].reason}")
    return took, sum(float(run.seconds["solve"]) for run in runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--small", type=int, default=200)
    parser.add_argument("--heavy", type=int, default=12)
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    from tests.private_redis import PrivateRedis

    with tempfile.TemporaryDirectory() as name, PrivateRedis().running() as redis:
        set_up(Path(name), redis.url)
        from planning.models import Plant

        names = {"small": Plant.objects.exclude(name="Heavy").get().name, "heavy": "Heavy"}
        print(f"{os.cpu_count()} processors, load {load:.1f} before\n")
        print("| set | workers | seconds | seconds a run | processor seconds | seconds in solvers | speed-up |")
        print("|---|---|---|---|---|---|---|")
        for kind, count in (("small", asked.small), ("heavy", asked.heavy)):
            if not count:
                continue
            first = 0.0
            for workers in asked.workers:
                spent = cpu_seconds()
                with working(workers, redis):
                    took, solved = measure(names[kind], kind == "small", count)
                spent = cpu_seconds() - spent
                first = first or took
                row = [
                    f"{count} {kind}",
                    workers,
                    f"{took:.1f}",
                    f"{took / count:.3f}",
                    f"{spent:.1f}",
                    f"{solved:.1f}",
                ]
                print("|", " | ".join(map(str, [*row, f"{first / took:.2f}×"])), "|", flush=True)


if __name__ == "__main__":
    main()

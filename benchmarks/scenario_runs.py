"""Many scenarios of one plant at once, against as many runs each by itself: what they cost beside the solver.

    python benchmarks/scenario_runs.py [--scenarios 100] [--alone 5]

Both ways are `manage.py solve_plan` on an SQLite file and a plant of some 10,000 variables (300 products,
10 periods): once with all scenarios, and again and again with one. Prints processor seconds per scenario of the
command with all that it starts, less the seconds that its runs give for solving and writing back, and the ratio.
"""

from __future__ import annotations

import argparse
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]


def manage(*arguments: str, site: Path) -> None:
    """Run a command of the site."""
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    variables = {key: value for key, value in os.environ.items() if key not in ("REDIS_URL", "ALLOWED_HOSTS")}
    subprocess.run(
        command, env=variables | {"DATABASE_URL": f"sqlite:///{site}"}, check=True, stdout=subprocess.DEVNULL
    )


def fill(folder: Path, site: Path, scenarios: int) -> str:
    """Make the plant with its scenarios; return its name."""
    from large_plant import large_plant, write

    large_plant(folder, 300, 10, 40, 80)
    names = [f"Scenario {number}" for number in range(1, scenarios + 1)]
    write(folder, "scenarios", ["name"], [[name] for name in names])
    write(
        folder,
        "scenario_changes",
        ["scenario", "table", "row", "field", "operation", "value"],
        [
            [name, "machines", f"Machine {number % 40}", "available_hours", "multiply", 0.9 + 0.002 * number]
            for number, name in enumerate(names)
        ],
    )
    manage("migrate", "--verbosity", "0", site=site)
    manage("import_plan", str(folder), site=site)
    return "Large plant 300 x 10"


def spent() -> float:
    """Return the processor seconds of all that has been started and has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def solving_and_writing(site: Path) -> tuple[int, float]:
    """Return how many runs have a plan, and the seconds that they solved and wrote."""
    with closing(sqlite3.connect(site)) as connection:
        count, seconds = connection.execute(
            "SELECT count(*), sum(seconds ->> 'solve') + sum(seconds ->> 'write') FROM planning_run"
            " WHERE state = 'solved'"
        ).fetchone()
    return count, seconds or 0.0


def beside(commands: list[list[str]], site: Path) -> float:
    """Return processor seconds per run beside solving and writing back."""
    runs, took = solving_and_writing(site)
    cpu, wall = spent(), time.perf_counter()
    for command in commands:
        manage(*command, site=site)
    cpu, wall = spent() - cpu, time.perf_counter() - wall
    new_runs, new_took = (after - before for after, before in zip(solving_and_writing(site), (runs, took), strict=True))
    each = (cpu - new_took) / new_runs
    print(
        f"{new_runs:4.0f} runs in {wall:6.1f} s: {cpu / new_runs:.3f} processor seconds each,"
        f" {new_took / new_runs:.3f} s of them solving and writing back, {each:.3f} beside it"
    )
    return each


def main() -> None:
    """Measure both ways and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenarios", type=int, default=100)
    parser.add_argument("--alone", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site.sqlite3"
        plant = fill(Path(folder) / "plant", site, asked.scenarios)
        print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
        names = [f"Scenario {number}" for number in range(1, asked.scenarios + 1)]
        alone = beside([["solve_plan", "--plant", plant, "--scenario", name] for name in names[: asked.alone]], site)
        together = beside([["solve_plan", "--plant", plant, *(f"--scenario={name}" for name in names)]], site)
        print(f"beside solving and writing back, together / alone: {together / alone:.3f}")


if __name__ == "__main__":
    main()

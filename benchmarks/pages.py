"""What each page takes on the server, at a plant of 300 products and 12 periods with a solved run.

    python benchmarks/pages.py [--products 300 --periods 12] [--times 5]

Prints for each screen, and for each part that a run's page asks for later, the median processor milliseconds of
the request as an administrator makes it, its queries, and the size of the answer; the slowest first.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]


def fill(folder: Path, products: int, periods: int) -> Any:
    """Make the plant, a scenario with a change and two solved runs; return them as the screens name them."""
    from large_plant import large_plant

    from planning.exchange import import_plan
    from planning.models import Plant, RunSet
    from tests.browser.screens import FilledSite, solved
    from tests.factories import make_run

    large_plant(folder, products, periods, 40, 80)
    import_plan(folder)
    plant = Plant.objects.get()
    baseline = plant.scenarios.get(name="Baseline")
    changed = plant.scenarios.create(name="More hours")
    changed.scenario_changes.create(
        table="machines", row="*", field="available_hours", operation="multiply", value=1.05
    )
    run, other = solved(baseline), solved(changed)
    run_set = RunSet.objects.create(plant=plant, name="2 scenarios")
    open_run = make_run(plant, options={"time_limit": 60.0})
    return FilledSite(plant, baseline, changed, run, other, run, open_run, run_set)


def measured(client: Any, url: str, times: int) -> tuple[float, int, int]:
    """Return the median seconds, the queries and the bytes of a page."""
    from django.db import connection

    queries: list[str] = []

    def counted(execute: Any, sql: str, *rest: Any) -> Any:
        queries.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(counted):
        answer = client.get(url)
    assert answer.status_code == 200, f"{url}: {answer.status_code}"
    took = []
    for _ in range(times):
        began = time.process_time()
        client.get(url)
        took.append(time.process_time() - began)
    return statistics.median(took), len(queries), len(answer.content)


def main() -> None:
    """Measure all screens and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=300)
    parser.add_argument("--periods", type=int, default=12)
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "planner_site.settings",
            "DATABASE_URL": f"sqlite:///{folder}/site.sqlite3",
        }
        import django

        django.setup()
        from django.contrib.auth.models import User
        from django.core.management import call_command
        from django.test import Client

        from tests.browser.screens import SCREENS

        call_command("migrate", verbosity=0)
        site = fill(Path(folder) / "plant", asked.products, asked.periods)
        client = Client(HTTP_HOST="localhost")
        client.force_login(User.objects.create_superuser("planner"))
        pages = {name: url(site) for name, url in SCREENS.items() if name != "run-without-a-plan"}
        for part in re.findall(r'data-part="([^"]+)"', client.get(pages["run"]).content.decode()):
            pages[f"run, {part.rstrip('/').rsplit('/', 1)[1]}"] = part
        found = {name: measured(client, url, asked.times) for name, url in pages.items()}
        print(f"{asked.products} products x {asked.periods} periods\n")
        print("| page | ms | queries | kB |\n|---|---|---|---|")
        for name, (seconds, queries, size) in sorted(found.items(), key=lambda one: -one[1][0]):
            print(f"| {name} | {seconds * 1e3:.0f} | {queries} | {size / 1e3:.0f} |")


if __name__ == "__main__":
    main()

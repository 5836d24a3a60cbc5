"""What a plan by hand costs, with its plan check, on plants of `large_plant.py`.

    python benchmarks/plan_by_hand.py

prints CPU seconds by the number of products, in 12 periods: the median of three.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from io import StringIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ["DATABASE_URL"] = "sqlite://:memory:"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "planner_site.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from benchmarks.large_plant import large_plant  # noqa: E402
from planning.by_hand import plan_by_hand  # noqa: E402
from planning.models import BASELINE, Plant  # noqa: E402
from planning.runs import check_unstored  # noqa: E402
from planning.snapshot import Snapshot, take_snapshot  # noqa: E402

PERIODS, SIZES = 12, (20, 80, 300)


def seconds(snapshot: Snapshot) -> float:
    """Return the CPU seconds of one plan by hand, checked."""
    began = time.process_time()
    check_unstored(snapshot, plan_by_hand(snapshot))
    return time.process_time() - began


def main() -> None:
    """Measure each size."""
    call_command("migrate", verbosity=0)
    for products in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            large_plant(Path(folder), products, PERIODS, max(products // 15, 2), max(products // 8, 2))
            call_command("import_plan", folder, stdout=StringIO())
        snapshot = take_snapshot(Plant.objects.order_by("-pk")[0].pk, BASELINE)
        taken = statistics.median(seconds(snapshot) for _ in range(3))
        print(f"{products:4} products x {PERIODS} periods: {taken:.2f} s")


if __name__ == "__main__":
    main()

"""How long it takes to say why there is no plan, on a plant of `large_plant.py` of which too much is asked.

    python benchmarks/explain_infeasible.py [--products 150 --seconds 10]

prints the size of the model and the seconds, of the clock and of the processor, until conflict and remedies are known:
linear, and with setups.
"""

from __future__ import annotations

import argparse
import os
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
from planning.formulation import build_model, contradiction  # noqa: E402
from planning.lx import CompiledModel, compile_model  # noqa: E402
from planning.models import BASELINE, Plant, ProductionRecipe, ProductPeriod  # noqa: E402
from planning.runs.solve import CONFLICT_SECONDS  # noqa: E402
from planning.snapshot import take_snapshot  # noqa: E402

PERIODS = 12


def compiled_of(plant: Plant) -> CompiledModel:
    """Return the model of the plant as it is now."""
    return compile_model(build_model(take_snapshot(plant.pk, BASELINE)))


def explain(what: str, plant: Plant, seconds: float) -> None:
    """Print what the explanation takes, and what it says."""
    compiled = compiled_of(plant)
    began, worked = time.perf_counter(), time.process_time()
    found = contradiction(compiled, seconds)
    taken = f"{time.perf_counter() - began:.1f} s, {time.process_time() - worked:.1f} s of CPU"
    offers = ", ".join(f"{one.kind} ({len(one.changes)} changes, {one.sure})" for one in found.reliefs)
    print(f"{what}: {compiled.column_count} variables, {compiled.row_count} rows; {taken}")
    print(f"  {len(found.rows)} values. {found.summary[:200]}")
    print(f"  would do: {offers or 'none found in time'}")


def main() -> None:
    """Ask too much of one week, then let products need setups."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=150)
    parser.add_argument("--seconds", type=float, default=CONFLICT_SECONDS)
    asked = parser.parse_args()
    products = asked.products
    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        large_plant(Path(folder), products, PERIODS, products // 8, products // 4)
        call_command("import_plan", folder, stdout=StringIO())
    plant = Plant.objects.get()
    rows = ProductPeriod.objects.filter(product__plant=plant, period__sequence__lte=2)
    rows.update(min_demand=100, max_demand=150)
    explain("linear", plant, asked.seconds)
    ProductionRecipe.objects.filter(product__plant=plant).update(setup_hours=0.5)
    explain("with setups", plant, asked.seconds)


if __name__ == "__main__":
    main()

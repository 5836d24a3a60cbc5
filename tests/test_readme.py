"""What the README shows is true: its example runs, its small plant comes in, and the files it names are there."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from planning.exchange import import_plan
from planning.models import Machine, Product, ProductionRecipe, Scenario
from planning.runs import execute, start_run

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.django_db


def test_the_example_of_the_modelling_layer_runs(plants_dir: Path) -> None:
    import_plan(plants_dir / "lumix_step2_furniture")
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    recipes = [
        SimpleNamespace(product_name=r.product.name, machine_name=r.machine.name, hours_required=r.hours_required)
        for r in ProductionRecipe.objects.select_related("product", "machine")
    ]
    names: dict[str, Any] = {"Product": Product, "Machine": Machine, "recipes": recipes}
    exec(compile(example, "README.md", "exec"), names)  # noqa: S102 - our own words
    # without materials only hours limit: Desk earns 200 / 3.5 per hour of assembly, more than the others, of 100 hours
    made = names["solution"].variables["make"]
    assert 0.5 * made["Chair"] + 1.5 * made["Table"] + 2 * made["Desk"] <= 80 + 1e-6
    assert names["solution"].objective_value == pytest.approx(100 / 3.5 * 200)


def test_the_small_plant_comes_in_and_is_planned(tmp_path: Path) -> None:
    block = README.split("```\nplant.csv", 1)[1].split("```", 1)[0]
    name = "plant.csv"
    tables: dict[str, list[str]] = {name: []}
    for line in block.splitlines():
        file, row = re.fullmatch(r"(\w+\.csv)? *(.*)", line).groups()
        name = file or name
        tables.setdefault(name, []).extend([row] if row else [])
    for file, lines in tables.items():
        (tmp_path / file).write_text("\n".join(lines), encoding="utf-8")
    plant = import_plan(tmp_path).plant
    run = start_run(Scenario.objects.get(plant=plant), here=True)
    run = execute(run.pk, run.attempt)
    assert run.objective == pytest.approx(1600)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(((?!http)[\w./-]+)\)", README))))
def test_what_the_readme_links_to_is_there(path: str) -> None:
    assert (ROOT / path).exists()

"""What holds for every scenario: no change is no difference, inverses take back, parents come first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planning.formulation import build_model
from planning.lx import LXTable
from planning.models import BASELINE, Plant, Scenario
from planning.runs.copies import pack
from planning.snapshot import (
    Change,
    DataProblems,
    apply_changes,
    differences,
    effects_of_draft,
    read_tables,
    take_snapshot,
)
from planning.snapshot.settled import copy_of
from tests.reference.commands import bring_in
from tests.reference.random_plants import random_plant, write_folder
from tests.runs.rich_plant import make_rich

pytestmark = pytest.mark.django_db

NUMBERS = [
    ("products", "profit_per_unit"),
    ("products", "min_demand"),
    ("product_periods", "max_demand"),
    ("machines", "available_hours"),
    ("machines", "overtime_cost_per_hour"),
    ("raw_materials", "available_quantity"),
    ("raw_material_periods", "holding_cost_per_unit"),
    ("routes", "setup_cost"),
    ("production_recipes", "hours_required"),
    ("customer_orders", "target_quantity"),
]
EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
places = st.tuples(st.sampled_from(NUMBERS), st.booleans(), st.sampled_from(["", "1", "2", "3"]))


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return make_rich(tmp_path)


def change(tables: dict[str, LXTable], place: Any, operation: str, value: float | None) -> Change:
    """Return a change of a field in every row, or in one; by period where it has a value per period."""
    (table, field), every_row, period = place
    parent = {"product_periods": "products", "raw_material_periods": "raw_materials"}.get(table, table)
    names = (
        tables[parent].columns["reference" if parent == "customer_orders" else "name"].tolist()
        if (parent not in ("routes", "production_recipes"))
        else []
    )
    row = "*" if every_row or not names else str(names[0])
    whole = table in ("production_recipes", "customer_orders")
    return Change(table, row, field, operation, value, "" if whole else period)


def after(tables: dict[str, LXTable], *changes: Change) -> dict[str, LXTable]:
    """Return the tables with changes that none of the columns refuses."""
    changed = copy_of(tables)
    applied = apply_changes(changed, changes, "What")
    assert applied.errors == []
    return changed


@pytest.mark.parametrize("seed", range(12))
def test_a_scenario_without_changes_has_the_copy_of_the_base_to_the_last_byte(seed: int, tmp_path: Path) -> None:
    tables = random_plant(seed, orders=True, goals=True)
    bring_in(write_folder(tables, tmp_path))
    plant = Plant.objects.get()
    parent = Scenario.objects.create(plant=plant, name="Parent")
    Scenario.objects.create(plant=plant, name="Nothing", parent=parent)
    copies = []
    for name in (BASELINE, "Nothing"):
        try:
            copies.append(pack(build_model(take_snapshot(plant.pk, name)))[0])
        except DataProblems as problems:
            copies.append(str(problems).encode())
    assert copies[0] == copies[1]


@EXAMPLES
@given(places, st.integers(-8, 8))
def test_a_power_of_two_and_its_inverse_give_the_base_exactly(plant: Plant, place: Any, power: int) -> None:
    tables = read_tables(plant.pk)
    twice = [change(tables, place, "multiply", 2.0**power), change(tables, place, "multiply", 2.0**-power)]
    assert differences(tables, after(tables, *twice)) == []


@EXAMPLES
@given(places, st.floats(1e-3, 1e6))
def test_what_is_added_and_taken_away_gives_the_base_but_for_rounding(plant: Plant, place: Any, amount: float) -> None:
    tables = read_tables(plant.pk)
    more, less = change(tables, place, "add", amount), change(tables, place, "add", -amount)
    changed = copy_of(tables)
    if apply_changes(changed, [more, less], "What").errors:
        return  # rounding can take a 0 below 0, which is refused and not hidden
    for difference in differences(tables, changed):
        assert difference.effective == pytest.approx(difference.base, abs=1e-15 * amount * 4, rel=1e-9)


@EXAMPLES
@given(places, st.one_of(st.none(), st.floats(0, 1e6)), st.floats(0, 1e6))
def test_the_last_of_two_changes_of_a_field_decides(plant: Plant, place: Any, first: float | None, last: float) -> None:
    tables = read_tables(plant.pk)
    both = after(tables, change(tables, place, "set", first), change(tables, place, "set", last))
    assert differences(after(tables, change(tables, place, "set", last)), both) == []


@EXAMPLES
@given(places, st.floats(0, 100), st.sampled_from(["add", "multiply"]), st.floats(0, 100))
def test_the_changes_of_the_parent_come_first(
    plant: Plant, place: Any, given_value: float, operation: str, value: float
) -> None:
    tables = read_tables(plant.pk)
    first, second = change(tables, place, "set", given_value), change(tables, place, operation, value)
    Scenario.objects.filter(plant=plant, name="Parent").delete()
    parent = Scenario.objects.create(plant=plant, name="Parent")
    parent.scenario_changes.create(**{**vars(first)})
    effects = effects_of_draft(plant.pk, "Child", [second], "Parent")
    together = after(tables, first, second)
    assert list(effects.differences) == differences(tables, together)
    assert [(effect.scenario, effect.number) for effect in effects.changes] == [("Parent", 1), ("Child", 1)]

"""How far a plant's data have moved on since a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from planning.insight import NoSolvedData, data_changes
from planning.models import Machine, Plant, Product, ProductPeriod, Run, Scenario, ScenarioChange
from planning.runs import start_run, start_variations
from tests.factories import make_furniture, make_solved_run
from tests.formulation.small_plants import baseline
from tests.runs.rich_plant import make_rich

pytestmark = pytest.mark.django_db


def run_of(plant: Plant, scenario: str = "Baseline") -> Run:
    return start_run(plant.scenarios.get(name=scenario), here=True)


def test_nothing_changed_at_first(tmp_path: Path) -> None:
    assert data_changes(run_of(make_rich(tmp_path))).count == 0
    assert data_changes(run_of(make_furniture())).count == 0


def test_values_new_rows_and_removed_rows_are_counted(tmp_path: Path) -> None:
    plant = make_rich(tmp_path)
    run = run_of(plant)
    Product.objects.filter(plant=plant, name="Chair").update(min_demand=20, max_demand=None)
    Machine.objects.create(plant=plant, name="Lathe")
    ProductPeriod.objects.filter(product__name="Leg").delete()
    assert data_changes(run).by_table == {"products": 2, "product_periods": 1, "machines": 1}
    plant.name = "Richer"
    plant.save()
    assert data_changes(run).by_table["plant"] == 1


def test_a_scenarios_changes_are_no_change_of_the_data_until_they_are_edited(tmp_path: Path) -> None:
    plant = make_rich(tmp_path)
    scenario = Scenario.objects.create(plant=plant, name="Dearer")
    change = ScenarioChange.objects.create(
        scenario=scenario, table="products", row="Chair", field="profit_per_unit", operation="multiply", value=2
    )
    run = run_of(plant, "Dearer")
    assert data_changes(run).count == 0
    change.value = 3
    change.save()
    assert data_changes(run).by_table == {"product_periods": 3}
    scenario.delete()
    with pytest.raises(NoSolvedData, match='"Dearer" is gone'):
        data_changes(run)


def test_a_variations_own_changes_do_not_count(tmp_path: Path) -> None:
    plant = make_rich(tmp_path)
    more = [{"table": "machines", "row": "Press", "field": "available_hours", "operation": "set", "value": 30}]
    run = start_variations(scenario=baseline(plant), variations=[more], here=True).runs[0]
    assert data_changes(run).count == 0


def test_the_number_of_queries_is_fixed() -> None:
    plant = make_furniture()
    run = run_of(plant)
    with CaptureQueriesContext(connection) as few:
        data_changes(run)
    Product.objects.bulk_create(Product(plant=plant, name=f"Product {i}") for i in range(300))
    with CaptureQueriesContext(connection) as many:
        assert data_changes(run).by_table == {"products": 300}
    assert len(few) == len(many)


def test_a_run_without_its_copy_can_not_tell() -> None:
    with pytest.raises(NoSolvedData, match="no stored copy"):
        data_changes(make_solved_run(make_furniture()))

"""Replacing a plant's data: one transaction, the same plant, its runs kept."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from planning.exchange import ImportFaults, import_plan
from planning.exchange import store as store_module
from planning.models import Plant, Product, Run, Scenario, ScenarioChange

pytestmark = pytest.mark.django_db


def test_it_swaps_the_data_and_keeps_the_plant_and_its_runs(folder):
    plant = import_plan(folder(products="name\nChair\nTable\n", scenarios="name,parent\nA,B\nB,A\n")).plant
    other = import_plan(folder(plant="name\nOther\n")).plant
    run = Run.objects.create(plant=plant, scenario_name="A", currency="USD")
    result = import_plan(
        folder(plant="name,currency\nWorkshop,EUR\n", scenarios="name\nC\n", products="name\nDesk\n"), replace=True
    )
    assert (result.plant, result.replaced) == (plant, True)
    assert Plant.objects.get(pk=plant.pk).currency == "EUR"
    assert list(Product.objects.filter(plant=plant).values_list("name", flat=True)) == ["Desk"]
    assert list(Scenario.objects.filter(plant=plant).values_list("name", flat=True)) == ["Baseline", "C"]
    assert Run.objects.get() == run
    assert Product.objects.filter(plant=other).count() == 2


def test_without_replace_a_plant_that_is_there_stays(folder):
    import_plan(folder(products="name\nChair\n"))
    with pytest.raises(ImportFaults, match="--replace"):
        import_plan(folder(products="name\nTable\n"))
    assert Product.objects.get().name == "Chair"


def test_replace_imports_a_plant_that_is_not_there(folder):
    assert import_plan(folder(), replace=True).replaced is False


def test_faults_leave_the_old_data(folder):
    import_plan(folder(products="name\nChair\n"))
    with pytest.raises(ImportFaults):
        import_plan(folder(products="name\nTable\nTable\n"), replace=True)
    assert Product.objects.get().name == "Chair"


def test_a_database_that_refuses_leaves_the_old_data(folder, monkeypatch):
    """The rules of the database hold too where the checks of the file should have a gap."""
    import_plan(folder(products="name\nChair\n"))
    monkeypatch.setattr("planning.exchange.check.check_pairs", lambda parsed, faults: None)
    with pytest.raises(ImportFaults, match="database refused the rows"):
        import_plan(folder(products="name,min_demand,max_demand\nTable,2,1\n"), replace=True)
    assert Product.objects.get().name == "Chair"


def test_a_database_that_fails_leaves_the_old_data(folder, monkeypatch):
    import_plan(folder(products="name\nChair\n"))

    def fail(parsed, plant):
        raise DatabaseError("disk full")

    monkeypatch.setattr(store_module, "store_scenarios", fail)
    with pytest.raises(ImportFaults, match="disk full"):
        import_plan(folder(products="name\nTable\n"), replace=True)
    assert Product.objects.get().name == "Chair"


def test_a_plant_that_appears_meanwhile_is_a_fault(folder, monkeypatch):
    monkeypatch.setattr(
        "planning.exchange.importing.existing_plant", lambda *args, **options: Plant.objects.create(name="Workshop")
    )
    with pytest.raises(ImportFaults, match="there already"):
        import_plan(folder(products="name\nTable\n"))
    assert not Product.objects.exists()


def test_the_number_of_queries_grows_by_batches_only(folder):
    def queries(count: int) -> int:
        rows = "".join(f"P{number}\n" for number in range(count))
        changes = "".join(f"S,products,P{number},max_demand,set,1\n" for number in range(count))
        plan = folder(
            products=f"name\n{rows}",
            scenarios="name\nS\n",
            scenario_changes=f"scenario,table,row,field,operation,value\n{changes}",
        )
        with CaptureQueriesContext(
            connection,
        ) as captured:
            import_plan(plan, replace=True)
        return len(captured)

    queries(10)
    few = queries(10)
    assert queries(40) == few
    assert queries(1000) < few + 60  # SQLite takes about 50 rows of 20 columns at once
    assert ScenarioChange.objects.count() == 1000

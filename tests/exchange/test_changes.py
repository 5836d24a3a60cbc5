"""Scenario changes: what a row contradicts by itself is refused; whether it finds its row waits for the plan."""

from __future__ import annotations

import pytest

from planning.exchange import export_plan, import_plan
from planning.models import ScenarioChange

pytestmark = pytest.mark.django_db

HEADER = "scenario,table,row,period,field,operation,value\n"


@pytest.fixture
def with_changes(folder):
    def write(rows):
        return folder(
            scenarios="name\nHigh\n",
            periods="sequence,name\n1,Week 1\n",
            scenario_changes=HEADER + rows,
        )

    return write


@pytest.mark.parametrize(
    "row",
    [
        "High,products,*,,max_demand,multiply,1.2",
        "High,products,Chair,Week 1,max_demand,set,",
        "High,product_periods,Chair,Week 1,max_demand,add,-3",
        "High,products,Chair,,initial_inventory,set,0",
        "High,machines,Saw,Week 1,units_down,set,1",
        "High,machine_periods,Saw,,available_hours,set,40",
        "High,routes,Chair / Fast,Week 1,setup_cost,multiply,2",
        "High,production_recipes,Chair / Saw / Fast,,hours_required,multiply,2",
        "High,customer_orders,SO-1,,target_quantity,add,5",
        "High,goals,G,,target,set,-7",
        "High,goals,G,,priority,set,2",
        "High,plant,*,,charge_materials,set,TRUE",
        "High,products,Chair,,active,set,false",
        "High,products,Chair,,active,set,",
    ],
)
def test_it_takes_a_change(with_changes, row):
    import_plan(with_changes(row + "\n"))
    assert ScenarioChange.objects.count() == 1


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("Baseline,products,*,,max_demand,set,1", "scenario"),
        ("Low,products,*,,max_demand,set,1", "scenario"),
        ("High,product,*,,max_demand,set,1", "table"),
        ("High,scenario_changes,*,,value,set,1", "field"),
        ("High,periods,*,,sequence,set,1", "field"),
        ("High,products,*,,max_demnd,set,1", "field"),
        ("High,products,*,,name,set,1", "field"),
        ("High,products,*,,units_down,set,1", "field"),
        ("High,products,,,max_demand,set,1", "row"),
        ("High,products,*,Week 2,max_demand,set,1", "period"),
        ("High,products,*,Week 1,initial_inventory,set,1", "period"),
        ("High,customer_orders,*,Week 1,target_quantity,set,1", "period"),
        ("High,products,*,,max_demand,divide,1", "operation"),
        ("High,products,*,,max_demand,,1", "operation"),
        ("High,products,*,,max_demand,set,abc", "value"),
        ("High,products,*,,max_demand,set,1e15", "value"),
        ("High,products,*,,max_demand,set,true", "value"),
        ("High,products,*,,max_demand,multiply,", "value"),
        ("High,products,*,,max_demand,add,", "value"),
        ("High,products,*,,active,set,2", "value"),
        ("High,products,*,,active,set,yes", "value"),
        ("High,products,*,,active,multiply,1", "value"),
    ],
)
def test_it_refuses_a_change(with_changes, faults_of, row, column):
    faults = faults_of(with_changes(row + "\n"))
    assert [(fault.table, fault.row, fault.column) for fault in faults] == [("scenario_changes", 2, column)]


def test_flags_are_stored_as_numbers_and_written_as_words(with_changes, tmp_path):
    plan = with_changes(
        "High,products,Chair,,active,set,FALSE\nHigh,plant,*,,charge_materials,set,true\nHigh,products,*,,min_demand,set,1\n"
    )
    plant = import_plan(plan).plant
    assert list(ScenarioChange.objects.values_list("value", flat=True)) == [0.0, 1.0, 1.0]
    export_plan(plant, tmp_path / "out")
    lines = (tmp_path / "out" / "scenario_changes.csv").read_text().splitlines()
    assert [line.split(",")[6] for line in lines] == ["value", "false", "true", "1"]


def test_changes_keep_their_order(with_changes):
    import_plan(with_changes("".join(f"High,products,*,,max_demand,add,{number}\n" for number in range(300))))
    assert list(ScenarioChange.objects.values_list("value", flat=True)) == list(range(300))

"""Hours and earnings by product, taken from a run's stored rows and the data that it was solved with."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from planning.insight import (
    Campaign,
    NoSolvedData,
    campaigns,
    earnings,
    machine_load,
    solved_plan,
    way_hours,
)
from planning.insight.machine_load import MachineLoad
from planning.models import Production, ProductionRecipe, Run, RunCopy, Utilization
from planning.runs import execute, start_run, start_variations
from tests.factories import make_furniture, make_run, make_solved_run
from tests.formulation.small_plants import baseline, bring, weeks
from tests.runs.rich_plant import make_rich

pytestmark = pytest.mark.django_db


@pytest.fixture
def rich(tmp_path: Path) -> Run:
    """Return a solved run of the plant in which every column has something to say."""
    run = start_run(baseline(make_rich(tmp_path)), here=True)
    return execute(run.pk, run.attempt)


def test_hours_by_product_add_up_to_what_is_used(rich: Run) -> None:
    plan = solved_plan(rich)
    load = machine_load(plan)
    used: defaultdict[tuple[str, str], float] = defaultdict(float)
    for machine, period, hours in zip(load.machine, load.period, load.total, strict=True):
        used[plan.machine_names[machine], plan.periods[period]] += hours
    rows = Utilization.objects.filter(run=rich, resource_type="machine").values_list("resource", "period", "used")
    assert {key: pytest.approx(value, abs=1e-7) for key, value in used.items()} == {
        (resource, period): value for resource, period, value in rows if value
    }
    assert way_hours(plan).sum() == pytest.approx(load.total.sum())


def test_hours_are_units_times_hours_and_setups_stand_by_themselves(rich: Run) -> None:
    plan = solved_plan(rich)
    load = machine_load(plan)
    made = Production.objects.filter(run=rich, product="Chair", period="1")
    fast, slow = made.get(route="Fast"), made.get(route="Slow")
    saw, chair = plan.machine_names.index("Saw"), plan.product_names.index("Chair")
    at = np.flatnonzero((load.machine == saw) & (load.product == chair) & (load.period == 0))
    assert load.hours[at] == pytest.approx([0.25 * fast.quantity + 1.0 * slow.quantity])
    assert load.setup_hours[at] == pytest.approx([0.5 * (fast.setup + slow.setup)])
    assert load.units[at] == pytest.approx([fast.quantity + slow.quantity])


def test_earnings_by_product_and_period_are_the_parts_of_the_profit(rich: Run) -> None:
    found = earnings(solved_plan(rich))
    assert found.total == pytest.approx(rich.objective, rel=1e-9)
    parts = {**found.by_product, **found.by_period}
    assert set(parts) == set(rich.profit_parts)
    for part, amounts in parts.items():
        sign = 1 if part == "sales" else -1
        assert amounts.sum() == pytest.approx(sign * rich.profit_parts[part], abs=1e-9), part


def test_a_plan_is_read_once_with_a_fixed_number_of_queries(rich: Run) -> None:
    with CaptureQueriesContext(connection) as first:
        plan = solved_plan(rich)
    assert len(first) <= 6
    with CaptureQueriesContext(connection) as second:
        assert solved_plan(Run.objects.get(pk=rich.pk)) is plan
    assert len(second) == 1  # the run itself


def test_a_variation_is_read_as_it_was_solved(tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        products=[{"name": "Chair", "profit_per_unit": 10, "max_demand": 6}],
        machines=[{"name": "Saw", "available_hours": 10}],
        production_recipes=[{"product": "Chair", "machine": "Saw", "hours_required": 1}],
    )
    more = [{"table": "products", "row": "Chair", "field": "profit_per_unit", "operation": "set", "value": 30}]
    started = start_variations(scenario=baseline(plant), variations=[more], here=True)
    run = execute(started.runs[0].pk, 1)
    assert earnings(solved_plan(run)).total == pytest.approx(180.0) == run.objective


def test_what_can_not_be_known_is_said(tmp_path: Path) -> None:
    plant = make_furniture()
    with pytest.raises(NoSolvedData, match="has no plan"):
        solved_plan(make_run(plant))
    with pytest.raises(NoSolvedData, match="no stored copy"):
        solved_plan(make_solved_run(plant))
    old = start_run(baseline(plant), here=True)
    old = execute(old.pk, 1)
    RunCopy.objects.filter(run=old).update(format_version=0)
    with pytest.raises(NoSolvedData, match="another version"):
        solved_plan(old)


def test_rows_that_are_not_of_the_copy_are_refused(rich: Run) -> None:
    Production.objects.filter(run=rich).first().delete()
    with pytest.raises(NoSolvedData, match="Production"):
        solved_plan(rich)


def load_of(*rows: tuple[int, int, int, float, bool]) -> MachineLoad:
    """Return a load of rows (machine, period, product, hours, set up)."""
    machine, period, product, hours, setup = (np.array(column) for column in zip(*rows, strict=True))
    return MachineLoad(machine, period, product, hours, np.zeros(len(rows)), 2 * hours, setup)


def test_consecutive_periods_of_a_product_on_a_machine_are_one_campaign() -> None:
    load = load_of(
        (0, 0, 5, 1.0, True), (0, 1, 5, 2.0, False), (0, 3, 5, 4.0, True), (0, 1, 6, 8.0, True), (1, 2, 5, 16.0, True)
    )
    assert campaigns(load) == [
        Campaign(machine=0, product=5, first=0, last=1, hours=3.0, units=6.0, setups=(0,)),
        Campaign(machine=0, product=6, first=1, last=1, hours=8.0, units=16.0, setups=(1,)),
        Campaign(machine=0, product=5, first=3, last=3, hours=4.0, units=8.0, setups=(3,)),
        Campaign(machine=1, product=5, first=2, last=2, hours=16.0, units=32.0, setups=(2,)),
    ]


def test_a_plan_without_machines_has_no_campaigns(tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        periods=weeks(2),
        products=[{"name": "Chair", "profit_per_unit": 10, "max_demand": 6, "purchase_cost_per_unit": 1}],
    )
    assert not ProductionRecipe.objects.filter(product__plant=plant).exists()
    run = start_run(baseline(plant), here=True)
    plan = solved_plan(execute(run.pk, 1))
    assert campaigns(machine_load(plan)) == []
    assert earnings(plan).total == pytest.approx(2 * 6 * 9)

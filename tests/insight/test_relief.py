"""What would have to give so that there is a plan: it does, through the app, and less does not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from planning.formulation import build_model, contradiction
from planning.insight import NoRemedy, scenario_of_relief
from planning.lx import INFEASIBLE, LXOptimizer, compile_model
from planning.models import BASELINE, Plant, Run, Scenario, ScenarioChange
from planning.runs import RunOptions, run_as_json, start_run, start_variations
from planning.snapshot import Change, DataProblems, base_tables, take_snapshot, vary
from tests.conftest import PLANTS_DIR
from tests.factories import solved_here
from tests.formulation.small_plants import baseline, bring
from tests.reference.commands import bring_in
from tests.reference.lifted_plants import lumpy_plant, tight_plant
from tests.reference.plan_tables import Tables
from tests.reference.random_plants import write_folder

pytestmark = pytest.mark.django_db

COUNT = int(os.environ.get("RANDOM_PLANTS", "16"))
SAW = {
    "machines": [{"name": "Saw", "available_hours": 40}],
    "production_recipes": [{"product": "Chair", "machine": "Saw", "hours_required": 1.5}],
}


def solved(scenario: Scenario) -> Run:
    """Return a run of the scenario that is solved in this process."""
    return solved_here(start_run(scenario, RunOptions(gap=1e-6), here=True))


def allow_a_plan(tables: Any, changes: list[Change]) -> bool:
    """Whether the data have a plan with the changes."""
    try:
        compiled = compile_model(build_model(vary(dict(tables), changes, "A smaller change")))
    except DataProblems:
        return False
    return LXOptimizer[Any]().gap(1.0).time_limit(20).solve(compiled).termination != INFEASIBLE


@pytest.mark.parametrize("kind", [tight_plant, lumpy_plant])
@pytest.mark.parametrize("seed", range(COUNT))
def test_what_would_have_to_give_does_through_the_app_and_less_does_not(
    seed: int, kind: Callable[[int], Tables], tmp_path: Path
) -> None:
    bring_in(write_folder(kind(seed), tmp_path))
    try:
        run = solved(baseline(Plant.objects.get()))
    except DataProblems:
        return
    if run.state != Run.State.INFEASIBLE:
        return
    assert run.relief
    for number, relief in enumerate(run.relief):
        assert relief["sure"] == "least"
        after = solved(scenario_of_relief(run, number))
        assert after.plan_checked or after.state == Run.State.UNBOUNDED, relief  # then something else earns endlessly
        assert_no_less_does(run, relief, Random(seed))


def assert_no_less_does(run: Run, relief: dict[str, Any], random: Random) -> None:
    """Assert that none of some smaller changes of the same fields allows a plan."""
    changes = [Change(**{name: row[name] for name in Change.__annotations__}) for row in relief["changes"]]
    for shares in ([0.98] * len(changes), *([random.uniform(0, 0.97) for _ in changes] for _ in range(2))):
        smaller = [
            Change(c.table, c.row, c.field, "add", c.value * share, c.period)
            for c, share in zip(changes, shares, strict=True)
            if c.value is not None
        ]
        tables = base_tables(take_snapshot(run.plant_id, BASELINE).tables)
        assert not allow_a_plan(tables, smaller), smaller


def test_a_published_plant_without_a_plan_gets_one() -> None:
    bring_in(PLANTS_DIR / "par_inc_infeasible")
    run = solved(baseline(Plant.objects.get()))
    assert run.conflict
    names = []
    for number, relief in enumerate(run.relief):
        scenario = scenario_of_relief(run, number)
        names.append(scenario.name)
        assert solved(scenario).status == "optimal", relief
    assert "Baseline, with shortages allowed" in names


def test_each_kind_of_what_gives_is_offered_in_the_units_of_its_fields(tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        products=[{"name": "Chair", "unit": "piece", "min_demand": 30}],
        **{**SAW, "machines": [{"name": "Saw", "available_hours": 20, "units": 2}]},
    )
    run = solved(baseline(plant))
    assert [(relief["kind"], [c["text"] for c in relief["changes"]]) for relief in run.relief] == [
        ("least", ["Lower min_demand of Chair by 3.33334 piece."]),
        ("resources", ["Raise available_hours of Saw by 2.5 hours."]),
    ]
    assert scenario_of_relief(run, 1).name == "Baseline, with more hours, materials and room"
    scenario = scenario_of_relief(run, 0)
    assert (scenario.name, scenario.parent) == ("Baseline, with shortages allowed", baseline(plant))
    (change,) = ScenarioChange.objects.filter(scenario=scenario)
    assert (change.row, change.field, change.operation, change.value) == ("Chair", "min_demand", "add", -3.33334)
    assert "relief" not in run_as_json(run)


def test_a_scenario_of_relief_keeps_what_the_variation_changed(tmp_path: Path) -> None:
    plant = bring(tmp_path, products=[{"name": "Chair", "min_demand": 20}], **SAW)
    fewer = [{"table": "machines", "row": "Saw", "field": "available_hours", "operation": "set", "value": 15}]
    started = start_variations(scenario=baseline(plant), variations=[fewer], here=True).runs[0]
    compiled = compile_model(
        build_model(vary(base_tables(take_snapshot(plant.pk, BASELINE).tables), _changes(fewer), "Fewer"))
    )
    relief = [one.as_dict() for one in contradiction(compiled, 60.0).reliefs]
    Run.objects.filter(pk=started.pk).update(state=Run.State.INFEASIBLE, relief=relief)
    started.refresh_from_db()
    assert solved(scenario_of_relief(started, 0)).plan_checked


def _changes(rows: list[dict[str, Any]]) -> list[Change]:
    return [Change(**row) for row in rows]


def test_what_is_no_change_or_has_lost_its_scenario_is_refused(tmp_path: Path) -> None:
    plant = bring(tmp_path, products=[{"name": "Chair", "profit_per_unit": 1, "purchase_cost_per_unit": 0}])
    run = solved(baseline(plant))
    assert run.state == Run.State.UNBOUNDED
    (blank,) = run.relief
    assert blank["kind"] == "blank"
    assert {(c["table"], c["row"], c["period"], c["field"]) for c in blank["changes"]} == {
        ("products", "Chair", "1", "max_demand"),
        ("products", "Chair", "1", "max_purchase"),
    }
    with pytest.raises(IndexError):
        scenario_of_relief(run, 0)
    plant = bring(tmp_path, plant=[{"name": "Other"}], products=[{"name": "Chair", "min_demand": 30}], **SAW)
    run = solved(baseline(plant))
    run.scenario_name = "Gone"
    with pytest.raises(NoRemedy, match="is gone"):
        scenario_of_relief(run, 0)

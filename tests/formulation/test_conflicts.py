"""Why there is no plan: values that contradict each other, proven by the reference."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from planning.formulation import Contradiction, Endless, build_model, contradiction, endless_profit
from planning.lx import INFEASIBLE, LXOptimizer, compile_model
from planning.models import BASELINE, Plant, Scenario
from planning.snapshot import Change, DataProblems, base_tables, take_snapshot, vary
from tests.formulation.small_plants import bring, weeks
from tests.reference.commands import bring_in
from tests.reference.lifted_plants import allows_a_plan, lumpy_plant, places_of, tight_plant, values_of
from tests.reference.plan_tables import Tables, load_plant
from tests.reference.random_plants import write_folder

pytestmark = pytest.mark.django_db

COUNT = int(os.environ.get("RANDOM_PLANTS", "16"))


def contradiction_of(plant: Plant, seconds: float = 60.0) -> Contradiction | None:
    """Return why the plant has no plan; None where it has one, or its data are refused."""
    try:
        compiled = compile_model(build_model(take_snapshot(plant.pk, BASELINE)))
    except DataProblems:
        return None
    if LXOptimizer[Any]().time_limit(20).solve(compiled).termination != INFEASIBLE:
        return None
    return contradiction(compiled, seconds)


@pytest.mark.parametrize("kind", [tight_plant, lumpy_plant])
@pytest.mark.parametrize("seed", range(COUNT))
def test_the_values_named_contradict_each_other_and_each_is_needed(
    seed: int, kind: Callable[[int], Tables], tmp_path: Path
) -> None:
    folder = write_folder(kind(seed), tmp_path / "plant")
    bring_in(folder)
    why = contradiction_of(Plant.objects.get())
    if why is None:
        return
    plant, places = load_plant(folder), places_of(why.rows)
    assert "The time passed" not in why.summary
    assert places
    assert len(set(places)) == len(places)
    assert not allows_a_plan(plant, standing=places), places
    for place in places:
        assert allows_a_plan(plant, standing=places, lifted=place), place


@pytest.mark.parametrize("seed", range(COUNT // 3))
def test_a_change_that_would_do_does(seed: int, tmp_path: Path) -> None:
    bring_in(write_folder(tight_plant(seed), tmp_path / "plant"))
    why = contradiction_of(Plant.objects.get())
    if why is None:
        return
    for row in why.rows:
        said = re.search(r"\. ([\d.,]+) \S+ (more|less) would do\.$", row["text"])
        if said is None:
            continue
        amount = float(said[1].replace(",", "")) * (1 if said[2] == "more" else -1)
        tables = base_tables(take_snapshot(Plant.objects.get().pk, BASELINE).tables)
        change = Change(row["table"], row["row"], row["field"], "add", amount, row["period"])
        model = build_model(vary(tables, [change], "A remedy"))
        found = LXOptimizer[Any]().gap(1.0).solve(model)
        assert found.termination != INFEASIBLE, row["text"]


def chair(**values: Any) -> dict[str, Any]:
    return {"name": "Chair", "unit": "piece", "profit_per_unit": 5, **values}


def saw(**values: Any) -> dict[str, Any]:
    return {
        "machines": [{"name": "Saw", **values}],
        "production_recipes": [{"product": "Chair", "machine": "Saw", "hours_required": 1.5}],
    }


def why(folder: Path, **tables: Any) -> Contradiction:
    found = contradiction_of(bring(folder, **tables))
    assert found is not None
    return found


def test_values_are_said_in_their_units_and_what_would_do(tmp_path: Path) -> None:
    found = why(
        tmp_path,
        periods=[{"sequence": 1, "name": "Week 1"}, {"sequence": 2, "name": "Week 2"}],
        products=[chair(max_demand=90)],
        product_periods=[{"product": "Chair", "period": "Week 2", "min_demand": 30}],
        **saw(available_hours=40),
    )
    assert [row["text"] for row in found.rows] == [
        "At least 30 piece of Chair must be sold in Week 2 (min_demand). 3.33334 piece less would do.",
        "Saw has 40 hours in Week 2 (available_hours). 5 hours more would do.",
    ]
    assert [tuple(row.values())[:4] for row in found.rows] == [
        ("product_periods", "Chair", "Week 2", "min_demand"),
        ("machines", "Saw", "Week 2", "available_hours"),
    ]
    assert found.summary == (
        "No plan satisfies all the data: 2 values contradict each other. "
        "It would do to lower min_demand of Chair in Week 2 by 3.33334 piece."
    )


def test_hours_are_said_for_each_unit_of_a_machine(tmp_path: Path) -> None:
    found = why(tmp_path, products=[chair(min_demand=60)], **saw(available_hours=40, units=2))
    assert found.rows[1]["text"] == "Saw has 40 hours for each of its 2 units (available_hours). 5 hours more would do."


def test_what_is_down_and_what_overtime_allows_belong_to_it(tmp_path: Path) -> None:
    found = why(
        tmp_path,
        periods=weeks(1),
        products=[chair(min_demand=30)],
        machine_periods=[{"machine": "Saw", "period": "1", "units_down": 1}],
        **saw(available_hours=40, units=2, max_overtime_hours=3, overtime_cost_per_hour=1),
    )
    assert values_of(found.rows) == ["available_hours", "max_overtime_hours", "min_demand", "units_down"]
    assert "machine_periods" in {row["table"] for row in found.rows if row["field"] == "units_down"}


def test_maintenance_takes_the_hours_away(tmp_path: Path) -> None:
    found = why(
        tmp_path,
        periods=weeks(2),
        products=[chair(min_demand=20)],
        **saw(available_hours=40, maintenance_units=1),
    )
    assert values_of(found.rows) == [*["available_hours"] * 2, "maintenance_units", *["min_demand"] * 2]


def test_lots_that_are_too_large_are_found_only_with_whole_numbers(tmp_path: Path) -> None:
    found = why(
        tmp_path,
        products=[chair(min_demand=3, max_demand=5, holding_cost_per_unit=1, max_inventory=4)],
        routes=[{"product": "Chair", "name": "Fast", "min_batch_size": 10, "max_batch_size": 50}],
    )
    assert values_of(found.rows) == ["max_demand", "max_inventory", "min_batch_size", "min_demand"]
    assert [row["row"] for row in found.rows if row["field"] == "min_batch_size"] == ["Chair / Fast"]


def test_a_smallest_lot_of_the_route_does_not_hide_that_of_the_product(tmp_path: Path) -> None:
    found = why(
        tmp_path,
        products=[chair(min_demand=3, max_demand=5, holding_cost_per_unit=1, max_inventory=4, min_batch_size=10)],
        routes=[{"product": "Chair", "name": "Fast", "min_batch_size": 2, "max_batch_size": 50}],
    )
    assert [row["row"] for row in found.rows if row["field"] == "min_batch_size"] == ["Chair"]


def test_stock_at_the_start_may_be_too_much(tmp_path: Path) -> None:
    found = why(
        tmp_path,
        products=[chair(max_demand=5, holding_cost_per_unit=1, initial_inventory=30, max_inventory=20)],
        **saw(available_hours=40),
    )
    assert values_of(found.rows) == ["initial_inventory", "max_demand", "max_inventory"]
    assert [row["period"] for row in found.rows if row["field"] == "initial_inventory"] == [""]


def test_a_value_that_nothing_can_fulfil_stands_alone(tmp_path: Path) -> None:
    found = why(tmp_path, products=[chair(min_demand=8, initial_inventory=3)])
    assert values_of(found.rows) == ["min_demand"]
    assert found.summary == (
        "No plan satisfies all the data: one value can't be fulfilled, whatever the others are. "
        "It would do to lower min_demand of Chair by 5 piece."
    )


def test_several_conflicts_are_mended_together(tmp_path: Path) -> None:
    found = why(
        tmp_path,
        products=[
            chair(min_demand=8, purchase_cost_per_unit=1, max_purchase=5),
            {**chair(min_demand=9, purchase_cost_per_unit=1, max_purchase=5), "name": "Desk"},
        ],
    )
    assert values_of(found.rows) == ["max_purchase", "min_demand"]
    assert all("would do" not in row["text"] for row in found.rows)
    assert found.summary.endswith(
        "Together it would do to lower min_demand of Chair by 3 piece; lower min_demand of Desk by 4 piece."
    )


def test_what_a_scenario_changed_stands_with_its_row(tmp_path: Path) -> None:
    plant = bring(tmp_path, periods=weeks(2), products=[chair(min_demand=20)], **saw(available_hours=40))
    Scenario.objects.create(plant=plant, name="Fewer hours").scenario_changes.create(
        table="machines", row="Saw", period="2", field="available_hours", operation="set", value=10
    )
    compiled = compile_model(build_model(take_snapshot(plant.pk, "Fewer hours")))
    rows = contradiction(compiled, 60.0).rows
    assert ("machines", "Saw", "2", "available_hours") in [tuple(row.values())[:4] for row in rows]
    assert any("Saw has 10 hours in 2" in row["text"] for row in rows)


def test_a_row_by_period_that_says_something_else_is_not_where_a_changed_value_stands(tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        periods=weeks(2),
        products=[chair(min_demand=20)],
        machine_periods=[{"machine": "Saw", "period": "2", "units_down": 0}],
        **saw(available_hours=40),
    )
    Scenario.objects.create(plant=plant, name="Fewer hours").scenario_changes.create(
        table="machines", row="Saw", period="", field="available_hours", operation="set", value=10
    )
    compiled = compile_model(build_model(take_snapshot(plant.pk, "Fewer hours")))
    rows = contradiction(compiled, 60.0).rows
    assert {(row["table"], row["field"]) for row in rows} == {
        ("machines", "available_hours"),
        ("products", "min_demand"),
    }
    varied = [Change("machines", "Saw", "available_hours", "multiply", 0.9)]
    tables = base_tables(take_snapshot(plant.pk, "Fewer hours").tables)
    rows = contradiction(compile_model(build_model(vary(tables, varied, "Less still"))), 60.0).rows
    assert {row["table"] for row in rows if row["field"] == "available_hours"} == {"machines"}


def test_without_time_nothing_is_claimed(tmp_path: Path) -> None:
    plant = bring(tmp_path, products=[chair(min_demand=30)], **saw(available_hours=40))
    compiled = compile_model(build_model(take_snapshot(plant.pk, BASELINE)))
    found = contradiction(compiled, 0.0)
    assert found.rows == []
    assert found.summary == "No plan satisfies all the data. Which values contradict each other was not found in time."


def test_a_search_that_is_cut_short_says_so(tmp_path: Path) -> None:
    plant = bring(tmp_path, products=[chair(min_demand=30)], **saw(available_hours=40))
    compiled = compile_model(build_model(take_snapshot(plant.pk, BASELINE)))
    said, named = set(), ("available_hours", "min_demand")
    for patience in range(40):
        asked = count()
        found = contradiction(compiled, 60.0, stop=lambda asked=asked, patience=patience: next(asked) >= patience)
        said.add(("The time passed before it was known" in found.summary, tuple(values_of(found.rows))))
    assert said == {(False, ()), (True, named), (False, named)}


def test_what_earns_without_end_is_named_with_the_blank_fields(tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        periods=weeks(2),
        products=[chair(purchase_cost_per_unit=1), {**chair(max_demand=4), "name": "Desk"}],
        **saw(available_hours=40),
    )
    compiled = compile_model(build_model(take_snapshot(plant.pk, BASELINE)))
    assert endless_profit(compiled).summary in (
        f"Profit has no limit: selling Chair in {week} earns more and more. "
        f"Give one of these a value: max_demand of Chair in {week}, max_purchase of Chair in {week}."
        for week in "12"
    )
    limited = bring(tmp_path, plant=[{"name": "Limited"}], products=[chair(max_demand=4)], **saw(available_hours=40))
    assert endless_profit(compile_model(build_model(take_snapshot(limited.pk, BASELINE)))) == Endless()

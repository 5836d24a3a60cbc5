"""What limits a plan, from the prices that are stored with its run."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from planning.insight import Bottlenecks, bottlenecks
from planning.insight.bottlenecks import TightLimit, realistic_step
from planning.models import Plant, Run
from planning.runs import RunOptions, execute, start_run, start_variations
from tests.conftest import PLANTS_DIR
from tests.formulation.small_plants import baseline, bring, weeks
from tests.reference.commands import bring_in
from tests.reference.random_plants import random_plant, write_folder

pytestmark = pytest.mark.django_db

EXACT = RunOptions(gap=1e-9)


def published(name: str) -> Run:
    """Return a solved run of a published plant."""
    before = set(Plant.objects.values_list("pk", flat=True))
    bring_in(PLANTS_DIR / name)
    return solved(Plant.objects.exclude(pk__in=before).get())


def solved(plant: Plant) -> Run:
    run = start_run(baseline(plant), EXACT, here=True)
    return execute(run.pk, run.attempt)


def sentences(found: Bottlenecks) -> list[str]:
    return [limit.sentence for bottleneck in found.ranked for limit in bottleneck.limits]


def test_pottery_is_limited_by_labor_and_clay() -> None:
    found = bottlenecks(published("beaver_creek"))
    assert sentences(found) == [
        "5 more hours of labor bring about 80 USD (16 USD per hour, up to 40 hours, then clay limits).",
        "10 more lb of clay bring about 60 USD (6 USD each, up to 40 lb, then labor limits).",
    ]
    assert found.summary == "By what relief is worth over all periods."


def test_furniture_is_limited_by_wood_alone() -> None:
    (wood,) = bottlenecks(published("lumix_step2_furniture")).ranked
    assert (wood.resource_type, wood.resource, wood.unit) == ("material", "Wood", "board feet")
    (limit,) = wood.limits
    assert limit.price == pytest.approx(200 / 35)
    assert limit.room == pytest.approx(383.125)
    assert (limit.step, limit.gain) == (50.0, pytest.approx(50 * 200 / 35))
    assert "50 more board feet of Wood bring about 285.7 USD (5.71 USD each, up to 383.12 board feet" in limit.sentence


def test_prices_beside_setups_and_orders_say_so() -> None:
    found = bottlenecks(published("lumix_step4_weeks"))
    assert found.with_setups
    assert found.with_targets
    assert found.ranked
    assert all(sentence.startswith("With these setups, ") for sentence in sentences(found))
    assert "with these setups" in found.summary
    assert "more may serve these first" in found.summary
    assert [bottleneck.gain for bottleneck in found.ranked] == sorted((b.gain for b in found.ranked), reverse=True)


def test_what_limits_next_is_named_with_its_period_and_only_what_is_a_resource(tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        periods=weeks(2),
        products=[{"name": "Chair", "profit_per_unit": 10, "max_demand": 9}],
        machines=[{"name": "Saw", "available_hours": 4}, {"name": "Press", "available_hours": 14}],
        machine_periods=[{"machine": "Press", "period": "2", "available_hours": 50}],
        production_recipes=[
            {"product": "Chair", "machine": "Saw", "hours_required": 1},
            {"product": "Chair", "machine": "Press", "hours_required": 2},
        ],
    )
    (saw,) = bottlenecks(solved(plant)).ranked
    assert [limit.then for limit in saw.limits] == [("Press",), ()]
    assert saw.limits[0].sentence.endswith("(10 USD per hour, up to 3 hours, then Press limits).")
    assert saw.limits[1].sentence.endswith("(10 USD per hour, up to 5 hours, then it is worth less).")


def test_nothing_that_binds_is_said(tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        products=[{"name": "Chair", "profit_per_unit": 10, "max_demand": 6}],
        machines=[{"name": "Saw", "available_hours": 10}],
        production_recipes=[{"product": "Chair", "machine": "Saw", "hours_required": 1}],
    )
    found = bottlenecks(solved(plant))
    assert found.ranked == ()
    assert found.summary == "No machine and no material limits the profit: more of any of them is worth nothing."


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    run = published("beaver_creek")
    run.utilization_rows.update(shadow_price=None, shadow_price_low=None, shadow_price_high=None)
    found = bottlenecks(run)
    assert found.unknown == ("labor", "clay")
    assert "is not known" in found.summary


def test_the_price_of_a_material_is_about_its_new_supply_and_periods_are_named(tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        periods=weeks(2),
        products=[{"name": "Chair", "profit_per_unit": 10, "max_demand": 6}],
        raw_materials=[
            {
                "name": "Wood",
                "unit": "board",
                "available_quantity": 1,
                "initial_inventory": 2,
                "holding_cost_per_unit": 0,
            }
        ],
        material_requirements=[{"product": "Chair", "material": "Wood", "quantity_required": 1}],
    )
    (wood,) = bottlenecks(solved(plant)).ranked
    assert [limit.period for limit in wood.limits] == ["1", "2"]
    assert [limit.limit for limit in wood.limits] == pytest.approx([1.0, 1.0])
    assert all("board of Wood in period" in limit.sentence for limit in wood.limits)


def test_the_number_of_queries_is_fixed() -> None:
    run = published("lumix_step4_weeks")
    with CaptureQueriesContext(connection) as queries:
        bottlenecks(run)
    assert len(queries) == 2


@pytest.mark.parametrize(
    ("limit", "room", "step"),
    [(80, None, 10), (500, 448, 50), (40, 40, 5), (1000, 37, 20), (0, None, 1), (100, 0, 0), (100, 0.3, 0.2)],
)
def test_a_step_is_a_round_number_within_the_room(limit: float, room: float | None, step: float) -> None:
    assert realistic_step(limit, room) == pytest.approx(step)


def linear(seed: int) -> dict[str, list[dict[str, object]]]:
    """Return the tables of a random plant without anything that makes a decision whole."""
    whole = ("setup_cost", "setup_hours", "min_batch_size", "whole_units", "maintenance_units")
    tables = random_plant(seed)
    return {
        name: [{column: cell for column, cell in row.items() if column not in whole} for row in rows]
        for name, rows in tables.items()
    }


LIMITED = (1, 3, 4, 6, 7, 8, 11, 12, 13, 17, 18, 21, 23, 24)  # seeds of plants that a machine or a material limits


@pytest.mark.parametrize("seed", LIMITED)
def test_a_step_brings_what_is_said_when_it_is_solved_again(seed: int, tmp_path: Path) -> None:
    bring_in(write_folder(linear(seed), tmp_path))
    run = solved(Plant.objects.get())
    assert run.shadow_price_basis == "lp"
    limits = [limit for bottleneck in bottlenecks(run).ranked for limit in bottleneck.limits if limit.step]
    assert limits
    for limit in limits[:3]:
        small = min(limit.step, 1e-2 * max(1.0, limit.limit))
        assert gain_of(run, limit, small) == pytest.approx(limit.price * small, rel=1e-4, abs=1e-5)
        assert gain_of(run, limit, limit.step) == pytest.approx(limit.gain, rel=1e-4, abs=1e-5)


def gain_of(run: Run, limit: TightLimit, step: float) -> float:
    """Return what so much more of a limit brings when the app solves the plan again."""
    change: dict[str, object] = {"row": limit.resource, "period": limit.period, "operation": "add"}
    if limit.resource_type == "machine":
        row = run.utilization_rows.get(resource=limit.resource, period=limit.period, resource_type="machine")
        units = run.plant.machines.get(name=limit.resource).units - row.units_down
        change |= {"table": "machines", "field": "available_hours", "value": step / units}
    else:
        change |= {"table": "raw_materials", "field": "available_quantity", "value": step}
    more = start_variations(scenario=baseline(run.plant), variations=[[change]], options=EXACT, here=True).runs[0]
    after = execute(more.pk, more.attempt)
    assert after.objective is not None
    assert run.objective is not None
    return after.objective - run.objective

"""Why orders, demand and sales are short: what stands in the way, in numbers and words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from planning.insight import NoSolvedData, Shortfall, shortfalls, solved_plan
from planning.models import Plant, Run
from planning.runs import RunOptions, execute, start_run
from planning.snapshot import Hold
from tests.conftest import PLANTS_DIR
from tests.factories import make_furniture, make_run, make_solved_run
from tests.formulation.small_plants import baseline, bring, weeks
from tests.reference.commands import bring_in
from tests.reference.random_plants import random_plant, write_folder
from tests.runs.rich_plant import make_rich

pytestmark = pytest.mark.django_db

EXACT = RunOptions(gap=1e-9)
SAW = {
    "machines": [{"name": "Saw", "available_hours": 10}],
    "production_recipes": [{"product": "Chair", "machine": "Saw", "hours_required": 1}],
}


def solved(plant: Plant, **more: Any) -> Run:
    run = start_run(baseline(plant), EXACT, here=True, **more)
    run = execute(run.pk, run.attempt)
    assert run.objective is not None, run.reason
    return run


def published(name: str) -> Run:
    bring_in(PLANTS_DIR / name)
    return solved(Plant.objects.get())


def the_one(run: Run) -> Shortfall:
    (found,) = shortfalls(run).explained
    return found


def sentences(found: Shortfall) -> dict[str, str]:
    return {reason.kind: reason.sentence for reason in found.reasons}


def chair(**columns: Any) -> list[dict[str, Any]]:
    return [{"name": "Chair", "profit_per_unit": 10, **columns}]


def order(target: float, **columns: Any) -> dict[str, Any]:
    return {
        "customers": [{"name": "Ada"}],
        "customer_orders": [
            {"reference": "O1", "customer": "Ada", "product": "Chair", "period": "1", "target_quantity": target}
            | columns
        ],
    }


# --- published plants -----------------------------------------------------------------------


def test_what_sells_less_than_it_could_says_what_would_pay() -> None:
    found = {one.subject.row: one for one in shortfalls(published("lumix_step2_furniture")).explained}
    table = found["Table"]
    assert table.subject.sentence == "Table sells 5 of at most 50 units."
    assert sentences(table) == {
        "used_up": "Wood is used up (500 of 500 board feet): one Table takes 25 board feet. "
        "Others take Desk 295 and Chair 80. One more is worth about 5.71 USD.",
        "does_not_pay": "One more Table would bring 120 USD, and its Wood earns about 142.9 elsewhere: "
        "about 22.86 less.",
    }
    assert [(reason.table, reason.row) for reason in table.reasons] == [
        ("raw_materials", "Wood"),
        ("products", "Table"),
    ]
    numbers = table.reasons[1].numbers
    assert numbers["margin"] == pytest.approx(120 - 25 * 200 / 35)
    assert "nothing is gained" in sentences(found["Desk"])["pays_the_same"]


def test_a_product_with_unlimited_demand_that_is_made_is_not_short() -> None:
    assert shortfalls(published("beaver_creek")).total == 0


def test_orders_name_what_is_used_up_and_who_came_first() -> None:
    run = published("lumix_step3_orders")
    found = {one.subject.row: one for one in shortfalls(run).explained}
    assert list(found) == ["SO-002", "SO-001", "SO-004", "SO-005", "SO-006", "SO-007", "SO-008", "SO-009"]
    short = {row.reference: row.shortfall for row in run.orderresult_rows.all() if row.shortfall > 1e-6}
    assert {name: one.subject.missing for name, one in found.items()} == pytest.approx(short)
    assert sentences(found["SO-005"])["orders_first"] == (
        "It has priority 2. First come SO-003 (50 Chair, priority 1) and SO-002 (4 Table, priority 1)."
    )
    assert sentences(found["SO-002"])["orders_first"] == (
        "It has priority 1. Served at the same priority: SO-003 (50 Chair, priority 1; 8 board feet of Wood each)."
    )
    desk = sentences(found["SO-001"])
    assert desk["used_up"].startswith("Wood is used up (500 of 500 board feet): one Desk takes 35 board feet.")
    assert {reason.row for reason in found["SO-001"].reasons if reason.kind == "too_little_left"} == {
        "Assembly Station",
        "Metal",
    }


def test_a_setup_that_no_longer_fits_is_named() -> None:
    found = {one.subject.row: one for one in shortfalls(published("lumix_step4_weeks")).explained}
    reasons = {(reason.kind, reason.row): reason.sentence for reason in found["SO-004"].reasons}
    assert ("used_up", "Assembly Station") in reasons
    assert reasons["setup", "Bookcase"] == (
        "Bookcase is not set up in Week 1: that takes a setup of 5 hours and 250 USD and at least 8 units at once."
    )


def test_components_that_are_sold_as_they_are_count() -> None:
    found = the_one(published("rylon"))
    assert found.subject.sentence == "luxury_chanelle is never made."
    assert (
        "components, sold as they are, earns about 10.67 elsewhere: about 0.6667 less"
        in (sentences(found)["does_not_pay"])
    )


# --- one reason at a time -------------------------------------------------------------------


def test_a_machine_is_found_down_through_components(tmp_path: Path) -> None:
    plant = bring(
        tmp_path,
        products=[*chair(max_demand=20), {"name": "Leg", "max_demand": 0}],
        machines=[{"name": "Press", "available_hours": 12}],
        production_recipes=[{"product": "Leg", "machine": "Press", "hours_required": 0.5}],
        component_requirements=[{"product": "Chair", "component": "Leg", "quantity_required": 4}],
    )
    found = the_one(solved(plant))
    assert (found.subject.row, found.subject.got) == ("Chair", pytest.approx(6.0))
    assert sentences(found)["used_up"] == (
        "Press is used up (12 of 12 hours): one Chair takes 2 hours. One more is worth about 5 USD."
    )


def test_an_order_above_max_demand_is_told(tmp_path: Path) -> None:
    found = the_one(solved(bring(tmp_path, products=chair(max_demand=6), **SAW, **order(9))))
    assert sentences(found) == {"max_demand": "Chair may sell at most 6 units (max_demand), and 9 are ordered."}
    assert (found.subject.kind, found.subject.missing) == ("order", pytest.approx(3.0))


def test_an_order_without_max_demand_is_not_held_back_by_it(tmp_path: Path) -> None:
    found = the_one(solved(bring(tmp_path, products=chair(), **SAW, **order(14))))
    assert sentences(found) == {
        "used_up": "Saw is used up (10 of 10 hours): one Chair takes 1 hour. One more is worth about 10 USD."
    }


def test_what_costs_more_than_it_earns_is_told(tmp_path: Path) -> None:
    found = the_one(solved(bring(tmp_path, products=chair(max_demand=6, production_cost_per_unit=12), **SAW)))
    assert sentences(found) == {"costs_more": "One more Chair would bring 10 USD and cost 12 to make: it does not pay."}


def test_a_largest_batch_is_told(tmp_path: Path) -> None:
    found = the_one(solved(bring(tmp_path, products=chair(max_demand=6, max_batch_size=4), **SAW)))
    assert sentences(found) == {"largest_batch": "Chair is made at its largest batch: 4 units."}


def test_a_batch_that_is_larger_than_what_is_ordered_is_told(tmp_path: Path) -> None:
    products = chair(max_demand=3, min_batch_size=5, holding_cost_per_unit=1, max_inventory=1)
    found = the_one(solved(bring(tmp_path, products=products, **SAW, **order(3))))
    assert sentences(found) == {
        "smallest_batch": "The smallest batch of Chair is 5, more than the 3 that are missing.",
        "setup": "Chair is not set up: that takes at least 5 units at once.",
    }


def test_rows_that_are_not_active_are_told(tmp_path: Path) -> None:
    products = [*chair(max_demand=6), {"name": "Leg", "max_demand": 0, "active": False}]
    needs = [{"product": "Chair", "component": "Leg", "quantity_required": 4}]
    found = the_one(solved(bring(tmp_path, products=products, component_requirements=needs, **SAW)))
    assert sentences(found) == {"not_active": "The component Leg is not active."}
    left_out = bring(tmp_path, plant=[{"name": "Other"}], products=chair(active=False), **SAW, **order(9))
    found = the_one(solved(left_out))
    assert found.subject.sentence == "Order O1: 9 units of Chair, 0 delivered, 9 missing."
    assert [(reason.kind, reason.table, reason.row) for reason in found.reasons] == [
        ("not_active", "products", "Chair")
    ]


def test_a_route_that_is_not_active_is_told(tmp_path: Path) -> None:
    routes = [{"product": "Chair", "name": "Fast", "active": False}, {"product": "Chair", "name": "Slow"}]
    found = the_one(solved(bring(tmp_path, products=chair(max_demand=30), routes=routes, **SAW)))
    assert sentences(found)["route_not_active"] == "The route Chair / Fast is not active."


def test_room_in_an_earlier_period_that_can_not_be_used_is_told(tmp_path: Path) -> None:
    periods = [
        {"product": "Chair", "period": "1", "max_demand": 2},
        {"product": "Chair", "period": "2", "max_demand": 14},
    ]
    found = the_one(solved(bring(tmp_path, periods=weeks(2), products=chair(), product_periods=periods, **SAW)))
    assert sentences(found)["not_storable"] == (
        "Chair can't be stored (no holding cost), though period 1 has room to make more."
    )


def test_demand_that_is_never_delivered_and_demand_that_is_owed_are_told(tmp_path: Path) -> None:
    products = chair(min_demand=12, max_demand=12, shortage_cost_per_unit=3)
    short = the_one(solved(bring(tmp_path, products=products, **SAW)))
    assert short.subject.sentence == "Chair: 2 of 12 units of demand are never delivered."
    assert "used_up" in sentences(short)
    products = chair(max_demand=12, backlog_cost_per_unit=3)
    wanted = [
        {"product": "Chair", "period": "1", "min_demand": 12},
        {"product": "Chair", "period": "2", "min_demand": 5, "max_demand": 5},
    ]
    plant = bring(
        tmp_path, plant=[{"name": "Other"}], periods=weeks(2), products=products, product_periods=wanted, **SAW
    )
    owed = the_one(solved(plant))
    assert owed.subject.sentence == "Chair: 2 units are owed at the end of period 1."


def test_a_late_order_is_told(tmp_path: Path) -> None:
    plant = bring(tmp_path, periods=weeks(2), products=chair(), **SAW, **order(15, late_cost_per_unit=1))
    late = next(one for one in shortfalls(solved(plant)).explained if one.subject.kind == "late")
    assert late.subject.sentence == "Order O1: 5 of 15 units of Chair come after period 1."
    assert "used_up" in sentences(late)


def test_a_plan_that_is_held_or_not_proven_is_told(tmp_path: Path) -> None:
    plant = bring(tmp_path, periods=weeks(2), products=chair(max_demand=6), **SAW)
    first = solved(plant)
    plant.products.update(max_demand=8)
    again = solved(plant, hold=Hold(first.pk, 1))
    found = the_one(again)
    assert sentences(found) == {"held": f"What is made in period 1 is held as in run {first.pk}."}
    Run.objects.filter(pk=again.pk).update(proven=False)
    assert "unproven" in sentences(the_one(Run.objects.get(pk=again.pk)))


# --- everywhere -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 3, 5, 6, 8, 9, 13])
def test_every_shortfall_of_a_random_plant_has_a_reason_and_agrees_with_the_rows(seed: int, tmp_path: Path) -> None:
    bring_in(write_folder(random_plant(seed, orders=True, goals=True), tmp_path))
    run = solved(Plant.objects.get())
    found = shortfalls(run)
    short = {row.reference: row.shortfall for row in run.orderresult_rows.all() if row.shortfall > 1e-4}
    told = {one.subject.row: one.subject.missing for one in found.explained if one.subject.kind == "order"}
    assert short == pytest.approx({name: told[name] for name in short})
    assert all(one.reasons for one in found.explained)
    for one in found.explained:
        for reason in one.reasons:
            assert reason.sentence.endswith(".")
            if reason.kind == "used_up":
                assert reason.numbers["left"] <= reason.numbers["available"]


def test_only_so_many_are_explained_and_the_number_of_queries_is_fixed(tmp_path: Path) -> None:
    run = published("lumix_step4_weeks")
    solved_plan(run)
    with CaptureQueriesContext(connection) as few:
        some = shortfalls(run, 2)
    assert (len(some.explained), some.total) == (2, 9)
    with CaptureQueriesContext(connection) as all_of_them:
        shortfalls(run)
    assert len(few) == len(all_of_them) == 1


def test_a_run_without_its_copy_can_not_tell() -> None:
    plant = make_furniture()
    with pytest.raises(NoSolvedData, match="no stored copy"):
        shortfalls(make_solved_run(plant))
    with pytest.raises(NoSolvedData, match="has no plan"):
        shortfalls(make_run(plant))


def test_the_rich_plant_is_explained_in_every_part(tmp_path: Path) -> None:
    found = shortfalls(solved(make_rich(tmp_path)))
    assert {one.subject.kind for one in found.explained} == {"order", "late", "short", "backlog"}
    assert all(any(reason.row == "Press" for reason in one.reasons) for one in found.explained)

"""What-ifs: each is what a run of the changed data finds, begins near its end, and says what changes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planning.models import Plant, Run
from planning.runs import RunOptions, start_run, start_variations_of
from planning.runs.copies import read_copy
from planning.runs.what_if import Decided, Desk, NoDesk
from planning.runs.what_if_process import decided
from planning.snapshot import Change, DataProblems
from tests.factories import make_furniture, solve_here
from tests.formulation.small_plants import baseline, bring, weeks
from tests.reference.commands import bring_in
from tests.reference.random_plants import random_plant, write_folder

pytestmark = pytest.mark.django_db

COUNT = int(os.environ.get("RANDOM_PLANTS", "4"))
EXACT = RunOptions(gap=1e-9)
SLOW_SAW = {"product": "Chair", "machine": "Saw", "hours_required": 1}


def solved(plant: Plant) -> Run:
    return solve_here(start_run(baseline(plant), EXACT, here=True))


def desk(run: Run) -> Desk:
    return Desk(read_copy(run), run.variation, Decided(**decided(run)))


def of_a_fresh_run(run: Run, change: Change) -> Run:
    """Return a run of the changed data, solved from nothing."""
    started = start_variations_of(run=run, variations=[[change]], here=True)
    return solve_here(started.runs[0])


WOOD = Change("raw_materials", "Wood", "available_quantity", "set", 600.0)


def test_says_what_changes_in_the_plan() -> None:
    run = solved(make_furniture())
    answer = desk(run).answer([WOOD])
    assert answer["profit"] == pytest.approx([2735.714285714286, 2735.714285714286 + 100 * 200 / 35])
    assert answer["parts"] == {"sales": pytest.approx(answer["profit"])}
    (row,) = answer["products"]["rows"]
    assert (row["product"], row["made"]) == ("Desk", [pytest.approx(295 / 35), pytest.approx(395 / 35)])
    assert (answer["words"], answer["held"], answer["full"], answer["freed"]) == ("", False, [], [])


def test_says_which_limits_are_reached_and_which_are_left() -> None:
    answer = desk(solved(make_furniture())).answer([replace(WOOD, value=2000.0)])
    assert [one["resource"] for one in answer["freed"]] == ["Wood"]
    assert [one["resource"] for one in answer["full"]] == ["Metal"]
    assert answer["full"][0]["periods"] == ["1"]


def test_the_worth_of_a_limit_is_that_of_the_changed_plan() -> None:
    asked = desk(solved(make_furniture()))
    asked.answer([WOOD])
    price = asked.price("material", "Wood", "1")
    assert price is not None
    assert (price["limit"], price["more"], price["less"]) == (600.0, *[pytest.approx(200 / 35)] * 2)
    assert price["more_until"] == pytest.approx(883.125)
    assert asked.price("material", "Glue", "1") is None
    assert asked.price("machine", "Cutting Machine", "1") == {
        "limit": 80.0, "more": 0.0, "more_until": None, "less": 0.0, "less_until": pytest.approx(12.5 + 790 / 35),
    }  # fmt: skip


def test_the_same_question_has_the_same_answer_whatever_was_asked_before() -> None:
    asked = desk(solved(make_furniture()))
    first = asked.answer([WOOD])
    asked.answer([Change("machines", "Cutting Machine", "available_hours", "set", 20.0)])
    again = asked.answer([WOOD])
    assert {**again, "seconds": 0} == {**first, "seconds": 0}


def test_where_there_is_no_plan_it_says_so() -> None:
    asked = desk(solved(make_furniture()))
    answer = asked.answer([Change("raw_materials", "Wood", "available_quantity", "set", 100.0)])
    assert answer["words"] == "No plan is possible with this."
    assert "profit" not in answer
    answer = asked.answer([Change("products", "Chair", "max_demand", "set", 5.0)])
    assert "max_demand" in answer["words"]
    assert asked.answer([WOOD])["words"] == ""


def with_setups(folder: Path) -> Run:
    """Return a run in which one of two chairs' setups pays, and both need whole quantities."""
    return solved(
        bring(
            folder,
            products=[
                {"name": "Chair", "profit_per_unit": 10, "max_demand": 30, "whole_units": True},
                {"name": "Stool", "profit_per_unit": 6, "max_demand": 30, "min_batch_size": 2},
            ],
            machines=[{"name": "Saw", "available_hours": 20, "units": 2, "maintenance_units": 1}],
            production_recipes=[
                {**SLOW_SAW, "setup_hours": 1},
                {"product": "Stool", "machine": "Saw", "hours_required": 1, "setup_hours": 1},
            ],
        )
    )


def test_whole_decisions_are_held_and_the_answer_says_so(tmp_path: Path) -> None:
    run = with_setups(tmp_path)
    assert run.objective == 190.0
    asked = desk(run)
    answer = asked.answer([Change("machines", "Saw", "available_hours", "set", 15.0)])
    assert answer["held"]
    assert "The setups and whole quantities of this plan allow no plan with this" in answer["words"]
    answer = asked.answer([Change("products", "Chair", "profit_per_unit", "set", 12.0)])
    assert (answer["held"], answer["words"], answer["profit"]) == (True, "", [190.0, 228.0])


def test_a_plan_of_goals_keeps_what_they_reach(tmp_path: Path) -> None:
    run = solved(
        bring(
            tmp_path,
            products=[{"name": "Chair", "profit_per_unit": 10}, {"name": "Stool", "profit_per_unit": 30}],
            machines=[{"name": "Saw", "available_hours": 20}],
            production_recipes=[SLOW_SAW, {"product": "Stool", "machine": "Saw", "hours_required": 1}],
            customers=[{"name": "Ada"}],
            customer_orders=[
                {"reference": "O1", "customer": "Ada", "product": "Chair", "period": "1", "target_quantity": 14}
            ],
        )
    )
    answer = desk(run).answer([Change("machines", "Saw", "available_hours", "set", 10.0)])
    assert answer["profit"] == pytest.approx([14 * 10 + 6 * 30, 10 * 10])
    assert answer["levels"] == [{"priority": 3, "deviation": [0.0, pytest.approx(4.0)]}]
    assert answer["orders"]["rows"] == [{"reference": "O1", "delivered": [14.0, 10.0], "target": [14.0, 14.0]}]


def test_a_variation_is_asked_about_as_it_was_solved() -> None:
    run = of_a_fresh_run(solved(make_furniture()), WOOD)
    answer = desk(run).answer([Change("raw_materials", "Wood", "available_quantity", "add", 10.0)])
    assert answer["profit"] == pytest.approx([run.objective, run.objective + 10 * 200 / 35])


def test_what_has_no_plan_has_no_what_ifs() -> None:
    run = start_run(baseline(make_furniture()), here=True)
    nothing = Change("raw_materials", "Wood", "available_quantity", "set", 0.0)
    with pytest.raises(NoDesk, match=r"can't be found again. No plan is possible"):
        Desk(read_copy(run), [vars(nothing)], Decided(**decided(run)))


LEVERS = (
    ("machines", "available_hours"),
    ("raw_materials", "available_quantity"),
    ("products", "max_demand"),
    ("products", "profit_per_unit"),
    ("customer_orders", "target_quantity"),
)


def changes_of(tables: dict[str, Any], seed: int) -> list[Change]:
    """Return a change of each kind to a row of the plant that has such a number."""
    found = []
    for table, field in LEVERS:
        rows = [row for row in tables.get(table, []) if row.get(field) is not None]
        if rows:
            row = rows[seed % len(rows)]
            name = row["reference"] if table == "customer_orders" else row["name"]
            found.append(Change(table, name, field, "multiply", (0.6, 0.95, 1.2, 1.7)[seed % 4]))
    return found


@pytest.mark.parametrize("seed", range(COUNT))
def test_of_random_plants_are_what_a_run_of_the_changed_data_finds(seed: int, tmp_path: Path) -> None:
    tables = random_plant(seed, orders=seed % 3 == 0, goals=seed % 4 == 0)
    bring_in(write_folder(tables, tmp_path))
    try:
        run = solved(Plant.objects.get())
    except DataProblems:
        return
    if run.objective is None:
        return
    asked = desk(run)
    assert asked.profit == pytest.approx(run.objective, rel=1e-5, abs=1e-4)
    for change in changes_of(tables, seed):
        try:
            fresh = of_a_fresh_run(run, change)
        except ValueError:  # the data do not allow it
            assert asked.answer([change])["words"]
            continue
        answer = asked.answer([change])
        if not answer["held"]:
            assert ("profit" in answer) == (fresh.objective is not None), change
        if "profit" in answer and fresh.objective is not None:
            room = pytest.approx(fresh.objective, rel=1e-5, abs=1e-4)
            assert answer["profit"][1] == room or (answer["held"] and answer["profit"][1] < fresh.objective), change


@pytest.mark.parametrize("seed", range(COUNT))
def test_of_random_plants_go_by_the_stored_worth_on_both_sides(seed: int, tmp_path: Path) -> None:
    """A small step of a limit changes profit by what one more brings, or one less costs."""
    bring_in(write_folder(random_plant(seed), tmp_path))
    try:
        run = solved(Plant.objects.get())
    except DataProblems:
        return
    if run.objective is None:
        return
    asked, levers = desk(run), {"machine": LEVERS[0], "material": LEVERS[1]}
    for row in run.utilization_rows.filter(available__isnull=False, shadow_price__isnull=False):
        table, field = levers[row.resource_type]
        units = 1.0
        if row.resource_type == "machine":
            machine = run.plant.machines.get(name=row.resource)
            units = machine.units - row.units_down
            if not units:
                continue
        for sign, worth in ((1.0, row.shadow_price_more), (-1.0, row.shadow_price_less)):
            step = 1e-4
            change = Change(
                table, row.resource, field, "add", sign * step / units, row.period if run.plant.periods.exists() else ""
            )
            answer = asked.answer([change])
            if "profit" not in answer:
                continue
            gained = answer["profit"][1] - answer["profit"][0]
            assert worth is not None
            assert gained == pytest.approx(sign * step * worth, rel=1e-3, abs=2e-6), (row.resource, row.period, sign)


def test_one_more_and_one_less_are_stored_with_the_run(tmp_path: Path) -> None:
    run = solved(
        bring(
            tmp_path,
            periods=weeks(1),
            products=[{"name": "Chair", "profit_per_unit": 10, "max_demand": 20}],
            machines=[{"name": "Saw", "available_hours": 20}],
            production_recipes=[SLOW_SAW],
        )
    )
    row = run.utilization_rows.get()
    assert (row.shadow_price_more, row.shadow_price_more_until) == (0.0, None)
    assert (row.shadow_price_less, row.shadow_price_less_until) == (pytest.approx(10.0), 0.0)

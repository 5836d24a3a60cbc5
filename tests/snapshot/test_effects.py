"""What pages show of a scenario: per change what it acts on, base and effective values, and all that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from planning.models import TABLES, Plant, Scenario
from planning.snapshot import Change, effects_of_draft, scenario_effects
from tests.formulation.small_plants import bring, weeks

pytestmark = pytest.mark.django_db

HOURS: dict[str, Any] = {"table": "machines", "field": "available_hours", "operation": "set"}


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return bring(
        tmp_path,
        periods=weeks(4),
        products=[{"name": "Chair", "profit_per_unit": 5, "min_demand": 2, "max_demand": 10}],
        machines=[
            {"name": "Saw", "available_hours": 40},
            {"name": "Press", "available_hours": 30},
            {"name": "Oven", "available_hours": None},
        ],
        machine_periods=[{"machine": "Saw", "period": "2", "available_hours": 10}],
        production_recipes=[{"product": "Chair", "machine": "Saw", "hours_required": 1}],
        scenarios=[{"name": "Parent"}, {"name": "What", "parent": "Parent"}],
        scenario_changes=[
            {"scenario": "What", **HOURS, "row": "*", "operation": "multiply", "value": 2},
            {"scenario": "Parent", **HOURS, "row": "Press", "period": "1", "value": 20},
        ],
    )


def test_each_change_says_where_it_acts_and_what_it_makes_of_the_base(plant: Plant) -> None:
    parents, own = scenario_effects(plant.pk, "What").changes
    assert (parents.scenario, parents.number, own.scenario, own.number) == ("Parent", 1, "What", 1)
    assert parents.effect is not None
    assert own.effect is not None
    assert (parents.base, parents.effect.before, parents.effect.after) == ((30.0,), (30.0,), (20.0,))
    assert own.effect.rows == ("Saw", "Press", "Oven")
    assert own.effect.periods == ("1", "2", "3", "4")
    assert own.base == (40.0, 10.0, 40.0, 40.0, 30.0, 30.0, 30.0, 30.0, None, None, None, None)
    assert own.effect.after[4:8] == (40.0, 60.0, 60.0, 60.0)
    assert own.counts == (2, 4)


def test_all_that_differs_stands_once_with_base_and_effective_value(plant: Plant) -> None:
    found = scenario_effects(plant.pk, "What").differences
    assert [(at.row, at.period, at.base, at.effective) for at in found] == [
        ("Saw", "1", 40.0, 80.0),
        ("Saw", "2", 10.0, 20.0),
        ("Saw", "3", 40.0, 80.0),
        ("Saw", "4", 40.0, 80.0),
        ("Press", "1", 30.0, 40.0),
        ("Press", "2", 30.0, 60.0),
        ("Press", "3", 30.0, 60.0),
        ("Press", "4", 30.0, 60.0),
    ]


def test_a_change_that_is_refused_keeps_its_place_and_names_what_is_near(plant: Plant) -> None:
    draft = [Change(**HOURS, row="Sew", value=1.0), Change(**HOURS, row="Saw", value=50.0)]
    wrong, right = effects_of_draft(plant.pk, "New", draft).changes
    assert wrong.effect is None
    assert "Did you mean: Saw" in wrong.errors[0].text
    assert right.errors == ()
    assert right.counts == (1, 4)


def test_a_draft_comes_after_the_changes_of_its_parent_and_is_not_stored(plant: Plant) -> None:
    effects = effects_of_draft(plant.pk, "New", [Change(**HOURS, row="Press", value=20.0)], "Parent")
    own = effects.changes[-1]
    assert own.effect is not None
    assert own.effect.before == (20.0, 30.0, 30.0, 30.0)
    assert own.counts == (1, 3)
    assert not Scenario.objects.filter(name="New").exists()


def test_what_it_makes_impossible_and_what_changes_nothing_are_told(plant: Plant) -> None:
    draft = [Change("products", "Chair", "max_demand", "set", 1.0), Change(**HOURS, row="Oven", value=None)]
    effects = effects_of_draft(plant.pk, "New", draft)
    errors, warnings = effects.problems_elsewhere
    assert "max_demand 1 below min_demand 2" in errors[0].text
    assert warnings == []
    assert "changes no value" in effects.changes[1].warnings[0].text


def test_an_unknown_scenario_is_an_error(plant: Plant) -> None:
    assert [error.table for error in scenario_effects(plant.pk, "None").errors] == ["scenarios"]


def test_the_number_of_queries_is_fixed(plant: Plant) -> None:
    counts = []
    for number in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            scenario_effects(plant.pk, "What")
        counts.append(sum(query["sql"].startswith("SELECT") for query in queries.captured_queries))
        scenario = plant.scenarios.get(name="What")
        for value in range(50):
            scenario.scenario_changes.create(**HOURS, row="Saw", value=float(value + number))
    assert counts == [len(TABLES)] * 2

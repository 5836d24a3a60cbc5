"""Copies of scenarios, and the order of changes."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from planning.models import Plant, Scenario
from planning.scenarios import NameTaken, duplicate, free_name, put_in_order
from tests.factories import make_furniture

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant() -> Plant:
    return make_furniture()


@pytest.fixture
def scenario(plant: Plant) -> Scenario:
    parent = Scenario.objects.create(plant=plant, name="Parent")
    scenario = Scenario.objects.create(
        plant=plant, name="More wood", parent=parent, description="From the north", goal_mode="weighted"
    )
    for value in (1.0, 2.0, 3.0):
        scenario.scenario_changes.create(
            table="raw_materials", row="Wood", field="available_quantity", value=value, note=f"note {value:g}"
        )
    return scenario


def values(scenario: Scenario) -> list[float | None]:
    return list(scenario.scenario_changes.order_by("pk").values_list("value", flat=True))


def test_a_copy_has_the_changes_in_their_order_and_the_same_parent(scenario: Scenario) -> None:
    made = duplicate(scenario, "Again")
    assert (made.name, made.parent, made.description, made.goal_mode) == (
        "Again",
        scenario.parent,
        "From the north",
        "weighted",
    )
    assert values(made) == values(scenario) == [1.0, 2.0, 3.0]
    assert made.scenario_changes.order_by("pk")[1].note == "note 2"


def test_a_copy_gets_a_name_that_is_free(scenario: Scenario) -> None:
    assert free_name(scenario) == "Copy of More wood"
    duplicate(scenario, free_name(scenario))
    assert free_name(scenario) == "Copy of More wood (2)"
    long = Scenario.objects.create(plant=scenario.plant, name="x" * 200)
    assert len(duplicate(long, free_name(long)).name) == 200
    assert free_name(long).endswith(" (2)")


def test_a_name_that_is_taken_or_no_name_is_refused(scenario: Scenario) -> None:
    with pytest.raises(NameTaken):
        duplicate(scenario, "Parent")
    for wrong in ("", "*", "a / b"):
        with pytest.raises(ValidationError):
            duplicate(scenario, wrong)
    assert Scenario.objects.count() == 3


def test_changes_are_put_in_another_order(scenario: Scenario) -> None:
    first, second, third = scenario.scenario_changes.order_by("pk").values_list("pk", flat=True)
    put_in_order(scenario, [third, first, second])
    assert values(scenario) == [3.0, 1.0, 2.0]
    assert scenario.scenario_changes.get(pk=first).note == "note 3"


def test_those_that_are_not_named_stay_where_they_are(scenario: Scenario) -> None:
    for value in (4.0, 5.0):
        scenario.scenario_changes.create(table="raw_materials", row="Wood", field="cost_per_unit", value=value)
    keys = list(scenario.scenario_changes.order_by("pk").values_list("pk", flat=True))
    put_in_order(scenario, [keys[2], keys[1]])
    assert values(scenario) == [1.0, 3.0, 2.0, 4.0, 5.0]
    put_in_order(scenario, [keys[4], keys[0]])  # a new one comes before the first
    assert values(scenario) == [5.0, 1.0, 3.0, 2.0, 4.0]
    put_in_order(scenario, [])
    assert values(scenario) == [5.0, 1.0, 3.0, 2.0, 4.0]

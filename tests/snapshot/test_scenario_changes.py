"""A scenario's changes act on the snapshot's effective values, in their order, and never on the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planning.models import Machine, Plant
from planning.snapshot import DataProblems, Snapshot, take_snapshot
from tests.formulation.small_plants import bring, weeks

pytestmark = pytest.mark.django_db

MACHINES = [{"name": "Saw", "available_hours": 40, "units": 2}, {"name": "Press", "available_hours": None}]
PRODUCTS = [
    {"name": "Chair", "profit_per_unit": 5, "max_demand": 10, "min_demand": 2},
    {"name": "Desk", "profit_per_unit": 9, "max_demand": None},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def plant_with(folder: Path, *changes: dict[str, Any], **tables: Any) -> Plant:
    """Return a plant whose scenario What has the changes."""
    recipes = [{"product": "Chair", "machine": "Saw", "hours_required": 1}]
    known = {"periods": weeks(2), "products": PRODUCTS, "machines": MACHINES, "production_recipes": recipes}
    given = {**known, **tables}
    scenarios = tables.pop("scenarios", [{"name": "What"}])
    rows = [{"scenario": "What", "operation": "set", "row": "*", **change} for change in changes]
    return bring(folder, **{**given, "scenarios": scenarios, "scenario_changes": rows})


def planned(plant: Plant, scenario: str = "What") -> Snapshot:
    return take_snapshot(plant.pk, scenario)


def hours(snapshot: Snapshot) -> list[float | None]:
    return snapshot["machine_grid"].columns["available_hours"].tolist()


def errors_of(plant: Plant, scenario: str = "What") -> list[str]:
    with pytest.raises(DataProblems) as problems:
        take_snapshot(plant.pk, scenario)
    return [error.text for error in problems.value.errors]


HOURS: dict[str, Any] = {"table": "machines", "field": "available_hours"}


class TestWhatAChangeDoes:
    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"value": 30}, [30, 30, 30, 30]),
            ({"row": "Saw", "value": 30}, [30, 30, None, None]),
            ({"row": "Saw", "period": "2", "value": 30}, [40, 30, None, None]),
            ({"operation": "multiply", "value": 0.5}, [20, 20, None, None]),
            ({"operation": "add", "period": "1", "value": -5}, [35, 40, None, None]),
            ({"row": "Saw", "period": "2", "value": None}, [40, None, None, None]),
            ({"table": "machine_periods", "row": "Saw", "value": 1}, [1, 1, None, None]),
        ],
    )
    def test_hours(self, folder: Path, change: dict[str, Any], expected: list[float | None]) -> None:
        assert hours(planned(plant_with(folder, HOURS | change))) == expected

    def test_it_acts_on_what_holds_in_a_period(self, folder: Path) -> None:
        own = [{"machine": "Saw", "period": "2", "available_hours": 10, "units_down": 1}]
        plant = plant_with(folder, HOURS | {"operation": "multiply", "value": 2}, machine_periods=own)
        snapshot = planned(plant)
        assert hours(snapshot) == [80, 20, None, None]
        assert snapshot["machine_grid"].columns["units_down"].tolist() == [0, 1, 0, 0]

    def test_changes_apply_in_their_order(self, folder: Path) -> None:
        steps = [{"value": 10}, {"operation": "add", "value": 1}, {"operation": "multiply", "value": 3}]
        assert hours(planned(plant_with(folder, *[HOURS | step for step in steps]))) == [33, 33, 33, 33]

    def test_those_of_the_parent_come_first(self, folder: Path) -> None:
        scenarios = [{"name": "What", "parent": "Before"}, {"name": "Before"}]
        plant = plant_with(
            folder,
            HOURS | {"operation": "multiply", "value": 2},
            HOURS | {"scenario": "Before", "value": 7},
            scenarios=scenarios,
        )
        assert hours(planned(plant)) == [14, 14, 14, 14]
        assert hours(planned(plant, "Before")) == [7, 7, 7, 7]

    def test_a_field_without_a_value_per_period(self, folder: Path) -> None:
        plant = plant_with(folder, {"table": "machines", "row": "Saw", "field": "units", "value": 5})
        assert planned(plant)["machines"].columns["units"].tolist() == [5, 1]

    def test_units_down_stand_by_period_alone(self, folder: Path) -> None:
        plant = plant_with(folder, {"table": "machine_periods", "row": "Saw", "field": "units_down", "value": 1})
        assert planned(plant)["machine_grid"].columns["units_down"].tolist() == [1, 1, 0, 0]

    def test_a_product_is_left_out(self, folder: Path) -> None:
        plant = plant_with(folder, {"table": "products", "row": "Desk", "field": "active", "value": 0})
        assert planned(plant)["product_grid"].size == 2

    def test_a_row_is_named_by_the_parts_of_its_key(self, folder: Path) -> None:
        recipes = [
            {"product": "Chair", "machine": "Saw", "hours_required": 1},
            {"product": "Chair", "machine": "Saw", "route": "Fast", "hours_required": 2},
        ]
        routes = [{"product": "Chair", "name": "Fast"}]
        change = {"table": "production_recipes", "field": "hours_required", "value": 9}
        for row, expected in (("Chair / Saw", [9, 2]), ("Chair / Saw / Fast", [1, 9]), ("*", [9, 9])):
            plant = plant_with(folder, change | {"row": row}, production_recipes=recipes, routes=routes)
            assert planned(plant)["production_recipes"].columns["hours_required"].tolist() == expected
            plant.delete()

    def test_a_blank_gives_a_field_with_a_default_its_default(self, folder: Path) -> None:
        plant = plant_with(folder, {"table": "products", "row": "Chair", "field": "min_demand", "value": None})
        assert planned(plant)["product_grid"].columns["min_demand"].tolist() == [0, 0, 0, 0]

    def test_the_database_and_the_baseline_stay_as_they_are(self, folder: Path) -> None:
        plant = plant_with(folder, HOURS | {"value": 1})
        planned(plant)
        assert list(Machine.objects.values_list("available_hours", flat=True)) == [40, None]
        assert hours(planned(plant, "Baseline")) == [40, 40, None, None]

    def test_a_plant_without_periods(self, folder: Path) -> None:
        plant = plant_with(folder, HOURS | {"row": "Saw", "value": 3}, periods=[])
        assert hours(planned(plant)) == [3, None]


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"table": "machine"}, 'no table "machine" to change. Did you mean: machines'),
            ({"table": "scenarios"}, 'no table "scenarios" to change'),
            ({"field": "available_hour"}, 'no number or flag "available_hour". Did you mean: available_hours'),
            ({"field": "name"}, 'no number or flag "name"'),
            ({"row": "Sew"}, 'no row "Sew". Did you mean: Saw'),
            ({"period": "3"}, 'no period "3". Did you mean: 1, 2'),
            ({"field": "units", "period": "1", "value": 3}, "units has no value per period"),
            ({"value": -1}, "it makes available_hours -1. -1 is negative"),
            ({"field": "units", "operation": "multiply", "value": 1.3}, "is no whole number"),
            ({"table": "products", "field": "active", "value": 2}, "neither 1 (true) nor 0 (false)"),
            ({"operation": "multiply", "value": None}, "it needs a number"),
            ({"table": "routes", "field": "setup_cost"}, "the plant has no routes"),
        ],
    )
    def test_it_says_which_and_what_is_near(self, folder: Path, change: dict[str, Any], said: str) -> None:
        plant = plant_with(folder)
        plant.scenarios.get(name="What").scenario_changes.create(**{"row": "*", "value": 1, **HOURS, **change})
        (text,) = errors_of(plant)
        assert said in text
        assert text.startswith('Scenario "What", ')
        take_snapshot(plant.pk, "Baseline")  # other scenarios can be planned

    def test_limits_that_a_scenario_crosses(self, folder: Path) -> None:
        plant = plant_with(folder, {"table": "products", "row": "Chair", "field": "max_demand", "value": 1})
        assert "max_demand 1 below min_demand 2" in errors_of(plant)[0]

    def test_all_faults_are_found_at_once(self, folder: Path) -> None:
        plant = plant_with(folder)
        changes = plant.scenarios.get(name="What").scenario_changes
        for row in ("Sew", "Pres"):
            changes.create(**HOURS, row=row, value=1)
        assert len(errors_of(plant)) == 2


class TestWhatDeservesALook:
    def test_a_change_that_changes_nothing(self, folder: Path) -> None:
        plant = plant_with(folder, HOURS | {"row": "Saw", "value": 40})
        (warning,) = planned(plant).warnings
        assert (warning.table, warning.row) == ("scenario_changes", "What 1")
        assert "changes no value" in warning.text

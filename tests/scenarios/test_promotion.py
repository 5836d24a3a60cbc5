"""Promotion: afterwards the base data plan what the scenario planned, all of it or nothing, and the history tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User

from planning.models import BASELINE, Machine, Plant, Product, Scenario, ScenarioChange
from planning.scenarios import NotPromoted, preview, promote
from planning.snapshot import DataProblems, scenario_effects
from tests.factories import make_furniture
from tests.formulation.small_plants import bring, weeks
from tests.reference.commands import bring_in, solve
from tests.reference.random_plants import random_plant, write_folder

pytestmark = pytest.mark.django_db

OWN = {"run", "seconds", "scenario"}  # what differs between two runs of the same data


@pytest.fixture
def plant() -> Plant:
    return make_furniture()


@pytest.fixture
def scenario(plant: Plant) -> Scenario:
    return Scenario.objects.create(plant=plant, name="More wood")


def change(scenario: Scenario, table: str, row: str, field: str, value: float | None, **more: Any) -> ScenarioChange:
    return ScenarioChange.objects.create(scenario=scenario, table=table, row=row, field=field, value=value, **more)


def planned(plant: str, scenario: str) -> tuple[int, dict[str, Any]]:
    """Return what a run shows, but for what is its own; warnings of changes go with the changes."""
    code, shown = solve(plant, "--scenario", scenario, "--gap", "1e-6")
    kept = {name: value for name, value in shown.items() if name not in OWN}
    kept["warnings"] = [warning for warning in shown["warnings"] if warning["table"] != "scenario_changes"]
    return code, kept


class TestThePlanStaysTheSame:
    @pytest.mark.parametrize("seed", range(24))
    def test_of_a_random_plant_whose_scenario_has_a_parent(self, seed: int, tmp_path: Path) -> None:
        tables = random_plant(seed, orders=seed % 3 == 0, goals=seed % 4 == 0, scenario=True)
        bring_in(write_folder(tables, tmp_path))
        plant = Plant.objects.get()
        before = planned(plant.name, "Other")
        scenario = plant.scenarios.get(name="Other")
        if preview(scenario).effects.errors:
            with pytest.raises(DataProblems):
                promote(scenario)
            return
        if not preview(scenario).edits:
            with pytest.raises(NotPromoted):
                promote(scenario)
            return
        promote(scenario)
        assert planned(plant.name, BASELINE) == before
        assert scenario_effects(plant.pk, "Other").differences == ()


class TestWhatIsWritten:
    def test_a_value_without_periods(self, plant: Plant, scenario: Scenario) -> None:
        change(scenario, "raw_materials", "Wood", "available_quantity", 1.5, operation="multiply")
        promote(scenario)
        assert plant.raw_materials.get(name="Wood").available_quantity == 750.0
        scenario.refresh_from_db()
        assert not scenario.scenario_changes.exists()
        assert scenario_effects(plant.pk, scenario.name).differences == ()

    def test_a_flag_a_whole_number_and_a_blank(self, plant: Plant, scenario: Scenario) -> None:
        change(scenario, "products", "Desk", "active", 0.0)
        change(scenario, "machines", "*", "units", 1.0, operation="add")
        change(scenario, "products", "Chair", "max_demand", None)
        promote(scenario)
        assert plant.products.get(name="Desk").active is False
        assert list(plant.machines.values_list("units", flat=True)) == [2, 2]
        assert plant.products.get(name="Chair").max_demand is None

    def test_a_recipe_and_the_plant(self, plant: Plant, scenario: Scenario) -> None:
        change(scenario, "production_recipes", "Chair / Cutting Machine", "hours_required", 0.25)
        change(scenario, "plant", "*", "charge_materials", 1.0)
        promote(scenario)
        plant.refresh_from_db()
        assert plant.charge_materials is True
        assert plant.products.get(name="Chair").production_recipes.order_by("pk")[0].hours_required == 0.25

    def test_how_goals_are_weighed_up(self, plant: Plant, scenario: Scenario) -> None:
        parent = Scenario.objects.create(plant=plant, name="Weighted", goal_mode="weighted")
        Scenario.objects.filter(pk=scenario.pk).update(parent=parent)
        promote(scenario)
        scenario.refresh_from_db()
        assert (scenario.parent, scenario.goal_mode) == (None, "weighted")
        assert plant.scenarios.get(name=BASELINE).goal_mode == "weighted"


MACHINES = [{"name": "Saw", "available_hours": 40, "units": 2}, {"name": "Press", "available_hours": None}]
PRODUCTS = [{"name": "Chair", "profit_per_unit": 5, "max_demand": 10, "min_demand": 2}]
RECIPES = [{"product": "Chair", "machine": "Saw", "hours_required": 1}]


class TestValuesByPeriod:
    @pytest.fixture
    def weekly(self, tmp_path: Path) -> Plant:
        own = [{"machine": "Saw", "period": "2", "available_hours": 10}]
        tables = {"machines": MACHINES, "products": PRODUCTS, "production_recipes": RECIPES, "machine_periods": own}
        return bring(tmp_path, periods=weeks(3), **tables)

    def saw(self, plant: Plant, **changed: Any) -> tuple[float | None, dict[str, float | None]]:
        """Return the saw's hours and those by period after the promotion of one change."""
        scenario = Scenario.objects.create(plant=plant, name="What")
        change(scenario, **{"table": "machines", "row": "Saw", "field": "available_hours", **changed})
        promote(scenario)
        saw = Machine.objects.get(plant=plant, name="Saw")
        rows = saw.machine_periods.order_by("period__sequence").values_list("period__name", "available_hours")
        return saw.available_hours, dict(rows)

    def test_all_periods(self, weekly: Plant) -> None:
        assert self.saw(weekly, value=2.0, operation="multiply") == (80.0, {"2": 20.0})

    def test_one_period_makes_a_row(self, weekly: Plant) -> None:
        assert self.saw(weekly, value=5.0, period="3") == (40.0, {"2": 10.0, "3": 5.0})

    def test_the_row_of_a_period_is_changed(self, weekly: Plant) -> None:
        assert self.saw(weekly, value=5.0, period="2") == (40.0, {"2": 5.0})

    def test_no_limit_in_one_period_lets_the_others_say_their_own(self, weekly: Plant) -> None:
        assert self.saw(weekly, value=None, period="3") == (None, {"1": 40.0, "2": 10.0})

    def test_no_limit_at_all(self, weekly: Plant) -> None:
        assert self.saw(weekly, value=None) == (None, {"2": None})

    def test_units_down_stand_by_period(self, weekly: Plant) -> None:
        scenario = Scenario.objects.create(plant=weekly, name="What")
        change(scenario, "machines", "Saw", "units_down", 1.0, period="2")
        promote(scenario)
        assert list(Machine.objects.get(name="Saw").machine_periods.values_list("units_down", flat=True)) == [1]

    def test_limits_that_cross_in_the_parents_row_stand_by_period(self, weekly: Plant) -> None:
        scenario = Scenario.objects.create(plant=weekly, name="What")
        for period, most in (("1", 30.0), ("2", 40.0), ("3", 50.0)):
            change(scenario, "products", "Chair", "max_demand", most, period=period)
        change(scenario, "products", "Chair", "min_demand", 20.0)
        promote(scenario)
        chair = Product.objects.get(name="Chair")
        assert (chair.min_demand, chair.max_demand) == (20.0, None)
        assert list(chair.product_periods.order_by("period").values_list("max_demand", flat=True)) == [30.0, 40.0, 50.0]

    def test_a_plant_without_periods_gets_the_one_that_a_row_needs(self, tmp_path: Path) -> None:
        plant = bring(tmp_path, machines=MACHINES, products=PRODUCTS, production_recipes=RECIPES)
        scenario = Scenario.objects.create(plant=plant, name="What")
        change(scenario, "machine_periods", "Saw", "units_down", 1.0)
        change(scenario, "machines", "Saw", "available_hours", 7.0, period="1")
        promote(scenario)
        saw = plant.machines.get(name="Saw")
        assert (saw.available_hours, saw.machine_periods.get().units_down) == (7.0, 1)
        assert [(period.sequence, period.name) for period in plant.periods.all()] == [(1, "1")]


class TestAllOrNothing:
    def test_a_scenario_with_an_error_changes_nothing(self, plant: Plant, scenario: Scenario) -> None:
        change(scenario, "raw_materials", "Wood", "available_quantity", 750.0)
        change(scenario, "raw_materials", "Wod", "available_quantity", 1.0)
        with pytest.raises(DataProblems, match="Did you mean: Wood"):
            promote(scenario)
        assert plant.raw_materials.get(name="Wood").available_quantity == 500.0
        assert scenario.scenario_changes.count() == 2
        assert not LogEntry.objects.exists()

    def test_what_the_models_refuse_changes_nothing(self, plant: Plant, scenario: Scenario) -> None:
        change(scenario, "raw_materials", "Wood", "available_quantity", 750.0)
        change(scenario, "products", "Desk", "active", 0.0)  # crossed limits of what is left out stop no plan
        change(scenario, "products", "Desk", "max_demand", 1.0)
        with pytest.raises(DataProblems, match=r'"Desk".*max_demand is below min_demand'):
            promote(scenario)
        assert plant.raw_materials.get(name="Wood").available_quantity == 500.0
        assert plant.products.get(name="Desk").active is True
        assert scenario.scenario_changes.count() == 3

    def test_data_that_changed_since_the_preview_are_shown_again(self, plant: Plant, scenario: Scenario) -> None:
        change(scenario, "raw_materials", "Wood", "available_quantity", 1.5, operation="multiply")
        seen = preview(scenario).digest
        plant.raw_materials.filter(name="Wood").update(available_quantity=600.0)
        with pytest.raises(NotPromoted, match="have changed since"):
            promote(scenario, digest=seen)
        promote(scenario, digest=preview(scenario).digest)
        assert plant.raw_materials.get(name="Wood").available_quantity == 900.0

    def test_baseline_and_a_scenario_without_effect_have_nothing_to_promote(
        self, plant: Plant, scenario: Scenario
    ) -> None:
        with pytest.raises(NotPromoted, match="is the base data"):
            promote(plant.scenarios.get(name=BASELINE))
        with pytest.raises(NotPromoted, match="nothing to promote"):
            promote(scenario)

    def test_the_preview_writes_nothing(self, plant: Plant, scenario: Scenario) -> None:
        change(scenario, "raw_materials", "Wood", "available_quantity", 750.0)
        (edit,) = preview(scenario).edits
        assert (edit.table, edit.row, edit.field, edit.old, edit.new) == (
            "raw_materials",
            "Wood",
            "available_quantity",
            500.0,
            750.0,
        )
        assert plant.raw_materials.get(name="Wood").available_quantity == 500.0


class TestFamilies:
    def test_changes_of_the_ancestors_are_promoted_and_children_plan_as_before(
        self, plant: Plant, scenario: Scenario
    ) -> None:
        parent = Scenario.objects.create(plant=plant, name="Parent")
        child = Scenario.objects.create(plant=plant, name="Child", parent=scenario)
        sibling = Scenario.objects.create(plant=plant, name="Sibling", parent=parent)
        Scenario.objects.filter(pk=scenario.pk).update(parent=parent)
        wood = ("raw_materials", "Wood", "available_quantity")
        change(parent, *wood, 600.0)
        change(scenario, *wood, 2.0, operation="multiply")
        change(child, *wood, 1.0, operation="add")
        promotion = promote(scenario)
        assert promotion.others == ("Parent", "Sibling")
        assert plant.raw_materials.get(name="Wood").available_quantity == 1200.0
        assert parent.scenario_changes.count() == 1
        (after,) = scenario_effects(plant.pk, child.name).differences
        assert after.effective == 1201.0
        assert scenario_effects(plant.pk, sibling.name).differences[0].effective == 600.0


class TestHistory:
    def test_a_row_that_is_made_tells_what_held_there(self, plant: Plant, scenario: Scenario) -> None:
        for week in (1, 2):
            plant.periods.create(sequence=week, name=f"Week {week}")
        change(scenario, "raw_materials", "Wood", "available_quantity", 750.0, period="Week 2")
        promote(scenario)
        made = LogEntry.objects.order_by("pk")[0]
        assert (made.is_addition(), str(made.get_edited_object())) == (True, "Wood / Week 2")
        assert made.get_change_message().endswith("available quantity 500 → 750.")

    def test_each_row_tells_who_and_from_where_and_what(self, plant: Plant, scenario: Scenario) -> None:
        ada = User.objects.create_user("ada")
        change(scenario, "raw_materials", "Wood", "available_quantity", 1.5, operation="multiply")
        promote(scenario, user=ada)
        wood, own = LogEntry.objects.order_by("pk")
        assert wood.get_edited_object() == plant.raw_materials.get(name="Wood")
        assert (wood.user, wood.is_change()) == (ada, True)
        assert wood.get_change_message() == 'Promoted from scenario "More wood": available quantity 500 → 750.'
        assert own.get_edited_object() == scenario
        assert own.get_change_message() == (
            "Promoted to the base data: available quantity of raw materials Wood multiplied by 1.5."
        )

    def test_without_a_user_it_names_an_account_that_nobody_can_log_in_to(
        self, plant: Plant, scenario: Scenario
    ) -> None:
        change(scenario, "raw_materials", "Wood", "available_quantity", 750.0)
        promote(scenario)
        account = LogEntry.objects.order_by("pk")[0].user
        assert (account.username, account.is_active, account.has_usable_password()) == ("manage.py", False, False)

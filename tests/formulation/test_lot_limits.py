"""Each proof of the largest lot, alone: hours, materials, batches, demand; and refused where there is none."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from planning.runs import start_run
from planning.snapshot import DataProblems
from tests.formulation.small_plants import baseline, bring, limits_of, refused, weeks

pytestmark = pytest.mark.django_db

CHAIR = {"name": "Chair", "profit_per_unit": 10}
SAW = {"name": "Saw"}
RECIPE = {"product": "Chair", "machine": "Saw", "setup_cost": 5}


def chair_limits(folder: Path, **tables: Any) -> list[float]:
    """Return M of the chair by period; the plant has a saw without a limit unless it gives one."""
    given = {"products": [CHAIR], "machines": [SAW], "production_recipes": [RECIPE], **tables}
    limits = limits_of(bring(folder, **given))
    return [limit for (product, _, _), limit in limits.items() if product == "Chair"]


class TestHours:
    def recipes(self, **cells: Any) -> list[dict[str, Any]]:
        return [{**RECIPE, "hours_required": 2, **cells}]

    def test_hours_limit_a_lot(self, tmp_path: Path) -> None:
        machines = [{**SAW, "available_hours": 30}]
        assert chair_limits(tmp_path, machines=machines, production_recipes=self.recipes()) == [15]

    def test_setup_hours_are_taken_off(self, tmp_path: Path) -> None:
        machines = [{**SAW, "available_hours": 30}]
        assert chair_limits(tmp_path, machines=machines, production_recipes=self.recipes(setup_hours=6)) == [12]

    def test_a_setup_longer_than_the_hours_leaves_nothing(self, tmp_path: Path) -> None:
        machines = [{**SAW, "available_hours": 30}]
        assert chair_limits(tmp_path, machines=machines, production_recipes=self.recipes(setup_hours=31)) == [0]

    def test_overtime_adds_to_the_hours(self, tmp_path: Path) -> None:
        machines = [{**SAW, "available_hours": 30, "max_overtime_hours": 8, "overtime_cost_per_hour": 1}]
        assert chair_limits(tmp_path, machines=machines, production_recipes=self.recipes()) == [19]

    def test_overtime_without_a_cost_is_none(self, tmp_path: Path) -> None:
        machines = [{**SAW, "available_hours": 30, "max_overtime_hours": 8}]
        assert chair_limits(tmp_path, machines=machines, production_recipes=self.recipes()) == [15]

    def test_all_units_work_but_those_that_are_down(self, tmp_path: Path) -> None:
        assert chair_limits(
            tmp_path,
            periods=weeks(2),
            machines=[{**SAW, "available_hours": 30, "units": 3}],
            machine_periods=[{"machine": "Saw", "period": "2", "units_down": 2}],
            production_recipes=self.recipes(),
        ) == [45, 15]

    def test_overtime_does_not_depend_on_units_down(self, tmp_path: Path) -> None:
        assert chair_limits(
            tmp_path,
            periods=weeks(1),
            machines=[{**SAW, "available_hours": 30, "max_overtime_hours": 4, "overtime_cost_per_hour": 0}],
            machine_periods=[{"machine": "Saw", "period": "1", "units_down": 1}],
            production_recipes=self.recipes(),
        ) == [2]

    def test_the_scarcest_machine_counts(self, tmp_path: Path) -> None:
        machines = [{**SAW, "available_hours": 30}, {"name": "Press", "available_hours": 5}]
        recipes = [*self.recipes(), {"product": "Chair", "machine": "Press", "hours_required": 1}]
        assert chair_limits(tmp_path, machines=machines, production_recipes=recipes) == [5]


class TestMaterials:
    def limits(self, folder: Path, **cells: Any) -> list[float]:
        return chair_limits(
            folder,
            periods=weeks(3),
            raw_materials=[{"name": "Wood", "available_quantity": 40, **cells}],
            material_requirements=[{"product": "Chair", "material": "Wood", "quantity_required": 4}],
        )

    def test_a_period_uses_its_own_supply_where_nothing_is_stored(self, tmp_path: Path) -> None:
        assert self.limits(tmp_path, initial_inventory=20) == [15, 10, 10]

    def test_stock_is_carried_over(self, tmp_path: Path) -> None:
        assert self.limits(tmp_path, initial_inventory=20, holding_cost_per_unit=0) == [15, 25, 35]

    def test_no_more_is_carried_over_than_may_be_stored(self, tmp_path: Path) -> None:
        assert self.limits(tmp_path, initial_inventory=20, holding_cost_per_unit=0, max_inventory=8) == [15, 12, 12]

    def test_what_must_stay_in_stock_is_not_used(self, tmp_path: Path) -> None:
        limits = self.limits(
            tmp_path, initial_inventory=20, holding_cost_per_unit=0, min_inventory=4, final_inventory=12
        )
        assert limits == [14, 24, 32]


class TestBatches:
    def test_the_product_gives_a_limit_for_each_period(self, tmp_path: Path) -> None:
        assert chair_limits(
            tmp_path,
            periods=weeks(2),
            products=[{**CHAIR, "max_batch_size": 9}],
            product_periods=[{"product": "Chair", "period": "2", "max_batch_size": 7}],
        ) == [9, 7]

    def test_the_smaller_one_of_product_and_route_counts(self, tmp_path: Path) -> None:
        limits = bring_routes(tmp_path)
        assert limits == {("Chair", "Fast", "1"): 6, ("Chair", "Fast", "2"): 9, ("Chair", "Slow", "1"): 9} | {
            ("Chair", "Slow", "2"): 9
        }

    def test_a_fraction_is_rounded_down_for_whole_units(self, tmp_path: Path) -> None:
        assert chair_limits(tmp_path, products=[{**CHAIR, "whole_units": True, "max_batch_size": 9.7}]) == [9]

    def test_a_quotient_just_below_a_whole_number_is_that_number(self, tmp_path: Path) -> None:
        limits = chair_limits(
            tmp_path,
            products=[{**CHAIR, "whole_units": True}],
            machines=[{**SAW, "available_hours": 0.3}],
            production_recipes=[{**RECIPE, "hours_required": 0.1}],
        )
        assert limits == [3]


def bring_routes(folder: Path) -> dict[tuple[str, str, str], float]:
    plant = bring(
        folder,
        periods=weeks(2),
        products=[{**CHAIR, "max_batch_size": 9}],
        machines=[SAW],
        routes=[
            {"product": "Chair", "name": "Fast", "max_batch_size": 6},
            {"product": "Chair", "name": "Slow", "max_batch_size": 12},
        ],
        route_periods=[{"product": "Chair", "route": "Fast", "period": "2", "max_batch_size": 20}],
        production_recipes=[RECIPE],
    )
    return limits_of(plant)


class TestDemand:
    """Where making more never pays, a lot is no larger than what can still be taken."""

    def limits(self, folder: Path, periods: int = 3, **cells: Any) -> list[float]:
        return chair_limits(folder, periods=weeks(periods), products=[{**CHAIR, "max_demand": 5, **cells}])

    def test_a_period_serves_itself_where_nothing_is_stored(self, tmp_path: Path) -> None:
        assert self.limits(tmp_path) == [5, 5, 5]

    def test_a_storable_product_serves_later_periods(self, tmp_path: Path) -> None:
        assert self.limits(tmp_path, holding_cost_per_unit=1) == [15, 10, 5]

    def test_required_stock_is_made_too(self, tmp_path: Path) -> None:
        assert self.limits(tmp_path, holding_cost_per_unit=1, min_inventory=2, final_inventory=4) == [19, 14, 9]

    def test_backlog_is_delivered_later(self, tmp_path: Path) -> None:
        assert self.limits(tmp_path, min_demand=3, backlog_cost_per_unit=1) == [5, 8, 11]

    def test_whole_units_are_rounded_up(self, tmp_path: Path) -> None:
        assert self.limits(tmp_path, 1, max_demand=4.5, whole_units=True) == [5]

    def test_a_smallest_lot_above_demand_stays_possible(self, tmp_path: Path) -> None:
        assert self.limits(tmp_path, 1, min_batch_size=12) == [12]

    def test_what_other_products_take_is_made_too(self, tmp_path: Path) -> None:
        limits = limits_of(
            bring(
                tmp_path,
                products=[{"name": "Leg", "max_demand": 3}, {"name": "Chair", "max_demand": 5}],
                machines=[SAW],
                production_recipes=[RECIPE, {**RECIPE, "product": "Leg"}],
                component_requirements=[{"product": "Chair", "component": "Leg", "quantity_required": 4}],
            )
        )
        assert limits["Leg", "", "1"] == 23


# Demand alone limits the chair. Each of these cells makes more of it pay, or ends the limit.
PAYS: dict[str, dict[str, Any]] = {
    "demand has no limit": {"products": [CHAIR]},
    "making it costs less than nothing": {
        "products": [{**CHAIR, "max_demand": 5, "production_cost_per_unit": -1}],
    },
    "making it costs less than nothing in one period": {
        "product_periods": [{"product": "Chair", "period": "1", "production_cost_per_unit": -1}],
    },
    "making another product costs less than nothing": {
        "products": [
            {**CHAIR, "max_demand": 5},
            {"name": "Desk", "max_batch_size": 1, "max_demand": 1, "production_cost_per_unit": -1},
        ],
        "production_recipes": [RECIPE, {**RECIPE, "product": "Desk"}],
    },
    "a route costs less than nothing": {
        "routes": [{"product": "Chair", "name": "Fast", "cost_per_unit": -1}],
    },
    "a charged material costs less than nothing": {
        "plant": [{"name": "Small Plant", "charge_materials": True}],
        "raw_materials": [{"name": "Wood", "cost_per_unit": -1}],
        "material_requirements": [{"product": "Chair", "material": "Wood", "quantity_required": 1}],
    },
    "a by-product comes out": {
        "products": [{**CHAIR, "max_demand": 5}, {"name": "Dust", "max_demand": 1}],
        "by_products": [{"product": "Chair", "by_product": "Dust", "quantity_produced": 1}],
    },
    "a product without a limit takes it": {
        "products": [{**CHAIR, "max_demand": 5}, {"name": "Set"}],
        "component_requirements": [{"product": "Set", "component": "Chair", "quantity_required": 1}],
    },
}


class TestRefused:
    def plant(self, **tables: Any) -> dict[str, Any]:
        return {
            "periods": weeks(2),
            "products": [{**CHAIR, "max_demand": 5}],
            "machines": [SAW],
            "production_recipes": [RECIPE],
            **tables,
        }

    def test_demand_alone_is_enough(self, tmp_path: Path) -> None:
        assert refused(bring(tmp_path, **self.plant())) == []

    @pytest.mark.parametrize("case", PAYS)
    def test_without_any_proof_the_product_is_named(self, case: str, tmp_path: Path) -> None:
        assert refused(bring(tmp_path, **self.plant(**PAYS[case]))) == ["Chair"]

    def test_a_material_that_is_not_charged_may_cost_less_than_nothing(self, tmp_path: Path) -> None:
        case = PAYS["a charged material costs less than nothing"] | {"plant": [{"name": "Small Plant"}]}
        assert refused(bring(tmp_path, **self.plant(**case))) == []

    def test_a_by_product_of_nothing_is_none(self, tmp_path: Path) -> None:
        case = dict(PAYS["a by-product comes out"])
        case["by_products"] = [{"product": "Chair", "by_product": "Dust", "quantity_produced": 0}]
        assert refused(bring(tmp_path, **self.plant(**case))) == []

    def test_overtime_without_a_limit_proves_nothing(self, tmp_path: Path) -> None:
        tables = self.plant(
            products=[CHAIR],
            machines=[{**SAW, "available_hours": 8, "overtime_cost_per_hour": 1}],
            production_recipes=[{**RECIPE, "hours_required": 1}],
        )
        assert refused(bring(tmp_path, **tables)) == ["Chair"]

    def test_without_a_setup_nothing_has_to_be_proven(self, tmp_path: Path) -> None:
        assert (
            refused(bring(tmp_path, **self.plant(products=[CHAIR], production_recipes=[{**RECIPE, "setup_cost": 0}])))
            == []
        )

    def test_no_run_is_started_and_the_remedy_is_said(self, tmp_path: Path) -> None:
        plant = bring(tmp_path, **self.plant(products=[CHAIR]))
        with pytest.raises(DataProblems) as caught:
            start_run(baseline(plant), here=True)
        (problem,) = caught.value.errors
        assert (problem.table, problem.row, problem.column) == ("products", "Chair", "max_batch_size")
        assert "Give it a max_batch_size" in problem.text
        assert not plant.runs.exists()


def test_a_long_chain_of_components_is_no_trouble(tmp_path: Path) -> None:
    names = [f"P{i}" for i in range(1200)]
    plant = bring(
        tmp_path,
        products=[{"name": name, "max_demand": 1, "holding_cost_per_unit": 1, "min_batch_size": 2} for name in names],
        component_requirements=[
            {"product": product, "component": component, "quantity_required": 1}
            for product, component in pairwise(names)
        ],
    )
    assert len(limits_of(plant)) == 1199

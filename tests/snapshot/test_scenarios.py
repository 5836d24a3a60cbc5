"""What plans can't hold yet is refused by name, and so are circles of parents."""

from __future__ import annotations

from typing import Any

import pytest

from planning.models import Customer, CustomerOrder, Goal, Period, Plant, Product, Scenario
from planning.snapshot import DataProblems, Problem, take_snapshot
from tests.factories import make_furniture

pytestmark = pytest.mark.django_db


def errors_of(plant: Plant, scenario: str = "Baseline") -> list[Problem]:
    try:
        take_snapshot(plant.pk, scenario)
    except DataProblems as problems:
        return problems.errors
    return []


def make_order(plant: Plant, product: str, reference: str = "O1", **fields: Any) -> CustomerOrder:
    return CustomerOrder.objects.create(
        plant=plant,
        reference=reference,
        customer=Customer.objects.get_or_create(plant=plant, name="Ada")[0],
        product=Product.objects.get(name=product),
        period=Period.objects.get_or_create(plant=plant, name="1")[0],
        target_quantity=5,
        **fields,
    )


def make_scenario(plant: Plant, name: str, *, parent: Scenario | None = None) -> Scenario:
    return Scenario.objects.create(plant=plant, name=name, parent=parent)


class TestOrdersAndGoals:
    def test_each_active_order_is_named(self) -> None:
        plant = make_furniture()
        make_order(plant, "Chair", "O1")
        make_order(plant, "Desk", "O2")
        found = errors_of(plant)
        assert [(error.table, error.row, error.column) for error in found] == [
            ("customer_orders", "O1", "active"),
            ("customer_orders", "O2", "active"),
        ]
        assert "Set active to false" in found[0].text

    def test_an_order_that_is_not_active_does_not_count(self) -> None:
        plant = make_furniture()
        make_order(plant, "Chair", active=False)
        assert errors_of(plant) == []

    def test_an_order_on_a_product_that_is_not_active_does_not_refuse(self) -> None:
        plant = make_furniture()
        Product.objects.filter(name="Chair").update(active=False)
        make_order(plant, "Chair")
        assert errors_of(plant) == []

    def test_each_active_goal_is_named(self) -> None:
        plant = make_furniture()
        for name, active in (("Earn", True), ("Rest", False)):
            Goal.objects.create(plant=plant, name=name, measure="profit", sense="at_least", target=1, active=active)
        assert [(error.table, error.row) for error in errors_of(plant)] == [("goals", "Earn")]


class TestChanges:
    def test_an_unknown_scenario_is_an_error(self) -> None:
        assert [(error.table, error.row) for error in errors_of(make_furniture(), "Rush")] == [("scenarios", "Rush")]


class TestCirclesOfParents:
    def make_circle(self, *names: str) -> Plant:
        plant = make_furniture()
        scenarios = [make_scenario(plant, name) for name in names]
        for scenario, parent in zip(scenarios, [*scenarios[1:], scenarios[0]], strict=True):
            Scenario.objects.filter(pk=scenario.pk).update(parent=parent)
        return plant

    @pytest.mark.parametrize("names", [("A",), ("A", "B"), ("A", "B", "C")])
    def test_a_circle_is_shown(self, names: tuple[str, ...]) -> None:
        (error,) = errors_of(self.make_circle(*names), "A")
        assert (error.table, error.column) == ("scenarios", "parent")
        assert " has the parent ".join(f'"{name}"' for name in (*names, "A")) in error.text
        assert "Clear one parent" in error.text

    def test_a_scenario_that_hangs_on_a_circle_is_refused(self) -> None:
        plant = self.make_circle("A", "B")
        make_scenario(plant, "Tail", parent=Scenario.objects.get(name="B"))
        (error,) = errors_of(plant, "Tail")
        assert "Tail" not in error.text
        assert '"A"' in error.text

    def test_other_scenarios_are_not_refused(self) -> None:
        assert errors_of(self.make_circle("A", "B")) == []

"""Which scenarios there are: unknown ones and circles of parents are refused by name; a mode is inherited."""

from __future__ import annotations

import pytest

from planning.models import Plant, Scenario
from planning.snapshot import DataProblems, Problem, take_snapshot
from tests.factories import make_furniture

pytestmark = pytest.mark.django_db


def errors_of(plant: Plant, scenario: str = "Baseline") -> list[Problem]:
    try:
        take_snapshot(plant.pk, scenario)
    except DataProblems as problems:
        return problems.errors
    return []


def make_scenario(plant: Plant, name: str, *, parent: Scenario | None = None, goal_mode: str = "") -> Scenario:
    return Scenario.objects.create(plant=plant, name=name, parent=parent, goal_mode=goal_mode)


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


class TestGoalMode:
    def mode(self, plant: Plant, scenario: str) -> str:
        return take_snapshot(plant.pk, scenario).goal_mode

    def test_it_is_lexicographic_unless_said(self) -> None:
        assert self.mode(make_furniture(), "Baseline") == "lexicographic"

    def test_the_nearest_that_says_it_counts(self) -> None:
        plant = make_furniture()
        oldest = make_scenario(plant, "Oldest", goal_mode="weighted")
        middle = make_scenario(plant, "Middle", parent=oldest)
        make_scenario(plant, "Youngest", parent=middle)
        make_scenario(plant, "Other", parent=middle, goal_mode="lexicographic")
        assert [self.mode(plant, name) for name in ("Oldest", "Middle", "Youngest", "Other")] == [
            "weighted",
            "weighted",
            "weighted",
            "lexicographic",
        ]

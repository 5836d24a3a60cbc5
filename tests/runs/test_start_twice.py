"""Two presses of the button, or two planners at once: the same work is offered, not repeated."""

from __future__ import annotations

import pytest

from planning.models import Machine, Run
from planning.runs import RunOptions, SameRun, execute, start_run, stop_run
from tests.factories import make_furniture
from tests.formulation.small_plants import baseline

pytestmark = pytest.mark.django_db


def test_the_run_that_is_under_way_is_offered() -> None:
    scenario = baseline(make_furniture())
    first = start_run(scenario)
    with pytest.raises(SameRun) as same:
        start_run(scenario)
    assert same.value.run == first
    assert Run.objects.count() == 1


def test_other_options_or_data_make_another_run() -> None:
    scenario = baseline(make_furniture())
    runs = [start_run(scenario), start_run(scenario, RunOptions(gap=0.01))]
    Machine.objects.update(available_hours=7)
    assert start_run(scenario) not in runs


def test_an_ended_or_stopped_run_is_repeated() -> None:
    scenario = baseline(make_furniture())
    first = start_run(scenario)
    execute(first.pk, 1)
    second = start_run(scenario)
    stop_run(second, "anna")
    assert start_run(scenario).pk not in (first.pk, second.pk)


def test_a_command_that_solves_here_and_now_does_so() -> None:
    scenario = baseline(make_furniture())
    start_run(scenario)
    assert start_run(scenario, here=True).pk

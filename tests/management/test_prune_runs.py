"""prune_runs: what it says, and what it refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from planning.models import Plant, Run
from tests.factories import make_furniture, make_run
from tests.reference.commands import run_command

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant() -> Plant:
    """Return a plant with a run that ended long ago, and one that has not ended."""
    plant = make_furniture()
    make_run(plant, state="solved", finished_at=timezone.now() - timedelta(days=40))
    make_run(plant)
    return plant


def test_it_removes_and_says_what(plant: Plant) -> None:
    assert run_command("prune_runs", "--keep-days", "30") == (
        0,
        "Removed 1 run, 0 sets and 0 stored copies (0.0 MB).\n",
    )
    assert [run.state for run in Run.objects.all()] == ["queued"]


def test_a_dry_run_only_says(plant: Plant) -> None:
    code, said = run_command("prune_runs", "--keep-days", "30", "--dry-run")
    assert (code, said) == (0, "Would remove 1 run, 0 sets and 0 stored copies (0.0 MB).\n")
    assert Run.objects.count() == 2


def test_the_last_of_each_scenario_are_kept_where_asked(plant: Plant) -> None:
    assert "0 runs" in run_command("prune_runs", "--keep-days", "0", "--keep-last", "2")[1]
    assert "0 runs" in run_command("prune_runs", "--keep-days", "0", "--copies-only")[1]
    assert Run.objects.count() == 2


@pytest.mark.parametrize(
    "options",
    [
        ["--keep-days", "-1"],
        ["--keep-days", "nan"],
        ["--keep-days", "1e300"],
        ["--keep-days", "1", "--keep-last", "-2"],
    ],
)
def test_days_and_numbers_that_make_no_sense_are_refused(
    plant: Plant, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("prune_runs", *options)[0] == 2
    assert capsys.readouterr().err
    assert Run.objects.count() == 2

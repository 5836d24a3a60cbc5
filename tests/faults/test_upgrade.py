"""The program changes between a run's start and its turn: the run says so, and can be started again."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from planning.lx import FORMAT_VERSION
from planning.models import Plant, Run, RunCopy
from tests.faults.nursery import Nursery
from tests.faults.truth import assert_a_new_run_works, assert_best, assert_ended, states


@pytest.mark.parametrize("version", [FORMAT_VERSION - 1, FORMAT_VERSION + 1])
def test_the_copies_have_another_format(version: int, run: Run, furniture: Plant, nursery: Nursery) -> None:
    RunCopy.objects.update(format_version=version)
    assert nursery.start("execute_run", run.pk, 1).wait() == 0
    assert_ended(run, "failed", "another version of the program", f"format {version}", "Run the scenario again.")
    assert states(run) == ["queued 1", "running 1", "failed 1"]
    assert_a_new_run_works(furniture)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"threads": 4}, "does not know the options threads. Run the scenario again."),
        ({"solver": "pulp:NOT_INSTALLED"}, "NOT_INSTALLED"),
    ],
)
def test_a_process_does_not_know_the_run_s_options(
    more: dict[str, Any], words: str, run: Run, furniture: Plant, nursery: Nursery
) -> None:
    Run.objects.update(options=run.options | more)
    assert nursery.start("execute_run", run.pk, 1).wait() == 0
    assert_ended(run, "failed", words)
    assert "program failed" not in run.reason
    assert_a_new_run_works(furniture)


def test_the_site_s_key_was_changed_and_the_older_one_is_still_taken(run: Run, nursery: Nursery) -> None:

    process = nursery.start(
        "execute_run",
        run.pk,
        1,
        SETTINGS__SECRET_KEY="another key",
        SETTINGS__SECRET_KEY_FALLBACKS=[settings.SECRET_KEY],
    )
    assert process.wait() == 0
    assert_best(run)


def test_the_site_s_key_was_changed_and_the_older_one_is_not_taken(
    run: Run, furniture: Plant, nursery: Nursery
) -> None:
    assert nursery.start("execute_run", run.pk, 1, SETTINGS__SECRET_KEY="another key").wait() == 0
    assert_ended(run, "failed", "The stored copy was altered.")
    assert_a_new_run_works(furniture)

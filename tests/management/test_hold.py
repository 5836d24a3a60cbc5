"""`solve_plan --after`: holding on to an earlier plan from the shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.reference.commands import run_command
from tests.runs.test_hold import dearer_tables, made, make_shop, planned

pytestmark = pytest.mark.django_db


def test_the_options_hold_and_say_what_moved(tmp_path: Path) -> None:
    plant = make_shop(tmp_path)
    first = planned(plant)
    dearer_tables(plant)
    code, printed = run_command("solve_plan", "--after", str(first.pk), "--hold-periods", "2", "--format", "json")
    shown = json.loads(printed)
    assert code == 0
    assert shown["moved"]["run"] == first.pk
    assert shown["moved"]["units"] == pytest.approx(6.0)
    assert made(first)["Chair", "2"] == 6
    code, printed = run_command("solve_plan", "--after", str(first.pk))
    assert f"Against run {first.pk}: 24 machine hours and 18 units moved, no order changed." in printed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--hold-periods", "1"], "Say which run to hold on to: --after RUN."),
        (["--move-cost", "2"], "Say which run to hold on to: --after RUN."),
        (["--after", "1", "--hold-whole"], "Say how many periods to hold"),
        (["--after", "1", "--hold-periods", "-1"], "numbers from 0 on"),
        (["--after", "1", "--move-cost", "nan"], "numbers from 0 on"),
        (["--after", "77"], "There is no run 77 of this plant that has a plan"),
    ],
)
def test_what_makes_no_sense_is_bad_input(options: list[str], said: str, tmp_path: Path) -> None:
    make_shop(tmp_path)
    code, printed = run_command("solve_plan", *options, "--format", "json")
    assert code == 2
    assert said in json.loads(printed)["errors"][0]["text"]

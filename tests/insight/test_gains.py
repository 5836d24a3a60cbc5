"""What the optimiser won against a plan by hand: which is true, and never the better one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from planning.by_hand import NoSimplePlan, plan_by_hand
from planning.formulation import Plan, build_model
from planning.insight import NotMadeYet, gains, make_by_hand
from planning.models import BASELINE, Plant, Run
from planning.runs import BY_HAND, RunOptions, check_unstored, execute, start_run
from planning.runs.solve import solve_copy
from planning.snapshot import DataProblems, Hold, Snapshot, take_snapshot
from tests.conftest import PLANTS_DIR
from tests.factories import solved_here
from tests.formulation.small_plants import baseline, bring, snapshot_of, weeks
from tests.reference.commands import bring_in, run_command
from tests.reference.random_plants import random_plant, write_folder
from tests.runs.rich_plant import make_rich

pytestmark = pytest.mark.django_db

COUNT = int(os.environ.get("RANDOM_PLANTS", "16"))
EXACT = RunOptions(gap=1e-6)
SAW = {
    "machines": [{"name": "Saw", "available_hours": 10}],
    "production_recipes": [{"product": "Chair", "machine": "Saw", "hours_required": 1}],
}


def solved(plant: Plant, **options: Any) -> Run:
    """Return a run of the Baseline that is solved in this process."""
    return solved_here(start_run(baseline(plant), EXACT, here=True, **options))


def published(name: str) -> Run:
    bring_in(PLANTS_DIR / name)
    return solved(Plant.objects.get())


# --- everywhere -----------------------------------------------------------------------------


@pytest.mark.parametrize("targets", [False, True])
@pytest.mark.parametrize("seed", range(COUNT))
def test_a_plan_by_hand_is_true_and_never_the_better_one(seed: int, targets: bool, tmp_path: Path) -> None:
    bring_in(write_folder(random_plant(seed, orders=targets, goals=targets), tmp_path))
    try:
        snapshot = take_snapshot(Plant.objects.get().pk, BASELINE)
        model = build_model(snapshot)
    except DataProblems:
        return
    best = solve_copy(model, EXACT)
    try:
        plan = plan_by_hand(snapshot)
    except NoSimplePlan:
        return
    levels = check_unstored(snapshot, plan)
    if best.plan is None:
        assert best.termination == "unbounded", "what allows no plan allows none by hand"
        return
    assert_not_better(snapshot, plan, levels, best.plan, check_unstored(snapshot, best.plan))


def assert_not_better(
    snapshot: Snapshot, plan: Plan, levels: list[dict[str, float]], best: Plan, reached: list[dict[str, float]]
) -> None:
    """Assert that profit, or what comes before it, is no better than the best."""
    if snapshot.goal_mode == "weighted":
        assert weighed(plan, levels) <= weighed(best, reached) + 1e-4 * max(1.0, abs(weighed(best, reached)))
        return
    for by_hand, optimal in zip(levels, reached, strict=True):
        room = 1e-5 * max(1.0, optimal["deviation"])
        assert by_hand["deviation"] >= optimal["deviation"] - room, f"priority {optimal['priority']}"
        if by_hand["deviation"] > optimal["deviation"] + room:
            return
    assert plan.objective <= best.objective + 1e-4 * max(1.0, abs(best.objective))


def weighed(plan: Plan, levels: list[dict[str, float]]) -> float:
    return plan.objective - sum(10 ** (7 - level["priority"]) * level["deviation"] for level in levels)


def test_a_plan_by_hand_uses_every_part_of_the_rich_plant(tmp_path: Path) -> None:
    run = solved(make_rich(tmp_path))
    found = gains(run)
    assert found.missed or found.profit.difference >= 0
    assert {pair.kind for pair in found.made} == {"made"}


# --- words ----------------------------------------------------------------------------------


def test_what_takes_the_clay_is_told_with_what_it_earns() -> None:
    found = gains(published("beaver_creek"))
    assert found.summary == "The optimised plan earns 1,360 USD, the plan by hand 1,200: 160 (13.33 %) more."
    assert found.differences == (
        "Makes 6 bowl less: its clay goes to mug, which earns 16.67 per unit of clay against 10.",
        "Makes 8 mug more.",
    )
    assert (found.profit.by_hand, found.profit.optimised) == (pytest.approx(1200), pytest.approx(1360))


def test_setups_that_are_saved_and_work_that_is_done_ahead_are_told() -> None:
    found = gains(published("gams_clsp"))
    assert "Sets C up twice instead of 4 times, which saves 600 USD." in found.differences
    assert any(sentence.endswith("ahead of its time.") for sentence in found.differences)


def test_orders_come_before_profit() -> None:
    found = gains(published("lumix_step3_orders"))
    assert found.summary.startswith(
        "Orders and goals come before profit: of priority 1 the optimised plan misses 41, the plan by hand 80.71: "
        "39.71 less."
    )
    assert "Makes 14.29 Desk less: its Wood goes to Chair, for orders that come first." in found.differences
    assert found.orders[0].name == "SO-003"
    assert found.in_full is not None


def test_where_both_are_the_best_it_says_so() -> None:
    found = gains(published("wyndor"))
    assert found.summary == "Both plans earn 36 USD."
    assert found.differences == ()


# --- where there is none --------------------------------------------------------------------


def test_demand_that_the_rules_do_not_meet_is_said_in_words(tmp_path: Path) -> None:
    plant = bring(tmp_path, products=[{"name": "Chair", "min_demand": 12}], **SAW)
    with pytest.raises(NoSimplePlan, match=r"Least demand of Chair can't be met by hand: 2 are missing\."):
        plan_by_hand(snapshot_of(plant))


def test_a_plan_that_keeps_to_an_earlier_one_is_not_compared(tmp_path: Path) -> None:
    plant = bring(
        tmp_path, periods=weeks(2), products=[{"name": "Chair", "profit_per_unit": 1, "max_demand": 6}], **SAW
    )
    first = solved(plant)
    with pytest.raises(NoSimplePlan, match="keeps to an earlier plan"):
        gains(solved(plant, hold=Hold(first.pk, 1)))


def test_a_large_plant_gets_a_run_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = published("beaver_creek")
    at_once = gains(run)
    monkeypatch.setattr("planning.insight.won.AT_ONCE", 1)
    with pytest.raises(NotMadeYet) as caught:
        gains(run)
    assert caught.value.run is None
    assert gains(run, wait=True) == at_once
    (made,) = make_by_hand(run, here=True).runs
    with pytest.raises(NotMadeYet) as caught:
        gains(run)
    assert caught.value.run == made
    made = execute(made.pk, made.attempt)
    assert (made.status, made.plan_checked, made.options["solver"]) == ("feasible", True, BY_HAND)
    assert made.reason.startswith("Planned by hand")
    assert gains(run) == at_once
    with pytest.raises(NoSimplePlan, match="itself planned by hand"):
        gains(made)


def test_the_shell_explains_a_run() -> None:
    run = published("beaver_creek")
    code, printed = run_command("explain_run", str(run.pk))
    assert code == 0
    assert "5 more hours of labor bring about 80 USD" in printed
    assert "Makes 6 bowl less: its clay goes to mug" in printed
    assert run_command("explain_run", "99999")[0] == 2

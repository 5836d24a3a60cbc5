"""Remedies that were tried hold when they are applied through the app."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from planning.insight import NoRemedy, NotUndone, Subject, find_subject, make_scenario, remedies, trials, try_remedies
from planning.insight.remedies import rounded_up
from planning.insight.solved_plan import solved_plan
from planning.insight.subjects import subjects
from planning.insight.trials import Trial
from planning.models import Plant, Product, ProductBalance, Run, RunSet, Scenario, ScenarioChange
from planning.runs import RunOptions, start_run, start_variations
from planning.snapshot import DataProblems
from tests.conftest import PLANTS_DIR
from tests.factories import solved_here
from tests.formulation.small_plants import baseline, bring, weeks
from tests.reference.commands import bring_in
from tests.reference.random_plants import random_plant, write_folder
from tests.runs.rich_plant import make_rich

pytestmark = pytest.mark.django_db

COUNT = int(os.environ.get("RANDOM_PLANTS", "16")) // 2
EXACT = RunOptions(gap=1e-9)


def solved(scenario: Scenario) -> Run:
    return solved_here(start_run(scenario, EXACT, here=True))


def published(name: str) -> Run:
    bring_in(PLANTS_DIR / name)
    return solved(baseline(Plant.objects.get()))


def subject_of(run: Run, row: str) -> Subject:
    return next(subject for subject in subjects(run, solved_plan(run)) if subject.row == row)


def tried(run: Run, subject: Subject) -> dict[str, Trial]:
    """Try the remedies and return what they bring, by what they are."""
    for one in try_remedies(run, subject, here=True).runs:
        solved_here(one)
    (found,) = [one for one in trials(run) if one.key == subject.key]
    assert not found.is_open
    return {trial.sentence: trial for trial in found.trials}


def assert_holds(run: Run, subject: Subject, trial: Trial) -> None:
    """Make the remedy a scenario, solve that, and find what the trial had said."""
    after = solved(make_scenario(trial, "Remedy"))
    if trial.profit_after is None:
        assert after.objective is None
        return
    assert after.objective == pytest.approx(trial.profit_after, rel=1e-6, abs=1e-5)
    assert trial.profit_before == run.objective
    assert trial.more_got is not None
    assert got(after, subject) - got(run, subject) == pytest.approx(trial.more_got, abs=1e-5)


def got(run: Run, subject: Subject) -> float:
    """Return what a subject gets in a run, from its stored rows."""
    if subject.kind in ("order", "late"):
        row = run.orderresult_rows.get(reference=subject.row)
        return row.delivered - (row.late if subject.kind == "late" else 0.0)
    rows = ProductBalance.objects.filter(run=run, product=subject.product)
    if subject.kind in ("short", "backlog"):
        return -float(getattr(rows.get(period=subject.period), subject.kind))
    return float(sum(row.made if subject.kind == "never_made" else row.sold for row in rows))


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("lumix_step2_furniture", "Table"),
        ("lumix_step3_orders", "SO-001"),
        ("lumix_step4_weeks", "SO-004"),
        ("rylon", "luxury_chanelle"),
    ],
)
def test_what_is_shown_of_a_published_plant_holds_when_it_is_applied(name: str, row: str) -> None:
    run = published(name)
    subject = subject_of(run, row)
    found = tried(run, subject)
    assert any(trial.helps for trial in found.values())
    for trial in found.values():
        assert_holds(run, subject, trial)


def test_what_helps_an_order_is_sized_from_what_it_misses() -> None:
    run = published("lumix_step3_orders")
    subject = subject_of(run, "SO-002")
    found = tried(run, subject)
    assert {sentence: trial.effect for sentence, trial in found.items()} == {
        "400 board feet more of Wood": "nothing missing instead of 16, profit 1,920 USD higher",
        "Let SO-002 weigh 10 times as much as it does": "nothing missing instead of 16, profit 330 USD lower",
        "All of it: 400 board feet more of Wood; Let SO-002 weigh 10 times as much as it does": (
            "nothing missing instead of 16, profit 1,920 USD higher"
        ),
        "Allow buying 16 units of Table at 120 USD each, what one earns": (
            "nothing missing instead of 16, with the same profit"
        ),
    }


def test_remedies_of_a_rich_plant_hold(tmp_path: Path) -> None:
    run = solved(baseline(make_rich(tmp_path)))
    chosen = [s for s in subjects(run, solved_plan(run)) if s.kind in ("late", "short")]
    for subject in chosen:
        found = tried(run, subject)
        assert any(trial.helps for trial in found.values())
        for trial in list(found.values())[:3]:
            assert_holds(run, subject, trial)


@pytest.mark.parametrize("seed", range(COUNT))
def test_remedies_of_a_random_plant_hold(seed: int, tmp_path: Path) -> None:
    bring_in(write_folder(random_plant(seed, orders=True), tmp_path))
    try:
        run = solved(baseline(Plant.objects.get()))
    except DataProblems:
        return
    if run.objective is None:
        return
    first = {subject.kind: subject for subject in reversed(subjects(run, solved_plan(run)))}
    for subject in first.values():
        try:
            found = tried(run, subject)
        except NoRemedy:
            continue
        for trial in found.values():
            assert_holds(run, subject, trial)


# --- the data that are tried ----------------------------------------------------------------


def short_of_hours(folder: Path, **more: Any) -> Plant:
    return bring(
        folder,
        **{
            "products": [{"name": "Chair", "profit_per_unit": 10}],
            "machines": [{"name": "Saw", "available_hours": 5, "units": 2}],
            "production_recipes": [{"product": "Chair", "machine": "Saw", "hours_required": 1}],
            "customers": [{"name": "Ada"}],
            "customer_orders": [
                {"reference": "O1", "customer": "Ada", "product": "Chair", "period": "1", "target_quantity": 14}
            ],
            **more,
        },
    )


def test_remedies_are_tried_on_what_the_run_was_solved_with(tmp_path: Path) -> None:
    plant = short_of_hours(tmp_path)
    run = solved(baseline(plant))
    Product.objects.filter(plant=plant).update(profit_per_unit=99)
    found = tried(run, subject_of(run, "O1"))
    more = found["2 hours more of Saw for each of 2 units"]
    assert (more.missing_after, more.profit_after) == (pytest.approx(0.0), pytest.approx(140.0))


def test_the_remedies_of_a_variation_keep_its_changes(tmp_path: Path) -> None:
    plant = short_of_hours(tmp_path)
    fewer = [{"table": "machines", "row": "Saw", "field": "available_hours", "operation": "set", "value": 3}]
    run = start_variations(scenario=baseline(plant), variations=[fewer], options=EXACT, here=True).runs[0]
    run = solved_here(run)
    subject = subject_of(run, "O1")
    more = tried(run, subject)["4 hours more of Saw for each of 2 units"]
    assert more.missing_after == pytest.approx(0.0)
    assert_holds(run, subject, more)


def test_an_order_may_come_late_and_overtime_grows(tmp_path: Path) -> None:
    saw = {"name": "Saw", "available_hours": 8, "max_overtime_hours": 2, "overtime_cost_per_hour": 1}
    run = solved(baseline(short_of_hours(tmp_path, periods=weeks(2), machines=[saw])))
    found = tried(run, subject_of(run, "O1"))
    assert found["4 hours more of overtime on Saw in period 1"].missing_after == pytest.approx(0.0)
    assert found["Let O1 come late, at no cost"].missing_after == pytest.approx(0.0)


def test_a_product_that_is_not_active_is_made_active(tmp_path: Path) -> None:
    products = [{"name": "Chair", "profit_per_unit": 10, "active": False}]
    run = solved(baseline(short_of_hours(tmp_path, products=products)))
    found = tried(run, subject_of(run, "O1"))
    assert {sentence: trial.missing_after for sentence, trial in found.items()} == {
        "Make Chair active": pytest.approx(4.0)
    }


def test_a_remedy_that_the_data_do_not_allow_is_left_out(tmp_path: Path) -> None:
    products = [{"name": "Chair", "min_demand": 5, "active": False}]  # once active, there is no way to get it
    plant = short_of_hours(tmp_path, products=products, machines=[], production_recipes=[])
    run = solved(baseline(plant))
    subject = subject_of(run, "O1")
    assert [remedy.kind for remedy in remedies(run, subject)] == ["active"]
    with pytest.raises(NoRemedy, match="nothing to try"):
        try_remedies(run, subject, here=True)
    assert not RunSet.objects.exists()


def test_a_set_that_was_tried_stays_when_its_run_goes(tmp_path: Path) -> None:
    run = solved(baseline(short_of_hours(tmp_path)))
    tried(run, subject_of(run, "O1"))
    run.delete()
    assert RunSet.objects.get().tried_for is None
    assert Run.objects.exists()


def test_what_is_not_undone_has_no_remedy(tmp_path: Path) -> None:
    run = solved(baseline(short_of_hours(tmp_path)))
    with pytest.raises(NotUndone, match="O2"):
        find_subject(run, {"kind": "order", "row": "O2", "period": "1"})


def test_a_scenario_of_a_remedy_stands_on_the_runs_scenario(tmp_path: Path) -> None:
    plant = short_of_hours(tmp_path)
    run = solved(baseline(plant))
    trial = tried(run, subject_of(run, "O1"))["2 hours more of Saw for each of 2 units"]
    first, second = make_scenario(trial, "More hours"), make_scenario(trial, "More hours")
    assert (first.name, second.name, first.parent) == ("More hours", "More hours (2)", baseline(plant))
    (change,) = ScenarioChange.objects.filter(scenario=first).values_list("table", "row", "field", "operation", "value")
    assert change == ("machines", "Saw", "available_hours", "add", 2.0)
    Run.objects.filter(pk=trial.run.pk).update(scenario_name="Gone")
    (gone,) = [one for one in trials(run)[0].trials if one.run.pk == trial.run.pk]
    with pytest.raises(NoRemedy, match="is gone"):
        make_scenario(gone, "More hours")


@pytest.mark.parametrize(
    ("value", "rounded"), [(4.2143, 4.22), (755, 755), (0.71429, 0.715), (1234.5, 1240), (2, 2), (0, 0)]
)
def test_amounts_are_rounded_up_to_three_digits(value: float, rounded: float) -> None:
    assert rounded_up(value) == pytest.approx(rounded, rel=1e-12)

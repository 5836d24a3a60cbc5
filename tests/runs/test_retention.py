"""Old runs go with all that is theirs; what has not ended, is among the last, or is relied on stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import RestrictedError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from planning.models import RESULT_TABLES, Approval, Plant, Run, RunCopy, RunMove, RunSet, Scenario, SetCopy
from planning.runs import Pruned, execute, prune, start_run, start_set, start_variations
from planning.snapshot import Hold
from tests.factories import make_furniture, make_run, make_solved_run
from tests.formulation.small_plants import baseline

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(days=100)


@pytest.fixture
def plant() -> Plant:
    return make_furniture()


def let_age(*runs: Run, time: timedelta = LONG_AGO) -> None:
    """Make it long since the runs ended; sets are as old."""
    when = timezone.now() - time
    Run.objects.filter(pk__in=[run.pk for run in runs]).exclude(finished_at=None).update(finished_at=when)
    RunSet.objects.update(created_at=when)


def solved(plant: Plant, scenario: Scenario | None = None, *, age: timedelta = LONG_AGO) -> Run:
    """Return a run that ended so long ago."""
    run = start_run(scenario or baseline(plant), here=True)
    execute(run.pk, 1)
    let_age(run, time=age)
    return run


def varied(plant: Plant, count: int = 2) -> list[Run]:
    """Return the runs of a set of variations that ended long ago."""
    wood = {"table": "raw_materials", "row": "Wood", "field": "available_quantity"}
    variations = [[wood | {"value": 400 + number}] for number in range(count)]
    runs = start_variations(scenario=baseline(plant), variations=variations, here=True).runs
    for run in runs:
        execute(run.pk, 1)
    let_age(*runs)
    return runs


def left() -> list[int]:
    return list(Run.objects.order_by("id").values_list("pk", flat=True))


class TestWhatGoes:
    def test_an_old_run_goes_with_its_results_copy_and_moves(self, plant: Plant) -> None:
        run = solved(plant)
        size = len(run.copy.content)
        assert prune(keep_days=30) == Pruned(runs=1, copies=1, copy_bytes=size)
        for table in (Run, RunCopy, RunMove, *RESULT_TABLES):
            assert not table._default_manager.exists(), table

    @pytest.mark.parametrize("state", [state for state in Run.State.values if state not in Run.OPEN_STATES])
    def test_however_it_ended(self, plant: Plant, state: str) -> None:
        make_run(plant, state=state, finished_at=timezone.now() - LONG_AGO)
        assert prune(keep_days=30).runs == 1

    def test_a_set_goes_with_its_last_run_and_its_copy(self, plant: Plant) -> None:
        varied(plant)
        gone = prune(keep_days=30)
        assert (gone.runs, gone.sets, gone.copies) == (2, 1, 3)
        assert not RunSet.objects.exists()
        assert not SetCopy.objects.exists()

    def test_many_go_in_several_steps(self, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("planning.runs.retention._TOGETHER", 2)
        varied(plant, 5)
        assert prune(keep_days=30).runs == 5
        assert not SetCopy.objects.exists()

    def test_more_rows_take_no_more_queries(self, plant: Plant) -> None:
        def queries(count: int) -> int:
            for _ in range(count):
                Run.objects.filter(pk=make_solved_run(plant).pk).update(finished_at=timezone.now() - LONG_AGO)
            with CaptureQueriesContext(connection) as asked:
                assert prune(keep_days=30).runs == count
            return len(asked)

        assert queries(1) == queries(8)

    def test_a_set_whose_runs_were_deleted_by_hand_goes_too(self, plant: Plant) -> None:
        varied(plant)
        Run.objects.all().delete()
        assert prune(keep_days=30).sets == 1
        assert not SetCopy.objects.exists()


class TestWhatStays:
    def test_what_ended_since(self, plant: Plant) -> None:
        new, old = solved(plant, age=timedelta(days=29)), solved(plant, age=timedelta(days=31))
        prune(keep_days=30)
        assert left() == [new.pk]
        assert old.pk not in left()

    @pytest.mark.parametrize("state", Run.OPEN_STATES)
    def test_what_has_not_ended(self, plant: Plant, state: str) -> None:
        run = make_run(plant, state=state, finished_at=timezone.now() - LONG_AGO)
        assert prune(keep_days=0) == Pruned()
        assert left() == [run.pk]

    def test_the_last_of_each_scenario(self, plant: Plant) -> None:
        other = plant.scenarios.create(name="Other")
        first, second, third = (solved(plant) for _ in range(3))
        alone = solved(plant, other)
        elsewhere = solved(make_furniture("Elsewhere"))
        prune(keep_days=30, keep_last=2)
        assert left() == [second.pk, third.pk, alone.pk, elsewhere.pk]
        assert first.pk not in left()

    def test_the_last_of_a_scenario_are_not_pushed_out_by_variations(self, plant: Plant) -> None:
        run = solved(plant)
        runs = varied(plant, 4)
        prune(keep_days=30, keep_last=1)
        assert left() == [run.pk, runs[-1].pk]

    def test_all_of_a_set_that_is_open(self, plant: Plant) -> None:
        runs = varied(plant, 3)
        Run.objects.filter(pk=runs[2].pk).update(state="queued", finished_at=None)
        assert prune(keep_days=30) == Pruned()
        assert len(left()) == 3

    def test_an_approved_one_now_or_before(self, plant: Plant) -> None:
        runs = [solved(plant) for _ in range(3)]
        Approval.objects.create(plant=plant, run=runs[0], ended_at=timezone.now())
        Approval.objects.create(plant=plant, run=runs[1])
        prune(keep_days=30)
        assert left() == [runs[0].pk, runs[1].pk]

    def test_the_copy_that_an_approved_variation_holds(self, plant: Plant) -> None:
        runs = varied(plant, 3)
        Approval.objects.create(plant=plant, run=runs[1])
        gone = prune(keep_days=30)
        assert (gone.runs, gone.sets, gone.copies) == (2, 0, 2)
        assert SetCopy.objects.count() == 1
        assert left() == [runs[1].pk]

    def test_one_that_a_later_run_holds_on_to_stays_as_long_as_that(self, plant: Plant) -> None:
        first = solved(plant)
        later = start_run(baseline(plant), here=True, hold=Hold(first.pk, periods=1))
        execute(later.pk, 1)
        prune(keep_days=30)
        assert left() == [first.pk, later.pk]
        let_age(later)
        prune(keep_days=30)
        prune(keep_days=30)
        assert left() == []

    def test_the_copies_of_others(self, plant: Plant) -> None:
        plant.scenarios.create(name="Other")
        kept = start_set(scenarios=list(plant.scenarios.order_by("id")), here=True)
        solved(plant)
        prune(keep_days=30)
        assert left() == [run.pk for run in kept.runs]
        assert [execute(run.pk, 1).state for run in kept.runs] == ["solved", "solved"]


class TestCopiesOnly:
    def test_the_results_stay(self, plant: Plant) -> None:
        run = solved(plant)
        assert prune(keep_days=30, copies_only=True).copies == 1
        assert left() == [run.pk]
        assert run.production_rows.exists()
        assert not RunCopy.objects.exists()
        assert prune(keep_days=30, copies_only=True) == Pruned()

    def test_that_of_a_set_goes_with_the_last_run_that_is_bound_to_it(self, plant: Plant) -> None:
        runs = varied(plant, 2)
        approval = Approval.objects.create(plant=plant, run=runs[0])
        assert prune(keep_days=30, copies_only=True).copies == 1
        assert SetCopy.objects.exists()
        approval.delete()
        assert prune(keep_days=30, copies_only=True).copies == 2
        assert not SetCopy.objects.exists()
        assert len(left()) == 2
        assert RunSet.objects.exists()


@pytest.mark.parametrize("options", [{}, {"copies_only": True}, {"keep_last": 1}])
def test_a_dry_run_says_what_would_go_and_removes_nothing(plant: Plant, options: dict[str, Any]) -> None:
    solved(plant)
    Approval.objects.create(plant=plant, run=varied(plant, 3)[0])
    varied(plant)
    said = prune(keep_days=30, dry_run=True, **options)
    assert (Run.objects.count(), RunSet.objects.count(), RunCopy.objects.count()) == (6, 2, 6)
    assert said == prune(keep_days=30, **options) != Pruned()


class TestApproval:
    def test_one_of_a_plant_is_current(self, plant: Plant) -> None:
        first, second = solved(plant), solved(plant)
        held = Approval.objects.create(plant=plant, run=first)
        with pytest.raises(IntegrityError), transaction.atomic():
            Approval.objects.create(plant=plant, run=second)
        Approval.objects.filter(pk=held.pk).update(ended_at=timezone.now())
        Approval.objects.create(plant=plant, run=second)
        other = make_furniture("Other")
        Approval.objects.create(plant=other, run=solved(other))

    def test_its_run_can_not_be_deleted(self, plant: Plant) -> None:
        run = solved(plant)
        Approval.objects.create(plant=plant, run=run)
        with pytest.raises(RestrictedError):
            run.delete()

    def test_the_plant_goes_with_it(self, plant: Plant) -> None:
        Approval.objects.create(plant=plant, run=solved(plant))
        plant.delete()
        assert not Approval.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_database_itself_refuses_to_delete_an_approved_run(plant: Plant) -> None:
    run = make_run(plant, state="solved")
    Approval.objects.create(plant=plant, run=run)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM planning_run WHERE id = %s", [run.pk])
    assert left() == [run.pk]

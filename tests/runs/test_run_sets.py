"""Sets of runs: started together, each living by itself, counted, gathered and stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from planning.models import Machine, Plant, Product, Run, RunCopy, RunSet, SetCopy
from planning.runs import (
    BadVariations,
    RunOptions,
    SameRun,
    StartedSet,
    execute,
    execute_in_turn,
    gather,
    queue_position,
    set_progress,
    start_run,
    start_set,
    start_variations,
    stop_run,
    stop_set,
)
from planning.runs.runners import take_next
from planning.snapshot import DataProblems
from tests.factories import BEST_PROFIT, make_furniture, make_user
from tests.formulation.small_plants import baseline
from tests.reference.commands import bring_in
from tests.runs.rich_plant import make_rich

pytestmark = pytest.mark.django_db

WOOD = {"table": "raw_materials", "row": "Wood", "field": "available_quantity"}
BARE = {"operation": "multiply", "value": 0.1}  # too little for the demand


@pytest.fixture
def plant() -> Plant:
    return make_furniture()


def wood(*values: float) -> list[list[dict[str, Any]]]:
    """Return a variation for each amount of wood."""
    return [[WOOD | {"value": value}] for value in values]


def varied(plant: Plant, *values: float, **options: Any) -> StartedSet:
    return start_variations(scenario=baseline(plant), variations=wood(*values), here=True, **options)


def executed(started: StartedSet) -> list[Run]:
    """Return the runs of the set after all were executed here."""
    for run in started.runs:
        execute(run.pk, run.attempt)
    assert started.run_set is not None
    return gather(run_set=started.run_set)


class TestVariations:
    def test_each_is_solved_as_a_scenario_with_these_changes_would_be(self, plant: Plant) -> None:
        changes = [
            WOOD | {"value": 450},
            {"table": "products", "row": "Chair", "field": "profit_per_unit", "value": 90},
        ]
        scenario = plant.scenarios.create(name="Both")
        for change in changes:
            scenario.scenario_changes.create(**change)
        started = start_variations(scenario=baseline(plant), variations=[changes, []], here=True)
        both, none = executed(started)
        alone = start_run(scenario, here=True)
        assert both.objective == execute(alone.pk, 1).objective
        assert none.objective == pytest.approx(BEST_PROFIT, rel=1e-9)
        assert [run.plan_checked for run in (both, none)] == [True, True]

    def test_they_apply_after_the_changes_of_the_scenario(self, plant: Plant) -> None:
        scenario = plant.scenarios.create(name="Little")
        scenario.scenario_changes.create(**WOOD, value=400)
        half = [WOOD | {"operation": "add", "value": 50}]
        (run,) = executed(start_variations(scenario=scenario, variations=[half], here=True))
        plant.scenarios.create(name="Same").scenario_changes.create(**WOOD, value=450)
        same = start_run(plant.scenarios.get(name="Same"), here=True)
        assert run.objective == execute(same.pk, 1).objective

    def test_they_act_on_one_period_of_a_copy_in_which_a_scenario_acted_on_all(self, tmp_path: Path) -> None:
        plant = make_rich(tmp_path)
        saw = {"table": "machines", "row": "Saw", "field": "available_hours"}
        first, second = saw | {"operation": "multiply", "value": 0.9}, saw | {"period": "2", "value": 3}
        scenario, whole = plant.scenarios.create(name="First"), plant.scenarios.create(name="Whole")
        scenario.scenario_changes.create(**first)
        for change in (first, second):
            whole.scenario_changes.create(**change)
        (run,) = executed(start_variations(scenario=scenario, variations=[[second]], here=True))
        alone = start_run(whole, here=True)
        assert run.objective == pytest.approx(execute(alone.pk, 1).objective, rel=1e-9)
        assert run.state == "solved", run.reason

    @pytest.mark.parametrize("mode", ["lexicographic", "weighted"])
    def test_orders_and_goals_come_first_in_them_too(self, mode: str, plants_dir: Path) -> None:
        bring_in(plants_dir / "lumix_step3_orders")
        plant = Plant.objects.get()
        half = {"table": "machines", "row": "*", "field": "available_hours", "operation": "multiply", "value": 0.5}
        base, scenario = (plant.scenarios.create(name=name, goal_mode=mode) for name in ("Base", "Half"))
        scenario.scenario_changes.create(**half)
        (run,) = executed(start_variations(scenario=base, variations=[[half]], here=True))
        alone = start_run(scenario, here=True)
        same = execute(alone.pk, 1)
        assert (run.state, run.objective, run.levels) == (same.state, same.objective, same.levels)
        assert run.levels
        assert run.orderresult_rows.count() == same.orderresult_rows.count() > 0

    def test_the_bytes_of_the_copy_are_stored_once(self, plant: Plant) -> None:
        started = varied(plant, *range(300, 320))
        assert SetCopy.objects.count() == 1
        sizes = {len(copy.content) for copy in RunCopy.objects.all()}
        assert (RunCopy.objects.count(), sizes) == (20, {32})
        assert len({copy.sha256 for copy in RunCopy.objects.all()}) == 20
        assert len(started.runs) == 20

    def test_later_edits_of_the_plant_do_not_touch_them(self, plant: Plant) -> None:
        started = varied(plant, 500)
        Product.objects.update(profit_per_unit=0)
        (run,) = executed(started)
        assert run.objective == pytest.approx(BEST_PROFIT, rel=1e-9)

    def test_what_deserves_a_look_stands_with_its_run(self, plant: Plant) -> None:
        _, same = varied(plant, 400, 500).runs
        same.refresh_from_db()
        assert [warning["text"] for warning in same.warnings] == [
            'The variation, set available_quantity of raw_materials "Wood" changes no value.'
        ]

    def test_more_of_them_take_no_more_queries(self, plant: Plant) -> None:
        def queries(count: int) -> int:
            with CaptureQueriesContext(connection) as asked:
                varied(plant, *range(400, 400 + count))
            return len(asked)

        queries(1)
        assert queries(2) == queries(20)  # SQLite takes some 25 runs in a statement


class TestBadVariations:
    """All are refused at once, with every problem, before anything is stored or sent."""

    def test_each_problem_is_named_with_its_variation(self, plant: Plant) -> None:
        variations: list[Any] = [
            [WOOD | {"value": 450}],
            [WOOD | {"row": "Woot", "value": 1}],
            [WOOD | {"value": -1}],
            [{"table": "products", "row": "Chair", "field": "min_demand", "value": 1000}],
            [WOOD | {"colour": "red"}],
            [WOOD | {"value": "much"}],
            [WOOD | {"value": float("nan")}],
            [WOOD | {"operation": "divide", "value": 2}],
            [{"table": "machines"}],
            "everything",
            [7],
            [WOOD | {"row": ["Wood"]}],
            [WOOD | {"value": 10**400}],
            [{"table": "customer_orders", "row": "*", "field": "active", "value": 1}],
        ]
        with pytest.raises(BadVariations) as refused:
            start_variations(scenario=baseline(plant), variations=variations)
        assert sorted(refused.value.problems) == list(range(2, len(variations) + 1))
        said = str(refused.value)
        for words in (
            'Variation 2: The variation, set available_quantity of raw_materials "Woot": there is no row "Woot". '
            "Did you mean: Wood?",
            "Variation 4: ",
            "Variation 5: A change has no column colour.",
            "Variation 6: The value of a change is 'much'.",
            "Variation 8: operation of change 1",
            "Variation 9: field of change 1",
            "Variation 10: A variation is a list of changes.",
        ):
            assert words in said, said
        assert not RunSet.objects.exists()
        assert not Run.objects.exists()

    def test_a_scenario_with_bad_data_makes_no_set(self, plant: Plant) -> None:
        Product.objects.create(plant=plant, name="Wish", min_demand=5)
        with pytest.raises(DataProblems, match="Wish"):
            varied(plant, 400)
        assert not RunSet.objects.exists()

    def test_what_only_the_model_can_tell_fails_its_own_run_in_words(self, tmp_path: Path) -> None:
        """A setup without a limit that the data prove."""
        plant = make_rich(tmp_path)
        free = [
            {"table": "routes", "row": "*", "field": "max_batch_size", "value": None},
            {"table": "production_recipes", "row": "*", "field": "hours_required", "value": 0},
            {"table": "material_requirements", "row": "*", "field": "quantity_required", "value": 0},
            {"table": "component_requirements", "row": "*", "field": "quantity_required", "value": 0},
            {"table": "products", "row": "*", "field": "max_demand", "value": None},
        ]
        bad, good = executed(start_variations(scenario=baseline(plant), variations=[free, []], here=True))
        assert bad.state == "failed"
        assert "The data do not allow a plan." in bad.reason
        assert "Chair" in bad.reason
        assert good.state == "solved"

    def test_none_at_all(self, plant: Plant) -> None:
        with pytest.raises(ValueError, match="at least one variation"):
            start_variations(scenario=baseline(plant), variations=[])


class TestScenarios:
    def test_each_gets_a_run_in_the_order_asked_for(self, plant: Plant) -> None:
        more = plant.scenarios.create(name="More")
        more.scenario_changes.create(**WOOD, value=600)
        user = make_user("anna", "run_scenario")
        started = start_set(
            scenarios=[more, baseline(plant)], name="Wood", about="Is it worth it?", user=user, here=True
        )
        first, second = executed(started)
        assert [first.scenario_name, second.scenario_name] == ["More", "Baseline"]
        assert first.objective is not None
        assert second.objective == pytest.approx(BEST_PROFIT, rel=1e-9)
        assert first.objective > second.objective
        assert started.run_set is not None
        assert (started.run_set.name, started.run_set.about, started.run_set.user) == ("Wood", "Is it worth it?", user)
        assert next(move.who for move in first.moves.all()) == "anna"

    def test_one_that_is_refused_does_not_keep_the_others_from_theirs(self, plant: Plant) -> None:
        bad = plant.scenarios.create(name="Bad")
        bad.scenario_changes.create(**WOOD | {"row": "Woot"})
        started = start_set(scenarios=[bad, baseline(plant)], here=True)
        assert isinstance(started.answers[0], DataProblems)
        assert [run.scenario_name for run in started.runs] == ["Baseline"]

    def test_where_all_are_refused_there_is_no_set(self, plant: Plant) -> None:
        bad = plant.scenarios.create(name="Bad")
        bad.scenario_changes.create(**WOOD | {"row": "Woot"})
        started = start_set(scenarios=[bad], here=True)
        assert (started.run_set, started.runs, len(started.answers)) == (None, [], 1)
        assert not RunSet.objects.exists()

    def test_one_that_is_under_way_is_not_started_again(self, plant: Plant) -> None:
        other = plant.scenarios.create(name="Other")
        run = start_run(other)
        started = start_set(scenarios=[baseline(plant), other])
        assert isinstance(started.answers[1], SameRun)
        assert started.answers[1].run == run
        assert len(started.runs) == 1

    def test_those_of_two_plants_are_no_set(self, plant: Plant) -> None:
        with pytest.raises(ValueError, match="one plant"):
            start_set(scenarios=[baseline(plant), baseline(make_furniture("Other"))])


class TestProgress:
    def test_it_counts_the_runs_by_state(self, plant: Plant) -> None:
        started = varied(plant, 500, 10, 400)
        assert started.run_set is not None
        progress = set_progress(run_set=started.run_set)
        assert (progress.counts, progress.ended, progress.is_open) == ({"queued": 3}, 0, True)
        for run in started.runs[:2]:
            execute(run.pk, 1)
        progress = set_progress(run_set=started.run_set)
        assert progress.counts == {"queued": 1, "solved": 1, "infeasible": 1}
        assert (progress.total, progress.ended, progress.is_open) == (3, 2, True)
        execute(started.runs[2].pk, 1)
        assert not set_progress(run_set=started.run_set).is_open

    def test_a_failure_holds_nobody(self, plant: Plant) -> None:
        started = varied(plant, 500, 400)
        RunCopy.objects.filter(run=started.runs[0]).update(content=b"")
        assert [run.state for run in executed(started)] == ["failed", "solved"]

    def test_a_run_by_itself_does_not_wait_behind_a_set(self, plant: Plant) -> None:
        started = varied(plant, 500, 400)
        alone = start_run(baseline(plant), here=True)
        assert [queue_position(run) for run in (alone, *started.runs)] == [1, 2, 3]


class TestStop:
    def test_those_that_wait_end_and_those_under_way_are_asked(self, plant: Plant) -> None:
        started = varied(plant, 500, 400, 300)
        first = started.runs[0]
        Run.objects.update(sent_at=None)
        assert started.run_set is not None
        assert take_next(started.run_set.pk, 1) == (first.pk, 1)
        stop_set(run_set=started.run_set, who="anna")
        runs = gather(run_set=started.run_set)
        assert [run.state for run in runs] == ["stopping", "stopped", "stopped"]
        assert runs[1].reason == "Stopped by anna before it began."
        assert runs[1].finished_at is not None
        assert [(move.state, move.who) for move in runs[1].moves.all()][-1] == ("stopped", "anna")
        stop_set(run_set=started.run_set, who="bob")
        runs[0].refresh_from_db()
        assert runs[0].stop_requests == 2

    def test_an_ended_set_stays_as_it_is(self, plant: Plant) -> None:
        started = varied(plant, 500)
        (run,) = executed(started)
        assert started.run_set is not None
        stop_set(run_set=started.run_set, who="anna")
        run.refresh_from_db()
        assert (run.state, run.stop_requests) == ("solved", 0)

    def test_one_of_its_runs_alone(self, plant: Plant) -> None:
        started = varied(plant, 500, 400)
        stop_run(started.runs[0], "anna")
        assert [run.state for run in executed(started)] == ["stopped", "solved"]


class TestTurn:
    """A process that was given one run of a set goes on with those that nobody was given."""

    @pytest.fixture(autouse=True)
    def _one_at_a_time(self, settings: Any) -> None:
        settings.PLANNING = settings.PLANNING | {"LOCAL_RUNS": 1}

    def waiting(self, plant: Plant, *values: float) -> StartedSet:
        """Return a set of which the first run is this process's, and the others wait."""
        started = varied(plant, *values)
        Run.objects.exclude(pk=started.runs[0].pk).update(sent_at=None)
        return started

    def states(self, started: StartedSet) -> list[str]:
        assert started.run_set is not None
        return [run.state for run in gather(run_set=started.run_set)]

    def test_it_executes_all(self, plant: Plant) -> None:
        started = self.waiting(plant, 500, 10, 400)
        execute_in_turn(started.runs[0].pk, 1, leave=lambda: False)
        assert self.states(started) == ["solved", "infeasible", "solved"]

    def test_not_those_of_others(self, plant: Plant) -> None:
        started, other = self.waiting(plant, 500, 400), start_run(baseline(plant), here=True)
        Run.objects.filter(pk=other.pk).update(sent_at=None)
        execute_in_turn(started.runs[0].pk, 1, leave=lambda: False)
        other.refresh_from_db()
        assert (self.states(started), other.state) == (["solved", "solved"], "queued")

    def test_not_beyond_its_time(self, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("planning.runs.turns.TURN_SECONDS", 0.0)
        started = self.waiting(plant, 500, 400)
        execute_in_turn(started.runs[0].pk, 1, leave=lambda: False)
        assert self.states(started) == ["solved", "queued"]

    def test_not_once_it_was_told_to_end(self, plant: Plant) -> None:
        started = self.waiting(plant, 500, 400)
        answers = iter([False] * 1000)
        execute_in_turn(started.runs[0].pk, 1, leave=lambda: next(answers) or self.states(started)[0] == "solved")
        assert self.states(started) == ["solved", "queued"]

    def test_not_where_another_took_its_place(self, plant: Plant) -> None:
        """Between two of its runs another process was started in the room that it left."""
        started, other = self.waiting(plant, 500, 400), start_run(baseline(plant), here=True)
        execute_in_turn(started.runs[0].pk, 1, leave=lambda: False)
        assert self.states(started) == ["solved", "queued"]
        assert queue_position(other) == 1


def test_options_are_those_of_all(plant: Plant) -> None:
    Machine.objects.update(units=1)
    started = varied(plant, 500, 400, options=RunOptions(time_limit=7))
    assert {run.options["time_limit"] for run in started.runs} == {7}

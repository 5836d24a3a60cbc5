"""Goals: what may be missed, by as little as possible, before the objective; level by level or all in one solve."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.lx import (
    INTERRUPTED,
    LEXICOGRAPHIC,
    OPTIMAL,
    WEIGHTED,
    LXConstraint,
    LXLinearExpression,
    LXModel,
    LXModelError,
    LXNotNowError,
    LXOptimizer,
    LXSolution,
    LXVariable,
    LXWhatIfAnalyzer,
    compile_model,
    dump_model,
    load_model,
)
from tests.lx.small_models import furniture

SOLVERS = ["highs", "pulp:CBC", "pulp:HiGHS"]
MODES = [LEXICOGRAPHIC, WEIGHTED]
Expression = LXLinearExpression


def workshop(
    *,
    mode: str = LEXICOGRAPHIC,
    whole: bool = False,
    wishes: dict[str, tuple[float, int]] | None = None,
    weights: dict[str, float] | None = None,
) -> LXModel:
    """Return make[product] with 80 hours in all (a chair takes 1, a table 2, a desk 4) and a wish for each product.

    `wishes` gives the quantity and the priority of each product that is wished for; a wish weighs 1 where
    `weights` says nothing else.
    """
    weight_of = weights or {}
    products, _, _ = furniture()
    hours = {"Chair": 1.0, "Table": 2.0, "Desk": 4.0}
    make = LXVariable[Any, float]("make").indexed_by(lambda p: p.name).from_data(products)
    if whole:
        make.integer()
    wished = [SimpleNamespace(name=name, want=want, rank=rank) for name, (want, rank) in (wishes or {}).items()]
    model = LXModel("workshop").add_variable(make).set_goal_mode(mode)
    model.add_constraint(
        LXConstraint[Any]("hours").expression(Expression().add_multi_term(make, lambda p: hours[p.name])).le().rhs(80),
        LXConstraint[Any]("wish")
        .indexed_by(lambda w: w.name)
        .from_data(wished)
        .expression(Expression().add_term(make, at=lambda w: w.name))
        .ge()
        .rhs(lambda w: w.want)
        .as_goal(lambda w: w.rank, lambda w: weight_of.get(w.name, 1.0)),
    )
    return model.maximize(Expression().add_multi_term(make, lambda p: p.profit_per_unit))


def made(solution: LXSolution) -> dict[Any, float]:
    return {key: round(value, 6) for key, value in solution.variables["make"].items()}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("mode", MODES)
class TestEverySolverAndMode:
    def test_the_first_priority_is_met_before_the_second_and_profit_gets_the_rest(self, solver: str, mode: str) -> None:
        model = workshop(mode=mode, wishes={"Chair": (30, 1), "Desk": (10, 2)})
        solution = LXOptimizer[Any]().use_solver(solver).solve(model)
        assert solution.termination == OPTIMAL
        assert made(solution) == {"Chair": 30.0, "Table": 5.0, "Desk": 10.0}
        assert solution.levels == pytest.approx({1: 0.0, 2: 0.0}, abs=1e-6)
        assert solution.objective_value == pytest.approx(30 * 45 + 5 * 120 + 10 * 200)

    def test_a_lower_priority_gives_way(self, solver: str, mode: str) -> None:
        model = workshop(mode=mode, wishes={"Chair": (30, 2), "Desk": (15, 1)})
        solution = LXOptimizer[Any]().use_solver(solver).solve(model)
        assert made(solution) == {"Chair": 20.0, "Table": 0.0, "Desk": 15.0}
        assert solution.levels == pytest.approx({1: 0.0, 2: 10.0}, abs=1e-6)

    def test_whole_numbers_are_planned_exactly(self, solver: str, mode: str) -> None:
        model = workshop(mode=mode, whole=True, wishes={"Desk": (30.5, 1), "Chair": (3.5, 2)})
        solution = LXOptimizer[Any]().use_solver(solver).solve(model)
        assert made(solution) == {"Chair": 0.0, "Table": 0.0, "Desk": 20.0}
        assert solution.levels == pytest.approx({1: 10.5, 2: 3.5}, abs=1e-6)

    def test_profit_is_profit_and_no_penalty_is_in_it(self, solver: str, mode: str) -> None:
        solution = LXOptimizer[Any]().use_solver(solver).solve(workshop(mode=mode, wishes={"Chair": (200, 1)}))
        assert made(solution) == {"Chair": 80.0, "Table": 0.0, "Desk": 0.0}
        assert solution.objective_value == pytest.approx(80 * 45)
        assert solution.levels == pytest.approx({1: 120.0})

    def test_a_model_that_allows_no_plan_stays_infeasible(self, solver: str, mode: str) -> None:
        model = workshop(mode=mode, wishes={"Chair": (30, 1)})
        make = model.get_variable("make")
        model.add_constraint(LXConstraint[Any]("never").expression(Expression().add_multi_term(make)).ge().rhs(500))
        solution = LXOptimizer[Any]().use_solver(solver).solve(model)
        assert solution.termination == "infeasible"
        assert not solution.has_plan

    def test_profit_without_a_limit_is_unbounded(self, solver: str, mode: str) -> None:
        model = workshop(mode=mode, wishes={"Chair": (30, 1)})
        gift = LXVariable[Any, float]("gift").from_data([1]).indexed_by(lambda g: g)
        model.add_variable(gift)
        model.maximize(model.objective + Expression().add_multi_term(gift))
        assert LXOptimizer[Any]().use_solver(solver).solve(model).termination == "unbounded"


class TestDeviations:
    def solution(self) -> LXSolution:
        return LXOptimizer[Any]().solve(workshop(wishes={"Chair": (30, 2), "Desk": (15, 1)}))

    def test_are_told_by_key_and_side(self) -> None:
        deviations = self.solution().get_goal_deviations("wish")
        assert dict(deviations["neg"].items()) == pytest.approx({"Chair": 10.0, "Desk": 0.0}, abs=1e-6)
        assert dict(deviations["pos"].items()) == pytest.approx({"Chair": 0.0, "Desk": 0.0}, abs=1e-6)

    def test_add_up_and_say_whether_the_goal_is_met(self) -> None:
        solution = self.solution()
        assert solution.get_total_deviation("wish") == pytest.approx(10.0)
        assert not solution.is_goal_satisfied("wish")
        assert solution.is_goal_satisfied("wish", tolerance=10.1)

    def test_more_than_an_at_least_goal_asks_is_no_deviation_that_counts(self) -> None:
        solution = LXOptimizer[Any]().solve(workshop(wishes={"Table": (1, 1)}))
        assert solution.get_goal_deviations("wish")["pos"]["Table"] == pytest.approx(39.0)
        assert solution.get_total_deviation("wish") == pytest.approx(0.0)
        assert solution.is_goal_satisfied("wish")

    def test_are_refused_for_what_is_no_goal(self) -> None:
        with pytest.raises(LXModelError, match=r"no goal 'hours'. Its goals: wish"):
            self.solution().get_goal_deviations("hours")

    def test_need_a_plan(self) -> None:
        model = workshop(wishes={"Chair": (30, 1)})
        solution = LXSolution(compile_model(model), "highs", INTERRUPTED)
        with pytest.raises(LXNotNowError, match="There is no plan"):
            solution.get_total_deviation("wish")

    def test_both_sides_of_an_exact_goal_count_each_with_its_weight(self) -> None:
        for weight_over, plan in ((None, {"Table": 0.0, "Desk": 20.0}), (0.0, {"Table": 40.0, "Desk": 0.0})):
            model = workshop()
            make = model.get_variable("make")
            total = LXConstraint[Any]("total").expression(Expression().add_multi_term(make)).eq().rhs(20)
            model.add_constraint(total.as_goal(1, 2.0, weight_over=weight_over))
            solution = LXOptimizer[Any]().solve(model)
            assert made(solution) == {"Chair": 0.0, **plan}
            too_much = sum(plan.values()) - 20
            assert solution.get_goal_deviations("total")["pos"][None] == pytest.approx(too_much, abs=1e-6)


class TestTheModelStaysAsItIs:
    def test_solving_adds_nothing_to_it(self) -> None:
        model = workshop(wishes={"Chair": (30, 1)})
        before = dump_model(model)
        LXOptimizer[Any]().solve(model)
        model.prepare_goal_programming()
        assert [variable.name for variable in model.variables] == ["make"]
        assert dump_model(model) == before

    def test_a_copy_plans_the_same(self) -> None:
        model = workshop(wishes={"Chair": (30, 2), "Desk": (15, 1)})
        wanted = made(LXOptimizer[Any]().solve(model))
        for other in (copy.deepcopy(model), load_model(dump_model(model))):
            assert made(LXOptimizer[Any]().solve(other)) == wanted

    def test_a_goal_may_be_made_after_the_model_took_the_constraint(self) -> None:
        model = workshop(wishes={"Desk": (15, 1)})
        model.get_constraint("hours").as_goal(2)
        solution = LXOptimizer[Any]().solve(model)
        assert solution.levels == pytest.approx({1: 0.0, 2: 0.0}, abs=1e-6)

    def test_a_change_of_its_data_changes_the_priority(self) -> None:
        products, _, _ = furniture()
        products.columns["is_new"].values[:] = False
        model = LXModel("m", {"products": products})
        make = LXVariable[Any, float]("make").indexed_by(lambda p: p.name).from_data(products)
        model.add_variable(make).add_constraint(
            LXConstraint[Any]("hours").expression(Expression().add_multi_term(make)).le().rhs(10),
            LXConstraint[Any]("wish")
            .indexed_by(lambda p: p.name)
            .from_data(products)
            .expression(Expression().add_term(make, at=lambda p: p))
            .ge()
            .rhs(8)
            .as_goal(lambda p: p.boxes),
        )
        model.maximize(Expression().add_multi_term(make))
        loaded = load_model(dump_model(model))
        assert LXOptimizer[Any]().solve(loaded).variables["make"]["Chair"] == pytest.approx(8.0)
        loaded.tables["products"].record(0).boxes = 9
        assert LXOptimizer[Any]().solve(loaded).variables["make"]["Chair"] == pytest.approx(0.0, abs=1e-6)


class TestWhatMakesNoSense:
    @pytest.mark.parametrize(("priority", "shown"), [(0, "0"), (-1, "-1"), (1.5, "1.5")])
    def test_a_priority_that_is_no_whole_number_from_1_is_refused(self, priority: float, shown: str) -> None:
        model = workshop(wishes={"Chair": (30, 1)})
        model.get_constraint("wish").as_goal(priority)
        with pytest.raises(LXModelError, match=rf"Goal wish\[Chair\] has the priority {shown}"):
            model.prepare_goal_programming()

    def test_a_negative_weight_is_refused(self) -> None:
        model = workshop(wishes={"Chair": (30, 1)})
        model.get_constraint("wish").as_goal(1, -2.0)
        with pytest.raises(LXModelError, match=r"Goal wish\[Chair\] has the weight -2"):
            compile_model(model)

    def test_a_function_for_a_single_constraint_is_refused(self) -> None:
        model = workshop()
        model.get_constraint("hours").as_goal(lambda row: 1)
        with pytest.raises(LXModelError, match="hours is a single row: its priority must be a number"):
            compile_model(model)

    def test_an_unknown_mode_is_refused(self) -> None:
        with pytest.raises(LXModelError, match="no goal mode 'both'"):
            workshop().set_goal_mode("both")

    def test_sequential_is_another_word_for_lexicographic(self) -> None:
        assert workshop().set_goal_mode("sequential").goal_mode == LEXICOGRAPHIC

    def test_a_model_without_goals_has_nothing_to_prepare(self) -> None:
        products, _, _ = furniture()
        make = LXVariable[Any, float]("make").indexed_by(lambda p: p.name).from_data(products)
        with pytest.raises(LXModelError, match="has no goals"):
            LXModel("m").add_variable(make).prepare_goal_programming()

    def test_a_variable_with_the_name_of_a_deviation_is_refused(self) -> None:
        model = workshop(wishes={"Chair": (30, 1)})
        model.add_variable(LXVariable[Any, float]("wish_under").from_data([1]).indexed_by(lambda g: g))
        with pytest.raises(LXModelError, match="wish_under"):
            model.prepare_goal_programming()
        with pytest.raises(LXModelError, match="wish_under"):
            compile_model(model)


def test_a_stop_keeps_the_plan_of_the_level_that_was_reached() -> None:
    model = workshop(whole=True, wishes={"Chair": (30, 1), "Desk": (15, 2)})
    asked: list[bool] = []

    def stop() -> bool:
        asked.append(True)
        return True

    solution = LXOptimizer[Any]().solve(model, stop=stop)
    if solution.termination == INTERRUPTED:  # small models may be through before the solver asks
        assert solution.bound is None
        if solution.has_plan:
            assert set(solution.levels) == {1, 2}


wish = st.tuples(st.sampled_from([0.0, 5.0, 12.5, 30.0, 100.0]), st.integers(1, 3))


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["Chair", "Table", "Desk"]), wish, min_size=1),
    st.booleans(),
    st.sampled_from(["Chair", "Table", "Desk"]),
)
def test_raising_a_priority_never_hurts_that_goal(
    wishes: dict[str, tuple[float, int]], whole: bool, raised: str
) -> None:
    wishes.setdefault(raised, (30.0, 3))
    want, rank = wishes[raised]
    before = LXOptimizer[Any]().gap(0.0).solve(workshop(whole=whole, wishes=wishes))
    first = wishes | {raised: (want, 1)}
    after = LXOptimizer[Any]().gap(0.0).solve(workshop(whole=whole, wishes=first))
    alone = {name: value for name, value in first.items() if name == raised or value[1] != 1}
    if rank > 1 and len(alone) == len(first):  # the only one of priority 1
        missing = [s.get_goal_deviations("wish")["neg"][raised] for s in (before, after)]
        assert missing[1] <= missing[0] + 1e-6


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["Chair", "Table", "Desk"]), wish, min_size=2),
    st.sampled_from(MODES),
    st.booleans(),
    st.sampled_from(["Chair", "Table", "Desk"]),
    st.sampled_from([1.5, 4.0, 100.0]),
)
def test_raising_a_weight_never_hurts_that_goal(
    wishes: dict[str, tuple[float, int]], mode: str, whole: bool, raised: str, weight: float
) -> None:
    wishes.setdefault(raised, (30.0, 1))
    missing = []
    for weights in ({}, {raised: weight}):
        model = workshop(mode=mode, whole=whole, wishes=wishes, weights=weights)
        missing.append(LXOptimizer[Any]().gap(0.0).solve(model).get_goal_deviations("wish")["neg"][raised])
    assert missing[1] <= missing[0] + 1e-6


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(["Chair", "Table", "Desk"]), wish, min_size=2), st.floats(0, 60))
def test_a_lower_priority_never_worsens_those_before_it(wishes: dict[str, tuple[float, int]], target: float) -> None:
    last = max(wishes, key=lambda name: wishes[name][1])
    rank = wishes[last][1]
    before = LXOptimizer[Any]().solve(workshop(wishes=wishes)).levels
    after = LXOptimizer[Any]().solve(workshop(wishes=wishes | {last: (target, rank)})).levels
    for priority in before:
        if priority < rank:
            assert after[priority] == pytest.approx(before[priority], rel=1e-6, abs=1e-6)


def test_a_what_if_keeps_goals_before_profit() -> None:
    model = workshop(wishes={"Chair": (100, 1)})
    result = LXWhatIfAnalyzer(model).increase_constraint_rhs("hours", by=30)
    assert made(result.original) == {"Chair": 80.0, "Table": 0.0, "Desk": 0.0}
    assert made(result.new) == {"Chair": 100.0, "Table": 5.0, "Desk": 0.0}


def test_the_matrix_has_deviations_after_the_models_variables() -> None:
    compiled = compile_model(workshop(wishes={"Chair": (30, 1), "Desk": (15, 2)}))
    assert list(compiled.variables) == ["make", "wish_under"]
    assert compiled.column_name(4) == "wish_under[Desk]"
    assert [level.priority for level in compiled.levels] == [1, 2]
    assert np.array_equal(compiled.levels[1].weights, [0, 0, 0, 0, 1])

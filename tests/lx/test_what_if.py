"""What-ifs on the Wyndor plant: each from the model as it is, which stays as it is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from planning.lx import (
    LXChange,
    LXConstraint,
    LXLinearExpression,
    LXLink,
    LXModel,
    LXModelError,
    LXNotNowError,
    LXOptimizer,
    LXTable,
    LXVariable,
    LXWhatIfAnalyzer,
    compile_model,
)
from tests.lx.changed_models import bakery


def wyndor(*, whole: bool = False, minimize: bool = False) -> LXModel:
    products = LXTable("Product", {"name": ["door", "window"], "profit": [3.0, 5.0]})
    machines = LXTable("Machine", {"name": ["plant1", "plant2", "plant3"], "hours": [4.0, 12.0, 18.0]})
    links = {"product": LXLink(products, np.array([0, 0, 1, 1])), "machine": LXLink(machines, np.array([0, 2, 1, 2]))}
    recipes = LXTable("Recipe", {"hours": [1.0, 3.0, 2.0, 2.0]}, links)
    make = LXVariable("make").bounds(lower=0).indexed_by(lambda p: p.name).from_data(products)
    if whole:
        make.integer()
    used = LXLinearExpression().add_join(
        make, lambda r: r.hours, over=recipes, variable_key=lambda r: r.product, row_key=lambda r: r.machine
    )
    hours = LXConstraint("hours").indexed_by(lambda m: m.name).from_data(machines).expression(used)
    total = LXConstraint("total").expression(LXLinearExpression().add_multi_term(make)).le().rhs(100)
    model = LXModel("wyndor").add_variable(make).add_constraint(hours.le().rhs(lambda m: m.hours), total)
    if minimize:
        return model.minimize(LXLinearExpression().add_term(make, lambda p: -p.profit))
    return model.maximize(LXLinearExpression().add_term(make, lambda p: p.profit))


SOLVERS = ["highs", "pulp:CBC"]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("whole", [False, True])
def test_more_of_one_limit(solver: str, whole: bool) -> None:
    analyzer = LXWhatIfAnalyzer(wyndor(whole=whole), LXOptimizer().use_solver(solver))
    result = analyzer.increase_constraint_rhs("hours", by=6, key="plant2")
    assert result.original.objective_value == pytest.approx(36)
    assert result.delta_objective == pytest.approx(9)
    assert result.delta_percentage == pytest.approx(25)


@pytest.mark.parametrize("solver", SOLVERS)
def test_each_what_if_starts_from_the_model_as_it_is(solver: str) -> None:
    model = wyndor()
    before = compile_model(model)
    analyzer = LXWhatIfAnalyzer(model, LXOptimizer().use_solver(solver))
    first = analyzer.increase_constraint_rhs("hours", by=1, key="plant3").delta_objective
    analyzer.decrease_constraint_rhs("hours", by=12, key="plant2")
    analyzer.set_cost("make", to=0, key="door")
    analyzer.set_variable_bounds("make", upper=1, key="window")
    assert analyzer.increase_constraint_rhs("hours", by=1, key="plant3").delta_objective == pytest.approx(first)
    assert first == pytest.approx(1)
    after = compile_model(model)
    for name in ("cost", "lower", "upper", "row_lower", "row_upper", "values"):
        assert np.array_equal(getattr(before, name), getattr(after, name))


def test_a_row_names_a_member_too() -> None:
    model = wyndor()
    plant3 = model.get_constraint("hours").rows[2]
    assert LXWhatIfAnalyzer(model).increase_constraint_rhs("hours", by=1, key=plant3).delta_objective == pytest.approx(
        1
    )


def test_a_whole_family_changes_at_once() -> None:
    result = LXWhatIfAnalyzer(wyndor()).increase_constraint_rhs("hours", percent=50)
    assert result.new.objective_value == pytest.approx(54)


def test_a_percentage_of_a_negative_number_goes_the_right_way() -> None:
    x = LXVariable("x").bounds(lower=-100).indexed_by(lambda row: row.name).from_data(LXTable("T", {"name": ["a"]}))
    model = LXModel("m").add_variable(x)
    model.add_constraint(LXConstraint("cap").expression(LXLinearExpression().add_multi_term(x)).le().rhs(-10))
    model.maximize(LXLinearExpression().add_multi_term(x))
    assert LXWhatIfAnalyzer(model).increase_constraint_rhs("cap", percent=10).delta_objective == pytest.approx(1)
    assert LXWhatIfAnalyzer(model).decrease_constraint_rhs("cap", percent=10).delta_objective == pytest.approx(-1)


def test_costs_and_bounds_change() -> None:
    analyzer = LXWhatIfAnalyzer(wyndor())
    assert analyzer.set_cost("make", to=10, key="door").new.objective_value == pytest.approx(55)
    assert analyzer.set_variable_bounds("make", upper=4, key="window").new.objective_value == pytest.approx(30)
    assert analyzer.set_constraint_rhs("total", to=5).new.objective_value == pytest.approx(25)


def test_the_difference_to_an_infeasible_case_is_nan() -> None:
    result = LXWhatIfAnalyzer(wyndor()).set_variable_bounds("make", lower=50, upper=60)
    assert result.new.termination == "infeasible"
    assert math.isnan(result.delta_objective)
    assert math.isnan(result.delta_percentage)


def test_after_an_infeasible_case_the_next_one_is_right() -> None:
    analyzer = LXWhatIfAnalyzer(wyndor())
    analyzer.set_variable_bounds("make", lower=50, upper=60)
    assert analyzer.increase_constraint_rhs("hours", by=6, key="plant2").delta_objective == pytest.approx(9)


def test_in_a_minimisation_less_is_better() -> None:
    result = LXWhatIfAnalyzer(wyndor(minimize=True)).increase_constraint_rhs("hours", by=6, key="plant2")
    assert result.delta_objective == pytest.approx(-9)


def floor_model(*, sense: str = "ge") -> LXModel:
    """Return: as little as possible of two things, of which a floor asks for -10 or more."""
    x = (
        LXVariable("x")
        .bounds(lower=-100)
        .indexed_by(lambda row: row.name)
        .from_data(LXTable("T", {"name": ["a", "b"]}))
    )
    floor = LXConstraint("floor").expression(LXLinearExpression().add_multi_term(x)).rhs(-10)
    model = LXModel("m").add_variable(x).add_constraint(getattr(floor, sense)())
    return model.minimize(LXLinearExpression().add_multi_term(x))


class TestRelaxing:
    def test_means_more_of_a_limit_and_less_of_a_floor(self) -> None:
        assert LXWhatIfAnalyzer(wyndor()).relax_constraint("hours", by=6, key="plant2").delta_objective == (
            pytest.approx(9)
        )
        floor = LXWhatIfAnalyzer(floor_model())
        assert floor.relax_constraint("floor", by=5).delta_objective == pytest.approx(-5)
        assert floor.relax_constraint("floor", percent=10).delta_objective == pytest.approx(-1)
        assert floor.tighten_constraint("floor", by=5).delta_objective == pytest.approx(5)

    def test_never_makes_the_objective_worse_in_the_models_sense(self) -> None:
        for model in (wyndor(), wyndor(minimize=True)):
            analyzer = LXWhatIfAnalyzer(model)
            assert analyzer.relax_constraint("hours", percent=10).improvement > 0
            assert analyzer.tighten_constraint("hours", percent=10).improvement < 0

    def test_of_an_equality_is_refused_in_words(self) -> None:
        analyzer = LXWhatIfAnalyzer(floor_model(sense="eq"))
        with pytest.raises(LXModelError, match="floor is ==: it has no looser and no tighter side"):
            analyzer.relax_constraint("floor", by=1)
        with pytest.raises(LXModelError, match="floor is ==: it has no looser side"):
            analyzer.find_bottlenecks("floor")
        with pytest.raises(LXModelError, match="no constraint that is <= or >="):
            analyzer.find_bottlenecks()
        assert analyzer.increase_constraint_rhs("floor", by=1).delta_objective == pytest.approx(1)


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_bound_cost_and_coefficient_can_be_changed(solver: str) -> None:
    analyzer = LXWhatIfAnalyzer(wyndor(), LXOptimizer().use_solver(solver))
    door = {"key": "door"}
    for result, expected in (
        (analyzer.increase_variable_lower_bound("make", by=3, **door), 31.5),  # 3 doors, 4.5 windows
        (analyzer.decrease_variable_upper_bound("make", to=1, **door), 33),
        (analyzer.increase_cost("make", by=1, **door), 38),
        (analyzer.increase_cost("make", percent=10, key="window"), 39),
        (analyzer.decrease_cost("make", to=0, **door), 30),
        (analyzer.set_coefficient("hours", "make", to=0, key="plant3", variable_key="door"), 42),
        (analyzer.set_coefficient("hours", "make", to=1, key="plant2", variable_key="door"), 31.5),
        (analyzer.set_coefficient("total", "make", to=20, variable_key="window"), 945 / 29),
        (analyzer.increase_constraint_rhs("hours", to=18), 45),
    ):
        assert result.new.objective_value == pytest.approx(expected), result.description
    assert analyzer.baseline.objective_value == pytest.approx(36)


def test_a_bound_can_be_taken_away() -> None:
    analyzer = LXWhatIfAnalyzer(floor_model())
    analyzer.relax_constraint("floor", by=1000)
    assert analyzer.decrease_variable_lower_bound("x", to=-math.inf, key="a").delta_objective == 0.0
    both = analyzer.try_changes(LXChange.relax("floor", by=1000), LXChange.lower_bound("x", to=-math.inf, key="a"))
    assert both.new.objective_value == pytest.approx(-1010)
    assert both.description == "floor: right side looser by 1000; x[a]: lower bound -inf"


def test_a_result_says_what_it_means() -> None:
    analyzer = LXWhatIfAnalyzer(wyndor())
    assert str(analyzer.relax_constraint("hours", by=6, key="plant2")) == (
        "hours[plant2]: right side looser by 6: +9.00 (better)"
    )
    assert str(analyzer.decrease_constraint_rhs("hours", by=6, key="plant2")).endswith("(worse)")
    assert str(analyzer.relax_constraint("total", by=1)).endswith("+0 (as good)")
    assert str(analyzer.set_variable_bounds("make", lower=50, upper=60)) == (
        "make: lower bound 50; make: upper bound 60: no difference, because the changed case ended as infeasible"
    )
    cheaper = LXWhatIfAnalyzer(wyndor(minimize=True)).relax_constraint("hours", by=6, key="plant2")
    assert str(cheaper).endswith("-9.00 (better)")
    assert cheaper.improvement == pytest.approx(9)


class TestComparing:
    @pytest.mark.parametrize("minimize", [False, True])
    @pytest.mark.parametrize("solver", SOLVERS)
    def test_ranks_by_what_changes_bring_and_puts_those_without_a_plan_last(self, minimize: bool, solver: str) -> None:
        analyzer = LXWhatIfAnalyzer(wyndor(minimize=minimize), LXOptimizer().use_solver(solver))
        results = analyzer.compare_changes(
            [
                LXChange.lower_bound("make", to=50),
                ("hours", "tighten", 1),
                LXChange.relax("hours", by=1, key="plant3"),
                ("hours", "relax", 1),
                LXChange.rhs("total", by=1),
            ]
        )
        assert [result.description for result in results] == [
            "hours: right side looser by 1",
            "hours[plant3]: right side looser by 1",
            "total: right side plus 1",
            "hours: right side tighter by 1",
            "make: lower bound 50",
        ]
        assert results[0].improvement > results[1].improvement > results[2].improvement == pytest.approx(0)
        assert math.isnan(results[-1].improvement)

    def test_puts_plans_without_end_first(self) -> None:
        x = LXVariable("x").bounds(upper=5).indexed_by(lambda name: name).from_data(["a"])
        model = LXModel("m").add_variable(x).maximize(LXLinearExpression().add_term(x))
        results = LXWhatIfAnalyzer(model).compare_changes(
            [LXChange.upper_bound("x", to=9), LXChange.upper_bound("x", to=math.inf)]
        )
        assert [result.new.termination for result in results] == ["unbounded", "optimal"]
        assert results[0].improvement == math.inf
        assert math.isnan(results[0].delta_objective)


class TestBottlenecks:
    @pytest.mark.parametrize("solver", SOLVERS)
    @pytest.mark.parametrize("minimize", [False, True])
    def test_are_the_rows_whose_relief_helps_what_helps_most_first(self, minimize: bool, solver: str) -> None:
        analyzer = LXWhatIfAnalyzer(wyndor(minimize=minimize), LXOptimizer().use_solver(solver))
        found = analyzer.find_bottlenecks()
        assert [(b.name, b.key) for b in found] == [("hours", "plant2"), ("hours", "plant3")]
        assert [b.relief for b in found] == pytest.approx([1.5, 1.0])
        assert str(found[1]) == "hours[plant3]: +1.00 a unit"

    def test_of_a_floor_are_found_too(self) -> None:
        (found,) = LXWhatIfAnalyzer(floor_model()).find_bottlenecks(by=4)
        assert (found.name, found.key, found.relief) == ("floor", None, pytest.approx(1))
        assert found.result.delta_objective == pytest.approx(-4)

    def test_are_sought_where_the_caller_says_and_so_many_as_he_asks_for(self) -> None:
        analyzer = LXWhatIfAnalyzer(wyndor())
        assert analyzer.find_bottlenecks("total") == []
        assert [b.key for b in analyzer.find_bottlenecks("hours", "total", top=1)] == ["plant2"]

    def test_of_a_plan_in_whole_numbers_are_solved_in_full(self) -> None:
        found = LXWhatIfAnalyzer(wyndor(whole=True)).find_bottlenecks("hours", by=3)
        assert [(b.key, b.relief) for b in found] == [("plant3", pytest.approx(1)), ("plant2", pytest.approx(2 / 3))]

    def test_need_a_plan(self) -> None:
        model = wyndor()
        model.get_variable("make").bounds(lower=50)
        with pytest.raises(LXNotNowError, match="ended as infeasible"):
            LXWhatIfAnalyzer(model).find_bottlenecks()

    def test_are_what_trying_every_row_finds(self) -> None:
        analyzer = LXWhatIfAnalyzer(bakery())
        every = [
            (name, key, analyzer.relax_constraint(name, by=1, **({} if key is None else {"key": key})).improvement)
            for name in ("hours", "promised", "total")
            for key in bakery().get_constraint(name).keys
        ]
        expected = {(name, key): pytest.approx(relief) for name, key, relief in every if relief > 1e-8}
        assert {(b.name, b.key): b.relief for b in analyzer.find_bottlenecks()} == expected
        assert expected


class TestASeries:
    @pytest.mark.parametrize("solver", SOLVERS)
    def test_goes_over_right_sides_with_nan_where_there_is_no_plan(self, solver: str) -> None:
        analyzer = LXWhatIfAnalyzer(wyndor(), LXOptimizer().use_solver(solver))
        found = analyzer.sensitivity_range("hours", -6, 18, 5, key="plant2")
        assert [point.value for point in found] == [-6.0, 0.0, 6.0, 12.0, 18.0]
        assert [point.objective for point in found] == pytest.approx([math.nan, 12, 27, 36, 45], nan_ok=True)
        assert found[0].solution.termination == "infeasible"
        assert found[3].solution is analyzer.baseline

    def test_goes_over_bounds_and_costs(self) -> None:
        analyzer = LXWhatIfAnalyzer(wyndor())
        upper = analyzer.sensitivity_range("make", values=[0, 3, math.inf], of="upper", key="window")
        lower = analyzer.sensitivity_range("make", values=[2, 4], of="lower", key="door")
        cost = analyzer.sensitivity_range("make", 3, 9, 2, of="cost", key="door")
        found = [point.objective for series in (upper, lower, cost) for point in series]
        assert found == pytest.approx([12, 27, 36, 36, 27, 36, 51])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.increase_constraint_rhs("hour", by=1), "no 'hour'"),
        (lambda a: a.increase_constraint_rhs("hours", by=1, key="plant9"), "no key 'plant9'"),
        (lambda a: a.increase_constraint_rhs("hours", by=0), "changes nothing"),
        (lambda a: a.increase_constraint_rhs("hours", percent=0), "changes nothing"),
        (lambda a: a.increase_constraint_rhs("hours", by=math.nan), "is no number"),
        (lambda a: a.increase_constraint_rhs("hours"), "one of by=, percent=, to="),
        (lambda a: a.increase_constraint_rhs("hours", by=1, percent=1), "one of by=, percent=, to="),
        (lambda a: a.increase_constraint_rhs("total", by=1, key="x"), "single constraint"),
        (lambda a: a.set_variable_bounds("make", lower=5, upper=1), "above the upper"),
        (lambda a: a.set_cost("sell", to=1), "no 'sell'"),
        (lambda a: a.increase_constraint_rhs("hours", by=-1), "goes the other way.*decrease instead"),
        (lambda a: a.increase_constraint_rhs("hours", to=10), r"hours\[plant2\]: that is no increase"),
        (lambda a: a.decrease_cost("make", to=4, key="door"), r"make\[door\]: that is no decrease"),
        (lambda a: a.set_constraint_rhs("hours", to=math.inf), "hours: to=inf is infinite"),
        (lambda a: a.increase_variable_upper_bound("make", by=1), r"make\[door\]: it has no upper bound"),
        (lambda a: a.decrease_variable_lower_bound("make", percent=10), "changes nothing"),
        (lambda a: a.set_variable_bounds("make"), "by lower= or upper="),
        (lambda a: a.set_variable_bounds("make", lower=0, upper=math.inf), "changes nothing"),
        (lambda a: a.try_changes(), "No change is given"),
        (lambda a: a.compare_changes([("hours", "grow", 1)]), "increase, decrease, relax, tighten"),
        (lambda a: a.compare_changes([LXChange.relax("hours", by=1), LXChange.cost("sell", by=1)]), "no 'sell'"),
        (lambda a: a.find_bottlenecks("hour"), "no 'hour'"),
        (lambda a: a.find_bottlenecks(by=0), "by=0 relaxes nothing"),
        (lambda a: a.sensitivity_range("hours", 1), "either values=, or the least and the largest"),
        (lambda a: a.sensitivity_range("hours", 5, 1), "two points or more, upwards"),
        (lambda a: a.sensitivity_range("hours", values=[]), "no values"),
        (lambda a: a.sensitivity_range("hours", 1, 5, of="right"), "'right' is unknown. Give one of rhs"),
    ],
)
def test_a_change_that_touches_nothing_or_makes_no_sense_is_refused(change, message: str) -> None:
    with pytest.raises(LXModelError, match=message):
        change(LXWhatIfAnalyzer(wyndor()))

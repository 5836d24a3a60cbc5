"""What-ifs on the Wyndor plant: each from the model as it is, which stays as it is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from planning.lx import (
    LXConstraint,
    LXLinearExpression,
    LXLink,
    LXModel,
    LXModelError,
    LXOptimizer,
    LXTable,
    LXVariable,
    LXWhatIfAnalyzer,
    compile_model,
)


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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.increase_constraint_rhs("hour", by=1), "no 'hour'"),
        (lambda a: a.increase_constraint_rhs("hours", by=1, key="plant9"), "no key 'plant9'"),
        (lambda a: a.increase_constraint_rhs("hours", by=0), "changes nothing"),
        (lambda a: a.increase_constraint_rhs("hours", percent=0), "changes nothing"),
        (lambda a: a.increase_constraint_rhs("hours", by=math.nan), "changes nothing"),
        (lambda a: a.increase_constraint_rhs("hours"), "either by= or percent="),
        (lambda a: a.increase_constraint_rhs("hours", by=1, percent=1), "either by= or percent="),
        (lambda a: a.increase_constraint_rhs("total", by=1, key="x"), "single constraint"),
        (lambda a: a.set_variable_bounds("make", lower=5, upper=1), "above the upper"),
        (lambda a: a.set_cost("sell", to=1), "no 'sell'"),
    ],
)
def test_a_change_that_touches_nothing_or_makes_no_sense_is_refused(change, message: str) -> None:
    with pytest.raises(LXModelError, match=message):
        change(LXWhatIfAnalyzer(wyndor()))

"""One row, one bound, one coefficient of a model is changed by its key: on a model, on its copy, on a loaded copy."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from planning.lx import LXConstraint, LXLinearExpression, LXModel, LXModelError, LXVariable, compile_model, dump_model
from tests.lx.small_models import arrays, furniture, furniture_model, matrix

Travel = Callable[[LXModel], LXModel]
ways = pytest.mark.parametrize(
    "travel",
    [lambda model: model, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
    ids=["model", "deepcopy", "pickle"],
)
HOURS = [[0.5, 1.5, 2.0], [1.0, 2.5, 3.5]]


@ways
class TestChanges:
    def test_of_one_right_side_leave_the_others(self, travel: Travel) -> None:
        model = travel(furniture_model())
        model.get_constraint("hours").set_rhs(70, key="Cutting")
        assert compile_model(model).row_upper.tolist() == [70.0, 100.0]
        model.get_constraint("hours").set_rhs(60, key=model.tables["machines"].rows[1])
        assert compile_model(travel(model)).row_upper.tolist() == [70.0, 60.0]
        model.get_constraint("hours").set_rhs(50)
        assert compile_model(travel(model)).row_upper.tolist() == [50.0, 50.0]

    def test_of_one_bound_leave_the_others(self, travel: Travel) -> None:
        model = travel(furniture_model())
        make = model.get_variable("make")
        make.set_bounds(upper=7, key="Chair").set_bounds(lower=-math.inf, key=model.tables["products"].rows[1])
        compiled = compile_model(travel(model))
        assert compiled.upper.tolist() == [7.0, math.inf, 30.0]
        assert compiled.lower.tolist() == [0.0, -math.inf, 0.0]
        make.set_bounds(lower=1, upper=2)
        compiled = compile_model(travel(model))
        assert (compiled.lower.tolist(), compiled.upper.tolist()) == ([1.0] * 3, [2.0] * 3)

    def test_of_one_coefficient_leave_the_others_to_the_data(self, travel: Travel) -> None:
        model = travel(furniture_model())
        hours, make = model.get_constraint("hours"), model.get_variable("make")
        hours.set_coefficient(make, 0.75, key="Cutting", variable_key="Table")
        assert matrix(compile_model(travel(model))) == [[0.5, 0.75, 2.0], HOURS[1]]
        hours.set_coefficient(make, 0.8, key="Cutting", variable_key=model.tables["products"].rows[1])
        hours.set_coefficient(make, 9.0, key="Assembly", variable_key="Desk")
        model.tables["recipes"].rows[0].hours_required = 0.6
        assert matrix(compile_model(travel(model))) == [[0.6, 0.8, 2.0], [1.0, 2.5, 9.0]]
        hours.set_coefficient(make, 0, key="Cutting", variable_key="Table")
        compiled = compile_model(travel(model))
        assert matrix(compiled) == [[0.6, 0.0, 2.0], [1.0, 2.5, 9.0]]
        assert len(compiled.values) == 5

    def test_of_one_cost_take_the_place_of_all_terms(self, travel: Travel) -> None:
        model = furniture_model()
        model.objective.add_term(model.get_variable("make"), 1.0)
        model = travel(model)
        model.set_cost(model.get_variable("make"), 50, key="Table")
        model.tables["products"].rows[0].profit_per_unit = 40.0
        assert compile_model(travel(model)).cost.tolist() == [41.0, 50.0, 201.0]

    def test_may_put_a_variable_where_it_was_not(self, travel: Travel) -> None:
        model = furniture_model()
        more = LXVariable[Any, float]("more").indexed_by(lambda p: p.name).from_data(model.tables["products"])
        model = travel(model.add_variable(more))
        more = model.get_variable("more")
        model.get_constraint("hours").set_coefficient(more, 3, key="Assembly", variable_key="Chair")
        assert matrix(compile_model(travel(model))) == [[*HOURS[0], 0, 0, 0], [*HOURS[1], 3, 0, 0]]

    def test_that_are_no_numbers_or_name_nothing_are_refused(self, travel: Travel) -> None:
        model = travel(furniture_model())
        hours, make = model.get_constraint("hours"), model.get_variable("make")
        before = arrays(compile_model(model))
        for wrong in (math.nan, math.inf, "1", None, True):
            for change in (
                lambda to: hours.set_rhs(to, key="Cutting"),
                hours.set_rhs,
                lambda to: hours.set_coefficient(make, to, key="Cutting", variable_key="Table"),
                lambda to: model.set_cost(make, to, key="Table"),
                lambda to: make.set_bounds(lower="x" if to is None else to, key="Chair"),
            ):
                with pytest.raises(LXModelError, match=r"make|hours"):
                    change(wrong)
        for change in (
            lambda to: hours.set_rhs(1, key=to),
            lambda to: hours.set_coefficient(make, 1, key=to, variable_key="Table"),
            lambda to: hours.set_coefficient(make, 1, key="Cutting", variable_key=to),
            lambda to: model.set_cost(make, 1, key=to),
            lambda to: make.set_bounds(upper=1, key=to),
        ):
            with pytest.raises(LXModelError, match=r"has no key 'Lathe'"):
                change("Lathe")
        with pytest.raises(LXModelError, match="give its key"):
            hours.set_coefficient(make, 1, variable_key="Table")
        assert arrays(compile_model(model)) == before

    def test_are_seen_by_nobody_else(self, travel: Travel) -> None:
        model = furniture_model()
        before = dump_model(model)
        made = copy.deepcopy(travel(model))
        make = made.get_variable("make")
        made.get_constraint("hours").set_rhs(1, key="Cutting").set_coefficient(
            make, 1, key="Cutting", variable_key="Desk"
        )
        made.set_cost(make, 1, key="Desk").get_variable("make").set_bounds(upper=1, key="Desk")
        assert dump_model(model) == before
        assert dump_model(made) != before


def test_a_single_constraint_needs_no_key() -> None:
    model = furniture_model()
    make = model.get_variable("make")
    total = LXConstraint[Any]("total").expression(LXLinearExpression().add_term(make)).le().rhs(3)
    model.add_constraint(total)
    total.set_coefficient(make, 5, variable_key="Desk").set_rhs(4, key=None)
    compiled = compile_model(model)
    assert matrix(compiled)[2] == [1.0, 1.0, 5.0]
    assert compiled.row_upper.tolist()[2] == 4.0
    for change in (
        lambda: total.set_rhs(1, key="x"),
        lambda: total.set_coefficient(make, 1, key="x", variable_key="Desk"),
    ):
        with pytest.raises(LXModelError, match="total is a single constraint: it has no key 'x'"):
            change()


def test_an_expression_that_several_constraints_have_changes_in_one() -> None:
    model = furniture_model()
    make = model.get_variable("make")
    everything = LXLinearExpression().add_term(make)
    one, other = (LXConstraint[Any](name).expression(everything).le().rhs(3) for name in ("one", "other"))
    model.add_constraint(one, other).maximize(everything)
    one.set_coefficient(make, 5, variable_key="Desk")
    model.set_cost(make, 7, key="Chair")
    compiled = compile_model(model)
    assert matrix(compiled)[2:] == [[1.0, 1.0, 5.0], [1.0, 1.0, 1.0]]
    assert compiled.cost.tolist() == [7.0, 1.0, 1.0]


def test_what_was_set_is_multiplied_and_added_with_its_expression() -> None:
    model = furniture_model()
    make = model.get_variable("make")
    set_by_key = LXLinearExpression().add_term(make, 2.0).with_coefficient(make, 0, 1, 10.0)
    model.maximize(2 * set_by_key + LXLinearExpression().add_term(make, 1.0))
    assert compile_model(model).cost.tolist() == [5.0, 21.0, 5.0]
    model.set_cost(make, 3.0, key="Desk")
    assert compile_model(model).cost.tolist() == [5.0, 21.0, 3.0]


class TestDataOfALoadedCopy:
    """A part that was set to numbers reads no data any more: a change to them may not pass without effect."""

    def test_that_nothing_reads_any_more_are_refused(self) -> None:
        for change in (
            lambda model: model.get_constraint("hours").set_rhs(70, key="Cutting"),
            lambda model: setattr(model.get_constraint("hours"), "rhs_value", np.array([1.0, 2.0])),
        ):
            model = pickle.loads(pickle.dumps(furniture_model()))
            model.tables["machines"].rows[1].hours = 90.0
            change(model)
            for made in (model, copy.deepcopy(model)):
                with pytest.raises(LXModelError, match=r"Nothing in model furniture reads Machine\.hours"):
                    made.tables["machines"].rows[1].hours = 95.0

    def test_of_a_copys_copy_are_refused_for_what_that_copy_reads(self) -> None:
        model = pickle.loads(pickle.dumps(furniture_model()))
        made = copy.deepcopy(model)
        made.get_constraint("hours").rhs_value *= 2
        with pytest.raises(LXModelError, match="Nothing in model"):
            made.tables["machines"].rows[1].hours = 95.0
        model.tables["machines"].rows[1].hours = 95.0
        assert compile_model(model).row_upper.tolist() == [80.0, 95.0]

    def test_that_a_new_function_reads_may_change(self) -> None:
        model = pickle.loads(pickle.dumps(furniture_model()))
        products = model.tables["products"]
        with pytest.raises(LXModelError, match="Nothing in model"):
            products.rows[0].boxes = 2
        model.get_variable("make").bounds(upper=lambda p: max(p.boxes, 0))
        products.rows[0].boxes = 2
        assert compile_model(model).upper.tolist() == [2.0, 4.0, 2.0]
        model.get_variable("make").bounds()
        model.maximize(LXLinearExpression().add_term(model.get_variable("make"), lambda p: p.boxes))
        products.rows[0].boxes = 3
        assert compile_model(model).cost.tolist() == [3.0, 4.0, 2.0]


@pytest.mark.parametrize("bad", [np.array([1.0]), np.ones((3, 1)), np.ones(4)])
def test_numbers_for_another_count_of_rows_are_refused(bad: Any) -> None:
    products, _, _ = furniture()
    model = furniture_model()
    model.get_constraint("hours").right = bad
    with pytest.raises(LXModelError, match="right side of hours needs 2 numbers"):
        compile_model(model)
    for side in ("lower", "upper"):
        x = LXVariable[Any, float]("x").indexed_by(lambda p: p.name).from_data(products)
        setattr(x, side, bad)
        with pytest.raises(LXModelError, match=f"{side} bound of x needs 3 numbers"):
            compile_model(LXModel("m").add_variable(x))


def test_bounds_that_are_not_numbers_are_refused() -> None:
    products, _, _ = furniture()
    x = LXVariable[Any, float]("x").indexed_by(lambda p: p.name).from_data(products)
    x.upper = np.array([1.0, math.nan, 2.0])
    with pytest.raises(LXModelError, match=r"x\[Table\] has the lower bound 0 and the upper bound nan"):
        compile_model(LXModel("m").add_variable(x))

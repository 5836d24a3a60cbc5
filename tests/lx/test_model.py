"""What a model accepts, what it refuses and with which words, and the matrix that it becomes."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from planning.lx import (
    LXConstraint,
    LXError,
    LXLinearExpression,
    LXModel,
    LXModelError,
    LXOptimizer,
    LXTable,
    LXVariable,
    compile_model,
    dump_model,
    load_model,
)
from tests.lx.small_models import dense_model, furniture, furniture_model, matrix

INF = math.inf


def x_over(rows: Any = None, name: str = "x") -> LXVariable[Any, float]:
    """Return a family over three rows, keyed by their names."""
    return LXVariable[Any, float](name).indexed_by(lambda r: r.name).from_data(furniture()[0] if rows is None else rows)


def single(variable: LXVariable[Any, float], coefficient: Any = 1.0, right: Any = 5.0) -> LXConstraint[Any]:
    return LXConstraint[Any]("c").expression(LXLinearExpression().add_term(variable, coefficient)).le().rhs(right)


def refusal(model: LXModel) -> str:
    """Return why the model does not compile."""
    with pytest.raises(LXModelError) as caught:
        compile_model(model)
    return str(caught.value)


class TestNames:
    def test_of_variables_and_of_constraints_are_taken_once(self) -> None:
        x = x_over()
        model = LXModel("m").add_variable(x).add_constraint(single(x))
        with pytest.raises(LXModelError, match="'x' already"):
            model.add_variable(x_over())
        with pytest.raises(LXModelError, match="'c' already"):
            model.add_constraint(single(x))

    def test_that_families_take_from_each_other_later_are_refused(self) -> None:
        x, y = x_over(), x_over(name="y")
        model = LXModel("m").add_variable(x, y)
        y.name = "x"
        assert "has 'x' twice" in refusal(model)

    def test_that_are_not_there_are_refused(self) -> None:
        model = furniture_model()
        assert model.get_variable("make").name == "make"
        assert model.get_constraint("hours").name == "hours"
        for look in (model.get_variable, model.get_constraint):
            with pytest.raises(LXModelError, match=r"has no .* 'sell'"):
                look("sell")

    def test_of_members_can_be_read(self) -> None:
        _, _, recipes = furniture()
        x = LXVariable[Any, float]("make").indexed_by(lambda r: (r.product.name, r.machine.id)).from_data(recipes)
        compiled = compile_model(LXModel("m").add_variable(x).add_constraint(single(x)))
        assert compiled.column_name(3) == "make[Table,2]"
        assert compiled.row_name(0) == "c"
        assert compile_model(furniture_model()).row_name(1) == "hours[Assembly]"
        with pytest.raises(IndexError):
            compiled.column_name(6)


class TestKeys:
    @pytest.mark.parametrize(
        "key", [lambda r: r.is_new, lambda r: 1, lambda r: "a" if r.id > 1 else "b", lambda r: (r.is_new, 0)]
    )
    def test_that_occur_twice_are_refused_for_variables_and_constraints(self, key: Any) -> None:
        products, _, _ = furniture()
        twice = LXVariable[Any, float]("x").indexed_by(key).from_data(products)
        assert "Variable x has the key" in refusal(LXModel("m").add_variable(twice))
        x = x_over(products)
        expression = LXLinearExpression().add_term(x, 1.0, at=lambda r: r)
        family = LXConstraint[Any]("c").expression(expression).le().indexed_by(key).from_data(products)
        assert "Constraint c has the key" in refusal(LXModel("m").add_variable(x).add_constraint(family))

    def test_that_are_different_but_equal_count_as_twice(self) -> None:
        x = LXVariable[Any, float]("x").indexed_by(lambda v: v).from_data([1, 1.0])
        assert "twice" in refusal(LXModel("m").add_variable(x))

    def test_that_are_not_hashable_are_refused(self) -> None:
        x = LXVariable[Any, float]("x").indexed_by(lambda r: [r.id]).from_data(furniture()[0])
        assert "not hashable" in refusal(LXModel("m").add_variable(x))

    def test_may_not_hide_that_a_row_is_there_twice(self) -> None:
        products, _, _ = furniture()
        count = iter(range(9))
        rows = products.rows.where(np.array([True, True, False]))
        rows.positions = np.array([0, 0])
        x = LXVariable[Any, float]("x").indexed_by(lambda r: next(count)).from_data(rows)
        model = LXModel("m").add_variable(x).maximize(LXLinearExpression().add_join(x, over=products.rows[:1]))
        with pytest.raises(LXModelError, match="the same row of Product twice"):
            compile_model(model)

    def test_that_match_nothing_are_refused_unless_skipped(self) -> None:
        products, _, recipes = furniture()
        x = x_over(products.rows[:2])
        for skip in (False, True):
            at = LXLinearExpression().add_term(x, 2.0, at=lambda r: r.name, skip_missing=skip)
            join = LXLinearExpression().add_join(
                x, over=recipes, variable_key=lambda r: r.product, row_key=lambda r: r.product.name, skip_missing=skip
            )
            for expression in (at, join):
                family = LXConstraint[Any]("c").expression(expression).le().indexed_by(lambda r: r.name)
                model = LXModel("m").add_variable(x).add_constraint(family.from_data(products))
                if skip:
                    assert matrix(compile_model(model)) == [[2.0, 0.0], [0.0, 2.0], [0.0, 0.0]]
                else:
                    assert "a key that x does not have, for <" in refusal(model)

    def test_of_a_constraint_that_match_nothing_are_refused_unless_skipped(self) -> None:
        products, machines, recipes = furniture()
        x = x_over(products)
        for skip in (False, True):
            join = LXLinearExpression().add_join(
                x, over=recipes, variable_key=lambda r: r.product, row_key=lambda r: r.machine, skip_missing=skip
            )
            family = LXConstraint[Any]("c").expression(join).le().indexed_by(lambda m: m.name)
            model = LXModel("m").add_variable(x).add_constraint(family.from_data(machines.rows[1:]))
            if skip:
                assert matrix(compile_model(model)) == [[1.0, 1.0, 1.0]]
            else:
                assert "names <Machine Cutting>, a key that c does not have, for <Recipe 0>" in refusal(model)


class TestFamilies:
    def test_without_rows_or_index_are_refused(self) -> None:
        with pytest.raises(LXModelError, match="Variable x has no rows"):
            LXModel("m").add_variable(LXVariable[Any, float]("x").indexed_by(lambda r: r.name))
        with pytest.raises(LXModelError, match="Variable x has no index"):
            LXModel("m").add_variable(LXVariable[Any, float]("x").from_data([1, 2]))
        with pytest.raises(LXModelError, match="its rows no primary key"):
            LXModel("m").add_variable(LXVariable[Any, float]("x").from_data(LXTable("t", {"id": [1, 2]})))

    def test_of_constraints_say_rows_and_index_both_or_neither(self) -> None:
        x = x_over()
        with pytest.raises(LXModelError, match="Constraint c has no index"):
            LXModel("m").add_constraint(single(x).from_data([1, 2]))
        with pytest.raises(LXModelError, match="Constraint c has an index but no rows"):
            LXModel("m").add_constraint(single(x).indexed_by(lambda m: m.name))

    def test_without_an_index_have_the_primary_key_of_their_rows(self) -> None:
        products, machines, recipes = furniture()
        x = LXVariable[Any, float]("x").bounds(upper=1).from_data(products.rows[1:])
        used = LXLinearExpression().add_join(
            x, over=recipes.rows[2:], variable_key=lambda r: r.product, row_key=lambda r: r.machine
        )
        family = LXConstraint[Any]("c").from_data(machines).expression(used).le().rhs(9)
        model = LXModel("m").add_variable(x).add_constraint(family).maximize(LXLinearExpression().add_term(x))
        for made in (model, copy.deepcopy(model), load_model(dump_model(model))):
            assert made.variables[0].keys == [2, 3]
            assert made.constraints[0].keys == [1, 2]
            values = LXOptimizer().solve(made).variables["x"]
            assert [values[2], values[products.rows[2]]] == [1.0, 1.0]
        assert copy.deepcopy(LXVariable[Any, float]("x").from_data(products)).keys == [1, 2, 3]
        assert family.indexed_by(lambda m: m.name).keys == ["Cutting", "Assembly"]

    def test_of_constraints_have_an_expression_and_a_sense(self) -> None:
        with pytest.raises(LXModelError, match="no expression or no sense"):
            LXModel("m").add_constraint(LXConstraint[Any]("c").le())
        with pytest.raises(LXModelError, match="no expression or no sense"):
            LXModel("m").add_constraint(LXConstraint[Any]("c").expression(LXLinearExpression()))

    def test_that_the_model_does_not_have_are_refused_where_they_are_used(self) -> None:
        mine, other = x_over(), x_over()
        assert "Constraint c uses the variable x" in refusal(LXModel("m").add_constraint(single(mine)))
        assert "Constraint c uses the variable x" in refusal(
            LXModel("m").add_variable(other).add_constraint(single(mine))
        )
        objective = LXLinearExpression().add_term(mine)
        assert "The objective uses the variable x" in refusal(LXModel("m").maximize(objective))

    def test_may_be_empty(self) -> None:
        products, _, _ = furniture()
        x, none = x_over(products), x_over(products.rows[:0], "none")
        sums = LXLinearExpression().add_term(x).add_term(none, lambda r: r.boxes)
        each = LXLinearExpression().add_term(x, at=lambda r: r)
        empty = (
            LXConstraint[Any]("empty").expression(each).le().indexed_by(lambda r: r.name).from_data(products.rows[:0])
        )
        model = LXModel("m").add_variable(none, x).add_constraint(empty, single(x)).maximize(sums)
        compiled = compile_model(model)
        assert (compiled.column_count, compiled.row_count) == (3, 1)
        assert LXOptimizer().solve(model).objective_value == pytest.approx(5.0)

    def test_may_be_of_plain_objects(self) -> None:
        @dataclass  # comparable, so not hashable
        class Item:
            name: str
            value: float
            group: str

        items = [Item("a", 1.0, "g"), Item("b", 2.0, "h"), Item("c", 3.0, "g")]
        x = x_over(items)
        groups = LXConstraint[Any]("group").indexed_by(lambda g: g).from_data(["g", "h"]).le()
        groups.expression(
            LXLinearExpression()
            .add_join(x, lambda i: i.value, row_key=lambda i: i.group)
            .add_join(x, 10.0, where=lambda i: i.value > 1.5, row_key=lambda i: i.group)
            .add_join(x, 100.0, over=items[2:], row_key=lambda i: i.group)
        )
        each = LXConstraint[Any]("each").indexed_by(lambda i: i.name).from_data(items).le()
        each.expression(LXLinearExpression().add_term(x, lambda i: i.value, at=lambda i: i))
        model = LXModel("m").add_variable(x).add_constraint(groups, each).maximize(LXLinearExpression().add_term(x))
        compiled = compile_model(model)
        assert matrix(compiled)[:2] == [[1.0, 0.0, 113.0], [0.0, 12.0, 0.0]]
        assert matrix(compiled)[2:] == np.diag([1.0, 2.0, 3.0]).tolist()


class TestTerms:
    def test_in_a_family_say_which_variables_they_take(self) -> None:
        products, machines, _ = furniture()
        x = x_over(products)

        def family(expression: LXLinearExpression) -> LXModel:
            rows = LXConstraint[Any]("c").expression(expression).le().indexed_by(lambda m: m.name).from_data(machines)
            return LXModel("m").add_variable(x).add_constraint(rows)

        assert "does not say which variables" in refusal(family(LXLinearExpression().add_term(x)))
        assert "does not say which variables" in refusal(family(LXLinearExpression().add_join(x)))
        assert "needs a row_key" in refusal(family(LXLinearExpression().add_join(x, over=products)))
        assert "needs a row_key" in refusal(family(LXLinearExpression().add_join(x, variable_key=lambda p: p)))
        every = compile_model(
            family(LXLinearExpression().add_multi_term(x, lambda p: p.boxes, where=lambda p: p.is_new))
        )
        assert matrix(every) == [[0.0, 4.0, 0.0]] * 2

    def test_in_a_single_row_cannot_follow_a_constraints_row(self) -> None:
        x = x_over()
        for expression, words in (
            (LXLinearExpression().add_term(x, at=lambda r: r), "can't use `at`"),
            (LXLinearExpression().add_join(x, row_key=lambda r: r), "drop row_key"),
        ):
            constraint = LXConstraint[Any]("c").expression(expression).le()
            assert words in refusal(LXModel("m").add_variable(x).add_constraint(constraint))
            assert words in refusal(LXModel("m").add_variable(x).maximize(expression))

    def test_that_repeat_add_up_and_those_that_cancel_leave_nothing(self) -> None:
        x = x_over()
        expression = LXLinearExpression().add_term(x, 1.5).add_term(x, lambda p: p.boxes).add_multi_term(x, -2.5)
        model = LXModel("m").add_variable(x).add_constraint(single(x).expression(expression)).maximize(expression)
        compiled = compile_model(model)
        assert matrix(compiled) == [[0.0, 3.0, 1.0]]
        assert len(compiled.values) == 2
        assert compiled.cost.tolist() == [0.0, 3.0, 1.0]

    def test_of_constants_move_to_the_right_side(self) -> None:
        products, _, _ = furniture()
        x = x_over(products)
        expression = LXLinearExpression().add_term(x, at=lambda p: p).add_constant(lambda p: p.boxes).add_constant(2.0)
        family = (
            LXConstraint[Any]("c").expression(expression).eq().rhs(10).indexed_by(lambda p: p.name).from_data(products)
        )
        model = LXModel("m").add_variable(x).add_constraint(family)
        compiled = compile_model(model.maximize(LXLinearExpression().add_term(x).add_constant(7.0)))
        assert compiled.row_lower.tolist() == compiled.row_upper.tolist() == [7.0, 4.0, 6.0]
        assert compiled.offset == 7.0
        assert LXOptimizer().solve(model).objective_value == pytest.approx(24.0)

    def test_over_a_generator_can_be_compiled_twice(self) -> None:
        products, _, _ = furniture()
        x = x_over(products)
        expression = LXLinearExpression().add_join(x, 2.0, over=(row for row in products.rows[:2]))
        model = LXModel("m").add_variable(x).maximize(expression)
        assert [compile_model(model).cost.tolist() for _ in range(2)] == [[2.0, 2.0, 0.0]] * 2


class TestNumbers:
    @pytest.mark.parametrize("bad", [INF, -INF, math.nan, lambda r: INF, lambda r: math.nan, lambda r: None, "1", True])
    def test_that_are_not_finite_are_refused_by_name(self, bad: Any) -> None:
        x = x_over()
        assert "The coefficient of x in c" in refusal(LXModel("m").add_variable(x).add_constraint(single(x, bad)))
        objective = LXLinearExpression().add_term(x, bad)
        assert "The coefficient of x in the objective" in refusal(LXModel("m").add_variable(x).maximize(objective))

    @pytest.mark.parametrize("bad", [INF, -INF, math.nan, "1", None, True, 1e20, -1e20])
    def test_on_the_right_are_finite(self, bad: Any) -> None:
        x = x_over()
        said = refusal(LXModel("m").add_variable(x).add_constraint(single(x, 1.0, bad)))
        assert said.startswith(("The right side of c", "c has the right side"))
        constant = LXConstraint[Any]("c").expression(LXLinearExpression().add_term(x).add_constant(bad)).le().rhs(0)
        said = refusal(LXModel("m").add_variable(x).add_constraint(constant))
        assert said.startswith(("The constant of c", "c has the right side"))

    def test_on_the_right_follow_the_row_only_where_there_is_one(self) -> None:
        x = x_over()
        model = LXModel("m").add_variable(x).add_constraint(single(x, 1.0, lambda r: 1.0))
        assert "c is a single row: its right side must be a number" in refusal(model)
        model = LXModel("m").add_variable(x).maximize(LXLinearExpression().add_constant(lambda r: 1.0))
        assert "The objective is a single row" in refusal(model)

    @pytest.mark.parametrize(
        "bounds", [{"lower": INF}, {"upper": -INF}, {"lower": math.nan}, {"upper": lambda r: math.nan}]
    )
    def test_of_bounds_are_refused_where_they_bound_nothing(self, bounds: Any) -> None:
        assert "bound of x" in refusal(LXModel("m").add_variable(x_over().bounds(**bounds)))

    @pytest.mark.parametrize("bounds", [{"lower": 1e20, "upper": None}, {"lower": None, "upper": -1e25}])
    def test_of_bounds_that_solvers_take_for_infinite_are_refused(self, bounds: Any) -> None:
        assert "no number lies between them" in refusal(LXModel("m").add_variable(x_over().bounds(**bounds)))

    def test_that_add_up_to_no_finite_number_are_refused_by_name(self) -> None:
        x = x_over()
        much = LXLinearExpression().add_term(x, 1e308).add_term(x, 1e308)
        model = LXModel("m").add_variable(x)
        assert "x[Chair] in the objective" in refusal(model.maximize(much))
        model.maximize(LXLinearExpression())
        assert "x[Chair] in c" in refusal(model.add_constraint(single(x).expression(much)))
        constants = LXLinearExpression().add_constant(1e308).add_constant(1e308)
        assert "constants of the objective" in refusal(LXModel("m").maximize(constants))

    @pytest.mark.parametrize("size", [1e-10, -1e-10, 1e-9, 1e16])
    def test_that_solvers_would_drop_or_refuse_are_refused_by_name(self, size: float) -> None:
        model = dense_model([1.0, 1.0], [([1.0, 1.0], "<=", 4.0), ([size, 2.0 * size], "<=", size)])
        assert f"The coefficient of x[a] in r1 is {size:g}" in refusal(model)

    def test_that_rounding_left_behind_are_accepted(self) -> None:
        model = dense_model([1.0, 1.0], [([0.1 + 0.2 - 0.3, 1.0], "<=", 4.0), ([1.0, 0.0], "<=", 1.0)])
        assert LXOptimizer().solve(model).objective_value == pytest.approx(5.0)


class TestBounds:
    def test_that_cross_are_refused_by_name(self) -> None:
        model = LXModel("m").add_variable(x_over().bounds(lower=3.0, upper=lambda p: p.boxes))
        assert "x[Chair] has the lower bound 3 and the upper bound 1" in refusal(model)

    def test_default_to_zero_and_none(self) -> None:
        compiled = compile_model(LXModel("m").add_variable(x_over(), x_over(name="free").bounds(lower=None)))
        assert compiled.lower.tolist() == [0.0] * 3 + [-INF] * 3
        assert compiled.upper.tolist() == [INF] * 6

    def test_follow_the_row_and_none_is_no_bound(self) -> None:
        x = x_over().bounds(lower=lambda p: None if p.is_new else -p.boxes, upper=lambda p: p.max_demand)
        compiled = compile_model(LXModel("m").add_variable(x))
        assert compiled.lower.tolist() == [-1.0, -INF, -2.0]
        assert compiled.upper.tolist() == [100.0, INF, 30.0]

    def test_of_whole_numbers_are_rounded_inwards(self) -> None:
        x = x_over().integer().bounds(lower=-2.5, upper=lambda p: p.boxes + 0.9999999999)
        compiled = compile_model(LXModel("m").add_variable(x))
        assert compiled.lower.tolist() == [-2.0] * 3
        assert compiled.upper.tolist() == [2.0, 5.0, 3.0]  # within 1e-9 of a whole number is that number
        crossed = LXModel("m").add_variable(x_over().integer().bounds(lower=0.3, upper=0.7))
        assert "x[Chair] has the lower bound 1 and the upper bound 0" in refusal(crossed)

    @pytest.mark.parametrize("order", ["before", "after"])
    def test_of_binaries_stay_as_tight_as_given(self, order: str) -> None:
        x = x_over()
        if order == "before":
            x.bounds(lower=lambda p: 1 if p.is_new else -5, upper=7.0).binary()
        else:
            x.binary().bounds(lower=lambda p: 1 if p.is_new else -5, upper=7.0)
        compiled = compile_model(LXModel("m").add_variable(x))
        assert compiled.lower.tolist() == [0.0, 1.0, 0.0]
        assert compiled.upper.tolist() == [1.0, 1.0, 1.0]
        assert compiled.integer.all()

    def test_kind_is_the_one_said_last(self) -> None:
        some = x_over().integer(where=lambda p: p.is_new)
        assert some.whole_mask().tolist() == [False, True, False]
        assert some.binary().whole_mask().all()
        assert not some.continuous().whole_mask().any()


class TestValues:
    def test_are_found_by_row_and_by_key(self) -> None:
        model = furniture_model()
        products = model.tables["products"]
        values = LXOptimizer().solve(model).variables["make"]
        for row in products.rows:
            assert values[row] == values[row.name]
        assert dict(values) == {name: values[name] for name in ("Chair", "Table", "Desk")}
        assert len(values) == 3

    def test_of_another_tables_row_or_another_key_are_refused(self) -> None:
        model = furniture_model()
        values = LXOptimizer().solve(model).variables["make"]
        chair = LXVariable[Any, float]("x").indexed_by(lambda r: r.id).from_data(model.tables["products"])
        by_id = LXOptimizer().solve(LXModel("m").add_variable(chair.bounds(upper=1.0)))
        for key in (
            model.tables["machines"].rows[0],
            LXTable("Other", {"name": ["Chair"]}).rows[0],
            "Stool",
            None,
            1,
            [1],
        ):
            assert key not in values
            with pytest.raises(KeyError):
                values[key]
        with pytest.raises(KeyError):
            by_id.variables["x"][model.tables["machines"].rows[0]]

    def test_of_a_single_constraint_have_the_key_none(self) -> None:
        x = x_over().bounds(upper=4.0)
        solution = LXOptimizer().solve(
            LXModel("m").add_variable(x).add_constraint(single(x)).maximize(LXLinearExpression().add_term(x))
        )
        assert solution.duals["c"][None] == pytest.approx(1.0)
        with pytest.raises(KeyError, match="c is a single row"):
            solution.duals["c"]["c"]

    def test_are_refused_where_there_is_no_plan(self) -> None:
        solution = LXOptimizer().solve(dense_model([1.0], [([1.0], "<=", -1.0)]))
        for ask in (lambda: solution.variables, lambda: solution.duals):
            with pytest.raises(LXError, match=r"There (is no plan|are no duals)"):
                ask()

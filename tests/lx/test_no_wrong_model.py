"""Data and functions that say something wrong are refused by name; what they say right is never dropped."""

from __future__ import annotations

import math
from copy import deepcopy
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.db import DatabaseError

from planning.lx import (
    INFEASIBLE,
    LXConstraint,
    LXLinearExpression,
    LXModel,
    LXModelError,
    LXOptimizer,
    LXRows,
    LXVariable,
    compile_model,
)
from planning.models import Machine, Product
from tests.factories import make_furniture
from tests.lx.small_models import dense_model, furniture, matrix

PLACES = {
    "coefficient": "The coefficient of x in c",
    "coefficient at": "The coefficient of x in c",
    "coefficient of a join": "The coefficient of x in c",
    "objective": "The coefficient of x in the objective",
    "right side": "The right side of c",
    "constant": "The constant of c",
    "lower bound": "The lower bound of x",
    "upper bound": "The upper bound of x",
}


def model_with(place: str, given: Any) -> LXModel:
    """Return a model over the three products that has a function, or a number, in one place."""
    products, _, _ = furniture()
    x = LXVariable[Any, float]("x").indexed_by(lambda p: p.name).from_data(products)
    if place.endswith("bound"):
        x.bounds(**{place.partition(" ")[0]: given})
    terms = LXLinearExpression()
    if place == "coefficient of a join":
        terms.add_join(x, given, row_key=lambda p: p.name)
    else:
        terms.add_term(x, given if place in ("coefficient", "coefficient at") else 1.0, at=lambda p: p)
    if place == "constant":
        terms.add_constant(given)
    family = LXConstraint[Any]("c").indexed_by(lambda p: p.name).from_data(products).expression(terms).le()
    family.rhs(given if place == "right side" else 1.0)
    objective = LXLinearExpression().add_term(x, given if place == "objective" else 1.0)
    return LXModel("m").add_variable(x).add_constraint(family).maximize(objective)


def compiled(model: LXModel) -> Any:
    """Return every number of the compiled model."""
    made = compile_model(model)
    arrays = [made.cost, made.lower, made.upper, made.row_lower, made.row_upper, made.values]
    return [array.tolist() for array in arrays]


class TestAFunction:
    @pytest.mark.parametrize("place", PLACES)
    @pytest.mark.parametrize(
        "bad",
        [
            "2",
            "",
            b"2",
            True,
            Decimal(2),
            2 + 0j,
            [2.0],
            {},
            np.bool_(True),
            np.array([1.0, 2.0]),
            np.str_("2"),
            10**400,
        ],
        ids=repr,
    )
    def test_that_gives_no_number_is_refused_with_its_row(self, place: str, bad: Any) -> None:
        model = model_with(place, lambda p: bad if p.name == "Table" else 1.0)
        with pytest.raises(LXModelError, match=rf"{PLACES[place]} .*<Product Table>"):
            compile_model(model)

    @pytest.mark.parametrize("place", PLACES)
    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, np.float64("nan")], ids=repr)
    def test_that_gives_no_finite_number_is_refused_with_its_row(self, place: str, bad: Any) -> None:
        if (place, bad) in (("lower bound", -math.inf), ("upper bound", math.inf)):
            assert compiled(model_with(place, lambda p: bad)) == compiled(model_with(place, None))
            return
        model = model_with(place, lambda p: bad if p.name == "Table" else 1.0)
        with pytest.raises(LXModelError, match=rf"{PLACES[place]} gives .*<Product Table>|no number lies between them"):
            compile_model(model)

    @pytest.mark.parametrize("place", PLACES)
    def test_that_gives_none_is_refused_except_for_a_bound(self, place: str) -> None:
        model = model_with(place, lambda p: None if p.name == "Table" else 1.0)
        if place.endswith("bound"):
            bounds = compile_model(model).lower if place == "lower bound" else compile_model(model).upper
            assert np.isinf(bounds).tolist() == [False, True, False]
            return
        with pytest.raises(LXModelError, match=rf"{PLACES[place]} gives None for <Product Table>"):
            compile_model(model)

    @pytest.mark.parametrize("place", PLACES)
    def test_may_give_any_number_of_python_or_numpy(self, place: str) -> None:
        numbers = [2, 2.0, np.float64(2), np.float32(2), np.int64(2), np.int8(2), np.uint16(2)]
        for number in numbers:
            assert compiled(model_with(place, lambda p, n=number: n)) == compiled(model_with(place, 2.0)), number

    @pytest.mark.parametrize("bad", [1, 0, None, "yes", np.bool_(True)], ids=repr)
    def test_that_chooses_rows_says_true_or_false(self, bad: Any) -> None:
        products, _, _ = furniture()
        x = LXVariable[Any, float]("x").indexed_by(lambda p: p.name).from_data(products)
        terms = LXLinearExpression().add_multi_term(x, where=lambda p: bad if p.name == "Table" else True)
        with pytest.raises(LXModelError, match=r"The condition on x .*<Product Table>. It must give True or False"):
            compile_model(LXModel("m").add_variable(x).maximize(terms))
        x.integer(where=lambda p: bad if p.name == "Table" else True)
        with pytest.raises(LXModelError, match=r"The condition for whole numbers of x .*<Product Table>"):
            compile_model(LXModel("m").add_variable(x))


class TestANumber:
    @pytest.mark.parametrize("place", PLACES)
    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, "2", True, [1.0]], ids=repr)
    def test_that_is_none_is_refused_by_name(self, place: str, bad: Any) -> None:
        if (place, bad) in (("lower bound", -math.inf), ("upper bound", math.inf)):
            return
        with pytest.raises(LXModelError, match=rf"{PLACES[place]}|no number lies between them"):
            compile_model(model_with(place, bad))


class TestKeys:
    def test_in_another_order_than_the_familys_match_nothing(self) -> None:
        _, _, recipes = furniture()
        use = LXVariable[Any, float]("use").indexed_by(lambda r: (r.product.name, r.machine.name)).from_data(recipes)
        for key in (
            lambda r: (r.machine.name, r.product.name),
            lambda r: [r.product.name, r.machine.name],
            lambda r: f"{r.product.name},{r.machine.name}",
            lambda r: (r.product.name,),
        ):
            terms = LXLinearExpression().add_term(use, at=key)
            family = LXConstraint[Any]("c").indexed_by(lambda r: r.id).from_data(recipes).expression(terms).le()
            with pytest.raises(LXModelError, match=r"the term of use names .*, a key that use does not have"):
                compile_model(LXModel("m").add_variable(use).add_constraint(family))

    def test_are_not_found_by_what_only_looks_like_them(self) -> None:
        products, _, _ = furniture()
        x = LXVariable[Any, float]("x").indexed_by(lambda p: p.id).from_data(products)
        for key in ("1", "Chair", None, (1,), 1.5, math.nan):
            terms = LXLinearExpression().add_term(x, at=lambda p, key=key: key)
            family = LXConstraint[Any]("c").indexed_by(lambda p: p.id).from_data(products).expression(terms).le()
            with pytest.raises(LXModelError, match="a key that x does not have"):
                compile_model(LXModel("m").add_variable(x).add_constraint(family))

    def test_of_rows_of_another_table_match_nothing(self) -> None:
        products, machines, _ = furniture()
        x = LXVariable[Any, float]("x").indexed_by(lambda p: p.id).from_data(products)
        terms = LXLinearExpression().add_term(x, at=lambda m: m)
        family = LXConstraint[Any]("c").indexed_by(lambda m: m.id).from_data(machines).expression(terms).le()
        with pytest.raises(LXModelError, match=r"names <Machine Cutting>, a key that x does not have"):
            compile_model(LXModel("m").add_variable(x).add_constraint(family))


class TestATermInAFamily:
    """Which variables a constraint takes is written, and never follows from the types of the rows."""

    def test_of_the_same_rows_says_which_it_takes(self) -> None:
        products, _, _ = furniture()
        x = LXVariable[Any, float]("x").indexed_by(lambda p: p.id).from_data(products)

        def entries(terms: LXLinearExpression) -> list[list[float]]:
            family = LXConstraint[Any]("c").indexed_by(lambda p: p.id).from_data(products).expression(terms).le()
            return matrix(compile_model(LXModel("m").add_variable(x).add_constraint(family)))

        with pytest.raises(LXModelError, match="does not say which variables a constraint takes"):
            entries(LXLinearExpression().add_term(x, 1))
        assert entries(LXLinearExpression().add_term(x, 1, at=lambda p: p)) == np.eye(3).tolist()
        assert entries(LXLinearExpression().add_multi_term(x, 1)) == np.ones((3, 3)).tolist()

    def test_of_other_rows_does_so_too(self) -> None:
        products, machines, _ = furniture()
        x = LXVariable[Any, float]("x").indexed_by(lambda p: p.id).from_data(products)
        family = LXConstraint[Any]("c").indexed_by(lambda m: m.id).from_data(machines)
        family.expression(LXLinearExpression().add_term(x, 1)).le()
        with pytest.raises(LXModelError, match="does not say which variables a constraint takes"):
            compile_model(LXModel("m").add_variable(x).add_constraint(family))


@pytest.mark.parametrize("solver", ["highs", "pulp:CBC"])
class TestARowWithoutVariables:
    @pytest.mark.parametrize(
        ("sense", "right", "asked"),
        [("ge", 5.0, "at least 5"), ("le", -2.0, "at most -2"), ("eq", 3.0, "at least 3")],
    )
    def test_that_cannot_hold_is_named(self, solver: str, sense: str, right: float, asked: str) -> None:
        products, _, _ = furniture()
        x = LXVariable[Any, float]("x").bounds(upper=9.0).indexed_by(lambda p: p.name).from_data(products)
        terms = LXLinearExpression().add_join(x, where=lambda p: p.is_new, row_key=lambda p: p.name)
        family = LXConstraint[Any]("c").indexed_by(lambda p: p.name).from_data(products).expression(terms)
        getattr(family, sense)().rhs(right)
        model = LXModel("m").add_variable(x.bounds(lower=-9.0, upper=9.0)).add_constraint(family)
        solution = LXOptimizer().use_solver(solver).solve(model)
        assert solution.termination == INFEASIBLE
        assert solution.message == (
            f"c[Chair] has no variables, so it is 0, but it is to be {asked}. The same holds for 1 more."
        )

    def test_that_holds_is_no_fault(self, solver: str) -> None:
        model = dense_model([1.0], [([0.0], "<=", 3.0), ([1.0], "<=", 2.0), ([1.0], ">=", 1.0)])
        assert LXOptimizer().use_solver(solver).solve(model).objective_value == pytest.approx(2.0)

    def test_is_not_named_where_other_rows_are_at_fault(self, solver: str) -> None:
        model = dense_model([1.0], [([0.0], "<=", 3.0), ([1.0], "<=", 2.0), ([1.0], ">=", 3.0)])
        solution = LXOptimizer().use_solver(solver).solve(model)
        assert solution.termination == INFEASIBLE
        assert "has no variables" not in solution.message


@pytest.mark.django_db
class TestADatabaseError:
    """It is raised where the rows are read; there is no model without its rows."""

    def broken(self) -> Any:
        return Product.objects.extra(where=["no_such_column = 1"])

    def test_while_a_family_is_added_leaves_the_model_as_it_was(self) -> None:
        model = LXModel("m")
        with pytest.raises(DatabaseError, match="no_such_column"):
            model.add_variable(LXVariable[Product, float]("x").indexed_by(lambda p: p.id).from_model(self.broken()))
        assert model.variables == []

    def test_while_a_family_is_copied_is_raised(self) -> None:
        with pytest.raises(DatabaseError, match="no_such_column"):
            deepcopy(LXVariable[Product, float]("x").indexed_by(lambda p: p.id).from_model(self.broken()))

    def test_while_a_function_is_detached_is_raised_and_gives_no_function(self) -> None:
        make_furniture()
        unsaved = Machine(name="new")
        model = LXModel("m").add_variable(x := LXVariable[Product, float]("x").from_model(Product))
        assert isinstance(x.rows, LXRows)
        with pytest.raises(LXModelError, match="has no primary key"):
            model.maximize(LXLinearExpression().add_term(x, lambda p: unsaved.available_hours))
        assert model.objective.terms == []

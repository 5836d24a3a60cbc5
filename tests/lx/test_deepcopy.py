"""deepcopy of a model: it keeps its functions, has tables of its own, and neither side sees the other's changes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from django.db import connection

from planning.lx import (
    LXConstraint,
    LXCopyError,
    LXDetachError,
    LXLinearExpression,
    LXModel,
    LXModelError,
    LXOptimizer,
    LXRecord,
    LXRows,
    LXVariable,
    compile_model,
    detach_orm_object,
    materialize_and_detach_list,
)
from planning.models import Machine, Product, ProductionRecipe
from tests.factories import make_furniture
from tests.lx.small_models import arrays, furniture_model

pytestmark = pytest.mark.django_db


def orm_model() -> LXModel:
    """Return the seeds' model: one constraint per machine, whose row the coefficient holds as a default."""
    make_furniture()
    hours = {(r.product_id, r.machine_id): r.hours_required for r in ProductionRecipe.objects.all()}
    chair = Product.objects.get(name="Chair")
    make = (
        LXVariable[Product, float]("make")
        .bounds(upper=lambda p: 2 * chair.profit_per_unit if p == chair else p.profit_per_unit)
        .indexed_by(lambda p: p.id)
        .from_model(Product)
    )
    model = LXModel("orm").add_variable(make)
    for machine in Machine.objects.all():
        model.add_constraint(
            LXConstraint[Machine](f"machine_{machine.name}")
            .expression(LXLinearExpression().add_multi_term(make, lambda p, m=machine: hours.get((p.id, m.id), 0.0)))
            .le()
            .rhs(machine.available_hours)
        )
    return model.maximize(LXLinearExpression().add_term(make, lambda p: p.profit_per_unit))


def compiled(model: LXModel) -> dict[str, bytes]:
    return arrays(compile_model(model))


BUILDERS: list[Callable[[], LXModel]] = [
    furniture_model,
    orm_model,
    lambda: pickle.loads(pickle.dumps(furniture_model())),
]


class TestACopy:
    @pytest.mark.parametrize("build", BUILDERS)
    def test_has_the_same_matrix_and_needs_no_database(self, build: Callable[[], LXModel]) -> None:
        model = build()
        before = compiled(model)
        with connection.execute_wrapper(lambda *args: pytest.fail("a query")):
            made = copy.deepcopy(model)
            assert compiled(made) == before
            assert compiled(copy.deepcopy(made)) == before
        assert LXOptimizer().solve(made).objective_value == LXOptimizer().solve(model).objective_value

    @pytest.mark.parametrize("build", BUILDERS)
    @pytest.mark.parametrize("edited", ["copy", "base"])
    def test_and_its_base_do_not_see_each_others_changes(self, build: Callable[[], LXModel], edited: str) -> None:
        model = build()
        before = compiled(model)
        other = copy.deepcopy(model)
        changed, kept = (other, model) if edited == "copy" else (model, other)
        make = changed.get_variable("make")
        make.rows[0].profit_per_unit = 1.0
        for constraint in changed.constraints:
            constraint.rhs_value *= 0.5
        if isinstance(make.upper, np.ndarray):
            make.upper[:] = 3.0
        else:
            make.bounds(upper=3.0)
        changed.objective.terms[0].coefficient = 5.0
        changed.objective.add_constant(7.0)
        assert compiled(kept) == before
        assert compiled(changed) != before
        assert kept.get_variable("make").rows[0].profit_per_unit == 45.0

    def test_of_a_model_that_was_read_refuses_what_that_refuses(self) -> None:
        made = copy.deepcopy(pickle.loads(pickle.dumps(furniture_model())))
        with pytest.raises(LXModelError, match="did not travel with the copy and may read"):
            made.get_variable("make").rows[0].name = "Stool"
        made.get_variable("make").rows[0].profit_per_unit = 46.0
        assert compile_model(made).cost.tolist() == [46.0, 120.0, 200.0]

    def test_does_not_write_to_the_database(self) -> None:
        model = orm_model()
        made = copy.deepcopy(model)
        made.get_variable("make").rows[0].profit_per_unit = 1.0
        assert Product.objects.get(name="Chair").profit_per_unit == 45.0

    def test_keeps_its_functions_on_its_own_rows(self) -> None:
        made = copy.deepcopy(orm_model())
        make = made.get_variable("make")
        make.rows[0].profit_per_unit = 10.0
        assert make.bound_arrays()[1].tolist() == [20.0, 120.0, 200.0]
        assert compile_model(made).cost.tolist() == [10.0, 120.0, 200.0]

    def test_has_one_record_for_a_row_of_a_family_and_of_functions(self) -> None:
        model = orm_model()
        chair = Product.objects.get(name="Chair")
        table = detach_orm_object(Product.objects.get(name="Table"))
        model.get_variable("make").bounds(lower=lambda p, held=[chair, table]: held and 0.0)
        made = copy.deepcopy(model)
        function: Any = made.get_variable("make").lower
        assert function.__defaults__[0][0] is made.get_variable("make").rows[0]
        assert type(function.__defaults__[0][1]) is LXRecord
        assert function.__defaults__[0][1] is not table

    def test_keeps_tables_variables_and_terms_together(self) -> None:
        model = furniture_model()
        made = copy.deepcopy(model)
        assert isinstance(made.get_variable("make").rows, LXRows)
        assert made.get_variable("make").rows.table is made.tables["products"]
        assert made.tables["recipes"].links["product"].target is made.tables["products"]
        assert made.objective.terms[0].variable is made.variables[0]
        assert made.tables["products"] is not model.tables["products"]

    def test_takes_more_families_of_the_same_rows(self) -> None:
        model = orm_model()
        made = copy.deepcopy(model)
        more = LXVariable[Product, float]("more").indexed_by(lambda p: p.id).from_model(Product)
        made.add_variable(more)
        assert more.rows[0] is made.get_variable("make").rows[0]
        assert more.rows[0] is not model.get_variable("make").rows[0]

    def test_with_a_queryset_in_a_function_is_refused_and_the_base_stays(self) -> None:
        model = orm_model()
        products = Product.objects.all()
        model.get_variable("make").bounds(upper=lambda p: products.get(pk=p.id).profit_per_unit)
        with pytest.raises(LXDetachError, match=r"variable make › upper bound › closure 'products' is a queryset"):
            copy.deepcopy(model)
        assert len(model.variables) == 1

    def test_that_is_shallow_is_refused(self) -> None:
        with pytest.raises(LXCopyError, match=r"Use copy\.deepcopy"):
            copy.copy(furniture_model())

    def test_pickles_as_the_base_does(self) -> None:
        model = furniture_model()
        assert pickle.dumps(copy.deepcopy(model)) == pickle.dumps(model)


@dataclass(eq=False)
class Plain:
    name: str
    hours: float


class TestPlainObjects:
    def test_are_copied_and_stay_the_same_for_functions(self) -> None:
        rows = [Plain("a", 1.0), Plain("b", 2.0)]
        first = rows[0]
        make = (
            LXVariable[Plain, float]("make")
            .bounds(upper=lambda p: 5.0 if p is first else p.hours)
            .indexed_by(lambda p: p)
            .from_data(rows)
        )
        model = LXModel("m").add_variable(make).maximize(LXLinearExpression().add_term(make, lambda p: p.hours))
        before = compiled(model)
        made = copy.deepcopy(model)
        assert compiled(made) == before
        made.get_variable("make").rows[0].hours = 9.0
        assert first.hours == 1.0
        assert compile_model(made).cost.tolist() == [9.0, 2.0]
        assert compile_model(made).upper.tolist() == [5.0, 2.0]


class TestParts:
    def test_an_expression_alone(self) -> None:
        make_furniture()
        product = Product.objects.get(name="Chair")
        make = LXVariable[Product, float]("make").indexed_by(lambda p: p.id).from_data([product])
        expression = LXLinearExpression().add_term(make, lambda p: product.profit_per_unit)
        made = copy.deepcopy(expression)
        with connection.execute_wrapper(lambda *args: pytest.fail("a query")):
            assert made.terms[0].entries("o", None, None).coefficients.tolist() == [45.0]
        assert made.terms[0].coefficient.__closure__[0].cell_contents is made.terms[0].variable.rows[0]  # type: ignore[union-attr]
        assert made.terms[0].variable is not make

    def test_a_variable_alone_whose_rows_were_not_read(self, django_assert_num_queries: Any) -> None:
        make_furniture()
        make = LXVariable[Product, float]("make").indexed_by(lambda p: p.id).from_model(Product)
        with django_assert_num_queries(1):
            made = copy.deepcopy(make)
            assert made.keys == [1, 2, 3] or len(made.keys) == 3
        made.rows[0].profit_per_unit = 0.0
        assert make.rows[0].profit_per_unit == 45.0

    def test_a_constraint_alone(self) -> None:
        model = furniture_model()
        made = copy.deepcopy(model.get_constraint("hours"))
        made.rhs_value *= 2
        assert made.rhs_array().tolist() == [160.0, 200.0]
        assert model.get_constraint("hours").rhs_array().tolist() == [80.0, 100.0]

    def test_several_with_one_memo_stay_together(self) -> None:
        model = furniture_model()
        variable, expression = copy.deepcopy((model.variables[0], model.objective))
        assert expression.terms[0].variable is variable


class TestRightSides:
    def test_that_are_numbers_are_scaled(self) -> None:
        model = orm_model()
        made = copy.deepcopy(model)
        made.constraints[0].rhs_value = 1500
        made.constraints[1].rhs_value *= 1.2
        assert made.constraints[0].rhs_array().tolist() == [1500.0]
        assert model.constraints[0].rhs_array().tolist() == [80.0]
        assert made.constraints[1].rhs_value == pytest.approx(120.0)

    @pytest.mark.parametrize("travel", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
    def test_that_are_functions_or_arrays_are_scaled(self, travel: Any) -> None:
        made = travel(furniture_model())
        hours = made.get_constraint("hours")
        hours.rhs_value *= 1.5
        hours.rhs_value -= 10
        assert hours.rhs_array().tolist() == [110.0, 140.0]
        assert compile_model(made).row_upper.tolist() == [110.0, 140.0]

    def test_of_another_number_than_the_rows_are_refused(self) -> None:
        hours = furniture_model().get_constraint("hours")
        for wrong in (np.array([1.0]), np.zeros((2, 1))):
            with pytest.raises(LXModelError, match="needs 2 numbers"):
                hours.rhs_value = wrong

    def test_materialize_keeps_plain_rows(self) -> None:
        plain = [Plain("a", 1.0)]
        assert materialize_and_detach_list(plain)[0] is plain[0]

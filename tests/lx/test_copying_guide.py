"""What LumiX' guide to copying models shows, on Django and on SQLAlchemy: copies, detaching, closures, pickle."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from copy import copy, deepcopy
from types import SimpleNamespace
from typing import Any

import pytest

from planning.lx import (
    LXConstraint,
    LXCopyError,
    LXDetachError,
    LXLinearExpression,
    LXModel,
    LXNotLoadedError,
    LXOptimizer,
    LXRecord,
    LXVariable,
    LXWhatIfAnalyzer,
    compile_model,
    copy_function_detaching_closure,
    detach_orm_object,
    materialize_and_detach_list,
)
from tests.factories import BEST_PROFIT
from tests.lx.guide_sources import Source, source_named, workshop_model

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["django", "sqlalchemy"])
def source(request: pytest.FixtureRequest) -> Iterator[Source]:
    with source_named(request.param) as source:
        yield source


def small_model(source: Source) -> tuple[LXModel, LXVariable[Any, float]]:
    """Return a model with two constraints to change, `capacity` and `demand`."""
    Product = source.tables.Product  # noqa: N806
    production = (
        LXVariable[Product, float]("production")
        .continuous()
        .bounds(lower=0)
        .indexed_by(lambda p: p.id)
        .from_model(*source.model(Product))
    )
    model = LXModel("production").add_variable(production)
    everything = LXLinearExpression().add_multi_term(production)
    model.add_constraint(
        LXConstraint("capacity").expression(everything).le().rhs(1000),
        LXConstraint("demand").expression(everything).le().rhs(100),
    )
    return model.maximize(LXLinearExpression().add_term(production, lambda p: p.profit_per_unit)), production


class TestCopies:
    def test_of_a_model_over_rows_of_a_database_are_made(self, source: Source) -> None:
        model, _ = small_model(source)
        with source.closed():
            modified_model = deepcopy(model)
            modified_model.constraints[1].rhs_value *= 1.5
            modified_model.constraints[0].rhs_value = 1500
            optimizer = LXOptimizer()
            original_solution = optimizer.solve(model)
            modified_solution = optimizer.solve(modified_model)
        assert original_solution.objective_value == pytest.approx(100 * 200)
        assert modified_solution.objective_value == pytest.approx(150 * 200)
        assert [constraint.rhs_value for constraint in model.constraints] == [1000, 100]

    def test_of_a_family_without_index_have_the_primary_keys(self, source: Source) -> None:
        Product = source.tables.Product  # noqa: N806
        production = LXVariable[Product, float]("production").from_model(*source.model(Product))
        model = LXModel("production")
        model.add_variable(production)
        modified_model = deepcopy(model)
        assert modified_model.variables[0].keys == [product.id for product in source.rows(Product)]

    def test_are_read_from_the_model_that_the_type_names(self, source: Source) -> None:
        Product = source.tables.Product  # noqa: N806
        given = () if source.session is None else (source.session,)
        production = LXVariable[Product, float]("production").indexed_by(lambda p: p.id).from_model(*given)
        model = LXModel("production").add_variable(production)
        assert len(deepcopy(model).variables[0].get_instances()) == 3

    def test_may_be_changed_family_by_family(self, source: Source) -> None:
        model, production = small_model(source)
        constraint = deepcopy(model.get_constraint("demand"))
        constraint.rhs_value *= 2
        variable = deepcopy(production)
        variable.get_instances()[0].profit_per_unit = 1.0
        assert model.get_constraint("demand").rhs_value == 100
        assert production.get_instances()[0].profit_per_unit == 45.0

    def test_that_are_shallow_are_refused(self, source: Source) -> None:
        model, _ = small_model(source)
        with pytest.raises(LXCopyError, match=r"Use copy\.deepcopy"):
            copy(model)

    def test_outlive_the_session(self, source: Source) -> None:
        model = workshop_model(source)
        with source.closed():
            model_copy = deepcopy(model)
            assert LXOptimizer().solve(model_copy).objective_value == pytest.approx(BEST_PROFIT)

    def test_of_a_model_without_families_are_made(self) -> None:
        assert deepcopy(LXModel("test")).name == "test"

    def test_are_pickled_and_solved_without_a_database(self, source: Source) -> None:
        model = workshop_model(source)
        with source.closed():
            restored_model = pickle.loads(pickle.dumps(model))
            solution = LXOptimizer().solve(restored_model)
        assert solution.objective_value == pytest.approx(BEST_PROFIT)


class TestChanges:
    def test_of_a_right_side_are_tried_as_what_ifs(self, source: Source) -> None:
        model, _ = small_model(source)
        analyzer = LXWhatIfAnalyzer(model, LXOptimizer())
        assert analyzer.increase_constraint_rhs("capacity", by=100).delta_objective == pytest.approx(0)
        assert analyzer.increase_constraint_rhs("demand", by=10).delta_objective == pytest.approx(2000)
        assert model.get_constraint("demand").rhs_value == 100

    def test_of_copies_are_scenarios(self, source: Source) -> None:
        model, _ = small_model(source)
        optimizer = LXOptimizer()
        scenarios = {}
        optimistic = deepcopy(model)
        optimistic.get_constraint("demand").rhs_value *= 1.2
        scenarios["optimistic"] = optimizer.solve(optimistic)
        scenarios["baseline"] = optimizer.solve(model)
        pessimistic = deepcopy(model)
        pessimistic.get_constraint("demand").rhs_value *= 0.8
        scenarios["pessimistic"] = optimizer.solve(pessimistic)
        shown = [f"{name}: ${solution.objective_value:,.2f}" for name, solution in scenarios.items()]
        assert shown == ["optimistic: $24,000.00", "baseline: $20,000.00", "pessimistic: $16,000.00"]


class TestDetaching:
    def test_of_a_row_gives_one_that_needs_no_session(self, source: Source) -> None:
        product = source.rows(source.tables.Product).first()
        detached_product = detach_orm_object(product)
        with source.closed():
            assert (detached_product.name, detached_product.profit_per_unit) == ("Chair", 45.0)
            assert pickle.loads(pickle.dumps(detached_product)).name == "Chair"
        assert type(detached_product) is LXRecord

    def test_of_a_plain_object_gives_the_object(self) -> None:
        plain_obj = SimpleNamespace(id=1, name="Chair")
        assert detach_orm_object(plain_obj) is plain_obj

    def test_of_a_list_gives_records(self, source: Source) -> None:
        products = list(source.rows(source.tables.Product))
        detached_list = materialize_and_detach_list(products, {})
        with source.closed():
            assert [product.name for product in detached_list] == ["Chair", "Table", "Desk"]
        assert materialize_and_detach_list(None, {}) is None

    def test_takes_what_was_loaded_eagerly(self, source: Source) -> None:
        products = source.products_with_recipes()
        model = LXModel("m").add_variable(LXVariable("production").from_data(products))
        with source.closed():
            chair = deepcopy(model).variables[0].get_instances()[0]
            assert [recipe.hours_required for recipe in source.recipes_of(chair)] == [0.5, 1.0]

    def test_takes_what_was_touched_before(self) -> None:
        with source_named("sqlalchemy") as source:
            products = list(source.rows(source.tables.Product))
            for product in products:
                _ = product.materials
                _ = product.machine_requirements
            model = LXModel("m").add_variable(LXVariable("production").from_data(products))
            with source.closed():
                chair = deepcopy(model).variables[0].get_instances()[0]
                assert [material.name for material in chair.materials] == ["Wood", "Metal", "Fabric"]

    def test_says_what_was_not_loaded(self, source: Source) -> None:
        model = LXModel("m").add_variable(LXVariable("production").from_data(list(source.rows(source.tables.Product))))
        chair = deepcopy(model).variables[0].get_instances()[0]
        with source.closed(), pytest.raises(LXNotLoadedError, match="was not loaded when the rows were detached"):
            source.recipes_of(chair)


class TestFunctions:
    def test_that_hold_a_row_are_copied_with_its_record(self, source: Source) -> None:
        product = source.rows(source.tables.Product).first()
        profit_func = lambda p: product.profit_per_unit * p.quantity  # noqa: E731
        safe_func = copy_function_detaching_closure(profit_func, {})
        with source.closed():
            assert safe_func(SimpleNamespace(quantity=2)) == 90.0
        assert type(safe_func.__closure__[0].cell_contents) is LXRecord

    def test_in_expressions_are_copied_with_the_expression(self, source: Source) -> None:
        product = source.rows(source.tables.Product).first()
        production = LXVariable[Any, float]("production").continuous().indexed_by(lambda p: p.id).from_data([product])
        expr = LXLinearExpression()
        expr.add_term(production, lambda p: product.profit_per_unit)
        with source.closed():
            expr_copy = deepcopy(expr)
            model = LXModel("m").add_variable(expr_copy.terms[0].variable).maximize(expr_copy)
            assert compile_model(model).cost.tolist() == [45.0]

    def test_that_hold_a_session_are_refused(self) -> None:
        with source_named("sqlalchemy") as source:
            session_obj, Product = source.session, source.tables.Product  # noqa: N806
            bad_func = lambda p: session_obj.query(Product)  # noqa: E731
            with pytest.raises(LXDetachError, match=r"closure 'session_obj' is a database session"):
                copy_function_detaching_closure(bad_func)

    def test_that_hold_no_row_are_shared(self) -> None:
        good_func = lambda p: p.profit_per_unit  # noqa: E731
        assert copy_function_detaching_closure(good_func) is good_func

    def test_made_by_other_functions_hold_rows_or_values(self, source: Source) -> None:
        chair = source.rows(source.tables.Product).first()

        def make_cost_func(product: Any) -> Any:
            cost = product.profit_per_unit
            return lambda p: cost * p.quantity

        def make_cost_func_of_row(product: Any) -> Any:
            return lambda p: product.profit_per_unit * p.quantity

        for made in (make_cost_func(chair), make_cost_func_of_row(chair)):
            with source.closed():
                assert copy_function_detaching_closure(made)(SimpleNamespace(quantity=2)) == 90.0

    def test_that_hold_a_circle_are_copied(self, source: Source) -> None:
        class Node:
            def __init__(self, value: Any) -> None:
                self.value = value
                self.next: Any = None

        node1, node2 = Node(source.rows(source.tables.Product).first()), Node(2)
        node1.next, node2.next = node2, node1
        made = copy_function_detaching_closure(lambda p: node1.next.next.value.profit_per_unit)
        held = made.__closure__[0].cell_contents
        assert held is not node1
        assert held.next.next is held
        with source.closed():
            assert made(None) == 45.0

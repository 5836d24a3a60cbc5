"""The fluent style of the published guides, on Django rows."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from django.db import connection

from planning.lx import LXConstraint, LXLinearExpression, LXModel, LXOptimizer, LXVariable, dump_model, load_model
from planning.models import Machine, MaterialRequirement, Product, ProductionRecipe, RawMaterial
from tests.factories import BEST_MAKE, BEST_PROFIT, make_furniture

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def workshop() -> None:
    make_furniture()


def build(source: str) -> LXModel:
    """Return the furniture workshop's model as the guides write it."""
    hours = {(r.product_id, r.machine_id): r.hours_required for r in ProductionRecipe.objects.all()}
    quantities = {(r.product_id, r.material_id): r.quantity_required for r in MaterialRequirement.objects.all()}

    def get_hours(product_id: int, machine_id: int) -> float:
        return hours.get((product_id, machine_id), 0.0)

    def get_material(product_id: int, material_id: int) -> float:
        return quantities.get((product_id, material_id), 0.0)

    production = (
        LXVariable[Product, float]("production")
        .continuous()
        .bounds(lower=lambda p: p.min_demand, upper=lambda p: p.max_demand)
        .indexed_by(lambda p: p.id)
    )
    if source == "model":
        production.from_model(Product)
    elif source == "queryset":
        production.from_model(Product.objects.order_by("-name"))
    else:
        production.from_data(list(Product.objects.all()))
    model = LXModel("production_planning_orm")
    model.add_variable(production)
    for machine in Machine.objects.all():
        expr = LXLinearExpression().add_multi_term(production, coeff=lambda p, m=machine: get_hours(p.id, m.id))
        model.add_constraint(LXConstraint(f"machine_{machine.id}").expression(expr).le().rhs(machine.available_hours))
    for material in RawMaterial.objects.all():
        expr = LXLinearExpression().add_multi_term(production, coeff=lambda p, m=material: get_material(p.id, m.id))
        model.add_constraint(
            LXConstraint(f"material_{material.id}").expression(expr).le().rhs(material.available_quantity)
        )
    return model.maximize(LXLinearExpression().add_term(production, coeff=lambda p: p.profit_per_unit))


@pytest.mark.parametrize("source", ["model", "queryset", "list"])
def test_the_guides_model_gives_its_published_plan(source: str) -> None:
    solution = LXOptimizer().use_solver("highs").solve(build(source))
    assert solution.is_optimal
    assert solution.objective_value == pytest.approx(BEST_PROFIT)
    production = solution.variables["production"]
    assert {p.name: pytest.approx(production[p.id]) for p in Product.objects.all()} == BEST_MAKE


def test_values_are_found_by_the_orms_own_row_without_a_query() -> None:
    model = build("model")
    production = LXOptimizer().solve(model).variables["production"]
    products = list(Product.objects.all())
    machine = Machine.objects.all()[0]
    with connection.execute_wrapper(lambda *args: pytest.fail("a query")):
        assert {p.name: pytest.approx(production[p]) for p in products} == BEST_MAKE
        assert {p.name: pytest.approx(production[p]) for p in model.variables[0].get_instances()} == BEST_MAKE
    assert machine not in production


def test_a_pickled_model_is_solved_and_asked_by_row_and_key() -> None:
    model = build("model")
    restored: Any = pickle.loads(pickle.dumps(model))
    production = LXOptimizer().solve(restored).variables["production"]
    assert {p.name: pytest.approx(production[p]) for p in Product.objects.all()} == BEST_MAKE
    assert {p.name: pytest.approx(production[p.id]) for p in Product.objects.all()} == BEST_MAKE
    assert {p.name: pytest.approx(production[p]) for p in restored.variables[0].rows} == BEST_MAKE
    assert {p.name: pytest.approx(production[p]) for p in model.variables[0].rows} == BEST_MAKE


@pytest.mark.parametrize("sense", ["le", "ge", "eq"])
def test_a_right_side_may_be_changed_on_a_copy(sense: str) -> None:
    production = LXVariable[Product, float]("production").bounds(upper=50.0).indexed_by(lambda p: p.id)
    production.from_model(Product)
    limit = LXConstraint("limit").expression(LXLinearExpression().add_term(production, 1.0)).rhs(20)
    getattr(limit, sense)()
    model = LXModel("m").add_variable(production).add_constraint(limit)
    objective = LXLinearExpression().add_term(production, 1.0)
    model = model.minimize(objective) if sense == "ge" else model.maximize(objective)
    changed: LXModel = pickle.loads(pickle.dumps(model))
    changed.constraints[0].rhs_value *= 1.5
    assert LXOptimizer().solve(changed).objective_value == pytest.approx(30.0)
    changed.constraints[0].rhs_value = 40
    assert LXOptimizer().solve(changed).objective_value == pytest.approx(40.0)
    assert LXOptimizer().solve(model).objective_value == pytest.approx(20.0)


def test_a_family_of_constraints_over_a_model() -> None:
    use = LXVariable[ProductionRecipe, float]("use").indexed_by(lambda r: (r.product_id, r.machine_id))
    use.from_model(ProductionRecipe)
    hours = (
        LXConstraint[Machine]("hours")
        .expression(LXLinearExpression().add_join(use, lambda r: r.hours_required, row_key=lambda r: r.machine_id))
        .le()
        .rhs(lambda m: m.available_hours)
        .from_model(Machine)
        .indexed_by(lambda m: m.id)
    )
    model = LXModel("m").add_variable(use).add_constraint(hours)
    model.maximize(LXLinearExpression().add_term(use, lambda r: r.hours_required))
    solution = LXOptimizer().solve(model)
    assert solution.objective_value == pytest.approx(180.0)
    assert solution.duals["hours"][Machine.objects.all()[0]] == pytest.approx(1.0)
    loaded = load_model(dump_model(model))
    assert LXOptimizer().solve(loaded).objective_value == pytest.approx(180.0)

"""Arithmetic with expressions: sums, differences and multiples are new expressions with the numbers one expects."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from planning.lx import (
    LXConstraint,
    LXLinearExpression,
    LXModel,
    LXModelError,
    LXOptimizer,
    LXTable,
    LXVariable,
    compile_model,
)
from tests.lx.small_models import arrays, furniture

Expression = LXLinearExpression
ROWS = [{"name": "a", "value": 1.0}, {"name": "b", "value": 2.0}, {"name": "c", "value": 4.0}]


def family(name: str = "x") -> LXVariable[Any, float]:
    table = LXTable("Row", {field: [row[field] for row in ROWS] for field in ROWS[0]})
    return LXVariable[Any, float](name).bounds(upper=10).indexed_by(lambda r: r.name).from_data(table)


def objective(made: Expression, *variables: LXVariable[Any, float]) -> tuple[list[float], float]:
    """Return the costs and the constant of an objective."""
    compiled = compile_model(LXModel("m").add_variable(*variables).maximize(made))
    return compiled.cost.tolist(), compiled.offset


def value(row: Any) -> float:
    return float(row.value)


CASES: list[tuple[Callable[[Expression, Expression], Any], list[float], float]] = [
    (lambda a, b: a + b, [1, 2, 4, 5, 5, 5], 10),
    (lambda a, b: a - b, [1, 2, 4, -5, -5, -5], 4),
    (lambda a, b: 2 * a, [2, 4, 8, 0, 0, 0], 14),
    (lambda a, b: a * 2, [2, 4, 8, 0, 0, 0], 14),
    (lambda a, b: np.int64(2) * a, [2, 4, 8, 0, 0, 0], 14),
    (lambda a, b: np.float64(0.5) * a + np.float64(1.0), [0.5, 1, 2, 0, 0, 0], 4.5),
    (lambda a, b: -a, [-1, -2, -4, 0, 0, 0], -7),
    (lambda a, b: a + 3, [1, 2, 4, 0, 0, 0], 10),
    (lambda a, b: 3 + a, [1, 2, 4, 0, 0, 0], 10),
    (lambda a, b: 3 - a, [-1, -2, -4, 0, 0, 0], -4),
    (lambda a, b: a - 3, [1, 2, 4, 0, 0, 0], 4),
    (lambda a, b: sum([a, b, a]), [2, 4, 8, 5, 5, 5], 17),
    (lambda a, b: 2 * (a - b) - 3 * (a - 1), [-1, -2, -4, -10, -10, -10], -10),
    (lambda a, b: a - a, [0, 0, 0, 0, 0, 0], 0),
    (lambda a, b: 0 * a, [0, 0, 0, 0, 0, 0], 0),
]


@pytest.mark.parametrize(("combine", "costs", "constant"), CASES)
def test_gives_the_sums_and_multiples(combine: Any, costs: list[float], constant: float) -> None:
    x, y = family("x"), family("y")
    a, b = Expression().add_term(x, value).add_constant(7), Expression().add_term(y, 5).add_constant(3)
    assert objective(combine(a, b), x, y) == (costs, constant)
    assert objective(a, x, y) == ([1, 2, 4, 0, 0, 0], 7)
    assert objective(b, x, y) == ([0, 0, 0, 5, 5, 5], 3)


def test_what_is_added_later_stays_where_it_was_added() -> None:
    x = family()
    a = Expression().add_term(x)
    total = a + 1
    a.add_constant(5)
    total.add_term(x)
    assert objective(a, x) == ([1, 1, 1], 5)
    assert objective(total, x) == ([2, 2, 2], 1)


def test_plus_equals_leaves_other_holders_of_the_expression_alone() -> None:
    x = family()
    a = b = Expression().add_term(x)
    a += 2 * b
    assert objective(a, x) == ([3, 3, 3], 0)
    assert objective(b, x) == ([1, 1, 1], 0)


@pytest.mark.parametrize("other", ["2", None, True, [1]])
def test_with_what_is_no_number_is_refused(other: Any) -> None:
    expression = Expression().add_term(family())
    for combine in (lambda: expression + other, lambda: other * expression, lambda: expression - other):
        with pytest.raises(TypeError, match="number"):
            combine()


def test_of_two_expressions_is_not_multiplied() -> None:
    expression: Any = Expression().add_term(family())
    with pytest.raises(TypeError, match="Multiply it by a number"):
        expression * expression


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_with_no_finite_number_is_refused(factor: float) -> None:
    with pytest.raises(LXModelError, match="Give a finite number"):
        factor * Expression()


def balance_model(*, proven: bool) -> LXModel:
    """Return a family of constraints whose left side is a difference of joins, with a constant by row."""
    products, machines, recipes = furniture()
    make = LXVariable[Any, float]("make").bounds(upper=50).indexed_by(lambda p: p.name).from_data(products)
    extra = LXVariable[Any, float]("extra").bounds(upper=8).indexed_by(lambda m: m.name).from_data(machines)
    hours: Any = (lambda r: r.hours_required) if proven else (lambda r: abs(r.hours_required))
    used = Expression().add_join(
        make, hours, over=recipes, variable_key=lambda r: r.product, row_key=lambda r: r.machine
    )
    more = Expression().add_term(extra, at=lambda m: m).add_constant(lambda m: m.hours)
    limit = LXConstraint[Any]("limit").indexed_by(lambda m: m.name).from_data(machines)
    model = LXModel("m", {"recipes": recipes}).add_variable(make, extra)
    model.add_constraint(limit.expression(2 * (used - more)).le().rhs(0))
    profit = Expression().add_term(make, lambda p: p.profit_per_unit)
    return model.maximize(profit - 30 * Expression().add_term(extra))


@pytest.mark.parametrize("proven", [True, False])
def test_holds_in_families_and_in_copies(proven: bool) -> None:
    model = balance_model(proven=proven)
    compiled = arrays(compile_model(model))
    assert compile_model(model).row_upper.tolist() == [160.0, 200.0]
    for made in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert arrays(compile_model(made)) == compiled
    assert LXOptimizer().solve(model).is_optimal


def test_is_evaluated_again_after_a_change_to_a_copys_data() -> None:
    made: LXModel = pickle.loads(pickle.dumps(balance_model(proven=True)))
    made.tables["recipes"].rows[0].hours_required = 4.0
    compiled = compile_model(made)
    assert compiled.values[0] == 8.0  # 2 * 4.0
    again: LXModel = pickle.loads(pickle.dumps(made))
    again.objective = 2 * again.objective
    assert compile_model(again).cost.tolist() == [90.0, 240.0, 400.0, -60.0, -60.0]
    assert compile_model(pickle.loads(pickle.dumps(again))).cost.tolist() == [90.0, 240.0, 400.0, -60.0, -60.0]


def test_a_constant_that_is_no_number_is_refused_by_name() -> None:
    products, _, _ = furniture()
    x = LXVariable[Any, float]("x").indexed_by(lambda p: p.name).from_data(products)
    wrong = LXConstraint[Any]("wrong").indexed_by(lambda p: p.name).from_data(products).le()
    wrong.expression(-Expression().add_term(x, at=lambda p: p).add_constant(lambda p: p.is_new))
    with pytest.raises(LXModelError, match="The constant of wrong gives False for"):
        compile_model(LXModel("m").add_variable(x).add_constraint(wrong))

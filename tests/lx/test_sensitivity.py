"""Sensitivity: prices on both sides, where they hold, costs, and bottlenecks, all against re-solves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.lx import (
    LXConstraint,
    LXLinearExpression,
    LXModel,
    LXModelError,
    LXNotNowError,
    LXOptimizer,
    LXSensitivityAnalyzer,
    LXVariable,
)
from tests.lx.small_models import dense_model, furniture

WYNDOR = [([1.0, 0.0], "<=", 4.0), ([0.0, 2.0], "<=", 12.0), ([3.0, 2.0], "<=", 18.0)]


def names_of(model: LXModel) -> list[str]:
    return [constraint.name for constraint in model.constraints]


class TestPublished:
    """Wyndor Glass: Hillier & Lieberman, Introduction to Operations Research."""

    def test_shadow_prices_and_their_ranges(self) -> None:
        model = dense_model([3.0, 5.0], WYNDOR)
        rows = LXSensitivityAnalyzer(model).analyze_all_constraints()
        assert [row.shadow_price for row in rows] == pytest.approx([0.0, 1.5, 1.0])
        assert [row.slack for row in rows] == pytest.approx([2.0, 0.0, 0.0])
        assert [row.is_binding for row in rows] == [False, True, True]
        assert [(r.right_side - r.allowable_decrease, r.right_side + r.allowable_increase) for r in rows] == [
            (pytest.approx(2.0), math.inf),
            (pytest.approx(6.0), pytest.approx(18.0)),
            (pytest.approx(12.0), pytest.approx(24.0)),
        ]

    def test_the_ranges_of_costs(self) -> None:
        first, second = LXSensitivityAnalyzer(dense_model([3.0, 5.0], WYNDOR)).analyze_all_variables()
        assert (first.cost - first.allowable_decrease, first.cost + first.allowable_increase) == pytest.approx((0, 7.5))
        assert second.cost - second.allowable_decrease == pytest.approx(2.0)
        assert second.allowable_increase == math.inf

    def test_the_reduced_cost_is_what_forcing_one_in_costs(self) -> None:
        model = dense_model([3.0, 5.0, 1.0], [([*row, 1.0], sense, right) for row, sense, right in WYNDOR])
        third = LXSensitivityAnalyzer(model).analyze_all_variables()[2]
        before = LXOptimizer[Any]().solve(model).objective_value
        variable = model.variables[0]
        model.variables[0].set_bounds(lower=0.1, key=variable.keys[2])
        after = LXOptimizer[Any]().solve(model).objective_value
        assert before is not None
        assert after is not None
        assert third.reduced_cost == pytest.approx((after - before) / 0.1)


def shop(hours: float, wood: float) -> LXModel:
    """Return a model with two limits on one product: degenerate where both bind."""
    products, _, _ = furniture()
    make = LXVariable[Any, float]("make").indexed_by(lambda p: p.name).from_data(products)
    model = LXModel("shop").add_variable(make)
    for name, limit in (("hours", hours), ("wood", wood)):
        total = LXLinearExpression().add_multi_term(make, where=lambda p: p.name == "Desk")
        model.add_constraint(LXConstraint[Any](name).expression(total).le().rhs(limit))
    rest = LXLinearExpression().add_multi_term(make, where=lambda p: p.name != "Desk")
    model.add_constraint(LXConstraint[Any]("rest").expression(rest).le().rhs(0))
    return model.maximize(LXLinearExpression().add_multi_term(make, lambda p: p.profit_per_unit))


class TestDegeneratePlans:
    def test_one_more_brings_nothing_where_another_limit_binds_as_well_and_one_less_costs(self) -> None:
        row = LXSensitivityAnalyzer(shop(10, 10)).analyze_constraint("hours")
        assert (row.more, row.less) == pytest.approx((0.0, -200.0))
        assert row.is_binding

    def test_they_are_no_bottlenecks_then(self) -> None:
        assert [row.name for row in LXSensitivityAnalyzer(shop(10, 10)).identify_bottlenecks("hours", "wood")] == []
        assert [row.name for row in LXSensitivityAnalyzer(shop(10, 11)).identify_bottlenecks("hours", "wood")] == [
            "hours"
        ]


class TestWholeNumbers:
    def test_are_looked_at_with_their_decisions_held_and_it_says_so(self) -> None:
        products, _, _ = furniture()
        make = LXVariable[Any, float]("make").integer().indexed_by(lambda p: p.name).from_data(products)
        extra = LXVariable[Any, float]("extra").indexed_by(lambda p: p.name).from_data(products)
        total = LXLinearExpression().add_multi_term(make, 3.0).add_multi_term(extra)
        model = LXModel("m").add_variable(make, extra)
        model.add_constraint(LXConstraint[Any]("hours").expression(total).le().rhs(10.5))
        model.maximize(LXLinearExpression().add_multi_term(make, 10.0).add_multi_term(extra, 1.0))
        analyzer = LXSensitivityAnalyzer(model)
        assert analyzer.basis == "fixed_mip"
        assert analyzer.analyze_constraint("hours").shadow_price == pytest.approx(1.0)
        assert "with these whole decisions" in analyzer.generate_report()


class TestMinimising:
    def test_relief_counts_in_the_models_sense(self) -> None:
        rows = [([1.0, 1.0], ">=", 4.0), ([1.0, 3.0], ">=", 6.0), ([1.0, 0.0], "<=", 50.0)]
        analyzer = LXSensitivityAnalyzer(dense_model([2.0, 3.0], rows, sense="minimize"))
        first, second = analyzer.identify_bottlenecks(*names_of(analyzer.model)[:2])
        assert (first.shadow_price, second.shadow_price) == pytest.approx((1.5, 0.5))
        assert (first.less, second.less) == pytest.approx((-1.5, -0.5))


class TestRefusals:
    def test_a_model_without_a_plan(self) -> None:
        with pytest.raises(LXNotNowError, match="ended as infeasible"):
            LXSensitivityAnalyzer(dense_model([1.0], [([1.0], ">=", 5.0), ([1.0], "<=", 4.0)]))

    def test_a_name_that_is_not_there(self) -> None:
        with pytest.raises(LXModelError, match="has no 'hour'"):
            LXSensitivityAnalyzer(shop(1, 2)).analyze_constraint("hour")

    def test_a_family_without_a_key(self) -> None:
        with pytest.raises(LXModelError, match="Say which of make is meant"):
            LXSensitivityAnalyzer(shop(1, 2)).analyze_variable("make")

    def test_an_equation_as_a_bottleneck(self) -> None:
        model = dense_model([1.0], [([1.0], "==", 5.0)])
        with pytest.raises(LXModelError, match="has no looser side"):
            LXSensitivityAnalyzer(model).identify_bottlenecks(*names_of(model))


def test_the_report_names_limits_by_worth() -> None:
    report = LXSensitivityAnalyzer(shop(10, 12)).generate_report("hours", "wood")
    assert "hours: +200, from 0 to 12" in report
    assert "wood" not in report


grid = st.integers(0, 6).map(float)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(1, 9).map(float), min_size=2, max_size=4),
    st.data(),
    st.sampled_from(["maximize", "minimize"]),
)
def test_each_side_is_what_a_small_step_brings(costs: list[float], data: Any, sense: str) -> None:
    count = len(costs)
    limits = "<=" if sense == "maximize" else ">="
    rows = [
        (data.draw(st.lists(grid, min_size=count, max_size=count)), limits, float(data.draw(st.integers(1, 20))))
        for _ in range(data.draw(st.integers(1, 4)))
    ]
    rows.append(([1.0] * count, "<=", 30.0))
    model = dense_model(costs, rows, sense=sense)
    best = LXOptimizer[Any]().solve(model)
    if not best.has_plan:
        return
    analyzer = LXSensitivityAnalyzer(model, best)
    assert best.objective_value is not None
    for constraint, row in zip(model.constraints, analyzer.analyze_all_constraints(), strict=True):
        right = constraint.rhs_value
        for side, slope in ((1.0, row.more), (-1.0, row.less)):
            constraint.rhs_value = right + side * 1e-4
            moved = LXOptimizer[Any]().solve(model)
            found = (moved.objective_value - best.objective_value) / 1e-4 if moved.has_plan else math.nan
            assert np.isclose(slope, found, atol=1e-4 * max(1.0, abs(slope)), equal_nan=True)
        constraint.rhs_value = right

"""A model with every kind of family, key, bound and column, and its copy."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from planning.lx import LXConstraint, LXLinearExpression, LXModel, LXTable, LXVariable, dump_model
from tests.lx.small_models import furniture_model


def rich_model() -> LXModel:
    """Return a model with every kind of family, key, bound and column."""
    model = furniture_model()
    products, recipes = model.tables["products"], model.tables["recipes"]
    products.columns["note"] = LXTable("t", {"x": ["ä", None, "日本"]}).columns["x"]
    mixed = [Decimal("1.50"), date(2026, 1, 5), datetime(2026, 1, 5, 6, 7, tzinfo=UTC)]
    products.columns["mixed"] = LXTable("t", {"x": mixed}).columns["x"]
    products.columns["held"] = LXTable("t", {"x": [[1, "a"], {"a": 1, "b": None}, math.inf]}).columns["x"]
    use = LXVariable[Any, int]("use").integer(where=lambda r: r.id > 3).bounds(lower=-2.5, upper=lambda r: r.id)
    use.indexed_by(lambda r: (r.product, r.machine.name, r.id)).from_data(recipes)
    is_on = LXVariable[Any, int]("is on").binary().indexed_by(lambda v: v).from_data(["x", 3, None, 2.5])
    nothing = LXVariable[Any, float]("nothing").indexed_by(lambda p: p).from_data(products.rows[:0])
    named = LXVariable[Any, float]("named").indexed_by(lambda r: (r.product.name.upper(), (r.machine.name, "ß"), r))
    pairs = LXVariable[Any, float]("pairs").indexed_by(lambda r: (r.machine.name, r.product.name)).from_data(recipes)
    model.add_variable(use, is_on, nothing, named.from_data(recipes), pairs)
    balance = LXLinearExpression().add_term(model.get_variable("make"), lambda p: p.boxes, at=lambda p: p.name)
    balance.add_join(use, lambda r: 1 / r.hours_required, row_key=lambda r: r.product).add_constant(lambda p: p.boxes)
    model.add_constraint(
        LXConstraint[Any]("balance").expression(balance).ge().rhs(0.1).indexed_by(lambda p: p).from_data(products),
        LXConstraint[Any]("on").expression(LXLinearExpression().add_multi_term(is_on)).eq().rhs(2),
    )
    objective = LXLinearExpression().add_term(model.get_variable("make"), lambda p: p.profit_per_unit)
    return model.minimize(objective.add_term(use, -0.1).add_constant(1 / 3))


DATA = dump_model(rich_model())

"""A copy is independent: of its model, of the database, of Django, of the module that the model was written in."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from planning.lx import (
    LXConstraint,
    LXLinearExpression,
    LXModel,
    LXOptimizer,
    LXTable,
    LXVariable,
    compile_model,
    dump_model,
    load_model,
)
from planning.models import Machine, Product, ProductionRecipe
from tests.factories import make_furniture
from tests.lx import guide_tables
from tests.lx.small_models import arrays

PROJECT = Path(__file__).parents[2]
Travel = Callable[[Any], Any]
WAYS: list[Travel] = [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
ways = pytest.mark.parametrize("travel", WAYS, ids=["deepcopy", "pickle"])


def workshop_model(factor: float = 1.0) -> LXModel:
    """Return one variable per recipe, whose profit is read through its product, and the hours of each machine."""
    saw = Machine.objects.get(name="Cutting Machine")
    use = (
        LXVariable[ProductionRecipe, float]("use")
        .bounds(upper=lambda r: r.product.max_demand)
        .indexed_by(lambda r: (r.product.name, r.machine.name))
        .from_model(ProductionRecipe.objects.select_related("product", "machine").order_by("id"))
    )
    hours = (
        LXConstraint[Machine]("hours")
        .indexed_by(lambda m: m.name)
        .from_model(Machine.objects.order_by("id"))
        .expression(LXLinearExpression().add_join(use, lambda r: r.hours_required, row_key=lambda r: r.machine))
        .le()
        .rhs(lambda m: m.available_hours)
    )
    spare = LXConstraint("spare").expression(LXLinearExpression().add_multi_term(use)).le().rhs(saw.available_hours)
    model = LXModel("workshop").add_variable(use).add_constraint(hours, spare)
    profit = LXLinearExpression().add_term(use, lambda r, s=saw: r.product.profit_per_unit * factor + 0 * s.pk)
    return model.maximize(profit)


def best(model: LXModel) -> float:
    objective = LXOptimizer().solve(model).objective_value
    assert objective is not None
    return objective


def row_of(model: LXModel, name: str) -> Any:
    return next(row.product for row in model.get_variable("use").rows if row.product.name == name)


CHANGES: dict[str, Callable[[LXModel], Any]] = {
    "data": lambda model: setattr(row_of(model, "Desk"), "profit_per_unit", 77.0),
    "a right side": lambda model: model.get_constraint("hours").set_rhs(50.0, key="Cutting Machine"),
    "right sides": lambda model: setattr(model.get_constraint("hours"), "rhs_value", 33.0),
    "a bound": lambda model: model.get_variable("use").set_bounds(upper=1.0, key=("Desk", "Cutting Machine")),
    "bounds": lambda model: model.get_variable("use").bounds(upper=2.0),
    "a coefficient": lambda model: model.get_constraint("hours").set_coefficient(
        model.get_variable("use"), 9.0, key="Cutting Machine", variable_key=("Desk", "Cutting Machine")
    ),
    "a cost": lambda model: model.set_cost(model.get_variable("use"), 500.0, key=("Chair", "Cutting Machine")),
    "coefficients": lambda model: setattr(model.objective.terms[0], "coefficient", 3.0),
    "the objective": lambda model: model.minimize(LXLinearExpression()),
    "families": lambda model: model.constraints.pop(),
    "the kind": lambda model: model.get_variable("use").integer(),
}


@pytest.mark.django_db
class TestEdits:
    @ways
    @pytest.mark.parametrize("change", CHANGES)
    @pytest.mark.parametrize("edited", ["copy", "base"])
    def test_on_one_side_are_not_seen_on_the_other(self, travel: Travel, change: str, edited: str) -> None:
        make_furniture()
        base = workshop_model()
        before = arrays(compile_model(base))
        made = travel(base)
        assert arrays(compile_model(made)) == before
        changed, kept = (made, base) if edited == "copy" else (base, made)
        CHANGES[change](changed)
        assert arrays(compile_model(changed)) != before
        assert arrays(compile_model(kept)) == before
        assert Product.objects.get(name="Desk").profit_per_unit == 200.0
        assert Machine.objects.get(name="Cutting Machine").available_hours == 80.0

    @ways
    def test_of_the_database_are_seen_by_no_model_that_was_built_before(self, travel: Travel) -> None:
        make_furniture()
        base = workshop_model()
        made = travel(base)
        before = arrays(compile_model(base))
        Product.objects.update(profit_per_unit=1.0, max_demand=None)
        Machine.objects.all().delete()
        with connection.execute_wrapper(lambda *args: pytest.fail("a query")):
            assert arrays(compile_model(base)) == arrays(compile_model(made)) == before

    def test_of_a_copy_are_not_written_by_a_commit_of_sqlalchemys_session(self) -> None:
        engine = guide_tables.init_database()
        with Session(engine) as session:
            guide_tables.populate(session)
            chair = session.get(guide_tables.Product, 1)
            make = LXVariable[Any, float]("make").indexed_by(lambda p: p.id).from_model(guide_tables.Product, session)
            model = LXModel("m").add_variable(make)
            model.maximize(LXLinearExpression().add_term(make, lambda p, c=chair: p.profit_per_unit + c.id))
            for made in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
                made.get_variable("make").rows[0].profit_per_unit = -1.0
                compile_model(made)
            assert not session.dirty
            assert not session.new
            session.commit()
            assert session.scalar(select(guide_tables.Product.profit_per_unit).filter_by(id=1)) == 45.0
        engine.dispose()


# --- other processes ------------------------------------------------------------------------

BLOCKED = (
    "django", "sqlalchemy", "sqlite3", "_sqlite3", "psycopg", "MySQLdb", "rq", "redis", "django_rq",
    "planning.models", "planning.snapshot", "planner_site", "tests", "pytest",
)  # fmt: skip
VARY = """
import json, pickle, sys
for name in {blocked}: sys.modules[name] = None
copied = pickle.loads(sys.stdin.buffer.read())
from planning.lx import LXOptimizer
found = []
def note():
    found.append(LXOptimizer().solve(copied).objective_value.hex())
note()
use, hours = copied.get_variable("use"), copied.get_constraint("hours")
hours.set_rhs(50.0, key="Cutting Machine"); note()
copied.get_constraint("spare").rhs_value *= 0.5; note()
hours.set_coefficient(use, 9.0, key="Cutting Machine", variable_key=("Desk", "Cutting Machine")); note()
products = next(table for table in {{id(r.product._table): r.product._table for r in use.rows}}.values())
products.rows[2].profit_per_unit = 300.0; note()
print(json.dumps([found, sorted(name for name in {blocked} if sys.modules.get(name) is not None)]))
"""


def in_a_process(code: str, data: bytes, **environment: str) -> Any:
    """Run `code` in a fresh interpreter that gets `data`, and return the JSON that it prints."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        input=data,
        capture_output=True,
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **environment},
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr.decode()
    return json.loads(result.stdout)


@pytest.mark.django_db
def test_a_bare_process_loads_solves_and_varies_a_copy() -> None:
    make_furniture()
    model = workshop_model(factor=1.5)
    data = pickle.dumps(model)
    found, there = in_a_process(VARY.format(blocked=BLOCKED), data)
    made = copy.deepcopy(model)
    expected = [best(made)]
    use, hours = made.get_variable("use"), made.get_constraint("hours")
    hours.set_rhs(50.0, key="Cutting Machine")
    expected.append(best(made))
    made.get_constraint("spare").rhs_value *= 0.5
    expected.append(best(made))
    hours.set_coefficient(use, 9.0, key="Cutting Machine", variable_key=("Desk", "Cutting Machine"))
    expected.append(best(made))
    row_of(made, "Desk").profit_per_unit = 300.0
    expected.append(best(made))
    assert [float.fromhex(value) for value in found] == pytest.approx(expected)
    assert len(set(found)) == len(found), "each change must matter"
    assert there == []
    assert best(model) == expected[0]


@pytest.mark.django_db
def test_the_same_data_give_the_same_bytes_in_any_process() -> None:
    make_furniture()
    data = dump_model(workshop_model())
    assert dump_model(workshop_model()) == data
    assert dump_model(copy.deepcopy(workshop_model())) == data
    code = (
        "import hashlib, json, sys; from planning.lx import dump_model, load_model\n"
        "print(json.dumps(hashlib.sha256(dump_model(load_model(sys.stdin.buffer.read()))).hexdigest()))"
    )
    digests = {in_a_process(code, data, PYTHONHASHSEED=seed) for seed in ("0", "1", "77")}
    assert digests == {hashlib.sha256(data).hexdigest()}


# --- random models --------------------------------------------------------------------------

NUMBERS = st.one_of(st.integers(-50, 50), st.floats(-1e6, 1e6).map(lambda x: round(x, 3)))
BOUNDED = st.one_of(st.none(), NUMBERS)


@st.composite
def random_models(draw: st.DrawFn) -> LXModel:
    """Draw a model: rows with gaps, functions that are proven and that are not, terms of every kind, set values."""
    size = draw(st.integers(1, 5))

    def column(values: Any) -> list[Any]:
        return draw(st.lists(values, min_size=size, max_size=size))

    columns = {"a": column(NUMBERS), "b": column(NUMBERS), "most": column(st.one_of(st.none(), st.floats(0, 1e6)))}
    table = LXTable("t", {"id": list(range(size)), **columns}, key="id")
    factor, captured = draw(NUMBERS), table.record(draw(st.integers(0, size - 1)))
    lookup = {i: draw(NUMBERS) for i in range(size)}
    functions: list[Any] = [
        lambda r: r.a * 2 - r.b,
        lambda r: r.a + factor,
        lambda r, c=captured: r.b - c.a,
        lambda r: lookup[r.id],
        lambda r: max(r.a, 0.5) if r.id else factor,
        factor,
        3,
    ]
    function = st.sampled_from(functions)
    x = LXVariable[Any, float]("x").bounds(lower=draw(st.sampled_from([0, None, lambda r: -1])), upper=lambda r: r.most)
    x.indexed_by(draw(st.sampled_from([lambda r: r.id, lambda r: (r.id, str(r.a)), lambda r: r]))).from_data(table)
    {"": x.continuous, "whole": x.integer, "some": lambda: x.integer(where=lambda r: r.id > 1)}[
        draw(st.sampled_from(["", "whole", "some"]))
    ]()
    y = LXVariable[Any, float]("y").indexed_by(lambda r: r.id).from_data(table.rows[: draw(st.integers(0, size))])
    each = LXLinearExpression().add_term(x, draw(function), at=lambda r: r).add_constant(draw(function))
    if draw(st.booleans()):
        each.add_term(y, draw(function), at=lambda r: r.id, skip_missing=True)
    if draw(st.booleans()):
        each = draw(NUMBERS) * each - 1
    joined = LXLinearExpression().add_join(
        x, draw(function), over=table, row_key=lambda r: r.id % 2, where=lambda r: r.id != 3
    )
    rows = LXConstraint[Any]("rows").indexed_by(lambda r: r.id).from_data(table).expression(each).rhs(draw(function))
    pairs = LXConstraint[Any]("pairs").indexed_by(lambda i: i).from_data([0, 1]).expression(joined).rhs(1.0)
    for family in (rows, pairs):
        getattr(family, draw(st.sampled_from(["le", "ge", "eq"])))()
    model = LXModel("random", {"t": table}).add_variable(x, y).add_constraint(rows, pairs)
    objective = LXLinearExpression().add_term(x, draw(function)).add_multi_term(y, draw(function)).add_constant(factor)
    model.maximize(objective) if draw(st.booleans()) else model.minimize(objective)
    place = draw(st.integers(0, size - 1))
    if draw(st.booleans()):
        rows.set_rhs(draw(NUMBERS), key=place).set_coefficient(
            x, draw(NUMBERS), key=place, variable_key=table.record(0)
        )
    if draw(st.booleans()):
        model.set_cost(x, draw(NUMBERS), key=table.record(place))
    return model


@given(random_models())
@settings(deadline=None, derandomize=True, max_examples=150)
def test_copies_of_random_models_have_the_identical_matrix(model: LXModel) -> None:
    expected = arrays(compile_model(model))
    data = dump_model(model)
    for made in (copy.deepcopy(model), load_model(data), pickle.loads(pickle.dumps(copy.deepcopy(load_model(data))))):
        assert arrays(compile_model(made)) == expected
        assert dump_model(made) == data
    assert arrays(compile_model(model)) == expected

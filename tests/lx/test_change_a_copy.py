"""A loaded copy is solved again after a change to its data, where a proven function reads them."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from planning.lx import (
    LXConstraint,
    LXLinearExpression,
    LXLink,
    LXModel,
    LXModelError,
    LXOptimizer,
    LXTable,
    LXVariable,
    compile_model,
    dump_model,
)


def plant(*, proven: bool = True) -> LXModel:
    products = LXTable("Product", {"name": ["door", "window"], "profit": [3.0, 5.0], "note": ["", ""]})
    machines = LXTable("Machine", {"name": ["plant1", "plant2", "plant3"], "hours": [4.0, 12.0, 18.0]})
    links = {"product": LXLink(products, np.array([0, 0, 1, 1])), "machine": LXLink(machines, np.array([0, 2, 1, 2]))}
    recipes = LXTable("Recipe", {"hours": [1.0, 3.0, 2.0, 2.0]}, links)
    offers = LXTable("Offer", {"share": [1.0, 1.0]}, {"product": LXLink(products, np.array([0, 1]))})
    make = LXVariable("make").bounds(lower=0).indexed_by(lambda o: o.product.name).from_data(offers)
    used = LXLinearExpression().add_join(
        make, lambda r: r.hours, over=recipes, variable_key=lambda r: r.product.name, row_key=lambda r: r.machine
    )
    hours = LXConstraint("hours").indexed_by(lambda m: m.name).from_data(machines).expression(used)
    model = LXModel("plant", {"products": products, "machines": machines, "recipes": recipes})
    model.add_variable(make).add_constraint(hours.le().rhs(lambda m: m.hours))
    profit: Any = (lambda o: o.product.profit * o.share) if proven else (lambda o: max(o.product.profit, 0.0))
    return model.maximize(LXLinearExpression().add_term(make, profit))


def copied(model: LXModel) -> LXModel:
    loaded: LXModel = pickle.loads(pickle.dumps(model))
    return loaded


def best(model: LXModel) -> float:
    objective = LXOptimizer().solve(model).objective_value
    assert objective is not None
    return objective


def row(model: LXModel, table: str, name: str) -> Any:
    return next(record for record in model.tables[table].rows if record.name == name)


def test_a_value_is_read_through_a_relation() -> None:
    copy = copied(plant())
    row(copy, "products", "door").profit = 10.0
    assert best(copy) == pytest.approx(55)


def test_a_right_side_and_a_recipe_are_read_again() -> None:
    copy = copied(plant())
    row(copy, "machines", "plant2").hours = 18.0
    assert best(copy) == pytest.approx(45)
    copy.tables["recipes"].rows[2].hours = 3.0
    assert best(copy) == pytest.approx(36)


def test_the_original_does_not_change_with_the_copy_nor_the_copy_with_it() -> None:
    model = plant()
    copy = copied(model)
    row(copy, "products", "door").profit = 10.0
    assert best(model) == pytest.approx(36)
    row(model, "products", "window").profit = 0.0
    assert best(copy) == pytest.approx(55)


def test_a_changed_copy_travels_on() -> None:
    copy = copied(plant())
    row(copy, "products", "door").profit = 10.0
    again = copied(copy)
    assert best(again) == pytest.approx(55)
    row(again, "products", "door").profit = 3.0
    assert best(again) == pytest.approx(36)


def test_a_change_that_a_function_left_behind_may_read_is_refused_by_name() -> None:
    copy = copied(plant(proven=False))
    with pytest.raises(LXModelError, match=r"coefficient of make in the objective .* may read Product.profit"):
        row(copy, "products", "door").profit = 10.0
    assert best(copy) == pytest.approx(36)
    row(copy, "machines", "plant2").hours = 18.0  # which that function can't reach
    assert best(copy) == pytest.approx(45)
    with pytest.raises(LXModelError, match=r"may read Product\.profit"):
        row(copied(copy), "products", "door").profit = 10.0


def test_a_variable_of_the_program_with_the_name_of_a_field_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "product", object())  # `lambda r: r.product.name` reads a field, not this
    copy = copied(plant())
    row(copy, "products", "door").profit = 10.0
    assert best(copy) == pytest.approx(55)


def test_a_change_that_nothing_reads_is_refused() -> None:
    copy = copied(plant())
    with pytest.raises(LXModelError, match=r"Nothing in model plant reads Product.note"):
        row(copy, "products", "door").note = "x"


def test_a_change_to_a_name_that_keys_were_made_of_is_refused() -> None:
    with pytest.raises(LXModelError, match=r"may read Product\.name"):
        row(copied(plant()), "products", "door").name = "gate"


def test_a_value_that_can_no_longer_be_calculated_with_is_named() -> None:
    copy = copied(plant())
    row(copy, "products", "door").profit = None
    with pytest.raises(LXModelError, match=r"coefficient of make in the objective can't be calculated"):
        compile_model(copy)


def test_a_captured_record_is_read_again() -> None:
    products = LXTable("Product", {"name": ["door", "window"], "weight": [1.0, 2.0]})
    factors = LXTable("Factor", {"name": ["f"], "value": [10.0]})
    factor = factors.record(0)
    make = LXVariable("make").bounds(upper=1).indexed_by(lambda p: p.name).from_data(products)
    model = LXModel("m", {"factors": factors}).add_variable(make)
    model.maximize(LXLinearExpression().add_term(make, lambda p, f=factor: p.weight * f.value - 1))
    copy = copied(model)
    assert best(copy) == pytest.approx(28)
    copy.tables["factors"].rows[0].value = 1.0
    assert best(copy) == pytest.approx(1)


def test_a_family_of_right_sides_is_scaled_and_set() -> None:
    copy = copied(plant())
    hours = copy.get_constraint("hours")
    hours.rhs_value *= 1.5
    assert best(copy) == pytest.approx(54)
    hours.rhs_value = np.array([4.0, 12.0, 18.0])
    assert best(copy) == pytest.approx(36)
    with pytest.raises(LXModelError, match="needs 3 numbers"):
        hours.rhs_value = np.array([1.0])


def test_writing_into_what_a_function_gives_is_refused() -> None:
    with pytest.raises(ValueError, match="read-only"):
        plant().get_constraint("hours").rhs_value[0] = 1.0


def test_equal_models_have_equal_bytes_with_their_functions() -> None:
    assert dump_model(plant()) == dump_model(plant())
    assert dump_model(copied(plant())) == dump_model(plant())

"""The matrix has each place once, by rows and columns, whatever the order in which terms name them."""

from __future__ import annotations

import numpy as np
import pytest

from planning.lx import LXConstraint, LXLinearExpression, LXLink, LXModel, LXTable, LXVariable, compile_model


@pytest.mark.parametrize("rows", [7, 70_000])  # beyond 65,536 rows are sorted in another way
def test_entries_in_any_order_give_the_matrix_that_adding_them_one_by_one_gives(rows: int) -> None:
    chance = np.random.default_rng(3)
    count, columns = 400, 5
    things = LXTable("Thing", {"name": [f"thing {i}" for i in range(columns)]})
    limits = LXTable("Limit", {"number": np.arange(rows)})
    uses = [
        LXTable(
            "Use",
            {"amount": chance.integers(-3, 4, count).astype(float)},
            links={
                "thing": LXLink(things, chance.integers(0, columns, count)),
                "limit": LXLink(limits, chance.integers(0, min(rows, 60), count) * (rows // min(rows, 60))),
            },
        )
        for _ in range(3)
    ]
    first, second = (LXVariable(name).indexed_by(lambda r: r.name).from_data(things) for name in ("first", "second"))
    expression = LXLinearExpression()
    for variable, over in ((second, uses[0]), (first, uses[1]), (second, uses[2])):
        expression.add_join(
            variable, lambda u: u.amount, over=over, variable_key=lambda u: u.thing, row_key=lambda u: u.limit
        )
    limit = LXConstraint("limit").indexed_by(lambda r: r.number).from_data(limits).expression(expression).le().rhs(9.0)
    compiled = compile_model(LXModel("any order").add_variable(first, second).add_constraint(limit))

    wanted = np.zeros((rows, 2 * columns))
    for start, over in ((columns, uses[0]), (0, uses[1]), (columns, uses[2])):
        place = (over.links["limit"].positions, start + over.links["thing"].positions)
        np.add.at(wanted, place, over.columns["amount"].values)
    at = np.repeat(np.arange(rows), np.diff(compiled.starts))
    found = np.zeros_like(wanted)
    found[at, compiled.columns] = compiled.values
    assert np.array_equal(found, wanted)
    assert len(compiled.values) == np.count_nonzero(wanted)
    assert np.all((np.diff(at) > 0) | (np.diff(compiled.columns) > 0))


def test_families_that_share_rows_and_keys_are_both_refused_for_a_key_that_occurs_twice() -> None:
    things = LXTable("Thing", {"name": ["a", "a"]})

    def name(r):
        return r.name

    model = LXModel("twice")
    for family in ("first", "second"):
        model.add_variable(LXVariable(family).indexed_by(name).from_data(things))
    with pytest.raises(Exception, match="Variable first has the key 'a' twice"):
        compile_model(model)

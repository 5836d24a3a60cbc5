"""Functions that run row by row read fields that are held for them, and see what they would see without."""

from __future__ import annotations

import numpy as np
import pytest

from planning.lx import MISSING, LXLink, LXModelError, LXNotLoadedError, LXRecord, LXTable
from planning.lx.evaluate import keys, mask, numbers


def _tables() -> tuple[LXTable, LXTable]:
    machines = LXTable("Machine", {"name": ["Saw", "Lathe"], "is_worn": [True, False], "hours": [4.0, None]})
    recipes = LXTable(
        "Recipe",
        {"hours": [1.0, 2.0, 3.0], "name": ["a", "b", "c"]},
        links={
            "machine": LXLink(machines, np.array([0, 1, MISSING])),
            "route": LXLink(None, np.array([0, 0, MISSING])),
        },
    )
    return recipes, machines


def _hours(r: LXRecord) -> float:
    return r.hours * 2 if r.machine and r.machine.is_worn else r.hours


def test_fields_of_the_row_and_of_what_it_leads_to_are_read() -> None:
    recipes, machines = _tables()
    assert numbers(_hours, recipes.rows, what="hours").tolist() == [2.0, 2.0, 3.0]
    machines.record(1).is_worn = True
    assert numbers(_hours, recipes.rows, what="hours").tolist() == [2.0, 4.0, 3.0]


def test_nothing_is_held_after_the_function_ran() -> None:
    recipes, machines = _tables()
    numbers(_hours, recipes.rows, what="hours")
    machines.columns["is_worn"].values[:] = False
    assert machines.record(0).is_worn is False
    assert not any(vars(record) for table in (recipes, machines) for record in table.rows)


def test_nothing_is_held_after_the_function_failed() -> None:
    recipes, _ = _tables()
    with pytest.raises(LXModelError, match="fails for <Recipe b>"):
        numbers(lambda r: r.hours / (2 - r.hours) + abs(0), recipes.rows, what="hours")
    assert not any(vars(record) for record in recipes.rows)


def test_a_row_that_the_function_writes_to_reads_what_was_written() -> None:
    recipes, _ = _tables()

    def doubled(r: LXRecord) -> float:
        r.hours = r.hours * 2
        return float(r.hours)

    assert numbers(doubled, recipes.rows, what="hours").tolist() == [2.0, 4.0, 6.0]
    assert recipes.columns["hours"].tolist() == [2.0, 4.0, 6.0]


def test_a_row_that_is_there_twice_is_one_record() -> None:
    recipes, machines = _tables()
    twice = type(recipes.rows)(recipes, np.array([0, 2, 0]))
    assert keys(id, twice)[0] == id(recipes.record(0))
    assert mask(lambda r: r.machine is machines.record(0), twice, what="saw").tolist() == [True, False, True]


def test_a_relation_that_was_not_loaded_raises_as_ever() -> None:
    recipes, _ = _tables()
    with pytest.raises(LXNotLoadedError, match=r"Recipe\.route"):
        keys(lambda r: (r.route, abs(1)), recipes.rows)


def test_the_first_row_at_fault_is_named() -> None:
    recipes, _ = _tables()
    with pytest.raises(LXModelError, match="gives None for <Recipe a>"):
        numbers(lambda r: None if r.hours == 1.0 else 1 / (2 - r.hours), recipes.rows, what="hours")


def test_a_whole_number_too_large_names_its_row() -> None:
    recipes, _ = _tables()
    with pytest.raises(LXModelError, match="fails for <Recipe c>"):
        numbers(lambda r: 10**400 if r.hours > 2 else 1.0, recipes.rows, what="hours")

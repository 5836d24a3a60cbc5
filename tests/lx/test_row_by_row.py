"""Functions that run row by row read fields that are held for them, and see what they would see without."""

from __future__ import annotations

import numpy as np
import pytest

from planning.lx import LXModelError, LXNotLoadedError, LXRecord
from planning.lx.evaluate import keys, mask, numbers
from tests.lx.small_models import recipes_and_machines


def _hours(r: LXRecord) -> float:
    return r.hours * 2 if r.machine and r.machine.is_worn else r.hours


def test_fields_of_the_row_and_of_what_it_leads_to_are_read() -> None:
    recipes, machines = recipes_and_machines()
    assert numbers(_hours, recipes.rows, what="hours").tolist() == [2.0, 2.0, 3.0]
    machines.record(1).is_worn = True
    assert numbers(_hours, recipes.rows, what="hours").tolist() == [2.0, 4.0, 3.0]


def test_nothing_is_held_after_the_function_ran() -> None:
    recipes, machines = recipes_and_machines()
    numbers(lambda r: _hours(*(r,)), recipes.rows, what="hours")
    machines.columns["is_worn"].values[:] = False
    assert machines.record(0).is_worn is False
    assert not any(vars(record) for table in (recipes, machines) for record in table.rows)


def test_nothing_is_held_after_the_function_failed() -> None:
    recipes, _ = recipes_and_machines()
    with pytest.raises(LXModelError, match="fails for <Recipe b>"):
        numbers(lambda r: _hours(*(r,)) / (2 - r.hours), recipes.rows, what="hours")
    assert not any(vars(record) for record in recipes.rows)


def test_a_row_that_the_function_writes_to_reads_what_was_written() -> None:
    recipes, _ = recipes_and_machines()

    def doubled(r: LXRecord) -> float:
        r.hours = r.hours * 2
        return float(r.hours)

    assert numbers(doubled, recipes.rows, what="hours").tolist() == [2.0, 4.0, 6.0]
    assert recipes.columns["hours"].tolist() == [2.0, 4.0, 6.0]


def test_a_row_that_is_there_twice_is_one_record() -> None:
    recipes, machines = recipes_and_machines()
    twice = type(recipes.rows)(recipes, np.array([0, 2, 0]))
    assert keys(id, twice)[0] == id(recipes.record(0))
    assert mask(lambda r: r.machine is machines.record(0), twice, what="saw").tolist() == [True, False, True]


def test_a_relation_that_was_not_loaded_raises_as_ever() -> None:
    recipes, _ = recipes_and_machines()
    with pytest.raises(LXNotLoadedError, match=r"Recipe\.route"):
        keys(lambda r: (r.route, abs(1)), recipes.rows)


def test_the_first_row_at_fault_is_named() -> None:
    recipes, _ = recipes_and_machines()
    with pytest.raises(LXModelError, match="gives None for <Recipe a>"):
        numbers(lambda r: None if r.hours == 1.0 else 1 / (2 - r.hours), recipes.rows, what="hours")


def test_a_whole_number_too_large_names_its_row() -> None:
    recipes, _ = recipes_and_machines()
    with pytest.raises(LXModelError, match="fails for <Recipe c>"):
        numbers(lambda r: 10**400 if r.hours > 2 else 1.0, recipes.rows, what="hours")


# --- what is written meanwhile --------------------------------------------------------------


def test_what_is_written_to_records_is_read_from_then_on() -> None:
    recipes, machines = recipes_and_machines()
    rows = type(recipes.rows)(recipes, np.array([0, 1, 0, 1, 0]))
    first, saw = recipes.record(0), machines.record(0)

    def bump() -> float:
        first.hours += 1.0
        saw.hours += 1.0
        return 0.0

    def written(r: LXRecord) -> float:
        before = r.hours
        return bump() + before * 1000 + r.hours * 100 + (r.machine.hours or 0.0)

    def by_record(*rows: LXRecord) -> float:
        return written(rows[0])

    expected = [1205.0, 2200.0, 3407.0, 2200.0, 5609.0]
    assert numbers(written, rows, what="n").tolist() == expected
    again, _ = recipes_and_machines()
    first, saw = again.record(0), again.record(0).machine
    assert numbers(by_record, type(again.rows)(again, rows.positions), what="n").tolist() == expected
    assert not recipes.watchers
    assert not machines.watchers


def test_nobody_watches_after_the_function_failed() -> None:
    recipes, _ = recipes_and_machines()
    with pytest.raises(LXModelError, match="fails for <Recipe b>"):
        numbers(lambda r: abs(r.hours) / (2 - r.hours), recipes.rows, what="hours")
    assert not recipes.watchers


def test_a_function_may_evaluate_another_over_the_same_rows() -> None:
    recipes, _ = recipes_and_machines()
    total = numbers(
        lambda r: r.hours * sum(numbers(lambda s: abs(s.hours), recipes.rows, what="m")), recipes.rows, what="n"
    )
    assert total.tolist() == [6.0, 12.0, 18.0]

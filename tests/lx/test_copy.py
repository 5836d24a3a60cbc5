"""A model copy: the same matrix, the same bytes everywhere, and independent."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planning.lx import (
    LXCopyError,
    LXLinearExpression,
    LXLink,
    LXModel,
    LXModelError,
    LXOptimizer,
    LXTable,
    LXVariable,
    compile_model,
    dump_model,
    load_model,
)
from tests.lx.forged_headers import header_of
from tests.lx.rich_model import DATA, rich_model
from tests.lx.small_models import arrays, furniture, furniture_model

PROJECT = Path(__file__).parents[2]
BLOCKED = ("django", "rq", "redis", "django_rq")


class TestRoundTrip:
    @pytest.mark.parametrize("make", [furniture_model, rich_model])
    def test_gives_the_same_matrix_to_the_last_bit(self, make: Callable[[], LXModel]) -> None:
        model = make()
        loaded = load_model(dump_model(model))
        assert arrays(compile_model(loaded)) == arrays(compile_model(model))

    def test_gives_the_same_bytes_again(self) -> None:
        assert dump_model(load_model(DATA)) == DATA
        assert dump_model(rich_model()) == DATA

    def test_does_not_depend_on_the_order_in_which_relations_were_named(self) -> None:
        def tables(order: tuple[str, ...]) -> bytes:
            products, machines, recipes = furniture()
            targets = {"product": products, "machine": machines}
            recipes.links = {name: LXLink(targets[name], np.zeros(6, dtype=np.int64)) for name in order}
            return dump_model(LXModel("m", {"recipes": recipes}))

        assert tables(("product", "machine")) == tables(("machine", "product"))
        assert dump_model(load_model(tables(("product", "machine")))) == tables(("product", "machine"))

    def test_does_not_remember_a_null_that_was_taken_back(self) -> None:
        model = furniture_model()
        before = dump_model(model)
        row = model.tables["products"].rows[0]
        row.profit_per_unit = None
        row.profit_per_unit = 45.0
        assert dump_model(model) == before
        row.max_demand = None
        other = furniture_model()
        other.tables["products"].rows[0].max_demand = 3.0
        other.tables["products"].rows[0].max_demand = None
        assert dump_model(other) == dump_model(model)

    def test_keeps_tables_rows_and_keys(self) -> None:
        model, loaded = rich_model(), load_model(DATA)
        for name, table in model.tables.items():
            for field, column in table.columns.items():
                found = loaded.tables[name].columns[field]
                assert repr(found.tolist()) == repr(column.tolist())
                assert found.values.dtype == column.values.dtype
        for ours, theirs in zip(model.variables, loaded.variables, strict=True):
            assert repr(theirs.keys) == repr(ours.keys)
            assert theirs.kind == ours.kind
        recipe = loaded.tables["recipes"].rows[2]
        assert recipe.product is loaded.tables["products"].rows[1]
        assert loaded.get_variable("make").rows[0] is loaded.tables["products"].rows[0]
        assert (recipe.product, "Cutting", 3) in loaded.get_variable("use").keys

    def test_solves_to_the_same_plan(self) -> None:
        model = furniture_model()
        first, second = (LXOptimizer().solve(m) for m in (model, load_model(dump_model(model))))
        assert first.objective_value == second.objective_value
        assert first.variables["make"].array.tobytes() == second.variables["make"].array.tobytes()

    def test_works_through_pickle(self) -> None:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            loaded = pickle.loads(pickle.dumps(rich_model(), protocol=protocol))
            assert dump_model(loaded) == DATA

    def test_leaves_the_original_alone(self) -> None:
        model = furniture_model()
        before = dump_model(model)
        loaded = load_model(before)
        loaded.tables["products"].rows[0].profit_per_unit = -1.0
        loaded.variables[0].upper = 0.5
        loaded.constraints[0].rhs_value *= 0.5
        loaded.objective.terms[0].coefficient = 9.0
        loaded.tables["recipes"].links["product"].positions[:] = 0
        loaded.name = "other"
        assert dump_model(model) == before
        assert dump_model(load_model(before)) == before

    def test_of_other_widths_and_of_large_numbers_keeps_every_value(self) -> None:
        table = LXTable("t", {"a": np.array([300, 2], dtype=np.uint64), "b": np.array([1, 2], dtype=np.int16)})
        table.columns["c"] = LXTable("u", {"c": [2**70, -(2**70)]}).columns["c"]
        loaded = load_model(dump_model(LXModel("m", {"t": table}))).tables["t"]
        assert [loaded.columns[name].tolist() for name in "abc"] == [[300, 2], [1, 2], [2**70, -(2**70)]]


class TestTexts:
    @given(st.lists(st.text(max_size=4), max_size=6))
    @example([])
    @example([""])
    @example(["", ""])
    @example(["\0"])
    @example(["a", "b\0c", "ü\n"])
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_of_any_kind_are_kept(self, values: list[str]) -> None:
        columns = {"a": values, "b": [None, *values[1:]], "n": [0.5] * len(values)}
        model = LXModel("m", {"t": LXTable("t", columns if values else {"a": [], "n": []})})
        loaded = load_model(dump_model(model)).tables["t"]
        assert loaded.columns["a"].tolist() == values
        assert not values or loaded.columns["b"].tolist() == columns["b"]

    def test_that_are_no_unicode_are_refused_in_words(self) -> None:
        model = LXModel("m", {"t": LXTable("t", {"a": ["fine", "half of a pair: \ud83d"]})})
        with pytest.raises(LXCopyError, match=r"no Unicode.*half of a pair"):
            dump_model(model)


class TestArrays:
    @given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-200, 200), max_size=6))
    @example([-128, 127])
    @example([-129])
    @example([2**15 - 1, 2**31 - 1])
    @example([2**31])
    @example([-(2**63), 2**63 - 1])
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_integers_of_any_size_are_kept(self, values: list[int]) -> None:
        model = LXModel("m", {"t": LXTable("t", {"a": values, "b": [0.5] * len(values)})})
        column = load_model(dump_model(model)).tables["t"].columns["a"]
        assert column.tolist() == values
        assert not values or column.values.dtype == np.int64

    def test_the_width_in_which_integers_were_given_does_not_matter(self) -> None:
        def tables(kind: type) -> bytes:
            products, _, recipes = furniture()
            recipes.links = {"product": LXLink(products, np.array([0, 1, 2, 0, 1, 2], dtype=kind))}
            return dump_model(LXModel("m", {"recipes": recipes}))

        assert tables(np.int64) == tables(np.int32) == tables(np.int8)
        assert LXLink(None, np.array([100], dtype=np.int8)).positions * 100 == 10_000

    def test_take_few_bytes(self) -> None:
        things = LXTable("t", {"a": np.arange(100) + 10_000})
        links = {"b": LXLink(things, np.arange(100))}
        data = dump_model(LXModel("m", {"t": LXTable("u", {}, links)}))
        assert [entry for entry in header_of(data)["arrays"] if entry[1] == 100] == [["i1", 100], ["i2", 100]]

    @pytest.mark.parametrize("given", [bytes, bytearray])
    def test_may_be_changed_in_place_and_share_nothing_with_the_bytes(self, given: type) -> None:
        data = given(DATA)
        first, second = load_model(data), load_model(data)
        for table in first.tables.values():
            for column in table.columns.values():
                column.values[:] = column.values[::-1].copy()
            for link in table.links.values():
                link.positions[:] = 0
        for variable in first.variables:
            for bound in (variable.lower, variable.upper):
                if isinstance(bound, np.ndarray):
                    bound[:] = 0.5
            if not isinstance(variable.rows, list):
                variable.rows.positions[:] = 0
        assert data == DATA
        assert dump_model(second) == DATA
        if given is bytearray:
            data[:] = bytes(len(data))
            assert dump_model(second) == DATA


class TestWhatCannotTravel:
    def test_is_refused_in_words(self) -> None:
        unknown = LXModel("m", {"t": LXTable("t", {"a": [object()]})})
        with pytest.raises(LXCopyError, match="type object can't travel"):
            dump_model(unknown)
        products, machines, _ = furniture()
        keyed = LXVariable[Any, float]("x").indexed_by(lambda i: machines.rows[i]).from_data([0, 1])
        with pytest.raises(LXCopyError, match="Add the tables to the model's tables"):
            dump_model(LXModel("m").add_variable(keyed))
        both = LXVariable[Any, float]("x").indexed_by(lambda t: t.rows[0]).from_data([products, machines])
        with pytest.raises(LXCopyError, match="rows of Product and of tables"):
            dump_model(LXModel("m", {"p": products, "m": machines}).add_variable(both))
        with pytest.raises(LXCopyError, match="rows but no columns"):
            dump_model(LXModel("m", {"t": LXTable("t", {}, size=3)}))

    def test_fails_in_pickle_too_instead_of_leaving_an_empty_model(self) -> None:
        products, _, _ = furniture()
        x = LXVariable[Any, float]("x").indexed_by(lambda p: p.name).from_data(products)
        model = LXModel("m").add_variable(x).maximize(LXLinearExpression().add_term(x, lambda p: p.max_demand))
        with pytest.raises(LXModelError, match="gives None for <Product Table>"):
            pickle.dumps(model)


# --- other processes ------------------------------------------------------------------------


def python(code: str, data: bytes = b"", **environment: str) -> bytes:
    """Run `code` in a fresh interpreter that gets `data`, and return what it writes."""
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
    return result.stdout


@pytest.mark.parametrize("seed", ["0", "1", "12345"])
def test_another_process_writes_the_same_bytes(seed: str) -> None:
    code = (
        "import sys; from tests.lx.rich_model import rich_model, dump_model\n"
        "sys.stdout.buffer.write(dump_model(rich_model()))"
    )
    assert python(code, PYTHONHASHSEED=seed) == DATA


@pytest.mark.parametrize("door", ["load_model(data)", "pickle.loads(data)"])
def test_a_process_without_django_loads_and_solves_it(door: str) -> None:
    model = furniture_model()
    data = pickle.dumps(model) if "pickle" in door else dump_model(model)
    code = (
        f"import sys, pickle\nfor name in {BLOCKED}: sys.modules[name] = None\n"
        "data = sys.stdin.buffer.read()\n"
        "from planning.lx import LXOptimizer, load_model\n"
        f"solution = LXOptimizer().solve({door})\n"
        "sys.stdout.buffer.write(solution.objective_value.hex().encode())\n"
    )
    expected = LXOptimizer().solve(model).objective_value
    assert expected is not None
    assert python(code, data).decode() == expected.hex()

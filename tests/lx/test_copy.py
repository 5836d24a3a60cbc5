"""A model copy: the same matrix, the same bytes everywhere, independent, and safe to read whatever the bytes are."""

from __future__ import annotations

import json
import math
import os
import pickle
import re
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planning.lx import (
    FORMAT_VERSION,
    LXConstraint,
    LXCopyError,
    LXError,
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
from tests.lx.small_models import arrays, furniture, furniture_model

PROJECT = Path(__file__).parents[2]
BLOCKED = ("django", "rq", "redis", "django_rq")


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
    model.add_variable(use, is_on, nothing)
    balance = LXLinearExpression().add_term(model.get_variable("make"), lambda p: p.boxes, at=lambda p: p.name)
    balance.add_join(use, lambda r: 1 / r.hours_required, row_key=lambda r: r.product).add_constant(lambda p: p.boxes)
    model.add_constraint(
        LXConstraint[Any]("balance").expression(balance).ge().rhs(0.1).indexed_by(lambda p: p).from_data(products),
        LXConstraint[Any]("on").expression(LXLinearExpression().add_multi_term(is_on)).eq().rhs(2),
    )
    objective = LXLinearExpression().add_term(model.get_variable("make"), lambda p: p.profit_per_unit)
    return model.minimize(objective.add_term(use, -0.1).add_constant(1 / 3))


def header_of(data: bytes) -> dict[str, Any]:
    (size,) = struct.unpack("<Q", data[8:16])
    found: dict[str, Any] = json.loads(data[16 : 16 + size])
    return found


def with_header(data: bytes, header: Any) -> bytes:
    """Return the copy with another header and the same arrays."""
    (size,) = struct.unpack("<Q", data[8:16])
    text = header if isinstance(header, bytes) else json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return data[:8] + struct.pack("<Q", len(text)) + text + data[16 + size :]


DATA = dump_model(rich_model())


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
        "import sys; from tests.lx.test_copy import rich_model, dump_model\n"
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


# --- bytes that are no copy -----------------------------------------------------------------


def read_and_solve(data: Any) -> None:
    """Load what may be no copy: it is one, or it raises LXCopyError; what loads compiles, or says what is wrong."""
    try:
        model = load_model(data)
    except LXCopyError:
        return
    try:
        compile_model(model)
        dump_model(model)
    except LXError:
        return


@pytest.mark.parametrize(
    "data", [b"", b"LXMODEL\n", b"no copy at all, but long enough", pickle.dumps([1]), None, "text", 3]
)
def test_what_never_was_a_copy_is_refused(data: Any) -> None:
    with pytest.raises(LXCopyError):
        load_model(data)


def test_every_cut_is_refused() -> None:
    for size in range(len(DATA)):
        with pytest.raises(LXCopyError):
            load_model(DATA[:size])


@given(st.binary(min_size=1, max_size=40))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_every_extension_is_refused(more: bytes) -> None:
    with pytest.raises(LXCopyError):
        load_model(DATA + more)


def test_another_version_is_refused_with_the_remedy() -> None:
    for version in (FORMAT_VERSION + 1, 0, "1", True, None, 1.0):
        with pytest.raises(LXCopyError, match=r"(?s)format version.*Start the run again"):
            load_model(with_header(DATA, header_of(DATA) | {"version": version}))


@given(st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(1, 255)), min_size=1, max_size=4))
@settings(deadline=None, derandomize=True, max_examples=500)
def test_flipped_bits_never_raise_anything_else(flips: list[tuple[int, int]]) -> None:
    data = bytearray(DATA)
    for position, mask in flips:
        data[position] ^= mask
    read_and_solve(bytes(data))


HEADER_END = 16 + struct.unpack("<Q", DATA[8:16])[0]


@given(st.integers(16, HEADER_END - 1), st.sampled_from(list('0123456789-.,:[]{}"ntfe')), st.integers(0, 2))
@settings(deadline=None, derandomize=True, max_examples=800)
def test_an_edited_header_never_raises_anything_else(position: int, letter: str, cut: int) -> None:
    header = DATA[16:HEADER_END]
    start = position - 16
    read_and_solve(with_header(DATA, header[:start] + letter.encode() + header[start + cut :]))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [found for key, item in inner for found in places(item, (*path, key))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of a JSON value with `new` at `path`."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


PLACES = places(header_of(DATA))
ODD = (
    None,
    True,
    -1,
    0,
    1,
    7,
    2**31,
    2**63,
    10**30,
    0.5,
    "",
    "x",
    "f",
    "t",
    [],
    {},
    [[]],
    [1, 2],
    {"table": 0},
    "__class__",
)


@given(st.sampled_from(PLACES), st.sampled_from(ODD))
@settings(deadline=None, derandomize=True, max_examples=1500)
@example(("content", "variables", 0, "rows"), {"size": 2**62})
@example(("content", "tables", 0, "size"), 2**62)
@example(("content", "variables", 0, "keys"), {"parts": []})
def test_a_forged_header_never_raises_anything_else(path: tuple[Any, ...], odd: Any) -> None:
    read_and_solve(with_header(DATA, replaced(header_of(DATA), path, odd)))


def test_a_number_of_an_array_given_twice_is_refused() -> None:
    header = header_of(DATA)
    paths = [path for path in PLACES if path[:1] == ("content",) and path[-1] in ("lower", "upper", "rhs", "constant")]
    for path in paths:
        with pytest.raises(LXCopyError):
            load_model(with_header(DATA, replaced(header, path, 0)))


def test_an_array_of_another_type_is_refused() -> None:
    header = header_of(DATA)
    content = header["content"]
    family = content["constraints"][0]
    term = family["lhs"]["terms"][0]
    values = [v["upper"]["values"] for v in content["variables"] if "values" in v["upper"]]
    swapped = [(term["rows"], "f"), (term["columns"], "f"), (family["lhs"]["constant"], "i"), (values[0], "i")]
    swapped += [(content["tables"][2]["links"]["product"][1], "f")]
    for number, code in swapped:
        assert header["arrays"][number][0] in "fi"
        with pytest.raises(LXCopyError, match="wrong type"):
            load_model(with_header(DATA, replaced(header, ("arrays", number, 0), code)))


def copy_with_arrays(change: Callable[[LXModel], None]) -> bytes:
    """Return a copy whose writer was a model with changed arrays."""
    model = load_model(dump_model(furniture_model()))
    for constraint in model.constraints:
        constraint.right = constraint.rhs_array()
        for term in constraint.lhs.terms:
            term.frozen, term.placed = term.entries(constraint.name, constraint.rows, constraint.index), None
    for term in model.objective.terms:
        term.frozen, term.placed = term.entries("the objective", None, None), None
    for variable in model.variables:
        variable.lower, variable.upper = variable.bound_arrays()
    change(model)
    return dump_model(model)


@pytest.mark.parametrize("position", [-2, -1, 3, 2**40, -(2**63)])
@pytest.mark.parametrize("part", ["rows", "columns"])
def test_an_entry_outside_the_matrix_is_refused(part: str, position: int) -> None:
    def change(model: LXModel) -> None:
        assert model.constraints[0].lhs is not None
        getattr(model.constraints[0].lhs.terms[0].frozen, part)[0] = position

    with pytest.raises(LXCopyError, match="points to a row that it does not hold"):
        load_model(copy_with_arrays(change))


@pytest.mark.parametrize("position", [-2, 3, 2**40])
def test_a_relation_to_no_row_is_refused(position: int) -> None:
    def change(model: LXModel) -> None:
        model.tables["recipes"].links["product"].positions[0] = position

    with pytest.raises(LXCopyError, match="points to a row that it does not hold"):
        load_model(copy_with_arrays(change))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["coefficient", "rhs", "constant", "lower", "upper"])
def test_a_number_that_is_not_finite_is_refused(where: str, value: float) -> None:
    def change(model: LXModel) -> None:
        term = model.objective.terms[0].frozen
        assert term is not None
        arrays_of: dict[str, Any] = {
            "coefficient": term.coefficients,
            "rhs": model.constraints[0].right,
            "constant": model.objective.constants[0],
            "lower": model.variables[0].lower,
            "upper": model.variables[0].upper,
        }
        arrays_of[where][0] = value

    if (where, value) in (("lower", -math.inf), ("upper", math.inf)):
        load_model(copy_with_arrays(change))  # no bound
        return
    with pytest.raises(LXError) as caught:
        load_model(copy_with_arrays(change))
    assert isinstance(caught.value, LXCopyError | LXModelError)


def test_a_small_forged_copy_takes_little_memory() -> None:
    texts = b"x" * 200_000
    lengths = np.array([2**62, 2**62, 2**62, 2**62 + len(texts)] + [len(texts)] * 2000, dtype=np.int64)
    blob = texts + b"\0" * (-len(texts) % 8)
    column = {"texts": {"lengths": 0, "text": 1}}
    empty = {"name": "m", "sense": "maximize", "named": {}, "variables": [], "constraints": [], "objective": {}}
    table = {"name": "t", "size": 2004, "key": None, "columns": {"a": column}, "links": {}, "dimensions": []}
    forged = []
    for count, columns in ((len(lengths), 1), (1, 5000)):
        named = {f"c{i}": column for i in range(columns)}
        content = empty | {"tables": [table | {"size": count, "columns": named}]}
        header = json.dumps(
            {"version": FORMAT_VERSION, "arrays": [["i", count], ["t", len(texts)]], "content": content}
        ).encode()
        header += b" " * (-len(header) % 8)
        held = lengths if count > 1 else np.array([len(texts)])
        forged.append(b"LXMODEL\n" + struct.pack("<Q", len(header)) + header + held.tobytes() + blob)
    huge = [
        replaced(header_of(DATA), path, 2**60)
        for path in PLACES
        if path[-1:] == ("size",) or (path[:1] == ("arrays",) and path[2:] == (1,))
    ]
    tracemalloc.start()
    for data in [*forged, *(with_header(DATA, header) for header in huge)]:
        with pytest.raises(LXCopyError):
            load_model(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30e6


def test_deep_nesting_is_refused() -> None:
    for text in (b"[" * 200_000, b'{"a":' * 50_000):
        with pytest.raises(LXCopyError):
            load_model(with_header(DATA, text))
    marked = json.dumps(replaced(header_of(DATA), ("content", "variables", 0, "keys"), "HERE")).encode()
    for depth in (300, 900, 5000):
        nested = b'{"parts":[' * depth + b"]}" * depth
        with pytest.raises(LXCopyError):
            load_model(with_header(DATA, marked.replace(b'"HERE"', nested)))


@pytest.mark.parametrize(
    "tagged",
    ['{"decimal":"abc"}', '{"float":"zz"}', '{"date":"x"}', '{"os":"system"}', "{}", "[1", '{"date":1}', '{"time":[]}'],
)
def test_a_forged_value_is_refused(tagged: str) -> None:
    data = dump_model(LXModel("m", {"t": LXTable("t", {"a": ["0123456789abcdefg"[: len(tagged)], 5]})}))
    start = data.index(b'"01234'[: 1 + min(5, len(tagged))])
    assert re.search(rb"tagged", data)
    with pytest.raises(LXCopyError):
        load_model(data[:start] + tagged.encode().ljust(len(tagged) + 2) + data[start + len(tagged) + 2 :])

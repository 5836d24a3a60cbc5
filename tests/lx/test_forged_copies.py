"""Bytes that are no copy, or a harmed or forged one: they raise LXCopyError, and take little memory."""

from __future__ import annotations

import json
import math
import pickle
import re
import struct
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planning.lx import (
    FORMAT_VERSION,
    LXCopyError,
    LXError,
    LXModel,
    LXModelError,
    LXTable,
    compile_model,
    dump_model,
    load_model,
)
from planning.lx.terms import Entries
from tests.lx.forged_headers import header_of, places, replaced, with_header
from tests.lx.rich_model import DATA
from tests.lx.small_models import furniture_model


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
    for version in (FORMAT_VERSION + 1, FORMAT_VERSION - 1, 0, "2", True, None, 2.0):
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
    "f8",
    "u1",
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


@pytest.mark.parametrize("code", ["f8", "b1", "u1", "i1", "i2", "i4", "i8"])
def test_an_array_of_another_width_never_raises_anything_else(code: str) -> None:
    header = header_of(DATA)
    for number, (old, count) in enumerate(header["arrays"]):
        fits, rest = divmod(count * int(old[1]), int(code[1]))
        if code != old and not rest:
            read_and_solve(with_header(DATA, replaced(header, ("arrays", number), [code, fits])))


def test_a_number_of_an_array_given_twice_is_refused() -> None:
    header = header_of(DATA)
    paths = [path for path in PLACES if path[:1] == ("content",) and path[-1] in ("lower", "upper", "rhs", "constant")]
    for path in paths:
        with pytest.raises(LXCopyError):
            load_model(with_header(DATA, replaced(header, path, 0)))


def test_an_array_of_another_type_is_refused() -> None:
    header = header_of(DATA)
    content = header["content"]
    term = content["constraints"][0]["lhs"]["terms"][0]
    values = [v["upper"]["values"] for v in content["variables"] if v["upper"] and "values" in v["upper"]]
    constant = content["objective"]["constant"]
    numbers = [term["rows"], term["columns"], content["tables"][2]["links"]["product"][1], constant, values[0]]
    for number in numbers:
        code = {"i1": "u1", "f8": "i8"}[header["arrays"][number][0]]
        with pytest.raises(LXCopyError, match="wrong type"):
            load_model(with_header(DATA, replaced(header, ("arrays", number, 0), code)))


def test_a_term_over_all_rows_of_a_table_of_another_size_is_refused() -> None:
    header = header_of(dump_model(furniture_model()))
    path = ("content", "constraints", 0, "lhs", "terms", 0, "over")
    recipes = header["content"]["named"]["recipes"]
    assert replaced(header, path, {"table": recipes, "positions": None}) == header
    forged = replaced(header, path, {"table": header["content"]["named"]["machines"], "positions": None})
    with pytest.raises(LXCopyError, match="term of the wrong length"):
        load_model(with_header(dump_model(furniture_model()), forged))


def copy_with_arrays(change: Callable[[LXModel], None]) -> bytes:
    """Return a copy whose writer was a model with changed arrays."""
    model = load_model(dump_model(furniture_model()))
    for constraint in model.constraints:
        constraint.right = constraint.rhs_array()
        for term in constraint.lhs.terms:
            found = term.entries(constraint.name, constraint.rows, constraint.index)
            places = found.rows.astype(np.int64), found.columns.astype(np.int64)
            term.frozen, term.placed = Entries(*places, found.coefficients), None
    for term in model.objective.terms:
        term.frozen, term.placed = term.entries("the objective", None, None), None
    model.objective.constants = [np.zeros(1)]
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
    empty = {"name": "m", "sense": "maximize", "named": {}, "variables": [], "constraints": [], "objective": {}}
    table = {"name": "t", "size": 2004, "key": None, "links": {}, "dimensions": []}
    forged = []
    for count, columns in ((2**62, 1), (2004, 1), (1, 5000)):
        named = {f"c{i}": {"texts": {"count": count, "text": 0}} for i in range(columns)}
        content = empty | {"tables": [table | {"size": count, "columns": named}]}
        header = json.dumps({"version": FORMAT_VERSION, "arrays": [["u1", len(texts)]], "content": content}).encode()
        header += b" " * (-len(header) % 8)
        forged.append(b"LXMODEL\n" + struct.pack("<Q", len(header)) + header + texts)
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

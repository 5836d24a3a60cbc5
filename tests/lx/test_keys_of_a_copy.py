"""The keys of a copy: the fields that they are made of, or their values; told apart, and never taken on trust."""

from __future__ import annotations

import copy
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from planning.lx import (
    LXCopyError,
    LXLinearExpression,
    LXLink,
    LXModel,
    LXModelError,
    LXOptimizer,
    LXTable,
    LXVariable,
    LXWhatIfAnalyzer,
    compile_model,
    dump_model,
    load_model,
)
from tests.lx.forged_headers import header_of, replaced, with_header
from tests.lx.small_models import furniture, furniture_model


def keyed(key: Callable[[Any], Any], *, names: tuple[str, ...] = ("Chair", "Table", "Desk")) -> LXModel:
    """Return a model of one family over the recipes, with that key."""
    products, machines, recipes = furniture()
    products.columns["name"] = LXTable("t", {"name": list(names)}).columns["name"]
    use = LXVariable[Any, float]("use").bounds(upper=1).indexed_by(key).from_data(recipes)
    model = LXModel("m", {"products": products, "machines": machines, "recipes": recipes}).add_variable(use)
    return model.maximize(LXLinearExpression().add_term(use, lambda r: r.hours_required))


def proven(r: Any) -> Any:
    return r.product.name, r.machine.name


def unproven(r: Any) -> Any:
    return r.product.name.upper(), r.machine.name


ALL = [
    proven,
    unproven,
    lambda r: r,
    lambda r: (r.machine, r.product),
    lambda r: r.id,
    lambda r: -r.id,
    lambda r: r.hours_required,
    lambda r: (r.product.id, r.machine.id, "x"),
    lambda r: f"{r.product.name} on {r.machine.name}",
    lambda r: (r.id, (r.product.name, None if r.machine.id == 1 else r.machine.id)),
    lambda r: None if r.id == 3 else r.id,
    lambda r: r.product if r.id == 1 else r.id,
]


@pytest.mark.parametrize("key", ALL[:-1])
def test_keys_are_the_same_and_find_the_same(key: Callable[[Any], Any]) -> None:
    model = keyed(key)
    loaded = load_model(dump_model(model))
    use, theirs = model.get_variable("use"), loaded.get_variable("use")
    assert repr(theirs.keys) == repr(use.keys)
    assert list(map(type, theirs.keys)) == list(map(type, use.keys))
    assert [theirs.index.find(k) for k in theirs.keys] == list(range(6))
    assert theirs.index.find(loaded.tables["recipes"].rows[2]) == 2
    assert dump_model(loaded) == dump_model(model)
    solution = LXOptimizer().solve(loaded)
    assert solution.variables["use"][theirs.keys[5]] == pytest.approx(1)
    assert dict(solution.variables["use"]) == pytest.approx(dict.fromkeys(theirs.keys, 1.0))


def test_keys_of_rows_and_other_things_together_are_refused_in_words() -> None:
    with pytest.raises(LXCopyError, match="A value of type LXRecord can't travel"):
        dump_model(keyed(ALL[-1]))


def test_no_key_is_made_before_one_is_asked_for() -> None:
    count = 20_000
    things = LXTable("Thing", {"name": [f"thing {i}" for i in range(200)]})
    links = {"first": LXLink(things, np.arange(count) // 200), "second": LXLink(things, np.arange(count) % 200)}
    pairs = LXTable("Pair", {"size": np.ones(count)}, links)
    x = LXVariable[Any, float]("x").indexed_by(lambda p: (p.first.name, p.second.name, p.first.name, p.size))
    x.from_data(pairs)
    data = dump_model(LXModel("m").add_variable(x))
    load_model(data)
    tracemalloc.start()
    loaded = load_model(data)
    held, _ = tracemalloc.get_traced_memory()
    keys = loaded.get_variable("x").keys
    with_keys, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 75 * count < with_keys - held
    assert keys[-1] == ("thing 99", "thing 199", "thing 99", 1.0)


class TestKeysThatOccurTwice:
    @pytest.mark.parametrize("key", [proven, unproven, lambda r: r.product.name, lambda r: r.machine])
    def test_are_refused_when_the_copy_is_made(self, key: Callable[[Any], Any]) -> None:
        with pytest.raises(LXModelError, match=r"Variable use has the key .* twice\. Make indexed_by"):
            dump_model(keyed(key, names=("Chair", "Chair", "Desk")))

    @pytest.mark.parametrize(
        ("key", "old", "new"),
        [
            (proven, b"Table", b"Chair"),
            (unproven, b"TABLE", b"CHAIR"),
            (lambda r: f"{r.product.name} on {r.machine.name}", b"Table on", b"Chair on"),
        ],
    )
    def test_are_refused_in_a_forged_copy(self, key: Callable[[Any], Any], old: bytes, new: bytes) -> None:
        data = dump_model(keyed(key))
        assert old in data
        with pytest.raises(LXCopyError, match=r"Variable use has the key .*(?i:chair).* twice"):
            load_model(data.replace(old, new))

    def test_of_numbers_are_refused_in_a_forged_copy(self) -> None:
        data = dump_model(keyed(lambda r: -r.id))
        keys = np.array([-1, -2, -3, -4, -5, -6], dtype=np.int8).tobytes()
        assert keys in data
        with pytest.raises(LXCopyError, match="has the key -1 twice"):
            load_model(data.replace(keys, keys[:5] + keys[:1]))

    def test_are_refused_in_an_altered_copy_that_is_solved_again(self) -> None:
        loaded = load_model(dump_model(keyed(proven)))
        loaded.tables["products"].columns["name"].values[1] = "Chair"
        with pytest.raises(LXModelError, match=r"has the key \('Chair', 'Cutting'\) twice"):
            compile_model(loaded)


def test_families_of_the_same_rows_and_keys_each_have_theirs() -> None:
    model = furniture_model()
    products = model.tables["products"]

    def name(p: Any) -> Any:
        return p.name

    for family in ("first", "second"):
        model.add_variable(LXVariable[Any, float](family).indexed_by(name).from_data(products.rows[1:]))
    loaded = load_model(dump_model(model))
    assert [variable.keys for variable in loaded.variables] == [["Chair", "Table", "Desk"], *[["Table", "Desk"]] * 2]


def test_a_family_without_an_index_keeps_the_primary_key() -> None:
    products, _, _ = furniture()
    make = LXVariable[Any, float]("make").from_data(products)
    loaded = load_model(dump_model(LXModel("m").add_variable(make))).get_variable("make")
    assert loaded.keys == make.keys == [1, 2, 3]


def test_a_key_of_a_field_that_only_other_rows_lack_travels_by_its_values() -> None:
    model = keyed(proven)
    products, use = model.tables["products"], model.get_variable("use")
    products.columns["name"].set(2, None)
    products.unloaded["name"] = {2}
    model.variables.clear()
    model.maximize(LXLinearExpression())
    few = LXVariable[Any, float]("use").indexed_by(proven).from_data(use.rows[:4])
    loaded = load_model(dump_model(model.add_variable(few)))
    assert loaded.get_variable("use").keys == few.keys
    assert "name" not in loaded.tables["products"].columns


def test_other_rows_ask_for_a_key_again() -> None:
    loaded = load_model(dump_model(keyed(unproven)))
    use = loaded.get_variable("use").from_data([1, 2, 3])
    with pytest.raises(LXModelError, match="has no index"):
        _ = use.keys
    assert use.indexed_by(lambda i: i).keys == [1, 2, 3]


@pytest.mark.parametrize("key", [proven, unproven, lambda r: (r.machine, r.product)])
def test_a_deep_copy_of_a_copy_has_keys_of_its_own(key: Callable[[Any], Any]) -> None:
    loaded = load_model(dump_model(keyed(key)))
    data, made = dump_model(loaded), copy.deepcopy(loaded)
    assert repr(made.get_variable("use").keys) == repr(loaded.get_variable("use").keys)
    made.tables["products"].columns["name"].values[:] = ["a", "b", "c"]
    made.tables["recipes"].links["product"].positions[:] = 0
    assert dump_model(loaded) == data


def test_a_copy_is_asked_what_if_by_key() -> None:
    loaded = load_model(dump_model(keyed(proven)))
    answer = LXWhatIfAnalyzer(loaded).set_variable_bounds("use", upper=3.0, key=("Desk", "Assembly"))
    assert answer.delta_objective == pytest.approx(7)


@pytest.mark.parametrize(
    "forged",
    [
        [True, []],
        [False, []],
        [1, [["f", 0, [], "id"]]],
        [False, [["f", 0, [], "id"], ["f", 0, [], "hours_required"]]],
        [True, [["f", 0, [], "hours"]]],
        [True, [["f", 1, [], "id"]]],
        [True, [["f", -1, [], "id"]]],
        [True, [["f", 0.0, [], "id"]]],
        [True, [["f", 0, "product", "id"]]],
        [True, [["f", 0, ["product", "product"], "id"]]],
        [True, [["f", 0, ["id"], "id"]]],
        [True, [["f", 0, ["_lx_table"], "id"]]],
        [True, [["f", 0, [], "_lx_positions"]]],
        [True, [["f", 0, [], "__class__"]]],
        [True, [["f", 0, [], 3]]],
        [True, [["f", 0, []]]],
        [True, [["r", 0, [], "id"]]],
        [True, [["r", 0, ["hours_required"]]]],
        [True, [["r", 0, ["product"]]]],
        [True, [["v", 0, [], "id"]]],
        [True, [[]]],
        [True, [None]],
        [True],
        None,
        "id",
    ],
)
def test_forged_fields_of_a_key_are_refused(forged: Any) -> None:
    data = dump_model(keyed(proven))
    path = ("content", "variables", 0, "keys", "fields")
    assert replaced(
        header_of(data), path, [True, [["f", 0, [p], "name"] for p in ("product", "machine")]]
    ) == header_of(data)
    with pytest.raises(LXCopyError):
        load_model(with_header(data, replaced(header_of(data), path, forged)))


def test_fields_of_a_key_need_rows_of_a_table() -> None:
    data = dump_model(keyed(proven))
    with pytest.raises(LXCopyError, match="without its rows"):
        load_model(with_header(data, replaced(header_of(data), ("content", "variables", 0, "rows"), {"size": 6})))

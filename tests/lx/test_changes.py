"""Changes as deltas: the same matrix as a rebuilt model, the same plans, and nothing left behind."""

from __future__ import annotations

import contextlib
import math
import pickle
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planning.lx import (
    LXChange,
    LXModelError,
    LXOptimizer,
    LXScenario,
    LXScenarioAnalyzer,
    SolverOptions,
    compile_model,
)
from planning.lx.analysis.trial import Base, Trial
from planning.lx.solvers.highs import HighsSession
from tests.lx.changed_models import PARTS, bakery, rebuilt

BREADS, OVENS = ["rye", "wheat", "spelt"], ["old", "new"]
ROWS = {"hours": OVENS, "promised": BREADS, "rest": OVENS, "total": []}


def of_one_or_all(keys: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from([{}, *({"key": key} for key in keys)])


def steps(to: st.SearchStrategy[float]) -> st.SearchStrategy[dict[str, float]]:
    quarters = st.integers(-20, 20).map(lambda n: n / 4)
    return st.one_of(
        st.fixed_dictionaries({"by": quarters}),
        st.fixed_dictionaries({"percent": st.integers(-50, 50).map(float)}),
        st.fixed_dictionaries({"multiply": st.sampled_from([0.5, 0.75, 1.0, 1.5])}),
        st.fixed_dictionaries({"to": to}),
    )


@st.composite
def changes(draw: Any) -> LXChange:
    kind = draw(st.sampled_from(["rhs", "lower", "upper", "cost", "coefficient"]))
    small = st.integers(0, 80).map(lambda n: n / 4)
    if kind == "rhs":
        name = draw(st.sampled_from(sorted(ROWS)))
        return LXChange.rhs(name, **draw(steps(small)), **draw(of_one_or_all(ROWS[name])))
    if kind == "cost":
        return LXChange.cost("bake", **draw(steps(small)), **draw(of_one_or_all(BREADS)))
    if kind == "lower":
        return LXChange.lower_bound("bake", to=draw(st.sampled_from([-math.inf, -3.0, 0.0])), key=draw(_of(BREADS)))
    if kind == "upper":
        return LXChange.upper_bound("bake", to=draw(st.sampled_from([math.inf, 4.5, 8.0])), key=draw(_of(BREADS)))
    name = draw(st.sampled_from(["hours", "rest", "total"]))
    key = {"key": draw(_of(OVENS))} if name != "total" else {}
    return LXChange.coefficient(name, "bake", **draw(steps(small)), **key, variable_key=draw(_of(BREADS)))


def _of(keys: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(keys)


@pytest.fixture(scope="module")
def bases() -> dict[bool, tuple[Any, Base]]:
    return {whole: (model, Base(model)) for whole in (False, True) for model in [bakery(whole=whole)]}


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(listed=st.lists(changes(), max_size=5), whole=st.booleans())
def test_deltas_give_the_matrix_of_a_model_that_is_built_anew(bases: Any, listed: list[LXChange], whole: bool) -> None:
    model, base = bases[whole]
    trial, expected = Trial(base, listed, may_stay=True).compiled(), rebuilt(model, listed)
    for part in PARTS:
        assert np.array_equal(getattr(trial, part), getattr(expected, part)), part


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(lists=st.lists(st.lists(changes(), min_size=1, max_size=3), min_size=1, max_size=4), minimize=st.booleans())
def test_the_live_model_finds_what_a_full_rebuild_finds_and_is_left_as_it_was(
    lists: list[list[LXChange]], minimize: bool
) -> None:
    model = bakery(minimize=minimize)
    analyzer = LXScenarioAnalyzer(model)
    assert analyzer.baseline.is_optimal
    session = analyzer._live._session
    for number, listed in enumerate(lists):
        with contextlib.suppress(LXModelError):  # where a change changes nothing
            analyzer.add_scenario(LXScenario(str(number), listed))
    for name, solution in analyzer.run_all_scenarios(include_baseline=False).items():
        expected = LXOptimizer().solve(rebuilt(model, lists[int(name)]))
        assert solution.termination == expected.termination
        if expected.objective_value is None:
            assert solution.objective_value is None
        else:
            assert solution.objective_value == pytest.approx(expected.objective_value, rel=1e-7, abs=1e-7)
    analyzer._live.take_back()
    fresh, live = (session._highs.getLp() for session in (HighsSession(compile_model(model), SolverOptions()), session))
    for part in ("col_cost_", "col_lower_", "col_upper_", "row_lower_", "row_upper_"):
        assert np.array_equal(getattr(fresh, part), getattr(live, part)), part
    assert entries_of(fresh) == entries_of(live)


def entries_of(lp: Any) -> set[tuple[int, int, float]]:
    """Return the matrix that HiGHS holds."""
    starts = np.array(lp.a_matrix_.start_)
    columns = np.repeat(np.arange(len(starts) - 1), np.diff(starts)).tolist()
    count = len(columns)  # behind them may stand what was taken out
    return set(zip(lp.a_matrix_.index_[:count], columns, lp.a_matrix_.value_[:count], strict=True))


@settings(deadline=None, max_examples=40)
@given(change=changes())
def test_a_change_and_its_inverse_are_the_model_as_it_is_bit_for_bit(bases: Any, change: LXChange) -> None:
    base = bases[False][1]
    trial = Trial(base, [change, *_inverses(base, change)], may_stay=True)
    assert trial.is_base
    for part in PARTS:
        assert np.array_equal(getattr(trial.compiled(), part), getattr(base.compiled, part)), part


def _inverses(base: Base, change: LXChange) -> list[LXChange]:
    """Return the changes that set each number to what it was."""
    compiled, model = base.compiled, base.compiled.model
    if change.what == "coefficient":
        row, column = base.place(change)
        number = base.entry(row, column)
        return [LXChange(change.what, change.name, "to", number, "", change.keys, "bake", change.variable_keys)]
    family: Any = compiled.constraints.get(change.name) or compiled.variables[change.name]
    if change.what == "right side":
        numbers = model.get_constraint(change.name).rhs_array()
    else:
        array = {"lower bound": compiled.lower, "upper bound": compiled.upper, "cost": compiled.cost}[change.what]
        numbers = array[family.span]
    pairs = zip(family.family.keys, numbers.tolist(), strict=True)
    return [LXChange(change.what, change.name, "to", n, "", () if k is None else (k,)) for k, n in pairs]


def test_a_base_does_not_change_with_its_model() -> None:
    model = bakery()
    base = Base(model)
    model.get_constraint("hours").set_rhs(1)
    model.get_variable("bake").set_bounds(upper=1)
    trial = Trial(base, [LXChange.rhs("hours", by=1, key="old")]).compiled()
    assert trial.row_upper[:2].tolist() == [19.0, 29.5]  # 20 and 30 less the hours of heating up


def test_right_sides_are_what_the_modeller_wrote_also_with_constants_on_the_left() -> None:
    model = bakery()
    changed = Trial(Base(model), [LXChange.rhs("hours", to=10), LXChange.rhs("hours", percent=10, key="old")])
    assert changed.compiled().row_upper[:2].tolist() == [9.0, 9.5]


def test_whole_variables_get_the_next_whole_bound_and_binary_ones_stay_binary() -> None:
    base = Base(bakery(whole=True))
    trial = Trial(base, [LXChange.upper_bound("bake", to=4.5), LXChange.lower_bound("bake", to=0.5, key="rye")])
    assert trial.compiled().upper[:3].tolist() == [4.0, 4.0, 4.0]
    assert trial.compiled().lower[0] == 1.0
    model = bakery()
    model.get_variable("bake").bounds(lower=0, upper=1).binary()
    with pytest.raises(LXModelError, match="changes nothing"):
        Trial(Base(model), [LXChange.upper_bound("bake", to=5)])


def test_an_entry_comes_and_goes() -> None:
    base = Base(bakery())
    held = compile_model(bakery())
    into = LXChange.coefficient("hours", "spare", to=2, key="old", variable_key="new")
    out_of = LXChange.coefficient("hours", "bake", to=0, key="old", variable_key="rye")
    assert len(Trial(base, [into]).compiled().values) == len(held.values) + 1
    assert len(Trial(base, [out_of]).compiled().values) == len(held.values) - 1
    assert len(Trial(base, [into, out_of]).compiled().values) == len(held.values)


class TestWords:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (LXChange.rhs("hours", by=5), "hours: right side plus 5"),
            (LXChange.rhs("hours", by=-5, key=("Saw", "Week 1")), "hours[Saw,Week 1]: right side minus 5"),
            (LXChange.rhs("hours", to=123456789.12), "hours: right side 123456789.12"),
            (LXChange.relax("hours", percent=10), "hours: right side looser by 10 %"),
            (LXChange.tighten("hours", by=1), "hours: right side tighter by 1"),
            (LXChange.cost("make", multiply=1.5, key="Chair"), "make[Chair]: cost times 1.5"),
            (LXChange.lower_bound("make", to=-math.inf), "make: lower bound -inf"),
            (
                LXChange.coefficient("hours", "make", to=2, key="Saw", variable_key="Chair"),
                "hours[Saw]: coefficient of make[Chair] 2",
            ),
        ],
    )
    def test_say_what_changes(self, change: LXChange, words: str) -> None:
        assert str(change) == words

    def test_stay_the_same_in_copies(self) -> None:
        change = LXChange.rhs("hours", by=5)
        for copied in (deepcopy(change), pickle.loads(pickle.dumps(change))):
            assert copied == change
            assert str(copied) == str(change)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LXChange.rhs("hours"), "one of by=, to=, multiply=, percent="),
        (lambda: LXChange.rhs("hours", by=1, to=2), "one of by="),
        (lambda: LXChange.rhs("hours", by=math.nan), "hours: by=nan is no number"),
        (lambda: LXChange.rhs("hours", by=True), "is no number"),
        (lambda: LXChange.rhs("hours", by="5"), "is no number"),  # type: ignore[arg-type]
        (lambda: LXChange.rhs("hours", to=math.inf), "hours: to=inf is infinite"),
        (lambda: LXChange.cost("make", to=-math.inf), "make: to=-inf is infinite"),
        (lambda: LXChange.upper_bound("make", to=-math.inf), "is infinite"),
        (lambda: LXChange.lower_bound("make", to=math.inf), "is infinite"),
        (lambda: LXChange.upper_bound("make", by=math.inf), "is infinite"),
        (lambda: LXChange.relax("hours", by=-1), "goes the other way.*tighten instead"),
    ],
)
def test_a_number_that_makes_no_sense_is_refused(make: Any, message: str) -> None:
    with pytest.raises(LXModelError, match=message):
        make()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (LXChange.rhs("hour", by=1), "no 'hour'. It has: hours, promised, rest, total"),
        (LXChange.cost("baking", by=1), "no 'baking'. It has: bake, spare"),
        (LXChange.rhs("hours", by=1, key="oven"), "no key 'oven'"),
        (LXChange.rhs("total", by=1, key="rye"), "total is a single constraint: it has no key 'rye'"),
        (LXChange.rhs("hours", multiply=1), "hours: right side times 1: this changes nothing"),
        (LXChange.rhs("hours", to=20, key="old"), "this changes nothing"),
        (LXChange.rhs("hours", multiply=1e30), r"hours\[old\]: its right side would be infinite"),
        (LXChange.relax("rest", by=1), "rest is ==: it has no looser and no tighter side"),
        (LXChange.upper_bound("bake", by=1), r"bake\[wheat\]: it has no upper bound, so give a number with to="),
        (LXChange.upper_bound("bake", multiply=2, key="wheat"), "it has no upper bound"),
        (LXChange.lower_bound("bake", to=8), r"bake\[spelt\]: the lower bound 8 would lie above the upper one, 7"),
        (LXChange.cost("bake", multiply=1e30), r"bake\[rye\]: its cost would be infinite"),
        (LXChange.coefficient("hours", "bake", to=1, variable_key="rye"), "which member of hours"),
        (LXChange.coefficient("hours", "bake", to=1, key="old", variable_key="oat"), "no key 'oat'"),
        (LXChange.coefficient("hours", "bake", multiply=2, key="old", variable_key="spelt"), "changes nothing"),
        (LXChange.coefficient("hours", "bake", to=1e-12, key="old", variable_key="rye"), "would be 1e-12"),
    ],
)
def test_a_change_that_the_model_has_no_place_for_is_refused_by_name(change: LXChange, message: str) -> None:
    with pytest.raises(LXModelError, match=message):
        Trial(Base(bakery()), [change])

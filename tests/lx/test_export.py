"""LP and MPS files: what HiGHS and CBC read is the model, number for number, under names that a planner knows."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pulp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.lx import (
    CompiledModel,
    LXConstraint,
    LXLinearExpression,
    LXModel,
    LXModelError,
    LXOptimizer,
    LXTable,
    LXVariable,
    compile_model,
    write_lp,
    write_mps,
)
from tests.lx.small_models import dense_model, furniture_model

FORMATS = ["lp", "mps"]
formats = pytest.mark.parametrize("suffix", FORMATS)
WRITERS = {"lp": write_lp, "mps": write_mps}
INF = np.inf


def text_of(model: LXModel | CompiledModel, suffix: str) -> str:
    stream = StringIO()
    WRITERS[suffix](compile_model(model) if isinstance(model, LXModel) else model, stream)
    return stream.getvalue()


def written(compiled: CompiledModel, suffix: str, folder: Path) -> Path:
    path = folder / f"model.{suffix}"
    path.write_text(text_of(compiled, suffix), encoding="utf-8")
    return path


def read_by_highs(path: Path) -> Any:
    """Return HiGHS with the file in it; it took the file without a warning."""
    highs = highspy.Highs()
    highs.setOptionValue("log_to_console", False)
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    return highs


def held(lp: Any) -> dict[str, Any]:
    """Return what HiGHS holds, as lists."""
    matrix = lp.a_matrix_
    outer = np.repeat(np.arange(len(matrix.start_) - 1), np.diff(matrix.start_))
    by_column = matrix.format_ == highspy.MatrixFormat.kColwise
    rows, columns = (matrix.index_, outer) if by_column else (outer, matrix.index_)
    entries = sorted(zip(np.asarray(rows).tolist(), np.asarray(columns).tolist(), list(matrix.value_), strict=True))
    whole = [kind == highspy.HighsVarType.kInteger for kind in lp.integrality_] or [False] * lp.num_col_
    return {
        "columns": list(lp.col_names_),
        "rows": list(lp.row_names_),
        "cost": np.asarray(lp.col_cost_).tolist(),
        "lower": np.asarray(lp.col_lower_).tolist(),
        "upper": np.asarray(lp.col_upper_).tolist(),
        "row_lower": np.asarray(lp.row_lower_).tolist(),
        "row_upper": np.asarray(lp.row_upper_).tolist(),
        "entries": entries,
        "whole": whole,
        "offset": lp.offset_,
        "maximum": lp.sense_ == highspy.ObjSense.kMaximize,
    }


def expected(compiled: CompiledModel) -> dict[str, Any]:
    rows = np.repeat(np.arange(compiled.row_count), np.diff(compiled.starts))
    entries = zip(rows.tolist(), compiled.columns.tolist(), compiled.values.tolist(), strict=True)
    return {
        "cost": compiled.cost.tolist(),
        "lower": compiled.lower.tolist(),
        "upper": compiled.upper.tolist(),
        "row_lower": compiled.row_lower.tolist(),
        "row_upper": compiled.row_upper.tolist(),
        "entries": sorted(entry for entry in entries if entry[2]),
        "whole": compiled.integer.tolist(),
        "offset": compiled.offset,
        "maximum": compiled.sense == "maximize",
    }


def assert_same(compiled: CompiledModel, suffix: str, folder: Path) -> dict[str, Any]:
    """Assert that HiGHS reads the model bit for bit; return what it read."""
    read = held(read_by_highs(written(compiled, suffix, folder)).getLp())
    wanted = expected(compiled)
    assert {name: read[name] for name in wanted} == wanted
    return read


def optimum_by_cbc(compiled: CompiledModel, suffix: str, folder: Path) -> float | str:
    """Return the best objective that CBC finds for the file, or how it ends otherwise."""
    path = written(compiled, suffix, folder)
    # CBC does not act on OBJSENSE, as the file says
    told = ["-max"] if suffix == "mps" and compiled.sense == "maximize" else []
    answer = folder / "answer"
    command = [pulp.PULP_CBC_CMD.pulp_cbc_path, str(path), *told, "-solve", "-solution", str(answer)]
    said = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True).stdout
    assert "###" not in said  # as CBC begins its complaints about an LP file
    assert suffix == "lp" or "read with 0 errors" in said
    first = answer.read_text(errors="replace").split("\n")[0]
    if not first.startswith("Optimal"):
        return first.split(" ")[0].lower()
    objective = float(first.split()[-1])
    lost = suffix == "lp" and compiled.sense == "minimize"  # CBC leaves out the constant of a minimum in an LP file
    return objective + compiled.offset if lost else objective


def mixed_model(sense: str = "maximize", offset: float = -3.5) -> CompiledModel:
    """Return a small model with everything in it: every kind of bound, row and variable."""
    rows = LXTable(
        "things",
        {
            "name": ["free", "below", "between", "fixed", "above", "usual"],
            "lower": [-INF, -INF, -3.0, 2.5, 1.5, 0.0],
            "upper": [INF, 5.0, -1.0, 2.5, INF, INF],
            "cost": [0.1, 1 / 3, -2.0, 0.0, 1e-7, -12345678.901234567],
        },
    )
    x = LXVariable[Any, float]("x").bounds(lower=lambda r: r.lower, upper=lambda r: r.upper)
    x.indexed_by(lambda r: r.name).from_data(rows)
    lots = LXVariable[Any, int]("lots").integer().bounds(lower=-4, upper=9).indexed_by(lambda r: r.name).from_data(rows)
    many = LXVariable[Any, int]("many").integer().indexed_by(lambda r: r.name).from_data(rows)
    setup = LXVariable[Any, int]("setup").binary().indexed_by(lambda r: r.name).from_data(rows)
    Sum = LXLinearExpression  # noqa: N806
    everything = Sum().add_multi_term(x, 2.0).add_multi_term(lots, -1.0).add_multi_term(many, 1 / 7)
    model = (
        LXModel("mixed up")
        .add_variable(x, lots, many, setup)
        .add_constraint(
            LXConstraint("total").expression(everything).le().rhs(123456789.123456789),
            LXConstraint[Any]("each").indexed_by(lambda r: r.name).from_data(rows)
            .expression(Sum().add_term(x, at=lambda r: r).add_term(setup, -1e6, at=lambda r: r)).ge().rhs(-1e5),
            LXConstraint("few").expression(Sum().add_multi_term(many)).eq().rhs(7),
        )
    )  # fmt: skip
    sign = 1.0 if sense == "maximize" else -1.0
    objective = Sum().add_term(x, lambda r: sign * r.cost).add_multi_term(setup, -1.25 * sign).add_constant(offset)
    model = model.maximize(objective) if sense == "maximize" else model.minimize(objective)
    return compile_model(model)


@formats
@pytest.mark.parametrize("sense", ["maximize", "minimize"])
class TestRoundTrips:
    def test_a_model_with_everything_in_it_is_read_bit_for_bit(self, suffix: str, sense: str, tmp_path: Path) -> None:
        read = assert_same(mixed_model(sense), suffix, tmp_path)
        opened, closed = ("(", ")") if suffix == "lp" else ("[", "]")
        assert read["columns"][:2] == [f"x{opened}free{closed}", f"x{opened}below{closed}"]
        assert read["rows"][:2] == ["total", f"each{opened}free{closed}"]

    def test_both_readers_find_the_same_optimum(self, suffix: str, sense: str, tmp_path: Path) -> None:
        for offset in (0.0, 1000.0):
            for whole in (False, True):
                sign = 1.0 if sense == "maximize" else -1.0
                rows = [([6.0, 4.0], "<=", 24.5), ([1.0, 2.0], "<=", 6.0)]
                model = dense_model([5.0 * sign, 4.0 * sign], rows, whole=whole, sense=sense, offset=offset)
                best = LXOptimizer[Any]().gap(0.0).solve(model).objective_value
                compiled = compile_model(model)
                highs = read_by_highs(written(compiled, suffix, tmp_path))
                highs.run()
                assert highs.getInfo().objective_function_value == pytest.approx(best, rel=1e-9)
                assert optimum_by_cbc(compiled, suffix, tmp_path) == pytest.approx(best, rel=1e-8)

    def test_a_model_with_everything_in_it_has_its_optimum_in_cbc(
        self, suffix: str, sense: str, tmp_path: Path
    ) -> None:
        compiled = mixed_model(sense)
        best = LXOptimizer[Any]().gap(0.0).solve(compiled).objective_value
        assert optimum_by_cbc(compiled, suffix, tmp_path) == pytest.approx(best, rel=1e-6)


@formats
class TestSmallModels:
    def test_an_empty_model(self, suffix: str, tmp_path: Path) -> None:
        assert_same(compile_model(LXModel("nothing")), suffix, tmp_path)

    def test_nothing_to_optimise(self, suffix: str, tmp_path: Path) -> None:
        assert_same(compile_model(dense_model([0.0, 0.0], [([1.0, 1.0], ">=", 3.0)])), suffix, tmp_path)

    def test_only_a_constant(self, suffix: str, tmp_path: Path) -> None:
        compiled = compile_model(dense_model([0.0], [([1.0], ">=", 3.0)], offset=2.5))
        assert_same(compiled, suffix, tmp_path)

    def test_no_rows(self, suffix: str, tmp_path: Path) -> None:
        compiled = compile_model(dense_model([1.0, -1.0], [], lower=[-2.0, 0.0], upper=[7.0, 5.0]))
        assert_same(compiled, suffix, tmp_path)
        assert optimum_by_cbc(compiled, suffix, tmp_path) == pytest.approx(7.0)

    def test_rows_without_entries(self, suffix: str, tmp_path: Path) -> None:
        for right, ends in ((1.0, 6.0), (-1.0, "infeasible")):
            rows = [([0.0, 0.0], "<=", right), ([1.0, 1.0], "<=", 3.0), ([0.0, 0.0], "==", 0.0)]
            compiled = compile_model(dense_model([1.0, 2.0], rows))
            assert_same(compiled, suffix, tmp_path)
            assert optimum_by_cbc(compiled, suffix, tmp_path) == ends

    def test_rows_without_variables(self, suffix: str, tmp_path: Path) -> None:
        assert_same(compile_model(dense_model([], [([], "<=", 4.0)])), suffix, tmp_path)

    def test_a_row_without_a_limit_is_refused(self, suffix: str) -> None:
        compiled = compile_model(dense_model([1.0], [([1.0], "<=", 4.0)]))
        with pytest.raises(LXModelError, match="r0 has no limit on either side"):
            text_of(replace(compiled, row_upper=np.array([INF])), suffix)


class TestRanges:
    compiled = compile_model(dense_model([1.0, -2.0], [([1.0, 1.0], "<=", 8.0), ([1.0, 0.0], "<=", 9.0)]))
    compiled = replace(compiled, row_lower=np.array([-4.0, 1.5]), row_upper=np.array([8.0, 9.0]))

    def test_are_one_row_in_an_mps_file(self, tmp_path: Path) -> None:
        assert_same(self.compiled, "mps", tmp_path)
        assert optimum_by_cbc(self.compiled, "mps", tmp_path) == pytest.approx(8.0)

    def test_are_two_rows_in_an_lp_file(self, tmp_path: Path) -> None:
        read = held(read_by_highs(written(self.compiled, "lp", tmp_path)).getLp())
        assert read["rows"] == ["r0", "r0~upper", "r1", "r1~upper"]
        assert (read["row_lower"], read["row_upper"]) == ([-4.0, -INF, 1.5, -INF], [INF, 8.0, INF, 9.0])
        assert optimum_by_cbc(self.compiled, "lp", tmp_path) == pytest.approx(8.0)


def model_named(names: list[str], family: str = "make", row: str = "total") -> LXModel:
    table = LXTable("things", {"name": names, "number": list(range(len(names)))})
    x = LXVariable[Any, float](family).bounds(upper=lambda r: r.number).indexed_by(lambda r: r.name).from_data(table)
    model = LXModel("m").add_variable(x)
    model.add_constraint(LXConstraint(row).expression(LXLinearExpression().add_multi_term(x)).le().rhs(1))
    return model.maximize(LXLinearExpression().add_multi_term(x))


class TestNames:
    def test_can_be_read(self, tmp_path: Path) -> None:
        names = ["Chair", "Chair, blue", "SKU-1042", "100% oak", "Größe", "стол", "a/b:c"]
        lp = assert_same(compile_model(model_named(names)), "lp", tmp_path)["columns"]
        assert lp == [
            "make(Chair)", "make(Chair,_blue)", "make(SKU~1042)", "make(100%25_oak)", "make(Größe)", "make(стол)",
            "make(a%2Fb%3Ac)",
        ]  # fmt: skip
        mps = assert_same(compile_model(model_named(names)), "mps", tmp_path)["columns"]
        assert mps == [f"make[{name.replace(' ', '_')}]" for name in names]

    @formats
    def test_of_the_same_look_are_told_apart(self, suffix: str, tmp_path: Path) -> None:
        names = ["a b", "a_b", "a b~2", "a\tb", "c"]
        read = assert_same(compile_model(model_named(names)), suffix, tmp_path)["columns"]
        assert len(set(read)) == len(names)
        assert read[1].endswith("~2")

    @formats
    @pytest.mark.parametrize(
        "name",
        ["st", "End", "free", "inf", "bin", "Max", "e5", "E12x", "1a", ".5", "", "*", "$x", "'MARKER'", "objective",
         "x y", "infeed", "NaN[", "-", "<=", "subject", "sos1", "RHS", "BOUNDS", "\n", "\u00a0", "\u2028", "\ud800"],
    )  # fmt: skip
    def test_that_mean_something_else_to_a_reader_are_changed(self, suffix: str, name: str, tmp_path: Path) -> None:
        one = LXVariable[Any, float](name).bounds(upper=2).from_data([0]).indexed_by(lambda r: None)
        model = LXModel(name).add_variable(one)
        model.add_constraint(LXConstraint(name).expression(LXLinearExpression().add_multi_term(one)).le().rhs(1.5))
        model.maximize(LXLinearExpression().add_multi_term(one))
        assert_same(compile_model(model), suffix, tmp_path)

    @formats
    def test_that_are_too_long_are_cut_and_stay_different(self, suffix: str, tmp_path: Path) -> None:
        names = ["x" * length + end for length in (80, 90, 94, 95, 140, 152, 153, 154, 155, 300) for end in ("a", "b")]
        compiled = compile_model(model_named(names, row="r" * 400))
        read = assert_same(compiled, suffix, tmp_path)
        assert len(set(read["columns"])) == len(names)
        assert optimum_by_cbc(compiled, suffix, tmp_path) == 1.0  # and CBC says nothing about names

    @formats
    def test_in_other_scripts_are_cut_between_letters(self, suffix: str, tmp_path: Path) -> None:
        names = ["стол" * 20 + "a" * shift + end for shift in range(4) for end in ("", "ж")]
        assert len(set(assert_same(compile_model(model_named(names)), suffix, tmp_path)["columns"])) == len(names)


class TestFiles:
    @formats
    def test_a_model_is_written_to_a_file(self, suffix: str, tmp_path: Path) -> None:
        path = tmp_path / f"furniture.{suffix}"
        furniture_model().write(path)
        assert path.read_text(encoding="utf-8") == text_of(furniture_model(), suffix)

    def test_an_lp_file_reads_like_the_model(self) -> None:
        assert text_of(furniture_model(), "lp") == (
            "\\ furniture\n"
            "Maximize\n"
            " objective: 45 make(Chair) + 120 make(Table) + 200 make(Desk)\n"
            "Subject To\n"
            " hours(Cutting): 0.5 make(Chair) + 1.5 make(Table) + 2 make(Desk) <= 80\n"
            " hours(Assembly): make(Chair) + 2.5 make(Table) + 3.5 make(Desk) <= 100\n"
            "Bounds\n"
            " make(Chair) <= 100\n"
            " make(Desk) <= 30\n"
            "End\n"
        )

    def test_another_ending_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(LXModelError, match=r"Give a name that ends in \.lp or \.mps"):
            furniture_model().write(tmp_path / "furniture.txt")
        assert list(tmp_path.iterdir()) == []

    def test_lines_of_an_lp_file_are_short_enough_for_every_reader(self) -> None:
        text = text_of(model_named([f"{'product' * 5} {i}" for i in range(500)]), "lp")
        assert max(map(len, text.split("\n"))) <= 510


# --- any model ------------------------------------------------------------------------------

numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e14, max_value=1e14).map(
    lambda v: v if abs(v) > 1e-8 else 0.0
)
keys = st.text(min_size=0, max_size=12)


@st.composite
def models(draw: st.DrawFn) -> CompiledModel:
    """Draw a small model with any names, numbers and kinds."""
    rows = LXTable("rows", {"name": draw(st.lists(keys, min_size=1, max_size=4, unique=True))})
    names = draw(st.lists(st.text(max_size=6), min_size=2, max_size=4, unique=True))
    size = rows.size
    model = LXModel(draw(keys))
    for name in names[:-1]:
        x = LXVariable[Any, Any](name)
        some = LXVariable.integer, {"where": lambda r: len(r.name) % 2 == 0}
        make, options = draw(st.sampled_from([(LXVariable.continuous, {}), (LXVariable.integer, {}), some]))
        if draw(st.booleans()):
            make, options = LXVariable.binary, {}
        make(x, **options)
        if x.kind != "binary":  # its bounds are given
            low, high = sorted([float(draw(st.integers(-(10**9), 10**9))), draw(numbers)])
            x.bounds(lower=draw(st.sampled_from([None, 0.0, low])), upper=draw(st.sampled_from([None, max(high, 0.0)])))
        model.add_variable(x.indexed_by(lambda r: r.name).from_data(rows))
    for name in names:
        left = LXLinearExpression()
        for x in model.variables:
            if draw(st.booleans()):
                left.add_term(x, draw(numbers), at=lambda r: r)
        row = LXConstraint[Any](name).indexed_by(lambda r: r.name).from_data(rows).expression(left)
        model.add_constraint(draw(st.sampled_from([row.le, row.ge, row.eq]))().rhs(draw(numbers)))
    objective = LXLinearExpression().add_constant(draw(numbers))
    for x in model.variables:
        objective.add_multi_term(x, draw(numbers))
    model.maximize(objective) if draw(st.booleans()) else model.minimize(objective)
    assert size
    return compile_model(model)


@given(models(), st.sampled_from(FORMATS))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_any_model_is_read_bit_for_bit(tmp_path_factory: pytest.TempPathFactory, model: Any, suffix: str) -> None:
    assert_same(model, suffix, tmp_path_factory.mktemp("model"))

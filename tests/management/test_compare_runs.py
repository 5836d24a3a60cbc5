"""compare_runs: what it prints, its exit codes and its workbook."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from openpyxl import load_workbook

from planning.models import OrderResult, Plant, ProductBalance, Production, Run
from planning.runs import execute, start_run
from tests.factories import make_furniture, make_run, make_solved_run
from tests.reference.commands import bring_in, run_command

pytestmark = pytest.mark.django_db

PLANT = "lumix_step5_scenarios"
ESCAPE = "\x1b"


def two_runs(plant: Plant) -> tuple[Run, Run]:
    """Return two solved runs, of which the second one earns less."""
    return make_solved_run(plant), make_solved_run(plant, objective=2500.0, scenario_name="Less")


def text_of(*arguments: object) -> str:
    out = io.StringIO()
    call_command("compare_runs", *map(str, arguments), stdout=out)
    return out.getvalue()


def json_of(*arguments: object) -> tuple[int, Any]:
    code, printed = run_command("compare_runs", *map(str, arguments), "--format", "json")
    return code, json.loads(printed)


class TestJson:
    def test_the_published_scenarios(self, plants_dir: Path) -> None:
        expected = json.loads((plants_dir / PLANT / "expected.json").read_text())["scenarios"]
        bring_in(plants_dir / PLANT)
        runs = []
        for name in ("Baseline", "Economic Downturn"):
            run = start_run(Plant.objects.get().scenarios.get(name=name), here=True)
            runs.append(execute(run.pk, run.attempt).pk)
        code, shown = json_of(*runs)
        assert code == 0
        assert [shown["base"], *(run["run"] for run in shown["runs"])] == [runs[0], *runs]
        profit = next(one for one in shown["figures"] if one["figure"] == "profit")["runs"]
        published = [expected[name]["objective"] for name in ("Baseline", "Economic Downturn")]
        assert [one["value"] for one in profit] == pytest.approx(published, rel=1e-6)
        assert profit[1]["difference"] == pytest.approx(published[1] - published[0], rel=1e-5)
        assert (profit[0]["verdict"], profit[1]["verdict"]) == ("", "worse")
        chair = next(one for one in shown["inputs"]["differences"] if one["row"] == "Chair")
        assert (chair["table"], chair["field"], chair["period"]) == ("products", "profit_per_unit", "")
        assert chair["runs"][1] == {
            "run": runs[1],
            "present": True,
            "value": 36.0,
            "change": "changed",
            "cause": "scenario",
            "explained_by": ["Economic Downturn 3"],
        }
        assert {"won", "same"} <= {order["runs"][1]["change"] for order in shown["orders"]}

    def test_the_help_names_every_key(self, capsys: pytest.CaptureFixture[str]) -> None:
        plant = make_furniture()
        runs = two_runs(plant)
        for run in runs:
            OrderResult.objects.create(
                run=run, reference="A", product="Chair", period="1", target=1, delivered=1, late=0, shortfall=0
            )
            run.goalresult_rows.create(priority=1, name="Goal", sense="at_least", target=0, under=0, over=0)
        Run.objects.filter(pk=runs[1].pk).update(options={"gap": 0.5})
        _, shown = json_of(*(run.pk for run in runs))
        with pytest.raises(SystemExit):
            call_command("compare_runs", "--help")
        printed = capsys.readouterr().out

        def names(value: Any) -> set[str]:
            if isinstance(value, list):
                return {name for one in value for name in names(one)}
            if isinstance(value, dict):
                return set(value) | {name for one in value.values() for name in names(one)}
            return set()

        assert all(shown[part] for part in ("figures", "resources", "plan", "orders", "goals"))
        assert shown["inputs"]["differences"]
        assert {name for name in names(shown) if f'"{name}"' not in printed} == set()

    def test_only_differences_leaves_out_what_is_the_same(self) -> None:
        runs = two_runs(make_furniture())
        numbers = [run.pk for run in runs]
        _, everything = json_of(*numbers)
        _, short = json_of(*numbers, "--only-differences")
        assert len(everything["plan"]) == 3
        assert short["plan"] == short["resources"] == []
        assert [one["figure"] for one in short["figures"]] == ["profit"]


class TestTable:
    def test_inputs_come_first_then_figures_and_plan(self) -> None:
        base, other = two_runs(make_furniture())
        text = text_of(base.pk, other.pk)
        order = [text.index(words) for words in ("What differs in the inputs", "Figures", "Used of machines", "Made")]
        assert order == sorted(order)
        assert "2,500 (-235.71 worse)" in text
        assert f"run {base.pk} is the base" in text

    def test_colours_are_for_terminals_and_the_words_stay(self) -> None:
        base, other = two_runs(make_furniture())
        assert ESCAPE not in text_of(base.pk, other.pk)
        coloured = text_of(base.pk, other.pk, "--force-color")
        assert ESCAPE in coloured
        assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == text_of(base.pk, other.pk)

    def test_a_run_without_a_plan_says_why(self) -> None:
        plant = make_furniture()
        base = make_solved_run(plant)
        other = make_run(plant, state="infeasible", reason="Too little wood.")
        text = text_of(base.pk, other.pk)
        assert f"Run {other.pk} has no plan: Too little wood." in text
        assert "infeasible" in text

    def test_a_terminal_is_not_obeyed_by_names(self) -> None:
        plant = make_furniture()
        base, other = two_runs(plant)
        for run in (base, other):
            Production.objects.filter(run=run, product="Chair").update(product=f"{ESCAPE}[2J")
        Run.objects.filter(pk=other.pk).update(scenario_name=f"{ESCAPE}]0;x\x07", reason=ESCAPE)
        assert ESCAPE not in text_of(base.pk, other.pk)

    def test_long_tables_are_cut_and_say_so(self) -> None:
        plant = make_furniture()
        runs = two_runs(plant)
        for run in runs:
            Production.objects.bulk_create(
                Production(run=run, product=f"Product {i}", route="", period="1", quantity=i, setup=False)
                for i in range(40)
            )
        text = text_of(*(run.pk for run in runs))
        assert "… and 56 more: --output FILE.xlsx and --format json have all." in text


class TestWorkbook:
    def test_everything_is_in_it_and_text_is_no_formula(self, tmp_path: Path) -> None:
        plant = make_furniture()
        base, other = two_runs(plant)
        for run in (base, other):
            Production.objects.filter(run=run, product="Chair").update(product="=1+1")
            ProductBalance.objects.filter(run=run, product="Chair").update(product="=1+1")
        path = tmp_path / "new" / "runs.xlsx"
        text_of(base.pk, other.pk, "--output", path)
        text_of(base.pk, other.pk, "--output", path)  # takes its place
        book = load_workbook(path)
        assert book.sheetnames == ["runs", "inputs", "figures", "resources", "plan", "orders", "goals"]
        cell = book["plan"]["A2"]
        assert (cell.value, cell.data_type) == ("=1+1", "s")
        assert [value for (value,) in book["plan"].iter_rows(max_row=1, min_col=2, max_col=2, values_only=True)] == [
            "run"
        ]
        head, profit = list(book["figures"].iter_rows(max_row=2, values_only=True))
        assert head[2:] == (
            f"run {base.pk}",
            f"run {other.pk}",
            f"run {other.pk} difference",
            f"run {other.pk} verdict",
        )
        assert profit[:4] == ("Profit", "USD", base.objective, 2500.0)
        assert profit[5] == "worse"
        assert [child.name for child in path.parent.iterdir()] == ["runs.xlsx"]

    def test_a_file_that_can_not_be_written_is_refused(self, tmp_path: Path) -> None:
        base, other = two_runs(make_furniture())
        for path in (tmp_path / "runs.csv", tmp_path):
            code, _ = run_command("compare_runs", str(base.pk), str(other.pk), "--output", str(path))
            assert code == 2
        assert list(tmp_path.iterdir()) == []


class TestRefused:
    def test_runs_that_can_not_be_compared_end_with_2_in_words(self, capsys: pytest.CaptureFixture[str]) -> None:
        here, there = (make_solved_run(make_furniture(name)).pk for name in ("Here", "There"))
        for numbers, words in (([here, there], "one plant"), ([here], "1 was named"), ([here, 999], "no run 999")):
            code, shown = json_of(*numbers)
            assert code == 2
            assert words in shown["errors"][0]["text"]
            assert words in capsys.readouterr().err

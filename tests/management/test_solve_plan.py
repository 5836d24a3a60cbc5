"""solve_plan: what it prints and its exit code, for each way in which it can end."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from planning.models import Machine, Plant, Product, Run, RunSet
from planning.runs import start_run
from planning.runs.states import process_name
from tests.factories import BEST_PROFIT, make_furniture, make_plant
from tests.formulation.small_plants import bring
from tests.reference.commands import run_command
from tests.runs.rich_plant import make_hard, make_rich

pytestmark = pytest.mark.django_db

ROWS = {
    "production": ["product", "route", "period", "quantity", "setup"],
    "products": [
        *("product", "period", "made", "yielded", "bought", "sold", "used", "lapsed", "stock", "backlog", "short"),
    ],
    "utilization": [
        *("resource_type", "resource", "period", "used", "available", "utilization_pct", "overtime", "units_down"),
        *("shadow_price", "shadow_price_low", "shadow_price_high"),
    ],
    "materials": ["material", "period", "supplied", "used", "lapsed", "stock"],
    "orders": ["reference", "product", "period", "target", "delivered", "late", "shortfall", "deliveries"],
    "goals": ["priority", "name", "under", "over"],
    "levels": ["priority", "deviation"],
    "warnings": ["table", "row", "column", "text"],
}
EMPTY = ["conflict", "errors"]
HEAD = ["run", "plant", "scenario", "status", "objective", "bound", "gap", "seconds", "profit", "shadow_price_basis"]
PARTS = [
    *("sales", "production_cost", "route_cost", "holding", "backlog", "shortage", "purchase", "setup", "overtime"),
    *("lateness", "material_holding", "material"),
]


def solve(*options: str) -> tuple[int, Any]:
    """Return the exit code and the JSON of solve_plan, which is all that it prints."""
    code, printed = run_command("solve_plan", "--format", "json", *options)
    return code, json.loads(printed)


def printed_table(*options: str) -> str:
    out = io.StringIO()
    call_command("solve_plan", *options, stdout=out)
    return out.getvalue()


def unbounded(folder: Path) -> Plant:
    return bring(folder, products=[{"name": "A", "profit_per_unit": 1}], routes=[{"product": "A", "name": "Any"}])


class TestJson:
    def test_a_plan_has_everything_that_the_format_names(self, tmp_path: Path) -> None:
        make_rich(tmp_path)
        code, shown = solve()
        assert code == 0
        assert set(shown) >= {*HEAD, *ROWS, *EMPTY}
        for name, columns in ROWS.items():
            assert shown[name]
            assert all(list(row) == columns for row in shown[name]), name
        assert list(shown["profit"]) == PARTS
        assert list(shown["seconds"]) == ["read", "build", "solve", "write"]
        assert all(seconds > 0 for seconds in shown["seconds"].values())
        assert all(shown[name] == [] for name in EMPTY)
        assert (shown["plant"], shown["scenario"], shown["status"]) == ("Rich", "Baseline", "optimal")
        assert shown["shadow_price_basis"] == "fixed_mip"
        assert shown["run"] == Run.objects.get().pk
        assert all(row["setup"] in (True, False) for row in shown["production"])

    def test_profit_is_sales_minus_the_other_parts(self, tmp_path: Path) -> None:
        make_rich(tmp_path)
        profit = solve()[1]["profit"]
        costs = sum(amount for part, amount in profit.items() if part != "sales")
        assert profit["sales"] - costs == pytest.approx(Run.objects.get().objective, rel=1e-9)

    def test_names_in_any_script_are_written_as_they_are(self, tmp_path: Path) -> None:
        bring(tmp_path, plant=[{"name": "Möbel 家具"}], products=[{"name": "Стул"}])
        _, printed = run_command("solve_plan", "--format", "json")
        assert "Möbel 家具" in printed
        assert "Стул" in printed


def test_warnings_are_said_with_the_plan(tmp_path: Path) -> None:
    make_rich(tmp_path)
    shown = printed_table()
    assert "Warnings:\n  customer_orders O1 target_quantity: Orders for" in shown
    assert "and its max_demand is 26" in shown


class TestExitCodes:
    def test_0_for_a_proven_plan(self) -> None:
        make_furniture()
        code, shown = solve()
        assert (code, shown["status"]) == (0, "optimal")
        assert shown["objective"] == pytest.approx(BEST_PROFIT, rel=1e-9)

    def test_0_for_a_plan_that_is_not_proven(self) -> None:
        make_hard(products=40, periods=6)
        code, shown = solve("--time-limit", "2")
        assert (code, shown["status"]) == (0, "feasible")
        assert shown["bound"] >= shown["objective"] > 0
        assert shown["gap"] == pytest.approx((shown["bound"] - shown["objective"]) / shown["objective"])

    def test_0_for_a_gap_that_is_wide_enough(self) -> None:
        make_hard(products=40, periods=6)
        code, shown = solve("--time-limit", "60", "--gap", "0.6")
        assert (code, shown["status"]) == (0, "optimal")

    def test_2_for_bad_data(self) -> None:
        plant = make_furniture()
        Product.objects.create(plant=plant, name="Wish", min_demand=5)
        Product.objects.create(plant=plant, name="Kept", final_inventory=5)
        code, shown = solve()
        assert (code, shown["run"], shown["status"], shown["objective"]) == (2, None, "failed", None)
        assert [(error["table"], error["row"], error["column"]) for error in shown["errors"]] == [
            ("products", "Kept", "final_inventory"),
            ("products", "Wish", "min_demand"),
        ]
        assert set(shown) >= {*HEAD, *ROWS, *EMPTY}
        assert not Run.objects.exists()

    def test_3_for_infeasible(self) -> None:
        make_furniture()
        Machine.objects.update(available_hours=1)
        code, shown = solve()
        assert (code, shown["status"]) == (3, "infeasible")
        assert [shown[name] for name in ("objective", "bound", "gap", "profit")] == [None] * 4
        assert shown["production"] == []
        assert shown["run"] is not None
        assert [row["field"] for row in shown["conflict"]].count("available_hours") == 1
        code, printed = run_command("solve_plan")
        assert code == 3
        assert "\nNo plan satisfies all the data: " in printed
        assert all(row["text"] in printed for row in shown["conflict"])

    def test_3_for_unbounded(self, tmp_path: Path) -> None:
        unbounded(tmp_path)
        code, shown = solve()
        assert (code, shown["status"]) == (3, "unbounded")

    def test_4_where_the_limit_passed_without_a_plan(self) -> None:
        make_hard()
        code, shown = solve("--time-limit", "0.01")
        assert (code, shown["status"], shown["objective"]) == (4, "no_plan", None)


class TestBadInput:
    """Exit code 2, words on standard error, and JSON without a run where that was asked for."""

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--plant", "Furniture Workshp"], 'no plant "Furniture Workshp". Did you mean: Furniture Workshop?'),
            (["--scenario", "Rsh"], 'no scenario "Rsh". Did you mean: Rush'),
            (["--solver", "pulp:CBD"], "CBC"),
            (["--solver", "gurobi"], "highs"),
            (["--time-limit", "0"], "above 0"),
            (["--time-limit", "-3"], "above 0"),
            (["--time-limit", "nan"], "above 0"),
            (["--gap", "1"], "below 1"),
            (["--gap", "-0.1"], "from 0"),
            (["--gap", "nan"], "from 0"),
            (["--scenario", "Baseline", "--scenario", "Nope"], 'no scenario "Nope"'),
        ],
    )
    def test_it_is_refused_in_words(self, options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
        make_furniture().scenarios.create(name="Rush")
        code, shown = solve(*options)
        assert (code, shown["run"], shown["status"]) == (2, None, "failed")
        assert said in capsys.readouterr().err
        assert said in shown["errors"][0]["text"]
        assert not Run.objects.exists()

    def test_without_a_plant_it_says_how_to_get_one(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert solve()[0] == 2
        assert "import_plan" in capsys.readouterr().err

    def test_of_several_plants_one_has_to_be_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        make_furniture("One")
        make_furniture("Two")
        assert solve()[0] == 2
        assert "One, Two" in capsys.readouterr().err
        assert solve("--plant", "Two")[1]["plant"] == "Two"

    def test_a_copy_over_the_limit(self, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
        make_furniture()
        settings.PLANNING = settings.PLANNING | {"MAX_COPY_BYTES": 100}
        code, shown = solve()
        assert (code, shown["run"]) == (2, None)
        assert "MAX_COPY_BYTES" in capsys.readouterr().err

    def test_a_plant_without_a_baseline_row_has_one(self) -> None:
        plant = make_furniture()
        plant.scenarios.all().delete()
        assert solve()[0] == 0


class TestSeveralScenarios:
    def test_they_are_run_and_compared(self) -> None:
        make_furniture().scenarios.create(name="Same")
        code, shown = solve("--scenario", "Baseline", "--scenario", "Same")
        assert code == 0
        assert list(shown) == ["runs", "comparison"]
        assert [run["scenario"] for run in shown["runs"]] == ["Baseline", "Same"]
        compared = shown["comparison"]["scenarios"]
        assert [row["difference"] for row in compared] == [0, 0]
        assert Run.objects.count() == 2

    def test_the_first_code_of_1_to_4_counts(self) -> None:
        """Bad data of one scenario come before the other one's missing plan."""
        plant = make_furniture()
        Machine.objects.update(available_hours=1)
        plant.scenarios.create(name="Rush").scenario_changes.create(table="products", row="Chairs", field="max_demand")
        code, shown = solve("--scenario", "Baseline", "--scenario", "Rush")
        assert code == 2
        assert [run["status"] for run in shown["runs"]] == ["infeasible", "failed"]
        assert [row["difference"] for row in shown["comparison"]["scenarios"]] == [None, None]

    def test_one_that_is_refused_does_not_keep_the_other_from_running(self) -> None:
        plant = make_furniture()
        plant.scenarios.create(name="Rush").scenario_changes.create(table="products", row="Chairs", field="max_demand")
        code, shown = solve("--scenario", "Rush", "--scenario", "Baseline")
        assert code == 2
        assert [run["status"] for run in shown["runs"]] == ["failed", "optimal"]

    def test_all_of_a_plant_are_one_set(self) -> None:
        plant = make_furniture()
        more = plant.scenarios.create(name="More")
        more.scenario_changes.create(table="raw_materials", row="Wood", field="available_quantity", value=600)
        code, shown = solve("--all")
        assert code == 0
        assert [run["scenario"] for run in shown["runs"]] == ["Baseline", "More"]
        assert shown["comparison"]["scenarios"][1]["difference"] > 0
        (run_set,) = RunSet.objects.all()
        assert list(run_set.runs.order_by("id").values_list("pk", flat=True)) == [run["run"] for run in shown["runs"]]

    def test_all_of_one_is_that_one(self) -> None:
        make_furniture().scenarios.all().delete()
        code, shown = solve("--all")
        assert (code, shown["scenario"]) == (0, "Baseline")
        assert not RunSet.objects.exists()

    def test_all_and_some_contradict_each_other(self, capsys: pytest.CaptureFixture[str]) -> None:
        make_furniture()
        assert solve("--all", "--scenario", "Baseline")[0] == 2
        assert "Leave --scenario out, or --all." in capsys.readouterr().err

    def test_one_that_is_named_twice_is_run_twice(self) -> None:
        make_furniture()
        code, shown = solve("--scenario", "Baseline", "--scenario", "Baseline")
        assert (code, len({run["run"] for run in shown["runs"]})) == (0, 2)

    def test_where_all_are_refused_there_is_no_run(self) -> None:
        plant = make_furniture()
        plant.scenarios.create(name="Rush")
        Product.objects.create(plant=plant, name="Wish", min_demand=5)
        code, shown = solve("--all")
        assert (code, [run["run"] for run in shown["runs"]]) == (2, [None, None])
        assert not RunSet.objects.exists()

    def test_a_copy_over_the_limit_refuses_each(self, settings: Any) -> None:
        make_furniture().scenarios.create(name="Rush")
        settings.PLANNING = settings.PLANNING | {"MAX_COPY_BYTES": 100}
        code, shown = solve("--all")
        assert (code, [run["status"] for run in shown["runs"]]) == (2, ["failed", "failed"])
        assert "MAX_COPY_BYTES" in shown["runs"][0]["errors"][0]["text"]

    def test_a_table_ends_with_the_comparison(self) -> None:
        make_furniture().scenarios.create(name="Same")
        lines = printed_table("--all").splitlines()
        compared = lines[lines.index("Comparison") :]
        assert "beyond Baseline" in compared[2]
        assert compared[-1].split() == ["Same", "optimal", "2,735.71", "0"]


@pytest.mark.django_db(transaction=True)
class TestSeveralAtOnce:
    """Where the site executes several runs at once, so does the command."""

    @pytest.fixture(autouse=True)
    def _two_children(self, settings: Any) -> None:
        settings.PLANNING = settings.PLANNING | {"LOCAL_RUNS": 2}

    def test_children_of_this_machine_execute_them(self) -> None:
        plant = make_furniture()
        for number in range(4):
            scenario = plant.scenarios.create(name=f"Wood {number}")
            change = {"table": "raw_materials", "row": "Wood", "field": "available_quantity"}
            scenario.scenario_changes.create(**change, value=500 - 10 * number)
        code, shown = solve("--all")
        assert code == 0
        assert [run["scenario"] for run in shown["runs"]] == ["Baseline", *(f"Wood {number}" for number in range(4))]
        assert {run["status"] for run in shown["runs"]} == {"optimal"}
        workers = set(Run.objects.values_list("worker", flat=True))
        assert 1 <= len(workers) <= 2
        assert process_name(os.getpid()) not in workers

    def test_a_run_of_somebody_else_with_the_same_to_do_is_shown(self) -> None:
        plant = make_furniture()
        other = plant.scenarios.create(name="Other")
        run = start_run(other, here=True)
        Run.objects.filter(pk=run.pk).update(sent_at=None)
        code, shown = solve("--all")
        assert (code, shown["runs"][1]["run"]) == (0, run.pk)
        assert Run.objects.count() == 2


class TestTable:
    def test_it_says_profit_production_and_limits(self) -> None:
        make_furniture()
        text = printed_table()
        assert "Profit 2,735.71 USD (proven best" in text
        assert "Desk" in text
        assert "8.43" in text
        assert "Wood" in text

    def test_a_plan_of_nothing_has_no_sum_without_terms(self, tmp_path: Path) -> None:
        bring(tmp_path, products=[{"name": "Chair"}])
        text = printed_table()
        assert "Profit 0 USD" in text
        assert not [line for line in text.splitlines() if line.rstrip().endswith("=")]

    def test_names_of_200_characters_keep_their_columns(self, tmp_path: Path) -> None:
        names = ["C" * 199 + letter for letter in "ab"]
        bring(
            tmp_path,
            products=[{"name": name, "max_demand": 5, "profit_per_unit": 1} for name in names],
            machines=[{"name": "M" * 200, "available_hours": 8}],
            production_recipes=[{"product": name, "machine": "M" * 200, "hours_required": 1} for name in names],
        )
        assert max(len(line) for line in printed_table().splitlines()) < 120

    def test_control_characters_do_not_reach_the_terminal(self) -> None:
        bad = "Evil\x1b[2J\r\nName\x07"
        plant = make_plant(bad, currency="\x1b]0;")
        Product.objects.create(plant=plant, name=bad, min_demand=5, shortage_cost_per_unit=1)
        text = printed_table()
        assert "Evil" in text
        assert not [c for c in text if not c.isprintable() and c != "\n"]

    def test_nor_with_bad_data(self, capsys: pytest.CaptureFixture[str]) -> None:
        bad = "Evil\x1b[2J\r\nName\x07"
        Product.objects.create(plant=make_plant(bad), name=bad, min_demand=5)
        for form in ("table", "json"):
            code, printed = run_command("solve_plan", "--format", form)
            assert code == 2
            said = capsys.readouterr().err + (printed if form == "table" else "")
            assert "Evil" in said
            assert not [c for c in said if not c.isprintable() and c != "\n"]

    def test_nor_with_bad_input(self, capsys: pytest.CaptureFixture[str]) -> None:
        make_plant("Evil\x1b[2JName")
        assert run_command("solve_plan", "--plant", "Other\x1b[2J")[0] == 2
        said = capsys.readouterr().err
        assert "Evil" in said
        assert "\x1b" not in said

    def test_many_periods_are_summed_up(self, tmp_path: Path) -> None:
        periods = [{"sequence": t, "name": f"Week {t}"} for t in range(1, 53)]
        bring(
            tmp_path,
            periods=periods,
            products=[{"name": "Chair", "max_demand": 5, "profit_per_unit": 1}],
            machines=[{"name": "Saw", "available_hours": 3}],
            production_recipes=[{"product": "Chair", "machine": "Saw", "hours_required": 1}],
        )
        text = printed_table()
        assert "all periods" in text
        assert "156" in text
        assert max(len(line) for line in text.splitlines()) < 120

    def test_problems_are_listed_with_their_places(self) -> None:
        Product.objects.create(plant=make_plant(), name="Wish", min_demand=5)
        code, printed = run_command("solve_plan")
        assert code == 2
        assert "products Wish min_demand" in printed

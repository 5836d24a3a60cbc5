"""`manage.py solve_plan`: runs scenarios here and now."""

from __future__ import annotations

import json
import math
import sys
from argparse import ArgumentParser
from collections.abc import Generator
from contextlib import closing
from difflib import get_close_matches
from typing import Any

from django.db import DatabaseError

from planning.management.command import PlanCommand
from planning.management.operators_log import log_kept_back
from planning.management.plan_text import describe, describe_comparison, plain
from planning.management.plant_names import printable
from planning.management.progress_line import ProgressLine
from planning.management.solving import solved
from planning.models import BASELINE, Plant, Run, Scenario
from planning.runs import BadOptions, CopyTooLarge, RunOptions, problems_as_json, run_as_json
from planning.snapshot import DataProblems, Hold, Problem

FOUND, FAULT, BAD_DATA, IMPOSSIBLE, NO_PLAN, INTERRUPTED = 0, 1, 2, 3, 4, 130
_EXIT_CODES = {
    "optimal": FOUND,
    "feasible": FOUND,
    "infeasible": IMPOSSIBLE,
    "unbounded": IMPOSSIBLE,
    "no_plan": NO_PLAN,
    "failed": FAULT,
}


Reported = tuple[dict[str, Any], int]  # the run as JSON, and the exit code that it makes


class BadInput(Exception):
    """What was asked for can't be done, in words: the row that was named and is not there."""

    def __init__(self, text: str, table: str = "", row: str = "", column: str = "") -> None:
        super().__init__(text)
        self.problem = Problem(table, row, column, text)


class Command(PlanCommand):
    help = "Find the best production plan of a plant and write it into the database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--plant", help="the plant's name; may be left out while there is only one")
        parser.add_argument(
            "--scenario", action="append", metavar="NAME", help=f"a scenario (default {BASELINE}); may be repeated"
        )
        parser.add_argument("--all", action="store_true", help="every scenario of the plant")
        parser.add_argument("--time-limit", type=float, metavar="S", help="seconds per scenario")
        parser.add_argument("--gap", type=float, metavar="G", help="relative gap that counts as proven, such as 0.0001")
        parser.add_argument(
            "--after", type=int, metavar="RUN", help="an earlier run: hold on to its plan, and say how much moved"
        )
        parser.add_argument(
            "--hold-periods",
            type=int,
            default=0,
            metavar="K",
            help="with --after: the first K periods stay as they were",
        )
        parser.add_argument(
            "--hold-whole", action="store_true", help="with --hold-periods: sales, purchases and deliveries too"
        )
        parser.add_argument(
            "--move-cost", type=float, default=0.0, metavar="C", help="with --after: money per machine hour that moves"
        )
        parser.add_argument(
            "--solver",
            default="highs",
            help="highs, pulp:CBC or another name that PuLP knows, or by_hand for plain rules",
        )
        parser.add_argument("--format", choices=["table", "json"], default="table", dest="output")

    def handle(self, *args: Any, **options: Any) -> None:
        code = FAULT
        try:
            with log_kept_back(unless=options["traceback"]):
                code = self._run(options)
        except (BadInput, BadOptions, CopyTooLarge) as error:
            code = self._refuse(error, options)
        except DatabaseError as error:
            self._complain(f"The database refused: {error}. Is it migrated? Run: manage.py migrate")
        except KeyboardInterrupt:
            self.stderr.write("Interrupted.")
            code = INTERRUPTED
        except Exception as error:
            if options["traceback"]:
                raise
            self._complain(f"The program failed: {type(error).__name__}: {error} (--traceback shows where)")
        if code:
            sys.exit(code)

    def _refuse(self, error: Exception, options: dict[str, Any]) -> int:
        """Say why nothing was run, and in JSON too where that was asked for."""
        self._complain(str(error))
        if options["output"] == "json":
            problem = error.problem if isinstance(error, BadInput) else Problem("", "", "", str(error))
            names = (options["plant"] or "", (options["scenario"] or [BASELINE])[0])
            self._print_json(problems_as_json(*names, DataProblems([problem])))
        return BAD_DATA

    def _print_json(self, shown: dict[str, Any]) -> None:
        text = json.dumps(shown, ensure_ascii=False, indent=1, allow_nan=False)
        if printable(text, self.stdout) != text:  # the stream does not have every character
            text = json.dumps(shown, indent=1, allow_nan=False)
        self.stdout.write(text)

    def _complain(self, text: str) -> None:
        """Say on standard error what is wrong."""
        self.stderr.write(printable("\n".join(map(plain, text.split("\n"))), self.stderr))

    def _run(self, options: dict[str, Any]) -> int:
        asked = {name: options[name] for name in ("time_limit", "gap") if options[name] is not None}
        run_options = RunOptions(solver=options["solver"], **asked)
        hold = _hold(options)
        plant = _plant(options["plant"])
        scenarios = _scenarios(plant, options["scenario"], every=options["all"])
        quiet = options["output"] == "json"
        reports, codes = [], []
        with closing(self._solved(plant, scenarios, run_options, hold, quiet)) as answers:
            for report, code in answers:
                reports.append(report)
                codes.append(code)
                if not quiet:
                    self.stdout.write(printable(describe(report, plant.currency), self.stdout) + "\n")
        compared = _comparison(reports)
        if quiet:
            self._print_json(reports[0] if len(scenarios) == 1 else {"runs": reports, "comparison": compared})
        elif len(scenarios) > 1:
            self.stdout.write(printable(describe_comparison(compared, plant.currency), self.stdout) + "\n")
        return INTERRUPTED if INTERRUPTED in codes else min((code for code in codes if code), default=FOUND)

    def _solved(
        self, plant: Plant, scenarios: list[Scenario], options: RunOptions, hold: Hold | None, quiet: bool
    ) -> Generator[Reported]:
        """Yield the report and the exit code of each scenario in their order, as soon as it is known."""
        line = ProgressLine(self.stderr)
        for scenario, answer in solved(scenarios, options, line, hold):
            if isinstance(answer, Run):
                yield self._report(answer, quiet)
                continue
            problems = answer if isinstance(answer, DataProblems) else DataProblems([Problem("", "", "", str(answer))])
            report = problems_as_json(plant.name, scenario.name, problems)
            if quiet:
                for error in report["errors"]:
                    self._complain(error["text"])
            yield report, BAD_DATA

    def _report(self, run: Run, quiet: bool) -> Reported:
        """Return the report and the exit code of an ended run."""
        report = run_as_json(run)
        if run.state == Run.State.STOPPED:
            self._complain(f"Interrupted. {run.reason}")
            return report, INTERRUPTED
        if quiet and report["objective"] is None:
            self._complain(run.reason)
        return report, _EXIT_CODES[run.status]


def _hold(options: dict[str, Any]) -> Hold | None:
    """Return what to keep of an earlier plan. Raises BadInput for what makes no sense."""
    periods, cost = options["hold_periods"], options["move_cost"]
    if options["after"] is None:
        if periods or cost or options["hold_whole"]:
            raise BadInput("Say which run to hold on to: --after RUN.")
        return None
    if periods < 0 or not (math.isfinite(cost) and cost >= 0):
        raise BadInput("--hold-periods and --move-cost take numbers from 0 on.")
    if options["hold_whole"] and not periods:
        raise BadInput("Say how many periods to hold: --hold-periods K.")
    return Hold(options["after"], periods, options["hold_whole"], cost)


def _plant(name: str | None) -> Plant:
    """Return the plant of that name, or the only one."""
    plants = {plant.name: plant for plant in Plant.objects.all()}
    if not plants:
        raise BadInput("There is no plant yet. Import one with import_plan, or run: make demo", "plant")
    if name is None:
        if len(plants) > 1:
            raise BadInput(f"There are several plants. Name one with --plant: {', '.join(plants)}", "plant")
        return next(iter(plants.values()))
    if name not in plants:
        raise BadInput(f'There is no plant "{name}". {_nearest(name, list(plants))}', "plant", name, "name")
    return plants[name]


def _scenario(plant: Plant, name: str) -> Scenario:
    """Return the plant's scenario of that name; every plant has Baseline."""
    scenario = plant.scenarios.filter(name=name).first()
    if scenario is not None:
        return scenario
    if name == BASELINE:
        return Scenario.objects.create(plant=plant, name=BASELINE)
    names = list(plant.scenarios.values_list("name", flat=True))
    text = f'Plant "{plant.name}" has no scenario "{name}". {_nearest(name, names)}'
    raise BadInput(text, "scenarios", name, "name")


def _scenarios(plant: Plant, names: list[str] | None, *, every: bool) -> list[Scenario]:
    """Return the scenarios that were asked for, in that order."""
    if every and names:
        raise BadInput("--all takes every scenario. Leave --scenario out, or --all.", "scenarios")
    if not every:
        return [_scenario(plant, name) for name in names or [BASELINE]]
    _scenario(plant, BASELINE)
    return list(plant.scenarios.order_by("id"))


def _nearest(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, n=3, cutoff=0.4) or names[:5]
    return f"Did you mean: {', '.join(near)}?"


def _comparison(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """Return profit of each scenario and its difference to the first one; null where there is no plan."""
    first = reports[0]["objective"]
    return {
        "baseline": reports[0]["scenario"],
        "scenarios": [
            {
                "scenario": report["scenario"],
                "status": report["status"],
                "objective": report["objective"],
                "difference": None if None in (first, report["objective"]) else report["objective"] - first,
            }
            for report in reports
        ],
    }

"""All that can be wrong with the tables of a plan file by themselves: cells, keys, references, rows.

What spans several rows (limits of different rows, circles, the row of a change) is checked with the plan.
"""

from __future__ import annotations

from typing import Any

from planning.models import BASELINE, TABLES, Goal

from .changes import check_changes
from .columns import parse_table
from .faults import FaultList, show
from .parsed import ParsedTable
from .plan_file import PlanFile
from .rules import column_rules, ordered_pairs, unique_keys

NAMING = {table.name: ("product", "name") if table.name == "routes" else ("name",) for table in TABLES}
ONLY_PERIOD = "1"  # the name of the period of a plant without period rows
NOUNS = {table.name: table.name.removesuffix("s").replace("_", " ") for table in TABLES}
TARGET_TABLES: dict[str, str] = {
    Goal.Measure.MACHINE_HOURS: "machines",
    Goal.Measure.OVERTIME_HOURS: "machines",
    Goal.Measure.MATERIAL_QUANTITY: "raw_materials",
    Goal.Measure.PRODUCTION: "products",
    Goal.Measure.SALES: "products",
}


def check_plan(plan: PlanFile) -> dict[str, ParsedTable]:
    """Return every table's values, complete; all that is wrong with them is added to the plan's faults."""
    parsed = {table.name: parse_table(table, plan) for table in TABLES}
    for table in parsed.values():
        check_keys(table, plan.faults)
        check_pairs(table, plan.faults)
    References(parsed, plan).check()
    check_one_plant(parsed["plant"], plan)
    check_baseline(parsed["scenarios"], plan.faults)
    check_changes(parsed["scenario_changes"], plan.faults)
    return parsed


def check_keys(parsed: ParsedTable, faults: FaultList) -> None:
    """Note each row whose key stands in an earlier row."""
    for key in unique_keys(parsed.table):
        if parsed.table.name == "plant":
            continue  # a second row is a fault anyway
        optional = {column for column in key if not column_rules(parsed.table)[column].required}
        first: dict[tuple[Any, ...], int] = {}
        keys = zip(*(parsed.columns[column] for column in key), strict=True)
        for line, values in zip(parsed.lines, keys, strict=True):
            if any(value is None and column not in optional for value, column in zip(values, key, strict=True)):
                continue  # the cell has a fault of its own
            earlier = first.setdefault(values, line)
            if earlier != line:
                shown = " / ".join(show(value) for value in values if value is not None)
                text = f'{" and ".join(key)} "{shown}": row {earlier} has this already. Remove or rename one of them.'
                faults.add(parsed.table.name, line, key[-1] if len(key) == 1 else "", shown, text)


def check_pairs(parsed: ParsedTable, faults: FaultList) -> None:
    """Note each row in which a maximum is below its minimum, or an end before its start."""
    for low, high, message in ordered_pairs(parsed.table):
        pairs = zip(parsed.lines, parsed.columns[low], parsed.columns[high], strict=True)
        for line, least, most in pairs:
            if least is not None and most is not None and most < least:
                faults.add(parsed.table.name, line, high, most, message)


def check_one_plant(plants: ParsedTable, plan: PlanFile) -> None:
    """Note a missing plant row, and each one after the first."""
    if not len(plants) and "plant" not in plan.broken:
        text = "The plan needs the table plant with one row. Add it; the row gives the plant's name."
        plan.faults.add("plant", None, "", "", text)
    for line in plants.lines[1:]:
        text = "The table plant has exactly one row. Remove this one, or put it into a plan of its own."
        plan.faults.add("plant", line, "", "", text)


def check_baseline(scenarios: ParsedTable, faults: FaultList) -> None:
    """Note a parent of the scenario that every other one begins from."""
    for line, name, parent in zip(scenarios.lines, scenarios.columns["name"], scenarios.columns["parent"], strict=True):
        if name == BASELINE and parent is not None:
            faults.add("scenarios", line, "parent", parent, f"{BASELINE} has no parent. Leave the cell blank.")


class References:
    """Whether each name that a row gives stands in the table that it names a row of."""

    def __init__(self, parsed: dict[str, ParsedTable], plan: PlanFile) -> None:
        self._parsed = parsed
        self._faults = plan.faults
        # Tables whose names could not be read: one fault says so, and their rows are not missed one by one.
        self._unknowable = plan.broken | {
            name
            for name, table in parsed.items()
            if len(table) and any(column in table.columns and column not in table.places for column in NAMING[name])
        }
        named = {name: table for name, table in parsed.items() if "name" in table.columns}
        self._names = {name: set(table.columns["name"]) - {None} for name, table in named.items()}
        self._names["scenarios"].add(BASELINE)
        if not len(parsed["periods"]):
            self._names["periods"].add(ONLY_PERIOD)
        routes = parsed["routes"].columns
        self._routes = set(zip(routes["product"], routes["name"], strict=True))

    def check(self) -> None:
        """Note every name that refers to nothing."""
        for parsed in self._parsed.values():
            for rule in column_rules(parsed.table).values():
                if rule.kind == "reference" and rule.target == "routes":
                    self._check_routes(parsed)
                elif rule.kind == "reference":
                    self._check_names(parsed, rule.name, rule.target)
        self._check_names(self._parsed["scenario_changes"], "period", "periods")
        self._check_goals()

    def _check_names(self, parsed: ParsedTable, column: str, target: str) -> None:
        if target in self._unknowable:
            return
        missing = set(parsed.columns[column]) - self._names[target] - {None, ""}
        if missing:
            for place, name in enumerate(parsed.columns[column]):
                if name in missing:
                    self._add(parsed, place, column, name, target)

    def _check_routes(self, parsed: ParsedTable) -> None:
        if self._unknowable & {"routes", "products"}:
            return
        names: dict[str, list[str]] = {}
        for product, name in self._routes:
            if name is not None:
                names.setdefault(product, []).append(name)
        for place, pair in enumerate(zip(parsed.columns["product"], parsed.columns["route"], strict=True)):
            product, route = pair
            if route is None or pair in self._routes or product not in self._names["products"]:
                continue
            hint = self._faults.suggest(route, names.get(product, []))
            text = f'"{show(product)}" has no route "{show(route)}".{hint} Correct the name, or add it to routes.'
            self._faults.add(parsed.table.name, parsed.lines[place], "route", route, text)

    def _check_goals(self) -> None:
        goals = self._parsed["goals"]
        pairs = zip(goals.columns["measure"], goals.columns["target_name"], strict=True)
        for place, (measure, name) in enumerate(pairs):
            target = TARGET_TABLES.get(measure, "")
            if measure == Goal.Measure.PROFIT and name:
                text = "A goal for profit has no target_name. Leave the cell blank, or give another measure."
                self._faults.add("goals", goals.lines[place], "target_name", name, text)
            elif target and name == "":
                text = f"The cell is blank. Give the name of the {NOUNS[target]} whose {measure} the goal measures."
                self._faults.add("goals", goals.lines[place], "target_name", "", text)
            elif target and name is not None and target not in self._unknowable and name not in self._names[target]:
                self._add(goals, place, "target_name", name, target)

    def _add(self, parsed: ParsedTable, place: int, column: str, name: str, target: str) -> None:
        hint = self._faults.suggest(name, self._names[target])
        text = f'There is no {NOUNS[target]} "{show(name)}".{hint} Correct the name, or add it to {target}.'
        self._faults.add(parsed.table.name, parsed.lines[place], column, name, text)

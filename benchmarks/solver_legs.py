"""The legs with a solver: a plan from nothing, and what-ifs on a model that is solved already.

A what-if changes one limit of a machine, one bound or one price of a product, up or down by a tenth, asks for
the best objective, and takes the change back. All contestants do the same ones; what they find is compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import by_hand
import by_lx
import by_pulp
import numpy as np
import problem
import pulp
from problem import PERIODS, Plant

from planning.lx import LXModel, LXOptimizer, LXScenario, LXScenarioAnalyzer, LXWhatIfAnalyzer, compile_model
from planning.lx.solvers import SolverOptions
from planning.lx.solvers.highs import LARGE_LP_COLUMNS, new_highs

WHAT_IFS = 200
SCENARIOS = 100
KINDS = ("right side", "bound", "cost")


@dataclass(frozen=True)
class Leg:
    """What a contestant does in one turn, and what is to be said of it."""

    turn: Callable[[], Any]
    facts: dict[str, float] = field(default_factory=dict)

    def __call__(self) -> Any:
        return self.turn()


@dataclass(frozen=True)
class Change:
    """A new number for a machine's or a product's period."""

    kind: str
    thing: int
    period: int
    value: float


def changes(plant: Plant, kind: str, count: int) -> list[Change]:
    """Return the first so many changes of a kind."""
    chance = np.random.default_rng(11)
    things = plant.machines if kind == "right side" else plant.products
    found = []
    for number in range(count):
        thing, period = int(chance.integers(things)), int(chance.integers(PERIODS))
        held = {"right side": plant.available_hours, "bound": plant.demand}.get(kind)
        now = float(plant.profit[thing]) if held is None else float(held[thing, period])
        found.append(Change(kind, thing, period, now * (1.1 if number % 2 else 0.9)))
    return found


# --- what-ifs -------------------------------------------------------------------------------


def what_ifs_by_hand(plant: Plant, kind: str, count: int = WHAT_IFS, *, run: bool = True) -> Leg:
    """Return warm re-solves with highspy, as short as they can be written."""
    highs = _solved_by_hand(plant)
    highs = highs if run else _WithoutRun(highs)
    hours, sell = plant.cells, plant.cells
    todo = changes(plant, kind, count)

    def turn() -> list[float]:
        found = []
        for change in todo:
            place = change.thing * PERIODS + change.period
            if kind == "right side":
                before = float(plant.available_hours[change.thing, change.period])
                highs.changeRowBounds(hours + place, -np.inf, change.value)
            elif kind == "bound":
                before = float(plant.demand[change.thing, change.period])
                highs.changeColBounds(sell + place, 0.0, change.value)
            else:
                before = float(plant.profit[change.thing])
                highs.changeColCost(sell + place, change.value)
            highs.run()
            found.append(highs.getInfo().objective_function_value)
            if kind == "right side":
                highs.changeRowBounds(hours + place, -np.inf, before)
            elif kind == "bound":
                highs.changeColBounds(sell + place, 0.0, before)
            else:
                highs.changeColCost(sell + place, before)
        return found

    return Leg(turn, {"what_ifs": count})


def what_ifs_by_lx(plant: Plant, kind: str, count: int = WHAT_IFS, *, run: bool = True) -> Leg:
    """Return the same with the analyzer."""
    analyzer = LXWhatIfAnalyzer(by_lx.model_of(by_lx.prepare(plant)), LXOptimizer().threads(1))
    analyzer.baseline  # noqa: B018
    todo = changes(plant, kind, count)
    expected = what_ifs_by_hand(plant, kind, count)() if run else None
    if not run:
        session = analyzer._live._session
        session._highs = _WithoutRun(session._highs)

    def turn() -> list[float]:
        found = []
        for change in todo:
            key = (
                ("Machine" if kind == "right side" else "Product") + f" {change.thing + 1}",
                f"Week {change.period + 1}",
            )
            if kind == "right side":
                result = analyzer.set_constraint_rhs("hours", to=change.value, key=key)
            elif kind == "bound":
                result = analyzer.set_variable_bounds("sell", upper=change.value, key=key)
            else:
                result = analyzer.set_cost("sell", to=change.value, key=key)
            found.append(result.new.objective_value)
        assert expected is None or np.allclose(found, expected, rtol=1e-6)
        return found

    return Leg(turn, {"what_ifs": count})


def what_ifs_by_pulp(plant: Plant, kind: str, count: int = 1) -> Leg:
    """Return the same with PuLP, which builds and solves again: with its defaults, and so few because it takes long."""
    rows = by_pulp.prepare(plant)
    expected = what_ifs_by_hand(plant, kind, count)()

    def turn() -> list[float]:
        found = []
        for change in changes(plant, kind, count):
            made = by_pulp.formulated(rows, change)
            made.solve(pulp.PULP_CBC_CMD(msg=False))
            found.append(pulp.value(made.objective))
        assert np.allclose(found, expected, rtol=1e-6)
        return found

    return Leg(turn, {"what_ifs": count})


class _WithoutRun:
    """A solved HiGHS that says that it is solved and does not solve again: what is left is the work around it."""

    def __init__(self, highs: Any) -> None:
        self._highs, self._status, self._info = highs, highs.getModelStatus(), highs.getInfo()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._highs, name)

    def run(self) -> None:
        """Do nothing."""

    def getModelStatus(self) -> Any:  # noqa: N802
        """Return how the first solve ended."""
        return self._status

    def getInfo(self) -> Any:  # noqa: N802
        """Return what the first solve found, read as often as it would be."""
        self._highs.getInfo()
        return self._info


# --- scenarios ------------------------------------------------------------------------------


Case = tuple[float, float, tuple[str, str], float]


def _cases(plant: Plant) -> list[Case]:
    """Return for each scenario a factor of all hours, the room for each stock, and one product's demand in a week."""
    chance = np.random.default_rng(11)
    return [
        (
            float(chance.uniform(0.8, 0.95)),
            float(chance.uniform(20, 45)),
            (f"Product {int(chance.integers(plant.products)) + 1}", f"Week {int(chance.integers(PERIODS)) + 1}"),
            float(chance.uniform(160, 200)),
        )
        for _ in range(SCENARIOS)
    ]


def scenarios_by_lx(plant: Plant) -> Leg:
    """Return scenarios on one compiled model, with HiGHS' `run` left out: what is left is the work around it."""
    analyzer = LXScenarioAnalyzer[Any](by_lx.model_of(by_lx.prepare(plant)), LXOptimizer().threads(1))
    analyzer.baseline  # noqa: B018
    cases = _cases(plant)
    session: Any = analyzer._live._session
    session._highs = _WithoutRun(session._highs)

    def turn() -> Any:
        for held in (analyzer.scenarios, analyzer._trials, analyzer._results):
            held.clear()  # as if nothing had been asked before
        for number, (factor, room, key, demand) in enumerate(cases):
            analyzer.add_scenario(
                LXScenario[Any](f"scenario {number}")
                .modify_constraint_rhs("hours", multiply=factor)
                .modify_variable_bound("stock", upper=room)
                .modify_variable_bound("sell", upper=demand, key=key)
            )
        return analyzer.run_all_scenarios(include_baseline=False)

    for case, solution in list(zip(cases, turn().values(), strict=True))[::10]:
        alone = compile_model(_changed(by_lx.model_of(by_lx.prepare(plant)), case))
        for part in ("cost", "lower", "upper", "row_lower", "row_upper", "starts", "columns", "values"):
            assert np.array_equal(getattr(solution.compiled, part), getattr(alone, part)), part
    return Leg(turn)


def builds_by_lx(plant: Plant) -> Leg:
    """Return the same scenarios as models of their own: written, changed, compiled and passed, not solved."""
    tables, cases = by_lx.prepare(plant), _cases(plant)

    def turn() -> None:
        for case in cases:
            new_highs(compile_model(_changed(by_lx.model_of(tables), case)), SolverOptions())

    return Leg(turn)


def _changed(model: LXModel, case: Case) -> LXModel:
    factor, room, key, demand = case
    model.get_constraint("hours").rhs_value *= factor
    model.get_variable("stock").set_bounds(upper=room)
    model.get_variable("sell").set_bounds(upper=demand, key=key)
    return model


# --- a plan from nothing --------------------------------------------------------------------


def _solved_by_hand(plant: Plant, solver: str = "ipx") -> Any:
    highs = by_hand.build(plant)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("solver", solver)
    highs.run()
    assert highs.getModelStatus() == type(highs.getModelStatus()).kOptimal
    highs.setOptionValue("solver", "simplex")  # from here on from the last basis
    return highs


def cold_by_lx(plant: Plant) -> Leg:
    """Return a turn from the data to the values with planning.lx."""
    tables = by_lx.prepare(plant)
    return Leg(lambda: LXOptimizer().threads(1).solve(by_lx.model_of(tables)).variables["make"].array)


def cold_by_hand(plant: Plant) -> Leg:
    """Return the same by hand, with the method that planning.lx chooses."""
    solver = "ipx" if plant.columns >= LARGE_LP_COLUMNS else "simplex"
    return Leg(lambda: np.array(_solved_by_hand(plant, solver).getSolution().col_value))


def cold_by_highs_defaults(plant: Plant) -> Leg:
    """Return the same by hand, with HiGHS' own choice of a method."""
    return Leg(lambda: np.array(_solved_by_hand(plant, "choose").getSolution().col_value))


def cold_by_pulp(plant: Plant) -> Leg:
    """Return the same with PuLP's defaults."""
    rows = by_pulp.prepare(plant)

    def turn() -> list[float]:
        made = by_pulp.formulated(rows)
        made.solve(pulp.PULP_CBC_CMD(msg=False))
        return [variable.varValue for variable in made.variables()]

    return Leg(turn)


def prepared(kind: str, size: int) -> Leg:
    """Return the leg of that name: `cold_by_lx`, or `what_ifs_by_lx/bound` and with `/without` for no solver."""
    plant = problem.plant(size)
    name, *rest = kind.split("/")
    make = globals()[name]
    if not rest:
        return make(plant)
    options = {"run": False} if "without" in rest else {}
    return make(plant, rest[0].replace("_", " "), **options)

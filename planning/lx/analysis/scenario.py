"""Scenarios: named lists of changes, all tried on one compiled model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from ..compile import CompiledModel
from ..errors import LXModelError
from ..index import EVERY
from ..model import LXModel
from ..optimizer import LXOptimizer
from ..signatures import T
from ..solution import LXSolution
from .changes import LXChange
from .live import LiveModel
from .results import difference, percentage, rank, sign_of
from .series import points
from .trial import Trial

BASELINE = "baseline"  # the model as it is, among scenarios


class LXScenario(Generic[T]):
    """A named list of changes that hold together; later ones see the earlier ones.

        crisis = (
            LXScenario("crisis")
            .modify_constraint_rhs("materials", percent=-20)
            .modify_cost("production", to=150, key="Desk")
            .describe("Wood is short, and desks sell badly")
        )

    Each change takes one of `by` (is added), `to` (the new number), `multiply` (a factor) and `percent` (of
    the number's size is added). `key` is the key or row of one member; without it the whole family changes.
    A scenario knows no model: names and keys are looked up by the analyzer that it is added to.
    """

    def __init__(self, name: str, changes: Iterable[LXChange] = (), description: str = "") -> None:
        self.name = name
        self.changes = list(changes)
        self.description = description

    def __repr__(self) -> str:
        return f"<LXScenario {self.name}: {len(self.changes)} changes>"

    def describe(self, description: str) -> LXScenario[T]:
        """Say in words what the scenario stands for."""
        self.description = description
        return self

    def add_change(self, *changes: LXChange) -> LXScenario[T]:
        """Add changes, such as `LXChange.relax("hours", percent=10)`."""
        self.changes.extend(changes)
        return self

    def modify_constraint_rhs(
        self,
        name: str,
        *,
        by: float | None = None,
        to: float | None = None,
        multiply: float | None = None,
        percent: float | None = None,
        key: Any = EVERY,
    ) -> LXScenario[T]:
        """Change the right side of a constraint, of the whole family or of one member."""
        return self.add_change(LXChange.rhs(name, by=by, to=to, multiply=multiply, percent=percent, key=key))

    def modify_variable_bound(
        self, name: str, *, lower: float | None = None, upper: float | None = None, key: Any = EVERY
    ) -> LXScenario[T]:
        """Set a bound of variables, or both; what is not given stays, infinite is no bound."""
        if lower is None and upper is None:
            raise LXModelError(f"{name}: say which bound, by lower= or upper=.")
        if lower is not None:
            self.add_change(LXChange.lower_bound(name, to=lower, key=key))
        if upper is not None:
            self.add_change(LXChange.upper_bound(name, to=upper, key=key))
        return self

    def modify_lower_bound(
        self,
        name: str,
        *,
        by: float | None = None,
        to: float | None = None,
        multiply: float | None = None,
        percent: float | None = None,
        key: Any = EVERY,
    ) -> LXScenario[T]:
        """Change the lower bound of variables."""
        return self.add_change(LXChange.lower_bound(name, by=by, to=to, multiply=multiply, percent=percent, key=key))

    def modify_upper_bound(
        self,
        name: str,
        *,
        by: float | None = None,
        to: float | None = None,
        multiply: float | None = None,
        percent: float | None = None,
        key: Any = EVERY,
    ) -> LXScenario[T]:
        """Change the upper bound of variables."""
        return self.add_change(LXChange.upper_bound(name, by=by, to=to, multiply=multiply, percent=percent, key=key))

    def modify_cost(
        self,
        name: str,
        *,
        by: float | None = None,
        to: float | None = None,
        multiply: float | None = None,
        percent: float | None = None,
        key: Any = EVERY,
    ) -> LXScenario[T]:
        """Change the objective's coefficient of variables."""
        return self.add_change(LXChange.cost(name, by=by, to=to, multiply=multiply, percent=percent, key=key))

    def modify_coefficient(
        self,
        name: str,
        variable: str,
        *,
        by: float | None = None,
        to: float | None = None,
        multiply: float | None = None,
        percent: float | None = None,
        key: Any = EVERY,
        variable_key: Any,
    ) -> LXScenario[T]:
        """Change the coefficient of one variable in one constraint; a single constraint needs no key."""
        step = {"by": by, "to": to, "multiply": multiply, "percent": percent}
        return self.add_change(LXChange.coefficient(name, variable, key=key, variable_key=variable_key, **step))


@dataclass(frozen=True)
class LXScenarioRow:
    """One line of a comparison. Differences to or from a case without a plan are nan."""

    name: str
    objective: float | None
    difference: float  # to the model as it is
    percentage: float  # of the size of its objective
    termination: str  # "optimal", "infeasible", ...
    description: str
    solution: LXSolution


class LXScenarioAnalyzer(Generic[T]):
    """Solves scenarios of a model, each from the model as it is, without touching it or its rows.

        analyzer = LXScenarioAnalyzer(model, optimizer).add_scenarios(crisis, boom)
        for row in analyzer.compare_scenarios():
            print(row.name, row.objective, row.difference, row.termination)

    The model is compiled and solved once; a scenario costs its re-solve, as a what-if does. Names, keys
    and numbers that make no sense, and changes that change nothing, raise LXModelError with the scenario's
    name when it is added or run, before anything is solved. "baseline" is the model as it is.
    """

    def __init__(
        self, model: LXModel, optimizer: LXOptimizer[Any] | None = None, *, include_baseline: bool = True
    ) -> None:
        self.model = model
        self.optimizer: LXOptimizer[Any] = optimizer or LXOptimizer()
        self.include_baseline = include_baseline
        self.scenarios: dict[str, LXScenario[T]] = {}
        self._live = LiveModel(model, self.optimizer)
        self._trials: dict[str, tuple[list[LXChange], Trial]] = {}
        self._results: dict[str, tuple[list[LXChange], LXSolution]] = {}

    @property
    def compiled(self) -> CompiledModel:
        """The compiled model that all scenarios start from."""
        return self._live.base.compiled

    @property
    def baseline(self) -> LXSolution:
        """The solution of the model as it is."""
        return self._live.baseline

    def add_scenario(self, scenario: LXScenario[T]) -> LXScenarioAnalyzer[T]:
        """Add a scenario. Raises LXModelError for a name that is taken, and for a change that makes no sense."""
        if scenario.name == BASELINE or scenario.name in self.scenarios:
            raise LXModelError(f"There is a scenario {scenario.name!r} already. Give another name.")
        self._trial(scenario)
        self.scenarios[scenario.name] = scenario
        return self

    def add_scenarios(self, *scenarios: LXScenario[T]) -> LXScenarioAnalyzer[T]:
        """Add several scenarios."""
        for scenario in scenarios:
            self.add_scenario(scenario)
        return self

    def run_scenario(self, name: str) -> LXSolution:
        """Solve a scenario and return its solution; infeasible is a result."""
        return self._run([name])[name]

    def run_all_scenarios(self, include_baseline: bool | None = None) -> dict[str, LXSolution]:
        """Solve all scenarios and return the solutions by name, in the order they were added, the baseline first."""
        return self._run(self._names(None, include_baseline))

    def get_result(self, name: str) -> LXSolution | None:
        """Return the solution of a scenario; None where it did not run, or was changed since."""
        if name == BASELINE:
            return self.baseline
        changes, solution = self._results.get(name, (None, None))
        return solution if changes == self._scenario(name).changes else None

    def compare_scenarios(
        self, names: Sequence[str] | None = None, *, include_baseline: bool | None = None
    ) -> list[LXScenarioRow]:
        """Return a row for each scenario, best first in the model's sense, those without a plan last.

        What did not run yet, or was changed since, is run.
        """
        solutions = self._solutions(self._names(names, include_baseline))
        rows = [
            LXScenarioRow(
                name=name,
                objective=solution.objective_value,
                difference=difference(self.baseline, solution),
                percentage=percentage(self.baseline, solution),
                termination=solution.termination,
                description="" if name == BASELINE else self._scenario(name).description,
                solution=solution,
            )
            for name, solution in solutions.items()
        ]
        sign = sign_of(self.baseline)
        return sorted(rows, key=lambda row: rank(row.solution, sign))

    def get_best_scenario(self, *, include_baseline: bool | None = None) -> str | None:
        """Return the name of the best scenario that has a plan, in the model's sense; None where none has.

        What did not run yet is run. Of several that are as good, the one added first.
        """
        solutions = self._solutions(self._names(None, include_baseline))
        with_plan = [name for name, solution in solutions.items() if solution.objective_value is not None]
        sign = sign_of(self.baseline)
        return min(with_plan, key=lambda name: rank(solutions[name], sign), default=None)

    def sensitivity_to_parameter(
        self,
        name: str,
        values: Iterable[float],
        *,
        of: str = "rhs",
        how: str = "multiply",
        key: Any = EVERY,
        scenario: str | None = None,
    ) -> dict[float, LXSolution]:
        """Return the solution for each value of a parameter: the right side, a bound or the cost of a family or member.

            analyzer.sensitivity_to_parameter("capacity", [0.8, 0.9, 1.0, 1.1, 1.2])

        `of` is "rhs", "lower", "upper" or "cost", `how` what a value does: "multiply", "to", "by" or
        "percent". With a `scenario` its changes hold too.
        """
        after = self._scenario(scenario).changes if scenario is not None else []
        found = points(self._live, name, values, of=of, how=how, key=key, after=after)
        return {point.value: point.solution for point in found}

    def _names(self, names: Sequence[str] | None, include_baseline: bool | None) -> list[str]:
        include = self.include_baseline if include_baseline is None else include_baseline
        listed = list(self.scenarios) if names is None else [name for name in names if name != BASELINE]
        return [BASELINE, *listed] if include or BASELINE in (names or ()) else listed

    def _solutions(self, names: Sequence[str]) -> dict[str, LXSolution]:
        """Return the solutions, of which those that are not there are run now."""
        self._run([name for name in names if self.get_result(name) is None])
        return {name: solution for name in names if (solution := self.get_result(name)) is not None}

    def _run(self, names: Sequence[str]) -> dict[str, LXSolution]:
        """Solve scenarios; all are looked at before the first one is solved."""
        trials = {name: self._trial(self._scenario(name)) for name in names if name != BASELINE}
        for name, trial in trials.items():
            self._results[name] = (list(self._scenario(name).changes), self._live.solve(trial))
        return {name: self.baseline if name == BASELINE else self._results[name][1] for name in names}

    def _scenario(self, name: str) -> LXScenario[T]:
        if name not in self.scenarios:
            known = ", ".join(self.scenarios) or "none"
            raise LXModelError(f"There is no scenario {name!r}. There are: {known}.")
        return self.scenarios[name]

    def _trial(self, scenario: LXScenario[T]) -> Trial:
        """Return what the scenario comes to, looked up again where it was changed since."""
        changes, trial = self._trials.get(scenario.name, (None, None))
        if trial is None or changes != scenario.changes:
            try:
                trial = Trial(self._live.base, scenario.changes)
            except LXModelError as error:
                raise LXModelError(f"Scenario {scenario.name}: {error}") from error
            self._trials[scenario.name] = (list(scenario.changes), trial)
        return trial

"""What-if: changes to a solved model, tried on the live solver and taken back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic

from ..compile import CompiledModel
from ..errors import LXModelError
from ..index import EVERY
from ..model import LXModel
from ..optimizer import LXOptimizer
from ..signatures import T
from ..solution import LXSolution
from . import changes as asked
from .bottlenecks import bottlenecks
from .changes import LXChange, change_from, change_of
from .live import LiveModel
from .results import LXBottleneck, LXPoint, LXWhatIfResult, rank, sign_of
from .series import evenly_spaced, points
from .trial import Trial


class LXWhatIfAnalyzer(Generic[T]):
    """Tries changes to a model, each from the model as it is, without touching it or its rows.

        analyzer = LXWhatIfAnalyzer(model, optimizer)
        analyzer.increase_constraint_rhs("capacity", by=100).delta_objective
        analyzer.increase_constraint_rhs("machine_hours", by=8, key=("Saw", "Week 1"))

    The model is compiled and solved once; a what-if costs its re-solve: warm by HiGHS for a linear model,
    in full for whole numbers and by other solvers. `by` and `to` are in the unit of what is changed;
    `percent` is one of the value's size, so that an increase always goes up. `key` is the key or row of
    one member; without it the whole family changes. Raises LXModelError for a name or key that is not
    there, a number that is none, a step from a bound that is not there, and a change that changes nothing.
    """

    def __init__(self, model: LXModel, optimizer: LXOptimizer[Any] | None = None) -> None:
        self.model = model
        self.optimizer: LXOptimizer[Any] = optimizer or LXOptimizer()
        self._live = LiveModel(model, self.optimizer)

    @property
    def compiled(self) -> CompiledModel:
        """The compiled model that all changes start from."""
        return self._live.base.compiled

    @property
    def baseline(self) -> LXSolution:
        """The solution of the model as it is."""
        return self._live.baseline

    # --- right sides ------------------------------------------------------------------------

    def increase_constraint_rhs(
        self,
        name: str,
        *,
        by: float | None = None,
        percent: float | None = None,
        to: float | None = None,
        key: Any = EVERY,
    ) -> LXWhatIfResult:
        """Raise the right side of a constraint, of the whole family or of one member (by key or row)."""
        return self._step(asked.RHS, name, asked.UP, key, by=by, percent=percent, to=to)

    def decrease_constraint_rhs(
        self,
        name: str,
        *,
        by: float | None = None,
        percent: float | None = None,
        to: float | None = None,
        key: Any = EVERY,
    ) -> LXWhatIfResult:
        """Lower the right side of a constraint, of the whole family or of one member."""
        return self._step(asked.RHS, name, asked.DOWN, key, by=by, percent=percent, to=to)

    def set_constraint_rhs(self, name: str, *, to: float, key: Any = EVERY) -> LXWhatIfResult:
        """Set the right side of a constraint, of the whole family or of one member."""
        return self.try_changes(LXChange.rhs(name, to=to, key=key))

    def relax_constraint(
        self, name: str, *, by: float | None = None, percent: float | None = None, key: Any = EVERY
    ) -> LXWhatIfResult:
        """Make a constraint looser: `<=` gets a higher right side, `>=` a lower one; `==` raises LXModelError."""
        return self.try_changes(LXChange.relax(name, by=by, percent=percent, key=key))

    def tighten_constraint(
        self, name: str, *, by: float | None = None, percent: float | None = None, key: Any = EVERY
    ) -> LXWhatIfResult:
        """Make a constraint tighter: `<=` gets a lower right side, `>=` a higher one; `==` raises LXModelError."""
        return self.try_changes(LXChange.tighten(name, by=by, percent=percent, key=key))

    # --- bounds -----------------------------------------------------------------------------

    def increase_variable_lower_bound(
        self,
        name: str,
        *,
        by: float | None = None,
        percent: float | None = None,
        to: float | None = None,
        key: Any = EVERY,
    ) -> LXWhatIfResult:
        """Raise the lower bound of variables."""
        return self._step(asked.LOWER, name, asked.UP, key, by=by, percent=percent, to=to)

    def decrease_variable_lower_bound(
        self,
        name: str,
        *,
        by: float | None = None,
        percent: float | None = None,
        to: float | None = None,
        key: Any = EVERY,
    ) -> LXWhatIfResult:
        """Lower the lower bound of variables; to=-inf takes it away."""
        return self._step(asked.LOWER, name, asked.DOWN, key, by=by, percent=percent, to=to)

    def increase_variable_upper_bound(
        self,
        name: str,
        *,
        by: float | None = None,
        percent: float | None = None,
        to: float | None = None,
        key: Any = EVERY,
    ) -> LXWhatIfResult:
        """Raise the upper bound of variables; to=inf takes it away."""
        return self._step(asked.UPPER, name, asked.UP, key, by=by, percent=percent, to=to)

    def decrease_variable_upper_bound(
        self,
        name: str,
        *,
        by: float | None = None,
        percent: float | None = None,
        to: float | None = None,
        key: Any = EVERY,
    ) -> LXWhatIfResult:
        """Lower the upper bound of variables."""
        return self._step(asked.UPPER, name, asked.DOWN, key, by=by, percent=percent, to=to)

    def set_variable_bounds(
        self, name: str, *, lower: float | None = None, upper: float | None = None, key: Any = EVERY
    ) -> LXWhatIfResult:
        """Set the lower or the upper bound of variables, or both; what is not given stays, infinite is no bound.

        Whole variables get the next whole number within. Raises LXModelError for a lower bound above the upper one.
        """
        sides = ((asked.LOWER, lower), (asked.UPPER, upper))
        changes = [change_of(side, name, {"to": to}, key=key) for side, to in sides if to is not None]
        if not changes:
            raise LXModelError(f"{name}: say which bound, by lower= or upper=.")
        trial = Trial(self._live.base, changes, may_stay=len(changes) > 1)
        if trial.is_base:
            raise LXModelError(f"{_described(changes)}: this changes nothing. Give another number, or another key.")
        return self._tried(changes, trial)

    # --- costs and coefficients -------------------------------------------------------------

    def increase_cost(
        self,
        name: str,
        *,
        by: float | None = None,
        percent: float | None = None,
        to: float | None = None,
        key: Any = EVERY,
    ) -> LXWhatIfResult:
        """Raise the objective's coefficient of variables."""
        return self._step(asked.COST, name, asked.UP, key, by=by, percent=percent, to=to)

    def decrease_cost(
        self,
        name: str,
        *,
        by: float | None = None,
        percent: float | None = None,
        to: float | None = None,
        key: Any = EVERY,
    ) -> LXWhatIfResult:
        """Lower the objective's coefficient of variables."""
        return self._step(asked.COST, name, asked.DOWN, key, by=by, percent=percent, to=to)

    def set_cost(self, name: str, *, to: float, key: Any = EVERY) -> LXWhatIfResult:
        """Set the objective's coefficient of variables."""
        return self.try_changes(LXChange.cost(name, to=to, key=key))

    def set_coefficient(
        self, name: str, variable: str, *, to: float, variable_key: Any, key: Any = EVERY
    ) -> LXWhatIfResult:
        """Set the coefficient of one variable in one constraint, each named by key or row.

        0 takes the variable out of the constraint. A single constraint needs no key.
        """
        return self.try_changes(LXChange.coefficient(name, variable, to=to, key=key, variable_key=variable_key))

    # --- several ----------------------------------------------------------------------------

    def try_changes(self, *changes: LXChange) -> LXWhatIfResult:
        """Try changes together, as one what-if; later ones see the earlier ones."""
        if not changes:
            raise LXModelError("No change is given, so nothing would change. Give at least one.")
        return self._tried(changes, Trial(self._live.base, changes))

    def compare_changes(self, changes: Iterable[LXChange | tuple[str, str, float]]) -> list[LXWhatIfResult]:
        """Try each change for itself and return the results, the best in the model's sense first.

            analyzer.compare_changes([LXChange.relax("hours", by=8), LXChange.cost("make", percent=5)])

        `("hours", "increase", 8)` is short for a change of a constraint's right side by so much; the words
        are increase, decrease, relax and tighten. Results without a plan come last. All changes are looked
        up before anything is solved.
        """
        listed = [change_from(given) for given in changes]
        trials = [Trial(self._live.base, [change]) for change in listed]
        results = [self._tried([change], trial) for change, trial in zip(listed, trials, strict=True)]
        sign = sign_of(self.baseline)
        return sorted(results, key=lambda result: rank(result.new, sign))

    def find_bottlenecks(self, *names: str, by: float = 1.0, top: int | None = None) -> list[LXBottleneck]:
        """Relax each constraint by itself and return those that bring something, what brings most first.

        Tried are the members of the families named, or all that are no `==`, each by `by` units of its
        right side; relief is what one of them brings. Of a linear model only rows with a dual other than 0
        are solved again: the others bring nothing. In models with whole numbers each row is a solve, and
        relief below the gap that was asked for says nothing. Raises LXModelError for a family of `==`,
        LXNotNowError where the model has no plan.
        """
        return bottlenecks(self._live, names, by)[:top]

    def sensitivity_range(
        self,
        name: str,
        min_value: float | None = None,
        max_value: float | None = None,
        num_points: int = 10,
        *,
        values: Iterable[float] | None = None,
        of: str = "rhs",
        key: Any = EVERY,
    ) -> list[LXPoint]:
        """Return the objective for a series of values: those given, or so many from the least to the largest.

            for boards, profit, solution in analyzer.sensitivity_range("materials", 300, 900, 7, key="Wood"):

        `of` is "rhs", "lower", "upper" or "cost". The objective is nan where there is no plan.
        """
        if (values is None) == (min_value is None or max_value is None):
            raise LXModelError(f"{name}: give either values=, or the least and the largest value.")
        if values is None:
            assert min_value is not None
            assert max_value is not None
            values = evenly_spaced(min_value, max_value, num_points)
        return points(self._live, name, values, of=of, how="to", key=key)

    def _step(self, what: str, name: str, way: str, key: Any, **step: float | None) -> LXWhatIfResult:
        return self.try_changes(change_of(what, name, step, way=way, key=key))

    def _tried(self, changes: Iterable[LXChange], trial: Trial) -> LXWhatIfResult:
        """Return what the changes bring; afterwards the live model is what it was."""
        new = self._live.solve(trial)
        return LXWhatIfResult(_described(changes), self.baseline, new, tuple(changes))


def _described(changes: Iterable[LXChange]) -> str:
    return "; ".join(map(str, changes))

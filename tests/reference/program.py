"""A small mixed-integer program over scipy: variables and rows by name, solved exactly where a big M is unknown."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import milp
from scipy.sparse import csr_matrix

Key = Hashable
Terms = Mapping[Key, float]
INF = math.inf


@dataclass
class Outcome:
    """What came of an optimisation: optimal with its value and plan, or infeasible, or unbounded."""

    status: str
    value: float | None = None
    plan: dict[Key, float] = field(default_factory=dict)


@dataclass
class Setup:
    """`made` is 0 or at least `least` while `switch` is 1, and 0 while it is 0."""

    switch: Key
    made: Key
    least: float


class Program:
    """Variables with bounds, rows between limits, setups. Nothing is scaled, presolved or clever."""

    def __init__(self) -> None:
        self.bounds: dict[Key, tuple[float, float]] = {}
        self.whole: set[Key] = set()
        self.rows: list[tuple[dict[Key, float], float, float]] = []
        self.setups: list[Setup] = []
        self.upper_of_made: dict[Key, float] | None = None

    def variable(self, key: Key, low: float = 0.0, high: float | None = None, *, whole: bool = False) -> None:
        self.bounds[key] = (low, INF if high is None else high)
        if whole:
            self.whole.add(key)

    def row(self, terms: Terms, low: float = -INF, high: float = INF) -> None:
        self.rows.append((dict(terms), low, high))

    def setup(self, switch: Key, made: Key, least: float) -> None:
        """Add the decision `switch`, without which `made` is 0."""
        self.variable(switch, 0.0, 1.0, whole=True)
        self.setups.append(Setup(switch, made, least))

    def hold_whole(self, values: Terms) -> None:
        """Hold every whole decision at its value: what is left is linear, and no big M is in it."""
        for setup in self.setups:
            if values[setup.switch]:
                self.row({setup.made: 1.0}, setup.least, INF)
            elif setup.made not in self.whole:
                self.bounds[setup.made] = (0.0, 0.0)
        for key in self.whole:
            self.bounds[key] = (values[key], values[key])
        self.whole, self.setups = set(), []

    # --- solving ----------------------------------------------------------------------------

    def maximise(self, objective: Terms) -> Outcome:
        """Return the best plan over every pattern of those setups whose quantity has no limit."""
        bounded = self.limits_of_made()
        free = [setup for setup in self.setups if math.isinf(bounded[setup.made])]
        if len(free) > 10:
            raise ValueError(f"{len(free)} setups without a limit: too many patterns to try each of them.")
        outcomes = [self.maximise_pattern(objective, pattern) for pattern in patterns(free)]
        feasible = [outcome for outcome in outcomes if outcome.status != "infeasible"]
        if not feasible:
            return Outcome("infeasible")
        if any(outcome.status == "unbounded" for outcome in feasible):
            return Outcome("unbounded")
        return max(feasible, key=lambda outcome: outcome.value or 0.0)

    def limits_of_made(self) -> dict[Key, float]:
        """Return the largest quantity that the rows alone allow of each made thing with a setup."""
        if self.upper_of_made is None:
            self.upper_of_made = {}
            relaxed = Relaxed(self)
            for setup in self.setups:
                self.upper_of_made[setup.made] = relaxed.most(setup.made)
        return self.upper_of_made

    def maximise_pattern(self, objective: Terms, pattern: dict[Key, int]) -> Outcome:
        """Return the best plan with the switches of `pattern` held."""
        bounds, rows = self.with_setups(pattern)
        if solve(bounds, rows, self.whole, {}).status == "infeasible":
            return Outcome("infeasible")
        if self.has_improving_ray(objective, bounds, rows):
            return Outcome("unbounded")
        first = solve(bounds, rows, self.whole, objective)
        if first.status != "optimal":
            return Outcome("infeasible")
        return self.without_leaks(objective, bounds, rows, first)

    def with_setups(self, pattern: dict[Key, int]) -> tuple[dict[Key, tuple[float, float]], list]:
        """Return bounds and rows with made <= M * switch, made >= least * switch, and the held switches."""
        bounds, rows = dict(self.bounds), list(self.rows)
        limits = self.limits_of_made()
        for setup in self.setups:
            rows.append(({setup.made: 1.0, setup.switch: -setup.least}, 0.0, INF))
            if setup.switch in pattern:
                bounds[setup.switch] = (pattern[setup.switch], pattern[setup.switch])
                if pattern[setup.switch] == 0:
                    bounds[setup.made] = (0.0, 0.0)
            else:
                rows.append(({setup.made: 1.0, setup.switch: -limits[setup.made]}, -INF, 0.0))
        return bounds, rows

    def has_improving_ray(self, objective: Terms, bounds: dict, rows: list) -> bool:
        """Whether a direction exists in which a feasible plan gets better for ever."""
        directions = {
            key: (0.0 if math.isfinite(low) else -1.0, 0.0 if math.isfinite(high) else 1.0)
            for key, (low, high) in bounds.items()
        }
        cone = [
            (terms, 0.0 if math.isfinite(low) else -INF, 0.0 if math.isfinite(high) else INF)
            for terms, low, high in rows
        ]
        outcome = solve(directions, cone, set(), objective)
        return bool(outcome.value is not None and outcome.value > 1e-7)

    def without_leaks(self, objective: Terms, bounds: dict, rows: list, first: Outcome) -> Outcome:
        """Return the plan with its whole decisions rounded and held, so that nothing leaks past a setup."""
        if not self.whole:
            return first
        held = dict(bounds)
        for key in self.whole:
            value = round(first.plan[key])
            held[key] = (value, value)
        for setup in self.setups:
            if held[setup.switch] == (0, 0):
                low, high = held[setup.made]
                held[setup.made] = (low, min(high, 0.0))
        return solve(held, rows, set(), objective)


class Relaxed:
    """The rows without setups and without whole numbers: what they allow, the plan allows at most."""

    def __init__(self, program: Program) -> None:
        self.bounds, self.rows = program.bounds, program.rows

    def most(self, key: Key) -> float:
        outcome = solve(self.bounds, self.rows, set(), {key: 1.0})
        if outcome.status == "optimal":
            return outcome.value or 0.0
        return 0.0 if outcome.status == "infeasible" else INF


def patterns(setups: list[Setup]) -> Iterator[dict[Key, int]]:
    """Yield every way to switch the setups on and off."""
    for switches in itertools.product((0, 1), repeat=len(setups)):
        yield {setup.switch: on for setup, on in zip(setups, switches, strict=True)}


def solve(bounds: dict[Key, tuple[float, float]], rows: list, whole: set[Key], objective: Terms) -> Outcome:
    """Maximise `objective` with scipy's HiGHS.

    With whole numbers, its presolve calls a program infeasible at times whose rows leave less room than its
    tolerance (a level held at its least value): what it calls infeasible is tried again without.
    """
    outcome = solve_once(bounds, rows, whole, objective, presolve=True)
    if outcome.status == "infeasible" and whole:
        outcome = solve_once(bounds, rows, whole, objective, presolve=False)
    return outcome


def solve_once(
    bounds: dict[Key, tuple[float, float]], rows: list, whole: set[Key], objective: Terms, *, presolve: bool
) -> Outcome:
    keys = list(bounds)
    position = {key: index for index, key in enumerate(keys)}
    costs = np.zeros(len(keys))
    for key, coefficient in objective.items():
        costs[position[key]] -= coefficient
    entries = [
        (number, position[key], coefficient)
        for number, (terms, _, _) in enumerate(rows)
        for key, coefficient in terms.items()
    ]
    row_of, column_of, value = zip(*entries, strict=True) if entries else ((), (), ())
    matrix = csr_matrix((np.array(value, float), (row_of, column_of)), shape=(len(rows), len(keys)))
    result = milp(
        costs,
        integrality=np.array([1 if key in whole else 0 for key in keys]),
        bounds=(np.array([bounds[key][0] for key in keys]), np.array([bounds[key][1] for key in keys])),
        constraints=(matrix, np.array([row[1] for row in rows]), np.array([row[2] for row in rows])) if rows else (),
        options={"mip_rel_gap": 1e-9, "time_limit": 120.0, "presolve": presolve},
    )
    if result.status == 0:
        plan = {key: float(number) for key, number in zip(keys, result.x, strict=True)}
        return Outcome("optimal", -float(result.fun), plan)
    if result.status == 2:
        return Outcome("infeasible")
    if result.status in (3, 4):
        return Outcome("unbounded")
    raise RuntimeError(f"scipy's HiGHS: {result.message}")

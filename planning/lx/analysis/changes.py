"""Changes to a model's numbers, as they are asked for: what of which family, by how much, of whom."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from ..errors import LXModelError
from ..index import EVERY, named

RHS, LOWER, UPPER = "right side", "lower bound", "upper bound"
COST, COEFFICIENT = "cost", "coefficient"
UP, DOWN, LOOSER, TIGHTER = "up", "down", "looser", "tighter"
NUMBERS = {"rhs": RHS, "lower": LOWER, "upper": UPPER, "cost": COST}  # what a series may go over
_AGAINST = {UP: "decrease", DOWN: "increase", LOOSER: "tighten", TIGHTER: "relax"}


@dataclass(frozen=True)
class LXChange:
    """One change to a model's numbers. It knows no model: the analyzers that take it look names and keys up.

        LXChange.rhs("machine_hours", by=8, key=("Saw", "Week 1"))
        LXChange.relax("materials", percent=10)

    Give one of `to` (the new number), `by` (is added), `percent` (of the number's size is added: 10 makes
    -100 to -90) and `multiply` (a factor). `key` is the key or row of one member; without it the whole family
    changes. Raises LXModelError for a number that is none.
    """

    what: str  # "right side", "lower bound", "upper bound", "cost" or "coefficient"
    name: str  # of the family of constraints or variables
    how: str  # "to", "by", "percent" or "multiply"
    amount: float
    way: str = ""  # "up", "down", "looser" or "tighter"; empty where the amount's sign says it
    keys: tuple[Any, ...] = ()  # the member's key or row; empty for the whole family
    variable: str = ""  # of a coefficient
    variable_keys: tuple[Any, ...] = ()  # of a coefficient

    def __post_init__(self) -> None:
        amount, said = self.amount, f"{self.name}: {self.how}={self.amount!r}"
        if not isinstance(amount, Real) or isinstance(amount, bool) or math.isnan(amount):
            raise LXModelError(f"{said} is no number.")
        is_no_bound = amount == {LOWER: -math.inf, UPPER: math.inf}.get(self.what) and self.how == "to"
        if math.isinf(amount) and not is_no_bound:
            raise LXModelError(f"{said} is infinite. Give a finite number for the {self.what}.")
        if self.way and self.how != "to" and amount < 0:
            raise LXModelError(f"{said} goes the other way. Give a number above 0, or {_AGAINST[self.way]} instead.")

    def __str__(self) -> str:
        of = f" of {_member(self.variable, self.variable_keys)}" if self.variable else ""
        return f"{_member(self.name, self.keys)}: {self.what}{of} {self._step}"

    @property
    def _step(self) -> str:
        amount = f"{abs(self.amount) if self.how in ('by', 'percent') else self.amount:.12g}"
        if self.how == "to":
            return amount
        if self.how == "multiply":
            return f"times {amount}"
        amount = f"{amount} %" if self.how == "percent" else amount
        if self.way in (LOOSER, TIGHTER):
            return f"{self.way} by {amount}"
        return f"minus {amount}" if self.way == DOWN or self.amount < 0 else f"plus {amount}"

    @classmethod
    def rhs(
        cls,
        name: str,
        *,
        by: float | None = None,
        to: float | None = None,
        multiply: float | None = None,
        percent: float | None = None,
        key: Any = EVERY,
    ) -> LXChange:
        """Change the right side of a constraint."""
        return change_of(RHS, name, {"by": by, "to": to, "multiply": multiply, "percent": percent}, key=key)

    @classmethod
    def relax(cls, name: str, *, by: float | None = None, percent: float | None = None, key: Any = EVERY) -> LXChange:
        """Make a constraint looser: `<=` gets a higher right side, `>=` a lower one; `==` has no looser side."""
        return change_of(RHS, name, {"by": by, "percent": percent}, way=LOOSER, key=key)

    @classmethod
    def tighten(cls, name: str, *, by: float | None = None, percent: float | None = None, key: Any = EVERY) -> LXChange:
        """Make a constraint tighter: `<=` gets a lower right side, `>=` a higher one; `==` has no tighter side."""
        return change_of(RHS, name, {"by": by, "percent": percent}, way=TIGHTER, key=key)

    @classmethod
    def lower_bound(
        cls,
        name: str,
        *,
        by: float | None = None,
        to: float | None = None,
        multiply: float | None = None,
        percent: float | None = None,
        key: Any = EVERY,
    ) -> LXChange:
        """Change the lower bound of variables; to=-inf takes it away. Whole variables get the next whole number."""
        return change_of(LOWER, name, {"by": by, "to": to, "multiply": multiply, "percent": percent}, key=key)

    @classmethod
    def upper_bound(
        cls,
        name: str,
        *,
        by: float | None = None,
        to: float | None = None,
        multiply: float | None = None,
        percent: float | None = None,
        key: Any = EVERY,
    ) -> LXChange:
        """Change the upper bound of variables; to=inf takes it away. Whole variables get the next whole number."""
        return change_of(UPPER, name, {"by": by, "to": to, "multiply": multiply, "percent": percent}, key=key)

    @classmethod
    def cost(
        cls,
        name: str,
        *,
        by: float | None = None,
        to: float | None = None,
        multiply: float | None = None,
        percent: float | None = None,
        key: Any = EVERY,
    ) -> LXChange:
        """Change the objective's coefficient of variables."""
        return change_of(COST, name, {"by": by, "to": to, "multiply": multiply, "percent": percent}, key=key)

    @classmethod
    def coefficient(
        cls,
        name: str,
        variable: str,
        *,
        by: float | None = None,
        to: float | None = None,
        multiply: float | None = None,
        percent: float | None = None,
        key: Any = EVERY,
        variable_key: Any,
    ) -> LXChange:
        """Change the coefficient of one variable in one constraint; a single constraint needs no key."""
        step = {"by": by, "to": to, "multiply": multiply, "percent": percent}
        return change_of(COEFFICIENT, name, step, key=key, variable=variable, variable_key=variable_key)


def change_of(
    what: str,
    name: str,
    step: Mapping[str, float | None],
    *,
    way: str = "",
    key: Any = EVERY,
    variable: str = "",
    variable_key: Any = EVERY,
) -> LXChange:
    """Return the change; `step` has one of by, to, multiply and percent. Raises LXModelError for none or several."""
    given = [(how, amount) for how, amount in step.items() if amount is not None]
    if len(given) != 1:
        ways = [f"{how}=" for how in step]
        raise LXModelError(f"{name}: say how much the {what} changes, by one of {', '.join(ways)}.")
    how, amount = given[0]
    return LXChange(what, name, how, amount, way, _of(key), variable, _of(variable_key))


def change_from(given: LXChange | tuple[str, str, float]) -> LXChange:
    """Return the change that is given as one, or in short: a constraint, "increase", and by how much."""
    if isinstance(given, LXChange):
        return given
    ways = {"increase": UP, "decrease": DOWN, "relax": LOOSER, "tighten": TIGHTER}
    if not isinstance(given, tuple) or len(given) != 3 or given[1] not in ways:
        raise LXModelError(
            f"{given!r} is no change. Give an LXChange, or (constraint, word, by) with one of the words "
            f"{', '.join(ways)}."
        )
    name, word, by = given
    return change_of(RHS, name, {"by": by}, way=ways[word])


def _of(key: Any) -> tuple[Any, ...]:
    return () if key is EVERY else (key,)


def _member(name: str, keys: tuple[Any, ...]) -> str:
    return named(name, keys[0]) if keys else name

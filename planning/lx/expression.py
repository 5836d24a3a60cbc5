"""Linear expressions: sums of terms, each a family of variables with a coefficient per row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np

from .adopt import adopt_functions
from .closures import copied_object
from .columns import Floats
from .errors import LXModelError
from .evaluate import numbers
from .records import LXRecord, LXRows, LXTable, RowFunction
from .signatures import Number, NumberOfSeveral, OfSeveral, R, Source, T, V
from .terms import FUNCTIONS_OF_TERMS, Entries, LXTerm
from .variable import LXVariable


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


@dataclass
class Multiple:
    """A function of the constraint's row, times a number."""

    function: RowFunction
    factor: float


def _multiple(value: Constant, factor: float) -> Constant:
    return Multiple(value.function, value.factor * factor) if isinstance(value, Multiple) else value * factor


Constant = Multiple | Floats | float


class LXLinearExpression:
    """A sum of terms and a constant. Repeated terms add up.

    Expressions are added, subtracted and multiplied by numbers: `2 * a - b + 3`, `sum(parts)`. Each
    gives a new expression, whose terms take the variables that they took before.
    """

    __array_ufunc__ = None  # a number of numpy on the left leaves the multiplication to the expression

    def __init__(self) -> None:
        self.terms: list[LXTerm] = []
        self.constants: list[Constant] = []

    def __deepcopy__(self, memo: dict[Any, Any]) -> LXLinearExpression:
        made: LXLinearExpression = copied_object(self, memo)
        return made

    def __repr__(self) -> str:
        return f"<LXLinearExpression of {len(self.terms)} terms>"

    def __add__(self, other: LXLinearExpression | float) -> LXLinearExpression:
        return self._plus(other, 1.0)

    def __radd__(self, other: float) -> LXLinearExpression:
        return self._plus(other, 1.0)

    def __sub__(self, other: LXLinearExpression | float) -> LXLinearExpression:
        return self._plus(other, -1.0)

    def __rsub__(self, other: float) -> LXLinearExpression:
        return (-self)._plus(other, 1.0)

    def __neg__(self) -> LXLinearExpression:
        return self._times(-1.0)

    def __mul__(self, factor: float) -> LXLinearExpression:
        if not _is_number(factor):
            raise TypeError(f"{self!r} can't be multiplied by {factor!r}. Multiply it by a number.")
        return self._times(float(factor))

    __rmul__ = __mul__

    def _plus(self, other: LXLinearExpression | float, sign: float) -> LXLinearExpression:
        """Return the sum with an expression or number."""
        if not isinstance(other, LXLinearExpression):
            if not _is_number(other):
                raise TypeError(f"{other!r} can't be added to {self!r}. Add an expression or a number.")
            other = LXLinearExpression().add_constant(float(other))
        made, added = self._times(1.0), other._times(sign)
        made.terms += added.terms
        made.constants += added.constants
        return made

    def _times(self, factor: float) -> LXLinearExpression:
        """Return a new expression, `factor` times this one."""
        if not math.isfinite(factor):
            raise LXModelError(f"{self!r} can't be multiplied by {factor}. Give a finite number.")
        made = LXLinearExpression()
        made.terms = [replace(term, factor=term.factor * factor) for term in self.terms]
        made.constants = [_multiple(value, factor) for value in self.constants]
        return made

    @overload
    def add_term(self, variable: LXVariable[T, V], coeff: Number[T] = 1.0) -> LXLinearExpression: ...
    @overload
    def add_term(self, variable: LXVariable[T, V], coeff: OfSeveral[float]) -> LXLinearExpression: ...
    @overload
    def add_term(
        self,
        variable: LXVariable[T, V],
        coeff: Callable[..., float] | float = 1.0,
        *,
        at: Callable[..., Any],
        skip_missing: bool = False,
    ) -> LXLinearExpression: ...
    def add_term(
        self,
        variable: LXVariable[Any, Any],
        coeff: RowFunction | float = 1.0,
        *,
        at: RowFunction | None = None,
        skip_missing: bool = False,
    ) -> LXLinearExpression:
        """Add `coeff * variable`; `coeff` is in units of the sum per unit of the variable.

        In a family of constraints `at` gives, for a constraint's row, the row or key of the variable,
        and `coeff` is a function of the constraint's row. In a single constraint or the objective
        the term is the sum over the family, and `coeff` is a function of the variable's row.
        """
        self.terms.append(LXTerm(variable, coeff, at=at, skip_missing=skip_missing))
        return self

    @overload
    def add_multi_term(
        self, variable: LXVariable[T, V], coeff: Number[T] = 1.0, *, where: Callable[[T], bool] | None = None
    ) -> LXLinearExpression: ...
    @overload
    def add_multi_term(
        self, variable: LXVariable[T, V], coeff: NumberOfSeveral = 1.0, *, where: OfSeveral[bool] | None = None
    ) -> LXLinearExpression: ...
    @overload
    def add_multi_term(
        self, variable: LXVariable[T, V], coeff: OfSeveral[float], *, where: Callable[[T], bool]
    ) -> LXLinearExpression: ...
    @overload
    def add_multi_term(
        self, variable: LXVariable[T, V], coeff: Callable[[T], float], *, where: OfSeveral[bool]
    ) -> LXLinearExpression: ...
    def add_multi_term(
        self, variable: LXVariable[Any, Any], coeff: RowFunction | float = 1.0, *, where: RowFunction | None = None
    ) -> LXLinearExpression:
        """Add the sum of `coeff * variable` over the whole family, or over the rows for which `where` is true.

        `coeff` and `where` are functions of the variable's row, or of a row of each of its dimensions.
        In a family of constraints every constraint gets this sum.
        """
        self.terms.append(LXTerm(variable, coeff, where=where, every=True))
        return self

    @overload
    def add_join(
        self,
        variable: LXVariable[T, V],
        coeff: Callable[[T], float] | float = 1.0,
        *,
        over: None = None,
        variable_key: Callable[[T], Any] | None = None,
        row_key: Callable[[T], Any] | None = None,
        where: Callable[[T], bool] | None = None,
        skip_missing: bool = False,
    ) -> LXLinearExpression: ...
    @overload
    def add_join(
        self,
        variable: LXVariable[T, V],
        coeff: Callable[[R], float] | float = 1.0,
        *,
        over: Source[R],
        variable_key: Callable[[R], Any] | None = None,
        row_key: Callable[[R], Any] | None = None,
        where: Callable[[R], bool] | None = None,
        skip_missing: bool = False,
    ) -> LXLinearExpression: ...
    @overload
    def add_join(
        self,
        variable: LXVariable[T, V],
        coeff: Callable[[LXRecord], float] | float = 1.0,
        *,
        over: LXTable,
        variable_key: Callable[[LXRecord], Any] | None = None,
        row_key: Callable[[LXRecord], Any] | None = None,
        where: Callable[[LXRecord], bool] | None = None,
        skip_missing: bool = False,
    ) -> LXLinearExpression: ...
    @overload
    def add_join(
        self,
        variable: LXVariable[T, V],
        coeff: OfSeveral[float] | float = 1.0,
        *,
        over: Any = None,
        variable_key: OfSeveral[Any] | None = None,
        row_key: OfSeveral[Any] | None = None,
        where: OfSeveral[bool] | None = None,
        skip_missing: bool = False,
    ) -> LXLinearExpression: ...
    def add_join(
        self,
        variable: LXVariable[Any, Any],
        coeff: RowFunction | float = 1.0,
        *,
        over: Any = None,
        variable_key: RowFunction | None = None,
        row_key: RowFunction | None = None,
        where: RowFunction | None = None,
        skip_missing: bool = False,
    ) -> LXLinearExpression:
        """Add a sparse join: for each row of `over`, `coeff * variable[variable_key]` in the constraint `row_key`.

        `over` defaults to the variable's own rows and `variable_key` to the row itself. `coeff`,
        `variable_key`, `row_key` and `where` are functions of a row of `over`; the keys may be
        rows or keys. Rows that name the same place add up. Without `row_key` it is a sum for a single
        constraint or the objective. Keys that match nothing raise LXModelError unless `skip_missing`.
        """
        rows = list(over) if isinstance(over, Iterator) else over
        self.terms.append(
            LXTerm(
                variable,
                coeff,
                over=rows,
                variable_key=variable_key,
                row_key=row_key,
                where=where,
                skip_missing=skip_missing,
            )
        )
        return self

    def add_constant(self, value: Callable[..., float] | float) -> LXLinearExpression:
        """Add a constant, or a function of the constraint's row."""
        self.constants.append(Multiple(value, 1.0) if callable(value) else value)
        return self

    def with_coefficient(
        self, variable: LXVariable[Any, Any], row: int, column: int, value: float
    ) -> LXLinearExpression:
        """Return the expression with this coefficient in one place, whatever its terms give there."""
        if not _is_number(value) or not math.isfinite(value):
            raise LXModelError(f"A coefficient of {variable.name} can't be {value!r}. Give a finite number.")
        made = self._times(1.0)
        for term in made.terms:
            if term.variable is variable and (row, column) not in term.left_out:
                term.left_out = (*term.left_out, (row, column))
        entries = [term.entries("", None, None) for term in made.terms if term.variable is variable and term.is_set]
        if value:
            entries.append(Entries(np.array([row]), np.array([column]), np.array([float(value)])))
        made.terms = [term for term in made.terms if not (term.variable is variable and term.is_set)]
        if entries:
            parts = ([getattr(found, part) for found in entries] for part in ("rows", "columns", "coefficients"))
            made.terms.append(LXTerm(variable, 0.0, frozen=Entries(*map(np.concatenate, parts)), is_set=True))
        return made

    def materialize(self, path: str, memo: dict[Any, Any]) -> None:
        """Detach the rows that the terms go over, and the functions; done by the model that takes the expression."""
        places: list[tuple[str, Any, str]] = []
        for number, term in enumerate(self.terms, start=1):
            term.materialize(f"{path} › term {number}", memo)
            places += [(f"{path} › term {number}{part}", term, name) for name, part in FUNCTIONS_OF_TERMS.items()]
        for number, constant in enumerate(self.constants, start=1):
            if isinstance(constant, Multiple):
                places.append((f"{path} › constant {number}", constant, "function"))
        adopt_functions(places, memo)

    def constant(self, owner: str, rows: LXRows | list[Any] | None) -> Floats:
        """Return the sum of the constants for each constraint."""
        total = np.zeros(1 if rows is None else len(rows))
        for given in self.constants:
            value, factor = (given.function, given.factor) if isinstance(given, Multiple) else (given, 1.0)
            if isinstance(value, np.ndarray):
                total = total + value
            elif rows is None and callable(value):
                raise LXModelError(f"{owner} is a single row: its constant must be a number.")
            else:
                found = numbers(value, rows if rows is not None else [None], what=f"The constant of {owner}")
                total = total + found * factor
        return total

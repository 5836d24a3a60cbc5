"""Linear expressions: sums of terms, each a family of variables with a coefficient per row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from .adopt import adopt_functions, adopt_rows
from .closures import copied_object, rows_for_copy
from .columns import Booleans, Floats, Positions
from .errors import LXModelError
from .evaluate import Computed, keys, mask, numbers
from .index import LXIndex
from .records import MISSING, LXRecord, LXRows, LXTable, RowFunction
from .signatures import Number, NumberOfSeveral, OfSeveral, R, Source, T, V
from .variable import LXVariable

Places = npt.NDArray[np.signedinteger[Any]]  # positions of any width: arithmetic on them names the type of its result


@dataclass
class Entries:
    """Sparse entries of one term: `coefficients[i]` stands in row `rows[i]`, variable `columns[i]` of its family."""

    rows: Places
    columns: Places
    coefficients: Floats


@dataclass
class Placement:
    """Where a term stands, entry by entry, and the row that each coefficient is a function of."""

    rows: Places
    columns: Places
    over: LXRows | list[Any]


@dataclass(repr=False)
class LXTerm:
    """One term. In a family of constraints it always says which variables each constraint takes.

    - `at`: one variable per constraint: the key or row that `at` gives for the constraint's row;
    - `over` or `row_key`: a sparse join: one entry per row of `over`, in the constraint `row_key`
      names, on the variable `variable_key` names;
    - neither: every variable of the family, in a single constraint or the objective.
    """

    variable: LXVariable[Any, Any]
    coefficient: RowFunction | Computed | float
    at: RowFunction | None = None
    over: Any = None  # LXRows or a list once the term is materialized
    variable_key: RowFunction | None = None
    row_key: RowFunction | None = None
    where: RowFunction | None = None
    every: bool = False
    skip_missing: bool = False
    factor: float = 1.0  # of the whole term: what the expression was multiplied by
    placed: Placement | None = None  # of a term that was read from a copy
    frozen: Entries | None = None  # of a term of a copy whose coefficients are values

    def __deepcopy__(self, memo: dict[Any, Any]) -> LXTerm:
        if self.over is None or isinstance(self.over, LXRows):
            return copied_object(self, memo)  # type: ignore[no-any-return]
        rows, own = rows_for_copy(self.over, memo)
        if own:
            return copied_object(self, memo, over=rows)  # type: ignore[no-any-return]
        return copied_object(replace(self, over=rows), memo)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<Term of {self.variable.name}>"

    def entries(self, owner: str, rows: LXRows | list[Any] | None, index: LXIndex | None) -> Entries:
        """Return the sparse entries of the term in the constraint family `owner` with `rows`.

        `rows` is None for a single constraint and for the objective.
        """
        if self.frozen is not None:
            held = self.frozen
            return held if self.factor == 1.0 else replace(held, coefficients=held.coefficients * self.factor)
        return self.entries_at(self.placement(owner, rows, index), owner)

    def entries_at(self, place: Placement, owner: str) -> Entries:
        """Return the sparse entries of the term where it stands."""
        coefficients = numbers(self.coefficient, place.over, what=f"The coefficient of {self.variable.name} in {owner}")
        if self.factor != 1.0:
            coefficients = coefficients * self.factor
        keep = coefficients != 0.0
        if keep.all():
            return Entries(place.rows, place.columns, coefficients)
        return Entries(place.rows[keep], place.columns[keep], coefficients[keep])

    def placement(self, owner: str, rows: LXRows | list[Any] | None, index: LXIndex | None) -> Placement:
        """Return where the term stands in the constraint family `owner` with `rows`."""
        if self.placed is not None:
            return self.placed
        if self.at is not None:
            return self._one_each(owner, rows)
        if not (self.over is self.row_key is self.variable_key is None):
            return self._join(owner, rows, index)
        return self._all(owner, rows)

    def materialize(self, path: str, memo: dict[Any, Any]) -> None:
        """Detach the rows that the term goes over."""
        if self.over is not None and not isinstance(self.over, LXRows):
            self.over = adopt_rows(path, self.over, memo)

    def _one_each(self, owner: str, rows: LXRows | list[Any] | None) -> Placement:
        if rows is None:
            raise LXModelError(f"{owner} is a single row: a term of {self.variable.name} can't use `at` there.")
        assert self.at is not None
        columns = self.variable.index.find_all(self.at, rows)
        positions = np.arange(len(rows), dtype=np.int64)
        kept = self._present(columns, rows, owner, self.variable.name, self.at)
        chosen = rows if kept is None else _take(rows, kept)
        if kept is not None:
            positions, columns = positions[kept], columns[kept]
        return Placement(positions, columns, chosen)

    def _join(self, owner: str, rows: LXRows | list[Any] | None, index: LXIndex | None) -> Placement:
        self.materialize(f"{owner} › term of {self.variable.name}", {})
        over = self.variable.rows if self.over is None else self.over
        columns: Positions = np.arange(len(over), dtype=np.int64)
        if self.where is not None:
            kept = mask(self.where, over, what=f"The condition on {self.variable.name} in {owner}")
            over, columns = _take(over, kept), columns[kept]
        if self.variable_key is not None:
            columns = self.variable.index.find_all(self.variable_key, over)
        elif self.over is not None:
            columns = self.variable.index.find_all(_itself, over)
        if (rows is None) != (self.row_key is None):
            raise LXModelError(
                f"A join of {self.variable.name} in {owner} "
                + ("needs a row_key: which constraint takes a row." if rows is not None else "is single: drop row_key.")
            )
        if self.row_key is not None and index is not None:
            positions = index.find_all(self.row_key, over)
        else:
            positions = np.zeros(len(over), dtype=np.int64)
        self._present(columns, over, owner, self.variable.name, self.variable_key)
        self._present(positions, over, owner, owner, self.row_key)
        kept = (columns != MISSING) & (positions != MISSING)
        if not kept.all():
            over, columns, positions = _take(over, kept), columns[kept], positions[kept]
        return Placement(positions, columns, over)

    def _all(self, owner: str, rows: LXRows | list[Any] | None) -> Placement:
        if rows is not None and not self.every:
            raise LXModelError(
                f"The term of {self.variable.name} in the family {owner} does not say which variables a constraint "
                "takes. Give `at=` for one each, use add_join for a sum, or add_multi_term for all of them."
            )
        over = self.variable.rows
        columns = np.arange(len(over), dtype=np.int64)
        if self.where is not None:
            kept = mask(self.where, over, what=f"The condition on {self.variable.name} in {owner}")
            over, columns = _take(over, kept), columns[kept]
        repeat = 1 if rows is None else len(rows)
        return Placement(
            np.repeat(np.arange(repeat, dtype=np.int64), len(columns)),
            np.tile(columns, repeat),
            _repeated(over, repeat),
        )

    def _present(
        self, positions: Positions, rows: LXRows | list[Any], owner: str, family: str, key: RowFunction | None
    ) -> Booleans | None:
        """Return which keys are there, None for all of them; a key that is not there raises unless skipped."""
        missing: Booleans = positions == MISSING
        if not missing.any():
            return None
        if not self.skip_missing:
            i = int(np.flatnonzero(missing)[0])
            named = keys(key or _itself, rows[i : i + 1])[0]
            raise LXModelError(
                f"{owner}: the term of {self.variable.name} names {named!r}, a key that {family} does not have, for "
                f"{rows[i]!r}. Correct the key, or say skip_missing=True if a missing one is meant to be left out."
            )
        return ~missing


_FUNCTIONS_OF_TERMS = {  # and what they are called on the way to what they hold
    "coefficient": "",
    "at": " › at",
    "variable_key": " › variable_key",
    "row_key": " › row_key",
    "where": " › where",
}


def _itself(row: Any) -> Any:
    return row


def _take(rows: LXRows | list[Any], keep: Booleans) -> LXRows | list[Any]:
    if isinstance(rows, LXRows):
        return rows.where(keep)
    return [row for row, kept in zip(rows, keep.tolist(), strict=True) if kept]


def _repeated(rows: LXRows | list[Any], times: int) -> LXRows | list[Any]:
    return LXRows(rows.table, np.tile(rows.positions, times)) if isinstance(rows, LXRows) else rows * times


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

    def materialize(self, path: str, memo: dict[Any, Any]) -> None:
        """Detach the rows that the terms go over, and the functions; done by the model that takes the expression."""
        places: list[tuple[str, Any, str]] = []
        for number, term in enumerate(self.terms, start=1):
            term.materialize(f"{path} › term {number}", memo)
            places += [(f"{path} › term {number}{part}", term, name) for name, part in _FUNCTIONS_OF_TERMS.items()]
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

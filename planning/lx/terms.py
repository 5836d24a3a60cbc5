"""Terms of linear expressions: a family of variables with a coefficient per row, and where each entry stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .adopt import adopt_rows
from .closures import copied_object, rows_for_copy
from .columns import Booleans, Floats, Positions
from .errors import LXModelError
from .evaluate import Computed, keys, mask, numbers
from .index import LXIndex
from .records import MISSING, LXRows, RowFunction
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
    frozen: Entries | None = None  # of a term whose coefficients are values
    is_set: bool = False  # whether those were set by key
    left_out: tuple[tuple[int, int], ...] = ()  # the rows and columns where another term sets the coefficient

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
            held, keep = self.frozen, self._kept(self.frozen)
            if keep is not None:
                held = Entries(held.rows[keep], held.columns[keep], held.coefficients[keep])
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
            place = self.placed
        elif self.at is not None:
            place = self._one_each(owner, rows)
        elif not (self.over is self.row_key is self.variable_key is None):
            place = self._join(owner, rows, index)
        else:
            place = self._all(owner, rows)
        keep = self._kept(place)
        return place if keep is None else Placement(place.rows[keep], place.columns[keep], _take(place.over, keep))

    def _kept(self, place: Placement | Entries) -> Booleans | None:
        """Return which entries the term has where other terms set some; None for all."""
        if not self.left_out:
            return None
        left, width = np.array(self.left_out, dtype=np.int64), len(self.variable)
        return ~np.isin(place.rows.astype(np.int64) * width + place.columns, left[:, 0] * width + left[:, 1])

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


FUNCTIONS_OF_TERMS = {  # and what they are called on the way to what they hold
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

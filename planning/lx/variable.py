"""Variable families: one variable per row of the data."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Generic, cast, overload

import numpy as np

from .adopt import adopt_functions, adopt_rows, adopt_tables
from .closures import copy_of_family
from .columns import Booleans, Floats
from .detach import source_of
from .dimension import LXIndexDimension, LXProductIndex, combine, is_combination
from .errors import LXModelError
from .evaluate import Computed, keys, mask, numbers
from .index import EVERY, LXIndex, key_of_rows, named
from .records import LXRows, LXTable, RowFunction
from .signatures import Bound, BoundOfSeveral, Manager, OfSeveral, Session, T, V

CONTINUOUS, INTEGER, BINARY = "continuous", "integer", "binary"


class LXVariable(Generic[T, V]):
    """A family of decision variables `name[key]`, one per row of its data.

        production = (
            LXVariable[Product, float]("production")
            .continuous()
            .bounds(lower=0, upper=lambda p: p.max_demand)
            .indexed_by(lambda p: p.id)
            .from_model(Product)
        )

    Bounds are numbers or functions of the row; None (also as a function's result) means no bound.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.kind = CONTINUOUS
        self.lower: RowFunction | Floats | float | None = 0.0
        self.upper: RowFunction | Floats | float | None = None
        self.whole: RowFunction | Booleans | None = None  # which of an integer family are whole; None: all
        self.index_function: RowFunction | Computed | None = None
        self._dimensions: tuple[LXIndexDimension[Any], ...] = ()
        self._where: RowFunction | None = None  # which combinations of the dimensions there are
        self._source: Any = None
        self._rows: LXRows | list[Any] | None = None
        self._index: LXIndex | None = None
        self._keys: list[Hashable] | None = None  # of a family over several dimensions

    def __repr__(self) -> str:
        return f"<LXVariable {self.name}>"

    def __deepcopy__(self, memo: dict[Any, Any]) -> LXVariable[T, V]:
        made: LXVariable[T, V] = copy_of_family(self, memo)
        return made

    def continuous(self) -> LXVariable[T, V]:
        """Let the variables take any value within their bounds."""
        self.kind, self.whole = CONTINUOUS, None
        return self

    @overload
    def integer(self, where: Callable[[T], bool] | None = None) -> LXVariable[T, V]: ...
    @overload
    def integer(self, where: OfSeveral[bool]) -> LXVariable[T, V]: ...
    def integer(self, where: RowFunction | None = None) -> LXVariable[T, V]:
        """Let the variables take whole numbers within their bounds: all, or those of rows for which `where` is true.

        Bounds are rounded inwards to whole numbers.
        """
        self.kind, self.whole = INTEGER, where
        return self

    def binary(self) -> LXVariable[T, V]:
        """Let the variables be 0 or 1, and within bounds that were given before or are given later."""
        self.kind, self.whole = BINARY, None
        return self

    @overload
    def bounds(self, *, lower: Bound[T] = 0.0, upper: Bound[T] = None) -> LXVariable[T, V]: ...
    @overload
    def bounds(self, *, lower: BoundOfSeveral = 0.0, upper: BoundOfSeveral = None) -> LXVariable[T, V]: ...
    @overload
    def bounds(self, *, lower: Bound[T] = 0.0, upper: OfSeveral[float | None]) -> LXVariable[T, V]: ...
    @overload
    def bounds(self, *, lower: OfSeveral[float | None], upper: Bound[T] = None) -> LXVariable[T, V]: ...
    def bounds(
        self, *, lower: RowFunction | float | None = 0.0, upper: RowFunction | float | None = None
    ) -> LXVariable[T, V]:
        """Set the bounds, in the unit of the variable: numbers, or functions of the row. None means no bound.

        What is not named goes back to its default: at least 0, no upper bound. Bounds that leave no
        number between them raise LXModelError, with the key, when the model is compiled.
        """
        self.lower, self.upper = lower, upper
        return self

    @overload
    def indexed_by(self, function: Callable[[T], Hashable]) -> LXVariable[T, V]: ...
    @overload
    def indexed_by(self, function: OfSeveral[Hashable]) -> LXVariable[T, V]: ...
    def indexed_by(self, function: RowFunction) -> LXVariable[T, V]:
        """Set the key of a row: any hashable value, a tuple for several dimensions.

        Without it, rows of an ORM have their primary key.
        """
        self.index_function, self._index, self._keys = function, None, None
        return self

    def indexed_by_product(
        self, *dimensions: LXIndexDimension[Any], where: OfSeveral[bool] | None = None
    ) -> LXVariable[T, V]:
        """Make one variable per combination of the dimensions' rows for which `where` (a row of each) is true.

        Every function of the family then takes a row of each dimension: `lambda lecture, slot, room: …`.
        """
        if len(dimensions) < 2:
            raise LXModelError(f"Variable {self.name} needs two dimensions or more. For one use indexed_by.")
        self._dimensions, self._where = dimensions, where
        self._source, self._rows, self._index, self._keys = None, None, None, None
        return self

    def from_data(self, rows: Iterable[T] | LXTable | LXRows) -> LXVariable[T, V]:
        """Take the rows from detached rows, a table, or any objects; rows of an ORM among them are detached."""
        self._source, self._rows, self._index, self._keys = rows, None, None, None
        if isinstance(self.index_function, Computed):  # the keys of other rows
            self.index_function = None
        return self

    def from_model(
        self, model: type[T] | Iterable[T] | Manager[T] | Session | None = None, session: Session | None = None
    ) -> LXVariable[T, V]:
        """Take the rows from a model; they are detached when the model takes the family.

        A Django model or queryset; a class that SQLAlchemy maps, with its session; a session or nothing
        alone where the type parameter names the model; a query of a session.
        """
        return self.from_data(source_of(self, self.name, (model, session)))

    def materialize(self, memo: dict[Any, Any]) -> None:
        """Detach the rows and the functions; done by the model that takes the family, with its memo."""
        path = f"variable {self.name}"
        self._read(memo)
        adopt_tables(self._rows, memo)
        functions = {"lower bound": "lower", "upper bound": "upper", "key": "index_function", "whole numbers": "whole"}
        key = self.index_function
        adopt_functions([(f"{path} › {part}", self, name) for part, name in functions.items()], memo)
        if key is not self.index_function:
            self._index = None

    def _read(self, memo: dict[Any, Any]) -> None:
        """Detach the rows, once."""
        if self._rows is None and self._dimensions:
            adopt_functions([(f"variable {self.name} › where", self, "_where")], memo)
            found = combine(f"Variable {self.name}", self._dimensions, self._where, memo)
            self._rows, self._keys = found.rows, found.keys
            self._index = LXProductIndex(f"Variable {self.name}", found.rows, None, found.keys, found.parts)
            self._dimensions, self._where = (), None
        if self._rows is None:
            if self._source is None:
                raise LXModelError(f"Variable {self.name} has no rows. Give them with from_data or from_model.")
            self._rows = adopt_rows(f"variable {self.name}", self._source, memo)
            self._source = None
        if self._keys is None and self.index_function is None:
            self.index_function = key_of_rows(f"Variable {self.name}", self._rows)

    @property
    def rows(self) -> LXRows | list[Any]:
        """The rows of the family, in the order of its variables."""
        if self._rows is None:
            self._read({})
        assert self._rows is not None
        return self._rows

    def restore(self, rows: LXRows | list[Any], keys: RowFunction | Computed) -> None:
        """Take rows and keys that are there already: those of a copy, or of a goal."""
        self._rows, self.index_function = rows, keys

    def get_instances(self) -> Sequence[T]:
        """Return the rows of the family."""
        return cast("Sequence[T]", self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def index(self) -> LXIndex:
        """Where each key and each row stands in the family. A key that occurs twice raises LXModelError."""
        if self._index is None:
            owner, rows = f"Variable {self.name}", self.rows
            kind = LXProductIndex if is_combination(rows) else LXIndex
            self._index = kind(owner, rows, self.index_function, self._keys)
        return self._index

    @property
    def keys(self) -> list[Hashable]:
        """The key of each variable of the family, in the order of its rows."""
        self._read({})
        if self._keys is not None:
            return self._keys
        assert self.index_function is not None
        return keys(self.index_function, self.rows)

    def bound_arrays(self) -> tuple[Floats, Floats]:
        """Return lower and upper bounds, one for each row; infinite where there is none, whole for whole numbers."""
        lower = self._bound(self.lower, "lower", -np.inf)
        upper = self._bound(self.upper, "upper", np.inf)
        if self.kind == BINARY:
            lower, upper = np.maximum(lower, 0.0), np.minimum(upper, 1.0)
        whole = self.whole_mask()
        if whole.any():
            lower = np.where(whole, np.ceil(lower - 1e-9), lower)
            upper = np.where(whole, np.floor(upper + 1e-9), upper)
        crossed = np.flatnonzero(~(lower <= upper) | (lower >= 1e20) | (upper <= -1e20))  # 1e20 is infinite to solvers
        if len(crossed):
            i = int(crossed[0])
            raise LXModelError(
                f"{named(self.name, self.keys[i])} has the lower bound {lower[i]:g} and the upper bound "
                f"{upper[i]:g}: no number lies between them. Correct one of them."
            )
        return lower, upper

    def set_bounds(
        self, *, lower: float | None = None, upper: float | None = None, key: Any = EVERY
    ) -> LXVariable[T, V]:
        """Set a bound, or both, to a number: of one variable, by key or row, or of the whole family.

        What is not given stays; infinite is no bound. The bounds of the others stay as they are now;
        those that a function gave are numbers from then on. Raises LXModelError for a key that is not there.
        """
        place = slice(None) if key is EVERY else self.index.find(key)
        for side, to, blank in (("lower", lower, -np.inf), ("upper", upper, np.inf)):
            if to is not None:
                bounds = self._bound(getattr(self, side), side, blank).copy()
                what = f"The {side} bound of {self.name}"
                bounds[place] = blank if to == blank else numbers(to, [None], what=what)[0]
                setattr(self, side, bounds)
        return self

    def whole_mask(self) -> Booleans:
        """Return for each row whether its variable must be whole."""
        if isinstance(self.whole, np.ndarray):
            return self.whole
        if self.kind == CONTINUOUS or self.whole is None:
            return np.full(len(self.rows), self.kind != CONTINUOUS)
        return mask(self.whole, self.rows, what=f"The condition for whole numbers of {self.name}")

    def _bound(self, given: RowFunction | Floats | float | None, side: str, blank: float) -> Floats:
        if isinstance(given, np.ndarray):
            if given.shape != (len(self.rows),):
                raise LXModelError(f"The {side} bound of {self.name} needs {len(self)} numbers; it has {given.size}.")
            return given
        if isinstance(given, float) and given == blank:
            given = None
        return numbers(given, self.rows, what=f"The {side} bound of {self.name}", blank=blank)

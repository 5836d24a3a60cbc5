"""Constraint families: one constraint per row of the data, or a single one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Generic, overload

import numpy as np

from .adopt import adopt_functions, adopt_rows, adopt_tables
from .closures import copy_of_family
from .columns import Floats
from .detach import source_of
from .errors import LXModelError
from .evaluate import Computed, keys, numbers
from .expression import LXLinearExpression
from .index import EVERY, LXIndex, key_of_rows, named
from .records import LXRows, LXTable, RowFunction
from .signatures import Manager, Number, OfSeveral, Session, T
from .variable import LXVariable

LE, GE, EQ = "<=", ">=", "=="


class _Shown(np.ndarray[Any, np.dtype[np.float64]]):
    """What a function gives, to look at: writing into it would be lost, so it raises; `*=` makes a new array."""

    def __imul__(self, other: Any) -> Any:  # type: ignore[misc]
        return np.asarray(self) * other

    def __itruediv__(self, other: Any) -> Any:  # type: ignore[misc]
        return np.asarray(self) / other

    def __iadd__(self, other: Any) -> Any:  # type: ignore[misc]
        return np.asarray(self) + other

    def __isub__(self, other: Any) -> Any:  # type: ignore[misc]
        return np.asarray(self) - other


class LXConstraint(Generic[T]):
    """A family of linear constraints `expression (<=, >=, ==) rhs`, one per row of its data.

    Without rows it is a single constraint.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.lhs: LXLinearExpression | None = None
        self.sense: str | None = None
        self.right: RowFunction | Computed | Floats | float = 0.0  # the right side as it was given
        self.goal_priority: RowFunction | Computed | Floats | float | None = None  # None: no goal
        self.goal_weight: RowFunction | Computed | Floats | float = 1.0
        self.goal_weight_over: RowFunction | Computed | Floats | float | None = None  # None: the same
        self.index_function: RowFunction | Computed | None = None
        self._source: Any = None
        self._rows: LXRows | list[Any] | None = None
        self._index: LXIndex | None = None

    def __repr__(self) -> str:
        return f"<LXConstraint {self.name}>"

    def __deepcopy__(self, memo: dict[Any, Any]) -> LXConstraint[T]:
        made: LXConstraint[T] = copy_of_family(self, memo)
        return made

    def expression(self, expression: LXLinearExpression) -> LXConstraint[T]:
        """Set the left side. Its constants count on the right."""
        self.lhs = expression
        return self

    def le(self) -> LXConstraint[T]:
        """Left side at most the right side."""
        self.sense = LE
        return self

    def ge(self) -> LXConstraint[T]:
        """Left side at least the right side."""
        self.sense = GE
        return self

    def eq(self) -> LXConstraint[T]:
        """Left side equal to the right side."""
        self.sense = EQ
        return self

    @overload
    def rhs(self, value: Number[T]) -> LXConstraint[T]: ...
    @overload
    def rhs(self, value: OfSeveral[float]) -> LXConstraint[T]: ...
    def rhs(self, value: RowFunction | float) -> LXConstraint[T]:
        """Set the right side: a number or, in a family, a function of the constraint's row. 0 where none is set.

        It must be finite and below 1e20, which solvers take for infinite.
        """
        self.right = value
        return self

    def as_goal(
        self, priority: Number[T] = 1, weight: Number[T] = 1.0, *, weight_over: Number[T] | None = None
    ) -> LXConstraint[T]:
        """Make the constraint a goal: it may be missed, but by as little as possible, which comes before the objective.

        Priority 1 comes before 2. Within a priority each unit that is missed counts with the weight; `weight_over`
        is that of what is too much in an `==` goal, where it differs. Each is a number or a function of the
        constraint's row. How priorities are weighed up says `LXModel.set_goal_mode`.
        """
        self.goal_priority, self.goal_weight, self.goal_weight_over = priority, weight, weight_over
        return self

    @overload
    def indexed_by(self, function: Callable[[T], Hashable]) -> LXConstraint[T]: ...
    @overload
    def indexed_by(self, function: OfSeveral[Hashable]) -> LXConstraint[T]: ...
    def indexed_by(self, function: RowFunction) -> LXConstraint[T]:
        """Set the key of a row: any hashable value. Without it, rows of an ORM have their primary key."""
        self.index_function, self._index = function, None
        return self

    def from_data(self, rows: Iterable[T] | LXTable | LXRows) -> LXConstraint[T]:
        """Make one constraint per row: of detached rows, a table, or any objects."""
        self._source, self._rows, self._index = rows, None, None
        if isinstance(self.index_function, Computed):  # the keys of other rows
            self.index_function = None
        return self

    def from_model(
        self, model: type[T] | Iterable[T] | Manager[T] | Session | None = None, session: Session | None = None
    ) -> LXConstraint[T]:
        """Make one constraint per row of a model; they are detached when the model takes the family.

        A Django model or queryset; a class that SQLAlchemy maps, with its session; a session or nothing
        alone where the type parameter names the model; a query of a session.
        """
        return self.from_data(source_of(self, self.name, (model, session)))

    def materialize(self, memo: dict[Any, Any]) -> None:
        """Detach the rows and the functions; done by the model that takes the family, with its memo."""
        path = f"constraint {self.name}"
        if self._source is not None and self._rows is None:
            self._rows = adopt_rows(path, self._source, memo)
            self._source = None
        if self._rows is not None and self.index_function is None:
            self.index_function = key_of_rows(f"Constraint {self.name}", self._rows)
        if self._rows is None and self.index_function is not None:
            raise LXModelError(f"Constraint {self.name} has an index but no rows. Give them with from_data.")
        if self.lhs is None or self.sense is None:
            raise LXModelError(f"Constraint {self.name} has no expression or no sense. Give .expression(…) and .le().")
        adopt_tables(self._rows, memo)
        self.lhs.materialize(path, memo)
        key = self.index_function
        functions = {"right side": "right", "key": "index_function", "priority": "goal_priority"}
        functions |= {"weight": "goal_weight", "weight over": "goal_weight_over"}
        adopt_functions([(f"{path} › {part}", self, name) for part, name in functions.items()], memo)
        if key is not self.index_function:
            self._index = None

    def restore(self, rows: LXRows | list[Any], keys: Computed) -> None:
        """Take rows and keys as they were when a copy was made."""
        self._rows, self.index_function = rows, keys

    @property
    def rows(self) -> LXRows | list[Any] | None:
        """The rows of the family; None for a single constraint."""
        return self._rows

    def __len__(self) -> int:
        return 1 if self._rows is None else len(self._rows)

    @property
    def index(self) -> LXIndex | None:
        """Where each key and row stands in the family; None for a single constraint."""
        if self._rows is None:
            return None
        if self._index is None:
            self._index = LXIndex(f"Constraint {self.name}", self._rows, self.index_function)
        return self._index

    @property
    def keys(self) -> list[Hashable]:
        """The key of each constraint; a single one has the key None."""
        if self._rows is None:
            return [None]
        assert self.index_function is not None
        return keys(self.index_function, self._rows)

    @property
    def rhs_value(self) -> Any:
        """The right side: a number, or an array with one for each constraint of the family.

        `constraint.rhs_value *= 1.2` changes it. What a function gives is a read-only array: set
        another one, or a number for the whole family.
        """
        if isinstance(self.right, (int, float, np.ndarray)):
            return self.right
        values = self.rhs_array()
        if self._rows is None:
            return float(values[0])
        shown = values.view(_Shown)
        shown.flags.writeable = False
        return shown

    @rhs_value.setter
    def rhs_value(self, value: Any) -> None:
        if isinstance(value, np.ndarray) and value.shape != (len(self),):
            raise LXModelError(f"The right side of {self.name} needs {len(self)} numbers; there are {value.size}.")
        self.right = value

    def set_rhs(self, to: float, *, key: Any = EVERY) -> LXConstraint[T]:
        """Set the right side to a number: of one constraint, by key or row, or of the whole family.

        The others stay as they are now; those that a function gave are numbers from then on. Raises
        LXModelError for a key that is not there.
        """
        value = numbers(to, [None], what=f"The right side of {self.name}")[0]
        if key is EVERY:
            self.right = float(value)
        else:
            right = self.rhs_array().copy()
            right[self._find(key)] = value
            self.right = right
        return self

    def set_coefficient(
        self, variable: LXVariable[Any, Any], to: float, *, variable_key: Any, key: Any = EVERY
    ) -> LXConstraint[T]:
        """Set the coefficient of one variable in one constraint, each named by key or row.

        It stays, whatever happens to the data. A single constraint needs no key. Raises LXModelError
        for a key that is not there.
        """
        if self.lhs is None or (key is EVERY and self._rows is not None):
            raise LXModelError(f"Say in which constraint of {self.name} the coefficient is to be set: give its key.")
        column = variable.index.find(variable_key)
        self.lhs = self.lhs.with_coefficient(variable, self._find(key), column, to)
        return self

    def _find(self, key: Any) -> int:
        """Return the position of a key or row; a single constraint has no key."""
        if self.index is not None:
            return self.index.find(key)
        if key is not EVERY and key is not None:
            raise LXModelError(f"{self.name} is a single constraint: it has no key {key!r}.")
        return 0

    def rhs_array(self) -> Floats:
        """Return the right side of each constraint, one number for each row."""
        given = self.right
        if isinstance(given, np.ndarray):
            if given.shape != (len(self),):
                raise LXModelError(f"The right side of {self.name} needs {len(self)} numbers; there are {given.size}.")
            return given
        if self._rows is None and callable(given):
            raise LXModelError(f"Constraint {self.name} is a single row: its right side must be a number.")
        return numbers(given, self._rows if self._rows is not None else [None], what=f"The right side of {self.name}")

    def limits(self, constant: Floats) -> tuple[Floats, Floats]:
        """Return lower and upper limits of the rows, with the left side's constants moved to the right."""
        right = self.rhs_array() - constant
        bad = ~(np.abs(right) < 1e20)  # solvers take a number this large for infinite
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            raise LXModelError(
                f"{named(self.name, self.keys[i])} has the right side {right[i]}. Give a finite number below 1e20."
            )
        infinite = np.full(len(right), np.inf)
        return (right if self.sense != LE else -infinite), (right if self.sense != GE else infinite)

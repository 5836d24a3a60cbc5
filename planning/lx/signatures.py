"""What a modeller's functions take and give, for editors and type checkers: `lambda p: p.profit` knows what p is.

The type parameter of a family names its rows: in `LXVariable[Product, float]` every function takes a
Product, and a name that a Product does not have is an error before anything runs. Each method that
takes a function is written twice: for a function of the row, and for one of two arguments or more
(a row of each dimension, or a row and what a default holds), which is checked for its result alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    T = TypeVar("T", default=Any)
    V = TypeVar("V", default=float)
    R = TypeVar("R")
    X_co = TypeVar("X_co", covariant=True)
else:
    from typing import TypeVar

    T = TypeVar("T")  # the row
    V = TypeVar("V")  # the value: float or int
    R = TypeVar("R")  # the row of a join
    X_co = TypeVar("X_co", covariant=True)  # a result


class OfSeveral(Protocol[X_co]):
    """A function of two arguments or more."""

    def __call__(self, first: Any, second: Any, /, *args: Any, **kwargs: Any) -> X_co:
        """Return the result."""


class Manager(Protocol[X_co]):
    """What gives all rows of a model: a Django manager or queryset, a query of SQLAlchemy."""

    def all(self) -> Iterable[X_co]:
        """Return the rows."""


class Session(Protocol):
    """A session of SQLAlchemy."""

    @property
    def query(self) -> Any:
        """What makes a query of a model."""

    @property
    def commit(self) -> Any:
        """What ends a transaction."""

    @property
    def rollback(self) -> Any:
        """What takes a transaction back."""


Number = Callable[[T], float] | float
NumberOfSeveral = OfSeveral[float] | float
Bound = Callable[[T], float | None] | float | None
BoundOfSeveral = OfSeveral[float | None] | float | None
Source = Iterable[R] | Manager[R]

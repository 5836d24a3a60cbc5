"""Functions that hold no row of a database, and copies of what holds functions.

What a function reaches (closures, defaults, globals, and what lies in them) is looked through first.
Only what leads to a row, or to something that is copied along, is made anew; the rest is shared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .copier import Copier
from .detach import materialize_and_detach_list
from .records import LXRows, LXTable


def copy_function_detaching_closure(func: Any, memo: dict[Any, Any] | None = None) -> Any:
    """Return the function with detached records wherever it holds ORM rows; one that holds none, as it is.

    Looked through are closures, defaults, globals that it reads, partials, bound methods, callable
    objects and containers. With one `memo` a row is one record, and what was copied with the memo is
    replaced by its copy. Raises LXDetachError, with the way to it, for what can't be detached.
    """
    copier = Copier({} if memo is None else memo)
    return copier.copied({getattr(func, "__qualname__", repr(func)): func}, deep=False).popitem()[1]


def copied_object(source: Any, memo: dict[Any, Any], **replaced: Any) -> Any:
    """Return a copy of an object of the modelling layer that shares nothing with it but functions that hold no rows."""
    made = object.__new__(type(source))
    memo[id(source)] = made
    held = {name: value for name, value in vars(source).items() if name not in replaced}
    copies = Copier(memo).copied({f"{source!r} › .{name}": value for name, value in held.items()}, deep=True)
    vars(made).update(zip(held, copies.values(), strict=True))
    vars(made).update(replaced)
    return made


def copy_of_family(family: Any, memo: dict[Any, Any], **replaced: Any) -> Any:
    """Return a copy of a family of variables or constraints; rows that were not read yet are read for the copy."""
    if family._rows is not None or family._source is None:
        return copied_object(family, memo, **replaced)
    if isinstance(family._source, Iterator):
        family._source = list(family._source)
    rows, own = rows_for_copy(family._source, memo)
    if own:
        return copied_object(family, memo, _rows=rows, _source=None, **replaced)
    made = copied_object(family, memo, _source=None, **replaced)
    made._rows = Copier(memo).copied({f"{family!r} › .rows": rows}, deep=True).popitem()[1]
    return made


def rows_for_copy(source: Any, memo: dict[Any, Any]) -> tuple[Any, bool]:
    """Return the rows of a source that was not read yet, and whether they are the copy's own already.

    A query is read for the copy alone. Rows, tables and lists of objects belong to the original.
    """
    if isinstance(source, LXTable):
        return source.rows, False
    if isinstance(source, LXRows):
        return source, False
    rows = materialize_and_detach_list(source, memo)
    return (rows, True) if isinstance(rows, LXRows) else (list(source), False)

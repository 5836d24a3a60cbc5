"""Properties that a model declares for copying: their values, read from detached records.

    class Product(models.Model):
        detached_properties = ("margin",)

        @property
        def margin(self) -> float: ...

A property is called with the record, which makes no query: it sees what was loaded. Like an annotation
it is a column from then on, and keeps its value when a field that it was made of is written.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from .captures import CALLABLES, is_library, parts_of, refused
from .columns import LXColumn
from .errors import LXDetachError, LXModelError, LXNotLoadedError
from .held import plain_values
from .orm import ATOMS
from .records import LXRecord, LXRows, LXTable

DECLARATION = "detached_properties"
_FOLLOWED = (types.FunctionType, types.CellType, *CALLABLES)


def declared_properties(kind: type, label: str) -> dict[str, Callable[[Any], Any]]:
    """Return the properties that a class declares for copying, by name: what is called with the row.

    Raises LXModelError for a name that is no property, and LXDetachError for one that leads to a query.
    """
    names = getattr(kind, DECLARATION, ())
    if isinstance(names, str):
        raise LXModelError(f"{label}.{DECLARATION} is a text. Give a tuple of names: ({names!r},).")
    found: dict[str, Callable[[Any], Any]] = {}
    for name in names:
        held = inspect.getattr_static(kind, name, None)
        getter = getattr(held, "fget", getattr(held, "func", None))  # a property, or one that is cached
        if not callable(getter):
            raise LXModelError(f"{label}.{DECLARATION} names {name!r}, which is no property of {kind.__name__}.")
        _check_no_query(f"{label}.{name}", getter)
        found[name] = getter
    return found


def _check_no_query(path: str, getter: Any) -> None:
    """Refuse a property that reads a queryset, a session or the like, in functions that it calls too."""
    waiting, seen = [(path, getter)], set()
    while waiting:
        path, value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        what = refused(value)
        if what is not None:
            raise LXDetachError(
                f"{path} is {what}: a property that is copied can't make queries. Let it use the row's own fields and "
                "loaded relations, or annotate the query instead."
            )
        if isinstance(value, _FOLLOWED) and not is_library(getattr(value, "__module__", None)):
            waiting += [(f"{path} › {part.name}", part.value) for part in parts_of(value)]


def copy_properties(table: LXTable, properties: dict[str, Callable[[Any], Any]]) -> None:
    """Fill the columns of properties for rows that lack them; where something was not loaded they stay unloaded."""
    for name, getter in properties.items():
        if name not in table.columns:
            table.columns[name] = LXColumn.missing(table.size)
            table.unloaded[name] = set(range(table.size))
        marks = table.unloaded.get(name)
        if not marks:
            continue
        places = sorted(marks)
        values, left = _values(table, name, getter, places)
        held = table.columns[name].tolist()
        for place, value in values.items():
            held[place] = value
        table.columns[name] = LXColumn.of(held)
        if left is None:
            del table.unloaded[name]
            table.refused.pop(name, None)
        else:
            table.unloaded[name] = marks - values.keys()
            table.refused[name] = (
                f"{table.name}.{name} is a property that is copied where all that it reads was loaded. {left}"
            )


def _values(
    table: LXTable, name: str, getter: Callable[[Any], Any], places: list[int]
) -> tuple[dict[int, Any], LXNotLoadedError | None]:
    """Return what a property gives by position, and what was missing where it gives nothing."""
    found: dict[int, Any] = {}
    left: LXNotLoadedError | None = None
    for place, record in zip(places, table.records(np.array(places, dtype=np.int64)), strict=True):
        try:
            found[place] = getter(record)
        except LXNotLoadedError as error:
            left = error
        except Exception as error:
            error.add_note(f"This is the property {name} of {record!r}, which is copied when the row is detached.")
            raise
    kinds = set(map(type, found.values()))
    if kinds & {LXRecord, LXRows}:
        raise LXModelError(f"The property {table.name}.{name} gives records. Let it give numbers, texts or dates.")
    if not kinds <= ATOMS:
        found = dict(zip(found, plain_values(found.values(), f"{table.name}.{name}"), strict=True))
    return found, left

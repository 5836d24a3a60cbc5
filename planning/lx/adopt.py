"""What a model takes, without live rows: the rows of its families and the functions, as they are when it takes them."""

from __future__ import annotations

import operator
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .captures import OURS, are_atoms, are_plain, names_used
from .copier import Copier
from .detach import materialize_and_detach_list
from .gate import is_filled
from .gathered import register_tables, registered_tables
from .orm import ATOMS, is_orm_row
from .reads import reachable
from .records import COPIED_TABLES, LXRecord, LXRows, LXTable

_DETACHER = "planning.lx detacher"  # the memo's key for the one that has looked through functions before
_VALUES = ATOMS | {LXRecord, LXRows, LXTable}
_COUNTED = (list, tuple, dict, set, frozenset)
_MANY = 100  # a container of so many rows is made anew once for all functions that use it


def adopt_functions(places: Iterable[tuple[str, Any, str]], memo: dict[Any, Any]) -> None:
    """Let functions hold no live row: each is named, and the attribute of an object, which gets what is made of it.

    They are taken as they are now. `memo` is that of the model: a row that is reached twice is one
    record of the model's tables. Raises LXDetachError, with the way to it, for what can't be detached.
    """
    functions = {
        path: (owner, name, function) for path, owner, name in places if not is_bare(function := getattr(owner, name))
    }
    if functions:
        made = _detached({path: function for path, (_, _, function) in functions.items()}, memo)
        for path, (owner, name, function) in functions.items():
            if made[path] is not function:
                setattr(owner, name, made[path])


def _detached(values: Mapping[str, Any], memo: dict[Any, Any]) -> dict[str, Any]:
    detacher = memo.pop(_DETACHER, None) or _Detacher()
    made: dict[str, Any] = detacher.detached(values, memo)
    memo[_DETACHER] = detacher  # where nothing was refused it goes on with what it has seen
    return made


def adopt_rows(path: str, source: Any, memo: dict[Any, Any]) -> Any:
    """Return the detached rows of a queryset, table or list; plain objects that hold ORM rows hold records then."""
    rows = materialize_and_detach_list(source, memo)
    if not isinstance(rows, list) or are_atoms(rows, _VALUES):
        return rows
    if are_plain(rows):
        _detached({f"{path} › rows": rows[:1]}, memo)  # for what their class holds
        return rows
    return _detached({f"{path} › rows": rows}, memo).popitem()[1]


def is_bare(value: Any) -> bool:
    """Whether a value is a number or an array of them, or a function that reaches nothing but numbers and records."""
    kind = type(value)
    if kind in _VALUES or kind.__module__.startswith(OURS):
        return True
    if kind is np.ndarray:
        return bool(value.dtype != object)
    if kind is not types.FunctionType or value.__kwdefaults__ or value.__dict__:
        return False
    held = value.__globals__
    captured = [*(value.__defaults__ or ()), *(held[name] for name, _, _ in names_used(value.__code__) if name in held)]
    for cell in value.__closure__ or ():
        if is_filled(cell):
            captured.append(cell.cell_contents)
    return _VALUES.issuperset(map(type, captured))


def adopt_tables(rows: Any, memo: dict[Any, Any]) -> None:
    """Let rows that are detached with `memo` from here on join the tables of `rows`, and those that they lead to."""
    held = memo.setdefault(COPIED_TABLES, {})
    if isinstance(rows, LXRows) and not any(rows.table is table for table in held.get(rows.table.name, ())):
        for table in reachable([rows.table]):
            listed = held.setdefault(table.name, [])
            if not any(table is other for other in listed):
                listed.append(table)


class _Detacher(Copier):
    """Makes anew what leads to a live row. Records stay as they are; what holds no row is looked through once."""

    def __init__(self) -> None:
        super().__init__({})
        self.large: dict[int, _Large] = {}

    def detached(self, values: Mapping[str, Any], memo: dict[Any, Any]) -> dict[str, Any]:
        """Return the named values without live rows; rows join the tables that were detached with `memo`."""
        self.memo = {COPIED_TABLES: memo.setdefault(COPIED_TABLES, {})}
        register_tables(registered_tables(memo), self.memo)
        made = self.copied(values, deep=False)
        for key in self.needed:  # and they are let go: their ids will be those of others
            value = self.values.pop(key, None)
            self.paths.pop(key, None)
            if isinstance(value, _COUNTED) and len(value) >= _MANY and self._is_flat(value):
                self.large[key] = _Large(value, _listed(value), self.memo[key])
        self.needed.clear()
        self.parents.clear()
        self.memo = {}
        return made

    def _is_flat(self, value: Any) -> bool:
        """Whether a container holds nothing but rows, numbers, texts and tuples of those."""
        return all(is_orm_row(part) or self._is_plain(part) for part in _listed(value))

    def _is_plain(self, value: Any) -> bool:
        return type(value) in _VALUES or super()._is_plain(value)

    def _is_leaf(self, path: str, value: Any) -> bool:
        held = self.large.get(id(value))
        if held is not None and held.is_unchanged():
            self.memo[id(value)] = held.made
        return super()._is_leaf(path, value)

    def _is_ours(self, value: Any) -> bool:
        if getattr(value, "_source", None) is not None:
            value.materialize(self.memo)  # a family that a function uses: it makes no query later
        return True


@dataclass
class _Large:
    """A container of many rows, what it held when it was made anew, and what it became."""

    original: Any
    parts: list[Any]
    made: Any

    def is_unchanged(self) -> bool:
        """Whether the container still holds the same rows."""
        now = _listed(self.original)
        return len(now) == len(self.parts) and all(map(operator.is_, now, self.parts))


def _listed(container: Any) -> list[Any]:
    return [*container.keys(), *container.values()] if isinstance(container, dict) else list(container)

"""Looking through what functions and containers hold, for what has to be made anew."""

from __future__ import annotations

import copy
import enum
import types
from collections.abc import Iterator, Mapping
from typing import Any

from .captures import (
    CALLABLES,
    NEVER_COPIED,
    OURS,
    Part,
    is_library,
    is_opaque,
    is_orm_class,
    of_class,
    parts_of,
    refused,
)
from .detach import detach_rows
from .errors import LXDetachError
from .gate import names_in
from .gathered import registered_tables
from .held import held_values
from .orm import ATOMS, is_orm_row, orm_label
from .records import COPIED_TABLES, LXRecord
from .remake import Maker

_ASK_BY_NAME = frozenset({"getattr", "attrgetter", "methodcaller", "vars", "__dict__"})


class Copier:
    """Looks through values first, then makes anew what leads to a row, and to what is copied along; shares the rest."""

    def __init__(self, memo: dict[Any, Any]) -> None:
        self.memo = memo
        self.paths: dict[int, str] = {}
        self.values: dict[int, Any] = {}  # alive, so that no id is given twice
        self.unshared: set[int] = set()
        self.parents: dict[int, set[int]] = {}
        self.needed: set[int] = set()
        self.fresh: list[int] = []  # of those, what the last look found
        self.fixed: set[int] = set()  # what is never made anew: classes, modules, objects of libraries
        self.rows: dict[int, Any] = {}
        self.ours: list[Any] = []
        self.names: set[str] = set()  # every name in the functions that were reached
        self.classes: set[tuple[type, type]] = set()  # themselves, or those of objects
        self.unnamed: list[tuple[str, str, Part]] = []  # of those classes, what no function has named so far

    def copied(self, values: Mapping[str, Any], *, deep: bool) -> dict[str, Any]:
        """Return the copies of named values. What is `deep` shares no container or object with its original."""
        for path, value in values.items():
            self._look(path, value, deep)
        self._spread()
        for ours in self.ours:
            copy.deepcopy(ours, self.memo)  # first: rows join the tables that are copied along
        maker = Maker(self.memo, self.needed)
        if self.rows:
            self._check_tables()
            for key, record in detach_rows(self.rows.values(), self.memo).items():
                self._check_edits(self.paths[key], self.rows[key], record)
                maker.remember(self.rows[key], record)
        self.ours, self.rows = [], {}
        return {path: maker.made(value) for path, value in values.items()}

    def _look(self, path: str, value: Any, deep: bool) -> None:
        """Note everything that is reached from `value`, and what of it has to be made anew."""
        waiting: list[tuple[str, Part, bool, int | None]] = [(path, Part("", value), deep, None)]
        while waiting:
            path, part, deep, parent = waiting.pop()
            value, key = part.value, id(part.value)
            if self._is_plain(value):
                continue
            if part.owner is not None:
                self._fix(part.owner)
                parent = id(part.owner)
            if parent is not None:
                self.parents.setdefault(key, set()).add(parent)
            if key in self.values and (not deep or key in self.unshared):
                continue
            self.paths.setdefault(key, path)
            self.values[key] = value
            if deep:
                self.unshared.add(key)
            if not self._is_leaf(path, value):
                deep = self._mark(value, deep)
                waiting += [(_joined(path, p.name), p, deep, key) for p in parts_of(value)]
                waiting += [(path, p, False, None) for path, p in self._of_classes(path, value)]

    def _is_plain(self, value: Any) -> bool:
        """Whether a value holds nothing: numbers, texts, and tuples of them."""
        return type(value) in ATOMS or (type(value) is tuple and ATOMS.issuperset(map(type, value)))

    def _is_leaf(self, path: str, value: Any) -> bool:
        """Whether `value` is copied, detached, refused or shared as a whole."""
        key = id(value)
        if key in self.memo:
            if self.memo[key] is not value:
                self._need(key)
            return True
        if type(value) in (types.FunctionType, types.CellType):
            return False
        if type(value).__module__.startswith(OURS) and self._is_ours(value):
            return True
        if is_orm_row(value):
            self._need(key)
            self.rows[key] = value
            return True
        found = refused(value)
        if found is not None:
            raise LXDetachError(
                f"{path} is {found}: a copy can't hold it. Read the data before, and let the function use the rows "
                "or plain values."
            )
        return isinstance(value, enum.Enum)

    def _is_ours(self, value: Any) -> bool:
        """Note an object of the modelling layer that is copied along."""
        if type(value) is not LXRecord and not hasattr(type(value), "__deepcopy__"):
            return False
        self._need(id(value))
        self.ours.append(value)
        return True

    def _mark(self, value: Any, deep: bool) -> bool:
        """Note a value that has to be made anew for its own sake, or never can be; say whether its parts are deep."""
        if isinstance(value, NEVER_COPIED) or is_opaque(value):
            self._fix(value)
            return False
        if isinstance(value, (types.FunctionType, types.CellType, *CALLABLES)):
            return False
        # a relation's collection of SQLAlchemy leads back to its live row
        if hasattr(value, "_sa_adapter") or (deep and not isinstance(value, (tuple, frozenset))):
            self._need(id(value))
        return deep

    def _need(self, key: int) -> None:
        if key not in self.needed:
            self.needed.add(key)
            self.fresh.append(key)

    def _fix(self, value: Any) -> None:
        self.fixed.add(id(value))
        self.values.setdefault(id(value), value)

    def _of_classes(self, path: str, value: Any) -> Iterator[tuple[str, Part]]:
        """Yield what a function may use of the classes of objects that were reached: what it names, and operators."""
        kind = type(value)
        if kind is types.FunctionType:
            fresh = names_in(value.__code__) - self.names
            self.names |= fresh
            found = self.unnamed if fresh else []
        else:
            made = value if isinstance(value, type) else kind
            if (made, kind) in self.classes or is_library(made.__module__) or is_orm_class(made):
                return
            self.classes.add((made, kind))
            found = [(name, f"{path} › .{name}", part) for name, part in of_class(made, is_called=made is value)]
            self.unnamed += found
        every = not self.names.isdisjoint(_ASK_BY_NAME)
        used = [entry for entry in found if every or entry[0] in self.names or _is_operator(*entry)]
        if used:
            taken = set(map(id, used))
            self.unnamed = [entry for entry in self.unnamed if id(entry) not in taken]
        yield from (entry[1:] for entry in used)

    # --- what follows from it ---------------------------------------------------------------

    def _spread(self) -> None:
        """Mark everything that leads to something that has to be made anew."""
        while self.fresh:
            key = self.fresh.pop()
            for parent in self.parents.get(key, ()):
                if parent in self.fixed:
                    raise LXDetachError(self._can_not_be_made(key, self.values[parent]))
                self._need(parent)

    def _can_not_be_made(self, key: int, parent: Any) -> str:
        if isinstance(parent, (type, types.ModuleType)):
            return (
                f"{self.paths[key]} holds a row of a database, and belongs to a class or module, which are never "
                "copied. Let the function hold the row itself, as a default or in its closure."
            )
        return (
            f"{self.paths[key]} is a row of a database in a {type(parent).__name__}, which can't be made anew with its "
            "record. Let the function hold it in a list, a dictionary or an object of your own."
        )

    def _check_tables(self) -> None:
        """Raise where rows of one model were detached into several tables: which of their records is meant?"""
        for row in self.rows.values():
            label = orm_label(row)
            if label not in registered_tables(self.memo) and len(self.memo.get(COPIED_TABLES, {}).get(label, ())) > 1:
                raise LXDetachError(
                    f"{self.paths[id(row)]} is a row of {label}, whose rows were detached more than once. Detach them "
                    "with one memo, or let the function hold the record that is meant."
                )

    def _check_edits(self, path: str, row: Any, record: LXRecord) -> None:
        """Raise where the record that a live row becomes was changed since it was detached."""
        edits = record._table.edits
        if not edits:
            return
        for name, value in held_values(row).items():
            if (record._position, name) in edits and getattr(record, name) != value:
                raise LXDetachError(
                    f"{path} is a live row whose {name} is {value!r}, but its detached record was changed to "
                    f"{getattr(record, name)!r}. Let the function hold the record, so that both say the same."
                )


def _joined(path: str, name: str) -> str:
    return f"{path}{name if path.endswith('›') or not name else f' › {name}'}"


def _is_operator(name: str, _: str, part: Part) -> bool:
    return name.startswith("__") and name.endswith("__") and isinstance(part.value, types.FunctionType)

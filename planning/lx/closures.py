"""Copies of functions that hold no row of a database.

What a function reaches (closures, defaults, globals, and what lies in them) is looked through first.
Only what leads to a row, or to something that is copied along, is made anew; the rest is shared.
"""

from __future__ import annotations

import copy
import dis
import enum
import functools
import io
import sys
import types
import weakref
from collections import UserDict, UserList, deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .detach import detach_rows, materialize_and_detach_list
from .errors import LXDetachError
from .orm import ATOMS, held_by, is_orm_row, shape_of
from .records import LXRecord, LXRows, LXTable

Children = Iterator[tuple[str, Any, bool]]  # where it stands, the value, and whether it must not be shared

_OURS = f"{__package__}."
_LIBRARIES = frozenset(sys.stdlib_module_names) | {
    "builtins", "numpy", "scipy", "pandas", "highspy", "pulp", "django", "sqlalchemy",
}  # fmt: skip
_KEPT_OPEN = (io.StringIO, io.BytesIO)
_BOUND = (types.BuiltinMethodType, types.MethodWrapperType)
_CALLABLES = (types.MethodType, *_BOUND, functools.partial, functools._lru_cache_wrapper)
_CONTAINERS = (list, tuple, deque, dict, types.MappingProxyType, set, frozenset, np.ndarray)
_OPEN_OBJECTS = (types.SimpleNamespace, UserDict, UserList)
_GLOBALS = "planning.lx globals"  # the memo's key for {id of a module's globals: the copies' own}
_LIVE = (  # what a type that can't be detached has
    (("prefetch_related", "using"), "a queryset or manager"),
    (("column_descriptions", "__iter__"), "a query"),
    (("commit", "rollback"), "a database session or connection"),
    (("execute", "executemany"), "a database cursor"),
    (("fetchone", "fetchall"), "a database cursor or result"),
    (("connect", "dispose"), "a database engine"),
    (("fileno",), "an open file or socket"),
    (("read", "close"), "an open file"),
)


def copy_function_detaching_closure(func: Any, memo: dict[Any, Any] | None = None) -> Any:
    """Return the function with detached records wherever it holds ORM rows; one that holds none, as it is.

    Looked through are closures, defaults, globals that it reads, partials, bound methods, callable
    objects and containers. With one `memo` a row is one record, and what was copied with the memo is
    replaced by its copy. Raises LXDetachError, with the way to it, for what can't be detached.
    """
    copier = _Copier({} if memo is None else memo)
    return copier.copied({getattr(func, "__qualname__", repr(func)): func}, deep=False).popitem()[1]


def copied_object(source: Any, memo: dict[Any, Any], **replaced: Any) -> Any:
    """Return a copy of an object of the modelling layer that shares nothing with it but functions that hold no rows."""
    made = object.__new__(type(source))
    memo[id(source)] = made
    attributes = {name: value for name, value in vars(source).items() if name not in replaced}
    copies = _Copier(memo).copied({f"{source!r} › .{name}": value for name, value in attributes.items()}, deep=True)
    vars(made).update(zip(attributes, copies.values(), strict=True))
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
    made._rows = _Copier(memo).copied({f"{family!r} › .rows": rows}, deep=True).popitem()[1]
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


class _Copier:
    """Looks through values first, then makes anew what leads to a row."""

    def __init__(self, memo: dict[Any, Any]) -> None:
        self.memo = memo
        self.paths: dict[int, str] = {}
        self.values: dict[int, Any] = {}  # alive, so that no id is given twice
        self.unshared: set[int] = set()
        self.parents: dict[int, set[int]] = {}
        self.needed: set[int] = set()
        self.fixed: set[int] = set()  # classes and modules, which are never copied
        self.rows: dict[int, Any] = {}
        self.ours: list[Any] = []

    def copied(self, values: Mapping[str, Any], *, deep: bool) -> dict[str, Any]:
        """Return the copies of named values. What is `deep` shares no container or object with its original."""
        for path, value in values.items():
            self._look(path, value, deep)
        self._spread()
        for ours in self.ours:
            copy.deepcopy(ours, self.memo)  # first: rows join the tables that are copied along
        if self.rows:
            records = detach_rows(self.rows.values(), self.memo)
            for key, record in records.items():
                self._check_edits(self.paths[key], self.rows[key], record)
                self._remember(self.rows[key], record)
        return {path: self._made(value) for path, value in values.items()}

    def _look(self, path: str, value: Any, deep: bool) -> None:
        """Note everything that is reached from `value`, and what of it has to be made anew."""
        waiting: list[tuple[str, Any, bool, int | None]] = [(path, value, deep, None)]
        while waiting:
            path, value, deep, parent = waiting.pop()
            if type(value) in ATOMS or (type(value) is tuple and ATOMS.issuperset(map(type, value))):
                continue
            key = id(value)
            if parent is not None:
                self.parents.setdefault(key, set()).add(parent)
            if key in self.values and (not deep or key in self.unshared):
                continue
            self.paths.setdefault(key, path)
            self.values[key] = value
            if deep:
                self.unshared.add(key)
            if not self._is_leaf(path, value):
                for name, child, child_deep in self._children(value, deep):
                    separated = name if path.endswith("›") or not name else f" › {name}"
                    waiting.append((f"{path}{separated}", child, child_deep, key))

    def _is_leaf(self, path: str, value: Any) -> bool:
        """Whether `value` is copied, detached, refused or shared as a whole."""
        key, kind = id(value), type(value)
        if key in self.memo:
            if self.memo[key] is not value:
                self.needed.add(key)
            return True
        if kind.__module__.startswith(_OURS) and (kind is LXRecord or hasattr(kind, "__deepcopy__")):
            self.needed.add(key)
            self.ours.append(value)
            return True
        if is_orm_row(value):
            self.needed.add(key)
            self.rows[key] = value
            return True
        refused = _refused(value)
        if refused is not None:
            raise LXDetachError(
                f"{path} is {refused}: a copy can't hold it. Read the data before, and let the function use the rows "
                "or plain values."
            )
        return isinstance(value, enum.Enum)

    def _spread(self) -> None:
        """Mark everything that leads to something that has to be made anew."""
        waiting = list(self.needed)
        while waiting:
            key = waiting.pop()
            for parent in self.parents.get(key, ()):
                if parent in self.fixed:
                    raise LXDetachError(
                        f"{self.paths[key]} holds a row of a database, and belongs to a class or module, which are "
                        "never copied. Let the function hold the row itself, as a default or in its closure."
                    )
                if parent not in self.needed:
                    self.needed.add(parent)
                    waiting.append(parent)

    def _check_edits(self, path: str, row: Any, record: LXRecord) -> None:
        """Raise where the record that a live row becomes was changed since it was detached."""
        edits = record._table.edits
        if not edits:
            return
        for name, value in held_by(row, shape_of(row)).values.items():
            if (record._position, name) in edits and getattr(record, name) != value:
                raise LXDetachError(
                    f"{path} is a live row whose {name} is {value!r}, but its detached record was changed to "
                    f"{getattr(record, name)!r}. Let the function hold the record, so that both say the same."
                )

    # --- looking ----------------------------------------------------------------------------

    def _children(self, value: Any, deep: bool) -> Children:
        """Yield what a value holds; note whether it has to be made anew for its own sake."""
        kind = type(value)
        if kind is types.FunctionType:
            yield from self._of_function(value)
        elif kind is types.CellType:
            if not _is_empty(value):
                yield "", value.cell_contents, False
        elif isinstance(value, _CALLABLES):
            yield from _of_callable(value)
        elif isinstance(value, weakref.ref):
            self.fixed.add(id(value))
            yield "weak reference", value(), False
        elif isinstance(value, (type, types.ModuleType)):
            self.fixed.add(id(value))
        elif isinstance(value, _CONTAINERS):
            yield from self._of_container(value, deep)
        else:
            yield from self._of_object(value, deep)

    def _of_function(self, function: types.FunctionType) -> Children:
        code, defaults = function.__code__, function.__defaults__ or ()
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            yield f"closure {name!r}", cell, False
        for name, value in zip(code.co_varnames[code.co_argcount - len(defaults) :], defaults, strict=False):
            yield f"default {name!r}", value, False
        for name, value in (function.__kwdefaults__ or {}).items():
            yield f"default {name!r}", value, False
        for name, value in vars(function).items():
            yield f".{name}", value, False
        if not _is_library(function.__module__):
            for name, is_global, attributes in _names_used(code):
                yield from self._of_name(function, name, is_global, attributes)

    def _of_name(
        self, function: types.FunctionType, name: str, is_global: bool, attributes: tuple[str, ...]
    ) -> Children:
        """Yield a global that a function reads, and what it reads of a class or module."""
        if is_global and name in function.__globals__:
            value, path = function.__globals__[name], f"global {name!r}"
            yield path, value, False
        elif not is_global and name in function.__code__.co_freevars and function.__closure__:
            cell = function.__closure__[function.__code__.co_freevars.index(name)]
            if _is_empty(cell):
                return
            value, path = cell.cell_contents, f"closure {name!r}"
        else:
            return
        for attribute in attributes:
            if isinstance(value, types.ModuleType) and _is_library(value.__name__) and "." not in value.__name__:
                return
            if not isinstance(value, (type, types.ModuleType)):
                return
            owner, value, path = value, getattr(value, attribute, None), f"{path} › .{attribute}"
            self.fixed.add(id(owner))
            self.values[id(owner)] = owner
            if type(value) not in ATOMS:
                self.parents.setdefault(id(value), set()).add(id(owner))
                yield path, value, False

    def _of_container(self, value: Any, deep: bool) -> Children:
        if (deep and not isinstance(value, (tuple, frozenset))) or hasattr(value, "_sa_adapter"):
            self.needed.add(id(value))  # a relation's collection of SQLAlchemy leads back to its live row
        if isinstance(value, (dict, types.MappingProxyType)):
            for name, part in value.items():
                yield "key", name, deep
                yield f"[{name!r}]", part, deep
        elif isinstance(value, np.ndarray):
            if value.dtype == object:
                for i, part in enumerate(value.ravel().tolist()):
                    yield f"[{i}]", part, deep
        elif not ATOMS.issuperset(map(type, value)):
            ordered = not isinstance(value, (set, frozenset))
            for i, part in enumerate(value):
                yield (f"[{i}]" if ordered else "item"), part, deep
        for name, part in _attributes(value).items():
            yield f".{name}", part, deep

    def _of_object(self, value: Any, deep: bool) -> Children:
        module = type(value).__module__
        if _is_library(module) and not (module.startswith(_OURS) or isinstance(value, _OPEN_OBJECTS)):
            return
        if deep:
            self.needed.add(id(value))
        if not _is_library(module):
            yield from self._of_class(value)
        for name, part in _attributes(value).items():
            yield f".{name}", part, deep

    def _of_class(self, value: Any) -> Children:
        """Yield the functions of an object's class, which may read what can't be replaced there."""
        for owner in type(value).__mro__:
            if _is_library(owner.__module__):
                continue
            self.fixed.add(id(owner))
            self.values[id(owner)] = owner
            for name, held in vars(owner).items():
                function = getattr(held, "__func__", getattr(held, "fget", held))
                if isinstance(function, types.FunctionType):
                    self.parents.setdefault(id(function), set()).add(id(owner))
                    yield f".{name}", function, False

    # --- making -----------------------------------------------------------------------------

    def _remember(self, value: Any, made: Any) -> Any:
        self.memo[id(value)] = made
        self.memo.setdefault(id(self.memo), []).append(value)  # kept alive, as deepcopy does
        return made

    def _made(self, value: Any) -> Any:
        """Return the copy of a value, or the value itself where nothing in it has to be made anew."""
        key = id(value)
        if key in self.memo and key in self.needed:
            return self.memo[key]
        if key not in self.needed or type(value) in ATOMS:
            return value
        kind = type(value)
        if kind is types.FunctionType:
            return self._made_function(value)
        if kind is types.CellType:
            cell = self._remember(value, types.CellType())
            cell.cell_contents = self._made(value.cell_contents)
            return cell
        if isinstance(value, _CALLABLES):
            return self._made_callable(value)
        return self._made_data(value)

    def _made_callable(self, value: Any) -> Any:
        if isinstance(value, types.MethodType):
            return types.MethodType(self._made(value.__func__), self._made(value.__self__))
        if isinstance(value, _BOUND):
            return getattr(self._made(value.__self__), value.__name__)
        if isinstance(value, functools.partial):
            named = {name: self._made(argument) for name, argument in value.keywords.items()}
            return type(value)(self._made(value.func), *map(self._made, value.args), **named)
        return functools.lru_cache(**value.cache_parameters())(self._made(value.__wrapped__))

    def _made_function(self, function: types.FunctionType) -> types.FunctionType:
        cells = function.__closure__
        made_cells = None if cells is None else tuple(self._shell(cell) for cell in cells)
        replaced = [] if _is_library(function.__module__) else self._replaced_globals(function)
        held = function.__globals__
        if replaced:
            held = self.memo.setdefault(_GLOBALS, {}).setdefault(id(held), dict(held))
        made = types.FunctionType(function.__code__, held, function.__name__, None, made_cells)
        self._remember(function, made)
        for name in replaced:
            held[name] = self._made(function.__globals__[name])
        if cells is not None and made_cells is not None:
            for cell, made_cell in zip(cells, made_cells, strict=True):
                if made_cell is not cell and _is_empty(made_cell):
                    made_cell.cell_contents = self._made(cell.cell_contents)
        if function.__defaults__ is not None:
            made.__defaults__ = tuple(map(self._made, function.__defaults__))
        if function.__kwdefaults__ is not None:
            made.__kwdefaults__ = {name: self._made(value) for name, value in function.__kwdefaults__.items()}
        for name in ("__module__", "__qualname__", "__doc__", "__annotations__"):
            setattr(made, name, getattr(function, name))
        vars(made).update({name: self._made(value) for name, value in vars(function).items()})
        return made

    def _shell(self, cell: types.CellType) -> types.CellType:
        """Return the cell that takes the place of `cell`; it is filled when the function is there."""
        if id(cell) not in self.needed:
            return cell
        if id(cell) not in self.memo:
            self._remember(cell, types.CellType())
        found: types.CellType = self.memo[id(cell)]
        return found

    def _replaced_globals(self, function: types.FunctionType) -> list[str]:
        held = function.__globals__
        used = dict.fromkeys(name for name, is_global, _ in _names_used(function.__code__) if is_global)
        return [name for name in used if name in held and id(held[name]) in self.needed]

    def _made_data(self, value: Any) -> Any:
        kind = type(value)
        if isinstance(value, (tuple, frozenset)):
            parts = [self._made(part) for part in value]
            if id(value) in self.memo:  # a circle has made it already
                return self.memo[id(value)]
            return self._remember(value, kind._make(parts) if hasattr(kind, "_make") else kind(parts))
        if isinstance(value, types.MappingProxyType):
            return types.MappingProxyType({self._made(name): self._made(part) for name, part in value.items()})
        if hasattr(value, "_sa_adapter"):
            plain = next(base for base in (list, dict, set) if isinstance(value, base))
            return self._filled(self._remember(value, plain()), value)
        made = self._filled(self._remember(value, copy.copy(value)), value)
        for name, part in _attributes(value).items():
            replaced = self._made(part)
            if replaced is not part:
                object.__setattr__(made, name, replaced)
        return made

    def _filled(self, made: Any, value: Any) -> Any:
        """Return `made` with the copies of the parts of the container `value`; any other object as it is."""
        if isinstance(value, np.ndarray):
            if value.dtype == object:
                made.ravel()[:] = np.fromiter(map(self._made, value.ravel().tolist()), dtype=object, count=value.size)
        elif isinstance(value, dict):
            made.clear()
            made.update({self._made(name): self._made(part) for name, part in value.items()})
        elif isinstance(value, (list, deque)):
            made.clear()
            made.extend([self._made(part) for part in value])
        elif isinstance(value, set):
            made.clear()
            made.update([self._made(part) for part in value])
        return made


def _of_callable(value: Any) -> Children:
    """Yield what a bound method, a partial or a cached function holds."""
    if isinstance(value, types.MethodType):
        yield "self", value.__self__, False
        yield "function", value.__func__, False
    elif isinstance(value, _BOUND):
        if value.__self__ is not None and not isinstance(value.__self__, (types.ModuleType, type)):
            yield "self", value.__self__, False
    elif isinstance(value, functools.partial):
        yield "function", value.func, False
        for i, argument in enumerate(value.args):
            yield f"argument {i}", argument, False
        for name, argument in value.keywords.items():
            yield f"argument {name!r}", argument, False
    else:
        yield "function", value.__wrapped__, False


def _is_library(module: str | None) -> bool:
    """Whether a module is none of the modeller's own."""
    return module is not None and (module.partition(".")[0] in _LIBRARIES or module.startswith(_OURS))


def _is_empty(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return True
    return False


def _attributes(value: Any) -> dict[str, Any]:
    """Return what an object holds in its `__dict__` and its slots."""
    found = dict(getattr(value, "__dict__", {}))
    for owner in type(value).__mro__:
        slots = vars(owner).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                found[name] = getattr(value, name)
    return found


def _refused(value: Any) -> str | None:
    """Return what a value is that no copy can hold, or None."""
    kind = type(value)
    if isinstance(value, (type, types.ModuleType, *_KEPT_OPEN)):
        return None
    if isinstance(value, (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)):
        return "a generator"
    if kind.__module__ == "django.utils.connection":
        return "a database connection"
    if any(value is stream for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return None
    if isinstance(value, io.IOBase) or kind.__module__ == "tempfile":
        return "an open file"
    for names, what in _LIVE:
        if all(hasattr(kind, name) for name in names):
            return f"{what} ({kind.__name__})"
    return None


@functools.lru_cache(maxsize=4096)
def _names_used(code: types.CodeType) -> tuple[tuple[str, bool, tuple[str, ...]], ...]:
    """Return the names that a function reads from outside: each, whether it is global, and what is read of it."""
    found: list[tuple[str, bool, tuple[str, ...]]] = []
    name, is_global = "", False
    attributes: list[str] = []
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD") and name:
            attributes.append(str(step.argval))
        elif step.opname not in ("CACHE", "EXTENDED_ARG", "PRECALL", "PUSH_NULL"):
            if name:
                found.append((name, is_global, tuple(attributes)))
            is_global = step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
            name = str(step.argval) if is_global or step.opname in ("LOAD_DEREF", "LOAD_CLASSDEREF") else ""
            attributes = []
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found.extend(_names_used(constant))
    return tuple(dict.fromkeys(found))

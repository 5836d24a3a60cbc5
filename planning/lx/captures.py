"""What functions, containers and objects hold, each part with the way to it, and what of it no copy can hold."""

from __future__ import annotations

import dis
import functools
import gc
import io
import sys
import types
import weakref
from collections import UserDict, UserList, defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from .gate import is_filled
from .orm import ATOMS, is_orm_row


class Part(NamedTuple):
    """A part of a value: the way to it, the part, and the class or module that it belongs to, if any."""

    name: str
    value: Any
    owner: Any = None


OURS = f"{__package__}."
LIBRARIES = frozenset(sys.stdlib_module_names) | {
    "builtins", "numpy", "scipy", "pandas", "highspy", "pulp", "django", "sqlalchemy",
}  # fmt: skip
BOUND = (types.BuiltinMethodType, types.MethodWrapperType)
CALLABLES = (types.MethodType, *BOUND, functools.partial, functools._lru_cache_wrapper)
MAPPINGS = (dict, types.MappingProxyType)
CONTAINERS = (list, tuple, deque, *MAPPINGS, set, frozenset, np.ndarray)
NEVER_COPIED = (type, types.ModuleType, weakref.ref)
_OPEN_OBJECTS = (types.SimpleNamespace, UserDict, UserList)
_KEPT_OPEN = (io.StringIO, io.BytesIO)
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
_OPAQUE_LIMIT = 10_000  # objects that are looked at inside one of a library
_NEAR = 2  # steps from such an object to its attributes


def is_library(module: str | None) -> bool:
    """Whether a module is none of the modeller's own."""
    return module is not None and (module.partition(".")[0] in LIBRARIES or module.startswith(OURS))


def refused(value: Any) -> str | None:
    """Return what a value is that no copy can hold, or None."""
    kind = type(value)
    if isinstance(value, (type, types.ModuleType, *_KEPT_OPEN)):
        return None
    if isinstance(value, (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)):
        return "a generator"
    if kind.__module__ == "django.utils.connection":
        return "a database connection"
    if kind.__module__ == "django.utils.functional" and hasattr(kind, "_setup"):
        return "an object that is made when it is used"
    if any(value is stream for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return None
    if isinstance(value, io.IOBase) or kind.__module__ == "tempfile":
        return "an open file"
    for names, what in _LIVE:
        if all(hasattr(kind, name) for name in names):
            return f"{what} ({kind.__name__})"
    return None


# --- values -----------------------------------------------------------------------------------


def are_atoms(parts: Collection[Any], known: frozenset[type] = ATOMS) -> bool:
    """Whether the parts are numbers, texts and the like, or tuples of them; decided without a loop in Python."""
    kinds = set(map(type, parts))
    if kinds <= known:
        return True
    if not kinds <= known | {tuple}:
        return False
    tuples = parts if kinds == {tuple} else (part for part in parts if type(part) is tuple)
    return known.issuperset(map(type, chain.from_iterable(tuples)))


def are_plain(objects: Sequence[Any]) -> bool:
    """Whether the objects are of one class of the modeller's own and hold nothing but numbers, texts and the like."""
    kinds = set(map(type, objects))
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind is None or is_library(kind.__module__) or issubclass(kind, (list, dict, set, frozenset, deque, np.ndarray)):
        return False
    held: list[Iterable[Any]] = [map(attrgetter(name), objects) for name in _slots(kind)]
    if issubclass(kind, tuple):
        held.append(chain.from_iterable(objects))
    if hasattr(objects[0], "__dict__"):
        held.append(chain.from_iterable(vars(value).values() for value in objects))
    try:
        return ATOMS.issuperset(map(type, chain.from_iterable(held)))
    except AttributeError:  # a slot that has no value
        return False


def _slots(kind: type) -> Iterator[str]:
    for owner in kind.__mro__:
        slots = vars(owner).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if not name.startswith("__"):
                yield name
            elif not name.endswith("__"):
                yield f"_{owner.__name__.lstrip('_')}{name}"  # as Python names what is private


def attributes(value: Any) -> dict[str, Any]:
    """Return what an object holds in its `__dict__` and its slots."""
    found = dict(getattr(value, "__dict__", {}))
    return found | {name: getattr(value, name) for name in _slots(type(value)) if hasattr(value, name)}


def parts_of(value: Any) -> Iterator[Part]:
    """Yield what a value holds: a function, a cell, a container or an object; for a class only what is asked of it."""
    if type(value) is types.FunctionType:
        yield from _of_function(value)
    elif type(value) is types.CellType:
        if is_filled(value):
            yield Part("", value.cell_contents)
    elif isinstance(value, CALLABLES):
        yield from _of_callable(value)
    elif isinstance(value, weakref.ref):
        yield Part("weak reference", value(), value)
    elif isinstance(value, CONTAINERS):
        yield from _of_container(value)
    elif not isinstance(value, NEVER_COPIED):
        yield from _of_object(value)


def _of_container(value: Any) -> Iterator[Part]:
    if isinstance(value, MAPPINGS):
        if not (are_atoms(value.keys()) and are_atoms(value.values())):
            for name, part in value.items():
                yield Part("key", name)
                yield Part(f"[{name!r}]", part)
    elif isinstance(value, np.ndarray):
        if value.dtype == object:
            yield from (Part(f"[{i}]", part) for i, part in enumerate(value.ravel().tolist()))
    elif not are_atoms(value):
        ordered = not isinstance(value, (set, frozenset))
        yield from (Part(f"[{i}]" if ordered else "item", part) for i, part in enumerate(value))
    if isinstance(value, defaultdict):
        yield Part(".default_factory", value.default_factory)
    yield from (Part(f".{name}", part) for name, part in attributes(value).items())


def is_opaque(value: Any) -> bool:
    """Whether a value is an object of a library, which is not looked into by name and never made anew."""
    kinds = (types.FunctionType, types.CellType, *CALLABLES, *CONTAINERS, *NEVER_COPIED, *_OPEN_OBJECTS)
    return (
        is_library(type(value).__module__)
        and not type(value).__module__.startswith(OURS)
        and not isinstance(value, kinds)
    )


def _of_object(value: Any) -> Iterator[Part]:
    if is_opaque(value):
        is_result = isinstance(value, Sequence) and hasattr(value, "_fields")  # what SQLAlchemy's queries give
        yield from (Part("", part, value) for part in (value if is_result else _live_inside(value)))
        return
    yield from (Part(f".{name}", part) for name, part in attributes(value).items())


def _live_inside(value: Any) -> Iterator[Any]:
    """Yield what is live in an object of a library: a row that it leads to, or a queryset or session near to it."""
    if type(value).__module__.partition(".")[0] == "logging":
        return  # loggers lead to all others
    seen, waiting = {id(value)}, deque([(value, 0)])
    while waiting and len(seen) < _OPAQUE_LIMIT:
        held, depth = waiting.popleft()
        for part in (*gc.get_referents(held), *_unseen(held)):
            if type(part) in ATOMS or id(part) in seen or isinstance(part, (type, types.ModuleType, types.CodeType)):
                continue
            if is_orm_row(part) or (depth < _NEAR and refused(part) is not None):
                yield part
                return
            seen.add(id(part))
            if isinstance(part, types.FunctionType):
                waiting.extend((one, depth) for one in (*(part.__closure__ or ()), *(part.__defaults__ or ())))
            elif not isinstance(part, types.FrameType):
                waiting.append((part, depth + 1))


def _unseen(value: Any) -> list[Any]:
    """Return what a value leads to but does not tell the garbage collector."""
    if isinstance(value, weakref.ref):
        return [value()]
    return value.ravel().tolist() if isinstance(value, np.ndarray) and value.dtype == object else []


# --- functions --------------------------------------------------------------------------------


def _of_function(function: types.FunctionType) -> Iterator[Part]:
    code, defaults = function.__code__, function.__defaults__ or ()
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        yield Part(f"closure {name!r}", cell)
    for name, value in zip(code.co_varnames[code.co_argcount - len(defaults) :], defaults, strict=False):
        yield Part(f"default {name!r}", value)
    for name, value in (function.__kwdefaults__ or {}).items():
        yield Part(f"default {name!r}", value)
    for name, value in vars(function).items():
        yield Part(f".{name}", value)
    if not is_library(function.__module__):
        for name, is_global, read in names_used(code):
            yield from _of_name(function, name, is_global, read)


def _of_name(function: types.FunctionType, name: str, is_global: bool, read: tuple[str, ...]) -> Iterator[Part]:
    """Yield a global that a function reads, and what it reads of a class or module."""
    if is_global and name in function.__globals__:
        value, path = function.__globals__[name], f"global {name!r}"
        yield Part(path, value)
    elif not is_global and name in function.__code__.co_freevars and function.__closure__:
        cell = function.__closure__[function.__code__.co_freevars.index(name)]
        if not is_filled(cell):
            return
        value, path = cell.cell_contents, f"closure {name!r}"
    else:
        return
    for attribute in read:
        if isinstance(value, types.ModuleType) and is_library(value.__name__) and "." not in value.__name__:
            return
        if not isinstance(value, (type, types.ModuleType)):
            return
        owner, value, path = value, getattr(value, attribute, None), f"{path} › .{attribute}"
        if type(value) not in ATOMS:
            yield Part(path, value, owner)


def _of_callable(value: Any) -> Iterator[Part]:
    """Yield what a bound method, a partial or a cached function holds."""
    if isinstance(value, types.MethodType):
        yield Part("self", value.__self__)
        yield Part("function", value.__func__)
    elif isinstance(value, BOUND):
        if value.__self__ is not None and not isinstance(value.__self__, (types.ModuleType, type)):
            yield Part("self", value.__self__)
    elif isinstance(value, functools.partial):
        yield Part("function", value.func)
        yield from (Part(f"argument {i}", argument) for i, argument in enumerate(value.args))
        yield from (Part(f"argument {name!r}", argument) for name, argument in value.keywords.items())
    else:
        yield Part("function", value.__wrapped__)
        yield from (Part("cache", part) for part in _live_inside(value))


def is_orm_class(kind: type) -> bool:
    """Whether a class is one whose instances are rows."""
    return hasattr(kind, "_meta") or hasattr(kind, "__mapper__")


def of_class(kind: type, *, is_called: bool) -> Iterator[tuple[str, Part]]:
    """Yield what a class of the modeller's own holds, by name: its functions and its values.

    None of them can be replaced in a copy. `__init__` belongs to it where the class itself may be
    called; for an object it has run before.
    """
    for owner in kind.__mro__:
        if is_library(owner.__module__):
            continue
        for name, held in vars(owner).items():
            found = getattr(held, "__func__", getattr(held, "fget", getattr(held, "func", held)))
            if (
                (is_called or name != "__init__")
                and type(found) not in ATOMS
                and not isinstance(found, types.MemberDescriptorType)
            ):
                yield name, Part(f".{name}", found, owner)


@functools.lru_cache(maxsize=4096)
def names_used(code: types.CodeType) -> tuple[tuple[str, bool, tuple[str, ...]], ...]:
    """Return the names that a function reads from outside: each, whether it is global, and what is read of it."""
    found: list[tuple[str, bool, tuple[str, ...]]] = []
    name, is_global = "", False
    read: list[str] = []
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD") and name:
            read.append(str(step.argval))
        elif step.opname not in ("CACHE", "EXTENDED_ARG", "PRECALL", "PUSH_NULL"):
            if name:
                found.append((name, is_global, tuple(read)))
            is_global = step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
            name = str(step.argval) if is_global or step.opname in ("LOAD_DEREF", "LOAD_CLASSDEREF") else ""
            read = []
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found.extend(names_used(constant))
    return tuple(dict.fromkeys(found))

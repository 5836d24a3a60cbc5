"""Making values anew: each part that leads to a row is replaced, everything else is shared."""

from __future__ import annotations

import copy
import functools
import types
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

import numpy as np

from .captures import BOUND, CALLABLES, attributes, is_library, names_used
from .errors import LXDetachError
from .gate import is_filled
from .orm import ATOMS


class Globals(dict[str, Any]):
    """A module's globals with some replaced; the others are read from the module when they are used, as ever."""

    def __init__(self, original: dict[str, Any]) -> None:
        super().__init__()
        self._original = original
        self["__builtins__"] = original.get("__builtins__", __builtins__)

    def __missing__(self, name: str) -> Any:
        return self._original[name]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self._original


class Maker:
    """Makes the values anew whose ids are `needed`, each once: a copy of `deepcopy`'s kind, by the same memo."""

    def __init__(self, memo: dict[Any, Any], needed: set[int]) -> None:
        self.memo = memo
        self.needed = needed

    def remember(self, value: Any, made: Any) -> Any:
        """Let `made` stand for `value` from here on."""
        self.memo[id(value)] = made
        self.memo.setdefault(id(self.memo), []).append(value)  # kept alive, as deepcopy does
        return made

    def made(self, value: Any) -> Any:
        """Return the copy of a value, or the value itself where nothing in it has to be made anew."""
        key, kind = id(value), type(value)
        if key not in self.needed or kind in ATOMS:
            return value
        if key in self.memo:
            return self.memo[key]
        if kind is types.FunctionType:
            return self._function(value)
        if kind is types.CellType:
            cell = self.remember(value, types.CellType())
            cell.cell_contents = self.made(value.cell_contents)
            return cell
        if isinstance(value, CALLABLES):
            return self._callable(value)
        return self._data(value)

    def _callable(self, value: Any) -> Any:
        if isinstance(value, types.MethodType):
            return types.MethodType(self.made(value.__func__), self.made(value.__self__))
        if isinstance(value, BOUND):
            return getattr(self.made(value.__self__), value.__name__)
        if isinstance(value, functools.partial):
            named = {name: self.made(argument) for name, argument in value.keywords.items()}
            return type(value)(self.made(value.func), *map(self.made, value.args), **named)
        return functools.lru_cache(**value.cache_parameters())(self.made(value.__wrapped__))

    def _function(self, function: types.FunctionType) -> types.FunctionType:
        cells = function.__closure__
        made_cells = None if cells is None else tuple(self._shell(cell) for cell in cells)
        replaced = [] if is_library(function.__module__) else self._replaced_globals(function)
        held = Globals(function.__globals__) if replaced else function.__globals__
        made = types.FunctionType(function.__code__, held, function.__name__, None, made_cells)
        self.remember(function, made)
        for name in replaced:
            held[name] = self.made(function.__globals__[name])
        if cells is not None and made_cells is not None:
            for cell, made_cell in zip(cells, made_cells, strict=True):
                if made_cell is not cell and not is_filled(made_cell):
                    made_cell.cell_contents = self.made(cell.cell_contents)
        if function.__defaults__ is not None:
            made.__defaults__ = tuple(map(self.made, function.__defaults__))
        if function.__kwdefaults__ is not None:
            made.__kwdefaults__ = {name: self.made(value) for name, value in function.__kwdefaults__.items()}
        for name in ("__module__", "__qualname__", "__doc__", "__annotations__"):
            setattr(made, name, getattr(function, name))
        vars(made).update({name: self.made(value) for name, value in vars(function).items()})
        return made

    def _shell(self, cell: types.CellType) -> types.CellType:
        """Return the cell that takes the place of `cell`; it is filled when the function is there."""
        if id(cell) not in self.needed:
            return cell
        if id(cell) not in self.memo:
            self.remember(cell, types.CellType())
        found: types.CellType = self.memo[id(cell)]
        return found

    def _replaced_globals(self, function: types.FunctionType) -> list[str]:
        held = function.__globals__
        used = dict.fromkeys(name for name, is_global, _ in names_used(function.__code__) if is_global)
        return [name for name in used if name in held and id(held[name]) in self.needed]

    def _data(self, value: Any) -> Any:
        kind = type(value)
        if isinstance(value, (tuple, frozenset)):
            parts = [self.made(part) for part in value]
            if id(value) in self.memo:  # a circle has made it already
                return self.memo[id(value)]
            return self.remember(value, kind._make(parts) if hasattr(kind, "_make") else kind(parts))
        if isinstance(value, types.MappingProxyType):
            return types.MappingProxyType({self.made(name): self.made(part) for name, part in value.items()})
        if hasattr(value, "_sa_adapter"):
            plain = next(base for base in (list, dict, set) if isinstance(value, base))
            return _filled(self.remember(value, plain()), value, self.made)
        made = _filled(self.remember(value, copy.copy(value)), value, self.made)
        for name, part in attributes(value).items():
            replaced = self.made(part)
            if replaced is not part:
                object.__setattr__(made, name, replaced)
        return made


def _filled(made: Any, value: Any, part_of: Callable[[Any], Any]) -> Any:
    """Return `made` with the copies of the parts of the container `value`; any other object as it is."""
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            parts = map(part_of, value.ravel().tolist())
            made[...] = np.fromiter(parts, dtype=object, count=value.size).reshape(value.shape)
    elif isinstance(value, dict):
        made.clear()
        made.update({part_of(name): part_of(part) for name, part in value.items()})
        if len(made) != len(value):
            raise LXDetachError("A dictionary has the same row of a database as a key twice. Keep one of them.")
        if isinstance(value, defaultdict):
            made.default_factory = part_of(value.default_factory)
    elif isinstance(value, (list, deque)):
        made.clear()
        made.extend([part_of(part) for part in value])
    elif isinstance(value, set):
        made.clear()
        made.update([part_of(part) for part in value])
    return made

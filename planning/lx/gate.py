"""Which functions are plain: calculations and choices that may be made for whole columns.

Instructions are told by name, as Python 3.11 to 3.14 have them. One that is not known proves nothing.
"""

from __future__ import annotations

import dis
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_STRAIGHT = {
    "LOAD_FAST",
    "LOAD_FAST_BORROW",
    "LOAD_FAST_LOAD_FAST",
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW",
    "STORE_FAST_LOAD_FAST",
    "STORE_FAST",
    "STORE_FAST_STORE_FAST",
    "LOAD_ATTR",
    "LOAD_CONST",
    "LOAD_SMALL_INT",
    "LOAD_DEREF",
    "LOAD_GLOBAL",
    "BINARY_OP",
    "BUILD_TUPLE",
    "UNARY_NEGATIVE",
    "COPY",
    "SWAP",
    "POP_TOP",
    "RETURN_VALUE",
    "RETURN_CONST",
    "RESUME",
    "COPY_FREE_VARS",
    "CACHE",
    "NOP",
    "EXTENDED_ARG",
}
_CHOICES = {  # jumps lead forward only: a loop has one that is not named here
    "COMPARE_OP",
    "IS_OP",
    "UNARY_NOT",
    "TO_BOOL",
    "NOT_TAKEN",
    "JUMP_FORWARD",
    "JUMP_IF_FALSE_OR_POP",
    "JUMP_IF_TRUE_OR_POP",
    *(f"POP_JUMP_{way}IF_{test}" for way in ("", "FORWARD_") for test in ("TRUE", "FALSE", "NONE", "NOT_NONE")),
}
_ARITHMETIC = {"+", "-", "*", "/", "+=", "-=", "*=", "/="}
_PLAIN_VALUES = {int, float, bool, str, type(None)}
_TAKES_MORE, _RUNS_LATER = 0x04 | 0x08, 0x20 | 0x80 | 0x100 | 0x200  # *args and **kwargs; generators and coroutines


@dataclass(frozen=True)
class Plain:
    """A function that is made of loads, + - * /, negation, tuples and choices, and what it holds."""

    chooses: bool
    holds_records: bool


def plainness(function: Any, arguments: int, record: type) -> Plain | None:
    """Return what a plain function of so many rows holds; None for one that is not plain.

    All that it holds is exactly a number, a text, True, False, None, or a `record`.
    """
    if type(function) is not types.FunctionType:
        return None
    body = _plain_body(function.__code__)
    captured = list(function.__defaults__ or ())
    if body is None or function.__code__.co_argcount != arguments + len(captured):
        return None
    chooses, names = body
    if not all(name in function.__globals__ for name in names):
        return None
    captured += [function.__globals__[name] for name in names]
    for cell in function.__closure__ or ():
        if not is_filled(cell):
            return None
        captured.append(cell.cell_contents)
    kinds = set(map(type, captured))
    return Plain(chooses, record in kinds) if kinds <= _PLAIN_VALUES | {record} else None


@lru_cache(maxsize=1024)
def _plain_body(code: types.CodeType) -> tuple[bool, tuple[str, ...]] | None:
    """Return whether plain code makes choices, and the globals that it reads; None for code that is not plain."""
    if code.co_flags & (_TAKES_MORE | _RUNS_LATER) or code.co_kwonlyargcount:
        return None
    names: list[str] = []
    found: set[str] = set()
    after_none = False
    for step in dis.get_instructions(code):
        name = step.opname
        found.add(name)
        if name not in _STRAIGHT and name not in _CHOICES:
            return None
        if name == "BINARY_OP" and step.argrepr not in _ARITHMETIC:
            return None
        if name == "IS_OP" and (not after_none or step.is_jump_target):
            return None  # a row's own None is known; of anything else there is one for all rows
        if name in ("LOAD_CONST", "RETURN_CONST") and type(step.argval) not in _PLAIN_VALUES:
            return None
        if name == "LOAD_ATTR" and str(step.argval).startswith("_"):
            return None
        if name == "LOAD_GLOBAL":
            names.append(str(step.argval))
        after_none = name == "LOAD_CONST" and step.argval is None
    if {"COMPARE_OP", "BUILD_TUPLE"} <= found:
        return None  # tuples compare what is identical without asking
    return not _CHOICES.isdisjoint(found), tuple(names)


def with_replaced(function: Any, replace: Callable[[Any], Any]) -> Any:
    """Return the function with all that it holds replaced."""
    code = function.__code__
    held = {name: replace(function.__globals__[name]) for name in code.co_names if name in function.__globals__}
    cells = tuple(types.CellType(replace(cell.cell_contents)) for cell in function.__closure__ or ())
    defaults = tuple(map(replace, function.__defaults__ or ()))
    return types.FunctionType(code, held, function.__name__, defaults or None, cells or None)


def is_filled(cell: types.CellType) -> bool:
    """Whether a cell of a closure holds anything yet."""
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def names_in(code: types.CodeType) -> frozenset[str]:
    """Return the names of globals and attributes in the code, and in that of functions that it makes."""
    nested = (names_in(constant) for constant in code.co_consts if isinstance(constant, types.CodeType))
    return frozenset(code.co_names).union(*nested)

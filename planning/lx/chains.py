"""What a function does with its rows, as far as its instructions tell: which fields it reads, one of the other.

The instructions are followed with a stack on which the rows and what is read of them are marked. Where
an instruction is not known, or leads elsewhere, nothing marked may be on the stack but what was read.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Iterable
from typing import Any, NamedTuple

from .gate import is_filled, names_in

Chain = tuple[str, ...]  # fields, each read of the one before: ("machine", "hours") for r.machine.hours

_LAST_KNOWN = (3, 14)  # Python's instructions were looked through up to here
_RUNS_LATER = 0x20 | 0x80 | 0x100 | 0x200  # generators and coroutines
_SEE_LOCALS = {"locals", "eval", "exec", "vars", "dir", "super"}
_LOADS = {"LOAD_FAST", "LOAD_FAST_BORROW", "LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"}
_GIVES_ONE = {  # of so many values on the stack
    "LOAD_CONST": 0,
    "LOAD_SMALL_INT": 0,
    "UNARY_NEGATIVE": 1,
    "UNARY_NOT": 1,
    "TO_BOOL": 1,
    "BINARY_OP": 2,
    "COMPARE_OP": 2,
    "BINARY_SUBSCR": 2,
}
_SILENT = {"RESUME", "PRECALL", "PUSH_NULL", "CACHE", "NOP", "EXTENDED_ARG", "COPY_FREE_VARS"}
_DEEPEST = 3  # functions that are called by functions


class _Read(NamedTuple):
    """What was read of an argument; the argument itself where the chain is empty."""

    argument: str
    chain: Chain


class _Held(NamedTuple):
    """A value that the function holds: a global, or a variable of its closure."""

    name: str
    is_global: bool


class _Passed(NamedTuple):
    """What is passed on to a function that is held, as its argument of that number."""

    read: _Read
    to: _Held
    number: int


class _Escapes(Exception):
    """The function does more with an argument than read fields of it and pass it on."""


def chains_read(function: Any, arguments: int) -> tuple[frozenset[Chain], ...] | None:
    """Return what a function reads of each of its first arguments; None where it may do anything else with one."""
    try:
        return tuple(frozenset(_chains(function, number, 0)) for number in range(arguments))
    except _Escapes:
        return None


def _chains(function: Any, number: int, depth: int) -> set[Chain]:
    """Return what a function, and what it passes it on to, reads of an argument; raises _Escapes."""
    if type(function) is functools.partial:
        function, number = function.func, number + len(function.args)
    if type(function) is types.MethodType:
        function, number = function.__func__, number + 1
    if type(function) is not types.FunctionType or depth > _DEEPEST:
        raise _Escapes
    uses = _uses(function.__code__, number)
    if uses is None:
        raise _Escapes
    found = {read.chain for read in uses if isinstance(read, _Read)}
    for passed in uses:
        if isinstance(passed, _Passed):
            try:
                chains = _chains(_value(function, passed.to), passed.number, depth + 1)
                found |= {passed.read.chain + chain for chain in chains}
            except _Escapes:
                if not passed.read.chain:
                    raise
                found.add(passed.read.chain)  # the record that the relation leads to
    return found


def _value(function: types.FunctionType, held: _Held) -> Any:
    if held.is_global:
        return function.__globals__.get(held.name)
    if held.name not in function.__code__.co_freevars:
        return None  # a variable of its own, which functions within it see
    cell = (function.__closure__ or ())[function.__code__.co_freevars.index(held.name)]
    return cell.cell_contents if is_filled(cell) else None


@functools.lru_cache(maxsize=1024)
def _uses(code: types.CodeType, number: int) -> frozenset[_Read | _Passed] | None:
    """Return what the code reads and passes on of its argument `number`; None where it may do anything else with it."""
    if (
        sys.version_info[:2] > _LAST_KNOWN
        or code.co_argcount <= number
        or code.co_flags & _RUNS_LATER
        or not _SEE_LOCALS.isdisjoint(code.co_names)
        or code.co_varnames[number] in code.co_cellvars
    ):
        return None
    followed = _Followed(code.co_varnames[number])
    try:
        for step in dis.get_instructions(code):
            followed.step(step)
    except _Escapes:
        return None
    return frozenset(followed.uses)


class _Followed:
    """The stack of a function while its instructions are followed, and what it did with the argument."""

    def __init__(self, argument: str) -> None:
        self.argument = argument
        self.uses: set[_Read | _Passed] = set()
        self._stack: list[Any] = []  # what is below is not known
        self._has_keywords = False

    def step(self, step: dis.Instruction) -> None:
        """Follow an instruction."""
        name, given = step.opname, step.argval
        if step.is_jump_target:
            self._forget()
        if name in _SILENT:
            return
        if name in _LOADS:
            for loaded in given if isinstance(given, tuple) else (given,):
                self._stack.append(_Read(loaded, ()) if loaded == self.argument else None)
        elif name == "STORE_FAST_LOAD_FAST" and given[0] != self.argument:
            self._use(self._taken(1))
            self._stack.append(_Read(given[1], ()) if given[1] == self.argument else None)
        elif name in ("LOAD_ATTR", "LOAD_METHOD"):
            read = self._stack.pop() if self._stack else None
            self._stack.append(read._replace(chain=(*read.chain, given)) if isinstance(read, _Read) else None)
        elif name in ("LOAD_GLOBAL", "LOAD_DEREF"):
            self._stack.append(_Held(given, name == "LOAD_GLOBAL"))
        elif name in _GIVES_ONE:
            self._use(self._taken(_GIVES_ONE[name]))
            self._stack.append(None)
        elif name == "KW_NAMES":
            self._has_keywords = True
        elif name == "CALL":
            self._call(int(step.arg or 0))
        elif step.opcode in dis.hasname or not self._names_argument(given):
            self._forget()
        else:
            raise _Escapes

    def _names_argument(self, given: Any) -> bool:
        return bool(self.argument in given if isinstance(given, tuple) else given == self.argument)

    def _taken(self, count: int) -> list[Any]:
        """Take so many values from the stack; return those that are known."""
        known = self._stack[-count:] if count else []
        del self._stack[len(self._stack) - len(known) :]
        return known

    def _use(self, values: Iterable[Any]) -> None:
        """Note what is used: of the argument only what was read of it may be."""
        for value in values:
            if isinstance(value, _Read):
                if not value.chain:
                    raise _Escapes
                self.uses.add(value)

    def _call(self, count: int) -> None:
        """Follow a call with so many arguments."""
        taken = self._taken(count + 1)
        called = taken[0] if len(taken) > count and not self._has_keywords else None
        for number, value in enumerate(taken, -1):
            if isinstance(value, _Read) and isinstance(called, _Held):
                self.uses.add(_Passed(value, called, number))
            else:
                self._use([value])
        self._has_keywords = False
        self._stack.append(None)

    def _forget(self) -> None:
        """Whatever may become of the values on the stack."""
        self._use(self._stack)
        self._stack.clear()


def names_read(function: Any) -> frozenset[str]:
    """Return the names that a function, and the functions that it names, may read of a row."""
    found: dict[types.CodeType, frozenset[str]] = {}
    waiting = [(function, 0)]
    while waiting:
        called, depth = waiting.pop(0)
        called = called.func if type(called) is functools.partial else called
        called = called.__func__ if type(called) is types.MethodType else called
        if type(called) is types.FunctionType and called.__code__ not in found and depth <= _DEEPEST:
            names = found[called.__code__] = names_in(called.__code__)
            held = [called.__globals__[name] for name in names if name in called.__globals__]
            held += [cell.cell_contents for cell in called.__closure__ or () if is_filled(cell)]
            waiting += [(other, depth + 1) for other in held]
    return frozenset[str]().union(*found.values())

"""What a function's instructions tell: which fields of a row it reads, and whether it does nothing else with it."""

from __future__ import annotations

import dis
import sys
import types
from functools import lru_cache
from itertools import takewhile
from typing import Any

Chain = tuple[str, ...]  # fields, each read of the one before: ("machine", "hours") for r.machine.hours

_KNOWN = (3, 14)  # the last Python whose instructions were looked through
_RUNS_LATER = 0x20 | 0x80 | 0x100 | 0x200  # generators and coroutines
_LOADS = {
    "LOAD_FAST",
    "LOAD_FAST_BORROW",
    "LOAD_FAST_LOAD_FAST",
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW",
    "STORE_FAST_LOAD_FAST",
}
_SEE_LOCALS = {"locals", "eval", "exec", "vars", "dir", "super"}


@lru_cache(maxsize=1024)
def chains_read(code: types.CodeType, arguments: int) -> tuple[frozenset[Chain], ...] | None:
    """Return what the code reads of each of its first arguments; None where it may do anything else with one."""
    rows = code.co_varnames[:arguments]
    if (
        sys.version_info[:2] > _KNOWN
        or code.co_argcount < arguments
        or code.co_flags & _RUNS_LATER
        or not _SEE_LOCALS.isdisjoint(code.co_names)
        or not set(rows).isdisjoint(code.co_cellvars)
    ):
        return None
    found: dict[str, set[Chain]] = {row: set() for row in rows}
    steps = [step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG"]
    for place, step in enumerate(steps):
        if step.opcode in dis.hasname or step.opcode in dis.hasconst:
            continue
        named = step.argval if isinstance(step.argval, tuple) else (step.argval,)
        if not any(name in found for name in named if isinstance(name, str)):
            continue
        reads = takewhile(lambda later: later.opname in ("LOAD_ATTR", "LOAD_METHOD"), steps[place + 1 :])
        chain = tuple(str(read.argval) for read in reads)
        if step.opname not in _LOADS or any(name in found for name in named[:-1]) or not chain:
            return None
        found[named[-1]].add(chain)
    return tuple(frozenset(found[row]) for row in rows)


def names_read(function: Any) -> frozenset[str]:
    """Return the names that a function, and the functions that it names, may read of a row."""
    found: set[str] = set()
    seen: set[types.CodeType] = set()
    waiting = [function]
    while waiting:
        called = waiting.pop()
        code = getattr(called, "__code__", None)
        if isinstance(code, types.CodeType) and code not in seen:
            seen.add(code)
            found.update(names := _names(code))
            held = getattr(called, "__globals__", {})
            waiting += [held[name] for name in names if name in held]
            waiting += [cell.cell_contents for cell in getattr(called, "__closure__", None) or () if is_filled(cell)]
    return frozenset(found)


def is_filled(cell: types.CellType) -> bool:
    """Whether a cell of a closure holds anything yet."""
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1024)
def _names(code: types.CodeType) -> frozenset[str]:
    nested = (_names(constant) for constant in code.co_consts if isinstance(constant, types.CodeType))
    return frozenset(code.co_names).union(*nested)

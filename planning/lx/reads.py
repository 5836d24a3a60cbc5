"""Which data a function may read, and what becomes of a change to the data of a model copy."""

from __future__ import annotations

import dis
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .errors import LXModelError
from .gate import is_filled
from .records import LXRecord, LXRows, LXTable


@dataclass(frozen=True)
class FrozenReader:
    """A function that stayed behind: what it was for, and which fields of which tables it may have read.

    None for tables or fields means any.
    """

    owner: str
    tables: tuple[LXTable, ...] | None
    fields: frozenset[str] | None

    def may_read(self, table: LXTable, field: str) -> bool:
        """Whether the function may have read the field."""
        known = self.tables is None or any(table is other for other in self.tables)
        return known and (self.fields is None or field in self.fields)


def may_read(owner: str, function: Any, rows: Any) -> FrozenReader:
    """Return what a function of `rows` may read: the names in its code, in the tables that it can reach."""
    starts = [rows.table] if isinstance(rows, LXRows) else []
    if type(function) is not types.FunctionType:
        return FrozenReader(owner, None, None)
    captured = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    captured += [cell.cell_contents for cell in function.__closure__ or () if is_filled(cell)]
    code = function.__code__
    steps = list(dis.get_instructions(code))
    names = {str(step.argval) for step in steps if step.opname == "LOAD_GLOBAL"}  # not the fields of that name
    captured += [function.__globals__[name] for name in names if name in function.__globals__]
    calls = any(step.opname.startswith(("CALL", "PRECALL", "IMPORT")) for step in steps)
    nested = any(isinstance(constant, types.CodeType) for constant in code.co_consts)
    plain = all(type(value) in (int, float, str, bool, type(None), LXRecord) for value in captured)
    if not plain:
        return FrozenReader(owner, None, None)
    starts += [value._table for value in captured if isinstance(value, LXRecord)]
    fields = None if calls or nested else frozenset(code.co_names)
    return FrozenReader(owner, tuple(reachable(starts)), fields)


def reachable(starts: Iterable[LXTable]) -> list[LXTable]:
    """Return the tables and every table that their relations lead to."""
    found: list[LXTable] = []
    waiting = list(starts)
    while waiting:
        table = waiting.pop(0)
        if not any(table is other for other in found):
            found.append(table)
            waiting += [link.target for _, link in sorted(table.links.items()) if link.target is not None]
            waiting += [link.target for _, link in sorted(table.many_links.items())]
    return found


def guard_tables(
    model: str, tables: Iterable[LXTable], read: Iterable[tuple[LXTable, str]], frozen: list[FrozenReader]
) -> None:
    """Let a change to the tables of a copy through where an expression tree reads it, and refuse it otherwise."""
    fields = {(id(table), field) for table, field in read}

    def guard(table: LXTable, field: str) -> None:
        for reader in frozen:
            if reader.may_read(table, field):
                raise LXModelError(
                    f"{reader.owner} was given by a function that did not travel with the copy and may read "
                    f"{table.name}.{field}. Change the data of the original model and copy it again."
                )
        if (id(table), field) not in fields:
            raise LXModelError(f"Nothing in model {model} reads {table.name}.{field}: the change would change nothing.")

    for table in tables:
        table.guard = guard

"""Which data a function may read, and what becomes of a change to the data of a model copy."""

from __future__ import annotations

import dis
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .errors import LXModelError
from .gate import is_filled
from .records import LXRecord, LXRows, LXTable
from .trees import LXTree


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


def tables_of(model: Any) -> list[LXTable]:
    """Return every table that the model reaches, in a fixed order."""
    families = [*model.variables, *model.constraints]
    starts = [model.tables[name] for name in sorted(model.tables)]
    starts += [family.rows.table for family in families if isinstance(family.rows, LXRows)]
    expressions = [model.objective, *(constraint.lhs for constraint in model.constraints if constraint.lhs is not None)]
    terms = [term for expression in expressions for term in expression.terms]
    starts += [term.over.table for term in terms if isinstance(term.over, LXRows)]
    starts += [term.placed.over.table for term in terms if term.placed and isinstance(term.placed.over, LXRows)]
    return reachable(starts)


def is_read(model: Any, table: LXTable, field: str) -> bool:
    """Whether an expression tree of the model reads the field, or a function that was given since it was loaded may."""
    for given, rows in _functions(model):
        if isinstance(given, LXTree):
            if any(read is table and name == field for read, name in given.fields(rows)):
                return True
        elif callable(given) and may_read("", given, rows).may_read(table, field):
            return True
    return False


def _functions(model: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the functions and trees of a model, and the rows that they are of."""
    for variable in model.variables:
        for given in (variable.lower, variable.upper, variable.whole, variable.index_function):
            yield given, variable.rows
    for constraint in model.constraints:
        goal = (constraint.goal_priority, constraint.goal_weight, constraint.goal_weight_over)
        for given in (constraint.right, constraint.index_function, *goal):
            yield given, constraint.rows
    for expression, rows in [(model.objective, None), *((family.lhs, family.rows) for family in model.constraints)]:
        for term in expression.terms:
            over = term.placed.over if term.placed is not None else rows if term.at is not None else term.over
            for given in (term.coefficient, term.at, term.variable_key, term.row_key, term.where):
                yield given, term.variable.rows if over is None else over
        yield from ((constant.function, rows) for constant in expression.constants if hasattr(constant, "function"))


def guard_tables(model: Any, tables: Iterable[LXTable]) -> None:
    """Let a change to the tables of a copy through where an expression tree reads it, and refuse it otherwise.

    Which trees there are is asked at each change: a part that was set to numbers reads no data any more.
    """

    def guard(table: LXTable, field: str) -> None:
        for reader in model.frozen:
            if reader.may_read(table, field):
                raise LXModelError(
                    f"{reader.owner} was given by a function that did not travel with the copy and may read "
                    f"{table.name}.{field}. Change the data of the original model and copy it again."
                )
        if not is_read(model, table, field):
            raise LXModelError(
                f"Nothing in model {model.name} reads {table.name}.{field}: the change would change nothing."
            )

    for table in tables:
        table.guard = guard

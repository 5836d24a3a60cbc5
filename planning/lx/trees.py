"""Proven functions as expression trees: what a model copy takes along instead of functions.

A tree is nested tuples: `("n", number)`, `("f", argument, relations, field)` for a field of the row
(or of a dimension's row) through relations, `("r", record, field)` for a field of a captured record,
`("neg", x)`, and `(op, left, right)` with + - * /. Evaluated, it goes the same way over columns as
the function did, so it gives the same numbers, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from .errors import LXModelError
from .evaluate import Computed, is_number
from .gate import plainness, with_replaced
from .records import LXRecord, LXRows, LXTable, RowFunction
from .traced import Unproven, traced_rows

_OPERATIONS = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
}
DEEPEST = 100  # a deeper tree travels as its values


class LXTree(Computed):
    """A function of a row that is known by its parts."""

    def __init__(self, node: Any) -> None:
        self.node = node

    def __repr__(self) -> str:
        return f"<LXTree {written(self.node)}>"

    def over(self, rows: LXRows | Sequence[Any]) -> Any:
        """Return the traced values over the rows; raises Unproven where columns can't give them."""
        return _evaluate(self.node, traced_rows(rows))

    @property
    def is_constant(self) -> bool:
        """Whether the tree is the same number for every row."""
        return bool(self.node[0] == "n")

    def fields(self, rows: Any) -> Iterator[tuple[LXTable, str]]:
        """Return every (table, field) that the tree reads for these rows."""
        yield from _fields(self.node, rows.table if isinstance(rows, LXRows) else None)

    def captured(self) -> Iterator[LXTable]:
        """Return the tables of the captured records that the tree reads."""
        yield from _captured(self.node)


def tree_of(function: Any, rows: Any, factor: float = 1.0) -> LXTree | None:
    """Return the tree of a function that is proven for these rows, times `factor`, or None."""
    tree = _tree_of(function, rows)
    if tree is not None and factor != 1.0:
        constant = tree.node[1] * factor if tree.is_constant else factor
        if not math.isfinite(constant):
            return None
        tree = LXTree(("n", constant) if tree.is_constant else ("*", tree.node, ("n", factor)))
    return tree if tree is not None and _depth(tree.node) <= DEEPEST else None


def _tree_of(function: Any, rows: Any) -> LXTree | None:
    if isinstance(function, LXTree):
        return function
    if type(function) in (int, float):
        return LXTree(_number(function))
    if not isinstance(rows, LXRows):
        return None
    try:
        given = symbols_of(function, rows)
        tree = LXTree(given.node if type(given) is _Symbol else _number(given))
        if not is_number(tree.over(rows)):
            return None
    except (Unproven, TypeError, AttributeError, ArithmeticError, RecursionError):
        return None
    return tree


def symbols_of(function: RowFunction, rows: LXRows) -> Any:
    """Return what a function gives for a row that is not known yet; raises Unproven where it is not proven."""
    dimensions = rows.table.dimensions
    plain = plainness(function, len(dimensions) or 1, LXRecord)
    if plain is None or plain.chooses or not len(rows):
        raise Unproven
    starts = [
        _Rows(rows.table, number, (name,) if dimensions else ()) for number, name in enumerate(dimensions or ("",))
    ]
    with_symbols = with_replaced(function, lambda held: _Captured(held) if type(held) is LXRecord else held)
    return with_symbols(*[start.first() for start in starts])


def part_of_key(symbol: Any) -> tuple[Any, ...]:
    """Return `("f", argument, relations, field)` or `("r", argument, relations)`; raises Unproven for anything else."""
    if type(symbol) is _Rows:
        return "r", symbol._argument, symbol._path
    if type(symbol) is _Symbol and symbol.node[0] == "f":
        return symbol.node  # type: ignore[no-any-return]
    raise Unproven


def _number(value: Any) -> Any:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise Unproven
    return ("n", value)


class _Symbol:
    """A number that is not known yet: operations on it make the tree."""

    __slots__ = ("node",)

    def __init__(self, node: Any) -> None:
        self.node = node

    def _with(self, operation: str, other: Any, *, swapped: bool = False) -> _Symbol:
        node = other.node if type(other) is _Symbol else _number(other)
        return _Symbol((operation, node, self.node) if swapped else (operation, self.node, node))

    def __add__(self, other: Any) -> _Symbol:
        return self._with("+", other)

    def __radd__(self, other: Any) -> _Symbol:
        return self._with("+", other, swapped=True)

    def __sub__(self, other: Any) -> _Symbol:
        return self._with("-", other)

    def __rsub__(self, other: Any) -> _Symbol:
        return self._with("-", other, swapped=True)

    def __mul__(self, other: Any) -> _Symbol:
        return self._with("*", other)

    def __rmul__(self, other: Any) -> _Symbol:
        return self._with("*", other, swapped=True)

    def __truediv__(self, other: Any) -> _Symbol:
        return self._with("/", other)

    def __rtruediv__(self, other: Any) -> _Symbol:
        return self._with("/", other, swapped=True)

    def __neg__(self) -> _Symbol:
        return _Symbol(("neg", self.node))

    def __bool__(self) -> bool:
        raise Unproven


class _Rows:
    """A row that is not known yet, or the row that a relation leads to."""

    __slots__ = ("_argument", "_path", "_table")

    def __init__(self, table: LXTable, argument: int, path: tuple[str, ...]) -> None:
        self._table, self._argument, self._path = table, argument, path

    def first(self) -> _Rows:
        """Return the row of a dimension, which is reached by its relation; or the row itself."""
        table = self._table
        for name in self._path:
            target = table.links[name].target
            if target is None:
                raise Unproven
            table = target
        return _Rows(table, self._argument, ())

    def __getattr__(self, field: str) -> Any:
        link = self._table.links.get(field)
        if link is not None and field not in self._table.columns:
            if link.target is None:
                raise Unproven
            return _Rows(link.target, self._argument, (*self._path, field))
        if field not in self._table.columns:
            raise Unproven
        return _Symbol(("f", self._argument, self._path, field))


class _Captured:
    """A captured record: its fields are read when the tree is evaluated, not when it is made."""

    __slots__ = ("_record",)

    def __init__(self, record: LXRecord) -> None:
        self._record = record

    def __getattr__(self, field: str) -> Any:
        value = getattr(self._record, field)
        if isinstance(value, LXRecord):
            return _Captured(value)
        _number(value)
        table = self._record._table
        column = table.key if field == "pk" and field not in table.columns else field  # another name of a column
        return _Symbol(("r", self._record, column))


def _evaluate(node: Any, arguments: tuple[Any, ...]) -> Any:
    kind = node[0]
    if kind == "n":
        return node[1]
    if kind == "f":
        row = arguments[node[1]]
        for relation in node[2]:
            row = getattr(row, relation)
        return getattr(row, node[3])
    if kind == "r":
        value = getattr(node[1], node[2])
        if type(value) not in (int, float):
            raise Unproven
        return value
    if kind == "neg":
        return -_evaluate(node[1], arguments)
    return _OPERATIONS[kind](_evaluate(node[1], arguments), _evaluate(node[2], arguments))


def _captured(node: Any) -> Iterator[LXTable]:
    if node[0] == "r":
        yield node[1]._table
    elif node[0] not in ("n", "f"):
        for child in node[1:]:
            yield from _captured(child)


def _fields(node: Any, table: LXTable | None) -> Iterator[tuple[LXTable, str]]:
    if node[0] == "f":
        if table is None:
            raise LXModelError("An expression reads fields of rows that are not there.")
        if node[1] >= (len(table.dimensions) or 1):
            raise LXModelError("An expression reads a dimension that its rows do not have.")
        path = (table.dimensions[node[1]], *node[2]) if table.dimensions else node[2]
        for relation in path:
            target = table.links[relation].target
            assert target is not None
            table = target
        yield table, node[3]
    elif node[0] == "r":
        yield node[1]._table, node[2]
    elif node[0] != "n":
        for child in node[1:]:
            yield from _fields(child, table)


def _depth(node: Any) -> int:
    deepest, level = 0, [node]
    while level:
        deepest += 1
        level = [child for n in level if n[0] not in ("n", "f", "r") for child in n[1:]]
    return deepest


def written(node: Any) -> str:
    """Return the tree as it would be typed."""
    kind = node[0]
    if kind == "n":
        return repr(node[1])
    if kind == "f":
        return ".".join((f"row{node[1]}" if node[1] else "row", *node[2], node[3]))
    if kind == "r":
        return f"{node[1]!r}.{node[2]}"
    if kind == "neg":
        return f"-({written(node[1])})"
    return f"({written(node[1])} {kind} {written(node[2])})"


def tree_as_json(node: Any, numbers: dict[int, int]) -> Any:
    """Return the tree as JSON; a captured record as the number of its table and its position."""
    kind = node[0]
    if kind == "n":
        return ["n", node[1] if type(node[1]) is int else {"float": node[1].hex()}]
    if kind == "f":
        return ["f", node[1], list(node[2]), node[3]]
    if kind == "r":
        return ["r", numbers[id(node[1]._table)], node[1]._position, node[2]]
    return [kind, *(tree_as_json(child, numbers) for child in node[1:])]


def tree_from_json(data: Any, tables: list[LXTable], depth: int = 0) -> Any:
    """Return the tree that JSON describes; raises LXModelError for what is none."""
    if depth > DEEPEST or not isinstance(data, list) or not data:
        raise LXModelError("An expression tree of the copy can't be read.")
    kind, *parts = data
    if kind == "n" and len(parts) == 1:
        value = float.fromhex(parts[0]["float"]) if isinstance(parts[0], dict) else parts[0]
        if type(value) in (int, float) and math.isfinite(value):
            return ("n", value)
    if kind == "f" and len(parts) == 3 and type(parts[0]) is int and parts[0] >= 0:
        names = (*parts[1], parts[2])
        if isinstance(parts[1], list) and all(type(name) is str and not name.startswith("_") for name in names):
            return ("f", parts[0], tuple(parts[1]), parts[2])
    if kind == "r" and len(parts) == 3 and type(parts[0]) is type(parts[1]) is int and type(parts[2]) is str:
        table = tables[parts[0]]
        if parts[0] >= 0 and 0 <= parts[1] < table.size and parts[2] in table.columns:
            return ("r", table.record(parts[1]), parts[2])
    if (kind == "neg" and len(parts) == 1) or (kind in _OPERATIONS and len(parts) == 2):
        return (kind, *(tree_from_json(part, tables, depth + 1) for part in parts))
    raise LXModelError("An expression tree of the copy can't be read.")

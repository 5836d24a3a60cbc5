"""Key functions of a model copy: proven ones by the fields that they read, what others gave as columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .columns import LXColumn
from .errors import LXCopyError, LXModelError
from .evaluate import Computed
from .records import LXRecord, LXRows, LXTable, RowFunction
from .traced import Rows, Unproven, Values, traced_rows
from .trees import part_of_key, symbols_of

FIELD, ROW, VALUE, TUPLE = "f", "r", "v", "t"


class LXKeyFields(Computed):
    """A key that is a field of the row, a row that it leads to, or a tuple of these.

    Each part is `("f", argument, relations, field)` or `("r", argument, relations)`.
    """

    def __init__(self, parts: tuple[Any, ...], *, is_tuple: bool) -> None:
        self.parts = parts
        self.is_tuple = is_tuple

    def __repr__(self) -> str:
        return f"<LXKeyFields {self.parts}>"

    def over(self, rows: LXRows | Sequence[Any]) -> Any:
        """Return the traced keys of the rows; raises Unproven where columns can't give them."""
        arguments = traced_rows(rows)
        found = tuple(_followed(part, arguments) for part in self.parts)
        return found if self.is_tuple else found[0]

    def as_tuple(self) -> tuple[Any, ...]:
        """Return what tells this key from another."""
        return self.is_tuple, self.parts

    def fields(self, table: LXTable) -> Iterator[tuple[LXTable, str | None]]:
        """Return the table that each part leads to and the field that it reads there, None for the row itself.

        Raises LXModelError where a part follows what is no relation of these rows.
        """
        for part in self.parts:
            yield reached_table(table, part[1], part[2]), part[3] if part[0] == FIELD else None


def _followed(part: Any, arguments: tuple[Any, ...]) -> Any:
    if part[1] >= len(arguments):
        raise Unproven
    row = arguments[part[1]]
    for relation in part[2]:
        row = getattr(row, relation)
    return getattr(row, part[3]) if part[0] == FIELD else row


def reached_table(table: LXTable, argument: int, relations: Sequence[str]) -> LXTable:
    """Return the table that relations lead to from the rows of a table, or from those of one of its dimensions."""
    if argument >= (len(table.dimensions) or 1):
        raise LXModelError("A key reads a dimension that its rows do not have.")
    for relation in (table.dimensions[argument], *relations) if table.dimensions else relations:
        link = table.links.get(relation)
        if link is None or link.target is None:
            raise LXModelError("A key follows a relation that is not there.")
        table = link.target
    return table


def key_fields(function: RowFunction | Computed | None, rows: Any) -> LXKeyFields | None:
    """Return the fields that a key function reads, where it is proven to be nothing but them; else None."""
    if isinstance(function, LXKeyFields):
        return function
    if function is None or isinstance(function, Computed) or not isinstance(rows, LXRows):
        return None
    try:
        given = symbols_of(function, rows)
        is_tuple = type(given) is tuple
        key = LXKeyFields(tuple(part_of_key(part) for part in (given if is_tuple else (given,))), is_tuple=is_tuple)
        key.over(rows)
    except (Unproven, TypeError, AttributeError, ArithmeticError, RecursionError):
        return None
    return key if key.parts else None


class LXKeyColumns(Computed):
    """The keys of a family, in its order, by the parts that they are made of.

    Each part is `("v", values, positions)`, the value at each position, `("r", table, positions)`,
    the row at each position, or `("t", parts)`, tuples of parts.
    """

    def __init__(self, part: tuple[Any, ...]) -> None:
        self.part = part

    def __repr__(self) -> str:
        return "<LXKeyColumns>"

    def over(self, rows: LXRows | Sequence[Any]) -> Any:
        """Return the traced keys, which are in the order of the rows."""
        return _traced(self.part)


def _traced(part: tuple[Any, ...]) -> Any:
    if part[0] == TUPLE:
        return tuple(_traced(inner) for inner in part[1])
    return (Rows if part[0] == ROW else Values)(part[1], part[2], None)


def key_columns(keys: list[Any]) -> LXKeyColumns:
    """Return keys as columns. Raises LXCopyError where their rows are of several tables."""
    return LXKeyColumns(_part_of(keys, within=False))


def _part_of(keys: list[Any], *, within: bool) -> tuple[Any, ...]:
    kinds = set(map(type, keys))
    if kinds == {tuple} and set(map(len, keys)) != {0} and len(set(map(len, keys))) == 1:
        return TUPLE, tuple(_part_of(list(part), within=True) for part in zip(*keys, strict=True))
    if kinds and all(issubclass(kind, LXRecord) for kind in kinds):
        table = keys[0]._table
        if any(key._table is not table for key in keys):
            raise no_way_for(table)
        return ROW, table, np.array([key._position for key in keys])
    if within and kinds == {str}:  # the parts of tuples occur again and again
        distinct = list(dict.fromkeys(keys))
        numbers = dict(zip(distinct, range(len(distinct)), strict=True))
        positions = np.fromiter(map(numbers.__getitem__, keys), dtype=np.int64, count=len(keys))
        return VALUE, np.fromiter(distinct, dtype=object, count=len(distinct)), positions
    return VALUE, key_values(LXColumn.of(keys)), np.arange(len(keys))


def key_values(column: LXColumn) -> npt.NDArray[Any]:
    """Return the values of a column of keys, None where there is none."""
    if column.nulls is None:
        return column.values
    return np.fromiter(column.tolist(), dtype=object, count=len(column))


def no_way_for(table: LXTable) -> LXCopyError:
    """Return the error for keys that are rows of what does not travel."""
    return LXCopyError(
        f"The keys of a family are rows of {table.name} and of tables that do not travel with the model. "
        "Add the tables to the model's tables, or use the rows' names as keys."
    )


def key_fields_from_json(data: Any) -> LXKeyFields:
    """Return the key that JSON describes; raises LXModelError for what is none."""
    is_tuple, parts = data
    if type(is_tuple) is not bool or not isinstance(parts, list) or not parts or (len(parts) > 1 and not is_tuple):
        raise LXModelError("A key of the copy can't be read.")
    return LXKeyFields(tuple(_part_from_json(part) for part in parts), is_tuple=is_tuple)


def _part_from_json(data: Any) -> tuple[Any, ...]:
    kind, argument, relations, *field = data
    names = [*relations, *field]
    known = {FIELD: 1, ROW: 0}.get(kind) == len(field) and type(argument) is int and argument >= 0
    if not known or not isinstance(relations, list) or any(type(n) is not str or n.startswith("_") for n in names):
        raise LXModelError("A key of the copy can't be read.")
    return (kind, argument, tuple(relations), *field)

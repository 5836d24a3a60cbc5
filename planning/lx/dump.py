"""Writing a model copy: tables, families and terms as canonical bytes.

Functions do not travel. One that is proven (see `evaluate`) travels as its expression tree and is
evaluated again, so that a change to the data shows; what any other function gave travels as values,
and a change to data that it may have read is refused by name. The same data give the same bytes in
any process.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .columns import Floats, LXColumn
from .constraint import LXConstraint
from .container import Writer
from .errors import LXCopyError
from .evaluate import Computed
from .expression import LXLinearExpression, Multiple
from .goals import OVER, UNDER, goal_priorities, goal_weights
from .index import LXIndex, check_keys
from .keys import ROW, TUPLE, LXKeyFields, key_columns, key_fields, no_way_for
from .model import LXModel
from .reads import FrozenReader, may_read, tables_of
from .records import MISSING, UNLOADED, LXLink, LXRows, LXTable, RowFunction
from .terms import LXTerm
from .trees import tree_as_json, tree_of
from .variable import CONTINUOUS, LXVariable


def dump_model(model: LXModel) -> bytes:
    """Return the model as canonical bytes: the same for the same data, in any process."""
    model.settle()
    tables = tables_of(model)
    dump = _Dump(tables, list(model.frozen))
    content = {
        "name": model.name,
        "sense": model.sense,
        "goal_mode": model.goal_mode,
        "tables": [dump.table(table) for table in tables],
        "named": {name: dump.numbers[id(table)] for name, table in model.tables.items()},
        "variables": [dump.variable(variable) for variable in model.variables],
        "constraints": [dump.constraint(constraint) for constraint in model.constraints],
        "objective": dump.terms(model.objective, "the objective", None),
    }
    check_keys(dump.indexes)
    content["frozen"] = dump.readers()
    return dump.writer.bytes(content)


class _Dump:
    """Writes the parts of a model."""

    def __init__(self, tables: list[LXTable], frozen: list[FrozenReader]) -> None:
        self.writer = Writer()
        self.tables = tables
        self.numbers = {id(table): number for number, table in enumerate(tables)}
        self.frozen = frozen
        self.indexes: list[LXIndex] = []
        self._key_functions: dict[Any, LXKeyFields] = {}

    def readers(self) -> list[Any]:
        """Return what the functions that stay behind may have read, each once."""
        written = [
            [
                reader.owner,
                None if reader.tables is None else sorted(self._number(table) for table in reader.tables),
                None if reader.fields is None else sorted(reader.fields),
            ]
            for reader in self.frozen
        ]
        return [entry for number, entry in enumerate(written) if entry not in written[:number]]

    def _number(self, table: LXTable) -> int:
        return self.numbers.get(id(table), MISSING)

    def function(
        self, given: RowFunction | Computed | Floats | float | None, rows: Any, owner: str, values: Floats
    ) -> Any:
        """Write a function of the row: its tree where it is proven, what it gave otherwise."""
        if given is None:
            return None
        tree = None if isinstance(given, np.ndarray) else tree_of(given, rows)
        if tree is not None and self._travel(tree.fields(rows)):
            return {"tree": tree_as_json(tree.node, self.numbers)}
        self.freeze(given, rows, owner)
        return {"values": self.writer.array(values)}

    def _travel(self, read: Iterable[tuple[LXTable, str | None]]) -> bool:
        """Whether the copy holds each (table, field)."""
        return all(id(table) in self.numbers and not table.unloaded.get(field or "") for table, field in read)

    def freeze(self, given: Any, rows: Any, owner: str) -> None:
        """Remember that a function stays behind."""
        if callable(given):
            self.frozen.append(may_read(owner, given, rows))

    def table(self, table: LXTable) -> dict[str, Any]:
        """Write a table."""
        if table.size and not (table.columns or table.links):
            raise LXCopyError(f"Table {table.name} has rows but no columns. Give it a column before it travels.")
        written: dict[str, Any] = {
            "name": table.name,
            "size": table.size,
            "key": table.key,
            "dimensions": list(table.dimensions),
            "columns": {
                name: self.writer.column(column)
                for name, column in sorted(table.columns.items())
                if not table.unloaded.get(name)  # where some rows lack the field, it counts as not loaded in the copy
            },
            "links": {name: self._link(link) for name, link in sorted(table.links.items())},
        }
        if table.many_links:
            written["many"] = {
                name: [
                    self.numbers[id(link.target)],
                    self.writer.array(link.lengths),
                    self.writer.array(link.positions),
                ]
                for name, link in sorted(table.many_links.items())
            }
        return written

    def _link(self, link: LXLink) -> list[Any]:
        if link.target is None or (link.positions == UNLOADED).any():
            return [None, self.writer.array(np.where(link.positions == MISSING, MISSING, 0))]
        return [self.numbers[id(link.target)], self.writer.array(link.positions)]

    def rows(self, rows: LXRows | list[Any] | None) -> Any:
        """Write rows: positions in a table, or how many plain objects there are."""
        if rows is None:
            return None
        if isinstance(rows, LXRows):
            return {"table": self.numbers[id(rows.table)], "positions": self.writer.array(rows.positions)}
        return {"size": len(rows)}

    def _over(self, rows: LXRows | list[Any]) -> Any:
        """Write the rows that a term goes over; all rows of a table in their order need no positions."""
        if isinstance(rows, LXRows) and np.array_equal(rows.positions, np.arange(rows.table.size)):
            return {"table": self.numbers[id(rows.table)], "positions": None}
        return self.rows(rows)

    def keys(self, family: LXVariable[Any, Any] | LXConstraint[Any]) -> Any:
        """Write the keys of a family: the fields that they are made of where that is proven, their values otherwise."""
        rows, index = family.rows, family.index
        assert rows is not None
        assert index is not None
        self.freeze(family.index_function, rows, f"The key of {family.name}")
        fields = key_fields(family.index_function, rows)
        if fields is not None and isinstance(rows, LXRows) and self._travel(fields.fields(rows.table)):
            fields = self._key_functions.setdefault(fields.as_tuple(), fields)  # families may share their proof
            self.indexes.append(LXIndex(index.owner, rows, fields))
            return {"fields": fields.as_tuple()}
        columns = key_columns(family.keys)
        self.indexes.append(LXIndex(index.owner, rows, columns))
        return self._key_part(columns.part)

    def _key_part(self, part: tuple[Any, ...]) -> Any:
        if part[0] == TUPLE:
            return {"parts": [self._key_part(inner) for inner in part[1]]}
        if part[0] == ROW:
            if id(part[1]) not in self.numbers:
                raise no_way_for(part[1])
            return {"table": self.numbers[id(part[1])], "positions": self.writer.array(part[2])}
        is_each = len(part[1]) == len(part[2])
        return {
            "column": self.writer.column(LXColumn.of(part[1])),
            "positions": None if is_each else self.writer.array(part[2]),
        }

    def variable(self, variable: LXVariable[Any, Any]) -> dict[str, Any]:
        """Write a family of variables."""
        lower, upper = variable.bound_arrays()
        name, rows = variable.name, variable.rows
        whole = variable.whole_mask()
        self.freeze(variable.whole, rows, f"The condition for whole numbers of {name}")
        return {
            "name": name,
            "kind": variable.kind,
            "rows": self.rows(rows),
            "keys": self.keys(variable),
            "whole": None if (whole == (variable.kind != CONTINUOUS)).all() else self.writer.array(whole),
            "lower": self.function(variable.lower, rows, f"The lower bound of {name}", lower),
            "upper": self.function(variable.upper, rows, f"The upper bound of {name}", upper),
        }

    def constraint(self, constraint: LXConstraint[Any]) -> dict[str, Any]:
        """Write a family of constraints."""
        assert constraint.lhs is not None
        name, rows = constraint.name, constraint.rows
        right = constraint.rhs_array()
        return {
            "name": name,
            "sense": constraint.sense,
            "rows": self.rows(rows),
            "keys": None if rows is None else self.keys(constraint),
            "rhs": self.function(
                constraint.right, rows if rows is not None else [None], f"The right side of {name}", right
            ),
            "lhs": self.terms(constraint.lhs, name, constraint),
            "goal": self._goal(constraint),
        }

    def _goal(self, constraint: LXConstraint[Any]) -> dict[str, Any] | None:
        """Write what makes a constraint a goal."""
        if constraint.goal_priority is None:
            return None
        name, rows = constraint.name, [None] if constraint.rows is None else constraint.rows
        priorities = goal_priorities(constraint).astype(np.float64)
        parts = {
            "priority": (constraint.goal_priority, "priority", priorities),
            "weight": (constraint.goal_weight, "weight", goal_weights(constraint, UNDER)),
            "weight_over": (constraint.goal_weight_over, "weight", goal_weights(constraint, OVER)),
        }
        return {
            part: self.function(given, rows, f"The {what} of {name}", values)
            for part, (given, what, values) in parts.items()
        }

    def terms(self, expression: LXLinearExpression, owner: str, constraint: LXConstraint[Any] | None) -> dict[str, Any]:
        """Write the terms of an expression and its constants."""
        rows = None if constraint is None else constraint.rows
        for constant in expression.constants:
            self.freeze(
                constant.function if isinstance(constant, Multiple) else constant, rows, f"The constant of {owner}"
            )
        index = None if constraint is None else constraint.index
        constant = expression.constant(owner, rows)
        return {
            "terms": [self._term(term, owner, rows, index) for term in expression.terms],
            "constant": self.writer.array(constant) if constant.any() else None,
        }

    def _term(self, term: LXTerm, owner: str, rows: Any, index: Any) -> dict[str, Any]:
        name = term.variable.name
        what = f"The coefficient of {name} in {owner}"
        for function in (term.at, term.variable_key, term.row_key, term.where):
            over = rows if function is term.at else (term.variable.rows if term.over is None else term.over)
            self.freeze(function, over, f"Where {name} stands in {owner}")
        if term.frozen is None:
            place = term.placement(owner, rows, index)
            tree = tree_of(term.coefficient, place.over, term.factor)
            if tree is not None and self._travel(tree.fields(place.over)):
                return {
                    "variable": name,
                    "rows": self.writer.array(place.rows),
                    "columns": self.writer.array(place.columns),
                    "tree": tree_as_json(tree.node, self.numbers),
                    "over": None if tree.is_constant else self._over(place.over),
                }
            self.freeze(term.coefficient, place.over, what)
            entries = term.entries_at(place, owner)
        else:
            entries = term.entries(owner, rows, index)
        return {
            "variable": name,
            "rows": self.writer.array(entries.rows),
            "columns": self.writer.array(entries.columns),
            "values": self.writer.array(entries.coefficients),
        }

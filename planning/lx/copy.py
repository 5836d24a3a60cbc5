"""A model copy: tables, families and terms as canonical bytes, and back.

Functions do not travel. One that is proven (see `evaluate`) travels as its expression tree and is
evaluated again, so that a change to the data shows; what any other function gave travels as values,
and a change to data that it may have read is refused by name. The same data give the same bytes in
any process.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .columns import Floats, LXColumn
from .constraint import LXConstraint
from .container import FORMAT_VERSION, Reader, Writer, checked_index, checked_text
from .errors import LXCopyError, LXError
from .evaluate import Computed
from .expression import Entries, LXLinearExpression, LXTerm, Multiple, Placement
from .model import MAXIMIZE, MINIMIZE, LXModel
from .reads import FrozenReader, guard_tables, may_read, reachable
from .records import MISSING, UNLOADED, LXLink, LXManyLink, LXRecord, LXRows, LXTable, RowFunction
from .trees import LXTree, tree_as_json, tree_from_json, tree_of
from .variable import BINARY, CONTINUOUS, INTEGER, LXVariable

__all__ = ["FORMAT_VERSION", "dump_model", "load_model"]


def dump_model(model: LXModel) -> bytes:
    """Return the model as canonical bytes: the same for the same data, in any process."""
    tables = _tables_of(model)
    dump = _Dump(tables, list(model.frozen))
    content = {
        "name": model.name,
        "sense": model.sense,
        "tables": [dump.table(table) for table in tables],
        "named": {name: dump.numbers[id(table)] for name, table in model.tables.items()},
        "variables": [dump.variable(variable) for variable in model.variables],
        "constraints": [dump.constraint(constraint) for constraint in model.constraints],
        "objective": dump.terms(model.objective, "the objective", None),
    }
    content["frozen"] = dump.readers()
    return dump.writer.bytes(content)


def load_model(data: bytes) -> LXModel:
    """Return the model in `data`; raises LXCopyError for anything but an unharmed copy of this version."""
    reader = Reader(data)
    try:
        model = _load_model(reader)
    except LXCopyError:
        raise
    except (LXError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise LXCopyError("The model copy contradicts itself.") from error
    reader.check_end()
    return model


def _tables_of(model: LXModel) -> list[LXTable]:
    """Return every table that the model reaches, in a fixed order."""
    families: list[LXVariable[Any, Any] | LXConstraint[Any]] = [*model.variables, *model.constraints]
    starts = [model.tables[name] for name in sorted(model.tables)]
    starts += [family.rows.table for family in families if isinstance(family.rows, LXRows)]
    expressions = [model.objective, *(constraint.lhs for constraint in model.constraints if constraint.lhs is not None)]
    terms = [term for expression in expressions for term in expression.terms]
    starts += [term.over.table for term in terms if isinstance(term.over, LXRows)]
    starts += [term.placed.over.table for term in terms if term.placed and isinstance(term.placed.over, LXRows)]
    return reachable(starts)


class _Dump:
    """Writes the parts of a model."""

    def __init__(self, tables: list[LXTable], frozen: list[FrozenReader]) -> None:
        self.writer = Writer()
        self.tables = tables
        self.numbers = {id(table): number for number, table in enumerate(tables)}
        self.frozen = frozen

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
        tree = None if isinstance(given, np.ndarray) else tree_of(given, rows)
        if tree is not None and all(id(table) in self.numbers for table in tree.captured()):
            return {"tree": tree_as_json(tree.node, self.numbers)}
        self.freeze(given, rows, owner)
        return {"values": self.writer.array(values)}

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

    def keys(self, keys: list[Any]) -> Any:
        """Write keys by their parts: a column for each, or positions where the part is a record."""
        if keys and set(map(type, keys)) == {tuple} and len(set(map(len, keys))) == 1:
            return {"parts": [self.keys(list(part)) for part in zip(*keys, strict=True)]}
        if keys and all(issubclass(kind, LXRecord) for kind in set(map(type, keys))):
            table = keys[0]._table
            if id(table) not in self.numbers or any(key._table is not table for key in keys):
                raise LXCopyError(
                    f"The keys of a family are rows of {table.name} and of tables that do not travel with the model. "
                    "Add the tables to the model's tables, or use the rows' names as keys."
                )
            positions = np.array([key._position for key in keys])
            return {"table": self.numbers[id(table)], "positions": self.writer.array(positions)}
        return {"column": self.writer.column(LXColumn.of(keys))}

    def variable(self, variable: LXVariable[Any, Any]) -> dict[str, Any]:
        """Write a family of variables."""
        lower, upper = variable.bound_arrays()
        name, rows = variable.name, variable.rows
        self.freeze(variable.index_function, rows, f"The key of {name}")
        self.freeze(variable.whole, rows, f"The condition for whole numbers of {name}")
        return {
            "name": name,
            "kind": variable.kind,
            "rows": self.rows(rows),
            "keys": self.keys(variable.keys),
            "whole": self.writer.array(variable.whole_mask()),
            "lower": self.function(variable.lower, rows, f"The lower bound of {name}", lower),
            "upper": self.function(variable.upper, rows, f"The upper bound of {name}", upper),
        }

    def constraint(self, constraint: LXConstraint[Any]) -> dict[str, Any]:
        """Write a family of constraints."""
        assert constraint.lhs is not None
        name, rows = constraint.name, constraint.rows
        self.freeze(constraint.index_function, rows, f"The key of {name}")
        right = constraint.rhs_array()
        return {
            "name": name,
            "sense": constraint.sense,
            "rows": self.rows(rows),
            "keys": None if rows is None else self.keys(constraint.keys),
            "rhs": self.function(
                constraint.right, rows if rows is not None else [None], f"The right side of {name}", right
            ),
            "lhs": self.terms(constraint.lhs, name, constraint),
        }

    def terms(self, expression: LXLinearExpression, owner: str, constraint: LXConstraint[Any] | None) -> dict[str, Any]:
        """Write the terms of an expression and its constants."""
        rows = None if constraint is None else constraint.rows
        for constant in expression.constants:
            self.freeze(
                constant.function if isinstance(constant, Multiple) else constant, rows, f"The constant of {owner}"
            )
        index = None if constraint is None else constraint.index
        return {
            "terms": [self._term(term, owner, rows, index) for term in expression.terms],
            "constant": self.writer.array(expression.constant(owner, rows)),
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
            if tree is not None and all(id(table) in self.numbers for table in tree.captured()):
                return {
                    "variable": name,
                    "rows": self.writer.array(place.rows),
                    "columns": self.writer.array(place.columns),
                    "tree": tree_as_json(tree.node, self.numbers),
                    "over": None if tree.is_constant else self.rows(place.over),
                }
            self.freeze(term.coefficient, place.over, what)
        entries = term.entries(owner, rows, index)
        return {
            "variable": name,
            "rows": self.writer.array(entries.rows),
            "columns": self.writer.array(entries.columns),
            "values": self.writer.array(entries.coefficients),
        }


def _load_model(reader: Reader) -> LXModel:
    content = reader.content
    tables = [_load_table(described, reader) for described in content["tables"]]
    for table, described in zip(tables, content["tables"], strict=True):
        for name, (number, array) in described["links"].items():
            target = None if number is None else tables[checked_index(number, len(tables))]
            positions = reader.array(array, "i")
            _check_positions(positions, None if target is None else target.size, table.size)
            table.links[name] = LXLink(target, positions)
        for name, (number, lengths, array) in described.get("many", {}).items():
            target = tables[checked_index(number, len(tables))]
            table.many_links[name] = _load_many(target, lengths, array, table.size, reader)
    model = LXModel(
        checked_text(content["name"]),
        {name: tables[checked_index(n, len(tables))] for name, n in content["named"].items()},
    )
    for described in content["variables"]:
        model.check_name(checked_text(described["name"]), model.variables)
        model.variables.append(_load_variable(described, tables, reader))
    for described in content["constraints"]:
        model.check_name(checked_text(described["name"]), model.constraints)
        model.constraints.append(_load_constraint(described, tables, model, reader))
    if content["sense"] not in (MAXIMIZE, MINIMIZE):
        raise LXCopyError("The model copy has an unknown sense.")
    model.objective = _load_terms(content["objective"], tables, model, 1, reader)
    model.sense = content["sense"]
    model.frozen = [_load_frozen(described, tables) for described in content["frozen"]]
    guard_tables(model.name, tables, _fields_read(model), model.frozen)
    return model


def _load_frozen(described: Any, tables: list[LXTable]) -> FrozenReader:
    owner, numbers, fields = described
    known = None
    if numbers is not None:
        known = tuple(tables[checked_index(number, len(tables))] for number in numbers if number != MISSING)
    return FrozenReader(
        checked_text(owner), known, None if fields is None else frozenset(checked_text(field) for field in fields)
    )


def _fields_read(model: LXModel) -> list[tuple[LXTable, str]]:
    """Return every (table, field) that an expression tree of the model reads."""
    found: list[tuple[LXTable, str]] = []

    def add(given: Any, rows: Any) -> None:
        if isinstance(given, LXTree):
            found.extend(given.fields(rows))

    for variable in model.variables:
        add(variable.lower, variable.rows)
        add(variable.upper, variable.rows)
    for constraint in model.constraints:
        add(constraint.right, constraint.rows)
    for expression in (model.objective, *(constraint.lhs for constraint in model.constraints)):
        for term in expression.terms if expression is not None else ():
            if term.placed is not None:
                add(term.coefficient, term.placed.over)
    return found


def _load_function(described: dict[str, Any], rows: Any, size: int, tables: list[LXTable], reader: Reader) -> Any:
    """Return a tree, or the values that a function gave."""
    if "tree" in described:
        return _load_tree(described["tree"], rows, tables)
    values = reader.array(described["values"], "f")
    if len(values) != size:
        raise LXCopyError("The model copy has values of the wrong length.")
    if np.isnan(values).any():
        raise LXCopyError("The model copy holds a number that is not finite.")
    return values


def _load_tree(described: Any, rows: Any, tables: list[LXTable]) -> LXTree:
    tree = LXTree(tree_from_json(described, tables))
    for table, field in tree.fields(rows):
        if field not in table.columns:
            raise LXCopyError("The model copy has an expression that reads a field which it does not hold.")
    return tree


def _load_many(target: LXTable, lengths: Any, array: Any, size: int, reader: Reader) -> LXManyLink:
    counts, positions = reader.array(lengths, "i"), reader.array(array, "i")
    _check_positions(positions, target.size)
    loaded = counts[counts != UNLOADED]
    _check_positions(loaded, len(positions) + 1)  # none longer than all of them, so that the sum can't overflow
    if len(counts) != size or MISSING in loaded or MISSING in positions or loaded.sum() != len(positions):
        raise LXCopyError("The model copy holds a relation of the wrong length.")
    return LXManyLink(target, counts, positions)


def _check_positions(positions: npt.NDArray[Any], target: int | None, count: int | None = None) -> None:
    if count is not None and len(positions) != count:
        raise LXCopyError("The model copy holds a relation of the wrong length.")
    if len(positions) and (positions.min() < MISSING or (target is not None and positions.max() >= target)):
        raise LXCopyError("The model copy points to a row that it does not hold.")


def _load_table(described: dict[str, Any], reader: Reader) -> LXTable:
    columns = {name: reader.column(column) for name, column in described["columns"].items()}
    size, key = described["size"], described["key"]
    if type(size) is not int or size < 0 or (size and not columns and not described["links"]):
        raise LXCopyError("The model copy has a table of the wrong size.")
    if key is not None and key not in columns:
        raise LXCopyError("The model copy has a table without its key.")
    dimensions = described["dimensions"]
    if not isinstance(dimensions, list) or any(name not in described["links"] for name in dimensions):
        raise LXCopyError("The model copy has a dimension that is no relation.")
    return LXTable(checked_text(described["name"]), columns, size=size, key=key, dimensions=tuple(dimensions))


def _load_rows(described: dict[str, Any], size: int, tables: list[LXTable], reader: Reader) -> LXRows | list[Any]:
    """Return the rows of a family of `size` members."""
    if "table" not in described:
        if described["size"] != size:
            raise LXCopyError("The model copy has a family without its rows.")
        return [None] * size
    positions = reader.array(described["positions"], "i")
    table = tables[checked_index(described["table"], len(tables))]
    _check_positions(positions, table.size, size)
    if len(positions) and positions.min() < 0:
        raise LXCopyError("The model copy points to a row that it does not hold.")
    return LXRows(table, positions)


def _load_keys(described: dict[str, Any], tables: list[LXTable], reader: Reader) -> list[Any]:
    if "parts" in described:
        return list(zip(*(_load_keys(part, tables, reader) for part in described["parts"]), strict=True))
    if "table" in described:
        positions = reader.array(described["positions"], "i")
        table = tables[checked_index(described["table"], len(tables))]
        _check_positions(positions, table.size)
        if len(positions) and positions.min() < 0:
            raise LXCopyError("The model copy points to a row that it does not hold.")
        return [table.record(position) for position in positions.tolist()]
    keys = reader.column(described["column"]).tolist()
    if not {list, dict}.isdisjoint(map(type, keys)):
        raise LXCopyError("The model copy has a key that can't be one.")
    return keys


def _load_variable(described: dict[str, Any], tables: list[LXTable], reader: Reader) -> LXVariable[Any, Any]:
    variable: LXVariable[Any, Any] = LXVariable(described["name"])
    if described["kind"] not in (CONTINUOUS, INTEGER, BINARY):
        raise LXCopyError("The model copy has a variable of an unknown kind.")
    variable.kind = described["kind"]
    keys = _load_keys(described["keys"], tables, reader)
    variable.restore(_load_rows(described["rows"], len(keys), tables, reader), keys)
    variable.whole = reader.array(described["whole"], "b")
    if len(variable.whole) != len(keys):
        raise LXCopyError("The model copy has bounds of the wrong length.")
    for side in ("lower", "upper"):
        setattr(variable, side, _load_function(described[side], variable.rows, len(keys), tables, reader))
    variable.bound_arrays()  # raises where they contradict each other
    return variable


def _load_constraint(
    described: dict[str, Any], tables: list[LXTable], model: LXModel, reader: Reader
) -> LXConstraint[Any]:
    constraint: LXConstraint[Any] = LXConstraint(described["name"])
    if described["sense"] not in ("<=", ">=", "=="):
        raise LXCopyError("The model copy has a constraint of an unknown sense.")
    constraint.sense = described["sense"]
    if described["rows"] is not None:
        keys = _load_keys(described["keys"], tables, reader)
        constraint.restore(_load_rows(described["rows"], len(keys), tables, reader), keys)
    constraint.right = _load_function(described["rhs"], constraint.rows, len(constraint), tables, reader)
    if not np.isfinite(constraint.rhs_array()).all():
        raise LXCopyError("The model copy holds a number that is not finite.")
    constraint.lhs = _load_terms(described["lhs"], tables, model, len(constraint), reader)
    return constraint


def _load_terms(
    described: dict[str, Any], tables: list[LXTable], model: LXModel, count: int, reader: Reader
) -> LXLinearExpression:
    expression = LXLinearExpression()
    for term in described["terms"]:
        expression.terms.append(_load_term(term, tables, model, count, reader))
    constant = reader.finite(described["constant"])
    if len(constant) != count:
        raise LXCopyError("The model copy has a constant of the wrong length.")
    expression.constants.append(constant)
    return expression


def _load_term(described: dict[str, Any], tables: list[LXTable], model: LXModel, count: int, reader: Reader) -> LXTerm:
    variable = model.get_variable(described["variable"])
    rows, columns = reader.array(described["rows"], "i"), reader.array(described["columns"], "i")
    if len(rows) != len(columns):
        raise LXCopyError("The model copy has a term of the wrong length.")
    for positions, limit in ((rows, count), (columns, len(variable))):
        _check_positions(positions, limit)
        if len(positions) and positions.min() < 0:
            raise LXCopyError("The model copy points to a row that it does not hold.")
    if "tree" not in described:
        values = reader.finite(described["values"])
        if len(values) != len(rows):
            raise LXCopyError("The model copy has a term of the wrong length.")
        return LXTerm(variable, 0.0, frozen=Entries(rows, columns, values))
    over: LXRows | list[Any] = [None] * len(rows)
    if described["over"] is not None:
        over = _load_rows(described["over"], len(rows), tables, reader)
    tree = _load_tree(described["tree"], over, tables)
    if not isinstance(over, LXRows) and not tree.is_constant:
        raise LXCopyError("The model copy has an expression without its rows.")
    return LXTerm(variable, tree, placed=Placement(rows, columns, over))

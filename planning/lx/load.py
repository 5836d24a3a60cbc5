"""Reading a model copy: nothing is unpickled, and everything is checked before it is used."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .constraint import LXConstraint
from .container import Reader, checked_index, checked_text
from .errors import LXCopyError, LXError
from .expression import Entries, LXLinearExpression, LXTerm, Placement
from .model import MAXIMIZE, MINIMIZE, LXModel
from .reads import FrozenReader, guard_tables
from .records import MISSING, UNLOADED, LXLink, LXManyLink, LXRows, LXTable
from .trees import LXTree, tree_from_json
from .variable import BINARY, CONTINUOUS, INTEGER, LXVariable


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

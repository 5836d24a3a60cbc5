"""A model copy as one canonical byte string: a header and raw typed columns.

The bytes are read by this module and never unpickled: the header is JSON, every array is of one of
four types, and each length is checked against the bytes that are there before memory is taken. The
same data give the same bytes in any process. Functions do not travel; what they gave does.
"""

from __future__ import annotations

import datetime
import json
import struct
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from .constraint import LXConstraint
from .errors import LXCopyError, LXError
from .expression import Entries, LXLinearExpression, LXTerm
from .model import MAXIMIZE, MINIMIZE, LXModel
from .records import MISSING, UNLOADED, LXColumn, LXLink, LXManyLink, LXRecord, LXRows, LXTable
from .variable import BINARY, CONTINUOUS, INTEGER, LXVariable

MAGIC = b"LXMODEL\n"
FORMAT_VERSION = 1
_ARRAY_TYPES = {"f": "<f8", "i": "<i8", "b": "|b1", "t": "|u1"}
_CODES = {np.dtype(np.float64): "f", np.dtype(np.int64): "i", np.dtype(np.bool_): "b", np.dtype(np.uint8): "t"}


class _Writer:
    """Collects arrays; each is named in the header by its number."""

    def __init__(self) -> None:
        self.described: list[list[Any]] = []
        self.parts: list[bytes] = []

    def array(self, values: npt.NDArray[Any]) -> int:
        code = _CODES[values.dtype]
        raw = np.ascontiguousarray(values, dtype=_ARRAY_TYPES[code]).tobytes()
        self.described.append([code, len(values)])
        self.parts.append(raw + b"\0" * (-len(raw) % 8))
        return len(self.parts) - 1

    def texts(self, values: list[str]) -> dict[str, int]:
        encoded = [value.encode("utf-8") for value in values]
        lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
        return {"lengths": self.array(lengths), "text": self.array(np.frombuffer(b"".join(encoded), dtype=np.uint8))}

    def column(self, column: LXColumn) -> dict[str, Any]:
        written: dict[str, Any] = {}
        if column.nulls is not None and column.nulls.any():
            written["nulls"] = self.array(column.nulls)
        held = LXColumn.of(column.values).values if column.values.dtype != object else column.values
        if held.dtype != object:
            return written | {"values": self.array(held)}
        values = held.tolist()
        if all(type(value) is str for value in values):
            return written | {"texts": self.texts(values)}
        return written | {"tagged": self.texts([_tagged(value) for value in values])}

    def bytes(self, content: dict[str, Any]) -> bytes:
        header = json.dumps(
            {"version": FORMAT_VERSION, "arrays": self.described, "content": content},
            ensure_ascii=False,
            allow_nan=False,
            sort_keys=True,
            separators=(",", ":"),
        ).encode("utf-8")
        header += b" " * (-len(header) % 8)
        return b"".join([MAGIC, struct.pack("<Q", len(header)), header, *self.parts])


class _Reader:
    """Gives the arrays of a byte string after checking every length; each array has one place and is given once."""

    def __init__(self, data: bytes) -> None:
        if not isinstance(data, (bytes, bytearray)):
            raise LXCopyError(f"A model copy is bytes; this is {type(data).__name__}.")
        view = memoryview(data)
        if len(view) < 16 or bytes(view[:8]) != MAGIC:
            raise LXCopyError("These bytes are no model copy.")
        (size,) = struct.unpack("<Q", view[8:16])
        if size > len(view) - 16:
            raise LXCopyError("The model copy is cut off in its header.")
        try:
            header = json.loads(bytes(view[16 : 16 + size]).decode("utf-8"))
            version, described, self.content = header["version"], header["arrays"], header["content"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise LXCopyError("The header of the model copy can't be read.") from error
        if type(version) is not int or version != FORMAT_VERSION:
            raise LXCopyError(
                f"The model copy has format version {version}; this program reads version {FORMAT_VERSION}. "
                "Start the run again to make a new copy."
            )
        self._arrays = self._read(view, 16 + size, described)

    def _read(self, view: memoryview, position: int, described: Any) -> list[npt.NDArray[Any] | None]:
        arrays: list[npt.NDArray[Any] | None] = []
        for entry in described if isinstance(described, list) else [described]:
            if not (isinstance(entry, list) and len(entry) == 2 and type(entry[0]) is str and type(entry[1]) is int):
                raise LXCopyError("The header of the model copy can't be read.")
            code, count = entry
            if code not in _ARRAY_TYPES or count < 0:
                raise LXCopyError("The model copy holds an array of a type that is not allowed.")
            dtype = np.dtype(_ARRAY_TYPES[code])
            size = count * dtype.itemsize
            if size > len(view) - position:
                raise LXCopyError("The model copy is cut off.")
            if code == "b" and np.frombuffer(view[position : position + size], dtype=np.uint8).max(initial=0) > 1:
                raise LXCopyError("The model copy holds a yes or no that is neither.")
            arrays.append(np.frombuffer(view[position : position + size], dtype=dtype).copy())
            position += size + (-size % 8)
        if position != len(view):
            raise LXCopyError("The model copy has bytes after its end.")
        return arrays

    def array(self, number: Any, codes: str) -> npt.NDArray[Any]:
        """Return an array of one of the types `codes`."""
        array = self._arrays[_index(number, len(self._arrays))]
        if array is None:
            raise LXCopyError("The model copy uses an array twice.")
        if all(array.dtype != np.dtype(_ARRAY_TYPES[code]) for code in codes):
            raise LXCopyError("The model copy holds an array of the wrong type.")
        self._arrays[number] = None
        return array

    def finite(self, number: Any) -> npt.NDArray[Any]:
        """Return an array of finite numbers."""
        array = self.array(number, "f")
        if not np.isfinite(array).all():
            raise LXCopyError("The model copy holds a number that is not finite.")
        return array

    def check_end(self) -> None:
        """Raise where an array has no place."""
        if any(array is not None for array in self._arrays):
            raise LXCopyError("The model copy holds an array that nothing uses.")

    def texts(self, described: dict[str, Any]) -> list[str]:
        lengths = self.array(described["lengths"], "i")
        blob = self.array(described["text"], "t").tobytes()
        if len(lengths) and (lengths.min() < 0 or lengths.max() > len(blob)):  # so that the sum can't overflow
            raise LXCopyError("The model copy holds texts of the wrong length.")
        if lengths.sum() != len(blob):
            raise LXCopyError("The model copy holds texts of the wrong length.")
        ends = np.cumsum(lengths).tolist()
        return [blob[end - size : end].decode("utf-8") for end, size in zip(ends, lengths.tolist(), strict=True)]

    def column(self, described: dict[str, Any]) -> LXColumn:
        nulls = self.array(described["nulls"], "b") if "nulls" in described else None
        if "values" in described:
            values = self.array(described["values"], "fib")
        else:
            texts = self.texts(described["texts" if "texts" in described else "tagged"])
            held: list[Any] = texts if "texts" in described else [_untagged(text) for text in texts]
            values = np.fromiter(held, dtype=object, count=len(held))
        if nulls is not None and len(nulls) != len(values):
            raise LXCopyError("The model copy holds a column of the wrong length.")
        return LXColumn(values, nulls)


def _index(number: Any, count: int) -> int:
    """Return the number of an array or a table after checking that there is one."""
    if type(number) is not int or not 0 <= number < count:
        raise LXCopyError("The model copy names something that it does not hold.")
    return number


def _text(value: Any) -> str:
    """Return a name after checking that it is text."""
    if type(value) is not str:
        raise LXCopyError("The model copy holds a name that is no text.")
    return value


def _tagged(value: Any) -> str:
    """Return a plain value as JSON that says its type."""
    kind = type(value)
    if value is None or kind in (str, bool, int):
        return json.dumps(value, ensure_ascii=False)
    if kind is float:
        return json.dumps({"float": value.hex()})
    if kind in (datetime.date, datetime.datetime, datetime.time):
        return json.dumps({kind.__name__: value.isoformat()})
    if kind is Decimal:
        return json.dumps({"decimal": str(value)})
    if kind in (list, dict):
        return json.dumps({"json": value}, ensure_ascii=False, sort_keys=True)
    raise LXCopyError(f"A value of type {kind.__name__} can't travel with a model copy: {value!r}.")


def _untagged(text: str) -> Any:
    value = json.loads(text)
    if not isinstance(value, dict):
        return value
    ((kind, held),) = value.items()
    readers: dict[str, Any] = {
        "float": float.fromhex,
        "date": datetime.date.fromisoformat,
        "datetime": datetime.datetime.fromisoformat,
        "time": datetime.time.fromisoformat,
        "decimal": Decimal,
        "json": lambda held: held,
    }
    return readers[kind](held)


def dump_model(model: LXModel) -> bytes:
    """Return the model as canonical bytes: the same for the same data, in any process."""
    writer = _Writer()
    tables = _tables_of(model)
    numbers = {id(table): number for number, table in enumerate(tables)}
    content = {
        "name": model.name,
        "sense": model.sense,
        "tables": [_dump_table(table, numbers, writer) for table in tables],
        "named": {name: numbers[id(table)] for name, table in model.tables.items()},
        "variables": [_dump_variable(variable, numbers, writer) for variable in model.variables],
        "constraints": [_dump_constraint(constraint, numbers, writer) for constraint in model.constraints],
        "objective": _dump_terms(model.objective, "the objective", None, writer),
    }
    return writer.bytes(content)


def load_model(data: bytes) -> LXModel:
    """Return the model in `data`; raises LXCopyError for anything but an unharmed copy of this version."""
    reader = _Reader(data)
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
    found: list[LXTable] = []
    waiting = [model.tables[name] for name in sorted(model.tables)]
    families: list[LXVariable[Any, Any] | LXConstraint[Any]] = [*model.variables, *model.constraints]
    waiting += [family.rows.table for family in families if isinstance(family.rows, LXRows)]
    while waiting:
        table = waiting.pop(0)
        if not any(table is other for other in found):
            found.append(table)
            waiting += [link.target for _, link in sorted(table.links.items()) if link.target is not None]
            waiting += [link.target for _, link in sorted(table.many_links.items())]
    return found


def _dump_table(table: LXTable, numbers: dict[int, int], writer: _Writer) -> dict[str, Any]:
    if table.size and not (table.columns or table.links):
        raise LXCopyError(f"Table {table.name} has rows but no columns. Give it a column before it travels.")
    written: dict[str, Any] = {
        "name": table.name,
        "size": table.size,
        "key": table.key,
        "dimensions": list(table.dimensions),
        "columns": {
            name: writer.column(column)
            for name, column in sorted(table.columns.items())
            if not table.unloaded.get(name)  # where some rows lack the field, it counts as not loaded in the copy
        },
        "links": {name: _dump_link(link, numbers, writer) for name, link in sorted(table.links.items())},
    }
    if table.many_links:
        written["many"] = {
            name: [numbers[id(link.target)], writer.array(link.lengths), writer.array(link.positions)]
            for name, link in sorted(table.many_links.items())
        }
    return written


def _dump_link(link: LXLink, numbers: dict[int, int], writer: _Writer) -> list[Any]:
    if link.target is None or (link.positions == UNLOADED).any():
        return [None, writer.array(np.where(link.positions == MISSING, MISSING, 0))]
    return [numbers[id(link.target)], writer.array(link.positions)]


def _dump_rows(rows: LXRows | list[Any] | None, numbers: dict[int, int], writer: _Writer) -> Any:
    if rows is None:
        return None
    if isinstance(rows, LXRows):
        return {"table": numbers[id(rows.table)], "positions": writer.array(rows.positions)}
    return {"size": len(rows)}


def _dump_keys(keys: list[Any], numbers: dict[int, int], writer: _Writer) -> Any:
    """Write keys by their parts: a column for each, or positions where the part is a record."""
    if keys and all(type(key) is tuple and len(key) == len(keys[0]) for key in keys):
        return {"parts": [_dump_keys(list(part), numbers, writer) for part in zip(*keys, strict=True)]}
    if keys and all(isinstance(key, LXRecord) for key in keys):
        table = keys[0]._table
        if id(table) not in numbers or any(key._table is not table for key in keys):
            raise LXCopyError(
                f"The keys of a family are rows of {table.name} and of tables that do not travel with the model. "
                "Add the tables to the model's tables, or use the rows' names as keys."
            )
        return {"table": numbers[id(table)], "positions": writer.array(np.array([key._position for key in keys]))}
    return {"column": writer.column(LXColumn.of(keys))}


def _dump_variable(variable: LXVariable[Any, Any], numbers: dict[int, int], writer: _Writer) -> dict[str, Any]:
    lower, upper = variable.bound_arrays()
    return {
        "name": variable.name,
        "kind": variable.kind,
        "rows": _dump_rows(variable.rows, numbers, writer),
        "keys": _dump_keys(variable.keys, numbers, writer),
        "whole": writer.array(variable.whole_mask()),
        "lower": writer.array(lower),
        "upper": writer.array(upper),
    }


def _dump_constraint(constraint: LXConstraint[Any], numbers: dict[int, int], writer: _Writer) -> dict[str, Any]:
    assert constraint.lhs is not None
    return {
        "name": constraint.name,
        "sense": constraint.sense,
        "rows": _dump_rows(constraint.rows, numbers, writer),
        "keys": None if constraint.rows is None else _dump_keys(constraint.keys, numbers, writer),
        "rhs": writer.array(constraint.rhs_array()),
        "lhs": _dump_terms(constraint.lhs, constraint.name, constraint, writer),
    }


def _dump_terms(
    expression: LXLinearExpression, owner: str, constraint: LXConstraint[Any] | None, writer: _Writer
) -> dict[str, Any]:
    rows = None if constraint is None else constraint.rows
    terms = []
    for term in expression.terms:
        entries = term.entries(owner, rows, None if constraint is None else constraint.index)
        arrays = [writer.array(part) for part in (entries.rows, entries.columns, entries.coefficients)]
        terms.append([term.variable.name, *arrays])
    return {"terms": terms, "constant": writer.array(expression.constant(owner, rows))}


def _load_model(reader: _Reader) -> LXModel:
    content = reader.content
    tables = [_load_table(described, reader) for described in content["tables"]]
    for table, described in zip(tables, content["tables"], strict=True):
        for name, (number, array) in described["links"].items():
            target = None if number is None else tables[_index(number, len(tables))]
            positions = reader.array(array, "i")
            _check_positions(positions, None if target is None else target.size, table.size)
            table.links[name] = LXLink(target, positions)
        for name, (number, lengths, array) in described.get("many", {}).items():
            table.many_links[name] = _load_many(tables[_index(number, len(tables))], lengths, array, table.size, reader)
    model = LXModel(
        _text(content["name"]), {name: tables[_index(n, len(tables))] for name, n in content["named"].items()}
    )
    for described in content["variables"]:
        model.check_name(_text(described["name"]), model.variables)
        model.variables.append(_load_variable(described, tables, reader))
    for described in content["constraints"]:
        model.check_name(_text(described["name"]), model.constraints)
        model.constraints.append(_load_constraint(described, tables, model, reader))
    if content["sense"] not in (MAXIMIZE, MINIMIZE):
        raise LXCopyError("The model copy has an unknown sense.")
    model.objective = _load_terms(content["objective"], model, 1, reader)
    model.sense = content["sense"]
    return model


def _load_many(target: LXTable, lengths: Any, array: Any, size: int, reader: _Reader) -> LXManyLink:
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


def _load_table(described: dict[str, Any], reader: _Reader) -> LXTable:
    columns = {name: reader.column(column) for name, column in described["columns"].items()}
    size, key = described["size"], described["key"]
    if type(size) is not int or size < 0 or (size and not columns and not described["links"]):
        raise LXCopyError("The model copy has a table of the wrong size.")
    if key is not None and key not in columns:
        raise LXCopyError("The model copy has a table without its key.")
    dimensions = described["dimensions"]
    if not isinstance(dimensions, list) or any(name not in described["links"] for name in dimensions):
        raise LXCopyError("The model copy has a dimension that is no relation.")
    return LXTable(_text(described["name"]), columns, size=size, key=key, dimensions=tuple(dimensions))


def _load_rows(described: dict[str, Any], size: int, tables: list[LXTable], reader: _Reader) -> LXRows | list[Any]:
    """Return the rows of a family of `size` members."""
    if "table" not in described:
        if described["size"] != size:
            raise LXCopyError("The model copy has a family without its rows.")
        return [None] * size
    positions = reader.array(described["positions"], "i")
    table = tables[_index(described["table"], len(tables))]
    _check_positions(positions, table.size, size)
    if len(positions) and positions.min() < 0:
        raise LXCopyError("The model copy points to a row that it does not hold.")
    return LXRows(table, positions)


def _load_keys(described: dict[str, Any], tables: list[LXTable], reader: _Reader) -> list[Any]:
    if "parts" in described:
        return list(zip(*(_load_keys(part, tables, reader) for part in described["parts"]), strict=True))
    if "table" in described:
        positions = reader.array(described["positions"], "i")
        table = tables[_index(described["table"], len(tables))]
        _check_positions(positions, table.size)
        if len(positions) and positions.min() < 0:
            raise LXCopyError("The model copy points to a row that it does not hold.")
        return [table.record(position) for position in positions.tolist()]
    keys = reader.column(described["column"]).tolist()
    if any(type(key) in (list, dict) for key in keys):
        raise LXCopyError("The model copy has a key that can't be one.")
    return keys


def _load_variable(described: dict[str, Any], tables: list[LXTable], reader: _Reader) -> LXVariable[Any, Any]:
    variable: LXVariable[Any, Any] = LXVariable(described["name"])
    if described["kind"] not in (CONTINUOUS, INTEGER, BINARY):
        raise LXCopyError("The model copy has a variable of an unknown kind.")
    variable.kind = described["kind"]
    keys = _load_keys(described["keys"], tables, reader)
    variable.restore(_load_rows(described["rows"], len(keys), tables, reader), keys)
    lower, upper = reader.array(described["lower"], "f"), reader.array(described["upper"], "f")
    variable.whole = reader.array(described["whole"], "b")
    if not len(variable.whole) == len(lower) == len(upper) == len(keys):
        raise LXCopyError("The model copy has bounds of the wrong length.")
    if not (np.all(lower <= upper) and np.all(lower < np.inf) and np.all(upper > -np.inf)):
        raise LXCopyError("The model copy has bounds that contradict each other.")
    variable.lower, variable.upper = lower, upper
    return variable


def _load_constraint(
    described: dict[str, Any], tables: list[LXTable], model: LXModel, reader: _Reader
) -> LXConstraint[Any]:
    constraint: LXConstraint[Any] = LXConstraint(described["name"])
    if described["sense"] not in ("<=", ">=", "=="):
        raise LXCopyError("The model copy has a constraint of an unknown sense.")
    constraint.sense = described["sense"]
    if described["rows"] is not None:
        keys = _load_keys(described["keys"], tables, reader)
        constraint.restore(_load_rows(described["rows"], len(keys), tables, reader), keys)
    constraint.rhs_value = reader.finite(described["rhs"])
    if len(constraint.rhs_value) != len(constraint):
        raise LXCopyError("The model copy has a right side of the wrong length.")
    constraint.lhs = _load_terms(described["lhs"], model, len(constraint), reader)
    return constraint


def _load_terms(described: dict[str, Any], model: LXModel, count: int, reader: _Reader) -> LXLinearExpression:
    expression = LXLinearExpression()
    for name, rows, columns, coefficients in described["terms"]:
        variable = model.get_variable(name)
        entries = Entries(reader.array(rows, "i"), reader.array(columns, "i"), reader.finite(coefficients))
        if not len(entries.rows) == len(entries.columns) == len(entries.coefficients):
            raise LXCopyError("The model copy has a term of the wrong length.")
        for positions, limit in ((entries.rows, count), (entries.columns, len(variable))):
            _check_positions(positions, limit)
            if len(positions) and positions.min() < 0:
                raise LXCopyError("The model copy points to a row that it does not hold.")
        expression.terms.append(LXTerm(variable, 0.0, frozen=entries))
    constant = reader.finite(described["constant"])
    if len(constant) != count:
        raise LXCopyError("The model copy has a constant of the wrong length.")
    expression.constants.append(constant)
    return expression

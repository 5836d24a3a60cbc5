"""Reading a model copy: nothing is unpickled, and everything is checked before it is used."""

from __future__ import annotations

from typing import Any

import numpy as np

from .columns import Positions
from .constraint import LXConstraint
from .container import Reader, checked_index, checked_text
from .errors import LXCopyError, LXError
from .evaluate import Computed
from .expression import LXLinearExpression
from .goals import LEXICOGRAPHIC, WEIGHTED, deviations_of
from .index import check_keys
from .keys import ROW, TUPLE, VALUE, LXKeyColumns, LXKeyFields, key_fields_from_json, key_values
from .model import MAXIMIZE, MINIMIZE, LXModel
from .reads import FrozenReader, guard_tables
from .records import MISSING, UNLOADED, LXLink, LXManyLink, LXRows, LXTable
from .terms import Entries, LXTerm, Placement
from .trees import LXTree, tree_from_json
from .variable import BINARY, CONTINUOUS, INTEGER, LXVariable


def load_model(data: bytes) -> LXModel:
    """Return the model in `data`; raises LXCopyError for anything but an unharmed copy of this version."""
    reader = Reader(data)
    try:
        model = _Load(reader).model()
    except LXCopyError:
        raise
    except LXError as error:
        raise LXCopyError(f"The model copy contradicts itself. {error}") from error
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise LXCopyError("The model copy contradicts itself.") from error
    reader.check_end()
    return model


class _Load:
    """Reads the parts of a model."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.tables: list[LXTable] = []
        self._key_functions: dict[Any, LXKeyFields] = {}
        self._all_rows: dict[int, LXRows] = {}

    def model(self) -> LXModel:
        """Read the whole model."""
        content = self.reader.content
        self.tables = [self.table(described) for described in content["tables"]]
        for table, described in zip(self.tables, content["tables"], strict=True):
            self.links(table, described)
        model = LXModel(
            checked_text(content["name"]), {name: self.tables[self.number(n)] for name, n in content["named"].items()}
        )
        for described in content["variables"]:
            model.check_name(checked_text(described["name"]), model.variables)
            model.variables.append(self.variable(described))
        for described in content["constraints"]:
            model.check_name(checked_text(described["name"]), model.constraints)
            model.constraints.append(self.constraint(described, model))
        check_keys([*(v.index for v in model.variables), *(c.index for c in model.constraints)])
        if content["sense"] not in (MAXIMIZE, MINIMIZE):
            raise LXCopyError("The model copy has an unknown sense.")
        model.objective = self.terms(content["objective"], model, 1)
        model.sense = content["sense"]
        if content["goal_mode"] not in (LEXICOGRAPHIC, WEIGHTED):
            raise LXCopyError("The model copy has an unknown goal mode.")
        model.goal_mode = content["goal_mode"]
        model.frozen = [self.frozen(described) for described in content["frozen"]]
        guard_tables(model, self.tables)
        return model

    def number(self, value: Any) -> int:
        """Return the number of a table after checking that there is one."""
        return checked_index(value, len(self.tables))

    # --- tables -----------------------------------------------------------------------------

    def table(self, described: dict[str, Any]) -> LXTable:
        """Read a table without its relations."""
        columns = {name: self.reader.column(column) for name, column in described["columns"].items()}
        size, key = described["size"], described["key"]
        key = tuple(key) if isinstance(key, list) else key
        if type(size) is not int or size < 0 or (size and not columns and not described["links"]):
            raise LXCopyError("The model copy has a table of the wrong size.")
        if key is not None and any(name not in columns for name in (key if isinstance(key, tuple) else [key])):
            raise LXCopyError("The model copy has a table without its key.")
        dimensions = described["dimensions"]
        if not isinstance(dimensions, list) or any(name not in described["links"] for name in dimensions):
            raise LXCopyError("The model copy has a dimension that is no relation.")
        return LXTable(checked_text(described["name"]), columns, size=size, key=key, dimensions=tuple(dimensions))

    def links(self, table: LXTable, described: dict[str, Any]) -> None:
        """Read the relations of a table."""
        for name, (number, array) in described["links"].items():
            target = None if number is None else self.tables[self.number(number)]
            limit = 1 if target is None else target.size
            positions = self.reader.places(array, limit, table.size, least=MISSING)
            table.links[name] = LXLink(target, positions)
        for name, (number, lengths, array) in described.get("many", {}).items():
            target = self.tables[self.number(number)]
            table.many_links[name] = self.many_link(target, lengths, array, table.size)

    def many_link(self, target: LXTable, lengths: Any, array: Any, size: int) -> LXManyLink:
        """Read a relation to several rows."""
        counts: Positions = self.reader.array(lengths, "i")
        positions = self.reader.positions(array, target.size)
        loaded = counts[counts != UNLOADED]
        if len(counts) != size or (len(loaded) and not 0 <= loaded.min() <= loaded.max() <= len(positions)):
            raise LXCopyError("The model copy holds a relation of the wrong length.")
        if loaded.sum() != len(positions):  # none is longer than all of them, so that the sum can't overflow
            raise LXCopyError("The model copy holds a relation of the wrong length.")
        return LXManyLink(target, counts, positions)

    def rows(self, described: dict[str, Any], size: int | None = None) -> LXRows | list[Any]:
        """Read rows; of plain objects, which stay behind, there have to be `size`."""
        if "table" not in described:
            if size is None or described["size"] != size:
                raise LXCopyError("The model copy has a family without its rows.")
            return [None] * size
        table = self.tables[self.number(described["table"])]
        return LXRows(table, self.reader.positions(described["positions"], table.size, size))

    def over(self, described: dict[str, Any], size: int) -> LXRows | list[Any]:
        """Read the rows that a term of `size` entries goes over; without positions they are all rows of a table."""
        if described["positions"] is not None:
            return self.rows(described, size)
        table = self.tables[self.number(described["table"])]
        if table.size != size:
            raise LXCopyError("The model copy has a term of the wrong length.")
        if id(table) not in self._all_rows:
            self._all_rows[id(table)] = table.rows
        return self._all_rows[id(table)]

    # --- families ---------------------------------------------------------------------------

    def members(self, described: dict[str, Any]) -> tuple[LXRows | list[Any], Computed]:
        """Read the rows and keys of a family."""
        keys = described["keys"]
        if "fields" not in keys:
            part, size = self.key_part(keys)
            return self.rows(described["rows"], size), LXKeyColumns(part)
        rows = self.rows(described["rows"])
        assert isinstance(rows, LXRows)
        fields = key_fields_from_json(keys["fields"])
        for table, field in fields.fields(rows.table):
            if field is not None and field not in table.columns:
                raise LXCopyError("The model copy has a key that reads a field which it does not hold.")
        return rows, self._key_functions.setdefault(fields.as_tuple(), fields)  # families may share their proof

    def key_part(self, described: dict[str, Any]) -> tuple[tuple[Any, ...], int]:
        """Read keys, or parts of them, and how many there are."""
        if "parts" in described:
            parts, sizes = zip(*map(self.key_part, described["parts"]), strict=True)
            if len(set(sizes)) != 1:
                raise LXCopyError("The model copy has keys of different lengths.")
            return (TUPLE, parts), sizes[0]
        if "table" in described:
            table = self.tables[self.number(described["table"])]
            positions = self.reader.positions(described["positions"], table.size)
            return (ROW, table, positions), len(positions)
        values = key_values(self.reader.column(described["column"]))
        if described["positions"] is None:
            return (VALUE, values, np.arange(len(values))), len(values)
        positions = self.reader.positions(described["positions"], len(values))
        return (VALUE, values, positions), len(positions)

    def variable(self, described: dict[str, Any]) -> LXVariable[Any, Any]:
        """Read a family of variables."""
        variable: LXVariable[Any, Any] = LXVariable(described["name"])
        if described["kind"] not in (CONTINUOUS, INTEGER, BINARY):
            raise LXCopyError("The model copy has a variable of an unknown kind.")
        variable.kind = described["kind"]
        variable.restore(*self.members(described))
        if described["whole"] is not None:
            variable.whole = self.reader.array(described["whole"], "b")
            if len(variable.whole) != len(variable):
                raise LXCopyError("The model copy has bounds of the wrong length.")
        for side in ("lower", "upper"):
            given = described[side]
            setattr(variable, side, None if given is None else self.function(given, variable.rows, len(variable)))
        if isinstance(variable.lower, np.ndarray) or isinstance(variable.upper, np.ndarray):
            variable.bound_arrays()  # raises where they contradict each other
        return variable

    def constraint(self, described: dict[str, Any], model: LXModel) -> LXConstraint[Any]:
        """Read a family of constraints."""
        constraint: LXConstraint[Any] = LXConstraint(described["name"])
        if described["sense"] not in ("<=", ">=", "=="):
            raise LXCopyError("The model copy has a constraint of an unknown sense.")
        constraint.sense = described["sense"]
        if described["rows"] is not None:
            constraint.restore(*self.members(described))
        constraint.right = self.function(described["rhs"], constraint.rows, len(constraint))
        if isinstance(constraint.right, np.ndarray) and not np.isfinite(constraint.right).all():
            raise LXCopyError("The model copy holds a number that is not finite.")
        constraint.lhs = self.terms(described["lhs"], model, len(constraint))
        if described["goal"] is not None:
            self.goal(described["goal"], constraint)
        return constraint

    def goal(self, described: dict[str, Any], constraint: LXConstraint[Any]) -> None:
        """Read what makes a constraint a goal. Raises where priorities or weights make no sense."""
        rows, size = [None] if constraint.rows is None else constraint.rows, len(constraint)
        for part in ("priority", "weight", "weight_over"):
            given = described[part]
            setattr(constraint, f"goal_{part}", None if given is None else self.function(given, rows, size))
        if constraint.goal_priority is None or constraint.goal_weight is None:
            raise LXCopyError("The model copy has a goal without a priority or a weight.")
        deviations_of([constraint])

    # --- functions and terms ----------------------------------------------------------------

    def function(self, described: dict[str, Any], rows: Any, size: int) -> Any:
        """Read a tree, or the values that a function gave."""
        if "tree" in described:
            return self.tree(described["tree"], rows)
        values = self.reader.array(described["values"], "f")
        if len(values) != size:
            raise LXCopyError("The model copy has values of the wrong length.")
        if np.isnan(values).any():
            raise LXCopyError("The model copy holds a number that is not finite.")
        return values

    def tree(self, described: Any, rows: Any) -> LXTree:
        """Read an expression tree over rows."""
        tree = LXTree(tree_from_json(described, self.tables))
        for table, field in tree.fields(rows):
            if field not in table.columns:
                raise LXCopyError("The model copy has an expression that reads a field which it does not hold.")
        return tree

    def terms(self, described: dict[str, Any], model: LXModel, count: int) -> LXLinearExpression:
        """Read the left side of `count` constraints."""
        expression = LXLinearExpression()
        for term in described["terms"]:
            expression.terms.append(self.term(term, model, count))
        if described["constant"] is not None:
            constant = self.reader.finite(described["constant"])
            if len(constant) != count:
                raise LXCopyError("The model copy has a constant of the wrong length.")
            expression.constants.append(constant)
        return expression

    def term(self, described: dict[str, Any], model: LXModel, count: int) -> LXTerm:
        """Read a term of `count` constraints."""
        variable = model.get_variable(described["variable"])
        rows = self.reader.places(described["rows"], count)
        columns = self.reader.places(described["columns"], len(variable), len(rows))
        if "tree" not in described:
            values = self.reader.finite(described["values"])
            if len(values) != len(rows):
                raise LXCopyError("The model copy has a term of the wrong length.")
            return LXTerm(variable, 0.0, frozen=Entries(rows, columns, values))
        over = [None] * len(rows) if described["over"] is None else self.over(described["over"], len(rows))
        tree = self.tree(described["tree"], over)
        if not isinstance(over, LXRows) and not tree.is_constant:
            raise LXCopyError("The model copy has an expression without its rows.")
        return LXTerm(variable, tree, placed=Placement(rows, columns, over))

    def frozen(self, described: Any) -> FrozenReader:
        """Read what a function that stayed behind may read."""
        owner, numbers, fields = described
        known = None
        if numbers is not None:
            known = tuple(self.tables[self.number(number)] for number in numbers if number != MISSING)
        return FrozenReader(
            checked_text(owner), known, None if fields is None else frozenset(checked_text(field) for field in fields)
        )

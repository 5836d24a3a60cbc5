"""The model: variable families, constraint families, an objective, and the tables that travel with them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from .closures import copied_object
from .constraint import LXConstraint
from .detach import register_tables, registered_tables
from .errors import LXCopyError, LXModelError
from .expression import LXLinearExpression
from .reads import FrozenReader
from .records import LXRows, LXTable
from .variable import LXVariable

MAXIMIZE, MINIMIZE = "maximize", "minimize"


class LXModel:
    """A linear or mixed-integer model over rows of data.

    Rows from an ORM are detached when a family is added: after that the model knows no database.
    `tables` are detached tables that travel with a copy, by name.
    """

    def __init__(self, name: str, tables: dict[str, LXTable] | None = None) -> None:
        self.name = name
        self.tables: dict[str, LXTable] = dict(tables or {})
        self.variables: list[LXVariable[Any, Any]] = []
        self.constraints: list[LXConstraint[Any]] = []
        self.objective: LXLinearExpression = LXLinearExpression()
        self.sense = MAXIMIZE
        self.frozen: list[FrozenReader] = []  # of a copy: the functions that stayed behind
        self._memo: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"<LXModel {self.name}: {len(self.variables)} variable and {len(self.constraints)} constraint families>"

    def add_variable(self, *variables: LXVariable[Any, Any]) -> LXModel:
        """Add families of variables and detach their rows. Raises LXModelError for a name that is taken."""
        for variable in variables:
            self.check_name(variable.name, self.variables)
            variable.materialize(self._memo)
            self.variables.append(variable)
        return self

    def add_constraint(self, *constraints: LXConstraint[Any]) -> LXModel:
        """Add families of constraints and detach their rows.

        Raises LXModelError for a name that is taken, and for a family without expression or sense.
        """
        for constraint in constraints:
            self.check_name(constraint.name, self.constraints)
            constraint.materialize(self._memo)
            self.constraints.append(constraint)
        return self

    def maximize(self, expression: LXLinearExpression) -> LXModel:
        """Set the objective, which is to be as large as possible; one that was set before is replaced."""
        expression.materialize(self._memo)
        self.objective, self.sense = expression, MAXIMIZE
        return self

    def minimize(self, expression: LXLinearExpression) -> LXModel:
        """Set the objective, which is to be as small as possible; one that was set before is replaced."""
        expression.materialize(self._memo)
        self.objective, self.sense = expression, MINIMIZE
        return self

    def get_variable(self, name: str) -> LXVariable[Any, Any]:
        """Return the family of variables of that name; raises LXModelError where there is none."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise LXModelError(f"Model {self.name} has no variable {name!r}.")

    def get_constraint(self, name: str) -> LXConstraint[Any]:
        """Return the family of constraints of that name; raises LXModelError where there is none."""
        for constraint in self.constraints:
            if constraint.name == name:
                return constraint
        raise LXModelError(f"Model {self.name} has no constraint {name!r}.")

    def check_name(self, name: str, families: Sequence[LXVariable[Any, Any] | LXConstraint[Any]]) -> None:
        """Raise where one of the families has the name already."""
        if any(name == family.name for family in families):
            raise LXModelError(f"Model {self.name} has {name!r} already. Give another name.")

    def __deepcopy__(self, memo: dict[Any, Any]) -> LXModel:
        """Return an independent model that keeps its functions: they hold no live row, and share no data with this one.

        Raises LXDetachError where a function holds what can't be detached.
        """
        families: list[Any] = [*self.variables, *self.constraints]
        sets = [family._rows for family in families] + [
            term.over for family in self.constraints if family.lhs is not None for term in family.lhs.terms
        ]
        for held in [*self.tables.values(), *(rows for rows in sets if isinstance(rows, LXRows))]:
            copy.deepcopy(held, memo)  # first: rows that functions hold join these tables
        register_tables(copy.deepcopy(registered_tables(self._memo), memo), memo)
        own: dict[Any, Any] = {}
        register_tables(registered_tables(memo), own)
        made: LXModel = copied_object(self, memo, _memo=own)
        return made

    def __copy__(self) -> LXModel:
        raise LXCopyError(f"A shallow copy of {self!r} would share its rows. Use copy.deepcopy.")

    def __reduce__(self) -> tuple[Any, ...]:
        from .dump import dump_model
        from .load import load_model

        return load_model, (dump_model(self),)

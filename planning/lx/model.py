"""The model: variable families, constraint families, an objective, and the tables that travel with them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .adopt import adopt_tables
from .closures import copied_object
from .constraint import LXConstraint
from .errors import LXCopyError, LXModelError
from .expression import LXLinearExpression
from .gathered import register_tables, registered_tables
from .goals import GOAL_MODES, LEXICOGRAPHIC, WEIGHTED, deviations_of
from .reads import FrozenReader, guard_tables, tables_of
from .records import COPIED_TABLES, LXRows, LXTable
from .variable import LXVariable

MAXIMIZE, MINIMIZE = "maximize", "minimize"


class LXModel:
    """A linear or mixed-integer model over rows of data.

    Rows from an ORM are detached when a family is added, and so are rows that its functions hold: from
    then on the model knows no database. A function that holds rows is taken as it is when it is added.
    `tables` are detached tables that travel with a copy, by name.
    """

    def __init__(self, name: str, tables: dict[str, LXTable] | None = None) -> None:
        self.name = name
        self.tables: dict[str, LXTable] = dict(tables or {})
        self.variables: list[LXVariable[Any, Any]] = []
        self.constraints: list[LXConstraint[Any]] = []
        self.objective: LXLinearExpression = LXLinearExpression()
        self.sense = MAXIMIZE
        self.goal_mode = LEXICOGRAPHIC
        self.frozen: list[FrozenReader] = []  # of a copy: the functions that stayed behind
        self._memo: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"<LXModel {self.name}: {len(self.variables)} variable and {len(self.constraints)} constraint families>"

    def add_variable(self, *variables: LXVariable[Any, Any]) -> LXModel:
        """Add families of variables and detach their rows. Raises LXModelError for a name that is taken."""
        for variable in variables:
            self.check_name(variable.name, self.variables)
            variable.materialize(self._taking())
            self.variables.append(variable)
        return self

    def add_constraint(self, *constraints: LXConstraint[Any]) -> LXModel:
        """Add families of constraints and detach their rows.

        Raises LXModelError for a name that is taken, and for a family without expression or sense.
        """
        for constraint in constraints:
            self.check_name(constraint.name, self.constraints)
            constraint.materialize(self._taking())
            self.constraints.append(constraint)
        return self

    def maximize(self, expression: LXLinearExpression) -> LXModel:
        """Set the objective, which is to be as large as possible; one that was set before is replaced."""
        expression.materialize("objective", self._taking())
        self.objective, self.sense = expression, MAXIMIZE
        return self

    def minimize(self, expression: LXLinearExpression) -> LXModel:
        """Set the objective, which is to be as small as possible; one that was set before is replaced."""
        expression.materialize("objective", self._taking())
        self.objective, self.sense = expression, MINIMIZE
        return self

    def set_goal_mode(self, mode: str) -> LXModel:
        """Set how goals are weighed up: "lexicographic" or "weighted".

        Lexicographic ("sequential" means the same): the goals of each priority are missed as little as
        possible, the first priority first, what was reached is held, and then the objective is as good as it
        can be. Weighted: one solve, in which a unit missed in priority 1 costs a million times its weight, one
        in priority 2 a hundred thousand times, and so on.
        """
        if mode not in GOAL_MODES:
            raise LXModelError(f"There is no goal mode {mode!r}. Use {LEXICOGRAPHIC!r} or {WEIGHTED!r}.")
        self.goal_mode = GOAL_MODES[mode]
        return self

    def prepare_goal_programming(self) -> LXModel:
        """Check the goals: their priorities, weights and names. Solving does so by itself; the model stays as it is.

        Raises LXModelError for a model without goals, and for goals that make no sense.
        """
        if all(constraint.goal_priority is None for constraint in self.constraints):
            raise LXModelError(f"Model {self.name} has no goals. Mark constraints with as_goal(priority, weight).")
        self.settle()
        for found in deviations_of(self.constraints):
            self.check_name(found.variable.name, self.variables)
        return self

    def set_cost(self, variable: LXVariable[Any, Any], to: float, *, key: Any) -> LXModel:
        """Set the objective's coefficient of one variable, named by key or row; it stays, whatever the data say.

        Raises LXModelError for a key that is not there.
        """
        self.objective = self.objective.with_coefficient(variable, 0, variable.index.find(key), to)
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

    def write(self, path: str | Path) -> None:
        """Write the model to a file that ends in .lp or .mps, with readable names such as `make[Chair,Week_1]`.

        Raises LXModelError for another ending and for what is no model.
        """
        from .compile import compile_model
        from .export import write_model

        write_model(compile_model(self), path)

    def settle(self) -> None:
        """Detach what was changed or added to families since the model took them; done before each use of the model.

        Raises LXDetachError, with the way to it, for what can't be detached.
        """
        memo = self._forgetting()
        for variable in self.variables:
            variable.materialize(memo)
        for constraint in self.constraints:
            constraint.materialize(memo)
        self.objective.materialize("objective", memo)
        self._forgetting()

    def _forgetting(self) -> dict[Any, Any]:
        """Return the memo, which knows the tables still but not what was looked through: that may have changed."""
        held = self._taking()
        self._memo = {COPIED_TABLES: held[COPIED_TABLES]}
        register_tables(registered_tables(held), self._memo)
        return self._memo

    def _taking(self) -> dict[Any, Any]:
        """Return the memo of all that is detached for this model: rows join the tables that it has."""
        if COPIED_TABLES not in self._memo:
            self._memo[COPIED_TABLES] = {}
            held = [*(v.rows for v in self.variables), *(c.rows for c in self.constraints)]
            for rows in (*held, *(table.rows for table in self.tables.values())):
                adopt_tables(rows, self._memo)
        return self._memo

    def __deepcopy__(self, memo: dict[Any, Any]) -> LXModel:
        """Return an independent model that keeps its functions: they hold no live row, and share no data with this one.

        Raises LXDetachError where a function holds what can't be detached.
        """
        self.settle()
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
        guard_tables(made, [table for table in tables_of(made) if table.guard is not None])
        return made

    def __copy__(self) -> LXModel:
        raise LXCopyError(f"A shallow copy of {self!r} would share its rows. Use copy.deepcopy.")

    def __reduce__(self) -> tuple[Any, ...]:
        from .dump import dump_model
        from .load import load_model

        return load_model, (dump_model(self),)

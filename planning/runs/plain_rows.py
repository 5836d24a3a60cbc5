"""The snapshot's tables as plain dictionaries, for the plan check, which shares nothing with the formulation."""

from __future__ import annotations

from typing import Any

from planning.lx import LXTable

Row = dict[str, Any]


class Plain:
    """A table of the snapshot as dictionaries by name, with the values of a period in place."""

    def __init__(self, table: LXTable, relations: tuple[str, ...] = ()) -> None:
        self.rows: list[Row] = []
        columns = {name: column.tolist() for name, column in table.columns.items()}
        for i in range(table.size):
            row = {name: values[i] for name, values in columns.items()}
            for relation in relations:
                target = table.get(i, relation)
                row[relation] = None if target is None else target.name
            self.rows.append(row)

    def by(self, *keys: str) -> dict[Any, Row]:
        """Return the rows by a key."""
        return {tuple(row[key] for key in keys) if len(keys) > 1 else row[keys[0]]: row for row in self.rows}


def effective(parent: Row, override: Row | None) -> Row:
    """Return the parent's values with those that the period gives in place."""
    if override is None:
        return parent
    return parent | {field: value for field, value in override.items() if value is not None and field in parent}

"""What is wrong with a plant's data, in words: found all at once, before anything is solved."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Problem:
    """One problem: the table, the name or key of the row, the column, and what to do."""

    table: str
    row: str
    column: str
    text: str

    def as_dict(self) -> dict[str, str]:
        """Return the problem as the plan format writes it."""
        return asdict(self)


class DataProblems(Exception):
    """The data do not allow a plan. `errors` says why, `warnings` what else deserves a look."""

    def __init__(self, errors: list[Problem], warnings: list[Problem] | None = None) -> None:
        super().__init__("\n".join(error.text for error in errors))
        self.errors = errors
        self.warnings = warnings or []

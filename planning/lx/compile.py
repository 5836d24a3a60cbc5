"""From a model to one sparse matrix, and from keys to its rows and columns and back."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .columns import Booleans, Floats, Positions
from .constraint import LXConstraint
from .errors import LXModelError
from .goals import LEXICOGRAPHIC, Deviations, Level, deviations_of, levels_of
from .index import check_keys, named
from .model import MAXIMIZE, LXModel
from .terms import Entries, Places
from .variable import LXVariable

INFINITE = 1e20  # solvers take a number this large for infinite
LARGEST, NEGLIGIBLE = 1e15, 1e-9  # a coefficient above is refused by solvers, one below is dropped without a word


@dataclass
class Block:
    """Where a family stands in the matrix: rows or columns `start` to `start + size`."""

    family: LXVariable[Any, Any] | LXConstraint[Any]
    start: int
    size: int

    @property
    def span(self) -> slice:
        """The family's rows or columns as a slice."""
        return slice(self.start, self.start + self.size)


@dataclass
class CompiledModel:
    """`row_lower <= A x <= row_upper`, `lower <= x <= upper`, with A by rows (CSR: starts, columns, values)."""

    model: LXModel
    variables: dict[str, Block]
    constraints: dict[str, Block]
    cost: Floats
    offset: float
    lower: Floats
    upper: Floats
    integer: Booleans
    row_lower: Floats
    row_upper: Floats
    starts: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    values: Floats
    sense: str = MAXIMIZE
    levels: tuple[Level, ...] = ()  # of goals, the first priority first; minimised before the objective
    goal_mode: str = LEXICOGRAPHIC
    _names: dict[str, list[Hashable]] = field(default_factory=dict, repr=False)

    @property
    def column_count(self) -> int:
        """Number of variables."""
        return len(self.cost)

    @property
    def row_count(self) -> int:
        """Number of constraints."""
        return len(self.row_lower)

    @property
    def is_mip(self) -> bool:
        """Whether any variable must be whole."""
        return bool(self.integer.any())

    def column_name(self, column: int) -> str:
        """Return the readable name of a variable, `make[Chair,Week 1]`."""
        return self._name(self.variables, column)

    def row_name(self, row: int) -> str:
        """Return the readable name of a constraint, `machine_hours[Saw,Week 1]`."""
        families = sum(block.size for block in self.constraints.values())
        if row >= families:
            return f"goals of priority {self.levels[row - families].priority}"
        return self._name(self.constraints, row)

    def _name(self, blocks: dict[str, Block], position: int) -> str:
        for name, block in blocks.items():
            if block.start <= position < block.start + block.size:
                keys = self._names.setdefault(f"{type(block.family).__name__} {name}", block.family.keys)
                key = keys[position - block.start]
                return named(name, key)
        raise IndexError(position)


@np.errstate(over="ignore", invalid="ignore")  # sums that are not finite are refused by name
def compile_model(model: LXModel) -> CompiledModel:
    """Return the matrix of the model. Raises LXModelError for what is no model."""
    model.settle()
    deviations = deviations_of(model.constraints)
    variables, column_count = _blocks([*model.variables, *(found.variable for found in deviations)])
    constraints, row_count = _blocks(model.constraints)
    families = [_terms(constraint, variables, deviations) for constraint in model.constraints]
    entry_count = sum(len(entries.rows) for terms in families for _, entries in terms)
    compiled = _empty(model, variables, constraints, (column_count, row_count, entry_count))
    _set_columns(compiled)
    check_keys([*(v.index for v in model.variables), *(c.index for c in model.constraints)])
    _set_objective(compiled)
    _set_rows(compiled, families)
    _check_numbers(compiled)
    starts = [variables[found.variable.name].start for found in deviations]
    compiled.levels = levels_of(deviations, starts, column_count)
    return compiled


def _empty(
    model: LXModel, variables: dict[str, Block], constraints: dict[str, Block], counts: tuple[int, int, int]
) -> CompiledModel:
    """Return a compiled model whose numbers are not set yet.

    They lie in one piece of memory: the system gives a large one in far fewer steps than many small ones.
    """
    columns, rows, entries = counts
    sizes = [columns, columns, columns, rows, rows, entries]
    ends = np.cumsum(sizes)
    floats = np.empty(ends[-1] + (entries + rows + 2) // 2)
    cost, lower, upper, row_lower, row_upper, values = (
        floats[end - n : end] for end, n in zip(ends, sizes, strict=True)
    )
    whole = floats[ends[-1] :].view(np.int32)
    return CompiledModel(
        model=model,
        variables=variables,
        constraints=constraints,
        cost=cost,
        offset=0.0,
        lower=lower,
        upper=upper,
        integer=np.empty(columns, dtype=np.bool_),
        row_lower=row_lower,
        row_upper=row_upper,
        starts=whole[entries : entries + rows + 1],
        columns=whole[:entries],
        values=values,
        sense=model.sense,
        goal_mode=model.goal_mode,
    )


def _check_numbers(compiled: CompiledModel) -> None:
    """Refuse sums that are not finite, and numbers that solvers drop or take for infinite without a word."""
    if not abs(compiled.offset) < INFINITE:
        raise LXModelError(f"The constants of the objective add up to {compiled.offset:g}. Give smaller numbers.")
    for column in np.flatnonzero(~(np.abs(compiled.cost) < INFINITE)).tolist():
        _refuse(compiled.column_name(column), "the objective", float(compiled.cost[column]))
    size = np.abs(compiled.values)
    if not len(size) or (size.min() > NEGLIGIBLE and size.max() <= LARGEST):
        return
    suspects = (size <= NEGLIGIBLE) | ~(size <= LARGEST)
    if suspects.any():
        filled = np.flatnonzero(np.diff(compiled.starts))
        largest = np.zeros(compiled.row_count)
        largest[filled] = np.maximum.reduceat(size, compiled.starts[filled])
        rows = np.repeat(np.arange(compiled.row_count), np.diff(compiled.starts))
        noise = size < 1e-12 * largest[rows]  # what rounding leaves beside the row's other numbers
        for place in np.flatnonzero(suspects & ~noise).tolist():
            name = compiled.column_name(int(compiled.columns[place]))
            _refuse(name, compiled.row_name(int(rows[place])), float(compiled.values[place]))


def _refuse(variable: str, owner: str, value: float) -> None:
    raise LXModelError(
        f"The coefficient of {variable} in {owner} is {value:g}. Solvers work with sizes above {NEGLIGIBLE:g}, up to "
        f"{LARGEST:g}. Correct it, or use another unit."
    )


def _blocks(families: list[Any]) -> tuple[dict[str, Block], int]:
    blocks: dict[str, Block] = {}
    start = 0
    for family in families:
        if family.name in blocks:  # it was renamed since the model took it
            raise LXModelError(f"The model has {family.name!r} twice. Give another name.")
        blocks[family.name] = Block(family, start, len(family))
        start += len(family)
    return blocks, start


def _column_start(variables: dict[str, Block], variable: LXVariable[Any, Any], owner: str) -> int:
    block = variables.get(variable.name)
    if block is None or block.family is not variable:
        raise LXModelError(f"{owner} uses the variable {variable.name}, which the model does not have. Add it first.")
    return block.start


def _set_columns(compiled: CompiledModel) -> None:
    """Set the bounds of the variables, and which must be whole."""
    for block in compiled.variables.values():
        variable = block.family
        assert isinstance(variable, LXVariable)
        compiled.lower[block.span], compiled.upper[block.span] = variable.bound_arrays()
        compiled.integer[block.span] = variable.whole_mask()


def _set_objective(compiled: CompiledModel) -> None:
    """Set the cost of the variables, and the constant."""
    compiled.cost[:] = 0.0
    for term in compiled.model.objective.terms:
        start = _column_start(compiled.variables, term.variable, "The objective")
        entries = term.entries("the objective", None, None)
        size = len(term.variable)
        compiled.cost[start : start + size] += np.bincount(
            entries.columns, weights=entries.coefficients, minlength=size
        )
    compiled.offset = float(compiled.model.objective.constant("The objective", None)[0])


def _terms(
    constraint: LXConstraint[Any], variables: dict[str, Block], deviations: list[Deviations]
) -> list[tuple[int, Entries]]:
    """Return the terms of a family by variable: the variable's first column, and the entries."""
    assert constraint.lhs is not None
    terms: list[tuple[int, Entries]] = []
    for term in constraint.lhs.terms:
        start = _column_start(variables, term.variable, f"Constraint {constraint.name}")
        terms.append((start, term.entries(constraint.name, constraint.rows, constraint.index)))
    for found in deviations:
        if found.constraint is constraint:
            each = np.arange(len(constraint), dtype=np.int64)
            entries = Entries(each, each, np.full(len(constraint), found.sign))
            terms.append((variables[found.variable.name].start, entries))
    return sorted(terms, key=lambda term: term[0])  # those of one variable stay in the order they were written


def _set_rows(compiled: CompiledModel, families: list[list[tuple[int, Entries]]]) -> None:
    """Set the limits and the matrix, with entries of the same place added up in the order they were written."""
    starts, filled = compiled.starts, 0
    starts[0] = 0
    for terms, block in zip(families, compiled.constraints.values(), strict=True):
        constraint = block.family
        assert isinstance(constraint, LXConstraint)
        assert constraint.lhs is not None
        constant = constraint.lhs.constant(constraint.name, constraint.rows)
        compiled.row_lower[block.span], compiled.row_upper[block.span] = constraint.limits(constant)
        columns, values = compiled.columns[filled:], compiled.values[filled:]
        counts = _fill(columns, values, terms, block.size, compiled.column_count)
        ends = starts[1:][block.span]
        np.cumsum(counts, out=ends)
        ends += filled
        filled = int(ends[-1]) if len(ends) else filled
    compiled.columns, compiled.values = compiled.columns[:filled], compiled.values[:filled]


def _fill(
    columns: npt.NDArray[np.int32],
    values: Floats,
    terms: list[tuple[int, Entries]],
    size: int,
    column_count: int,
) -> Positions:
    """Write the entries of a family of `size` rows, row after row, and return how many each row has."""
    if not terms:
        return np.zeros(size, dtype=np.int64)
    rows = _joined([entries.rows for _, entries in terms])
    columns, values = columns[: len(rows)], values[: len(rows)]
    if np.any(rows[1:] < rows[:-1]):
        # 16 bits are sorted by counting; more by merging what is in order already, one stretch a term
        order = np.argsort(rows.astype(np.uint16) if size <= 2**16 else rows, kind="stable")
        rows = rows[order]
        np.take(_columns(terms), order, out=columns, mode="clip")  # no position is outside: clipping saves a copy
        np.take(_joined([entries.coefficients for _, entries in terms]), order, out=values, mode="clip")
    else:
        _columns(terms, out=columns)
        np.concatenate([entries.coefficients for _, entries in terms], out=values)
    if not np.all((columns[1:] > columns[:-1]) | (rows[1:] > rows[:-1])):
        rows, summed_columns, summed = _added_up(rows, columns, values, column_count)
        columns[: len(rows)], values[: len(rows)] = summed_columns, summed
    return np.bincount(rows, minlength=size)


def _joined(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _columns(terms: list[tuple[int, Entries]], out: npt.NDArray[np.int32] | None = None) -> npt.NDArray[np.int32]:
    """Return the columns of the terms' entries, term after term, counted from the first of the model."""
    if out is None:
        out = np.empty(sum(len(entries.columns) for _, entries in terms), dtype=np.int32)
    filled = 0
    for start, entries in terms:
        part = out[filled : filled + len(entries.columns)]
        np.add(entries.columns, start, out=part, dtype=np.int32, casting="same_kind")
        filled += len(part)
    return out


def _added_up(
    rows: Places, columns: npt.NDArray[np.int32], values: Floats, column_count: int
) -> tuple[Positions, npt.NDArray[np.int32], Floats]:
    """Return the entries in the order of rows and columns, with those of the same place added up."""
    place = rows.astype(np.int64) * max(column_count, 1) + columns
    order = np.argsort(place, kind="stable")
    place, values = place[order], values[order]
    first = np.ones(len(place), dtype=np.bool_)
    first[1:] = place[1:] != place[:-1]
    if not first.all():
        with np.errstate(over="ignore"):  # what is not finite is refused by name
            values = np.add.reduceat(values, np.flatnonzero(first))
        place = place[first]
        left = values != 0.0  # terms that cancel leave no entry
        place, values = place[left], values[left]
    row, column = np.divmod(place, max(column_count, 1))
    return row, column.astype(np.int32), values


def empty_rows_that_fail(compiled: CompiledModel) -> str:
    """Return in words which row has no variables but asks for something; empty where there is none."""
    is_empty = np.diff(compiled.starts) == 0
    failing = np.flatnonzero(is_empty & ((compiled.row_lower > 0) | (compiled.row_upper < 0))).tolist()
    if not failing:
        return ""
    row = failing[0]
    lower, upper = float(compiled.row_lower[row]), float(compiled.row_upper[row])
    asked = f"at least {lower:g}" if lower > 0 else f"at most {upper:g}"
    more = f" The same holds for {len(failing) - 1} more." if len(failing) > 1 else ""
    return f"{compiled.row_name(row)} has no variables, so it is 0, but it is to be {asked}.{more}"


def without_objective(compiled: CompiledModel) -> CompiledModel:
    """Return the model with nothing to optimise: is there any plan?"""
    return replace(compiled, cost=np.zeros(compiled.column_count), offset=0.0)


def relaxed(compiled: CompiledModel) -> CompiledModel:
    """Return the model with every variable continuous."""
    return replace(compiled, integer=np.zeros(compiled.column_count, dtype=np.bool_))


def with_whole_decisions_held(compiled: CompiledModel, values: Floats) -> CompiledModel:
    """Return the linear model in which every whole variable is held at its rounded value."""
    held = np.clip(np.rint(values), compiled.lower, compiled.upper)
    return replace(
        relaxed(compiled),
        lower=np.where(compiled.integer, held, compiled.lower),
        upper=np.where(compiled.integer, held, compiled.upper),
    )

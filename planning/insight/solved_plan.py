"""A solved run as arrays: its stored rows beside the data that it was solved with.

An ended run never changes, so what was put together once is kept for the next page that asks.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from planning.lx import LXTable
from planning.models import MaterialBalance, OrderResult, ProductBalance, Production, Run, Utilization
from planning.runs import AlteredCopy, OutdatedCopy, solved_snapshot
from planning.snapshot import DataProblems, Snapshot

Array = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
_KEPT = 8  # runs whose arrays are kept in a process
_kept: OrderedDict[tuple[Any, ...], SolvedPlan] = OrderedDict()
_lock = threading.Lock()

BALANCE = ("made", "yielded", "bought", "sold", "used", "lapsed", "stock", "backlog", "short")
T = TypeVar("T")
LOAD = ("used", "available", "overtime", "units_down")


class NoSolvedData(Exception):
    """The data that a run was solved with can't be read any more; the message says why, for people."""


@dataclass(frozen=True)
class SolvedPlan:
    """Arrays in the order of the snapshot's grids, in the units of the plan format."""

    snapshot: Snapshot
    made: Array  # way grid
    setup: npt.NDArray[np.bool_]  # way grid
    products: dict[str, Array]  # product grid, by column of BALANCE
    machines: dict[str, Array]  # machine grid, by column of LOAD; nan where available has no limit
    material_stock: Array  # material grid
    supplied: Array  # material grid
    delivered: Array  # order grid

    @property
    def periods(self) -> list[str]:
        """The names of the periods."""
        return names_of(self.snapshot["periods"])

    @property
    def product_names(self) -> list[str]:
        """The names of all products, active or not: the snapshot's positions lead into them."""
        return names_of(self.snapshot["products"])

    @property
    def machine_names(self) -> list[str]:
        """The names of the machines."""
        return names_of(self.snapshot["machines"])


def names_of(table: LXTable) -> list[str]:
    """Return the names of a table's rows."""
    return [str(name) for name in table.columns["name"].tolist()]


def positions(table: LXTable, relation: str) -> Positions:
    """Return for each row of a table the position of the row that a relation leads to."""
    return table.links[relation].positions


def added_up(place: Positions, amounts: Array, size: int) -> Array:
    """Return the sum of the amounts at each of `size` places."""
    return np.asarray(np.bincount(place, weights=amounts, minlength=size), dtype=np.float64)


def solved_plan(run: Run) -> SolvedPlan:
    """Return the plan of an ended run as arrays.

    Raises NoSolvedData where the run has no plan, or its copy is gone or of another version.
    """
    if run.is_open or run.objective is None:
        raise NoSolvedData("The run has no plan.")
    key = (run.pk, run.attempt, run.finished_at, run.created_at)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    plan = _read(run)
    with _lock:
        _kept[key] = plan
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return plan


def snapshot_of(run: Run) -> Snapshot:
    """Return the data that a run was solved with. Raises NoSolvedData."""
    return readable(solved_snapshot, run)


def readable(read: Callable[[Run], T], run: Run) -> T:
    """Return what `read` finds in the run's copy. Raises NoSolvedData with the reason in words."""
    try:
        return read(run)
    except OutdatedCopy as error:
        raise NoSolvedData("Its data were stored by another version of the program.") from error
    except (AlteredCopy, DataProblems) as error:
        raise NoSolvedData(f"Its data can't be read: {error}") from error


def _read(run: Run) -> SolvedPlan:
    snapshot = snapshot_of(run)
    made = _columns(run.production_rows, "product", "quantity", "setup")
    products = _columns(run.productbalance_rows, "product", *BALANCE)
    machine = Utilization.ResourceType.MACHINE
    machines = _columns(run.utilization_rows.filter(resource_type=machine), "resource", *LOAD)
    materials = _columns(run.materialbalance_rows, "material", "supplied", "stock")
    for model, grid, relation, named in (
        (Production, "way_grid", "product", made[0]),
        (ProductBalance, "product_grid", "product", products[0]),
        (Utilization, "machine_grid", "machine", machines[0]),
        (MaterialBalance, "material_grid", "material", materials[0]),
    ):
        _must_match(model.__name__, snapshot[grid], relation, named)
    return SolvedPlan(
        snapshot=snapshot,
        made=_floats(made[1]),
        setup=np.array(made[2], dtype=np.bool_),
        products={name: _floats(column) for name, column in zip(BALANCE, products[1:], strict=True)},
        machines={name: _floats(column) for name, column in zip(LOAD, machines[1:], strict=True)},
        supplied=_floats(materials[1]),
        material_stock=_floats(materials[2]),
        delivered=_delivered(run, snapshot),
    )


def _columns(rows: Any, *fields: str) -> list[tuple[Any, ...]]:
    """Return the columns of stored rows, in the order in which they were written."""
    read = list(rows.order_by("id").values_list(*fields))
    return list(zip(*read, strict=True)) if read else [() for _ in fields]


def _floats(column: tuple[Any, ...]) -> Array:
    return np.array(column, dtype=np.float64)  # None becomes nan


def _must_match(what: str, grid: LXTable, relation: str, named: tuple[Any, ...]) -> None:
    """Raise NoSolvedData unless the stored rows are about the rows of the grid, in their order."""
    link = grid.links[relation]
    assert link.target is not None
    known = names_of(link.target)
    if [known[position] for position in link.positions.tolist()] != list(named):
        raise NoSolvedData(f"The stored rows of {what} do not match the data that the run was solved with.")


def _delivered(run: Run, snapshot: Snapshot) -> Array:
    """Return what is delivered, on the order grid."""
    grid = snapshot["order_grid"]
    if not grid.size:
        return np.zeros(0)
    stored = OrderResult.objects.filter(run=run).order_by("id").values_list("deliveries", flat=True)
    rows = [iter(deliveries) for deliveries in stored]
    try:
        quantities = [next(rows[order])["quantity"] for order in positions(grid, "order").tolist()]
    except (StopIteration, IndexError, KeyError, TypeError) as error:
        raise NoSolvedData("The stored deliveries do not match the data that the run was solved with.") from error
    return np.array(quantities, dtype=np.float64)

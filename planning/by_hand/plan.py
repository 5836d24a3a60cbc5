"""From what was decided by hand to a plan, as a solver's values become one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from planning.formulation import Plan, plan_of
from planning.snapshot import Snapshot

from .planner import Planner


def plan_by_hand(snapshot: Snapshot) -> Plan:
    """Return the plan by hand for a snapshot; the plan check is still to come. Raises NoSimplePlan with the reason."""
    planner = Planner(snapshot)
    planner.plan()
    decided = _decisions(planner)
    return plan_of(snapshot, lambda family, grid: decided.get(family, np.zeros(grid.size)).copy())


def _decisions(planner: Planner) -> dict[str, npt.NDArray[np.float64]]:
    """Return what was decided on the rows of the grids, by the names of the model's variables."""
    ledger = planner.ledger
    storable = np.array(ledger.storable, dtype=np.bool_)
    left = np.maximum(np.array(ledger.left), 0.0)
    beyond = np.array(ledger.used_hours) - np.array(ledger.hours)
    supplied, material_stock, lapsed = ledger.supplied()
    return {
        "make": np.array(ledger.made),
        "setup": np.array(ledger.setup),
        "buy": np.array(ledger.bought),
        "sell": np.array(ledger.sold),
        "stock": np.where(storable, left, 0.0),
        "lapse": np.where(storable, 0.0, left),
        "backlog": np.array(planner.backlog),
        "short": np.array(planner.short),
        "overtime": np.where(np.isfinite(beyond), np.maximum(beyond, 0.0), 0.0),
        "down": np.array(ledger.down),
        "supply": supplied,
        "material_stock": material_stock,
        "material_lapse": lapsed,
        "deliver": np.array(planner.delivered),
    }

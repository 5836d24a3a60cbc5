"""Numbers of a model that could be lifted: which sides of rows and which bounds each of them sets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..columns import Booleans, Floats, Positions
from ..compile import CompiledModel

ROW_LOWER, ROW_UPPER, LOWER, UPPER = range(4)
SIDES = ("row_lower", "row_upper", "lower", "upper")
_ALONE = -1


@dataclass
class Entries:
    """What limits set: `side` of the row or column `place` is `bound`, while `owner` and `beside` (-1: none) stand."""

    owner: Positions
    beside: Positions
    side: Positions
    place: Positions
    bound: Floats

    def standing(self, limits: Booleans) -> Booleans:
        """Return which entries hold while these limits stand."""
        held: Booleans = limits[self.owner] & ((self.beside == _ALONE) | limits[self.beside])
        return held

    def take(self, chosen: Booleans) -> Entries:
        """Return some of the entries."""
        return Entries(*(part[chosen] for part in vars(self).values()))


class Limits:
    """The limits of a model, numbered from 0: what stands as it is, and what the model is without them.

    A limit is one number of the data. It may set several sides of rows and bounds, and a side may be set by several
    limits, of which the tightest holds. What is no limit can't be lifted: `model` has it alone.
    """

    def __init__(self, compiled: CompiledModel) -> None:
        self.model = replace(compiled, **{name: getattr(compiled, name).copy() for name in SIDES})
        self.count = 0
        self._parts: list[Entries] = []

    def add(self, count: int) -> Positions:
        """Add limits that set nothing yet; return their numbers."""
        self.count += count
        return np.arange(self.count - count, self.count)

    def rows_at_least(self, owner: Positions, rows: Positions, bound: Floats, *, lifted: float = -np.inf) -> None:
        """Let limits hold rows at their bound at least; `lifted` without them."""
        self._set(ROW_LOWER, owner, rows, bound, lifted)

    def rows_at_most(
        self,
        owner: Positions,
        rows: Positions,
        bound: Floats,
        *,
        beside: Positions | None = None,
        lifted: float = np.inf,
    ) -> None:
        """Let limits hold rows at their bound at most while the limits `beside` stand too; `lifted` without them."""
        self._set(ROW_UPPER, owner, rows, bound, lifted, beside)

    def columns_at_least(self, owner: Positions, columns: Positions, bound: Floats) -> None:
        """Let limits hold variables at their bound at least; lifted, there is none."""
        self._set(LOWER, owner, columns, bound, -np.inf)

    def columns_at_most(
        self, owner: Positions, columns: Positions, bound: Floats, *, lifted: Floats | float = np.inf
    ) -> None:
        """Let limits hold variables at their bound at most; `lifted` without them."""
        self._set(UPPER, owner, columns, bound, lifted)

    def _set(
        self,
        side: int,
        owner: Positions,
        place: Positions,
        bound: Floats,
        lifted: Floats | float,
        beside: Positions | None = None,
    ) -> None:
        getattr(self.model, SIDES[side])[place] = lifted
        if beside is None:
            beside = np.full(len(owner), _ALONE)
        self._parts.append(Entries(owner, beside, np.full(len(owner), side), place, np.asarray(bound, dtype=float)))

    @property
    def entries(self) -> Entries:
        """Everything that the limits set."""
        if len(self._parts) != 1:
            none = np.zeros(0, dtype=np.int64)
            parts = [Entries(none, none, none, none, np.zeros(0)), *self._parts]
            self._parts = [
                Entries(*(np.concatenate(same) for same in zip(*(vars(p).values() for p in parts), strict=True)))
            ]
        return self._parts[0]

    def compiled(self, standing: Booleans) -> CompiledModel:
        """Return the model in which only these limits stand, and nothing is optimised."""
        sides = {name: getattr(self.model, name).copy() for name in SIDES}
        entries = self.entries.take(self.entries.standing(standing))
        for side, name in enumerate(SIDES):
            chosen = entries.side == side
            tighten = np.maximum if side in (ROW_LOWER, LOWER) else np.minimum
            tighten.at(sides[name], entries.place[chosen], entries.bound[chosen])
        return replace(self.model, **sides, cost=np.zeros(self.model.column_count), offset=0.0, levels=())

    def name(self, limit: int) -> str:
        """Return a limit in the model's names, `machine_hours[Saw,Week 1] <= 40`."""
        entries = self.entries
        said = []
        for i in np.flatnonzero(entries.owner == limit).tolist():
            side, place, bound = int(entries.side[i]), int(entries.place[i]), float(entries.bound[i])
            of_row = side in (ROW_LOWER, ROW_UPPER)
            name = self.model.row_name(place) if of_row else self.model.column_name(place)
            said.append(f"{name} {'>=' if side in (ROW_LOWER, LOWER) else '<='} {bound:g}")
        return " and ".join(said)


def every_limit(compiled: CompiledModel) -> Limits:
    """Return the limits of a model as it stands: each row (both sides of an equality together) and each bound."""
    limits = Limits(compiled)
    low, high = np.isfinite(compiled.row_lower), np.isfinite(compiled.row_upper)
    both = low & (compiled.row_lower == compiled.row_upper)
    owner = np.full(compiled.row_count, _ALONE)
    rows = np.flatnonzero(low)
    owner[rows] = limits.add(len(rows))
    limits.rows_at_least(owner[rows], rows, compiled.row_lower[rows])
    owner[~both] = _ALONE
    rows = np.flatnonzero(high & ~both)
    owner[rows] = limits.add(len(rows))
    rows = np.flatnonzero(high)
    limits.rows_at_most(owner[rows], rows, compiled.row_upper[rows])
    columns = np.flatnonzero(np.isfinite(compiled.lower))
    limits.columns_at_least(limits.add(len(columns)), columns, compiled.lower[columns])
    columns = np.flatnonzero(np.isfinite(compiled.upper))
    limits.columns_at_most(limits.add(len(columns)), columns, compiled.upper[columns])
    return limits

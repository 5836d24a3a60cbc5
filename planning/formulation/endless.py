"""What earns money without end, in words, and which blank fields let it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planning.lx import CompiledModel, LXRows, endless_direction
from planning.snapshot import Snapshot

_MOST_NAMED = 4
_LIMITED_BY = {  # family that grows: grid, relation, the field that would limit it
    "extra": ("product_grid", "product", "max_demand"),
    "buy": ("product_grid", "product", "max_purchase"),
    "supply": ("material_grid", "material", "available_quantity"),
    "overtime": ("machine_grid", "machine", "max_overtime_hours"),
    "stock": ("product_grid", "product", "max_inventory"),
    "material_stock": ("material_grid", "material", "max_inventory"),
    "make": ("way_grid", "product", "max_batch_size"),
}
_EARNS_BY = {
    "sell": ("product_grid", "product", "selling"),
    "make": ("way_grid", "product", "making"),
    "buy": ("product_grid", "product", "buying"),
    "supply": ("material_grid", "material", "supplying"),
}


def endless_profit(compiled: CompiledModel) -> str:
    """Return what earns without end, and the fields of which one needs a value; "" where it is not found."""
    direction = endless_direction(compiled)
    if direction is None:
        return ""
    snapshot = Snapshot(compiled.model.tables)
    gain = compiled.cost * direction
    earning = [
        (float(gain[column]), f"{verb} {name}{_during(snapshot, period)}")
        for family, (grid, relation, verb) in _EARNS_BY.items()
        for column, name, period in _growing(compiled, direction, family, grid, relation)
        if gain[column] > 0
    ]
    blank = [
        f"{field} of {name}{_during(snapshot, period)}"
        for family, (grid, relation, field) in _LIMITED_BY.items()
        for _, name, period in _growing(compiled, direction, family, grid, relation)
    ]
    if not earning or not blank:
        return ""
    shown = ", ".join(dict.fromkeys(blank[:_MOST_NAMED]))
    return f"Profit has no limit: {max(earning)[1]} earns more and more. Give one of these a value: {shown}."


def _growing(
    compiled: CompiledModel,
    direction: np.ndarray[tuple[int], np.dtype[np.float64]],
    family: str,
    grid: str,
    relation: str,
) -> Iterator[tuple[int, str, int]]:
    """Yield the variables of a family that grow: column, name of what they are about, period."""
    block = compiled.variables[family]
    rows = block.family.rows
    assert isinstance(rows, LXRows)
    table = Snapshot(compiled.model.tables)[grid]
    link = table.links[relation]
    assert link.target is not None
    names = link.target.columns["name"].tolist()
    for at in np.flatnonzero(direction[block.span] > 0).tolist():
        row = int(rows.positions[at])
        yield block.start + at, str(names[link.positions[row]]), int(table.links["period"].positions[row])


def _during(snapshot: Snapshot, period: int) -> str:
    if snapshot.period_count == 1:
        return ""
    return f" in {snapshot['periods'].columns['name'].tolist()[period]}"

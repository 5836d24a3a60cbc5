"""What earns money without end, in words, and which blank fields let it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Endless:
    """What earns without end, in words, and the blank fields of which one needs a value, each with its place."""

    summary: str = ""
    blanks: tuple[dict[str, str], ...] = ()


def endless_profit(compiled: CompiledModel) -> Endless:
    """Return what earns without end; nothing where it is not found."""
    direction = endless_direction(compiled)
    if direction is None:
        return Endless()
    snapshot = Snapshot(compiled.model.tables)
    gain = compiled.cost * direction
    earning = [
        (float(gain[column]), f"{verb} {name}{_during(snapshot, period)}")
        for family, (grid, relation, verb) in _EARNS_BY.items()
        for column, name, period in _growing(compiled, direction, family, grid, relation)
        if gain[column] > 0
    ]
    blank = [
        (f"{field} of {name}{_during(snapshot, period)}", _place(snapshot, relation, name, period, field))
        for family, (grid, relation, field) in _LIMITED_BY.items()
        for _, name, period in _growing(compiled, direction, family, grid, relation)
    ]
    if not earning or not blank:
        return Endless()
    best = max(earning)[1]
    shown = ", ".join(dict.fromkeys(text for text, _ in blank[:_MOST_NAMED]))
    places = {text: place | {"text": f"{text} is blank: nothing limits it."} for text, place in blank}
    summary = f"Profit has no limit: {best} earns more and more. Give one of these a value: {shown}."
    return Endless(summary, tuple(places.values()))


def _place(snapshot: Snapshot, relation: str, name: str, period: int, field: str) -> dict[str, str]:
    """Return where a field stands, as a conflict names it."""
    table = {"product": "products", "material": "raw_materials", "machine": "machines"}[relation]
    return {"table": table, "row": name, "period": _period(snapshot, period), "field": field}


def _period(snapshot: Snapshot, period: int) -> str:
    return str(snapshot["periods"].columns["name"].tolist()[period])


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
    return f" in {_period(snapshot, period)}"

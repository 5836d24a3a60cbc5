"""Hours by machine, period and product, and the campaigns that they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .solved_plan import Array, Positions, SolvedPlan, added_up, positions

_NOISE = 1e-9


@dataclass(frozen=True)
class MachineLoad:
    """One entry for each machine, period and product that takes hours there, by machine, period, product.

    `hours` are for making, `setup_hours` for setups, `units` are those made on that machine; `setup` tells
    whether the machine is set up for the product, by a recipe that has setup hours or a setup cost there.
    """

    machine: Positions
    period: Positions
    product: Positions
    hours: Array
    setup_hours: Array
    units: Array
    setup: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.machine)

    @property
    def total(self) -> Array:
        """Hours for making and for setups."""
        return self.hours + self.setup_hours


def machine_load(plan: SolvedPlan) -> MachineLoad:
    """Return the hours of a plan. Their sum over products is what the plan's rows say is used."""
    s = plan.snapshot
    uses, ways, machines = s["machine_uses_by_period"], s["way_grid"], s["machine_grid"]
    way = positions(uses, "way")
    hours = uses.columns["hours_required"].filled(0.0) * plan.made[way]
    setup_hours = uses.columns["setup_hours"].filled(0.0) * plan.setup[way]
    takes_setup = (uses.columns["setup_hours"].filled(0.0) > 0) | (uses.columns["setup_cost"].filled(0.0) > 0)
    counted = np.flatnonzero((np.abs(hours) > _NOISE) | (setup_hours > 0))
    way, hours, setup_hours = way[counted], hours[counted], setup_hours[counted]
    count = s["products"].size
    key = positions(uses, "machine")[counted] * count + positions(ways, "product")[way]
    keys, place = np.unique(key, return_inverse=True)
    row, product = np.divmod(keys, max(count, 1))

    def total(amounts: npt.NDArray[np.float64]) -> Array:
        return added_up(place, amounts, len(keys))

    return MachineLoad(
        machine=positions(machines, "machine")[row],
        period=positions(machines, "period")[row],
        product=product,
        hours=total(hours),
        setup_hours=total(setup_hours),
        units=total(plan.made[way]),
        setup=total((plan.setup[way] & takes_setup[counted]).astype(np.float64)) > 0,
    )


def way_hours(plan: SolvedPlan) -> Array:
    """Return the hours of each way of making and period on all machines, setups included; on the way grid."""
    uses = plan.snapshot["machine_uses_by_period"]
    way = positions(uses, "way")
    hours = uses.columns["hours_required"].filled(0.0) * plan.made[way]
    hours = hours + uses.columns["setup_hours"].filled(0.0) * plan.setup[way]
    return added_up(way, hours, plan.snapshot["way_grid"].size)


@dataclass(frozen=True)
class Campaign:
    """Consecutive periods in which a product is made on a machine: positions, the last one included."""

    machine: int
    product: int
    first: int
    last: int
    hours: float  # setups included
    units: float
    setups: tuple[int, ...]  # periods in which it is set up


def campaigns(load: MachineLoad) -> list[Campaign]:
    """Return the campaigns of a plan, by machine, first period and product."""
    order = np.lexsort((load.period, load.product, load.machine))
    machine, product, period = load.machine[order], load.product[order], load.period[order]
    if not len(order):
        return []
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (np.diff(machine) != 0) | (np.diff(product) != 0) | (np.diff(period) != 1)
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(order))
    hours, units = np.add.reduceat(load.total[order], starts), np.add.reduceat(load.units[order], starts)
    set_up = load.setup[order]
    found = [
        Campaign(
            machine=int(machine[start]),
            product=int(product[start]),
            first=int(period[start]),
            last=int(period[end - 1]),
            hours=float(hours[i]),
            units=float(units[i]),
            setups=tuple(period[start:end][set_up[start:end]].tolist()),
        )
        for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True))
    ]
    return sorted(found, key=lambda campaign: (campaign.machine, campaign.first, campaign.product))

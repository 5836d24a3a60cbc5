"""From the values of a solution to the plan: quantities per row of the snapshot's grids, and profit by part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from planning.lx import CompiledModel, LimitPrices, LimitSides, LXRows, LXSolution, LXTable, with_whole_decisions_held
from planning.snapshot import Snapshot

Array = npt.NDArray[np.float64]
_NOISE = 1e-9  # relative: solvers leave this much behind a whole number

PROFIT_PARTS = (
    "sales",
    "production_cost",
    "route_cost",
    "holding",
    "backlog",
    "shortage",
    "purchase",
    "setup",
    "overtime",
    "lateness",
    "material_holding",
    "material",
)


@dataclass
class Plan:
    """A plan: arrays in the order of the way, product, machine and material grid; units as in the plan format."""

    made: Array  # way grid
    setup: npt.NDArray[np.bool_]
    product_made: Array  # product grid
    yielded: Array
    bought: Array
    sold: Array
    used: Array
    lapsed: Array
    stock: Array
    backlog: Array
    short: Array
    hours: Array  # machine grid
    overtime: Array
    units_down: Array
    hours_available: Array  # nan: no limit
    material_supplied: Array  # material grid
    material_used: Array
    material_lapsed: Array
    material_stock: Array
    delivered: Array  # order grid
    measured: Array  # counted goals: what each measures
    profit: dict[str, float] = field(default_factory=dict)

    @property
    def objective(self) -> float:
        """Profit: sales minus the sum of all other parts."""
        return self.profit["sales"] - sum(amount for part, amount in self.profit.items() if part != "sales")


def read_plan(snapshot: Snapshot, compiled: CompiledModel, values: Array) -> Plan:
    """Return the plan that the values of a solution make."""
    return plan_of(snapshot, _GridReader(compiled, values))


def plan_of(snapshot: Snapshot, on_grid: Callable[[str, LXTable], Array]) -> Plan:
    """Return the plan that decisions make: `on_grid` gives those of a family of variables for each row of its grid.

    What is supplied and worked in overtime for nothing is the least that the plan needs.
    """
    products, machines = snapshot["product_grid"], snapshot["machine_grid"]
    made = on_grid("make", snapshot["way_grid"])
    setup = on_grid("setup", snapshot["way_grid"]) > 0.5
    if not _wants_cost(snapshot.tables):
        setup &= made > 0
    uses, yields = snapshot["component_uses_by_period"], snapshot["by_product_uses_by_period"]
    down = on_grid("down", machines) + machines.columns["units_down"].filled(0.0)
    plan = Plan(
        made=made,
        setup=setup,
        product_made=_total(snapshot["way_grid"], "product_period", made, products.size),
        yielded=_taken(yields, "quantity_produced", "by_product", made, products.size),
        bought=on_grid("buy", products),
        sold=on_grid("sell", products),
        used=_taken(uses, "quantity_required", "component", made, products.size),
        lapsed=on_grid("lapse", products),
        stock=on_grid("stock", products),
        backlog=on_grid("backlog", products),
        short=on_grid("short", products),
        hours=_hours(snapshot, made, setup),
        overtime=on_grid("overtime", machines),
        units_down=down,
        hours_available=machines.columns["available_hours"].filled(np.nan)
        * (machines.columns["units_down"].filled(0.0) + machines.columns["units_up"].filled(0.0) - down),
        material_supplied=on_grid("supply", snapshot["material_grid"]),
        material_used=_taken(
            snapshot["material_uses_by_period"], "quantity_required", "material", made, snapshot["material_grid"].size
        ),
        material_lapsed=on_grid("material_lapse", snapshot["material_grid"]),
        material_stock=on_grid("material_stock", snapshot["material_grid"]),
        delivered=on_grid("deliver", snapshot["order_grid"]),
        measured=np.zeros(snapshot["counted_goals"].size),
    )
    _supply_no_more_than_needed(snapshot, plan)
    _work_no_more_overtime_than_needed(snapshot, plan)
    plan.profit = profit_parts(snapshot, plan)
    plan.measured = _measured(snapshot, plan)
    return plan


def _measured(snapshot: Snapshot, plan: Plan) -> Array:
    """Return what each goal measures."""
    goals = snapshot["counted_goals"]
    total = np.where(goals.columns["is_profit"].values, plan.objective, 0.0)
    for table, amounts in (("goal_makes", plan.made), ("goal_sales", plan.sold), ("goal_overtime", plan.overtime)):
        uses = snapshot[table]
        total += _total(
            uses, "goal", uses.columns["amount"].filled(0.0) * amounts[uses.links["row"].positions], goals.size
        )
    return total


def shortfalls(snapshot: Snapshot, plan: Plan) -> Array:
    """Return what is never delivered of each order that counts, in units."""
    orders, rows = snapshot["counted_orders"], snapshot["order_grid"].links["order"].positions
    delivered = np.bincount(rows, weights=plan.delivered, minlength=orders.size)
    return np.maximum(orders.columns["target_quantity"].filled(0.0) - delivered, 0.0)


def deviations(snapshot: Snapshot, plan: Plan) -> tuple[Array, Array]:
    """Return how far each goal's measure is below its target, and how far above."""
    beyond = plan.measured - snapshot["counted_goals"].columns["target"].filled(0.0)
    return np.maximum(-beyond, 0.0), np.maximum(beyond, 0.0)


def reached_levels(snapshot: Snapshot, plan: Plan) -> dict[int, float]:
    """Return the sum of weight * deviation by priority of the orders and goals, the first one first."""
    reached: dict[int, float] = {}
    orders, goals = snapshot["counted_orders"], snapshot["counted_goals"]
    under, over = deviations(snapshot, plan)
    missed = goals.columns["weight_under"].filled(0.0) * under + goals.columns["weight_over"].filled(0.0) * over
    short = orders.columns["weight"].filled(0.0) * shortfalls(snapshot, plan)
    for table, amounts in ((orders, short), (goals, missed)):
        for priority, amount in zip(table.columns["priority"].tolist(), amounts.tolist(), strict=True):
            reached[priority] = reached.get(priority, 0.0) + amount
    return {priority: reached[priority] for priority in sorted(reached)}


class _GridReader:
    """Gives a family's values on the rows of its grid, 0 where the family has no variable."""

    def __init__(self, compiled: CompiledModel, values: Array) -> None:
        self._compiled = compiled
        nearest = np.rint(values)
        noise = np.abs(values - nearest) <= _NOISE * np.maximum(1.0, np.abs(values))
        self._values = np.where(noise, nearest, values) + 0.0

    def __call__(self, name: str, grid: LXTable) -> Array:
        block = self._compiled.variables[name]
        rows = block.family.rows
        assert isinstance(rows, LXRows)
        on_grid = np.zeros(grid.size)
        on_grid[rows.positions] = np.maximum(self._values[block.span], 0.0)
        return on_grid


def _total(table: LXTable, relation: str, amounts: Array, size: int) -> Array:
    return np.bincount(table.links[relation].positions, weights=amounts, minlength=size).astype(np.float64)


def _taken(uses: LXTable, quantity: str, item: str, made: Array, size: int) -> Array:
    """Return the sum of quantity * made over what takes (or yields) each item and period."""
    return _total(uses, item, uses.columns[quantity].filled(0.0) * made[uses.links["way"].positions], size)


def _hours(snapshot: Snapshot, made: Array, setup: npt.NDArray[np.bool_]) -> Array:
    uses, size = snapshot["machine_uses_by_period"], snapshot["machine_grid"].size
    making = _taken(uses, "hours_required", "machine", made, size)
    return making + _taken(uses, "setup_hours", "machine", setup.astype(np.float64), size)


def _supply_no_more_than_needed(snapshot: Snapshot, plan: Plan) -> None:
    """Take the least supply, as late as possible, of what costs nothing: the solver doesn't care, the planner does."""
    grid, count = snapshot["material_grid"], snapshot.period_count
    if not grid.size:
        return
    shape = (-1, count)
    cost = grid.columns["cost_per_unit"].filled(0.0).reshape(shape)
    free = cost == 0 if snapshot.charges_materials else np.ones(cost.shape, dtype=np.bool_)
    if _wants_cost(snapshot.tables):  # what it costs to store may be what a goal wants
        holding = grid.columns["holding_cost_per_unit"].filled(0.0).reshape(shape)
        free &= (holding == 0).all(axis=1)[:, None]
    storable = np.asarray(grid.columns["is_storable"].values, dtype=np.bool_).reshape(shape)
    limit = grid.columns["available_quantity"].filled(np.inf).reshape(shape)
    required = grid.columns["required_stock"].filled(0.0).reshape(shape)
    used, supplied = plan.material_used.reshape(shape), plan.material_supplied.reshape(shape)
    stock, lapsed = plan.material_stock.reshape(shape), plan.material_lapsed.reshape(shape)
    needed = np.zeros(used.shape)  # at the end of each period, for what comes after
    for t in reversed(range(count)):
        later = np.zeros(len(used))
        if t + 1 < count:
            inflow = np.where(free[:, t + 1], limit[:, t + 1], supplied[:, t + 1])
            later = np.maximum(needed[:, t + 1] + used[:, t + 1] - inflow, 0.0)
        needed[:, t] = np.where(storable[:, t], np.maximum(required[:, t], later), 0.0)
    before = grid.columns["opening_stock"].filled(0.0).reshape(shape)[:, 0]
    for t in range(count):
        least = np.minimum(np.maximum(needed[:, t] + used[:, t] - before, 0.0), limit[:, t])
        supplied[:, t] = np.where(free[:, t], least, supplied[:, t])
        left = before + supplied[:, t] - used[:, t]
        stock[:, t] = np.where(storable[:, t], np.maximum(left, 0.0), 0.0)
        lapsed[:, t] = np.where(storable[:, t], 0.0, np.maximum(left, 0.0))
        before = stock[:, t]


def _work_no_more_overtime_than_needed(snapshot: Snapshot, plan: Plan) -> None:
    """Take the least overtime where it costs nothing: the solver doesn't care, the planner does."""
    free = snapshot["machine_grid"].columns["overtime_cost_per_hour"].filled(0.0) == 0
    if snapshot["counted_goals"].columns["wants_overtime"].values.any():
        free[snapshot["goal_overtime"].links["row"].positions] = False
    needed = np.maximum(plan.hours - np.nan_to_num(plan.hours_available, nan=np.inf), 0.0)
    plan.overtime = np.where(free, np.minimum(plan.overtime, needed), plan.overtime)


def profit_parts(snapshot: Snapshot, plan: Plan) -> dict[str, float]:
    """Return the profit by part, in money; every part but sales is taken off."""
    products, ways = snapshot["product_grid"], snapshot["way_grid"]
    machines, materials = snapshot["machine_grid"], snapshot["material_grid"]

    def cost(table: LXTable, column: str, amounts: Array) -> float:
        return float(table.columns[column].filled(0.0) @ amounts)

    return {
        "sales": cost(products, "profit_per_unit", plan.sold),
        "production_cost": cost(ways, "production_cost_per_unit", plan.made),
        "route_cost": cost(ways, "route_cost_per_unit", plan.made),
        "holding": cost(products, "holding_cost_per_unit", plan.stock),
        "backlog": cost(products, "backlog_cost_per_unit", plan.backlog),
        "shortage": cost(products, "shortage_cost_per_unit", plan.short),
        "purchase": cost(products, "purchase_cost_per_unit", plan.bought),
        "setup": cost(ways, "setup_cost", plan.setup.astype(np.float64)),
        "overtime": cost(machines, "overtime_cost_per_hour", plan.overtime),
        "lateness": cost(snapshot["order_grid"], "late_cost", plan.delivered),
        "material_holding": cost(materials, "holding_cost_per_unit", plan.material_stock),
        "material": cost(materials, "cost_per_unit", plan.material_supplied) if snapshot.charges_materials else 0.0,
    }


@dataclass
class Prices:
    """Shadow prices on a grid: nan where there is no limit, and nan in low or high where the range has no end.

    What one more brings and one less costs, and until which limit; as `LimitSides` has them.
    """

    price: Array
    low: Array
    high: Array
    more: Array
    more_until: Array
    less: Array
    less_until: Array


def with_decisions_held(compiled: CompiledModel, values: Array) -> CompiledModel:
    """Return the linear model with the whole decisions of a solution held.

    A lot whose setup is held needs its `make <= M * setup` no longer: M comes from hours, materials
    and demand, and would take their prices.
    """
    held = with_whole_decisions_held(compiled, values)
    span = compiled.constraints["lot_at_most"].span
    is_set_up = held.upper[compiled.variables["setup"].span] > 0.5
    row_upper = held.row_upper.copy()
    row_upper[span] = np.where(is_set_up, np.inf, row_upper[span])
    return replace(held, row_upper=row_upper)


def waste(compiled: CompiledModel, values: Array) -> Array | None:
    """Return a weight for each variable, to find a plan that makes no more than it needs; None if nothing is wasted.

    Where making costs nothing, a plan that makes more and lets it lapse is as good as one that does
    not. The solver doesn't care, the planner does.
    """
    lapse, make = compiled.variables["lapse"], compiled.variables["make"]
    if not (values[lapse.span] > _NOISE).any() or not (values[make.span] > _NOISE).any():
        return None
    weights = np.zeros(compiled.column_count)
    weights[make.span] = 1.0
    return weights


def without_idle_setups(compiled: CompiledModel, values: Array) -> Array | None:
    """Return the values with every setup taken back in which nothing is made; None where there is none.

    A goal of less profit may want them, for what they cost.
    """
    if _wants_cost(compiled.model.tables):
        return None
    setup, make = compiled.variables["setup"], compiled.variables["make"]
    rows = setup.family.rows
    assert isinstance(rows, LXRows)
    idle = (values[setup.span] > 0.5) & (values[make.span][rows.positions] <= _NOISE)
    if not idle.any():
        return None
    kept = values.copy()
    kept[setup.span] = np.where(idle, 0.0, kept[setup.span])
    return kept


def _wants_cost(tables: dict[str, LXTable]) -> bool:
    """Whether a goal wants less profit than there could be."""
    return bool(tables["counted_goals"].columns["wants_cost"].values.any())


def limit_places(compiled: CompiledModel) -> list[dict[str, str]]:
    """Return the machine or material, and the period, of each of the limit rows."""
    found = []
    for kind, family, grid in (
        ("machine", "machine_hours", "machine_grid"),
        ("material", "material_supply", "material_grid"),
    ):
        table, rows = compiled.model.tables[grid], compiled.constraints[family].family.rows
        assert isinstance(rows, LXRows)
        names, periods = (_names(table, relation) for relation in (kind, "period"))
        found += [
            {"resource_type": kind, "resource": names[row], "period": periods[row]} for row in rows.positions.tolist()
        ]
    return found


def _names(grid: LXTable, relation: str) -> list[str]:
    """Return the name that a relation leads to, of each row of a grid."""
    link = grid.links[relation]
    assert link.target is not None
    names = link.target.columns["name"].tolist()
    return [str(names[position]) for position in link.positions.tolist()]


def limit_rows(compiled: CompiledModel) -> npt.NDArray[np.int64]:
    """Return the rows of the matrix that are limits of machines, then those of materials."""
    spans = (compiled.constraints[name].span for name in ("machine_hours", "material_supply"))
    return np.concatenate([np.arange(span.start, span.stop, dtype=np.int64) for span in spans])


def read_prices(
    snapshot: Snapshot, solution: LXSolution, prices: LimitPrices, sides: LimitSides
) -> tuple[Prices, Prices]:
    """Return the prices of machines and of materials on their grids, in limits as the plan format means them.

    For a machine with units down by choice the limit is what is left of its hours.
    """
    compiled = solution.compiled
    machine_rows = compiled.constraints["machine_hours"].family.rows
    material_rows = compiled.constraints["material_supply"].family.rows
    assert isinstance(machine_rows, LXRows)
    assert isinstance(material_rows, LXRows)
    machines, materials = snapshot["machine_grid"], snapshot["material_grid"]
    split = len(machine_rows)
    assert solution.values is not None
    down = _GridReader(compiled, solution.values)("down", machines)
    lost = (down * machines.columns["available_hours"].filled(0.0))[machine_rows.positions]
    found = {**vars(prices), **vars(sides)}
    return (
        _on_grid(machines.size, machine_rows, found, slice(0, split), lost),
        _on_grid(materials.size, material_rows, found, slice(split, None), np.zeros(len(material_rows))),
    )


def _on_grid(size: int, rows: LXRows, found: dict[str, Array], span: slice, lost: Array) -> Prices:
    spread = {name: np.full(size, np.nan) for name in found}
    for name, array in spread.items():
        values = found[name][span]
        if name in ("low", "high", "more_until", "less_until"):
            values = values - lost
        array[rows.positions] = np.maximum(values, 0.0) if name in ("low", "less_until") else values
    return Prices(**spread)

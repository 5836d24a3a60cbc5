"""The mathematics of the plan format as a model: variables, constraints, profit.

Names follow the format: p product, r route, t period, m machine, k material, o order, g goal. A way w is a product
with one of its routes, or without a route where it has none. Every row of the tables used here is
one combination with a period; see `planning.snapshot.Snapshot`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from planning.lx import LXColumn, LXConstraint, LXLinearExpression, LXModel, LXRecord, LXRows, LXTable, LXVariable
from planning.snapshot import DataProblems, Snapshot

from .hold import holding, moving
from .lots import lot_limits

Variable = LXVariable[LXRecord, float]
Constraint = LXConstraint[LXRecord]


def build_model(snapshot: Snapshot) -> LXModel:
    """Return the model of a snapshot, which travels with it. Raises DataProblems where no lot size is proven."""
    limits, problems = lot_limits(snapshot)
    if problems:
        raise DataProblems(problems)
    if snapshot.holds:  # what is held may be more than anybody takes now
        limits = np.maximum(limits, snapshot["way_grid"].columns["held_make"].filled(0.0))
    snapshot["way_grid"].columns["lot_limit"] = LXColumn(np.where(np.isinf(limits), 0.0, limits))
    v = Variables.over(snapshot)
    model = LXModel(snapshot.plant_name, snapshot.tables)
    model.add_variable(*vars(v).values())
    model.add_constraint(*_product_constraints(snapshot, v))
    model.add_constraint(*_lot_constraints(snapshot, v))
    model.add_constraint(*_machine_constraints(snapshot, v))
    model.add_constraint(*_material_constraints(snapshot, v))
    model.add_constraint(*_order_constraints(snapshot, v))
    model.add_constraint(*_goal_constraints(snapshot, v))
    profit = _profit(snapshot, v)
    if snapshot.holds:
        model.add_constraint(*holding(snapshot, vars(v)))
        profit = profit - moving(model, snapshot, v.make)
    return model.maximize(profit).set_goal_mode(snapshot.goal_mode)


def _where(table: LXTable, column: str, *, blank: bool = False) -> LXRows:
    """Return the rows for which a yes-or-no column is true, or in which a column has a value."""
    held = table.columns[column]
    return table.rows.where(~held.is_null if blank else np.asarray(held.values, dtype=np.bool_))


def _product(r: LXRecord) -> tuple[str, str]:
    return (r.product.name, r.period.name)


def _way(w: LXRecord) -> tuple[str, str, str]:
    return (w.product.name, w.way.route_name, w.period.name)


def _machine(m: LXRecord) -> tuple[str, str]:
    return (m.machine.name, m.period.name)


def _material(k: LXRecord) -> tuple[str, str]:
    return (k.material.name, k.period.name)


def _same(r: LXRecord) -> LXRecord:
    return r


def _before(r: LXRecord) -> Any:
    return r.previous


@dataclass
class Variables:
    """The families of variables, all at least 0; one that an option does not allow is not there."""

    make: Variable
    setup: Variable
    sell: Variable
    firm: Variable
    extra: Variable
    stock: Variable
    lapse: Variable
    buy: Variable
    backlog: Variable
    short: Variable
    overtime: Variable
    down: Variable
    supply: Variable
    material_stock: Variable
    material_lapse: Variable
    deliver: Variable
    profit: Variable  # only where it is a goal

    @classmethod
    def over(cls, s: Snapshot) -> Variables:
        """Return the families over the snapshot's rows."""
        products, ways, machines, materials = s["product_grid"], s["way_grid"], s["machine_grid"], s["material_grid"]
        lapsing = products.rows.where(~np.asarray(products.columns["is_storable"].values, dtype=np.bool_))
        late = _where(products, "backlog_cost_per_unit", blank=True)
        late = late.where(~np.asarray(late.column("is_last").values, dtype=np.bool_))
        return cls(
            make=Variable("make")
            .integer(where=lambda w: w.whole_units)
            .bounds(upper=lambda w: 0.0 if w.is_blocked else w.max_batch_size)
            .indexed_by(_way)
            .from_data(ways),
            setup=Variable("setup").binary().indexed_by(_way).from_data(_where(ways, "has_setup")),
            sell=Variable("sell").indexed_by(_product).from_data(products),
            firm=Variable("firm").indexed_by(_product).from_data(products),
            extra=Variable("extra").bounds(upper=lambda r: r.max_extra).indexed_by(_product).from_data(products),
            stock=Variable("stock")
            .bounds(upper=lambda r: r.max_inventory)
            .indexed_by(_product)
            .from_data(_where(products, "is_storable")),
            lapse=Variable("lapse").indexed_by(_product).from_data(lapsing),
            buy=Variable("buy")
            .bounds(upper=lambda r: r.max_purchase)
            .indexed_by(_product)
            .from_data(_where(products, "purchase_cost_per_unit", blank=True)),
            backlog=Variable("backlog").indexed_by(_product).from_data(late),
            short=Variable("short")
            .indexed_by(_product)
            .from_data(_where(products, "shortage_cost_per_unit", blank=True)),
            overtime=Variable("overtime")
            .bounds(upper=lambda m: m.max_overtime_hours)
            .indexed_by(_machine)
            .from_data(_where(machines, "has_overtime")),
            down=Variable("down")
            .integer()
            .bounds(upper=lambda m: m.units_up)
            .indexed_by(_machine)
            .from_data(_where(machines, "has_maintenance")),
            supply=Variable("supply").indexed_by(_material).from_data(materials),
            material_stock=Variable("material_stock")
            .bounds(upper=lambda k: k.max_inventory)
            .indexed_by(_material)
            .from_data(_where(materials, "is_storable")),
            material_lapse=Variable("material_lapse").indexed_by(_material).from_data(_where(materials, "may_lapse")),
            deliver=Variable("deliver")
            .bounds(upper=lambda d: d.order.target_quantity)
            .indexed_by(lambda d: (d.order.reference, d.period.name))
            .from_data(s["order_grid"]),
            profit=Variable("profit")
            .bounds(lower=None)
            .indexed_by(lambda plant: plant.name)
            .from_data(_where(s["plant"], "has_profit_goal")),
        )


def _product_constraints(s: Snapshot, v: Variables) -> list[Constraint]:
    products = s["product_grid"]
    yields, uses = s["by_product_uses_by_period"], s["component_uses_by_period"]
    return [
        # stock[p,t-1] + sum_r make[p,r,t] + buy[p,t] + sum yield * make
        #     - stock[p,t] - lapse[p,t] - sell[p,t] - sum quantity * make  ==  -initial_inventory[p] if t is first
        Constraint("product_balance")
        .indexed_by(_product)
        .from_data(products)
        .expression(
            LXLinearExpression()
            .add_term(v.stock, at=_before, skip_missing=True)
            .add_join(v.make, row_key=lambda w: w.product_period)
            .add_term(v.buy, at=_same, skip_missing=True)
            .add_join(
                v.make,
                lambda u: u.quantity_produced,
                over=yields,
                variable_key=lambda u: u.way,
                row_key=lambda u: u.by_product,
            )
            .add_term(v.stock, -1.0, at=_same, skip_missing=True)
            .add_term(v.lapse, -1.0, at=_same, skip_missing=True)
            .add_term(v.sell, -1.0, at=_same)
            .add_join(
                v.make,
                lambda u: -u.quantity_required,
                over=uses,
                variable_key=lambda u: u.way,
                row_key=lambda u: u.component,
            )
        )
        .eq()
        .rhs(lambda r: -r.opening_stock),
        # sell[p,t] == firm[p,t] + extra[p,t]
        Constraint("sales")
        .indexed_by(_product)
        .from_data(products)
        .expression(
            LXLinearExpression()
            .add_term(v.sell, at=_same)
            .add_term(v.firm, -1.0, at=_same)
            .add_term(v.extra, -1.0, at=_same)
        )
        .eq()
        .rhs(0.0),
        # firm[p,t] + short[p,t] + backlog[p,t] - backlog[p,t-1] == min_demand[p,t]
        Constraint("demand")
        .indexed_by(_product)
        .from_data(products)
        .expression(
            LXLinearExpression()
            .add_term(v.firm, at=_same)
            .add_term(v.short, at=_same, skip_missing=True)
            .add_term(v.backlog, at=_same, skip_missing=True)
            .add_term(v.backlog, -1.0, at=_before, skip_missing=True)
        )
        .eq()
        .rhs(lambda r: r.min_demand),
        # stock[p,t] >= min_inventory[p,t], and >= final_inventory[p] if t is last
        Constraint("required_stock")
        .indexed_by(_product)
        .from_data(_required(products))
        .expression(LXLinearExpression().add_term(v.stock, at=_same))
        .ge()
        .rhs(lambda r: r.required_stock),
    ]


def _required(grid: LXTable) -> LXRows:
    return grid.rows.where(grid.columns["required_stock"].filled(0.0) > 0)


def _lot_constraints(s: Snapshot, v: Variables) -> list[Constraint]:
    lots = v.setup.rows
    assert isinstance(lots, LXRows)
    return [
        # make[p,r,t] <= M[p,r,t] * setup[p,r,t]
        Constraint("lot_at_most")
        .indexed_by(_way)
        .from_data(lots)
        .expression(LXLinearExpression().add_term(v.make, at=_same).add_term(v.setup, lambda w: -w.lot_limit, at=_same))
        .le()
        .rhs(0.0),
        # make[p,r,t] >= min_batch_size[p,r,t] * setup[p,r,t]
        Constraint("lot_at_least")
        .indexed_by(_way)
        .from_data(lots.where(lots.column("min_batch_size").filled(0.0) > 0))
        .expression(
            LXLinearExpression().add_term(v.make, at=_same).add_term(v.setup, lambda w: -w.min_batch_size, at=_same)
        )
        .ge()
        .rhs(0.0),
    ]


def _machine_constraints(s: Snapshot, v: Variables) -> list[Constraint]:
    machines, uses = s["machine_grid"], s["machine_uses_by_period"]
    busy = machines.rows.where(np.asarray(machines.columns["is_limited"].values, dtype=np.bool_))
    served = s["machines"].rows
    return [
        # sum hours_required * make + sum setup_hours * setup + available_hours * down - overtime
        #     <=  available_hours[m,t] * (units[m] - units_down[m,t])
        Constraint("machine_hours")
        .indexed_by(_machine)
        .from_data(busy)
        .expression(
            LXLinearExpression()
            .add_join(
                v.make,
                lambda u: u.hours_required,
                over=uses,
                variable_key=lambda u: u.way,
                row_key=lambda u: u.machine,
                skip_missing=True,  # a machine without a limit has no row
            )
            .add_join(
                v.setup,
                lambda u: u.setup_hours,
                over=uses,
                variable_key=lambda u: u.way,
                row_key=lambda u: u.machine,
                skip_missing=True,
            )
            .add_term(v.down, lambda m: m.available_hours, at=_same, skip_missing=True)
            .add_term(v.overtime, -1.0, at=_same, skip_missing=True)
        )
        .le()
        .rhs(lambda m: m.limit),
        # sum_t down[m,t] == maintenance_units[m]
        Constraint("maintenance")
        .indexed_by(lambda m: m.name)
        .from_data(served.where(s["machines"].columns["maintenance_units"].filled(0.0) > 0))
        .expression(LXLinearExpression().add_join(v.down, row_key=lambda m: m.machine))
        .eq()
        .rhs(lambda m: m.maintenance_units),
    ]


def _material_constraints(s: Snapshot, v: Variables) -> list[Constraint]:
    materials, uses = s["material_grid"], s["material_uses_by_period"]
    return [
        # material_stock[k,t-1] + supply[k,t] - material_stock[k,t] - lapse[k,t] - sum quantity_required * make
        #     ==  -initial_inventory[k] if t is first
        Constraint("material_balance")
        .indexed_by(_material)
        .from_data(materials)
        .expression(
            LXLinearExpression()
            .add_term(v.material_stock, at=_before, skip_missing=True)
            .add_term(v.supply, at=_same)
            .add_term(v.material_stock, -1.0, at=_same, skip_missing=True)
            .add_term(v.material_lapse, -1.0, at=_same, skip_missing=True)
            .add_join(
                v.make,
                lambda u: -u.quantity_required,
                over=uses,
                variable_key=lambda u: u.way,
                row_key=lambda u: u.material,
            )
        )
        .eq()
        .rhs(lambda k: -k.opening_stock),
        # supply[k,t] <= available_quantity[k,t]
        Constraint("material_supply")
        .indexed_by(_material)
        .from_data(_where(materials, "is_limited"))
        .expression(LXLinearExpression().add_term(v.supply, at=_same))
        .le()
        .rhs(lambda k: k.available_quantity),
        # lapse[k,t] <= material_stock[k,t-1]: what is supplied is used or stored, only old stock lapses
        Constraint("material_lapses_from_stock")
        .indexed_by(_material)
        .from_data(_where(materials, "may_lapse"))
        .expression(
            LXLinearExpression()
            .add_term(v.material_lapse, at=_same)
            .add_term(v.material_stock, -1.0, at=_before, skip_missing=True)
        )
        .le()
        .rhs(lambda k: k.opening_stock),
        # material_stock[k,t] >= min_inventory[k,t], and >= final_inventory[k] if t is last
        Constraint("required_material_stock")
        .indexed_by(_material)
        .from_data(_required(materials))
        .expression(LXLinearExpression().add_term(v.material_stock, at=_same))
        .ge()
        .rhs(lambda k: k.required_stock),
    ]


def _order_constraints(s: Snapshot, v: Variables) -> list[Constraint]:
    orders, deliveries = s["counted_orders"], s["order_grid"]
    served = np.unique(deliveries.links["product_period"].positions)

    def delivered() -> LXLinearExpression:
        return LXLinearExpression().add_join(v.deliver, row_key=lambda d: d.order)

    def family(name: str) -> Constraint:
        return Constraint(name).indexed_by(lambda o: o.reference).from_data(orders).expression(delivered())

    return [
        # sum_t deliver[o,t] + shortfall[o]  >=  target_quantity[o]: a goal
        family("orders").ge().rhs(lambda o: o.target_quantity).as_goal(lambda o: o.priority, lambda o: o.weight),
        # sum_t deliver[o,t]  <=  target_quantity[o]
        family("orders_at_most").le().rhs(lambda o: o.target_quantity),
        # sum_o deliver[o,t]  <=  sell[p,t]: a unit serves one order
        Constraint("deliveries")
        .indexed_by(_product)
        .from_data(LXRows(s["product_grid"], served))
        .expression(
            LXLinearExpression()
            .add_join(v.deliver, row_key=lambda d: d.product_period)
            .add_term(v.sell, -1.0, at=_same)
        )
        .le()
        .rhs(0.0),
    ]


def _goal_constraints(s: Snapshot, v: Variables) -> list[Constraint]:
    goals = s["counted_goals"]
    measured = LXLinearExpression()
    for variable, table in ((v.make, "goal_makes"), (v.sell, "goal_sales"), (v.overtime, "goal_overtime")):
        measured.add_join(
            variable,
            lambda u: u.amount,
            over=s[table],
            variable_key=lambda u: u.row,
            row_key=lambda u: u.goal,
        )
    of_profit = goals.rows.where(np.asarray(goals.columns["is_profit"].values, dtype=np.bool_))
    return [
        # measure[g] + under[g] - over[g]  ==  target[g]: a goal
        Constraint("goals")
        .indexed_by(lambda g: g.name)
        .from_data(goals)
        .expression(measured.add_join(v.profit, 1.0, over=of_profit, variable_key=_plant(s), row_key=_same))
        .eq()
        .rhs(lambda g: g.target)
        .as_goal(lambda g: g.priority, lambda g: g.weight_under, weight_over=lambda g: g.weight_over),
        # profit  ==  profit_per_unit * sell - every cost, where it is a goal
        Constraint("profit")
        .indexed_by(lambda plant: plant.name)
        .from_data(v.profit.rows)
        .expression(LXLinearExpression().add_term(v.profit, at=_same) - _profit(s, v))
        .eq()
        .rhs(0.0),
    ]


def _plant(s: Snapshot) -> Callable[[LXRecord], LXRecord]:
    plant = s["plant"].record(0)
    return lambda _: plant


def _profit(s: Snapshot, v: Variables) -> LXLinearExpression:
    """profit_per_unit * sell minus every cost."""
    profit = (
        LXLinearExpression()
        .add_multi_term(v.sell, lambda r: r.profit_per_unit)
        .add_multi_term(v.make, lambda w: -w.production_cost_per_unit)
        .add_multi_term(v.make, lambda w: -w.route_cost_per_unit)
        .add_multi_term(v.stock, lambda r: -r.holding_cost_per_unit)
        .add_multi_term(v.backlog, lambda r: -r.backlog_cost_per_unit)
        .add_multi_term(v.short, lambda r: -r.shortage_cost_per_unit)
        .add_multi_term(v.buy, lambda r: -r.purchase_cost_per_unit)
        .add_multi_term(v.setup, lambda w: -w.setup_cost)
        .add_multi_term(v.overtime, lambda m: -m.overtime_cost_per_hour)
        .add_multi_term(v.material_stock, lambda k: -k.holding_cost_per_unit)
        .add_multi_term(v.deliver, lambda d: -d.late_cost)
    )
    if s.charges_materials:
        profit.add_multi_term(v.supply, lambda k: -k.cost_per_unit)
    return profit

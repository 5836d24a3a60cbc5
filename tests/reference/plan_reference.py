"""The mathematics of the plan format, formula by formula, solved by scipy: slow, plain, a second opinion."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.reference.plan_tables import (
    PlantData,
    Row,
    active_products,
    has_setup,
    is_active,
    max_batch,
    min_batch,
    rates,
    setup_cost,
    ways_of_making,
)
from tests.reference.program import INF, Program

Terms = dict[Any, float]
TIER_PRIORITY = {"GOLD": 1, "SILVER": 2, "BRONZE": 3}


@dataclass
class Answer:
    """What the reference says of a plant."""

    status: str  # optimal, infeasible or unbounded
    objective: float | None = None
    levels: dict[int, float] = field(default_factory=dict)
    plan: dict[Any, float] = field(default_factory=dict)
    is_linear: bool = True


def solve_plant(plant: PlantData, extra_limit: dict[tuple[str, str, str], float] | None = None) -> Answer:
    """Return the best plan; `extra_limit` raises the limit of (machine or material, name, period)."""
    return Formulation(plant, extra_limit or {}).solve()


def best_profit(plant: PlantData, whole: Terms, extra_limit: dict[tuple[str, str, str], float]) -> float | None:
    """Return the best profit with the whole decisions held and some limits raised, None where there is no plan."""
    formulation = Formulation(plant, extra_limit)
    formulation.program.hold_whole(whole)
    outcome = formulation.program.maximise(formulation.profit())
    return outcome.value


def plus(*parts: tuple[float, Terms]) -> Terms:
    """Return the sum of factor * terms."""
    total: Terms = defaultdict(float)
    for factor, terms in parts:
        for key, coefficient in terms.items():
            total[key] += factor * coefficient
    return dict(total)


class Formulation:
    """One plant as a program: `build` reads like the section "Mathematics"."""

    def __init__(self, plant: PlantData, extra_limit: dict[tuple[str, str, str], float]) -> None:
        self.plant = plant
        self.extra_limit = extra_limit
        self.program = Program()
        self.products = active_products(plant)
        self.routes = {p: ways_of_making(plant, p) for p in self.products}
        self.makes = [(p, r, t) for p in self.products for r in self.routes[p] for t in plant.periods]
        self.orders = [row for row in plant.rows("customer_orders") if self.counts(row)]
        self.build()

    def counts(self, order: Row) -> bool:
        return bool(order["active"]) and is_active(self.plant, order["product"])

    def build(self) -> None:
        self.add_production()
        self.add_stock_and_sales()
        self.add_product_balances()
        self.add_machines()
        self.add_materials()
        self.add_orders()

    # --- rates per unit made -------------------------------------------------------------------

    def hours(self, p: str, r: str) -> dict[str, float]:
        return rates(self.plant, "production_recipes", p, r, "machine", "hours_required")

    def setup_hours(self, p: str, r: str) -> dict[str, float]:
        return rates(self.plant, "production_recipes", p, r, "machine", "setup_hours")

    def materials(self, p: str, r: str) -> dict[str, float]:
        return rates(self.plant, "material_requirements", p, r, "material", "quantity_required")

    def components(self, p: str, r: str) -> dict[str, float]:
        return rates(self.plant, "component_requirements", p, r, "component", "quantity_required")

    def by_products(self, p: str, r: str) -> dict[str, float]:
        return rates(self.plant, "by_products", p, r, "by_product", "quantity_produced")

    # --- rows ----------------------------------------------------------------------------------

    def add_production(self) -> None:
        for p, r, t in self.makes:
            # make <= max_batch_size; what needs a product that is not active can't be made
            high = max_batch(self.plant, p, r, t)
            if any(amount > 0 and not is_active(self.plant, c) for c, amount in self.components(p, r).items()):
                high = 0.0
            self.program.variable(("make", p, r, t), 0.0, high, whole=self.plant.product(p, t)["whole_units"])
            # make <= M * setup, make >= min_batch_size * setup
            if has_setup(self.plant, p, r, t):
                self.program.setup(("setup", p, r, t), ("make", p, r, t), min_batch(self.plant, p, r, t))

    def add_stock_and_sales(self) -> None:
        last = self.plant.periods[-1]
        for p in self.products:
            for t in self.plant.periods:
                values = self.plant.product(p, t)
                low, high = values["min_inventory"], values["max_inventory"]
                if t == last:
                    low = max(low, values["final_inventory"])
                if values["holding_cost_per_unit"] is None:
                    low, high = 0.0, 0.0
                self.add_stock("stock", p, t, low, high)
                bought = 0.0 if values["purchase_cost_per_unit"] is None else values["max_purchase"]
                self.program.variable(("buy", p, t), 0.0, bought)
                self.add_sales(p, t, values, is_last=t == last)

    def add_stock(self, name: str, item: str, t: str, low: float, high: float | None) -> None:
        """Add the stock of a product or material; limits that cross are rows, so that they make it infeasible."""
        self.program.variable((name, item, t))
        self.program.row({(name, item, t): 1.0}, low, INF if high is None else high)

    def add_sales(self, p: str, t: str, values: Row, *, is_last: bool) -> None:
        lowest, highest = values["min_demand"], values["max_demand"]
        self.program.variable(("firm", p, t))
        self.program.variable(("extra", p, t), 0.0, None if highest is None else highest - lowest)
        self.program.variable(("sell", p, t))
        no_backlog = values["backlog_cost_per_unit"] is None or is_last
        self.program.variable(("backlog", p, t), 0.0, 0.0 if no_backlog else None)
        self.program.variable(("short", p, t), 0.0, 0.0 if values["shortage_cost_per_unit"] is None else None)
        # sell = firm + extra
        self.program.row({("sell", p, t): 1.0, ("firm", p, t): -1.0, ("extra", p, t): -1.0}, 0.0, 0.0)
        # backlog[t] = backlog[t-1] + min_demand - firm - short
        terms = {("backlog", p, t): 1.0, ("firm", p, t): 1.0, ("short", p, t): 1.0}
        before = self.period_before(t)
        if before is not None:
            terms["backlog", p, before] = -1.0
        self.program.row(terms, lowest, lowest)

    def period_before(self, t: str) -> str | None:
        position = self.plant.periods.index(t)
        return self.plant.periods[position - 1] if position > 0 else None

    def add_product_balances(self) -> None:
        for p in self.products:
            for t in self.plant.periods:
                # stock[t-1] + made + bought + yielded - stock - sold - used = 0, or >= 0 where it can't be stored
                terms: Terms = defaultdict(float)
                opening = self.plant.product(p, t)["initial_inventory"]
                before = self.period_before(t)
                if before is not None:
                    terms["stock", p, before] += 1.0
                    opening = 0.0
                terms["buy", p, t] += 1.0
                terms["stock", p, t] -= 1.0
                terms["sell", p, t] -= 1.0
                for maker, r, s in self.makes:
                    if s == t:
                        if maker == p:
                            terms["make", maker, r, t] += 1.0
                        terms["make", maker, r, t] += self.by_products(maker, r).get(p, 0.0)
                        terms["make", maker, r, t] -= self.components(maker, r).get(p, 0.0)
                storable = self.plant.product(p, t)["holding_cost_per_unit"] is not None
                self.program.row(terms, -opening, -opening if storable else INF)

    def add_machines(self) -> None:
        for machine in self.plant.rows("machines"):
            m = machine["name"]
            for t in self.plant.periods:
                values = self.plant.machine(m, t)
                # down <= units - units_down
                self.program.variable(("down", m, t), 0.0, values["units"] - values["units_down"], whole=True)
                if values["available_hours"] is None:
                    continue
                most = 0.0 if values["overtime_cost_per_hour"] is None else values["max_overtime_hours"]
                self.program.variable(("overtime", m, t), 0.0, most)
                # hours * make + setup_hours * setup + available_hours * down - overtime
                #     <= available_hours * (units - units_down)
                terms: Terms = defaultdict(float)
                for p, r, s in self.makes:
                    if s == t:
                        terms["make", p, r, t] += self.hours(p, r).get(m, 0.0)
                        if has_setup(self.plant, p, r, t):
                            terms["setup", p, r, t] += self.setup_hours(p, r).get(m, 0.0)
                terms["down", m, t] += values["available_hours"]
                terms["overtime", m, t] -= 1.0
                limit = values["available_hours"] * (values["units"] - values["units_down"])
                self.program.row(terms, -INF, limit + self.extra_limit.get(("machine", m, t), 0.0))
            # sum of down over t = maintenance_units
            wanted = machine["maintenance_units"]
            self.program.row({("down", m, t): 1.0 for t in self.plant.periods}, wanted, wanted)

    def add_materials(self) -> None:
        last = self.plant.periods[-1]
        for row in self.plant.rows("raw_materials"):
            k = row["name"]
            for t in self.plant.periods:
                values = self.plant.material(k, t)
                storable = values["holding_cost_per_unit"] is not None
                low, high = values["min_inventory"], values["max_inventory"]
                if t == last:
                    low = max(low, values["final_inventory"])
                if not storable:
                    low, high = 0.0, 0.0
                self.add_stock("material_stock", k, t, low, high)
                most = values["available_quantity"]
                extra = self.extra_limit.get(("material", k, t), 0.0)
                self.program.variable(("supply", k, t), 0.0, None if most is None else most + extra)
                used: Terms = defaultdict(float)
                for p, r, s in self.makes:
                    if s == t:
                        used["make", p, r, t] += self.materials(p, r).get(k, 0.0)
                # material_stock[t-1] + supply - material_stock - used = 0, or >= 0 where it can't be stored
                terms = plus((1.0, {("supply", k, t): 1.0, ("material_stock", k, t): -1.0}), (-1.0, used))
                opening = values["initial_inventory"]
                before = self.period_before(t)
                if before is not None:
                    terms["material_stock", k, before] = 1.0
                    opening = 0.0
                self.program.row(terms, -opening, -opening if storable else INF)
                # supply never exceeds what the plan uses or stores (nothing, here)
                if not storable:
                    self.program.row(plus((1.0, {("supply", k, t): 1.0}), (-1.0, used)), -INF, 0.0)

    def add_orders(self) -> None:
        served: dict[tuple[str, str], Terms] = defaultdict(dict)
        for order in self.orders:
            o = order["reference"]
            due = self.plant.periods.index(order["period"])
            for position, t in enumerate(self.plant.periods):
                if position == due or (position > due and order["late_cost_per_unit"] is not None):
                    self.program.variable(("deliver", o, t))
                    served[order["product"], t]["deliver", o, t] = 1.0
            # the deliveries and the shortfall make up the target
            self.program.variable(("shortfall", o))
            terms = {key: 1.0 for key in self.program.bounds if key[:2] == ("deliver", o)}
            self.program.row({**terms, ("shortfall", o): 1.0}, order["target_quantity"], order["target_quantity"])
        for (p, t), terms in served.items():
            # a unit serves one order
            self.program.row(plus((1.0, terms), (-1.0, {("sell", p, t): 1.0})), -INF, 0.0)

    # --- profit --------------------------------------------------------------------------------

    def profit(self) -> Terms:
        terms: Terms = defaultdict(float)
        for p in self.products:
            for t in self.plant.periods:
                values = self.plant.product(p, t)
                terms["sell", p, t] += values["profit_per_unit"]
                terms["stock", p, t] -= values["holding_cost_per_unit"] or 0.0
                terms["backlog", p, t] -= values["backlog_cost_per_unit"] or 0.0
                terms["short", p, t] -= values["shortage_cost_per_unit"] or 0.0
                terms["buy", p, t] -= values["purchase_cost_per_unit"] or 0.0
        for p, r, t in self.makes:
            terms["make", p, r, t] -= self.plant.product(p, t)["production_cost_per_unit"]
            terms["make", p, r, t] -= self.plant.route(p, r, t)["cost_per_unit"]
            if has_setup(self.plant, p, r, t):
                terms["setup", p, r, t] -= setup_cost(self.plant, p, r, t)
        for machine in self.plant.rows("machines"):
            for t in self.plant.periods:
                values = self.plant.machine(machine["name"], t)
                if values["available_hours"] is not None:
                    terms["overtime", machine["name"], t] -= values["overtime_cost_per_hour"] or 0.0
        for row in self.plant.rows("raw_materials"):
            for t in self.plant.periods:
                values = self.plant.material(row["name"], t)
                terms["material_stock", row["name"], t] -= values["holding_cost_per_unit"] or 0.0
                if self.plant.charge_materials:
                    terms["supply", row["name"], t] -= values["cost_per_unit"]
        for order in self.orders:
            due = self.plant.periods.index(order["period"])
            for position, t in enumerate(self.plant.periods[due + 1 :], start=1):
                if order["late_cost_per_unit"] is not None:
                    terms["deliver", order["reference"], t] -= order["late_cost_per_unit"] * position
        return dict(terms)

    # --- goals and orders before profit ----------------------------------------------------------

    def measure(self, goal: Row) -> Terms:
        """Return what a goal measures, over all periods."""
        name, target = goal["measure"], goal["target_name"]
        if name == "profit":
            return self.profit()
        terms: Terms = defaultdict(float)
        for p, r, t in self.makes:
            if name == "machine_hours":
                terms["make", p, r, t] += self.hours(p, r).get(target, 0.0)
            elif name == "material_quantity":
                terms["make", p, r, t] += self.materials(p, r).get(target, 0.0)
            elif name == "production" and p == target:
                terms["make", p, r, t] += 1.0
        for t in self.plant.periods:
            if name == "sales" and target in self.products:
                terms["sell", target, t] += 1.0
            if name == "overtime_hours" and ("overtime", target, t) in self.program.bounds:
                terms["overtime", target, t] += 1.0
        return dict(terms)

    def deviations(self) -> dict[int, Terms]:
        """Return weight * deviation, summed for each priority."""
        levels: dict[int, Terms] = defaultdict(lambda: defaultdict(float))
        tiers = {row["name"]: row["tier"] for row in self.plant.rows("customers")}
        for order in self.orders:
            priority = int(order["priority"] or TIER_PRIORITY[tiers[order["customer"]]])
            levels[priority]["shortfall", order["reference"]] += order["weight"]
        for goal in self.plant.rows("goals"):
            if not goal["active"]:
                continue
            under, over = ("under", goal["name"]), ("over", goal["name"])
            self.program.variable(under)
            self.program.variable(over)
            # measure + under - over = target
            self.program.row(
                plus((1.0, self.measure(goal)), (1.0, {under: 1.0, over: -1.0})), goal["target"], goal["target"]
            )
            if goal["sense"] in ("at_least", "exactly"):
                levels[int(goal["priority"])][under] += goal["weight_under"]
            if goal["sense"] in ("at_most", "exactly"):
                levels[int(goal["priority"])][over] += goal["weight_over"]
        return {priority: dict(levels[priority]) for priority in sorted(levels)}

    def solve(self) -> Answer:
        deviations = self.deviations()
        self.rows_without_holds = len(self.program.rows)
        if self.plant.goal_mode == "weighted":
            answer = self.solve_weighted(deviations)
        else:
            answer = self.solve_lexicographic(deviations)
        answer.is_linear = not self.program.setups and not any(
            self.plant.product(p, t)["whole_units"] for p, _, t in self.makes
        )
        answer.is_linear = answer.is_linear and not any(
            machine["maintenance_units"] for machine in self.plant.rows("machines")
        )
        return answer

    def solve_lexicographic(self, deviations: dict[int, Terms]) -> Answer:
        """Minimise each level, hold it, then maximise profit.

        A level is held at its least value to the last digit: room about the size of the solver's tolerance has
        made it miss the best plan. A hold that makes the plan impossible, which it can't, is widened.
        """
        steps = [(priority, plus((-1.0, terms))) for priority, terms in deviations.items()]
        levels: dict[int, float] = {}
        for priority, objective in [*steps, (None, self.profit())]:
            outcome = self.program.maximise(objective)
            for room in (1e-7, 2e-7, 5e-7, 1e-6):
                if outcome.status == "infeasible" and levels:
                    self.hold(deviations, levels, room)
                    outcome = self.program.maximise(objective)
            if outcome.status != "optimal":
                return Answer(outcome.status)
            if priority is not None:
                levels[priority] = -(outcome.value or 0.0)
                self.hold(deviations, levels, 0.0)
        return Answer(outcome.status, outcome.value, levels, outcome.plan)

    def hold(self, deviations: dict[int, Terms], levels: dict[int, float], room: float) -> None:
        """Hold the levels reached so far, in place of what held them before."""
        self.program.rows = self.program.rows[: self.rows_without_holds]
        for priority, level in levels.items():
            self.program.row(deviations[priority], -INF, level + room * max(1.0, level))

    def solve_weighted(self, deviations: dict[int, Terms]) -> Answer:
        penalties = [(-(10.0 ** (7 - priority)), terms) for priority, terms in deviations.items()]
        outcome = self.program.maximise(plus((1.0, self.profit()), *penalties))
        if outcome.status != "optimal":
            return Answer(outcome.status)
        value = {
            priority: sum(c * outcome.plan[key] for key, c in terms.items()) for priority, terms in deviations.items()
        }
        profit = sum(coefficient * outcome.plan[key] for key, coefficient in self.profit().items())
        return Answer("optimal", profit, value, outcome.plan)

"""A solved run, as its JSON shows it, against the plant's tables: every number recomputed, every limit tried."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from tests.reference.plan_tables import (
    PlantData,
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

Shown = dict[str, Any]
COSTS = (
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


def problems_of(plant: PlantData, shown: Shown) -> list[str]:
    """Return what is wrong with a solved run, in words; an empty list for a right one."""
    return Checks(plant, shown).run()


class Checks:
    """The checks of one solved run."""

    def __init__(self, plant: PlantData, shown: Shown) -> None:
        self.plant, self.shown = plant, shown
        self.problems: list[str] = []
        self.made = {(row["product"], row["route"], row["period"]): row for row in shown["production"]}
        self.product_rows = {(row["product"], row["period"]): row for row in shown["products"]}
        self.material_rows = {(row["material"], row["period"]): row for row in shown["materials"]}
        self.use = {(row["resource_type"], row["resource"], row["period"]): row for row in shown["utilization"]}

    def run(self) -> list[str]:
        self.check_rows()
        if not self.problems:  # every row is there, in its order: now their numbers
            self.check_lots()
            self.check_products()
            self.check_demand()
            self.check_machines()
            self.check_materials()
            self.check_least_supply()
            self.check_orders()
            self.check_profit()
        return self.problems

    # --- comparing -----------------------------------------------------------------------------

    def equal(self, what: str, left: float, right: float, *terms: float) -> None:
        room = 1e-6 * max(1.0, abs(left), abs(right), *(abs(term) for term in terms))
        if abs(left - right) > room:
            self.problems.append(f"{what}: {left!r} should be {right!r}")

    def at_most(self, what: str, left: float, right: float | None, *terms: float) -> None:
        if right is None:
            return
        if left > right + 1e-6 * max(1.0, abs(left), abs(right), *(abs(term) for term in terms)):
            self.problems.append(f"{what}: {left!r} exceeds {right!r}")

    def true(self, what: str, holds: bool) -> None:
        if not holds:
            self.problems.append(what)

    # --- rows ----------------------------------------------------------------------------------

    def check_rows(self) -> None:
        """Check that rows follow the order of the tables, zeros included, and that none is missing or twice."""
        plant, periods = self.plant, self.plant.periods
        products = active_products(plant)
        wanted: dict[str, list[tuple[str, ...]]] = {
            "production": [(p, r, t) for p in products for r in ways_of_making(plant, p) for t in periods],
            "products": [(p, t) for p in products for t in periods],
            "materials": [(row["name"], t) for row in plant.rows("raw_materials") for t in periods],
            "utilization": [("machine", row["name"], t) for row in plant.rows("machines") for t in periods]
            + [("material", row["name"], t) for row in plant.rows("raw_materials") for t in periods],
        }
        columns = {
            "production": ("product", "route", "period"),
            "products": ("product", "period"),
            "materials": ("material", "period"),
            "utilization": ("resource_type", "resource", "period"),
        }
        for table, keys in wanted.items():
            got = [tuple(row[column] for column in columns[table]) for row in self.shown[table]]
            self.true(f"{table}: rows {got} should be {keys}", sorted(got) == sorted(keys))
            self.true(f"{table}: rows are not in the order of the tables: {got}", grouped(got) == grouped(keys))

    # --- production ----------------------------------------------------------------------------

    def check_lots(self) -> None:
        for (p, r, t), row in self.made.items():
            where, quantity = f"production {p}/{r}/{t}", row["quantity"]
            self.at_most(f"{where} below 0", -quantity, 0.0)
            self.at_most(f"{where} max batch", quantity, max_batch(self.plant, p, r, t))
            if self.plant.product(p, t)["whole_units"]:
                self.equal(f"{where} whole units", quantity, round(quantity))
            if not has_setup(self.plant, p, r, t):
                self.true(f"{where} says setup without having one", row["setup"] is False)
            elif row["setup"]:
                self.at_most(f"{where} min batch", min_batch(self.plant, p, r, t), quantity)
            else:
                self.true(f"{where} makes {quantity} without its setup", quantity == 0)
            for component, amount in rates(
                self.plant, "component_requirements", p, r, "component", "quantity_required"
            ).items():
                if amount > 0 and not is_active(self.plant, component):
                    self.equal(f"{where} with an inactive component", quantity, 0.0)

    def flow(self, table: str, column: str, amount: str, name: str, period: str) -> float:
        """Return the units of `name` that production of the period uses or yields."""
        return sum(
            rates(self.plant, table, p, r, column, amount).get(name, 0.0) * row["quantity"]
            for (p, r, t), row in self.made.items()
            if t == period
        )

    def check_products(self) -> None:
        for p in active_products(self.plant):
            opening = self.plant.product(p, self.plant.periods[0])["initial_inventory"]
            for t in self.plant.periods:
                row, values, where = self.product_rows[p, t], self.plant.product(p, t), f"product {p}/{t}"
                made = sum(self.made[q, r, s]["quantity"] for q, r, s in self.made if (q, s) == (p, t))
                self.equal(f"{where} made", row["made"], made)
                yielded = self.flow("by_products", "by_product", "quantity_produced", p, t)
                self.equal(f"{where} yielded", row["yielded"], yielded)
                used = self.flow("component_requirements", "component", "quantity_required", p, t)
                self.equal(f"{where} used", row["used"], used)
                sources = [opening, row["made"], row["yielded"], row["bought"]]
                targets = [row["sold"], row["used"], row["lapsed"], row["stock"]]
                self.equal(f"{where} balance", sum(sources), sum(targets), *sources, *targets)
                for name in ("made", "yielded", "bought", "sold", "used", "lapsed", "stock", "backlog", "short"):
                    self.at_most(f"{where} {name} below 0", -row[name], 0.0)
                bought = 0.0 if values["purchase_cost_per_unit"] is None else values["max_purchase"]
                self.at_most(f"{where} max purchase", row["bought"], bought)
                self.check_stock(where, row, values, is_last=t == self.plant.periods[-1])
                opening = row["stock"]

    def check_stock(self, where: str, row: Shown, values: Shown, *, is_last: bool) -> None:
        if values["holding_cost_per_unit"] is None:
            self.equal(f"{where} stores what can't be stored", row["stock"], 0.0)
            return
        self.equal(f"{where} lets lapse what can be stored", row["lapsed"], 0.0)
        self.at_most(f"{where} min inventory", values["min_inventory"], row["stock"])
        self.at_most(f"{where} max inventory", row["stock"], values["max_inventory"])
        if is_last:
            self.at_most(f"{where} final inventory", values["final_inventory"], row["stock"])

    def check_demand(self) -> None:
        for p in active_products(self.plant):
            owed = 0.0
            for t in self.plant.periods:
                row, values, where = self.product_rows[p, t], self.plant.product(p, t), f"product {p}/{t}"
                firm = owed + values["min_demand"] - row["short"] - row["backlog"]
                self.at_most(f"{where} firm sales below 0", -firm, 0.0, owed)
                self.at_most(f"{where} firm sales above sales", firm, row["sold"])
                if values["max_demand"] is not None:
                    room = values["max_demand"] - values["min_demand"]
                    self.at_most(f"{where} sales above demand", row["sold"] - firm, room, row["sold"], firm)
                if values["shortage_cost_per_unit"] is None:
                    self.equal(f"{where} shortage", row["short"], 0.0)
                if values["backlog_cost_per_unit"] is None or t == self.plant.periods[-1]:
                    self.equal(f"{where} backlog", row["backlog"], 0.0)
                owed = row["backlog"]

    # --- resources -----------------------------------------------------------------------------

    def check_machines(self) -> None:
        for machine in self.plant.rows("machines"):
            m, chosen = machine["name"], 0.0
            for t in self.plant.periods:
                row, values, where = self.use["machine", m, t], self.plant.machine(m, t), f"machine {m}/{t}"
                hours = self.flow("production_recipes", "machine", "hours_required", m, t) + sum(
                    rates(self.plant, "production_recipes", p, r, "machine", "setup_hours").get(m, 0.0)
                    for (p, r, s), made in self.made.items()
                    if s == t and made["setup"]
                )
                self.equal(f"{where} used", row["used"], hours)
                chosen += row["units_down"] - values["units_down"]
                self.at_most(f"{where} units down", row["units_down"], values["units"])
                self.at_most(f"{where} given units down", values["units_down"], row["units_down"])
                self.equal(f"{where} whole units down", row["units_down"], round(row["units_down"]))
                if values["available_hours"] is None:
                    self.true(f"{where} available without a limit", row["available"] is None)
                    self.equal(f"{where} overtime without a limit", row["overtime"], 0.0)
                else:
                    available = values["available_hours"] * (values["units"] - row["units_down"])
                    self.equal(f"{where} available", row["available"], available)
                    self.at_most(f"{where} hours", row["used"], row["available"] + row["overtime"])
                    most = 0.0 if values["overtime_cost_per_hour"] is None else values["max_overtime_hours"]
                    self.at_most(f"{where} overtime", row["overtime"], most)
                self.check_percent(where, row)
            self.equal(f"machine {m} maintenance", chosen, machine["maintenance_units"])

    def check_percent(self, where: str, row: Shown) -> None:
        if row["available"] is None or row["available"] == 0:
            self.true(f"{where} percent of nothing", row["utilization_pct"] is None)
        elif row["utilization_pct"] is None:
            self.problems.append(f"{where} percent is missing")
        else:
            self.equal(f"{where} percent", row["utilization_pct"], 100 * row["used"] / row["available"])

    def check_materials(self) -> None:
        for material in self.plant.rows("raw_materials"):
            k, opening = material["name"], material["initial_inventory"]
            for t in self.plant.periods:
                row, values, where = self.material_rows[k, t], self.plant.material(k, t), f"material {k}/{t}"
                used = self.flow("material_requirements", "material", "quantity_required", k, t)
                self.equal(f"{where} used", row["used"], used)
                sources, targets = [opening, row["supplied"]], [row["used"], row["lapsed"], row["stock"]]
                self.equal(f"{where} balance", sum(sources), sum(targets), *sources, *targets)
                self.at_most(f"{where} supply below 0", -row["supplied"], 0.0)
                self.at_most(f"{where} supply", row["supplied"], values["available_quantity"])
                self.at_most(f"{where} lapses more than was in stock", row["lapsed"], opening, *sources, *targets)
                self.check_stock(where, row, values, is_last=t == self.plant.periods[-1])
                use = self.use["material", k, t]
                self.equal(f"{where} used, as utilization", use["used"], row["used"])
                if values["available_quantity"] is None:
                    self.true(f"{where} available without a limit", use["available"] is None)
                elif use["available"] is None:
                    self.problems.append(f"{where} available is missing")
                else:
                    self.equal(f"{where} available", use["available"], opening + values["available_quantity"])
                self.true(f"{where} is no machine", not use["overtime"] and not use["units_down"])
                self.check_percent(where, use)
                opening = row["stock"]

    def check_least_supply(self) -> None:
        """Check that supply which costs nothing is the least that the plan needs, unless a goal wants less profit."""
        goals = [row for row in self.plant.rows("goals") if row["active"]]
        if any(row["measure"] == "profit" and row["sense"] != "at_least" for row in goals):
            return  # what it costs to store may be what is needed
        for material in self.plant.rows("raw_materials"):
            k, periods = material["name"], self.plant.periods
            if self.plant.charge_materials and any(self.plant.material(k, t)["cost_per_unit"] for t in periods):
                continue
            program, opening = Program(), material["initial_inventory"]
            room = 1e-6 * max(1.0, opening, *(self.material_rows[k, t]["used"] for t in periods))
            for position, t in enumerate(periods):
                values, row = self.plant.material(k, t), self.material_rows[k, t]
                storable = values["holding_cost_per_unit"] is not None
                low = max(values["min_inventory"], values["final_inventory"] if t == periods[-1] else 0.0)
                high = values["max_inventory"] if storable else 0.0
                program.variable(("supply", t), 0.0, values["available_quantity"])
                program.variable(("stock", t), max(0.0, low - room) if storable else 0.0, high)
                terms = {("supply", t): 1.0, ("stock", t): -1.0}
                if position:
                    terms["stock", periods[position - 1]] = 1.0
                needed = row["used"] - (0.0 if position else opening)
                program.row(terms, needed - room, needed + room if storable else INF)
            least = program.maximise({("supply", t): -1.0 for t in periods})
            supplied = sum(self.material_rows[k, t]["supplied"] for t in periods)
            if least.value is None:
                self.problems.append(f"material {k}: no supply can serve what the plan says it uses")
            else:
                self.at_most(f"material {k} supplied beyond need", supplied, -least.value + 4 * room * len(periods))

    # --- orders --------------------------------------------------------------------------------

    def check_orders(self) -> None:
        orders = {
            row["reference"]: row
            for row in self.plant.rows("customer_orders")
            if row["active"] and is_active(self.plant, row["product"])
        }
        shown = [row["reference"] for row in self.shown["orders"]]
        self.true(f"orders {shown} should be {list(orders)}", shown == list(orders))
        served: dict[tuple[str, str], float] = defaultdict(float)
        for row in self.shown["orders"]:
            order, where = orders[row["reference"]], f"order {row['reference']}"
            due = self.plant.periods.index(order["period"])
            may = self.plant.periods[due:] if order["late_cost_per_unit"] is not None else [order["period"]]
            self.true(f"{where} delivery periods", [part["period"] for part in row["deliveries"]] == may)
            for part in row["deliveries"]:
                self.at_most(f"{where} delivers below 0", -part["quantity"], 0.0)
                served[order["product"], part["period"]] += part["quantity"]
            delivered = sum(part["quantity"] for part in row["deliveries"])
            late = sum(part["quantity"] for part in row["deliveries"] if part["period"] != order["period"])
            self.equal(f"{where} target", row["target"], order["target_quantity"])
            self.equal(f"{where} delivered", row["delivered"], delivered)
            self.equal(f"{where} late", row["late"], late)
            self.equal(f"{where} shortfall", row["shortfall"], row["target"] - delivered, row["target"])
            self.at_most(f"{where} delivered beyond target", delivered, row["target"])
        for (p, t), quantity in served.items():
            self.at_most(f"orders of {p}/{t} beyond sales", quantity, self.product_rows[p, t]["sold"])

    # --- profit --------------------------------------------------------------------------------

    def profit_parts(self) -> dict[str, float]:
        """Return each part of the profit, recomputed from the rows."""
        parts: dict[str, float] = defaultdict(float)
        for (p, t), row in self.product_rows.items():
            values = self.plant.product(p, t)
            parts["sales"] += values["profit_per_unit"] * row["sold"]
            parts["holding"] += (values["holding_cost_per_unit"] or 0.0) * row["stock"]
            parts["backlog"] += (values["backlog_cost_per_unit"] or 0.0) * row["backlog"]
            parts["shortage"] += (values["shortage_cost_per_unit"] or 0.0) * row["short"]
            parts["purchase"] += (values["purchase_cost_per_unit"] or 0.0) * row["bought"]
        for (p, r, t), row in self.made.items():
            parts["production_cost"] += self.plant.product(p, t)["production_cost_per_unit"] * row["quantity"]
            parts["route_cost"] += self.plant.route(p, r, t)["cost_per_unit"] * row["quantity"]
            parts["setup"] += setup_cost(self.plant, p, r, t) * row["setup"]
        for (kind, name, t), row in self.use.items():
            if kind == "machine":
                parts["overtime"] += (self.plant.machine(name, t)["overtime_cost_per_hour"] or 0.0) * row["overtime"]
        for (k, t), row in self.material_rows.items():
            values = self.plant.material(k, t)
            parts["material_holding"] += (values["holding_cost_per_unit"] or 0.0) * row["stock"]
            if self.plant.charge_materials:
                parts["material"] += values["cost_per_unit"] * row["supplied"]
        late_cost = {row["reference"]: row["late_cost_per_unit"] or 0.0 for row in self.plant.rows("customer_orders")}
        for row in self.shown["orders"]:
            for late, part in enumerate(row["deliveries"]):
                parts["lateness"] += late_cost[row["reference"]] * late * part["quantity"]
        return parts

    def check_profit(self) -> None:
        shown, parts = self.shown["profit"], self.profit_parts()
        self.true(f"profit parts {sorted(shown)}", sorted(shown) == sorted(("sales", *COSTS)))
        for name in ("sales", *COSTS):
            self.equal(f"profit {name}", shown.get(name, 0.0), parts[name], *parts.values())
        total = shown["sales"] - sum(shown[name] for name in COSTS)
        self.equal("objective", self.shown["objective"], total, *shown.values())


def grouped(keys: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the rows' names without their periods, each once, in order of appearance: the order of the table."""
    return list(dict.fromkeys(key[:-1] for key in keys))

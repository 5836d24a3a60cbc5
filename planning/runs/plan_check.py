"""The plan check: is the stored plan true? Recomputed from its stored rows and the data as they were read.

It shares nothing with the formulation: plain loops over the detached base tables, one function per
kind of row, within 1e-6 * max(1, the largest term).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from typing import Any

from planning.models import GoalResult, MaterialBalance, OrderResult, ProductBalance, Production, Run, Utilization
from planning.models.results import RESULT_TABLES, ResultRow
from planning.snapshot import Snapshot

from .plain_rows import Plain, Row, effective
from .target_check import check_goals, check_held, check_orders, lateness

TOLERANCE = 1e-6
_PROFIT_PARTS = {
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
}


class PlanRefused(Exception):
    """The stored plan contradicts the data or itself; each line says where."""

    def __init__(self, faults: list[str]) -> None:
        shown = faults[:20] + ([f"… and {len(faults) - 20} more."] if len(faults) > 20 else [])
        super().__init__("\n".join(shown))
        self.faults = faults


def check_plan(run: Run, snapshot: Snapshot) -> None:
    """Raise PlanRefused unless the stored rows of the run are a true plan for the snapshot."""
    check_rows(run, {table: _stored(table, run) for table in RESULT_TABLES}, snapshot)


def check_rows(run: Run, rows: Mapping[type[ResultRow], list[Row]], snapshot: Snapshot) -> None:
    """Raise PlanRefused unless these rows of the result tables, with what the run says, are a true plan."""
    check = Check(snapshot)
    check.read(run, rows)
    parts = (check.rows, check.numbers, check.production, check.products, check.machines, check.materials)
    for part in (
        *parts,
        partial(check_orders, check),
        partial(check_held, check),
        check.profit,
        partial(check_goals, check),
        check.bound,
    ):
        part()
        if check.faults:
            raise PlanRefused(check.faults)


def _stored(model: type[ResultRow], run: Run) -> list[Row]:
    """Return the stored rows of a result table."""
    return [dict(row) for row in model._default_manager.filter(run=run).values()]


class Check:
    def __init__(self, s: Snapshot) -> None:
        self.faults: list[str] = []
        self.charges = s.charges_materials
        self.periods = [row["name"] for row in sorted(Plain(s["periods"]).rows, key=lambda row: row["sequence"])]
        self.product = {row["name"]: row for row in Plain(s["products"]).rows if row["active"]}
        self.product_periods = Plain(s["product_periods"], ("product", "period")).by("product", "period")
        self.machine = Plain(s["machines"]).by("name")
        self.machine_periods = Plain(s["machine_periods"], ("machine", "period")).by("machine", "period")
        self.material = Plain(s["raw_materials"]).by("name")
        self.material_periods = Plain(s["raw_material_periods"], ("material", "period")).by("material", "period")
        routes = Plain(s["routes"], ("product",)).rows
        self.route = {(row["product"], row["name"]): row for row in routes}
        self.route_periods: dict[Any, Row] = {}
        periods = s["route_periods"]
        for i, row in enumerate(Plain(periods, ("route", "period")).rows):
            product = periods.get(i, "route").product.name
            self.route_periods[product, row["route"], row["period"]] = row
        self.recipes = Plain(s["production_recipes"], ("product", "machine", "route")).rows
        self.requirements = Plain(s["material_requirements"], ("product", "material", "route")).rows
        self.components = Plain(s["component_requirements"], ("product", "component", "route")).rows
        self.by_products = Plain(s["by_products"], ("product", "by_product", "route")).rows
        self.held = Plain(s["held"]).rows if s.holds else []
        self.held_periods = self.periods[: s["plant"].record(0).held_periods] if s.holds else []
        self.tiers = {row["name"]: row["tier"] for row in Plain(s["customers"]).rows}
        orders = Plain(s["customer_orders"], ("customer", "product", "period")).rows
        self.orders = [row for row in orders if row["active"] and row["product"] in self.product]
        self.goals = [row for row in Plain(s["goals"]).rows if row["active"]]
        self.ways = self._ways()
        self.by_way = {
            name: self._of_ways(rows)
            for name, rows in (
                ("machine", self.recipes),
                ("material", self.requirements),
                ("component", self.components),
                ("by_product", self.by_products),
            )
        }

    def _ways(self) -> list[tuple[str, str]]:
        """Return (product, route) for every way of making."""
        made = {row["product"] for rows in (self.recipes, self.requirements, self.components) for row in rows}
        ways = []
        for name in self.product:
            routed = [key for key in self.route if key[0] == name]
            if routed:
                ways += [key for key in routed if self.route[key]["active"]]
            elif name in made:
                ways.append((name, ""))
        return ways

    def _of_ways(self, rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
        """Return the recipe rows that hold for each way."""
        by_product = defaultdict(list)
        for row in rows:
            by_product[row["product"]].append(row)
        return {
            way: [row for row in by_product[way[0]] if row["route"] is None or row["route"] == way[1]]
            for way in self.ways
        }

    def read(self, run: Run, rows: Mapping[type[ResultRow], list[Row]]) -> None:
        """Take the rows to check."""
        self.run = run
        self.stored_production = rows[Production]
        self.stored_products = rows[ProductBalance]
        self.stored_utilization = rows[Utilization]
        self.stored_materials = rows[MaterialBalance]
        self.stored_orders = rows[OrderResult]
        self.stored_goals = rows[GoalResult]

    # --- words and comparisons ------------------------------------------------------------------

    def equal(self, what: str, stored: float, computed: float, *terms: float) -> None:
        scale = max(1.0, *(abs(term) for term in (stored, computed, *terms)))
        if not (math.isfinite(stored) and abs(stored - computed) <= TOLERANCE * scale):
            self.faults.append(f"{what} is {stored:.10g}, and the data give {computed:.10g}.")

    def at_most(self, what: str, value: float, limit: float | None, *terms: float) -> None:
        scale = max(1.0, abs(value), *(abs(term) for term in terms))
        if limit is not None and not value <= limit + TOLERANCE * max(scale, abs(limit)):
            self.faults.append(f"{what} is {value:.10g}, and the limit is {limit:.10g}.")

    def at_least(self, what: str, value: float, least: float, *terms: float) -> None:
        scale = max(1.0, abs(value), abs(least), *(abs(term) for term in terms))
        if not value >= least - TOLERANCE * scale:
            self.faults.append(f"{what} is {value:.10g}, and the least is {least:.10g}.")

    # --- rows -----------------------------------------------------------------------------------

    def rows(self) -> None:
        """Every combination has its row, in the order of the tables."""
        wanted = {
            "production": [(p, r, t) for p, r in self.ways for t in self.periods],
            "products": [(p, t) for p in self.product for t in self.periods],
            "utilization": [
                *(("machine", m, t) for m in self.machine for t in self.periods),
                *(("material", k, t) for k in self.material for t in self.periods),
            ],
            "materials": [(k, t) for k in self.material for t in self.periods],
            "orders": [(row["reference"], row["product"], row["period"]) for row in self.orders],
            "goals": [row["name"] for row in self.goals],
        }
        stored = {
            "production": [(r["product"], r["route"], r["period"]) for r in self.stored_production],
            "products": [(r["product"], r["period"]) for r in self.stored_products],
            "utilization": [(r["resource_type"], r["resource"], r["period"]) for r in self.stored_utilization],
            "materials": [(r["material"], r["period"]) for r in self.stored_materials],
            "orders": [(r["reference"], r["product"], r["period"]) for r in self.stored_orders],
            "goals": [r["name"] for r in self.stored_goals],
        }
        self.faults += [
            f"The rows of {name} are not those of the plant's tables in their order."
            for name in wanted
            if wanted[name] != stored[name]
        ]
        self.quantity = {(r["product"], r["route"], r["period"]): r["quantity"] for r in self.stored_production}
        self.setup = {(r["product"], r["route"], r["period"]): r["setup"] for r in self.stored_production}

    def numbers(self) -> None:
        """Every number is finite: an endless one would be within the tolerance of anything."""
        stored = (self.stored_production, self.stored_products, self.stored_utilization, self.stored_materials)
        for rows in (*stored, self.stored_orders, self.stored_goals):
            for row in rows:
                self.faults += [
                    f"{column} is {value} in {row}."
                    for column, value in row.items()
                    if isinstance(value, float) and not math.isfinite(value)
                ]

    def _lot(self, product: str, route: str, period: str) -> Row:
        """Return costs, lot sizes and setup of a way in a period."""
        own = effective(self.product[product], self.product_periods.get((product, period)))
        of_route: Row = {}
        if route:
            of_route = effective(self.route[product, route], self.route_periods.get((product, route, period)))
        recipes = self.by_way["machine"][product, route]
        setup_cost = of_route.get("setup_cost", 0.0) + sum(row["setup_cost"] for row in recipes)
        least = max(own["min_batch_size"], of_route.get("min_batch_size", 0.0))
        limits = [limit for limit in (own["max_batch_size"], of_route.get("max_batch_size")) if limit is not None]
        return {
            "production_cost": own["production_cost_per_unit"],
            "route_cost": of_route.get("cost_per_unit", 0.0),
            "setup_cost": setup_cost,
            "least": least,
            "most": min(limits) if limits else None,
            "has_setup": setup_cost > 0 or least > 0 or any(row["setup_hours"] > 0 for row in recipes),
        }

    def production(self) -> None:
        """Lots keep their limits, whole units are whole, and nothing is made without its setup."""
        idle_setups_cost = any(goal["measure"] == "profit" and goal["sense"] != "at_least" for goal in self.goals)
        for (product, route, period), quantity in self.quantity.items():
            what = f"production[{','.join(part for part in (product, route, period) if part)}]"
            lot, setup = self._lot(product, route, period), self.setup[product, route, period]
            self.at_least(what, quantity, 0.0)
            self.at_most(what, quantity, lot["most"])
            needs = self.by_way["component"][product, route]
            if any(row["component"] not in self.product and row["quantity_required"] > 0 for row in needs):
                self.at_most(what, quantity, 0.0)
            if lot["has_setup"] and quantity > TOLERANCE and not setup:
                self.faults.append(f"{what} is {quantity:.10g} without a setup.")
            if setup and not (lot["has_setup"] and (quantity > 0 or idle_setups_cost)):
                self.faults.append(f"{what} is set up and needs no setup.")
            if setup:
                self.at_least(what, quantity, lot["least"])
            if self.product[product]["whole_units"]:
                self.equal(f"{what} (in whole units)", quantity, float(round(quantity)))

    def products(self) -> None:
        """Units of each product foot: what comes in goes out, and each kind of going out is allowed."""
        flows: dict[tuple[str, str, str], float] = defaultdict(float)
        for (product, route, period), quantity in self.quantity.items():
            flows["made", product, period] += quantity
            for row in self.by_way["by_product"][product, route]:
                flows["yielded", row["by_product"], period] += row["quantity_produced"] * quantity
            for row in self.by_way["component"][product, route]:
                flows["used", row["component"], period] += row["quantity_required"] * quantity
        stock = {name: row["initial_inventory"] for name, row in self.product.items()}
        backlog = dict.fromkeys(self.product, 0.0)
        for row in self.stored_products:
            product, period = row["product"], row["period"]
            what = f"[{product},{period}]"
            data = effective(self.product[product], self.product_periods.get((product, period)))
            last = period == self.periods[-1]
            for flow in ("made", "yielded", "used"):
                self.equal(f"{flow}{what}", row[flow], flows[flow, product, period])
            comes = (stock[product], row["made"], row["yielded"], row["bought"])
            goes = (row["sold"], row["used"], row["lapsed"], row["stock"])
            self.equal(f"The balance of product {what}", sum(comes), sum(goes), *comes, *goes)
            for flow in ("bought", "sold", "lapsed", "stock", "backlog", "short"):
                self.at_least(f"{flow}{what}", row[flow], 0.0, *comes)
            self._stock_rules(what, row, data, last, comes)
            self.at_most(f"bought{what}", row["bought"], data["max_purchase"])
            if data["purchase_cost_per_unit"] is None:
                self.at_most(f"bought{what}", row["bought"], 0.0)
            firm = backlog[product] + data["min_demand"] - row["backlog"] - row["short"]
            self.at_least(f"The required part of sold{what}", firm, 0.0, backlog[product], data["min_demand"])
            self.at_least(f"sold{what}", row["sold"], firm)
            most = None if data["max_demand"] is None else firm + data["max_demand"] - data["min_demand"]
            self.at_most(f"sold{what}", row["sold"], most)
            if data["backlog_cost_per_unit"] is None or last:
                self.at_most(f"backlog{what}", row["backlog"], 0.0)
            if data["shortage_cost_per_unit"] is None:
                self.at_most(f"short{what}", row["short"], 0.0)
            stock[product], backlog[product] = row["stock"], row["backlog"]

    def _stock_rules(self, what: str, row: Row, data: Row, last: bool, terms: tuple[float, ...]) -> None:
        """What is storable never lapses, what is not has no stock; stock keeps its limits."""
        if data["holding_cost_per_unit"] is None:
            self.at_most(f"stock{what}", row["stock"], 0.0)
        else:
            self.at_most(f"lapsed{what}", row["lapsed"], 0.0, *terms)
        least = max(data["min_inventory"], data["final_inventory"] if last else 0.0)
        self.at_least(f"stock{what}", row["stock"], least)
        self.at_most(f"stock{what}", row["stock"], data["max_inventory"])

    def machines(self) -> None:
        """Hours are those of the plan and within what is available and worked overtime."""
        hours: dict[tuple[str, str], float] = defaultdict(float)
        for (product, route, period), quantity in self.quantity.items():
            for row in self.by_way["machine"][product, route]:
                setup = row["setup_hours"] if self.setup[product, route, period] else 0.0
                hours[row["machine"], period] += row["hours_required"] * quantity + setup
        chosen: dict[str, float] = defaultdict(float)
        for row in self.stored_utilization:
            if row["resource_type"] != "machine":
                continue
            machine, period = row["resource"], row["period"]
            what = f"[{machine},{period}]"
            override = self.machine_periods.get((machine, period))
            data = effective(self.machine[machine], override)
            given = (override or {}).get("units_down") or 0
            self.equal(f"used hours{what}", row["used"], hours[machine, period])
            self.equal(f"units_down{what} (in whole units)", row["units_down"], float(round(row["units_down"])))
            self.at_least(f"units_down{what}", row["units_down"], given)
            self.at_most(f"units_down{what}", row["units_down"], data["units"])
            chosen[machine] += row["units_down"] - given
            self._overtime(what, row, data)
            limit = None
            if data["available_hours"] is not None:
                limit = data["available_hours"] * (data["units"] - row["units_down"])
                self.at_most(f"used hours{what}", row["used"], limit + row["overtime"], limit)
            self._utilization(what, row, limit)
            binding = limit is not None and abs(row["used"] - row["overtime"] - limit) <= 1e-5 * max(1.0, limit)
            self._price(what, row, limit, binding)
        for machine, data in self.machine.items():
            self.equal(f"Maintenance of {machine} (units down)", chosen[machine], data["maintenance_units"])

    def _overtime(self, what: str, row: Row, data: Row) -> None:
        self.at_least(f"overtime{what}", row["overtime"], 0.0)
        allowed = data["overtime_cost_per_hour"] is not None and data["available_hours"] is not None
        self.at_most(f"overtime{what}", row["overtime"], data["max_overtime_hours"] if allowed else 0.0)

    def _utilization(self, what: str, row: Row, available: float | None) -> None:
        """What is available and the percentage follow from the data; both blank without a limit."""
        percent = None if available is None or available <= 0 else 100.0 * row["used"] / available
        for name, computed in (("available", available), ("utilization_pct", percent)):
            if (row[name] is None) != (computed is None):
                self.faults.append(f"{name}{what} is {row[name]}, and the data give {computed}.")
            elif computed is not None:
                self.equal(f"{name}{what}", row[name], computed)

    def _price(self, what: str, row: Row, limit: float | None, binding: bool) -> None:
        """A price is not negative, belongs to a limit, holds at it, and is 0 where the limit does not bind."""
        price, low, high = row["shadow_price"], row["shadow_price_low"], row["shadow_price_high"]
        if price is None:
            if low is not None or high is not None:
                self.faults.append(f"shadow_price{what} is blank, and its range is not.")
            return
        if limit is None:
            self.faults.append(f"shadow_price{what} is {price}, and there is no limit.")
            return
        self.at_least(f"shadow_price{what}", price, 0.0)
        if price > TOLERANCE and not binding:
            self.faults.append(f"shadow_price{what} is {price:.10g}, and the limit does not bind.")
        if low is not None:
            self.at_least(f"shadow_price_low{what}", low, 0.0)
            self.at_most(f"shadow_price_low{what}", low, limit)
        if high is not None:
            self.at_least(f"shadow_price_high{what}", high, limit)
        if (
            row["shadow_price_more"] is not None and row["shadow_price_less"] is not None
        ):  # each further one brings less
            self.at_least(f"shadow_price_less{what}", row["shadow_price_less"], row["shadow_price_more"])

    def materials(self) -> None:
        """Units of each material foot, and its use is that of the plan."""
        needed: dict[tuple[str, str], float] = defaultdict(float)
        for (product, route, period), quantity in self.quantity.items():
            for row in self.by_way["material"][product, route]:
                needed[row["material"], period] += row["quantity_required"] * quantity
        usage = {(r["resource"], r["period"]): r for r in self.stored_utilization if r["resource_type"] == "material"}
        stock = {name: row["initial_inventory"] for name, row in self.material.items()}
        for row in self.stored_materials:
            material, period = row["material"], row["period"]
            what = f"[{material},{period}]"
            data = effective(self.material[material], self.material_periods.get((material, period)))
            self.equal(f"used{what}", row["used"], needed[material, period])
            comes, goes = (stock[material], row["supplied"]), (row["used"], row["lapsed"], row["stock"])
            self.equal(f"The balance of material {what}", sum(comes), sum(goes), *comes, *goes)
            for flow in ("supplied", "lapsed", "stock"):
                self.at_least(f"{flow}{what}", row[flow], 0.0, *comes)
            limit = data["available_quantity"]
            self.at_most(f"supplied{what}", row["supplied"], limit)
            self.at_most(f"lapsed{what}", row["lapsed"], stock[material], *comes)
            self._stock_rules(what, row, data, period == self.periods[-1], comes)
            used = usage[material, period]
            self.equal(f"utilization of material {what}", used["used"], row["used"])
            self._utilization(what, used, None if limit is None else limit + stock[material])
            for name in ("overtime", "units_down"):
                self.equal(f"{name}{what} of a material", used[name], 0.0)
            binding = limit is not None and row["supplied"] >= limit - 1e-5 * max(1.0, limit)
            self._price(what, used, limit, binding)
            stock[material] = row["stock"]

    def profit(self) -> None:
        """Profit is the sum of its parts, and each part follows from the rows."""
        parts: dict[str, float] = defaultdict(float)
        for (product, route, period), quantity in self.quantity.items():
            lot = self._lot(product, route, period)
            parts["production_cost"] += lot["production_cost"] * quantity
            parts["route_cost"] += lot["route_cost"] * quantity
            parts["setup"] += lot["setup_cost"] if self.setup[product, route, period] else 0.0
        for row in self.stored_products:
            data = effective(self.product[row["product"]], self.product_periods.get((row["product"], row["period"])))
            parts["sales"] += data["profit_per_unit"] * row["sold"]
            parts["holding"] += (data["holding_cost_per_unit"] or 0.0) * row["stock"]
            parts["backlog"] += (data["backlog_cost_per_unit"] or 0.0) * row["backlog"]
            parts["shortage"] += (data["shortage_cost_per_unit"] or 0.0) * row["short"]
            parts["purchase"] += (data["purchase_cost_per_unit"] or 0.0) * row["bought"]
        for row in self.stored_utilization:
            if row["resource_type"] == "machine":
                data = effective(
                    self.machine[row["resource"]], self.machine_periods.get((row["resource"], row["period"]))
                )
                parts["overtime"] += (data["overtime_cost_per_hour"] or 0.0) * row["overtime"]
        for row in self.stored_materials:
            data = effective(
                self.material[row["material"]], self.material_periods.get((row["material"], row["period"]))
            )
            parts["material_holding"] += (data["holding_cost_per_unit"] or 0.0) * row["stock"]
            if self.charges:
                parts["material"] += data["cost_per_unit"] * row["supplied"]
        parts["lateness"] = lateness(self)
        stored = self.run.profit_parts
        self.faults += [f"The profit lacks its part {part}." for part in sorted(_PROFIT_PARTS - set(stored))]
        self.faults += [f"The profit has no part {part}." for part in sorted(set(stored) - _PROFIT_PARTS)]
        terms = [abs(amount) for amount in (*stored.values(), *parts.values())]
        for part in sorted(_PROFIT_PARTS):
            self.equal(f"The part {part} of the profit", stored.get(part, 0.0), parts[part])
        total = parts["sales"] - sum(amount for part, amount in parts.items() if part != "sales")
        objective = math.nan if self.run.objective is None else self.run.objective
        self.equal("Profit", objective, total, *terms)

    def bound(self) -> None:
        """No plan earns more than the bound, the gap is the distance to it, and a proven plan is within the gap."""
        objective, bound, gap = self.run.objective, self.run.bound, self.run.gap
        assert objective is not None
        if bound is None or gap is None:
            if bound is not gap:
                self.faults.append(f"The bound on profit is {bound}, and the gap is {gap}: both are known or none.")
            return
        if not (math.isfinite(bound) and math.isfinite(gap)):
            self.faults.append(f"The bound on profit is {bound}, and the gap is {gap}.")
            return
        self.at_least("The bound on profit", bound, objective)
        self.equal("The gap", gap, abs(bound - objective) / max(1.0, abs(objective)))
        if self.run.proven:
            self.at_most("The gap of a proven plan", gap, self.run.options["gap"])

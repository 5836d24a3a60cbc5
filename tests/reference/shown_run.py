"""The reference's plan in the JSON of a solved run, to try the checks of such runs on."""

from __future__ import annotations

from typing import Any

from tests.reference.plan_reference import Formulation, plus
from tests.reference.plan_tables import PlantData, active_products, has_setup, ways_of_making
from tests.reference.program import INF


def least_supply_plan(plant: PlantData) -> dict[Any, float] | None:
    """Return a best plan of a plant without goals, with no more supply than it needs; None where there is none."""
    formulation = Formulation(plant, {})
    best = formulation.program.maximise(formulation.profit())
    if best.status != "optimal":
        return None
    whole = {key: float(round(best.plan[key])) for key in formulation.program.whole}
    formulation.program.hold_whole(whole)
    formulation.program.row(formulation.profit(), (best.value or 0.0) - 1e-7 * max(1.0, abs(best.value or 0.0)), INF)
    supply = {key: -1.0 for key in formulation.program.bounds if key[0] == "supply"}
    plan = formulation.program.maximise(plus((1.0, supply))).plan
    return {key: max(0.0, value) for key, value in plan.items()} or None


def shown_run(plant: PlantData, plan: dict[Any, float]) -> dict[str, Any]:
    """Return the plan as rows."""
    formulation = Formulation(plant, {})
    products, materials, machines = active_products(plant), plant.rows("raw_materials"), plant.rows("machines")
    shown: dict[str, Any] = {"production": [], "products": [], "utilization": [], "materials": [], "orders": []}
    for p in products:
        for r in ways_of_making(plant, p):
            for t in plant.periods:
                setup = has_setup(plant, p, r, t) and plan["setup", p, r, t] > 0.5
                row = {"product": p, "route": r, "period": t, "quantity": plan["make", p, r, t], "setup": setup}
                shown["production"].append(row)

    def flow(rate: str, name: str, t: str) -> float:
        return sum(getattr(formulation, rate)(p, r).get(name, 0.0) * plan["make", p, r, s]
                   for p, r, s in formulation.makes if s == t)  # fmt: skip

    for p in products:
        opening = plant.product(p, plant.periods[0])["initial_inventory"]
        for t in plant.periods:
            row = {
                "product": p,
                "period": t,
                "made": sum(plan["make", q, r, s] for q, r, s in formulation.makes if (q, s) == (p, t)),
                "yielded": flow("by_products", p, t),
                "bought": plan["buy", p, t],
                "sold": plan["sell", p, t],
                "used": flow("components", p, t),
                "stock": plan["stock", p, t],
                "backlog": plan["backlog", p, t],
                "short": plan["short", p, t],
            }
            row["lapsed"] = max(0.0, opening + row["made"] + row["yielded"] + row["bought"]
                                - row["sold"] - row["used"] - row["stock"])  # fmt: skip
            opening = row["stock"]
            shown["products"].append(row)
    for machine in machines:
        m = machine["name"]
        for t in plant.periods:
            values = plant.machine(m, t)
            down = values["units_down"] + round(plan["down", m, t])
            hours = flow("hours", m, t) + sum(
                formulation.setup_hours(row["product"], row["route"]).get(m, 0.0)
                for row in shown["production"]
                if row["period"] == t and row["setup"]
            )
            unlimited = values["available_hours"] is None
            available = None if unlimited else values["available_hours"] * (values["units"] - down)
            row = {"resource_type": "machine", "resource": m, "period": t, "used": hours, "available": available}
            row["overtime"] = 0.0 if unlimited else plan["overtime", m, t]
            row["units_down"] = down
            row["utilization_pct"] = 100 * hours / available if available else None
            shown["utilization"].append(row)
    for material in materials:
        k, opening = material["name"], material["initial_inventory"]
        for t in plant.periods:
            used, supplied, stock = flow("materials", k, t), plan["supply", k, t], plan["material_stock", k, t]
            lapsed = max(0.0, opening + supplied - used - stock)
            shown["materials"].append(
                {"material": k, "period": t, "supplied": supplied, "used": used, "lapsed": lapsed, "stock": stock}
            )
            most = plant.material(k, t)["available_quantity"]
            available = None if most is None else opening + most
            row = {"resource_type": "material", "resource": k, "period": t, "used": used, "available": available}
            row["overtime"], row["units_down"] = 0.0, 0
            row["utilization_pct"] = 100 * used / available if available else None
            shown["utilization"].append(row)
            opening = stock
    return shown

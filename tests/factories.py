"""Small plants and finished runs, made through the ORM."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from planning.formulation import build_model
from planning.models import (
    BASELINE,
    Machine,
    MaterialBalance,
    MaterialRequirement,
    Plant,
    Product,
    ProductBalance,
    Production,
    ProductionRecipe,
    RawMaterial,
    Run,
    Scenario,
    Utilization,
)
from planning.runs import RunOptions
from planning.runs.copies import load_copy, read_copy, snapshot_in
from planning.runs.execute import write_back
from planning.runs.solve import solve_copy
from planning.runs.states import move

# Furniture: three products on two machines from three materials. Best profit: 2735.714285714286.
PRODUCTS = {"Chair": (45, 10, 100), "Table": (120, 5, 50), "Desk": (200, 3, 30)}  # profit, min and max demand
MACHINES = {"Cutting Machine": 80, "Assembly Station": 100}  # hours
MATERIALS = {"Wood": ("board feet", 500, 5), "Metal": ("pounds", 200, 8), "Fabric": ("yards", 150, 12)}
HOURS = {"Chair": (0.5, 1), "Table": (1.5, 2.5), "Desk": (2, 3.5)}  # per unit, by machine
QUANTITIES = {"Chair": (8, 2, 2), "Table": (25, 5, None), "Desk": (35, 8, None)}  # per unit, by material
WOOD = dict.fromkeys(("shadow_price_high", "shadow_price_more_until"), 883.125)
WOOD |= dict.fromkeys(("shadow_price_more", "shadow_price_less"), 200 / 35)
BEST_PROFIT = 2735.714285714286
BEST_MAKE = {"Chair": 10.0, "Table": 5.0, "Desk": 8.428571428571429}


def make_user(name: str, *codenames: str, **fields: Any) -> User:
    """Return a member of staff with these permissions and the password `secret`."""
    user = User.objects.create_user(name, password="secret", is_staff=True, **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames, content_type__app_label="planning"))
    return user


def make_viewer(name: str = "viewer") -> User:
    """Return a user who may look at everything and do nothing."""
    codenames = Permission.objects.filter(codename__startswith="view_").values_list("codename", flat=True)
    return make_user(name, *codenames)


def make_plant(name: str = "Furniture Workshop", **fields: Any) -> Plant:
    """Return a plant with nothing but its Baseline."""
    plant = Plant.objects.create(name=name, **fields)
    Scenario.objects.create(plant=plant, name=BASELINE)
    return plant


def make_furniture(name: str = "Furniture Workshop") -> Plant:
    """Return the furniture workshop."""
    plant = make_plant(name)
    machines = [
        Machine.objects.create(plant=plant, name=machine, available_hours=hours) for machine, hours in MACHINES.items()
    ]
    materials = [
        RawMaterial.objects.create(
            plant=plant, name=material, unit=unit, available_quantity=quantity, cost_per_unit=cost
        )
        for material, (unit, quantity, cost) in MATERIALS.items()
    ]
    for product_name, (profit, low, high) in PRODUCTS.items():
        product = Product.objects.create(
            plant=plant, name=product_name, profit_per_unit=profit, min_demand=low, max_demand=high
        )
        for machine, hours in zip(machines, HOURS[product_name], strict=True):
            ProductionRecipe.objects.create(product=product, machine=machine, hours_required=hours)
        for material, quantity in zip(materials, QUANTITIES[product_name], strict=True):
            if quantity is not None:
                MaterialRequirement.objects.create(product=product, material=material, quantity_required=quantity)
    return plant


def make_run(plant: Plant, **fields: Any) -> Run:
    """Return a run of the plant's Baseline, queued unless told otherwise; where it is under way, its process lives."""
    alive = timezone.now() if fields.get("state") in (Run.State.RUNNING, Run.State.STOPPING) else None
    values = {"scenario_name": BASELINE, "currency": plant.currency, "heartbeat_at": alive, **fields}
    return Run.objects.create(plant=plant, **values)


def make_solved_run(plant: Plant, **fields: Any) -> Run:
    """Return a run of the furniture workshop as it ends, with the rows of its plan."""
    values = {
        "state": Run.State.SOLVED,
        "proven": True,
        "plan_checked": True,
        "objective": BEST_PROFIT,
        "bound": BEST_PROFIT,
        "gap": 0.0,
        "shadow_price_basis": "lp",
        "profit_parts": {"sales": BEST_PROFIT, "holding": 0.0},
        "seconds": {"read": 0.01, "build": 0.002, "solve": 0.02, "write": 0.01},
        "options": {"time_limit": 300.0, "gap": 1e-4, "solver": "highs"},
        **fields,
    }
    run = make_run(plant, started_at=timezone.now(), **values)
    Run.objects.filter(pk=run.pk).update(finished_at=timezone.now())
    run.refresh_from_db()
    Production.objects.bulk_create(
        Production(run=run, product=product, route="", period="1", quantity=quantity, setup=False)
        for product, quantity in BEST_MAKE.items()
    )
    nothing = dict.fromkeys(("yielded", "bought", "used", "lapsed", "stock", "backlog", "short"), 0.0)
    ProductBalance.objects.bulk_create(
        ProductBalance(run=run, product=product, period="1", made=quantity, sold=quantity, **nothing)
        for product, quantity in BEST_MAKE.items()
    )
    used = {
        material: sum(BEST_MAKE[product] * (QUANTITIES[product][index] or 0) for product in BEST_MAKE)
        for index, material in enumerate(MATERIALS)
    }
    hours = {
        machine: sum(BEST_MAKE[product] * HOURS[product][index] for product in BEST_MAKE)
        for index, machine in enumerate(MACHINES)
    }
    rest = {"period": "1", "overtime": 0.0, "units_down": 0.0, "shadow_price_high": None, "shadow_price_more": 0.0}
    rest |= {"shadow_price_less": 0.0}
    Utilization.objects.bulk_create(
        [
            Utilization(
                run=run,
                resource_type="machine",
                resource=machine,
                used=hours[machine],
                available=available,
                utilization_pct=100 * hours[machine] / available,
                shadow_price=0.0,
                shadow_price_low=hours[machine],
                shadow_price_less_until=hours[machine],
                **rest,
            )
            for machine, available in MACHINES.items()
        ]
        + [
            Utilization(
                run=run,
                resource_type="material",
                resource=material,
                used=used[material],
                available=available,
                utilization_pct=100 * used[material] / available,
                shadow_price=200 / 35 if material == "Wood" else 0.0,
                shadow_price_low=310.0 if material == "Wood" else used[material],
                shadow_price_less_until=310.0 if material == "Wood" else used[material],
                **{**rest, **(WOOD if material == "Wood" else {})},
            )
            for material, (_, available, _) in MATERIALS.items()
        ]
    )
    MaterialBalance.objects.bulk_create(
        MaterialBalance(run=run, material=material, period="1", supplied=amount, used=amount, lapsed=0.0, stock=0.0)
        for material, amount in used.items()
    )
    return run


def solve_here(run: Run) -> Run:
    """Return the queued run, solved in this process and written back: for tests that are about what comes after."""
    move(run.pk, run.attempt, (Run.State.QUEUED,), Run.State.RUNNING)
    data = read_copy(run)
    model = load_copy(data) if run.variation is None else build_model(snapshot_in(data, run))
    write_back(run, run.attempt, solve_copy(model, RunOptions.from_dict(run.options)), snapshot_in(data, run))
    return Run.objects.get(pk=run.pk)


def solved_here(run: Run) -> Run:
    """Return a queued run, solved in this process and written back: what `execute` does without a process more."""
    from planning.formulation import build_model
    from planning.runs.copies import load_copy, read_copy, snapshot_in
    from planning.runs.execute import write_back
    from planning.runs.options import RunOptions
    from planning.runs.solve import solve_copy
    from planning.runs.states import State, move

    move(run.pk, run.attempt, (State.QUEUED,), State.RUNNING)
    data = read_copy(run)
    snapshot = snapshot_in(data, run)
    model = load_copy(data) if run.variation is None else build_model(snapshot)
    write_back(run, run.attempt, solve_copy(model, RunOptions.from_dict(run.options)), snapshot)
    run.refresh_from_db()
    return run

"""Every door of the admin, read from the resolver so that none is forgotten, and a plant to try them on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.urls import URLResolver, get_resolver

from planning.models import (
    TABLES,
    ByProduct,
    ComponentRequirement,
    Customer,
    CustomerOrder,
    Goal,
    Machine,
    MachinePeriod,
    Period,
    Plant,
    Product,
    ProductPeriod,
    RawMaterial,
    RawMaterialPeriod,
    Route,
    RoutePeriod,
    Run,
    RunSet,
    Scenario,
    ScenarioChange,
    StagedUpload,
)
from tests.factories import make_furniture, make_run, make_solved_run

ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
ROUTES: dict[str, str] = {  # arguments that name no row -> what stands for them
    "kind": "csv",
    "name": "plan",
    "table": "products",
    "number": "0",
}


@dataclass(frozen=True)
class Door:
    """An address of the admin: its route, such as `planning/run/<int:run_id>/stop/`."""

    route: str

    @property
    def arguments(self) -> list[str]:
        """Return the names in the route."""
        return ARGUMENT.findall(self.route)

    @property
    def model(self) -> type[Model]:
        """Return the table whose pages the door belongs to."""
        app, model, *_ = self.route.split("/")
        return apps.get_model(app, model)

    @property
    def last(self) -> str:
        """Return the last word of the route: add, change, stop, state.json; "" of a list."""
        words = [word for word in self.route.split("/") if word and not ARGUMENT.fullmatch(word)]
        return "/".join(words[2:])

    def url(self, rows: dict[str, Any]) -> str:
        """Return the address for rows by the name of their argument."""
        return "/admin/" + ARGUMENT.sub(lambda match: str(rows[match[1]]), self.route)


def doors(app: str = "") -> list[Door]:
    """Return every door of the admin, or those of an app."""
    (root,) = (part for part in get_resolver().url_patterns if getattr(part, "namespace", "") == "admin")
    return [Door(route) for route in _routes(root) if route.startswith(app)]


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for part in resolver.url_patterns:
        route = before + str(part.pattern)
        if isinstance(part, URLResolver):
            yield from _routes(part, route)
        else:
            yield route


def rows_of(door: Door, plant: Plant) -> dict[str, Any]:
    """Return what stands for each argument of a door, taken from a plant that has a row in every table."""
    found: dict[str, Any] = {}
    for name in door.arguments:
        if name in ROUTES:
            found[name] = ROUTES[name]
        elif name == "upload_id":
            found[name] = StagedUpload.objects.get(name=f"{plant}.xlsx").pk
        elif name == "tried_id":
            found[name] = Run.objects.filter(plant=plant).latest("pk").pk
        elif name in ("object_id", "pk", f"{door.model._meta.model_name}_id", "set_id"):
            found[name] = row_of(door.model, plant).pk
        else:
            raise KeyError(f"{door.route}: say in tests/admin/doors.py which row stands for <{name}>")
    return found


def row_of(model: type[Model], plant: Plant) -> Any:
    """Return a row of a table of the plant."""
    from planning.admin.access import plant_path

    if model is Plant:
        return plant
    if model is Run:
        return Run.objects.get(plant=plant, state="solved")
    return model._default_manager.filter(**{plant_path(model): plant}).last()


def make_full_plant(name: str = "Furniture Workshop", mark: str = "") -> Plant:
    """Return a furniture workshop with a row in every table, runs, a set and an upload; names begin with `mark`."""
    plant = make_furniture(name)
    for model in (Product, Machine, RawMaterial):
        for row in model.objects.filter(plant=plant):
            model.objects.filter(pk=row.pk).update(name=f"{mark}{row.name}")
    chair, table, _ = plant.products.order_by("id")
    period = Period.objects.create(plant=plant, sequence=1, name=f"{mark}Week 1")
    route = Route.objects.create(product=chair, name=f"{mark}Fast")
    machine, material = plant.machines.first(), plant.raw_materials.first()
    customer = Customer.objects.create(plant=plant, name=f"{mark}Acme", tier="GOLD")
    scenario = Scenario.objects.create(plant=plant, name=f"{mark}More wood", parent=plant.scenarios.get())
    ProductPeriod.objects.create(product=chair, period=period, max_demand=12.5)
    RoutePeriod.objects.create(route=route, period=period, setup_cost=3)
    MachinePeriod.objects.create(machine=machine, period=period, available_hours=70)
    RawMaterialPeriod.objects.create(material=material, period=period, available_quantity=400)
    ComponentRequirement.objects.create(product=table, component=chair, quantity_required=1)
    ByProduct.objects.create(product=table, by_product=chair, quantity_produced=1)
    CustomerOrder.objects.create(
        plant=plant, reference=f"{mark}A-1", customer=customer, product=chair, period=period, target_quantity=5
    )
    Goal.objects.create(plant=plant, name=f"{mark}Earn", measure="profit", sense="at_least", target=1000)
    ScenarioChange.objects.create(
        scenario=scenario,
        table="raw_materials",
        row=f"{mark}Wood",
        field="available_quantity",
        operation="multiply",
        value=1.5,
    )
    solved = make_solved_run(plant)
    run_set = RunSet.objects.create(plant=plant, name=f"{mark}Set", tried_for=solved)
    make_run(plant, scenario_name=f"{mark}More wood", run_set=run_set)
    other = User.objects.create_user(f"{name} uploader", is_staff=True)
    StagedUpload.objects.create(user=other, name=f"{plant}.xlsx", content=b"no workbook")
    return plant


def member(*groups: str, name: str = "") -> Client:
    """Return the client of a user of the staff who is in the groups and has no other right."""
    user = User.objects.create_user(name or " ".join(groups) or "stranger", password="secret", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    client = Client()
    client.force_login(user)
    return client


def planning_tables() -> list[type[Model]]:
    """Return the tables of the plan format that have pages of their own."""
    return [table.model for table in TABLES if table.model is not ScenarioChange]

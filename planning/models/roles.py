"""Ready-made groups: what a viewer, a planner and an approver may do. Nobody needs to be a superuser to work."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

DATA = (
    *("plant", "period", "product", "productperiod", "route", "routeperiod", "productionrecipe"),
    *("materialrequirement", "componentrequirement", "byproduct", "machine", "machineperiod"),
    *("rawmaterial", "rawmaterialperiod", "customer", "customerorder", "goal", "scenario", "scenariochange"),
)
RESULTS = (
    *("run", "runset", "approval", "production", "productbalance", "utilization", "materialbalance"),
    *("orderresult", "goalresult"),
)
VIEWER = frozenset(f"view_{table}" for table in (*DATA, *RESULTS)) | {"export_plan"}
PLANNER = (
    VIEWER
    | {f"{may}_{table}" for table in DATA for may in ("add", "change", "delete")}
    | {"run_scenario", "stop_run", "import_plan", "promote_scenario", "delete_run", "delete_runset"}
)
ROLES: dict[str, frozenset[str]] = {
    "Viewer": VIEWER,
    "Planner": PLANNER,
    "Approver": VIEWER | {"approve_run"},
}


def make_roles(sender: AppConfig, using: str = "default", **_: Any) -> None:
    """Make the groups that are missing, after `migrate`; one that is there stays as somebody has made it."""
    create_permissions(sender, verbosity=0, using=using)
    rights = Permission.objects.using(using).filter(content_type__app_label=sender.label)
    known = dict(rights.values_list("codename", "pk"))
    for name, codenames in ROLES.items():
        group, is_new = Group.objects.using(using).get_or_create(name=name)
        if is_new:
            group.permissions.set([known[codename] for codename in sorted(codenames)])

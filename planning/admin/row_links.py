"""From a problem in words (table, row) to the page on which it can be mended."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from planning.models import TABLE_BY_NAME, Scenario

from .base import plant_path


def row_url(plant_id: int, table_name: str, row: str) -> str:
    """Return the list of a table, narrowed to the plant and searched for the row; "" when there is none."""
    table = TABLE_BY_NAME.get(table_name)
    if table is None:
        return ""
    if table_name == "plant":
        return reverse("admin:planning_plant_change", args=[plant_id])
    if table_name == "scenario_changes":
        return scenario_url(plant_id, row)
    try:
        url = reverse(f"admin:planning_{table.model._meta.model_name}_changelist")
    except NoReverseMatch:
        return ""
    query = {f"{plant_path(table.model)}__id__exact": str(plant_id)}
    words = " ".join(part.strip() for part in row.split(" / "))
    if words and words != "*":
        query["q"] = words
    return f"{url}?{urlencode(query)}"


def scenario_url(plant_id: int, row: str) -> str:
    """Return the page of the scenario whose change is meant: `SCENARIO N`."""
    name = row.rpartition(" ")[0] or row
    scenario = Scenario.objects.filter(plant_id=plant_id, name__in=[name, row]).first()
    if scenario is None:
        return f"{reverse('admin:planning_scenario_changelist')}?{urlencode({'plant__id__exact': plant_id})}"
    return reverse("admin:planning_scenario_change", args=[scenario.pk])

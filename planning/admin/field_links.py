"""From a value of the data (table, row, period, field) to the very field in which it stands, or to its scenario.

A fixed number of queries, however many values there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse

from planning.models import TABLE_BY_NAME, Run, Scenario, ScenarioChange

from .row_links import RowLinks

# table -> how its rows are found: the plant, and the parts of the name or key that a message gives
_LOOKUPS = {
    "products": ("plant", ("name",)),
    "machines": ("plant", ("name",)),
    "raw_materials": ("plant", ("name",)),
    "routes": ("product__plant", ("product__name", "name")),
    "product_periods": ("product__plant", ("product__name", "period__name")),
    "machine_periods": ("machine__plant", ("machine__name", "period__name")),
    "raw_material_periods": ("material__plant", ("material__name", "period__name")),
    "route_periods": ("route__product__plant", ("route__product__name", "route__name", "period__name")),
}
Place = tuple[str, str, str, str]  # table, row, period, field
ANY = "*"


class FieldLinks:
    """The pages of the values that a run names."""

    def __init__(self, run: Run, values: Iterable[Mapping[str, Any]]) -> None:
        self._rows = RowLinks(run.plant_id)
        named: dict[str, set[str]] = {}
        for value in values:
            named.setdefault(str(value.get("table") or ""), set()).add(str(value.get("row") or ""))
        self._found = {
            table: _rows_by_key(table, run.plant_id, rows) for table, rows in named.items() if table in _LOOKUPS
        }
        self._changed = _changes(run) if self._found else {}

    def url(self, value: Mapping[str, Any]) -> str:
        """Return the page on which the value is changed, at its field; "" where there is none."""
        table, row, period, field = (str(value.get(name) or "") for name in ("table", "row", "period", "field"))
        scenario = self._scenario_of((table, row, period, field))
        if scenario:
            return scenario
        key = (*row.split(" / "), period) if table.endswith("_periods") else tuple(row.split(" / "))
        found = self._found.get(table, {}).get(key)
        if found is None:
            return self._rows.url(table, row)
        name = TABLE_BY_NAME[table].model._meta.model_name
        return f"{reverse(f'admin:planning_{name}_change', args=[found])}#id_{field}"

    def _scenario_of(self, place: Place) -> str:
        """Return the page of the scenario that changes the value; "" where none does."""
        table, row, period, field = place
        known = TABLE_BY_NAME.get(table)
        table = known.parent or table if known else table
        for named in (row, ANY):
            for when in dict.fromkeys((period, "")):
                found = self._changed.get((table, named, when, field))
                if found is not None:
                    return reverse("admin:planning_scenario_change", args=[found])
        return ""


def _rows_by_key(table: str, plant_id: int, rows: set[str]) -> dict[tuple[str, ...], int]:
    """Return the numbers of the rows of a table by their keys; those of one product (machine, ...) at least."""
    plant, parts = _LOOKUPS[table]
    first = {row.split(" / ")[0] for row in rows}
    listed = TABLE_BY_NAME[table].model._default_manager.filter(**{plant: plant_id, f"{parts[0]}__in": first})
    return {tuple(map(str, key)): pk for pk, *key in listed.values_list("pk", *parts)}


def _changes(run: Run) -> dict[Place, int]:
    """Return which scenario changes a place: the run's own, else the nearest of its ancestors."""
    scenarios = list(Scenario.objects.filter(plant_id=run.plant_id).values_list("pk", "name", "parent_id"))
    parents = {pk: parent for pk, _, parent in scenarios}
    at = next((pk for pk, name, _ in scenarios if name == run.scenario_name), None)
    line: list[int] = []
    while at is not None and at not in line:
        line.append(at)
        at = parents[at]
    changes = ScenarioChange.objects.filter(scenario__in=line)
    listed = changes.values_list("scenario_id", "table", "row", "period", "field")
    found: dict[Place, int] = {}
    for pk, table, row, period, field in sorted(listed, key=lambda change: -line.index(change[0])):
        known = TABLE_BY_NAME.get(table)
        found[known.parent or table if known else table, row, period or "", field] = pk
    return found

"""From a problem in words (table, row) to the page on which it can be mended."""

from __future__ import annotations

from functools import cached_property
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from planning.models import TABLE_BY_NAME, Scenario

from .access import plant_path


class RowLinks:
    """The pages of the rows of one plant."""

    def __init__(self, plant_id: int) -> None:
        self.plant_id = plant_id

    @cached_property
    def scenarios(self) -> dict[str, int]:
        """The plant's scenarios by name, read once for all links."""
        return dict(Scenario.objects.filter(plant_id=self.plant_id).values_list("name", "pk"))

    def url(self, table_name: str, row: str) -> str:
        """Return the list of a table, narrowed to the plant and searched for the row; "" when there is none."""
        table = TABLE_BY_NAME.get(table_name)
        if table is None:
            return ""
        if table_name == "plant":
            return reverse("admin:planning_plant_change", args=[self.plant_id])
        if table_name == "scenario_changes":
            return self.scenario_url(row)
        try:
            url = reverse(f"admin:planning_{table.model._meta.model_name}_changelist")
        except NoReverseMatch:
            return ""
        query = {f"{plant_path(table.model)}__id__exact": str(self.plant_id)}
        words = " ".join(part.strip() for part in row.split(" / "))
        if words and words != "*":
            query["q"] = words
        return f"{url}?{urlencode(query)}"

    def scenario_url(self, row: str) -> str:
        """Return the page of the scenario whose change is meant: `SCENARIO N`."""
        scenario = self.scenarios.get(row.rpartition(" ")[0]) or self.scenarios.get(row)
        if scenario is None:
            return f"{reverse('admin:planning_scenario_changelist')}?plant__id__exact={self.plant_id}"
        return reverse("admin:planning_scenario_change", args=[scenario])

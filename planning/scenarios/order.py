"""The order of a scenario's changes, which is that of their rows: moving a change moves what the rows say."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from planning.models import Plant, Scenario, ScenarioChange

CONTENT = [field.name for field in ScenarioChange._meta.concrete_fields if field.name not in ("id", "scenario")]


@transaction.atomic
def put_in_order(scenario: Scenario, wanted: Sequence[int]) -> None:
    """Let the changes with these primary keys come in this order.

    They keep the place of the first of them among the others; changes that are not named keep their order.
    """
    Plant.objects.select_for_update().get(pk=scenario.plant_id)
    rows = {row.pk: row for row in ScenarioChange.objects.filter(scenario=scenario).order_by("pk")}
    moved = [pk for pk in dict.fromkeys(wanted) if pk in rows]
    if not moved:
        return
    first = min(moved)
    before = [pk for pk in rows if pk < first]
    after = [pk for pk in rows if pk > first and pk not in set(moved)]
    contents = {pk: {name: getattr(row, name) for name in CONTENT} for pk, row in rows.items()}
    changed = []
    for row, source in zip(rows.values(), [*before, *moved, *after], strict=True):
        if contents[source] != contents[row.pk]:
            for name, value in contents[source].items():
                setattr(row, name, value)
            changed.append(row)
    ScenarioChange.objects.bulk_update(changed, CONTENT, batch_size=200)

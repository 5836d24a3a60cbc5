"""A scenario once more, under another name."""

from __future__ import annotations

from django.db import transaction

from planning.models import Plant, Scenario, ScenarioChange
from planning.models.fields import NAME_LENGTH


class NameTaken(Exception):
    """The plant has a scenario of that name."""


def free_name(scenario: Scenario) -> str:
    """Return a name for a copy that the plant does not have yet: `Copy of X`, `Copy of X (2)`, …"""
    taken = set(Scenario.objects.filter(plant=scenario.plant_id).values_list("name", flat=True))
    number = 1
    while True:
        tail = f" ({number})" if number > 1 else ""
        name = f"Copy of {scenario.name}"[: NAME_LENGTH - len(tail)].rstrip() + tail
        if name not in taken:
            return name
        number += 1


@transaction.atomic
def duplicate(scenario: Scenario, name: str) -> Scenario:
    """Return a new scenario with the changes of another one in their order, under the same parent.

    Raises ValidationError for what can't be a name, NameTaken where the plant has it already.
    """
    Plant.objects.select_for_update().get(pk=scenario.plant_id)
    if Scenario.objects.filter(plant=scenario.plant_id, name=name).exists():
        raise NameTaken(f'The plant has a scenario "{name}" already. Give another name.')
    copied = Scenario(
        plant_id=scenario.plant_id,
        name=name,
        parent_id=scenario.parent_id,
        description=scenario.description,
        goal_mode=scenario.goal_mode,
    )
    copied.clean_fields()
    copied.save()
    changes = list(ScenarioChange.objects.filter(scenario=scenario).order_by("pk"))
    for change in changes:
        change.pk, change.scenario = None, copied
    ScenarioChange.objects.bulk_create(changes)
    return copied

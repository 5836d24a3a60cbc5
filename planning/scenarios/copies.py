"""A scenario once more, under another name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import count

from django.db import transaction

from planning.models import Plant, Scenario, ScenarioChange
from planning.models.fields import NAME_LENGTH
from planning.snapshot import Change


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
def new_scenario(parent: Scenario, name: str, description: str, changes: Sequence[Change]) -> Scenario:
    """Return a new scenario with the changes, which come after its parent's; a taken name gets a number.

    Raises ValidationError for what can't be a name or a change.
    """
    Plant.objects.select_for_update().get(pk=parent.plant_id)
    taken = set(Scenario.objects.filter(plant=parent.plant_id).values_list("name", flat=True))
    tails = ("" if number == 1 else f" ({number})" for number in count(1))
    chosen = next(made for tail in tails if (made := name[: NAME_LENGTH - len(tail)].rstrip() + tail) not in taken)
    scenario = Scenario(plant_id=parent.plant_id, name=chosen, parent=parent, description=description)
    scenario.clean_fields()
    scenario.save()
    rows = [ScenarioChange(scenario=scenario, **asdict(change)) for change in changes]
    for row in rows:
        row.clean_fields(exclude=["scenario"])
    ScenarioChange.objects.bulk_create(rows)
    return scenario


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

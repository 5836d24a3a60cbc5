"""What would have to give so that there is a plan, as a scenario."""

from __future__ import annotations

from planning.models import Run, Scenario
from planning.models.fields import NAME_LENGTH
from planning.runs import variation_changes
from planning.scenarios import new_scenario

from .trials import NoRemedy

_MADE = ("least", "shortages", "resources")  # the kinds that are changes
_CHANGE = ("table", "row", "field", "operation", "value", "period")


def scenario_of_relief(run: Run, number: int) -> Scenario:
    """Return a new scenario with exactly the changes that a run without a plan says would do.

    They come after those of the run's scenario and of its variation. Raises IndexError where the run has no such
    relief that is a change, NoRemedy where its scenario is gone.
    """
    relief = run.relief[number]
    if relief["kind"] not in _MADE:
        raise IndexError(number)
    parent = Scenario.objects.filter(plant_id=run.plant_id, name=run.scenario_name).first()
    if parent is None:
        raise NoRemedy(f'The scenario "{run.scenario_name}" is gone, so nothing can be built on it.')
    changes = variation_changes([{name: change[name] for name in _CHANGE} for change in relief["changes"]])
    own = () if run.variation is None else variation_changes(run.variation)
    tail = f", {_what_gives([change.value or 0.0 for change in changes])}"
    about = f"What would have to give in run {run.pk}: " + " ".join(str(change["text"]) for change in relief["changes"])
    return new_scenario(parent, parent.name[: NAME_LENGTH - len(tail)] + tail, about, [*own, *changes])


def _what_gives(added: list[float]) -> str:
    """Return what gives, for a name: less is asked for, there is more of the rest, or both."""
    if max(added) <= 0:
        return "with shortages allowed"
    return "with more hours, materials and room" if min(added) >= 0 else "with the least that has to give"

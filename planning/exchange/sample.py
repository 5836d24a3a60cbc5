"""The sample plant, for looking around."""

from __future__ import annotations

from pathlib import Path

from planning.models import Plant

from .importing import import_plan

SAMPLE = Path(__file__).with_name("samples") / "furniture_workshop"
SAMPLE_PLANT = "Furniture Workshop"


def load_sample() -> tuple[Plant, bool]:
    """Return the sample plant, and whether it had to be made: one that is there stays as it is.

    Raises ImportFaults where somebody else made it in the same moment.
    """
    plant = Plant.objects.filter(name=SAMPLE_PLANT).first()
    if plant is not None:
        return plant, False
    made = import_plan(SAMPLE).plant
    assert made is not None
    return made, True

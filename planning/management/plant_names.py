"""Names that somebody types in a shell: the plant that is meant, or the ones like it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NoReturn

from django.core.management.base import CommandError

from planning.exchange import nearest, show
from planning.models import Plant


def find_plant(name: str, stream: Any) -> Plant:
    """Return the plant of that name; otherwise end the command and name the ones like it."""
    plants = {plant.name: plant for plant in Plant.objects.all()}
    if name.strip() not in plants:
        refuse_name(f'There is no plant "{show(name)}".', name, plants, stream)
    return plants[name.strip()]


def refuse_name(text: str, name: str, known: Collection[str], stream: Any) -> NoReturn:
    """End the command: this name is unknown, and these are like it."""
    found = nearest(name, known, 3) or sorted(known)[:3]
    hint = " Did you mean " + " or ".join(f'"{show(other)}"' for other in found) + "?" if found else ""
    raise CommandError(printable(f"{text}{hint}", stream), returncode=2)


def printable(text: str, stream: Any) -> str:
    """Return the text with escapes for what the stream's encoding does not have."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)

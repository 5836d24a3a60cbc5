"""The rule that the relations of a row stay together: one plant, and a route of the row's own product.

Written once for every table: it follows the foreign keys of a row and compares the owners it meets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import ForeignKey, Model

from planning.models import Plant, Product

OWNERS: dict[str, type[Model]] = {"plant": Plant, "product": Product}


@dataclass(frozen=True)
class Stray:
    """A relation that points outside of the row's plant, or outside of its product."""

    field: str
    text: str


def foreign_keys(model: type[Model]) -> list[ForeignKey]:
    """Return the foreign keys of a table, in its order."""
    return [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]


def owners(row: Model) -> Iterator[tuple[str, Model]]:
    """Yield each owner that a row belongs to, directly or through others: its plant, its product."""
    for field in foreign_keys(type(row)):
        if field.related_model is type(row):
            continue
        related = getattr(row, field.name, None)
        if related is None:
            continue
        if field.name in OWNERS:
            yield field.name, related
        yield from owners(related)


def plant_of(row: Model) -> Plant | None:
    """Return the plant that a row belongs to."""
    if isinstance(row, Plant):
        return row
    return next((owner for _, owner in owners(row) if isinstance(owner, Plant)), None)


def strays(model: type[Model], related: dict[str, Model]) -> list[Stray]:
    """Return the relations (field name -> row) that do not belong together, in words."""
    found: dict[str, tuple[str, Model]] = {}
    result = []
    for field in foreign_keys(model):
        row = related.get(field.name)
        if row is None:
            continue
        claims = list(owners(row))
        if field.name in OWNERS:
            claims.insert(0, (field.name, row))
        for owner_name, owner in claims:
            first_field, first_owner = found.setdefault(owner_name, (field.name, owner))
            if first_owner.pk != owner.pk or (first_owner.pk is None and first_owner is not owner):
                first = related[first_field]
                result.append(
                    Stray(field.name, sentence(field, row, owner_name, owner=owner, right=first_owner, first=first))
                )
                break
    return result


def sentence(field: ForeignKey, row: Model, owner_name: str, *, owner: Model, right: Model, first: Model) -> str:
    """Return what is wrong with a relation and how to mend it."""
    whose = f'the {owner_name} is "{right}"' if first is right else f'"{first}" belongs to "{right}"'
    return (
        f'The {field.verbose_name} "{row}" belongs to the {owner_name} "{owner}", but {whose}. '
        f'Choose a {field.verbose_name} of "{right}".'
    )

"""Fields and constraints that the tables share: amounts with a unit, whole numbers, names.

Each rule stands once and holds three times: as a validator (forms and import), as a database
constraint, and as the words of an error.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

AMOUNT_LIMIT = 1e15  # an absolute value from here on is an error
NAME_LENGTH = 200


def validate_amount(value: float) -> None:
    """Refuse what is no amount: nan, infinity, 1e15 and beyond."""
    if not math.isfinite(value) or abs(value) >= AMOUNT_LIMIT:
        raise ValidationError(f"{value:g} is not a usable number. Give a finite number below 1e15 in size.")


def validate_not_negative(value: float) -> None:
    """Refuse a number below 0."""
    if value < 0:
        raise ValidationError(f"{value:g} is negative. Give 0 or more.")


def validate_text(value: str) -> None:
    """Refuse control characters and half surrogates, which no workbook and no CSV file can hold."""
    for character in value:
        if character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs"):
            raise ValidationError(f"The text holds the control character U+{ord(character):04X}. Remove it.")


def validate_name(value: str) -> None:
    """Refuse what can't be a name: blank, over 200 characters, `*`, ` / `, control characters."""
    if not value.strip():
        raise ValidationError("The name is blank. Give 1 to 200 characters.")
    if len(value) > NAME_LENGTH:
        raise ValidationError(f"The name has {len(value)} characters. Give at most {NAME_LENGTH}.")
    if value == "*":
        raise ValidationError('A name may not be "*", which stands for every row.')
    if " / " in value:
        raise ValidationError('A name may not contain " / ", which separates the parts of a key.')
    if "\n" in value or "\t" in value:
        raise ValidationError("A name may not contain line breaks or tabs. Remove them.")
    validate_text(value)


def name_field(help_text: str = "", **options: Any) -> models.CharField:
    """Return the field for a row's name."""
    return models.CharField(max_length=NAME_LENGTH, validators=[validate_name], help_text=help_text, **options)


def amount(help_text: str, *, default: float | None = 0.0, signed: bool = False) -> models.FloatField:
    """Return the field for an amount: with a default of None a blank is allowed and stays blank."""
    validators = [validate_amount] if signed else [validate_amount, validate_not_negative]
    if default is None:
        return models.FloatField(null=True, blank=True, validators=validators, help_text=help_text)
    return models.FloatField(default=default, validators=validators, help_text=help_text)


def required_amount(help_text: str) -> models.FloatField:
    """Return the field for an amount that must be given and is not negative."""
    return models.FloatField(validators=[validate_amount, validate_not_negative], help_text=help_text)


def whole(help_text: str, *, default: int | None = 0, minimum: int = 0) -> models.PositiveIntegerField:
    """Return the field for a whole number of at least `minimum`; a default of None allows a blank."""
    validators = [MinValueValidator(minimum, f"Give a whole number of {minimum} or more.")]
    if default is None:
        return models.PositiveIntegerField(null=True, blank=True, validators=validators, help_text=help_text)
    return models.PositiveIntegerField(default=default, validators=validators, help_text=help_text)


def amount_constraints(
    prefix: str, *names: str, signed: Iterable[str] = (), pairs: Iterable[tuple[str, str]] = ()
) -> list[models.BaseConstraint]:
    """Return the constraints of amounts: not negative, below 1e15, and `low <= high` for each pair."""
    constraints: list[models.BaseConstraint] = [
        models.CheckConstraint(
            condition=Q(**{f"{name}__gte": 0, f"{name}__lt": AMOUNT_LIMIT}),
            name=f"{prefix}_{name}_range",
            violation_error_message=f"{name} must be 0 or more and below 1e15.",
        )
        for name in names
    ]
    constraints += [
        models.CheckConstraint(
            condition=Q(**{f"{name}__gt": -AMOUNT_LIMIT, f"{name}__lt": AMOUNT_LIMIT}),
            name=f"{prefix}_{name}_range",
            violation_error_message=f"{name} must be below 1e15 in size.",
        )
        for name in signed
    ]
    constraints += [
        models.CheckConstraint(
            condition=Q(**{f"{low}__lte": F(high)}),
            name=f"{prefix}_{high}_from_{low}",
            violation_error_message=f"{high} is below {low}. Raise {high} or lower {low}.",
        )
        for low, high in pairs
    ]
    return constraints


def name_constraint(prefix: str, name: str = "name") -> models.CheckConstraint:
    """Return the constraint of a name: not blank, not `*`, without ` / `."""
    return models.CheckConstraint(
        condition=~Q(**{name: ""}) & ~Q(**{name: "*"}) & ~Q(**{f"{name}__contains": " / "}),
        name=f"{prefix}_{name}_rules",
        violation_error_message=f'{name} may not be blank or "*" and may not contain " / ".',
    )

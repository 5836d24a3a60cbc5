"""Who may see which plants: everybody sees all of them, but for those who are limited to some."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q

from .plant import Plant


class PlantLimit(models.Model):
    """Limits a user, or the members of a group, to some plants. With no plant in it they see none."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="plant_limit"
    )
    group = models.OneToOneField(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="plant_limit")
    plants = models.ManyToManyField(
        Plant, blank=True, related_name="limits", help_text="What is not chosen here is as if it did not exist."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True, group__isnull=False) | Q(user__isnull=False, group__isnull=True),
                name="plant_limit_of_a_user_or_a_group",
            )
        ]

    def __str__(self) -> str:
        return f"Plants of {self.user or self.group}"


def visible_plants(user: Any) -> frozenset[int] | None:
    """Return the numbers of the plants that a user may see; None for all of them. One query for each user instance.

    Limits of the user and of their groups add up. No limit holds for superusers.
    """
    if user.is_anonymous:
        return frozenset()
    if user.is_superuser:
        return None
    if not hasattr(user, "_visible_plants"):
        limits = PlantLimit.objects.filter(Q(user=user) | Q(group__in=user.groups.all())).values_list("plants")
        found = {plant for (plant,) in limits}
        user._visible_plants = frozenset(found - {None}) if found else None
    plants: frozenset[int] | None = user._visible_plants
    return plants

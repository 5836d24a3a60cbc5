"""Tables of a test's own, in the real database: fields of many kinds, parents and children, keys of several fields."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.test.utils import isolate_apps


class Grams(int):
    """A weight, as a field of its own makes it."""


class GramsField(models.IntegerField):
    """Stores whole grams and gives them as `Grams`."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else Grams(value)


class Stage(models.IntegerChoices):
    PLANNED = 1
    OPEN = 2


def shop_models() -> SimpleNamespace:
    """Return the models, in a registry of their own."""
    with isolate_apps("planning"):

        class Tag(models.Model):
            word = models.CharField(max_length=20, unique=True)

            class Meta:
                app_label = "planning"

        class Place(models.Model):
            name = models.CharField(max_length=20)
            rent = models.DecimalField(max_digits=30, decimal_places=10, null=True)
            opened = models.DateField(null=True)
            seen = models.DateTimeField(null=True)
            closes = models.TimeField(null=True)
            rests = models.DurationField(null=True)
            code = models.UUIDField(null=True)
            plan = models.FileField(blank=True)
            notes = models.JSONField(default=list, null=True)
            raw = models.BinaryField(null=True)
            weight = GramsField(null=True)
            stage = models.IntegerField(choices=Stage.choices, default=Stage.PLANNED)
            large = models.DecimalField(max_digits=25, decimal_places=0, null=True)
            is_new = models.BooleanField(null=True)
            near = models.ManyToManyField("self", symmetrical=True)
            tags = models.ManyToManyField(Tag, through="Tagging", related_name="places")

            class Meta:
                app_label = "planning"

        class Tagging(models.Model):
            place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="taggings")
            tag = models.ForeignKey(Tag, on_delete=models.CASCADE, to_field="word", related_name="taggings")
            weight = models.FloatField(default=1.0)

            class Meta:
                app_label = "planning"

        class Shop(Place):
            detached_properties = ("area_per_shelf", "address")
            area = models.FloatField()
            shelves = models.IntegerField(default=1)
            owner = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="owned")

            class Meta:
                app_label = "planning"

            @property
            def area_per_shelf(self) -> float:
                return self.area / self.shelves

            @property
            def address(self) -> str:
                return f"{self.name} of {self.owner.name}" if self.owner_id else self.name

        class Corner(Shop):
            class Meta:
                app_label = "planning"
                proxy = True

        class Manager(models.Model):
            shop = models.OneToOneField(Shop, on_delete=models.CASCADE, related_name="manager")
            boss = models.ForeignKey("self", null=True, on_delete=models.CASCADE)

            class Meta:
                app_label = "planning"

        class Slot(models.Model):
            pk = models.CompositePrimaryKey("day", "number")
            day = models.DateField()
            number = models.IntegerField()
            hours = models.FloatField()

            class Meta:
                app_label = "planning"

        class Booking(models.Model):
            day = models.DateField()
            number = models.IntegerField()
            slot = models.ForeignObject(
                Slot, on_delete=models.CASCADE, from_fields=("day", "number"), to_fields=("day", "number")
            )

            class Meta:
                app_label = "planning"

        class Remark(models.Model):
            text = models.CharField(max_length=20)
            content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE)
            object_id = models.BigIntegerField()
            about = GenericForeignKey("content_type", "object_id")

            class Meta:
                app_label = "planning"

    found = (Tag, Place, Tagging, Shop, Corner, Manager, Slot, Booking, Remark)
    return SimpleNamespace(**{model.__name__: model for model in found})


@contextmanager
def shop_tables() -> Iterator[SimpleNamespace]:
    """Give the models with their tables in the database."""
    made = shop_models()
    real = [model for model in vars(made).values() if not model._meta.proxy]
    with connection.schema_editor() as editor:
        for model in real:
            editor.create_model(model)
    try:
        yield made
    finally:
        with connection.schema_editor() as editor:
            for model in reversed(real):
                editor.delete_model(model)


DAY = datetime.date(2026, 2, 28)

"""Tables that only tests know: fields of every kind, and models that want to see their instances."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import environ
from django.apps.registry import Apps
from django.db import connections, models

REGISTRY = Apps()  # of their own: the application's migrations and pages shall not know them


class Owner(models.Model):
    name = models.CharField(max_length=50, primary_key=True)

    class Meta:
        app_label, apps = "rows", REGISTRY


class Sample(models.Model):
    """A field of every kind, and names that have to be quoted."""

    owner = models.ForeignKey(Owner, on_delete=models.CASCADE)
    text = models.CharField(max_length=50)
    long = models.TextField(default="")
    number = models.FloatField(null=True, db_column="odd Number")
    whole = models.IntegerField(default=3)
    small = models.SmallIntegerField(default=0)
    positive = models.PositiveIntegerField(default=0, db_column="order")
    big = models.BigIntegerField(default=0)
    flag = models.BooleanField(null=True, default=None)
    amount = models.DecimalField(max_digits=20, decimal_places=3, null=True, default=None)
    day = models.DateField(null=True, default=None)
    time = models.TimeField(null=True, default=None)
    moment = models.DateTimeField(null=True, default=None)
    span = models.DurationField(null=True, default=None)
    data = models.JSONField(null=True, default=dict)
    mark = models.UUIDField(null=True, default=None)
    address = models.GenericIPAddressField(null=True, default=None)
    given = models.CharField(max_length=20, db_default="by the database")
    computed = models.GeneratedField(
        expression=models.F("small") + 1, output_field=models.IntegerField(), db_persist=True
    )

    class Meta:
        app_label, apps, db_table = "rows", REGISTRY, "Odd table"


class Listing(models.QuerySet[Any]):
    """A queryset with something to do when rows are created."""

    def bulk_create(self, objs: Any, *args: Any, **options: Any) -> Any:
        for row in objs:
            row.text += ", listed"
        return super().bulk_create(objs, *args, **options)


class Listed(models.Model):
    text = models.CharField(max_length=50)
    objects = Listing.as_manager()

    class Meta:
        app_label, apps = "rows", REGISTRY


class Noting(models.Manager[Any]):
    """A manager with something to do when rows are created."""

    def bulk_create(self, objs: Any, *args: Any, **options: Any) -> Any:
        for row in objs:
            row.text += ", noted"
        return super().bulk_create(objs, *args, **options)


class Noted(models.Model):
    text = models.CharField(max_length=50)
    objects = Noting()

    class Meta:
        app_label, apps = "rows", REGISTRY


class Stamped(models.Model):
    text = models.CharField(max_length=50)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label, apps = "rows", REGISTRY


class Bytes(models.Model):
    content = models.BinaryField()

    class Meta:
        app_label, apps = "rows", REGISTRY


class Child(Owner):
    more = models.CharField(max_length=50)

    class Meta:
        app_label, apps = "rows", REGISTRY


@contextmanager
def sample_tables(**urls: str) -> Iterator[None]:
    """Add each address as a database of that alias, with the tables in it."""
    for alias, url in urls.items():
        address = environ.Env.db_url_config(url)
        connections.databases[alias] = connections.databases["default"] | {"OPTIONS": {}} | address
        with connections[alias].schema_editor() as editor:
            for model in REGISTRY.all_models["rows"].values():
                editor.create_model(model)
    try:
        yield
    finally:
        for alias in urls:
            connections[alias].close()
            del connections[alias], connections.databases[alias]

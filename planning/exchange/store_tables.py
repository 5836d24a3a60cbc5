"""Writing some checked tables of a plant that is there: rows keep their primary keys, other tables stay."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Any

from django.db import models

from planning.models import BASELINE, TABLES, FormatTable, Period, Plant, Route, Scenario, ScenarioChange

from .check import ONLY_PERIOD
from .parsed import ParsedTable
from .plan_rows import value_path
from .rules import column_rules
from .store import BATCH_SIZE, Names, add_only_period, own_values, plant_path, stored_column

Key = tuple[Any, ...]


def store_tables(parsed: dict[str, ParsedTable], plant: Plant, names: Collection[str]) -> None:
    """Bring these tables of a plant to what was parsed. The plan as a whole has been checked."""
    tables = [table for table in TABLES if table.name in names]
    held = {table.name: held_rows(table, plant) for table in tables if table.key}
    for table in reversed(tables):
        if table.key and table.model is not Plant:
            _delete_missing(table, held[table.name], set(_keys(parsed[table.name])))
    _keep_only_period(parsed, plant)
    for table in tables:
        if table.model is ScenarioChange:
            _store_changes(parsed[table.name], plant)
        else:
            _store_rows(parsed[table.name], plant, held[table.name])


def held_rows(table: FormatTable, plant: Plant) -> dict[Key, int]:
    """Return the primary keys of a table's rows by the values of their key."""
    lookup = {"pk": plant.pk} if table.model is Plant else {plant_path(table.model): plant}
    paths = [value_path(table, column) for column in table.key]
    rows = table.model._default_manager.filter(**lookup).values_list("pk", *paths)
    return {tuple(value or None for value in key): pk for pk, *key in rows}


def _keys(parsed: ParsedTable) -> list[Key]:
    columns = [parsed.columns[column] for column in parsed.table.key]
    return [tuple(value or None for value in key) for key in zip(*columns, strict=True)]


def _delete_missing(table: FormatTable, held: dict[Key, int], given: set[Key]) -> None:
    gone = [pk for key, pk in held.items() if key not in given]
    if table.model is Period and not given:  # without period rows a plant has this one
        gone = list(Period.objects.filter(pk__in=gone).exclude(name=ONLY_PERIOD).values_list("pk", flat=True))
    if table.model is Scenario and (BASELINE,) not in given and (BASELINE,) in held:  # every plant has it
        gone.remove(held[(BASELINE,)])
        Scenario.objects.filter(pk=held[(BASELINE,)]).update(description="", goal_mode="")
    for start in range(0, len(gone), BATCH_SIZE):
        some = gone[start : start + BATCH_SIZE]
        if table.model is Scenario:
            Scenario.objects.filter(parent__in=some).update(parent=None)  # they get the one of the file below
        table.model._default_manager.filter(pk__in=some).delete()


def _keep_only_period(parsed: dict[str, ParsedTable], plant: Plant) -> None:
    if not len(parsed["periods"]) and not Period.objects.filter(plant=plant).exists():
        add_only_period(parsed, plant, {})


def _store_rows(parsed: ParsedTable, plant: Plant, held: dict[Key, int]) -> None:
    """Update the rows that are there in what differs, and create the others in the order of the file."""
    model = parsed.table.model
    ids = _ids(parsed.table, plant)
    own = [name for name in parsed.table.fields if name != "parent" or model is not Scenario]
    columns = {parsed.table.fields[name].attname: stored_column(parsed, name, ids) for name in own}
    stored = model._default_manager.in_bulk(list(held.values()))
    changed, fields, new = [], set(), []
    for place, key in enumerate(_keys(parsed)):
        values = {attname: column[place] for attname, column in columns.items()}
        row = stored.get(held.get(key, 0))
        if row is None:
            owner = {"plant_id": plant.pk} if _has_plant(model) else {}
            new.append(model(**values, **owner))
            continue
        differing = [name for name, value in values.items() if getattr(row, name) != value]
        for name in differing:
            setattr(row, name, values[name])
        if differing:
            changed.append(row)
            fields.update(differing)
    if model is Period and "name" in fields:
        _set_names_free(changed)
    if changed:
        model._default_manager.bulk_update(changed, sorted(fields), batch_size=BATCH_SIZE)
    model._default_manager.bulk_create(new, batch_size=BATCH_SIZE)
    if model is Scenario:
        _store_parents(parsed, plant)


def _has_plant(model: type[models.Model]) -> bool:
    return any(field.name == "plant" for field in model._meta.concrete_fields)


def _set_names_free(periods: list[Any]) -> None:
    """Take the names of periods away for a moment: two may change theirs with one another."""
    names = [period.name for period in periods]
    for period in periods:
        period.name = secrets.token_hex(16)
    Period.objects.bulk_update(periods, ["name"], batch_size=BATCH_SIZE)
    for period, name in zip(periods, names, strict=True):
        period.name = name


def _store_parents(parsed: ParsedTable, plant: Plant) -> None:
    scenarios = {scenario.name: scenario for scenario in Scenario.objects.filter(plant=plant)}
    changed = []
    for place in range(len(parsed)):
        values = own_values(parsed, place)
        scenario, parent = scenarios[values["name"]], scenarios.get(values["parent"])
        if scenario.parent_id != (parent.pk if parent is not None else None):
            scenario.parent = parent
            changed.append(scenario)
    Scenario.objects.bulk_update(changed, ["parent"], batch_size=BATCH_SIZE)


def _store_changes(parsed: ParsedTable, plant: Plant) -> None:
    """Write the changes of each scenario anew where they differ: they have no key, and their order counts."""
    ids = _ids(parsed.table, plant)["scenarios"]
    fields = [name for name in parsed.table.fields if name != "scenario"]
    given: dict[int, list[tuple[Any, ...]]] = {}
    for place, scenario in enumerate(parsed.columns["scenario"]):
        given.setdefault(ids[scenario], []).append(tuple(parsed.columns[name][place] for name in fields))
    there: dict[int, list[tuple[Any, ...]]] = {}
    rows = ScenarioChange.objects.filter(scenario__plant=plant).order_by("pk")
    for scenario_id, *values in rows.values_list("scenario", *fields):
        there.setdefault(scenario_id, []).append(tuple(values))
    differing = [pk for pk in {*given, *there} if given.get(pk) != there.get(pk)]
    ScenarioChange.objects.filter(scenario__in=differing).delete()
    ScenarioChange.objects.bulk_create(
        (
            ScenarioChange(scenario_id=pk, **dict(zip(fields, values, strict=True)))
            for pk in given
            if pk in differing
            for values in given[pk]
        ),
        batch_size=BATCH_SIZE,
    )


def _ids(table: FormatTable, plant: Plant) -> dict[str, Names]:
    """Return the primary keys of the rows that a table's rows may name, by table and name."""
    targets = {rule.target for rule in column_rules(table).values() if rule.kind == "reference"}
    found: dict[str, Names] = {}
    for target in TABLES:
        if target.name in targets:
            names = ("product__name", "name") if target.model is Route else ("name",)
            rows = target.model._default_manager.filter(**{plant_path(target.model): plant}).values_list("pk", *names)
            found[target.name] = {tuple(key) if len(key) > 1 else key[0]: pk for pk, *key in rows}
    return found

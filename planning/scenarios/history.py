"""What a promotion leaves in the history of each row: who, when, from which scenario, old and new value."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType

from planning.models import Scenario
from planning.snapshot import Change, Edit, ScenarioEffects

from .base_data import Written

SHELL = "manage.py"  # the account, which nobody can log in to, for what is done in a shell without a name


def record_promotion(scenario: Scenario, written: list[Written], effects: ScenarioEffects, user: Any) -> None:
    """Write an entry for each row that was edited or made, and one for the scenario with the changes it had."""
    by = user if user is not None and user.is_authenticated else _shell_account()
    kinds = ContentType.objects.get_for_models(*{type(row.row) for row in written}, Scenario)
    entries = [
        LogEntry(
            user_id=by.pk,
            content_type=kinds[type(row.row)],
            object_id=str(row.row.pk),
            object_repr=row.name[:200],
            action_flag=ADDITION if row.created else CHANGE,
            change_message=f'Promoted from scenario "{scenario.name}": {"; ".join(map(edit_in_words, row.edits))}.',
        )
        for row in written
    ]
    listed = "; ".join(
        change_in_words(change.change) + (f' (of "{change.scenario}")' if change.scenario != scenario.name else "")
        for change in effects.changes
    )
    entries.append(
        LogEntry(
            user_id=by.pk,
            content_type=kinds[Scenario],
            object_id=str(scenario.pk),
            object_repr=scenario.name[:200],
            action_flag=CHANGE,
            change_message=f"Promoted to the base data: {listed}.",
        )
    )
    LogEntry.objects.bulk_create(entries, batch_size=500)


def _shell_account() -> Any:
    account, is_new = get_user_model()._default_manager.get_or_create(
        username=SHELL, defaults={"is_active": False, "is_staff": False}
    )
    if is_new:
        account.set_unusable_password()
        account.save(update_fields=["password"])
    return account


def edit_in_words(edit: Edit) -> str:
    """Return a field with the value that held there and the new one."""
    return f"{edit.field.replace('_', ' ')} {value_in_words(edit.held)} → {value_in_words(edit.new)}"


def change_in_words(change: Change) -> str:
    """Return a change as a planner says it."""
    field = change.field.replace("_", " ")
    what = f"{field} of {change.table.replace('_', ' ')} {'(all)' if change.row == '*' else change.row}"
    when = f" in {change.period}" if change.period else ""
    value = value_in_words(change.value)
    verb = {"set": f"set to {value}", "multiply": f"multiplied by {value}", "add": f"plus {value}"}
    return f"{what}{when} {verb.get(change.operation, change.operation)}"


def value_in_words(value: Any) -> str:
    """Return a value with all its digits; blank, yes and no as words."""
    if value is None:
        return "blank"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)

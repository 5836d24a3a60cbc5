"""Writing edited rows, and what it leaves in the history: who, when, which field, old and new value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models

from planning.scenarios import value_in_words

BATCH_SIZE = 500  # rows per statement
LATEST = 50  # entries of a row's history that are looked through
REPR_LENGTH = 200  # characters that an entry of the history keeps of a row's name


@dataclass
class EditedRow:
    """A row with its new values set, and for each edited field the old value and the new one."""

    row: Any
    name: str
    is_new: bool = False
    is_blank: bool = False  # nothing is left in it: it goes
    edits: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def flag(self) -> int:
        """What becomes of the row, as the history says it."""
        return DELETION if self.is_blank else ADDITION if self.is_new else CHANGE


def edits_in_words(edits: dict[str, tuple[Any, Any]], where: str = "") -> str:
    """Return the edited fields of a row with old and new values."""
    return "; ".join(edit_words(name, old, new, where) for name, (old, new) in edits.items())


def edit_words(name: str, old: Any, new: Any, where: str = "") -> str:
    """Return an edited field with its old and new value."""
    return f"{name.replace('_', ' ')}{where} {value_in_words(old)} → {value_in_words(new)}"


def store(model: type[models.Model], rows: Sequence[EditedRow]) -> None:
    """Write the rows: new ones are made, those that are blank now are removed."""
    manager = model._default_manager
    changed = [edited.row for edited in rows if not edited.is_new and not edited.is_blank]
    fields = sorted({name for edited in rows if not edited.is_new for name in edited.edits})
    if changed and fields:
        manager.bulk_update(changed, fields, batch_size=BATCH_SIZE)
    manager.bulk_create([edited.row for edited in rows if edited.is_new], batch_size=BATCH_SIZE)
    gone = [edited.row.pk for edited in rows if edited.is_blank]
    for start in range(0, len(gone), BATCH_SIZE):
        manager.filter(pk__in=gone[start : start + BATCH_SIZE]).delete()


def entry(user: Any, row: models.Model, name: str, flag: int, words: str) -> LogEntry:
    """Return an entry of the history of a row."""
    return LogEntry(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(type(row)),
        object_id=str(row.pk),
        object_repr=name[:REPR_LENGTH],
        action_flag=flag,
        change_message=words,
    )


def record(entries: Iterable[LogEntry]) -> None:
    """Write entries of the history."""
    LogEntry.objects.bulk_create(list(entries), batch_size=BATCH_SIZE)


def who_wrote(model: type[models.Model], pk: int, pattern: str) -> str:
    """Return who and when, by the latest entry of the row's history that matches; "" where none does."""
    kind = ContentType.objects.get_for_model(model)
    entries = LogEntry.objects.filter(content_type=kind, object_id=str(pk)).select_related("user")
    for found in entries.order_by("-action_time", "-pk")[:LATEST]:
        if re.search(pattern, found.get_change_message()):
            return f"{found.user.get_username()} at {found.action_time:%Y-%m-%d %H:%M} UTC"
    return ""

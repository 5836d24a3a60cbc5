"""What a saved form leaves in the history: each field with its old value and its new one, and those of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import ForeignKey, Model
from django.forms import BaseForm, BaseModelFormSet, ModelForm

from planning.entry import edit_words

LONGEST = 4000  # characters of an entry
SILENT = ("id", "DELETE", "ORDER")  # fields of a form that are no fields of its row


def form_in_words(form: ModelForm) -> str:
    """Return the edited fields of a form with old and new values."""
    words = []
    for name in form.changed_data:
        if name in SILENT or not is_field(form, name):
            continue
        old, new = in_words(form, name, form.initial.get(name)), in_words(form, name, form.cleaned_data.get(name))
        words.append(edit_words(name, old, new))
    return "; ".join(words)


def is_field(form: ModelForm, name: str) -> bool:
    """Whether a field of the form is one of its row."""
    return any(field.name == name for field in form._meta.model._meta.concrete_fields)


def in_words(form: BaseForm, name: str, value: Any) -> Any:
    """Return a value of a form as its history says it: the name of a related row, the label of a choice."""
    if isinstance(value, Model):
        return str(value)
    model: Any = form._meta.model  # type: ignore[attr-defined]
    field: Any = model._meta.get_field(name)
    if value in (None, ""):
        return None
    if isinstance(field, ForeignKey):
        model = field.related_model
        row = model._default_manager.filter(pk=value).first()
        return str(row) if row is not None else f"({value})"
    return value


def edits_of(form: ModelForm, formsets: list[BaseModelFormSet], add: bool) -> str:
    """Return what was saved, in one sentence for the row and one for each row on its page."""
    sentences = ["Added"] if add else [form_in_words(form)]
    for formset in formsets:
        sentences.extend(rows_in_words(formset))
    text = ". ".join(sentence for sentence in sentences if sentence)
    if not text:
        return "Saved without a change."
    return f"{text}." if len(text) < LONGEST else f"{text[:LONGEST]} …"


def rows_in_words(formset: BaseModelFormSet) -> Iterator[str]:
    """Yield what became of the rows of a formset."""
    kind = str(formset.model._meta.verbose_name).capitalize()
    for row in formset.new_objects:
        yield f'{kind} "{row}" added'
    forms = {id(form.instance): form for form in formset.initial_forms}
    for row, _names in formset.changed_objects:
        if words := form_in_words(forms[id(row)]):
            yield f'{kind} "{row}": {words}'
    for row in formset.deleted_objects:
        yield f'{kind} "{row}" removed'

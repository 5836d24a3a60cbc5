"""Change several: one change to a field of the selected rows of a list, shown before it is written."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from planning.entry import OPERATIONS, NotChanged, SeveralChanges, change_several, preview_several, several_fields

from .amounts import NOTHING, exact
from .same_plant import plant_of
from .units import unit_of

SHOWN = 200


class SeveralForm(forms.Form):
    """Which field, and what to do with it."""

    field = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    operation = forms.ChoiceField(choices=list(OPERATIONS.items()), widget=UnfoldAdminSelectWidget, label="What to do")
    value = forms.CharField(
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="A number with a decimal point; true or false for a switch. A blank stays blank when it is "
        "multiplied or added to.",
    )

    def __init__(self, model: type[Model], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["field"]
        choice.choices = [(name, name.replace("_", " ").capitalize()) for name in several_fields(model)]


class ChangeSeveral:
    """Mixed into the admin of a table: the action, its preview and its end."""

    model: type[Model]
    admin_site: Any

    @admin.action(description="Change several", permissions=["change"])
    def change_several(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask for the change, show what it would do, and do it."""
        related = [name for name in getattr(self, "list_select_related", ()) if name]
        rows = queryset.select_related(*related).order_by("pk")
        step = request.POST.get("step", "")
        form = SeveralForm(self.model, request.POST if step else None)
        shown: SeveralChanges | None = None
        if step and form.is_valid():
            chosen = (form.cleaned_data["field"], form.cleaned_data["operation"], form.cleaned_data["value"])
            try:
                if step == "write" and self.write_several(request, rows, chosen):
                    return None
                shown = preview_several(rows, *chosen)
            except NotChanged as why:
                form.add_error(None, str(why))
        return self.several_page(request, rows, form, shown)

    def write_several(self, request: HttpRequest, rows: QuerySet[Any], chosen: tuple[str, str, str]) -> bool:
        """Write the change; say so, or why not."""
        try:
            done = change_several(rows, *chosen, digest=request.POST.get("digest", ""), user=request.user)
        except NotChanged as why:
            messages.warning(request, str(why))
            return False
        what = chosen[0].replace("_", " ")
        count = "1 row" if len(done.rows) == 1 else f"{len(done.rows):,} rows"
        messages.success(request, f"{what.capitalize()} was changed in {count}.")
        return True

    def several_page(
        self, request: HttpRequest, rows: QuerySet[Any], form: SeveralForm, shown: SeveralChanges | None
    ) -> HttpResponse:
        count = rows.count()
        kind = self.model._meta.verbose_name if count == 1 else self.model._meta.verbose_name_plural
        context = {
            **self.admin_site.each_context(request),
            "title": f"Change {count:,} {kind}",
            "form": form,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "list_url": request.get_full_path(),
            "changes": changes_in_words(shown) if shown is not None else None,
        }
        return TemplateResponse(request, "admin/planning/several.html", context)


def changes_in_words(shown: SeveralChanges) -> dict[str, Any]:
    """Return a preview in words, rows that refuse their value first."""
    ordered = sorted(shown.rows, key=lambda row: not row.fault)
    return {
        "field": shown.field.replace("_", " "),
        "count": len(shown.rows),
        "unchanged": shown.unchanged,
        "fault_count": len(shown.faults),
        "more": max(0, len(ordered) - SHOWN),
        "digest": shown.digest,
        "rows": [
            {
                "name": str(row.row),
                "old": value_words(row.old),
                "new": value_words(row.new),
                "unit": unit_of(row.row, shown.field, plant_of(row.row)),
                "fault": row.fault,
            }
            for row in ordered[:SHOWN]
        ],
    }


def value_words(value: Any) -> str:
    """Return a value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOTHING if value is None else exact(value)

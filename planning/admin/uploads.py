"""Uploads: a whole plant or some tables of one; look at what it would change, then import it."""

from __future__ import annotations

import datetime
import io
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import ADDITION, CHANGE
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from planning.entry.record import entry, record
from planning.exchange import (
    Fault,
    ImportFaults,
    Preview,
    Sheet,
    import_plan,
    import_tables,
    preview_import,
    preview_tables,
)
from planning.models import TABLE_BY_NAME, Plant, StagedUpload

from .access import is_limited, row_to_see, rows_to_see
from .amounts import rounded
from .sheet_files import csv_file, xlsx_file

LARGEST = 64 * 2**20  # bytes of an uploaded file
MERGE, REPLACE = "merge", "replace"
HOW = [
    (MERGE, "Add and update rows: rows that the file lacks stay"),
    (REPLACE, "Replace rows: rows of these tables that the file lacks are removed"),
]
KEPT = datetime.timedelta(days=1)
SHOWN_FAULTS = 500
CELLS_KEPT = 100  # changed values of each table that the history keeps


class UploadForm(forms.Form):
    """A file, and where its rows go."""

    file = forms.FileField(
        label="Workbook (.xlsx), or one table (.csv)",
        help_text="Nothing is written before you have seen what changes.",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".xlsx,.csv"}),
    )
    plant = forms.ModelChoiceField(
        queryset=Plant.objects.none(),
        required=False,
        label="What the file holds",
        empty_label="A whole plant, which the workbook names",
        widget=UnfoldAdminSelectWidget,
        help_text="Of a plant that is there, the file may hold some tables. Its other tables stay as they are.",
    )
    how = forms.ChoiceField(
        choices=HOW,
        initial=MERGE,
        required=False,
        label="For tables of a plant",
        widget=UnfoldAdminSelectWidget,
        help_text="A row is found by its name or key. In both, a blank cell is a blank value. A column that the file "
        "leaves out keeps its values when rows are added and updated, and is blank when they are replaced. Changes of "
        "scenarios have no key: those of the scenarios that the file names are replaced.",
    )
    table = forms.ChoiceField(
        choices=[("", "As the file is called"), *((name, f"{name}.csv") for name in TABLE_BY_NAME)],
        required=False,
        label="Which table, for CSV",
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, plants: QuerySet[Plant], **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["plant"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = plants
        field.label_from_instance = lambda obj: f"Some tables of {obj}"  # type: ignore[method-assign]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        file: UploadedFile | None = cleaned.get("file")
        if file is not None and (file.name or "").lower().endswith(".csv") and not cleaned.get("plant"):
            self.add_error("plant", "A CSV file holds one table. Choose the plant that it belongs to.")
        return cleaned

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise ValidationError(f"The file is larger than {LARGEST // 2**20} MB. Split the plant.")
        return file


def may_import(request: HttpRequest) -> bool:
    """Whether the user may import plants."""
    return bool(request.user.has_perm("planning.import_plan"))


def _owner(request: HttpRequest) -> int:
    """Return the number of the user who is logged in."""
    assert request.user.pk is not None
    return request.user.pk


def upload_view(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Ask for a file; keep what comes, and go to what it would change."""
    if not may_import(request):
        raise PermissionDenied
    plants = rows_to_see(request, Plant.objects.order_by("name"))
    initial = {"plant": request.GET.get("plant", "")}
    form = UploadForm(request.POST or None, request.FILES or None, plants=plants, initial=initial)
    if request.method == "POST" and form.is_valid():
        staged = _stage(request, form.cleaned_data)
        return redirect("admin:planning_plant_staged", staged.pk)
    context = {**site.each_context(request), "title": "Upload", "form": form}
    return TemplateResponse(request, "admin/planning/plant/upload.html", context)


def _stage(request: HttpRequest, given: dict[str, Any]) -> StagedUpload:
    """Keep a file until it is imported, in place of the one that the user has uploaded before."""
    StagedUpload.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    StagedUpload.objects.filter(user_id=_owner(request)).delete()
    file: UploadedFile = given["file"]
    return StagedUpload.objects.create(
        user_id=_owner(request),
        name=(file.name or "")[-200:],
        content=file.read(),
        plant=given["plant"],
        table=given["table"],
        replace=given["how"] == REPLACE,
    )


def staged_view(site: AdminSite, request: HttpRequest, upload_id: int) -> HttpResponse:
    """Show what an uploaded file would change, or what is wrong with it; on POST import it, or let it go."""
    staged = _staged(request, upload_id)
    if request.method == "POST" and "discard" in request.POST:
        staged.delete()
        messages.info(request, "Nothing was imported.")
        return redirect("admin:planning_plant_upload")
    try:
        preview = _preview(request, staged)
        if request.method == "POST":
            if request.POST.get("state", "") == preview.state and _is_same_plant(request, preview):
                return _import(request, staged, preview)
            messages.warning(request, "The plant's data have changed since you looked. This is what it would do now.")
    except ImportFaults as faults:
        return _show(site, request, staged, faults=faults)
    return _show(site, request, staged, preview=preview)


def _preview(request: HttpRequest, staged: StagedUpload) -> Preview:
    """Return what importing the file would do. Raises ImportFaults, also for a plant that the user may not see."""
    if staged.plant_id is not None:
        plant = row_to_see(request, Plant.objects.all(), staged.plant_id)
        return preview_tables(_file(staged), plant, replace=staged.replace, table=staged.table)
    preview = preview_import(_file(staged))
    if is_limited(request):
        seen = rows_to_see(request, Plant.objects.all())
        if preview.plant is None or not seen.filter(pk=preview.plant.pk).exists():
            names = ", ".join(f'"{plant}"' for plant in seen) or "no plant"
            text = f"You are limited to {names}. Name one of these here, or ask an administrator to import the file."
            raise ImportFaults([Fault("plant", None, "name", preview.plant_name, text)])
    return preview


def _is_same_plant(request: HttpRequest, preview: Preview) -> bool:
    return request.POST.get("replaces", "") == (str(preview.plant.pk) if preview.plant else "")


def _import(request: HttpRequest, staged: StagedUpload, preview: Preview) -> HttpResponse:
    """Import the file that was previewed. Raises ImportFaults."""
    with transaction.atomic():
        if staged.plant is not None:
            result = import_tables(_file(staged), staged.plant, replace=staged.replace, table=staged.table)
            done = f"{', '.join(name.replace('_', ' ') for name in result.counts)} imported"
        else:
            result = import_plan(_file(staged), replace=preview.plant is not None)
            done = "replaced; its runs are kept" if result.replaced else "imported"
        assert result.plant is not None
        flag = CHANGE if preview.plant else ADDITION
        record([entry(request.user, result.plant, result.plant_name, flag, _in_history(staged, preview))])
        staged.delete()
    words = f'"{result.plant_name}": {done}.' if staged.plant_id else f'"{result.plant_name}" is {done}.'
    messages.success(request, f"{words} Check its data, then run a scenario.")
    return redirect("admin:planning_plant_change", result.plant.pk)


def _in_history(staged: StagedUpload, preview: Preview) -> str:
    """Return what an import does, table by table with old and new values, as the plant's history keeps it."""
    said = [f"Imported {staged.name}"]
    for table in _tables(preview):
        counts = [f"{table[kind]} {kind}" for kind in ("new", "changed", "removed") if table[kind]]
        if not counts:
            continue
        cells = [
            f"{row['key']}: {column} {old} → {new}"
            for row in table["rows"]
            if row["kind"] == "changed"
            for column, old, new in row["cells"]
        ]
        said.append(f"{table['name']}: {', '.join(counts)}" + "".join(f"; {cell}" for cell in cells[:CELLS_KEPT]))
    return ". ".join(said) + "."


def faults_view(request: HttpRequest, upload_id: int, kind: str) -> HttpResponseBase:
    """Answer everything that is wrong with an uploaded file as a CSV file or a workbook."""
    staged = _staged(request, upload_id)
    found: list[Fault] = []
    try:
        _preview(request, staged)
    except ImportFaults as faults:
        found = faults.faults
    rows = [(fault.table, fault.row, fault.column, fault.value, fault.text) for fault in found]
    sheet = Sheet("faults", ["table", "row", "column", "value", "what and how to mend it"], rows)
    return csv_file(sheet, sheet.name) if kind == "csv" else xlsx_file([sheet], sheet.name)


def _staged(request: HttpRequest, upload_id: int) -> StagedUpload:
    """Return the upload, for the user whose it is."""
    if not may_import(request):
        raise PermissionDenied
    return get_object_or_404(StagedUpload, pk=upload_id, user=request.user)


def _file(staged: StagedUpload) -> io.BytesIO:
    file = io.BytesIO(bytes(staged.content))
    file.name = staged.name
    return file


def _show(
    site: AdminSite,
    request: HttpRequest,
    staged: StagedUpload,
    *,
    preview: Preview | None = None,
    faults: ImportFaults | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": "Upload",
        "staged": staged,
        "preview": preview,
        "state": preview.state if preview else "",
        "tables": _tables(preview) if preview else [],
        "faults": faults.faults[:SHOWN_FAULTS] if faults else [],
        "fault_count": faults.total if faults else 0,
        "faults_url": reverse("admin:planning_plant_faults", args=[staged.pk, "xlsx"]),
        "faults_csv_url": reverse("admin:planning_plant_faults", args=[staged.pk, "csv"]),
        "upload_url": reverse("admin:planning_plant_upload"),
    }
    return TemplateResponse(request, "admin/planning/plant/staged.html", context)


def _tables(preview: Preview) -> list[dict[str, Any]]:
    """Return the tables of a preview, in words."""
    return [
        {
            "name": table.table.replace("_", " "),
            "new": table.counts["new"],
            "changed": table.counts["changed"],
            "removed": table.counts["removed"],
            "untouched": table.untouched,
            "rows": [
                {
                    "key": row.key,
                    "kind": row.kind,
                    "cells": [
                        (cell.column.replace("_", " "), _value(cell.old), _value(cell.new)) for cell in row.cells
                    ],
                }
                for row in table.rows
            ],
            "more": sum(table.counts.values()) - len(table.rows),
        }
        for table in preview.tables
    ]


def _value(value: Any) -> str:
    if value is None or value == "":
        return "blank"
    if isinstance(value, bool):
        return "true" if value else "false"
    return rounded(value) if isinstance(value, float) else str(value)
